/* SPDX-License-Identifier: BSD-3-Clause */
/* How `nsclone explain` words settings and verdicts. See explain.h. */
#include "cmd/explain.h"

#include "cmd/alloc.h"
#include <stdio.h>
#include <stdlib.h>

/* Replace text by a longer one. */
static char *longer(char *text, char *with)
{
	free(text);
	return with;
}

static char *list_value(enum policy_key key, const struct policy_setting *setting)
{
	char *text = alloc_copy("");

	for (size_t i = 0; i < setting->n_items; i++) {
		const struct policy_item *item = &setting->items[i];
		const char *comma = i ? " " : "";

		if (key == POLICY_PRIVATE_DIRECTORY)
			text = longer(text, alloc_format("%s%s%s:%04o", text, comma, item->path, (unsigned)item->mode));
		else if (item->options)
			text = longer(text, alloc_format("%s%s%s:%s", text, comma, item->path, item->options));
		else
			text = longer(text, alloc_format("%s%s%s", text, comma, item->path));
	}
	return text;
}

char *explain_value(enum policy_key key, const struct policy_setting *setting)
{
	const char *word = policy_word(key, setting->word);

	if (setting->items || key == POLICY_PRIVATE_DIRECTORY || key == POLICY_TEMPORARY_FILE_SYSTEM)
		return list_value(key, setting);
	if (word && setting->text)
		return alloc_format("%s:%s", word, setting->text);
	return alloc_copy(word ? word : setting->text ? setting->text : "");
}

static char *overridden(const struct policy_setting *setting)
{
	char *text = alloc_copy("");

	for (size_t i = 0; i < setting->n_overridden; i++) {
		const struct policy_overridden *old = &setting->overridden[i];

		text = longer(
		    text, alloc_format("%s%s%s (%s:%u)", text, i ? ", " : "", old->text, old->pos.file, old->pos.line));
	}
	return text;
}

void explain_settings(struct table *table, const char *service, const struct policy_result *result, bool all)
{
	for (int key = 0; key < POLICY_N_KEYS; key++) {
		const struct policy_setting *setting = &result->settings[key];
		char *value, *source, *overrode;
		const char *cells[EXPLAIN_N_COLUMNS];

		/* Of rules, not of logins: explain_rules() has them. */
		if (key == POLICY_TRIAL || key == POLICY_DESCRIPTION || (!setting->set && !all))
			continue;
		value = explain_value((enum policy_key)key, setting);
		source =
		    setting->set ? alloc_format("%s:%u", setting->pos.file, setting->pos.line) : alloc_copy("default");
		overrode = overridden(setting);
		cells[EXPLAIN_SERVICE] = service;
		cells[EXPLAIN_SETTING] = policy_key_name((enum policy_key)key);
		cells[EXPLAIN_VALUE] = value;
		cells[EXPLAIN_SOURCE] = source;
		cells[EXPLAIN_OVERRODE] = *overrode ? overrode : NULL;
		table_row(table, cells);
		free(value);
		free(source);
		free(overrode);
	}
}

void explain_scope(const struct login *login)
{
	const struct policy_setting *scope = &login->result.settings[POLICY_SCOPE];
	unsigned char key[POLICY_FINGERPRINT_SIZE];

	if (scope->word == POLICY_SCOPE_SESSION)
		puts("\nworld: this login's own (Scope=session)");
	else if (policy_fingerprint(&login->result, key) == 0)
		printf("\nworld: shared by all logins of %s with these same settings (Scope=user), here %02x%02x%02x%02x;\n"
		       "  a setting that is changed means a new world for the logins from then on\n",
		       login->subject->policy.user, key[0], key[1], key[2], key[3]);
}

static void print_rule(const struct policy_rule_view *rule, const char *what)
{
	printf("  %s:%u%s%s%s: %s\n", rule->pos.file, rule->pos.line, rule->description ? " (" : "",
	       rule->description ? rule->description : "", rule->description ? ")" : "", what);
}

static char *verdict_in_words(const struct policy_verdict *verdict, const struct policy_rule_view *rule,
			      const struct policy_setting *isolate)
{
	const char *key = policy_match_key_name(verdict->key);

	if (verdict->trial)
		return alloc_copy("fits, but says Trial=yes: only tried");
	if (verdict->applies)
		return alloc_copy(rule->broken ? "applies, and has an error" : "applies");
	if (verdict->after_isolate_no)
		return alloc_format("not asked: Isolate=no (%s:%u) is final", isolate->pos.file, isolate->pos.line);
	if (verdict->pattern)
		return alloc_format("does not apply: %s= (%s:%u): %s fits", key, verdict->pos.file, verdict->pos.line,
				    verdict->pattern);
	return alloc_format("does not apply: %s= (%s:%u): no pattern fits", key, verdict->pos.file, verdict->pos.line);
}

void explain_rules(const struct login *login)
{
	const struct policy_result *result = &login->result;
	size_t n = policy_n_rules(login->policy);

	if (n == 0 || !result->verdicts)
		return;
	puts("\nrules:");
	for (size_t i = 0; i < n; i++) {
		const struct policy_rule_view *rule = policy_rule(login->policy, i);
		char *words = verdict_in_words(&result->verdicts[i], rule, &result->settings[POLICY_ISOLATE]);

		print_rule(rule, words);
		free(words);
	}
	if (result->trial_error.message)
		printf("a rule with Trial=yes has an error: %s (%s:%u)\n", result->trial_error.message,
		       result->trial_error.pos.file, result->trial_error.pos.line);
}
