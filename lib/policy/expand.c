/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Specifiers. What they stand for is partly the user's choice or NSS's, so an expansion is never trusted to stay what
 * the administrator meant it for: one part of a path, one value of an option. All but %h, which is a path by nature,
 * may hold no slash and be neither empty nor "." nor "..".
 */
#include "lib/policy/text.h"
#include "lib/policy/values.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KNOWN_SPECIFIERS "known are %u %U %g %G %h %H %l %m %b, and %% for a percent sign"

struct expansion {
	const char *text; /* NULL: the login has no such thing */
	size_t size;
	char number[16];
};

/* What a specifier is, for messages; NULL: there is no such specifier. */
static const char *describe(char specifier)
{
	switch (specifier) {
	case 'u':
		return "user name";
	case 'U':
		return "user id";
	case 'g':
		return "group name";
	case 'G':
		return "group id";
	case 'h':
		return "home directory";
	case 'H':
		return "host name";
	case 'l':
		return "short host name";
	case 'm':
		return "machine id";
	case 'b':
		return "boot id";
	case '%':
		return "percent sign";
	default:
		return NULL;
	}
}

bool has_specifiers(const char *text)
{
	return strchr(text, '%');
}

bool specifiers_check(const char *text, struct complaint *c)
{
	const char *p = text;

	for (; (p = strchr(p, '%')); p += 2) {
		unsigned character;
		size_t n = text_character(p + 1, strlen(p + 1), &character);

		if (!p[1])
			return complain(c, (size_t)(p - text), KNOWN_SPECIFIERS,
					"a percent sign and nothing behind it");
		if (!describe(p[1]))
			return complain(c, (size_t)(p - text), KNOWN_SPECIFIERS, "unknown specifier '%%%.*s'",
					(int)(n ? n : 1), p + 1);
	}
	return true;
}

unsigned specifiers_need(const char *text)
{
	unsigned needs = 0;

	for (const char *p = text; (p = strchr(p, '%')) && p[1]; p += 2) {
		if (p[1] == 'H' || p[1] == 'l')
			needs |= POLICY_NEED_HOST;
		else if (p[1] == 'g')
			needs |= POLICY_NEED_GROUP;
		else if (p[1] == 'm')
			needs |= POLICY_NEED_MACHINE_ID;
		else if (p[1] == 'b')
			needs |= POLICY_NEED_BOOT_ID;
	}
	return needs;
}

static void set_number(struct expansion *e, unsigned number)
{
	snprintf(e->number, sizeof(e->number), "%u", number);
	e->text = e->number;
}

static void look_up(const struct policy_subject *subject, char specifier, struct expansion *e)
{
	e->text = NULL;
	switch (specifier) {
	case 'u':
		e->text = subject->user;
		break;
	case 'U':
		set_number(e, subject->uid);
		break;
	case 'g':
		e->text = subject->group;
		break;
	case 'G':
		set_number(e, subject->gid);
		break;
	case 'h':
		e->text = subject->home;
		break;
	case 'H':
	case 'l':
		e->text = subject->host;
		break;
	case 'm':
		e->text = subject->machine_id;
		break;
	case 'b':
		e->text = subject->boot_id;
		break;
	case '%':
		e->text = "%";
		break;
	}
	e->size = !e->text ? 0 : specifier == 'l' ? strcspn(e->text, ".") : strlen(e->text);
}

static bool check_content(char specifier, const struct expansion *e, struct complaint *c)
{
	const char *what = describe(specifier);
	struct complaint control;

	if (!text_check(e->text, e->size, false, &control))
		return complain(c, 0, NULL, "%%%c: the %s has a %.100s in it", specifier, what, control.message);
	if (specifier == 'h' && *e->text != '/')
		return complain(c, 0, NULL, "%%h: the home directory '%.*s' is no absolute path",
				shown(e->text, e->size), e->text);
	if (specifier == 'h' || specifier == '%')
		return true;
	if (!e->size)
		return complain(c, 0, NULL, "%%%c: the %s is empty", specifier, what);
	if (memchr(e->text, '/', e->size) || (e->size <= 2 && !memcmp(e->text, "..", e->size)))
		return complain(c, 0, NULL, "%%%c: the %s '%.*s' cannot be a part of a path", specifier, what,
				shown(e->text, e->size), e->text);
	return true;
}

static bool check_expansion(char specifier, const struct expansion *e, struct complaint *c)
{
	if (e->text)
		return check_content(specifier, e, c);
	complain(c, 0, NULL, "%%%c: this login has no %s", specifier, describe(specifier));
	return false;
}

/* One pass: into `out`, or only to count where that is NULL. The text has passed specifiers_check(). */
static bool expand(const struct policy_subject *subject, const char *text, char *out, size_t *size, struct complaint *c)
{
	*size = 0;
	for (const char *p = text; *p;) {
		struct expansion e = {.text = p, .size = strcspn(p, "%")};

		if (e.size) {
			p += e.size;
		} else {
			look_up(subject, p[1], &e);
			if (!check_expansion(p[1], &e, c)) {
				c->offset = (size_t)(p - text);
				return false;
			}
			p += 2;
		}
		if (out)
			memcpy(out + *size, e.text, e.size);
		*size += e.size;
	}
	return true;
}

int specifiers_expand(struct pool **pool, const struct policy_subject *subject, const char *text, char **ret,
		      struct complaint *c)
{
	size_t size;
	char *out;

	if (!expand(subject, text, NULL, &size, c))
		return POLICY_REFUSE;
	out = pool_alloc(pool, size + 1);
	if (!out)
		return -ENOMEM;
	expand(subject, text, out, &size, c);
	*ret = out;
	return 0;
}

/* One option: everything but a size has its specifiers expanded; nothing may expand into more than one option. */
static int expand_option(struct pool **pool, const struct policy_subject *subject, const char *text, size_t n,
			 char **ret, struct complaint *c)
{
	char *copy = pool_copy(pool, text, n);
	int r;

	if (!copy)
		return -ENOMEM;
	*ret = copy;
	if (!strncmp(copy, "size=", 5)) {
		if (n >= 2 && !strcmp(copy + n - 2, "%%"))
			copy[n - 1] = 0;
		return 0;
	}
	r = specifiers_expand(pool, subject, copy, ret, c);
	if (r || !strchr(*ret, ','))
		return r;
	complain(c, 0, NULL, "the option %.*s becomes '%.*s'", shown(text, n), text, shown(*ret, strlen(*ret)), *ret);
	return POLICY_REFUSE;
}

int tmpfs_expand(struct pool **pool, const struct policy_subject *subject, const char *options, const char **ret,
		 struct complaint *c)
{
	const char *joined = NULL;

	for (const char *p = options;;) {
		size_t n = strcspn(p, ",");
		char *option, *longer;
		size_t old = joined ? strlen(joined) + 1 : 0;
		int r = expand_option(pool, subject, p, n, &option, c);

		if (r)
			return r;
		longer = pool_alloc(pool, old + strlen(option) + 1);
		if (!longer)
			return -ENOMEM;
		if (joined)
			snprintf(longer, old + 1, "%s,", joined);
		strcpy(longer + old, option);
		joined = longer;
		if (!p[n])
			break;
		p += n + 1;
	}
	*ret = joined;
	return tmpfs_check(joined, true, c) ? 0 : POLICY_REFUSE;
}
