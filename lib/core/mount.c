// SPDX-License-Identifier: BSD-3-Clause
/*
 * Mounts by file descriptor. A mount is made detached, is given its attributes while nobody can see it, and appears in
 * the tree by one move_mount onto a descriptor: at no moment does a path decide where something is mounted.
 *
 * It refuses to take a target by path, to read mountinfo, to choose options, and to fall back to mount(2) with a path.
 *
 *	operation                       system calls, in this order             what undoes it
 *	nsclone_mount_new               fsopen, fsconfig..., fsmount            closing the descriptor
 *	nsclone_mount_copy              open_tree(OPEN_TREE_CLONE)              closing the descriptor
 *	nsclone_mount_attributes        mount_setattr                           set and clear exchanged
 *	nsclone_mount_private           mount_setattr(MS_PRIVATE)               nothing
 *	nsclone_mount_attach            move_mount                              nsclone_mount_detach
 *	nsclone_mount_all_slave         mount(MS_REC|MS_SLAVE)                  nothing
 *	nsclone_mount_detach            umount2(MNT_DETACH)                     nothing
 *	nsclone_mount_is_root           statx                                   -
 *	nsclone_pivot_root              pivot_root                              pivot_root back, while the old root is
 *there
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/core/kernel.h"
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef MNT_DETACH
#define MNT_DETACH 0x2
#endif
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif

/* The kernel's own words on a file system context, "e tmpfs: Bad value for 'size'\n": the last error wins. */
static void read_reason(int context, char *reason, size_t size)
{
	char message[256];
	ssize_t n;

	reason[0] = '\0';
	while ((n = kernel_fsmessage(context, message, sizeof(message) - 1)) > 0 || n == -EMSGSIZE) {
		if (n < 2 || message[0] != 'e')
			continue;
		message[n] = '\0';
		message[strcspn(message, "\n")] = '\0';
		snprintf(reason, size, "%s", message + 2);
	}
}

static int fail_context(int context, int code, const char *call, const char *object, struct nsclone_error *error)
{
	char reason[sizeof(error->reason)];

	read_reason(context, reason, sizeof(reason));
	return nsclone_fail(error, code, call, object, reason);
}

static int set_option(int context, const struct nsclone_mount_option *option, struct nsclone_error *error)
{
	unsigned int command = option->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;
	char object[sizeof(error->object)];
	int r = kernel_fsconfig(context, command, option->key, option->value, 0);

	if (r == 0)
		return 0;
	snprintf(object, sizeof(object), "%s%s%s", option->key, option->value ? "=" : "",
		 option->value ? option->value : "");
	return fail_context(context, r, "fsconfig", object, error);
}

int nsclone_mount_new(const char *fstype, const struct nsclone_mount_option *options, size_t n, uint64_t attributes,
		      struct nsclone_error *error)
{
	cleanup_fd int context = kernel_fsopen(fstype);
	int r;

	if (context < 0)
		return nsclone_fail(error, context, "fsopen", fstype,
				    context == -ENODEV ? "this kernel has no such file system" : NULL);
	/* fsmount takes 32 bits: what would be cut off must not be taken for granted. */
	if (attributes > UINT32_MAX)
		return nsclone_fail(error, -EINVAL, "fsmount", fstype, NULL);
	for (size_t i = 0; i < n; i++) {
		r = set_option(context, &options[i], error);
		if (r < 0)
			return r;
	}
	r = kernel_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r < 0)
		return fail_context(context, r, "fsconfig", fstype, error);
	r = kernel_fsmount(context, attributes);
	if (r < 0)
		return fail_context(context, r, "fsmount", fstype, error);
	return r;
}

int nsclone_mount_copy(int dirfd, const char *path, bool recursive)
{
	unsigned int flags = OPEN_TREE_CLONE | AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;

	return kernel_open_tree(dirfd, path, flags | (recursive ? AT_RECURSIVE : 0));
}

int nsclone_mount_attributes(int fd, bool recursive, uint64_t set, uint64_t clear)
{
	return kernel_mount_setattr(fd, recursive ? AT_RECURSIVE : 0, set, clear, 0);
}

int nsclone_mount_private(int fd)
{
	return kernel_mount_setattr(fd, 0, 0, 0, MS_PRIVATE);
}

int nsclone_mount_attach(int mount, int target)
{
	return kernel_move_mount(mount, target);
}

int nsclone_mount_all_slave(void)
{
	return kernel_mount("/", MS_REC | MS_SLAVE);
}

/* The magic link leads to the mount that fd is the root of, and umount2 from there to the uppermost over it. */
int nsclone_mount_detach(int fd)
{
	char path[sizeof("/proc/self/fd/") + 11];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return kernel_umount(path, MNT_DETACH);
}

int nsclone_mount_is_root(int fd)
{
	uint64_t attributes, mask;
	int r = kernel_statx_attributes(fd, &attributes, &mask);

	if (r < 0)
		return r;
	if (!(mask & STATX_ATTR_MOUNT_ROOT))
		return -ENOSYS;
	return attributes & STATX_ATTR_MOUNT_ROOT ? 1 : 0;
}

int nsclone_pivot_root(const char *new_root, const char *put_old)
{
	return KERNEL(syscall(SYS_pivot_root, new_root, put_old));
}
