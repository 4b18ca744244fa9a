/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is the caller's root directory the root of its mount namespace, or is it chrooted? statmount(2) (kernel 6.8) tells
 * without moving the process: the root file system proper is mounted on the kernel's own rootfs, which is its own parent.
 *
 * It refuses to guess: where anything is out of the ordinary the answer is "not known", and the caller finds out the
 * dear way. (On a host that runs from its initramfs for good, a chroot to a mount is taken for the root.)
 */
#include <fcntl.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/core/kernel.h"
#include "lib/core/sys.h"

#ifndef SYS_statmount
#define SYS_statmount 457
#endif
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000U
#endif
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif

/* As in linux/mount.h of 6.8: struct mnt_id_req, and as much of struct statmount as STATMOUNT_MNT_BASIC fills. */
struct request {
	uint32_t size, spare;
	uint64_t mount, param;
};

struct answer {
	uint32_t size, options;
	uint64_t mask;
	uint32_t sb_dev_major, sb_dev_minor;
	uint64_t sb_magic;
	uint32_t sb_flags, fs_type;
	uint64_t mnt_id, mnt_parent_id;
	uint64_t rest[64];
};

enum { MNT_BASIC = 2 };

/* The mount whose root path is; 0: it is none, or this kernel does not say. */
static uint64_t mount_at(const char *path)
{
	struct statx stx;

	if (KERNEL(statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_MNT_ID_UNIQUE, &stx)) < 0 ||
	    !(stx.stx_mask & STATX_MNT_ID_UNIQUE) || !(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return 0;
	return stx.stx_mnt_id;
}

static uint64_t parent_of(uint64_t mount)
{
	struct request request = {.size = sizeof(request), .mount = mount, .param = MNT_BASIC};
	struct answer answer = {0};

	if (KERNEL(syscall(SYS_statmount, &request, &answer, sizeof(answer), 0)) < 0 || !(answer.mask & MNT_BASIC))
		return 0;
	return answer.mnt_parent_id;
}

int sys_is_mount_root(const char *path)
{
	struct statx stx;
	int r = KERNEL(statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, 0, &stx));

	if (r < 0)
		return r;
	if (!(stx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT))
		return -EOPNOTSUPP;
	return (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

bool sys_root_is_true(void)
{
	uint64_t root = mount_at("/"), parent = root ? parent_of(root) : 0;

	return parent && parent_of(parent) == parent;
}
