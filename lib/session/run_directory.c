/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PLAN_DIRECTORY: a directory that is found as it must be, or made.
 *
 * Made: under a temporary name (".new-" and its own), locked, given owner and mode through its descriptor and renamed
 * into place. A kill at any system call leaves at most that one temporary name, which the next maker takes over.
 * Found: a wrong owner, a wrong type, a symbolic link is an error; nothing is repaired but the mode, through the
 * descriptor. A directory that is the root of everything (no parent in the plan) is not even that.
 *
 * The directory of a user is locked (flock) from here to the end of the plan: so what a plan makes below it is never
 * seen by another login before the plan has succeeded, and undoing can remove it. Whoever waited for the lock and finds
 * that the directory is not the one of that name any more gets ESTALE; plan_run() is then begun anew.
 *
 * The lock is shared while all is found: logins of one user do not wait for each other. Whoever must make or repair what
 * others will find MUST have it alone first; what was found under the shared lock stays, because its maker's plan has
 * succeeded by then. A directory with a name of its own (one session's) nobody else finds: it is made under either.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include "lib/core/sys.h"
#include "lib/session/identity.h"
#include "lib/session/litter.h"
#include "lib/session/remove.h"
#include "lib/session/run.h"
#include "lib/session/trust.h"

enum { LOCK_MS = 5000, LOCK_NAP_US = 200, TRIES = 8, OPEN_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW };

static const char *last_component(const struct plan_step *step)
{
	const char *slash = strrchr(step->path, '/');

	return slash ? slash + 1 : step->path;
}

/* The parent's descriptor: of a step before, or opened for the occasion. */
static int parent_of(struct run *run, size_t i)
{
	const struct plan_step *step = &run->plan->steps[i];
	struct nsclone_error core = {0};
	char path[PATH_MAX];
	int fd;

	if (step->from != PLAN_NO_SLOT)
		return run->slots[step->from];
	if (run->states[i].parent >= 0)
		return run->states[i].parent;
	if (strlen(step->path) >= sizeof(path))
		return err_set(run->err, -ENAMETOOLONG, "%s", step->path);
	snprintf(path, sizeof(path), "%s", step->path);
	fd = nsclone_open_trusted(run->root, dirname(path), O_PATH | O_DIRECTORY, &core);
	if (fd < 0)
		return err_core(run->err, fd, &core, "cannot open the directory in which %s is to be", step->path);
	run->states[i].parent = fd;
	return fd;
}

/* operation: LOCK_SH or LOCK_EX. Mostly it is free, and the clock is not asked. */
static int lock(int fd, int operation)
{
	int r = sys_flock(fd, operation | LOCK_NB);
	int64_t end = r == -EWOULDBLOCK ? sys_monotonic_ms() + LOCK_MS : 0;

	for (; r == -EWOULDBLOCK; r = sys_flock(fd, operation | LOCK_NB)) {
		if (sys_monotonic_ms() >= end)
			return -ETIMEDOUT;
		sys_sleep_us(LOCK_NAP_US);
	}
	return r;
}

/*
 * Lock the directory fd, which was found under name and is mine. -ESTALE: by now another one, or none, has that name.
 * File systems on which directories cannot be locked (NFS homes) are let pass where only one user's logins compete.
 */
static int lock_named(const struct plan_step *step, int operation, int parent, const char *name, int fd,
		      const struct stat *mine)
{
	struct stat named;
	int r = lock(fd, operation);

	if (step->as_user && (r == -EBADF || r == -ENOLCK || r == -EOPNOTSUPP || r == -EINVAL))
		return 0;
	if (r == 0)
		r = sys_fstatat(parent, name, &named);
	if (r == -ENOENT || (r == 0 && (mine->st_ino != named.st_ino || mine->st_dev != named.st_dev)))
		return -ESTALE;
	return r;
}

/*
 * Before something is made or repaired where other logins will find it. Changing the lock drops the shared one first:
 * whoever had it alone in between may have undone the directory (ESTALE) or made what is missing.
 */
static int lock_alone(struct run *run, const struct plan_step *step)
{
	const struct plan_step *locked = run->shared < 0 ? NULL : &run->plan->steps[run->shared];
	struct stat mine;
	int fd, r;

	if (!locked || step->from != locked->slot || step->exclusive)
		return 0;
	fd = run->slots[locked->slot];
	r = sys_fstat(fd, &mine);
	if (r == 0)
		r = lock_named(locked, LOCK_EX, parent_of(run, (size_t)run->shared), last_component(locked), fd, &mine);
	if (r < 0)
		return err_set(run->err, r, "cannot lock %s", locked->path);
	run->shared = -1;
	return 0;
}

/* fd may be one of O_PATH. */
static int set_mode(int fd, mode_t mode)
{
	cleanup_fd int real = sys_openat(fd, ".", O_RDONLY | O_DIRECTORY);

	return real < 0 ? real : sys_fchmod(real, mode);
}

static int check_root(struct run *run, size_t i, int fd, const struct stat *st)
{
	const struct plan_step *step = &run->plan->steps[i];
	const char *why = NULL;

	if (!step->as_user)
		why = run->states[i].links ? trust_check_directory(0, fd, step->path)
					   : trust_check_plain(0, fd, st, step->path, NULL);
	if (why)
		return err_set(run->err, -EPERM, "%s %s", step->path, why);
	if (st->st_mode & 077)
		return err_set(run->err, -EPERM, "%s is open to others (mode %04o instead of 0700)", step->path,
			       (unsigned)(st->st_mode & 07777));
	return 0;
}

/* Only whoever has the lock alone: an undoing would take the old mode back under another login's eyes. */
static int repair_mode(struct run *run, size_t i, int fd)
{
	const struct plan_step *step = &run->plan->steps[i];
	struct step_state *state = &run->states[i];
	struct stat st;
	int r = lock_alone(run, step);

	if (r < 0)
		return r;
	r = sys_fstat(fd, &st);
	if (r == 0 && (st.st_mode & 07777) == step->mode) /* whoever had the lock before us did it */
		return 0;
	if (r == 0)
		r = set_mode(fd, step->mode);
	if (r < 0)
		return err_set(run->err, r, "cannot set the mode of %s", step->path);
	state->old_mode = st.st_mode & 07777;
	state->mode_set = true;
	return 0;
}

static int lock_found(struct run *run, size_t i, int fd, const struct stat *mine)
{
	const struct plan_step *step = &run->plan->steps[i];
	int operation = (mine->st_mode & 07777) == step->mode ? LOCK_SH : LOCK_EX;
	int r = lock_named(step, operation, parent_of(run, i), last_component(step), fd, mine);

	if (r < 0)
		return err_set(run->err, r, "cannot lock %s", step->path);
	if (operation == LOCK_SH)
		run->shared = (int)i;
	return 0;
}

static int check_found(struct run *run, size_t i, int fd)
{
	const struct plan_step *step = &run->plan->steps[i];
	bool is_root = step->from == PLAN_NO_SLOT;
	struct stat st;
	int r = sys_fstat(fd, &st);

	if (r < 0)
		return err_set(run->err, r, "cannot look at %s", step->path);
	if (st.st_uid != step->uid)
		return err_set(run->err, -EPERM, "%s belongs to uid %u instead of %u", step->path, (unsigned)st.st_uid,
			       (unsigned)step->uid);
	if (is_root)
		return check_root(run, i, fd, &st);
	if (step->lock)
		r = lock_found(run, i, fd, &st);
	return r < 0 || (st.st_mode & 07777) == step->mode ? r : repair_mode(run, i, fd);
}

/* Owner and mode of the new directory, through its descriptor. */
static int dress(const struct plan_step *step, int fd)
{
	int r = step->as_user ? 0 : sys_fchown(fd, step->uid, step->gid);

	return r < 0 ? r : sys_fchmod(fd, step->mode);
}

/* Into place, or EEXIST. Some file systems (NFS) have no RENAME_NOREPLACE: there only this user's logins compete. */
static int publish(const struct plan_step *step, int parent, const char *temporary)
{
	struct stat st;
	int r = sys_rename_noreplace(parent, temporary, parent, last_component(step));

	if (r != -EINVAL && r != -ENOSYS)
		return r;
	r = sys_fstatat(parent, last_component(step), &st);
	if (r != -ENOENT)
		return r == 0 ? -EEXIST : r;
	return sys_renameat(parent, temporary, parent, last_component(step));
}

/* One that was left by a login that was killed is as good as new; but it must be one: empty, and its maker's. */
static int check_left(const struct plan_step *step, int fd)
{
	struct stat st;
	int r = sys_fstat(fd, &st);

	if (r < 0)
		return r;
	if (st.st_uid != step->uid && st.st_uid != sys_geteuid())
		return -EPERM;
	r = directory_is_empty(fd);
	return r < 0 ? r : r ? 0 : -ENOTEMPTY;
}

/* The directory under its temporary name, locked by us. */
static int make_temporary(const struct plan_step *step, int parent, const char *temporary)
{
	for (int tries = 0; tries < TRIES; tries++) {
		cleanup_fd int fd = -1;
		int made = sys_mkdirat(parent, temporary, 0700), r;
		struct stat mine;

		if (made < 0 && made != -EEXIST)
			return made;
		fd = sys_openat(parent, temporary, OPEN_FLAGS);
		if (fd < 0 && fd != -ENOENT)
			return fd;
		r = fd < 0 ? -ESTALE : sys_fstat(fd, &mine);
		if (r == 0)
			r = lock_named(step, LOCK_EX, parent, temporary, fd, &mine);
		if (r == 0 && made < 0)
			r = check_left(step, fd);
		if (r == 0)
			return fd_steal(&fd);
		if (r != -ESTALE)
			return r;
	}
	return -ESTALE;
}

/* A descriptor of the new directory, which stays locked; -EEXIST: somebody else was faster. */
static int make(const struct plan_step *step, int parent)
{
	char temporary[sizeof(RECORD_NEW) + NAME_MAX];
	cleanup_fd int fd = -1;
	int r;

	snprintf(temporary, sizeof(temporary), RECORD_NEW "%s", last_component(step));
	fd = make_temporary(step, parent, temporary);
	r = fd < 0 ? fd : dress(step, fd);
	if (r == 0)
		r = publish(step, parent, temporary);
	if (r == 0)
		return fd_steal(&fd);
	sys_unlinkat(parent, temporary, AT_REMOVEDIR); /* should another login be about to take it over, it begins anew */
	return r;
}

static const char *why_not_opened(int r)
{
	return r == -ELOOP || r == -ENOTDIR ? " (a symbolic link or not a directory: it is left alone)" : "";
}

/* Mostly there is no link in its path, and then its judgement is cheaper. */
static int open_root(struct run *run, size_t i)
{
	const char *path = run->plan->steps[i].path;
	int fd = nsclone_open_nosymlink(run->root, run->root == AT_FDCWD ? path : path + 1, O_PATH | O_DIRECTORY);

	run->states[i].links = fd == -ELOOP;
	return fd == -ELOOP ? nsclone_open_trusted(run->root, path, O_PATH | O_DIRECTORY, NULL) : fd;
}

/* What is there already. flock(2) wants a real descriptor, else O_PATH will do. */
static int open_found(struct run *run, size_t i)
{
	const struct plan_step *step = &run->plan->steps[i];
	int flags = (step->lock ? O_RDONLY : O_PATH) | O_DIRECTORY | O_NOFOLLOW;

	if (step->exclusive)
		return -ENOENT;
	if (step->from == PLAN_NO_SLOT)
		return open_root(run, i);
	if (step->as_user) /* he may have mounted something of his there */
		return open_same(run->slots[step->from], last_component(step), flags);
	return sys_openat(run->slots[step->from], last_component(step), flags);
}

/* What was made where somebody else can exchange it is removed again, as all that was made before a failure. */
static int keep_made(struct run *run, size_t i, int fd)
{
	const struct plan_step *step = &run->plan->steps[i];
	const char *why = NULL;

	if (step->from == PLAN_NO_SLOT && !step->as_user)
		why = trust_check_directory(0, fd, step->path);
	if (!why)
		return fd;
	sys_close(fd);
	return err_set(run->err, -EPERM, "%s %s", step->path, why);
}

static int open_or_make(struct run *run, size_t i)
{
	const struct plan_step *step = &run->plan->steps[i];
	int fd = -EEXIST, r;

	for (int tries = 0; tries < TRIES; tries++) {
		int parent;

		fd = open_found(run, i);
		if (fd != -ENOENT)
			break;
		r = lock_alone(run, step);
		if (r < 0)
			return r;
		parent = parent_of(run, i);
		if (parent < 0)
			return parent;
		fd = make(step, parent);
		if (fd >= 0) {
			run->states[i].made = true;
			return keep_made(run, i, fd);
		}
		if (fd == -ENOENT || fd == -ESTALE) /* the parent itself is gone: another login undid it */
			return err_set(run->err, -ESTALE, "the directory of %s was removed by another login", step->path);
		if (fd != -EEXIST || step->exclusive)
			return err_set(run->err, fd, "cannot make %s", step->path);
	}
	if (fd < 0)
		return err_set(run->err, fd, "cannot open %s%s", step->path, why_not_opened(fd));
	r = check_found(run, i, fd);
	if (r < 0)
		sys_close(fd);
	return r < 0 ? r : fd;
}

int run_directory(struct run *run, size_t i)
{
	const struct plan_step *step = &run->plan->steps[i];
	struct identity self;
	int fd, r = 0;

	if (step->as_user)
		r = identity_enter(step->uid, step->gid, &self);
	if (r < 0)
		return err_set(run->err, r, "cannot act as uid %u", (unsigned)step->uid);
	fd = open_or_make(run, i);
	if (step->as_user && (r = identity_leave(&self)) < 0) {
		if (fd >= 0)
			sys_close(fd);
		return err_set(run->err, r, "cannot act as uid %u again", (unsigned)sys_geteuid());
	}
	if (fd < 0)
		return fd;
	run->slots[step->slot] = fd;
	return 0;
}

/* What is not empty any more is somebody else's by now. */
static int remove_made(struct run *run, size_t i)
{
	int r = sys_unlinkat(parent_of(run, i), last_component(&run->plan->steps[i]), AT_REMOVEDIR);

	return r == -ENOENT || r == -ENOTEMPTY || r == -EEXIST ? 0 : r;
}

int undo_directory(struct run *run, size_t i)
{
	const struct plan_step *step = &run->plan->steps[i];
	const struct step_state *state = &run->states[i];
	struct identity self;
	int r = 0, back = 0;

	if (!state->made && !state->mode_set)
		return 0;
	if (step->as_user && (r = identity_enter(step->uid, step->gid, &self)) < 0)
		return r;
	r = state->made ? remove_made(run, i) : set_mode(run->slots[step->slot], state->old_mode);
	if (step->as_user)
		back = identity_leave(&self);
	return back < 0 ? back : r;
}
