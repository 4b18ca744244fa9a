/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pam.d as libpam reads it, for `nsclone check` and for the question which services have the module. libpam has no
 * interface to ask, and what a person reads in one file is not what runs: include, substack and Debian's @include, a
 * vendor's directory, the service "other", an earlier `sufficient` or jump. So the reading is done again here, by the
 * rules of libpam 1.5 (pam_handlers.c, pam_dispatch.c; tests/unit/test_pamd.c compares with the real one).
 *
 * Nothing is loaded and no module is asked: what a module will answer is unknown, so pamd_flow() says what can happen.
 */
#ifndef NSCLONE_CMD_PAMD_H
#define NSCLONE_CMD_PAMD_H

#include "cmd/alloc.h"
#include <stdbool.h>
#include <stddef.h>

#define PAMD_MODULE_NAME "pam_nsclone.so"

/* Return codes of modules, by their numbers in <security/_pam_types.h>, which cmd/ may not include. */
enum {
	PAMD_SUCCESS = 0,
	PAMD_SYSTEM_ERR = 4,
	PAMD_PERM_DENIED = 6,
	PAMD_NEW_AUTHTOK_REQD = 12,
	PAMD_SESSION_ERR = 14,
	PAMD_IGNORED = 25,
	PAMD_MODULE_UNKNOWN = 28,
	PAMD_N_CODES = 32,
};

/* What happens upon a return code; above 0: so many entries are jumped over. */
enum {
	PAMD_IGNORE = 0,
	PAMD_OK = -1,
	PAMD_DONE = -2,
	PAMD_BAD = -3,
	PAMD_DIE = -4,
	PAMD_RESET = -5,
	PAMD_UNDEFINED = -6,
};

enum pamd_type { PAMD_ANY, PAMD_AUTH, PAMD_ACCOUNT, PAMD_PASSWORD, PAMD_SESSION };

enum pamd_kind {
	PAMD_MODULE,
	PAMD_SUBSTACK, /* stands before the entries of a substack, which have the next level */
	PAMD_BROKEN,   /* libpam answers PAM_PERM_DENIED here; problem says why */
};

struct pamd_entry {
	enum pamd_kind kind;
	enum pamd_type type;
	bool silent;	/* "-session": no word when the module cannot be loaded */
	unsigned level; /* of substacks */
	char *file;
	unsigned line;
	const char *problem;
	char *control; /* as written */
	char *module;  /* as written; of a substack its name */
	struct alloc_list arguments;
	int actions[PAMD_N_CODES];
};

struct pamd_stack {
	char *service;
	enum pamd_type type;
	struct pamd_entry *entries;
	size_t n;
	bool found;		    /* the service has a file (or lines in pam.conf) of its own */
	bool other;		    /* ... but no entry of this type, so that these are the lines of "other" */
	char *broken;		    /* the file that libpam cannot read to its end: it then refuses everything */
	char *unseen;		    /* a file that the caller may not read, though root may */
	struct alloc_list included; /* the names that were included from elsewhere */
};

/* root is put before every path: "" is the machine itself, anything else a test's. */
struct pamd_stack *pamd_read(const char *root, const char *service, enum pamd_type type);
void pamd_free(struct pamd_stack *stack);

/* The names for which there is a file in pam.d (or are lines in pam.conf), sorted; editors' and packagers' leftovers
 * not. */
void pamd_services(const char *root, struct alloc_list *ret);

/* Those of pamd_services() that have PAMD_MODULE_NAME in their session stack and are no mere part of others. */
void pamd_services_with_module(const char *root, struct alloc_list *ret);

/* The first entry that is the module, from `from` on; stack->n where there is none. */
size_t pamd_find(const struct pamd_stack *stack, size_t from);

/* The value of its argument "NAME=value", "" for a plain "NAME", NULL where it is not given. The first one counts. */
const char *pamd_argument(const struct pamd_entry *entry, const char *name);

/* The file name of its module: after the last slash. "" for a broken entry. */
const char *pamd_basename(const struct pamd_entry *entry);

/* What can become of entry `target` in logins that are not refused by something before it. */
struct pamd_flow {
	bool runs;    /* it can be reached */
	bool skipped; /* it can be passed over, by entry `by` */
	size_t by;
};

struct pamd_flow pamd_flow(const struct pamd_stack *stack, size_t target);

/* Can a later entry's `reset` make libpam forget that entry `from` failed? */
bool pamd_forgives(const struct pamd_stack *stack, size_t from);

/* ---- pamd_line.c ------------------------------------------------------------------------------------------------ */

/*
 * The next token as libpam cuts it: blanks, and [...] as one. *rest moves on, NULL at the end. Changes the text.
 * Returns NULL where there is none left.
 */
char *pamd_token(char **rest);

/* The actions of a control word or of the inside of [...]. False: libpam takes everything for bad. */
bool pamd_control(const char *control, int actions[PAMD_N_CODES]);

#endif
