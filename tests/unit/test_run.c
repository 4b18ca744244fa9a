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
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
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
#include "lib/session/registry.h"

/* ---- Faults ---- */

static int calls, fail_from, fail_to; /* calls number fail_from to fail_to fail */
static const char *failed_call;

static int faulty(const char *name)
{
	calls++;
	if (calls < fail_from || calls > fail_to)
		return 0;
	failed_call = name;
	return 1;
}

#define WRAPPED(type, name, parameters, arguments)                                                                     \
	type __real_##name parameters;                                                                                 \
	type __wrap_##name parameters;                                                                                 \
	type __wrap_##name parameters                                                                                  \
	{                                                                                                              \
		return faulty(#name) ? -EIO : __real_##name arguments;                                                 \
	}

WRAPPED(int, sys_open, (const char *path, int flags), (path, flags))
WRAPPED(int, sys_openat, (int dirfd, const char *name, int flags), (dirfd, name, flags))
WRAPPED(int, sys_fstat, (int fd, struct stat *ret), (fd, ret))
WRAPPED(int, sys_fstatat, (int dirfd, const char *name, struct stat *ret), (dirfd, name, ret))
WRAPPED(int, sys_mkdirat, (int dirfd, const char *name, mode_t mode), (dirfd, name, mode))
WRAPPED(int, sys_fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
WRAPPED(int, sys_fchmod, (int fd, mode_t mode), (fd, mode))
WRAPPED(int, sys_rename_noreplace, (int a, const char *from, int b, const char *to), (a, from, b, to))
WRAPPED(int, sys_unlinkat, (int dirfd, const char *name, int flags), (dirfd, name, flags))
WRAPPED(int, sys_symlinkat, (const char *target, int dirfd, const char *name), (target, dirfd, name))
WRAPPED(ssize_t, sys_readlinkat, (int dirfd, const char *name, char *b, size_t size), (dirfd, name, b, size))
WRAPPED(int, sys_flock, (int fd, int operation), (fd, operation))
WRAPPED(int, sys_fchdir, (int fd), (fd))
WRAPPED(int, sys_chdir, (const char *path), (path))
WRAPPED(int, sys_getcwd, (char *buffer, size_t size), (buffer, size))
WRAPPED(int, sys_sethostname, (const char *name), (name))
WRAPPED(int, sys_random, (void *buffer, size_t size), (buffer, size))
WRAPPED(int, sys_process_id, (pid_t pid, uint64_t *ret), (pid, ret))
WRAPPED(int, sys_place, (const char *path, struct sys_place *ret), (path, ret))
WRAPPED(int, sys_set_fs_ids, (uid_t uid, gid_t gid), (uid, gid))
WRAPPED(int, sys_prctl, (int option, unsigned long argument), (option, argument))
WRAPPED(int, sys_umount_cwd, (void), ())
WRAPPED(int, nsclone_unshare, (uint64_t flags), (flags))
WRAPPED(int, nsclone_setns, (int fd, int nstype), (fd, nstype))
WRAPPED(int, nsclone_open_trusted, (int root, const char *path, int flags, struct nsclone_error *error),
	(root, path, flags, error))
WRAPPED(int, nsclone_open_nosymlink, (int dirfd, const char *path, int flags), (dirfd, path, flags))
WRAPPED(int, nsclone_ns_open_self, (int nstype), (nstype))
WRAPPED(int, nsclone_mount_new,
	(const char *type, const struct nsclone_mount_option *options, size_t n, uint64_t attributes,
	 struct nsclone_error *error),
	(type, options, n, attributes, error))
WRAPPED(int, nsclone_mount_copy, (int dirfd, const char *path, bool recursive), (dirfd, path, recursive))
WRAPPED(int, nsclone_mount_attributes, (int fd, bool recursive, uint64_t set, uint64_t clear),
	(fd, recursive, set, clear))
WRAPPED(int, nsclone_mount_attach, (int mount, int target), (mount, target))
WRAPPED(int, nsclone_mount_all_slave, (void), ())
WRAPPED(int, nsclone_mount_is_root, (int fd), (fd))
WRAPPED(int, nsclone_mount_detach, (int fd), (fd))
WRAPPED(int, nsclone_pivot_root, (const char *new_root, const char *put_old), (new_root, put_old))
WRAPPED(int, nsclone_loopback_up, (void), ())

/* ---- The world, and what is seen of it ---- */

enum { UID = 20001 };

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
	must(mkdir("/tmp/below", 0755), "/tmp/below");
	must(mount("scratch", "/tmp/below", "tmpfs", 0, "mode=755"), "/tmp/below");
	must(mkdir("/var/lib/nsclone", 0700), "/var/lib/nsclone");
	must(chdir("/tmp"), "/tmp");
}

static void add(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list ap;

	va_start(ap, format);
	vsnprintf(text + used, size - used, format, ap);
	va_end(ap);
}

static void list_tree(char *text, size_t size, const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort);
	char below[512];
	struct stat st;

	for (int i = 0; i < n; i++) {
		if (strcmp(names[i]->d_name, ".") != 0 && strcmp(names[i]->d_name, "..") != 0) {
			snprintf(below, sizeof(below), "%s/%s", path, names[i]->d_name);
			must(lstat(below, &st), below);
			add(text, size, "%s %o %u\n", below, st.st_mode, st.st_uid);
			if (S_ISDIR(st.st_mode))
				list_tree(text, size, below);
		}
		free(names[i]);
	}
	free(n < 0 ? NULL : names);
}

static void add_link(char *text, size_t size, const char *path)
{
	char target[256];
	ssize_t n = readlink(path, target, sizeof(target));

	must((int)n, path);
	add(text, size, "%s %.*s\n", path, (int)n, target);
}

static void add_file(char *text, size_t size, const char *path)
{
	size_t used = strlen(text);
	int fd = open(path, O_RDONLY);
	ssize_t n;

	must(fd, path);
	while ((n = read(fd, text + used, size - used - 1)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	close(fd);
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Everything of the process and the disk that a failed run could have changed. /run/nsclone itself may stay. */
static char *look(void)
{
	size_t size = 1 << 18;
	char *text = calloc(1, size);

	add_link(text, size, "/proc/self/ns/mnt");
	add_link(text, size, "/proc/self/ns/ipc");
	add_link(text, size, "/proc/self/ns/uts");
	add_link(text, size, "/proc/self/ns/net");
	add_link(text, size, "/proc/self/cwd");
	add_link(text, size, "/proc/self/root");
	add_file(text, size, "/proc/self/mountinfo");
	list_tree(text, size, "/var/lib");
	list_tree(text, size, "/run/nsclone/sessions");
	add(text, size, "fds %d\n", count_fds());
	return text;
}

/* ---- The plans ---- */

static struct policy_setting settings[POLICY_N_KEYS];

static struct policy_result result_with(int tmp, int method)
{
	struct policy_result result = {0};

	settings[POLICY_ISOLATE].word = POLICY_YES;
	settings[POLICY_PRIVATE_TMP].word = tmp;
	settings[POLICY_PRIVATE_TMP_METHOD].word = method;
	settings[POLICY_PRIVATE_DEV_SHM].word = POLICY_YES;
	settings[POLICY_PRIVATE_IPC].word = POLICY_YES;
	settings[POLICY_PRIVATE_NETWORK].word = POLICY_YES;
	settings[POLICY_PROTECT_HOSTNAME].word = POLICY_HOSTNAME_YES;
	settings[POLICY_PROTECT_HOSTNAME].text = "inside";
	settings[POLICY_PROTECT_PROC].word = POLICY_PROC_INVISIBLE;
	memcpy(result.settings, settings, sizeof(settings));
	return result;
}

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
	struct policy_result result = result_with(tmp, method);
	struct session *session = NULL;
	struct facts facts = {0};
	struct plan *plan = NULL;
	bool undo_failed = false;
	struct err err = {0};
	char *before, *after;
	int r;

	scratch_world();
	must(facts_gather(&result, &facts, &err), err.text);
	must(plan_build(&result, &ALICE, &facts, &plan, &err), err.text);
	before = look();
	calls = 0;
	fail_from = from;
	fail_to = to;
	r = plan_run(plan, &ALICE, NULL, &session, &undo_failed, &err);
	fail_from = fail_to = 0;
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

static int in_child(int tmp, int method, int from, int to)
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
		r = in_child(tmp, method, i, forever ? 1 << 30 : i);
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
