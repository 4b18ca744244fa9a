/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checks of single values. Each returns true, or false with a complaint. `expanded`: specifiers have been replaced;
 * without it those that are there are only checked for being known, and what depends on them is left for later.
 */
#ifndef NSCLONE_POLICY_VALUES_H
#define NSCLONE_POLICY_VALUES_H

#include "lib/policy/complaint.h"
#include "lib/policy/policy.h"
#include "lib/policy/pool.h"
#include <stdbool.h>
#include <sys/types.h>

/* A path of something that is to be a user's own: absolute, no "..", not "/". */
bool path_check(const char *path, bool expanded, struct complaint *c);

/* In place: no doubled slashes, no "." components, no slash at the end. */
void path_simplify(char *path);

bool host_name_check(const char *name, bool expanded, struct complaint *c);

bool mode_parse(const char *text, mode_t *ret, struct complaint *c);

/* All digits, no leading zero, at most `most`. */
bool number_parse(const char *text, size_t size, unsigned long long most, unsigned long long *ret);

bool tmpfs_check(const char *options, bool expanded, struct complaint *c);

/* Every % begins a specifier that is known. */
bool specifiers_check(const char *text, struct complaint *c);
bool has_specifiers(const char *text);

/* POLICY_NEED_* of the specifiers in the text. */
unsigned specifiers_need(const char *text);

/* 0 with *ret, POLICY_REFUSE with a complaint, or -ENOMEM. */
int specifiers_expand(struct pool **pool, const struct policy_subject *subject, const char *text, char **ret,
		      struct complaint *c);

/* The same, of options: in size= a percent sign is one. */
int tmpfs_expand(struct pool **pool, const struct policy_subject *subject, const char *options, const char **ret,
		 struct complaint *c);

#endif
