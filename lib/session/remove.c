/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * unlinkat, relative to descriptors. A user can make a tree deeper than there are descriptors and longer than PATH_MAX:
 * a directory that lies too deep is moved to the top of the tree and taken from there.
 */
#include "lib/session/remove.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"

enum { MAX_DEPTH = 24, OPEN_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW };

struct removal {
	int top; /* the tree's own directory */
	unsigned moved; /* so many were moved to the top */
	struct budget *budget;
};

static int spend(struct budget *budget)
{
	if (budget->entries == 0 || ((budget->entries & 63) == 0 && sys_monotonic_ms() >= budget->deadline))
		return -EAGAIN;
	budget->entries--;
	return 0;
}

int open_same(int dirfd, const char *name, int flags)
{
	cleanup_fd int fd = nsclone_openat2(dirfd, name, flags | O_DIRECTORY | O_NOFOLLOW, 0,
					    RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV | RESOLVE_BENEATH);
	struct stat parent, st;
	int r;

	if (fd != -ENOSYS)
		return fd_steal(&fd);
	fd = sys_openat(dirfd, name, flags | O_DIRECTORY | O_NOFOLLOW);
	if (fd < 0)
		return fd;
	r = sys_fstat(dirfd, &parent);
	if (r == 0)
		r = sys_fstat(fd, &st);
	if (r == 0 && st.st_dev != parent.st_dev)
		r = -EXDEV;
	return r < 0 ? r : fd_steal(&fd);
}

static int empty(struct removal *rm, int fd, int depth);

static int move_to_top(struct removal *rm, int dirfd, const char *name)
{
	char to[32];
	int r;

	do {
		snprintf(to, sizeof(to), ".deep-%u", rm->moved++);
		r = sys_rename_noreplace(dirfd, name, rm->top, to);
	} while (r == -EEXIST);
	return r;
}

static int remove_directory(struct removal *rm, int dirfd, const char *name, int depth)
{
	cleanup_fd int fd = -1;
	int r = sys_unlinkat(dirfd, name, AT_REMOVEDIR);

	if (r != -ENOTEMPTY && r != -EEXIST)
		return r;
	if (depth == MAX_DEPTH)
		return move_to_top(rm, dirfd, name);
	fd = open_same(dirfd, name, O_RDONLY);
	r = fd < 0 ? fd : empty(rm, fd, depth + 1);
	return r < 0 ? r : sys_unlinkat(dirfd, name, AT_REMOVEDIR);
}

static int remove_entry(struct removal *rm, int dirfd, const char *name, int depth)
{
	int r = spend(rm->budget);

	if (r < 0)
		return r;
	r = sys_unlinkat(dirfd, name, 0);
	if (r == -EISDIR || r == -EPERM)
		r = remove_directory(rm, dirfd, name, depth);
	return r == -ENOENT ? 0 : r;
}

/* One pass over a directory. 1: something was removed, so that another pass may find more. */
static int pass(struct removal *rm, DIR *dir, int depth)
{
	int first = 0, removed = 0;
	struct dirent *d;

	for (;;) {
		int r;

		errno = 0;
		d = readdir(dir);
		if (!d && errno)
			return -errno; /* a directory that cannot be listed is not an empty one */
		if (!d)
			return first < 0 ? first : removed;
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		r = remove_entry(rm, dirfd(dir), d->d_name, depth);
		if (r == -EAGAIN)
			return r;
		removed |= r == 0;
		if (r < 0 && first == 0)
			first = r;
	}
}

/* All that is in fd, until a pass finds nothing: what was moved to the top, and what a racing user makes, come later. */
static int empty(struct removal *rm, int fd, int depth)
{
	int copy = sys_openat(fd, ".", OPEN_FLAGS), r;
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	if (!dir) {
		r = copy < 0 ? copy : -errno;
		sys_close_p(&copy);
		return r;
	}
	while ((r = pass(rm, dir, depth)) > 0)
		rewinddir(dir);
	closedir(dir);
	return r;
}

int remove_tree(int dirfd, const char *name, struct budget *budget)
{
	struct removal rm = {.budget = budget};
	cleanup_fd int fd = open_same(dirfd, name, O_RDONLY);
	int r;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	rm.top = fd;
	r = empty(&rm, fd, 0);
	if (r == 0)
		r = sys_unlinkat(dirfd, name, AT_REMOVEDIR);
	return r == -ENOENT ? 0 : r;
}
