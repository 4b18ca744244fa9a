/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What statx(2) knows of mounts. For paths that nobody but root can change: everything else goes by descriptor.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include "lib/core/kernel.h"
#include "lib/core/sys.h"

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000U
#endif
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif

int sys_place(const char *path, struct sys_place *ret)
{
	struct statx stx;
	int r = KERNEL(statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_MNT_ID | STATX_INO, &stx));

	if (r < 0)
		return r;
	if (!(stx.stx_mask & STATX_MNT_ID))
		return -EOPNOTSUPP;
	*ret = (struct sys_place){stx.stx_mnt_id, stx.stx_ino};
	return 0;
}

int sys_is_cgroup2(int fd)
{
	return kernel_is_on(fd, CGROUP2_SUPER_MAGIC);
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
