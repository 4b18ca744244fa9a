/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The little of proc_pid_mountinfo(5) that lib/session needs; the command shows mount tables by libmount.
 */
#ifndef NSCLONE_MOUNTINFO_H
#define NSCLONE_MOUNTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/session/arena.h"

/* The whole of a file of /proc, NUL-terminated, in malloc'ed memory. 0 or a negative errno. */
int mountinfo_read(int dirfd, const char *path, char **ret);

/* All mount points of the calling process, unescaped. */
int mountinfo_points(struct arena **arena, const char ***ret, size_t *n_ret);

/* Does what is mounted anywhere (the fourth field, not the mount point) hold needle? */
bool mountinfo_has_root(const char *table, const char *needle);

/* The hidepid= of the proc that is mounted on /proc: 0, 1, 2 or 4. */
int mountinfo_hidepid(const char *table);

/* Is path the directory itself or below it? */
bool mountinfo_is_below(const char *path, const char *directory);

#endif
