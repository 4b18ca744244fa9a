/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Removing a tree that its user may be changing at this moment.
 */
#ifndef NSCLONE_REMOVE_H
#define NSCLONE_REMOVE_H

#include <stdint.h>

/* How much one call may do. deadline as of sys_monotonic_ms(). */
struct budget {
	unsigned entries;
	int64_t deadline;
};

/*
 * The directory name in dirfd, if it is no symbolic link and nothing is mounted on it (EXDEV). flags of open(2), to which
 * O_DIRECTORY and O_NOFOLLOW are added. A descriptor or a negative errno.
 */
int open_same(int dirfd, const char *name, int flags);

/* 1, 0 or a negative errno. */
int directory_is_empty(int fd);

/*
 * Remove name below dirfd and all that is in it, by descriptor, following no symbolic link and entering no other file
 * system. Returns 0 (also when it was not there); -EAGAIN: the budget is used up, go on another time; -EXDEV: something
 * is mounted in it; or the first error, after having removed what could be.
 */
int remove_tree(int dirfd, const char *name, struct budget *budget);

#endif
