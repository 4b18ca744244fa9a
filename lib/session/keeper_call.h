/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The client's side of the keeper's protocol (lib/session/keeper.h). No call takes longer than KEEPER_CALL_MS, but
 * keeper_await(), which is given its own limit.
 */
#ifndef NSCLONE_KEEPER_CALL_H
#define NSCLONE_KEEPER_CALL_H

#include <stddef.h>
#include "lib/session/keeper.h"

/* What came beside an answer, by what it is; -1 where it did not come. keeper_fds_done() closes what is left. */
struct keeper_fds {
	int ns[KEEPER_N_NS];
	int proc;
	int terminal;
};
#define KEEPER_NO_FDS ((struct keeper_fds){{-1, -1, -1, -1, -1, -1, -1}, -1, -1})
void keeper_fds_done(struct keeper_fds *fds);

/*
 * A connection; the keeper is started where it does not run and systemd(1) is not there to do so. -ENOENT, -ECONNREFUSED and so
 * on: it cannot be reached; -ETIMEDOUT: it answers nobody.
 */
int keeper_connect(void);

/* The same, but nobody is started for it and nothing is waited for. */
int keeper_connect_only(void);

/* request->fds[] and n_fds say what fds are. 0 or a negative errno. */
int keeper_send(int link, const struct keeper_message *request, const int *fds);

/*
 * One answer within ms milliseconds. 0, with *fds filled in (NULL: none are wanted, and none may come); -EPROTO: it is none of
 * this protocol; -ETIMEDOUT; -ECONNRESET: the keeper is gone. FAILED is an answer like any other.
 */
int keeper_await(int link, int ms, struct keeper_message *answer, struct keeper_fds *fds);

/* keeper_send() and keeper_await() of KEEPER_CALL_MS. FAILED is -answer->error. */
int keeper_ask(int link, const struct keeper_message *request, const int *fds, struct keeper_message *answer,
	       struct keeper_fds *ret_fds);

/* The session has ended. Nothing is waited for: should it not get there, the keeper sees the end of the process. */
void keeper_leave(uint64_t session);

/*
 * keeper_listen.c: the socket, made by whoever has the lock in /run/nsclone before `end` (sys_monotonic_ms()): a descriptor
 * that listens; -EADDRINUSE: a keeper is there; -ETIMEDOUT: somebody else has the lock all that time.
 */
int keeper_listen(int64_t end);

/* keeper_start.c: a keeper where none listens, before `end` (sys_monotonic_ms()). 0: one does now, whoever started it. */
int keeper_start(int64_t end);

#endif
