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

static bool remote_fits(const struct test *test, const struct question *question)
{
	if (test->kind == TEST_ADDRESS)
		return question->is_address && address_within(test->address, &question->address);
	return name_fits(test, question->items[POLICY_MATCH_REMOTE_HOST], true);
}

static bool test_fits(enum policy_match_key key, const struct test *test, const struct question *question)
{
	const char *item = question->items[key];

	switch (key) {
	case POLICY_MATCH_USER:
		return user_fits(test, question->subject);
	case POLICY_MATCH_GROUP:
		return group_fits(test, question->subject);
	case POLICY_MATCH_REMOTE_HOST:
		return remote_fits(test, question);
	case POLICY_MATCH_HOST:
		return name_fits(test, item, true) || (item && name_fits(test, question->short_host, true));
	case POLICY_MATCH_SERVICE:
	case POLICY_MATCH_TTY:
	case POLICY_MATCH_FROM_USER:
		return name_fits(test, item, false);
	case POLICY_N_MATCH_KEYS:
		break;
	}
	return false;
}

/* PAM items are often there and empty: that is not there. */
static const char *not_empty(const char *item)
{
	return item && *item ? item : NULL;
}

void question_init(struct question *question, const struct policy_subject *subject)
{
	const char *tty = subject->tty;
	const char *host = not_empty(subject->host);
	const char *remote = not_empty(subject->remote_host);

	*question = (struct question){.subject = subject};
	question->items[POLICY_MATCH_SERVICE] = not_empty(subject->service);
	question->items[POLICY_MATCH_REMOTE_HOST] = remote;
	question->items[POLICY_MATCH_TTY] = not_empty(tty && !strncmp(tty, "/dev/", 5) ? tty + 5 : tty);
	question->items[POLICY_MATCH_HOST] = host;
	question->items[POLICY_MATCH_FROM_USER] = not_empty(subject->from_user);
	question->is_address = remote && address_of_host(remote, &question->address);
	if (host)
		snprintf(question->short_host, sizeof(question->short_host), "%.*s", (int)strcspn(host, "."), host);
}

/* Any positive pattern, and no negative one. Only negative ones: none. */
static bool condition_holds(const struct condition *condition, const struct question *question, const char **unwanted,
			    struct policy_pos *pos)
{
	bool any = false;
	bool positive = false;

	*unwanted = NULL;
	*pos = condition->pos;
	for (size_t i = 0; i < condition->n; i++) {
		const struct test *test = &condition->tests[i];

		positive |= !test->negated;
		if ((any && !test->negated) || !test_fits(condition->key, test, question))
			continue;
		if (test->negated) {
			*unwanted = condition->patterns[i].text;
			*pos = condition->patterns[i].pos;
			return false;
		}
		any = true;
	}
	return any || (!positive && (condition->key != POLICY_MATCH_USER || question->subject->uid));
}

static enum fit refuse(struct policy_verdict *why_not, enum policy_match_key key, struct policy_pos pos)
{
	why_not->key = key;
	why_not->pos = pos;
	return FIT_NO;
}

enum fit rule_fits(const struct rule *rule, const struct question *question, struct policy_verdict *why_not)
{
	const struct policy_subject *subject = question->subject;
	enum fit fit = FIT_YES;

	*why_not = (struct policy_verdict){.key = POLICY_MATCH_USER, .pos = rule->view.pos};
	if (rule->unsound || (!subject->uid && !rule->view.n_patterns[POLICY_MATCH_USER]))
		return FIT_NO;
	for (size_t i = 0; i < rule->n_conditions; i++) {
		const struct condition *condition = &rule->conditions[i];
		const char *unwanted;
		struct policy_pos pos;

		if (condition->key == POLICY_MATCH_GROUP && !subject->groups_known) {
			fit = FIT_GROUPS;
			refuse(why_not, condition->key, condition->pos);
			continue;
		}
		if (!condition_holds(condition, question, &unwanted, &pos)) {
			why_not->pattern = unwanted;
			return refuse(why_not, condition->key, pos);
		}
	}
	return fit;
}
