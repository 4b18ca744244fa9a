/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whose word is a file? Judged by fstat on what is opened, for the directory it is in and for every directory above. A
 * sticky directory above that others may write to is let pass: nobody can rename root's entries there.
 */
#include "lib/session/trust.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include "lib/core/sys.h"

static bool owner_trusted(uid_t trusted, const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == trusted;
}

const char *trust_check(uid_t trusted, const struct stat *st, bool sticky_will_do)
{
	if (!owner_trusted(trusted, st))
		return "is not owned by root";
	if ((st->st_mode & 022) && !(sticky_will_do && (st->st_mode & S_ISVTX)))
		return "is writable by group or others";
	return NULL;
}

/* A directory above the one of the files; NULL: nobody but root can exchange what is below it. */
static const char *above(uid_t trusted, const struct stat *st)
{
	const char *why = trust_check(trusted, st, true);

	return why ? "lies below a directory that others than root can write to" : NULL;
}

/* All above the directory fd, by `..`: where the path to it leads through a symbolic link. */
static const char *parents(uid_t trusted, int dirfd)
{
	cleanup_fd int fd = sys_openat(dirfd, ".", O_PATH | O_DIRECTORY);
	struct stat st, below;
	const char *why;
	int parent;

	if (fd < 0 || sys_fstat(fd, &below) < 0)
		return "cannot be examined";
	for (;; below = st) {
		parent = sys_openat(fd, "..", O_PATH | O_DIRECTORY);
		sys_close(fd);
		fd = parent;
		if (fd < 0 || sys_fstat(fd, &st) < 0)
			return "lies below a directory that cannot be examined";
		if (st.st_dev == below.st_dev && st.st_ino == below.st_ino)
			return NULL; /* the parent of / is / */
		why = above(trusted, &st);
		if (why)
			return why;
	}
}

/* Is the first n bytes of path a directory that known leads through or to? */
static bool is_known(const char *path, size_t n, const char *known)
{
	return known && strncmp(path, known, n) == 0 && (n == 1 || known[n] == '/' || known[n] == '\0');
}

/* All above the directory fd, by its path: what root alone can change is what it was when the directory was opened. */
static const char *prefixes(uid_t trusted, int dirfd, const char *path, const char *known)
{
	char prefix[PATH_MAX];
	struct stat st;
	const char *why;

	for (const char *slash = path; slash; slash = strchr(slash + 1, '/')) {
		size_t n = slash == path ? 1 : (size_t)(slash - path);

		if (is_known(path, n, known))
			continue;
		memcpy(prefix, path, n);
		prefix[n] = '\0';
		if (sys_fstatat(AT_FDCWD, prefix, &st) < 0)
			return "lies below a directory that cannot be examined";
		if (S_ISLNK(st.st_mode))
			return parents(trusted, dirfd);
		why = above(trusted, &st);
		if (why)
			return why;
	}
	return NULL;
}

const char *trust_check_plain(uid_t trusted, int dirfd, const struct stat *st, const char *path, const char *known)
{
	const char *why = trust_check(trusted, st, false);

	if (why)
		return why;
	return path[0] == '/' && strlen(path) < PATH_MAX ? prefixes(trusted, dirfd, path, known)
							 : parents(trusted, dirfd);
}

/* The directory itself and all above it. NULL: nobody but root can have put files there. */
const char *trust_check_directory(uid_t trusted, int dirfd, const char *path)
{
	struct stat st, named;
	const char *why;

	if (sys_fstat(dirfd, &st) < 0)
		return "cannot be examined";
	if (sys_fstatat(AT_FDCWD, path, &named) == 0 && !S_ISLNK(named.st_mode))
		return trust_check_plain(trusted, dirfd, &st, path, NULL);
	why = trust_check(trusted, &st, false);
	return why ? why : parents(trusted, dirfd);
}
