/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Trial=yes and the argument `trial`: what a login would have got is built in a throw-away child, undone, and told in
 * login->trial. Nobody is refused for it. Private to lib/session.
 */
#ifndef NSCLONE_TRIAL_H
#define NSCLONE_TRIAL_H

#include "lib/session/login.h"

/* The rules with Trial=yes that fit, after login_decide(). */
void trial_rules(struct login *login);

/* The whole policy. Returns LOGIN_TRIED. */
int trial_everything(const struct login_request *request, struct login *login, struct err *err);

#endif
