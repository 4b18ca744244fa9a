/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nsclone explain: what a login gets and why. Every setting in effect with the line that set it and what it overrode;
 * every rule that does not apply with the first of its keys that failed. It decides nothing itself: login_decide()
 * does, as in a login, and is asked for its verdicts.
 */
#include "cmd/explain.h"

#include "cmd/cmd.h"
#include "cmd/pamd.h"
#include "cmd/request.h"
#include "cmd/table.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const struct table_column COLUMNS[] = {
	[EXPLAIN_SERVICE] = {"SERVICE", TABLE_TEXT, false, false},
	[EXPLAIN_SETTING] = {"SETTING", TABLE_TEXT, false, false},
	[EXPLAIN_VALUE] = {"VALUE", TABLE_TEXT, true, false},
	[EXPLAIN_SOURCE] = {"SOURCE", TABLE_TEXT, false, false},
	[EXPLAIN_OVERRODE] = {"OVERRODE", TABLE_TEXT, true, false},
};

struct explain {
	struct request_options request;
	struct table_options table;
	bool all;
};

static struct table *new_table(const struct explain *explain)
{
	struct table_column columns[EXPLAIN_N_COLUMNS];
	const char *unknown;
	struct table *table;

	/* A block says its service above its table; one table of all services has to say it in every row. */
	memcpy(columns, COLUMNS, sizeof(columns));
	columns[EXPLAIN_SERVICE].hidden = !table_asked_for(&explain->table);
	table = table_new("settings", columns, EXPLAIN_N_COLUMNS, &explain->table, &unknown);
	if (!table)
		fprintf(stderr, "nsclone explain: no column is called \"%s\"\n", unknown);
	return table;
}

/* Prose around a table of one login. */
static int explain_in_words(const struct explain *explain, struct login *login, const struct request *request, int r,
			    const struct err *err)
{
	char buffer[1500];
	struct table *table;

	printf("%s by %s: %s\n", request->login.items.user, request->login.items.service,
	       request_outcome(r, login, err, buffer, sizeof(buffer)));
	if (r < 0)
		return 0;
	if (r == 0 || explain->all) {
		table = new_table(explain);
		if (!table)
			return -1;
		putchar('\n');
		explain_settings(table, request->login.items.service, &login->result, explain->all);
		table_print(table);
		table_free(table);
	}
	if (r == 0)
		explain_scope(login);
	explain_rules(login);
	return 0;
}

/* One service. With a table, only rows into it; without, the block that people read. */
static int explain_service(const struct explain *explain, const char *user, const char *service, struct table *table)
{
	struct login login = {0};
	struct request request;
	struct err err = {0};
	char buffer[1500];
	int r, status;

	request_fill(&explain->request, user, service, &request);
	request.login.resolve_flags = POLICY_VERDICTS;
	r = login_decide(&request.login, &login, &err);
	status = request_status(r);
	if (r >= 0)
		request_notes(&request, &login);
	if (table && r == 0)
		explain_settings(table, service, &login.result, explain->all);
	else if (table)
		fprintf(stderr, "nsclone explain: %s by %s: %s\n", user, service,
			request_outcome(r, &login, &err, buffer, sizeof(buffer)));
	else if (explain_in_words(explain, &login, &request, r, &err) < 0)
		status = CMD_USAGE;
	login_done(&login);
	request_done(&request);
	return status;
}

static void services_of(const struct explain *explain, struct alloc_list *ret)
{
	if (explain->request.service) {
		alloc_list_add(ret, explain->request.service);
		return;
	}
	pamd_services_with_module("", ret);
	if (ret->n == 0)
		alloc_list_add(ret, REQUEST_DEFAULT_SERVICE);
}

static int explain_user(struct explain *explain, const char *user)
{
	bool as_table = table_asked_for(&explain->table);
	struct alloc_list services = {0};
	struct table *table = NULL;
	int worst = CMD_YES;

	if (as_table) {
		table = new_table(explain);
		if (!table)
			return CMD_USAGE;
	}
	services_of(explain, &services);
	for (size_t i = 0; i < services.n; i++) {
		int status = explain_service(explain, user, services.items[i], table);

		worst = status > worst ? status : worst;
		if (!table && i + 1 < services.n)
			putchar('\n');
	}
	if (table)
		table_print(table);
	table_free(table);
	alloc_list_done(&services);
	return worst;
}

int cmd_explain(int argc, char **argv)
{
	struct explain explain = {0};
	char columns[128];
	struct options options = {
	    .words = "USER",
	    .about =
		"Say what a login of USER gets: every setting in effect, the line that set it and what it overrode;\n"
		"and every rule that does not apply, with the first of its keys that failed.",
	    .more = table_help(COLUMNS, EXPLAIN_N_COLUMNS, columns, sizeof(columns)),
	};
	int r;

	request_add_options(&options, &explain.request);
	options_add(&options,
		    (struct options_row){"all", 'a', NULL, "settings that no rule mentions, too", &explain.all, NULL});
	table_add_options(&options, &explain.table);
	r = options_parse(&options, argc, argv);
	if (r != OPTIONS_GO_ON)
		return r;
	if (optind + 1 != argc)
		return options_usage(&options, argv[0], "one USER is wanted");
	return explain_user(&explain, argv[optind]);
}
