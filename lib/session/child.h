/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A function in a throw-away child of the same process, with a time limit: for Trial=, and for questions that may hang.
 */
#ifndef NSCLONE_CHILD_H
#define NSCLONE_CHILD_H

#include "lib/session/err.h"

typedef int child_function(const void *argument, struct err *err);

/* What f returns and says in err, or -ETIMEDOUT after ms milliseconds; then the child is killed. */
int child_run(child_function *f, const void *argument, int ms, struct err *err);

#endif
