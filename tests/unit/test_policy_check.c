/* SPDX-License-Identifier: BSD-3-Clause */
/* What `nsclone check` says of a policy's text alone: one rule and all findings about it. */
#include "tests/unit/test_policy.h"

/*
 * The command's objects are in no library. The analyser does not know that cmocka's assertions do not return.
 * NOLINTBEGIN(bugprone-suspicious-include,clang-analyzer-core.*)
 */
#include "cmd/alloc.c"
#include "cmd/check_policy.c"
#include "cmd/check_world.c"

static char findings[4096];

/* LINE:COLUMN: severity: message | hint */
void check_say(struct check *check, enum check_severity severity, struct policy_pos pos, const char *hint,
	       const char *format, ...)
{
	static const char *const names[] = {"error", "warning", "unseen"};
	size_t n = strlen(findings), room = sizeof(findings);
	va_list arguments;

	check->count[severity]++;
	n += (size_t)snprintf(findings + n, room - n, "%u:%u: %s: ", pos.line, pos.column, names[severity]);
	va_start(arguments, format);
	n += (size_t)vsnprintf(findings + n, room - n, format, arguments);
	va_end(arguments);
	snprintf(findings + n, room - n, "%s%s\n", hint ? " | " : "", hint ? hint : "");
}

struct policy_pos check_at(const char *file, unsigned line)
{
	return (struct policy_pos){file, line, 0};
}

bool check_has_service(const struct check *check, const char *name)
{
	(void)check;
	(void)name;
	return true;
}

bool sshd_config_is(const char *keyword, const char *value)
{
	(void)keyword;
	(void)value;
	return false;
}

static void says(const char *match, const char *session, const char *expected)
{
	struct check check = {.directory = NULL};
	char text[512];
	struct scene s;

	snprintf(text, sizeof(text), "[Match]\n%s\n[Session]\n%s\n", match, session);
	s = scene(text);
	assert_sound(&s);
	check.policy = s.policy;
	for (size_t i = 0; i < policy_n_rules(s.policy); i++)
		check.keys |= check_keys_of(s.policy, i);
	findings[0] = '\0';
	check_policy(&check);
	if (strcmp(findings, expected) != 0)
		fail_msg("expected:\n%s--- got:\n%s", expected, findings);
	scene_done(&s);
}

#define NO_SYSTEMD                                                                                                     \
	"4:1: warning: PrivatePIDs=yes: systemctl --user and systemd-run do not work inside, where no user manager "   \
	"can be\n"
#define NO_MANAGER                                                                                                     \
	"4:1: warning: PrivatePIDs=yes: the login of the user manager (systemd-user) is refused | "                    \
	"Service=!systemd-user\n"

static void test_pids(void **state)
{
	(void)state;
	says("User=*", "PrivatePIDs=yes", NO_SYSTEMD NO_MANAGER);
	says("Service=s*", "PrivatePIDs=yes", NO_SYSTEMD NO_MANAGER);
	says("Service=sshd systemd-user", "PrivatePIDs=yes", NO_SYSTEMD NO_MANAGER);
	says("Service=!cron", "PrivatePIDs=yes", NO_SYSTEMD NO_MANAGER);
	says("Service=sshd cron", "PrivatePIDs=yes", NO_SYSTEMD);
	says("Service=!systemd-user", "PrivatePIDs=yes", NO_SYSTEMD);
	says("Service=* !systemd-*", "PrivatePIDs=yes", NO_SYSTEMD);
	says("User=*", "PrivatePIDs=no", "");
}

#define STAYS(word)                                                                                                    \
	"4:1: warning: PrivateUsers=" word " cannot be undone: the daemon's process stays in the user namespace until " \
	"it ends\n"
#define GROUPS                                                                                                         \
	"4:1: warning: PrivateUsers=yes: users with supplementary groups are refused, for these are not in the map | " \
	"PrivateUsers=identity maps ids below 65536\n"
#define IDENTITY                                                                                                       \
	"4:1: warning: PrivateUsers=identity: users with a uid or group from 65536 on are refused, for it is not in "  \
	"the map | PrivateUsers=full maps all\n"

static void test_users(void **state)
{
	(void)state;
	says("User=*", "PrivateUsers=yes", STAYS("yes") GROUPS);
	says("User=*", "PrivateUsers=self", STAYS("yes") GROUPS);
	says("User=*", "PrivateUsers=full", STAYS("full"));
	says("User=*", "PrivateUsers=no", "");
	says("User=1000- 65535 !70000 alice 65536x", "PrivateUsers=identity", STAYS("identity") IDENTITY);
	says("User=alice 65536", "PrivateUsers=identity",
	     STAYS("identity") IDENTITY
	     "2:12: error: User=65536: PrivateUsers=identity has no such uid in its map | PrivateUsers=full\n");
	says("User=100000-200000", "PrivateUsers=identity",
	     STAYS("identity") IDENTITY
	     "2:6: error: User=100000-200000: PrivateUsers=identity has no such uid in its map | PrivateUsers=full\n");
}

#define ISOLATION_WINS                                                                                                 \
	"4:1: warning: ReturnToHost=yes and isolation in one rule: isolation wins, and the login goes into its own "   \
	"world, not to the host | say it in a rule that isolates nobody\n"

static void test_return(void **state)
{
	(void)state;
	says("User=*", "ReturnToHost=yes", "");
	says("User=*", "ReturnToHost=yes\nDescription=x\nKillOnLogout=yes\nScope=session\nPrivateTmp=no", "");
	says("User=*", "ReturnToHost=yes\nPrivateTmp=yes", ISOLATION_WINS);
	says("User=*", "ReturnToHost=yes\nTemporaryFileSystem=/a", ISOLATION_WINS);
	says("User=*", "ReturnToHost=no\nPrivateTmp=yes", "");
}

static void test_fine(void **state)
{
	(void)state;
	says("User=*", "KillOnLogout=yes\nScope=session\nPrivateTmp=yes", "");
	says("User=*", "KillOnLogout=yes\nScope=user\nPrivateTmp=yes", "");
	says("User=*", "ProtectControlGroups=strict", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pids),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_return),
		cmocka_unit_test(test_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
/* NOLINTEND(bugprone-suspicious-include,clang-analyzer-core.*) */
