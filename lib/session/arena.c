/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A list of blocks, each handed out from its beginning. A login needs a few kilobytes: mostly it is one block.
 */
#include "lib/session/arena.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 8192, ALIGN = _Alignof(max_align_t) };

struct arena {
	struct arena *next;
	size_t used;
	size_t size;
	_Alignas(max_align_t) char data[];
};

void *arena_alloc(struct arena **arena, size_t size)
{
	struct arena *block = *arena;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (!block || block->size - block->used < size) {
		size_t room = size > BLOCK ? size : BLOCK;

		block = calloc(1, sizeof(*block) + room);
		if (!block)
			return NULL;
		block->size = room;
		block->next = *arena;
		*arena = block;
	}
	block->used += size;
	return block->data + block->used - size;
}

char *arena_strdup(struct arena **arena, const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = arena_alloc(arena, size);

	return copy ? memcpy(copy, s, size) : NULL;
}

char *arena_vprintf(struct arena **arena, const char *format, va_list ap)
{
	va_list again;
	char *text;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	text = n < 0 ? NULL : arena_alloc(arena, (size_t)n + 1);
	if (text)
		vsnprintf(text, (size_t)n + 1, format, ap);
	return text;
}

char *arena_printf(struct arena **arena, const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = arena_vprintf(arena, format, ap);
	va_end(ap);
	return text;
}

void arena_free(struct arena *arena)
{
	while (arena) {
		struct arena *next = arena->next;

		free(arena);
		arena = next;
	}
}
