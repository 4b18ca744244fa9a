/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nsclone run in parts: run.c opens the session, run_child.c becomes the user and execs, run_wait.c waits; terminal.c gives
 * it a terminal. nsclone enter uses all but the first.
 */
#ifndef NSCLONE_CMD_RUN_H
#define NSCLONE_CMD_RUN_H

#include "lib/session/login.h"
#include <stdbool.h>
#include <sys/types.h>

/* As env(1) has them. */
enum { RUN_FAILED = 125, RUN_NOT_EXECUTABLE = 126, RUN_NOT_FOUND = 127, RUN_SIGNAL = 128 };

struct run_user {
	const struct subject *subject;
	gid_t *groups;
	int n_groups;
};

/* Supplementary groups, asked before the session is opened: inside, a directory server may be out of reach. */
int run_user_groups(struct run_user *user);

/* Descriptors 0 to 2 must be somebody's, or what is opened next takes their place. */
int run_keep_standard_streams(void);

/*
 * Become the user and execute command (NULL at its first place: the login shell). Returns RUN_* where that fails.
 * own_terminal: what terminal there is, is the user's own; any other is given up.
 */
int run_exec(const struct run_user *user, char *const *command, bool own_terminal);

/* Can it be done in place, without a child: can the terminal be given up? */
bool run_fits_here(const struct run_user *user);

/*
 * function(argument) in a child: returns when it has ended, with the exit status to pass on. Where this process leads the
 * session of a terminal, the child is a group of its own in its foreground.
 */
typedef int run_function(void *argument);
int run_and_wait(run_function *function, void *argument);

/* Of a status of wait(2). */
int run_status(int wait_status);

#endif
