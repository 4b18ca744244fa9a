/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of a subcommand as a table. See options.h. */
#include "cmd/options.h"

#include "cmd/cmd.h"
#include <assert.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>

/* getopt's val for rows: above every letter. */
enum { ROW = 256, HELP = ROW + OPTIONS_MAX };

void options_add(struct options *options, struct options_row row)
{
	assert(options->n < OPTIONS_MAX);
	options->rows[options->n++] = row;
}

int options_usage(const struct options *options, const char *name, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "nsclone %s: ", name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\nTry 'nsclone %s --help'.\n", name);
	return options->usage_status ? options->usage_status : CMD_USAGE;
}

static void print_row(const struct options_row *row)
{
	char left[64];

	snprintf(left, sizeof(left), "%c%c%s--%s%s%s", row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
		 row->letter ? ", " : "  ", row->name, row->argument ? " " : "", row->argument ? row->argument : "");
	printf("  %-26s %s\n", left, row->help);
}

static int print_help(const struct options *options, const char *name)
{
	static const struct options_row help = {.name = "help", .letter = 'h', .help = "print this and exit"};

	printf("usage: nsclone %s [options]%s%s\n\n%s\n\n", name, *options->words ? " " : "", options->words,
	       options->about);
	for (size_t i = 0; i < options->n; i++)
		print_row(&options->rows[i]);
	print_row(&help);
	if (options->more)
		printf("\n%s\n", options->more);
	return CMD_YES;
}

/* The table in getopt_long's two shapes. */
static void translate(const struct options *options, struct option *longs, char *letters)
{
	*letters++ = ':'; /* tells a missing argument from an unknown option */
	*letters++ = 'h';
	for (size_t i = 0; i < options->n; i++) {
		const struct options_row *row = &options->rows[i];

		longs[i] =
		    (struct option){row->name, row->argument ? required_argument : no_argument, NULL, ROW + (int)i};
		if (row->letter)
			*letters++ = row->letter;
		if (row->letter && row->argument)
			*letters++ = ':';
	}
	longs[options->n] = (struct option){"help", no_argument, NULL, HELP};
	longs[options->n + 1] = (struct option){0};
	*letters = '\0';
}

static const struct options_row *find(const struct options *options, int val)
{
	if (val >= ROW)
		return &options->rows[val - ROW];
	for (size_t i = 0; i < options->n; i++)
		if (options->rows[i].letter == val)
			return &options->rows[i];
	return NULL;
}

static void take(const struct options_row *row)
{
	if (row->flag)
		*row->flag = true;
	else
		*row->text = optarg;
}

int options_parse(const struct options *options, int argc, char **argv)
{
	struct option longs[OPTIONS_MAX + 2];
	char letters[2 * OPTIONS_MAX + 3];
	int c;

	translate(options, longs, letters);
	opterr = 0;
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (c == 'h' || c == HELP)
			return print_help(options, argv[0]);
		if (c == ':')
			return options_usage(options, argv[0], "%s wants an argument", argv[optind - 1]);
		if (c == '?' && optopt && optopt < ROW)
			return options_usage(options, argv[0], "unknown option -%c", optopt);
		if (c == '?')
			return options_usage(options, argv[0], "unknown, ambiguous or misused option %s",
					     argv[optind - 1]);
		take(find(options, c));
	}
	return OPTIONS_GO_ON;
}
