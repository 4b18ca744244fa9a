/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * [Session]: what is in effect when several rules apply, and where it came from.
 */
#include "tests/unit/test_policy.h"

#define ALL "[Match]\nUser=*\n[Session]\n"

static void check_overridden(const struct policy_setting *s, size_t i, unsigned line, const char *text)
{
	assert_true(i < s->n_overridden);
	assert_int_equal(s->overridden[i].pos.line, line);
	assert_string_equal(s->overridden[i].text, text);
}

static void check_item(const struct policy_setting *s, size_t i, const char *path, const char *options, unsigned line)
{
	assert_true(i < s->n_items);
	assert_string_equal(s->items[i].path, path);
	if (options)
		assert_string_equal(s->items[i].options, options);
	else
		assert_null(s->items[i].options);
	assert_int_equal(s->items[i].pos.line, line);
}

static void test_defaults(void **state)
{
	struct scene s = scene(ALL "Description=x\n");

	(void)state;
	assert_int_equal(resolve(&s, 0), 0);
	for (unsigned key = 0; key < POLICY_N_KEYS; key++) {
		if (key == POLICY_DESCRIPTION)
			continue;
		assert_false(setting(&s, key)->set);
		assert_null(setting(&s, key)->pos.file);
		assert_int_equal(setting(&s, key)->word, key == POLICY_ISOLATE ? POLICY_YES : 0);
	}
	assert_string_equal(setting(&s, POLICY_INSTANCE_ROOT)->text, "/var/lib/nsclone");
	assert_string_equal(setting(&s, POLICY_DESCRIPTION)->text, "x");
	scene_done(&s);
}

/* Every word of every key, and its name back. */
static void test_words(void **state)
{
	(void)state;
	for (unsigned key = 0; key < POLICY_N_KEYS; key++) {
		const char *word;

		for (int i = 0; (word = policy_word(key, i)); i++) {
			char text[256];
			struct scene s;

			snprintf(text, sizeof(text), ALL "%s=%s\n", policy_key_name(key), word);
			s = scene(text);
			assert_sound(&s);
			resolve(&s, POLICY_WITH_TRIALS);
			assert_int_equal(s.outcome, 0);
			assert_true(setting(&s, key)->set);
			/* self and yes are one */
			assert_int_equal(setting(&s, key)->word, strcmp(word, "self") ? i : POLICY_USERS_YES);
			assert_int_equal(setting(&s, key)->pos.line, 4);
			scene_done(&s);
		}
	}
	assert_string_equal(policy_word(POLICY_PRIVATE_TMP, POLICY_TMP_PERSISTENT), "persistent");
	assert_string_equal(policy_word(POLICY_PROTECT_PROC, POLICY_PROC_NOACCESS), "noaccess");
	assert_string_equal(policy_word(POLICY_PROTECT_HOSTNAME, POLICY_HOSTNAME_PRIVATE), "private");
	assert_null(policy_word(POLICY_INSTANCE_ROOT, 0));
	assert_null(policy_word(POLICY_ISOLATE, 2));
	assert_null(policy_word(POLICY_ISOLATE, -1));
	assert_string_equal(policy_match_key_name(POLICY_MATCH_FROM_USER), "FromUser");
}

static void test_override(void **state)
{
	struct scene s = scene(ALL "PrivateTmp=yes\n" ALL "  PrivateTmp = disconnected:size=1G \n" ALL
				   "PrivateIPC=yes\n" ALL "PrivateTmp=persistent\n");
	const struct policy_setting *tmp = setting(&s, POLICY_PRIVATE_TMP);

	(void)state;
	assert_sound(&s);
	assert_int_equal(resolve(&s, 0), 0);
	assert_int_equal(tmp->word, POLICY_TMP_PERSISTENT);
	assert_null(tmp->text);
	assert_int_equal(tmp->pos.line, 16);
	assert_int_equal(tmp->n_overridden, 2);
	check_overridden(tmp, 0, 4, "yes");
	check_overridden(tmp, 1, 8, "disconnected:size=1G");
	assert_int_equal(tmp->overridden[1].pos.column, 3);
	assert_int_equal(setting(&s, POLICY_PRIVATE_IPC)->word, POLICY_YES);
	assert_int_equal(s.result.n_applied, 4);
	assert_int_equal(s.result.applied[3], 3);
	scene_done(&s);
}

static void test_reset(void **state)
{
	struct scene s = scene(ALL "PrivateTmp=yes\nInstanceRoot=/srv\nPrivateDirectory=/a /b\n" ALL
				   "PrivateTmp=\nInstanceRoot = \nPrivateDirectory=\n" ALL "InstanceRoot=/data\n");
	const struct policy_setting *root = setting(&s, POLICY_INSTANCE_ROOT);

	(void)state;
	assert_sound(&s);
	assert_int_equal(resolve(&s, 0), 0);
	assert_false(setting(&s, POLICY_PRIVATE_TMP)->set);
	assert_int_equal(setting(&s, POLICY_PRIVATE_TMP)->word, POLICY_TMP_NO);
	assert_null(setting(&s, POLICY_PRIVATE_TMP)->pos.file);
	check_overridden(setting(&s, POLICY_PRIVATE_TMP), 0, 4, "yes");
	assert_true(root->set);
	assert_string_equal(root->text, "/data");
	assert_int_equal(root->n_overridden, 1);
	check_overridden(root, 0, 5, "/srv");
	assert_int_equal(setting(&s, POLICY_PRIVATE_DIRECTORY)->n_items, 0);
	assert_false(setting(&s, POLICY_PRIVATE_DIRECTORY)->set);
	check_overridden(setting(&s, POLICY_PRIVATE_DIRECTORY), 0, 6, "/a /b");
	scene_done(&s);
}

static void test_lists(void **state)
{
	struct scene s = scene(ALL "PrivateDirectory=/a /b:1777 /c\nPrivateDirectory=/d\n" ALL
				   "PrivateDirectory=//b/./:0750 \\\n /e /a\n");
	const struct policy_setting *list = setting(&s, POLICY_PRIVATE_DIRECTORY);

	(void)state;
	assert_sound(&s);
	assert_int_equal(resolve(&s, 0), 0);
	assert_true(list->set);
	assert_int_equal(list->n_items, 5);
	check_item(list, 0, "/a", NULL, 10);
	check_item(list, 1, "/b", "0750", 9);
	check_item(list, 2, "/c", NULL, 4);
	check_item(list, 3, "/d", NULL, 5);
	check_item(list, 4, "/e", NULL, 10);
	assert_int_equal(list->items[0].mode, 0700);
	assert_int_equal(list->items[1].mode, 0750);
	assert_int_equal(list->items[1].pos.column, 18);
	assert_int_equal(list->items[4].pos.column, 2);
	assert_int_equal(list->pos.line, 9);
	assert_int_equal(list->n_overridden, 2);
	check_overridden(list, 0, 4, "/a");
	check_overridden(list, 1, 4, "/b:1777");
	scene_done(&s);
}

/* The same path may be written in two ways, and given again more than once. */
static void test_list_same_path(void **state)
{
	struct scene s = scene(ALL "PrivateDirectory=/x/%u:0700\n" ALL "PrivateDirectory=/x/alice:0710 /x/alice:0720\n");
	const struct policy_setting *list = setting(&s, POLICY_PRIVATE_DIRECTORY);

	(void)state;
	assert_int_equal(resolve(&s, 0), 0);
	assert_int_equal(list->n_items, 1);
	check_item(list, 0, "/x/alice", "0720", 8);
	assert_int_equal(list->n_overridden, 2);
	check_overridden(list, 0, 4, "/x/%u:0700");
	check_overridden(list, 1, 8, "/x/alice:0710");
	scene_done(&s);
}

static void test_quoting(void **state)
{
	struct scene s = scene(ALL "PrivateDirectory=/a\\:b:0711 '/c d:0722' \"/e f\":0733 \"/g\\:h\" /i\\j \"/k\\x41\\101\\u00e9\\s\\\"'\"\n"
				   "InstanceRoot=\"/my root\"\nDescription=It's \"theirs\" \\ 100% # all\n");
	const struct policy_setting *list = setting(&s, POLICY_PRIVATE_DIRECTORY);

	(void)state;
	assert_sound(&s);
	assert_int_equal(resolve(&s, 0), 0);
	assert_int_equal(list->n_items, 6);
	assert_string_equal(list->items[0].path, "/a:b");
	assert_int_equal(list->items[0].mode, 0711);
	assert_string_equal(list->items[1].path, "/c d");
	assert_int_equal(list->items[1].mode, 0722);
	assert_string_equal(list->items[2].path, "/e f");
	assert_int_equal(list->items[2].mode, 0733);
	assert_string_equal(list->items[3].path, "/g:h");
	assert_string_equal(list->items[4].path, "/i\\j");
	assert_string_equal(list->items[5].path, "/kAA\xc3\xa9 \"'");
	assert_string_equal(setting(&s, POLICY_INSTANCE_ROOT)->text, "/my root");
	assert_string_equal(setting(&s, POLICY_DESCRIPTION)->text, "It's \"theirs\" \\ 100% # all");
	scene_done(&s);
}

static void test_tmpfs(void **state)
{
	struct scene s = scene(ALL "TemporaryFileSystem=/a /b:size=10%,nr_inodes=1M,mode=1777,uid=%U,gid=%G,huge=within_size,"
				   "noexec,ro,noatime,nodev,nosuid,nosymfollow /c:size=5%%,exec,rw,relatime /d:uid=4%%\n");
	const struct policy_setting *list;

	(void)state;
	assert_sound(&s);
	assert_int_equal(resolve(&s, 0), POLICY_REFUSE);
	assert_non_null(strstr(s.result.refusal.message, "'4%' is not a uid"));
	scene_done(&s);
	s = scene(ALL "TemporaryFileSystem=/a /b:size=10%,nr_inodes=1M,mode=1777,uid=%U,gid=%G,huge=within_size,"
		      "noexec,ro,noatime,nodev,nosuid,nosymfollow /c:size=5%%,exec,rw,relatime\n"
		      "PrivateTmp=disconnected:uid=%U,size=2g\nPrivateDevShm=yes:size=1G\n");
	list = setting(&s, POLICY_TEMPORARY_FILE_SYSTEM);
	assert_sound(&s);
	assert_int_equal(resolve(&s, 0), 0);
	check_item(list, 0, "/a", NULL, 4);
	check_item(list, 1, "/b", "size=10%,nr_inodes=1M,mode=1777,uid=1000,gid=1000,huge=within_size,noexec,ro,noatime,"
				  "nodev,nosuid,nosymfollow", 4);
	check_item(list, 2, "/c", "size=5%,exec,rw,relatime", 4);
	assert_string_equal(setting(&s, POLICY_PRIVATE_TMP)->text, "uid=1000,size=2g");
	assert_string_equal(setting(&s, POLICY_PRIVATE_DEV_SHM)->text, "size=1G");
	scene_done(&s);
}

struct expansion {
	const char *written;
	const char *path; /* NULL: refused */
};

static void test_specifiers(void **state)
{
	static const struct expansion rows[] = {
		{"/x/%u-%U/%g/%G", "/x/alice-1000/alice/1000"},
		{"%h", "/home/alice"},
		{"%h/.tmp", "/home/alice/.tmp"},
		{"/scratch%h", "/scratch/home/alice"},
		{"/scratch/%h", "/scratch/home/alice"},
		{"/x/%H", "/x/node1.example.org"},
		{"/x/%l", "/x/node1"},
		{"/x/%m/%b", "/x/0123456789abcdef0123456789abcdef/fedcba9876543210fedcba9876543210"},
		{"/x/100%%/%%u", "/x/100%/%u"},
		{"/x//./y/", "/x/y"},
		{"/.x/...", "/.x/..."},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[256];
		struct scene s;

		snprintf(text, sizeof(text), ALL "InstanceRoot=%s\n", rows[i].written);
		s = scene(text);
		assert_sound(&s);
		assert_int_equal(resolve(&s, 0), 0);
		assert_string_equal(setting(&s, POLICY_INSTANCE_ROOT)->text, rows[i].path);
		scene_done(&s);
	}
}

static void refused(const char *body, void (*change)(struct policy_subject *subject), unsigned line, unsigned column,
		    const char *part)
{
	char text[512];
	struct scene s;

	snprintf(text, sizeof(text), ALL "Description=x\n%s\n", body);
	s = scene(text);
	change(&s.subject);
	assert_sound(&s);
	assert_int_equal(resolve(&s, 0), POLICY_REFUSE);
	if (!strstr(s.result.refusal.message, part))
		fail_msg("'%s' does not say '%s'", s.result.refusal.message, part);
	assert_int_equal(s.result.refusal.pos.line, line);
	assert_int_equal(s.result.refusal.pos.column, column);
	assert_int_equal(s.result.refusal.rule, 0);
	for (unsigned key = 0; key < POLICY_N_KEYS; key++)
		assert_false(setting(&s, key)->set);
	scene_done(&s);
}

#define SUBJECT(name, assignment)                                                                                      \
	static void name(struct policy_subject *subject)                                                               \
	{                                                                                                              \
		assignment;                                                                                            \
	}
SUBJECT(nothing, (void)subject)
SUBJECT(user_slash, subject->user = "../etc")
SUBJECT(user_dots, subject->user = "..")
SUBJECT(user_dot, subject->user = ".")
SUBJECT(user_empty, subject->user = "")
SUBJECT(user_newline, subject->user = "a\nb")
SUBJECT(user_options, subject->user = "1,exec")
SUBJECT(user_underscore, subject->user = "al_ice")
SUBJECT(no_machine_id, subject->machine_id = NULL)
SUBJECT(no_group, subject->group = NULL)
SUBJECT(no_home, subject->home = NULL)
SUBJECT(home_relative, subject->home = "home")
SUBJECT(home_dots, subject->home = "/home/../etc")
SUBJECT(home_root, subject->home = "/")
SUBJECT(host_long, subject->host = "a123456789012345678901234567890123456789.b12345678901234567890123456789")
SUBJECT(host_dot, subject->host = ".x")

static void test_refused_expansions(void **state)
{
	(void)state;
	refused("InstanceRoot=/x/%u", user_slash, 5, 1, "cannot be a part of a path");
	refused("InstanceRoot=/x/%u", user_dots, 5, 1, "cannot be a part of a path");
	refused("InstanceRoot=/x/a%u", user_dot, 5, 1, "cannot be a part of a path");
	refused("InstanceRoot=/x/%u", user_empty, 5, 1, "is empty");
	refused("InstanceRoot=/x/%u", user_newline, 5, 1, "control character");
	refused("InstanceRoot=/x/%m", no_machine_id, 5, 1, "no machine id");
	refused("PrivateDirectory=/a /x/%g", no_group, 5, 21, "no group name");
	refused("InstanceRoot=%h/x", no_home, 5, 1, "no home directory");
	refused("InstanceRoot=%h/x", home_relative, 5, 1, "no absolute path");
	refused("InstanceRoot=%h/x", home_dots, 5, 1, "'..'");
	refused("PrivateDirectory=%h", home_root, 5, 18, "/ cannot be made private");
	refused("ProtectHostname=yes:%u", user_underscore, 5, 1, "not a host name");
	refused("ProtectHostname=private:x.%H", host_long, 5, 1, "a host name of 73 bytes");
	refused("ProtectHostname=private:%l", host_dot, 5, 1, "is empty");
	refused("ProtectHostname=private:%h", nothing, 5, 1, "not a host name");
	refused("TemporaryFileSystem=/t:size=1g,uid=%u", user_options, 5, 21, "becomes 'uid=1,exec'");
	refused("TemporaryFileSystem=/t:uid=%u", nothing, 5, 21, "is not a uid");
	refused("PrivateTmp=disconnected:gid=%u", nothing, 5, 1, "is not a gid");
}

static void test_long_expansion(void **state)
{
	static char home[4000];
	struct scene s = scene(ALL "InstanceRoot=%h/%h\n");

	(void)state;
	for (size_t i = 0; i < sizeof(home) - 1; i++)
		home[i] = i % 100 ? 'x' : '/';
	s.subject.home = home;
	assert_int_equal(resolve(&s, 0), POLICY_REFUSE);
	assert_non_null(strstr(s.result.refusal.message, "a path of 7999 bytes"));
	scene_done(&s);
}

/* Only what is in effect is expanded: an overridden value harms nobody. */
static void test_only_effective_expansions(void **state)
{
	struct scene s = scene(ALL "InstanceRoot=/x/%m\nPrivateDirectory=/x/%m\nProtectHostname=yes:%g\n"
				   "TemporaryFileSystem=/t:uid=%u\n" ALL
				   "InstanceRoot=/y\nPrivateDirectory=\nProtectHostname=yes\n"
				   "TemporaryFileSystem=/t:uid=%U\n");

	(void)state;
	s.subject.machine_id = s.subject.group = NULL;
	assert_sound(&s);
	assert_int_equal(resolve(&s, 0), 0);
	assert_string_equal(setting(&s, POLICY_INSTANCE_ROOT)->text, "/y");
	assert_string_equal(setting(&s, POLICY_TEMPORARY_FILE_SYSTEM)->items[0].options, "uid=1000");
	scene_done(&s);
}

static void test_host_name(void **state)
{
	struct scene s = scene(ALL "ProtectHostname=private:%l-%u\n");

	(void)state;
	assert_int_equal(resolve(&s, 0), 0);
	assert_int_equal(setting(&s, POLICY_PROTECT_HOSTNAME)->word, POLICY_HOSTNAME_PRIVATE);
	assert_string_equal(setting(&s, POLICY_PROTECT_HOSTNAME)->text, "node1-alice");
	scene_done(&s);
}

static unsigned needs(const char *body)
{
	char text[256];
	struct scene s;
	unsigned n;

	snprintf(text, sizeof(text), "%s", body);
	s = scene(text);
	assert_sound(&s);
	n = policy_needs(s.policy);
	scene_done(&s);
	return n;
}

static void test_needs(void **state)
{
	(void)state;
	assert_int_equal(needs(ALL "InstanceRoot=/%u/%U/%G%h%%m\n"), 0);
	assert_int_equal(needs(ALL "InstanceRoot=/%H\n"), POLICY_NEED_HOST);
	assert_int_equal(needs(ALL "PrivateDirectory=/a /%l\n"), POLICY_NEED_HOST);
	assert_int_equal(needs(ALL "ProtectHostname=yes:%g\n"), POLICY_NEED_GROUP);
	assert_int_equal(needs(ALL "TemporaryFileSystem=/%m:gid=%b\n"), POLICY_NEED_MACHINE_ID | POLICY_NEED_BOOT_ID);
	assert_int_equal(needs("[Match]\nHost=x\n[Session]\nPrivateTmp=yes\n"), POLICY_NEED_HOST);
	assert_int_equal(needs(ALL "Description=%H %m\n"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_override),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_list_same_path),
		cmocka_unit_test(test_quoting),
		cmocka_unit_test(test_tmpfs),
		cmocka_unit_test(test_specifiers),
		cmocka_unit_test(test_refused_expansions),
		cmocka_unit_test(test_long_expansion),
		cmocka_unit_test(test_only_effective_expansions),
		cmocka_unit_test(test_host_name),
		cmocka_unit_test(test_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
