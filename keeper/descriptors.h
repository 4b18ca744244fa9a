/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The descriptors that come with a request: each must be what message.fds says of it, and nothing that could harm the
 * keeper or who will be handed it. What is not known to be harmless yet is looked at by /proc/self/fd alone, so that no
 * file system of a stranger is asked anything.
 */
#ifndef NSCLONE_KEEPER_DESCRIPTORS_H
#define NSCLONE_KEEPER_DESCRIPTORS_H

#include <stddef.h>
#include "keeper/host.h"
#include "keeper/worlds.h"

struct descriptors {
	struct worlds_request request;
	int arguments; /* of SHELL; -1: none */
};

void descriptors_init(struct descriptors *d); /* nothing has come */

/*
 * d->request.message is the message; fds are the n that came, each is in *d afterwards, or closed. inotify: of the
 * markers. On failure all are closed. -EBADMSG: they are not those that the message announces: the peer speaks another
 * language. Else an error that it can be told, and *why.
 */
int descriptors_sort(struct descriptors *d, const int *fds, size_t n, const struct host *host, int inotify,
		     const char **why);

void descriptors_done(struct descriptors *d, int inotify); /* what nobody has kept */

#endif
