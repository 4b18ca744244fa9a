/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sessions as objects: in the order of their coming in their world, and by their id for all. A session is one from the
 * moment that it is asked for: WAITING, BUILDING or IN.
 */
#include "keeper/worlds_private.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Five hundred of them are held in few pages: so the texts are as long as they are, not as they may be. */
static size_t add_text(char *texts, size_t at, const char *text, size_t size)
{
	size_t n = strnlen(text, size - 1);

	if (texts) {
		memcpy(texts + at, text, n);
		texts[at + n] = '\0';
	}
	return at + n + 1;
}

static size_t add_texts(char *texts, const struct keeper_session *session)
{
	size_t n = add_text(texts, 0, session->service, sizeof(session->service));

	n = add_text(texts, n, session->tty, sizeof(session->tty));
	n = add_text(texts, n, session->rhost, sizeof(session->rhost));
	return add_text(texts, n, session->from_user, sizeof(session->from_user));
}

static const char *get_text(const char *text, char *buffer, size_t size)
{
	snprintf(buffer, size, "%s", text);
	return text + strlen(text) + 1;
}

void world_session_tell(const struct world_session *session, struct keeper_session *ret)
{
	const char *next = session->texts;

	*ret = (struct keeper_session){.id = session->id, .since = session->since, .pid = session->pid};
	next = get_text(next, ret->service, sizeof(ret->service));
	next = get_text(next, ret->tty, sizeof(ret->tty));
	next = get_text(next, ret->rhost, sizeof(ret->rhost));
	get_text(next, ret->from_user, sizeof(ret->from_user));
}

struct world_session *world_add_session(struct world *world, const struct keeper_session *session, int pidfd,
					uint64_t identity)
{
	struct world_session **last = &world->sessions, *new = calloc(1, sizeof(*new) + add_texts(NULL, session));

	if (!new)
		return NULL;
	while (*last)
		last = &(*last)->next;
	*last = new;
	new->world = world;
	new->state = SESSION_IN;
	new->identity = identity;
	new->pidfd = (struct source){pidfd, SOURCE_SESSION, new};
	new->id = session->id;
	new->since = session->since;
	new->pid = session->pid;
	add_texts(new->texts, session);
	return new;
}

static struct world_session **bucket(struct worlds *worlds, uint64_t id)
{
	return &worlds->by_id[(id ^ id >> 32) % WORLDS_BUCKETS];
}

struct world_session *worlds_find_session(const struct worlds *worlds, uint64_t id)
{
	struct world_session *session = worlds->by_id[(id ^ id >> 32) % WORLDS_BUCKETS];

	while (session && session->id != id)
		session = session->by_id;
	return session;
}

void worlds_link_session(struct worlds *worlds, struct world_session *session)
{
	struct world_session **at = bucket(worlds, session->id);

	session->by_id = *at;
	*at = session;
	session->serial = ++worlds->serial;
	worlds->n_sessions++;
}

int worlds_add_session(struct worlds *worlds, struct world *world, struct worlds_request *request,
		       struct world_session **ret)
{
	const struct keeper_session *session = &request->message.session;
	struct world_session *new;

	if (!session->id || request->pidfd < 0)
		return -EINVAL;
	if (worlds_find_session(worlds, session->id))
		return -EEXIST;
	if (!worlds_has_room_for_session(worlds, world->uid))
		return -ENOSPC;
	new = world_add_session(world, session, request->pidfd, request->identity);
	if (!new)
		return -ENOMEM;
	request->pidfd = -1;
	new->state = SESSION_WAITING;
	new->kill_on_logout = request->message.flags & KEEPER_KILL_ON_LOGOUT;
	worlds_link_session(worlds, new);
	*ret = new;
	return 0;
}

void worlds_drop_session(struct worlds *worlds, struct world_session *session)
{
	struct world_session **at = bucket(worlds, session->id);

	while (*at != session)
		at = &(*at)->by_id;
	*at = session->by_id;
	for (at = &session->world->sessions; *at != session;)
		at = &(*at)->next;
	*at = session->next;
	if (session->client)
		session->client->asked = NULL;
	if (session->state == SESSION_WAITING)
		worlds_close(worlds, &session->pidfd.fd);
	worlds_drop_source(worlds, &session->pidfd);
	worlds->n_sessions--;
	free(session);
}
