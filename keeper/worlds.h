/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The worlds that the keeper holds: a state machine. Requests, readable descriptors, the time and what was found in
 * /proc go in; what is to be done about it comes out through struct worlds_effects. It makes no system call, so that
 * every rule of it can be tested with a clock and processes that are not there. Descriptors are numbers to it.
 *
 *   LEASED     somebody builds it (builder); others wait for it
 *   HELD       it has sessions
 *   LINGERING  no session is left; processes may be: /proc is searched for one, the witness, and again when that ends
 *   GONE       searched in vain: the descriptors are closed; its marker tells when the last mount has gone, too
 *
 * retired: nobody joins it any more (its init died, or it is to end). ending: what is in it is killed, pass by pass.
 * From GONE nothing leads back.
 */
#ifndef NSCLONE_KEEPER_WORLDS_H
#define NSCLONE_KEEPER_WORLDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "keeper/source.h"
#include "lib/session/keeper.h"

enum {
	WORLDS_MAX = 4096,
	WORLDS_MAX_PER_USER = 128,
	WORLDS_MAX_SESSIONS = 16384,
	WORLDS_MAX_SESSIONS_PER_USER = 1024,
	WORLDS_MAX_ASKERS = 32, /* of one user: who builds or waits */
	WORLDS_SAVE_MS = 20,    /* who has come and gone in this time is written down together */
	WORLDS_MAX_LATE = 3,    /* leases of one world that come to nothing in their time */
	WORLDS_BUCKETS = 1024,
};

enum world_state {
	WORLD_LEASED,
	WORLD_HELD,
	WORLD_LINGERING,
	WORLD_GONE,
};

enum session_state {
	SESSION_WAITING, /* for somebody else's lease */
	SESSION_BUILDING,
	SESSION_IN,
};

struct world_session {
	struct world_session *next;    /* in its world: in the order of their serials */
	struct world_session *by_id;   /* in its bucket */
	struct world *world;
	struct worlds_client *client;  /* who asked; NULL once it is in */
	uint64_t serial;
	enum session_state state;
	bool kill_on_logout;           /* what it said */
	uint64_t identity;             /* of its process: process_identity(). Beside the pid it tells who it was */
	struct source pidfd;
	uint64_t id;
	int64_t since;
	int64_t until;                 /* who asked has gone on without an answer by then */
	pid_t pid;
	char texts[];                  /* service, tty, rhost, from_user, each with its NUL: world_session_tell() */
};

/* The init of its PID namespace. */
struct world_init {
	pid_t pid;             /* 0: it has none */
	int pidfd;
	struct source socket;  /* after a recovery without it: a duplicate of the pidfd */
	uint64_t identity;
	bool asked;            /* PIDS is to be answered */
};

struct world {
	struct world *next;
	uint64_t id;
	uint64_t serial;               /* they are listed in its order */
	uint32_t uid;
	enum world_state state;
	bool alone;
	bool kill_on_logout;
	bool retired;
	bool ending;
	bool searched;                 /* in the pass over /proc that is going on */
	bool found;                    /* and somebody is in it */
	bool unsaved;                  /* who is in it has changed */
	uint8_t key[32];
	uint64_t inodes[KEEPER_N_NS];  /* 0: not its own, the host's */
	int ns[KEEPER_N_NS];           /* -1: not its own */
	uint64_t mntns_id;             /* NS_GET_MNTNS_ID, 0 where the kernel has none */
	int marker;                    /* its watch in the inotify of all markers, or -1 */
	int64_t lease_end;
	unsigned n_late;               /* leases whose time was up */
	struct world_init init;
	struct source witness;
	pid_t witness_pid;
	struct world_session *sessions; /* those in it; LEASED: the builder, then those that wait */
	char user[40];
	char record[64];
	char *rules;                   /* NULL: none */
};

/* A connection, as far as the worlds are concerned. Zeroed at first; lies in struct peer. */
struct worlds_client {
	struct world_session *asked;   /* builds or waits */
	bool listing;
	uint64_t list_world;           /* the last that it was told of: serials */
	uint64_t list_session;
};

/*
 * What came with a request, checked: -1 where it did not. What the worlds keep they replace by -1; the caller closes
 * the rest. Namespaces: all are owned by the initial user namespace.
 */
struct worlds_request {
	struct keeper_message message; /* session.pid and session.since are the keeper's own knowledge */
	int ns[KEEPER_N_NS];
	uint64_t inodes[KEEPER_N_NS];
	uint64_t mntns_id;
	int pidfd;
	uint64_t identity;
	int marker;                    /* a watch, not a descriptor */
};

struct worlds_effects {
	/*
	 * Send; fds as message->fds says. A peer that cannot take it is dropped, later: nothing of worlds.h is called from
	 * within. False (LIST only): it does not fit now; worlds_list() is to be called when it does.
	 */
	bool (*answer)(void *data, struct worlds_client *client, struct keeper_message *message, const int *fds);
	int (*watch)(void *data, struct source *source); /* worlds_readable() is to be called */
	void (*unwatch)(void *data, struct source *source);
	void (*close)(void *data, int fd);
	void (*kill)(void *data, int pidfd); /* SIGKILL */
	/* A pidfd of pid if it is alive and in one of the world's own namespaces, or a negative errno. */
	int (*open_process)(void *data, pid_t pid, const struct world *world);
	/* Begin to make an init: fills in world->init, ns and inodes of KEEPER_NS_PID. */
	int (*spawn_init)(void *data, struct world *world, uint32_t flags);
	int (*receive_init)(void *data, struct world *world); /* its proc mount; -EAGAIN not yet; else it failed */
	/* Kill it, reap it some time, close its descriptors; clears world->init. */
	void (*end_init)(void *data, struct world *world);
	void (*forget_marker)(void *data, int marker);
	void (*clean)(void *data, const struct world *world); /* nsclone clean --record */
	void (*adopt)(void *data, const struct world *world); /* its record: while the keeper lives, it is no litter */
	void (*save)(void *data, const struct world *world);  /* to be found again by the next keeper */
	void (*forget)(void *data, const struct world *world);
	void (*say)(void *data, const struct world *world, const char *what); /* for a log */
	uint64_t (*random)(void *data);
};

struct worlds {
	const struct worlds_effects *effects;
	void *data;
	const int *host;               /* [KEEPER_N_NS]: of the host, -1 where there is none */
	struct world *first;
	struct world **last;
	struct world_session *by_id[WORLDS_BUCKETS];
	uint64_t serial;
	unsigned n_worlds;
	unsigned n_leased;
	unsigned n_sessions;
	bool unsaved;                  /* some world is; when save_due is set and over all are written down */
	int64_t save_due;
	bool scanning;                 /* a pass is going on */
	bool scan_wanted;
	int64_t scan_began;
	int64_t scan_not_before;
};

void worlds_init(struct worlds *worlds, const struct worlds_effects *effects, void *data, const int *host);
void worlds_clear(struct worlds *worlds); /* frees the memory only: what is held is for the next keeper */

/* Events. now: milliseconds of a clock that does not go back. */
void worlds_request(struct worlds *worlds, int64_t now, struct worlds_client *client, struct worlds_request *request);
void worlds_client_gone(struct worlds *worlds, int64_t now, struct worlds_client *client);
void worlds_list(struct worlds *worlds, struct worlds_client *client); /* go on: it is writable */
void worlds_readable(struct worlds *worlds, int64_t now, struct source *source);
void worlds_unmounted(struct worlds *worlds, int marker);
void worlds_tick(struct worlds *worlds, int64_t now); /* what is due by now */
int64_t worlds_due(const struct worlds *worlds);      /* when worlds_tick() is to be called; INT64_MAX: never */

/*
 * Searching /proc. When worlds_scan_due() the scanner begins a pass, shows each process, and ends it; complete: no
 * process can have been missed that was there all the time.
 */
bool worlds_scan_due(const struct worlds *worlds, int64_t now);
void worlds_scan_begin(struct worlds *worlds, int64_t now);
unsigned worlds_scan_types(const struct worlds *worlds); /* 1 << KEEPER_NS_*: those that are of interest in this pass */
void worlds_scan_process(struct worlds *worlds, pid_t pid, const uint64_t inodes[KEEPER_N_NS]); /* 0: unknown */
void worlds_scan_end(struct worlds *worlds, int64_t now, bool complete);

/*
 * Recovery: a world made by world_new() and filled in (state HELD or GONE), sessions by world_add_session(); then
 * worlds_adopt() takes it over, on failure too (it is dropped then). id, uid, ... are the caller's to check.
 */
struct world *world_new(void);          /* NULL: no memory */
void world_free(struct world *world);   /* the memory, no descriptor */
struct world_session *world_add_session(struct world *world, const struct keeper_session *session, int pidfd,
					uint64_t identity); /* SESSION_IN; NULL: no memory */
void world_session_tell(const struct world_session *session, struct keeper_session *ret);
int worlds_adopt(struct worlds *worlds, struct world *world);

/* FAILED, for those requests, too, that do not get here. */
void worlds_fail(struct worlds *worlds, struct worlds_client *client, int error, const char *text);

bool world_owns_inode(const struct world *world, const uint64_t inodes[KEEPER_N_NS]); /* any of its own */

#endif
