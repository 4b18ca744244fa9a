/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keeping worlds over the end of a keeper: what is not a descriptor in record.h, descriptors in store.h where there is
 * systemd. The effects of worlds.h that are about it. Nothing here waits.
 */
#ifndef NSCLONE_KEEPER_KEEP_H
#define NSCLONE_KEEPER_KEEP_H

#include "keeper/record.h"
#include "keeper/worlds.h"

/*
 * The world has changed. Its descriptors go into the store once, when its record is new; they come out when it is GONE,
 * or systemd would hold what nobody is in. 0 or a negative errno: it would not be found again as it is now, or at all.
 */
int keep_world(const struct records *records, const struct world *world);

void keep_forget(const struct records *records, const struct world *world);

/* Its descriptors, into the store: what keep_world() does of itself. -ENOENT: there is no systemd. */
int keep_store(const struct world *world);

#endif
