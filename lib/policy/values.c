/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Paths, host names, modes, numbers. Only their form: whether a directory exists is no question of policy.
 */
#include "lib/policy/values.h"
#include <limits.h>
#include <string.h>

enum { LONGEST_HOST_NAME = 64, LONGEST_LABEL = 63 };

static bool check_component(const char *path, const char *name, size_t size, bool expanded, struct complaint *c)
{
	size_t offset = (size_t)(name - path);

	if (size == 2 && !memcmp(name, "..", 2))
		return complain(c, offset, NULL, "'..' in the path '%.*s'", shown(path, strlen(path)), path);
	if (size > NAME_MAX && (expanded || !memchr(name, '%', size)))
		return complain(c, offset, NULL, "a name of %zu bytes in the path; at most %d are possible", size,
				NAME_MAX);
	return true;
}

/* Absolute as it stands, or by the home directory that it begins with. */
static bool is_absolute(const char *path, bool expanded)
{
	return *path == '/' || (!expanded && path[0] == '%' && path[1] == 'h' && (!path[2] || path[2] == '/'));
}

bool path_check(const char *path, bool expanded, struct complaint *c)
{
	bool something = false;
	size_t n;

	if (!*path)
		return complain(c, 0, NULL, "an empty path");
	if (!is_absolute(path, expanded))
		return complain(c, 0, "begin it with / or with %h/", "not an absolute path: '%.*s'",
				shown(path, strlen(path)), path);
	if (!expanded && !specifiers_check(path, c))
		return false;
	for (const char *p = path; *p; p += n) {
		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (!check_component(path, p, n, expanded, c))
			return false;
		something |= n && !(n == 1 && *p == '.');
	}
	if (!something)
		return complain(c, 0, "name a directory below it", "/ cannot be made private");
	n = strlen(path);
	if (n >= PATH_MAX && (expanded || !has_specifiers(path)))
		return complain(c, 0, NULL, "a path of %zu bytes; at most %d are possible", n, PATH_MAX - 1);
	return true;
}

void path_simplify(char *path)
{
	char *to = path;

	for (const char *p = path; *p;) {
		size_t n;

		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (n && !(n == 1 && *p == '.')) {
			*to++ = '/';
			memmove(to, p, n);
			to += n;
		}
		p += n;
	}
	*to = 0;
}

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

#define HOST_NAME_HINT "letters, digits, hyphens and dots; at most 64 bytes, no hyphen or dot at either end of a part"

static bool check_label(const char *name, const char *label, size_t n, bool more, struct complaint *c)
{
	size_t offset = (size_t)(label - name);

	if (!n)
		return complain(c, offset, HOST_NAME_HINT, "%s",
				more || offset ? "an empty part in the host name" : "an empty host name");
	if (n > LONGEST_LABEL)
		return complain(c, offset, HOST_NAME_HINT, "a part of %zu bytes in the host name", n);
	for (size_t i = 0; i < n; i++)
		if (!is_alphanumeric(label[i]) && label[i] != '-')
			return complain(c, offset + i, HOST_NAME_HINT, "'%.*s' is not a host name",
					shown(name, strlen(name)), name);
	if (label[0] == '-' || label[n - 1] == '-')
		return complain(c, offset, HOST_NAME_HINT, "a hyphen at the end of a part of the host name '%.*s'",
				shown(name, strlen(name)), name);
	return true;
}

/* With specifiers in it, only that the rest of it is made of the right characters. */
static bool check_partly(const char *name, struct complaint *c)
{
	if (!specifiers_check(name, c))
		return false;
	for (const char *p = name; *p; p++) {
		if (*p == '%')
			p++;
		else if (!is_alphanumeric(*p) && *p != '-' && *p != '.')
			return complain(c, (size_t)(p - name), HOST_NAME_HINT, "'%.*s' is not a host name",
					shown(name, strlen(name)), name);
	}
	return true;
}

bool host_name_check(const char *name, bool expanded, struct complaint *c)
{
	size_t size = strlen(name);
	size_t n;

	if (!expanded && has_specifiers(name))
		return check_partly(name, c);
	if (size > LONGEST_HOST_NAME)
		return complain(c, 0, HOST_NAME_HINT, "a host name of %zu bytes", size);
	for (const char *p = name;; p += n + 1) {
		n = strcspn(p, ".");
		if (!check_label(name, p, n, p[n], c))
			return false;
		if (!p[n])
			return true;
	}
}

bool mode_parse(const char *text, mode_t *ret, struct complaint *c)
{
	const char *hint = "octal, from 0 to 1777, as in 0700";
	size_t n = strlen(text);
	mode_t mode = 0;

	if (!n || n > 5 || strspn(text, "01234567") != n)
		return complain(c, 0, hint, "'%.*s' is not a mode", shown(text, n), text);
	for (; *text; text++)
		mode = mode * 8 + (mode_t)(*text - '0');
	if (mode > 07777)
		return complain(c, 0, hint, "the mode %o is too large", mode);
	if (mode & 06000)
		return complain(c, 0, hint, "the mode %04o has a setuid or setgid bit", mode);
	*ret = mode;
	return true;
}

bool number_parse(const char *text, size_t size, unsigned long long most, unsigned long long *ret)
{
	unsigned long long value = 0;

	if (!size || (size > 1 && *text == '0'))
		return false;
	for (size_t i = 0; i < size; i++) {
		unsigned d = (unsigned char)text[i] - (unsigned)'0';

		if (d > 9 || value > (most - d) / 10)
			return false;
		value = value * 10 + d;
	}
	*ret = value;
	return true;
}
