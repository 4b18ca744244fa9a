/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * [Session]: one assignment, checked as far as it can be without a login. By the type of the key, never by its name:
 * what a new key needs stands in the table of keys.c.
 */
#include "lib/policy/parser.h"
#include "lib/policy/values.h"
#include "lib/policy/words.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The assignment that is being read. */
struct reading {
	struct parser *p;
	const struct key *key;
	struct assignment *a;
	struct word word; /* that the complaints are about */
	bool colons;
};

static char *keep(struct parser *p, const char *text, size_t size)
{
	char *copy = pool_copy(&p->policy->pool, text, size);

	if (!copy)
		p->out_of_memory = true;
	return copy;
}

/* offset: of the checked text in the word. */
static bool reject(struct reading *r, size_t offset, const struct complaint *c)
{
	parser_error(r->p, reader_pos(&r->p->reader, words_place(&r->word, offset + c->offset, r->colons)), c);
	return false;
}

static bool reject_value(struct reading *r, const char *at, const char *hint, const char *message)
{
	struct complaint c;

	complain(&c, 0, hint, "%s= %s", r->key->name, message);
	parser_error(r->p, reader_pos(&r->p->reader, at), &c);
	return false;
}

/* 1, 0: no more, -1: complained. */
static int next_word(struct reading *r, const char **at, const char *end)
{
	const char *before = *at;
	struct complaint c;
	int result = words_next(&r->p->policy->pool, at, end, r->colons, &r->word, &c);

	if (result == WORDS_BAD)
		parser_error(r->p, reader_pos(&r->p->reader, before + c.offset), &c);
	else if (result < 0)
		r->p->out_of_memory = true;
	return result;
}

/* "no, yes, disconnected[:options]" */
static void list_words(const struct key *key, char *buffer, size_t size)
{
	size_t n = 0;

	n += (size_t)snprintf(buffer, size, "one of: ");
	for (unsigned i = 0; key->words[i] && n < size; i++) {
		const char *argument = !(key->with_argument & 1u << i)	     ? ""
				       : key->argument == ARGUMENT_HOST_NAME ? "[:name]"
									     : "[:options]";

		n += (size_t)snprintf(buffer + n, size - n, "%s%s%s", i ? ", " : "", key->words[i], argument);
	}
}

static bool reject_word(struct reading *r, size_t size)
{
	const struct key *key = r->key;
	const char *text = r->word.text;
	struct complaint c;
	char hint[200];

	list_words(key, hint, sizeof(hint));
	complain(&c, 0, hint, "'%.*s' is not a value of %s=", shown(text, size), text, key->name);
	return reject(r, 0, &c);
}

/* What follows the colon, ended by NUL and kept; at `offset` of the word. */
static bool check_argument(struct reading *r, const char *text, size_t offset, mode_t *mode)
{
	struct complaint c;
	bool good = true;

	if (!text)
		return false;
	switch (r->key->argument) {
	case ARGUMENT_TMPFS:
		good = tmpfs_check(text, false, &c);
		break;
	case ARGUMENT_MODE:
		good = mode_parse(text, mode, &c);
		break;
	case ARGUMENT_HOST_NAME:
		good = host_name_check(text, false, &c);
		break;
	case ARGUMENT_NONE:
		break;
	}
	return good || reject(r, offset, &c);
}

static bool read_word(struct reading *r)
{
	const char *text = r->word.text;
	const char *colon = memchr(text, ':', r->word.size);
	size_t size = colon ? (size_t)(colon - text) : r->word.size;
	struct complaint c;

	r->a->word = (short)key_word(r->a->key, text, size);
	if (r->a->word < 0)
		return reject_word(r, size);
	if (!colon)
		return true;
	if (!(r->key->with_argument & 1u << r->a->word)) {
		complain(&c, size, "leave out the colon and what follows", "%s=%s takes nothing behind a colon",
			 r->key->name, r->key->words[r->a->word]);
		return reject(r, 0, &c);
	}
	r->a->text = keep(r->p, colon + 1, r->word.size - size - 1);
	if (!check_argument(r, r->a->text, size + 1, NULL))
		return false;
	if (r->key->argument == ARGUMENT_TMPFS || r->key->argument == ARGUMENT_HOST_NAME)
		r->p->policy->needs |= specifiers_need(r->a->text);
	return true;
}

/* The path at the beginning of the word. Kept, with the marks of escaped colons replaced. */
static const char *read_path(struct reading *r, size_t size)
{
	char *path = keep(r->p, r->word.text, size);
	struct complaint c;

	if (!path)
		return NULL;
	for (char *mark = path; (mark = strchr(mark, ESCAPED_COLON));)
		*mark = ':';
	if (!path_check(path, false, &c)) {
		reject(r, 0, &c);
		return NULL;
	}
	r->p->policy->needs |= specifiers_need(path);
	return path;
}

static bool read_entry(struct reading *r, struct entry *entry)
{
	const char *colon = memchr(r->word.text, ':', r->word.size);
	size_t size = colon ? (size_t)(colon - r->word.text) : r->word.size;

	*entry = (struct entry){.mode = 0700, .pos = reader_pos(&r->p->reader, r->word.raw)};
	entry->written_size = (unsigned)r->word.raw_size;
	entry->written = r->p->line.joined ? keep(r->p, r->word.raw, r->word.raw_size) : r->word.raw;
	entry->path = read_path(r, size);
	if (!entry->path || !colon)
		return entry->path;
	entry->options = keep(r->p, colon + 1, r->word.size - size - 1);
	if (!check_argument(r, entry->options, size + 1, &entry->mode))
		return false;
	r->p->policy->needs |= specifiers_need(entry->options);
	return true;
}

static size_t count_words(const char *value, const char *end)
{
	size_t n = 1;

	for (; value < end; value++)
		n += *value == ' ' || *value == '\t';
	return n;
}

static bool read_list(struct reading *r, const char *value, const char *end)
{
	struct entry *entries = pool_alloc(&r->p->policy->pool, count_words(value, end) * sizeof(*entries));
	const char *at = value;
	bool good = true;
	int more;

	if (!entries) {
		r->p->out_of_memory = true;
		return false;
	}
	r->a->entries = entries;
	while ((more = next_word(r, &at, end)) > 0) {
		if (read_entry(r, &entries[r->a->n_entries]))
			r->a->n_entries++;
		else
			good = false;
	}
	return good && !more;
}

/* Exactly one word. */
static bool read_single(struct reading *r, const char *value, const char *end)
{
	const char *at = value;
	struct word first;
	bool good;

	if (next_word(r, &at, end) <= 0)
		return false;
	good = r->key->type == TYPE_WORD ? read_word(r) : (r->a->text = read_path(r, r->word.size)) != NULL;
	first = r->word;
	if (!good || at == end)
		return good;
	if (next_word(r, &at, end) < 0)
		return false;
	if (r->word.raw != first.raw)
		return reject_value(r, r->word.raw,
				    "quote what has white space in it; comments go on lines of their own",
				    "takes one value");
	return true;
}

static bool read_value(struct reading *r, const char *value, const char *end)
{
	r->a->reset = value == end;
	if (r->a->reset)
		return true;
	switch (r->key->type) {
	case TYPE_WORD:
	case TYPE_PATH:
		return read_single(r, value, end);
	case TYPE_LIST:
		return read_list(r, value, end);
	case TYPE_TEXT:
		r->a->text = keep(r->p, value, (size_t)(end - value));
		return r->a->text;
	}
	return false;
}

/* What must be known of a rule before it applies. Not legible (wrong, or given twice) is the default. */
static void note(struct rule *rule, const struct assignment *a, bool legible)
{
	if (a->key == POLICY_TRIAL)
		rule->view.trial = legible && a->word == POLICY_YES;
	else if (a->key == POLICY_ISOLATE)
		rule->isolate_no = legible && !a->reset && a->word == POLICY_NO;
	else if (a->key == POLICY_DESCRIPTION)
		rule->view.description = legible ? a->text : NULL;
}

static bool check_repeated(struct reading *r)
{
	unsigned bit = 1u << r->a->key;
	bool again = r->key->type != TYPE_LIST && r->p->seen & bit;
	struct complaint c;

	r->p->seen |= bit;
	if (!again)
		return true;
	if (r->a->key == POLICY_TRIAL)
		parser_rule(r->p)->view.trial = false;
	complain(&c, 0, "say it once", "%s= is given twice in this section", r->key->name);
	parser_error(r->p, r->a->pos, &c);
	return false;
}

void assign(struct parser *p, enum policy_key key, struct policy_pos pos, const char *value, const char *end)
{
	struct rule *rule = parser_rule(p);
	struct assignment a = {.key = key, .rule = (unsigned)p->policy->n_rules - 1, .pos = pos, .written = value};
	struct reading r = {.p = p, .key = &policy_keys[key], .a = &a, .colons = policy_keys[key].type == TYPE_LIST};
	bool first = check_repeated(&r);
	bool good = read_value(&r, value, end);

	a.written_size = (unsigned)(end - value);
	if (p->line.joined)
		a.written = keep(p, value, a.written_size);
	rule->view.sets[key] = true;
	if (!first)
		return;
	note(rule, &a, good);
	if (!pool_grow(&p->assignments, &p->assignments_capacity, p->n_assignments, sizeof(a)))
		p->out_of_memory = true;
	else if (good)
		p->assignments[p->n_assignments++] = a;
}

void assignments_finish(struct parser *p)
{
	size_t size = p->n_assignments * sizeof(*p->assignments);
	struct rule *rule = parser_rule(p);
	struct assignment *assignments = pool_alloc(&p->policy->pool, size);

	if (!assignments) {
		p->out_of_memory = true;
		return;
	}
	if (size)
		memcpy(assignments, p->assignments, size);
	rule->assignments = assignments;
	rule->n_assignments = (unsigned)p->n_assignments;
	p->n_assignments = 0;
}
