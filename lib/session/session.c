/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Saving the place of a process and bringing it back.
 *
 *   what                 saved as                           brought back by
 *   namespaces           descriptors of nsfs                setns(2), the mount namespace last
 *   working directory    descriptor, while a plan runs      fchdir(2)
 *                        path, while a session lasts        chdir(2), or / where it is no more
 *   user namespace       not at all: it cannot be left again, so a session that entered one stays in it
 *   root directory       not at all: a chrooted caller is refused, because setns(2) leads out of a chroot
 */
#include "lib/session/session.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/sys.h"
#include "lib/core/sys_child.h"
#include "lib/session/identity.h"
#include "lib/session/place.h"

static const char *link_name(int nstype)
{
	return place_link_name(keeper_place(nstype));
}

static struct session_ns *find_ns(struct session *session, int nstype)
{
	for (size_t i = 0; i < session->n_ns; i++)
		if (session->ns[i].nstype == nstype)
			return &session->ns[i];
	return NULL;
}

static int open_held(const struct session *session, int nstype, int least)
{
	cleanup_fd int fd = session->own_ns < 0 ? session->own_ns
						: sys_openat(session->own_ns, link_name(nstype), O_RDONLY | SESSION_MARK);
	int r = fd;

	if (fd >= 0 && fd < least)
		r = sys_duplicate_from(fd, least);
	else
		(void)fd_steal(&fd);
	if (r < SESSION_MAX_FD)
		return r;
	sys_close(r);
	return -EMFILE;
}

static int save_namespace(struct session *session, int nstype, int least, struct err *err)
{
	struct session_ns *ns = &session->ns[session->n_ns];

	if (find_ns(session, nstype))
		return 0;
	if (session->n_ns == SESSION_MAX_NS)
		return err_set(err, -E2BIG, "too many namespaces");
	*ns = (struct session_ns){.nstype = nstype, .made = -1};
	ns->before = open_held(session, nstype, least);
	if (ns->before < 0)
		return err_set(err, ns->before, "cannot open /proc/self/ns/%s", link_name(nstype));
	session->n_ns++;
	return 0;
}

static bool enters(const struct plan_step *step)
{
	return step->kind == PLAN_UNSHARE || step->kind == PLAN_JOIN;
}

static bool plan_enters(const struct plan *plan, int nstype)
{
	const struct plan_step *steps;
	size_t n = plan_steps(plan, &steps);

	for (size_t i = 0; i < n; i++)
		if (enters(&steps[i]) && steps[i].nstype == nstype)
			return true;
	return false;
}

static bool makes_new_ones(const struct plan_step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (steps[i].kind == PLAN_UNSHARE)
			return true;
	return false;
}

/*
 * Another session of this process is open, and this one goes where others are: what it is in already it rests on, though
 * it has not entered it. Should the other be closed first, that must not take it away.
 */
static int save_what_is_shared(struct session *session, int least, struct err *err)
{
	static const int TYPES[] = {CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWNET, CLONE_NEWCGROUP, CLONE_NEWPID};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(TYPES) / sizeof(*TYPES); i++) {
		r = save_namespace(session, TYPES[i], least, err);
		if (r == 0)
			r = place_inode(session->own_ns, keeper_place(TYPES[i]), &session->ns[i].entered);
	}
	return r;
}

/* What is found when they are closed: that somebody may rest on them. */
static int mark_held(int *highest)
{
	int r = 0;

	for (int fd = 0; r == 0 && (fd = session_next_held(fd)) >= 0; fd++) {
		*highest = fd;
		r = sys_set_fd_flags(fd, SESSION_MARK | SESSION_IS_BELOW);
	}
	return r;
}

static int save_namespaces(const struct plan *plan, bool alone, struct session *session, struct err *err)
{
	const struct plan_step *steps;
	size_t n = plan_steps(plan, &steps);
	int highest = -1, r = alone ? 0 : mark_held(&highest);

	if (r < 0)
		return err_set(err, r, "cannot mark the descriptors of another session of this process");
	session->own_ns = sys_open("/proc/self/ns", O_PATH | O_DIRECTORY); /* we have one thread */
	if (highest >= 0 && !makes_new_ones(steps, n))
		r = save_what_is_shared(session, highest + 1, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (enters(&steps[i]))
			r = save_namespace(session, steps[i].nstype, highest + 1, err);
	return r;
}

/*
 * Where setns(2) into one's own mount namespace puts a process is the namespace's root: is that where it was? (Asking
 * statmount(2) takes the lock that every mount and unshare wants: with 16 logins at once that is ten times dearer.)
 */
static int refuse_chroot(int mnt_ns, bool *undo_failed, struct err *err)
{
	cleanup_fd int root = sys_open("/", O_PATH | O_DIRECTORY);
	struct sys_place before, now;
	int r = root < 0 ? root : sys_place("/", &before);

	if (r == 0)
		r = nsclone_setns(mnt_ns, CLONE_NEWNS);
	if (r < 0)
		return err_set(err, r, "cannot find out whether this process is chrooted");
	r = sys_place("/", &now);
	if (r == 0 && before.mount == now.mount && before.inode == now.inode)
		return 0; /* the working directory, now /, is set by whoever ends the plan */
	if (sys_fchdir(root) < 0 || sys_chroot(".") < 0) {
		*undo_failed = true;
		return err_set(err, -EPERM, "cannot go back to the root directory of this process");
	}
	return r < 0 ? err_set(err, r, "cannot find out whether this process is chrooted")
		     : err_set(err, -EPERM, "this process is chrooted, setns would lead it out");
}

static int save_cwd(struct session *session, int *cwd_fd, struct err *err)
{
	char path[PATH_MAX];
	int r = sys_getcwd(path, sizeof(path));

	if (r < 0 || strcmp(path, "/") != 0) {
		int fd = sys_open(".", O_PATH | O_DIRECTORY);

		if (fd == -EACCES) /* a user's, where root has no rights (NFS, FUSE): the magic link asks for none */
			fd = sys_open("/proc/self/cwd", O_PATH | O_DIRECTORY);
		if (fd < 0)
			return err_set(err, fd, "cannot open the working directory");
		*cwd_fd = fd;
	}
	if (r == -ENOENT || r == -ERANGE) /* deleted, outside of our root, or too deep: there is no path to it */
		return 0;
	if (r < 0)
		return err_set(err, r, "cannot find out the working directory");
	session->cwd = strdup(path);
	return session->cwd ? 0 : err_set(err, -ENOMEM, "cannot save the working directory");
}

int session_reenter(int cwd_fd)
{
	struct identity self;
	int r = sys_fchdir(cwd_fd), back;

	if (r != -EACCES)
		return r;
	if (identity_enter(sys_getuid(), sys_getgid(), &self) == 0) { /* whoever called may be there */
		r = sys_fchdir(cwd_fd);
		back = identity_leave(&self);
		if (back < 0)
			return back;
	}
	return r < 0 ? sys_chdir("/") : 0;
}

static int save(const struct plan *plan, bool alone, struct session *session, int *cwd_fd, bool *undo_failed, struct err *err)
{
	int r = nsclone_unshare(CLONE_THREAD);

	if (r < 0)
		return err_set(err, r, "this process has threads, of which one alone cannot be isolated");
	r = save_cwd(session, cwd_fd, err);
	if (r == 0)
		r = save_namespaces(plan, alone, session, err);
	for (size_t i = 0; r == 0 && i < session->n_ns; i++)
		if (session->ns[i].nstype == CLONE_NEWNS && plan_enters(plan, CLONE_NEWNS))
			r = refuse_chroot(session->ns[i].before, undo_failed, err);
	return r;
}

int session_save(const struct plan *plan, bool alone, struct session **ret, int *cwd_fd, bool *undo_failed,
		 struct err *err)
{
	struct session *session = calloc(1, sizeof(*session));
	int fd = -1, r;

	if (!session)
		return err_set(err, -ENOMEM, "cannot save the state of the process");
	session->own_ns = -1;
	session->pid = sys_getpid();
	session->euid = sys_geteuid();
	r = save(plan, alone, session, &fd, undo_failed, err);
	if (r < 0) {
		*undo_failed |= fd >= 0 && session_reenter(fd) < 0;
		sys_close_p(&fd);
		session_forget(session);
		return r;
	}
	*cwd_fd = fd;
	*ret = session;
	return 0;
}

static void note(struct session *session, struct session_ns *ns, uint64_t inode)
{
	size_t used = strlen(session->namespaces);

	ns->entered = inode;
	snprintf(session->namespaces + used, sizeof(session->namespaces) - used, "%s%s:[%llu]", used ? " " : "",
		 nsclone_ns_name(ns->nstype), (unsigned long long)inode);
}

int session_note_joined(struct session *session, int nstype, int fd)
{
	struct stat st;
	int r = sys_fstat(fd, &st);

	if (r == 0)
		note(session, find_ns(session, nstype), st.st_ino);
	return r;
}

int session_note_made(struct session *session, int nstype)
{
	uint64_t inode;
	int r = place_inode(session->own_ns, keeper_place(nstype), &inode);

	if (r == 0)
		note(session, find_ns(session, nstype), inode);
	find_ns(session, nstype)->is_new = r == 0;
	return r;
}

const char *session_namespaces(const struct session *session)
{
	return session->namespaces;
}

bool session_leaves_traces(const struct session *session)
{
	return session->traces.record != NULL;
}

int session_made(struct session *session, size_t i, int *ret_fd)
{
	for (size_t k = 0; k < session->n_ns; k++) {
		struct session_ns *ns = &session->ns[k];

		if (!ns->is_new || i-- > 0)
			continue;
		if (ns->made < 0)
			ns->made = sys_openat(session->own_ns, link_name(ns->nstype), O_RDONLY);
		*ret_fd = ns->made;
		return ns->nstype;
	}
	return 0;
}

static void close_own(struct session *session)
{
	sys_close_p(&session->own_ns);
	session->own_ns = -1;
}

void session_let_go(struct session *session)
{
	close_own(session);
	for (size_t i = 0; i < session->n_ns; i++) {
		sys_close_p(&session->ns[i].made);
		session->ns[i].made = -1;
	}
}

static void free_traces(struct session *session)
{
	free((void *)(uintptr_t)session->traces.record);
	free((void *)(uintptr_t)session->traces.path);
	session->traces = (struct session_traces){0};
}

void session_give_traces(struct session *session)
{
	free_traces(session);
}

void session_set_id(struct session *session, uint64_t id)
{
	session->id = id;
}

void session_set_below(struct session *session, struct session *below)
{
	session->below = below;
}

int session_return(struct session *session, struct err *err)
{
	int first = 0;

	for (size_t i = session->n_ns; i-- > 0;) { /* the mount namespace was unshared first, so it comes last */
		int r;

		if (session->ns[i].nstype == CLONE_NEWUSER && !session->final)
			continue; /* it was not entered, and the one that a process is in already it cannot enter */
		if (session_is_before(&session->ns[i]))
			continue; /* neither was this, and a chrooted caller would be led out */
		r = nsclone_setns(session->ns[i].before, session->ns[i].nstype);
		if (r < 0 && first == 0)
			first = err_set(err, r, "cannot go back to the %s namespace from before",
					nsclone_ns_name(session->ns[i].nstype));
	}
	return first;
}

int session_marker(const struct session *session, const char **record)
{
	const char *path = session->traces.record ? session->traces.path : NULL;
	cleanup_fd int fd = path ? nsclone_open_trusted(AT_FDCWD, path, O_PATH | O_DIRECTORY, NULL) : -ENOENT;
	int r = fd < 0 ? fd : nsclone_mount_is_root(fd);

	*record = session->traces.record;
	return r > 0 ? fd_steal(&fd) : r < 0 ? r : -ENOENT;
}

int session_settle(struct session *session, struct err *err)
{
	struct sys_place root;
	int r = find_ns(session, CLONE_NEWNS) ? sys_place("/", &root) : 1;
	bool any = false;

	for (size_t i = 0; i < session->n_ns; i++)
		any |= session->ns[i].is_new;
	if (!any)
		close_own(session);
	if (r < 0)
		return err_set(err, r, "cannot look at the new root directory");
	session->root = r == 0 ? root.mount : 0;
	return 0;
}

void session_close_namespaces(struct session *session)
{
	session_let_go(session);
	for (size_t i = 0; i < session->n_ns; i++)
		sys_close(session->ns[i].before);
	session->n_ns = 0;
}

struct session *session_forget(struct session *session)
{
	if (session) {
		session_close_namespaces(session);
		free(session->cwd);
		free_traces(session);
		session_forget(session->below);
		free(session);
	}
	return NULL;
}
