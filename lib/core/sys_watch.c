/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Waiting: for a descriptor, and for a file system to be gone from every mount namespace. The kernel sends IN_UNMOUNT
 * when the superblock goes, which needs no scan of /proc and does not race with fork; see inotify(7).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/core/sys.h"

#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif

int sys_umount_cwd(void)
{
	return syscall(SYS_umount2, ".", MNT_DETACH) < 0 ? -errno : 0;
}

int sys_wait_readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int64_t end = sys_monotonic_ms() + ms;
	int r;

	do {
		int64_t left = end - sys_monotonic_ms();

		r = poll(&p, 1, left < 0 ? 0 : (int)left);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r > 0;
}

int sys_watch_unmount(int fd)
{
	cleanup_fd int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[32];

	if (watch < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* IN_UNMOUNT comes unasked; something must be asked for, and this never happens on an empty read-only tmpfs */
	if (inotify_add_watch(watch, path, IN_MOVE_SELF) < 0)
		return -errno;
	return fd_steal(&watch);
}

int sys_wait_unmount(int watch, int ms)
{
	_Alignas(struct inotify_event) char buffer[512];
	int r = sys_wait_readable(watch, ms);
	ssize_t n = r > 0 ? sys_read(watch, buffer, sizeof(buffer)) : r;

	if (n <= 0)
		return (int)n;
	for (char *p = buffer; p < buffer + n;) {
		struct inotify_event *event = (struct inotify_event *)p;

		if (event->mask & IN_UNMOUNT)
			return 1;
		p += sizeof(*event) + event->len;
	}
	return 0;
}

int sys_pipe(int fds[2])
{
	return pipe2(fds, O_CLOEXEC) < 0 ? -errno : 0;
}

ssize_t sys_write(int fd, const void *buffer, size_t size)
{
	ssize_t n;

	do {
		n = write(fd, buffer, size);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}
