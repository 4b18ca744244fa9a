/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Splitting and unquoting. Outside quotes a backslash is itself (login names have one: DOMAIN\user), but for `\:` in
 * lists of paths. Within quotes the escapes are those of systemd.syntax(7), except that none may make what could not
 * be written plainly: a control character, a NUL, or what is not UTF-8.
 */
#include "lib/policy/words.h"
#include "lib/policy/text.h"
#include <errno.h>
#include <string.h>

#define KNOWN_ESCAPES "within quotes there are \\\\ \\\" \\' \\s (a space) \\xHH \\NNN (octal) \\uXXXX \\UXXXXXXXX"

/* Unquoting as far as it has come. Output is never longer than input. */
struct unquote {
	const char *p;
	const char *end;
	const char *quote; /* the mark that has been opened and not closed */
	char *out;	   /* NULL: only count */
	size_t n;
	bool colons;
};

static void put(struct unquote *u, const char *bytes, size_t n)
{
	if (u->out)
		memcpy(u->out + u->n, bytes, n);
	u->n += n;
}

static void put_character(struct unquote *u, unsigned c)
{
	char bytes[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n; --i; c >>= 6)
		bytes[i] = (char)(0x80 | (c & 0x3f));
	bytes[0] = (char)(n == 1 ? c : ((0xf00 >> n) & 0xff) | c);
	put(u, bytes, n);
}

static int digit(char c, unsigned base)
{
	int value = c >= '0' && c <= '9'   ? c - '0'
		    : c >= 'a' && c <= 'f' ? c - 'a' + 10
		    : c >= 'A' && c <= 'F' ? c - 'A' + 10
					   : 16;

	return value < (int)base ? value : -1;
}

/* n digits at u->p. */
static bool number(struct unquote *u, unsigned n, unsigned base, unsigned *ret)
{
	*ret = 0;
	for (unsigned i = 0; i < n; i++, u->p++) {
		int value = u->p < u->end ? digit(*u->p, base) : -1;

		if (value < 0)
			return false;
		*ret = *ret * base + (unsigned)value;
	}
	return true;
}

/* \xHH and \NNN make one byte, \u and \U one character. u->p is behind the backslash. */
static bool numeric_escape(struct unquote *u, unsigned *c, bool *byte)
{
	char kind = *u->p;

	*byte = kind != 'u' && kind != 'U';
	if (kind == 'x' || !*byte) {
		u->p++;
		return number(u, kind == 'x' ? 2 : kind == 'u' ? 4 : 8, 16, c);
	}
	return number(u, 3, 8, c) && *c <= 0xff;
}

static bool acceptable(unsigned c, bool byte)
{
	if (c < 0x20 || c == 0x7f)
		return false;
	return byte || (c >= 0xa0 && c <= 0x10ffff && !(c >= 0xd800 && c < 0xe000)) || c < 0x7f;
}

/* Within quotes, at a backslash. start: of the word, for the complaint. */
static bool escape(struct unquote *u, const char *start, struct complaint *c)
{
	size_t offset = (size_t)(u->p - start);
	const char *known = "\\\"'s", *meant = "\\\"' ", *simple;
	unsigned value;
	bool byte;

	if (++u->p == u->end)
		return complain(c, offset, KNOWN_ESCAPES, "a backslash and nothing behind it");
	simple = memchr(known, *u->p, 4);
	if (simple || (u->colons && *u->p == ':')) {
		put(u, simple ? &meant[simple - known] : "\1", 1);
		u->p++;
		return true;
	}
	if (strchr("abfnrtv", *u->p))
		return complain(c, offset, KNOWN_ESCAPES, "the escape \\%c makes a control character", *u->p);
	if (!numeric_escape(u, &value, &byte))
		return complain(c, offset, KNOWN_ESCAPES, "an escape that is not understood");
	if (!acceptable(value, byte))
		return complain(c, offset, NULL, "the escape makes U+%04X, which is not allowed", value);
	if (byte)
		put(u, &(char){(char)value}, 1);
	else
		put_character(u, value);
	return true;
}

/* One character, escape or quotation mark. */
static bool step(struct unquote *u, const char *start, struct complaint *c)
{
	if (u->quote && *u->p == *u->quote) {
		u->quote = NULL;
		u->p++;
	} else if (u->quote && *u->p == '\\') {
		return escape(u, start, c);
	} else if (!u->quote && (*u->p == '"' || *u->p == '\'')) {
		u->quote = u->p++;
	} else if (u->colons && *u->p == '\\' && u->end - u->p > 1 && u->p[1] == ':') {
		put(u, "\1", 1);
		u->p += 2;
	} else {
		put(u, u->p++, 1);
	}
	return true;
}

/* Up to the white space that ends the word. */
static bool unquote(struct unquote *u, struct complaint *c)
{
	const char *start = u->p;

	while (u->p < u->end && (u->quote || !is_blank(*u->p)))
		if (!step(u, start, c))
			return false;
	if (u->quote)
		return complain(c, (size_t)(u->quote - start),
				"close it, or quote it by the other kind if it is meant itself",
				"the quotation mark %c is not closed", *u->quote);
	return true;
}

/* Escapes can make bytes that are no character, quotes can hold a tab. */
static bool check_word(const struct word *word, bool colons, struct complaint *c)
{
	for (size_t i = 0, n; i < word->size; i += n + 1) {
		const char *mark = colons ? memchr(word->text + i, ESCAPED_COLON, word->size - i) : NULL;

		n = mark ? (size_t)(mark - word->text) - i : word->size - i;
		if (!text_check(word->text + i, n, false, c)) {
			c->offset = (size_t)(words_place(word, c->offset + i, colons) - word->raw);
			return false;
		}
	}
	return true;
}

/* A word with something to unquote. */
static int special_word(struct pool **pool, const char **p, const char *end, bool colons, struct word *ret,
			struct complaint *c)
{
	struct unquote u = {.p = *p, .end = end, .colons = colons};
	const char *start = *p;

	if (!unquote(&u, c))
		return WORDS_BAD;
	u = (struct unquote){.p = start, .end = u.p, .colons = colons, .out = pool_alloc(pool, u.n + 1)};
	if (!u.out)
		return -ENOMEM;
	unquote(&u, c);
	*ret = (struct word){start, (size_t)(u.p - start), u.out, u.n};
	*p = u.p;
	return check_word(ret, colons, c) ? 1 : WORDS_BAD;
}

int words_next(struct pool **pool, const char **p, const char *end, bool colons, struct word *ret, struct complaint *c)
{
	static const bool special[256] = {[' '] = true, ['\t'] = true, ['"'] = true, ['\''] = true, ['\\'] = true};
	const char *start = *p;
	const char *q;
	int r;

	while (start < end && is_blank(*start))
		start++;
	if (start == end)
		return 0;
	for (q = start; q < end; q++) {
		if (!special[(unsigned char)*q] || (*q == '\\' && !colons))
			continue;
		if (is_blank(*q))
			break;
		q = start;
		r = special_word(pool, &q, end, colons, ret, c);
		if (r == WORDS_BAD)
			c->offset += (size_t)(start - *p);
		else
			*p = q;
		return r;
	}
	*ret = (struct word){start, (size_t)(q - start), start, (size_t)(q - start)};
	*p = q;
	return 1;
}

const char *words_place(const struct word *word, size_t offset, bool colons)
{
	struct unquote u = {.p = word->raw, .end = word->raw + word->raw_size, .colons = colons};
	const char *place = u.p;
	struct complaint c;

	if (word->text == word->raw)
		return word->raw + offset;
	while (u.n <= offset && u.p < u.end) {
		place = u.p;
		if (!step(&u, word->raw, &c))
			break;
	}
	return place;
}
