/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nsclone, the administrator's command: a table of subcommands, and nothing but the way to them. What they print about
 * a login comes from the functions that the PAM module calls (lib/session), so it is what the login does.
 */
#include "lib/core/nsclone.h"
#include "cmd/cmd.h"
#include <err.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

static const struct command {
	const char *name;
	int (*function)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"check", cmd_check, "find what is wrong with the policy and with this host"},
	{"explain", cmd_explain, "say what a user's login gets, and which line of the policy says so"},
	{"plan", cmd_plan, "print the steps that a login would take"},
	{"run", cmd_run, "run a command in just what a login would get"},
	{"list", cmd_list, "show who is in which world"},
	{"enter", cmd_enter, "run a command in a user's world, or on the host"},
	{"end", cmd_end, "kill what runs in a user's worlds"},
	{"compare", cmd_compare, "say what two processes share"},
	{"features", cmd_features, "say what this kernel and this sandbox allow"},
	{"clean", cmd_clean, "remove what killed sessions left, and what nobody comes back to"},
	{"sys", cmd_sys, "the syscall core by hand"},
};

static int usage(FILE *stream, int status)
{
	fputs("usage: nsclone COMMAND [options] ...\n       nsclone --help | --version\n\n", stream);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(stream, "  %-10s %s\n", commands[i].name, commands[i].help);
	fputs("\n'nsclone COMMAND --help' says more; so does nsclone(8).\n", stream);
	return status;
}

static int dispatch(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr, CMD_USAGE);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return usage(stdout, CMD_YES);
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		puts("nsclone " NSCLONE_VERSION);
		return CMD_YES;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, argv[1]) == 0)
			return commands[i].function(argc - 1, argv + 1);
	warnx("no such command: %s", argv[1]);
	return usage(stderr, CMD_USAGE);
}

int main(int argc, char **argv)
{
	int status;

	setlocale(LC_ALL, ""); /* NOLINT(concurrency-mt-unsafe): there is one thread */
	status = dispatch(argc, argv);
	/* A full disk behind `nsclone check >report` must not look like a clean report. */
	if (fflush(stdout) || ferror(stdout)) {
		warn("standard output");
		return CMD_UNKNOWN;
	}
	return status;
}
