/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a process is, by what /proc says: which stands here for others. What decides over leaving a login's namespaces, or
 * a daemon's, is told apart by every row of place.h.
 */
/* WRAP: sys_open sys_readlinkat sys_read sys_fstat nsclone_ns_get_nstype nsclone_ns_get_userns nsclone_ns_get_parent */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include "lib/core/sys.h"
#include "lib/session/place.h"

enum { OWN = 900, LOGINUID, UID_MAP, HELD, OWNER = HELD + KEEPER_N_NS };
/* Descriptors that are not there; HELD + i: of a namespace, OWNER + i: of the user namespace that it belongs to. */

static const char *const NAMES[] = {"mnt", "ipc", "uts", "net", "pid_for_children", "cgroup", "user"};

static struct {
	int own[KEEPER_N_NS], first[KEEPER_N_NS], held[KEEPER_N_NS];
	int owner[KEEPER_N_NS]; /* inodes of user namespaces */
	int types[KEEPER_N_NS]; /* what each of held is */
	int read_first; /* 0 or a negative errno: of what is in /proc/1/ns */
	const char *own_text;       /* what all links say, where it is no number in brackets */
	const char *loginuid, *uid_map; /* NULL: there is none */
} now;

int __wrap_sys_open(const char *path, int flags);
ssize_t __wrap_sys_readlinkat(int dirfd, const char *path, char *buffer, size_t size);
ssize_t __wrap_sys_read(int fd, void *buffer, size_t size);
int __wrap_sys_fstat(int fd, struct stat *st);
int __wrap_nsclone_ns_get_nstype(int fd);
int __wrap_nsclone_ns_get_userns(int fd);
int __wrap_nsclone_ns_get_parent(int fd);

int __wrap_sys_open(const char *path, int flags)
{
	(void)flags;
	if (strcmp(path, "/proc/self/ns") == 0)
		return OWN;
	if (strcmp(path, "/proc/self/loginuid") == 0)
		return now.loginuid ? LOGINUID : -ENOENT;
	if (strcmp(path, "/proc/self/uid_map") == 0)
		return now.uid_map ? UID_MAP : -ENOENT;
	fail_msg("it opens %s", path);
	return -ENOENT;
}

ssize_t __wrap_sys_readlinkat(int dirfd, const char *path, char *buffer, size_t size)
{
	const int *inodes = dirfd == OWN || strstr(path, "/self/") ? now.own : now.first;

	if (inodes == now.first && now.read_first < 0)
		return now.read_first;
	if (strrchr(path, '/'))
		path = strrchr(path, '/') + 1;
	for (int i = 0; i < KEEPER_N_NS; i++)
		if (strcmp(path, NAMES[i]) == 0)
			return now.own_text ? snprintf(buffer, size, "%s", now.own_text)
					    : snprintf(buffer, size, "%s:[%u]", keeper_ns_name((enum keeper_ns)i), (unsigned)inodes[i]);
	fail_msg("it reads the link %s", path);
	return -ENOENT;
}

ssize_t __wrap_sys_read(int fd, void *buffer, size_t size)
{
	const char *text = fd == LOGINUID ? now.loginuid : now.uid_map;

	if (*text == '!')
		return -EIO;
	memcpy(buffer, text, strlen(text) < size ? strlen(text) : size);
	return (ssize_t)(strlen(text) < size ? strlen(text) : size);
}

int __wrap_sys_fstat(int fd, struct stat *st)
{
	int inode = fd >= OWNER ? now.owner[fd - OWNER] : fd >= HELD ? now.held[fd - HELD] : 0;

	*st = (struct stat){.st_ino = (ino_t)inode};
	return inode ? 0 : -EBADF;
}

int __wrap_nsclone_ns_get_nstype(int fd)
{
	return now.types[fd - HELD];
}

int __wrap_nsclone_ns_get_userns(int fd)
{
	return fd - HELD + OWNER;
}

int __wrap_nsclone_ns_get_parent(int fd)
{
	return fd - HELD == KEEPER_NS_USER ? fd - HELD + OWNER : -EINVAL;
}

/* On the host: all are PID 1's. */
static int set_up(void **state)
{
	(void)state;
	memset(&now, 0, sizeof(now));
	for (int i = 0; i < KEEPER_N_NS; i++) {
		now.own[i] = now.first[i] = now.held[i] = 100 + i;
		now.owner[i] = 100 + KEEPER_NS_USER;
		now.types[i] = keeper_nstype((enum keeper_ns)i);
	}
	now.loginuid = "4294967295";
	now.uid_map = "         0          0 4294967295\n";
	return 0;
}

static void inodes(void **state)
{
	uint64_t ret[KEEPER_N_NS];

	(void)state;
	assert_int_equal(place_inodes(ret), 0);
	for (int i = 0; i < KEEPER_N_NS; i++)
		assert_int_equal(ret[i], 100 + i);
	now.own_text = "mnt";
	assert_int_equal(place_inodes(ret), -EPROTO);
}

static void differs(void **state)
{
	int ns[KEEPER_N_NS];
	uint64_t types = 1;

	(void)state;
	for (int i = 0; i < KEEPER_N_NS; i++)
		ns[i] = HELD + i;
	assert_int_equal(place_differs(ns, &types, NULL), 0);
	assert_int_equal(types, 0);
	now.own[KEEPER_NS_NET]++;
	now.own[KEEPER_NS_PID]++;
	assert_int_equal(place_differs(ns, &types, NULL), 0);
	assert_int_equal(types, CLONE_NEWNET | CLONE_NEWPID);
	ns[KEEPER_NS_USER] = -1; /* of the host's nobody is given one */
	assert_int_equal(place_differs(ns, &types, NULL), 0);
	assert_int_equal(types, CLONE_NEWNET | CLONE_NEWPID);
	ns[KEEPER_NS_USER] = HELD + KEEPER_NS_USER;
	now.own[KEEPER_NS_USER]++;
	for (int i = 0; i < KEEPER_N_NS; i++)
		now.owner[i] = now.own[KEEPER_NS_USER];
	assert_int_equal(place_differs(ns, &types, NULL), 0);
	assert_int_equal(types, CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUSER);
}

/* What the keeper gave may be joined only if it is what it is said to be, and the host's or of the host's. */
static void vets(void **state)
{
	int ns[KEEPER_N_NS];
	uint64_t types = 1;

	(void)state;
	for (int i = 0; i < KEEPER_N_NS; i++)
		ns[i] = HELD + i;
	for (int i = 0; i < KEEPER_N_NS; i++) {
		int own = now.own[i], owner = now.owner[i], type = now.types[i], held = now.held[i];

		now.own[i] = i == KEEPER_NS_USER ? own : own + 1;
		now.held[i] = i == KEEPER_NS_USER ? held + 1 : held;
		assert_int_equal(place_differs(ns, &types, NULL), 0);
		assert_int_equal(types, keeper_nstype((enum keeper_ns)i));
		types = 1;
		now.owner[i] = 55;
		assert_int_equal(place_differs(ns, &types, NULL), -EPERM);
		now.owner[i] = owner;
		now.types[i] = CLONE_NEWTIME;
		assert_int_equal(place_differs(ns, &types, NULL), -EINVAL);
		now.types[i] = -ENOTTY;
		assert_int_equal(place_differs(ns, &types, NULL), -ENOTTY);
		now.types[i] = type;
		now.held[i] = 0;
		assert_int_equal(place_differs(ns, &types, NULL), -EBADF);
		ns[i] = -1;
		if (i != KEEPER_NS_USER)
			assert_int_equal(place_differs(ns, &types, NULL), -EPROTO);
		assert_int_equal(types, 1);
		ns[i] = HELD + i;
		now.own[i] = own;
		now.held[i] = held;
	}
}

static void first(void **state)
{
	static const enum keeper_ns TOLD_BY[] = {KEEPER_NS_MNT, KEEPER_NS_IPC, KEEPER_NS_UTS, KEEPER_NS_USER};

	(void)state;
	assert_false(place_is_not_first());
	for (int i = 0; i < 4; i++) {
		now.own[TOLD_BY[i]]++;
		assert_true(place_is_not_first());
		now.own[TOLD_BY[i]]--;
	}
	now.own[KEEPER_NS_IPC] = (int)0xefffffff; /* the machine's first, which is in no world, whatever PID 1 is in */
	now.own[KEEPER_NS_UTS] = (int)0xeffffffe;
	now.own[KEEPER_NS_USER] = (int)0xeffffffd;
	assert_false(place_is_not_first());
	now.own[KEEPER_NS_UTS] = (int)0xefffffff; /* no UTS namespace has that one's number */
	assert_true(place_is_not_first());
	now.own[KEEPER_NS_UTS] = 0;
	now.read_first = -EACCES; /* what cannot be seen is another */
	assert_true(place_is_not_first());
}

static void among_users(void **state)
{
	(void)state;
	assert_false(place_is_among_users());
	now.own[KEEPER_NS_USER]++;
	assert_true(place_is_among_users());
	now.read_first = -EACCES; /* then by its map */
	assert_false(place_is_among_users());
	now.uid_map = "0 0 1\n1 1 4294967294\n"; /* full */
	assert_true(place_is_among_users());
	now.uid_map = "0 0 65536\n";
	assert_true(place_is_among_users());
	now.uid_map = "0 100000 4294967295\n";
	assert_true(place_is_among_users());
	now.uid_map = "";
	assert_true(place_is_among_users());
	now.uid_map = "!";
	assert_true(place_is_among_users());
	now.uid_map = NULL;
	assert_true(place_is_among_users());
}

static void of_a_login(void **state)
{
	static const struct {
		const char *loginuid;
		uid_t uid;
		const char *from_user;
		bool wanted;
	} CASES[] = {
		{"4294967295", 1001, NULL, false}, /* nobody has logged in: a daemon */
		{"4294967295", 1001, "alice", false},
		{"1001", 1002, NULL, true},        /* alice has, and this is bob's */
		{"1001", 1002, "alice", true},
		{"1001", 0, NULL, true},
		{"0", 1001, NULL, true},
		{"1001", 1001, NULL, false},       /* pam_loginuid has just said so */
		{"1001", 1001, "", false},
		{"1001", 1001, "alice", true},     /* su alice, by alice */
		{"0", 0, NULL, false},
		{"0", 0, "root", true},
		{NULL, 1001, NULL, false},         /* no audit */
		{NULL, 1001, "", false},
		{NULL, 1001, "alice", true},
		{"!", 1001, "alice", true},
		{"!", 1001, NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
		now.loginuid = CASES[i].loginuid;
		if (place_is_of_a_login(CASES[i].uid, CASES[i].from_user) != CASES[i].wanted)
			fail_msg("case %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(inodes, set_up),	      cmocka_unit_test_setup(differs, set_up),
		cmocka_unit_test_setup(vets, set_up),
		cmocka_unit_test_setup(first, set_up),	      cmocka_unit_test_setup(among_users, set_up),
		cmocka_unit_test_setup(of_a_login, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
