/* SPDX-License-Identifier: BSD-3-Clause */
/* nsclone enter in parts: enter.c takes the words and goes into a world, enter_host.c asks for a shell on the host. */
#ifndef NSCLONE_CMD_ENTER_H
#define NSCLONE_CMD_ENTER_H

#include <sys/types.h>

/* What the keeper calls a session that was not logged in to. */
#define ENTER_SERVICE "nsclone-enter"

/* Whose login this is: by its login uid, else who called sudo(8), else root. 0, or a negative errno. */
int enter_caller(uid_t *ret);

/* The login shell, or command, of uid on the host, as the keeper starts it. The exit status. */
int enter_host(uid_t uid, char *const *command);

#endif
