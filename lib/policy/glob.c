/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An own matcher, because fnmatch(3) depends on the locale and takes exponential time for globs of many stars, and the
 * name that it is given may be an attacker's choice (a host name, PAM_RUSER). Here only the last star is ever gone
 * back to: what an earlier star took need not be changed, since whatever a later star can skip covers it.
 *
 * `?` and sets take one character of UTF-8, or one byte of what is not UTF-8. What another shell might read
 * differently ([^a], [[:alpha:]]) is refused, not guessed at.
 */
#include "lib/policy/glob.h"
#include "lib/policy/text.h"
#include <string.h>

static unsigned fold(unsigned c, bool ignore_case)
{
	return ignore_case && c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* One character; a byte that is not UTF-8 is one beyond all of Unicode. */
static unsigned take(const char **s)
{
	const char *p = *s;
	unsigned c;
	size_t n = text_character(p, strnlen(p, 4), &c);

	*s = p + (n ? n : 1);
	return n ? c : 0x110000u + (unsigned char)*p;
}

/* A set, from behind its '['. Returns what follows it. */
static const char *fits_set(const char *p, unsigned c, bool ignore_case, bool *fits)
{
	bool negated = *p == '!';
	bool found = false;
	bool first = true;

	p += negated;
	for (; first || *p != ']'; first = false) {
		unsigned low = take(&p);
		unsigned high = low;

		if (*p == '-' && p[1] != ']') {
			p++;
			high = take(&p);
		}
		found |= c >= low && c <= high;
		if (ignore_case && c >= 'a' && c <= 'z')
			found |= c - 'a' + 'A' >= low && c - 'a' + 'A' <= high;
	}
	*fits = found != negated;
	return p + 1;
}

/* One element of the glob that is not a star against one character. false: it does not fit. */
static bool fits_one(const char **glob, const char **name, bool ignore_case)
{
	unsigned c = fold(take(name), ignore_case);
	unsigned wanted = take(glob);
	bool fits;

	if (wanted == '?')
		return true;
	if (wanted != '[')
		return fold(wanted, ignore_case) == c;
	*glob = fits_set(*glob, c, ignore_case, &fits);
	return fits;
}

bool glob_fits(const char *glob, const char *name, bool ignore_case)
{
	const char *behind_star = NULL;
	const char *star_until = NULL;

	for (;;) {
		if (*glob == '*') {
			behind_star = ++glob;
			star_until = name;
		} else if (!*name) {
			return !*glob;
		} else if (!*glob || !fits_one(&glob, &name, ignore_case)) {
			if (!behind_star)
				return false;
			take(&star_until); /* the star takes one character more */
			glob = behind_star;
			name = star_until;
		}
	}
}

static bool check_range(const char *glob, const char *dash, unsigned low, const char **p, struct complaint *c)
{
	unsigned high;

	*p = dash + 1;
	high = take(p);
	if (low > high)
		return complain(c, (size_t)(dash - glob), NULL, "the range in the set runs backwards");
	return true;
}

/* From behind the '['; *end: behind the ']'. */
static bool check_set(const char *glob, const char *start, const char **end, struct complaint *c)
{
	const char *p = start + (*start == '!');

	if (*start == '^')
		return complain(c, (size_t)(start - glob), "a set is negated by !, as in [!abc]",
				"[^ is not understood");
	for (bool first = true; first || *p != ']'; first = false) {
		unsigned low;

		if (!*p)
			return complain(c, (size_t)(start - 1 - glob), "end it with ]", "the set is not closed");
		if (*p == '[' && p[1] && strchr(":.=", p[1]))
			return complain(c, (size_t)(p - glob), "write the characters out, as in [a-z]",
					"character classes are not understood");
		low = take(&p);
		if (*p == '-' && p[1] && p[1] != ']' && !check_range(glob, p, low, &p, c))
			return false;
	}
	*end = p + 1;
	return true;
}

bool glob_check(const char *glob, struct complaint *c)
{
	for (const char *p = glob; *p;)
		if (*p++ == '[' && !check_set(glob, p, &p, c))
			return false;
	return true;
}

bool glob_is_literal(const char *glob)
{
	return !strpbrk(glob, "*?[");
}

bool same_ignoring_case(const char *a, const char *b)
{
	for (; *a || *b; a++, b++)
		if (fold((unsigned char)*a, true) != fold((unsigned char)*b, true))
			return false;
	return true;
}
