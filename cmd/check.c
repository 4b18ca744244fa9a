/* SPDX-License-Identifier: BSD-3-Clause */
/* nsclone check: options, findings, and the order in which things are looked at. See check.h. */
#include "cmd/check.h"

#include "cmd/cmd.h"
#include <err.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SEVERITY, FILENAME, LINE, COLUMN, MESSAGE, HINT, N_COLUMNS };

static const struct table_column COLUMNS[] = {
	[SEVERITY] = {"SEVERITY", TABLE_TEXT, false, false}, [FILENAME] = {"FILE", TABLE_TEXT, false, false},
	[LINE] = {"LINE", TABLE_NUMBER, false, false},	 [COLUMN] = {"COLUMN", TABLE_NUMBER, false, false},
	[MESSAGE] = {"MESSAGE", TABLE_TEXT, true, false},	 [HINT] = {"HINT", TABLE_TEXT, true, false},
};

static const char *const SEVERITIES[] = {"error", "warning", "unseen"};

struct asked {
	const char *policy;
	bool strict;
	bool no_host;
	struct table_options table;
};

static void print_line(enum check_severity severity, struct policy_pos pos, const char *message, const char *hint)
{
	printf("%s", pos.file ? pos.file : "host");
	if (pos.line)
		printf(":%u", pos.line);
	if (pos.line && pos.column)
		printf(":%u", pos.column);
	printf(": %s: %s%s%s%s\n", SEVERITIES[severity], message, hint ? " (" : "", hint ? hint : "", hint ? ")" : "");
}

static void add_row(struct table *table, enum check_severity severity, struct policy_pos pos, const char *message,
		    const char *hint)
{
	char line[16], column[16];
	const char *cells[N_COLUMNS] = {SEVERITIES[severity], pos.file, NULL, NULL, message, hint};

	snprintf(line, sizeof(line), "%u", pos.line);
	snprintf(column, sizeof(column), "%u", pos.column);
	if (pos.line)
		cells[LINE] = line;
	if (pos.line && pos.column)
		cells[COLUMN] = column;
	table_row(table, cells);
}

static bool is_said(struct check *check, enum check_severity severity, struct policy_pos pos, const char *message)
{
	char *whole = alloc_format("%s:%u:%u:%d:%s", pos.file ? pos.file : "", pos.line, pos.column, severity, message);
	bool said = alloc_list_has(&check->said, whole);

	if (!said)
		alloc_list_add(&check->said, whole);
	free(whole);
	return said;
}

void check_say(struct check *check, enum check_severity severity, struct policy_pos pos, const char *hint,
	       const char *format, ...)
{
	char *message = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&message, format, arguments) < 0)
		errx(CMD_UNKNOWN, "out of memory");
	va_end(arguments);
	if (!is_said(check, severity, pos, message)) {
		check->count[severity]++;
		if (check->table)
			add_row(check->table, severity, pos, message, hint);
		else
			print_line(severity, pos, message, hint);
	}
	free(message);
}

struct policy_pos check_at(const char *file, unsigned line)
{
	return (struct policy_pos){file, line, 0};
}

bool check_has_service(const struct check *check, const char *name)
{
	return alloc_list_has(&check->services, name);
}

static void say_diags(struct check *check)
{
	const struct policy_diag *diags;
	size_t n = policy_diags(check->policy, &diags);

	for (size_t i = 0; i < n; i++)
		check_say(check, diags[i].severity == POLICY_ERROR ? CHECK_ERROR : CHECK_WARNING, diags[i].pos,
			  diags[i].hint, "%s", diags[i].message);
}

static void say_ignored(struct check *check)
{
	const char *const *ignored;
	size_t n = files_ignored(check->files, &ignored);

	for (size_t i = 0; i < n; i++)
		check_say(check, CHECK_WARNING, check_at(ignored[i], 0), "rename or remove it",
			  "is not read: its name does not end in .conf");
}

/* In order of what can go wrong in asking: text, files, other programs' files, and last what may never answer. */
static void look(struct check *check, bool no_host)
{
	say_diags(check);
	say_ignored(check);
	check_policy(check);
	if (no_host)
		return;
	pamd_services("", &check->services);
	check_policy_here(check);
	check_kernel(check);
	check_places(check);
	check_keeper(check);
	check_pamd(check);
	check_rescue(check);
	if (!check->table)
		fflush(stdout);
	check_names(check);
}

static void summarise(const struct check *check)
{
	const size_t *count = check->count;
	size_t rules = policy_n_rules(check->policy);

	if (check->table) {
		table_print(check->table);
		return;
	}
	printf("%zu %s, %zu %s, %zu %s", rules, rules == 1 ? "rule" : "rules", count[CHECK_ERROR],
	       count[CHECK_ERROR] == 1 ? "error" : "errors", count[CHECK_WARNING],
	       count[CHECK_WARNING] == 1 ? "warning" : "warnings");
	if (count[CHECK_UNSEEN])
		printf(", %zu unseen", count[CHECK_UNSEEN]);
	putchar('\n');
}

static int load(struct check *check, const struct asked *asked, char **replacements, size_t n, struct files **files,
		struct policy **policy)
{
	const struct files_request request = {
	    .directory = asked->policy,
	    .replacements = (const char *const *)replacements,
	    .n_replacements = n,
	    .trusted_uid = getuid(),
	};
	const struct policy_text *texts;
	struct err err = {0};
	int r = files_read(&request, files, &err);

	if (r == 0) {
		n = files_texts(*files, &texts);
		r = policy_load(texts, n, policy);
	}
	if (r < 0) {
		fprintf(stderr, "nsclone check: %s\n", *err.text ? err.text : strerror(-r));
		return r;
	}
	check->directory = asked->policy;
	check->files = *files;
	check->policy = *policy;
	for (size_t i = 0; i < policy_n_rules(*policy); i++)
		check->keys |= check_keys_of(*policy, i);
	return 0;
}

static int check_all(struct check *check, const struct asked *asked, char **replacements, size_t n)
{
	struct policy *policy = NULL;
	struct files *files = NULL;
	int status = CMD_UNKNOWN;

	if (load(check, asked, replacements, n, &files, &policy) == 0) {
		look(check, asked->no_host);
		summarise(check);
		status = check->count[CHECK_ERROR] || (asked->strict && check->count[CHECK_WARNING]) ? CMD_NO : CMD_YES;
	}
	policy_free(policy);
	files_free(files);
	alloc_list_done(&check->services);
	alloc_list_done(&check->doors);
	alloc_list_done(&check->rescued);
	alloc_list_done(&check->said);
	return status;
}

static int missing_file(char **files, int n)
{
	for (int i = 0; i < n; i++) {
		if (access(files[i], F_OK) == 0)
			continue;
		perror(files[i]);
		return CMD_UNKNOWN;
	}
	return CMD_YES;
}

int cmd_check(int argc, char **argv)
{
	struct asked asked = {0};
	struct check check = {0};
	char columns[128];
	struct options options = {
	    .words = "[FILE ...]",
	    .about = "Find what is wrong with the policy and, for it, with this host: every error in one go. A FILE is "
		     "read\n"
		     "as if it stood in place of its namesake.",
	    .more = table_help(COLUMNS, N_COLUMNS, columns, sizeof(columns)),
	};
	const char *unknown;
	int r;

	options_add(&options, (struct options_row){"policy", 'p', "DIR", "read the policy from DIR, not from its place",
						   NULL, &asked.policy});
	options_add(&options, (struct options_row){"strict", 0, NULL, "warnings make the exit status 1, too",
						   &asked.strict, NULL});
	options_add(&options, (struct options_row){"no-host", 0, NULL, "look at the policy only, not at this host",
						   &asked.no_host, NULL});
	table_add_options(&options, &asked.table);
	r = options_parse(&options, argc, argv);
	if (r != OPTIONS_GO_ON)
		return r;
	if (table_asked_for(&asked.table)) {
		check.table = table_new("findings", COLUMNS, N_COLUMNS, &asked.table, &unknown);
		if (!check.table)
			return options_usage(&options, argv[0], "no column is called \"%s\"", unknown);
	}
	r = missing_file(argv + optind, argc - optind);
	if (r == CMD_YES)
		r = check_all(&check, &asked, argv + optind, (size_t)(argc - optind));
	table_free(check.table);
	return r;
}
