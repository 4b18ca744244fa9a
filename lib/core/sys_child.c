// SPDX-License-Identifier: BSD-3-Clause
/*
 * A child on its way to another program.
 *
 *	operation               system call                             what undoes it
 *	sys_hand_down_fd        dup2, or fcntl(F_SETFD)                 sys_close
 *	sys_duplicate_from      fcntl(F_DUPFD_CLOEXEC)                  sys_close
 *	sys_close_from          close_range, or close of each           nothing
 *	sys_setsid              setsid                                  nothing
 *	sys_exec                execve                                  nothing
 *	sys_open_terminal       open /dev/ptmx, ioctl(TIOCSPTLCK),      sys_close of both
 *				ioctl(TIOCGPTPEER)
 *	sys_take_terminal       ioctl(TIOCSCTTY)                        nothing
 */
#include "lib/core/sys_child.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/core/kernel.h"
#include "lib/core/sys.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41) /* kernel 4.13 */
#endif
#define PROC_MAGIC 0x9fa0

int sys_hand_down_fd(int fd, int at)
{
	int r = fd == at ? KERNEL(fcntl(fd, F_SETFD, 0)) : KERNEL(dup2(fd, at));

	return r < 0 ? r : 0;
}

int sys_duplicate_from(int fd, int least)
{
	return KERNEL(fcntl(fd, F_DUPFD_CLOEXEC, least));
}

int sys_set_cloexec(int fd)
{
	return KERNEL(fcntl(fd, F_SETFD, FD_CLOEXEC));
}

int sys_close_from(unsigned first)
{
	struct rlimit limit;
	int r = KERNEL(syscall(SYS_close_range, first, ~0U, 0));

	if (r != -ENOSYS && r != -EPERM) /* the latter is how old seccomp filters say it */
		return r;
	r = KERNEL(getrlimit(RLIMIT_NOFILE, &limit));
	for (unsigned fd = first; r == 0 && fd < limit.rlim_cur; fd++)
		sys_close((int)fd);
	return r;
}

int sys_setsid(void)
{
	int r = KERNEL(setsid());

	return r < 0 ? r : 0;
}

int sys_exec(const char *path, char *const *argv, char *const *environment)
{
	return KERNEL(execve(path, argv, environment));
}

int sys_open_terminal(int *master, int *slave)
{
	cleanup_fd int fd = sys_open("/dev/ptmx", O_RDWR | O_NOCTTY);
	int locked = 0, r = fd < 0 ? fd : KERNEL(ioctl(fd, TIOCSPTLCK, &locked));

	if (r < 0)
		return r;
	r = KERNEL(ioctl(fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
	if (r < 0)
		return r;
	*slave = r;
	*master = fd_steal(&fd);
	return 0;
}

int sys_take_terminal(int fd)
{
	return KERNEL(ioctl(fd, TIOCSCTTY, 0));
}

int sys_is_procfs(int fd)
{
	return kernel_is_on(fd, PROC_MAGIC);
}
