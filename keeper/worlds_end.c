/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a world ends: its sessions end, it lingers while there are processes in it, it is searched in vain, and its
 * descriptors are closed; then, where it has a marker, its directories are removed when the kernel says that the last
 * of its mounts is gone. "Nobody is left in it" cannot be told by looking through /proc (that races with fork), so
 * nothing but the descriptors hangs on that search.
 */
#include "keeper/worlds_private.h"
#include <errno.h>

static void say(struct worlds *worlds, const struct world *world, const char *what)
{
	worlds->effects->say(worlds->data, world, what);
}

/* ---- Sessions ---- */

/*
 * It is in its world from now on, and its client may ask for another. On failure it is dropped; the world then lingers
 * if nobody else is in it.
 */
int worlds_session_in(struct worlds *worlds, struct world_session *session)
{
	struct world *world = session->world;
	int r = session->state == SESSION_BUILDING ? 0 : worlds->effects->watch(worlds->data, &session->pidfd);

	if (r < 0) {
		worlds_drop_session(worlds, session);
		return r;
	}
	session->state = SESSION_IN;
	session->client->asked = NULL;
	session->client = NULL;
	world->kill_on_logout = session->kill_on_logout;
	worlds_set_state(worlds, world, WORLD_HELD);
	return 0;
}

static void begin_end(struct worlds *worlds, struct world *world)
{
	world->retired = world->ending = true;
	worlds_drop_init(worlds, world); /* that ends all of its PID namespace at once */
	worlds_drop_witness(worlds, world);
	worlds->scan_wanted = true;
	say(worlds, world, "is being ended");
}

void worlds_linger(struct worlds *worlds, struct world *world)
{
	if (world->state == WORLD_HELD && !world->sessions)
		worlds_set_state(worlds, world, WORLD_LINGERING);
	worlds_drop_witness(worlds, world);
	worlds->scan_wanted = true;
}

void worlds_session_ended(struct worlds *worlds, struct world_session *session)
{
	struct world *world = session->world;

	worlds_drop_session(worlds, session);
	if (world->state == WORLD_HELD && !world->sessions) {
		worlds_linger(worlds, world);
		if (world->kill_on_logout && !world->ending)
			begin_end(worlds, world);
	}
	if (world->state == WORLD_HELD)
		worlds_save_soon(worlds, world);
	else if (world->state != WORLD_GONE)
		worlds->effects->save(worlds->data, world);
}

/* ---- Worlds ---- */

/* Its init is dead, and with it all of its PID namespace; who is in its other namespaces may stay until they end. */
void worlds_retire(struct worlds *worlds, struct world *world)
{
	say(worlds, world, "is retired: its init has ended");
	world->retired = true;
	worlds_drop_init(worlds, world);
	if (world->state == WORLD_LINGERING)
		worlds_linger(worlds, world);
	if (world->state != WORLD_GONE)
		worlds->effects->save(worlds->data, world);
}

/* What is still being built has nobody in it and is left alone. One that is GONE is ending: nobody can be found in it. */
static bool is_to_end(const struct world *world, const struct keeper_message *message)
{
	if (world->state == WORLD_LEASED)
		return false;
	return message->world ? world->id == message->world : world->uid == message->uid;
}

void worlds_end(struct worlds *worlds, struct worlds_client *client, const struct worlds_request *request)
{
	bool any = false;

	for (struct world *world = worlds->first; world; world = world->next) {
		if (!is_to_end(world, &request->message))
			continue;
		any = true;
		if (!world->ending && world->state != WORLD_GONE) {
			begin_end(worlds, world);
			worlds->effects->save(worlds->data, world);
		}
	}
	if (any)
		worlds_answer(worlds, client, KEEPER_DONE);
	else
		worlds_fail(worlds, client, ESRCH, "there is no such world");
}

/*
 * Away with it and its directories. Where there was a marker nobody can be in there any more; where there is none (a
 * keeper that was killed took it along) `nsclone clean` looks for itself, and what that finds in use it leaves to later
 * logins.
 */
void worlds_clean_up(struct worlds *worlds, struct world *world)
{
	if (world->record[0])
		worlds->effects->clean(worlds->data, world);
	worlds_drop_world(worlds, world);
}

/*
 * Sessions that are left belong to processes that have gone elsewhere (only a world that is ended has them here). The
 * inodes are forgotten with the descriptors: the kernel gives the same numbers to the next namespaces.
 */
void worlds_empty(struct worlds *worlds, struct world *world)
{
	say(worlds, world, "is empty");
	while (world->sessions)
		worlds_drop_session(worlds, world->sessions);
	worlds_drop_init(worlds, world);
	for (int i = 0; i < KEEPER_N_NS; i++) {
		worlds_close(worlds, &world->ns[i]);
		world->inodes[i] = 0;
	}
	world->mntns_id = 0;
	if (world->marker < 0) {
		worlds_clean_up(worlds, world);
		return;
	}
	worlds_set_state(worlds, world, WORLD_GONE);
	world->retired = true;
	worlds->effects->save(worlds->data, world);
}

/* A marker that goes while the world is still held was unmounted by hand: it tells nothing any more. */
void worlds_unmounted(struct worlds *worlds, int marker)
{
	struct world *world = worlds->first;

	while (world && world->marker != marker)
		world = world->next;
	if (!world)
		return;
	world->marker = -1;
	if (world->state != WORLD_GONE) {
		say(worlds, world, "has lost its marker");
		worlds->effects->save(worlds->data, world);
		return;
	}
	worlds_clean_up(worlds, world);
}
