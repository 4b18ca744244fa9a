/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parsing by inet_pton(3), which is strict: no octal, no 10.1 for 10.0.0.1. What looks like an address and is none is
 * refused, because as a glob it would quietly fit nobody.
 */
#include "lib/policy/address.h"
#include <arpa/inet.h>
#include <string.h>

enum { LONGEST = 64 };

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* A prefix that goes into the IPv4 part of ::ffff:0:0/96 is one of IPv4. */
static void unmap(struct address *a)
{
	if (a->size != 16 || a->bits < 96 || memcmp(a->bytes, mapped, sizeof(mapped)))
		return;
	memmove(a->bytes, a->bytes + 12, 4);
	a->size = 4;
	a->bits -= 96;
}

/* The size bytes of text as an address, whole. */
static bool parse(const char *text, size_t size, struct address *ret)
{
	char copy[LONGEST];

	if (size >= sizeof(copy))
		return false;
	memcpy(copy, text, size);
	copy[size] = 0;
	memset(ret, 0, sizeof(*ret));
	ret->size = 16;
	if (inet_pton(AF_INET6, copy, ret->bytes) != 1) {
		ret->size = 4;
		if (inet_pton(AF_INET, copy, ret->bytes) != 1)
			return false;
	}
	ret->bits = ret->size * 8;
	return true;
}

static bool has_stray_bits(const struct address *a)
{
	unsigned whole = a->bits / 8;
	bool stray = a->bits % 8 && a->bytes[whole] & 0xff >> a->bits % 8;

	for (unsigned i = (a->bits + 7) / 8; i < a->size; i++)
		stray |= a->bytes[i] != 0;
	return stray;
}

static bool parse_bits(const char *text, struct address *a)
{
	unsigned bits = 0;

	if (!*text || strlen(text) > 3 || (*text == '0' && text[1]))
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		bits = bits * 10 + (unsigned)(*text - '0');
	}
	if (bits > a->size * 8)
		return false;
	a->bits = bits;
	a->stray = has_stray_bits(a);
	return true;
}

static enum address_kind bad(struct complaint *c, size_t offset, const char *message, const char *text)
{
	complain(c, offset, "as in 192.0.2.7, 192.0.2.0/24, 2001:db8::/32", "%s '%.*s'", message,
		 shown(text, strlen(text)), text);
	return ADDRESS_BAD;
}

static enum address_kind parse_prefix(const char *pattern, const char *slash, struct address *ret, struct complaint *c)
{
	if (!parse(pattern, (size_t)(slash - pattern), ret))
		return bad(c, 0, "not an address before the slash:", pattern);
	if (!parse_bits(slash + 1, ret))
		return bad(c, (size_t)(slash + 1 - pattern), "not a length of a prefix:", slash + 1);
	unmap(ret);
	return ADDRESS_GOOD;
}

enum address_kind address_parse(const char *pattern, struct address *ret, struct complaint *c)
{
	const char *slash = strchr(pattern, '/');
	size_t n = strlen(pattern);

	if (slash)
		return parse_prefix(pattern, slash, ret, c);
	if (parse(pattern, n, ret)) {
		unmap(ret);
		return ADDRESS_GOOD;
	}
	if (strpbrk(pattern, "*?["))
		return ADDRESS_NONE;
	if (strchr(pattern, ':') || strspn(pattern, "0123456789.") == n)
		return bad(c, 0, "not an address:", pattern);
	return ADDRESS_NONE;
}

bool address_of_host(const char *host, struct address *ret)
{
	size_t n = strchr(host, ':') ? strcspn(host, "%") : strlen(host);

	if (!parse(host, n, ret))
		return false;
	unmap(ret);
	return true;
}

bool address_within(const struct address *prefix, const struct address *address)
{
	unsigned whole = prefix->bits / 8;
	unsigned rest = prefix->bits % 8;

	if (prefix->size != address->size || memcmp(prefix->bytes, address->bytes, whole))
		return false;
	return !rest || !((prefix->bytes[whole] ^ address->bytes[whole]) >> (8 - rest));
}
