/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A loaded policy, to look at and to throw away.
 */
#include "lib/policy/rule.h"
#include <stdlib.h>

struct policy *policy_free(struct policy *policy)
{
	if (!policy)
		return NULL;
	pool_free(policy->pool);
	free(policy->chunks);
	free(policy->diags);
	free(policy);
	return NULL;
}

size_t policy_diags(const struct policy *policy, const struct policy_diag **ret)
{
	*ret = policy->diags;
	return policy->n_diags;
}

size_t policy_n_rules(const struct policy *policy)
{
	return policy->n_rules;
}

const struct policy_rule_view *policy_rule(const struct policy *policy, size_t i)
{
	return &rule_at(policy, i)->view;
}

unsigned policy_needs(const struct policy *policy)
{
	return policy->needs;
}
