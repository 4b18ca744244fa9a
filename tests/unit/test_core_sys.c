// SPDX-License-Identifier: BSD-3-Clause
/* The thin functions of sys.h that promise more than their system call does, and nsclone_fail(). */
#include "tests/unit/test_core.h"

#include <sys/fsuid.h>

static char base[] = "/tmp/test_core_sys.XXXXXX";
static int dir = -1;

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(base))
		return -1;
	dir = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dir < 0;
}

static int teardown(void **state)
{
	(void)state;
	unlinkat(dir, "link", 0);
	unlinkat(dir, "file", 0);
	unlinkat(dir, "b", AT_REMOVEDIR);
	unlinkat(dir, "a", AT_REMOVEDIR);
	close(dir);
	return rmdir(base);
}

static void fails(void **state)
{
	struct nsclone_error error;
	char longer[600];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(nsclone_fail(NULL, -EPERM, "call", "object", "reason"), -EPERM);
	assert_int_equal(nsclone_fail(&error, -ENOENT, "call", "object", "reason"), -ENOENT);
	assert_string_equal(error.call, "call");
	assert_string_equal(error.object, "object");
	assert_string_equal(error.reason, "reason");
	assert_int_equal(nsclone_fail(&error, 3, "other", NULL, NULL), 3);
	assert_string_equal(error.object, "");
	assert_string_equal(error.reason, "");
	nsclone_fail(&error, -1, "call", longer, longer);
	assert_int_equal(strlen(error.object), sizeof(error.object) - 1);
	assert_int_equal(strlen(error.reason), sizeof(error.reason) - 1);
}

static void opens_close_on_exec(void **state)
{
	int fd = sys_open("/", O_RDONLY), second;

	(void)state;
	assert_true(fd >= 0 && fcntl(fd, F_GETFD) & FD_CLOEXEC);
	second = sys_openat(fd, ".", O_PATH);
	assert_true(second >= 0 && fcntl(second, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(sys_close(second), 0);
	assert_int_equal(sys_close(fd), 0);
	assert_int_equal(sys_close(fd), -EBADF);
}

static void keeps_errno(void **state)
{
	char buffer[8];
	struct stat st;

	(void)state;
	errno = 4711;
	assert_int_equal(sys_open("/nonexistent", O_PATH), -ENOENT);
	assert_int_equal(sys_openat(dir, "nonexistent", O_PATH), -ENOENT);
	assert_int_equal(sys_fstat(9999, &st), -EBADF);
	assert_int_equal(sys_fstatat(dir, "nonexistent", &st), -ENOENT);
	assert_int_equal(sys_read(9999, buffer, 1), -EBADF);
	assert_int_equal(sys_unlinkat(dir, "nonexistent", 0), -ENOENT);
	assert_int_equal(sys_fchdir(9999), -EBADF);
	assert_true(sys_pidfd_open(-1) < 0);
	assert_int_equal(errno, 4711);
}

static void reads_links(void **state)
{
	char buffer[8] = "xxxxxxx";
	struct stat st;

	(void)state;
	assert_int_equal(sys_symlinkat("1234567", dir, "link"), 0);
	assert_int_equal(sys_readlinkat(dir, "link", buffer, 8), 7);
	assert_string_equal(buffer, "1234567");
	assert_int_equal(sys_readlinkat(dir, "link", buffer, 7), -ENAMETOOLONG);
	assert_int_equal(sys_readlinkat(dir, "nothing", buffer, 8), -ENOENT);
	assert_int_equal(sys_fstatat(dir, "link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void renames(void **state)
{
	(void)state;
	assert_int_equal(sys_mkdirat(dir, "a", 0700), 0);
	assert_int_equal(sys_mkdirat(dir, "b", 0700), 0);
	assert_int_equal(sys_rename_noreplace(dir, "a", dir, "b"), -EEXIST);
	assert_int_equal(sys_rename_noreplace(dir, "a", dir, "c"), 0);
	assert_int_equal(sys_renameat(dir, "c", dir, "a"), 0);
}

static void is_lost(void)
{
	char buffer[PATH_MAX];

	CHECK(sys_chdir("/usr") == 0);
	CHECK(sys_getcwd(buffer, sizeof(buffer)) == 0 && strcmp(buffer, "/usr") == 0);
	CHECK(sys_getcwd(buffer, 2) == -ERANGE);
	leave(CLONE_NEWNS);
	CHECK(sys_chdir("/") == 0);
	CHECK(sys_chroot("/usr") == 0);
	CHECK(sys_getcwd(buffer, sizeof(buffer)) == -ENOENT);
}

static void cwd_outside_the_root(void **state)
{
	(void)state;
	in_child(is_lost);
}

static void random_and_time(void **state)
{
	unsigned char a[300], b[300] = {0};
	int64_t before = sys_monotonic_ms();

	(void)state;
	memset(a, 0, sizeof(a));
	assert_int_equal(sys_random(a, sizeof(a)), 0);
	assert_int_equal(sys_random(b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a + 290, "\0\0\0\0\0\0\0\0\0", 10);
	usleep(3000);
	assert_in_range(sys_monotonic_ms() - before, 2, 60000);
}

/* ---- sys_set_fs_ids ------------------------------------------------------------------------------------------- */

static void fs_ids(uid_t *uid, gid_t *gid)
{
	*uid = (uid_t)setfsuid((uid_t)-1);
	*gid = (gid_t)setfsgid((gid_t)-1);
}

static void there_and_back(void)
{
	uid_t uid;
	gid_t gid;

	if (geteuid() != 0 || sys_set_fs_ids(20001, 20002) == -EPERM)
		SKIP_CHILD();
	fs_ids(&uid, &gid);
	CHECK(uid == 20001 && gid == 20002);
	CHECK(geteuid() == 0 && getegid() == 0);
	CHECK(sys_set_fs_ids(0, 0) == 0);
	fs_ids(&uid, &gid);
	CHECK(uid == 0 && gid == 0);
	CHECK(sys_set_fs_ids(20003, 20003) == 0 && sys_set_fs_ids(20001, 20001) == 0 && sys_set_fs_ids(0, 0) == 0);
}

/* An id that is none, and a process that may not: what was changed already is changed back. */
static void half_way(void)
{
	uid_t uid;
	gid_t gid;

	if (geteuid() != 0)
		SKIP_CHILD();
	CHECK(sys_set_fs_ids((uid_t)-1, 0) == -EPERM);
	CHECK(sys_set_fs_ids(20001, (gid_t)-1) == -EPERM);
	fs_ids(&uid, &gid);
	CHECK(uid == 0 && gid == 0);
	if (sys_set_fs_ids(20001, 20002) < 0)
		SKIP_CHILD();
	CHECK(sys_set_fs_ids(0, (gid_t)-1) == -EPERM);
	fs_ids(&uid, &gid);
	CHECK(uid == 20001 && gid == 20002);
	CHECK(sys_set_fs_ids(0, 0) == 0);
	/* May take groups 20001 and 20002, but no user besides 20001. */
	if (setresgid(20001, 20002, 20001) < 0 || setresuid(20001, 20001, 20001) < 0)
		SKIP_CHILD();
	CHECK(sys_set_fs_ids(20003, 20001) == -EPERM);
	fs_ids(&uid, &gid);
	CHECK(uid == 20001 && gid == 20002);
	CHECK(sys_set_fs_ids(0, 20001) == -EPERM);
	CHECK(sys_set_fs_ids(20001, 20003) == -EPERM);
	fs_ids(&uid, &gid);
	CHECK(uid == 20001 && gid == 20002);
	CHECK(sys_set_fs_ids(20001, 20001) == 0);
	fs_ids(&uid, &gid);
	CHECK(uid == 20001 && gid == 20001);
}

static void cannot_read_what_root_can(void)
{
	int fd;

	if (geteuid() != 0)
		SKIP_CHILD();
	fd = openat(dir, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	close(fd);
	if (sys_set_fs_ids(20001, 20001) < 0)
		SKIP_CHILD();
	CHECK(sys_openat(dir, "file", O_RDONLY) == -EACCES);
	CHECK(sys_set_fs_ids(0, 0) == 0);
	CHECK(sys_openat(dir, "file", O_RDONLY) >= 0);
}

IN_CHILD(there_and_back)
IN_CHILD(half_way)
IN_CHILD(cannot_read_what_root_can)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fails),
		cmocka_unit_test(opens_close_on_exec),
		cmocka_unit_test(keeps_errno),
		cmocka_unit_test(reads_links),
		cmocka_unit_test(renames),
		cmocka_unit_test(cwd_outside_the_root),
		cmocka_unit_test(random_and_time),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_half_way),
		cmocka_unit_test(test_cannot_read_what_root_can),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
