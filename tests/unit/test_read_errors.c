/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A read error is never end of file, and a directory that cannot be listed is never empty. Runs in a mount namespace
 * with an /etc/security, /run and /tmp of its own. Needs root.
 */
/* WRAP: sys_read sys_getdents readdir */
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
#include <sys/stat.h>
#include <unistd.h>
#include "lib/core/sys.h"
#include "lib/session/files.h"
#include "lib/session/litter.h"
#include "lib/session/mountinfo.h"
#include "lib/session/registry.h"
#include "lib/session/remove.h"

enum { ALL = 1 << 30 };

static int reads = ALL, entries = ALL; /* so many come before the error */

ssize_t __real_sys_read(int fd, void *buffer, size_t size);
ssize_t __wrap_sys_read(int fd, void *buffer, size_t size);
ssize_t __wrap_sys_read(int fd, void *buffer, size_t size)
{
	if (reads-- <= 0)
		return -EIO;
	return __real_sys_read(fd, buffer, size < 3 ? size : 3); /* a little at a time, so that there are several */
}

struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir)
{
	if (entries-- > 0)
		return __real_readdir(dir);
	errno = EIO;
	return NULL;
}

ssize_t __real_sys_getdents(int fd, void *buffer, size_t size);
ssize_t __wrap_sys_getdents(int fd, void *buffer, size_t size);
ssize_t __wrap_sys_getdents(int fd, void *buffer, size_t size)
{
	return entries-- > 0 ? __real_sys_getdents(fd, buffer, size) : -EIO;
}

static int setup(void **state)
{
	(void)state;
	reads = entries = ALL;
	if (mount("x", "/etc/security", "tmpfs", 0, "mode=755") < 0 || mount("x", "/run", "tmpfs", 0, "mode=755") < 0 ||
	    mount("x", "/tmp", "tmpfs", 0, "mode=1777") < 0)
		return -1;
	return mkdir("/etc/security/nsclone.d", 0755);
}

static int teardown(void **state)
{
	(void)state;
	return umount("/etc/security") < 0 || umount("/run") < 0 || umount("/tmp") < 0 ? -1 : 0;
}

static int group_setup(void **state)
{
	(void)state;
	umask(022);
	return unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -1 : 0;
}

static void put(const char *path)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs("0123456789", f);
	assert_int_equal(fclose(f), 0);
}

/* How many texts of the policy are unreadable, and how many are not. */
static void read_policy(size_t *unreadable, size_t *readable)
{
	static const struct files_request request;
	const struct policy_text *texts;
	struct files *files = NULL;
	struct err err = {0};
	size_t n;

	*unreadable = *readable = 0;
	assert_int_equal(files_read(&request, &files, &err), 0);
	n = files_texts(files, &texts);
	for (size_t i = 0; i < n; i++)
		++*(texts[i].unreadable ? unreadable : readable);
	files_free(files);
}

static void a_policy_file_is_read_whole_or_not(void **state)
{
	size_t unreadable, readable;

	(void)state;
	put("/etc/security/nsclone.conf");
	read_policy(&unreadable, &readable);
	assert_int_equal(unreadable, 0);
	assert_int_equal(readable, 1);
	for (int n = 0; n < 3; n++) {
		reads = n;
		read_policy(&unreadable, &readable);
		assert_int_equal(unreadable, 1);
		assert_int_equal(readable, 0);
	}
}

static void a_policy_directory_is_listed_or_spoils_all(void **state)
{
	size_t unreadable, readable;

	(void)state;
	for (int n = 0; n < 2; n++) { /* there is nothing in it but "." and "..", which come together */
		entries = n;
		read_policy(&unreadable, &readable);
		assert_int_equal(unreadable, 1);
		assert_int_equal(readable, 0);
	}
}

static void a_mount_table_is_read_whole_or_not(void **state)
{
	struct arena *arena = NULL;
	const char **points;
	char *text;
	size_t n;

	(void)state;
	for (int i = 0; i < 3; i++) {
		reads = i;
		assert_int_equal(mountinfo_read(AT_FDCWD, "/proc/self/mountinfo", &text), -EIO);
		reads = i;
		assert_int_equal(mountinfo_points(&arena, &points, &n), -EIO);
	}
}

static void what_cannot_be_listed_is_not_removed(void **state)
{
	struct budget budget = {1000, sys_monotonic_ms() + 60000};
	int tmp = open("/tmp", O_PATH | O_CLOEXEC);

	(void)state;
	assert_int_equal(mkdir("/tmp/tree", 0700), 0);
	assert_int_equal(mkdir("/tmp/tree/full", 0700), 0);
	put("/tmp/tree/full/file");
	for (int i = 0; i < 3; i++) {
		entries = i;
		assert_int_equal(remove_tree(tmp, "tree", &budget), -EIO);
	}
	assert_int_equal(access("/tmp/tree", F_OK), 0);
	close(tmp);
}

static void where_proc_cannot_be_listed_nobody_knows(void **state)
{
	(void)state;
	entries = 0;
	assert_int_equal(session_in_use("/session-nowhere", sys_monotonic_ms() + 60000), -EIO);
	entries = ALL;
	assert_int_equal(session_in_use("/session-nowhere", sys_monotonic_ms() + 60000), 0);
}

static void records_that_cannot_be_listed_are_not_none(void **state)
{
	struct err err = {0};

	(void)state;
	sys_close(record_directory(true));
	assert_int_equal(registry_clean(NULL, 0, false, NULL, NULL, &err), 0);
	entries = 0;
	assert_int_equal(registry_clean(NULL, 0, false, NULL, NULL, &err), -EIO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_policy_file_is_read_whole_or_not),	TEST(a_policy_directory_is_listed_or_spoils_all),
		TEST(a_mount_table_is_read_whole_or_not),	TEST(what_cannot_be_listed_is_not_removed),
		TEST(where_proc_cannot_be_listed_nobody_knows), TEST(records_that_cannot_be_listed_are_not_none),
	};

	if (geteuid() != 0) {
		puts("SKIP test_read_errors: needs root");
		return 0;
	}
	return cmocka_run_group_tests(tests, group_setup, NULL);
}
