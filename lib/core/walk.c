// SPDX-License-Identifier: BSD-3-Clause
/*
 * One step of a walk down a path, and the taking apart of the path that goes with it.
 *
 * It refuses to follow anything: a symbolic link is an answer here (-ELOOP), what to do about it is the caller's.
 *
 *	operation               system call                             what undoes it
 *	walk_enter              openat(O_NOFOLLOW), fstat, fstatat      close
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/core/sys.h"
#include "lib/core/walk.h"

int walk_next(const char **path, struct walk_name *ret)
{
	const char *name = *path + strspn(*path, "/");
	size_t length = strcspn(name, "/");

	if (length == 0)
		return 0;
	if (length >= sizeof(ret->name))
		return -ENAMETOOLONG;
	memcpy(ret->name, name, length);
	ret->name[length] = '\0';
	*path = name + length + strspn(name + length, "/");
	ret->directory = name[length] == '/';
	ret->last = **path == '\0';
	return 1;
}

bool walk_has_dotdot(const char *path)
{
	for (const char *name = path; *name != '\0';) {
		size_t length = strcspn(name, "/");

		if (length == 2 && name[0] == '.' && name[1] == '.')
			return true;
		name += length + strspn(name + length, "/");
	}
	return false;
}

int walk_flags(int *flags)
{
	int never = O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);

	if (*flags & never || !(*flags & (O_PATH | O_DIRECTORY)))
		return -EINVAL;
	*flags &= ~O_NOFOLLOW;
	return 0;
}

static bool is_symlink(const struct stat *st)
{
	return (st->st_mode & S_IFMT) == S_IFLNK;
}

/* Which of its two meanings ENOTDIR has here. It decides about the error only: nothing was opened. */
static int enter_failed(int dirfd, const char *name, int code)
{
	struct stat st;

	if (code == -ENOTDIR && sys_fstatat(dirfd, name, &st) == 0 && is_symlink(&st))
		return -ELOOP;
	return code;
}

int walk_enter(int dirfd, const char *name, int flags)
{
	cleanup_fd int fd = sys_openat(dirfd, name, flags | O_NOFOLLOW);
	struct stat st;
	int r;

	if (fd < 0)
		return enter_failed(dirfd, name, fd);
	/* With O_DIRECTORY it is none; without, O_PATH|O_NOFOLLOW opens the link itself. */
	if (!(flags & O_DIRECTORY)) {
		r = sys_fstat(fd, &st);
		if (r < 0)
			return r;
		if (is_symlink(&st))
			return -ELOOP;
	}
	return fd_steal(&fd);
}
