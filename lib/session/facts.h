/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Facts: what plan_build() has to know of the machine, gathered once, before the first step. They are an argument, so
 * that a golden test can give its own.
 */
#ifndef NSCLONE_FACTS_H
#define NSCLONE_FACTS_H

#include <stdint.h>
#include "lib/policy/policy.h"
#include "lib/session/err.h"

#ifndef NSCLONE_STATE_DIR
#define NSCLONE_STATE_DIR "/var/lib/nsclone" /* the default of InstanceRoot= */
#endif
#ifndef NSCLONE_RUN_DIR
#define NSCLONE_RUN_DIR "/run/nsclone"
#endif

/* A directory that is about to be covered. */
struct facts_place {
	const char *path;
	bool missing;        /* not there, or not a directory */
	uint64_t covered;    /* MOUNT_ATTR_* nosuid, nodev, noexec of the mount that is covered */
	dev_t device;        /* these two: whether two names are one directory (a /var/tmp that is a link to /tmp) */
	ino_t inode;
};

struct facts {
	const struct facts_place *places;
	size_t n_places;
	const char *const *sys_mounts; /* mounts below /sys that a new sysfs would hide (only for PrivateNetwork=) */
	size_t n_sys_mounts;
	const char *const *detach;     /* pivot: mounts at or below the places, the outermost first */
	size_t n_detach;
	int hidepid;                   /* of the host's /proc, 0 to 4 as in proc(5); known only where it decides */
	bool cgroup2;                  /* /sys/fs/cgroup is the unified hierarchy (only for ProtectControlGroups=) */
	bool mqueue;                   /* there is a directory /dev/mqueue */
	uint64_t ram;                  /* bytes */
	char token[26];                /* of this session, for PrivateTmp=yes: where it was made, and a random number */
	void *memory;
};

/* Needs no privilege. Returns 0 or a negative errno. */
int facts_gather(const struct policy_result *result, struct facts *ret, struct err *err);
void facts_done(struct facts *facts);

/* The first 8 digits of a token: a hash of the machine id and of the PID namespace. "" where they cannot be read. */
void facts_origin(char buffer[9]);

/* Is a new root to be assembled? PrivateTmpMethod= says nothing where PrivateTmp=no. */
bool facts_wants_pivot(const struct policy_setting *settings);

/* NULL where path was not asked for. */
const struct facts_place *facts_place(const struct facts *facts, const char *path);

#endif
