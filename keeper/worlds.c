/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Worlds as objects, and the way of an event to its rule. Whatever a world holds (descriptors, watches, its
 * init) is given back in one place, worlds_drop_world().
 *
 * It refuses to call the system: all of that is in struct worlds_effects.
 */
#include "keeper/worlds_private.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct world *world_new(void)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world)
		return NULL;
	for (int i = 0; i < KEEPER_N_NS; i++)
		world->ns[i] = -1;
	world->marker = -1;
	world->init.pidfd = -1;
	world->init.socket = (struct source){-1, SOURCE_INIT, world};
	world->witness = (struct source){-1, SOURCE_WITNESS, world};
	return world;
}

void world_free(struct world *world)
{
	if (!world)
		return;
	while (world->sessions) {
		struct world_session *next = world->sessions->next;

		free(world->sessions);
		world->sessions = next;
	}
	free(world->rules);
	free(world);
}

bool world_owns_inode(const struct world *world, const uint64_t inodes[KEEPER_N_NS])
{
	for (int i = 0; i < KEEPER_N_NS; i++)
		if (world->inodes[i] && world->inodes[i] == inodes[i])
			return true;
	return false;
}

void worlds_init(struct worlds *worlds, const struct worlds_effects *effects, void *data, const int *host)
{
	*worlds = (struct worlds){.effects = effects, .data = data, .host = host};
	worlds->last = &worlds->first;
}

void worlds_clear(struct worlds *worlds)
{
	while (worlds->first) {
		struct world *next = worlds->first->next;

		world_free(worlds->first);
		worlds->first = next;
	}
	worlds->last = &worlds->first;
}

/* ---- Worlds ---- */

struct world *worlds_find(const struct worlds *worlds, uint64_t id)
{
	struct world *world = worlds->first;

	while (world && world->id != id)
		world = world->next;
	return world;
}

static void link_world(struct worlds *worlds, struct world *world)
{
	world->serial = ++worlds->serial;
	*worlds->last = world;
	worlds->last = &world->next;
	worlds->n_worlds++;
	if (world->state == WORLD_LEASED)
		worlds->n_leased++;
}

static void unlink_world(struct worlds *worlds, struct world *world)
{
	struct world **at = &worlds->first;

	while (*at != world)
		at = &(*at)->next;
	*at = world->next;
	if (worlds->last == &world->next)
		worlds->last = at;
	worlds->n_worlds--;
	if (world->state == WORLD_LEASED)
		worlds->n_leased--;
}

struct world *worlds_new_world(struct worlds *worlds)
{
	struct world *world = world_new();

	if (!world)
		return NULL;
	do
		world->id = worlds->effects->random(worlds->data);
	while (!world->id || worlds_find(worlds, world->id));
	link_world(worlds, world);
	return world;
}

void worlds_set_state(struct worlds *worlds, struct world *world, enum world_state state)
{
	if (world->state == WORLD_LEASED && state != WORLD_LEASED)
		worlds->n_leased--;
	world->state = state;
	if (state != WORLD_LINGERING) {
		worlds_drop_witness(worlds, world);
		world->searched = world->searched && world->ending;
	}
}

void worlds_close(struct worlds *worlds, int *fd)
{
	if (*fd >= 0)
		worlds->effects->close(worlds->data, *fd);
	*fd = -1;
}

void worlds_drop_source(struct worlds *worlds, struct source *source)
{
	if (source->fd < 0)
		return;
	worlds->effects->unwatch(worlds->data, source);
	worlds_close(worlds, &source->fd);
}

void worlds_drop_witness(struct worlds *worlds, struct world *world)
{
	worlds_drop_source(worlds, &world->witness);
	world->witness_pid = 0;
}

void worlds_drop_init(struct worlds *worlds, struct world *world)
{
	if (!world->init.pid)
		return;
	worlds_drop_source(worlds, &world->init.socket);
	worlds->effects->end_init(worlds->data, world);
	world->init.pid = 0;
	world->init.pidfd = -1;
	world->init.asked = false;
}

void worlds_drop_world(struct worlds *worlds, struct world *world)
{
	while (world->sessions)
		worlds_drop_session(worlds, world->sessions);
	worlds_drop_witness(worlds, world);
	worlds_drop_init(worlds, world);
	for (int i = 0; i < KEEPER_N_NS; i++)
		worlds_close(worlds, &world->ns[i]);
	if (world->marker >= 0)
		worlds->effects->forget_marker(worlds->data, world->marker);
	if (world->state != WORLD_LEASED)
		worlds->effects->forget(worlds->data, world);
	unlink_world(worlds, world);
	world_free(world);
}

/* ---- Events ---- */

static void leave(struct worlds *worlds, const struct worlds_request *request)
{
	struct world_session *session = worlds_find_session(worlds, request->message.session.id);

	if (session && session->state == SESSION_IN)
		worlds_session_ended(worlds, session);
}

static void list(struct worlds *worlds, struct worlds_client *client)
{
	if (client->listing) {
		worlds_fail(worlds, client, EBUSY, "a list is under way on this connection");
		return;
	}
	client->listing = true;
	client->list_world = client->list_session = 0;
	worlds_list(worlds, client);
}

void worlds_request(struct worlds *worlds, int64_t now, struct worlds_client *client, struct worlds_request *request)
{
	switch (request->message.type) {
	case KEEPER_GET: worlds_get(worlds, now, client, request); break;
	case KEEPER_PIDS: worlds_pids(worlds, client, request); break;
	case KEEPER_PUT: worlds_put(worlds, client, request); break;
	case KEEPER_DROP: worlds_give_up(worlds, now, client); break;
	case KEEPER_LEAVE: leave(worlds, request); break;
	case KEEPER_HOST: worlds_answer_host(worlds, client, request); break;
	case KEEPER_LIST: list(worlds, client); break;
	case KEEPER_TAKE: worlds_take(worlds, client, request); break;
	case KEEPER_END: worlds_end(worlds, client, request); break;
	default: worlds_fail(worlds, client, EOPNOTSUPP, "the keeper knows no such request"); break;
	}
}

void worlds_client_gone(struct worlds *worlds, int64_t now, struct worlds_client *client)
{
	worlds_give_up(worlds, now, client);
	client->listing = false;
}

void worlds_readable(struct worlds *worlds, int64_t now, struct source *source)
{
	struct world_session *session;
	struct world *world;

	if (source->kind == SOURCE_SESSION) {
		session = source->owner;
		if (session->state == SESSION_IN)
			worlds_session_ended(worlds, session);
		else
			worlds_lease_lost(worlds, now, session->world);
		return;
	}
	world = source->owner;
	if (source->kind == SOURCE_WITNESS)
		worlds_linger(worlds, world); /* again */
	else if (world->state == WORLD_LEASED)
		worlds_init_speaks(worlds, now, world);
	else
		worlds_retire(worlds, world);
}

/*
 * Who joins or leaves a world that others are in does not wait for a file to be written, nor does who comes next. A keeper
 * that is killed meanwhile has told the next one of the world, but not of that session; its processes keep the world. (Not
 * for KillOnLogout=: there they would not.)
 */
void worlds_save_soon(struct worlds *worlds, struct world *world)
{
	world->unsaved = worlds->unsaved = true;
}

static void save_unsaved(struct worlds *worlds, int64_t now)
{
	if (!worlds->save_due) {
		worlds->save_due = now + WORLDS_SAVE_MS;
		return;
	}
	if (worlds->save_due > now)
		return;
	for (struct world *world = worlds->first; world; world = world->next) {
		if (world->unsaved)
			worlds->effects->save(worlds->data, world);
		world->unsaved = false;
	}
	worlds->unsaved = false;
	worlds->save_due = 0;
}

void worlds_tick(struct worlds *worlds, int64_t now)
{
	struct world *next;

	if (worlds->unsaved)
		save_unsaved(worlds, now);
	for (struct world *world = worlds->n_leased ? worlds->first : NULL; world; world = next) {
		next = world->next;
		if (world->state == WORLD_LEASED && world->lease_end <= now)
			worlds_lease_late(worlds, now, world);
	}
}

int64_t worlds_due(const struct worlds *worlds)
{
	int64_t due = worlds->scan_wanted && !worlds->scanning ? worlds->scan_not_before : INT64_MAX;

	if (worlds->unsaved && worlds->save_due < due)
		due = worlds->save_due;
	for (const struct world *world = worlds->n_leased ? worlds->first : NULL; world; world = world->next)
		if (world->state == WORLD_LEASED && world->lease_end < due)
			due = world->lease_end;
	return due;
}

/* ---- Recovery ---- */

static int adopt_sources(struct worlds *worlds, struct world *world)
{
	int r = 0;

	if (world->init.pid && world->init.socket.fd >= 0)
		r = worlds->effects->watch(worlds->data, &world->init.socket);
	for (struct world_session *s = world->sessions; s && r == 0; s = s->next)
		r = worlds->effects->watch(worlds->data, &s->pidfd);
	return r;
}

/* A session with an id that is known is refused with its world: both cannot be what they say. */
int worlds_adopt(struct worlds *worlds, struct world *world)
{
	int r = worlds->n_worlds >= WORLDS_MAX ? -ENOSPC : worlds_find(worlds, world->id) ? -EEXIST : 0;

	link_world(worlds, world);
	for (struct world_session *s = world->sessions; s; s = s->next) {
		if (worlds_find_session(worlds, s->id))
			r = -EEXIST;
		worlds_link_session(worlds, s);
	}
	if (r == 0)
		r = adopt_sources(worlds, world);
	if (r == 0 && world->record[0])
		worlds->effects->adopt(worlds->data, world);
	if (r < 0)
		worlds_drop_world(worlds, world);
	else if (world->state == WORLD_GONE && world->marker < 0)
		worlds_clean_up(worlds, world);
	else if (world->state != WORLD_GONE && (!world->sessions || world->ending))
		worlds_linger(worlds, world);
	return r;
}
