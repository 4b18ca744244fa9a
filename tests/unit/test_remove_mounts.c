/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Removing stays on the file system that it was sent to, where the tree itself has become another one's: what a user
 * (by FUSE) or an administrator mounted there is not emptied. With openat2 and without. Needs root.
 */
/* WRAP: nsclone_openat2 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"
#include "lib/session/remove.h"

static bool no_openat2;

int __real_nsclone_openat2(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve);
int __wrap_nsclone_openat2(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve);
int __wrap_nsclone_openat2(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	return no_openat2 ? -ENOSYS : __real_nsclone_openat2(dirfd, path, flags, mode, resolve);
}

static int setup(void **state)
{
	(void)state;
	no_openat2 = false;
	return mount("x", "/tmp", "tmpfs", 0, "mode=1777") < 0 || mkdir("/tmp/tree", 0700) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	return umount2("/tmp", MNT_DETACH);
}

static int group_setup(void **state)
{
	(void)state;
	return unshare(CLONE_NEWNS) < 0 ? -1 : mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static void precious(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

/* Nothing is removed of what is at the name `tree` of /tmp. */
static void is_left_alone(const char *file)
{
	struct budget budget = {1000, sys_monotonic_ms() + 60000};
	int tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_true(tmp >= 0);
	assert_int_equal(remove_tree(tmp, "tree", &budget), -EXDEV);
	assert_int_equal(access(file, F_OK), 0);
	close(tmp);
}

static void another_file_system(void **state)
{
	(void)state;
	assert_int_equal(mount("x", "/tmp/tree", "tmpfs", 0, NULL), 0);
	precious("/tmp/tree/file");
	is_left_alone("/tmp/tree/file");
	no_openat2 = true;
	is_left_alone("/tmp/tree/file");
}

/* Without openat2 this cannot be told apart; what could be, by the device number, is. */
static void another_mount_of_the_same(void **state)
{
	(void)state;
	assert_int_equal(mkdir("/tmp/elsewhere", 0700), 0);
	precious("/tmp/elsewhere/file");
	assert_int_equal(mount("/tmp/elsewhere", "/tmp/tree", NULL, MS_BIND, NULL), 0);
	is_left_alone("/tmp/elsewhere/file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(another_file_system, setup, teardown),
		cmocka_unit_test_setup_teardown(another_mount_of_the_same, setup, teardown),
	};

	if (geteuid() != 0) {
		puts("SKIP test_remove_mounts: needs root");
		return 0;
	}
	return cmocka_run_group_tests(tests, group_setup, NULL);
}
