/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a process needs that waits for many things at once: epoll(7), one inotify(7) for many unmounts, signals by
 * pidfd, and a look at /proc without a buffer that stays. As in sys.h: thin, each a function that a test can stand in
 * for, and a negative errno on failure. Not public.
 */
#ifndef NSCLONE_SYS_EVENT_H
#define NSCLONE_SYS_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int sys_epoll(void);
int sys_epoll_add(int epoll, int fd, uint32_t events, void *what);
int sys_epoll_change(int epoll, int fd, uint32_t events, void *what);
int sys_epoll_remove(int epoll, int fd);

/* One event, within ms milliseconds (-1: whenever). 1; 0 none; interrupted is none. */
int sys_epoll_wait(int epoll, int ms, void **what, uint32_t *events);

/*
 * One inotify for many file systems, as there may be few of these per user (fs.inotify.max_user_instances): the watch
 * of the one that fd lies on. fd may be O_PATH, and be closed. -EEXIST: it is watched already.
 */
int sys_inotify(void);
int sys_inotify_add_unmount(int inotify, int fd);
int sys_inotify_remove(int inotify, int watch);

/* The next watches whose file systems are gone, at most room: how many; -EAGAIN none. A watch is gone with it. */
int sys_inotify_unmounted(int inotify, int *watches, size_t room);

int sys_pidfd_signal(int pidfd, int signal);

/* A child that has ended: its id and status; 0: none has; -ECHILD: there are none. Whatever its exit signal. */
pid_t sys_reap(int *status);

/*
 * The number of a pidfd's process, which no other has until the next boot: the inode of pidfs, kernel 6.9. -ENOTSUP: there is
 * none, or fd is not on it. Whoever answers for the file system of fd is asked: not of a stranger's.
 */
int sys_pidfs_number(int fd, uint64_t *ret);

int sys_is_tmpfs(int fd); /* 1 or 0; fd may be O_PATH */

int sys_ns_mount_id(int fd, uint64_t *ret); /* NS_GET_MNTNS_ID: of a mount namespace, since boot. -ENOTTY before 6.11 */

int64_t sys_realtime_s(void);

/* The soft limit of descriptors (RLIMIT_NOFILE) becomes n, the hard one too where it is less. */
int sys_raise_open_files(unsigned n);

/*
 * Let go of the pages of code and constants that are in memory now, the C library's and the loader's among them: a long
 * life needs few of those that its beginning did, and these come back from the page cache, one fault each.
 */
void sys_release_code(void);

#endif
