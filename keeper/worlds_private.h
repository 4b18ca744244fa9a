/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the state machine need of each other; nobody else includes it. The rules are in worlds.h.
 */
#ifndef NSCLONE_KEEPER_WORLDS_PRIVATE_H
#define NSCLONE_KEEPER_WORLDS_PRIVATE_H

#include "keeper/worlds.h"

/* worlds.c: worlds as objects */
struct world *worlds_new_world(struct worlds *worlds); /* linked, LEASED; NULL: no memory */
void worlds_drop_world(struct worlds *worlds, struct world *world); /* with all that it holds */
void worlds_drop_init(struct worlds *worlds, struct world *world);
void worlds_drop_witness(struct worlds *worlds, struct world *world);
void worlds_close(struct worlds *worlds, int *fd);
void worlds_drop_source(struct worlds *worlds, struct source *source);
struct world *worlds_find(const struct worlds *worlds, uint64_t id);
void worlds_save_soon(struct worlds *worlds, struct world *world);
void worlds_set_state(struct worlds *worlds, struct world *world, enum world_state state);

/* worlds_session.c */
void worlds_link_session(struct worlds *worlds, struct world_session *session);
int worlds_add_session(struct worlds *worlds, struct world *world, struct worlds_request *request,
		       struct world_session **ret); /* WAITING, last in line */
void worlds_drop_session(struct worlds *worlds, struct world_session *session);
struct world_session *worlds_find_session(const struct worlds *worlds, uint64_t id);

/* worlds_limits.c */
unsigned worlds_n_askers(const struct worlds *worlds, uint32_t uid);
bool worlds_has_room_for_session(const struct worlds *worlds, uint32_t uid);
const char *worlds_why_no_world(const struct worlds *worlds, uint32_t uid); /* NULL: there is room for one */

/* worlds_answer.c; worlds_fail() is in worlds.h */
void worlds_answer(struct worlds *worlds, struct worlds_client *client, uint16_t type);
void worlds_answer_set(struct worlds *worlds, struct worlds_client *client, uint16_t type, const struct world *world);
void worlds_answer_pids(struct worlds *worlds, struct worlds_client *client, const struct world *world, int proc);
void worlds_answer_host(struct worlds *worlds, struct worlds_client *client, const struct worlds_request *request);

/* worlds_lease.c: until a world is HELD */
void worlds_get(struct worlds *worlds, int64_t now, struct worlds_client *client, struct worlds_request *request);
void worlds_pids(struct worlds *worlds, struct worlds_client *client, const struct worlds_request *request);
void worlds_put(struct worlds *worlds, struct worlds_client *client, struct worlds_request *request);
void worlds_take(struct worlds *worlds, struct worlds_client *client, struct worlds_request *request);
void worlds_give_up(struct worlds *worlds, int64_t now, struct worlds_client *client); /* DROP, or it is gone */
void worlds_lease_lost(struct worlds *worlds, int64_t now, struct world *world);
void worlds_lease_late(struct worlds *worlds, int64_t now, struct world *world); /* its time is up */
void worlds_init_speaks(struct worlds *worlds, int64_t now, struct world *world); /* while it is LEASED */

/* worlds_end.c: from then on */
int worlds_session_in(struct worlds *worlds, struct world_session *session);
void worlds_session_ended(struct worlds *worlds, struct world_session *session);
void worlds_retire(struct worlds *worlds, struct world *world);
void worlds_end(struct worlds *worlds, struct worlds_client *client, const struct worlds_request *request);
void worlds_empty(struct worlds *worlds, struct world *world); /* searched in vain */
void worlds_clean_up(struct worlds *worlds, struct world *world); /* drops it, and its directories are removed */
void worlds_linger(struct worlds *worlds, struct world *world);

#endif
