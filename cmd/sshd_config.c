/* SPDX-License-Identifier: BSD-3-Clause */
/* sshd_config(5), as far as it matters here. See sshd_config.h. */
#include "cmd/sshd_config.h"

#include "cmd/alloc.h"
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SSHD_DIRECTORY "/etc/ssh"
#define SSHD_CONFIG    SSHD_DIRECTORY "/sshd_config"

enum { MAX_DEPTH = 16 };

struct search {
	const char *keyword;
	char *value;
	char *file;
	unsigned line;
	unsigned depth;
};

static void read_config(struct search *search, const char *path);

/* A word, or what stands in "..."; *p moves behind it. NULL at the end or before a comment. */
static char *next_word(char **p)
{
	char *from = *p + strspn(*p, " \t\r\n"), *end;

	if (!*from || *from == '#')
		return NULL;
	if (*from == '"') {
		from++;
		end = from + strcspn(from, "\"\n");
	} else {
		end = from + strcspn(from, " \t\r\n");
	}
	*p = *end ? end + 1 : end;
	*end = '\0';
	return from;
}

/* A keyword ends at blanks, at one '=', or at both. */
static char *next_keyword(char **p)
{
	char *from = *p + strspn(*p, " \t"), *end = from + strcspn(from, " \t\r\n="), *rest;

	if (!*from || *from == '#')
		return NULL;
	rest = end + strspn(end, " \t");
	*p = *rest == '=' || rest > end ? rest + (*rest == '=') : end;
	if (*p == end && *end)
		*p = end + 1;
	*end = '\0';
	return from;
}

static void include(struct search *search, const char *pattern)
{
	char *whole = *pattern == '/' ? alloc_copy(pattern) : alloc_format(SSHD_DIRECTORY "/%s", pattern);
	glob_t found;

	if (glob(whole, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc && !search->value; i++)
			read_config(search, found.gl_pathv[i]);
		globfree(&found);
	}
	free(whole);
}

/* Match blocks hold for some logins only, and last to the end of their file; "Match all" ends one. */
static void take_line(struct search *search, char *line, const char *path, unsigned number, bool *conditional)
{
	char *keyword = next_keyword(&line), *word = keyword ? next_word(&line) : NULL;

	if (!word)
		return;
	if (strcasecmp(keyword, "Match") == 0)
		*conditional = strcasecmp(word, "all") != 0;
	if (*conditional)
		return;
	if (strcasecmp(keyword, "Include") == 0) {
		for (; word && !search->value; word = next_word(&line))
			include(search, word);
	} else if (strcasecmp(keyword, search->keyword) == 0) {
		search->value = alloc_copy(word);
		search->file = alloc_copy(path);
		search->line = number;
	}
}

static void read_config(struct search *search, const char *path)
{
	bool conditional = false;
	char *line = NULL;
	size_t size = 0;
	FILE *stream;

	if (search->depth == MAX_DEPTH)
		return;
	stream = fopen(path, "re");
	if (!stream)
		return;
	search->depth++;
	for (unsigned number = 1; !search->value && getline(&line, &size, stream) >= 0; number++)
		take_line(search, line, path, number, &conditional);
	search->depth--;
	free(line);
	fclose(stream);
}

char *sshd_config_value(const char *keyword, char **file, unsigned *line)
{
	struct search search = {.keyword = keyword};

	read_config(&search, SSHD_CONFIG);
	if (line)
		*line = search.line;
	if (file)
		*file = search.file;
	else
		free(search.file);
	return search.value;
}

bool sshd_config_is(const char *keyword, const char *value)
{
	char *found = sshd_config_value(keyword, NULL, NULL);
	bool is = found && strcasecmp(found, value) == 0;

	free(found);
	return is;
}

int sshd_config_access(void)
{
	return access(SSHD_CONFIG, R_OK) < 0 ? -errno : 0;
}
