/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading mountinfo without libmount, which is too dear for a login daemon. A read error is never end of file.
 */
#include "lib/session/mountinfo.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/sys.h"

enum { CHUNK = 65536, LIMIT = 256 * 1024 * 1024 };

int mountinfo_read(int dirfd, const char *path, char **ret)
{
	cleanup_fd int fd = sys_openat(dirfd, path, O_RDONLY);
	char *text = NULL;
	size_t used = 0;
	ssize_t n = fd;

	while (n >= 0 && used < LIMIT) {
		char *more = realloc(text, used + CHUNK + 1);

		if (!more) {
			n = -ENOMEM;
			break;
		}
		text = more;
		n = sys_read(fd, text + used, CHUNK);
		if (n == 0) {
			text[used] = '\0';
			*ret = text;
			return 0;
		}
		used += n > 0 ? (size_t)n : 0;
	}
	free(text);
	return n < 0 ? (int)n : -EFBIG;
}

static bool is_octal(const char *s)
{
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' && s[2] <= '7';
}

/* \040 and the like, in place. */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (*s == '\\' && is_octal(s + 1)) {
			*to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

/* The fifth field of a line, which is cut off behind it. NULL: the line is not one of mountinfo. */
static char *mount_point(char *line)
{
	for (int field = 1; field < 5 && line; field++) {
		line = strchr(line, ' ');
		line += line != NULL;
	}
	if (line)
		line[strcspn(line, " ")] = '\0';
	return line && *line == '/' ? line : NULL;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; (text = strchr(text, '\n')); text++)
		n++;
	return n;
}

static int take_points(struct arena **arena, char *text, const char ***ret, size_t *n_ret)
{
	const char **points = arena_alloc(arena, (count_lines(text) + 1) * sizeof(*points));
	size_t n = 0;

	if (!points)
		return -ENOMEM;
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		char *point;

		*end = '\0';
		point = mount_point(line);
		if (!point)
			return -EBADMSG;
		unescape(point);
		points[n] = arena_strdup(arena, point);
		if (!points[n++])
			return -ENOMEM;
	}
	*ret = points;
	*n_ret = n;
	return 0;
}

int mountinfo_points(struct arena **arena, const char ***ret, size_t *n_ret)
{
	char *text;
	int r = mountinfo_read(AT_FDCWD, "/proc/self/mountinfo", &text);

	if (r < 0)
		return r;
	r = take_points(arena, text, ret, n_ret);
	free(text);
	return r;
}

bool mountinfo_has_root(const char *table, const char *needle)
{
	for (const char *found = strstr(table, needle); found; found = strstr(found + 1, needle)) {
		int fields = 0;

		for (const char *s = found; s > table && s[-1] != '\n'; s--)
			fields += s[-1] == ' ';
		if (fields == 3)
			return true;
	}
	return false;
}

/* By name since kernel 5.8, before by number. */
static int hidepid_value(const char *value)
{
	static const struct {
		const char *word;
		int value;
	} VALUES[] = {{"noaccess", 1}, {"invisible", 2}, {"ptraceable", 4}, {"1", 1}, {"2", 2}, {"4", 4}};

	for (size_t i = 0; i < sizeof(VALUES) / sizeof(*VALUES); i++)
		if (strncmp(value, VALUES[i].word, strlen(VALUES[i].word)) == 0)
			return VALUES[i].value;
	return 0;
}

int mountinfo_hidepid(const char *table)
{
	static const char OPTION[] = "hidepid=";
	int last = 0;

	/* the mount on top is the last one of that mount point */
	for (const char *line = strstr(table, " /proc "); line; line = strstr(line + 1, " /proc ")) {
		const char *end = strchrnul(line, '\n'), *type = strstr(line, " - proc "), *option;

		if (!type || type > end)
			continue;
		option = strstr(type, OPTION);
		last = option && option < end ? hidepid_value(option + strlen(OPTION)) : 0;
	}
	return last;
}

bool mountinfo_is_below(const char *path, const char *directory)
{
	size_t n = strlen(directory);

	return strncmp(path, directory, n) == 0 && (path[n] == '\0' || path[n] == '/');
}
