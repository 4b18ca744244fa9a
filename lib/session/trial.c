/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A plan that is run in a child of the very daemon, because only there SELinux, seccomp and the hardening of its unit
 * show, and undone there.
 */
#include "lib/session/trial.h"
#include <stdio.h>
#include <string.h>
#include "lib/session/child.h"
#include "lib/session/world.h"

enum { TRIAL_MS = 10000 };

struct attempt {
	const struct login *login;
	const struct policy_result *result;
};

static int build_and_undo(const void *argument, struct err *err)
{
	const struct attempt *attempt = argument;

	return world_try(attempt->login, attempt->result, err);
}

/* What this login would have got, were the rules on trial in force. Concerns nobody but the log. */
static void try_world(struct login *login, const struct policy_result *result)
{
	const struct attempt attempt = {login, result};
	struct err err = {0};
	int r = child_run(build_and_undo, &attempt, TRIAL_MS, &err);

	snprintf(login->trial, sizeof(login->trial), "%s", r == 0 ? "ok" : "failed: ");
	if (r < 0)
		err_print(&err, login->trial + strlen(login->trial), sizeof(login->trial) - strlen(login->trial));
}

void trial_rules(struct login *login)
{
	struct policy_result result = {0};
	struct err err = {0};
	int r;

	if (login->result.trial_error.message)
		snprintf(login->trial, sizeof(login->trial), "failed: %s:%u: %s", login->result.trial_error.pos.file,
			 login->result.trial_error.pos.line, login->result.trial_error.message);
	if (login->trial[0] || login->result.n_trials == 0)
		return;
	r = login_resolve(login, POLICY_WITH_TRIALS, &result, &err);
	if (r == 0)
		try_world(login, &result);
	else
		snprintf(login->trial, sizeof(login->trial), "failed: %s", err.text);
	if (r >= 0)
		policy_result_done(&result);
}

int trial_everything(const struct login_request *request, struct login *login, struct err *err)
{
	struct login_request with_trials = *request;
	int r;

	with_trials.resolve_flags |= POLICY_WITH_TRIALS;
	r = login_decide(&with_trials, login, err);
	if (r == 0)
		try_world(login, &login->result);
	else if (r == POLICY_NO_MATCH || r == LOGIN_LEFT_ALONE)
		snprintf(login->trial, sizeof(login->trial), "ok: left alone");
	else
		snprintf(login->trial, sizeof(login->trial), "failed: %s", err->text);
	return LOGIN_TRIED;
}
