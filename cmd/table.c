/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables and JSON by libsmartcols. See table.h. */
#include "cmd/table.h"

#include "cmd/alloc.h"
#include "cmd/cmd.h"
#include <err.h>
#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct table {
	struct libscols_table *scols;
	struct libscols_column **shown; /* by the caller's index; NULL: not shown */
	size_t n;
};

void table_add_options(struct options *options, struct table_options *table)
{
	options_add(options, (struct options_row){"json", 'J', NULL, "print JSON", &table->json, NULL});
	options_add(options, (struct options_row){"noheadings", 'n', NULL, "leave the table's head away",
						  &table->noheadings, NULL});
	options_add(options,
		    (struct options_row){"raw", 'r', NULL, "print fields separated by one blank", &table->raw, NULL});
	options_add(options, (struct options_row){"output", 'o', "LIST",
						  "print these columns; +LIST: these besides the usual ones", NULL,
						  &table->list});
}

bool table_asked_for(const struct table_options *options)
{
	return options->json || options->noheadings || options->raw || options->list;
}

static void add_column(struct table *table, const struct table_column *column, size_t i)
{
	static const int types[] = {SCOLS_JSON_STRING, SCOLS_JSON_NUMBER, SCOLS_JSON_BOOLEAN};
	int flags = (column->wrap ? SCOLS_FL_WRAP : 0) | (column->type == TABLE_NUMBER ? SCOLS_FL_RIGHT : 0);
	struct libscols_column *new;

	if (table->shown[i])
		return;
	new = scols_table_new_column(table->scols, column->name, 0, flags);
	if (!new || scols_column_set_json_type(new, types[column->type]) < 0)
		errx(CMD_UNKNOWN, "out of memory");
	table->shown[i] = new;
}

static bool add_named(struct table *table, const struct table_column *columns, const char *name)
{
	for (size_t i = 0; i < table->n; i++) {
		if (strcasecmp(columns[i].name, name) == 0) {
			add_column(table, &columns[i], i);
			return true;
		}
	}
	return false;
}

/* Returns the name that is no column, or NULL. It stays until the next call: the command has one such complaint. */
static const char *choose(struct table *table, const struct table_column *columns, const char *list)
{
	static char unknown[64];
	char *names, *rest, *name;

	*unknown = '\0';

	if (!list || *list == '+')
		for (size_t i = 0; i < table->n; i++)
			if (!columns[i].hidden)
				add_column(table, &columns[i], i);
	if (!list)
		return NULL;
	names = alloc_copy(*list == '+' ? list + 1 : list);
	rest = names;
	while ((name = strsep(&rest, ",")) && !*unknown)
		if (!add_named(table, columns, name))
			snprintf(unknown, sizeof(unknown), "%s", *name ? name : " ");
	free(names);
	return *unknown ? unknown : NULL;
}

struct table *table_new(const char *name, const struct table_column *columns, size_t n,
			const struct table_options *options, const char **unknown)
{
	struct table *table = alloc_zeroed(1, sizeof(*table));

	table->n = n;
	table->shown = alloc_zeroed(n, sizeof(*table->shown)); /* NOLINT(bugprone-sizeof-expression): of pointers */
	table->scols = scols_new_table();
	if (!table->scols || scols_table_set_name(table->scols, name) < 0)
		errx(CMD_UNKNOWN, "out of memory");
	scols_table_enable_json(table->scols, options->json);
	scols_table_enable_raw(table->scols, options->raw);
	scols_table_enable_noheadings(table->scols, options->noheadings);
	*unknown = choose(table, columns, options->list);
	if (!*unknown)
		return table;
	table_free(table);
	return NULL;
}

bool table_shows(const struct table *table, size_t i)
{
	return table->shown[i];
}

void table_row(struct table *table, const char *const *cells)
{
	struct libscols_line *line = scols_table_new_line(table->scols, NULL);

	if (!line)
		errx(CMD_UNKNOWN, "out of memory");
	for (size_t i = 0; i < table->n; i++)
		if (table->shown[i] && cells[i] && scols_line_set_column_data(line, table->shown[i], cells[i]) < 0)
			errx(CMD_UNKNOWN, "out of memory");
}

/* libsmartcols prints nothing at all for a table without lines, which is no JSON. */
void table_print(struct table *table)
{
	if (scols_table_is_json(table->scols) && scols_table_is_empty(table->scols))
		printf("{\n   \"%s\": []\n}\n", scols_table_get_name(table->scols));
	else if (!scols_table_is_empty(table->scols) && scols_print_table(table->scols) < 0)
		errx(CMD_UNKNOWN, "cannot print the table");
}

void table_free(struct table *table)
{
	if (!table)
		return;
	scols_unref_table(table->scols);
	free(table->shown);
	free(table);
}

const char *table_help(const struct table_column *columns, size_t n, char *buffer, size_t size)
{
	size_t used = (size_t)snprintf(buffer, size, "Columns for --output:");

	for (size_t i = 0; i < n && used < size; i++)
		used += (size_t)snprintf(buffer + used, size - used, " %s", columns[i].name);
	return buffer;
}
