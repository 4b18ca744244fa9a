/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a check of a value has to say. The checks know only text; whoever calls them knows the place: the parser makes
 * a policy_diag of a complaint, policy_resolve() a refusal.
 */
#ifndef NSCLONE_POLICY_COMPLAINT_H
#define NSCLONE_POLICY_COMPLAINT_H

#include <stdbool.h>
#include <stddef.h>

struct complaint {
	size_t offset; /* of the offending bytes in the text that was checked */
	char message[256];
	char hint[320]; /* "": none */
};

/* Fill it in; hint may be NULL. Returns false, so that a check can `return complain(...)`. */
bool complain(struct complaint *c, size_t offset, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* For "%.*s": how much of a text of this size a message shows. Never cuts a character of UTF-8 in two. */
int shown(const char *text, size_t size);

/*
 * Edit distance (insert, delete, replace, swap neighbours; case costs nothing) between name and the NULL-terminated
 * candidate, or a large number if it is beyond what could be a slip of the pen.
 */
unsigned slip_distance(const char *name, size_t size, const char *candidate);
enum { NO_SLIP = 1000 };

#endif
