/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A list of blocks, each handed out from its beginning. Blocks double in size, so that a policy of ten thousand rules
 * costs a dozen calls of the allocator and a small one, which is one block, does not cost a megabyte. What is handed
 * out is zeroed, not the block.
 */
#include "lib/policy/pool.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST = 16 << 10, LARGEST = 4 << 20, ALIGN = _Alignof(void *) };

struct pool {
	struct pool *next;
	size_t used;
	size_t size;
	_Alignas(ALIGN) char data[];
};

static struct pool *add_block(struct pool **pool, size_t size)
{
	size_t room = *pool ? (*pool)->size * 2 : FIRST;
	struct pool *block;

	if (room > LARGEST)
		room = LARGEST;
	if (room < size)
		room = size;
	block = malloc(sizeof(*block) + room);
	if (!block)
		return NULL;
	*block = (struct pool){.next = *pool, .size = room};
	*pool = block;
	return block;
}

/* align: a power of two. */
static void *take(struct pool **pool, size_t size, size_t align)
{
	struct pool *block = *pool;
	size_t gap = block ? -block->used & (align - 1) : 0;

	if (size > SIZE_MAX / 4)
		return NULL;
	if (!block || block->size - block->used < gap || block->size - block->used - gap < size) {
		block = add_block(pool, size);
		gap = 0;
	}
	if (!block)
		return NULL;
	block->used += gap + size;
	return block->data + block->used - size;
}

void *pool_alloc(struct pool **pool, size_t size)
{
	void *memory = take(pool, size, ALIGN);

	return memory ? memset(memory, 0, size) : NULL;
}

char *pool_copy(struct pool **pool, const char *s, size_t size)
{
	char *copy = take(pool, size + 1, 1);

	if (!copy)
		return NULL;
	copy[size] = '\0';
	return memcpy(copy, s, size);
}

void pool_free(struct pool *pool)
{
	while (pool) {
		struct pool *next = pool->next;

		free(pool);
		pool = next;
	}
}

bool pool_grow(void *array, size_t *capacity, size_t n, size_t size)
{
	size_t room = *capacity ? *capacity * 2 : 16;
	void *old;
	void *grown;

	if (n < *capacity)
		return true;
	if (room > SIZE_MAX / 2 / size)
		return false;
	memcpy(&old, array, sizeof(old)); /* array is a pointer to a pointer of any type */
	grown = realloc(old, room * size);
	if (!grown)
		return false;
	memcpy(array, &grown, sizeof(grown));
	*capacity = room;
	return true;
}

bool names_init(struct names *names, struct pool **pool, size_t n)
{
	size_t room = 8;

	if (n > SIZE_MAX / 64)
		return false;
	while (room < n * 2)
		room *= 2;
	names->mask = room - 1;
	names->slots = pool_alloc(pool, room * sizeof(*names->slots));
	names->values = pool_alloc(pool, room * sizeof(*names->values));
	return names->slots && names->values;
}

/* FNV-1a. Who writes the policy is root; nobody who could gain by collisions chooses these strings. */
static size_t hash(const char *name)
{
	uint64_t h = 14695981039346656037u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 1099511628211u;
	return (size_t)(h ^ h >> 32);
}

size_t names_add(struct names *names, const char *name, size_t value)
{
	size_t i = hash(name) & names->mask;

	for (; names->slots[i]; i = (i + 1) & names->mask)
		if (!strcmp(names->slots[i], name))
			return names->values[i];
	names->slots[i] = name;
	names->values[i] = value;
	return value;
}
