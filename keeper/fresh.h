/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NSCLONE_KEEPER_FRESH_H
#define NSCLONE_KEEPER_FRESH_H

/*
 * Every signal at its default and none blocked, umask 022: for the keeper itself, which a login daemon may have started,
 * and for its children before they execute another program. 0, as a child_program's prepare wants it.
 */
int fresh_process(void);

#endif
