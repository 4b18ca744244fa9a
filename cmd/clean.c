/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nsclone clean: remove what killed sessions left. What may be removed is decided by registry_clean(); this finds the
 * places to look in and shows what was done. Only for root: the places are root's.
 */
#include "cmd/cmd.h"
#include "cmd/roots.h"
#include "cmd/table.h"
#include "lib/session/login.h"
#include "lib/session/registry.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH, UID, STATE, WHY, N_COLUMNS };

static const struct table_column COLUMNS[] = {
	[PATH] = {"PATH", TABLE_TEXT, false, false},
	[UID] = {"UID", TABLE_NUMBER, false, false},
	[STATE] = {"STATE", TABLE_TEXT, false, false},
	[WHY] = {"WHY", TABLE_TEXT, true, false},
};

struct clean {
	struct table *table;
	bool dry_run;
	bool failed;
};

static void report(void *arg, const char *path, uid_t uid, int result, const char *why)
{
	struct clean *clean = arg;
	char number[24], reason[256];
	const char *cells[N_COLUMNS] = {path, number, clean->dry_run ? "would be removed" : "removed", why};

	snprintf(number, sizeof(number), "%u", (unsigned)uid);
	if (result < 0) {
		clean->failed = true;
		snprintf(reason, sizeof(reason), "%s%s%s", why ? why : "", why ? ": " : "", strerror(-result));
		cells[STATE] = "failed";
		cells[WHY] = reason;
	}
	table_row(clean->table, cells);
}

/* A policy that cannot be read must not keep the default place dirty. */
static void find_roots(const char *directory, struct alloc_list *roots)
{
	const struct files_request request = {.directory = directory, .trusted_uid = getuid()};
	const struct policy_text *texts;
	struct policy *policy = NULL;
	struct files *files = NULL;
	struct err err = {0};
	int r = files_read(&request, &files, &err);

	if (r == 0) {
		size_t n = files_texts(files, &texts);

		r = policy_load(texts, n, &policy);
	}
	if (r == 0) {
		roots_of_policy(policy, roots);
	} else {
		fprintf(stderr, "nsclone clean: %s; only " NSCLONE_STATE_DIR " is looked at\n",
			*err.text ? err.text : strerror(-r));
		alloc_list_add(roots, NSCLONE_STATE_DIR);
	}
	policy_free(policy);
	files_free(files);
}

static int clean_all(struct clean *clean, const char *directory)
{
	struct alloc_list roots = {0};
	struct err err = {0};
	int r;

	find_roots(directory, &roots);
	r = registry_clean((const char *const *)roots.items, roots.n, clean->dry_run, report, clean, &err);
	table_print(clean->table);
	if (r < 0)
		fprintf(stderr, "nsclone clean: %s\n", *err.text ? err.text : strerror(-r));
	alloc_list_done(&roots);
	return r < 0 || clean->failed ? CMD_NO : CMD_YES;
}

int cmd_clean(int argc, char **argv)
{
	struct table_options table_options = {0};
	struct clean clean = {0};
	const char *directory = NULL, *unknown;
	char columns[128];
	struct options options = {
	    .words = "",
	    .about = "Remove what sessions left that were killed before they could tidy up.",
	    .more = table_help(COLUMNS, N_COLUMNS, columns, sizeof(columns)),
	};
	int r;

	options_add(&options, (struct options_row){"dry-run", 0, NULL, "say what would be removed, and remove nothing",
						   &clean.dry_run, NULL});
	options_add(&options, (struct options_row){"policy", 'p', "DIR", "look for InstanceRoot= in the policy in DIR",
						   NULL, &directory});
	table_add_options(&options, &table_options);
	r = options_parse(&options, argc, argv);
	if (r != OPTIONS_GO_ON)
		return r;
	if (optind != argc)
		return options_usage(&options, argv[0], "no words are wanted");
	clean.table = table_new("litter", COLUMNS, N_COLUMNS, &table_options, &unknown);
	if (!clean.table)
		return options_usage(&options, argv[0], "no column is called \"%s\"", unknown);
	if (geteuid() == 0) {
		r = clean_all(&clean, directory);
	} else {
		fputs("nsclone clean: only root can see what is there\n", stderr);
		r = CMD_UNKNOWN;
	}
	table_free(clean.table);
	return r;
}
