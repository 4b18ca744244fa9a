/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Looking at the namespaces of this process. See place.h.
 */
#include "lib/session/place.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"
#include "lib/policy/policy.h"

const char *place_link_name(enum keeper_ns place)
{
	return place == KEEPER_NS_PID ? "pid_for_children" : keeper_ns_name(place);
}

static int inode_of(int dirfd, const char *name, enum keeper_ns place, uint64_t *ret)
{
	char text[64];
	ssize_t n = sys_readlinkat(dirfd, name, text, sizeof(text));

	return n < 0 ? (int)n : keeper_parse_link(text, place, ret) ? 0 : -EPROTO;
}

int place_inode(int own, enum keeper_ns place, uint64_t *ret)
{
	return own < 0 ? own : inode_of(own, place_link_name(place), place, ret);
}

int place_inodes(uint64_t ret[KEEPER_N_NS])
{
	cleanup_fd int fd = sys_open("/proc/self/ns", O_PATH | O_DIRECTORY);
	int r = fd < 0 ? fd : 0;

	for (int i = 0; r == 0 && i < KEEPER_N_NS; i++)
		r = place_inode(fd, (enum keeper_ns)i, &ret[i]);
	return r;
}

/*
 * What tells, see place_is_not_first(). initial: the machine's first has that number (PROC_*_INIT_INO in the kernel's
 * proc_ns.h, since 3.8), and is in nobody's world.
 */
static const struct {
	enum keeper_ns place;
	uint64_t initial;
	const char *own, *first;
} TOLD_BY[] = {
	{KEEPER_NS_MNT, 0, "/proc/self/ns/mnt", "/proc/1/ns/mnt"},
	{KEEPER_NS_IPC, 0xefffffff, "/proc/self/ns/ipc", "/proc/1/ns/ipc"},
	{KEEPER_NS_UTS, 0xeffffffe, "/proc/self/ns/uts", "/proc/1/ns/uts"},
	{KEEPER_NS_USER, 0xeffffffd, "/proc/self/ns/user", "/proc/1/ns/user"},
};
enum { N_TOLD_BY = sizeof(TOLD_BY) / sizeof(*TOLD_BY) };

static bool is_elsewhere(const uint64_t own[KEEPER_N_NS])
{
	uint64_t first;

	for (size_t i = 0; i < N_TOLD_BY; i++)
		if (own[TOLD_BY[i].place] != TOLD_BY[i].initial &&
		    (inode_of(AT_FDCWD, TOLD_BY[i].first, TOLD_BY[i].place, &first) < 0 || own[TOLD_BY[i].place] != first))
			return true;
	return false;
}

bool place_is_not_first(void)
{
	uint64_t own[KEEPER_N_NS];

	for (size_t i = 0; i < N_TOLD_BY; i++)
		if (inode_of(AT_FDCWD, TOLD_BY[i].own, TOLD_BY[i].place, &own[TOLD_BY[i].place]) < 0)
			return true;
	return is_elsewhere(own);
}

/* What fd is said to be, and made by root of our own user namespace: of one below it anybody may be root (promise 8). */
static int vet(int fd, enum keeper_ns place, uint64_t user_ns)
{
	cleanup_fd int owner = -1;
	struct stat st;
	int r = nsclone_ns_get_nstype(fd);

	if (r != keeper_nstype(place))
		return r < 0 ? r : -EINVAL;
	r = owner = place == KEEPER_NS_USER ? nsclone_ns_get_parent(fd) : nsclone_ns_get_userns(fd);
	if (r >= 0)
		r = sys_fstat(owner, &st);
	return r < 0 ? r : st.st_ino == user_ns ? 0 : -EPERM;
}

int place_differs(const int ns[KEEPER_N_NS], uint64_t *ret, bool *on_host)
{
	uint64_t own[KEEPER_N_NS], types = 0;
	struct stat st;
	int r = place_inodes(own);

	for (int i = 0; r == 0 && i < KEEPER_N_NS; i++) {
		if (ns[i] < 0) { /* only a user namespace may be missing: of the host's nobody is given one */
			r = i == KEEPER_NS_USER ? 0 : -EPROTO;
			continue;
		}
		r = sys_fstat(ns[i], &st);
		if (r < 0 || st.st_ino == own[i])
			continue;
		r = vet(ns[i], (enum keeper_ns)i, own[KEEPER_NS_USER]);
		types |= (uint64_t)keeper_nstype((enum keeper_ns)i);
	}
	if (r == 0)
		*ret = types;
	if (r == 0 && on_host)
		*on_host = !is_elsewhere(own);
	return r;
}

int place_isolates(const int ns[KEEPER_N_NS], const uint64_t own[KEEPER_N_NS], const struct policy_setting *settings)
{
	static const struct {
		enum policy_key key;
		int without; /* the word that asks for none */
		enum keeper_ns place;
	} WANTED[] = {
		{POLICY_PRIVATE_IPC, POLICY_NO, KEEPER_NS_IPC},
		{POLICY_PROTECT_HOSTNAME, POLICY_HOSTNAME_NO, KEEPER_NS_UTS},
		{POLICY_PRIVATE_NETWORK, POLICY_NO, KEEPER_NS_NET},
		{POLICY_PRIVATE_PIDS, POLICY_NO, KEEPER_NS_PID},
		{POLICY_PRIVATE_USERS, POLICY_USERS_NO, KEEPER_NS_USER},
		{POLICY_PRIVATE_TMP, POLICY_TMP_NO, KEEPER_NS_MNT},
	};
	struct stat st;
	bool any = false;

	for (size_t i = 0; i < sizeof(WANTED) / sizeof(*WANTED); i++)
		if (settings[WANTED[i].key].word != WANTED[i].without && !own[WANTED[i].place])
			return -EPROTO;
	for (int i = 0; i < KEEPER_N_NS; i++) {
		int r = own[i] ? sys_fstat(ns[i], &st) : 0;

		if (r < 0 || (own[i] && st.st_ino != own[i]))
			return r < 0 ? r : -EPROTO;
		any |= own[i] != 0;
	}
	return any ? 0 : -EPROTO;
}

/* The first one's map is of one line, as full's is not. */
static bool has_first_map(void)
{
	cleanup_fd int fd = sys_open("/proc/self/uid_map", O_RDONLY);
	unsigned long inside, outside, count;
	char text[128] = "", end;
	ssize_t n = fd < 0 ? fd : sys_read(fd, text, sizeof(text) - 1);

	return n > 0 && sscanf(text, "%lu %lu %lu %c", &inside, &outside, &count, &end) == 3 && inside == outside &&
	       count == UINT32_MAX;
}

bool place_is_among_users(void)
{
	uint64_t own, first;

	if (inode_of(AT_FDCWD, "/proc/self/ns/user", KEEPER_NS_USER, &own) == 0 &&
	    inode_of(AT_FDCWD, "/proc/1/ns/user", KEEPER_NS_USER, &first) == 0)
		return own != first;
	return !has_first_map();
}

bool place_is_of_a_login(uid_t uid, const char *from_user)
{
	cleanup_fd int fd = sys_open("/proc/self/loginuid", O_RDONLY);
	char text[16] = "";
	ssize_t n = fd < 0 ? fd : sys_read(fd, text, sizeof(text) - 1);
	unsigned long login = n <= 0 ? uid : strtoul(text, NULL, 10);

	if (login == uid)
		return from_user && *from_user;
	return login != UINT32_MAX;
}
