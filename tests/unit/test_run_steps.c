/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * No step's result is ignored: each of the calls below is what a step is there for, so where one of them fails the plan
 * fails, says why, and the process is where it was. (test_run.c lets everything fail, and accepts what may be borne.)
 * Each case runs in a child with mounts, /run and /var/lib of its own. Needs root.
 */
/* WRAP: nsclone_unshare nsclone_mount_all_slave nsclone_loopback_up nsclone_mount_new nsclone_mount_copy */
/* WRAP: nsclone_mount_attributes nsclone_mount_attach nsclone_mount_detach nsclone_pivot_root */
/* WRAP: sys_sethostname sys_umount_cwd sys_mkdirat sys_fchown sys_fchmod sys_rename_noreplace sys_symlinkat */
/* WRAP: sys_flock */
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
#include <sys/wait.h>
#include <unistd.h>
#include "lib/core/sys.h"
#include "lib/session/plan.h"

static const char *fault;   /* the call that fails */
static int countdown = -1; /* so many go well before; then negative */

static int faulty(const char *name)
{
	return fault && strcmp(name, fault) == 0 && countdown >= 0 && countdown-- == 0;
}

#define WRAPPED(name, parameters, arguments)                                                                           \
	int __real_##name parameters;                                                                                  \
	int __wrap_##name parameters;                                                                                  \
	int __wrap_##name parameters                                                                                   \
	{                                                                                                              \
		return faulty(#name) ? -EIO : __real_##name arguments;                                                 \
	}

WRAPPED(nsclone_unshare, (uint64_t flags), (flags))
WRAPPED(nsclone_mount_all_slave, (void), ())
WRAPPED(nsclone_loopback_up, (void), ())
WRAPPED(nsclone_mount_new,
	(const char *type, const struct nsclone_mount_option *options, size_t n, uint64_t attributes,
	 struct nsclone_error *error),
	(type, options, n, attributes, error))
WRAPPED(nsclone_mount_copy, (int dirfd, const char *path, bool recursive), (dirfd, path, recursive))
WRAPPED(nsclone_mount_attributes, (int fd, bool recursive, uint64_t set, uint64_t clear), (fd, recursive, set, clear))
WRAPPED(nsclone_mount_attach, (int mount, int target), (mount, target))
WRAPPED(nsclone_mount_detach, (int fd), (fd))
WRAPPED(nsclone_pivot_root, (const char *new_root, const char *put_old), (new_root, put_old))
WRAPPED(sys_sethostname, (const char *name), (name))
WRAPPED(sys_umount_cwd, (void), ())
WRAPPED(sys_mkdirat, (int dirfd, const char *name, mode_t mode), (dirfd, name, mode))
WRAPPED(sys_fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
WRAPPED(sys_fchmod, (int fd, mode_t mode), (fd, mode))
WRAPPED(sys_rename_noreplace, (int a, const char *from, int b, const char *to), (a, from, b, to))
WRAPPED(sys_symlinkat, (const char *target, int dirfd, const char *name), (target, dirfd, name))
WRAPPED(sys_flock, (int fd, int operation), (fd, operation))

static const char *const CALLS[] = {
	"nsclone_unshare",    "nsclone_mount_all_slave", "nsclone_loopback_up",  "nsclone_mount_new", "nsclone_mount_copy",
	"nsclone_mount_attributes", "nsclone_mount_attach",    "nsclone_mount_detach", "nsclone_pivot_root",
	"sys_sethostname",	    "sys_umount_cwd",	       "sys_mkdirat",	       "sys_fchown",
	"sys_fchmod",		    "sys_rename_noreplace",    "sys_symlinkat",	       "sys_flock",
};
enum { N_CALLS = sizeof(CALLS) / sizeof(*CALLS), UID = 20001, REACHED = 40, NOT_REACHED };

static const struct policy_subject ALICE = {
	.user = "alice", .uid = UID, .gid = UID, .home = "/home/alice", .service = "test",
};

static void must(int r, const char *what)
{
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", what, strerror(errno));
		_exit(99);
	}
}

static void scratch_world(void)
{
	must(unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS), "unshare");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
	must(mount("scratch", "/run", "tmpfs", 0, "mode=755"), "/run");
	must(mount("scratch", "/var/lib", "tmpfs", 0, "mode=755"), "/var/lib");
	must(mount("scratch", "/tmp", "tmpfs", 0, "mode=1777"), "/tmp");
}

static struct plan *make_plan(int method)
{
	static struct policy_result result;
	struct policy_setting *settings = result.settings;
	static struct facts facts;
	struct plan *plan = NULL;
	struct err err = {0};

	settings[POLICY_ISOLATE].word = POLICY_YES;
	settings[POLICY_PRIVATE_TMP].word = POLICY_TMP_YES;
	settings[POLICY_PRIVATE_TMP_METHOD].word = method;
	settings[POLICY_PRIVATE_DEV_SHM].word = POLICY_YES;
	settings[POLICY_PRIVATE_IPC].word = POLICY_YES;
	settings[POLICY_PRIVATE_NETWORK].word = POLICY_YES;
	settings[POLICY_PROTECT_HOSTNAME].word = POLICY_HOSTNAME_YES;
	settings[POLICY_PROTECT_HOSTNAME].text = "inside";
	settings[POLICY_PROTECT_PROC].word = POLICY_PROC_INVISIBLE;
	must(facts_gather(&result, &facts, &err), err.text);
	must(plan_build(&result, &ALICE, &facts, &plan, &err), err.text);
	return plan;
}

/* In a child: the nth call of that name fails. Ends with REACHED or NOT_REACHED where all is as it must be. */
static int one_case(int method, const char *name, int n)
{
	struct session *session = NULL;
	char before[64], after[64];
	bool undo_failed = false;
	struct plan *plan;
	struct err err = {0};
	int r;

	scratch_world();
	plan = make_plan(method);
	must(sys_readlinkat(AT_FDCWD, "/proc/self/ns/mnt", before, sizeof(before)) < 0 ? -1 : 0, "before");
	fault = name;
	countdown = n;
	r = plan_run(plan, &ALICE, NULL, &session, &undo_failed, &err);
	if (countdown >= 0)
		return r == 0 ? NOT_REACHED : 1;
	must(sys_readlinkat(AT_FDCWD, "/proc/self/ns/mnt", after, sizeof(after)) < 0 ? -1 : 0, "after");
	return r >= 0 ? 2 : undo_failed ? 3 : !err.text[0] ? 4 : strcmp(before, after) ? 5 : REACHED;
}

static int in_child(int method, const char *name, int n)
{
	int status, r;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(one_case(method, name, n));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	r = WIFEXITED(status) ? WEXITSTATUS(status) : 100;
	if (r < REACHED)
		fprintf(stderr, "%s, its call %d, fails: %s\n", name, n + 1,
			r == 2 ? "and the plan succeeds" : "but the plan does not fail as it must");
	return r;
}

/* Each of its calls in turn. Returns how many there were. */
static int sweep(int method, const char *name)
{
	int n = 0, r;

	while ((r = in_child(method, name, n)) == REACHED)
		n++;
	assert_int_equal(r, NOT_REACHED);
	return n;
}

static void no_step_is_ignored(void **state)
{
	(void)state;
	for (int i = 0; i < N_CALLS; i++) {
		int bind = sweep(POLICY_METHOD_BIND, CALLS[i]), pivot = sweep(POLICY_METHOD_PIVOT, CALLS[i]);

		if (bind + pivot == 0)
			fail_msg("%s is never called", CALLS[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(no_step_is_ignored)};

	if (geteuid() != 0) {
		puts("SKIP test_run_steps: needs root");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
