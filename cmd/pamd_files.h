/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where libpam's files are, and how their lines are put together. Only for pamd.c and pamd_services.c; see pamd.h.
 */
#ifndef NSCLONE_CMD_PAMD_FILES_H
#define NSCLONE_CMD_PAMD_FILES_H

#include <stdbool.h>
#include <stdio.h>

/* The directories of service files, the first that has a name wins. */
enum { PAMD_N_DIRECTORIES = 3 };
extern const char *const pamd_directories[PAMD_N_DIRECTORIES];

/* True: pam.d is used, and /etc/pam.conf is not even looked at. */
bool pamd_has_directory(const char *root);

/*
 * The file of a service, or of an absolute path. *path is the caller's. *denied, the caller's too, is a file that we
 * may not read though libpam as root could.
 */
FILE *pamd_open(const char *root, const char *name, char **path, char **denied);

struct pamd_line {
	const char *file;
	unsigned number; /* of the first of the lines that were joined */
	unsigned lines;	 /* read so far */
	char *text;	 /* without comment; free() it in the end */
};

/* 1: a line that is not empty; 0: the end; -1: the file cannot be read, or ends where a line was to go on. */
int pamd_line_next(FILE *stream, struct pamd_line *line);

#endif
