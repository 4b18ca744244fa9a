/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * [Match]: the patterns of a rule, gathered key by key (a key that is given again adds) and laid out, when the section
 * ends, so that matching runs over arrays.
 */
#include "lib/policy/parser.h"
#include "lib/policy/patterns.h"
#include "lib/policy/words.h"
#include <errno.h>
#include <string.h>

static void add_draft(struct parser *p, enum policy_match_key key, const struct word *word)
{
	struct policy_pos pos = reader_pos(&p->reader, word->raw);
	char *text = pool_copy(&p->policy->pool, word->text, word->size);
	struct complaint c;
	struct draft *draft;
	int r;

	if (!text || !pool_grow(&p->drafts, &p->drafts_capacity, p->n_drafts, sizeof(*p->drafts))) {
		p->out_of_memory = true;
		return;
	}
	draft = &p->drafts[p->n_drafts];
	draft->key = key;
	draft->pattern = (struct policy_pattern){text, pos};
	r = pattern_parse(&p->policy->pool, key, text, &draft->test, &c);
	if (r == -ENOMEM)
		p->out_of_memory = true;
	else if (r)
		parser_error(p, reader_pos(&p->reader, words_place(word, c.offset, false)), &c);
	else
		p->n_drafts++;
	if (!r && c.message[0])
		parser_warning(p, pos, &c);
}

void conditions_add(struct parser *p, enum policy_match_key key, struct policy_pos pos, const char *value,
		    const char *end)
{
	const char *at = value, *before = value;
	struct complaint c;
	struct word word;
	int r;

	if (!(p->given & 1u << key)) {
		p->given |= 1u << key;
		p->key_pos[key] = pos;
		p->key_order[p->n_keys++] = key;
	}
	while ((r = words_next(&p->policy->pool, &at, end, false, &word, &c)) > 0) {
		add_draft(p, key, &word);
		before = at;
	}
	if (r == WORDS_BAD)
		parser_error(p, reader_pos(&p->reader, before + c.offset), &c);
	else if (r == -ENOMEM)
		p->out_of_memory = true;
	else if (at == value) {
		complain(&c, 0,
			 key == POLICY_MATCH_USER ? "say User=* for everybody" : "leave the key out, or say * for any",
			 "%s= with nothing behind it", policy_match_key_name(key));
		parser_error(p, reader_pos(&p->reader, value), &c);
	}
}

/* The patterns of one key, copied behind each other. Returns how many. */
static unsigned lay_out(const struct parser *p, enum policy_match_key key, struct policy_pattern *patterns,
			struct test *tests)
{
	unsigned n = 0;

	for (size_t i = 0; i < p->n_drafts; i++) {
		if (p->drafts[i].key != key)
			continue;
		patterns[n] = p->drafts[i].pattern;
		tests[n++] = p->drafts[i].test;
	}
	return n;
}

void conditions_finish(struct parser *p)
{
	struct rule *rule = parser_rule(p);
	struct pool **pool = &p->policy->pool;
	struct policy_pattern *patterns = pool_alloc(pool, p->n_drafts * sizeof(*patterns));
	struct test *tests = pool_alloc(pool, p->n_drafts * sizeof(*tests));
	struct condition *conditions = pool_alloc(pool, p->n_keys * sizeof(*conditions));

	if (!patterns || !tests || !conditions) {
		p->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < p->n_keys; i++) {
		enum policy_match_key key = p->key_order[i];
		unsigned n = lay_out(p, key, patterns, tests);

		conditions[i] = (struct condition){key, n, p->key_pos[key], patterns, tests};
		rule->view.patterns[key] = patterns;
		rule->view.n_patterns[key] = n;
		if (key == POLICY_MATCH_HOST)
			p->policy->needs |= POLICY_NEED_HOST;
		patterns += n;
		tests += n;
	}
	rule->conditions = conditions;
	rule->n_conditions = (unsigned)p->n_keys;
	p->n_drafts = p->n_keys = 0;
	p->given = 0;
}
