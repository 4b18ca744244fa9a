/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which entries of a stack run: a walk over everything that the modules might answer, as libpam's dispatcher walks over
 * what they did answer. Answers that refuse the login are not followed, for nobody gets past them; unless a later
 * `reset` can forgive them. See pamd.h.
 */
#include "cmd/pamd.h"
#include <stdlib.h>
#include <string.h>

struct walk {
	const struct pamd_stack *stack;
	size_t target;
	struct pamd_flow flow;
	bool *reached;
};

/* `done` ends the substack that the entry stands in, or the whole stack. */
static size_t after_done(const struct pamd_stack *stack, size_t i)
{
	size_t k = i + 1;

	while (k < stack->n && stack->entries[k].level >= stack->entries[i].level)
		k++;
	return k;
}

/* A substack counts as one. A jump does not leave the substack that it starts in: libpam counts that as a failure. */
static size_t after_jump(const struct pamd_stack *stack, size_t i, int jump, bool *fails)
{
	unsigned level = stack->entries[i].level;
	size_t k = i;

	while (jump > 0 && k + 1 < stack->n && stack->entries[k + 1].level >= level) {
		do
			k++;
		while (k + 1 < stack->n && stack->entries[k + 1].level > level);
		jump--;
	}
	*fails = jump > 0;
	return k + 1;
}

bool pamd_forgives(const struct pamd_stack *stack, size_t from)
{
	for (size_t i = from + 1; i < stack->n; i++)
		for (int code = 0; code < PAMD_N_CODES; code++)
			if (stack->entries[i].kind == PAMD_MODULE && stack->entries[i].actions[code] == PAMD_RESET)
				return true;
	return false;
}

static void arrive(struct walk *walk, size_t from, size_t to)
{
	if (to <= walk->target) {
		walk->reached[to] = true;
		return;
	}
	if (!walk->flow.skipped)
		walk->flow.by = from;
	walk->flow.skipped = true;
}

static void follow(struct walk *walk, size_t i, int action)
{
	bool forgiven = pamd_forgives(walk->stack, i), fails = false;
	size_t to;

	switch (action) {
	case PAMD_BAD:
		fails = true;
		to = i + 1;
		break;
	case PAMD_DIE:
		fails = true;
		to = after_done(walk->stack, i);
		break;
	case PAMD_DONE:
		to = after_done(walk->stack, i);
		if (forgiven)
			arrive(walk, i, i + 1); /* after a failure `done` is no more than `ok` */
		break;
	case PAMD_IGNORE:
	case PAMD_OK:
	case PAMD_RESET:
		to = i + 1;
		break;
	default:
		to = after_jump(walk->stack, i, action, &fails);
		break;
	}
	if (!fails || forgiven)
		arrive(walk, i, to);
}

/* The one answer that a module is known to give, or -1. */
static int known_answer(const struct pamd_entry *entry)
{
	if (entry->kind == PAMD_BROKEN)
		return PAMD_PERM_DENIED;
	if (strcmp(pamd_basename(entry), "pam_permit.so") == 0)
		return PAMD_SUCCESS;
	if (strcmp(pamd_basename(entry), "pam_deny.so") == 0)
		return PAMD_SESSION_ERR;
	return -1;
}

struct pamd_flow pamd_flow(const struct pamd_stack *stack, size_t target)
{
	struct walk walk = {.stack = stack, .target = target};

	walk.reached = alloc_zeroed(target + 1, sizeof(*walk.reached));
	walk.reached[0] = true;
	for (size_t i = 0; i < target; i++) {
		const struct pamd_entry *entry = &stack->entries[i];
		int known = known_answer(entry);

		if (!walk.reached[i])
			continue;
		if (entry->kind == PAMD_SUBSTACK) {
			walk.reached[i + 1] = true;
			continue;
		}
		for (int code = 0; code < PAMD_N_CODES; code++)
			if (known < 0 || code == known)
				follow(&walk, i, entry->actions[code]);
	}
	walk.flow.runs = walk.reached[target];
	free(walk.reached);
	return walk.flow;
}
