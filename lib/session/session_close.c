/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end of a session in the process that opened it: back to where that was, the keeper told, and away with what the
 * session was to take with it, unless the keeper sees to that. Whatever of this does not happen, because close never
 * comes, is done by the keeper, by a later login or by `nsclone clean`.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/sys.h"
#include "lib/session/keeper_call.h"
#include "lib/session/litter.h"
#include "lib/session/registry.h"
#include "lib/session/session.h"

/* How long close waits for the last process to leave (sshd closes while its user's process is on its way out), and looks. */
enum { LINGER_MS = 500, SCAN_MS = 100 };

/*
 * In a PID namespace the /proc inside does not know this process, so where there is a mount namespace the mount that / is
 * tells: its id is used only once at a time.
 */
static bool still_there(const struct session *session)
{
	cleanup_fd int own = -1;
	struct sys_place root;
	char now[64];

	if (session->root)
		return sys_place("/", &root) == 0 && root.mount == session->root;
	own = sys_open("/proc/self/ns", O_PATH | O_DIRECTORY);
	for (size_t i = 0; i < session->n_ns; i++)
		if (session_read_ns(own, session->ns[i].nstype, now, sizeof(now)) < 0 ||
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

static int go_back(struct session *session, struct err *err)
{
	int r = session_return(session, err);

	if (r < 0)
		return r;
	r = enter_old_cwd(session);
	return r < 0 ? err_set(err, r, "cannot enter /") : 0;
}

int session_undo(struct session *session, struct err *err)
{
	int r = go_back(session, err);

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

static int close_in_place(struct session *session, struct err *err)
{
	bool there = session->n_ns > 0 && !session->final && still_there(session);
	cleanup_fd int watch = there && session->traces.record ? watch_marker(session) : -1;
	int r = there ? go_back(session, err) : 0;

	if (!there && !session->final && session->n_ns > 0)
		hand_over(session);
	session_close_namespaces(session);
	if (session->id)
		keeper_leave(session->id);
	if (r < 0 || !session->traces.record || !is_over(session, watch))
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
