/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tests share that work in children. Whatever leaves namespaces, loses rights or is put under a filter does so in a
 * child: the test program itself stays as it was started, and so does the machine.
 */
#ifndef TEST_CORE_H
#define TEST_CORE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/core/nsclone.h"
#include "lib/core/sys.h"

/* In a child: end it and say where. A skipped child has status 77. */
#define CHECK(expression)                                                                                              \
	do {                                                                                                           \
		if (!(expression)) {                                                                                   \
			fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #expression, errno);             \
			_exit(1);                                                                                      \
		}                                                                                                      \
	} while (0)
#define SKIP_CHILD() _exit(77)

/* The same where the machine cannot: what run.sh reads, so that it is no failure in CI. */
#define SKIP_IMPOSSIBLE(name, why) (printf("# impossible: %s: %s\n", name, why), fflush(stdout), _exit(77))

/* Run function in a forked child. Returns its status; 100: it did not end by itself. */
static inline int child_status(void (*function)(void))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		function();
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

/* The same, and pass on to cmocka how it ended. */
static inline void in_child(void (*function)(void))
{
	int status = child_status(function);

	if (status == 77)
		skip();
	assert_int_equal(status, 0);
}

/* A test, test_NAME, that is a function run in a child. */
#define IN_CHILD(name)                                                                                                 \
	static void test_##name(void **state)                                                                          \
	{                                                                                                              \
		(void)state;                                                                                           \
		in_child(name);                                                                                        \
	}

/* In a child: this system call answers this errno from now on. */
static inline void forbid(long number, int code)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned int)code),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = filter};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		SKIP_CHILD();
}

static inline void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* In a child: new namespaces of these types, in a user namespace with root mapped where we are not root. */
static inline void leave(uint64_t types)
{
	char map[32];
	int uid = (int)geteuid(), gid = (int)getegid();

	if (unshare((int)types) == 0)
		return;
	if (uid == 0 || unshare((int)types | CLONE_NEWUSER) < 0)
		SKIP_CHILD();
	put("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %d 1", uid);
	put("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %d 1", gid);
	put("/proc/self/gid_map", map);
}

/* In a child: a mount namespace from which nothing gets out, and an empty tmpfs on /mnt. Returns its descriptor. */
static inline int scratch(void)
{
	struct nsclone_mount_option options[] = {{"mode", "0755"}, {"size", "8m"}};
	int mount, target;

	leave(CLONE_NEWNS);
	CHECK(nsclone_mount_all_slave() == 0);
	mount = nsclone_mount_new("tmpfs", options, 2, 0, NULL);
	if (mount < 0)
		SKIP_CHILD();
	target = open("/mnt", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(target >= 0);
	CHECK(nsclone_mount_attach(mount, target) == 0);
	close(target);
	CHECK(fchdir(mount) == 0);
	return mount;
}

static inline bool same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static inline unsigned int count_fds(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static inline bool on_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD"); /* valgrind's own, for its replacement of malloc */

	return preload && strstr(preload, "vgpreload");
}

#endif
