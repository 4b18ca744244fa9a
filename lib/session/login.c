/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The whole login on one page. See login.h.
 */
#include "lib/session/login.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "lib/session/child.h"

enum { TRIES = 5, TRIAL_MS = 10000, RESCUE_NSS_MS = 5000 };

static int load(const struct login_request *request, struct login *login, struct err *err)
{
	const struct policy_text *texts;
	size_t n;
	int r = files_read(&request->files, &login->files, err);

	if (r < 0)
		return r;
	n = files_texts(login->files, &texts);
	r = policy_load(texts, n, &login->policy);
	if (r < 0)
		return err_set(err, r, "cannot load the policy");
	return subject_add_facts(login->subject, policy_needs(login->policy), err);
}

static bool is_one_of(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *s = list; *s; s += *s == ',') {
		if (strncmp(s, name, n) == 0 && (s[n] == ',' || s[n] == '\0'))
			return true;
		s += strcspn(s, ",");
	}
	return false;
}

/* By the name and the uid that NSS gives; where it gives none, by the name that was typed. */
static bool is_rescue(const struct login_request *request, const struct subject *subject)
{
	char uid[16];

	if (!request->rescue)
		return false;
	if (!subject)
		return is_one_of(request->rescue, request->items.user);
	snprintf(uid, sizeof(uid), "%u", (unsigned)subject->policy.uid);
	return is_one_of(request->rescue, subject->policy.user) || is_one_of(request->rescue, uid);
}

struct question {
	const struct login *login;
	const struct policy_result *result;
};

static int ask_groups(const void *argument, struct err *err)
{
	const struct question *question = argument;

	return subject_add_groups(question->login->subject, question->result->groups, question->result->n_groups, err);
}

/* A directory service that hangs must not keep a rescue user out: for him a child asks first, with a time limit. */
static int add_groups(struct login *login, const struct policy_result *result, struct err *err)
{
	struct question question = {login, result};
	int r = login->rescue ? child_run(ask_groups, &question, RESCUE_NSS_MS, err) : 0;

	return r < 0 ? r : subject_add_groups(login->subject, result->groups, result->n_groups, err);
}

/* Groups are looked up only where nothing else can decide. */
static int resolve(struct login *login, unsigned flags, struct policy_result *result, struct err *err)
{
	int r = policy_resolve(login->policy, &login->subject->policy, flags, result);

	if (r == POLICY_NEEDS_GROUPS) {
		r = add_groups(login, result, err);
		policy_result_done(result);
		if (r < 0)
			return r;
		r = policy_resolve(login->policy, &login->subject->policy, flags, result);
	}
	if (r == POLICY_REFUSE) {
		err_set(err, 0, "%s", result->refusal.message);
		err_at(err, result->refusal.pos);
	}
	return r < 0 ? err_set(err, r, "cannot resolve the policy") : r;
}

int login_decide(const struct login_request *request, struct login *login, struct err *err)
{
	int r = subject_new(&request->items, &login->subject, err);

	login->rescue = is_rescue(request, login->subject);
	if (r == 0 && request->bad_argument && login->subject->policy.uid != 0)
		r = err_set(err, -EINVAL, "unknown argument \"%s\"", request->bad_argument);
	if (r == 0)
		r = load(request, login, err);
	if (r == 0)
		r = resolve(login, request->resolve_flags, &login->result, err);
	if (r == 0 && login->result.settings[POLICY_ISOLATE].word == POLICY_NO)
		return LOGIN_LEFT_ALONE;
	return r;
}

static int make_plan(const struct login *login, const struct policy_result *result, struct facts *facts,
		     struct plan **ret, struct err *err)
{
	int r = facts_gather(result, facts, err);

	return r < 0 ? r : plan_build(result, &login->subject->policy, facts, ret, err);
}

int login_plan(struct login *login, struct err *err)
{
	return make_plan(login, &login->result, &login->facts, &login->plan, err);
}

/* Another login may have undone a directory that we were about to use: then begin anew. */
static int run_plan(struct login *login, bool *undo_failed, struct err *err)
{
	int r = -ESTALE;

	for (int tries = 0; r == -ESTALE && tries < TRIES && !*undo_failed; tries++) {
		*err = (struct err){0};
		r = plan_run(login->plan, &login->subject->policy, &login->session, undo_failed, err);
	}
	return r;
}

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
static void try_rules(struct login *login, const struct policy_result *result)
{
	struct attempt attempt = {.subject = &login->subject->policy};
	struct facts facts = {0};
	struct plan *plan = NULL;
	struct err err = {0};
	int r = make_plan(login, result, &facts, &plan, &err);

	attempt.plan = plan;
	if (r == 0)
		r = child_run(run_and_undo, &attempt, TRIAL_MS, &err);
	snprintf(login->trial, sizeof(login->trial), "%s", r == 0 ? "ok" : "failed: ");
	if (r < 0)
		err_print(&err, login->trial + strlen(login->trial), sizeof(login->trial) - strlen(login->trial));
	plan_free(plan);
	facts_done(&facts);
}

/* Rules with Trial=yes that fit. */
static void try_trials(struct login *login)
{
	struct policy_result result = {0};
	struct err err = {0};
	int r;

	if (login->result.trial_error.message)
		snprintf(login->trial, sizeof(login->trial), "failed: %s:%u: %s", login->result.trial_error.pos.file,
			 login->result.trial_error.pos.line, login->result.trial_error.message);
	if (login->trial[0] || login->result.n_trials == 0)
		return;
	r = resolve(login, POLICY_WITH_TRIALS, &result, &err);
	if (r == 0)
		try_rules(login, &result);
	else
		snprintf(login->trial, sizeof(login->trial), "failed: %s", err.text);
	if (r >= 0)
		policy_result_done(&result);
}

static int isolate(struct login *login, struct err *err)
{
	bool undo_failed = false;
	int r = login_plan(login, err);

	if (r == 0 && plan_is_empty(login->plan))
		return LOGIN_LEFT_ALONE;
	if (r == 0)
		r = run_plan(login, &undo_failed, err);
	if (r < 0 && !undo_failed && login->result.settings[POLICY_ON_FAILURE].word == POLICY_ON_FAILURE_WARN)
		return LOGIN_WARNED;
	return r;
}

/* The argument `trial`: the whole policy is on trial. Nothing is applied, and nothing that is wrong refuses anybody. */
static int try_everything(const struct login_request *request, struct login *login, struct err *err)
{
	struct login_request with_trials = *request;
	int r;

	with_trials.resolve_flags |= POLICY_WITH_TRIALS;
	r = login_decide(&with_trials, login, err);
	if (r == 0)
		try_rules(login, &login->result);
	else if (r == POLICY_NO_MATCH || r == LOGIN_LEFT_ALONE)
		snprintf(login->trial, sizeof(login->trial), "ok: left alone");
	else
		snprintf(login->trial, sizeof(login->trial), "failed: %s", err->text);
	return LOGIN_TRIED;
}

int login_open(const struct login_request *request, struct login *login, struct err *err)
{
	int r;

	if (request->trial)
		return try_everything(request, login, err);
	r = login_decide(request, login, err);
	if (r == 0 || r == POLICY_NO_MATCH || r == LOGIN_LEFT_ALONE)
		try_trials(login);
	if (r == 0)
		r = isolate(login, err);
	return (r < 0 || r == POLICY_REFUSE) && login->rescue ? LOGIN_RESCUED : r;
}

void login_done(struct login *login)
{
	plan_free(login->plan);
	facts_done(&login->facts);
	policy_result_done(&login->result);
	policy_free(login->policy);
	files_free(login->files);
	subject_free(login->subject);
	session_forget(login->session);
	*login = (struct login){0};
}
