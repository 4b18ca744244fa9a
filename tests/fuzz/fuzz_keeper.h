/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine that fuzz_keeper.c runs the keeper on: lib/core and the children, made up. A descriptor is a number with
 * a kind; closing one twice, using one that is closed, or keeping one for ever is found out.
 */
#ifndef FUZZ_KEEPER_H
#define FUZZ_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include "keeper/server.h"

#define MUST(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

enum { MAX_FDS = 1024, MAX_PIDS = 16, HOST_USER = 7, FIRST_PID = 100, FIRST_INIT = 500 };

enum fake_kind {
	FAKE_NONE, /* closed */
	FAKE_OTHER, /* a file, a socket: nothing to be looked at */
	FAKE_NS,    /* type and number; owner: the user namespace that it belongs to */
	FAKE_PIDFD,
	FAKE_TMPFS,
	FAKE_DISK,
	FAKE_MEMFD,
	FAKE_TEXT,  /* what open(2) gave: a file of /proc */
	FAKE_PEER,
};

struct fake_fd {
	enum fake_kind kind;
	int type;        /* FAKE_NS: enum keeper_ns; FAKE_PEER: its uid; FAKE_TEXT: 0 stat, 1 fdinfo, 2 read to its end */
	uint64_t number; /* FAKE_NS: inode; FAKE_PIDFD: pid; FAKE_TMPFS: watch */
	uint64_t owner;
	void *watched;
};

struct fake {
	struct fake_fd fds[MAX_FDS];
	uint64_t mnt[MAX_PIDS];  /* process FIRST_PID + i; 0: there is none */
	int64_t now;
	int next_listing;        /* of /proc */
	int accepted;            /* the next connection, or -1 */
	bool full;               /* nobody takes what is sent */
	unsigned fail;           /* the so-manieth call that can fail does; 0: none */
	int next_init;
	bool init_speaks;
	const uint8_t *packet;   /* the next that is received; NULL: none; size 0: the end */
	size_t packet_size;
	int packet_fds[KEEPER_MAX_FDS + 4];
	size_t n_packet_fds;
	uint64_t next_random;
	bool watches[64];
	int unmounted;
};

extern struct fake fake;

int fake_open(enum fake_kind kind, int type, uint64_t number, uint64_t owner);
void fake_close(int fd);
size_t fake_n_open(void);
struct fake_fd *fake_at(int fd); /* it must be open */
bool fake_fails(void);

#endif
