/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between worlds and to the host: by the namespaces that the keeper gives. See world_host.h, and world_leave() in world.h.
 */
#include "lib/session/world_host.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "lib/core/sys.h"
#include "lib/session/place.h"
#include "lib/session/world.h"

bool world_is_of_a_login(const struct login *login)
{
	const struct policy_subject *subject = &login->subject->policy;

	return place_is_of_a_login(subject->uid, subject->from_user);
}

int world_ask_host(int link, const struct login *login, struct keeper_fds *ret, bool *inside)
{
	struct keeper_fds fds = KEEPER_NO_FDS;
	struct keeper_message request, answer;
	int r;

	keeper_message_init(&request, KEEPER_HOST);
	r = place_inodes(request.inodes);
	if (r == 0)
		r = keeper_ask(link, &request, NULL, &answer, &fds);
	if (r == 0 && answer.type != KEEPER_HOST)
		r = -EPROTO;
	if (r == 0)
		*inside = (answer.flags & KEEPER_INSIDE) || world_is_of_a_login(login);
	if (r == 0 && ret)
		*ret = fds;
	else
		keeper_fds_done(&fds);
	return r;
}

int world_join(const struct login *login, const int ns[KEEPER_N_NS], const char *whose, struct plan **plan,
	       struct session **session, bool *undo_failed, struct err *err)
{
	struct plan_given given = PLAN_NOTHING_GIVEN;
	const struct policy_subject *subject = &login->subject->policy;
	uint64_t types;
	int r = place_differs(ns, &types, &given.alone);

	if (r < 0)
		return err_set(err, r, "cannot look at the namespaces of this process");
	memcpy(given.ns, ns, sizeof(given.ns));
	r = plan_build_join(subject, types, whose, login->result.settings[POLICY_SCOPE].pos, plan, err);
	return r < 0 ? r : plan_run(*plan, subject, &given, session, undo_failed, err);
}

static bool wants_host(const struct login *login)
{
	const struct policy_setting *setting = &login->result.settings[POLICY_RETURN_TO_HOST];

	return setting->set ? setting->word == POLICY_YES : login->subject->policy.uid == 0;
}

static int find_host(const struct login *login, struct keeper_fds *ret, bool *inside)
{
	cleanup_fd int link = keeper_connect();

	return link < 0 ? link : world_ask_host(link, login, ret, inside);
}

int world_leave(struct login *login, bool *undo_failed, struct err *err)
{
	struct keeper_fds host = KEEPER_NO_FDS;
	bool inside = false;
	int r;

	if (!wants_host(login) || !place_is_not_first())
		return 0;
	r = find_host(login, &host, &inside);
	if (r < 0 && place_is_among_users())
		snprintf(login->note, sizeof(login->note),
			 "it stays where it is, a user namespace (PrivateUsers=) can be left by nobody");
	else if (r < 0)
		snprintf(login->note, sizeof(login->note),
			 "it stays where it is, nsclone-keeper, which knows the way to the host, cannot be reached: %s",
			 strerror(-r));
	else if (inside)
		r = world_join(login, host.ns, "the host", &login->plan, &login->session, undo_failed, err);
	keeper_fds_done(&host);
	if (!inside)
		return 0;
	return r < 0 ? r : LOGIN_RETURNED;
}
