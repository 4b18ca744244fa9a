/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The steps that deal with mounts. None is undone on its own: they happen in a mount namespace that is left.
 *
 *   COPY         open_tree(OPEN_TREE_CLONE), mount_setattr   of a descriptor, never of a path that a user can move
 *   FILESYSTEM   fsopen, fsconfig, fsmount
 *   TAKE         mount_setattr                               the init made it, in its own PID namespace
 *   NEW_ROOT     open_tree(/), move_mount on top of /        attached first: mounting onto a detached tree needs 6.15
 *   DETACH       umount2(/proc/self/fd/N, MNT_DETACH)
 *   PRIVATE      mount_setattr(MS_PRIVATE) on the root of the mount
 *   ATTACH       move_mount, both ends by descriptor
 *   PIVOT        pivot_root(".", "."), umount2(".", MNT_DETACH)
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "lib/core/sys.h"
#include "lib/session/run.h"

enum { MAX_STACKED = 4096 };

static int run_copy(struct run *run, const struct plan_step *step)
{
	cleanup_fd int opened = -1;
	struct nsclone_error core = {0};
	int from, fd, r = 0;

	if (step->from == PLAN_NO_SLOT) {
		opened = nsclone_open_trusted(run->root, step->path, O_PATH, &core);
		if (opened < 0)
			return err_core(run->err, opened, &core, "cannot open %s", step->path);
	}
	from = step->from == PLAN_NO_SLOT ? opened : run->slots[step->from];
	fd = nsclone_mount_copy(from, "", step->recursive);
	if (fd < 0)
		return err_set(run->err, fd, "cannot copy the mount of %s: open_tree", step->path);
	run->slots[step->slot] = fd;
	if (step->attributes)
		r = nsclone_mount_attributes(fd, step->recursive, step->attributes, 0);
	return r < 0 ? err_set(run->err, r, "cannot set the attributes of %s: mount_setattr", step->path) : 0;
}

static int run_filesystem(struct run *run, const struct plan_step *step)
{
	struct nsclone_error core = {0};
	int fd = nsclone_mount_new(step->name, step->options, step->n_options, step->attributes, &core);

	if (fd < 0)
		return err_core(run->err, fd, &core, "cannot make a %s for %s", step->name, step->path);
	run->slots[step->slot] = fd;
	return 0;
}

static int run_new_root(struct run *run, const struct plan_step *step)
{
	cleanup_fd int old = sys_open("/", O_PATH | O_DIRECTORY);
	int fd, r;

	if (old < 0)
		return err_set(run->err, old, "cannot open /");
	fd = nsclone_mount_copy(old, "", true);
	if (fd < 0)
		return err_set(run->err, fd, "cannot copy the mounts of /: open_tree");
	run->slots[step->slot] = fd;
	r = nsclone_mount_attach(fd, old);
	if (r < 0)
		return err_set(run->err, r, "cannot attach the new root: move_mount");
	run->root = fd;
	return 0;
}

/* All that is stacked on the path. 0 also when it is gone: with what was above it, or because the host unmounted it. */
static int run_detach(struct run *run, const struct plan_step *step)
{
	for (int i = 0; i < MAX_STACKED; i++) {
		cleanup_fd int fd = nsclone_open_nosymlink(run->root, step->path + 1, O_PATH);
		int r = fd == -ENOENT || fd == -ENOTDIR ? 0 : fd < 0 ? fd : nsclone_mount_is_root(fd);

		if (r == 0)
			return 0;
		if (r > 0)
			r = nsclone_mount_detach(fd);
		if (r < 0)
			return err_set(run->err, r, "cannot detach %s", step->path);
	}
	return err_set(run->err, -ELOOP, "cannot detach %s: mounts keep coming", step->path);
}

/* Upwards from fd, which is taken over, to the root of the mount that it is on. */
static int root_of_mount(int fd)
{
	int r, parent;

	while ((r = nsclone_mount_is_root(fd)) == 0) {
		parent = sys_openat(fd, "..", O_PATH | O_DIRECTORY);
		sys_close(fd);
		if (parent < 0)
			return parent;
		fd = parent;
	}
	if (r > 0)
		return fd;
	sys_close(fd);
	return r;
}

/* Else, when the host unmounts what was detached here, that would reach what has been attached in its place. */
static int run_private(struct run *run, const struct plan_step *step)
{
	struct nsclone_error core = {0};
	int fd = nsclone_open_trusted(run->root, step->path, O_PATH | O_DIRECTORY, &core), r;

	if (fd < 0)
		return err_core(run->err, fd, &core, "cannot open %s", step->path);
	fd = root_of_mount(fd);
	r = fd < 0 ? fd : nsclone_mount_private(fd);
	sys_close_p(&fd);
	return r < 0 ? err_set(run->err, r, "cannot make the mount of %s private: mount_setattr", step->path) : 0;
}

/* Where the mount goes: by path in the tree as it is now, or onto a directory of ours. */
static int attach_onto(struct run *run, const struct plan_step *step, int onto)
{
	int r = nsclone_mount_attach(run->slots[step->from], onto);

	return r < 0 ? err_set(run->err, r, "cannot attach the mount for %s: move_mount", step->path) : 0;
}

static int run_attach(struct run *run, const struct plan_step *step)
{
	struct nsclone_error core = {0};
	int fd, r;

	if (step->onto != PLAN_NO_SLOT)
		return attach_onto(run, step, run->slots[step->onto]);
	fd = nsclone_open_trusted(run->root, step->path, O_PATH | O_DIRECTORY, &core);
	if (fd < 0)
		return err_core(run->err, fd, &core, "cannot open %s", step->path);
	r = attach_onto(run, step, fd);
	sys_close(fd);
	return r;
}

static int run_pivot(struct run *run)
{
	int r = sys_fchdir(run->root);

	if (r == 0)
		r = nsclone_pivot_root(".", ".");
	if (r < 0)
		return err_set(run->err, r, "cannot enter the new root: pivot_root");
	r = sys_umount_cwd();
	if (r == 0)
		r = sys_chdir("/");
	run->root = AT_FDCWD;
	return r < 0 ? err_set(run->err, r, "cannot detach the old root") : 0;
}

/* Its own copy, because slots are closed and what is given is borrowed. */
static int run_take(struct run *run, const struct plan_step *step)
{
	int fd = run->given->proc < 0 ? -ENOTCONN : sys_duplicate(run->given->proc), r = 0;

	if (fd < 0)
		return err_set(run->err, fd, "there is no init for the PID namespace");
	run->slots[step->slot] = fd;
	if (step->attributes)
		r = nsclone_mount_attributes(fd, false, step->attributes, 0);
	return r < 0 ? err_set(run->err, r, "cannot set the attributes of %s: mount_setattr", step->path) : 0;
}

int run_mounts_step(struct run *run, const struct plan_step *step)
{
	if (step->kind == PLAN_COPY)
		return run_copy(run, step);
	if (step->kind == PLAN_FILESYSTEM)
		return run_filesystem(run, step);
	if (step->kind == PLAN_TAKE)
		return run_take(run, step);
	if (step->kind == PLAN_NEW_ROOT)
		return run_new_root(run, step);
	if (step->kind == PLAN_DETACH)
		return run_detach(run, step);
	if (step->kind == PLAN_PRIVATE)
		return run_private(run, step);
	if (step->kind == PLAN_ATTACH)
		return run_attach(run, step);
	return run_pivot(run);
}
