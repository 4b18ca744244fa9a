/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where this process is, by the inode numbers of its namespaces. Numbers of namespaces that nobody holds are used again:
 * they are compared here only with those of descriptors at hand, of living processes, or by the keeper with what it holds.
 */
#ifndef NSCLONE_PLACE_H
#define NSCLONE_PLACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "lib/session/keeper.h"

/* What /proc/PID/ns calls it: of the PID namespaces the children's, as that is what setns(2) and unshare(2) change. */
const char *place_link_name(enum keeper_ns place);

/* The inode of one, own being /proc/PID/ns, opened. 0 or a negative errno. */
int place_inode(int own, enum keeper_ns place, uint64_t *ret);

/* Of this process, by enum keeper_ns; of its children's PID namespace. 0 or a negative errno. */
int place_inodes(uint64_t ret[KEEPER_N_NS]);

/*
 * CLONE_NEW* of those of ns (-1: not there) that this process is not in. Each of these must be what it is said to be and
 * belong to the user namespace of this process: -EINVAL, -EPERM. -EPROTO: the set is not complete. *on_host (may be NULL):
 * not place_is_not_first().
 */
int place_differs(const int ns[KEEPER_N_NS], uint64_t *ret, bool *on_host);

/*
 * Is ns a world under these settings? own, the inodes of its own namespaces, must be those, and what is asked for be among
 * them: where the keeper has lost one, the host's must not stand in. 0 or a negative errno.
 */
struct policy_setting;
int place_isolates(const int ns[KEEPER_N_NS], const uint64_t own[KEEPER_N_NS], const struct policy_setting *settings);

/*
 * Is its mount, IPC, UTS or user namespace another than PID 1's? One of them every world has: no plan makes any other kind
 * without a mount namespace. Also true where that cannot be seen.
 */
bool place_is_not_first(void);

/*
 * Is it in somebody's login, rather than a daemon that its unit has hardened? By the login uid that pam_loginuid(8) sets,
 * which may just have been set to uid, the target's, in this very stack: then, and where the kernel has no audit, by
 * whether there is a caller (PAM_RUSER, may be NULL).
 */
bool place_is_of_a_login(uid_t uid, const char *from_user);

/* Is it in a user namespace that PID 1 is not in? There is no way out of one, and no keeper listens to who is in it. */
bool place_is_among_users(void);

#endif
