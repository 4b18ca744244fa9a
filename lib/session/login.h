/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A whole login, on one page: request -> subject -> policy -> settings -> plan -> execution. The PAM module and the
 * commands explain, plan and run call these same functions: what they print is what a login does.
 */
#ifndef NSCLONE_LOGIN_H
#define NSCLONE_LOGIN_H

#include "lib/session/files.h"
#include "lib/session/plan.h"
#include "lib/session/subject.h"

struct login_request {
	struct subject_items items;
	struct files_request files;
	unsigned resolve_flags; /* POLICY_VERDICTS, POLICY_WITH_TRIALS */
	bool trial;             /* the argument `trial`: nothing is applied, nobody refused */
	const char *rescue;     /* the argument `rescue=`: names or uids, with commas between; NULL: nobody */
	const char *bad_argument; /* an argument that the module does not know: refuses all but uid 0 */
};

/* Everything that is known about a login so far. Zero-initialise; login_done() in any case. */
struct login {
	struct subject *subject;
	struct files *files;
	struct policy *policy;
	struct policy_result result; /* .memory NULL until decided */
	struct facts facts;
	struct plan *plan;           /* of the world, or of joining it */
	struct plan *way;            /* what came before: leaving another world for the host's namespaces */
	struct session *session;
	bool joined;                 /* the world was there already */
	bool shared;                 /* the keeper has it: others can join */
	char note[256];              /* what the administrator should know though it went well, "" for nothing */
	bool half_done;              /* undoing a failed plan failed: the process is not where it was */
	bool rescue;                 /* the user is one of request->rescue */
	char trial[1400];            /* what the trial run came to, "" where there was none */
};

/* Positive outcomes; those of policy_resolve() come besides. */
enum {
	LOGIN_LEFT_ALONE = 16, /* Isolate=no, or a plan without steps */
	LOGIN_WARNED = 17,     /* isolation failed, OnFailure=warn, everything undone: goes on un-isolated; err says why */
	LOGIN_RESCUED = 19,    /* something failed, but the user is one of rescue=: goes on un-isolated; err says why */
	LOGIN_RETURNED = 20,   /* out of an isolated session, to the host: login->session is set */
	LOGIN_TRIED = 18,      /* the argument trial: login->trial says what would have happened */
};

/* Subject, files, policy, settings. 0, POLICY_NO_MATCH, POLICY_REFUSE (err says why), LOGIN_LEFT_ALONE, negative. */
int login_decide(const struct login_request *request, struct login *login, struct err *err);

/* After login_decide() answered 0: facts and plan. 0 or negative. */
int login_plan(struct login *login, struct err *err);

/* A part of these: the policy's outcome for this subject. */
int login_resolve(struct login *login, unsigned flags, struct policy_result *result, struct err *err);

/* The rules that apply, for people: "50-students.conf:3,90-people.conf:1". Always ends in NUL; cut where it does not fit. */
void login_rules(const struct login *login, char *buffer, size_t size);

/* All of it: what pam_sm_open_session() does. 0: isolated, login->session is set. */
int login_open(const struct login_request *request, struct login *login, struct err *err);

void login_done(struct login *login);

#endif
