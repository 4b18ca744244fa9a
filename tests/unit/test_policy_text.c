/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines: what editors and other systems make of the end of a line, and how lines are joined.
 */
#include "tests/unit/test_policy.h"

#define ALL "[Match]\nUser=*\n[Session]\n"

static void test_line_ends(void **state)
{
	static const char *const texts[] = {
		"[Match]\r\nUser=alice\r\n[Session]\r\nPrivateTmp=persistent\r\n",
		"\xef\xbb\xbf[Match]\nUser=alice\n[Session]\nPrivateTmp=persistent\n",
		"\xef\xbb\xbf[Match]\r\nUser=al\\\r\nice alice\r\n[Session]\r\nPrivateTmp=\\\r\npersistent\r\n",
		"[Match]\nUser=alice\n[Session]\nPrivateTmp=persistent",
		"[Match]\nUser=alice\n[Session]\nPrivateTmp=persistent\r",
		"\n\n  [Match]  \n\t\n\tUser\t=\talice\t\n;c\n # c\n [Session]\nPrivateTmp  =  persistent  \n\n",
		"[Match]\nUser=bob \\\n  alice\n[Session]\nPrivateTmp= \\\n\\\n  # not this\n persistent\n",
		"[Match]\nUser=bob \\\n# bob \\\n; too\n  alice\n[Session]\nPrivateTmp=persistent \\\n\n",
		"# a comment ends here \\\n[Match]\nUser=alice\n[Session]\nPrivateTmp=persistent\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct scene s = scene(texts[i]);

		if (count_errors(s.policy))
			print_error("case %zu\n", i);
		assert_sound(&s);
		assert_int_equal(resolve(&s, 0), 0);
		assert_int_equal(setting(&s, POLICY_PRIVATE_TMP)->word, POLICY_TMP_PERSISTENT);
		scene_done(&s);
	}
}

/* An even number of backslashes at the end of a line joins nothing. */
static void test_backslashes(void **state)
{
	struct scene s = scene(ALL "Description=a\\\\\nInstanceRoot=/b\\\\\\\\\nPrivateIPC=yes\n");

	(void)state;
	assert_sound(&s);
	assert_int_equal(resolve(&s, 0), 0);
	assert_string_equal(setting(&s, POLICY_DESCRIPTION)->text, "a\\\\");
	assert_string_equal(setting(&s, POLICY_INSTANCE_ROOT)->text, "/b\\\\\\\\");
	assert_int_equal(setting(&s, POLICY_PRIVATE_IPC)->word, POLICY_YES);
	scene_done(&s);
}

/* What `explain` prints of a joined line is still there when the reader has gone on. */
static void test_written(void **state)
{
	struct scene s = scene(ALL "InstanceRoot= \\\n \"/a b\"\nPrivateDirectory=/x:0700 \\\n /y\n" ALL
				   "InstanceRoot=/c\nPrivateDirectory=/y:0755\n");
	const struct policy_setting *list = setting(&s, POLICY_PRIVATE_DIRECTORY);

	(void)state;
	assert_sound(&s);
	assert_int_equal(resolve(&s, 0), 0);
	assert_string_equal(setting(&s, POLICY_INSTANCE_ROOT)->overridden[0].text, "\"/a b\"");
	assert_int_equal(setting(&s, POLICY_INSTANCE_ROOT)->overridden[0].pos.line, 4);
	assert_string_equal(list->overridden[0].text, "/y");
	assert_int_equal(list->overridden[0].pos.line, 7);
	assert_int_equal(list->overridden[0].pos.column, 2);
	scene_done(&s);
}

/* Exactly 4096 bytes are allowed in a line, more only by joining. */
static void test_long_lines(void **state)
{
	char *text = malloc(200000);
	size_t n;
	struct scene s;

	(void)state;
	assert_non_null(text);
	n = (size_t)sprintf(text, ALL "Description=");
	memset(text + n, 'x', 4084);
	strcpy(text + n + 4084, "\r\n");
	s = scene(text);
	assert_sound(&s);
	scene_done(&s);
	strcpy(text + n + 4084, "x\n");
	s = scene(text);
	assert_int_equal(count_errors(s.policy), 1);
	scene_done(&s);
	n = (size_t)sprintf(text, ALL "PrivateDirectory=");
	for (unsigned i = 0; i < 10000; i++)
		n += (size_t)sprintf(text + n, "/d%u \\\n", i);
	strcpy(text + n, "\n");
	s = scene(text);
	assert_sound(&s);
	assert_int_equal(resolve(&s, 0), 0);
	assert_int_equal(setting(&s, POLICY_PRIVATE_DIRECTORY)->n_items, 10000);
	assert_string_equal(setting(&s, POLICY_PRIVATE_DIRECTORY)->items[9999].path, "/d9999");
	assert_int_equal(setting(&s, POLICY_PRIVATE_DIRECTORY)->items[9999].pos.line, 10003);
	scene_done(&s);
	free(text);
}

/* Wherever a file is cut off, what is left is read or refused, but nothing behind its end is looked at (ASan). */
static void test_every_prefix(void **state)
{
	static const char text[] = "\xef\xbb\xbf# \xc3\xa9\n[Match]\r\nUser=a \"b\\x41\" !c \\\n1-2 \xe2\x82\xac [a-z]\nRemoteHost=::1/8\n"
				   "[Session]\nPrivateDirectory=/a\\:b:0700 '/c' \\\n%h/\xf0\x9f\x98\x80\nPrivateTmp="
				   "disconnected:size=1g,uid=%U\nProtectHostname=yes:%l\n[Network]\nDNS=\n";

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		char *copy;
		struct policy *policy = load_bytes(text, n, &copy);

		policy_free(policy);
		free(copy);
	}
}

static void test_no_texts(void **state)
{
	struct policy_text text = {.name = "empty", .data = NULL, .size = 0};
	struct policy *policy;

	(void)state;
	assert_int_equal(policy_load(NULL, 0, &policy), 0);
	assert_int_equal(policy_n_rules(policy), 0);
	policy_free(policy);
	assert_int_equal(policy_load(&text, 1, &policy), 0);
	assert_int_equal(policy_n_rules(policy), 0);
	assert_null(policy_free(policy));
	assert_null(policy_free(NULL));
}

/* A rule cannot begin in one file and end in the next. */
static void test_rules_end_with_files(void **state)
{
	static const char first[] = "[Match]\nUser=alice\n", second[] = "[Session]\nPrivateTmp=yes\n";
	struct policy_text texts[] = {
		{.name = "a", .data = first, .size = sizeof(first) - 1},
		{.name = "b", .data = second, .size = sizeof(second) - 1},
	};
	const struct policy_diag *diags;
	struct policy *policy;

	(void)state;
	assert_int_equal(policy_load(texts, 2, &policy), 0);
	assert_int_equal(policy_diags(policy, &diags), 2);
	assert_int_equal(diags[0].rule, -1);
	assert_int_equal(diags[1].rule, -1);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_ends),     cmocka_unit_test(test_backslashes),
		cmocka_unit_test(test_written),	      cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_every_prefix),  cmocka_unit_test(test_no_texts),
		cmocka_unit_test(test_rules_end_with_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
