// SPDX-License-Identifier: BSD-3-Clause
/*
 * Open a path in which somebody else may be exchanging names for links while we walk.
 *
 * It refuses `..`, symbolic links, magic links, and flags by which an open could block, create or cut. It does
 * not judge owners: nsclone_open_trusted() does.
 *
 *	operation                       system calls                                    what undoes it
 *	nsclone_open_nosymlink          openat2(RESOLVE_NO_SYMLINKS), or on ENOSYS      close
 *	                                openat(O_PATH|O_NOFOLLOW) for each component
 *	nsclone_fd_path                 readlinkat                                      -
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>

#include "lib/core/nsclone.h"
#include "lib/core/sys.h"
#include "lib/core/walk.h"

/* O_DIRECTORY on the way makes an automount point mount, as the kernel's own walk does. */
#define ON_THE_WAY (O_PATH | O_DIRECTORY)

/* The same as openat2 with RESOLVE_NO_SYMLINKS, where that is not to be had. */
static int walk(int dirfd, const char *path, int flags)
{
	cleanup_fd int fd = sys_openat(path[0] == '/' ? AT_FDCWD : dirfd, path[0] == '/' ? "/" : ".", ON_THE_WAY);
	struct walk_name step;
	int r, next;

	if (fd < 0)
		return fd;
	while ((r = walk_next(&path, &step)) > 0) {
		if (step.last)
			return walk_enter(fd, step.name, step.directory ? flags | O_DIRECTORY : flags);
		next = walk_enter(fd, step.name, ON_THE_WAY);
		if (next < 0)
			return next;
		sys_close(fd);
		fd = next;
	}
	/* No component at all: "/". */
	return r < 0 ? r : sys_openat(fd, ".", flags);
}

int nsclone_open_nosymlink(int dirfd, const char *path, int flags)
{
	int r = walk_flags(&flags);

	if (r < 0)
		return r;
	if (walk_has_dotdot(path))
		return -EINVAL;
	if (path[0] == '\0')
		return -ENOENT;
	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	r = nsclone_openat2(dirfd, path, flags, 0, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	return walk_replaces_openat2(r) ? walk(dirfd, path, flags) : r;
}

int nsclone_fd_path(int fd, char *buffer, size_t size)
{
	char name[sizeof("/proc/self/fd/") + 11];
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = sys_readlinkat(AT_FDCWD, name, buffer, size);
	return n < 0 ? (int)n : 0;
}
