/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan_run() is all or nothing: every entry to the kernel that it makes is made to fail once, and from once on. Each
 * time the process and the disk must be as before, or, where the failure is one that may be borne, isolation must be
 * complete. Each case runs in a child with mounts, /run and /var/lib of its own. Needs root.
 */
/* WRAP: sys_open sys_openat sys_fstat sys_fstatat sys_mkdirat sys_fchown sys_fchmod sys_rename_noreplace */
/* WRAP: sys_unlinkat sys_symlinkat sys_readlinkat sys_flock sys_fchdir sys_chdir sys_getcwd sys_sethostname */
/* WRAP: sys_random sys_process_id sys_place sys_set_fs_ids sys_prctl sys_umount_cwd nsclone_unshare nsclone_setns */
/* WRAP: nsclone_open_trusted nsclone_open_nosymlink nsclone_ns_open_self nsclone_mount_new nsclone_mount_copy */
/* WRAP: nsclone_mount_attributes nsclone_mount_attach nsclone_mount_all_slave nsclone_mount_is_root */
/* WRAP: nsclone_mount_detach nsclone_pivot_root nsclone_loopback_up */
#include "tests/unit/test_sweep.h"

#include "lib/session/plan.h"
#include "lib/session/registry.h"

static void scratch_with_mounts(void)
{
	scratch_world(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS);
	must(mkdir("/tmp/below", 0755), "/tmp/below");
	scratch_at("/tmp/below", "mode=755");
	must(mkdir("/var/lib/nsclone", 0700), "/var/lib/nsclone");
	must(chdir("/tmp"), "/tmp");
}

/* ---- A case ---- */

static int complete(int tmp)
{
	char name[64];
	struct stat st;

	if (gethostname(name, sizeof(name)) < 0 || strcmp(name, "inside") != 0)
		return 0;
	if (stat("/tmp/below", &st) == 0 || stat("/tmp", &st) < 0 || (st.st_mode & 07777) != 01777)
		return 0;
	return tmp != POLICY_TMP_PERSISTENT || access("/var/lib/nsclone/20001/tmp", F_OK) == 0;
}

/* 0: failed and all is as before, or succeeded and complete. 1: it was not reached. Else what is wrong. */
static int one_case(int tmp, int method, int from, int to)
{
	struct policy_result result = {0};
	struct session *session = NULL;
	struct plan *plan;
	bool undo_failed = false;
	struct err err = {0};
	char *before, *after;
	int r;

	isolate(result.settings, tmp, method);
	scratch_with_mounts();
	plan = plan_for(&result);
	before = look();
	fail_calls(from, to);
	r = plan_run(plan, &ALICE, NULL, &session, &undo_failed, &err);
	fail_calls(0, 0);
	if (!failed_call)
		return r == 0 && complete(tmp) ? 1 : 2;
	if (r == 0)
		return complete(tmp) ? 0 : 3;
	if (undo_failed)
		return to > from ? 0 : 4; /* one failure alone is always undone */
	after = look();
	if (strcmp(before, after) != 0) {
		fprintf(stderr, "%s failed (call %d): before:\n%s\nafter:\n%s\n", failed_call, from, before, after);
		return 5;
	}
	return err.text[0] ? 0 : 6;
}

static int case_in_child(int tmp, int method, int from, int to)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int r = one_case(tmp, method, from, to);

		if (r > 1)
			fprintf(stderr, "case %d/%d, calls %d to %d (%s): %d\n", tmp, method, from, to,
				failed_call ? failed_call : "none", r);
		_exit(r);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

static void sweep(int tmp, int method, int forever)
{
	int r = 0, i;

	for (i = 1; r == 0; i++)
		r = case_in_child(tmp, method, i, forever ? 1 << 30 : i);
	assert_int_equal(r, 1); /* the sweep ended because the run needs no further call */
	assert_true(i > 40);    /* and not because nothing was wrapped */
}

static void each_call_fails_once(void **state)
{
	(void)state;
	sweep(POLICY_TMP_YES, POLICY_METHOD_BIND, 0);
	sweep(POLICY_TMP_PERSISTENT, POLICY_METHOD_BIND, 0);
	sweep(POLICY_TMP_DISCONNECTED, POLICY_METHOD_BIND, 0);
}

static void each_call_fails_once_with_pivot(void **state)
{
	(void)state;
	sweep(POLICY_TMP_YES, POLICY_METHOD_PIVOT, 0);
}

static void every_call_fails_from_one_on(void **state)
{
	(void)state;
	sweep(POLICY_TMP_YES, POLICY_METHOD_BIND, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_fails_once),
		cmocka_unit_test(each_call_fails_once_with_pivot),
		cmocka_unit_test(every_call_fails_from_one_on),
	};

	if (geteuid() != 0) {
		puts("SKIP test_run: needs root");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
