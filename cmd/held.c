/* SPDX-License-Identifier: BSD-3-Clause */
/* Asking the keeper what it holds. See held.h. */
#include "cmd/held.h"

#include "cmd/alloc.h"
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int take(struct held *held, const struct keeper_message *message)
{
	struct held_world *world;

	if (message->type == KEEPER_WORLD) {
		held->worlds = alloc_one_more(held->worlds, held->n, sizeof(*held->worlds));
		held->worlds[held->n++].about = *message;
		return 0;
	}
	world = held->n ? &held->worlds[held->n - 1] : NULL;
	if (message->type != KEEPER_SESSION || !world || world->about.world != message->world)
		return -EPROTO;
	world->sessions = alloc_one_more(world->sessions, world->n_sessions, sizeof(*world->sessions));
	world->sessions[world->n_sessions++] = message->session;
	return 0;
}

static int read_list(int link, struct held *ret)
{
	struct keeper_message message;
	int r;

	keeper_message_init(&message, KEEPER_LIST);
	r = keeper_ask(link, &message, NULL, &message, NULL);
	while (r == 0 && message.type != KEEPER_DONE) {
		r = take(ret, &message);
		if (r == 0)
			r = keeper_await(link, KEEPER_CALL_MS, &message, NULL);
	}
	return r;
}

int held_read(struct held *ret)
{
	int link = keeper_connect_only(), r;

	*ret = (struct held){0};
	if (link < 0)
		return link;
	r = read_list(link, ret);
	sys_close(link);
	return r;
}

void held_done(struct held *held)
{
	for (size_t i = 0; i < held->n; i++)
		free(held->worlds[i].sessions);
	free(held->worlds);
	*held = (struct held){0};
}

const char *held_why(int r)
{
	switch (r) {
	case -ENOENT:
	case -ECONNREFUSED:
		return "nsclone-keeper does not run";
	case -EACCES:
	case -EPERM:
		return "only root may ask nsclone-keeper";
	case -ECONNRESET:
		return "nsclone-keeper hung up (it answers only root of the initial user namespace)";
	case -ETIMEDOUT:
		return "nsclone-keeper does not answer";
	case -EPROTO:
		return "nsclone-keeper answers something else: is it of another version?";
	default:
		return strerror(-r);
	}
}

const char *held_state(const struct held_world *world)
{
	if (world->about.flags & KEEPER_ENDING)
		return "ending";
	return world->n_sessions ? "held" : "lingering";
}

const struct held_world *held_find(const struct held *held, uid_t uid, uint64_t id)
{
	for (size_t i = held->n; i-- > 0;) {
		const struct keeper_message *about = &held->worlds[i].about;

		if (about->uid == uid && !(about->flags & KEEPER_ENDING) && (!id || about->world == id))
			return &held->worlds[i];
	}
	return NULL;
}

bool held_parse_id(const char *text, uint64_t *ret)
{
	size_t n = strspn(text, "0123456789abcdefABCDEF");

	if (n == 0 || n >= HELD_ID_SIZE || text[n])
		return false;
	*ret = strtoull(text, NULL, 16);
	return *ret != 0;
}

const char *held_id(uint64_t id, char buffer[HELD_ID_SIZE])
{
	snprintf(buffer, HELD_ID_SIZE, "%016" PRIx64, id);
	return buffer;
}

const char *held_namespaces(const struct held_world *world, char *buffer, size_t size)
{
	size_t used = 0;

	*buffer = '\0';
	for (int i = 0; i < KEEPER_N_NS && used < size; i++)
		if (world->about.inodes[i])
			used += (size_t)snprintf(buffer + used, size - used, "%s%s", used ? " " : "",
						 nsclone_ns_name(keeper_nstype((enum keeper_ns)i)));
	return buffer;
}

int held_uid(const char *word, uid_t *ret)
{
	const struct passwd *pw;
	unsigned long uid;
	char *end;

	errno = 0;
	pw = getpwnam(word); /* NOLINT(concurrency-mt-unsafe): there is one thread */
	if (pw) {
		*ret = pw->pw_uid;
		return 0;
	}
	if (errno && errno != ENOENT && errno != ESRCH)
		return -errno;
	uid = strtoul(word, &end, 10);
	if (*word < '0' || *word > '9' || *end || uid >= (uid_t)-1)
		return -ENOENT;
	*ret = (uid_t)uid;
	return 0;
}
