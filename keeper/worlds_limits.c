/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much of the keeper one user may take up. Users decide how often they log in (su(1) to oneself asks nobody), what
 * they leave running, and whether the process that asks goes on at all: it can be stopped by them. So what is shared by
 * all is given to each in part. uid 0 is nobody that the host has to be kept from: what it has is bounded by the totals
 * only, but not how many ask at a time, as others may start what runs for it.
 *
 * It refuses to remember: everything is counted when it is asked for, so no count can go wrong.
 */
#include "keeper/worlds_private.h"

unsigned worlds_n_askers(const struct worlds *worlds, uint32_t uid)
{
	unsigned n = 0;

	for (const struct world *world = worlds->n_leased ? worlds->first : NULL; world; world = world->next)
		for (const struct world_session *s = world->uid == uid ? world->sessions : NULL; s; s = s->next)
			n += s->state != SESSION_IN;
	return n;
}

bool worlds_has_room_for_session(const struct worlds *worlds, uint32_t uid)
{
	unsigned n = 0;

	if (worlds->n_sessions >= WORLDS_MAX_SESSIONS)
		return false;
	for (const struct world *world = uid ? worlds->first : NULL; world; world = world->next)
		for (const struct world_session *s = world->uid == uid ? world->sessions : NULL; s; s = s->next)
			n++;
	return n < WORLDS_MAX_SESSIONS_PER_USER;
}

/* Those that are GONE count, too: their directories are in use. */
const char *worlds_why_no_world(const struct worlds *worlds, uint32_t uid)
{
	unsigned n = 0;

	if (worlds->n_worlds >= WORLDS_MAX)
		return "there are too many worlds";
	for (const struct world *world = uid ? worlds->first : NULL; world; world = world->next)
		n += world->uid == uid;
	return n < WORLDS_MAX_PER_USER ? NULL : "this user has too many worlds: processes are left in them, or sessions";
}
