/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end of a session in the process that opened it: back to where that was, the keeper told, and away with what the
 * session was to take with it, unless the keeper sees to that. Whatever of this does not happen, because close never
 * comes, is done by the keeper, by a later login or by `nsclone clean`.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include "lib/core/sys.h"
#include "lib/session/keeper_call.h"
#include "lib/session/litter.h"
#include "lib/session/place.h"
#include "lib/session/registry.h"
#include "lib/session/session.h"

/* How long close waits for the last process to leave (sshd closes while its user's process is on its way out), and looks. */
enum { LINGER_MS = 500, SCAN_MS = 100 };

/*
 * One namespace of a session that ends, in a process that may have others open, below this one and on top of it:
 *
 *   it was entered by somebody else    nothing; this one only rested on it
 *   somebody rests on it               the first one who does gets our way back for his own: when he ends the process must
 *                                      not come back to where this session was
 *   the process is in it               back
 *   else                               an error. Somebody has moved the process, who is not one of us
 */
struct leaving {
	const struct session *session;
	int own;         /* /proc/self/ns; negative: the /proc inside a PID namespace does not know this process */
	bool moved;      /* it has gone back to one at least */
	bool mnt_moved;
	bool handed;
	struct err *err;
};

int session_next_held(int from)
{
	for (int fd = from; (fd = sys_next_fd(fd, SESSION_MAX_FD)) >= 0; fd++) {
		int flags = sys_fd_flags(fd);

		if (flags >= 0 && (flags & SESSION_MARK) && sys_is_nsfs(fd) == 1)
			return fd;
	}
	return -ENOENT;
}

bool session_is_before(const struct session_ns *ns)
{
	struct stat st;

	return ns->entered && sys_fstat(ns->before, &st) == 0 && st.st_ino == ns->entered;
}

static bool is_in(const struct leaving *leaving, const struct session_ns *ns)
{
	const struct session *session = leaving->session;
	struct sys_place root;
	uint64_t now;

	/* the mount that / is: its id is used only once at a time, and setns would lead out of a chroot made since */
	if (ns->nstype == CLONE_NEWNS)
		return session->root && sys_place("/", &root) == 0 && root.mount == session->root;
	if (leaving->own < 0)
		return true; /* no session went on from there */
	return place_inode(leaving->own, keeper_place(ns->nstype), &now) == 0 && now == ns->entered;
}

static int find_heir(const struct session_ns *ns)
{
	int flags = sys_fd_flags(ns->before);
	struct stat st;

	if (flags >= 0 && !(flags & SESSION_IS_BELOW))
		return -ENOENT;
	for (int fd = ns->before; (fd = session_next_held(fd + 1)) >= 0;)
		if (sys_fstat(fd, &st) == 0 && st.st_ino == ns->entered)
			return fd;
	return -ENOENT;
}

static int hand_over(struct leaving *leaving, const struct session_ns *ns, int heir)
{
	int r = session_next_held(ns->before) == ns->before ? sys_replace_fd(ns->before, heir) : -EBADF;

	leaving->handed = true;
	if (r < 0)
		return err_set(leaving->err, r, "cannot hand over the way back to the %s namespace from before to another session",
			       nsclone_ns_name(ns->nstype));
	return 0;
}

static int leave(struct leaving *leaving, const struct session_ns *ns)
{
	const char *name = nsclone_ns_name(ns->nstype);
	int heir, r;

	if (session_is_before(ns) || ns->nstype == CLONE_NEWUSER)
		return 0;
	heir = find_heir(ns);
	if (heir >= 0)
		return hand_over(leaving, ns, heir);
	if (!is_in(leaving, ns))
		return err_set(leaving->err, -ESTALE, "this process has left the %s namespace of the session for another", name);
	r = nsclone_setns(ns->before, ns->nstype);
	if (r < 0)
		return err_set(leaving->err, r, "cannot go back to the %s namespace from before", name);
	leaving->moved = true;
	leaving->mnt_moved |= ns->nstype == CLONE_NEWNS;
	return 0;
}

static bool still_there(const struct session *session)
{
	struct sys_place root;

	return session->root && !session->final && sys_place("/", &root) == 0 && root.mount == session->root;
}

static int watch_marker(const struct session *session)
{
	const char *record;
	cleanup_fd int fd = session_marker(session, &record);

	return fd < 0 ? fd : sys_watch_unmount(fd);
}

/* By its path from before, which held no symbolic link then and may hold none now. */
static int enter_old_cwd(const struct session *session)
{
	cleanup_fd int fd = session->cwd ? nsclone_open_nosymlink(AT_FDCWD, session->cwd, O_PATH | O_DIRECTORY) : -1;

	return fd >= 0 && sys_fchdir(fd) == 0 ? 0 : sys_chdir("/");
}

static int enter_cwd(const struct session *session, struct err *err)
{
	int r = enter_old_cwd(session);

	return r < 0 ? err_set(err, r, "cannot enter /") : 0;
}

/* All that can be left is, whatever else cannot: 0 or the first error. The mount namespace, saved first, comes last. */
static int leave_all(struct leaving *leaving)
{
	const struct session *session = leaving->session;
	struct err first = {0};
	int r = 0;

	for (size_t i = session->n_ns; i-- > 0;) {
		int one = leave(leaving, &session->ns[i]);

		if (one < 0 && r == 0) {
			r = one;
			first = *leaving->err;
		}
	}
	if (leaving->mnt_moved || (leaving->moved && !leaving->handed)) { /* else it is another session's */
		int cwd = enter_cwd(session, leaving->err);

		if (r == 0)
			return cwd;
	}
	if (r < 0)
		*leaving->err = first;
	return r;
}

int session_undo(struct session *session, struct err *err)
{
	int r = session_return(session, err);

	if (r == 0)
		r = enter_cwd(session, err);
	session_forget(session);
	return r;
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

/* Where another session has taken over we are in it ourselves, or see with its /proc only. */
static bool may_be_removed(const struct leaving *leaving, int watch)
{
	if (leaving->handed && (watch >= 0 || leaving->own < 0))
		return false;
	return is_over(leaving->session, watch);
}

static int close_in_place(struct session *session, struct err *err)
{
	cleanup_fd int own = sys_open("/proc/self/ns", O_PATH | O_DIRECTORY);
	struct leaving leaving = {.session = session, .own = own, .err = err};
	cleanup_fd int watch = -1;
	int r;

	if (session->traces.record && still_there(session))
		watch = watch_marker(session);
	r = session->final ? 0 : leave_all(&leaving);
	session_close_namespaces(session);
	if (session->id)
		keeper_leave(session->id);
	if (r < 0 || !session->traces.record || !may_be_removed(&leaving, watch))
		return r; /* should somebody still be in it, whoever comes later finds the record */
	return registry_remove(&session->traces, err);
}

int session_close(struct session *session, struct err *err)
{
	int r = 0;

	if (session->pid == sys_getpid() && session->euid == sys_geteuid())
		r = close_in_place(session, err);
	if (session->below) {
		int below = session_close(session->below, err);

		session->below = NULL;
		r = r < 0 ? r : below;
	}
	session_forget(session);
	return r;
}
