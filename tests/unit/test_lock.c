/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lock of a user's directory: logins that find all they need share it; whoever makes or repairs what others will
 * find has it alone. Each case runs in a child, in a world of its own. Needs root.
 */
#include "tests/unit/test_scratch.h"

#include <sys/file.h>
#include "lib/core/sys.h"
#include "lib/session/plan.h"
#include "lib/session/session.h"

#define ROOT "/var/lib/nsclone"
#define USER ROOT "/20001"
enum { HELD_MS = 400 };

/* What a login of PrivateTmp=persistent leaves. */
static void scratch_after_login(void)
{
	scratch_world(CLONE_NEWNS);
	must(mkdir(ROOT, 0700), ROOT);
	must(mkdir(USER, 0700), USER);
	must(chown(USER, UID, UID), USER);
	must(mkdir(USER "/tmp", 0), "tmp");
	must(chmod(USER "/tmp", 01777), "tmp");
	must(mkdir(USER "/var-tmp", 0), "var-tmp");
	must(chmod(USER "/var-tmp", 01777), "var-tmp");
}

static int log_in(int tmp)
{
	struct policy_result result = {0};
	struct session *session = NULL;
	bool undo_failed = false;
	struct err err = {0};

	result.settings[POLICY_ISOLATE].word = POLICY_YES;
	result.settings[POLICY_PRIVATE_TMP].word = tmp;
	return plan_run(plan_for(&result), &ALICE, NULL, &session, &undo_failed, &err);
}

/* Another login, which has the lock for HELD_MS and then does something. */
static void another(int operation, void (*at_its_end)(void))
{
	int fds[2], fd;
	char c;

	must(sys_pipe(fds), "pipe");
	if (fork() != 0) {
		close(fds[1]);
		must(read(fds[0], &c, 1) == 1 ? 0 : -1, "another login");
		return;
	}
	fd = open(USER, O_RDONLY | O_DIRECTORY);
	must(flock(fd, operation), "flock");
	must(write(fds[1], "x", 1) == 1 ? 0 : -1, "pipe");
	sys_sleep_us(HELD_MS * 1000);
	if (at_its_end)
		at_its_end();
	_exit(0);
}

/* How the login ended: r, and whether it waited for the other. */
struct outcome {
	int r;
	bool waited;
};

typedef void change(void);

static struct outcome login_in_child(int tmp, change *before, int operation, change *at_its_end)
{
	struct outcome outcome = {-1, false};
	int fds[2], status;
	pid_t pid;

	assert_int_equal(sys_pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int64_t began;

		scratch_after_login();
		if (before)
			before();
		another(operation, at_its_end);
		began = sys_monotonic_ms();
		outcome.r = log_in(tmp);
		outcome.waited = sys_monotonic_ms() - began > HELD_MS / 2;
		must(write(fds[1], &outcome, sizeof(outcome)) == sizeof(outcome) ? 0 : -1, "pipe");
		_exit(0);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &outcome, sizeof(outcome)), sizeof(outcome));
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return outcome;
}

#define CASE(tmp, before, operation, at_its_end, result, waits)                                                        \
	do {                                                                                                           \
		struct outcome outcome = login_in_child(tmp, before, operation, at_its_end);                           \
		assert_int_equal(outcome.r, result);                                                                   \
		assert_int_equal(outcome.waited, waits);                                                               \
	} while (0)

static void remove_var_tmp(void)
{
	must(rmdir(USER "/var-tmp"), "rmdir");
}

static void open_var_tmp(void)
{
	must(chmod(USER "/var-tmp", 0755), "chmod");
}

static void open_user(void)
{
	must(chmod(USER, 0755), "chmod");
}

static void remove_all(void)
{
	must(rmdir(USER "/tmp"), "rmdir");
	must(rmdir(USER), "rmdir");
}

static void who_finds_all_shares(void **state)
{
	(void)state;
	CASE(POLICY_TMP_PERSISTENT, NULL, LOCK_SH, NULL, 0, false);
	CASE(POLICY_TMP_YES, NULL, LOCK_SH, NULL, 0, false); /* what it makes has a name of its own */
}

static void who_makes_is_waited_for(void **state)
{
	(void)state;
	CASE(POLICY_TMP_PERSISTENT, NULL, LOCK_EX, NULL, 0, true);
	CASE(POLICY_TMP_YES, NULL, LOCK_EX, NULL, 0, true);
}

static void who_makes_is_alone(void **state)
{
	(void)state;
	CASE(POLICY_TMP_PERSISTENT, remove_var_tmp, LOCK_SH, NULL, 0, true);
}

static void who_repairs_is_alone(void **state)
{
	(void)state;
	CASE(POLICY_TMP_PERSISTENT, open_var_tmp, LOCK_SH, NULL, 0, true);
	CASE(POLICY_TMP_PERSISTENT, open_user, LOCK_SH, NULL, 0, true);
}

/* While it waits to have the lock alone, the directory is undone by the other one. */
static void what_was_undone_is_begun_anew(void **state)
{
	(void)state;
	CASE(POLICY_TMP_PERSISTENT, remove_var_tmp, LOCK_SH, remove_all, -ESTALE, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_finds_all_shares),	 cmocka_unit_test(who_makes_is_waited_for),
		cmocka_unit_test(who_makes_is_alone),	 cmocka_unit_test(who_repairs_is_alone),
		cmocka_unit_test(what_was_undone_is_begun_anew),
	};

	if (geteuid() != 0) {
		puts("SKIP test_lock: needs root");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
