/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Errors and warnings of the parser, kept in the order of the file, each with what it spoils. Nothing is ever dropped:
 * an administrator gets all of them in one go, and an error that is not kept would be a rule that looks sound.
 */
#include "lib/policy/parser.h"
#include <string.h>

bool parser_is_tied(const struct parser *p)
{
	return p->in_rule && (p->section == SECTION_SESSION || p->section == SECTION_NETWORK);
}

struct rule *parser_rule(const struct parser *p)
{
	return p->in_rule ? rule_at(p->policy, p->policy->n_rules - 1) : NULL;
}

/* Few come late (a [Match] proves keyless when it ends), so that keeping the order costs nothing. */
static void add_diag(struct parser *p, struct policy_pos pos, enum policy_severity severity, int rule,
		     const struct complaint *c)
{
	struct policy *policy = p->policy;
	struct policy_diag diag = {.pos = pos, .severity = severity, .rule = rule};
	size_t i = policy->n_diags;

	diag.message = pool_copy(&policy->pool, c->message, strlen(c->message));
	diag.hint = c->hint[0] ? pool_copy(&policy->pool, c->hint, strlen(c->hint)) : NULL;
	if (!diag.message || (c->hint[0] && !diag.hint) ||
	    !pool_grow(&policy->diags, &policy->diags_capacity, policy->n_diags, sizeof(diag))) {
		p->out_of_memory = true;
		return;
	}
	for (; i > p->first_diag; i--) {
		const struct policy_pos *before = &policy->diags[i - 1].pos;

		if (before->line < pos.line || (before->line == pos.line && before->column <= pos.column))
			break;
		policy->diags[i] = policy->diags[i - 1];
	}
	policy->diags[i] = diag;
	policy->n_diags++;
}

void parser_global_error(struct parser *p, struct policy_pos pos, const struct complaint *c)
{
	if (p->in_rule)
		parser_rule(p)->unsound = true;
	add_diag(p, pos, POLICY_ERROR, -1, c);
}

void parser_error(struct parser *p, struct policy_pos pos, const struct complaint *c)
{
	if (parser_is_tied(p))
		add_diag(p, pos, POLICY_ERROR, (int)p->policy->n_rules - 1, c);
	else
		parser_global_error(p, pos, c);
}

void parser_warning(struct parser *p, struct policy_pos pos, const struct complaint *c)
{
	add_diag(p, pos, POLICY_WARNING, p->in_rule ? (int)p->policy->n_rules - 1 : -1, c);
}

/* Only now that no error moves any more can rules point at them. */
void parser_tie_errors(struct policy *policy)
{
	for (size_t i = 0; i < policy->n_diags; i++) {
		const struct policy_diag *diag = &policy->diags[i];
		const struct policy_diag **first;

		if (diag->severity != POLICY_ERROR)
			continue;
		first = diag->rule < 0 ? &policy->error : &rule_at(policy, (size_t)diag->rule)->error;
		if (!*first)
			*first = diag;
	}
	for (size_t i = 0; i < policy->n_rules; i++) {
		struct rule *rule = rule_at(policy, i);

		rule->view.broken = rule->unsound || rule->error;
	}
}
