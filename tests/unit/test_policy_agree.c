/* SPDX-License-Identifier: BSD-3-Clause */
/* What settings say of one another: PrivatePIDs= and the user manager, ProtectControlGroups= and Scope=. */
#include "tests/unit/test_policy.h"

#define ALL "[Match]\nUser=*\n[Session]\n"

static int by(const char *text, const char *service)
{
	struct scene s = scene(text);
	int r;

	s.subject.service = service;
	assert_sound(&s);
	r = resolve(&s, 0);
	scene_done(&s);
	return r;
}

static void test_user_manager(void **state)
{
	struct scene s = scene(ALL "PrivateIPC=yes\n" ALL "PrivateTmp=yes\n  PrivatePIDs=yes\n" ALL "PrivateTmp=no\n");

	(void)state;
	assert_sound(&s);
	s.subject.service = "systemd-user";
	assert_int_equal(resolve(&s, 0), POLICY_REFUSE);
	assert_string_equal(s.result.refusal.message,
			    "PrivatePIDs=yes and the user manager exclude each other: it can start nothing there");
	assert_string_equal(s.result.refusal.hint, "leave it out of this rule: Service=!systemd-user");
	assert_int_equal(s.result.refusal.pos.line, 9);
	assert_int_equal(s.result.refusal.pos.column, 3);
	assert_int_equal(s.result.refusal.rule, 1);
	for (unsigned key = 0; key < POLICY_N_KEYS; key++)
		assert_false(setting(&s, key)->set);
	s.subject.service = "sshd";
	assert_int_equal(resolve(&s, 0), 0);
	s.subject.service = NULL;
	assert_int_equal(resolve(&s, 0), 0);
	scene_done(&s);
}

/* Only where it is in effect. */
static void test_user_manager_let_in(void **state)
{
	static const char manager[] = "systemd-user";

	(void)state;
	assert_int_equal(by(ALL "PrivatePIDs=yes\n" ALL "PrivatePIDs=no\n", manager), 0);
	assert_int_equal(by(ALL "PrivatePIDs=yes\n" ALL "PrivatePIDs=\n", manager), 0);
	assert_int_equal(by(ALL "PrivatePIDs=yes\n" ALL "Isolate=no\n", manager), 0);
	assert_int_equal(by(ALL "PrivatePIDs=yes\nTrial=yes\n", manager), POLICY_NO_MATCH);
	assert_int_equal(by("[Match]\nService=!systemd-user\n[Session]\nPrivatePIDs=yes\n", manager), POLICY_NO_MATCH);
	assert_int_equal(by(ALL "PrivatePIDs=yes\n", "systemd-users"), 0);
	assert_int_equal(by(ALL "PrivatePIDs=no\n" ALL "PrivatePIDs=yes\n", manager), POLICY_REFUSE);
}

/* A trial of it fails, as the login would. */
static void test_user_manager_on_trial(void **state)
{
	struct scene s = scene(ALL "PrivatePIDs=yes\nTrial=yes\n");

	(void)state;
	s.subject.service = "systemd-user";
	assert_int_equal(resolve(&s, POLICY_WITH_TRIALS), POLICY_REFUSE);
	assert_int_equal(s.result.refusal.pos.line, 4);
	scene_done(&s);
}

static void check_scope(const char *text, int word, unsigned line, size_t n_overridden)
{
	struct scene s = scene(text);
	const struct policy_setting *scope = setting(&s, POLICY_SCOPE);

	assert_sound(&s);
	assert_int_equal(resolve(&s, 0), 0);
	assert_int_equal(scope->word, word);
	assert_int_equal(scope->set, line != 0);
	assert_int_equal(scope->pos.line, line);
	assert_int_equal(scope->n_overridden, n_overridden);
	scene_done(&s);
}

static void test_scope(void **state)
{
	(void)state;
	check_scope(ALL "PrivateTmp=yes\n", POLICY_SCOPE_USER, 0, 0);
	check_scope(ALL "ProtectControlGroups=no\n", POLICY_SCOPE_USER, 0, 0);
	check_scope(ALL "Scope=user\n", POLICY_SCOPE_USER, 4, 0);
	check_scope(ALL "ProtectControlGroups=private\n", POLICY_SCOPE_SESSION, 4, 0);
	check_scope(ALL "PrivateIPC=yes\nProtectControlGroups=strict\n", POLICY_SCOPE_SESSION, 5, 0);
	check_scope(ALL "ProtectControlGroups=strict\nScope=user\n", POLICY_SCOPE_SESSION, 4, 1);
	check_scope(ALL "ProtectControlGroups=strict\nScope=session\n", POLICY_SCOPE_SESSION, 5, 0);
	check_scope(ALL "ProtectControlGroups=strict\n" ALL "ProtectControlGroups=no\n", POLICY_SCOPE_USER, 0, 0);
	check_scope(ALL "Scope=user\n" ALL "Scope=\nProtectControlGroups=strict\n", POLICY_SCOPE_SESSION, 9, 1);
	check_scope(ALL "ProtectControlGroups=strict\n" ALL "Isolate=no\n", POLICY_SCOPE_USER, 0, 0);
}

/* explain shows what was said, in the order in which it was said. */
static void test_scope_overrides(void **state)
{
	struct scene s = scene(ALL "Scope=session\n" ALL "Scope=user\nProtectControlGroups=private\n");
	const struct policy_setting *scope = setting(&s, POLICY_SCOPE);

	(void)state;
	assert_int_equal(resolve(&s, 0), 0);
	assert_int_equal(scope->pos.line, 9);
	assert_int_equal(scope->n_overridden, 2);
	assert_string_equal(scope->overridden[0].text, "session");
	assert_int_equal(scope->overridden[0].pos.line, 4);
	assert_string_equal(scope->overridden[1].text, "user");
	assert_int_equal(scope->overridden[1].pos.line, 8);
	scene_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user_manager),
		cmocka_unit_test(test_user_manager_let_in),
		cmocka_unit_test(test_user_manager_on_trial),
		cmocka_unit_test(test_scope),
		cmocka_unit_test(test_scope_overrides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
