/* SPDX-License-Identifier: BSD-3-Clause */
/* Words of a value: split at white space, quoted by "…" or '…' with C escapes. */
#ifndef NSCLONE_POLICY_WORDS_H
#define NSCLONE_POLICY_WORDS_H

#include "lib/policy/complaint.h"
#include "lib/policy/pool.h"
#include <stdbool.h>
#include <stddef.h>

/* Stands for an escaped colon until the word has been split at the others. No word can contain it by itself. */
enum { ESCAPED_COLON = '\1' };

struct word {
	const char *raw; /* as written */
	size_t raw_size;
	const char *text; /* what it says; not ended by NUL. The same bytes as raw where nothing is quoted */
	size_t size;
};

/*
 * The next word at *p, which is moved behind it. 1, 0: no more words, -1: not a word: the complaint's offset is from
 * the *p given. colons: `\:` is an ESCAPED_COLON. -ENOMEM where there is no memory.
 */
int words_next(struct pool **pool, const char **p, const char *end, bool colons, struct word *ret, struct complaint *c);
enum { WORDS_BAD = -1 };

/* The place in word->raw that made byte `offset` of word->text. */
const char *words_place(const struct word *word, size_t offset, bool colons);

#endif
