/* SPDX-License-Identifier: BSD-3-Clause */
/* Is there somebody to hold the worlds that users' sessions are to share? See check.h. */
#include "cmd/check.h"
#include "lib/session/keeper.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#ifndef NSCLONE_LIB_DIR
#define NSCLONE_LIB_DIR "/usr/lib/nsclone"
#endif
#define PROGRAM NSCLONE_LIB_DIR "/nsclone-keeper"
#define SHAPELESS                                                                                                      \
	(1U << POLICY_ISOLATE | 1U << POLICY_TRIAL | 1U << POLICY_ON_FAILURE | 1U << POLICY_SCOPE |                    \
	 1U << POLICY_DESCRIPTION | 1U << POLICY_KILL_ON_LOGOUT | 1U << POLICY_RETURN_TO_HOST)

/* The first rule that asks for a world and does not say Scope=; -1: there is none. */
static int first_shared(const struct policy *policy)
{
	for (size_t i = 0; i < policy_n_rules(policy); i++)
		if (check_keys_of(policy, i) & ~SHAPELESS && !policy_rule(policy, i)->sets[POLICY_SCOPE])
			return (int)i;
	return -1;
}

void check_keeper(struct check *check)
{
	int rule = first_shared(check->policy);
	bool pids = check->keys & 1U << POLICY_PRIVATE_PIDS;
	bool systemd = access("/run/systemd/system", F_OK) == 0;
	struct policy_pos pos;

	if ((rule < 0 && !pids) || access(KEEPER_SOCKET, F_OK) == 0)
		return;
	pos = rule < 0 ? check_at(NULL, 0) : policy_rule(check->policy, (size_t)rule)->pos;
	if (errno != ENOENT)
		check_say(check, CHECK_UNSEEN, pos, NULL, "whether nsclone-keeper listens: %s", strerror(errno));
	else if (systemd || access(PROGRAM, X_OK) < 0)
		check_say(check, pids ? CHECK_ERROR : CHECK_WARNING, pos,
			  systemd ? "systemctl enable --now nsclone-keeper.socket" : "make install",
			  "nsclone-keeper %s: no two sessions of a user will share a world%s",
			  systemd ? "does not listen" : "is not at " PROGRAM,
			  pids ? ", and PrivatePIDs=yes refuses its users" : "");
}
