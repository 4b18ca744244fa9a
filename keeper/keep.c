// SPDX-License-Identifier: BSD-3-Clause
/*
 * Keeping worlds. See keep.h.
 *
 * It refuses to put anything into the store twice: systemd compares each with all that it has (kcmp(2)), and would do so
 * for a thousand logins a minute.
 */
#include "keeper/keep.h"
#include <errno.h>
#include "keeper/store.h"

/* What a session is in, its init's pidfd and socket. The pidfds of sessions are not kept: a pid and an identity are. */
int keep_store(const struct world *world)
{
	int fds[KEEPER_N_NS + 2];
	size_t n = 0;
	char name[STORE_NAME];

	for (int i = 0; i < KEEPER_N_NS; i++)
		if (world->ns[i] >= 0)
			fds[n++] = world->ns[i];
	if (world->init.pid && world->init.pidfd >= 0)
		fds[n++] = world->init.pidfd;
	if (world->init.pid && world->init.socket.fd >= 0)
		fds[n++] = world->init.socket.fd;
	store_name(world->id, name);
	return store_put(name, fds, n);
}

/* Its absence is no failure: a keeper that dies without it is found again by /proc. */
static int without_systemd(int r)
{
	return r == -ENOENT ? 0 : r;
}

int keep_world(const struct records *records, const struct world *world)
{
	char name[STORE_NAME];
	int r = records_save(records, world);

	if (world->state == WORLD_GONE) {
		int stored;

		store_name(world->id, name);
		stored = without_systemd(store_remove(name));
		return r < 0 ? r : stored;
	}
	return r == 1 ? without_systemd(keep_store(world)) : r;
}

void keep_forget(const struct records *records, const struct world *world)
{
	char name[STORE_NAME];

	store_name(world->id, name);
	store_remove(name);
	records_forget(records, world->id);
}
