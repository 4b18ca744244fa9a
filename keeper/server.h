/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keeper as a running process: one thread, one loop, no call that waits for anybody. Everything that happens is one
 * event; after each the peers that were dropped are let go, so that nothing disappears under the feet of what runs.
 */
#ifndef NSCLONE_KEEPER_SERVER_H
#define NSCLONE_KEEPER_SERVER_H

#include <stdbool.h>
#include "keeper/host.h"
#include "keeper/record.h"
#include "keeper/worlds.h"

enum {
	SERVER_MAX_PEERS = 256,
	SERVER_CROWDED_MS = 250, /* KEEPER_IDLE_MS while there are as many peers as there may be */
	SERVER_DEAF_MS = 500,
	SERVER_SLICE = 256, /* processes that are looked at in one turn of the loop */
};

/* A connection. */
struct peer {
	struct peer *next;
	struct source source;
	struct worlds_client client;
	int pidfd;             /* of who connected; -1: the kernel does not tell (before 6.5) */
	pid_t pid;
	struct child *shell;   /* SHELL was answered; EXITED is owed */
	int64_t heard;         /* when it last spoke or was spoken to */
	int64_t credit_at;     /* when credit was counted */
	int credit;            /* packets that it may send at once, in thousandths */
	bool dropped;          /* the connection is over; it goes after the event */
	bool blocked;          /* a list goes on when it is writable */
};

enum child_kind {
	CHILD_INIT,
	CHILD_CLEAN,
	CHILD_SHELL,
};

/* A process that is to be reaped. */
struct child {
	struct child *next;
	struct source source; /* its pidfd */
	pid_t pid;
	enum child_kind kind;
	struct peer *peer;    /* CHILD_SHELL: who is told; NULL: it is gone */
};

struct scan {
	int proc;      /* the directory, as far as it is read; -1: no pass is going on */
	unsigned types;
	bool complete;
};

struct keeper {
	struct worlds worlds;
	struct host host;
	struct source listener;
	struct source markers; /* the inotify */
	struct records records; /* directory -1: nothing is written down */
	struct scan scan;
	struct peer *peers;
	struct child *children;
	bool unreaped;           /* waitpid(2) has failed: some may have ended unheard */
	unsigned n_peers;
	int epoll;
	int64_t now;           /* milliseconds, as of this event */
	bool listening;        /* the listener is watched: not while there are too many peers */
	int64_t deaf_until;    /* nor before: accept(2) has failed, and would at once again */
	bool any_dropped;
	unsigned n_unsaid;     /* lines that the log did not take */
	bool foreground;
	bool debug;
};

/* server.c: takes over listener, and inotify (-1: a new one). 0 or a negative errno. */
int server_init(struct keeper *keeper, int listener, int inotify);
int server_run(struct keeper *keeper); /* comes back only when it cannot go on: a negative errno */
void server_turn(struct keeper *keeper, int64_t now, struct source *source, bool readable); /* one event; for tests */
void server_done(struct keeper *keeper);
int server_watch(struct keeper *keeper, struct source *source);
void server_unwatch(struct keeper *keeper, struct source *source);

/* peer.c */
void peer_accept(struct keeper *keeper);
void peer_event(struct keeper *keeper, struct peer *peer, bool readable);
bool peer_send(struct keeper *keeper, struct peer *peer, struct keeper_message *message, const int *fds);
void peer_fail(struct keeper *keeper, struct peer *peer, int error, const char *text);
void peer_drop(struct keeper *keeper, struct peer *peer, const char *why);
void peer_sweep(struct keeper *keeper); /* lets go of those that were dropped */
void peer_tick(struct keeper *keeper);  /* drops those that are silent */
int64_t peer_due(const struct keeper *keeper);

/* request.c */
void request_receive(struct keeper *keeper, struct peer *peer);

/* children.c */
int children_add(struct keeper *keeper, enum child_kind kind, pid_t pid, int pidfd, struct peer *peer);
void children_readable(struct keeper *keeper, struct child *child);
void children_tick(struct keeper *keeper); /* what could not be reaped before */
void children_peer_gone(struct keeper *keeper, struct peer *peer);

/* scan.c: one slice of the search that worlds.h wants */
void scan_slice(struct keeper *keeper);

/* effects.c: data is the struct keeper */
extern const struct worlds_effects server_effects;

/* say.c: for the log: stderr in the foreground, else /dev/log, without waiting. debug() only where that was asked for. */
void say(struct keeper *keeper, const char *format, ...) __attribute__((format(printf, 2, 3)));
void debug(struct keeper *keeper, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
