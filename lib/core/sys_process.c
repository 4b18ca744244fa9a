// SPDX-License-Identifier: BSD-3-Clause
/*
 * The common system calls on the calling process: where it is, who it is for file access, what time and chance it has.
 *
 * It refuses to touch real, effective or saved ids and capabilities: what needs those belongs to the caller.
 *
 *	operation               system call             what undoes it
 *	sys_fchdir, sys_chdir   fchdir, chdir           sys_fchdir to a descriptor of before
 *	sys_chroot              chroot                  fchdir to a descriptor of the old root, chroot(".")
 *	sys_sethostname         sethostname             the old name
 *	sys_set_fs_ids          setfsgid, setfsuid      the same with the old ids (done here when the second fails)
 *	sys_pidfd_open          pidfd_open              sys_close
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/core/kernel.h"
#include "lib/core/sys.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

int sys_fchdir(int fd)
{
	return KERNEL(fchdir(fd));
}

int sys_chdir(const char *path)
{
	return KERNEL(chdir(path));
}

int sys_chroot(const char *path)
{
	return KERNEL(chroot(path));
}

/* A directory outside the root comes back from the kernel as "(unreachable)/..."; older libraries pass that on. */
int sys_getcwd(char *buffer, size_t size)
{
	int r = KERNEL(getcwd(buffer, size) ? 0 : -1);

	if (r < 0)
		return r;
	return buffer[0] == '/' ? 0 : -ENOENT;
}

int sys_sethostname(const char *name)
{
	return KERNEL(sethostname(name, strlen(name)));
}

int sys_random(void *buffer, size_t size)
{
	unsigned char *next = buffer;

	while (size > 0) {
		ssize_t n = KERNEL(getrandom(next, size, 0));

		if (n == -EINTR)
			continue;
		if (n < 0)
			return n;
		next += n;
		size -= n;
	}
	return 0;
}

int sys_pidfd_open(pid_t pid)
{
	return KERNEL(syscall(SYS_pidfd_open, pid, 0));
}

int64_t sys_monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Neither call ever fails: it answers the id of before, so only a second one, with an id that is none, can tell. */
static int set_fsuid(uid_t uid)
{
	setfsuid(uid);
	return (uid_t)setfsuid((uid_t)-1) == uid ? 0 : -EPERM;
}

static int set_fsgid(gid_t gid)
{
	setfsgid(gid);
	return (gid_t)setfsgid((gid_t)-1) == gid ? 0 : -EPERM;
}

/*
 * Going away from root the group comes first, coming back to root the user does: at no moment does the thread have the
 * power of root over files together with a group that is not root's, or the user's files together with root's group.
 */
int sys_set_fs_ids(uid_t uid, gid_t gid)
{
	uid_t old_uid = (uid_t)setfsuid((uid_t)-1);
	gid_t old_gid = (gid_t)setfsgid((gid_t)-1);
	int r;

	if (uid == 0) {
		r = set_fsuid(uid);
		if (r == 0)
			r = set_fsgid(gid);
	} else {
		r = set_fsgid(gid);
		if (r == 0)
			r = set_fsuid(uid);
	}
	if (r < 0) {
		set_fsuid(old_uid);
		set_fsgid(old_gid);
	}
	return r;
}
