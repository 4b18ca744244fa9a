/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the worlds answer. A set of namespaces is always complete, so that who takes it leaves whatever other world it
 * was in. It decides nothing and changes nothing but the cursor of a list.
 */
#include "keeper/worlds_private.h"
#include <sched.h>
#include <stdio.h>
#include <string.h>

static bool send_message(struct worlds *worlds, struct worlds_client *client, struct keeper_message *message,
			 const int *fds)
{
	return worlds->effects->answer(worlds->data, client, message, fds);
}

void worlds_fail(struct worlds *worlds, struct worlds_client *client, int error, const char *text)
{
	struct keeper_message message = {.type = KEEPER_FAILED, .error = error};

	snprintf(message.text, sizeof(message.text), "%s", text);
	send_message(worlds, client, &message, NULL);
}

void worlds_answer(struct worlds *worlds, struct worlds_client *client, uint16_t type)
{
	struct keeper_message message = {.type = type};

	send_message(worlds, client, &message, NULL);
}

static void describe(const struct world *world, struct keeper_message *message)
{
	message->world = world->id;
	message->uid = world->uid;
	message->flags = (world->alone ? KEEPER_ALONE : 0) | (world->kill_on_logout ? KEEPER_KILL_ON_LOGOUT : 0) |
			 (world->retired ? KEEPER_ENDING : 0) | (world->inodes[KEEPER_NS_PID] ? KEEPER_PIDS_INSIDE : 0);
	memcpy(message->key, world->key, sizeof(message->key));
	for (int i = 0; i < KEEPER_N_NS; i++)
		message->inodes[i] = world->inodes[i];
	snprintf(message->user, sizeof(message->user), "%s", world->user);
	snprintf(message->rules, sizeof(message->rules), "%s", world->rules ? world->rules : "");
	snprintf(message->record, sizeof(message->record), "%s", world->record);
}

static void add_fd(struct keeper_message *message, int *fds, uint32_t type, int fd)
{
	if (fd < 0)
		return;
	fds[message->n_fds] = fd;
	message->fds[message->n_fds++] = type;
}

/* The host's user namespace is left out: nobody can setns(2) into the one that it is in. */
static void add_set(const struct worlds *worlds, const struct world *world, struct keeper_message *message, int *fds)
{
	for (int i = 0; i < KEEPER_N_NS; i++) {
		int fd = world ? world->ns[i] : -1;

		if (fd < 0 && i != KEEPER_NS_USER)
			fd = worlds->host[i];
		add_fd(message, fds, (uint32_t)keeper_nstype(i), fd);
	}
}

/* world NULL: the host's set */
void worlds_answer_set(struct worlds *worlds, struct worlds_client *client, uint16_t type, const struct world *world)
{
	struct keeper_message message = {.type = type};
	int fds[KEEPER_MAX_FDS];

	if (world)
		describe(world, &message);
	add_set(worlds, world, &message, fds);
	send_message(worlds, client, &message, fds);
}

void worlds_answer_pids(struct worlds *worlds, struct worlds_client *client, const struct world *world, int proc)
{
	struct keeper_message message = {.type = KEEPER_PIDS};
	int fds[KEEPER_MAX_FDS];

	message.inodes[KEEPER_NS_PID] = world->inodes[KEEPER_NS_PID];
	add_fd(&message, fds, CLONE_NEWPID, world->ns[KEEPER_NS_PID]);
	add_fd(&message, fds, KEEPER_FD_PROC, proc);
	send_message(worlds, client, &message, fds);
}

void worlds_answer_host(struct worlds *worlds, struct worlds_client *client, const struct worlds_request *request)
{
	struct keeper_message message = {.type = KEEPER_HOST};
	int fds[KEEPER_MAX_FDS];

	for (const struct world *world = worlds->first; world; world = world->next) {
		if (!world_owns_inode(world, request->message.inodes))
			continue;
		describe(world, &message);
		message.flags |= KEEPER_INSIDE;
		break;
	}
	add_set(worlds, NULL, &message, fds);
	send_message(worlds, client, &message, fds);
}

/* ---- LIST ---- */

static bool list_world(struct worlds *worlds, struct worlds_client *client, const struct world *world)
{
	struct keeper_message message = {.type = KEEPER_WORLD};

	describe(world, &message);
	return send_message(worlds, client, &message, NULL);
}

static bool list_sessions(struct worlds *worlds, struct worlds_client *client, const struct world *world)
{
	for (const struct world_session *s = world->sessions; s; s = s->next) {
		struct keeper_message message = {.type = KEEPER_SESSION, .world = world->id, .uid = world->uid};

		if (s->serial <= client->list_session)
			continue;
		world_session_tell(s, &message.session);
		if (!send_message(worlds, client, &message, NULL))
			return false;
		client->list_session = s->serial;
	}
	return true;
}

/*
 * Serials only grow, and lists are in their order: so the cursor holds whatever comes and goes between two calls.
 * list_world is the world whose WORLD was sent; while it is the same its sessions may still be to come.
 */
void worlds_list(struct worlds *worlds, struct worlds_client *client)
{
	if (!client->listing)
		return;
	for (const struct world *world = worlds->first; world; world = world->next) {
		if (world->serial < client->list_world || world->state == WORLD_LEASED)
			continue;
		if (world->serial > client->list_world) {
			if (!list_world(worlds, client, world))
				return;
			client->list_world = world->serial;
			client->list_session = 0;
		}
		if (!list_sessions(worlds, client, world))
			return;
	}
	if (send_message(worlds, client, &(struct keeper_message){.type = KEEPER_DONE}, NULL))
		client->listing = false;
}
