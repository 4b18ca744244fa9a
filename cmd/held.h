/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What nsclone-keeper holds, as its LIST tells it: for list, enter, end, plan and clean. Nobody is started for being
 * asked.
 */
#ifndef NSCLONE_CMD_HELD_H
#define NSCLONE_CMD_HELD_H

#include "lib/session/keeper_call.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct held_world {
	struct keeper_message about; /* WORLD */
	struct keeper_session *sessions;
	size_t n_sessions;
};

/* In the order in which they were made. */
struct held {
	struct held_world *worlds;
	size_t n;
};

/* 0, or a negative errno; *ret is held_done()'s in any case. -ENOENT, -ECONNREFUSED: no keeper runs. */
int held_read(struct held *ret);
void held_done(struct held *held);

/* Why it did not come, for people. */
const char *held_why(int r);

/* "held", "lingering", "ending" */
const char *held_state(const struct held_world *world);

/* The newest that one can still go into, of a user; or that one of his. NULL: there is none. */
const struct held_world *held_find(const struct held *held, uid_t uid, uint64_t id);

/* A world as the user names it: the digits that list shows. False: it is none. */
bool held_parse_id(const char *text, uint64_t *ret);

enum { HELD_ID_SIZE = 17 };
const char *held_id(uint64_t id, char buffer[HELD_ID_SIZE]);

/* "mnt ipc uts": the namespaces that are the world's own. */
const char *held_namespaces(const struct held_world *world, char *buffer, size_t size);

/* A user by name, or by uid where nobody has that name: worlds outlive accounts. 0, -ENOENT, or what NSS says. */
int held_uid(const char *word, uid_t *ret);

#endif
