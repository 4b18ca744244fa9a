// SPDX-License-Identifier: BSD-3-Clause
/*
 * The mount system calls as they are. It refuses to include <sys/mount.h>: that and <linux/mount.h> exclude each
 * other in glibc 2.36, and older libraries have none of the new calls.
 *
 *	operation                       system call     since   what undoes it
 *	kernel_fsopen                   fsopen          5.2     closing the descriptor
 *	kernel_fsconfig                 fsconfig        5.2     closing the context
 *	kernel_fsmessage                read            5.2     -
 *	kernel_fsmount                  fsmount         5.2     closing the descriptor, until it is attached
 *	kernel_open_tree                open_tree       5.2     closing the descriptor, until it is attached
 *	kernel_move_mount               move_mount      5.2     kernel_umount
 *	kernel_mount_setattr            mount_setattr   5.12    the same with set and clear exchanged
 *	kernel_mount                    mount           -       nothing (a propagation type has no way back)
 *	kernel_umount                   umount2         -       nothing
 *	kernel_statx_attributes         statx           4.11    -
 */
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/core/kernel.h"

#ifndef SYS_open_tree
#define SYS_open_tree  428
#define SYS_move_mount 429
#define SYS_fsopen     430
#define SYS_fsconfig   431
#define SYS_fsmount    432
#endif
#ifndef AT_STATX_DONT_SYNC
#define AT_STATX_DONT_SYNC 0x4000
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

/* The beginning of struct statx, which musl has had since 1.2.4 only, in its 256 bytes. */
struct kernel_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, spare;
	uint64_t ino, size, blocks, attributes_mask;
	uint64_t rest[24];
};

_Static_assert(sizeof(struct kernel_statx) == 256, "struct statx");

/* struct mount_attr came with 5.12's headers. */
struct kernel_mount_attr {
	uint64_t set;
	uint64_t clear;
	uint64_t propagation;
	uint64_t userns_fd;
};

int kernel_fsopen(const char *fstype)
{
	return KERNEL(syscall(SYS_fsopen, fstype, FSOPEN_CLOEXEC));
}

int kernel_fsconfig(int context, unsigned int command, const char *key, const void *value, int aux)
{
	return KERNEL(syscall(SYS_fsconfig, context, command, key, value, aux));
}

/* One message per read; ENODATA when there is none left, EMSGSIZE when it does not fit (it is lost then). */
ssize_t kernel_fsmessage(int context, char *buffer, size_t size)
{
	return KERNEL(read(context, buffer, size));
}

int kernel_fsmount(int context, uint64_t attributes)
{
	return KERNEL(syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, (unsigned int)attributes));
}

int kernel_open_tree(int dirfd, const char *path, unsigned int flags)
{
	return KERNEL(syscall(SYS_open_tree, dirfd, path, flags | OPEN_TREE_CLOEXEC));
}

int kernel_move_mount(int from, int to)
{
	return KERNEL(syscall(SYS_move_mount, from, "", to, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

int kernel_mount_setattr(int fd, unsigned int flags, uint64_t set, uint64_t clear, uint64_t propagation)
{
	struct kernel_mount_attr attr = {.set = set, .clear = clear, .propagation = propagation};

	return KERNEL(syscall(SYS_mount_setattr, fd, "", flags | AT_EMPTY_PATH, &attr, sizeof(attr)));
}

int kernel_mount(const char *target, unsigned long flags)
{
	return KERNEL(syscall(SYS_mount, "none", target, "none", flags, NULL));
}

int kernel_umount(const char *target, int flags)
{
	return KERNEL(syscall(SYS_umount2, target, flags));
}

int kernel_statx_attributes(int fd, uint64_t *ret_attributes, uint64_t *ret_mask)
{
	struct kernel_statx st = {0};
	int r = KERNEL(syscall(SYS_statx, fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, 0, &st));

	if (r < 0)
		return r;
	*ret_attributes = st.attributes;
	*ret_mask = st.attributes_mask;
	return 0;
}
