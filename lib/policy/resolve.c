/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy_resolve(): which rules fit this login, what stands in its way, what it gets. The order of the questions is the
 * policy's promise:
 *
 *   an error that is tied to no rule      refuses, but never uid 0
 *   Isolate=no in a sound rule that fits  lets alone, whatever is wrong with other rules; nothing more is asked
 *   groups                                only if they can change the outcome (NSS may be down)
 *   an error in a rule that fits          refuses
 *   settings, and whether they exclude one another
 */
#include "lib/policy/rule.h"
#include <errno.h>
#include <string.h>

struct decision {
	const struct policy *policy;
	const struct policy_subject *subject;
	struct policy_result *ret;
	struct pool *pool;
	unsigned char *fits;		 /* enum fit of each rule that was asked */
	struct policy_verdict *verdicts; /* or NULL */
	size_t n_asked;
	const struct policy_diag *error; /* the first of a rule that fits */
	bool with_trials;
	bool left_alone;
};

static bool is_trial(const struct decision *d, const struct rule *rule)
{
	return rule->view.trial && !d->with_trials;
}

static bool is_final(const struct decision *d, const struct rule *rule)
{
	return rule->isolate_no && !rule->error && !is_trial(d, rule);
}

/* Of a rule that fits. */
static void note_error(struct decision *d, const struct rule *rule)
{
	if (!rule->error)
		return;
	if (!is_trial(d, rule))
		d->error = d->error ? d->error : rule->error;
	else if (!d->ret->trial_error.message)
		d->ret->trial_error = *rule->error;
}

static void ask_rules(struct decision *d)
{
	struct question question;

	question_init(&question, d->subject);
	while (d->n_asked < d->policy->n_rules && !d->left_alone) {
		size_t i = d->n_asked++;
		const struct rule *rule = rule_at(d->policy, i);
		struct policy_verdict verdict;

		d->fits[i] = (unsigned char)rule_fits(rule, &question, &verdict);
		if (d->fits[i] == FIT_YES) {
			note_error(d, rule);
			d->left_alone = is_final(d, rule);
			verdict = (struct policy_verdict){.applies = !is_trial(d, rule), .trial = is_trial(d, rule)};
		}
		if (d->verdicts)
			d->verdicts[i] = verdict;
	}
}

/* Rules that were not asked, or that nobody needs to know about any more. */
static void finish_verdicts(struct decision *d)
{
	for (size_t i = 0; d->verdicts && d->left_alone && i < d->policy->n_rules; i++)
		if (i >= d->n_asked || d->fits[i] == FIT_GROUPS)
			d->verdicts[i] = (struct policy_verdict){.after_isolate_no = true};
}

/* Could it change the outcome if this rule of an undecided Group= fitted? */
static bool matters(const struct decision *d, const struct rule *rule)
{
	if (d->left_alone)
		return false;
	return !d->error || is_final(d, rule);
}

static bool wants_groups(const struct decision *d, size_t i, bool trials)
{
	const struct rule *rule = rule_at(d->policy, i);

	return d->fits[i] == FIT_GROUPS && matters(d, rule) && is_trial(d, rule) == trials;
}

/* The patterns of one rule's Group= that are not in the list yet. */
static void add_groups(const struct rule *rule, struct names *names, const char **groups, size_t *n)
{
	for (size_t i = 0; i < rule->view.n_patterns[POLICY_MATCH_GROUP]; i++) {
		const char *text = rule->view.patterns[POLICY_MATCH_GROUP][i].text;

		text += *text == '!';
		if (names_add(names, text, *n) == *n)
			groups[(*n)++] = text;
	}
}

/* All patterns of the undecided rules that are on trial, or that are not. -ENOMEM, or how many there are. */
static int list_groups(struct decision *d, bool trials, const char *const **ret, size_t *n_ret)
{
	const char **groups;
	struct names names;
	size_t n = 0;

	for (size_t i = 0; i < d->n_asked; i++)
		if (wants_groups(d, i, trials))
			n += rule_at(d->policy, i)->view.n_patterns[POLICY_MATCH_GROUP];
	groups = pool_alloc(&d->pool, n * sizeof(*groups));
	if (!groups || !names_init(&names, &d->pool, n))
		return -ENOMEM;
	for (size_t i = 0; i < d->n_asked; i++)
		if (wants_groups(d, i, trials))
			add_groups(rule_at(d->policy, i), &names, groups, n_ret);
	*ret = groups;
	return *n_ret > 0;
}

/*
 * 0: not needed. A trial asks for the groups, but it is no decision that rests on them: its patterns are listed apart,
 * so that the caller refuses nobody because one of them could not be looked up.
 */
static int needed_groups(struct decision *d)
{
	int r = list_groups(d, false, &d->ret->groups, &d->ret->n_groups);
	int trials = r < 0 ? r : list_groups(d, true, &d->ret->trial_groups, &d->ret->n_trial_groups);

	if (trials < 0)
		return trials;
	return r || trials ? POLICY_NEEDS_GROUPS : 0;
}

/* The indices of the rules that fit and are trials, or are not. */
static size_t list_rules(struct decision *d, bool trials, const size_t **ret)
{
	size_t *list;
	size_t n = 0;

	for (size_t i = 0; i < d->n_asked; i++)
		n += d->fits[i] == FIT_YES;
	list = pool_alloc(&d->pool, n * sizeof(*list));
	if (!list)
		return 0;
	n = 0;
	for (size_t i = 0; i < d->n_asked; i++) {
		const struct rule *rule = rule_at(d->policy, i);

		if (d->fits[i] == FIT_YES && is_trial(d, rule) == trials && (trials || !rule->error))
			list[n++] = i;
	}
	*ret = list;
	return n;
}

static int outcome(struct decision *d)
{
	struct policy_result *ret = d->ret;
	int r = needed_groups(d);

	if (r)
		return r;
	ret->n_trials = list_rules(d, true, &ret->trials);
	ret->n_applied = list_rules(d, false, &ret->applied);
	if (!ret->trials || !ret->applied)
		return -ENOMEM;
	if (d->error && !d->left_alone) {
		ret->refusal = *d->error;
		return POLICY_REFUSE;
	}
	if (!ret->n_applied)
		return POLICY_NO_MATCH;
	r = settings_gather(d->policy, d->subject, d->left_alone, &d->pool, ret);
	return r ? r : settings_agree(d->policy, d->subject, &d->pool, ret);
}

static int decide(struct decision *d, unsigned flags)
{
	bool refused = d->policy->error && d->subject->uid;

	d->fits = pool_alloc(&d->pool, d->policy->n_rules);
	if (flags & POLICY_VERDICTS)
		d->verdicts = pool_alloc(&d->pool, d->policy->n_rules * sizeof(*d->verdicts));
	if (!d->fits || (flags & POLICY_VERDICTS && !d->verdicts))
		return -ENOMEM;
	if (!refused || d->verdicts)
		ask_rules(d);
	finish_verdicts(d);
	d->ret->verdicts = d->verdicts;
	if (!refused)
		return outcome(d);
	d->ret->trial_error = (struct policy_diag){.message = NULL};
	d->ret->refusal = *d->policy->error;
	return POLICY_REFUSE;
}

int policy_resolve(const struct policy *policy, const struct policy_subject *subject, unsigned flags,
		   struct policy_result *ret)
{
	struct policy_result result = {.memory = NULL};
	struct decision d = {.policy = policy, .subject = subject, .ret = &result};
	int r;

	d.with_trials = flags & POLICY_WITH_TRIALS;
	settings_default(result.settings);
	r = decide(&d, flags);
	if (r < 0) {
		pool_free(d.pool);
		return r;
	}
	if (r)
		settings_default(result.settings);
	result.memory = d.pool;
	*ret = result;
	return r;
}

void policy_result_done(struct policy_result *result)
{
	pool_free(result->memory);
	memset(result, 0, sizeof(*result));
}
