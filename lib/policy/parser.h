/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of policy_load(), shared by what reads sections (parse.c), [Match] (conditions.c) and [Session] (assign.c).
 */
#ifndef NSCLONE_POLICY_PARSER_H
#define NSCLONE_POLICY_PARSER_H

#include "lib/policy/keys.h"
#include "lib/policy/rule.h"
#include "lib/policy/text.h"

/* A pattern of the [Match] that is being read. */
struct draft {
	enum policy_match_key key;
	struct policy_pattern pattern;
	struct test test;
};

struct parser {
	struct policy *policy;
	struct reader reader;
	struct line line;
	size_t first_diag; /* of this file */

	enum section section;
	struct policy_pos section_pos;
	bool section_used; /* something was said in it, right or wrong */
	bool in_rule;	   /* a [Match] of this file has begun policy->rules[n_rules - 1] */
	bool has_session;
	unsigned seen; /* bits of the scalar keys of this [Session] */

	struct draft *drafts;
	size_t n_drafts, drafts_capacity;
	unsigned given; /* bits of the keys of this [Match], and where and in which order */
	struct policy_pos key_pos[POLICY_N_MATCH_KEYS];
	enum policy_match_key key_order[POLICY_N_MATCH_KEYS];
	size_t n_keys;

	struct assignment *assignments; /* of this [Session] */
	size_t n_assignments, assignments_capacity;

	bool out_of_memory;
};
_Static_assert(POLICY_N_KEYS <= 8 * sizeof(unsigned), "parser.seen has a bit for each key");

/* Whether errors at this point are tied to the rule: within its [Session] or [Network]. */
bool parser_is_tied(const struct parser *p);
struct rule *parser_rule(const struct parser *p); /* NULL outside of one */

/* An error or a warning here. What is tied to no rule spoils the rule that it lies in all the same. */
void parser_error(struct parser *p, struct policy_pos pos, const struct complaint *c);
void parser_warning(struct parser *p, struct policy_pos pos, const struct complaint *c);
void parser_global_error(struct parser *p, struct policy_pos pos, const struct complaint *c);

/* At the very end: let the rules know of their errors. */
void parser_tie_errors(struct policy *policy);

/* The value of a key of [Match]: patterns, collected until the section ends. */
void conditions_add(struct parser *p, enum policy_match_key key, struct policy_pos pos, const char *value,
		    const char *end);
void conditions_finish(struct parser *p);

/* The value of a key of [Session]. */
void assign(struct parser *p, enum policy_key key, struct policy_pos pos, const char *value, const char *end);
void assignments_finish(struct parser *p);

#endif
