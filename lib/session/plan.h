/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The plan: settings + facts -> a list of typed steps, which can be printed, run and undone. Building it is pure, so
 * that golden tests hold; running it is all or nothing.
 */
#ifndef NSCLONE_PLAN_H
#define NSCLONE_PLAN_H

#include <stdio.h>
#include "lib/core/nsclone.h"
#include "lib/policy/policy.h"
#include "lib/session/err.h"
#include "lib/session/facts.h"
#include "lib/session/keeper.h"

enum plan_kind {
	PLAN_JOIN,       /* a namespace that is there already: the host's or the world's, as the keeper gave it */
	PLAN_COLLECT,    /* remove what killed sessions of this user left, in bounded time */
	PLAN_UNSHARE,    /* one new namespace */
	PLAN_SLAVE,      /* all mounts slave */
	PLAN_NEW_ROOT,   /* pivot: a copy of the tree, aside */
	PLAN_DIRECTORY,  /* a directory of ours: made, or found as it must be */
	PLAN_RECORD,     /* under /run/nsclone: this session has something to be removed */
	PLAN_COPY,       /* a detached copy of a directory's mount */
	PLAN_FILESYSTEM, /* a new detached mount */
	PLAN_TAKE,       /* the detached proc mount that the init of a PID namespace made */
	PLAN_USERS,      /* a new user namespace, with its maps; joined by the last step of all */
	PLAN_HOSTNAME,
	PLAN_LOOPBACK,
	PLAN_DETACH,     /* pivot: a mount of the host's goes from the copy */
	PLAN_PRIVATE,    /* pivot: the mount that a directory is on gets no more mounts and unmounts from the host */
	PLAN_ATTACH,     /* a detached mount goes onto its place */
	PLAN_PIVOT,      /* pivot: enter the new root, detach the old one */
	PLAN_WORKING_DIRECTORY, /* by its path in the new tree, as the user; else / */
};

enum { PLAN_NO_SLOT = -1, PLAN_MAX_OPTIONS = 12 };

/*
 * One step. Descriptors live in numbered slots while the plan runs: `slot` is the one it fills, `from` the one it uses.
 * All strings are the plan's.
 */
struct plan_step {
	enum plan_kind kind;
	int slot;
	int from;             /* DIRECTORY: the parent; COPY: the directory; ATTACH: the mount; JOIN: the namespace, if made */
	int onto;             /* ATTACH: the directory, where it is not reached by path */
	const char *path;     /* as printed: of the directory, source or target */
	const char *name;     /* DIRECTORY: last component; FILESYSTEM: type; HOSTNAME, RECORD: name; COLLECT: InstanceRoot;
			       * JOIN: whose */
	int nstype;           /* UNSHARE, JOIN: CLONE_NEW* */
	uid_t uid;            /* DIRECTORY: the owner; COLLECT: whose */
	gid_t gid;
	mode_t mode;
	bool lock;            /* DIRECTORY: hold flock(2) on it while the plan runs */
	bool exclusive;       /* DIRECTORY: must be new */
	bool as_user;         /* DIRECTORY, COPY: with the user's credentials */
	bool recursive;       /* COPY */
	uint64_t attributes;  /* COPY, FILESYSTEM: MOUNT_ATTR_* */
	struct nsclone_mount_option options[PLAN_MAX_OPTIONS];
	size_t n_options;
	struct policy_pos pos; /* the rule that asked for it */
};

struct plan;

/* Pure. Returns 0, -ENOMEM, or -EINVAL & co. with err set where the settings cannot be had together. */
int plan_build(const struct policy_result *result, const struct policy_subject *subject, const struct facts *facts,
	       struct plan **ret, struct err *err);
struct plan *plan_free(struct plan *plan);

/*
 * The same for a session that only goes where others are: joins of types (CLONE_NEW*), "the host" 's or "the world" 's.
 * rule: who asked for it. Returns 0 or -ENOMEM.
 */
int plan_build_join(const struct policy_subject *subject, uint64_t types, const char *whose, struct policy_pos rule,
		    struct plan **ret, struct err *err);

/* Pure. Do these settings isolate, or do they only say ReturnToHost= and the like? */
bool plan_isolates(const struct policy_result *result);

/* True where there is nothing to do. */
bool plan_is_empty(const struct plan *plan);
size_t plan_steps(const struct plan *plan, const struct plan_step **ret);

/* Does it need a PID namespace with an init? *ret_flags: KEEPER_HIDEPID_*, KEEPER_SUBSET_PID for its proc. */
bool plan_wants_init(const struct plan *plan, unsigned *ret_flags);

/* Stable text, one line a step. Returns 0 or a negative errno of the stream. */
int plan_print(const struct plan *plan, FILE *stream);

/* What a process that went through plan_run() holds until it closes: descriptors of nsfs, and words. */
struct session;

/* What the keeper gave: by enum keeper_ns, -1 where nothing. Borrowed. */
struct plan_given {
	int ns[KEEPER_N_NS];
	int proc; /* a detached proc mount of ns[KEEPER_NS_PID] */
	bool alone; /* this process is where PID 1 is: so no session of its own is open, and none need be looked for */
};
#define PLAN_NOTHING_GIVEN ((struct plan_given){{-1, -1, -1, -1, -1, -1, -1}, -1, false})

/*
 * Run it on the calling process. given may be NULL: then a plan with a step that needs something of it fails. 0: all of it holds, *ret must be given to session_close() (or session_forget()).
 * Otherwise the process and the disk are as before, and err says which step failed; or, with *undo_failed set, they are
 * not, and the login must be refused whatever the policy says.
 */
int plan_run(const struct plan *plan, const struct policy_subject *subject, const struct plan_given *given,
	     struct session **ret, bool *undo_failed, struct err *err);

/* The session's namespaces, for the log: "mnt:[4026532201] ipc:[...]". Owned by the session. */
const char *session_namespaces(const struct session *session);

/*
 * For one that only joined, and on which nothing else was opened since: back, whatever the kernel says of where we are. As
 * session_close() it frees session.
 */
int session_undo(struct session *session, struct err *err);

/* True where session_close() has something to remove (PrivateTmp=yes). */
bool session_leaves_traces(const struct session *session);

/*
 * What plan_run() made, for the keeper: i from 0; the type and the descriptor (or a negative errno: it cannot be opened) of
 * one new namespace, or 0 after the last. They are the session's, until session_let_go().
 */
int session_made(struct session *session, size_t i, int *ret_fd);

/* The root of the marker in the session's directory (O_PATH), -ENOENT where there is none; *record is its record's name. */
int session_marker(const struct session *session, const char **record);

/* The keeper sees to the traces from now on. */
void session_give_traces(struct session *session);

/* Close what session_made() told of, and what it tells by: a session where that is due holds it until then, or its end. */
void session_let_go(struct session *session);

/* The keeper's id of it, to be told at close; 0: it knows of none. */
void session_set_id(struct session *session, uint64_t id);

/* What was opened before it in this process is closed, and freed, after it. */
void session_set_below(struct session *session, struct session *below);

/*
 * Back to the namespaces and the working directory from before, and away with what the session was to take with it.
 * Does nothing in a process or as a uid other than those that opened. Frees the session in any case.
 */
int session_close(struct session *session, struct err *err);

/* Free without doing anything (the child that goes on to exec). */
struct session *session_forget(struct session *session);

#endif
