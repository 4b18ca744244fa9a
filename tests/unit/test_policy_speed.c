/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every login waits for this, so it must be linear in all that can grow. Ratios only: times depend on the machine.
 */
#include <time.h>
#include "tests/unit/test_policy.h"

enum { ROUNDS = 7, SMALL = 2000, FACTOR = 8 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

typedef size_t writer(char *text, unsigned i);

static size_t write_rule(char *text, unsigned i)
{
	return (size_t)sprintf(text, "[Match]\nUser=user%u u%u*\nService=sshd\n[Session]\nPrivateTmp=yes\n", i, i);
}

static size_t write_rule_that_fits(char *text, unsigned i)
{
	return (size_t)sprintf(text, "[Match]\nUser=*\n[Session]\nPrivateDirectory=/d%u\n", i);
}

static size_t write_rule_of_group(char *text, unsigned i)
{
	return (size_t)sprintf(text, "[Match]\nGroup=group%u\n[Session]\nPrivateIPC=yes\n", i);
}

static size_t write_error(char *text, unsigned i)
{
	return (size_t)sprintf(text, "%s#\xff\n", i ? "" : "[Match]\n");
}

static size_t write_joined(char *text, unsigned i)
{
	return (size_t)sprintf(text, "%s/d%u \\\n", i ? "" : "[Match]\nUser=*\n[Session]\nPrivateDirectory=", i);
}

static size_t write_patterns(char *text, unsigned i)
{
	return (size_t)sprintf(text, i ? "u%u\\\n " : "[Match]\nUser=%u ", i);
}

/* The least of some rounds: load and resolve n of them. */
static double measure(writer *write, unsigned n)
{
	char *text = malloc((size_t)n * 100 + 200);
	double least = 1e9;
	size_t size = 0;

	assert_non_null(text);
	for (unsigned i = 0; i < n; i++)
		size += write(text + size, i);
	strcpy(text + size, "\n");
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct scene s = scene(text);
		double start = now();
		struct policy *policy;
		struct policy_text t = {.name = "t", .data = text, .size = size + 1};

		s.subject.groups_known = write != write_rule_of_group;
		assert_int_equal(policy_load(&t, 1, &policy), 0);
		policy_free(s.policy);
		s.policy = policy;
		resolve(&s, 0);
		if (now() - start < least)
			least = now() - start;
		scene_done(&s);
	}
	free(text);
	return least;
}

/* Were it quadratic the ratio would be FACTOR times FACTOR. */
static void test_linear(void **state)
{
	static writer *const writers[] = {write_rule,  write_rule_that_fits, write_rule_of_group,
					  write_error, write_joined,	     write_patterns};

	(void)state;
	for (size_t i = 0; i < sizeof(writers) / sizeof(*writers); i++) {
		double ratio = 1e9;

		for (unsigned try = 0; try < 5 && ratio > FACTOR * 2.5; try++)
			ratio = measure(writers[i], SMALL * FACTOR) / measure(writers[i], SMALL);
		print_message("%zu: %d times as much takes %.1f times as long\n", i, FACTOR, ratio);
		assert_true(ratio <= FACTOR * 2.5);
	}
}

/* Many stars against a name that nearly fits: backtracking would take longer than the universe is old. */
static void test_glob(void **state)
{
	char text[600] = "[Match]\nFromUser=", name[257];
	struct scene s;
	double start;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		strcat(text, "a*");
	strcat(text, "b\n[Session]\nPrivateTmp=yes\n[Match]\nService=*[a-z]*[a-z]*[a-z]*?*?*?*?*?*?*?*?*?*?*?*?*1\n[Session]\nPrivateTmp=yes\n");
	memset(name, 'a', 256);
	name[256] = 0;
	s = scene(text);
	s.subject.from_user = s.subject.service = name;
	start = now();
	assert_int_equal(resolve(&s, 0), POLICY_NO_MATCH);
	assert_true(now() - start < 1);
	scene_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linear),
		cmocka_unit_test(test_glob),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
