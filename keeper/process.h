/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What /proc says of a process. A process may end, and its id be another's, between any two of these: who wants to be
 * sure has a pidfd, and asks process_is() when all is read.
 *
 * Returns 0 or a negative errno; -ESRCH: it is gone, whatever the kernel calls that at this place.
 */
#ifndef NSCLONE_KEEPER_PROCESS_H
#define NSCLONE_KEEPER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "lib/session/keeper.h"

#define PROCESS_SELF ((pid_t)0)

int process_inode(pid_t pid, enum keeper_ns type, uint64_t *ret);

/*
 * Its namespaces, of the types wanted (1 << KEEPER_NS_*), others 0. A process whose first thread has ended is not gone
 * while others run: theirs are told then. -ESRCH for a zombie.
 */
int process_inodes(pid_t pid, unsigned types, uint64_t inodes[KEEPER_N_NS]);

/*
 * What, beside its pid, tells a process from all that have had that pid since boot: the number of its pidfd where pidfs
 * gives one, else when it began (field 22 of stat). -ESRCH; who asks process_is() afterwards knows that it was this one's.
 */
int process_identity(int pidfd, pid_t pid, uint64_t *ret);

/* Is that its identity, of either kind? An older keeper may have written down the other. 0, or -ESRCH: it is another. */
int process_has_identity(int pidfd, pid_t pid, uint64_t identity);

/* The process behind a pidfd, from fdinfo. -EINVAL: it is no pidfd. */
int process_of_pidfd(int pidfd, pid_t *ret);

/* It is not reaped yet, so what was read of pid was its. */
int process_is(int pidfd);

#endif
