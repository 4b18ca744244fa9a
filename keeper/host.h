/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's namespaces, which are process 1's and never the keeper's own: whatever started the keeper may be in
 * others. They are opened once, at the start.
 */
#ifndef NSCLONE_KEEPER_HOST_H
#define NSCLONE_KEEPER_HOST_H

#include <stdbool.h>
#include "lib/session/keeper.h"

struct host {
	int ns[KEEPER_N_NS]; /* -1: this kernel has none; the user namespace is left out: nobody can join it from within */
	uint64_t inodes[KEEPER_N_NS];
	uint64_t user_ns;    /* the keeper's own: who may talk to it, and who must own what it is given */
};

/* 0, or a negative errno and *type the one that failed ("mnt", ...). */
int host_open(struct host *ret, const char **type);
void host_close(struct host *host);

/* Is this process in the host's mount, PID and user namespace? What it sees in /proc is of no use otherwise. 1 or 0. */
int host_is_mine(const struct host *host);

#endif
