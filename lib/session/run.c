/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan_run(): all or nothing. Saves the place of the process, runs the steps; when one fails, goes back and undoes what
 * is left on disk in reverse. No step's result is ignored, an undoing's neither.
 */
#include "lib/session/run.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/sys.h"
#include "lib/session/identity.h"
#include "lib/session/registry.h"

enum { COLLECT_ENTRIES = 2000, COLLECT_MS = 20 };

static int run_unshare(struct run *run, const struct plan_step *step)
{
	const char *name = nsclone_ns_name(step->nstype);
	int r = nsclone_unshare((uint64_t)step->nstype);

	if (r < 0)
		return err_set(run->err, r, "cannot make a new %s namespace: unshare", name);
	r = session_note_made(run->session, step->nstype);
	return r < 0 ? err_set(run->err, r, "cannot look at the new %s namespace", name) : 0;
}

static int run_join(struct run *run, const struct plan_step *step)
{
	const char *name = nsclone_ns_name(step->nstype);
	int fd = step->from != PLAN_NO_SLOT ? run->slots[step->from] : run->given->ns[keeper_place(step->nstype)];
	int r = fd < 0 ? -ENOTCONN : nsclone_setns(fd, step->nstype);

	if (r == -EINVAL && step->nstype == CLONE_NEWPID) /* pid_namespaces(7): only downwards */
		return err_set(run->err, -EPERM, "a PID namespace (PrivatePIDs=) can be left by nobody; `nsclone enter --host` "
			       "gives root a shell on the host");
	if (r < 0)
		return err_set(run->err, r, "cannot join the %s namespace of %s: setns", name, step->name);
	if (step->nstype == CLONE_NEWUSER)
		run->session->final = true;
	r = step->from != PLAN_NO_SLOT ? session_note_made(run->session, step->nstype)
				       : session_note_joined(run->session, step->nstype, fd);
	return r < 0 ? err_set(run->err, r, "cannot look at the %s namespace", name) : 0;
}

static int copy_string(const char **to, const char *from)
{
	*to = strdup(from);
	return *to ? 0 : -ENOMEM;
}

static int run_record(struct run *run, size_t i)
{
	const struct plan_step *step = &run->plan->steps[i];
	struct session_traces *traces = &run->session->traces;
	int r = copy_string(&traces->path, step->path);

	traces->uid = step->uid;
	traces->gid = step->gid;
	traces->as_user = step->as_user;
	if (r == 0)
		r = copy_string(&traces->record, step->name);
	if (r < 0)
		return err_set(run->err, r, "cannot record the session");
	r = registry_add(traces, run->err);
	run->states[i].made = r == 0;
	return r;
}

/* As the user: where he may not go he is not put. Most daemons sit at / and need no such care. */
static int run_working_directory(struct run *run, const struct plan_step *step)
{
	const char *path = run->session->cwd;
	struct identity self;
	int r;

	if (path && strcmp(path, "/") == 0)
		return 0; /* there it is since it has new namespaces */
	r = sys_chdir("/");
	if (r < 0 || !path)
		return r < 0 ? err_set(run->err, r, "cannot enter /") : 0;
	r = identity_enter(step->uid, run->subject->gid, &self);
	if (r < 0)
		return err_set(run->err, r, "cannot act as uid %u", (unsigned)step->uid);
	(void)sys_chdir(path); /* else it stays at / */
	r = identity_leave(&self);
	return r < 0 ? err_set(run->err, r, "cannot act as uid %u again", (unsigned)sys_geteuid()) : 0;
}

static int run_collect(const struct plan_step *step)
{
	const struct session_traces whose = {
		.path = step->name, .uid = step->uid, .gid = step->gid, .as_user = step->as_user,
	};

	/* what cannot be removed now is for a later login: litter keeps nobody out */
	(void)registry_collect(&whose, COLLECT_ENTRIES, COLLECT_MS);
	return 0;
}

/* No default: a new kind does not compile until it can be run. */
static int run_step(struct run *run, size_t i)
{
	const struct plan_step *step = &run->plan->steps[i];
	int r;

	switch (step->kind) {
	case PLAN_JOIN:
		return run_join(run, step);
	case PLAN_USERS:
		return run_users(run, step);
	case PLAN_COLLECT:
		return run_collect(step);
	case PLAN_UNSHARE:
		return run_unshare(run, step);
	case PLAN_SLAVE:
		r = nsclone_mount_all_slave();
		return r < 0 ? err_set(run->err, r, "cannot make all mounts slave: mount") : 0;
	case PLAN_DIRECTORY:
		return run_directory(run, i);
	case PLAN_RECORD:
		return run_record(run, i);
	case PLAN_HOSTNAME:
		r = sys_sethostname(step->name);
		return r < 0 ? err_set(run->err, r, "cannot set the host name %s", step->name) : 0;
	case PLAN_LOOPBACK:
		r = nsclone_loopback_up();
		return r < 0 ? err_set(run->err, r, "cannot bring up lo") : 0;
	case PLAN_WORKING_DIRECTORY:
		return run_working_directory(run, step);
	case PLAN_NEW_ROOT:
	case PLAN_COPY:
	case PLAN_FILESYSTEM:
	case PLAN_TAKE:
	case PLAN_DETACH:
	case PLAN_PRIVATE:
	case PLAN_ATTACH:
	case PLAN_PIVOT:
		return run_mounts_step(run, step);
	}
	return -EINVAL;
}

/* What a step left on disk; all else went with the namespaces. No default, as above. */
static int undo_step(struct run *run, size_t i)
{
	switch (run->plan->steps[i].kind) {
	case PLAN_DIRECTORY:
		return undo_directory(run, i);
	case PLAN_RECORD:
		return run->states[i].made ? registry_forget(&run->session->traces) : 0;
	case PLAN_JOIN:
	case PLAN_COLLECT:
	case PLAN_UNSHARE:
	case PLAN_SLAVE:
	case PLAN_HOSTNAME:
	case PLAN_LOOPBACK:
	case PLAN_NEW_ROOT:
	case PLAN_COPY:
	case PLAN_FILESYSTEM:
	case PLAN_TAKE:
	case PLAN_USERS:
	case PLAN_DETACH:
	case PLAN_PRIVATE:
	case PLAN_ATTACH:
	case PLAN_PIVOT:
	case PLAN_WORKING_DIRECTORY:
		return 0;
	}
	return -EINVAL;
}

/* Back to before step 0; n steps were begun. 0, or the first thing that could not be undone, in err. */
static int undo(struct run *run, size_t n, struct err *err)
{
	/* whoever failed may have failed in giving up the user's identity */
	int first = sys_set_fs_ids(sys_geteuid(), sys_getegid()), r;

	if (first < 0)
		err_set(err, first, "cannot act as uid %u again", (unsigned)sys_geteuid());
	r = session_return(run->session, err);
	first = first ? first : r;
	r = run->cwd < 0 ? sys_chdir("/") : session_reenter(run->cwd);
	if (r < 0 && first == 0)
		first = err_set(err, r, "cannot go back to the working directory from before");
	while (n-- > 0) {
		r = undo_step(run, n);
		if (r < 0 && first == 0)
			first = err_set(err, r, "cannot remove %s again", run->plan->steps[n].path);
	}
	return first;
}

static void undo_failed_run(struct run *run, size_t n, bool *undo_failed)
{
	struct err failed = *run->err, undoing = {0};

	if (undo(run, n, &undoing) == 0)
		return;
	*undo_failed = true;
	err_set(run->err, 0, "%.500s; and undoing it failed: %.400s", failed.text, undoing.text);
}

static int run_steps(struct run *run, bool *undo_failed)
{
	const struct plan *plan = run->plan;
	int r = 0;

	for (size_t i = 0; i < plan->n; i++) {
		r = run_step(run, i);
		if (r < 0) {
			err_at(run->err, plan->steps[i].pos);
			undo_failed_run(run, i + 1, undo_failed);
			break;
		}
	}
	return r;
}

static int allocate(struct run *run)
{
	size_t n = run->plan->n, n_slots = (size_t)run->plan->n_slots;

	run->states = calloc(n + 1, sizeof(*run->states));
	run->slots = calloc(n_slots + 1, sizeof(*run->slots));
	if (!run->states || !run->slots)
		return err_set(run->err, -ENOMEM, "cannot run the plan");
	for (size_t i = 0; i < n; i++)
		run->states[i].parent = -1;
	for (size_t i = 0; i < n_slots; i++)
		run->slots[i] = -1;
	return 0;
}

/* Closing the user's directory is what unlocks it. */
static void release(struct run *run)
{
	for (int i = 0; run->slots && i < run->plan->n_slots; i++)
		sys_close_p(&run->slots[i]);
	for (size_t i = 0; run->states && i < run->plan->n; i++)
		sys_close_p(&run->states[i].parent);
	sys_close_p(&run->cwd);
	free(run->slots);
	free(run->states);
}

int plan_run(const struct plan *plan, const struct policy_subject *subject, const struct plan_given *given,
	     struct session **ret, bool *undo_failed, struct err *err)
{
	const struct plan_given nothing = PLAN_NOTHING_GIVEN;
	struct run run = {
		.plan = plan, .subject = subject, .given = given ? given : &nothing, .err = err, .root = AT_FDCWD, .cwd = -1,
		.shared = -1,
	};
	int r = allocate(&run);

	*undo_failed = false;
	if (r == 0)
		r = session_save(plan, run.given->alone, &run.session, &run.cwd, undo_failed, err);
	if (r == 0)
		r = run_steps(&run, undo_failed);
	if (r == 0) {
		r = session_settle(run.session, err);
		if (r < 0)
			undo_failed_run(&run, plan->n, undo_failed);
	}
	release(&run);
	if (r < 0) {
		session_forget(run.session);
		return r;
	}
	*ret = run.session;
	return r;
}
