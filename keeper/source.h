/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the keeper's loop watches for being readable: a descriptor, what it is, and whose. It lies in its owner; fd is
 * -1 while there is nothing to watch.
 */
#ifndef NSCLONE_KEEPER_SOURCE_H
#define NSCLONE_KEEPER_SOURCE_H

enum source_kind {
	SOURCE_LISTENER,
	SOURCE_PEER,     /* owner: struct peer */
	SOURCE_SESSION,  /* owner: struct world_session; fd: its pidfd */
	SOURCE_WITNESS,  /* owner: struct world; fd: the pidfd of a process in it */
	SOURCE_INIT,     /* owner: struct world; fd: its init's socket, or after a recovery its pidfd */
	SOURCE_MARKERS,  /* the inotify(7) of all markers */
	SOURCE_CHILD,    /* owner: struct child; fd: its pidfd */
};

struct source {
	int fd;
	enum source_kind kind;
	void *owner;
};

#endif
