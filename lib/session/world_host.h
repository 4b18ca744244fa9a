/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between worlds and to the host. Private to world*.c.
 */
#ifndef NSCLONE_WORLD_HOST_H
#define NSCLONE_WORLD_HOST_H

#include "lib/session/keeper_call.h"
#include "lib/session/login.h"

/* Without the keeper's word: is this process in somebody's login? See place_is_of_a_login(). */
bool world_is_of_a_login(const struct login *login);

/*
 * HOST: *inside: the login comes from an isolated session, in a world that the keeper knows or in one that it does not.
 * ret, may be NULL: the host's namespaces. 0 or a negative errno.
 */
int world_ask_host(int link, const struct login *login, struct keeper_fds *ret, bool *inside);

/* Where others are, "the host" or "the world": all namespaces of the set that this process is not in. As plan_run(). */
int world_join(const struct login *login, const int ns[KEEPER_N_NS], const char *whose, struct plan **plan,
	       struct session **session, bool *undo_failed, struct err *err);

#endif
