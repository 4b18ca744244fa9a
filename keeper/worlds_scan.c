/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Searching /proc for who is left in worlds without sessions, and for who is to be killed. One pass serves all worlds
 * that take part when it begins; one that begins to linger later waits for the next, as processes that were passed
 * already may be in it. A pass that could not see everything finds nobody to be gone.
 */
#include "keeper/worlds_private.h"
#include <errno.h>

enum {
	SCAN_GAP_MS = 100,     /* between two passes at least */
	SCAN_KILL_GAP_MS = 10, /* while there is somebody to be killed */
	SCAN_SHARE = 10,       /* and at least so many times what the last one took */
	SCAN_RETRY_MS = 1000,  /* after one that failed */
};

static bool takes_part(const struct world *world)
{
	if (world->state == WORLD_LEASED || world->state == WORLD_GONE)
		return false;
	return world->ending || (world->state == WORLD_LINGERING && world->witness.fd < 0);
}

bool worlds_scan_due(const struct worlds *worlds, int64_t now)
{
	return !worlds->scanning && worlds->scan_wanted && worlds->scan_not_before <= now;
}

void worlds_scan_begin(struct worlds *worlds, int64_t now)
{
	worlds->scanning = true;
	worlds->scan_wanted = false;
	worlds->scan_began = now;
	for (struct world *world = worlds->first; world; world = world->next) {
		world->searched = takes_part(world);
		world->found = false;
	}
}

unsigned worlds_scan_types(const struct worlds *worlds)
{
	unsigned types = 0;

	for (const struct world *world = worlds->first; world; world = world->next)
		for (int i = 0; world->searched && i < KEEPER_N_NS; i++)
			if (world->inodes[i])
				types |= 1U << i;
	return types;
}

/* A process that cannot be got hold of for another reason than that it has gone is there all the same. */
static void found(struct worlds *worlds, struct world *world, pid_t pid)
{
	int fd = worlds->effects->open_process(worlds->data, pid, world);

	if (fd == -ESRCH || fd == -ENOENT)
		return;
	world->found = true;
	if (fd < 0)
		return;
	if (world->ending) {
		worlds->effects->kill(worlds->data, fd);
		worlds_close(worlds, &fd);
		return;
	}
	world->witness.fd = fd;
	world->witness_pid = pid;
	if (worlds->effects->watch(worlds->data, &world->witness) < 0)
		worlds_close(worlds, &world->witness.fd);
}

void worlds_scan_process(struct worlds *worlds, pid_t pid, const uint64_t inodes[KEEPER_N_NS])
{
	for (struct world *world = worlds->first; world; world = world->next) {
		if (!world->searched || (world->found && !world->ending))
			continue;
		if (world_owns_inode(world, inodes) && pid != world->init.pid)
			found(worlds, world, pid);
	}
}

static int64_t gap(const struct worlds *worlds, int64_t now, bool complete, bool killing)
{
	int64_t took = now - worlds->scan_began;
	int64_t least = killing ? SCAN_KILL_GAP_MS : SCAN_GAP_MS;

	if (!complete)
		return SCAN_RETRY_MS;
	return killing || took * SCAN_SHARE < least ? least : took * SCAN_SHARE;
}

void worlds_scan_end(struct worlds *worlds, int64_t now, bool complete)
{
	bool killing = false;
	struct world *next;

	worlds->scanning = false;
	for (struct world *world = worlds->first; world; world = next) {
		next = world->next;
		if (!world->searched)
			continue;
		world->searched = false;
		if (complete && !world->found) {
			worlds_empty(worlds, world);
			continue;
		}
		killing |= world->ending;
		if (world->witness.fd < 0)
			worlds->scan_wanted = true;
	}
	worlds->scan_not_before = now + gap(worlds, now, complete, killing);
}
