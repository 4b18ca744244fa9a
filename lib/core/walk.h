/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What nsclone_open_nosymlink() and nsclone_open_trusted() share: a path taken apart, one step of a walk. Not public.
 */
#ifndef NSCLONE_WALK_H
#define NSCLONE_WALK_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>

struct walk_name {
	char name[NAME_MAX + 1];
	bool last;      /* nothing but slashes follows */
	bool directory; /* a slash follows: only a directory will do */
};

/*
 * Take the next component off *path, which is left behind the slashes that follow it. Returns 1, 0 where there is
 * none left, -ENAMETOOLONG.
 */
int walk_next(const char **path, struct walk_name *ret);

/* Does `..` stand in path as a component? */
bool walk_has_dotdot(const char *path);

/* May flags go to a walk? 0 or -EINVAL: O_PATH or O_DIRECTORY and nothing that creates or cuts; O_NOFOLLOW goes. */
int walk_flags(int *flags);

/*
 * Is code one that openat2 answers where it is not to be had? ENOSYS, or EPERM from the seccomp filters of older
 * container engines; openat2 itself knows EPERM only for O_NOATIME, which a walk answers likewise.
 */
static inline bool walk_replaces_openat2(int code)
{
	return code == -ENOSYS || code == -EPERM;
}

/*
 * openat(2) of one component with O_NOFOLLOW. -ELOOP says that name is a symbolic link or a magic link, always, where
 * the kernel says ENOTDIR or hands out a descriptor of the link as flags have it.
 */
int walk_enter(int dirfd, const char *name, int flags);

#endif
