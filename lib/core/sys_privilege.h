/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Giving up rights, for the programs of their own that do (nsclone-init, nsclone-keeper, a host shell): never for the
 * module, which is a guest, but for sys_become_root() in a child of its own. As in sys.h: thin, each a function that a test can stand in for. Not public.
 */
#ifndef NSCLONE_SYS_PRIVILEGE_H
#define NSCLONE_SYS_PRIVILEGE_H

#include <stdint.h>
#include <sys/types.h>

/* capset(2): permitted and effective become these (1 << CAP_...), inheritable and with it ambient empty. */
int sys_set_capabilities(uint64_t capabilities);

/* capget(2): what is permitted to the calling process. */
int sys_permitted_capabilities(uint64_t *ret);

/* PR_CAPBSET_DROP of every capability that the kernel knows: no exec gives any of them back. */
int sys_drop_bounding(void);

/* The ids as they are, -1 for one that stays: setresuid(2), setresgid(2). */
int sys_setresuid(uid_t real, uid_t effective, uid_t saved);
int sys_setresgid(gid_t real, gid_t effective, gid_t saved);

/*
 * Real, effective and saved ids 0, no other groups: who was root's by its effective id alone (su(1)) could be stopped and
 * killed by whoever its real one is.
 */
int sys_become_root(void);

#endif
