// SPDX-License-Identifier: BSD-3-Clause
/*
 * Open a path as the administrator who wrote it means it, while users do their best to make it mean something else.
 *
 * A symbolic link is followed only where root alone can have put it: root made it, and it lies in a directory that
 * root owns and nobody else can write to, and so do all directories that the walk passed on its way there. From the
 * first directory on that fails this, no link is followed any more, whatever it looks like. Group root counts as
 * somebody else (CVE-2025-6020 was such a directory, too). A POSIX ACL that lets others write shows in the group's
 * bits.
 *
 * It refuses to trust a name: what was looked at with fstat is what is walked on from, and a link is read through the
 * descriptor of the link. It refuses `..` from the caller, and from a link's target after the first untrusted
 * directory: whoever can move the directory decides where `..` leads. Links of procfs are refused: what they say is
 * not where they lead.
 *
 *	operation               system calls, in this order                     what undoes it
 *	the whole path          openat2(RESOLVE_NO_SYMLINKS)                    close
 *	  on ELOOP and ENOSYS   for each component openat(O_NOFOLLOW), fstat    close
 *	  on a link             openat(O_PATH|O_NOFOLLOW), fstat, fstatfs, readlinkat("")
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/core/kernel.h"
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"
#include "lib/core/walk.h"

#define ON_THE_WAY (O_PATH | O_DIRECTORY)
#define LINKS_MAX  40 /* as the kernel's MAXSYMLINKS */

struct walk {
	int root;	    /* what / means, or AT_FDCWD: the caller's own root */
	int fd;		    /* the directory we stand in */
	unsigned int depth; /* components below the root */
	bool trusted;	    /* it and all that we passed belong to root alone */
	unsigned int links; /* followed so far */
	const char *next;   /* what is ahead, in rest */
	char rest[PATH_MAX];
	char reason[256]; /* why it ended, where errno does not say enough */
};

static void walk_cleanup(struct walk *walk)
{
	sys_close_p(&walk->fd);
}

static int refuse(struct walk *walk, const char *name, const char *why)
{
	snprintf(walk->reason, sizeof(walk->reason), "%.128s %s", name, why);
	return -ELOOP;
}

/* Go on from fd, which is taken over also on failure. Trust once lost is not found again further down. */
static int stand_in(struct walk *walk, int fd)
{
	struct stat st;
	int r;

	sys_close_p(&walk->fd);
	walk->fd = fd;
	r = sys_fstat(fd, &st);
	if (r < 0)
		return r;
	if (st.st_uid != 0 || st.st_mode & (S_IWGRP | S_IWOTH))
		walk->trusted = false;
	return 0;
}

/* To / again, where trust begins anew: only a link of root's sends us here. */
static int stand_in_root(struct walk *walk)
{
	int fd = walk->root == AT_FDCWD ? sys_open("/", ON_THE_WAY) : sys_openat(walk->root, ".", ON_THE_WAY);

	if (fd < 0)
		return fd;
	walk->trusted = true;
	walk->depth = 0;
	return stand_in(walk, fd);
}

/* Is link, a descriptor of the link itself, one that root made and that says where it leads? */
static int check_link(struct walk *walk, int link, const char *name)
{
	unsigned long type;
	struct stat st;
	int r = sys_fstat(link, &st);

	if (r < 0)
		return r;
	if ((st.st_mode & S_IFMT) != S_IFLNK)
		return refuse(walk, name, "was exchanged while it was looked at");
	if (st.st_uid != 0)
		return refuse(walk, name, "is a symbolic link that root did not make");
	r = kernel_filesystem_type(link, &type);
	if (r < 0)
		return r;
	return type == PROC_SUPER_MAGIC ? refuse(walk, name, "is a link of procfs") : 0;
}

/* Where the link says: read through the descriptor that was looked at, never by name. */
static int read_link(struct walk *walk, const char *name, char *target, size_t size)
{
	cleanup_fd int link = sys_openat(walk->fd, name, O_PATH | O_NOFOLLOW);
	ssize_t n;
	int r;

	if (link < 0)
		return link;
	r = check_link(walk, link, name);
	if (r < 0)
		return r;
	n = sys_readlinkat(link, "", target, size);
	if (n == 0)
		return -ENOENT;
	return n < 0 ? (int)n : 0;
}

static int follow(struct walk *walk, const struct walk_name *step)
{
	char target[PATH_MAX], rest[PATH_MAX];
	int n, r;

	if (!walk->trusted)
		return refuse(walk, step->name, "is a symbolic link below a directory that is not root's alone");
	if (++walk->links > LINKS_MAX)
		return refuse(walk, step->name, "is one symbolic link too many");
	r = read_link(walk, step->name, target, sizeof(target));
	if (r < 0)
		return r;
	n = snprintf(rest, sizeof(rest), "%s%s%s", target, step->directory ? "/" : "", walk->next);
	if (n < 0 || (size_t)n >= sizeof(rest))
		return -ENAMETOOLONG;
	memcpy(walk->rest, rest, (size_t)n + 1);
	walk->next = walk->rest;
	return target[0] == '/' ? stand_in_root(walk) : 0;
}

/* One component on the way: stand in it, or follow it. */
static int step_in(struct walk *walk, const struct walk_name *step)
{
	int fd = walk_enter(walk->fd, step->name, ON_THE_WAY);

	if (fd == -ELOOP)
		return follow(walk, step);
	if (fd < 0)
		return fd;
	if (strcmp(step->name, "..") == 0)
		walk->depth--;
	else if (strcmp(step->name, ".") != 0)
		walk->depth++;
	return stand_in(walk, fd);
}

/* The last component: open it as asked for, or follow it; then *ret stays negative and the walk goes on. */
static int step_last(struct walk *walk, const struct walk_name *step, int flags, int *ret)
{
	int fd = walk_enter(walk->fd, step->name, step->directory ? flags | O_DIRECTORY : flags);

	if (fd == -ELOOP)
		return follow(walk, step);
	if (fd < 0)
		return fd;
	*ret = fd;
	return 0;
}

/*
 * Only a link's target can hold `..` here. Whoever may move this directory decides where it leads, so it is refused
 * outside root's own; inside, each step up undoes one step down, and above the root it leads nowhere, as in a chroot.
 */
static int check_dotdot(struct walk *walk, struct walk_name *step)
{
	if (strcmp(step->name, "..") != 0)
		return 0;
	if (!walk->trusted)
		return refuse(walk, step->name, "in a link's target below a directory that is not root's alone");
	if (walk->depth == 0)
		strcpy(step->name, ".");
	return 0;
}

/* Returns the descriptor; what is left of a path that has no component ("/") is where we stand. */
static int walk_down(struct walk *walk, int flags)
{
	struct walk_name step;
	int r, ret = -1;

	while ((r = walk_next(&walk->next, &step)) > 0) {
		r = check_dotdot(walk, &step);
		if (r == 0)
			r = step.last ? step_last(walk, &step, flags, &ret) : step_in(walk, &step);
		if (r < 0)
			return r;
		if (ret >= 0)
			return ret;
	}
	return r < 0 ? r : sys_openat(walk->fd, ".", flags);
}

static int open_by_walk(int root, const char *path, int flags, struct nsclone_error *error)
{
	__attribute__((cleanup(walk_cleanup))) struct walk walk = {.root = root, .fd = -1};
	int r = stand_in_root(&walk);

	snprintf(walk.rest, sizeof(walk.rest), "%s", path);
	walk.next = walk.rest;
	if (r == 0)
		r = walk_down(&walk, flags);
	return r < 0 ? nsclone_fail(error, r, "openat", path, walk.reason) : r;
}

/* Where no component is a link, nobody's links need judging. */
static int open_without_links(int root, const char *path, int flags)
{
	if (root != AT_FDCWD) {
		path += strspn(path, "/");
		path = *path == '\0' ? "." : path;
	}
	return nsclone_openat2(root, path, flags, 0, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

int nsclone_open_trusted(int root, const char *path, int flags, struct nsclone_error *error)
{
	int r = walk_flags(&flags);

	if (r < 0)
		return nsclone_fail(error, r, "openat", path, "the flags hold neither O_PATH nor O_DIRECTORY");
	if (path[0] != '/' || walk_has_dotdot(path))
		return nsclone_fail(error, -EINVAL, "openat", path, "only an absolute path without .. will do");
	if (strlen(path) >= PATH_MAX)
		return nsclone_fail(error, -ENAMETOOLONG, "openat", path, NULL);
	r = open_without_links(root, path, flags);
	if (r == -ELOOP || walk_replaces_openat2(r))
		return open_by_walk(root, path, flags, error);
	return r < 0 ? nsclone_fail(error, r, "openat2", path, NULL) : r;
}
