/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that is freed all at once, for what is read from the policy and for a result. (lib/session has an arena of
 * its own: policy and session do not share code, so that this directory stands alone.)
 */
#ifndef NSCLONE_POLICY_POOL_H
#define NSCLONE_POLICY_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct pool;

/* Zeroed, aligned for pointers and size_t; NULL: out of memory. *pool begins as NULL. */
void *pool_alloc(struct pool **pool, size_t size);

/* The first size bytes of s, with a NUL behind them. */
char *pool_copy(struct pool **pool, const char *s, size_t size);

/* NULL is fine. */
void pool_free(struct pool *pool);

/*
 * Make room for one more element behind the n of *array (malloc'ed, *capacity elements of `size` bytes each).
 * false: out of memory, nothing has changed.
 */
bool pool_grow(void *array, size_t *capacity, size_t n, size_t size);

/*
 * Which strings were seen before. Room is fixed when it is made: the callers know how many they have. No string is
 * copied.
 */
struct names {
	const char **slots;
	size_t *values;
	size_t mask;
};

bool names_init(struct names *names, struct pool **pool, size_t n);

/* The value that `name` has; if it is new, `value` from now on. */
size_t names_add(struct names *names, const char *name, size_t value);

#endif
