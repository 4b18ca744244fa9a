/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For a moment a user as far as files are concerned (setfsuid(2)), and back, leaving no trace in the daemon's process:
 * the change clears PR_SET_PDEATHSIG and the dumpable flag, which are put back.
 */
#ifndef NSCLONE_IDENTITY_H
#define NSCLONE_IDENTITY_H

#include <sys/types.h>

struct identity {
	int dumpable;
	int death_signal;
};

/* Both: 0 or a negative errno. identity_leave() failing means that the process must not go on. */
int identity_enter(uid_t uid, gid_t gid, struct identity *ret);
int identity_leave(const struct identity *identity);

#endif
