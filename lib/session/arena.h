/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that is freed all at once: the strings and arrays of a subject, of the facts, of a plan.
 */
#ifndef NSCLONE_ARENA_H
#define NSCLONE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

/* Zeroed, aligned for any type; NULL: out of memory. *arena begins as NULL. */
void *arena_alloc(struct arena **arena, size_t size);
void *arena_room(struct arena **arena, size_t size); /* the same, but not zeroed */
char *arena_strdup(struct arena **arena, const char *s);
char *arena_printf(struct arena **arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena **arena, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));

/* NULL is fine. */
void arena_free(struct arena *arena);

#endif
