/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keeper's protocol, version 1; this header is its manual.
 *
 * nsclone-keeper holds the users' worlds: sets of namespaces by descriptor, with the sessions that are in them. It makes
 * no decision and reads no policy. It listens on a SOCK_SEQPACKET socket, KEEPER_SOCKET (0600, in a directory 0700, both
 * root's), and both sides send nothing but struct keeper_message, one a packet, zeroed where not used, in the machine's
 * byte order; descriptors travel beside it (SCM_RIGHTS, unix(7)), message.fds saying of each what it is.
 *
 * Who may ask: uid 0 of the initial user namespace (the keeper's own). A packet of another size, version or with other
 * descriptors than described ends the connection; so does a peer that says nothing for KEEPER_IDLE_MS while nothing is
 * owed to it (less where there are more than it serves at a time), or too much (KEEPER_BURST packets at once,
 * KEEPER_RATE a second).
 *
 *   request         with                                     answered by
 *   GET             uid, key, session, KILL_ON_LOGOUT?       HELD with the set: the session is in it from now on
 *                   + pidfd of the session's process?        BUILD with the host's set: you alone are to build it; the
 *                                                             lease ends with PUT, DROP, the connection or KEEPER_LEASE_MS
 *                                                            WAIT: somebody builds it; HELD, BUILD or FAILED follows,
 *                                                             or nothing within KEEPER_LEASE_MS + KEEPER_CALL_MS
 *   GET | ALONE     the same, key unused (Scope=session)     BUILD: a world that nobody else will join
 *   PIDS            flags KEEPER_HIDEPID_*, SUBSET_PID;       PIDS + pid namespace with an init, + a proc mount of it,
 *                   only under a lease                        detached
 *   PUT             uid, rules, record?; under a lease:       STORED: the session is in it from now on
 *                   + the new namespaces, + marker?
 *   PUT | ALONE     the same and session, + its pidfd; no     STORED
 *                   lease (Scope=session)
 *   LEAVE           session.id                               nothing
 *   HOST            inodes of the caller's namespaces        HOST with the host's set; INSIDE where they are of a world
 *   LIST                                                     WORLD, then SESSION for each in it, and so on; DONE
 *   TAKE            world, session, + pidfd                  HELD
 *   END             uid, or world where that is not 0        DONE: all processes in them are being killed; it is done
 *                                                             when LIST does not show them any more
 *   SHELL           uid, + arguments                         SHELL + the master of a pty on the host; the terminal's
 *                                                             end is the connection's; EXITED with its wait(2) status.
 *                                                            It starts when its size is set, or after half a second
 *   any                                                      FAILED with error and text: nothing was done
 *
 * A set is complete: for each of mnt, ipc, uts, net, pid and cgroup the world's namespace or else the host's, so that
 * whoever takes it leaves any other world behind; and the user namespace, where the world has one of its own.
 *
 * Time limits: an answer to every request (WAIT is one) within KEEPER_CALL_MS; after that the client goes on without. Who
 * asked with GET is owed nothing when KEEPER_LEASE_MS + KEEPER_CALL_MS are over, and a lease ends by then, too: so the
 * time that it may take to build is what is left of that, KEEPER_LEASE_MS at most.
 *
 * The process that GET brings no pidfd of is the one that connected; before kernel 6.5 that cannot be told, and GET fails
 * with EINVAL. HELD ends the connection: nothing may be sent behind a GET or TAKE.
 *
 * What one user may take up is bounded (keeper/worlds.h): who builds or waits (FAILED with EAGAIN), worlds and sessions
 * (ENOSPC). Those who wait get EAGAIN, too, when several leases in a row were held until their time was up. The client
 * then goes on without the keeper.
 */
#ifndef NSCLONE_KEEPER_H
#define NSCLONE_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/session/facts.h"

#define KEEPER_SOCKET NSCLONE_RUN_DIR "/keeper.sock"
#define KEEPER_WORLDS NSCLONE_RUN_DIR "/worlds" /* what a keeper that was killed is found again by */

enum {
	KEEPER_MAGIC = 0x6c63736e, /* "nscl" */
	KEEPER_VERSION = 1,
	KEEPER_MAX_FDS = 12,
	KEEPER_CALL_MS = 5000,
	KEEPER_LEASE_MS = 30000,
	KEEPER_IDLE_MS = 5000,
	KEEPER_BURST = 64,
	KEEPER_RATE = 100,
};

enum keeper_type {
	KEEPER_GET = 1,
	KEEPER_PIDS,
	KEEPER_PUT,
	KEEPER_DROP, /* the lease: building failed, the next in line may try; nothing is answered */
	KEEPER_LEAVE,
	KEEPER_HOST,
	KEEPER_LIST,
	KEEPER_TAKE,
	KEEPER_END,
	KEEPER_SHELL,
	/* answers only */
	KEEPER_HELD = 64,
	KEEPER_BUILD,
	KEEPER_WAIT,
	KEEPER_STORED,
	KEEPER_WORLD,
	KEEPER_SESSION,
	KEEPER_DONE,
	KEEPER_EXITED,
	KEEPER_FAILED,
};

/* message.flags */
enum {
	KEEPER_ALONE = 1 << 0,
	KEEPER_KILL_ON_LOGOUT = 1 << 1, /* of the world: what its last session said */
	KEEPER_INSIDE = 1 << 2,
	KEEPER_SUBSET_PID = 1 << 3,
	KEEPER_HIDEPID_NOACCESS = 1 << 4,
	KEEPER_HIDEPID_INVISIBLE = 1 << 5,
	KEEPER_HIDEPID_PTRACEABLE = 1 << 6,
	KEEPER_ENDING = 1 << 7,   /* WORLD: nobody joins it any more; without inodes: its directories are still mounted */
	KEEPER_PIDS_INSIDE = 1 << 8, /* WORLD: it has a PID namespace */
};

/* message.fds[i]: CLONE_NEW* for a namespace, or one of these. */
enum {
	KEEPER_FD_PIDFD = 1,
	KEEPER_FD_MARKER,    /* the root of the marker tmpfs (O_PATH): when it is unmounted everywhere the world is gone */
	KEEPER_FD_PROC,      /* a detached proc mount */
	KEEPER_FD_TERMINAL,  /* the master of a pty */
	KEEPER_FD_ARGUMENTS, /* a memfd: words, each with its NUL: the command; none: a login shell */
};

/* Places of inodes[] */
enum keeper_ns {
	KEEPER_NS_MNT,
	KEEPER_NS_IPC,
	KEEPER_NS_UTS,
	KEEPER_NS_NET,
	KEEPER_NS_PID,
	KEEPER_NS_CGROUP,
	KEEPER_NS_USER,
	KEEPER_N_NS,
};

/* CLONE_NEW* of a place, its name in /proc/PID/ns, and the place of a CLONE_NEW* (KEEPER_N_NS: none). */
int keeper_nstype(enum keeper_ns place);
const char *keeper_ns_name(enum keeper_ns place);
enum keeper_ns keeper_place(int nstype);

/* The inode in "mnt:[4026531840]", as links of nsfs read; false: it is none of this place. */
bool keeper_parse_link(const char *link, enum keeper_ns place, uint64_t *ret);

/* One login in a world. Texts end in NUL and are cut where too long. */
struct keeper_session {
	uint64_t id;     /* by chance, the client's choice */
	int64_t since;   /* answers: seconds since 1970 */
	int32_t pid;     /* answers: of the process that opened it, in the keeper's PID namespace */
	uint32_t unused;
	char service[32];
	char tty[32];
	char rhost[128];
	char from_user[40];
};

struct keeper_message {
	uint32_t magic;
	uint16_t version;
	uint16_t type;
	uint32_t flags;
	int32_t error;    /* FAILED: a positive errno; EXITED: the status */
	uint32_t uid;
	uint32_t n_fds;
	uint32_t fds[KEEPER_MAX_FDS];
	uint64_t world;   /* its id, never 0, never used again before the next boot */
	uint8_t key[32];  /* policy_fingerprint() */
	uint64_t inodes[8]; /* by enum keeper_ns; 0: not the world's own */
	struct keeper_session session;
	char user[40];    /* PUT, WORLD: the login name, for people */
	char rules[256];  /* PUT, WORLD: "50-students.conf:3,90-people.conf:1" */
	char record[64];  /* PUT: the name of the record below /run/nsclone/sessions: to be removed when the world is gone */
	char text[128];   /* FAILED: a sentence. SHELL: TERM */
};

/* Zeroed, with what every packet begins with. */
void keeper_message_init(struct keeper_message *message, enum keeper_type type);

/* So that what is shown ends, whoever sent it. */
void keeper_end_texts(struct keeper_message *message);

#endif
