/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nsclone features: what this kernel and this sandbox allow, each with the setting that needs it. It tries (feature.h)
 * and reports; what a policy needs of it is the business of `nsclone check`.
 */
#include "cmd/cmd.h"
#include "cmd/feature.h"
#include "cmd/table.h"
#include <getopt.h>
#include <stdio.h>

enum { NAME, STATE, SINCE, USED_BY, DETAIL, N_COLUMNS };

static const struct table_column COLUMNS[] = {
	[NAME] = {"FEATURE", TABLE_TEXT, false, false}, [STATE] = {"STATE", TABLE_TEXT, false, false},
	[SINCE] = {"SINCE", TABLE_TEXT, false, false},  [USED_BY] = {"USED-BY", TABLE_TEXT, true, false},
	[DETAIL] = {"DETAIL", TABLE_TEXT, true, false},
};

/* What is missing and needed counts most, then what nobody could see. */
static int weigh(const struct feature *feature, enum feature_state state, int worst)
{
	if (state == FEATURE_NO && feature->keys && !feature->without)
		return CMD_NO;
	if (state == FEATURE_UNSEEN && worst == CMD_YES)
		return CMD_UNKNOWN;
	return worst;
}

static int add_row(struct table *table, const struct feature *feature, int worst)
{
	static const char *const words[] = {"yes", "no", "unseen"};
	char reason[600], detail[700];
	enum feature_state state = feature_try(feature, reason, sizeof(reason));
	const char *cells[N_COLUMNS] = {feature->name, words[state], feature->since, feature->used_by, reason};

	if (state == FEATURE_NO && feature->without) {
		snprintf(detail, sizeof(detail), "%s; instead: %s", reason, feature->without);
		cells[DETAIL] = detail;
	}
	table_row(table, cells);
	return weigh(feature, state, worst);
}

int cmd_features(int argc, char **argv)
{
	struct table_options table_options = {0};
	char columns[128];
	struct options options = {
	    .words = "",
	    .about = "Say what this kernel and this sandbox allow, by trying it in a child that is thrown away. Some "
		     "things\n"
		     "only root can try.",
	    .more = table_help(COLUMNS, N_COLUMNS, columns, sizeof(columns)),
	};
	const char *unknown;
	struct table *table;
	int r, worst = CMD_YES;

	table_add_options(&options, &table_options);
	r = options_parse(&options, argc, argv);
	if (r != OPTIONS_GO_ON)
		return r;
	if (optind != argc)
		return options_usage(&options, argv[0], "no words are wanted");
	table = table_new("features", COLUMNS, N_COLUMNS, &table_options, &unknown);
	if (!table)
		return options_usage(&options, argv[0], "no column is called \"%s\"", unknown);
	for (size_t i = 0; i < n_features; i++)
		worst = add_row(table, &features[i], worst);
	table_print(table);
	table_free(table);
	return worst;
}
