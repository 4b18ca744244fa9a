// SPDX-License-Identifier: BSD-3-Clause
/*
 * The common system calls on files, each as a function that a test can replace and that answers a negative errno.
 *
 * It refuses to do anything beside the call: nothing is retried but EINTR of read and getrandom, nothing is
 * followed that the caller did not ask for, no path is put together. Every descriptor is close-on-exec.
 *
 *	operation               system call             what undoes it
 *	sys_open, sys_openat    openat                  sys_close
 *	sys_getdents            getdents64              -
 *	sys_mkdirat             mkdirat                 sys_unlinkat with AT_REMOVEDIR
 *	sys_symlinkat           symlinkat               sys_unlinkat
 *	sys_rename_noreplace    renameat2               the same, the other way round
 *	sys_renameat            renameat                nothing, where the target existed
 *	sys_fchown, sys_fchmod  fchown, fchmod          the caller's sys_fstat from before
 *	sys_flock               flock                   LOCK_UN, or closing the last descriptor of the open file
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/core/kernel.h"
#include "lib/core/sys.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1 << 0)
#endif

int sys_open(const char *path, int flags)
{
	return KERNEL(open(path, flags | O_CLOEXEC, 0600));
}

int sys_openat(int dirfd, const char *name, int flags)
{
	return KERNEL(openat(dirfd, name, flags | O_CLOEXEC, 0600));
}

/* EINTR is no reason to try again: Linux has closed the descriptor by then, and it may be somebody else's already. */
int sys_close(int fd)
{
	return KERNEL(close(fd));
}

ssize_t sys_read(int fd, void *buffer, size_t size)
{
	ssize_t n;

	do
		n = KERNEL(read(fd, buffer, size));
	while (n == -EINTR);
	return n;
}

ssize_t sys_getdents(int fd, void *buffer, size_t size)
{
	return KERNEL(syscall(SYS_getdents64, fd, buffer, size));
}

int sys_fstat(int fd, struct stat *ret)
{
	return KERNEL(fstat(fd, ret));
}

int sys_fstatat(int dirfd, const char *name, struct stat *ret)
{
	return KERNEL(fstatat(dirfd, name, ret, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT));
}

int sys_fstatvfs(int fd, struct statvfs *ret)
{
	return KERNEL(fstatvfs(fd, ret));
}

int sys_mkdirat(int dirfd, const char *name, mode_t mode)
{
	return KERNEL(mkdirat(dirfd, name, mode));
}

int sys_fchown(int fd, uid_t uid, gid_t gid)
{
	return KERNEL(fchown(fd, uid, gid));
}

int sys_fchmod(int fd, mode_t mode)
{
	return KERNEL(fchmod(fd, mode));
}

/* Not every file system has it: EINVAL then (NFS, for one), and never a plain rename in its stead. */
int sys_rename_noreplace(int from_dirfd, const char *from, int to_dirfd, const char *to)
{
	return KERNEL(syscall(SYS_renameat2, from_dirfd, from, to_dirfd, to, RENAME_NOREPLACE));
}

int sys_renameat(int from_dirfd, const char *from, int to_dirfd, const char *to)
{
	return KERNEL(renameat(from_dirfd, from, to_dirfd, to));
}

int sys_unlinkat(int dirfd, const char *name, int flags)
{
	return KERNEL(unlinkat(dirfd, name, flags));
}

int sys_symlinkat(const char *target, int dirfd, const char *name)
{
	return KERNEL(symlinkat(target, dirfd, name));
}

/* An answer that fills the buffer may have been cut; there is no room for the NUL either. */
ssize_t sys_readlinkat(int dirfd, const char *name, char *buffer, size_t size)
{
	ssize_t n = KERNEL(readlinkat(dirfd, name, buffer, size));

	if (n < 0)
		return n;
	if ((size_t)n == size)
		return -ENAMETOOLONG;
	buffer[n] = '\0';
	return n;
}

int sys_flock(int fd, int operation)
{
	return KERNEL(flock(fd, operation));
}
