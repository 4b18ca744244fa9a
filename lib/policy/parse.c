/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy_load(): lines -> sections -> rules. This file decides what an error spoils, which is what fails closed and
 * what does not: within a [Session] (or [Network]) it is tied to the rule; anywhere else (a [Match] that may mean
 * others than it seems to, a heading that may have been meant for one) it is tied to none and refuses everybody.
 */
#include "lib/policy/parser.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void finish_section(struct parser *p)
{
	struct complaint c;

	if (p->section == SECTION_MATCH)
		conditions_finish(p);
	else if (p->section == SECTION_SESSION)
		assignments_finish(p);
	if (p->section_used)
		return;
	if (p->section == SECTION_MATCH) {
		complain(&c, 0, "say User=* to mean everybody", "a [Match] without keys");
		parser_error(p, p->section_pos, &c);
	} else if (p->section == SECTION_SESSION) {
		complain(&c, 0, "say what the login gets, or Isolate=no", "a [Session] without keys");
		parser_error(p, p->section_pos, &c);
	}
}

static void finish_rule(struct parser *p)
{
	struct complaint c;
	struct rule *rule = parser_rule(p);

	if (rule && !p->has_session && !rule->unsound) {
		complain(&c, 0, "a [Session] section says what those get whom it fits",
			 "a [Match] without a [Session]");
		parser_global_error(p, rule->view.pos, &c);
	}
	p->in_rule = p->has_session = false;
}

static bool add_chunk(struct policy *policy)
{
	size_t n = policy->n_rules / RULES_PER_CHUNK;

	if (!pool_grow(&policy->chunks, &policy->chunks_capacity, n, sizeof(*policy->chunks)))
		return false;
	policy->chunks[n] = pool_alloc(&policy->pool, RULES_PER_CHUNK * sizeof(**policy->chunks));
	return policy->chunks[n];
}

static void begin_rule(struct parser *p, struct policy_pos pos)
{
	struct policy *policy = p->policy;

	finish_rule(p);
	if (policy->n_rules % RULES_PER_CHUNK == 0 && !add_chunk(policy)) {
		p->out_of_memory = true;
		return;
	}
	policy->n_rules++;
	p->in_rule = true;
	p->section = SECTION_MATCH;
	parser_rule(p)->view.pos = pos;
}

/* The rule that this section says something about is the one whose [Match] came last. */
static void begin_session(struct parser *p, struct policy_pos pos)
{
	struct complaint c;

	if (!p->in_rule)
		complain(&c, 0, "a [Match] section before it says whom it is about", "a [Session] without a [Match]");
	else if (p->has_session)
		complain(&c, 0, "begin another rule by [Match]", "a second [Session] of the same rule");
	if (!p->in_rule || p->has_session) {
		parser_global_error(p, pos, &c);
		return;
	}
	p->section = SECTION_SESSION;
	p->has_session = true;
	p->seen = 0;
}

static void begin_network(struct parser *p, struct policy_pos pos)
{
	struct complaint c;

	if (p->in_rule) {
		p->section = SECTION_NETWORK;
		complain(&c, 0, NULL, "the section [Network] is known, but not built yet");
	} else {
		complain(&c, 0, "a [Match] section before it says whom it is about", "a [Network] without a [Match]");
	}
	parser_error(p, pos, &c);
}

static void unknown_section(struct parser *p, struct policy_pos pos, const char *name, size_t size, const char *nearest)
{
	struct complaint c;
	const char *hint = !nearest			 ? "the sections are [Match] and [Session]"
			   : !strcmp(nearest, "Match")	 ? "did you mean [Match]?"
			   : !strcmp(nearest, "Session") ? "did you mean [Session]?"
							 : "did you mean [Network]?";

	complain(&c, 0, hint, "unknown section [%.*s]", shown(name, size), name);
	parser_global_error(p, pos, &c);
}

static void heading(struct parser *p)
{
	const char *text = p->line.text;
	size_t size = p->line.size;
	struct policy_pos pos = reader_pos(&p->reader, text);
	const char *nearest;
	struct complaint c;

	if (text[0] != '[' || text[size - 1] != ']') {
		complain(&c, 0, "a heading is a line of its own, as in [Match]", "'%.*s' is not a section heading",
			 shown(text, size), text);
		parser_global_error(p, pos, &c);
		return;
	}
	switch (section_find(text + 1, size - 2, &nearest)) {
	case SECTION_MATCH:
		begin_rule(p, pos);
		break;
	case SECTION_SESSION:
		begin_session(p, pos);
		break;
	case SECTION_NETWORK:
		begin_network(p, pos);
		break;
	case SECTION_NONE:
	case SECTION_UNKNOWN:
		unknown_section(p, pos, text + 1, size - 2, nearest);
		break;
	}
}

/* A heading, good or bad, ends the section before it. What follows a bad one is not read: it is nobody's. */
static void begin_section(struct parser *p)
{
	finish_section(p);
	p->section = SECTION_UNKNOWN;
	p->section_used = false;
	p->section_pos = p->line.faulty ? p->reader.fault_pos : reader_pos(&p->reader, p->line.text);
	if (p->line.faulty)
		parser_global_error(p, p->reader.fault_pos, &p->reader.fault);
	else
		heading(p);
}

static void bad_key(struct parser *p, struct policy_pos pos, const char *name, size_t size,
		    const struct key_found *found)
{
	struct complaint c, hint;

	switch (found->standing) {
	case KEY_UNBUILT:
		complain(&c, 0, NULL, "%.*s= is known, but not built yet", (int)size, name);
		break;
	case KEY_ELSEWHERE:
		complain(&hint, 0, NULL, "put it below [%s]", found->section);
		complain(&c, 0, hint.message, "%.*s= does not belong in this section", (int)size, name);
		break;
	case KEY_UNKNOWN:
		hint.message[0] = 0;
		if (found->nearest)
			complain(&hint, 0, NULL, "did you mean %s=?", found->nearest);
		complain(&c, 0, hint.message, "unknown key '%.*s'", shown(name, size), name);
		break;
	case KEY_HERE:
		return;
	}
	parser_error(p, pos, &c);
}

/* From *start, which is moved to the text behind the white space, to the end of the piece. */
static size_t trim_piece(const char **start, const char *end)
{
	while (*start < end && is_blank(**start))
		++*start;
	while (*start < end && is_blank(end[-1]))
		end--;
	return (size_t)(end - *start);
}

static bool is_heading(const char *text, size_t size)
{
	const char *nearest;

	return size > 2 && text[0] == '[' && text[size - 1] == ']' &&
	       section_find(text + 1, size - 2, &nearest) != SECTION_UNKNOWN;
}

static bool is_assignment(const char *text, size_t size)
{
	size_t n = 0;

	while (n < size && text[n] != '=' && !is_blank(text[n]))
		n++;
	return n < size && key_find(SECTION_NONE, text, n).standing == KEY_ELSEWHERE;
}

/*
 * A backslash too many at the end of a line would quietly make the next setting, or the next rule, a part of this
 * value: of a Description=, where anything goes, or of a list of patterns.
 */
static bool check_swallowed(struct parser *p)
{
	const struct reader *reader = &p->reader;
	struct complaint c;

	for (size_t i = 1; i < reader->n_pieces; i++) {
		bool last = i + 1 == reader->n_pieces;
		const char *start = reader->joined + reader->pieces[i].start;
		size_t size =
		    trim_piece(&start, reader->joined + (last ? reader->joined_size : reader->pieces[i + 1].start));
		bool swallows_heading = is_heading(start, size);

		if (!swallows_heading && !is_assignment(start, size))
			continue;
		complain(&c, 0, "remove the \\ at the end of the line before",
			 "'%.*s' is taken for a part of the line before", shown(start, size), start);
		(swallows_heading ? parser_global_error : parser_error)(p, reader_pos(reader, start), &c);
		return false;
	}
	return true;
}

static void key_and_value(struct parser *p, const char *equals)
{
	const char *name = p->line.text;
	const char *end = name + p->line.size;
	const char *value = equals + 1;
	size_t size = (size_t)(equals - name);
	struct policy_pos pos = reader_pos(&p->reader, name);
	struct key_found found;

	if (!check_swallowed(p))
		return;
	while (size && is_blank(name[size - 1]))
		size--;
	while (value < end && is_blank(*value))
		value++;
	found = key_find(p->section, name, size);
	if (found.standing != KEY_HERE)
		bad_key(p, pos, name, size, &found);
	else if (p->section == SECTION_MATCH)
		conditions_add(p, (enum policy_match_key)found.key, pos, value, end);
	else
		assign(p, (enum policy_key)found.key, pos, value, end);
}

/*
 * A line that was meant for a heading: Session], Match. Taken for a mistake of the rule before it, it would let a
 * whole rule vanish without harm to those whom that was about.
 */
static bool is_lost_heading(const struct parser *p, const char *equals)
{
	const char *text = p->line.text;
	size_t size = p->line.size;
	const char *nearest;

	if (p->line.faulty || !size || equals)
		return false;
	return text[size - 1] == ']' || section_find(text, size, &nearest) != SECTION_UNKNOWN || nearest;
}

static void read_line(struct parser *p, const char *equals)
{
	struct complaint c;

	p->section_used = true;
	if (p->line.faulty) {
		parser_error(p, p->reader.fault_pos, &p->reader.fault);
	} else if (p->section == SECTION_UNKNOWN) {
		return;
	} else if (!equals || equals == p->line.text) {
		complain(&c, 0, "lines are Key=value, [Section] or # comment", "'%.*s' is not an assignment",
			 shown(p->line.text, p->line.size), p->line.text);
		parser_error(p, reader_pos(&p->reader, p->line.text), &c);
	} else if (p->section == SECTION_NONE) {
		complain(&c, 0, "a rule begins with [Match]", "a key outside of a section");
		parser_error(p, reader_pos(&p->reader, p->line.text), &c);
	} else {
		key_and_value(p, equals);
	}
}

static void whole_file_error(struct parser *p, const struct policy_text *text, const char *message, const char *hint)
{
	struct complaint c;

	complain(&c, 0, hint, "%s", message);
	parser_global_error(p, (struct policy_pos){text->name, 1, 1}, &c);
}

static void read_text(struct parser *p, const struct policy_text *text)
{
	p->first_diag = p->policy->n_diags;
	p->section = SECTION_NONE;
	p->section_used = true;
	if (text->unreadable) {
		whole_file_error(p, text, text->unreadable, NULL);
		return;
	}
	if (text->size > TEXT_LARGEST_FILE) {
		whole_file_error(p, text, "the file is too large", "at most 4 MiB; split it");
		return;
	}
	reader_init(&p->reader, text->name, text->data, text->size);
	while (!p->out_of_memory && reader_next(&p->reader, &p->line)) {
		const char *equals = p->line.size ? memchr(p->line.text, '=', p->line.size) : NULL;

		if (p->line.heading || is_lost_heading(p, equals))
			begin_section(p);
		else
			read_line(p, equals);
	}
	if (!p->out_of_memory && !p->reader.out_of_memory) {
		finish_section(p);
		finish_rule(p);
	}
	p->out_of_memory |= p->reader.out_of_memory;
	reader_done(&p->reader);
}

int policy_load(const struct policy_text *texts, size_t n, struct policy **ret)
{
	struct parser p = {.policy = calloc(1, sizeof(*p.policy))};

	if (!p.policy)
		return -ENOMEM;
	for (size_t i = 0; i < n && !p.out_of_memory; i++)
		read_text(&p, &texts[i]);
	free(p.drafts);
	free(p.assignments);
	if (p.out_of_memory) {
		policy_free(p.policy);
		return -ENOMEM;
	}
	parser_tie_errors(p.policy);
	*ret = p.policy;
	return 0;
}
