/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A hash of the settings that shape a world. Sessions of one user share a world while it stays the same, also across an
 * upgrade of this program: the keeper holds on to worlds that an older version has made. So what is hashed is a text
 * of the language, which versions have in common, never anything of a version's own (numbers of keys and words):
 *
 *   nsclone world 1
 *   InstanceRoot=12:/srv/nsclone,
 *   PrivateDirectory=8:/scratch,4:0750,
 *   PrivateTmp=12:disconnected,7:size=1G,
 *
 * One line for each key that shapes and is not at its default, sorted by name: a key that a later version adds says
 * nothing while nobody uses it. Every field says how long it is, so that no two settings have the same text whatever
 * bytes are in a path; `-,` stands for options that are not given. This text MUST never change: whoever must change it,
 * or a default, gives it another number.
 */
#include "lib/policy/keys.h"
#include "lib/policy/sha256.h"
#include <stdio.h>
#include <string.h>

_Static_assert((int)POLICY_FINGERPRINT_SIZE == (int)SHA256_SIZE, "a fingerprint is a SHA-256");

static void add_text(struct sha256 *hash, const char *text)
{
	sha256_add(hash, text, strlen(text));
}

/* text may be NULL: there is none. */
static void add_field(struct sha256 *hash, const char *text)
{
	char size[24];

	if (!text) {
		add_text(hash, "-,");
		return;
	}
	snprintf(size, sizeof(size), "%zu:", strlen(text));
	add_text(hash, size);
	add_text(hash, text);
	add_text(hash, ",");
}

/* A mode by what it is: /a is /a:0700, and 0750 is 750. */
static void add_items(struct sha256 *hash, const struct key *key, const struct policy_setting *setting)
{
	for (size_t i = 0; i < setting->n_items; i++) {
		const struct policy_item *item = &setting->items[i];
		char mode[16];

		snprintf(mode, sizeof(mode), "%04o", (unsigned)item->mode);
		add_field(hash, item->path);
		add_field(hash, key->argument == ARGUMENT_MODE ? mode : item->options);
	}
}

static bool is_default(const struct key *key, const struct policy_setting *setting)
{
	switch (key->type) {
	case TYPE_WORD:
		return setting->word == key->word && !setting->text;
	case TYPE_PATH:
	case TYPE_TEXT:
		return !setting->text || (key->text && !strcmp(setting->text, key->text));
	case TYPE_LIST:
		return !setting->n_items;
	}
	return false;
}

static void add_setting(struct sha256 *hash, const struct key *key, const struct policy_setting *setting)
{
	add_text(hash, key->name);
	add_text(hash, "=");
	switch (key->type) {
	case TYPE_WORD:
		add_field(hash, key->words[setting->word]);
		add_field(hash, setting->text);
		break;
	case TYPE_PATH:
	case TYPE_TEXT:
		add_field(hash, setting->text);
		break;
	case TYPE_LIST:
		add_items(hash, key, setting);
		break;
	}
	add_text(hash, "\n");
}

/* Those that say something, by name: how many. */
static size_t find_shaping(const struct policy_result *result, enum policy_key keys[POLICY_N_KEYS])
{
	size_t n = 0;

	for (enum policy_key i = 0; i < POLICY_N_KEYS; i++) {
		size_t at = n;

		if (policy_keys[i].shapeless || is_default(&policy_keys[i], &result->settings[i]))
			continue;
		for (; at > 0 && strcmp(policy_keys[keys[at - 1]].name, policy_keys[i].name) > 0; at--)
			keys[at] = keys[at - 1];
		keys[at] = i;
		n++;
	}
	return n;
}

int policy_fingerprint(const struct policy_result *result, unsigned char ret[POLICY_FINGERPRINT_SIZE])
{
	enum policy_key keys[POLICY_N_KEYS];
	size_t n = find_shaping(result, keys);
	struct sha256 hash;

	sha256_init(&hash);
	add_text(&hash, "nsclone world 1\n");
	for (size_t i = 0; i < n; i++)
		add_setting(&hash, &policy_keys[keys[i]], &result->settings[keys[i]]);
	sha256_finish(&hash, ret);
	return 0;
}
