/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a process may know of itself, of another and of the machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>
#include "lib/core/kernel.h"
#include "lib/core/sys.h"

int sys_opendir(const char *path, DIR **ret)
{
	DIR *dir = opendir(path);

	if (!dir)
		return -errno;
	*ret = dir;
	return 0;
}

int sys_chmod(const char *path, mode_t mode)
{
	return chmod(path, mode) < 0 ? -errno : 0;
}

pid_t sys_getpid(void)
{
	return getpid();
}

uid_t sys_geteuid(void)
{
	return geteuid();
}

uid_t sys_getuid(void)
{
	return getuid();
}

gid_t sys_getgid(void)
{
	return getgid();
}

gid_t sys_getegid(void)
{
	return getegid();
}

int sys_ram(uint64_t *ret)
{
	struct sysinfo info;

	if (sysinfo(&info) < 0)
		return -errno;
	*ret = (uint64_t)info.totalram * info.mem_unit;
	return 0;
}

int sys_duplicate(int fd)
{
	return KERNEL(fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

int sys_replace_fd(int with, int fd)
{
	return dup3(with, fd, O_CLOEXEC) < 0 ? -errno : 0;
}

int sys_next_fd(int from, int end)
{
	struct pollfd fds[256];

	while (from < end) {
		int n = end - from < (int)(sizeof(fds) / sizeof(*fds)) ? end - from : (int)(sizeof(fds) / sizeof(*fds));

		for (int i = 0; i < n; i++)
			fds[i] = (struct pollfd){.fd = from + i};
		if (KERNEL(poll(fds, (nfds_t)n, 0)) < 0)
			return from; /* more of them than RLIMIT_NOFILE: each one may be */
		for (int i = 0; i < n; i++)
			if (!(fds[i].revents & POLLNVAL))
				return from + i;
		from += n;
	}
	return -ENOENT;
}

int sys_fd_flags(int fd)
{
	return KERNEL(fcntl(fd, F_GETFL));
}

int sys_set_fd_flags(int fd, int flags)
{
	return KERNEL(fcntl(fd, F_SETFL, flags));
}

int sys_is_nsfs(int fd)
{
	return kernel_is_on(fd, NSFS_MAGIC);
}

/* The kernel's own call, which knows nothing of signals that the C library keeps for itself; it cannot fail. */
void sys_block_signals(uint64_t *ret)
{
	const uint64_t all = UINT64_MAX;

	(void)KERNEL(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, ret, sizeof(all)));
}

void sys_restore_signals(uint64_t blocked)
{
	(void)KERNEL(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, NULL, sizeof(blocked)));
}

void sys_yield(void)
{
	(void)sched_yield();
}

void sys_sleep_us(unsigned us)
{
	struct timespec t = {us / 1000000, (long)(us % 1000000) * 1000};

	nanosleep(&t, NULL); /* shorter when a signal comes: callers look at the clock */
}

int sys_prctl(int option, unsigned long argument)
{
	int r = prctl(option, argument, 0, 0, 0);

	return r < 0 ? -errno : r;
}

int sys_process_id(pid_t pid, uint64_t *ret)
{
	cleanup_fd int fd = sys_pidfd_open(pid);
	struct stat st;
	int r = fd < 0 ? fd : sys_fstat(fd, &st);

	if (r < 0)
		return r;
	*ret = st.st_ino;
	return 0;
}

int sys_kill(pid_t pid, int signal)
{
	return kill(pid, signal) < 0 ? -errno : 0;
}
