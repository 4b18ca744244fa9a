/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rescue=: users whom nothing of ours may keep out. Private to lib/session.
 */
#ifndef NSCLONE_RESCUE_H
#define NSCLONE_RESCUE_H

#include "lib/session/login.h"

/* By the name and the uid that NSS gives; where it gives none (subject NULL), by the name that was typed. */
bool rescue_fits(const struct login_request *request, const struct subject *subject);

/* subject_add_groups(), but with a time limit for rescue users. */
int rescue_add_groups(struct login *login, const struct policy_result *result, struct err *err);

#endif
