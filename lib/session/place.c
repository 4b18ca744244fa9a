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

static const char *link_name(int i)
{
	return i == KEEPER_NS_PID ? "pid_for_children" : nsclone_ns_name(keeper_nstype((enum keeper_ns)i));
}

/* "mnt:[4026531841]" */
static int inode_of(int dirfd, const char *name, uint64_t *ret)
{
	char text[64];
	ssize_t n = sys_readlinkat(dirfd, name, text, sizeof(text));
	const char *number = n < 0 ? NULL : strchr(text, '[');

	if (!number)
		return n < 0 ? (int)n : -EPROTO;
	*ret = strtoull(number + 1, NULL, 10);
	return 0;
}

static int inodes_in(const char *directory, uint64_t ret[KEEPER_N_NS])
{
	cleanup_fd int fd = sys_open(directory, O_PATH | O_DIRECTORY);
	int r = fd < 0 ? fd : 0;

	for (int i = 0; r == 0 && i < KEEPER_N_NS; i++)
		r = inode_of(fd, link_name(i), &ret[i]);
	return r;
}

int place_inodes(uint64_t ret[KEEPER_N_NS])
{
	return inodes_in("/proc/self/ns", ret);
}

int place_differs(const int ns[KEEPER_N_NS], uint64_t *ret)
{
	uint64_t own[KEEPER_N_NS], types = 0;
	struct stat st;
	int r = place_inodes(own);

	for (int i = 0; r == 0 && i < KEEPER_N_NS; i++) {
		if (ns[i] < 0)
			continue;
		r = sys_fstat(ns[i], &st);
		if (r == 0 && st.st_ino != own[i])
			types |= (uint64_t)keeper_nstype((enum keeper_ns)i);
	}
	if (r == 0)
		*ret = types;
	return r;
}

bool place_is_not_first(void)
{
	uint64_t own[KEEPER_N_NS], first[KEEPER_N_NS];

	if (place_inodes(own) < 0 || inodes_in("/proc/1/ns", first) < 0)
		return true;
	own[KEEPER_NS_CGROUP] = first[KEEPER_NS_CGROUP]; /* a unit may have one, and nothing is reached by it */
	return memcmp(own, first, sizeof(own)) != 0;
}

bool place_is_of_a_login(const char *from_user)
{
	cleanup_fd int fd = sys_open("/proc/self/loginuid", O_RDONLY);
	char text[16] = "";
	ssize_t n = fd < 0 ? fd : sys_read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return from_user && *from_user;
	return strcmp(text, "4294967295") != 0;
}
