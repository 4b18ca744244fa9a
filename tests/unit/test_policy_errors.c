/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tests/policy-errors: NAME.conf is a policy with something wrong, NAME.expected all that we say of it.
 */
#include <dirent.h>
#include "tests/unit/test_policy.h"

#define DIRECTORY "tests/policy-errors"

static char *read_file(const char *name, const char *suffix, size_t *size)
{
	char path[512];
	char *data = malloc(1 << 16);
	FILE *f;

	snprintf(path, sizeof(path), DIRECTORY "/%s%s", name, suffix);
	f = fopen(path, "r");
	if (!f)
		print_error("missing: %s\n", path);
	assert_non_null(f);
	assert_non_null(data);
	*size = fread(data, 1, (1 << 16) - 1, f);
	data[*size] = 0;
	fclose(f);
	return data;
}

static size_t put_diag(char *out, size_t room, const struct policy_diag *d)
{
	char rule[24] = "all";

	if (d->rule >= 0)
		snprintf(rule, sizeof(rule), "rule %d", d->rule);
	return (size_t)snprintf(out, room, "%u:%u: %s, %s: %s%s%s\n", d->pos.line, d->pos.column,
				d->severity == POLICY_ERROR ? "error" : "warning", rule, d->message,
				d->hint ? " | " : "", d->hint ? d->hint : "");
}

static bool compare(const char *name)
{
	size_t size, expected_size, n = 0, room = 1 << 16;
	char *text = read_file(name, ".conf", &size);
	char *expected = read_file(name, ".expected", &expected_size);
	char *got = calloc(1, room);
	char *copy;
	struct policy *policy = load_bytes(text, size, &copy);
	const struct policy_diag *diags;
	size_t n_diags = policy_diags(policy, &diags);
	bool same;

	for (size_t i = 0; i < n_diags; i++)
		n += put_diag(got + n, room - n, &diags[i]);
	same = !strcmp(got, expected);
	if (!same)
		print_error("--- %s: expected\n%s--- got\n%s", name, expected, got);
	policy_free(policy);
	free(text);
	free(expected);
	free(got);
	free(copy);
	return same;
}

static void test_all(void **state)
{
	DIR *directory = opendir(DIRECTORY);
	struct dirent *entry;
	size_t n = 0, bad = 0;

	(void)state;
	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		char *dot = strstr(entry->d_name, ".conf");

		if (!dot || dot[5])
			continue;
		*dot = 0;
		n++;
		bad += !compare(entry->d_name);
	}
	closedir(directory);
	assert_int_equal(bad, 0);
	assert_true(n >= 70);
}

static void test_unreadable(void **state)
{
	static const char sound[] = "[Match]\nUser=*\n[Session]\nPrivateTmp=yes\n";
	struct policy_text texts[] = {
		{.name = "a.conf", .unreadable = "not root's"},
		{.name = "b.conf", .data = sound, .size = sizeof(sound) - 1},
	};
	const struct policy_diag *diags;
	struct policy *policy;

	(void)state;
	assert_int_equal(policy_load(texts, 2, &policy), 0);
	assert_int_equal(policy_diags(policy, &diags), 1);
	assert_string_equal(diags[0].message, "not root's");
	assert_string_equal(diags[0].pos.file, "a.conf");
	assert_int_equal(diags[0].rule, -1);
	assert_int_equal(policy_n_rules(policy), 1);
	policy_free(policy);
}

static void test_too_large(void **state)
{
	size_t size = (4 << 20) + 1;
	char *data = malloc(size);
	struct policy_text text = {.name = "big.conf", .data = data, .size = size};
	const struct policy_diag *diags;
	struct policy *policy;

	(void)state;
	memset(data, '\n', size);
	assert_int_equal(policy_load(&text, 1, &policy), 0);
	assert_int_equal(policy_diags(policy, &diags), 1);
	assert_int_equal(diags[0].rule, -1);
	policy_free(policy);
	text.size--;
	assert_int_equal(policy_load(&text, 1, &policy), 0);
	assert_int_equal(policy_diags(policy, &diags), 0);
	policy_free(policy);
	free(data);
}

/* Late errors (that a [Match] has no [Session] is known when the next begins) stand in their place; those of two files do not mix. */
static void test_order(void **state)
{
	static const char first[] = "[Match]\nUser=*\n[Session]\nFoo=1\n[Match]\nUser=*\n[Network]\n";
	struct policy_text texts[] = {
		{.name = "a", .data = first, .size = sizeof(first) - 1},
		{.name = "b", .data = first, .size = sizeof(first) - 1},
	};
	static const unsigned lines[] = {4, 5, 7, 4, 5, 7};
	static const int rules[] = {0, -1, 1, 2, -1, 3};
	const struct policy_diag *diags;
	struct policy *policy;

	(void)state;
	assert_int_equal(policy_load(texts, 2, &policy), 0);
	assert_int_equal(policy_diags(policy, &diags), 6);
	for (size_t i = 0; i < 6; i++) {
		assert_string_equal(diags[i].pos.file, i < 3 ? "a" : "b");
		assert_int_equal(diags[i].pos.line, lines[i]);
		assert_int_equal(diags[i].rule, rules[i]);
	}
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
