/* SPDX-License-Identifier: BSD-3-Clause */
/* One line of pam.d: tokens and control values, as libpam cuts and understands them. See pamd.h. */
#include "cmd/pamd.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const codes[PAMD_N_CODES] = {
	"success",
	"open_err",
	"symbol_err",
	"service_err",
	"system_err",
	"buf_err",
	"perm_denied",
	"auth_err",
	"cred_insufficient",
	"authinfo_unavail",
	"user_unknown",
	"maxtries",
	"new_authtok_reqd",
	"acct_expired",
	"session_err",
	"cred_unavail",
	"cred_expired",
	"cred_err",
	"no_module_data",
	"conv_err",
	"authtok_err",
	"authtok_recover_err",
	"authtok_lock_busy",
	"authtok_disable_aging",
	"try_again",
	"ignore",
	"abort",
	"authtok_expired",
	"module_unknown",
	"bad_item",
	"conv_again",
	"incomplete",
};

static const char *const actions_by_name[] = {"ignore", "ok", "done", "bad", "die", "reset"};

/* "[...]" is one token without its edges, in which "\]" stands for "]". */
static char *bracketed(char *from, char **end)
{
	char *to = from, *p = from;

	for (; *p && *p != ']'; p++) {
		if (p[0] == '\\' && p[1] == ']')
			p++;
		*to++ = *p;
	}
	*end = p;
	if (to != p)
		*to = '\0';
	return from;
}

char *pamd_token(char **rest)
{
	char *from = *rest, *end;

	if (!from)
		return NULL;
	from += strspn(from, " \n\t");
	if (!*from)
		return *rest = NULL;
	if (*from == '[')
		from = bracketed(from + 1, &end);
	else
		end = from + strcspn(from, " \n\t");
	if (*end)
		*end++ = '\0';
	*rest = *end ? end : NULL;
	return from;
}

static void set_default(int actions[PAMD_N_CODES], int action)
{
	for (size_t i = 0; i < PAMD_N_CODES; i++)
		if (actions[i] == PAMD_UNDEFINED)
			actions[i] = action;
}

/* By prefix, as libpam does it. Returns PAMD_N_CODES for "default", -1 for none. */
static int take_code(const char **p)
{
	for (int i = 0; i <= PAMD_N_CODES; i++) {
		const char *name = i < PAMD_N_CODES ? codes[i] : "default";

		if (strncmp(*p, name, strlen(name)) == 0) {
			*p += strlen(name);
			return i;
		}
	}
	return -1;
}

/* A word, or a number of entries to jump over. PAMD_UNDEFINED: neither. */
static int take_action(const char **p)
{
	unsigned long jump;
	char *end;

	for (int i = 0; i < (int)(sizeof(actions_by_name) / sizeof(actions_by_name[0])); i++) {
		if (strncmp(*p, actions_by_name[i], strlen(actions_by_name[i])) == 0) {
			*p += strlen(actions_by_name[i]);
			return -i;
		}
	}
	if (!isdigit((unsigned char)**p))
		return PAMD_UNDEFINED;
	jump = strtoul(*p, &end, 10);
	*p = end;
	return jump > 0 && jump < 1000000 ? (int)jump : PAMD_UNDEFINED;
}

static const char *blanks(const char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

static bool take_pair(const char **p, int actions[PAMD_N_CODES])
{
	int code = take_code(p), action;

	*p = blanks(*p);
	if (code < 0 || **p != '=')
		return false;
	*p = blanks(*p + 1);
	action = take_action(p);
	if (action == PAMD_UNDEFINED)
		return false;
	if (code == PAMD_N_CODES)
		set_default(actions, action);
	else
		actions[code] = action;
	return true;
}

static bool by_pairs(const char *p, int actions[PAMD_N_CODES])
{
	for (p = blanks(p); *p; p = blanks(p)) {
		if (take_pair(&p, actions))
			continue;
		for (size_t i = 0; i < PAMD_N_CODES; i++)
			actions[i] = PAMD_BAD;
		return false;
	}
	set_default(actions, PAMD_BAD);
	return true;
}

bool pamd_control(const char *control, int actions[PAMD_N_CODES])
{
	static const struct {
		const char *name;
		int good, otherwise;
		bool ignores;
	} words[] = {
	    {"required", PAMD_OK, PAMD_BAD, true},
	    {"requisite", PAMD_OK, PAMD_DIE, true},
	    {"optional", PAMD_OK, PAMD_IGNORE, false},
	    {"sufficient", PAMD_DONE, PAMD_IGNORE, false},
	};

	for (size_t i = 0; i < PAMD_N_CODES; i++)
		actions[i] = PAMD_UNDEFINED;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(control, words[i].name) != 0)
			continue;
		actions[PAMD_SUCCESS] = actions[PAMD_NEW_AUTHTOK_REQD] = words[i].good;
		if (words[i].ignores)
			actions[PAMD_IGNORED] = PAMD_IGNORE;
		set_default(actions, words[i].otherwise);
		return true;
	}
	return by_pairs(control, actions);
}
