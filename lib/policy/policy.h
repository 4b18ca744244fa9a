/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The policy: text -> rules -> (subject) -> settings.
 *
 * Pure: this directory works on buffers, makes no system call, knows nothing of the syscall core or of PAM, and
 * allocates only memory. Whoever calls it reads the files (lib/session/files) and gathers the facts about the
 * login (lib/session/subject). So `nsclone check`, `explain`, `plan` and the PAM module decide by the same code.
 *
 * The language is described in nsclone.conf(5).
 *
 * Return values, here as everywhere in lib/: 0, a negative errno (here only -ENOMEM), or one of the positive
 * outcomes below, which the direct caller must handle.
 */
#ifndef NSCLONE_POLICY_H
#define NSCLONE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Outcomes of policy_resolve(). */
enum {
	POLICY_NO_MATCH = 1,     /* no rule fits: the login is none of our business */
	POLICY_NEEDS_GROUPS = 2, /* only the user's groups can decide: look up result->groups and call again */
	POLICY_REFUSE = 3,       /* an error of the policy stands in the way of this login: result->refusal */
};

/* A place in a policy file. file is NULL where there is none (a default). Lines and columns (bytes) count from 1. */
struct policy_pos {
	const char *file;
	unsigned line;
	unsigned column;
};

/*
 * One policy file. name is what messages call it. unreadable, where not NULL, says why there are no data: an error
 * that cannot be tied to a rule. Everything is borrowed until policy_free(); data need not end in NUL.
 */
struct policy_text {
	const char *name;
	const char *data;
	size_t size;
	const char *unreadable;
};

enum policy_severity {
	POLICY_ERROR,
	POLICY_WARNING,
};

/* Something wrong in the text. rule is the index of the rule that it spoils, or -1: it spoils the whole policy. */
struct policy_diag {
	struct policy_pos pos;
	enum policy_severity severity;
	int rule;
	const char *message; /* what is wrong */
	const char *hint;    /* what would be right, or NULL */
};

/* The keys of [Match]. */
enum policy_match_key {
	POLICY_MATCH_USER,
	POLICY_MATCH_GROUP,
	POLICY_MATCH_SERVICE,
	POLICY_MATCH_REMOTE_HOST,
	POLICY_MATCH_TTY,
	POLICY_MATCH_HOST,
	POLICY_MATCH_FROM_USER,
	POLICY_N_MATCH_KEYS,
};

/* The keys of [Session] that are built. The table in keys.c says the rest of each: name, type, values. */
enum policy_key {
	POLICY_ISOLATE,
	POLICY_TRIAL,
	POLICY_ON_FAILURE,
	POLICY_SCOPE,
	POLICY_DESCRIPTION,
	POLICY_PRIVATE_TMP,
	POLICY_PRIVATE_TMP_METHOD,
	POLICY_INSTANCE_ROOT,
	POLICY_PRIVATE_DIRECTORY,
	POLICY_PRIVATE_DEV_SHM,
	POLICY_TEMPORARY_FILE_SYSTEM,
	POLICY_PRIVATE_IPC,
	POLICY_PRIVATE_NETWORK,
	POLICY_PROTECT_HOSTNAME,
	POLICY_PROTECT_PROC,
	POLICY_PROC_SUBSET,
	POLICY_KILL_ON_LOGOUT,
	POLICY_RETURN_TO_HOST, /* not set: yes for uid 0 */
	POLICY_PRIVATE_PIDS,
	POLICY_PRIVATE_USERS,
	POLICY_PROTECT_CONTROL_GROUPS,
	POLICY_N_KEYS,
};

/* policy_setting.word: the index of the value in the key's list, the default first unless said otherwise. */
enum { POLICY_NO, POLICY_YES }; /* Every key of yes and no, whichever is its default */
enum { POLICY_ON_FAILURE_DENY, POLICY_ON_FAILURE_WARN };
enum { POLICY_SCOPE_USER, POLICY_SCOPE_SESSION };
enum { POLICY_TMP_NO, POLICY_TMP_YES, POLICY_TMP_DISCONNECTED, POLICY_TMP_PERSISTENT };
enum { POLICY_METHOD_BIND, POLICY_METHOD_PIVOT };
enum { POLICY_HOSTNAME_NO, POLICY_HOSTNAME_YES, POLICY_HOSTNAME_PRIVATE };
enum { POLICY_PROC_DEFAULT, POLICY_PROC_INVISIBLE, POLICY_PROC_PTRACEABLE, POLICY_PROC_NOACCESS };
enum { POLICY_SUBSET_ALL, POLICY_SUBSET_PID };
/* Written `self`, it is POLICY_USERS_YES in every setting: the two are one. */
enum { POLICY_USERS_NO, POLICY_USERS_YES, POLICY_USERS_SELF, POLICY_USERS_IDENTITY, POLICY_USERS_FULL };
enum { POLICY_CGROUPS_NO, POLICY_CGROUPS_PRIVATE, POLICY_CGROUPS_STRICT };

/* One element of a list: PrivateDirectory=path[:mode], TemporaryFileSystem=path[:options]. */
struct policy_item {
	const char *path;
	const char *options; /* what followed the colon, or NULL */
	mode_t mode;         /* PrivateDirectory: the mode, 0700 where none is given */
	struct policy_pos pos;
};

/* What a rule said before a later one said otherwise. */
struct policy_overridden {
	struct policy_pos pos;
	const char *text; /* the value as written */
};

/* The effective value of one key. Specifiers are expanded. */
struct policy_setting {
	bool set;            /* false: no rule says anything, this is the default and pos.file is NULL */
	int word;            /* keys with listed values */
	const char *text;    /* after the colon of a word (options, name) or NULL; or the whole path or text */
	const struct policy_item *items; /* lists */
	size_t n_items;
	struct policy_pos pos;           /* of the assignment in effect; for lists, of the last */
	const struct policy_overridden *overridden; /* oldest first */
	size_t n_overridden;
};

struct policy_group {
	gid_t gid;
	const char *name; /* NULL where the gid has none */
};

/*
 * All that rules may ask about a login; every string is borrowed. user, uid, gid, home: as NSS gives them, never as
 * typed. Items that the login does not have are NULL. host is the node name in the host's own UTS namespace.
 */
struct policy_subject {
	const char *user;
	uid_t uid;
	gid_t gid;
	const char *home;
	const char *service;
	const char *remote_host;
	const char *tty; /* with or without /dev/ */
	const char *from_user;
	const char *host;
	const char *group;      /* these three only where policy_needs() asks for them */
	const char *machine_id;
	const char *boot_id;
	bool groups_known;      /* false: groups is not filled in yet */
	const struct policy_group *groups; /* primary and supplementary */
	size_t n_groups;
};

/* policy_needs(): which of the dearer facts the specifiers and rules of this policy mention anywhere. */
enum {
	POLICY_NEED_HOST = 1 << 0,       /* Host=, %H, %l */
	POLICY_NEED_GROUP = 1 << 1,      /* %g */
	POLICY_NEED_MACHINE_ID = 1 << 2, /* %m */
	POLICY_NEED_BOOT_ID = 1 << 3,    /* %b */
};

struct policy;

/* One rule, to look at: what `check` warns about and `explain` prints. Patterns keep their leading '!'. */
struct policy_pattern {
	const char *text;
	struct policy_pos pos;
};

struct policy_rule_view {
	struct policy_pos pos;   /* of its [Match] */
	const char *description; /* raw, or NULL */
	bool trial;
	bool broken;             /* an error is tied to it */
	const struct policy_pattern *patterns[POLICY_N_MATCH_KEYS];
	size_t n_patterns[POLICY_N_MATCH_KEYS];
	bool sets[POLICY_N_KEYS]; /* which keys its [Session] assigns */
};

/* Why a rule does not apply: the first of its keys, in the file's order, that failed. */
struct policy_verdict {
	bool applies;
	bool trial;                /* it fits, but says Trial=yes and was left out */
	bool after_isolate_no;     /* it was not asked any more: an Isolate=no before it is final */
	enum policy_match_key key; /* !applies: the key that failed */
	struct policy_pos pos;     /* of that key, or of the !pattern that fitted */
	const char *pattern;       /* the !pattern that fitted, or NULL: no pattern did */
};

/* Flags of policy_resolve(). */
enum {
	POLICY_WITH_TRIALS = 1 << 0, /* rules with Trial=yes apply like any other */
	POLICY_VERDICTS = 1 << 1,    /* fill in result->verdicts (explain) */
};

/* What a policy says of one login. Memory of its own; strings may also point into the policy: free it first. */
struct policy_result {
	struct policy_setting settings[POLICY_N_KEYS];
	const size_t *applied; /* indices of the rules that apply, in order; with trials left out */
	size_t n_applied;
	const size_t *trials;  /* indices of the rules that fit and say Trial=yes; never counted into the outcome */
	size_t n_trials;
	struct policy_diag refusal;      /* POLICY_REFUSE: the error, with its place */
	struct policy_diag trial_error;  /* message not NULL: a Trial=yes rule that fits has this error */
	const char *const *groups;       /* POLICY_NEEDS_GROUPS: the patterns (without '!') that must be decided;
					  * none where only trials ask: on them no decision rests */
	size_t n_groups;
	const char *const *trial_groups; /* the same for rules on trial: no login rests on them, so an error is no matter */
	size_t n_trial_groups;
	const struct policy_verdict *verdicts; /* one for each rule, with POLICY_VERDICTS */
	void *memory;
};

/*
 * Parse texts, in order of precedence. Errors in them are no failure of this function: they are in policy_diags(),
 * and policy_resolve() refuses whom they concern. Returns 0 or -ENOMEM; *ret is untouched on failure.
 */
int policy_load(const struct policy_text *texts, size_t n, struct policy **ret);

/* NULL is fine. Returns NULL. */
struct policy *policy_free(struct policy *policy);

/* All errors and warnings, in the order of the files. Owned by the policy. */
size_t policy_diags(const struct policy *policy, const struct policy_diag **ret);

/* The number of rules; rule i to look at. Owned by the policy. */
size_t policy_n_rules(const struct policy *policy);
const struct policy_rule_view *policy_rule(const struct policy *policy, size_t i);

/* One value that a [Session] assigns, to look at; specifiers are in it still. A list gives one for each element. */
struct policy_assigned {
	enum policy_key key;
	int word;         /* keys with listed values */
	const char *text; /* after the colon of a word or of a path, or the path or text itself; NULL: there is none */
	const char *path; /* lists */
	struct policy_pos pos;
};

/* Tell visit of each that rule i assigns, in the order of the file; not of those that only reset a key. */
typedef void policy_assigned_visit(void *arg, const struct policy_assigned *assigned);
void policy_rule_assigned(const struct policy *policy, size_t i, policy_assigned_visit *visit, void *arg);

/* POLICY_NEED_*: facts to put into the subject before policy_resolve(). */
unsigned policy_needs(const struct policy *policy);

/*
 * Decide. Returns 0 (settings hold; with Isolate=no only it and ReturnToHost= do), POLICY_NO_MATCH,
 * POLICY_NEEDS_GROUPS, POLICY_REFUSE or -ENOMEM.
 * On every return but -ENOMEM *ret is filled in and must be freed with policy_result_done().
 * An error that is tied to no rule refuses everybody but uid 0 (for whom the sound rules then hold); one in a [Session]
 * refuses those whom its [Match] fits, unless a rule with Isolate=no fits too, which is final.
 */
int policy_resolve(const struct policy *policy, const struct policy_subject *subject, unsigned flags,
		   struct policy_result *ret);
void policy_result_done(struct policy_result *result);

/*
 * Of a result of outcome 0: a hash (SHA-256) of the settings that shape the world, as fingerprint.c describes. Logins
 * of one user whose fingerprints are the same may share a world. It says nothing of who the user is, and stays the same
 * whichever rules made the settings, in which order and in which version of this program. Returns 0.
 */
enum { POLICY_FINGERPRINT_SIZE = 32 };
int policy_fingerprint(const struct policy_result *result, unsigned char ret[POLICY_FINGERPRINT_SIZE]);

/* Names, for people. policy_word() is NULL where the key has no listed values or word is not one of them. */
const char *policy_key_name(enum policy_key key);
const char *policy_match_key_name(enum policy_match_key key);
const char *policy_word(enum policy_key key, int word);

#endif
