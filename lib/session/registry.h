/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The registry of what sessions are to take with them: one symbolic link for each under /run/nsclone/sessions (root's,
 * 0700), named UID-TOKEN, made before the directory that it is about and removed after it. What it says (its target) is
 * text; a symbolic link is made whole in one system call, so that a kill leaves no half record.
 */
#ifndef NSCLONE_REGISTRY_H
#define NSCLONE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "lib/session/err.h"

struct session_traces;

/* Record what a session is going to leave. -EEXIST & co. with err set. */
int registry_add(const struct session_traces *traces, struct err *err);

/*
 * The calling process is from now on the one whose life counts: the keeper's, which holds a world while no process is in
 * it. At no moment is there no record. -ENOENT: there is none; -EINVAL: that is no name of one.
 */
int registry_adopt(const char *record);

/* /run/nsclone, made where it is missing: a descriptor, or a negative errno. */
int registry_directory(void);

/* Only the record: nothing was made, or it is gone. */
int registry_forget(const struct session_traces *traces);

/* The directory, then the record. Bounded: what is too much for one logout stays recorded. */
int registry_remove(const struct session_traces *traces, struct err *err);

/* Told of each thing that clean removes, would remove or cannot remove. result: 0, or the negative errno. */
typedef void registry_report(void *arg, const char *path, uid_t uid, int result, const char *why);

/*
 * Remove what sessions left whose process is gone and that no mount namespace has mounted any more, and directories of
 * sessions below instance_roots that have no record (from before a boot). Unbounded: for the administrator's command.
 * Returns 0, or the first error; report is told of all.
 */
int registry_clean(const char *const *instance_roots, size_t n, bool dry_run, registry_report *report, void *arg,
		   struct err *err);

/*
 * The same for one record, whether or not its process is alive: whose world it was knows that it is gone. 1: it stays,
 * somebody has it mounted, and it is for later logins to look at. 0: nothing of it is there any more (also where it had gone before).
 */
int registry_clean_record(const char *record, bool dry_run, registry_report *report, void *arg, struct err *err);

/*
 * Directories that are kept below instance_roots for users of whom nobody runs anything, and who are not one of holders:
 * each that nobody has mounted, and that has not been touched since `before` (seconds since 1970), as far as its top tells.
 * Returns 0, or the first error; report is told of all.
 */
struct registry_age {
	const char *const *instance_roots;
	size_t n_roots;
	const uid_t *holders; /* of a world that the keeper holds */
	size_t n_holders;
	int64_t before;
	bool dry_run;
};
int registry_clean_aged(const struct registry_age *age, registry_report *report, void *arg, struct err *err);

/*
 * registry_clean() at login: first for the user whose uid, gid and InstanceRoot= (path, as_user) are given, then for others as
 * far as the time goes. At most `entries` directory entries are removed and `limit_ms` spent.
 */
int registry_collect(const struct session_traces *whose, unsigned entries, unsigned limit_ms);

#endif
