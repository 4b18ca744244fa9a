/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parser makes and policy_resolve() reads: rules, each of conditions and assignments. */
#ifndef NSCLONE_POLICY_RULE_H
#define NSCLONE_POLICY_RULE_H

#include "lib/policy/address.h"
#include "lib/policy/policy.h"
#include "lib/policy/pool.h"

enum test_kind {
	TEST_LITERAL,
	TEST_GLOB,
	TEST_NUMBERS, /* uids or gids from low to high */
	TEST_ADDRESS,
};

/* One pattern, ready to be compared. */
struct test {
	const char *text; /* without '!' */
	union {
		struct {
			unsigned low, high;
		};
		const struct address *address;
	};
	enum test_kind kind;
	bool negated;
};

/* One key of a [Match], with all its patterns. */
struct condition {
	enum policy_match_key key;
	unsigned n;
	struct policy_pos pos; /* where it was first given */
	const struct policy_pattern *patterns;
	const struct test *tests; /* as many */
};

/* One element of a list as written: specifiers are in it still. */
struct entry {
	const char *path;
	const char *options;
	mode_t mode;
	unsigned written_size;
	const char *written; /* the word; not ended by NUL */
	struct policy_pos pos;
};

/* There are as many as the policy has lines: small ones. */
struct assignment {
	const char *text; /* argument, path or text; specifiers are in it still */
	const struct entry *entries;
	unsigned n_entries;
	unsigned rule;
	struct policy_pos pos;
	const char *written; /* the value; not ended by NUL */
	unsigned written_size;
	unsigned char key; /* enum policy_key */
	short word;
	bool reset; /* Key= and nothing behind it */
};

struct rule {
	struct policy_rule_view view;
	const struct condition *conditions; /* in the order of the file */
	const struct assignment *assignments;
	unsigned n_conditions;
	unsigned n_assignments;
	bool unsound; /* an error that is tied to no rule lies in it: it never fits */
	bool isolate_no;
	const struct policy_diag *error; /* the first that is tied to it, or NULL */
};

struct policy {
	struct pool *pool;
	struct rule **chunks; /* each of RULES_PER_CHUNK: rules are many, and never moved */
	size_t n_rules, chunks_capacity;
	struct policy_diag *diags;
	size_t n_diags, diags_capacity;
	const struct policy_diag *error; /* the first that is tied to no rule, or NULL */
	unsigned needs;
};

enum { RULES_PER_CHUNK = 16 };

static inline struct rule *rule_at(const struct policy *policy, size_t i)
{
	return &policy->chunks[i / RULES_PER_CHUNK][i % RULES_PER_CHUNK];
}

/* Does the rule fit? FIT_GROUPS: all keys but Group= hold, and the groups are not known. */
enum fit {
	FIT_NO,
	FIT_YES,
	FIT_GROUPS,
};

/* What rules ask about a question, prepared once for all of them. */
struct question {
	const struct policy_subject *subject;
	const char *items[POLICY_N_MATCH_KEYS]; /* NULL: it has no such thing */
	bool is_address;			/* of the remote host */
	struct address address;
	char short_host[256];
};

void question_init(struct question *question, const struct policy_subject *subject);

/* Fills in why_not (key, pos, pattern) unless the answer is FIT_YES. */
enum fit rule_fits(const struct rule *rule, const struct question *question, struct policy_verdict *why_not);

/*
 * Settings in effect: what the rules in ret->applied assign, defaults for the rest. left_alone: Isolate= and
 * ReturnToHost= only; whom we leave alone no other setting can harm. 0, POLICY_REFUSE with ret->refusal, or -ENOMEM.
 */
int settings_gather(const struct policy *policy, const struct policy_subject *subject, bool left_alone,
		    struct pool **pool, struct policy_result *ret);

/* What the settings in effect imply, and whether they exclude one another. Returns as settings_gather() does. */
int settings_agree(const struct policy *policy, const struct policy_subject *subject, struct pool **pool,
		   struct policy_result *ret);

/* All defaults. */
void settings_default(struct policy_setting *settings);

#endif
