/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A login's way into its world: joined where the keeper holds it, else built and given to the keeper; and out of
 * somebody else's world before that. Private to lib/session.
 */
#ifndef NSCLONE_WORLD_H
#define NSCLONE_WORLD_H

#include "lib/session/login.h"

/*
 * By login->result. 0: login->session is open, login->joined and ->shared say how; LOGIN_LEFT_ALONE: there is nothing to do;
 * negative: nothing was done, or, with *undo_failed, not all of it undone.
 */
int world_open(struct login *login, bool *undo_failed, struct err *err);

/*
 * For a login that nothing isolates: out of the isolated session that it comes from, if it comes from one, to the host.
 * LOGIN_RETURNED, 0: it stays where it is; negative as above.
 */
int world_leave(struct login *login, bool *undo_failed, struct err *err);

/* result's world is built, told to nobody, and undone: in a child that ends afterwards. */
int world_try(const struct login *login, const struct policy_result *result, struct err *err);

#endif
