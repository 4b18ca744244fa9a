/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of the policy share: a policy from a string, a login from a few facts, and asking. */
#ifndef NSCLONE_TEST_POLICY_H
#define NSCLONE_TEST_POLICY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/policy/policy.h"

/* Exactly as many bytes as the text has, so that ASan sees a byte too far. */
static inline struct policy *load_bytes(const char *bytes, size_t size, char **copy)
{
	struct policy_text text = {.name = "test.conf", .size = size};
	struct policy *policy = NULL;

	*copy = malloc(size ? size : 1);
	assert_non_null(*copy);
	memcpy(*copy, bytes, size);
	text.data = *copy;
	assert_int_equal(policy_load(&text, 1, &policy), 0);
	return policy;
}

/* A policy, a login and what became of it. */
struct scene {
	char *copy;
	struct policy *policy;
	struct policy_subject subject;
	struct policy_result result;
	int outcome;
	bool resolved;
};

static const struct policy_group students[] = {{1000, "alice"}, {2000, "students"}, {2001, NULL}};

static inline struct scene scene(const char *text)
{
	struct scene s = {.policy = NULL};

	s.policy = load_bytes(text, strlen(text), &s.copy);
	s.subject = (struct policy_subject){
		.user = "alice",
		.uid = 1000,
		.gid = 1000,
		.home = "/home/alice",
		.service = "sshd",
		.remote_host = "192.0.2.7",
		.tty = "pts/3",
		.host = "node1.example.org",
		.group = "alice",
		.machine_id = "0123456789abcdef0123456789abcdef",
		.boot_id = "fedcba9876543210fedcba9876543210",
		.groups_known = true,
		.groups = students,
		.n_groups = 3,
	};
	return s;
}

static inline int resolve(struct scene *s, unsigned flags)
{
	if (s->resolved)
		policy_result_done(&s->result);
	s->outcome = policy_resolve(s->policy, &s->subject, flags, &s->result);
	s->resolved = true;
	return s->outcome;
}

static inline const struct policy_setting *setting(const struct scene *s, enum policy_key key)
{
	return &s->result.settings[key];
}

static inline void scene_done(struct scene *s)
{
	if (s->resolved)
		policy_result_done(&s->result);
	s->policy = policy_free(s->policy);
	free(s->copy);
}

static inline size_t count_errors(const struct policy *policy)
{
	const struct policy_diag *diags;
	size_t n = policy_diags(policy, &diags);
	size_t errors = 0;

	for (size_t i = 0; i < n; i++)
		errors += diags[i].severity == POLICY_ERROR;
	return errors;
}

#define assert_sound(s) assert_int_equal(count_errors((s)->policy), 0)

#endif
