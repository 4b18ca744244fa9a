/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a pattern means depends on its key: the same digits are a uid in User=, a gid in Group=, a name elsewhere. What
 * could never fit, or would be read in two ways, is refused here, not left to fit nobody.
 */
#include "lib/policy/patterns.h"
#include "lib/policy/glob.h"
#include "lib/policy/values.h"
#include <errno.h>
#include <string.h>

#define DIGITS	   "0123456789"
#define LARGEST_ID 4294967294u

static bool parse_id(const char *text, size_t size, unsigned *ret)
{
	unsigned long long value;

	if (!number_parse(text, size, LARGEST_ID, &value))
		return false;
	*ret = (unsigned)value;
	return true;
}

static bool all_of(const char *text, const char *characters)
{
	return strspn(text, characters) == strlen(text);
}

/* N, N-M, N-: anything of digits and hyphens alone is meant to be one. */
static bool parse_uids(const char *text, struct test *test, struct complaint *c)
{
	const char *hint = "a uid, a range as in 1000-59999 or 1000-, or a login name";
	size_t n = strspn(text, DIGITS);
	const char *high = text + n + 1;

	test->kind = TEST_NUMBERS;
	if (!parse_id(text, n, &test->low))
		return complain(c, 0, hint, "'%.*s' is not a uid or a range of uids", shown(text, strlen(text)), text);
	test->high = test->low;
	if (!text[n])
		return true;
	test->high = LARGEST_ID;
	if (*high && !parse_id(high, strlen(high), &test->high))
		return complain(c, n + 1, hint, "'%.*s' is not the end of a range of uids", shown(high, strlen(high)),
				high);
	if (test->high < test->low)
		return complain(c, 0, hint, "the range of uids %s runs backwards", text);
	return true;
}

static bool parse_gid(const char *text, struct test *test, struct complaint *c)
{
	test->kind = TEST_NUMBERS;
	if (!parse_id(text, strlen(text), &test->low))
		return complain(c, 0, "a gid, or a group name", "'%.*s' is not a gid", shown(text, strlen(text)), text);
	test->high = test->low;
	return true;
}

static bool parse_glob(const char *text, struct test *test, struct complaint *c)
{
	test->kind = glob_is_literal(text) ? TEST_LITERAL : TEST_GLOB;
	return glob_check(text, c);
}

static int parse_remote(struct pool **pool, const char *text, struct test *test, struct complaint *c)
{
	struct address parsed, *address;

	switch (address_parse(text, &parsed, c)) {
	case ADDRESS_NONE:
		return parse_glob(text, test, c) ? 0 : PATTERN_BAD;
	case ADDRESS_BAD:
		return PATTERN_BAD;
	case ADDRESS_GOOD:
		break;
	}
	address = pool_alloc(pool, sizeof(*address));
	if (!address)
		return -ENOMEM;
	*address = parsed;
	test->address = address;
	test->kind = TEST_ADDRESS;
	if (parsed.stray)
		complain(c, 0, "bits behind the prefix are ignored", "'%s' has bits set behind its prefix", text);
	return 0;
}

static bool parse_tty(const char *text, struct test *test, struct complaint *c)
{
	if (!strncmp(text, "/dev/", 5))
		return complain(c, 0, "leave out /dev/, as in tty1 or pts/*", "'%.*s' begins with /dev/",
				shown(text, strlen(text)), text);
	return parse_glob(text, test, c);
}

static int parse_positive(struct pool **pool, enum policy_match_key key, const char *text, struct test *test,
			  struct complaint *c)
{
	bool good = false;

	switch (key) {
	case POLICY_MATCH_USER:
		good = all_of(text, DIGITS "-") ? parse_uids(text, test, c) : parse_glob(text, test, c);
		break;
	case POLICY_MATCH_GROUP:
		good = all_of(text, DIGITS) ? parse_gid(text, test, c) : parse_glob(text, test, c);
		break;
	case POLICY_MATCH_REMOTE_HOST:
		return parse_remote(pool, text, test, c);
	case POLICY_MATCH_TTY:
		good = parse_tty(text, test, c);
		break;
	case POLICY_MATCH_SERVICE:
	case POLICY_MATCH_HOST:
	case POLICY_MATCH_FROM_USER:
		good = parse_glob(text, test, c);
		break;
	case POLICY_N_MATCH_KEYS:
		break;
	}
	return good ? 0 : PATTERN_BAD;
}

int pattern_parse(struct pool **pool, enum policy_match_key key, const char *text, struct test *ret,
		  struct complaint *c)
{
	int r;

	c->message[0] = 0;
	memset(ret, 0, sizeof(*ret));
	ret->negated = *text == '!';
	ret->text = text + ret->negated;
	if (!*ret->text) {
		complain(c, 0, "* fits everything", ret->negated ? "a ! and no pattern behind it" : "an empty pattern");
		return PATTERN_BAD;
	}
	r = parse_positive(pool, key, ret->text, ret, c);
	c->offset += ret->negated;
	return r;
}
