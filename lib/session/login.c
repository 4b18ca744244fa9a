/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The whole login on one page. See login.h.
 */
#include "lib/session/login.h"
#include <errno.h>
#include <stdio.h>
#include "lib/session/rescue.h"
#include "lib/session/trial.h"
#include "lib/session/world.h"

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

/* Groups are looked up only where nothing else can decide. */
int login_resolve(struct login *login, unsigned flags, struct policy_result *result, struct err *err)
{
	int r = policy_resolve(login->policy, &login->subject->policy, flags, result);

	if (r == POLICY_NEEDS_GROUPS) {
		r = rescue_add_groups(login, result, err);
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

	login->rescue = rescue_fits(request, login->subject);
	if (r == 0 && request->bad_argument && login->subject->policy.uid != 0)
		r = err_set(err, -EINVAL, "unknown argument \"%s\"", request->bad_argument);
	if (r == 0)
		r = load(request, login, err);
	if (r == 0)
		r = login_resolve(login, request->resolve_flags, &login->result, err);
	if (r == 0 && login->result.settings[POLICY_ISOLATE].word == POLICY_NO)
		return LOGIN_LEFT_ALONE;
	return r;
}

/* The ids that a map of user ids must have are known only with all groups. */
static int add_groups(struct login *login, const struct policy_result *result, struct err *err)
{
	if (result->settings[POLICY_PRIVATE_USERS].word == POLICY_USERS_NO || login->subject->policy.groups_known)
		return 0;
	return subject_add_groups(login->subject, result, err);
}

int login_plan(struct login *login, struct err *err)
{
	int r = add_groups(login, &login->result, err);

	if (r == 0)
		r = facts_gather(&login->result, &login->facts, err);
	if (r == 0)
		r = plan_build(&login->result, &login->subject->policy, &login->facts, &login->plan, err);
	return r;
}

/* Into a world, joined or built; where nothing isolates, out of the one that it comes from. */
static int isolate(struct login *login, int decided, struct err *err)
{
	bool undo_failed = false;
	int r;

	if (decided == 0 && !plan_isolates(&login->result))
		decided = LOGIN_LEFT_ALONE;
	r = decided == 0 ? world_open(login, &undo_failed, err) : world_leave(login, &undo_failed, err);
	login->half_done = undo_failed;
	if (r < 0 && !undo_failed && login->result.settings[POLICY_ON_FAILURE].word == POLICY_ON_FAILURE_WARN)
		return LOGIN_WARNED;
	return r == 0 ? decided : r;
}

int login_open(const struct login_request *request, struct login *login, struct err *err)
{
	int r;

	if (request->trial)
		return trial_everything(request, login, err);
	r = login_decide(request, login, err);
	if (r == 0 || r == POLICY_NO_MATCH || r == LOGIN_LEFT_ALONE) {
		trial_rules(login);
		r = isolate(login, r, err);
	}
	return (r < 0 || r == POLICY_REFUSE) && login->rescue ? LOGIN_RESCUED : r;
}

/* "50-students.conf:3,90-people.conf:1" */
void login_rules(const struct login *login, char *buffer, size_t size)
{
	size_t used = 0;

	buffer[0] = '\0';
	for (size_t i = 0; i < login->result.n_applied && used < size; i++) {
		struct policy_pos pos = policy_rule(login->policy, login->result.applied[i])->pos;

		used += (size_t)snprintf(buffer + used, size - used, "%s%s:%u", i ? "," : "", pos.file, pos.line);
	}
}

void login_done(struct login *login)
{
	plan_free(login->way);
	plan_free(login->plan);
	facts_done(&login->facts);
	policy_result_done(&login->result);
	policy_free(login->policy);
	files_free(login->files);
	subject_free(login->subject);
	session_forget(login->session);
	*login = (struct login){0};
}
