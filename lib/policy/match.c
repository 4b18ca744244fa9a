/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Does a rule fit a login? Comparing only; whatever is not in the subject does not exist.
 *
 * uid 0 is a case of its own: a glob or a range never fits it, so that no administrator isolates root by `User=*`.
 */
#include "lib/policy/glob.h"
#include "lib/policy/rule.h"
#include <stdio.h>
#include <string.h>

/* What is asked about a login, prepared once for the patterns of a condition. */
struct question {
	const struct policy_subject *subject;
	enum policy_match_key key;
	const char *item;
	bool is_address;
	struct address address;
	char short_host[256];
};

static bool name_fits(const struct test *test, const char *name, bool ignore_case)
{
	if (!name)
		return false;
	if (test->kind == TEST_GLOB)
		return glob_fits(test->text, name, ignore_case);
	if (test->kind != TEST_LITERAL)
		return false;
	return ignore_case ? same_ignoring_case(test->text, name) : !strcmp(test->text, name);
}

static bool user_fits(const struct test *test, const struct policy_subject *subject)
{
	if (!subject->uid)
		return !strcmp(test->text, "0") || !strcmp(test->text, "root") ||
		       (test->kind == TEST_LITERAL && name_fits(test, subject->user, false));
	if (test->kind == TEST_NUMBERS)
		return subject->uid >= test->low && subject->uid <= test->high;
	return name_fits(test, subject->user, false);
}

static bool group_fits(const struct test *test, const struct policy_subject *subject)
{
	for (size_t i = 0; i < subject->n_groups; i++) {
		const struct policy_group *group = &subject->groups[i];

		if (test->kind == TEST_NUMBERS ? group->gid == test->low : name_fits(test, group->name, false))
			return true;
	}
	return false;
}

static bool remote_fits(const struct test *test, const struct question *q)
{
	if (test->kind == TEST_ADDRESS)
		return q->is_address && address_within(test->address, &q->address);
	return name_fits(test, q->item, true);
}

static bool test_fits(const struct test *test, const struct question *q)
{
	switch (q->key) {
	case POLICY_MATCH_USER:
		return user_fits(test, q->subject);
	case POLICY_MATCH_GROUP:
		return group_fits(test, q->subject);
	case POLICY_MATCH_REMOTE_HOST:
		return remote_fits(test, q);
	case POLICY_MATCH_HOST:
		return name_fits(test, q->item, true) || (q->item && name_fits(test, q->short_host, true));
	case POLICY_MATCH_SERVICE:
	case POLICY_MATCH_TTY:
	case POLICY_MATCH_FROM_USER:
		return name_fits(test, q->item, false);
	case POLICY_N_MATCH_KEYS:
		break;
	}
	return false;
}

static const char *item(const struct policy_subject *subject, enum policy_match_key key)
{
	switch (key) {
	case POLICY_MATCH_SERVICE:
		return subject->service;
	case POLICY_MATCH_REMOTE_HOST:
		return subject->remote_host;
	case POLICY_MATCH_TTY:
		return subject->tty && !strncmp(subject->tty, "/dev/", 5) ? subject->tty + 5 : subject->tty;
	case POLICY_MATCH_HOST:
		return subject->host;
	case POLICY_MATCH_FROM_USER:
		return subject->from_user;
	case POLICY_MATCH_USER:
	case POLICY_MATCH_GROUP:
	case POLICY_N_MATCH_KEYS:
		break;
	}
	return NULL;
}

/* PAM items are often there and empty: that is not there. */
static void ask(struct question *q, const struct policy_subject *subject, enum policy_match_key key)
{
	q->subject = subject;
	q->key = key;
	q->item = item(subject, key);
	if (q->item && !*q->item)
		q->item = NULL;
	q->is_address = key == POLICY_MATCH_REMOTE_HOST && q->item && address_of_host(q->item, &q->address);
	if (key == POLICY_MATCH_HOST && q->item)
		snprintf(q->short_host, sizeof(q->short_host), "%.*s", (int)strcspn(q->item, "."), q->item);
}

/* Any positive pattern, and no negative one. Only negative ones: none. */
static bool condition_holds(const struct condition *condition, const struct question *q, const char **unwanted,
			    struct policy_pos *pos)
{
	bool any = false;
	bool positive = false;

	*unwanted = NULL;
	*pos = condition->pos;
	for (size_t i = 0; i < condition->n; i++) {
		const struct test *test = &condition->tests[i];

		positive |= !test->negated;
		if ((any && !test->negated) || !test_fits(test, q))
			continue;
		if (test->negated) {
			*unwanted = condition->patterns[i].text;
			*pos = condition->patterns[i].pos;
			return false;
		}
		any = true;
	}
	return any || (!positive && (q->key != POLICY_MATCH_USER || q->subject->uid));
}

static enum fit refuse(struct policy_verdict *why_not, enum policy_match_key key, struct policy_pos pos)
{
	why_not->key = key;
	why_not->pos = pos;
	return FIT_NO;
}

enum fit rule_fits(const struct rule *rule, const struct policy_subject *subject, struct policy_verdict *why_not)
{
	enum fit fit = FIT_YES;

	*why_not = (struct policy_verdict){.key = POLICY_MATCH_USER, .pos = rule->view.pos};
	if (rule->unsound || (!subject->uid && !rule->view.n_patterns[POLICY_MATCH_USER]))
		return FIT_NO;
	for (size_t i = 0; i < rule->n_conditions; i++) {
		const struct condition *condition = &rule->conditions[i];
		struct question q;
		const char *unwanted;
		struct policy_pos pos;

		if (condition->key == POLICY_MATCH_GROUP && !subject->groups_known) {
			fit = FIT_GROUPS;
			refuse(why_not, condition->key, condition->pos);
			continue;
		}
		ask(&q, subject, condition->key);
		if (!condition_holds(condition, &q, &unwanted, &pos)) {
			why_not->pattern = unwanted;
			return refuse(why_not, condition->key, pos);
		}
	}
	return fit;
}
