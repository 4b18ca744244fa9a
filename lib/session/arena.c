/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A list of blocks, each handed out from its beginning. A login needs a few kilobytes: mostly it is one block. What is
 * handed out is zeroed, not the block: most of it is never touched.
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

void *arena_room(struct arena **arena, size_t size)
{
	struct arena *block = *arena;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (!block || block->size - block->used < size) {
		size_t room = size > BLOCK / 4 ? size + BLOCK : BLOCK;

		block = malloc(sizeof(*block) + room);
		if (!block)
			return NULL;
		*block = (struct arena){.next = *arena, .size = room};
		*arena = block;
	}
	block->used += size;
	return block->data + block->used - size;
}

void *arena_alloc(struct arena **arena, size_t size)
{
	void *memory = arena_room(arena, size);

	return memory ? memset(memory, 0, size) : NULL;
}

char *arena_strdup(struct arena **arena, const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = arena_room(arena, size);

	return copy ? memcpy(copy, s, size) : NULL;
}

/* Into what is left of the block; only what does not fit there is printed again. */
char *arena_vprintf(struct arena **arena, const char *format, va_list ap)
{
	struct arena *block = *arena;
	size_t left = block ? block->size - block->used : 0;
	va_list again;
	char *text;
	int n;

	va_copy(again, ap);
	n = vsnprintf(block ? block->data + block->used : NULL, left, format, again);
	va_end(again);
	text = n < 0 ? NULL : arena_room(arena, (size_t)n + 1);
	if (text && (size_t)n >= left)
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
