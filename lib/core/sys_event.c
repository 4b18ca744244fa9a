/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Waiting for many things. See sys_event.h.
 *
 *	operation                system call               what undoes it
 *	sys_epoll                epoll_create1             sys_close
 *	sys_epoll_add            epoll_ctl                 sys_epoll_remove, closing the last descriptor of the file
 *	sys_inotify              inotify_init1             sys_close
 *	sys_inotify_add_unmount  inotify_add_watch         sys_inotify_remove, the unmount
 *	sys_pidfd_signal         pidfd_send_signal (5.1)   nothing
 *	sys_pidfs_number         fstatfs, fstat            nothing
 *	sys_reap                 waitpid                   nothing
 */
#include "lib/core/sys_event.h"
#include <dirent.h>
#include <link.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "lib/core/kernel.h"
#include "lib/core/sys.h"

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#define PIDFS_MAGIC 0x50494446 /* PID_FS_MAGIC of linux/magic.h 6.9 */
#ifndef IN_MASK_CREATE
#define IN_MASK_CREATE 0x10000000
#endif
#ifndef NS_GET_MNTNS_ID
#define NS_GET_MNTNS_ID _IOR(0xb7, 0x5, uint64_t)
#endif

int sys_epoll(void)
{
	return KERNEL(epoll_create1(EPOLL_CLOEXEC));
}

static int control(int epoll, int operation, int fd, uint32_t events, void *what)
{
	struct epoll_event event = {.events = events, .data = {.ptr = what}};

	return KERNEL(epoll_ctl(epoll, operation, fd, &event));
}

int sys_epoll_add(int epoll, int fd, uint32_t events, void *what)
{
	return control(epoll, EPOLL_CTL_ADD, fd, events, what);
}

int sys_epoll_change(int epoll, int fd, uint32_t events, void *what)
{
	return control(epoll, EPOLL_CTL_MOD, fd, events, what);
}

int sys_epoll_remove(int epoll, int fd)
{
	return control(epoll, EPOLL_CTL_DEL, fd, 0, NULL);
}

int sys_epoll_wait(int epoll, int ms, void **what, uint32_t *events)
{
	struct epoll_event event;
	int n = KERNEL(epoll_wait(epoll, &event, 1, ms));

	if (n <= 0)
		return n == -EINTR ? 0 : n;
	*what = event.data.ptr;
	*events = event.events;
	return 1;
}

int sys_inotify(void)
{
	return KERNEL(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
}

/* IN_UNMOUNT comes unasked; something must be asked for, and this never happens on an empty read-only tmpfs. */
int sys_inotify_add_unmount(int inotify, int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return KERNEL(inotify_add_watch(inotify, path, IN_MOVE_SELF | IN_MASK_CREATE));
}

int sys_inotify_remove(int inotify, int watch)
{
	return KERNEL(inotify_rm_watch(inotify, watch));
}

int sys_inotify_unmounted(int inotify, int *watches, size_t room)
{
	_Alignas(struct inotify_event) char buffer[1024];
	size_t size = room * sizeof(struct inotify_event);
	ssize_t n = sys_read(inotify, buffer, size < sizeof(buffer) ? size : sizeof(buffer));
	int found = 0;

	for (char *p = buffer; n > 0 && p < buffer + n;) {
		const struct inotify_event *event = (const struct inotify_event *)p;

		if (event->mask & IN_UNMOUNT)
			watches[found++] = event->wd;
		p += sizeof(*event) + event->len;
	}
	return n < 0 ? (int)n : found;
}

int sys_pidfd_signal(int pidfd, int signal)
{
	return KERNEL(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int sys_pidfs_number(int fd, uint64_t *ret)
{
	struct stat st;
	int r = sizeof(long) < sizeof(*ret) ? 0 : kernel_is_on(fd, PIDFS_MAGIC); /* an inode's number is a long to the kernel */

	if (r >= 0)
		r = r ? KERNEL(fstat(fd, &st)) : -ENOTSUP;
	if (r == 0)
		*ret = st.st_ino;
	return r;
}

pid_t sys_reap(int *status)
{
	return KERNEL(waitpid(-1, status, __WALL | WNOHANG));
}

int sys_is_tmpfs(int fd)
{
	return kernel_is_on(fd, TMPFS_MAGIC);
}

int sys_ns_mount_id(int fd, uint64_t *ret)
{
	uint64_t id = 0;
	int r = KERNEL(ioctl(fd, NS_GET_MNTNS_ID, &id));

	if (r == 0)
		*ret = id;
	return r;
}

int64_t sys_realtime_s(void)
{
	return time(NULL);
}

/* Without the right to raise the hard limit (CAP_SYS_RESOURCE) as far as that goes. */
int sys_raise_open_files(unsigned n)
{
	struct rlimit limit;
	int r = KERNEL(getrlimit(RLIMIT_NOFILE, &limit));

	if (r < 0 || limit.rlim_cur >= n)
		return r;
	limit.rlim_cur = n;
	if (limit.rlim_max >= n)
		return KERNEL(setrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = limit.rlim_max;
	r = KERNEL(setrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = limit.rlim_max = n;
	return KERNEL(setrlimit(RLIMIT_NOFILE, &limit)) == 0 ? 0 : r;
}

/* Only what cannot have been written to: there the file is the memory's truth. */
static int release(struct dl_phdr_info *info, size_t size, void *data)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)data;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t begin = (info->dlpi_addr + segment->p_vaddr) & ~(page - 1);
		uintptr_t end = (info->dlpi_addr + segment->p_vaddr + segment->p_filesz) & ~(page - 1);

		if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W) && begin < end)
			(void)madvise((void *)begin, end - begin, MADV_DONTNEED);
	}
	return 0;
}

void sys_release_code(void)
{
	dl_iterate_phdr(release, NULL);
}
