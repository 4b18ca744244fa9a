/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tables and JSON by libsmartcols, with the options that lsns and findmnt have taught people: -J -r -n -o [+]LIST.
 */
#ifndef NSCLONE_CMD_TABLE_H
#define NSCLONE_CMD_TABLE_H

#include "cmd/options.h"
#include <stdbool.h>
#include <stddef.h>

enum table_type { TABLE_TEXT, TABLE_NUMBER, TABLE_BOOLEAN };

struct table_column {
	const char *name;
	enum table_type type;
	bool wrap;   /* long text: wrapped on a terminal */
	bool hidden; /* only with -o */
};

struct table_options {
	bool json;
	bool noheadings;
	bool raw;
	const char *list;
};

struct table;

/* --json, --noheadings, --raw, --output */
void table_add_options(struct options *options, struct table_options *table);

/* True where any of them was given: a command that speaks prose by default then prints its table. */
bool table_asked_for(const struct table_options *options);

/*
 * name is the key in JSON. Returns NULL where -o names a column that is not there: *unknown is it, the caller's words
 * are off.
 */
struct table *table_new(const char *name, const struct table_column *columns, size_t n,
			const struct table_options *options, const char **unknown);

/* Is column i (of those given to table_new()) shown? What is not need not be found out. */
bool table_shows(const struct table *table, size_t i);

/* One cell for each of the columns given to table_new(), shown or not; NULL is an empty cell. Copied. */
void table_row(struct table *table, const char *const *cells);

/* To stdout. */
void table_print(struct table *table);
void table_free(struct table *table);

/* "The columns are A, B and C." for --help: into buffer. */
const char *table_help(const struct table_column *columns, size_t n, char *buffer, size_t size);

#endif
