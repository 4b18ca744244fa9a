/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options of a tmpfs, checked against tmpfs(5) so that the kernel has nothing left to refuse at login. What would
 * lift a limit or weaken the session (size=0 is "unlimited" to the kernel, suid, dev) is refused with the reason.
 */
#include "lib/policy/values.h"
#include <string.h>

enum option_value {
	VALUE_NONE,
	VALUE_SIZE,
	VALUE_COUNT,
	VALUE_MODE,
	VALUE_ID,
	VALUE_HUGE,
};

struct option {
	const char *name;
	enum option_value value;
	unsigned choice; /* of all with the same number, not 0, one may be given */
	const char *refused;
};

static const struct option table[] = {
    {"size", VALUE_SIZE, 1, NULL},
    {"nr_inodes", VALUE_COUNT, 2, NULL},
    {"mode", VALUE_MODE, 3, NULL},
    {"uid", VALUE_ID, 4, NULL},
    {"gid", VALUE_ID, 5, NULL},
    {"huge", VALUE_HUGE, 6, NULL},
    {"noexec", VALUE_NONE, 7, NULL},
    {"exec", VALUE_NONE, 7, NULL},
    {"ro", VALUE_NONE, 8, NULL},
    {"rw", VALUE_NONE, 8, NULL},
    {"noatime", VALUE_NONE, 9, NULL},
    {"relatime", VALUE_NONE, 9, NULL},
    {"nodev", VALUE_NONE, 10, NULL},
    {"nosuid", VALUE_NONE, 11, NULL},
    {"nosymfollow", VALUE_NONE, 12, NULL},
    {"suid", VALUE_NONE, 11, "set-user-ID programs in a directory that the user fills are a way to other rights"},
    {"dev", VALUE_NONE, 10, "device nodes in a directory that the user fills are a way around permissions"},
};
enum { N_OPTIONS = sizeof(table) / sizeof(*table), N_CHOICES = 13 };

#define OPTIONS_HINT                                                                                                   \
	"size= nr_inodes= mode= uid= gid= huge= noexec exec ro rw noatime relatime nodev nosuid nosymfollow, "         \
	"separated by commas"

static const struct option *find(const char *name, size_t size)
{
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (!strncmp(table[i].name, name, size) && !table[i].name[size])
			return &table[i];
	return NULL;
}

/* 12, 12k, 12M … as the kernel reads them; fits 64 bits. */
static bool is_amount(const char *text, size_t size)
{
	static const char suffixes[] = "kmgtKMGT";
	const char *suffix = size ? memchr(suffixes, text[size - 1], sizeof(suffixes) - 1) : NULL;
	unsigned shift = suffix ? 10 * ((unsigned)(suffix - suffixes) % 4 + 1) : 0;
	unsigned long long value;

	return number_parse(text, size - !!suffix, (1ull << 63) - 1, &value) && value <= ((1ull << 63) - 1) >> shift;
}

static bool check_amount(const char *name, const char *text, size_t size, struct complaint *c)
{
	bool zero = size && *text == '0' && (size == 1 || (size == 2 && strchr("kmgtKMGT", text[1])));

	if (zero)
		return complain(c, 0, "give a limit", "%s=%.*s is \"unlimited\" to the kernel", name, (int)size, text);
	if (!is_amount(text, size))
		return complain(c, 0, "a number, or a number with k, m, g or t",
				"'%.*s' is not an amount for %s=", shown(text, size), text, name);
	return true;
}

static bool check_size(const char *text, size_t size, struct complaint *c)
{
	unsigned long long percent;

	if (!size || text[size - 1] != '%')
		return check_amount("size", text, size, c);
	size -= size > 1 && text[size - 2] == '%' ? 2 : 1;
	if (!number_parse(text, size, 100, &percent) || !percent)
		return complain(c, 0, "from 1% to 100%", "'%.*s%%' is not a part of the memory", shown(text, size),
				text);
	return true;
}

static bool is_one_of(const char *const *words, const char *text)
{
	for (; *words; words++)
		if (!strcmp(*words, text))
			return true;
	return false;
}

/* text is the value, ended by NUL. */
static bool check_value(const struct option *option, const char *text, struct complaint *c)
{
	static const char *const huge[] = {"never", "always", "within_size", "advise", NULL};
	unsigned long long id;
	size_t size = strlen(text);
	mode_t mode;

	switch (option->value) {
	case VALUE_NONE:
		return true;
	case VALUE_SIZE:
		return check_size(text, size, c);
	case VALUE_COUNT:
		return check_amount(option->name, text, size, c);
	case VALUE_MODE:
		return mode_parse(text, &mode, c);
	case VALUE_ID:
		if (number_parse(text, size, 4294967294u, &id))
			return true;
		return complain(c, 0, "a number, or %U or %G", "'%.*s' is not a %s", shown(text, size), text,
				option->name);
	case VALUE_HUGE:
		if (is_one_of(huge, text))
			return true;
		return complain(c, 0, "one of: never, always, within_size, advise",
				"'%.*s' is not a value of huge=", shown(text, size), text);
	}
	return false;
}

/* The value, from behind the '=' and as long as the option. */
static bool check_given(const struct option *option, const char *value, size_t size, bool expanded, struct complaint *c)
{
	char copy[128];

	if (size >= sizeof(copy))
		return complain(c, 0, NULL, "a value of %zu bytes for %s=", size, option->name);
	memcpy(copy, value, size);
	copy[size] = 0;
	if (!expanded && option->value == VALUE_ID && has_specifiers(copy))
		return specifiers_check(copy, c);
	return check_value(option, copy, c);
}

/* Among those before it. */
static bool check_alone(const struct option *option, const struct option **seen, struct complaint *c)
{
	const struct option *other = seen[option->choice];

	seen[option->choice] = option;
	if (other == option)
		return complain(c, 0, "say it once", "the option %s is given twice", option->name);
	if (other)
		return complain(c, 0, "leave one out", "the option %s contradicts %s", option->name, other->name);
	return true;
}

static bool check_name(const struct option *option, const char *text, size_t name_size, bool has_value,
		       struct complaint *c)
{
	const char *name = option ? option->name : "";

	if (!name_size)
		return complain(c, 0, OPTIONS_HINT, "an empty option");
	if (!option)
		return complain(c, 0, OPTIONS_HINT, "unknown option '%.*s'", shown(text, name_size), text);
	if (option->refused)
		return complain(c, 0, "leave it out", "the option %s is not allowed: %s", name, option->refused);
	if (has_value != (option->value != VALUE_NONE))
		return complain(c, 0, NULL, has_value ? "the option %s takes no value" : "the option %s needs a value",
				name);
	return true;
}

static bool check_option(const char *text, size_t size, bool expanded, const struct option **seen, struct complaint *c)
{
	const char *equals = memchr(text, '=', size);
	size_t name_size = equals ? (size_t)(equals - text) : size;
	const struct option *option = find(text, name_size);

	if (!check_name(option, text, name_size, equals, c) || !check_alone(option, seen, c))
		return false;
	if (!equals || check_given(option, equals + 1, size - name_size - 1, expanded, c))
		return true;
	c->offset += name_size + 1;
	return false;
}

bool tmpfs_check(const char *options, bool expanded, struct complaint *c)
{
	const struct option *seen[N_CHOICES] = {NULL};

	for (const char *p = options;;) {
		size_t n = strcspn(p, ",");

		if (!check_option(p, n, expanded, seen, c)) {
			c->offset += (size_t)(p - options);
			return false;
		}
		if (!p[n])
			return true;
		p += n + 1;
	}
}
