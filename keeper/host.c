/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Opening the host's namespaces. See host.h. It refuses to go without one that the kernel has: a set that is not
 * complete would leave who takes it in somebody's world.
 */
#include "keeper/host.h"
#include <errno.h>
#include "keeper/process.h"
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"

/* Every kernel that this runs on has all of these, if not CONFIG_CGROUPS and its like are off. */
int host_open(struct host *ret, const char **type)
{
	struct host host = {.ns = {-1, -1, -1, -1, -1, -1, -1}};
	int r = process_inode(PROCESS_SELF, KEEPER_NS_USER, &host.user_ns);

	*type = "user";
	for (int i = 0; i < KEEPER_N_NS && r == 0; i++) {
		*type = keeper_ns_name(i);
		r = process_inode(1, i, &host.inodes[i]);
		if (r < 0 || i == KEEPER_NS_USER)
			continue;
		host.ns[i] = nsclone_ns_open(1, keeper_nstype(i));
		r = host.ns[i] < 0 ? host.ns[i] : 0;
	}
	if (r < 0)
		host_close(&host);
	else
		*ret = host;
	return r;
}

void host_close(struct host *host)
{
	for (int i = 0; i < KEEPER_N_NS; i++) {
		sys_close_p(&host->ns[i]);
		host->ns[i] = -1;
	}
}

int host_is_mine(const struct host *host)
{
	uint64_t inode;

	for (int i = 0; i < KEEPER_N_NS; i++)
		if ((i == KEEPER_NS_MNT || i == KEEPER_NS_PID || i == KEEPER_NS_USER) &&
		    (process_inode(PROCESS_SELF, i, &inode) < 0 || inode != host->inodes[i]))
			return 0;
	return 1;
}
