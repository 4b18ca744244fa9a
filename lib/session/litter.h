/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records, and what they are about. Private to lib/session.
 */
#ifndef NSCLONE_LITTER_H
#define NSCLONE_LITTER_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/session/remove.h"
#include "lib/session/session.h"

/*
 * With the token: the name of a session's directory. No PrivateDirectory= has such a name: their first character is
 * never a dot. A token is 8 hexadecimal digits that tell the host and the process tree, a dash, and 16 random ones.
 */
#define RECORD_SESSION ".session-"
#define RECORD_NEW ".new-"	  /* a directory that is being made */

/* A record as read: traces in memory of its own, and who made it. */
struct record {
	struct session_traces traces;
	pid_t pid;
	uint64_t process_id; /* of pid, sys_process_id() */
	char text[PATH_MAX + 256];
	char name[64];
};

/* Is a directory below /UID/.session-TOKEN (needle) mounted by any process? 1, 0, -EAGAIN out of time, or an error. */
int session_in_use(const char *needle, int64_t deadline);

/* The needle for the path of a session's directory. */
void session_needle(const char *path, char *buffer, size_t size);

/* Is that a token that was made on this host, in this tree of processes? What is another's cannot be judged. */
bool token_is_ours(const char *token);

/* The directory of records; make: it is made where missing. A descriptor; -ENOENT: missing. */
int record_directory(bool make);

/* UID-...: a plain file name, and that of a record. */
bool record_is_name(const char *name);

/* 0; -EBADMSG: it is not one of ours; -ENOENT: gone. */
int record_read(int dirfd, const char *name, struct record *ret);

/* Is the process that made it alive? */
bool record_is_alive(const struct record *record);

/* 1: no login of that user is just being opened, whose record or directory may not be there yet. */
int record_is_settled(const struct session_traces *traces);

/* look for each name in the directory fd (taken over) but . and .., until that is not 0: what it was, or a negative errno. */
typedef int litter_look(void *data, int dirfd, const char *name, const void *arg);
int litter_each(int fd, litter_look *look, void *data, const void *arg);

/* Remove the session's directory, the user's if it is empty then, and the record. */
int record_sweep(int dirfd, const struct session_traces *traces, struct budget *budget);

#endif
