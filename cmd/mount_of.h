/* SPDX-License-Identifier: BSD-3-Clause */
/* Which mount a path is on, by libmount, and what that mount allows. */
#ifndef NSCLONE_CMD_MOUNT_OF_H
#define NSCLONE_CMD_MOUNT_OF_H

#include <stdbool.h>

struct mount_of {
	char *target;
	char *type;
	char *options;
};

/* The path need not be there: then it is the mount of what is there above it. False: could not find out. */
bool mount_of(const char *path, struct mount_of *ret);
void mount_of_done(struct mount_of *mount);

/* The first mount point below directory but not at or below `except`, or NULL. The caller's. */
char *mount_below(const char *directory, const char *except);

/* Is it mounted with the option "ro", "noexec", ... */
bool mount_of_has(const struct mount_of *mount, const char *option);

#endif
