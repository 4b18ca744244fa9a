/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A terminal of its own for what is run as another user: on the caller's it could read what is typed, and type (TIOCSTI)
 * what root's shell then executes.
 */
#ifndef NSCLONE_CMD_TERMINAL_H
#define NSCLONE_CMD_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * function(argument, true) in a child that leads a session of its own on a pty, which takes the place of the terminals
 * among descriptors 0 to 2 and belongs to owner; this process stays between the two until it has ended. Where none of them
 * is a terminal: function(argument, false), in place. Returns its exit status.
 */
typedef int terminal_function(void *argument, bool own_terminal);
int terminal_run(uid_t owner, terminal_function *function, void *argument);

/* The descriptor of the terminal whose session this process leads, or -1. */
int terminal_led(void);

/* The controlling terminal is given up, so that /dev/tty leads nowhere. False: it cannot be, by who leads a session. */
bool terminal_leave(void);

#endif
