/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options of a subcommand as a table: getopt_long's structures, --help and where the values go all come from it, so
 * that what --help says is what is taken.
 */
#ifndef NSCLONE_CMD_OPTIONS_H
#define NSCLONE_CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct options_row {
	const char *name;     /* without the dashes */
	char letter;	      /* or 0 */
	const char *argument; /* what --help calls it; NULL: a flag */
	const char *help;
	bool *flag; /* exactly one of these two takes the value */
	const char **text;
};

enum { OPTIONS_MAX = 24, OPTIONS_GO_ON = -1 };

struct options {
	const char *words; /* what follows the options in the usage line */
	const char *about; /* one or more sentences */
	const char *more;  /* after the options, or NULL */
	int usage_status;  /* of a call whose words are off; 0 stands for CMD_USAGE */
	struct options_row rows[OPTIONS_MAX];
	size_t n;
};

void options_add(struct options *options, struct options_row row);

/*
 * Take the options out of argv, whose words then begin at optind. Returns OPTIONS_GO_ON, or the exit status: --help was
 * given (and answered), or the call is off (and that was said).
 */
int options_parse(const struct options *options, int argc, char **argv);

/* "nsclone NAME: what is off", and where help is. Returns the exit status. */
int options_usage(const struct options *options, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
