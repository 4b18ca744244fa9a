/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Removing a tree whose owner is hostile: links that lead out, trees deeper than there are descriptors, mounts inside,
 * renames while it runs, and a budget that ends. Parts need root and say so.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/core/sys.h"
#include "lib/session/remove.h"

static char base[64];
static int base_fd;

static int setup(void **state)
{
	(void)state;
	strcpy(base, "/tmp/test_remove.XXXXXX");
	if (!mkdtemp(base))
		return -1;
	base_fd = open(base, O_RDONLY | O_DIRECTORY);
	return base_fd < 0 || mkdirat(base_fd, "tree", 0700) < 0 || mkdirat(base_fd, "outside", 0700) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	close(base_fd);
	snprintf(command, sizeof(command), "rm -rf '%s'", base);
	return system(command);
}

static struct budget plenty(void)
{
	return (struct budget){1000000, sys_monotonic_ms() + 60000};
}

static int exists(const char *name)
{
	return faccessat(base_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void touch(const char *name)
{
	int fd = openat(base_fd, name, O_CREAT | O_WRONLY, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void removes_files_and_directories(void **state)
{
	struct budget budget = plenty();

	(void)state;
	assert_int_equal(mkdirat(base_fd, "tree/a", 0700), 0);
	assert_int_equal(mkdirat(base_fd, "tree/a/b", 0), 0);
	touch("tree/a/file");
	assert_int_equal(mkfifoat(base_fd, "tree/fifo", 0600), 0);
	assert_int_equal(remove_tree(base_fd, "tree", &budget), 0);
	assert_false(exists("tree"));
	assert_int_equal(remove_tree(base_fd, "tree", &budget), 0); /* not there is removed */
}

static void follows_no_link(void **state)
{
	struct budget budget = plenty();

	(void)state;
	touch("outside/precious");
	assert_int_equal(symlinkat("../outside", base_fd, "tree/link"), 0);
	assert_int_equal(symlinkat("outside", base_fd, "toplink"), 0);
	assert_int_equal(remove_tree(base_fd, "tree", &budget), 0);
	assert_true(remove_tree(base_fd, "toplink", &budget) < 0);
	assert_true(exists("outside/precious"));
}

/* 20000 levels, with 64 descriptors. */
static void removes_what_is_too_deep(void **state)
{
	struct rlimit old, few = {64, 64};
	struct budget budget = plenty();
	int fd = openat(base_fd, "tree", O_RDONLY | O_DIRECTORY), r;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "d", 0700), 0);
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = next;
		assert_true(fd >= 0);
	}
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	r = remove_tree(base_fd, "tree", &budget);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(r, 0);
	assert_false(exists("tree"));
}

static void stops_when_the_budget_ends(void **state)
{
	struct budget little = {100, sys_monotonic_ms() + 60000}, late = {1000000, 0}, rest = plenty();
	char name[32];

	(void)state;
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "tree/f%d", i);
		touch(name);
	}
	assert_int_equal(remove_tree(base_fd, "tree", &little), -EAGAIN);
	assert_true(exists("tree"));
	assert_int_equal(remove_tree(base_fd, "tree", &late), -EAGAIN);
	assert_true(exists("tree"));
	assert_int_equal(remove_tree(base_fd, "tree", &rest), 0);
	assert_false(exists("tree"));
}

static int enter_and_mount(void)
{
	char inside[96], file[128];
	int fd;

	snprintf(inside, sizeof(inside), "%s/tree/mounted", base);
	snprintf(file, sizeof(file), "%s/precious", inside);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("x", inside, "tmpfs", 0, NULL) < 0)
		return -1;
	fd = open(file, O_CREAT | O_WRONLY, 0600);
	return fd < 0 ? -1 : close(fd) || access(file, F_OK);
}

/* In a child: the mount is in its mount namespace. */
static int does_not_enter(void)
{
	struct budget budget = plenty();
	char file[128];

	snprintf(file, sizeof(file), "%s/tree/mounted/precious", base);
	if (enter_and_mount() < 0)
		return 2;
	if (remove_tree(base_fd, "tree", &budget) >= 0)
		return 3;
	return access(file, F_OK) == 0 ? 0 : 4;
}

static void enters_no_other_file_system(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdirat(base_fd, "tree/mounted", 0700), 0);
	pid = fork();
	if (pid == 0) {
		/* by path, so that the descriptor is of the child's own mount namespace */
		int r;

		base_fd = open(base, O_RDONLY | O_DIRECTORY);
		r = does_not_enter();
		_exit(r);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A user who swaps directories and links to the outside for as long as he lives. */
static void attack(void)
{
	int tree = openat(base_fd, "tree", O_RDONLY | O_DIRECTORY);

	for (;;) {
		mkdirat(tree, "swap", 0700);
		mkdirat(tree, "swap/full", 0700);
		renameat(tree, "swap", tree, "away");
		if (symlinkat("../outside", tree, "swap") == 0)
			unlinkat(tree, "swap", 0);
		renameat(tree, "away", tree, "swap");
	}
}

static void survives_a_race(void **state)
{
	struct budget budget = {2000000, sys_monotonic_ms() + 1500};
	int r, status;
	pid_t pid;

	(void)state;
	touch("outside/precious");
	assert_int_equal(mkdirat(base_fd, "outside/full", 0700), 0);
	pid = fork();
	if (pid == 0)
		attack();
	do {
		struct budget again = {100000, budget.deadline};

		r = remove_tree(base_fd, "tree", &again);
	} while (r != 0 && sys_monotonic_ms() < budget.deadline);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(exists("outside/precious"));
	assert_true(exists("outside/full"));
	budget = plenty();
	assert_int_equal(remove_tree(base_fd, "tree", &budget), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(removes_files_and_directories, setup, teardown),
		cmocka_unit_test_setup_teardown(follows_no_link, setup, teardown),
		cmocka_unit_test_setup_teardown(removes_what_is_too_deep, setup, teardown),
		cmocka_unit_test_setup_teardown(stops_when_the_budget_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(enters_no_other_file_system, setup, teardown),
		cmocka_unit_test_setup_teardown(survives_a_race, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
