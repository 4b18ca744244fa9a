/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * No step's result is ignored: each of the calls below is what a step is there for, so where one of them fails the plan
 * fails, says why, and the process is where it was: in its namespaces, with its descriptors, with no child and no record
 * left. (test_run.c lets everything fail, and accepts what may be borne.) Each case runs in a child with mounts, /run and
 * /var/lib of its own. Needs root.
 */
/* WRAP: nsclone_unshare nsclone_mount_all_slave nsclone_loopback_up nsclone_mount_new nsclone_mount_copy */
/* WRAP: nsclone_mount_attributes nsclone_mount_attach nsclone_mount_detach nsclone_pivot_root */
/* WRAP: sys_sethostname sys_umount_cwd sys_mkdirat sys_fchown sys_fchmod sys_rename_noreplace sys_symlinkat */
/* WRAP: sys_flock nsclone_setns nsclone_clone nsclone_ns_open sys_pipe sys_write sys_duplicate */
#include "tests/unit/test_faults_by_name.h"

#include <dirent.h>
#include "lib/core/sys.h"
#include "lib/session/plan.h"
#include "tests/unit/test_scratch.h"

#define EACH_CALL(X)                                                                                                   \
	X(nsclone_unshare) X(nsclone_mount_all_slave) X(nsclone_loopback_up) X(nsclone_mount_new) X(nsclone_mount_copy) \
	X(nsclone_mount_attributes) X(nsclone_mount_attach) X(nsclone_mount_detach) X(nsclone_pivot_root)              \
	X(sys_sethostname) X(sys_umount_cwd) X(sys_mkdirat) X(sys_fchown) X(sys_fchmod) X(sys_rename_noreplace)        \
	X(sys_symlinkat) X(sys_flock) X(nsclone_setns) X(nsclone_ns_open) X(nsclone_clone) X(sys_pipe) X(sys_write)    \
	X(sys_duplicate)
#define NAME(name) #name,

EACH_CALL(STAND_IN)

static const char *const CALLS[] = {EACH_CALL(NAME)};

/* What the plan is for: a private /tmp by either method with what goes with it; a world with a PID and a user namespace; a
 * world that is there already, joined. */
enum kind { BIND, PIVOT, WORLD, JOIN, N_KINDS };
enum { N_CALLS = sizeof(CALLS) / sizeof(*CALLS), REACHED = 40, NOT_REACHED };

/* ---- The plans ---- */

static struct plan_given given;

/* The init of a PID namespace, which shares its parent's descriptors: a proc of it. It ends with its parent. */
static int init(int pipe)
{
	struct nsclone_error core = {0};
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = nsclone_mount_new("proc", NULL, 0, 0, &core);
	if (write(pipe, &fd, sizeof(fd)) != sizeof(fd) || fd < 0)
		return 1;
	for (;;)
		pause();
}

/* What the keeper gives to who builds a world with a PID namespace. */
static void give_pids(void)
{
	int before = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC), fds[2];
	long pid;

	must(before, "/proc/self/ns/pid");
	must(pipe(fds), "pipe");
	must(unshare(CLONE_NEWPID), "unshare pid");
	given.ns[KEEPER_NS_PID] = open("/proc/self/ns/pid_for_children", O_RDONLY | O_CLOEXEC); /* once it has an init */
	pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
	must((int)pid, "clone");
	if (pid == 0)
		_exit(init(fds[1]));
	must(read(fds[0], &given.proc, sizeof(given.proc)) == sizeof(given.proc) ? given.proc : -1, "a proc of it");
	given.ns[KEEPER_NS_PID] = open("/proc/self/ns/pid_for_children", O_RDONLY | O_CLOEXEC);
	must(given.ns[KEEPER_NS_PID], "pid_for_children");
	must(setns(before, CLONE_NEWPID), "setns");
	close(fds[0]);
	close(fds[1]);
	close(before);
}

/* A world that somebody else has built: all namespaces but the PID namespace, with which the user namespace is joined last. */
static void give_world(void)
{
	static const char *const NAMES[] = {[KEEPER_NS_MNT] = "mnt", [KEEPER_NS_IPC] = "ipc", [KEEPER_NS_UTS] = "uts",
					    [KEEPER_NS_NET] = "net", [KEEPER_NS_PID] = NULL,  [KEEPER_NS_CGROUP] = "cgroup",
					    [KEEPER_NS_USER] = "user"};
	int ready[2], byte;
	pid_t pid;

	must(pipe(ready), "pipe");
	pid = fork();
	must(pid, "fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		must(unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP), "a world");
		must(unshare(CLONE_NEWUSER), "a user namespace");
		must(write(ready[1], "", 1) == 1 ? 0 : -1, "write");
		for (;;)
			pause();
	}
	must(read(ready[0], &byte, 1) == 1 ? 0 : -1, "a world");
	for (int i = 0; i < KEEPER_N_NS; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, NAMES[i] ? NAMES[i] : "");
		given.ns[i] = NAMES[i] ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	}
	close(ready[0]);
	close(ready[1]);
}

static void settings_of(enum kind kind, struct policy_setting *settings)
{
	isolate(settings, POLICY_TMP_YES, kind == PIVOT ? POLICY_METHOD_PIVOT : POLICY_METHOD_BIND);
	if (kind == WORLD) {
		settings[POLICY_PRIVATE_PIDS].word = POLICY_YES;
		settings[POLICY_PRIVATE_USERS].word = POLICY_USERS_YES;
	}
}

static struct plan *make_plan(enum kind kind)
{
	static struct policy_result result;
	struct plan *plan = NULL;
	struct err err = {0};

	given = PLAN_NOTHING_GIVEN;
	if (kind == JOIN) {
		give_world();
		must(plan_build_join(&ALICE,
				     CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_NEWUSER,
				     "the world", (struct policy_pos){0}, &plan, &err),
		     err.text);
		return plan;
	}
	if (kind == WORLD)
		give_pids();
	settings_of(kind, result.settings);
	return plan_for(&result);
}

/* ---- What must be as before ---- */

static int entries(const char *path)
{
	struct dirent **names = NULL;
	int n = scandir(path, &names, NULL, NULL);

	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return n;
}

/* Namespaces, descriptors and records, as a text. */
static void look(char *text, size_t size)
{
	static const char *const NAMES[] = {"mnt", "ipc", "uts", "net", "pid_for_children", "cgroup", "user"};
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(*NAMES); i++) {
		char path[64], link[64] = "";
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", NAMES[i]);
		n = readlink(path, link, sizeof(link) - 1);
		used += (size_t)snprintf(text + used, size - used, "%s ", n < 0 ? "none" : link);
	}
	snprintf(text + used, size - used, "%d descriptors, %d records, %d directories", entries("/proc/self/fd"),
		 entries("/run/nsclone/sessions"), entries("/var/lib/nsclone/20001"));
}

/* The one that gives is there; is another, which wait(2) may not even tell of? */
static int other_children(enum kind kind)
{
	return kind == BIND || kind == PIVOT ? waitpid(-1, NULL, __WALL | WNOHANG) >= 0 : waitpid(-1, NULL, __WALL | WNOHANG) > 0;
}

/* In a child: the nth call of that name fails. Ends with REACHED or NOT_REACHED where all is as it must be. */
static int one_case(enum kind kind, const char *name, int n)
{
	struct session *session = NULL;
	char before[640], after[640];
	bool undo_failed = false;
	struct plan *plan;
	struct err err = {0};
	int r;

	scratch_world(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS);
	plan = make_plan(kind);
	must(mkdir("/run/nsclone", 0700), "/run/nsclone");
	must(mkdir("/run/nsclone/sessions", 0700), "/run/nsclone/sessions");
	must(mkdir("/var/lib/nsclone", 0700), "/var/lib/nsclone");
	must(mkdir("/var/lib/nsclone/20001", 0700), "/var/lib/nsclone/20001");
	must(chown("/var/lib/nsclone/20001", UID, UID), "chown");
	look(before, sizeof(before));
	arm(name, n);
	r = plan_run(plan, &ALICE, &given, &session, &undo_failed, &err);
	if (countdown >= 0)
		return r == 0 ? NOT_REACHED : 1;
	fault = NULL;
	look(after, sizeof(after));
	if (strcmp(before, after) != 0)
		fprintf(stderr, "before: %s\nafter:  %s\n", before, after);
	return r >= 0 ? 2 : undo_failed ? 3 : !err.text[0] ? 4 : strcmp(before, after) ? 5 : other_children(kind) ? 6 : REACHED;
}

static int case_in_child(enum kind kind, const char *name, int n)
{
	static const char *const WHY[] = {
		[1] = "is not reached, and the plan fails",	 [2] = "fails, and the plan succeeds",
		[3] = "fails, and undoing that fails",		 [4] = "fails, and nobody says why",
		[5] = "fails, and the process or the disk is not as before", [6] = "fails, and a child is left",
	};
	int status, r;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(one_case(kind, name, n));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	r = WIFEXITED(status) ? WEXITSTATUS(status) : 100;
	if (r < REACHED)
		fprintf(stderr, "%s, its call %d of plan %d, %s\n", name, n + 1, (int)kind, r < 7 ? WHY[r] : "fails");
	return r;
}

/* Each of its calls in turn. Returns how many there were. */
static int sweep(enum kind kind, const char *name)
{
	int n = 0, r;

	while ((r = case_in_child(kind, name, n)) == REACHED)
		n++;
	assert_int_equal(r, NOT_REACHED);
	return n;
}

static void no_step_is_ignored(void **state)
{
	(void)state;
	for (int i = 0; i < N_CALLS; i++) {
		int sum = 0;

		for (enum kind kind = BIND; kind < N_KINDS; kind++)
			sum += sweep(kind, CALLS[i]);
		if (sum == 0)
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
