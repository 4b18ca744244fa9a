/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state of a process around a plan: where it was before, and how it gets back. Between open and close nothing but
 * descriptors of nsfs is held, never a directory: sshd's user process inherits what we hold. Private to lib/session.
 */
#ifndef NSCLONE_SESSION_H
#define NSCLONE_SESSION_H

#include <fcntl.h>
#include <limits.h>
#include "lib/session/plan.h"

enum {
	SESSION_MAX_NS = 8,
	SESSION_MAX_FD = 2048, /* held descriptors have numbers below it: among so many the others' are looked for */
	SESSION_MARK = O_NONBLOCK, /* of them: it means nothing to nsfs, and tells ours from the daemon's */
	SESSION_IS_BELOW = O_APPEND, /* another session was opened while this one was */
};

/* What a session is to take with it. */
struct session_traces {
	const char *record; /* the record's name, NULL: nothing */
	const char *path;   /* of the directory */
	uid_t uid;
	gid_t gid;
	bool as_user;
};

struct session {
	int own_ns; /* /proc/self/ns, while the plan runs, and till session_let_go() where it has made any; then -1 */
	pid_t pid;  /* who opened it */
	uid_t euid;
	struct session_ns {
		int nstype;
		int before;       /* nsfs; numbers grow from session to session: see session_next_held() */
		bool is_new;      /* made by unshare(2), not joined */
		int made;         /* where it is new, for the keeper; -1: nobody has asked for it */
		uint64_t entered; /* inode number of where the session is; 0: not entered yet */
	} ns[SESSION_MAX_NS];
	size_t n_ns;
	uint64_t root;         /* the mount that / is, inside; 0: no mount namespace was entered */
	uint64_t id;           /* the keeper's name for it, 0: none */
	bool final;            /* a user namespace was entered: there is no way back */
	struct session *below; /* what was opened first, to come from another world to the host: closed after this one */
	char *cwd; /* by path; NULL: it had none */
	char namespaces[64 * SESSION_MAX_NS];
	struct session_traces traces;
};

/*
 * Save where the process is. Refuses, with err set, callers that are threaded (unshare would take one thread only along)
 * or chrooted (setns would lead them out). *cwd_fd is the working directory, for the way back while the plan runs;
 * untouched where that is /. alone: no other session of this process is to be looked for.
 * *undo_failed as of plan_run().
 */
int session_save(const struct plan *plan, bool alone, struct session **ret, int *cwd_fd, bool *undo_failed,
		 struct err *err);

/* Back into the saved working directory; / where neither root nor the caller may enter it. */
int session_reenter(int cwd_fd);

/* What we are in now, after unshare(2), and after setns(2) to fd. */
int session_note_made(struct session *session, int nstype);
int session_note_joined(struct session *session, int nstype, int fd);

/* The plan has succeeded: from now on, or from session_let_go(), nothing but descriptors of nsfs is held. */
int session_settle(struct session *session, struct err *err);

/*
 * The next descriptor, from a number on, that a session of this process holds as its `before`; negative: there is none.
 * There is no list of sessions: this is the list. Whoever is opened later has higher numbers, so that of those who rest on
 * a namespace that somebody leaves the first one is found.
 */
int session_next_held(int from);

/* Is it where it was before? So it is of what others have entered and this one only rests on. */
bool session_is_before(const struct session_ns *ns);

void session_close_namespaces(struct session *session);

/* Back to the saved namespaces; the working directory is left at /. */
int session_return(struct session *session, struct err *err);

#endif
