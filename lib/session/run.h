/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of plan_run() share. Private to run*.c.
 */
#ifndef NSCLONE_RUN_H
#define NSCLONE_RUN_H

#include "lib/session/builder.h"
#include "lib/session/session.h"

/* What a step left that must be undone, should a later one fail. */
struct step_state {
	bool made;      /* DIRECTORY, RECORD: it was not there before */
	bool links;     /* DIRECTORY without a parent's slot: there are symbolic links in its path */
	bool mode_set;  /* DIRECTORY: its mode was old_mode before */
	mode_t old_mode;
	int parent;     /* DIRECTORY without a parent's slot: the parent's descriptor, else -1 */
};

struct run {
	const struct plan *plan;
	const struct policy_subject *subject;
	const struct plan_given *given;
	struct session *session;
	struct err *err;
	struct step_state *states; /* one for each step */
	int *slots;                /* descriptors, -1 where empty */
	int root;                  /* what `/` means for paths: AT_FDCWD, or the new root that is being assembled */
	int cwd;                   /* the working directory from before */
	int shared;                /* the step whose directory is locked, but shared with other logins; or -1 */
};

/* run_directory.c: PLAN_DIRECTORY and its undoing. */
int run_directory(struct run *run, size_t i);
int undo_directory(struct run *run, size_t i);

/* run_users.c: PLAN_USERS */
int run_users(struct run *run, const struct plan_step *step);

/* run_mounts.c */
int run_mounts_step(struct run *run, const struct plan_step *step);

#endif
