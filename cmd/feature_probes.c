/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each probe does once what the plan or the command would do, and says how it went: 0 or a negative errno. They run in
 * a child that ends right after, root's in a mount namespace of its own, so nothing here is undone. See feature.h.
 */
#include "cmd/feature.h"
#include "cmd/held.h"
#include "lib/core/sys.h"
#include "lib/core/sys_socket.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef NS_GET_MNTNS_ID
#define NS_GET_MNTNS_ID _IOR(0xb7, 0x5, uint64_t) /* linux/nsfs.h of 6.11 */
#endif

static int unshare_one(int flag, struct nsclone_error *error)
{
	int r = nsclone_unshare((uint64_t)flag);

	return r < 0 ? nsclone_fail(error, r, "unshare", nsclone_ns_name(flag), NULL) : 0;
}

/* The child has one already: to get there was the probe. */
int probe_mount_namespace(struct nsclone_error *error)
{
	return unshare_one(CLONE_NEWNS, error);
}

int probe_ipc_namespace(struct nsclone_error *error)
{
	return unshare_one(CLONE_NEWIPC, error);
}

int probe_uts_namespace(struct nsclone_error *error)
{
	int r = unshare_one(CLONE_NEWUTS, error);

	if (r < 0)
		return r;
	r = sys_sethostname("nsclone-probe");
	return r < 0 ? nsclone_fail(error, r, "sethostname", "nsclone-probe", NULL) : 0;
}

int probe_network_namespace(struct nsclone_error *error)
{
	return unshare_one(CLONE_NEWNET, error);
}

int probe_pid_namespace(struct nsclone_error *error)
{
	return unshare_one(CLONE_NEWPID, error);
}

int probe_user_namespace(struct nsclone_error *error)
{
	return unshare_one(CLONE_NEWUSER, error);
}

int probe_cgroup_namespace(struct nsclone_error *error)
{
	return unshare_one(CLONE_NEWCGROUP, error);
}

int probe_time_namespace(struct nsclone_error *error)
{
	return unshare_one((int)NSCLONE_NEWTIME, error);
}

int probe_loopback(struct nsclone_error *error)
{
	int r = unshare_one(CLONE_NEWNET, error);

	if (r < 0)
		return r;
	r = nsclone_loopback_up();
	return r < 0 ? nsclone_fail(error, r, "ioctl", "lo", NULL) : 0;
}

static int copy_of_root(bool recursive, struct nsclone_error *error)
{
	int fd = nsclone_mount_copy(AT_FDCWD, "/", recursive);

	return fd < 0 ? nsclone_fail(error, fd, "open_tree", "/", NULL) : fd;
}

int probe_open_tree(struct nsclone_error *error)
{
	int fd = copy_of_root(false, error);

	return fd < 0 ? fd : 0;
}

static int new_tmpfs(struct nsclone_error *error)
{
	static const struct nsclone_mount_option options[] = {
	    {"size", "1m"}, {"nr_inodes", "64"}, {"mode", "1777"}, {"uid", "0"}, {"gid", "0"},
	};

	return nsclone_mount_new("tmpfs", options, sizeof(options) / sizeof(options[0]),
				 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, error);
}

int probe_tmpfs(struct nsclone_error *error)
{
	int fd = new_tmpfs(error);

	return fd < 0 ? fd : 0;
}

static int attach(int mount, int target, const char *object, struct nsclone_error *error)
{
	int r = nsclone_mount_attach(mount, target);

	return r < 0 ? nsclone_fail(error, r, "move_mount", object, NULL) : 0;
}

int probe_move_mount(struct nsclone_error *error)
{
	int mount = new_tmpfs(error), root;

	if (mount < 0)
		return mount;
	root = sys_open("/", O_PATH | O_DIRECTORY);
	return root < 0 ? nsclone_fail(error, root, "open", "/", NULL) : attach(mount, root, "/", error);
}

int probe_move_mount_detached(struct nsclone_error *error)
{
	int tree = new_tmpfs(error), mount = tree < 0 ? tree : new_tmpfs(error), target;

	if (mount < 0)
		return mount;
	sys_mkdirat(tree, "place", 0700);
	target = sys_openat(tree, "place", O_PATH | O_DIRECTORY);
	return target < 0 ? nsclone_fail(error, target, "open", "place", NULL)
			  : attach(mount, target, "a detached tree", error);
}

int probe_mount_setattr(struct nsclone_error *error)
{
	int fd = new_tmpfs(error), r;

	if (fd < 0)
		return fd;
	r = nsclone_mount_attributes(fd, true, MOUNT_ATTR_RDONLY, 0);
	return r < 0 ? nsclone_fail(error, r, "mount_setattr", "tmpfs", NULL) : 0;
}

static int new_proc(const char *key, const char *value, struct nsclone_error *error)
{
	const struct nsclone_mount_option option = {key, value};
	int fd = nsclone_mount_new("proc", &option, 1, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, error);

	return fd < 0 ? fd : 0;
}

int probe_hidepid(struct nsclone_error *error)
{
	return new_proc("hidepid", "invisible", error);
}

int probe_subset(struct nsclone_error *error)
{
	return new_proc("subset", "pid", error);
}

/* These show the namespaces that they are mounted in, so it takes new ones. */
static int new_in_namespace(int flag, const char *type, struct nsclone_error *error)
{
	int r = unshare_one(flag, error);

	if (r < 0)
		return r;
	r = nsclone_mount_new(type, NULL, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, error);
	return r < 0 ? r : 0;
}

int probe_mqueue(struct nsclone_error *error)
{
	return new_in_namespace(CLONE_NEWIPC, "mqueue", error);
}

int probe_sysfs(struct nsclone_error *error)
{
	return new_in_namespace(CLONE_NEWNET, "sysfs", error);
}

/* A mount of it in a namespace of its own: what ProtectControlGroups= puts over /sys/fs/cgroup. */
int probe_cgroup2(struct nsclone_error *error)
{
	return new_in_namespace(CLONE_NEWCGROUP, "cgroup2", error);
}

int probe_pivot_root(struct nsclone_error *error)
{
	int tree = copy_of_root(true, error), root, r;

	if (tree < 0)
		return tree;
	root = sys_open("/", O_PATH | O_DIRECTORY);
	r = root < 0 ? root : attach(tree, root, "/", error);
	if (r < 0)
		return r;
	r = sys_fchdir(tree);
	if (r == 0)
		r = nsclone_pivot_root(".", ".");
	return r < 0 ? nsclone_fail(error, r, "pivot_root", ".", NULL) : 0;
}

int probe_openat2(struct nsclone_error *error)
{
	int fd = nsclone_openat2(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);

	return fd < 0 ? nsclone_fail(error, fd, "openat2", "/", NULL) : 0;
}

/* A structure of size 0 makes no child, but EINVAL where there is such a call. */
int probe_clone3(struct nsclone_error *error)
{
	syscall(SYS_clone3, NULL, 0);
	return errno == EINVAL ? 0 : nsclone_fail(error, -errno, "clone3", NULL, NULL);
}

int probe_statx(struct nsclone_error *error)
{
	int root = sys_open("/", O_PATH | O_DIRECTORY), r = root < 0 ? root : nsclone_mount_is_root(root);

	return r < 0 ? nsclone_fail(error, r, "statx", "/", NULL) : 0;
}

int probe_pidfd(struct nsclone_error *error)
{
	int fd = sys_pidfd_open(getpid());

	return fd < 0 ? nsclone_fail(error, fd, "pidfd_open", NULL, NULL) : 0;
}

int probe_kcmp(struct nsclone_error *error)
{
	int r = nsclone_kcmp(getpid(), getpid(), NSCLONE_KCMP_VM, 0, 0);

	return r < 0 ? nsclone_fail(error, r, "kcmp", NULL, NULL) : 0;
}

int probe_mount_namespace_id(struct nsclone_error *error)
{
	int fd = nsclone_ns_open_self(CLONE_NEWNS);
	uint64_t id;

	if (fd < 0)
		return nsclone_fail(error, fd, "open", "/proc/self/ns/mnt", NULL);
	return ioctl(fd, NS_GET_MNTNS_ID, &id) < 0 ? nsclone_fail(error, -errno, "ioctl", "NS_GET_MNTNS_ID", NULL) : 0;
}

int probe_peer_pidfd(struct nsclone_error *error)
{
	int fds[2], r = sys_socketpair(fds);

	if (r < 0)
		return nsclone_fail(error, r, "socketpair", NULL, NULL);
	r = sys_peer_pidfd(fds[0]);
	return r < 0 ? nsclone_fail(error, r, "getsockopt", "SO_PEERPIDFD", NULL) : 0;
}

/* Nobody is started: the first login does that, or systemd. */
int probe_keeper(struct nsclone_error *error)
{
	struct held held;
	int r = held_read(&held);

	held_done(&held);
	return r < 0 ? nsclone_fail(error, r, "connect", KEEPER_SOCKET, held_why(r)) : 0;
}
