/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libFuzzer for lib/policy: any bytes as policy files, some logins, and what must hold whatever they say.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "lib/policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

enum { N_TEXTS = 2 };

static const struct policy_group groups[] = {{1000, "alice"}, {100, NULL}, {0, "students"}};

static const struct policy_subject subjects[] = {
	{.user = "alice", .uid = 1000, .gid = 1000, .home = "/home/alice", .service = "sshd", .remote_host = "192.0.2.7",
	 .tty = "pts/1", .from_user = "bob", .host = "n1.example.org", .group = "alice", .machine_id = "0123",
	 .boot_id = "4567", .groups_known = true, .groups = groups, .n_groups = 3},
	{.user = "root", .home = "/root", .service = "login", .tty = "/dev/tty1", .host = "n1"},
	{.user = "..", .uid = 1, .home = "/", .remote_host = "fe80::1%eth0", .host = ".", .group = "a/b",
	 .machine_id = "", .boot_id = "a,b:\n\xff", .groups_known = true},
	{.user = "x", .uid = 60000, .remote_host = "Host.Example.ORG\xc3", .groups_known = false},
};

static size_t length(const char *text)
{
	return text ? strlen(text) : 0;
}

static void check_diags(const struct policy *policy, bool *global)
{
	const struct policy_diag *d;
	size_t n = policy_diags(policy, &d);

	for (size_t i = 0; i < n; i++) {
		MUST(d[i].pos.file && d[i].pos.line && d[i].pos.column);
		MUST(d[i].rule >= -1 && d[i].rule < (int)policy_n_rules(policy));
		MUST(length(d[i].message) && (!d[i].hint || *d[i].hint));
		*global |= d[i].severity == POLICY_ERROR && d[i].rule < 0;
		if (d[i].severity == POLICY_ERROR && d[i].rule >= 0)
			MUST(policy_rule(policy, (size_t)d[i].rule)->broken);
		if (i && d[i].pos.file == d[i - 1].pos.file)
			MUST(d[i].pos.line > d[i - 1].pos.line ||
			     (d[i].pos.line == d[i - 1].pos.line && d[i].pos.column >= d[i - 1].pos.column));
	}
}

static void check_rules(const struct policy *policy)
{
	for (size_t i = 0; i < policy_n_rules(policy); i++) {
		const struct policy_rule_view *view = policy_rule(policy, i);

		length(view->description);
		for (unsigned key = 0; key < POLICY_N_MATCH_KEYS; key++)
			for (size_t j = 0; j < view->n_patterns[key]; j++)
				MUST(length(view->patterns[key][j].text) && view->patterns[key][j].pos.line);
	}
}

static void check_path(const char *path)
{
	size_t n = strlen(path);

	MUST(n > 1 && n < 4096 && path[0] == '/' && path[n - 1] != '/');
	MUST(!strstr(path, "//") && !strstr(path, "/../") && !strstr(path, "/./"));
	MUST(n < 3 || strcmp(path + n - 3, "/..") != 0);
	for (; *path; path++)
		MUST((unsigned char)*path >= 0x20);
}

static void check_settings(const struct policy_result *result)
{
	for (unsigned key = 0; key < POLICY_N_KEYS; key++) {
		const struct policy_setting *s = &result->settings[key];

		MUST(s->set == (s->pos.file != NULL));
		MUST(!policy_word(key, 0) || policy_word(key, s->word));
		length(s->text);
		for (size_t i = 0; i < s->n_items; i++) {
			check_path(s->items[i].path);
			MUST(s->items[i].pos.line && !(s->items[i].mode & ~01777u));
			length(s->items[i].options);
			for (size_t j = 0; s->n_items < 50 && j < i; j++)
				MUST(strcmp(s->items[i].path, s->items[j].path) != 0);
		}
		for (size_t i = 0; i < s->n_overridden; i++)
			MUST(s->overridden[i].text && s->overridden[i].pos.line);
	}
	check_path(result->settings[POLICY_INSTANCE_ROOT].text);
}

static void check_result(const struct policy *policy, const struct policy_result *result, unsigned flags)
{
	for (size_t i = 0; i < result->n_applied; i++) {
		const struct policy_rule_view *view = policy_rule(policy, result->applied[i]);

		MUST(!view->broken && (flags & POLICY_WITH_TRIALS || !view->trial));
		MUST(!i || result->applied[i] > result->applied[i - 1]);
	}
	for (size_t i = 0; i < result->n_trials; i++)
		MUST(policy_rule(policy, result->trials[i])->trial);
	for (size_t i = 0; i < result->n_groups; i++)
		MUST(length(result->groups[i]) && result->groups[i][0] != '\0');
	check_settings(result);
}

static void ask(const struct policy *policy, const struct policy_subject *subject, bool global)
{
	for (unsigned flags = 0; flags < 4; flags++) {
		struct policy_result result;
		int r = policy_resolve(policy, subject, flags, &result);

		MUST(r == 0 || r == POLICY_NO_MATCH || r == POLICY_NEEDS_GROUPS || r == POLICY_REFUSE);
		MUST(!global || !subject->uid || r == POLICY_REFUSE);
		MUST((r == POLICY_REFUSE) == (result.refusal.message != NULL));
		MUST(r != 0 || result.n_applied);
		MUST(r != POLICY_NEEDS_GROUPS || !subject->groups_known);
		check_result(policy, &result, flags);
		policy_result_done(&result);
	}
}

/* The input is two files, split at the first 0xfe (which is in no UTF-8), each in memory of exactly its size. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *split = size ? memchr(data, 0xfe, size) : NULL;
	size_t first = split ? (size_t)(split - data) : size;
	size_t second = split ? size - first - 1 : 0;
	char *a = malloc(first + 1), *b = malloc(second + 1);
	struct policy_text texts[N_TEXTS] = {{"a", a + 1, first, NULL}, {"b", b + 1, second, NULL}};
	struct policy *policy;
	bool global = false;

	MUST(a && b);
	if (first)
		memcpy(a + 1, data, first);
	if (second)
		memcpy(b + 1, split + 1, second);
	MUST(policy_load(texts, N_TEXTS, &policy) == 0);
	check_diags(policy, &global);
	check_rules(policy);
	for (size_t i = 0; i < sizeof(subjects) / sizeof(*subjects); i++)
		ask(policy, &subjects[i], global);
	policy_free(policy);
	free(a);
	free(b);
	return 0;
}
