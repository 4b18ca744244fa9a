/* SPDX-License-Identifier: BSD-3-Clause */
/* Which mount a path is on. See mount_of.h. */
#include "cmd/mount_of.h"

#include "cmd/alloc.h"
#include <libmount/libmount.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *existing_part(const char *path)
{
	char *part = alloc_copy(path), *slash;

	while (access(part, F_OK) < 0 && (slash = strrchr(part, '/')) && slash != part)
		*slash = '\0';
	if (access(part, F_OK) == 0)
		return part;
	free(part);
	return alloc_copy("/");
}

/* Several mounts may be stacked on one place: the last in the table is on top. */
static struct libmnt_fs *find(struct libmnt_table *table, const char *path)
{
	char *target = mnt_get_mountpoint(path);
	struct libmnt_fs *fs = target ? mnt_table_find_target(table, target, MNT_ITER_BACKWARD) : NULL;

	free(target);
	return fs;
}

static char *copy_or_empty(const char *text)
{
	return alloc_copy(text ? text : "");
}

bool mount_of(const char *path, struct mount_of *ret)
{
	struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");
	char *part = existing_part(path);
	struct libmnt_fs *fs = table ? find(table, part) : NULL;

	if (fs) {
		ret->target = copy_or_empty(mnt_fs_get_target(fs));
		ret->type = copy_or_empty(mnt_fs_get_fstype(fs));
		ret->options = copy_or_empty(mnt_fs_get_options(fs));
	}
	free(part);
	mnt_unref_table(table);
	return fs != NULL;
}

static bool lies_below(const char *path, const char *directory)
{
	size_t n = strlen(directory);

	return strncmp(path, directory, n) == 0 && path[n] == '/';
}

char *mount_below(const char *directory, const char *except)
{
	struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");
	struct libmnt_iter *all = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	char *found = NULL;

	while (table && all && !found && mnt_table_next_fs(table, all, &fs) == 0) {
		const char *target = mnt_fs_get_target(fs);

		if (target && lies_below(target, directory) && strcmp(target, except) != 0 && !lies_below(target, except))
			found = alloc_copy(target);
	}
	mnt_free_iter(all);
	mnt_unref_table(table);
	return found;
}

void mount_of_done(struct mount_of *mount)
{
	free(mount->target);
	free(mount->type);
	free(mount->options);
}

bool mount_of_has(const struct mount_of *mount, const char *option)
{
	return mnt_optstr_get_option(mount->options, option, NULL, NULL) == 0;
}
