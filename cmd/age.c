/* SPDX-License-Identifier: BSD-3-Clause */
/* Spans of time. See age.h. */
#include "cmd/age.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR, WEEK = 7 * DAY, MONTH = 2629800, YEAR = 31557600 };

static const struct {
	const char *name;
	int64_t seconds;
} UNITS[] = {
	{"s", 1},	   {"sec", 1},	     {"second", 1},  {"seconds", 1}, {"min", MINUTE},  {"minute", MINUTE},
	{"minutes", MINUTE}, {"h", HOUR},    {"hr", HOUR},   {"hour", HOUR}, {"hours", HOUR},  {"d", DAY},
	{"day", DAY},	   {"days", DAY},    {"w", WEEK},    {"week", WEEK}, {"weeks", WEEK},  {"month", MONTH},
	{"months", MONTH}, {"y", YEAR},	     {"year", YEAR}, {"years", YEAR},
};

static const char BLANKS[] = " \t";

static int64_t unit(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof(UNITS) / sizeof(*UNITS); i++)
		if (strlen(UNITS[i].name) == n && strncmp(UNITS[i].name, name, n) == 0)
			return UNITS[i].seconds;
	return 0;
}

bool age_parse(const char *text, int64_t *ret)
{
	int64_t sum = 0;

	text += strspn(text, BLANKS);
	do {
		int64_t number, seconds;
		size_t n;
		char *end;

		if (*text < '0' || *text > '9')
			return false;
		errno = 0;
		number = strtoll(text, &end, 10);
		text = end + strspn(end, BLANKS);
		n = strcspn(text, " \t0123456789");
		seconds = unit(text, n);
		if (errno || !seconds || __builtin_mul_overflow(number, seconds, &number) ||
		    __builtin_add_overflow(sum, number, &sum))
			return false;
		text += n + strspn(text + n, BLANKS);
	} while (*text);
	*ret = sum;
	return true;
}
