/* SPDX-License-Identifier: BSD-3-Clause */
/* The directories below which users' own directories are kept: InstanceRoot= and its default. */
#ifndef NSCLONE_CMD_ROOTS_H
#define NSCLONE_CMD_ROOTS_H

#include "cmd/alloc.h"
#include "lib/policy/policy.h"

/* The default and every InstanceRoot= in which no specifier stands ("%%" is none). */
void roots_of_policy(const struct policy *policy, struct alloc_list *ret);

/* The path without specifiers, which the caller frees, or NULL where there are some. */
char *roots_plain(const char *path);

#endif
