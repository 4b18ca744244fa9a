/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whom an error harms and whom not; Isolate=no; Trial=; when the groups are asked for. These are the promises that
 * nobody is locked out by accident and that no typo loses isolation.
 */
#include "tests/unit/test_policy.h"

#define SESSION "[Session]\nPrivateTmp=yes\n"
#define BROKEN "[Session]\nPrivateTmp=maybe\n"
#define LEAVE "[Session]\nIsolate=no\n"
#define USER(name) "[Match]\nUser=" name "\n"
#define GROUP(name) "[Match]\nGroup=" name "\n"

static int outcome(const char *text, const char *user, uid_t uid, bool groups_known)
{
	struct scene s = scene(text);
	int r;

	s.subject.user = user;
	s.subject.uid = uid;
	s.subject.groups_known = groups_known;
	r = resolve(&s, 0);
	assert_int_equal(r == POLICY_REFUSE, s.result.refusal.message != NULL);
	scene_done(&s);
	return r;
}

static int alice(const char *text)
{
	return outcome(text, "alice", 1000, true);
}

static int bob(const char *text)
{
	return outcome(text, "bob", 1001, true);
}

static int root(const char *text)
{
	return outcome(text, "root", 0, true);
}

static void test_no_rules(void **state)
{
	(void)state;
	assert_int_equal(alice(""), POLICY_NO_MATCH);
	assert_int_equal(alice("# nothing\n; at all\n\n"), POLICY_NO_MATCH);
	assert_int_equal(root(""), POLICY_NO_MATCH);
	assert_int_equal(bob(USER("alice") SESSION), POLICY_NO_MATCH);
}

/* An error in a [Session] harms those whom it is about. */
static void test_tied(void **state)
{
	static const char *const bodies[] = {
		"PrivateTmp=maybe\n",
		"PrivatTmp=yes\n",
		"User=bob\nPrivateTmp=yes\n",
		"PrivateTmp=yes\nPrivateTmp=no\n",
		"CarryIn=x11\n",
		"Scope=login\n",
		"PrivateTmp\n",
		"PrivateTmp=yes\n# \xff\n",
		"PrivateTmp=yes\nDescription=\x01\n",
		"PrivateTmp=yes\n[Network]\nBridge=br0\n",
		"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		char text[256];

		snprintf(text, sizeof(text), USER("bob") SESSION USER("alice") "[Session]\n%s" USER("bob") SESSION, bodies[i]);
		assert_int_equal(alice(text), POLICY_REFUSE);
		assert_int_equal(bob(text), 0);
		assert_int_equal(root(text), POLICY_NO_MATCH);
	}
}

/* An error outside of one harms everybody but root, even those who are left alone. */
static void test_untied(void **state)
{
	static const char *const texts[] = {
		USER("alice") "[Sesion]\nPrivateTmp=yes\n",
		USER("alice") SESSION "[Foo]\nPrivateIPC=yes\n",
		"[Match\nUser=alice\n" SESSION,
		"[Match]\nGrup=x\nUser=alice\n" SESSION,
		"[Match]\nUser=5-3\n" SESSION,
		"[Match]\nUser=\n" SESSION,
		"[Match]\n" SESSION,
		USER("alice"),
		SESSION,
		"[Match]\nUser=al\x01ice\n" SESSION,
		USER("alice") SESSION "[M\xff]\nUser=carol\n",
		USER("alice") SESSION "Match\nUser=carol\nSession\nPrivateTmp=yes\n",
		USER("alice") SESSION "Session]\nPrivateIPC=yes\n",
		USER("alice") SESSION "Description=x\\\n[Match]\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char text[512];

		snprintf(text, sizeof(text), USER("bob") LEAVE "%s" USER("root bob") SESSION, texts[i]);
		assert_int_equal(alice(text), POLICY_REFUSE);
		assert_int_equal(bob(text), POLICY_REFUSE);
		assert_int_equal(root(text), 0);
	}
	assert_int_equal(bob("PrivateTmp=yes\n" USER("bob") LEAVE), POLICY_REFUSE);
	assert_int_equal(bob("# \xff\n" USER("bob") LEAVE), POLICY_REFUSE);
}

/* For root a rule with such an error in it does not exist; the next one does. */
static void test_root_and_unsound_rules(void **state)
{
	struct scene s = scene("[Match]\nUser=root\nGrup=x\n[Session]\nPrivateIPC=yes\n" USER("root") SESSION);

	(void)state;
	s.subject.uid = 0;
	s.subject.user = "root";
	assert_int_equal(resolve(&s, POLICY_VERDICTS), 0);
	assert_int_equal(s.result.n_applied, 1);
	assert_int_equal(s.result.applied[0], 1);
	assert_false(s.result.settings[POLICY_PRIVATE_IPC].set);
	assert_false(s.result.verdicts[0].applies);
	assert_true(policy_rule(s.policy, 0)->broken);
	assert_false(policy_rule(s.policy, 1)->broken);
	scene_done(&s);
	assert_int_equal(root(USER("root") BROKEN), POLICY_REFUSE);
}

static void test_unreadable(void **state)
{
	static const char sound[] = USER("root alice") SESSION;
	struct policy_text texts[] = {
		{.name = "a", .data = sound, .size = sizeof(sound) - 1},
		{.name = "b", .unreadable = "group-writable"},
	};
	struct scene s = scene("");

	(void)state;
	policy_free(s.policy);
	assert_int_equal(policy_load(texts, 2, &s.policy), 0);
	assert_int_equal(resolve(&s, 0), POLICY_REFUSE);
	assert_string_equal(s.result.refusal.message, "group-writable");
	assert_int_equal(s.result.refusal.rule, -1);
	s.subject.uid = 0;
	assert_int_equal(resolve(&s, 0), 0);
	scene_done(&s);
}

static void test_isolate_no(void **state)
{
	struct scene s = scene(USER("*") "[Session]\nPrivateTmp=yes\nIsolate=yes\n" USER("alice")
				       "[Session]\nIsolate=no\nInstanceRoot=/%g\n" USER("*") "[Session]\nIsolate=yes\n");

	(void)state;
	s.subject.group = NULL; /* whom we leave alone no specifier can harm */
	assert_int_equal(resolve(&s, POLICY_VERDICTS), 0);
	assert_int_equal(s.result.settings[POLICY_ISOLATE].word, POLICY_NO);
	assert_int_equal(s.result.settings[POLICY_ISOLATE].pos.line, 9);
	assert_int_equal(s.result.settings[POLICY_ISOLATE].n_overridden, 1);
	assert_false(s.result.settings[POLICY_PRIVATE_TMP].set);
	assert_int_equal(s.result.n_applied, 2);
	assert_true(s.result.verdicts[2].after_isolate_no);
	scene_done(&s);
}

/* It wins over errors of other rules that fit, wherever they are, but not over its own. */
static void test_isolate_no_wins(void **state)
{
	(void)state;
	assert_int_equal(alice(USER("*") BROKEN USER("alice") LEAVE), 0);
	assert_int_equal(alice(USER("alice") LEAVE USER("*") BROKEN), 0);
	assert_int_equal(bob(USER("*") BROKEN USER("alice") LEAVE), POLICY_REFUSE);
	assert_int_equal(alice(USER("alice") LEAVE "Foo=1\n"), POLICY_REFUSE);
	assert_int_equal(alice(USER("alice") LEAVE "Isolate=no\n"), POLICY_REFUSE);
	assert_int_equal(alice(USER("*") BROKEN USER("alice") LEAVE "Trial=yes\n"), POLICY_REFUSE);
	assert_int_equal(alice(USER("*") BROKEN USER("alice") LEAVE "Isolate=\n"), POLICY_REFUSE);
}

/* Of all else, a login that is left alone only may return to the host. */
static void test_left_alone_returns(void **state)
{
	struct scene s = scene(USER("*") "[Session]\nReturnToHost=no\nPrivateTmp=yes\n" USER("alice")
				       "[Session]\nReturnToHost=yes\nIsolate=no\nPrivatePIDs=yes\n" USER("*")
					   "[Session]\nReturnToHost=no\n");

	(void)state;
	assert_int_equal(resolve(&s, 0), 0);
	assert_int_equal(s.result.settings[POLICY_ISOLATE].word, POLICY_NO);
	assert_true(s.result.settings[POLICY_RETURN_TO_HOST].set);
	assert_int_equal(s.result.settings[POLICY_RETURN_TO_HOST].word, POLICY_YES);
	assert_false(s.result.settings[POLICY_PRIVATE_TMP].set);
	assert_false(s.result.settings[POLICY_PRIVATE_PIDS].set);
	scene_done(&s);
}

static void test_trial(void **state)
{
	struct scene s = scene(USER("*") SESSION USER("alice") "[Session]\nTrial=yes\nPrivateIPC=yes\n" USER("alice")
				       "[Session]\nTrial=yes\nIsolate=no\n" USER("alice") "[Session]\nTrial=no\nProcSubset=pid\n");

	(void)state;
	assert_sound(&s);
	assert_true(policy_rule(s.policy, 1)->trial);
	assert_false(policy_rule(s.policy, 3)->trial);
	assert_int_equal(resolve(&s, POLICY_VERDICTS), 0);
	assert_int_equal(s.result.n_applied, 2);
	assert_int_equal(s.result.applied[1], 3);
	assert_int_equal(s.result.n_trials, 2);
	assert_int_equal(s.result.trials[0], 1);
	assert_int_equal(s.result.trials[1], 2);
	assert_false(s.result.settings[POLICY_PRIVATE_IPC].set);
	assert_int_equal(s.result.settings[POLICY_ISOLATE].word, POLICY_YES);
	assert_null(s.result.trial_error.message);
	assert_int_equal(resolve(&s, POLICY_WITH_TRIALS), 0);
	assert_int_equal(s.result.n_applied, 3);
	assert_int_equal(s.result.n_trials, 0);
	assert_int_equal(s.result.settings[POLICY_ISOLATE].word, POLICY_NO);
	scene_done(&s);
}

/* Trials never count into the outcome. */
static void test_only_trials(void **state)
{
	struct scene s = scene(USER("alice") "[Session]\nTrial=yes\nPrivateIPC=yes\n");

	(void)state;
	assert_int_equal(resolve(&s, 0), POLICY_NO_MATCH);
	assert_int_equal(s.result.n_trials, 1);
	assert_int_equal(resolve(&s, POLICY_WITH_TRIALS), 0);
	assert_int_equal(s.result.settings[POLICY_PRIVATE_IPC].word, POLICY_YES);
	scene_done(&s);
}

static void test_broken_trial(void **state)
{
	struct scene s = scene(USER("*") SESSION USER("alice") "[Session]\nFoo=1\nTrial=yes\n");

	(void)state;
	assert_int_equal(resolve(&s, 0), 0);
	assert_non_null(s.result.trial_error.message);
	assert_int_equal(s.result.trial_error.pos.line, 8);
	assert_int_equal(s.result.trial_error.rule, 1);
	assert_int_equal(s.result.n_trials, 1);
	assert_int_equal(resolve(&s, POLICY_WITH_TRIALS), POLICY_REFUSE);
	s.subject.user = "bob";
	assert_int_equal(resolve(&s, 0), 0);
	assert_null(s.result.trial_error.message);
	scene_done(&s);
}

/* Trial= must be legible to protect: not when it is wrong, given twice, or taken back. */
static void test_illegible_trial(void **state)
{
	(void)state;
	assert_int_equal(alice(USER("alice") "[Session]\nTrial=yse\n"), POLICY_REFUSE);
	assert_int_equal(alice(USER("alice") "[Session]\nTrial=yes\nTrial=yes\n"), POLICY_REFUSE);
	assert_int_equal(alice(USER("alice") "[Session]\nTrial=yes\nTrial=no\n"), POLICY_REFUSE);
	assert_int_equal(alice(USER("alice") "[Session]\nTrial=\nFoo=1\n"), POLICY_REFUSE);
	assert_int_equal(alice(USER("alice") "[Session]\nTrial=yes\x01\n"), POLICY_REFUSE);
	assert_int_equal(alice(USER("alice") "[Session]\nTrial=yes\nFoo=1\n"), POLICY_NO_MATCH);
}

static bool asks(const char *text, const char *wanted)
{
	struct scene s = scene(text);
	char list[256] = "";
	bool asked;

	s.subject.groups_known = false;
	s.subject.groups = NULL;
	s.subject.n_groups = 0;
	asked = resolve(&s, 0) == POLICY_NEEDS_GROUPS;
	assert_true(asked || !s.result.n_groups);
	for (size_t i = 0; i < s.result.n_groups; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? " " : "", s.result.groups[i]);
	assert_string_equal(list, wanted);
	scene_done(&s);
	return asked;
}

/* Only where they can change the outcome: the directory may be down. */
static void test_needs_groups(void **state)
{
	(void)state;
	assert_true(asks(GROUP("students") SESSION, "students"));
	assert_true(asks(GROUP("!students 2000 stu*") SESSION, "students 2000 stu*"));
	assert_true(asks(GROUP("a b") SESSION USER("alice\nGroup=b !c a") SESSION, "a b c"));
	assert_false(asks(USER("bob\nGroup=students") SESSION, ""));
	assert_false(asks("[Match]\nGroup=students\nUser=bob\n" SESSION, ""));
	assert_true(asks(GROUP("x") SESSION USER("bob\nGroup=y") SESSION, "x"));
	assert_false(asks(USER("alice") LEAVE GROUP("x") SESSION, ""));
	assert_false(asks(GROUP("x") BROKEN USER("alice") LEAVE, ""));
	assert_true(asks(GROUP("x") LEAVE USER("alice") SESSION, "x"));
	assert_true(asks(GROUP("x") BROKEN USER("alice") SESSION, "x"));
	assert_false(asks(GROUP("x") SESSION USER("alice") BROKEN, ""));
	assert_true(asks(GROUP("x") SESSION GROUP("y") LEAVE USER("alice") BROKEN, "y"));
	assert_false(asks("[Foo]\n" GROUP("x") SESSION, ""));
	assert_true(asks(GROUP("x") "[Session]\nTrial=yes\n", ""));
	assert_true(asks(GROUP("x") "[Session]\nTrial=yes\n" GROUP("y") SESSION, "y"));
	assert_int_equal(outcome(GROUP("x") SESSION, "root", 0, false), POLICY_NO_MATCH);
	assert_int_equal(outcome(USER("root\nGroup=x") SESSION, "root", 0, false), POLICY_NEEDS_GROUPS);
}

static void test_groups_decide(void **state)
{
	struct scene s = scene(GROUP("students") SESSION GROUP("!students") "[Session]\nPrivateIPC=yes\n");

	(void)state;
	assert_int_equal(resolve(&s, 0), 0);
	assert_int_equal(s.result.n_applied, 1);
	assert_int_equal(s.result.applied[0], 0);
	s.subject.n_groups = 1;
	assert_int_equal(resolve(&s, 0), 0);
	assert_int_equal(s.result.applied[0], 1);
	scene_done(&s);
}

/* A login that is left alone, whatever a group would say: the verdict says that nobody asked. */
static void test_verdict_of_unasked_group(void **state)
{
	struct scene s = scene(GROUP("x") SESSION USER("alice") LEAVE);

	(void)state;
	s.subject.groups_known = false;
	assert_int_equal(resolve(&s, POLICY_VERDICTS), 0);
	assert_true(s.result.verdicts[0].after_isolate_no);
	assert_true(s.result.verdicts[1].applies);
	scene_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_rules),
		cmocka_unit_test(test_tied),
		cmocka_unit_test(test_untied),
		cmocka_unit_test(test_root_and_unsound_rules),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_isolate_no),
		cmocka_unit_test(test_isolate_no_wins),
		cmocka_unit_test(test_left_alone_returns),
		cmocka_unit_test(test_trial),
		cmocka_unit_test(test_only_trials),
		cmocka_unit_test(test_broken_trial),
		cmocka_unit_test(test_illegible_trial),
		cmocka_unit_test(test_needs_groups),
		cmocka_unit_test(test_groups_decide),
		cmocka_unit_test(test_verdict_of_unasked_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
