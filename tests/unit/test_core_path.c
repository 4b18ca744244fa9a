// SPDX-License-Identifier: BSD-3-Clause
/* Paths that somebody else is changing: both ways down, by openat2 and step by step, must say the same. */
/* WRAP: nsclone_openat2 */
#include "tests/unit/test_core.h"

#include <linux/openat2.h>

int __real_nsclone_openat2(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve);
int __wrap_nsclone_openat2(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve);

static int openat2_answer; /* 0: the kernel's own */

int __wrap_nsclone_openat2(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	return openat2_answer ? openat2_answer : __real_nsclone_openat2(dirfd, path, flags, mode, resolve);
}

static const int ways[] = {0, -ENOSYS, -EPERM};

#define EACH_WAY(i) (size_t i = 0; i < 3 && (openat2_answer = ways[i], 1); i++)

/* ---- nsclone_open_nosymlink ------------------------------------------------------------------------------------ */

static char base[] = "/tmp/test_core_path.XXXXXX";
static int base_fd = -1;

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(base))
		return -1;
	base_fd = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return mkdirat(base_fd, "dir", 0755) || mkdirat(base_fd, "dir/sub", 0755) ||
	       symlinkat("dir", base_fd, "link") || symlinkat("nowhere", base_fd, "dangling") ||
	       symlinkat("sub", base_fd, "dir/link") || mknodat(base_fd, "fifo", S_IFIFO | 0600, 0) ||
	       close(openat(base_fd, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

static int teardown(void **state)
{
	static const char *const files[] = {"link", "dangling", "dir/link", "fifo", "file"};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		unlinkat(base_fd, files[i], 0);
	unlinkat(base_fd, "dir/sub", AT_REMOVEDIR);
	unlinkat(base_fd, "dir", AT_REMOVEDIR);
	close(base_fd);
	return rmdir(base);
}

struct opening {
	const char *path;
	int flags;
	int expected; /* 0: a descriptor */
};

#define DIR_PATH (O_PATH | O_DIRECTORY)

static const struct opening openings[] = {
	{"dir", O_PATH, 0},
	{"dir", O_DIRECTORY, 0},
	{"dir/sub", DIR_PATH, 0},
	{"dir//sub/", O_PATH, 0},
	{"./dir/./sub/.", O_DIRECTORY, 0},
	{".", O_DIRECTORY, 0},
	{"file", O_PATH, 0},
	{"fifo", O_PATH, 0},
	{"/", O_DIRECTORY, 0},
	{"//", O_PATH, 0},
	{"/usr/bin", DIR_PATH, 0},
	{"link", O_PATH, -ELOOP},
	{"link", DIR_PATH, -ELOOP},
	{"link", O_DIRECTORY, -ELOOP},
	{"link/", O_PATH, -ELOOP},
	{"link", O_PATH | O_NOFOLLOW, -ELOOP},
	{"link/sub", O_PATH, -ELOOP},
	{"dir/link", O_PATH, -ELOOP},
	{"dangling", O_PATH, -ELOOP},
	{"dangling", O_DIRECTORY, -ELOOP},
	{"/proc/self/cwd", O_PATH, -ELOOP},
	{"/proc/thread-self", O_PATH, -ELOOP},
	{"dir/..", O_PATH, -EINVAL},
	{"../tmp", O_PATH, -EINVAL},
	{"/..", O_PATH, -EINVAL},
	{"..", O_PATH, -EINVAL},
	{"dir/..x", O_PATH, -ENOENT},
	{"dir/...", O_PATH, -ENOENT},
	{"", O_PATH, -ENOENT},
	{"nothing", O_PATH, -ENOENT},
	{"nothing/sub", O_PATH, -ENOENT},
	{"file", O_DIRECTORY, -ENOTDIR},
	{"file/", O_PATH, -ENOTDIR},
	{"file/x", O_PATH, -ENOTDIR},
	{"file/.", O_PATH, -ENOTDIR},
	{"fifo", O_RDONLY, -EINVAL},
	{"fifo", O_DIRECTORY, -ENOTDIR},
	{"new", O_PATH | O_CREAT, -EINVAL},
	{"dir", O_TMPFILE | O_RDWR, -EINVAL},
	{"file", O_PATH | O_TRUNC, -EINVAL},
};

static void nosymlink_table(void **state)
{
	unsigned int fds = count_fds();

	(void)state;
	for EACH_WAY (way) {
		for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++) {
			const struct opening *o = &openings[i];
			int r = nsclone_open_nosymlink(base_fd, o->path, o->flags);

			if ((o->expected ? r != o->expected : r < 0) || (r >= 0 && !(fcntl(r, F_GETFD) & FD_CLOEXEC)))
				fail_msg("way %zu: open %s 0x%x: %d, not %d", way, o->path, o->flags, r, o->expected);
			if (r >= 0)
				close(r);
		}
	}
	assert_int_equal(count_fds(), fds);
}

static void nosymlink_long(void **state)
{
	char name[NAME_MAX + 2], path[PATH_MAX + 1];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(path, '/', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	for EACH_WAY (way) {
		assert_int_equal(nsclone_open_nosymlink(base_fd, name, O_PATH), -ENAMETOOLONG);
		assert_int_equal(nsclone_open_nosymlink(base_fd, path, O_PATH), -ENAMETOOLONG);
	}
}

/* What is opened is the very thing, and a descriptor without O_PATH can be read from. */
static void nosymlink_is_it(void **state)
{
	struct stat st;
	char path[PATH_MAX], expected[PATH_MAX];

	(void)state;
	snprintf(expected, sizeof(expected), "%s/dir/sub", base);
	for EACH_WAY (way) {
		int fd = nsclone_open_nosymlink(base_fd, "dir/sub", O_DIRECTORY);
		int here = nsclone_open_nosymlink(AT_FDCWD, base, DIR_PATH);

		assert_true(fd >= 0 && here >= 0);
		assert_true(same_file(here, base_fd));
		assert_int_equal(fstatat(base_fd, "dir/sub", &st, 0), 0);
		assert_int_equal(nsclone_fd_path(fd, path, sizeof(path)), 0);
		assert_string_equal(path, expected);
		assert_int_equal(nsclone_fd_path(fd, path, 4), -ENAMETOOLONG);
		assert_int_equal(fcntl(fd, F_GETFL) & O_PATH, 0);
		close(fd);
		close(here);
	}
	assert_int_equal(nsclone_fd_path(9999, path, sizeof(path)), -ENOENT);
}

static void seccomp_child(void)
{
	int fd;

	openat2_answer = 0;
	forbid(SYS_openat2, ENOSYS);
	CHECK(nsclone_openat2(AT_FDCWD, "/", O_PATH, 0, 0) == -ENOSYS);
	fd = nsclone_open_nosymlink(base_fd, "dir/sub", DIR_PATH);
	CHECK(fd >= 0);
	CHECK(nsclone_open_nosymlink(base_fd, "link/sub", DIR_PATH) == -ELOOP);
}

static void nosymlink_without_openat2(void **state)
{
	(void)state;
	openat2_answer = 0;
	in_child(seccomp_child);
}

/* ---- nsclone_open_trusted ---------------------------------------------------------------------------------------- */

static int root; /* what / means in these tests: a tmpfs of root's, 0755 */

static void dir(const char *path, mode_t mode)
{
	CHECK(mkdirat(root, path, 0700) == 0);
	CHECK(fchmodat(root, path, mode, 0) == 0);
}

static void sym(const char *target, const char *path)
{
	CHECK(symlinkat(target, root, path) == 0);
}

/* Say what is off: CHECK alone would not tell which path. */
static void expect(const char *path, int flags, const char *real, int code, const char *reason)
{
	struct nsclone_error error = {.call = "untouched"};
	int fd, r = nsclone_open_trusted(root, path, flags, &error);

	if (r < 0) {
		if (r != code || !strstr(error.reason, reason) || strcmp(error.object, path) != 0)
			fprintf(stderr, "%s: %d, not %d (%s: %s)\n", path, r, code, error.object, error.reason);
		CHECK(r == code && strstr(error.reason, reason) && strcmp(error.object, path) == 0);
		return;
	}
	CHECK(strcmp(error.call, "untouched") == 0);
	if (code != 0)
		fprintf(stderr, "%s: opened, %d was expected\n", path, code);
	CHECK(code == 0);
	fd = openat(root, real, O_PATH | O_CLOEXEC);
	CHECK(same_file(r, fd));
	close(fd);
	close(r);
}

static void yes(const char *path, const char *real)
{
	expect(path, O_PATH, real, 0, "");
}

static void no(const char *path, const char *reason)
{
	expect(path, O_PATH, "", -ELOOP, reason);
	expect(path, O_DIRECTORY, "", -ELOOP, reason);
}

static const char *const alone = "root's alone";

static void tree(void)
{
	root = scratch();
	dir("a", 0755);
	dir("a/b", 0755);
	dir("a/b/c", 0755);
	CHECK(close(openat(root, "a/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == 0);
	sym("/a/b", "absolute");
	sym("a/b", "relative");
	sym("../a/./b/../b", "a/up");
	sym("../../../../../../a", "a/above");
	sym("absolute/c", "chain");
	sym("a/file", "file");
	sym("nothing", "dangling");
	sym("loop2", "loop1");
	sym("loop1", "loop2");
	sym("/", "slash");
	sym("..", "a/b/parent");
	sym("a/b/", "slashed");
	dir("open", 01777);
	dir("open/root", 0755);
	sym("/a", "open/link");
	sym("/a", "open/root/link");
	dir("group", 0775);
	sym("/a", "group/link");
	dir("other", 0757);
	sym("/a", "other/link");
	sym("/../../a", "a/b/c/above");
	sym("open/link", "to_untrusted");
	sym("/open/root/../root", "dotdot_untrusted");
	sym("open/root/..", "dotdot_last");
	sym("/open/root", "to_root_in_open");
}

static void trusted_follows(void)
{
	unsigned int fds;

	tree();
	fds = count_fds();
	for EACH_WAY (way) {
		yes("/", ".");
		yes("//a//b/", "a/b");
		yes("/absolute", "a/b");
		yes("/absolute/c", "a/b/c");
		yes("/relative/c/", "a/b/c");
		yes("/relative/", "a/b");
		yes("/a/up/c", "a/b/c");
		yes("/a/above/b", "a/b");
		yes("/chain", "a/b/c");
		yes("/a/b/c/above/b", "a/b");
		yes("/file", "a/file");
		yes("/slash/a", "a");
		yes("/slash", ".");
		yes("/a/b/parent/b/parent/file", "a/file");
		yes("/slashed/c", "a/b/c");
		yes("/slashed", "a/b");
		yes("/to_root_in_open", "open/root");
		expect("/absolute", O_DIRECTORY, "a/b", 0, "");
		expect("/absolute", O_PATH | O_NOFOLLOW, "a/b", 0, "");
		expect("/file", O_DIRECTORY, "", -ENOTDIR, "");
		expect("/file/", O_PATH, "", -ENOTDIR, "");
		expect("/file/x", O_PATH, "", -ENOTDIR, "");
		expect("/dangling", O_PATH, "", -ENOENT, "");
		expect("/a/nothing", O_PATH, "", -ENOENT, "");
		CHECK(count_fds() == fds);
	}
}

static void trusted_refuses(void)
{
	unsigned int fds;

	tree();
	fds = count_fds();
	for EACH_WAY (way) {
		yes("/open/root", "open/root");
		no("/open/link", alone);
		no("/open/link/b", alone);
		no("/open/root/link", alone);
		no("/group/link", alone);
		no("/other/link", alone);
		no("/to_untrusted", alone);
		no("/to_root_in_open/link", alone);
		no("/dotdot_untrusted", "..");
		no("/dotdot_last", "..");
		no("/loop1", "too many");
		expect("/a/../a", O_PATH, "", -EINVAL, "absolute");
		expect("a", O_PATH, "", -EINVAL, "absolute");
		expect("", O_PATH, "", -EINVAL, "absolute");
		expect("/a", O_RDONLY, "", -EINVAL, "O_PATH");
		CHECK(count_fds() == fds);
	}
}

/* Needs ids that are not root's. */
static void trusted_owners(void)
{
	tree();
	dir("alice", 0755);
	sym("/a", "alice/link");
	sym("/a", "hers");
	if (fchownat(root, "alice", 20001, 20001, 0) < 0)
		SKIP_CHILD();
	CHECK(fchownat(root, "hers", 20001, 20001, AT_SYMLINK_NOFOLLOW) == 0);
	for EACH_WAY (way) {
		yes("/alice", "alice");
		no("/alice/link", alone);
		no("/hers", "root did not make");
		no("/hers/b", "root did not make");
	}
}

static void trusted_counts(void)
{
	char name[16], target[16];

	tree();
	sym("a/b", "l1");
	for (int i = 2; i <= 41; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(target, sizeof(target), "l%d", i - 1);
		sym(target, name);
	}
	for EACH_WAY (way) {
		yes("/l40/c", "a/b/c");
		no("/l41/c", "too many");
	}
}

static void trusted_long(void)
{
	static char target[PATH_MAX - 8], path[128];

	tree();
	memset(target, '/', sizeof(target) - 1);
	target[0] = 'a';
	sym(target, "long");
	memset(path, 'x', sizeof(path) - 1);
	memcpy(path, "/long/", 6);
	for EACH_WAY (way) {
		yes("/long/b", "a/b");
		expect(path, O_PATH, "", -ENAMETOOLONG, "");
	}
}

/* With / itself, and links of procfs, whose text is not where they lead. */
static void trusted_proc(void)
{
	struct stat st;
	struct nsclone_error error;

	if (stat("/", &st) < 0 || st.st_uid != 0 || st.st_mode & 022)
		SKIP_CHILD();
	CHECK(stat("/proc", &st) == 0); /* in a user namespace not even that is root's */
	for EACH_WAY (way) {
		int fd = nsclone_open_trusted(AT_FDCWD, "/usr/bin/", DIR_PATH, NULL);

		CHECK(fd >= 0);
		CHECK(nsclone_open_trusted(AT_FDCWD, "/proc/self/root", O_PATH, &error) == -ELOOP);
		CHECK(strstr(error.reason, st.st_uid == 0 ? "procfs" : alone));
		CHECK(strcmp(error.object, "/proc/self/root") == 0);
		CHECK(nsclone_open_trusted(AT_FDCWD, "/proc/1/cwd", O_PATH, NULL) < 0);
		close(fd);
	}
}

static void trusted_seccomp(void)
{
	tree();
	openat2_answer = 0;
	forbid(SYS_openat2, ENOSYS);
	yes("/relative/c", "a/b/c");
	no("/open/link", alone);
}

IN_CHILD(trusted_follows)
IN_CHILD(trusted_refuses)
IN_CHILD(trusted_owners)
IN_CHILD(trusted_counts)
IN_CHILD(trusted_long)
IN_CHILD(trusted_proc)
IN_CHILD(trusted_seccomp)

/* ---- While somebody exchanges names ---------------------------------------------------------------------------- */

/* In open/, which anybody may write to: `swap` is a directory now, and a link to the secret in a moment. */
static void exchange_for_ever(void)
{
	for (;;)
		syscall(SYS_renameat2, root, "open/swap", root, "open/other", 2 /* RENAME_EXCHANGE */);
}

static void race(void)
{
	int allowed, secret, seen[2] = {0, 0};
	pid_t pid;

	tree();
	dir("open/swap", 0755);
	dir("open/swap/sub", 0755);
	dir("secret", 0755);
	dir("secret/sub", 0755);
	sym("/secret", "open/other");
	allowed = openat(root, "open/swap/sub", O_PATH | O_CLOEXEC);
	secret = openat(root, "secret/sub", O_PATH | O_CLOEXEC);
	CHECK(allowed >= 0 && secret >= 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		exchange_for_ever();
	}
	for (int i = 0; i < 60000; i++) {
		int r;

		openat2_answer = ways[i % 3];
		if (i % 2)
			r = nsclone_open_trusted(root, "/open/swap/sub", DIR_PATH, NULL);
		else
			r = nsclone_open_nosymlink(root, "open/swap/sub", DIR_PATH);
		CHECK(r >= 0 || r == -ELOOP || r == -ENOENT || r == -ENOTDIR);
		seen[r >= 0]++;
		if (r < 0)
			continue;
		CHECK(!same_file(r, secret));
		CHECK(same_file(r, allowed));
		close(r);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK(seen[0] > 100 && seen[1] > 100); /* else nothing was raced */
}

IN_CHILD(race)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nosymlink_table),	     cmocka_unit_test(nosymlink_long),
		cmocka_unit_test(nosymlink_is_it),	     cmocka_unit_test(nosymlink_without_openat2),
		cmocka_unit_test(test_trusted_follows), cmocka_unit_test(test_trusted_refuses),
		cmocka_unit_test(test_trusted_owners),  cmocka_unit_test(test_trusted_counts),
		cmocka_unit_test(test_trusted_long),    cmocka_unit_test(test_trusted_proc),
		cmocka_unit_test(test_trusted_seccomp), cmocka_unit_test(test_race),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
