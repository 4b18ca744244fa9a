/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Worlds written down, one file each in KEEPER_WORLDS (root's, 0700, on a tmpfs), so that the next keeper knows what the
 * one before held: everything of struct world that is not a descriptor. A file is named by the world's id in 16 digits
 * of hex, written whole under another name and renamed; it is rewritten whenever the world changes, and within WORLDS_SAVE_MS
 * when somebody joins it or leaves others in it.
 *
 * What is read is root's own, but it may be cut, or of another version, or stand for what is no more: it is checked for
 * being whole here, and for being true in recover.h.
 */
#ifndef NSCLONE_KEEPER_RECORD_H
#define NSCLONE_KEEPER_RECORD_H

#include <stdint.h>
#include "keeper/worlds.h"

struct records {
	int directory;
};

/*
 * Makes the directory where it is missing, and locks it until records_close() or the end of the process. 0 or a negative
 * errno: -EPERM it is not root's alone; -EBUSY another process has them, and still had after two seconds.
 */
int records_open(struct records *ret);
void records_close(struct records *records);

/* 0: changed; 1: it is new; or a negative errno, and then the file is what it was. */
int records_save(const struct records *records, const struct world *world);

int records_forget(const struct records *records, uint64_t world); /* -ENOENT: there is none */

/*
 * Every whole record as a world: no descriptor is open in it, nor in its sessions. each() owns it from then on; a negative
 * errno of its ends the reading. What is no whole record is removed. 0 or a negative errno: one of them, or the directory,
 * could not be read, which is not to say that there is none.
 */
int records_load(const struct records *records, int (*each)(void *data, struct world *world), void *data);

#endif
