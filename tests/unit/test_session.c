/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whose a session is: its end acts only in the process, and as the user, that opened it; and what is recorded of a
 * living process is nobody's litter. Each case runs in a child with mounts, /run and /var/lib of its own. Needs root.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/core/sys.h"
#include "lib/session/litter.h"
#include "lib/session/plan.h"
#include "lib/session/registry.h"
#include "lib/session/session.h"

enum { UID = 20001 };

static const struct policy_subject ALICE = {
	.user = "alice", .uid = UID, .gid = UID, .home = "/home/alice", .service = "test",
};

#define CHECK(expression)                                                                                              \
	do {                                                                                                           \
		if (!(expression)) {                                                                                   \
			fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #expression, errno);             \
			_exit(1);                                                                                      \
		}                                                                                                      \
	} while (0)

static int in_child(void (*function)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		function();
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

static void scratch_world(void)
{
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("scratch", "/run", "tmpfs", 0, "mode=755") == 0);
	CHECK(mount("scratch", "/var/lib", "tmpfs", 0, "mode=755") == 0);
	CHECK(chdir("/") == 0);
}

static const char *mount_ns(void)
{
	static char ns[64];

	CHECK(sys_readlinkat(AT_FDCWD, "/proc/self/ns/mnt", ns, sizeof(ns)) > 0);
	return ns;
}

static struct session *session; /* of the process that runs a case, and of its children */

static void open_session(void)
{
	static struct policy_result result;
	struct facts facts = {0};
	struct plan *plan = NULL;
	struct err err = {0};
	bool undo_failed;

	result.settings[POLICY_ISOLATE].word = POLICY_YES;
	result.settings[POLICY_PRIVATE_TMP].word = POLICY_TMP_YES;
	CHECK(facts_gather(&result, &facts, &err) == 0);
	CHECK(plan_build(&result, &ALICE, &facts, &plan, &err) == 0);
	CHECK(plan_run(plan, &ALICE, NULL, &session, &undo_failed, &err) == 0);
}

static void close_in_a_child(void)
{
	struct err err = {0};
	char before[64];

	strcpy(before, mount_ns());
	CHECK(session_close(session, &err) == 0);
	CHECK(strcmp(before, mount_ns()) == 0);
}

static void another_process(void)
{
	struct err err = {0};
	char host[64];

	scratch_world();
	strcpy(host, mount_ns());
	open_session();
	CHECK(strcmp(host, mount_ns()) != 0);
	CHECK(in_child(close_in_a_child) == 0);
	CHECK(strcmp(host, mount_ns()) != 0);
	CHECK(session_close(session, &err) == 0);
	CHECK(strcmp(host, mount_ns()) == 0);
}

static void another_user(void)
{
	struct err err = {0};
	char inside[64];

	scratch_world();
	open_session();
	strcpy(inside, mount_ns());
	CHECK(seteuid(UID) == 0);
	CHECK(session_close(session, &err) == 0);
	CHECK(err.text[0] == '\0');
	CHECK(strcmp(inside, mount_ns()) == 0);
}

static char path[256]; /* of a session's directory that was never mounted */

static void arrange(void)
{
	char origin[9];

	scratch_world();
	facts_origin(origin);
	CHECK(strlen(origin) == 8);
	snprintf(path, sizeof(path), "/var/lib/nsclone/20001/" RECORD_SESSION "%s-0123456789abcdef", origin);
}

static const char *record_name(void)
{
	static char name[64];

	snprintf(name, sizeof(name), "%d-%s", UID, strstr(path, RECORD_SESSION) + strlen(RECORD_SESSION));
	return name;
}

static void record(void)
{
	const struct session_traces traces = {
		.record = record_name(), .path = path, .uid = UID, .gid = UID,
	};
	struct err err = {0};

	CHECK(mkdir("/var/lib/nsclone", 0700) == 0 && mkdir("/var/lib/nsclone/20001", 0700) == 0);
	CHECK(chown("/var/lib/nsclone/20001", UID, UID) == 0);
	CHECK(registry_add(&traces, &err) == 0);
	CHECK(mkdir(path, 0700) == 0);
}

static void recorded_by_the_living(void)
{
	struct err err = {0};

	arrange();
	record();
	CHECK(registry_clean(NULL, 0, false, NULL, NULL, &err) == 0);
	CHECK(access(path, F_OK) == 0);
}

static void recorded_by_the_dead(void)
{
	struct err err = {0};

	arrange();
	CHECK(in_child(record) == 0);
	CHECK(access(path, F_OK) == 0);
	CHECK(registry_clean(NULL, 0, false, NULL, NULL, &err) == 0);
	CHECK(access(path, F_OK) < 0);
}

#define IN_CHILD(name)                                                                                                 \
	static void test_##name(void **state)                                                                          \
	{                                                                                                              \
		(void)state;                                                                                           \
		assert_int_equal(in_child(name), 0);                                                                   \
	}

IN_CHILD(another_process)
IN_CHILD(another_user)
IN_CHILD(recorded_by_the_living)
IN_CHILD(recorded_by_the_dead)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_process),
		cmocka_unit_test(test_another_user),
		cmocka_unit_test(test_recorded_by_the_living),
		cmocka_unit_test(test_recorded_by_the_dead),
	};

	if (geteuid() != 0) {
		puts("SKIP test_session: needs root");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
