/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a kernel and a sandbox may or may not allow, and how to find out: by trying, in a child that is thrown away and
 * has a mount namespace of its own, so that the host stays as it is. Version numbers are for people only: kernels are
 * patched, and seccomp filters and container managers forbid what the kernel could do.
 */
#ifndef NSCLONE_CMD_FEATURE_H
#define NSCLONE_CMD_FEATURE_H

#include "lib/core/nsclone.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FEATURE_KEY(key) (UINT32_C(1) << (key))
#define FEATURE_ALWAYS	 (~UINT32_C(0)) /* any isolation at all needs it */

struct feature {
	const char *name;
	const char *since;   /* the kernel that brought it, or NULL: it is no matter of the kernel */
	const char *used_by; /* the settings that need it, for people */
	const char *without; /* what is done instead, or NULL: there is nothing instead */
	int (*probe)(struct nsclone_error *error);
	uint32_t keys; /* FEATURE_KEY() of those settings; 0: none that is built */
	bool root;     /* only root can try */
};

extern const struct feature features[];
extern const size_t n_features;

enum feature_state { FEATURE_YES, FEATURE_NO, FEATURE_UNSEEN };

/* Try it. detail, of size bytes, says why not. */
enum feature_state feature_try(const struct feature *feature, char *detail, size_t size);

/* ---- feature_probes.c: each in a child of its own ---------------------------------------------------------------- */

int probe_mount_namespace(struct nsclone_error *error);
int probe_ipc_namespace(struct nsclone_error *error);
int probe_uts_namespace(struct nsclone_error *error);
int probe_network_namespace(struct nsclone_error *error);
int probe_pid_namespace(struct nsclone_error *error);
int probe_user_namespace(struct nsclone_error *error);
int probe_cgroup_namespace(struct nsclone_error *error);
int probe_time_namespace(struct nsclone_error *error);
int probe_loopback(struct nsclone_error *error);
int probe_open_tree(struct nsclone_error *error);
int probe_move_mount(struct nsclone_error *error);
int probe_move_mount_detached(struct nsclone_error *error);
int probe_mount_setattr(struct nsclone_error *error);
int probe_tmpfs(struct nsclone_error *error);
int probe_hidepid(struct nsclone_error *error);
int probe_subset(struct nsclone_error *error);
int probe_mqueue(struct nsclone_error *error);
int probe_sysfs(struct nsclone_error *error);
int probe_pivot_root(struct nsclone_error *error);
int probe_openat2(struct nsclone_error *error);
int probe_clone3(struct nsclone_error *error);
int probe_statx(struct nsclone_error *error);
int probe_pidfd(struct nsclone_error *error);
int probe_kcmp(struct nsclone_error *error);
int probe_mount_namespace_id(struct nsclone_error *error);
int probe_cgroup2(struct nsclone_error *error);
int probe_peer_pidfd(struct nsclone_error *error);
int probe_keeper(struct nsclone_error *error);

#endif
