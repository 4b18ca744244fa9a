/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What systemd keeps for the keeper while it restarts: descriptors by name, as sd_listen_fds_with_names(3) and
 * sd_notify(3) have it, without libsystemd. Where there is no systemd there is nothing to take and nothing is sent.
 *
 * Names are short: LISTEN_FDNAMES is one string for all of them, of 128 KiB at most. The descriptors of one world share
 * the name of store_name(); which is which is told by looking at them.
 */
#ifndef NSCLONE_KEEPER_STORE_H
#define NSCLONE_KEEPER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STORE_NAME = 11 }; /* bytes, with the NUL */

struct store_fd {
	char name[STORE_NAME]; /* "" where it has none, or a longer one: not ours */
	int fd;                /* close-on-exec */
};

/*
 * What this process was started with: *ret is the caller's to free, the descriptors the caller's to close; none: *ret is
 * NULL. The variables are taken out of the environment. Errors: EBADF one of them is not open; EINVAL; ENOMEM: nothing
 * is taken then.
 */
int store_take(struct store_fd **ret, size_t *n);

/* The name of a world's: "w" and 9 digits of hex. Two worlds with one name: one in 2^36. */
void store_name(uint64_t world, char buffer[STORE_NAME]);
bool store_is_world(const char *name);

/*
 * To systemd, by NOTIFY_SOCKET; never waits: -EAGAIN where that is full. -ENOENT: there is no systemd. A descriptor that is
 * put is held until it is removed by name, whatever becomes of it (FDPOLL=0): at most STORE_MAX_FDS at once.
 */
enum { STORE_MAX_FDS = 16 };
int store_put(const char *name, const int *fds, size_t n);
int store_remove(const char *name); /* all with this name */
int store_ready(void);              /* READY=1 */

#endif
