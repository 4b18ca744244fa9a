/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nsclone compare: what two processes share. Namespaces by the inode numbers in /proc/PID/ns, which are the same for one
 * and the same as long as both live; the rest by kcmp(2). What cannot be found out is said to be unknown, never taken for
 * not shared.
 */
#include "cmd/cmd.h"
#include "cmd/table.h"
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHAT, SHARED, FIRST, SECOND, WHY, N_COLUMNS };

static const struct table_column COLUMNS[] = {
	[WHAT] = {"WHAT", TABLE_TEXT, false, false},	 [SHARED] = {"SHARED", TABLE_TEXT, false, false},
	[FIRST] = {"FIRST", TABLE_NUMBER, false, false}, [SECOND] = {"SECOND", TABLE_NUMBER, false, false},
	[WHY] = {"WHY", TABLE_TEXT, true, false},
};

/* Two processes, each also by its directory, which is nobody else's even when the number is used again. */
struct pair {
	pid_t pids[2];
	int directories[2];
	struct table *table;
	int worst;
};

static const char *why_not(int r)
{
	if (r == -EPERM || r == -EACCES)
		return "only who may trace both processes can see it";
	return r == -ENOENT || r == -ESRCH ? "a process has ended" : strerror(-r);
}

/* shared: 1, 0 or a negative errno */
static void say(struct pair *pair, const char *what, int shared, const char *first, const char *second, const char *why)
{
	static const char *const words[] = {"no", "yes"};
	const char *cells[N_COLUMNS] = {what, shared < 0 ? "unknown" : words[shared], first, second, why};

	if (shared < 0) {
		cells[WHY] = why_not(shared);
		pair->worst = CMD_UNKNOWN;
	}
	if (shared == 0 && pair->worst == CMD_YES)
		pair->worst = CMD_NO;
	table_row(pair->table, cells);
}

/* The number in "mnt:[4026531841]"; NULL where it is not of that form. */
static const char *number(char *text)
{
	char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;

	if (!close)
		return NULL;
	*close = '\0';
	return open + 1;
}

static bool kernel_has(const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	return sys_fstatat(AT_FDCWD, path, &st) == 0;
}

static void compare_namespace(struct pair *pair, const char *name)
{
	char path[40], texts[2][64];
	const char *numbers[2] = {NULL, NULL};
	int r = 0;

	snprintf(path, sizeof(path), "ns/%s", name);
	for (int i = 0; i < 2; i++) {
		ssize_t n = sys_readlinkat(pair->directories[i], path, texts[i], sizeof(texts[i]));

		numbers[i] = n < 0 ? NULL : number(texts[i]);
		if (n < 0)
			r = (int)n;
	}
	if (r == -ENOENT && !kernel_has(name)) {
		say(pair, name, 1, NULL, NULL, "this kernel has none of that kind");
		return;
	}
	if (r == 0 && (!numbers[0] || !numbers[1]))
		r = -EPROTO;
	say(pair, name, r < 0 ? r : strcmp(numbers[0], numbers[1]) == 0, numbers[0], numbers[1], NULL);
}

static void compare_resource(struct pair *pair, const char *what, enum nsclone_kcmp_type type, const char *if_shared)
{
	int r = nsclone_kcmp(pair->pids[0], pair->pids[1], type, 0, 0);

	say(pair, what, r < 0 ? r : r == NSCLONE_KCMP_EQUAL, NULL, NULL, r == NSCLONE_KCMP_EQUAL ? if_shared : NULL);
}

static void compare_all(struct pair *pair)
{
	static const char *const namespaces[] = {"mnt", "ipc",		     "uts",    "net",  "pid", "pid_for_children",
						 "cgroup", "user", "time"};
	static const char none[] = "or neither has one";

	for (size_t i = 0; i < sizeof(namespaces) / sizeof(*namespaces); i++)
		compare_namespace(pair, namespaces[i]);
	compare_resource(pair, "memory", NSCLONE_KCMP_VM, NULL);
	compare_resource(pair, "files", NSCLONE_KCMP_FILES, NULL);
	compare_resource(pair, "fs", NSCLONE_KCMP_FS, NULL);
	compare_resource(pair, "signal handlers", NSCLONE_KCMP_SIGHAND, NULL);
	compare_resource(pair, "I/O context", NSCLONE_KCMP_IO, none);
	compare_resource(pair, "SysV undo", NSCLONE_KCMP_SYSVSEM, none);
}

static int open_process(struct pair *pair, int i, const char *word)
{
	char path[40], *end;
	unsigned long pid;

	errno = 0;
	pid = strtoul(word, &end, 10);
	if (*word < '1' || *word > '9' || *end || errno || pid > INT32_MAX)
		return -EINVAL;
	snprintf(path, sizeof(path), "/proc/%lu", pid);
	pair->pids[i] = (pid_t)pid;
	return pair->directories[i] = sys_open(path, O_PATH | O_DIRECTORY);
}

static int compare(const struct options *options, const char *name, struct pair *pair, char **words)
{
	for (int i = 0; i < 2; i++) {
		int r = open_process(pair, i, words[i]);

		if (r == -EINVAL)
			return options_usage(options, name, "%s is no process id", words[i]);
		if (r < 0) {
			fprintf(stderr, "nsclone compare: %s: %s\n", words[i],
				r == -ENOENT ? "there is no such process" : strerror(-r));
			return CMD_UNKNOWN;
		}
	}
	compare_all(pair);
	table_print(pair->table);
	return pair->worst;
}

int cmd_compare(int argc, char **argv)
{
	struct table_options table_options = {0};
	struct pair pair = {.directories = {-1, -1}};
	char columns[128];
	struct options options = {
	    .words = "PID PID",
	    .about = "Say what two processes share: every namespace, and what kcmp(2) compares.",
	    .more = table_help(COLUMNS, N_COLUMNS, columns, sizeof(columns)),
	};
	const char *unknown;
	int r;

	table_add_options(&options, &table_options);
	r = options_parse(&options, argc, argv);
	if (r != OPTIONS_GO_ON)
		return r;
	if (optind + 2 != argc)
		return options_usage(&options, argv[0], "two PIDs are wanted");
	pair.table = table_new("compared", COLUMNS, N_COLUMNS, &table_options, &unknown);
	if (!pair.table)
		return options_usage(&options, argv[0], "no column is called \"%s\"", unknown);
	r = compare(&options, argv[0], &pair, argv + optind);
	for (int i = 0; i < 2; i++)
		sys_close_p(&pair.directories[i]);
	table_free(pair.table);
	return r;
}
