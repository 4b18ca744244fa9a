/* SPDX-License-Identifier: BSD-3-Clause */
/* One pattern of [Match]: from text to a test. */
#ifndef NSCLONE_POLICY_PATTERNS_H
#define NSCLONE_POLICY_PATTERNS_H

#include "lib/policy/complaint.h"
#include "lib/policy/rule.h"

/*
 * text: the pattern with its '!', ended by NUL, to be kept as long as the test. 0 (with c->message not "" if there is
 * a warning), PATTERN_BAD with a complaint, or -ENOMEM.
 */
int pattern_parse(struct pool **pool, enum policy_match_key key, const char *text, struct test *ret,
		  struct complaint *c);
enum { PATTERN_BAD = 1 };

#endif
