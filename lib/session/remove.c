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
static int open_unreadable(int dirfd, const char *name);

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
	if (fd == -EACCES)
		fd = open_unreadable(dirfd, name);
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

/* A descriptor of fd's own to read, as a stream. */
static int open_stream(int fd, DIR **ret)
{
	int copy = sys_openat(fd, ".", OPEN_FLAGS), r;

	*ret = copy < 0 ? NULL : fdopendir(copy);
	if (*ret)
		return 0;
	r = copy < 0 ? copy : -errno;
	sys_close_p(&copy);
	return r;
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int directory_is_empty(int fd)
{
	struct dirent *d;
	DIR *dir;
	int r = open_stream(fd, &dir);

	if (r < 0)
		return r;
	do {
		errno = 0;
		d = readdir(dir);
	} while (d && is_dot(d->d_name));
	r = d ? 0 : errno ? -errno : 1;
	closedir(dir);
	return r;
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
		if (is_dot(d->d_name))
			continue;
		r = remove_entry(rm, dirfd(dir), d->d_name, depth);
		if (r == -EAGAIN)
			return r;
		removed |= r == 0;
		if (r < 0 && first == 0)
			first = r;
	}
}

/*
 * All that is in fd, until a pass finds nothing: what was moved to the top, and what a racing user makes, come later.
 * A user's rights end at a directory that he made read-only: it is made his again.
 */
static int empty(struct removal *rm, int fd, int depth)
{
	DIR *dir;
	int r = open_stream(fd, &dir);

	if (r < 0)
		return r;
	r = pass(rm, dir, depth);
	if (r == -EACCES && sys_fchmod(fd, 0700) == 0)
		r = 1;
	while (r > 0) {
		rewinddir(dir);
		r = pass(rm, dir, depth);
	}
	closedir(dir);
	return r;
}

/* A directory that its owner made unreadable, through a descriptor of it. */
static int open_unreadable(int dirfd, const char *name)
{
	cleanup_fd int fd = open_same(dirfd, name, O_PATH);
	char path[32];
	int r = fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (r >= 0)
		r = sys_chmod(path, 0700);
	return r < 0 ? r : open_same(dirfd, name, O_RDONLY);
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
