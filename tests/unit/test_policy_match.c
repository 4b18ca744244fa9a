/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * [Match]: who is meant. Each row is the body of a [Match] section and whether it fits a login.
 */
#include "tests/unit/test_policy.h"

struct row {
	const char *match;
	bool fits;
};

/* Whether the rule fits the login that `change` makes of the usual one. */
static bool fits(const char *match, void (*change)(struct policy_subject *subject))
{
	char text[1024];
	struct scene s;
	int r;

	snprintf(text, sizeof(text), "[Match]\n%s\n[Session]\nPrivateTmp=yes\n", match);
	s = scene(text);
	if (change)
		change(&s.subject);
	if (count_errors(s.policy))
		print_error("not a policy: %s\n", match);
	assert_sound(&s);
	r = resolve(&s, POLICY_VERDICTS);
	assert_int_equal(r == 0, s.result.verdicts[0].applies);
	scene_done(&s);
	assert_true(r == 0 || r == POLICY_NO_MATCH);
	return r == 0;
}

static void check_rows(const struct row *rows, size_t n, void (*change)(struct policy_subject *subject))
{
	for (size_t i = 0; i < n; i++) {
		if (fits(rows[i].match, change) != rows[i].fits)
			fail_msg("%s: should %sfit", rows[i].match, rows[i].fits ? "" : "not ");
	}
}
#define CHECK_ROWS(change, ...)                                                                                        \
	do {                                                                                                           \
		static const struct row rows[] = {__VA_ARGS__};                                                        \
		check_rows(rows, sizeof(rows) / sizeof(*rows), change);                                                \
	} while (0)

static void test_user(void **state)
{
	(void)state;
	CHECK_ROWS(NULL, {"User=alice", true}, {"User=bob", false}, {"User=Alice", false}, {"User=*", true},
		   {"User=al*e", true}, {"User=a?ice", true}, {"User=alice?", false}, {"User=[a-c]lice", true},
		   {"User=[!a]lice", false}, {"User=[!b]lice", true}, {"User=alic", false}, {"User=bob alice", true},
		   {"User=bob\nUser=alice", true}, {"User=\"alice\"", true}, {"User='al'ice", true},
		   {"User=\\alice", false}, {"User=al[i]ce", true}, {"User=al[]i]ce", true}, {"User=al[i-]ce", true});
	CHECK_ROWS(NULL, {"User=1000", true}, {"User=1001", false}, {"User=1000-59999", true}, {"User=1-999", false},
		   {"User=1-1000", true}, {"User=1000-", true}, {"User=1001-", false}, {"User=1000-1000", true},
		   {"User=0-4294967294", true});
}

static void test_negation(void **state)
{
	(void)state;
	CHECK_ROWS(NULL, {"User=* !alice", false}, {"User=!alice *", false}, {"User=* !bob", true}, {"User=!bob", true},
		   {"User=!alice", false}, {"User=!a*", false}, {"User=!1000-2000", false}, {"User=!1001-", true},
		   {"User=bob !carol", false}, {"User=*\nUser=!alice", false}, {"User=!bob\nService=!cron", true},
		   {"User=!bob\nService=!sshd", false});
}

static void test_all_keys_must_hold(void **state)
{
	(void)state;
	CHECK_ROWS(NULL, {"User=alice\nService=sshd", true}, {"User=alice\nService=login", false},
		   {"Service=sshd\nTTY=pts/*\nHost=node1\nGroup=students", true},
		   {"Service=sshd\nTTY=tty*\nHost=node1\nGroup=students", false});
}

static void test_service(void **state)
{
	(void)state;
	CHECK_ROWS(NULL, {"Service=sshd", true}, {"Service=ssh*", true}, {"Service=SSHD", false},
		   {"Service=login su*", false});
}

static void as_root(struct policy_subject *subject)
{
	subject->user = "root";
	subject->uid = 0;
	subject->gid = 0;
}

static void as_toor(struct policy_subject *subject)
{
	as_root(subject);
	subject->user = "toor";
}

static void as_user_called_root(struct policy_subject *subject)
{
	subject->user = "root";
}

/* Nobody isolates uid 0 by accident. */
static void test_root(void **state)
{
	(void)state;
	CHECK_ROWS(as_root, {"User=root", true}, {"User=0", true}, {"User=*", false}, {"User=r*", false},
		   {"User=[r]oot", false}, {"User=roo?", false}, {"User=0-", false}, {"User=0-0", false},
		   {"User=0-59999", false}, {"User=!bob", false}, {"Service=sshd", false}, {"Group=*", false},
		   {"Service=sshd\nUser=root", true}, {"User=root\nService=login", false}, {"User=root !root", false},
		   {"User=* root", true}, {"User=root !0", false}, {"User=toor", false});
	CHECK_ROWS(as_toor, {"User=root", true}, {"User=0", true}, {"User=toor", true}, {"User=t*", false});
	CHECK_ROWS(as_user_called_root, {"User=root", true}, {"User=0", false}, {"User=*", true});
}

static void test_group(void **state)
{
	(void)state;
	CHECK_ROWS(NULL, {"Group=students", true}, {"Group=stud*", true}, {"Group=2000", true}, {"Group=2001", true},
		   {"Group=2002", false}, {"Group=tutors", false}, {"Group=students !tutors", true},
		   {"Group=students !alice", false}, {"Group=!tutors", true}, {"Group=!2001", false},
		   {"Group=alice", true});
}

static void from_name(struct policy_subject *subject)
{
	subject->remote_host = "Pool7.Example.ORG";
}

static void from_mapped(struct policy_subject *subject)
{
	subject->remote_host = "::ffff:192.0.2.7";
}

static void from_v6(struct policy_subject *subject)
{
	subject->remote_host = "fe80::1:2%eth0";
}

static void from_name_with_digits(struct policy_subject *subject)
{
	subject->remote_host = "192.0.2.7.example.org";
}

static void test_remote_host(void **state)
{
	(void)state;
	CHECK_ROWS(NULL, {"RemoteHost=192.0.2.7", true}, {"RemoteHost=192.0.2.8", false}, {"RemoteHost=192.0.2.0/24", true},
		   {"RemoteHost=192.0.2.0/29", true}, {"RemoteHost=192.0.2.0/30", false}, {"RemoteHost=0.0.0.0/0", true},
		   {"RemoteHost=::/0", false}, {"RemoteHost=192.0.2.*", true}, {"RemoteHost=::ffff:192.0.2.7", true},
		   {"RemoteHost=::ffff:192.0.2.0/120", true}, {"RemoteHost=::ffff:192.0.2.0/126", false},
		   {"RemoteHost=192.0.2.7/32", true}, {"RemoteHost=192.0.2.6/32", false}, {"RemoteHost=*", true},
		   {"RemoteHost=!10.0.0.0/8", true}, {"RemoteHost=!192.0.2.0/24", false},
		   {"RemoteHost=::ffff:c000:207", true}, {"RemoteHost=::ffff:0:0/96", true});
	CHECK_ROWS(from_mapped, {"RemoteHost=192.0.2.7", true}, {"RemoteHost=192.0.2.0/24", true},
		   {"RemoteHost=::ffff:192.0.2.7", true}, {"RemoteHost=::/0", false});
	CHECK_ROWS(from_v6, {"RemoteHost=fe80::1:2", true}, {"RemoteHost=fe80::/10", true}, {"RemoteHost=fe80::/112", false},
		   {"RemoteHost=FE80:0::1:2", true}, {"RemoteHost=2001:db8::/32", false}, {"RemoteHost=0.0.0.0/0", false},
		   {"RemoteHost=::/0", true});
	CHECK_ROWS(from_name, {"RemoteHost=pool7.example.org", true}, {"RemoteHost=*.EXAMPLE.org", true},
		   {"RemoteHost=0.0.0.0/0", false}, {"RemoteHost=::/0", false}, {"RemoteHost=pool[a-z]*", false},
		   {"RemoteHost=[A-P]ool*", true}, {"RemoteHost=!0.0.0.0/0", true});
	CHECK_ROWS(from_name_with_digits, {"RemoteHost=192.0.2.7", false}, {"RemoteHost=192.0.2.0/24", false});
}

static void with_dev(struct policy_subject *subject)
{
	subject->tty = "/dev/pts/3";
}

static void test_tty(void **state)
{
	(void)state;
	CHECK_ROWS(NULL, {"TTY=pts/3", true}, {"TTY=pts/*", true}, {"TTY=*", true}, {"TTY=tty*", false});
	CHECK_ROWS(with_dev, {"TTY=pts/3", true}, {"TTY=pts/*", true}, {"TTY=tty*", false});
}

static void on_short(struct policy_subject *subject)
{
	subject->host = "node1";
}

static void test_host(void **state)
{
	(void)state;
	CHECK_ROWS(NULL, {"Host=node1", true}, {"Host=NODE1.example.org", true}, {"Host=node?", true},
		   {"Host=*.example.org", true}, {"Host=node1.example", false}, {"Host=!node1", false},
		   {"Host=* !*.example.org", false}, {"Host=node2", false});
	CHECK_ROWS(on_short, {"Host=node1", true}, {"Host=node1.example.org", false});
}

static void by_bob(struct policy_subject *subject)
{
	subject->from_user = "bob";
}

static void test_from_user(void **state)
{
	(void)state;
	CHECK_ROWS(NULL, {"FromUser=bob", false}, {"FromUser=*", false}, {"FromUser=!bob", true});
	CHECK_ROWS(by_bob, {"FromUser=bob", true}, {"FromUser=*", true}, {"FromUser=!bob", false},
		   {"FromUser=b* !bob", false});
}

static void bare(struct policy_subject *subject)
{
	subject->remote_host = NULL;
	subject->tty = "";
	subject->host = NULL;
	subject->service = NULL;
	subject->n_groups = 0;
}

/* What is not there fits no pattern; a key of only !patterns holds. Empty is not there (PAM_RHOST often is). */
static void test_missing(void **state)
{
	(void)state;
	CHECK_ROWS(bare, {"RemoteHost=*", false}, {"RemoteHost=!*", true}, {"RemoteHost=0.0.0.0/0", false},
		   {"RemoteHost=!10.0.0.0/8", true}, {"RemoteHost=* !10.0.0.0/8", false}, {"TTY=*", false},
		   {"TTY=!pts/*", true}, {"Host=*", false}, {"Host=!a", true}, {"Service=*", false},
		   {"Service=!sshd", true}, {"Group=*", false}, {"Group=!students", true});
}

static void in_domain(struct policy_subject *subject)
{
	subject->user = "DOM\\j\xc3\xbcrgen";
}

static void not_utf8(struct policy_subject *subject)
{
	subject->user = "a\xff\xc3";
}

static void test_characters(void **state)
{
	(void)state;
	CHECK_ROWS(in_domain, {"User=DOM\\*", true}, {"User=DOM\\jürgen", true}, {"User=DOM\\j?rgen", true},
		   {"User=DOM\\j??rgen", false}, {"User=DOM\\j[à-ü]rgen", true}, {"User=DOM\\j[!ü]rgen", false}, {"User=DOM\\j*[!a-zü]rgen", false},
		   {"User=\"DOM\\\\j\\u00fcrgen\"", true});
	CHECK_ROWS(not_utf8, {"User=a??", true}, {"User=a?", false}, {"User=a*", true}, {"User=a[!x]?", true});
}

/* The first key that failed, in the order of the file. */
static void test_verdicts(void **state)
{
	struct scene s = scene("[Match]\nService=login\nUser=bob\n[Session]\nPrivateTmp=yes\n"
			       "[Match]\nUser=alice\nService=* !x !s*\n[Session]\nPrivateTmp=yes\n"
			       "[Match]\nUser=alice\n[Session]\nTrial=yes\n"
			       "[Match]\nUser=alice\n[Session]\nPrivateTmp=yes\n");
	const struct policy_verdict *v;

	(void)state;
	assert_sound(&s);
	assert_int_equal(resolve(&s, POLICY_VERDICTS), 0);
	v = s.result.verdicts;
	assert_false(v[0].applies);
	assert_int_equal(v[0].key, POLICY_MATCH_SERVICE);
	assert_int_equal(v[0].pos.line, 2);
	assert_int_equal(v[0].pos.column, 1);
	assert_null(v[0].pattern);
	assert_false(v[1].applies);
	assert_int_equal(v[1].key, POLICY_MATCH_SERVICE);
	assert_int_equal(v[1].pos.line, 8);
	assert_int_equal(v[1].pos.column, 14);
	assert_string_equal(v[1].pattern, "!s*");
	assert_false(v[2].applies);
	assert_true(v[2].trial);
	assert_true(v[3].applies);
	scene_done(&s);
}

/* What `check` and `explain` look at. */
static void test_view(void **state)
{
	struct scene s = scene("[Match]\nUser=a !b\nService=x\nUser=\"c d\"\n[Session]\nDescription=  for all \nPrivateTmp=yes\n");
	const struct policy_rule_view *view;

	(void)state;
	assert_int_equal(policy_n_rules(s.policy), 1);
	view = policy_rule(s.policy, 0);
	assert_int_equal(view->pos.line, 1);
	assert_int_equal(view->n_patterns[POLICY_MATCH_USER], 3);
	assert_string_equal(view->patterns[POLICY_MATCH_USER][1].text, "!b");
	assert_int_equal(view->patterns[POLICY_MATCH_USER][1].pos.column, 8);
	assert_string_equal(view->patterns[POLICY_MATCH_USER][2].text, "c d");
	assert_int_equal(view->patterns[POLICY_MATCH_USER][2].pos.line, 4);
	assert_int_equal(view->n_patterns[POLICY_MATCH_SERVICE], 1);
	assert_int_equal(view->n_patterns[POLICY_MATCH_GROUP], 0);
	assert_string_equal(view->description, "for all");
	assert_true(view->sets[POLICY_PRIVATE_TMP]);
	assert_false(view->sets[POLICY_PRIVATE_IPC]);
	assert_false(view->broken);
	assert_false(view->trial);
	scene_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user),	    cmocka_unit_test(test_negation),
		cmocka_unit_test(test_all_keys_must_hold), cmocka_unit_test(test_service),
		cmocka_unit_test(test_root),	    cmocka_unit_test(test_group),
		cmocka_unit_test(test_remote_host), cmocka_unit_test(test_tty),
		cmocka_unit_test(test_host),	    cmocka_unit_test(test_from_user),
		cmocka_unit_test(test_missing),	    cmocka_unit_test(test_characters),
		cmocka_unit_test(test_verdicts),    cmocka_unit_test(test_view),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
