/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A function in a throw-away child of the same process, with a time limit: for Trial=, and for questions that may hang.
 */
#ifndef NSCLONE_CHILD_H
#define NSCLONE_CHILD_H

#include "lib/core/nsclone.h"
#include "lib/session/err.h"

typedef int child_function(const void *argument, struct err *err);

/* What f returns and says in err, or -ETIMEDOUT after ms milliseconds; then the child is killed. */
int child_run(child_function *f, const void *argument, int ms, struct err *err);

/*
 * nsclone_clone() with all signals blocked, and in the child they stay so: the handlers that it inherits are the daemon's,
 * and a SIGINT for the process group would run them twice. SIGKILL ends it. Whoever goes on to another program resets
 * the mask there.
 */
pid_t child_clone(int (*function)(void *argument), void *argument, uint64_t flags, struct nsclone_child *ret,
		  struct nsclone_error *err);

#endif
