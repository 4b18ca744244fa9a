/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Words for what is wrong. Formats into buffers; never prints.
 */
#include "lib/policy/complaint.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN = 64, LONGEST_NAME = 32 };

bool complain(struct complaint *c, size_t offset, const char *hint, const char *format, ...)
{
	va_list ap;

	c->offset = offset;
	va_start(ap, format);
	vsnprintf(c->message, sizeof(c->message), format, ap);
	va_end(ap);
	snprintf(c->hint, sizeof(c->hint), "%s", hint ? hint : "");
	return false;
}

int shown(const char *text, size_t size)
{
	if (size <= SHOWN)
		return (int)size;
	for (size = SHOWN; size && ((unsigned char)text[size] & 0xc0) == 0x80; size--)
		;
	return (int)size;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Rows of the usual table; the last two are remembered, the second for swapped neighbours. */
static unsigned distance(const char *a, size_t m, const char *b, size_t n)
{
	unsigned rows[3][LONGEST_NAME + 1];

	for (size_t j = 0; j <= n; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= m; i++) {
		unsigned *row = rows[i % 3];
		const unsigned *above = rows[(i - 1) % 3];
		const unsigned *above2 = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= n; j++) {
			bool same = lower(a[i - 1]) == lower(b[j - 1]);

			row[j] = least(above[j - 1] + !same, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
				row[j] = least(row[j], above2[j - 2] + 1);
		}
	}
	return rows[m % 3][n];
}

unsigned slip_distance(const char *name, size_t size, const char *candidate)
{
	size_t n = strlen(candidate);
	unsigned limit = n < 5 ? 1 : n < 9 ? 2 : 3;
	unsigned d;

	if (!size || size > LONGEST_NAME || n > LONGEST_NAME || (size > n ? size - n : n - size) > limit)
		return NO_SLIP;
	d = distance(name, size, candidate, n);
	return d <= limit ? d : NO_SLIP;
}
