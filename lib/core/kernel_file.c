// SPDX-License-Identifier: BSD-3-Clause
/*
 * The system calls on files that only the walks down a path need, apart from these, so that a test can take them away.
 *
 *	operation                       system call     since   what undoes it
 *	nsclone_openat2                 openat2         5.6     close, and unlinkat where it created
 *	kernel_filesystem_type          fstatfs         -       -
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/core/kernel.h"
#include "lib/core/nsclone.h"

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

int nsclone_openat2(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {.flags = (unsigned int)(flags | O_CLOEXEC), .mode = mode, .resolve = resolve};

	return KERNEL(syscall(SYS_openat2, dirfd, path, &how, sizeof(how)));
}

int kernel_filesystem_type(int fd, unsigned long *ret)
{
	struct statfs st;
	int r = KERNEL(fstatfs(fd, &st));

	if (r < 0)
		return r;
	*ret = (unsigned long)st.f_type;
	return 0;
}
