/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A plan that is run in a child of the very daemon, because only there SELinux, seccomp and the hardening of its unit
 * show, and undone there.
 */
#include "lib/session/trial.h"
#include <stdio.h>
#include <string.h>
#include "lib/session/child.h"

enum { TRIAL_MS = 10000 };

struct attempt {
	const struct plan *plan;
	const struct policy_subject *subject;
};

static int run_and_undo(const void *argument, struct err *err)
{
	const struct attempt *attempt = argument;
	struct session *session = NULL;
	bool undo_failed;
	int r = plan_run(attempt->plan, attempt->subject, &session, &undo_failed, err);

	return r < 0 ? r : session_close(session, err);
}

/* What this login would have got, were the rules on trial in force. Concerns nobody but the log. */
static void try_plan(struct login *login, const struct policy_result *result)
{
	struct attempt attempt = {.subject = &login->subject->policy};
	struct facts facts = {0};
	struct plan *plan = NULL;
	struct err err = {0};
	int r = login_make_plan(login, result, &facts, &plan, &err);

	attempt.plan = plan;
	if (r == 0)
		r = child_run(run_and_undo, &attempt, TRIAL_MS, &err);
	snprintf(login->trial, sizeof(login->trial), "%s", r == 0 ? "ok" : "failed: ");
	if (r < 0)
		err_print(&err, login->trial + strlen(login->trial), sizeof(login->trial) - strlen(login->trial));
	plan_free(plan);
	facts_done(&facts);
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
		try_plan(login, &result);
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
		try_plan(login, &login->result);
	else if (r == POLICY_NO_MATCH || r == LOGIN_LEFT_ALONE)
		snprintf(login->trial, sizeof(login->trial), "ok: left alone");
	else
		snprintf(login->trial, sizeof(login->trial), "failed: %s", err->text);
	return LOGIN_TRIED;
}
