/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The subject: who logs in, how and where from, with all of NSS in this one place. What NSS cannot answer is an error,
 * never "no such user" or "not a member".
 */
#ifndef NSCLONE_SUBJECT_H
#define NSCLONE_SUBJECT_H

#include "lib/policy/policy.h"
#include "lib/session/err.h"

/* The PAM items, as they are: NULL or "" where missing. Borrowed while the subject lives. */
struct subject_items {
	const char *user;
	const char *service;
	const char *remote_host;
	const char *tty;
	const char *from_user;
};

struct subject {
	struct policy_subject policy; /* points into the rest and into the items */
	const char *shell;            /* of passwd; "" where empty */
	void *memory;
};

/* passwd by name. -ENOENT: no such user; or what NSS says (EAGAIN, EIO, ...). */
int subject_new(const struct subject_items *items, struct subject **ret, struct err *err);
struct subject *subject_free(struct subject *subject);

/* The facts that policy_needs() asked for (POLICY_NEED_*). */
int subject_add_facts(struct subject *subject, unsigned needs, struct err *err);

/*
 * The user's groups, for the patterns on which the decision rests. getgrouplist(3) hides a service that does not
 * answer, so each pattern (result->groups) is also asked of getgrnam_r(3) or getgrgid_r(3), and anything but an answer is
 * an error. Of result->trial_groups no login depends: there no answer is no group.
 */
int subject_add_groups(struct subject *subject, const struct policy_result *result, struct err *err);

#endif
