// SPDX-License-Identifier: BSD-3-Clause
/*
 * nsclone sys ns: a process's namespaces, and what ioctl_ns(2) says of them.
 *
 * It refuses to guess: a cell that cannot be found out is empty.
 */
#include "cmd/sys.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cmd/cmd.h"
#include "cmd/table.h"
#include "lib/core/sys.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct table_column ns_columns[] = {
	{"TYPE", TABLE_TEXT, false, false},	    {"INODE", TABLE_NUMBER, false, false},
	{"USERNS", TABLE_NUMBER, false, false}, {"PARENT", TABLE_NUMBER, false, false},
	{"OWNER", TABLE_NUMBER, false, false},
};

/* The inode number that a namespace is known by; fd is closed. "" where there is none. */
static const char *inode(int fd, char *buffer, size_t size)
{
	struct stat st;

	buffer[0] = '\0';
	if (fd >= 0 && sys_fstat(fd, &st) == 0)
		snprintf(buffer, size, "%llu", (unsigned long long)st.st_ino);
	sys_close_p(&fd);
	return buffer;
}

static void ns_row(struct table *table, int fd)
{
	char self[24], userns[24], parent[24], owner[24] = "";
	int type = nsclone_ns_get_nstype(fd);
	uid_t uid;

	if (type == (int)NSCLONE_NEWUSER && nsclone_ns_get_owner_uid(fd, &uid) == 0)
		snprintf(owner, sizeof(owner), "%u", uid);
	const char *cells[] = {nsclone_ns_name(type), inode(dup(fd), self, sizeof(self)),
			       inode(nsclone_ns_get_userns(fd), userns, sizeof(userns)),
			       inode(nsclone_ns_get_parent(fd), parent, sizeof(parent)), owner};

	table_row(table, cells);
}

static int ns_all(const char *name, struct table *table, pid_t pid)
{
	const struct nsclone_flag *flag;
	int r = CMD_YES;

	for (size_t i = 0; (flag = nsclone_flag_at(i)); i++) {
		cleanup_fd int fd = -1;

		if (!(flag->calls & 1U << NSCLONE_CALL_SETNS))
			continue;
		fd = nsclone_ns_open(pid, (int)flag->value);
		if (fd >= 0)
			ns_row(table, fd);
		else if (fd != -ENOENT || flag->value == NSCLONE_NEWNS)
			r = sys_say(name, nsclone_ns_name((int)flag->value), fd, NULL) ? CMD_UNKNOWN : r;
	}
	return r;
}

int cmd_sys_ns(int argc, char **argv)
{
	const char *pid = NULL, *unknown;
	struct table_options shape = {0};
	struct options options = {
		.words = "",
		.about = "The namespaces of a process by their inode numbers: the user namespace that owns each, its parent,\n"
			 "and who made it (user namespaces). What lies outside one's own namespaces cannot be seen.",
		.rows = {{"pid", 'p', "PID", "of process PID, not of this one", NULL, &pid}},
		.n = 1,
	};
	struct table *table;
	uint64_t number = 0;
	int r;

	table_add_options(&options, &shape);
	r = options_parse(&options, argc, argv);
	if (r != OPTIONS_GO_ON)
		return r;
	if (optind < argc)
		return options_usage(&options, argv[0], "%s is a word too many", argv[optind]);
	r = pid ? sys_take_number(&options, argv[0], pid, INT32_MAX, &number) : 0;
	if (r != 0)
		return r;
	table = table_new("namespaces", ns_columns, COUNT(ns_columns), &shape, &unknown);
	if (!table)
		return options_usage(&options, argv[0], "there is no column %s", unknown);
	r = ns_all(argv[0], table, (pid_t)number);
	table_print(table);
	table_free(table);
	return r;
}
