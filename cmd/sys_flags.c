// SPDX-License-Identifier: BSD-3-Clause
/*
 * nsclone sys flags: the flags of clone(2) as a table, as words, as numbers, and who takes them.
 *
 * It refuses to try a call: what it says is what nsclone_flags_explain() says after an EINVAL.
 */
#include "cmd/sys.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cmd/cmd.h"
#include "cmd/table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct table_column flag_columns[] = {
	{"NAME", TABLE_TEXT, false, false},	  {"VALUE", TABLE_TEXT, false, false},	 {"CALLS", TABLE_TEXT, false, false},
	{"KERNEL", TABLE_TEXT, false, false}, {"IMPLIES", TABLE_TEXT, false, false}, {"MEANING", TABLE_TEXT, true, false},
};

static const char *const calls[] = {
	[NSCLONE_CALL_CLONE] = "clone",
	[NSCLONE_CALL_CLONE3] = "clone3",
	[NSCLONE_CALL_UNSHARE] = "unshare",
	[NSCLONE_CALL_SETNS] = "setns",
};

static void flag_row(struct table *table, const struct nsclone_flag *flag)
{
	char value[24], taken[64] = "", kernel[16] = "", implies[400] = "";
	const char *cells[] = {flag->name, value, taken, kernel, implies, flag->meaning};

	snprintf(value, sizeof(value), "0x%llx", (unsigned long long)flag->value);
	for (size_t i = 0; i < COUNT(calls); i++)
		if (flag->calls & 1U << i)
			snprintf(taken + strlen(taken), sizeof(taken) - strlen(taken), "%s%s", taken[0] ? " " : "",
				 calls[i]);
	if (flag->kernel)
		snprintf(kernel, sizeof(kernel), "%u.%u", flag->kernel >> 8, flag->kernel & 0xff);
	if (flag->implies)
		nsclone_flags_text(flag->implies, implies, sizeof(implies));
	table_row(table, cells);
}

static int flags_table(const struct options *options, const char *name, const struct table_options *shape)
{
	const struct nsclone_flag *flag;
	const char *unknown;
	struct table *table = table_new("flags", flag_columns, COUNT(flag_columns), shape, &unknown);

	if (!table)
		return options_usage(options, name, "there is no column %s", unknown);
	for (size_t i = 0; (flag = nsclone_flag_at(i)); i++)
		flag_row(table, flag);
	table_print(table);
	table_free(table);
	return CMD_YES;
}

/* What the words mean, and for a call: can they go there? */
static int flags_one(const struct options *options, const char *name, const char *word, int call)
{
	char text[400], implied[400], reason[256] = "";
	uint64_t flags;
	int r = sys_take_flags(options, name, word, &flags);

	if (r != 0)
		return r;
	nsclone_flags_text(flags, text, sizeof(text));
	nsclone_flags_text(nsclone_flags_implied(flags), implied, sizeof(implied));
	printf("0x%llx %s\n", (unsigned long long)flags, text);
	if (strcmp(text, implied) != 0)
		printf("in unshare: %s\n", implied);
	if (call < 0)
		return CMD_YES;
	r = nsclone_flags_explain((enum nsclone_call)call, flags, reason, sizeof(reason));
	if (reason[0])
		printf("%s: %s%s\n", calls[call], r ? "no: " : "perhaps not: ", reason);
	return r ? CMD_NO : CMD_YES;
}

int cmd_sys_flags(int argc, char **argv)
{
	const char *call = NULL;
	struct table_options shape = {0};
	struct options options = {
		.words = "[FLAGS...]",
		.about = "All flags of clone(2), clone3(2), unshare(2) and setns(2); or what FLAGS (names, signals, "
			 "numbers) mean.",
		.rows = {{"call", 'c', "CALL", "can FLAGS go to clone, clone3, unshare, setns? Exit status 1: no", NULL,
		      &call}},
		.n = 1,
	};
	int chosen = -1, r, worst = CMD_YES;

	table_add_options(&options, &shape);
	r = options_parse(&options, argc, argv);
	if (r != OPTIONS_GO_ON)
		return r;
	for (int i = 0; call && i < (int)COUNT(calls); i++)
		if (strcmp(call, calls[i]) == 0)
			chosen = i;
	if (call && chosen < 0)
		return options_usage(&options, argv[0], "%s is none of clone, clone3, unshare, setns", call);
	if (optind >= argc)
		return flags_table(&options, argv[0], &shape);
	for (; optind < argc && worst != CMD_USAGE; optind++) {
		r = flags_one(&options, argv[0], argv[optind], chosen);
		worst = r > worst ? r : worst;
	}
	return worst;
}
