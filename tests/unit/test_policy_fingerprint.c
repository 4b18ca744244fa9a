/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy_fingerprint(): what it must never say differently in another version, what changes it and what does not.
 */
#include "tests/unit/test_policy.h"
#include "lib/policy/sha256.h"

#define ALL "[Match]\nUser=*\n[Session]\n"

enum { HEX = 2 * POLICY_FINGERPRINT_SIZE + 1 };

static void hex(const unsigned char *bytes, char *ret)
{
	for (unsigned i = 0; i < POLICY_FINGERPRINT_SIZE; i++)
		sprintf(ret + (size_t)2 * i, "%02x", bytes[i]);
}

static const char *of_policy(const char *text, char *ret)
{
	unsigned char bytes[POLICY_FINGERPRINT_SIZE];
	struct scene s = scene(text);

	assert_sound(&s);
	assert_int_equal(resolve(&s, 0), 0);
	assert_int_equal(policy_fingerprint(&s.result, bytes), 0);
	scene_done(&s);
	hex(bytes, ret);
	return ret;
}

/* Of one rule with this [Session]. */
static const char *of(const char *body, char *ret)
{
	char text[1024];

	snprintf(text, sizeof(text), ALL "%s", body);
	return of_policy(text, ret);
}

static void same(const char *a, const char *b)
{
	char x[HEX], y[HEX];

	if (strcmp(of(a, x), of(b, y)) != 0)
		fail_msg("not the same:\n%s--- and\n%s", a, b);
}

static void differ(const char *a, const char *b)
{
	char x[HEX], y[HEX];

	if (!strcmp(of(a, x), of(b, y)))
		fail_msg("the same:\n%s--- and\n%s", a, b);
}

/*
 * NEVER change these: the keeper of a running machine holds worlds by them. text is what is hashed; the numbers were
 * made of it by sha256sum(1).
 */
static const struct {
	const char *body, *text, *hash;
} golden[] = {
	{"PrivateTmp=no\n", "nsclone world 1\n", "cd3df849aeefb61a8a7e8ec59bffc88ec2b5ef8d598a45bb8f082cf6d0b1765a"},
	{"PrivateTmp=yes\n", "nsclone world 1\nPrivateTmp=3:yes,-,\n", "44d6bab2d57e83e331f731bca34db8173973c74bd3d705b7ca6a7b5c737baadb"},
	/* A shell server's. */
	{"PrivateTmp=disconnected:size=1G\nPrivateDevShm=yes:size=1G\nPrivateIPC=yes\nProtectProc=invisible\n",
	 "nsclone world 1\nPrivateDevShm=3:yes,7:size=1G,\nPrivateIPC=3:yes,-,\nPrivateTmp=12:disconnected,7:size=1G,\n"
	 "ProtectProc=9:invisible,-,\n",
	 "8c8208293b6963670b47bd3389ab3187dcb295215f3c86bc95ce158a86301db4"},
	/* Everything that shapes in this version. */
	{"InstanceRoot=/srv/nsclone\nPrivateDirectory=/b '/c d:1777'\nPrivateDevShm=yes:size=1G\nPrivateIPC=yes\n"
	 "PrivateNetwork=yes\nPrivatePIDs=yes\nPrivateTmp=persistent\nPrivateTmpMethod=pivot\nPrivateUsers=self\n"
	 "ProcSubset=pid\nProtectControlGroups=strict\nProtectHostname=private:%l-%u\nProtectProc=invisible\n"
	 "TemporaryFileSystem=/t\\:e:uid=%U,ro,noexec /tmp/%%\n",
	 "nsclone world 1\nInstanceRoot=12:/srv/nsclone,\nPrivateDevShm=3:yes,7:size=1G,\n"
	 "PrivateDirectory=2:/b,4:0700,4:/c d,4:1777,\nPrivateIPC=3:yes,-,\nPrivateNetwork=3:yes,-,\n"
	 "PrivatePIDs=3:yes,-,\nPrivateTmp=10:persistent,-,\nPrivateTmpMethod=5:pivot,-,\n"
	 "PrivateUsers=3:yes,-,\nProcSubset=3:pid,-,\nProtectControlGroups=6:strict,-,\n"
	 "ProtectHostname=7:private,11:node1-alice,\nProtectProc=9:invisible,-,\n"
	 "TemporaryFileSystem=4:/t:e,18:uid=1000,ro,noexec,6:/tmp/%,-,\n",
	 "8a170104e0b6e668c9db849ff8b00c9a5f1973858a7873abc648c6b0acd2d43d"},
};

static void test_golden(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(golden) / sizeof(*golden); i++) {
		unsigned char bytes[SHA256_SIZE];
		char text[HEX], got[HEX];
		struct sha256 hash;

		sha256_init(&hash);
		sha256_add(&hash, golden[i].text, strlen(golden[i].text));
		sha256_finish(&hash, bytes);
		hex(bytes, text);
		assert_string_equal(text, golden[i].hash);
		assert_string_equal(of(golden[i].body, got), golden[i].hash);
	}
}

/* What makes each key differ from its default; NULL: it does not shape. A new key needs a line here. */
static const char *const shaping[POLICY_N_KEYS] = {
	[POLICY_PRIVATE_TMP] = "yes",
	[POLICY_PRIVATE_TMP_METHOD] = "pivot",
	[POLICY_INSTANCE_ROOT] = "/srv",
	[POLICY_PRIVATE_DIRECTORY] = "/a",
	[POLICY_PRIVATE_DEV_SHM] = "yes",
	[POLICY_TEMPORARY_FILE_SYSTEM] = "/a",
	[POLICY_PRIVATE_IPC] = "yes",
	[POLICY_PRIVATE_NETWORK] = "yes",
	[POLICY_PROTECT_HOSTNAME] = "yes",
	[POLICY_PROTECT_PROC] = "invisible",
	[POLICY_PROC_SUBSET] = "pid",
	[POLICY_PRIVATE_PIDS] = "yes",
	[POLICY_PRIVATE_USERS] = "full",
	[POLICY_PROTECT_CONTROL_GROUPS] = "private",
};
static const char *const shapeless[POLICY_N_KEYS] = {
	[POLICY_ISOLATE] = "yes",
	[POLICY_TRIAL] = "no",
	[POLICY_ON_FAILURE] = "warn",
	[POLICY_SCOPE] = "session",
	[POLICY_DESCRIPTION] = "text",
	[POLICY_KILL_ON_LOGOUT] = "yes",
	[POLICY_RETURN_TO_HOST] = "yes",
};

static void test_every_key(void **state)
{
	char seen[POLICY_N_KEYS + 1][HEX];
	char body[256];

	(void)state;
	of("PrivateTmp=\n", seen[POLICY_N_KEYS]);
	for (unsigned key = 0; key < POLICY_N_KEYS; key++) {
		const char *value = shaping[key] ? shaping[key] : shapeless[key];

		assert_non_null(value);
		snprintf(body, sizeof(body), "%s=%s\n", policy_key_name(key), value);
		of(body, seen[key]);
		if (!shaping[key])
			assert_string_equal(seen[key], seen[POLICY_N_KEYS]);
		for (unsigned other = 0; shaping[key] && other <= POLICY_N_KEYS; other++)
			if (other == POLICY_N_KEYS || other < key)
				assert_string_not_equal(seen[key], seen[other]);
	}
}

/* Every word of every key but self, which is yes. */
static void test_every_word(void **state)
{
	char body[2][256];

	(void)state;
	for (unsigned key = 0; key < POLICY_N_KEYS; key++)
		for (int i = 0; shaping[key] && policy_word(key, i); i++)
			for (int j = 0; j < i; j++) {
				bool synonyms = key == POLICY_PRIVATE_USERS && i == POLICY_USERS_SELF && j == POLICY_USERS_YES;

				snprintf(body[0], sizeof(body[0]), "%s=%s\n", policy_key_name(key), policy_word(key, i));
				snprintf(body[1], sizeof(body[1]), "%s=%s\n", policy_key_name(key), policy_word(key, j));
				(synonyms ? same : differ)(body[0], body[1]);
			}
}

static void test_default_is_unset(void **state)
{
	(void)state;
	for (unsigned key = 0; key < POLICY_N_KEYS; key++) {
		char body[256];

		if (!shaping[key] || !policy_word(key, 0))
			continue;
		snprintf(body, sizeof(body), "%s=%s\n", policy_key_name(key), policy_word(key, 0));
		same(body, "Description=x\n");
	}
	same("InstanceRoot=/var//lib/nsclone/\n", "Description=x\n");
	same("PrivateDirectory=\n", "Description=x\n");
	same("PrivateDirectory=/a /b:0700\n", "PrivateDirectory=/a:0700 /b\n");
	same("PrivateDirectory=/a:0750\n", "PrivateDirectory=/a:750\n");
	same("ProtectHostname=yes:node1\n", "ProtectHostname=yes:%l\n");
}

static void test_arguments_and_lists(void **state)
{
	(void)state;
	differ("PrivateTmp=disconnected\n", "PrivateTmp=disconnected:size=1G\n");
	differ("PrivateTmp=disconnected:size=2G\n", "PrivateTmp=disconnected:size=1G\n");
	differ("ProtectHostname=yes\n", "ProtectHostname=yes:%l\n");
	differ("ProtectHostname=private:x\n", "ProtectHostname=yes:x\n");
	differ("PrivateDirectory=/a\n", "PrivateDirectory=/a:0750\n");
	differ("PrivateDirectory=/a /b\n", "PrivateDirectory=/b /a\n");
	differ("PrivateDirectory=/a /b\n", "PrivateDirectory=/a\n");
	differ("TemporaryFileSystem=/a:ro /b\n", "TemporaryFileSystem=/a /b:ro\n");
	differ("TemporaryFileSystem=/a\n", "PrivateDirectory=/a\n");
	differ("InstanceRoot=/a/%u\n", "InstanceRoot=/a/%U\n");
}

/* What is in a path cannot be taken for what stands between paths. */
static void test_unambiguous(void **state)
{
	(void)state;
	differ("TemporaryFileSystem=/a,-,2\\:/b\n", "TemporaryFileSystem=/a /b\n");
	differ("TemporaryFileSystem='/a,-,2\\:/b,-'\n", "TemporaryFileSystem=/a /b\n");
	differ("PrivateDirectory='/a,4\\:0700,2\\:/b'\n", "PrivateDirectory=/a /b\n");
	differ("PrivateDirectory='/a /b'\n", "PrivateDirectory=/a /b\n");
	differ("InstanceRoot=/a,\n", "InstanceRoot=/a\n");
}

/* Who said it, where, in which order and what it overrode. */
static void test_same_settings(void **state)
{
	static const char *const policies[] = {
		ALL "PrivateTmp=yes\nPrivateIPC=yes\nTemporaryFileSystem=/a /b:ro\n",
		"# a comment\n\n" ALL "\n\nPrivateIPC=yes\nTemporaryFileSystem=/a\nTemporaryFileSystem=/b:ro\nPrivateTmp=yes\n",
		ALL "PrivateTmp=persistent\nDescription=x\n" ALL "TemporaryFileSystem=/a:ro\nPrivateIPC=yes\n" ALL
		    "PrivateTmp=yes\nTemporaryFileSystem=/b:ro /a\n",
		ALL "PrivateNetwork=yes\nPrivateTmp=yes\nTemporaryFileSystem=/c\n" ALL
		    "PrivateNetwork=\nTemporaryFileSystem=\nPrivateIPC=yes\n" ALL "TemporaryFileSystem=/a /b:ro\n",
		"[Match]\nUser=bob\n[Session]\nPrivateNetwork=yes\n" ALL
		"PrivateTmp=yes\nPrivateIPC=yes\nOnFailure=warn\nScope=session\nTemporaryFileSystem=/%%a /a /b:ro\n" ALL
		"TemporaryFileSystem=\nTemporaryFileSystem=/a '/b:ro'\n" ALL "Trial=yes\nProcSubset=pid\n",
	};
	char first[HEX], other[HEX];

	(void)state;
	of_policy(policies[0], first);
	for (size_t i = 1; i < sizeof(policies) / sizeof(*policies); i++)
		assert_string_equal(of_policy(policies[i], other), first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_every_key),
		cmocka_unit_test(test_every_word),
		cmocka_unit_test(test_default_is_unset),
		cmocka_unit_test(test_arguments_and_lists),
		cmocka_unit_test(test_unambiguous),
		cmocka_unit_test(test_same_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
