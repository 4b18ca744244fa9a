/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Saving the place of a process and bringing it back.
 *
 *   what                 saved as                           brought back by
 *   namespaces           descriptors of nsfs                setns(2), the mount namespace last
 *   working directory    descriptor, while a plan runs      fchdir(2)
 *                        path, while a session lasts        chdir(2), or / where it is no more
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
#include "lib/session/identity.h"
#include "lib/session/litter.h"
#include "lib/session/registry.h"

/* How long close waits for the last process to leave (sshd closes while its user's process is on its way out), and looks. */
enum { LINGER_MS = 500, SCAN_MS = 100 };

static int save_namespaces(const struct plan *plan, struct session *session, struct err *err)
{
	int own = session->own_ns = sys_open("/proc/self/ns", O_PATH | O_DIRECTORY); /* we have one thread */
	const struct plan_step *steps;
	size_t n = plan_steps(plan, &steps);

	for (size_t i = 0; i < n; i++) {
		struct session_ns *ns = &session->ns[session->n_ns];

		if (steps[i].kind != PLAN_UNSHARE)
			continue;
		if (session->n_ns == SESSION_MAX_NS)
			return err_set(err, -E2BIG, "too many namespaces");
		ns->nstype = steps[i].nstype;
		ns->before = own < 0 ? own : sys_openat(own, nsclone_ns_name(ns->nstype), O_RDONLY);
		if (ns->before < 0)
			return err_set(err, ns->before, "cannot open /proc/self/ns/%s",
				       nsclone_ns_name(steps[i].nstype));
		session->n_ns++;
	}
	return 0;
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

static int save(const struct plan *plan, struct session *session, int *cwd_fd, bool *undo_failed, struct err *err)
{
	int r = nsclone_unshare(CLONE_THREAD);

	if (r < 0)
		return err_set(err, r, "this process has threads, of which one alone cannot be isolated");
	r = save_cwd(session, cwd_fd, err);
	if (r == 0)
		r = save_namespaces(plan, session, err);
	for (size_t i = 0; r == 0 && i < session->n_ns; i++)
		if (session->ns[i].nstype == CLONE_NEWNS)
			r = refuse_chroot(session->ns[i].before, undo_failed, err);
	return r;
}

int session_save(const struct plan *plan, struct session **ret, int *cwd_fd, bool *undo_failed, struct err *err)
{
	struct session *session = calloc(1, sizeof(*session));
	int fd = -1, r;

	if (!session)
		return err_set(err, -ENOMEM, "cannot save the state of the process");
	session->own_ns = -1;
	session->pid = sys_getpid();
	session->euid = sys_geteuid();
	r = save(plan, session, &fd, undo_failed, err);
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

/* "mnt:[4026532201]" */
static int read_ns(int own, int nstype, char *buffer, size_t size)
{
	ssize_t n = own < 0 ? own : sys_readlinkat(own, nsclone_ns_name(nstype), buffer, size);

	return n < 0 ? (int)n : 0;
}

int session_note_entered(struct session *session, int nstype)
{
	size_t used = strlen(session->namespaces);
	int r = -ENOENT;

	for (size_t i = 0; i < session->n_ns; i++) {
		struct session_ns *ns = &session->ns[i];

		if (ns->nstype != nstype)
			continue;
		r = read_ns(session->own_ns, nstype, ns->entered, sizeof(ns->entered));
		snprintf(session->namespaces + used, sizeof(session->namespaces) - used, "%s%s", used ? " " : "",
			 ns->entered);
	}
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

int session_return(struct session *session, struct err *err)
{
	int first = 0;

	for (size_t i = session->n_ns; i-- > 0;) { /* the mount namespace was unshared first, so it comes last */
		int r = nsclone_setns(session->ns[i].before, session->ns[i].nstype);

		if (r < 0 && first == 0)
			first = err_set(err, r, "cannot go back to the %s namespace from before",
					nsclone_ns_name(session->ns[i].nstype));
	}
	return first;
}

static bool still_there(const struct session *session)
{
	cleanup_fd int own = sys_open("/proc/self/ns", O_PATH | O_DIRECTORY);
	char now[64];

	for (size_t i = 0; i < session->n_ns; i++)
		if (read_ns(own, session->ns[i].nstype, now, sizeof(now)) < 0 ||
		    strcmp(now, session->ns[i].entered) != 0)
			return false;
	return true;
}

/* fd is of the namespace that this session entered: from now on it is of the one from before. */
static void hand_over_fd(const struct session *session, int fds, const char *name)
{
	char target[64];

	if (sys_readlinkat(fds, name, target, sizeof(target)) < 0)
		return; /* longer than any namespace's */
	for (size_t i = 0; i < session->n_ns; i++)
		if (strcmp(target, session->ns[i].entered) == 0)
			(void)sys_replace_fd(session->ns[i].before, atoi(name));
}

/*
 * The process is not where this session put it: another one was opened on top and is still open. When that ends it must
 * not come back to where this one was: the descriptors that it saved are exchanged for ours. Only this module holds
 * descriptors of a session's namespaces in the process that opened it.
 */
static void hand_over(const struct session *session)
{
	struct dirent *d;
	DIR *dir = NULL;

	if (sys_opendir("/proc/self/fd", &dir) < 0)
		return;
	while ((d = readdir(dir)))
		if (d->d_name[0] != '.')
			hand_over_fd(session, dirfd(dir), d->d_name);
	closedir(dir);
}

/* A watch on the marker that covers the session's directory in its own tree. */
static int watch_marker(const struct session *session)
{
	cleanup_fd int fd = nsclone_open_trusted(AT_FDCWD, session->traces.path, O_PATH | O_DIRECTORY, NULL);
	int r = fd < 0 ? fd : nsclone_mount_is_root(fd);

	return r > 0 ? sys_watch_unmount(fd) : r < 0 ? r : -ENOENT;
}

void session_settle(struct session *session)
{
	sys_close_p(&session->own_ns);
	session->own_ns = -1;
}

static void close_namespaces(struct session *session)
{
	session_settle(session);
	for (size_t i = 0; i < session->n_ns; i++)
		sys_close(session->ns[i].before);
	session->n_ns = 0;
}

/* By its path from before, which held no symbolic link then and may hold none now. */
static int enter_old_cwd(const struct session *session)
{
	cleanup_fd int fd = session->cwd ? nsclone_open_nosymlink(AT_FDCWD, session->cwd, O_PATH | O_DIRECTORY) : -1;

	return fd >= 0 && sys_fchdir(fd) == 0 ? 0 : sys_chdir("/");
}

static int go_back(struct session *session, struct err *err)
{
	int r = session_return(session, err);

	if (r < 0)
		return r;
	r = enter_old_cwd(session);
	return r < 0 ? err_set(err, r, "cannot enter /") : 0;
}

/* Nobody is in it any more: the kernel says so of a session that we were in, and a scan of one that we had left. */
static bool is_over(const struct session *session, int watch)
{
	char needle[PATH_MAX];

	if (watch >= 0)
		return sys_wait_unmount(watch, LINGER_MS) == 1;
	session_needle(session->traces.path, needle, sizeof(needle));
	return session_in_use(needle, sys_monotonic_ms() + SCAN_MS) == 0;
}

static int close_in_place(struct session *session, struct err *err)
{
	bool there = still_there(session);
	cleanup_fd int watch = there && session->traces.record ? watch_marker(session) : -1;
	int r = there ? go_back(session, err) : 0;

	if (!there)
		hand_over(session);
	close_namespaces(session);
	if (r < 0 || !session->traces.record || !is_over(session, watch))
		return r; /* should somebody still be in it, whoever comes later finds the record */
	return registry_remove(&session->traces, err);
}

int session_close(struct session *session, struct err *err)
{
	int r = 0;

	if (session->pid == sys_getpid() && session->euid == sys_geteuid())
		r = close_in_place(session, err);
	session_forget(session);
	return r;
}

struct session *session_forget(struct session *session)
{
	if (session) {
		close_namespaces(session);
		free(session->cwd);
		free((void *)(uintptr_t)session->traces.record);
		free((void *)(uintptr_t)session->traces.path);
		free(session);
	}
	return NULL;
}
