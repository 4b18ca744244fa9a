/* SPDX-License-Identifier: BSD-3-Clause */
/* Where libpam's files are, and how their lines are put together. See pamd_files.h. */
#include "cmd/pamd_files.h"

#include "cmd/alloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The last is where openSUSE builds its libpam to look; elsewhere nothing is there. */
const char *const pamd_directories[PAMD_N_DIRECTORIES] = {"/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d"};

bool pamd_has_directory(const char *root)
{
	for (size_t i = 0; i < PAMD_N_DIRECTORIES; i++) {
		char *path = alloc_format("%s%s", root, pamd_directories[i]);
		struct stat st;
		bool found = stat(path, &st) == 0 && S_ISDIR(st.st_mode);

		free(path);
		if (found)
			return true;
	}
	return false;
}

static FILE *try(char *candidate, char **path, char **denied)
{
	FILE *stream = fopen(candidate, "re");

	if (stream) {
		*path = candidate;
		return stream;
	}
	if (errno == EACCES && !*denied)
		*denied = candidate;
	else
		free(candidate);
	return NULL;
}

FILE *pamd_open(const char *root, const char *name, char **path, char **denied)
{
	FILE *stream = NULL;

	*path = *denied = NULL;
	if (*name == '/')
		return try(alloc_format("%s%s", root, name), path, denied);
	for (size_t i = 0; !stream && !*denied && i < PAMD_N_DIRECTORIES; i++)
		stream = try(alloc_format("%s%s/%s", root, pamd_directories[i], name), path, denied);
	return stream;
}

/* What counts of one physical line: from the first that is no blank, up to a '#'. */
static char *trim(char *line, bool *commented)
{
	char *start = line + strspn(line, " \n\t"), *hash = strchr(start, '#');

	*commented = hash != NULL;
	if (hash)
		*hash = '\0';
	return start;
}

/* A backslash that is the last but blanks joins the next line, unless a comment stood behind it. */
static bool goes_on(char *text, bool commented)
{
	size_t n = strlen(text);

	while (n > 0 && strchr(" \n\t", text[n - 1]))
		n--;
	if (commented || n == 0 || text[n - 1] != '\\')
		return false;
	text[n - 1] = ' ';
	text[n] = '\0';
	return true;
}

int pamd_line_next(FILE *stream, struct pamd_line *line)
{
	char *physical = NULL, *joined = alloc_copy("");
	size_t size = 0;
	bool more = false;
	ssize_t got;

	free(line->text);
	line->text = NULL;
	while ((got = getline(&physical, &size, stream)) >= 0) {
		bool commented;
		char *start = trim(physical, &commented), *longer;

		line->lines++;
		if (!*start)
			continue;
		if (!more)
			line->number = line->lines;
		more = goes_on(start, commented);
		longer = alloc_format("%s%s", joined, start);
		free(joined);
		joined = longer;
		if (!more)
			break;
	}
	free(physical);
	line->text = joined;
	if (got < 0)
		return more || ferror(stream) ? -1 : 0;
	return 1;
}
