/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rescue=: who is one, and questions that may hang put so that they do not keep him out.
 */
#include "lib/session/rescue.h"
#include <stdio.h>
#include <string.h>
#include "lib/session/child.h"

enum { NSS_MS = 5000 };

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

bool rescue_fits(const struct login_request *request, const struct subject *subject)
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

	return subject_add_groups(question->login->subject, question->result, err);
}

/* A directory service that hangs must not keep a rescue user out: for him a child asks first, with a time limit. */
int rescue_add_groups(struct login *login, const struct policy_result *result, struct err *err)
{
	struct question question = {login, result};
	int r = login->rescue ? child_run(ask_groups, &question, NSS_MS, err) : 0;

	return r < 0 ? r : subject_add_groups(login->subject, result, err);
}
