/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of sections and keys: what the language knows. */
#ifndef NSCLONE_POLICY_KEYS_H
#define NSCLONE_POLICY_KEYS_H

#include "lib/policy/policy.h"
#include <stdbool.h>
#include <stddef.h>

enum section {
	SECTION_NONE,
	SECTION_MATCH,
	SECTION_SESSION,
	SECTION_NETWORK,
	SECTION_UNKNOWN,
};

enum key_type {
	TYPE_WORD, /* one of a list, perhaps with an argument behind a colon */
	TYPE_PATH,
	TYPE_TEXT, /* anything, as written */
	TYPE_LIST, /* of paths, perhaps each with an argument; may be repeated in a section and adds up */
};

enum key_argument {
	ARGUMENT_NONE,
	ARGUMENT_TMPFS,
	ARGUMENT_MODE,
	ARGUMENT_HOST_NAME,
};

struct key {
	const char *name;
	size_t size; /* of the name */
	enum key_type type;
	const char *words[6]; /* TYPE_WORD, ended by NULL; the index is policy_setting.word */
	int word;	      /* the default */
	const char *text;     /* the default of a path */
	enum key_argument argument;
	unsigned with_argument; /* TYPE_WORD: bits of the words that may have one */
	unsigned synonyms;	/* TYPE_WORD: bits of the words that say what the one before them says */
	bool shapeless;		/* a world is the same whatever it says: not part of policy_fingerprint() */
};

extern const struct key policy_keys[POLICY_N_KEYS];

/* What a name in a section is. */
enum key_standing {
	KEY_HERE,
	KEY_UNBUILT, /* of this section, known, not built yet */
	KEY_ELSEWHERE,
	KEY_UNKNOWN,
};

struct key_found {
	enum key_standing standing;
	int key;	     /* KEY_HERE: enum policy_match_key or policy_key */
	const char *section; /* KEY_ELSEWHERE: the name of the section that has it */
	const char *nearest; /* KEY_UNKNOWN: what may have been meant, or NULL */
};

/* In SECTION_NONE, everything that is known is elsewhere. */
struct key_found key_find(enum section section, const char *name, size_t size);

/* SECTION_UNKNOWN: *nearest is what may have been meant, or NULL. */
enum section section_find(const char *name, size_t size, const char **nearest);

/* The index of the word in the key's list, or -1. */
int key_word(enum policy_key key, const char *word, size_t size);

#endif
