/* SPDX-License-Identifier: BSD-3-Clause */
/* Globs of names: * ? [abc] [a-z] [!a]. A backslash is itself (DOMAIN\user), a slash nothing special. */
#ifndef NSCLONE_POLICY_GLOB_H
#define NSCLONE_POLICY_GLOB_H

#include "lib/policy/complaint.h"
#include <stdbool.h>
#include <stddef.h>

/* false: not a glob that we understand. */
bool glob_check(const char *glob, struct complaint *c);

/* Whether it has anything special in it. */
bool glob_is_literal(const char *glob);

/* Takes at most strlen(glob) * strlen(name) steps. ignore_case: of ASCII. The glob must have passed glob_check(). */
bool glob_fits(const char *glob, const char *name, bool ignore_case);

/* For names of machines. */
bool same_ignoring_case(const char *a, const char *b);

#endif
