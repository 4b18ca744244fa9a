/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NSCLONE_KEEPER_FRESH_H
#define NSCLONE_KEEPER_FRESH_H

/*
 * Every signal at its default and none blocked, umask 022: for the keeper itself, which a login daemon may have started,
 * and for its children before they execute another program. 0, as a child_program's prepare wants it.
 */
int fresh_process(void);

/*
 * For a keeper that a login has started, and so for all its children: resource limits and processors as process 1 has them,
 * oom_score_adj and nice 0, the ordinary scheduling policy and timer slack. su(1) is its caller's in all of these: `ulimit
 * -t 1; su` would end it, and all inits after it. NULL, or what of it could not be had; the rest is done.
 */
const char *fresh_resources(void);

#endif
