/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a world comes to be: one asker gets the lease to build it, the others of the same user and key wait in line. The
 * lease ends with PUT (the world is HELD, all who wait are in it), or it is lost (DROP, the connection, the time, the
 * builder's death) and goes to the next in line. So however many ask at a time, one world is made.
 *
 * It refuses what comes from a lease that is lost: that builder keeps what it has built to itself.
 */
#include "keeper/worlds_private.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void say(struct worlds *worlds, const struct world *world, const char *what)
{
	worlds->effects->say(worlds->data, world, what);
}

static const char *why_not_session(int r)
{
	switch (r) {
	case -EINVAL: return "a session needs an id other than 0 and a pidfd";
	case -EEXIST: return "there is a session with this id";
	case -ENOSPC: return "there are too many sessions, of this user or of all";
	default: return "out of memory";
	}
}

/* ---- The lease ---- */

/*
 * The first in line becomes the builder. Its lease ends no later than it would have waited: so nobody is in line longer
 * than its client is there, whoever holds a lease for how long, and a user whose processes are stopped holds nothing.
 */
static int give_lease(struct worlds *worlds, int64_t now, struct world *world)
{
	struct world_session *builder = world->sessions;
	int r;

	builder->state = SESSION_BUILDING;
	world->lease_end = builder->until < now + KEEPER_LEASE_MS ? builder->until : now + KEEPER_LEASE_MS;
	r = worlds->effects->watch(worlds->data, &builder->pidfd);
	if (r < 0)
		builder->state = SESSION_WAITING; /* not watched */
	else
		worlds_answer_set(worlds, builder->client, KEEPER_BUILD, NULL);
	return r;
}

static void forget_init(struct worlds *worlds, struct world *world)
{
	worlds_drop_init(worlds, world);
	worlds_close(worlds, &world->ns[KEEPER_NS_PID]);
	world->inodes[KEEPER_NS_PID] = 0;
}

void worlds_lease_lost(struct worlds *worlds, int64_t now, struct world *world)
{
	say(worlds, world, "the lease is lost");
	forget_init(worlds, world);
	worlds_drop_session(worlds, world->sessions);
	while (world->sessions) {
		struct worlds_client *client = world->sessions->client;

		if (world->sessions->until <= now) {
			worlds_drop_session(worlds, world->sessions); /* it hears nothing any more */
			continue;
		}
		if (give_lease(worlds, now, world) == 0)
			return;
		worlds_drop_session(worlds, world->sessions);
		worlds_fail(worlds, client, ENOMEM, "the keeper cannot watch this session");
	}
	worlds_drop_world(worlds, world);
}

/* Those who still wait have waited long: they build for themselves. */
void worlds_lease_late(struct worlds *worlds, int64_t now, struct world *world)
{
	world->n_late++;
	while (world->n_late >= WORLDS_MAX_LATE && world->sessions->next) {
		struct worlds_client *client = world->sessions->next->client;

		worlds_drop_session(worlds, world->sessions->next);
		worlds_fail(worlds, client, EAGAIN, "nobody who was to build this world has done so in time");
	}
	worlds_lease_lost(worlds, now, world);
}

void worlds_give_up(struct worlds *worlds, int64_t now, struct worlds_client *client)
{
	struct world_session *session = client->asked;

	if (session && session->state == SESSION_BUILDING)
		worlds_lease_lost(worlds, now, session->world);
	else if (session)
		worlds_drop_session(worlds, session);
}

/* ---- GET ---- */

static bool is_asked_for(const struct world *world, const struct keeper_message *message)
{
	return world->uid == message->uid && world->state != WORLD_GONE && !world->alone && !world->retired &&
	       !memcmp(world->key, message->key, sizeof(world->key));
}

static struct world *find_for(struct worlds *worlds, const struct keeper_message *message)
{
	struct world *world = worlds->first;

	if (message->flags & KEEPER_ALONE)
		return NULL;
	while (world && !is_asked_for(world, message))
		world = world->next;
	return world;
}

/* NULL: there is none, and the client was told. */
static struct world *new_for(struct worlds *worlds, struct worlds_client *client, const struct keeper_message *message)
{
	const char *why = worlds_why_no_world(worlds, message->uid);
	struct world *world = why ? NULL : worlds_new_world(worlds);

	if (!world) {
		worlds_fail(worlds, client, why ? ENOSPC : ENOMEM, why ? why : "out of memory");
		return NULL;
	}
	world->uid = message->uid;
	world->alone = message->flags & KEEPER_ALONE;
	memcpy(world->key, message->key, sizeof(world->key));
	return world;
}

/* Who is not written down while somebody else's logout kills is killed by it, should another keeper come. */
static void save_who_joined(struct worlds *worlds, struct world *world, bool killed_before)
{
	if (killed_before || world->kill_on_logout)
		worlds->effects->save(worlds->data, world);
	else
		worlds_save_soon(worlds, world);
}

static void get_held(struct worlds *worlds, struct worlds_client *client, struct world_session *session)
{
	struct world *world = session->world;
	bool killed_before = world->kill_on_logout;

	if (worlds_session_in(worlds, session) < 0) {
		worlds_fail(worlds, client, ENOMEM, "the keeper cannot watch this session");
		return;
	}
	worlds_answer_set(worlds, client, KEEPER_HELD, world);
	save_who_joined(worlds, world, killed_before);
}

static void get_in(struct worlds *worlds, int64_t now, struct worlds_client *client, struct world *world,
		   struct world_session *session)
{
	session->client = client;
	session->until = now + KEEPER_LEASE_MS + KEEPER_CALL_MS;
	client->asked = session;
	if (world->state != WORLD_LEASED)
		get_held(worlds, client, session);
	else if (world->sessions != session)
		worlds_answer(worlds, client, KEEPER_WAIT);
	else if (give_lease(worlds, now, world) < 0) {
		worlds_drop_world(worlds, world);
		worlds_fail(worlds, client, ENOMEM, "the keeper cannot watch this session");
	}
}

void worlds_get(struct worlds *worlds, int64_t now, struct worlds_client *client, struct worlds_request *request)
{
	struct world *found = NULL, *world;
	struct world_session *session;
	int r;

	if (client->asked) {
		worlds_fail(worlds, client, EBUSY, "this connection builds or waits already");
		return;
	}
	found = find_for(worlds, &request->message);
	if ((!found || found->state == WORLD_LEASED) &&
	    worlds_n_askers(worlds, request->message.uid) >= WORLDS_MAX_ASKERS) {
		worlds_fail(worlds, client, EAGAIN, "too many logins of this user build or wait at the moment");
		return;
	}
	world = found ? found : new_for(worlds, client, &request->message);
	if (!world)
		return;
	r = worlds_add_session(worlds, world, request, &session);
	if (r == 0) {
		get_in(worlds, now, client, world, session);
		return;
	}
	if (!found)
		worlds_drop_world(worlds, world);
	worlds_fail(worlds, client, -r, why_not_session(r));
}

/* ---- PIDS ---- */

void worlds_pids(struct worlds *worlds, struct worlds_client *client, const struct worlds_request *request)
{
	struct world *world = client->asked && client->asked->state == SESSION_BUILDING ? client->asked->world : NULL;
	int r;

	if (!world) {
		worlds_fail(worlds, client, ESTALE, "a PID namespace is made for who builds a world only");
		return;
	}
	if (world->init.pid) {
		worlds_fail(worlds, client, EBUSY, "this world has an init already");
		return;
	}
	r = worlds->effects->spawn_init(worlds->data, world, request->message.flags);
	if (r < 0) {
		worlds_fail(worlds, client, -r, "no init could be started");
		return;
	}
	world->init.asked = true;
	r = worlds->effects->watch(worlds->data, &world->init.socket);
	if (r < 0) {
		forget_init(worlds, world);
		worlds_fail(worlds, client, -r, "its init could not be watched");
	}
}

/*
 * Where none was asked for any more it was handed out: an init that dies takes the PID namespace with it, and so the
 * lease; what is built on it would be dead.
 */
void worlds_init_speaks(struct worlds *worlds, int64_t now, struct world *world)
{
	struct worlds_client *client = world->sessions->client;
	bool asked = world->init.asked;
	int proc = asked ? worlds->effects->receive_init(worlds->data, world) : -EPIPE;

	if (proc == -EAGAIN)
		return;
	world->init.asked = false;
	if (proc >= 0) {
		worlds_answer_pids(worlds, client, world, proc);
		worlds_close(worlds, &proc);
		return;
	}
	say(worlds, world, "its init failed");
	if (!asked) {
		worlds_lease_lost(worlds, now, world);
		return;
	}
	forget_init(worlds, world);
	worlds_fail(worlds, client, -proc, "the init of the PID namespace failed");
}

/* ---- PUT ---- */

static const char *why_not_world(const struct worlds *worlds, const struct world *world,
				 const struct worlds_request *request)
{
	uint64_t pids = request->inodes[KEEPER_NS_PID];
	int n = world && world->init.pid ? 1 : 0;

	if (world && world->init.asked)
		return "the init of its PID namespace is not there yet";
	if (world && world->uid != request->message.uid)
		return "this is not the user that was asked for";
	if (pids && (!world || pids != world->inodes[KEEPER_NS_PID]))
		return "a PID namespace needs the keeper's init";
	for (int i = 0; i < KEEPER_N_NS; i++)
		n += request->ns[i] >= 0;
	if (!n)
		return "a world has a namespace of its own";
	for (const struct world *w = request->marker >= 0 ? worlds->first : NULL; w; w = w->next)
		if (w->marker == request->marker)
			return "this marker is another world's";
	return NULL;
}

static int take_over(struct world *world, struct worlds_request *request)
{
	const struct keeper_message *message = &request->message;

	world->rules = message->rules[0] ? strndup(message->rules, sizeof(message->rules)) : NULL;
	if (message->rules[0] && !world->rules)
		return -ENOMEM;
	for (int i = 0; i < KEEPER_N_NS; i++) {
		if (request->ns[i] < 0 || i == KEEPER_NS_PID)
			continue;
		world->ns[i] = request->ns[i];
		world->inodes[i] = request->inodes[i];
		request->ns[i] = -1;
	}
	world->mntns_id = request->mntns_id;
	world->marker = request->marker;
	request->marker = -1;
	snprintf(world->user, sizeof(world->user), "%s", message->user);
	snprintf(world->record, sizeof(world->record), "%s", message->record);
	return 0;
}

/* The builder first, then those that wait, in their order; who cannot be watched is not in it. */
static void let_in(struct worlds *worlds, struct world *world)
{
	struct world_session *next;

	for (struct world_session *s = world->sessions; s; s = next) {
		struct worlds_client *client = s->client;
		bool built = s->state == SESSION_BUILDING;

		next = s->next;
		if (worlds_session_in(worlds, s) < 0)
			worlds_fail(worlds, client, ENOMEM, "the keeper cannot watch this session");
		else if (built)
			worlds_answer(worlds, client, KEEPER_STORED);
		else
			worlds_answer_set(worlds, client, KEEPER_HELD, world);
	}
	if (world->record[0])
		worlds->effects->adopt(worlds->data, world);
	worlds->effects->save(worlds->data, world);
	say(worlds, world, "is held");
}

/* PUT | ALONE without a lease: world and session at once. */
static void put_alone(struct worlds *worlds, struct worlds_client *client, struct worlds_request *request)
{
	struct world_session *session;
	struct world *world = new_for(worlds, client, &request->message);
	int r;

	if (!world)
		return;
	r = worlds_add_session(worlds, world, request, &session);
	if (r == 0)
		r = worlds->effects->watch(worlds->data, &session->pidfd);
	if (r == 0) {
		session->state = SESSION_BUILDING;
		session->client = client;
		client->asked = session;
		r = take_over(world, request);
	}
	if (r == 0) {
		let_in(worlds, world);
		return;
	}
	worlds_drop_world(worlds, world);
	worlds_fail(worlds, client, -r, why_not_session(r));
}

void worlds_put(struct worlds *worlds, struct worlds_client *client, struct worlds_request *request)
{
	struct world_session *session = client->asked;
	struct world *world = session && session->state == SESSION_BUILDING ? session->world : NULL;
	const char *why;

	if (!world && (session || !(request->message.flags & KEEPER_ALONE))) {
		worlds_fail(worlds, client, ESTALE, "you have no lease to build this world, or have it no longer");
		return;
	}
	why = why_not_world(worlds, world, request);
	if (why)
		worlds_fail(worlds, client, EINVAL, why);
	else if (!world)
		put_alone(worlds, client, request);
	else if (take_over(world, request) < 0)
		worlds_fail(worlds, client, ENOMEM, "out of memory");
	else
		let_in(worlds, world);
}

/* ---- TAKE ---- */

void worlds_take(struct worlds *worlds, struct worlds_client *client, struct worlds_request *request)
{
	struct world *world = worlds_find(worlds, request->message.world);
	struct world_session *session;
	int r;

	if (client->asked) {
		worlds_fail(worlds, client, EBUSY, "this connection builds or waits already");
		return;
	}
	if (!world || world->retired || world->state == WORLD_LEASED || world->state == WORLD_GONE) {
		worlds_fail(worlds, client, ESRCH, "there is no such world, or it is ending");
		return;
	}
	r = worlds_add_session(worlds, world, request, &session);
	if (r < 0) {
		worlds_fail(worlds, client, -r, why_not_session(r));
		return;
	}
	session->kill_on_logout = world->kill_on_logout; /* who only visits changes nothing */
	session->client = client;
	client->asked = session;
	get_held(worlds, client, session);
}
