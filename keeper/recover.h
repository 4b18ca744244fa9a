/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A keeper starts, and another was there before: the worlds that are written down (record.h) are found again, by the
 * descriptors that systemd has kept of them, or else by a process that is in them. Inode numbers of namespaces are used
 * again as soon as they are free, so nothing is believed for its number alone:
 *
 *   from the store    the descriptors themselves are proof; each must be what the record says
 *   from /proc        a process whose namespaces have all the record's numbers, and whose mount namespace has the id
 *                     that the kernel never gives twice (NS_GET_MNTNS_ID, 6.11). Without it: not found
 *   a session         the pid and identity (process.h) are still those of a process
 *   the init          the same, and that process is in the PID namespace, which is found by it
 *
 * All namespaces belong to the initial user namespace and none is the host's. A world that is not found, or whose init
 * is dead, is forgotten: its processes go on, its directories are for `nsclone clean`.
 */
#ifndef NSCLONE_KEEPER_RECOVER_H
#define NSCLONE_KEEPER_RECOVER_H

#include <stdbool.h>
#include <stddef.h>
#include "keeper/host.h"
#include "keeper/record.h"
#include "keeper/store.h"
#include "keeper/worlds.h"

struct recovered {
	unsigned worlds; /* found */
	unsigned lost;   /* written down, but not found */
};

/*
 * fds: what store_take() gave; those of worlds (store_is_world()) are taken or closed, and their fd is -1 then; others are
 * left alone. markers: the inotify of before is there, so watches in it still mean what they meant. Worlds go to
 * worlds_adopt(). 0, or a negative errno: the records, or /proc, could not be read to the end.
 */
int recover(struct worlds *worlds, const struct host *host, const struct records *records, struct store_fd *fds, size_t n,
	    bool markers, struct recovered *ret);

#endif
