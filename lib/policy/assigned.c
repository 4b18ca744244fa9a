/* SPDX-License-Identifier: BSD-3-Clause */
/* What rules assign, to look at: for those who must know of a value whoever logs in, like `nsclone check` and `clean`.
 */
#include "lib/policy/rule.h"

static void visit_entries(const struct assignment *assignment, policy_assigned_visit *visit, void *arg)
{
	for (size_t i = 0; i < assignment->n_entries; i++) {
		const struct entry *entry = &assignment->entries[i];
		const struct policy_assigned assigned = {
		    .key = assignment->key,
		    .text = entry->options,
		    .path = entry->path,
		    .pos = entry->pos,
		};

		visit(arg, &assigned);
	}
}

void policy_rule_assigned(const struct policy *policy, size_t i, policy_assigned_visit *visit, void *arg)
{
	const struct rule *rule = rule_at(policy, i);

	for (size_t k = 0; k < rule->n_assignments; k++) {
		const struct assignment *assignment = &rule->assignments[k];
		const struct policy_assigned assigned = {
		    .key = assignment->key,
		    .word = assignment->word,
		    .text = assignment->text,
		    .pos = assignment->pos,
		};

		if (assignment->reset)
			continue;
		if (assignment->entries)
			visit_entries(assignment, visit, arg);
		else
			visit(arg, &assigned);
	}
}
