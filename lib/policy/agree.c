/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What settings in effect say of one another, when all of them are known: what one implies, and what excludes another.
 * Only what is so on every kernel; what this machine cannot do is found out by facts and plan.
 */
#include "lib/policy/rule.h"
#include <errno.h>
#include <string.h>

/* The rule whose word on it is in effect: the last that has one. */
static int rule_of(const struct policy *policy, const struct policy_result *ret, enum policy_key key)
{
	for (size_t i = ret->n_applied; i-- > 0;)
		if (rule_at(policy, ret->applied[i])->view.sets[key])
			return (int)ret->applied[i];
	return -1;
}

/* systemd --user answers 203/EXEC to every unit there. */
static int refuse_user_manager(const struct policy *policy, const struct policy_subject *subject,
			       struct policy_result *ret)
{
	const struct policy_setting *pids = &ret->settings[POLICY_PRIVATE_PIDS];

	if (pids->word == POLICY_NO || !subject->service || strcmp(subject->service, "systemd-user") != 0)
		return 0;
	ret->refusal = (struct policy_diag){
	    .pos = pids->pos,
	    .rule = rule_of(policy, ret, POLICY_PRIVATE_PIDS),
	    .message = "PrivatePIDs=yes and the user manager exclude each other: it can start nothing there",
	    .hint = "leave it out of this rule: Service=!systemd-user",
	};
	return POLICY_REFUSE;
}

/* What is in effect comes to be among what was overridden. */
static bool overrule(struct policy_setting *setting, enum policy_key key, struct pool **pool)
{
	size_t n = setting->n_overridden;
	struct policy_overridden *longer = pool_alloc(pool, (n + 1) * sizeof(*longer));

	if (!longer)
		return false;
	if (n)
		memcpy(longer, setting->overridden, n * sizeof(*longer));
	if (setting->set)
		longer[n++] = (struct policy_overridden){setting->pos, policy_word(key, setting->word)};
	setting->overridden = longer;
	setting->n_overridden = n;
	return true;
}

/*
 * Processes of several sessions are in cgroups of their own, and a cgroup namespace shows one of them as the root: it
 * cannot be shared. The scope then stands where ProtectControlGroups= does.
 */
static int imply_scope(struct pool **pool, struct policy_result *ret)
{
	const struct policy_setting *cgroups = &ret->settings[POLICY_PROTECT_CONTROL_GROUPS];
	struct policy_setting *scope = &ret->settings[POLICY_SCOPE];

	if (cgroups->word == POLICY_CGROUPS_NO || scope->word == POLICY_SCOPE_SESSION)
		return 0;
	if (!overrule(scope, POLICY_SCOPE, pool))
		return -ENOMEM;
	scope->set = true;
	scope->word = POLICY_SCOPE_SESSION;
	scope->pos = cgroups->pos;
	return 0;
}

int settings_agree(const struct policy *policy, const struct policy_subject *subject, struct pool **pool,
		   struct policy_result *ret)
{
	int r = refuse_user_manager(policy, subject, ret);

	return r ? r : imply_scope(pool, ret);
}
