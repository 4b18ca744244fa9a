/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exact names of users and groups, asked of NSS: a name with a typo isolates nobody. A warning only, for a directory
 * server may be down; and it comes last, for such a server may let one wait. See check.h.
 */
#include "cmd/check.h"
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

/* NSS says "no" in several ways: getpwnam(3) lists them. */
static int answer_of(const void *entry)
{
	if (entry)
		return 1;
	return errno == 0 || errno == ENOENT || errno == ESRCH || errno == EPERM ? 0 : -errno;
}

/* 1 there is one, 0 there is none, negative: NSS did not answer. */
static int user_exists(const char *name)
{
	errno = 0;
	return answer_of(getpwnam(name)); /* cppcheck-suppress getpwnamCalled */
}

static int group_exists(const char *name)
{
	errno = 0;
	return answer_of(getgrnam(name)); /* cppcheck-suppress getgrnamCalled */
}

/* Neither a glob nor a number nor a range of numbers. */
static bool is_exact_name(const char *text)
{
	return *text && !strpbrk(text, "*?[") && !isdigit((unsigned char)*text);
}

static void check_patterns(struct check *check, const struct policy_rule_view *rule, enum policy_match_key key,
			   int (*exists)(const char *), const char *nobody)
{
	for (size_t i = 0; i < rule->n_patterns[key]; i++) {
		const struct policy_pattern *pattern = &rule->patterns[key][i];
		const char *name = pattern->text + (*pattern->text == '!');
		int r = is_exact_name(name) ? exists(name) : 1;

		if (r == 0)
			check_say(check, CHECK_WARNING, pattern->pos, NULL, "%s=%s: %s is called that here",
				  policy_match_key_name(key), name, nobody);
		else if (r < 0)
			check_say(check, CHECK_UNSEEN, pattern->pos, NULL, "%s=%s: %s", policy_match_key_name(key),
				  name, strerror(-r));
	}
}

/* FILE:LINE:NAME */
static void check_rescued(struct check *check, const char *noted)
{
	char *file = alloc_copy(noted), *name = strrchr(file, ':'), *line;
	int r;

	*name++ = '\0';
	line = strrchr(file, ':');
	*line++ = '\0';
	r = isdigit((unsigned char)*name) ? 1 : user_exists(name);
	if (r == 0)
		check_say(check, CHECK_WARNING, check_at(file, (unsigned)strtoul(line, NULL, 10)), NULL,
			  "rescue=%s: nobody is called that here", name);
	free(file);
}

void check_names(struct check *check)
{
	for (size_t i = 0; i < policy_n_rules(check->policy); i++) {
		const struct policy_rule_view *rule = policy_rule(check->policy, i);

		check_patterns(check, rule, POLICY_MATCH_USER, user_exists, "nobody");
		check_patterns(check, rule, POLICY_MATCH_GROUP, group_exists, "no group");
		check_patterns(check, rule, POLICY_MATCH_FROM_USER, user_exists, "nobody");
	}
	for (size_t i = 0; i < check->rescued.n; i++)
		check_rescued(check, check->rescued.items[i]);
}
