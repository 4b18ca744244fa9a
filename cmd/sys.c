// SPDX-License-Identifier: BSD-3-Clause
/*
 * nsclone sys: the syscall core by hand, one subcommand for each function of libnsclone(3).
 *
 * It refuses to do anything that is not asked for, but for one: a new mount namespace is made a slave of the old one,
 * as what is mounted in it would appear on the host otherwise.
 */
#include "cmd/sys.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cmd/cmd.h"

static const struct {
	const char *name;
	const char *full; /* as options.h wants it in argv[0] */
	int (*function)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"unshare", "sys unshare", cmd_sys_unshare, "leave namespaces, and run a command"},
	{"clone", "sys clone", cmd_sys_clone, "run a function or a command in a child made with these flags"},
	{"setns", "sys setns", cmd_sys_setns, "join namespaces, and run a command"},
	{"pivot-root", "sys pivot-root", cmd_sys_pivot_root, "run a command with another root"},
	{"kcmp", "sys kcmp", cmd_sys_kcmp, "do two processes share a thing?"},
	{"ns", "sys ns", cmd_sys_ns, "a process's namespaces, their owners and parents"},
	{"loopback", "sys loopback", cmd_sys_loopback, "lo up; an interface's flags"},
	{"flags", "sys flags", cmd_sys_flags, "the flags of clone(2): their names, who takes them, and why not"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

int sys_say(const char *name, const char *what, int code, const char *reason)
{
	bool known = reason && *reason;

	fprintf(stderr, "nsclone %s: %s: %s%s%s%s\n", name, what, strerror(-code), known ? " (" : "",
		known ? reason : "", known ? ")" : "");
	return CMD_NO;
}

int sys_say_error(const char *name, int code, const struct nsclone_error *error)
{
	char what[300];

	snprintf(what, sizeof(what), "%s%s%s", error->call, error->object[0] ? " " : "", error->object);
	return sys_say(name, what, code, error->reason);
}

int sys_take_flags(const struct options *options, const char *name, const char *text, uint64_t *ret)
{
	struct nsclone_error error;
	int r = nsclone_flags_parse(text, ret, &error);

	return r < 0 ? options_usage(options, name, "%s: %s", error.object, error.reason) : 0;
}

int sys_take_number(const struct options *options, const char *name, const char *text, uint64_t max, uint64_t *ret)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value > max)
		return options_usage(options, name, "%s is no number from 0 to %llu", text, (unsigned long long)max);
	*ret = value;
	return 0;
}

int sys_exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int execute(void *command)
{
	char **argv = command;
	int code;

	execvp(argv[0], argv);
	code = errno;
	fprintf(stderr, "nsclone: %s: %s\n", argv[0], strerror(code));
	return code == ENOENT ? 127 : 126;
}

int sys_execute(const char *name, char **command, bool fork)
{
	struct nsclone_clone_args args = {.flags = SIGCHLD};
	struct nsclone_child child;
	struct nsclone_error error;
	int r, status;

	if (!command[0])
		return CMD_YES;
	if (!fork)
		return execute(command);
	r = nsclone_clone(execute, command, &args, &child, &error);
	if (r < 0)
		return sys_say_error(name, r, &error);
	r = nsclone_wait(&child, 0, &status);
	return r < 0 ? sys_say(name, "wait", r, NULL) : sys_exit_status(status);
}

static int print_help(FILE *file, int status)
{
	fputs("usage: nsclone sys COMMAND [options]...\n\n"
	      "The system calls that nsclone is made of, by hand. `nsclone sys COMMAND --help` says more.\n\n",
	      file);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(file, "  %-12s %s\n", commands[i].name, commands[i].help);
	return status;
}

static int call(size_t i, int argc, char **argv)
{
	char full[32], *name = argv[0];
	int r;

	snprintf(full, sizeof(full), "%s", commands[i].full);
	argv[0] = full;
	optind = 0; /* getopt(3) begins anew */
	r = commands[i].function(argc, argv);
	argv[0] = name;
	return r;
}

int cmd_sys(int argc, char **argv)
{
	if (argc < 2)
		return print_help(stderr, CMD_USAGE);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return print_help(stdout, CMD_YES);
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return call(i, argc - 1, argv + 1);
	fprintf(stderr, "nsclone sys: no command %s\n", argv[1]);
	return print_help(stderr, CMD_USAGE);
}
