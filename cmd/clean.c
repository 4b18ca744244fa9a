/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nsclone clean: remove what killed sessions left, and what is kept for users who do not come back. What may be removed is
 * decided by lib/session/registry.h; this finds the places to look in and shows what was done. Only for root: the places
 * are root's.
 */
#include "cmd/age.h"
#include "cmd/cmd.h"
#include "cmd/held.h"
#include "cmd/roots.h"
#include "cmd/table.h"
#include "lib/session/login.h"
#include "lib/session/registry.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RECORD_TRIES = 25, RECORD_WAIT_US = 200000 };
enum { PATH, UID, STATE, WHY, N_COLUMNS };

static const struct table_column COLUMNS[] = {
	[PATH] = {"PATH", TABLE_TEXT, false, false},
	[UID] = {"UID", TABLE_NUMBER, false, false},
	[STATE] = {"STATE", TABLE_TEXT, false, false},
	[WHY] = {"WHY", TABLE_TEXT, true, false},
};

struct clean {
	struct table *table;
	int64_t age; /* seconds, -1: it does not matter */
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

static int complain(int r, const struct err *err)
{
	if (r < 0)
		fprintf(stderr, "nsclone clean: %s\n", *err->text ? err->text : strerror(-r));
	return r;
}

/* Whose directories are somebody's though he has no process: where that cannot be told, none is old enough. */
static int find_holders(uid_t **ret, size_t *n)
{
	struct held held;
	int r = held_read(&held);

	for (size_t i = 0; r == 0 && i < held.n; i++) {
		*ret = alloc_one_more(*ret, *n, sizeof(**ret));
		(*ret)[(*n)++] = held.worlds[i].about.uid;
	}
	held_done(&held);
	if (r == -ENOENT || r == -ECONNREFUSED)
		return 0; /* nobody holds anything */
	if (r < 0)
		fprintf(stderr, "nsclone clean: who is in a world is not known: %s\n", held_why(r));
	return r;
}

static int clean_old(struct clean *clean, const struct alloc_list *roots, struct err *err)
{
	struct registry_age age = {
	    .instance_roots = (const char *const *)roots->items, .n_roots = roots->n, .dry_run = clean->dry_run};
	uid_t *holders = NULL;
	int r = find_holders(&holders, &age.n_holders);

	age.holders = holders;
	age.before = (int64_t)time(NULL) - clean->age;
	if (r == 0)
		r = complain(registry_clean_aged(&age, report, clean, err), err);
	free(holders);
	return r;
}

static int clean_all(struct clean *clean, const char *directory)
{
	struct alloc_list roots = {0};
	struct err err = {0}, old_err = {0};
	int r, old = 0;

	find_roots(directory, &roots);
	r = registry_clean((const char *const *)roots.items, roots.n, clean->dry_run, report, clean, &err);
	if (clean->age >= 0)
		old = clean_old(clean, &roots, &old_err);
	table_print(clean->table);
	complain(r, &err);
	alloc_list_done(&roots);
	return r < 0 || old < 0 || clean->failed ? CMD_NO : CMD_YES;
}

/* The last mount of a world that ends may be about to go. */
static int clean_record(struct clean *clean, const char *name)
{
	struct err err = {0};
	int r = 1;

	for (int tries = 0; r > 0 && tries < RECORD_TRIES; tries++) {
		if (tries > 0)
			usleep(RECORD_WAIT_US);
		r = registry_clean_record(name, clean->dry_run, report, clean, &err);
	}
	table_print(clean->table);
	if (r > 0)
		fprintf(stderr, "nsclone clean: what %s is the record of is in use\n", name);
	complain(r, &err);
	return r == 0 ? CMD_YES : r == -EINVAL ? CMD_USAGE : CMD_NO;
}

static int clean(struct clean *clean, const char *directory, const char *record)
{
	if (geteuid() != 0) {
		fputs("nsclone clean: only root can see what is there\n", stderr);
		return CMD_UNKNOWN;
	}
	return record ? clean_record(clean, record) : clean_all(clean, directory);
}

int cmd_clean(int argc, char **argv)
{
	struct table_options table_options = {0};
	struct clean cleaning = {.age = -1};
	const char *directory = NULL, *record = NULL, *age = NULL, *unknown;
	char columns[128];
	struct options options = {
	    .words = "",
	    .about = "Remove what sessions left that were killed before they could tidy up.",
	    .more = table_help(COLUMNS, N_COLUMNS, columns, sizeof(columns)),
	};
	int r;

	options_add(&options, (struct options_row){"dry-run", 0, NULL, "say what would be removed, and remove nothing",
						   &cleaning.dry_run, NULL});
	options_add(&options, (struct options_row){"policy", 'p', "DIR", "look for InstanceRoot= in the policy in DIR",
						   NULL, &directory});
	options_add(&options, (struct options_row){"older-than", 0, "AGE", "also what is kept for users who are not here, untouched for 30d, 12h, 1y", NULL,
						   &age});
	options_add(&options, (struct options_row){"record", 0, "NAME", "only what this record is about: its world is gone",
						   NULL, &record});
	table_add_options(&options, &table_options);
	r = options_parse(&options, argc, argv);
	if (r != OPTIONS_GO_ON)
		return r;
	if (optind != argc)
		return options_usage(&options, argv[0], "no words are wanted");
	if (age && record)
		return options_usage(&options, argv[0], "--older-than and --record exclude each other");
	if (age && !age_parse(age, &cleaning.age))
		return options_usage(&options, argv[0], "%s is no age: numbers, each with s, min, h, d, w, month or y", age);
	cleaning.table = table_new("litter", COLUMNS, N_COLUMNS, &table_options, &unknown);
	if (!cleaning.table)
		return options_usage(&options, argv[0], "no column is called \"%s\"", unknown);
	r = clean(&cleaning, directory, record);
	table_free(cleaning.table);
	return r;
}
