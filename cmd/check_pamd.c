/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pam.d: which services have the module, which doors are forgotten, and lines that were meant for the module and are
 * not. What is wrong with a line that is the module's is check_pamd_entry()'s. See check.h.
 */
#include "cmd/check.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const TYPES[] = {
	[PAMD_AUTH] = "auth",
	[PAMD_ACCOUNT] = "account",
	[PAMD_PASSWORD] = "password",
	[PAMD_SESSION] = "session",
};

/* How many letters have to be changed, added or left away, as far as up to 2; more is all the same. */
static size_t distance(const char *a, const char *b)
{
	size_t m = strlen(a), n = strlen(b), row[32], best;

	if (m >= 32 || n >= 32)
		return 3;
	for (size_t k = 0; k <= n; k++)
		row[k] = k;
	for (size_t i = 1; i <= m; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t k = 1; k <= n; k++) {
			best = diagonal + (a[i - 1] != b[k - 1]);
			diagonal = row[k];
			best = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
			row[k] = diagonal + 1 < best ? diagonal + 1 : best;
		}
	}
	return row[n];
}

static bool is_meant(const char *name)
{
	return strcmp(name, "pam_nsclone") == 0 || distance(name, PAMD_MODULE_NAME) <= 2;
}

static void check_misspelt(struct check *check, const struct pamd_stack *stack)
{
	for (size_t i = 0; i < stack->n; i++) {
		const struct pamd_entry *entry = &stack->entries[i];
		const char *name = pamd_basename(entry);

		if (*name && strcmp(name, PAMD_MODULE_NAME) != 0 && is_meant(name))
			check_say(check, CHECK_ERROR, check_at(entry->file, entry->line), PAMD_MODULE_NAME,
				  "%s is no module of ours: %s", name,
				  entry->silent ? "libpam passes over it without a word, and nobody is isolated"
						: "every login by this service fails");
	}
}

/* Ours answers for sessions only: of anything else libpam finds nothing to call. */
static void check_other_types(struct check *check, const char *service)
{
	static const enum pamd_type others[] = {PAMD_AUTH, PAMD_ACCOUNT, PAMD_PASSWORD};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct pamd_stack *stack = pamd_read("", service, others[i]);
		size_t at = pamd_find(stack, 0);

		if (at < stack->n && !stack->other)
			check_say(check, CHECK_ERROR, check_at(stack->entries[at].file, stack->entries[at].line),
				  "session", PAMD_MODULE_NAME " is a module for sessions, not for %s",
				  TYPES[others[i]]);
		pamd_free(stack);
	}
}

static void check_entries(struct check *check, const struct pamd_stack *stack)
{
	size_t at = pamd_find(stack, 0), again;

	check_pamd_entry(check, stack, at);
	again = pamd_find(stack, at + 1);
	if (again < stack->n)
		check_say(check, CHECK_WARNING, check_at(stack->entries[again].file, stack->entries[again].line),
			  "remove one", "the module has been there before, in %s:%u", stack->entries[at].file,
			  stack->entries[at].line);
}

static void check_service(struct check *check, const char *service)
{
	struct pamd_stack *stack = pamd_read("", service, PAMD_SESSION);

	if (stack->unseen)
		check_say(check, CHECK_UNSEEN, check_at(stack->unseen, 0), NULL,
			  "what it says of %s: you may not read it", service);
	if (stack->broken)
		check_say(check, CHECK_ERROR, check_at(stack->broken, 0), NULL,
			  "libpam cannot read it to its end, and refuses every login by %s", service);
	if (!stack->other) {
		check_misspelt(check, stack);
		check_other_types(check, service);
	}
	if (alloc_list_has(&check->doors, service) && !stack->broken)
		check_entries(check, stack);
	pamd_free(stack);
}

/* ---- Doors that are commonly forgotten -------------------------------------------------------------------------- */

enum door_kind { DOOR_PLAIN, DOOR_WAY_OUT };

/* By a way out, a user who is isolated in sshd can have a process of his own started un-isolated. */
static const struct {
	const char *service;
	enum door_kind kind;
	const char *how;
} DOORS[] = {
	{"sshd", DOOR_PLAIN, NULL},	       {"login", DOOR_PLAIN, NULL},
	{"su", DOOR_PLAIN, NULL},	       {"su-l", DOOR_PLAIN, NULL},
	{"sudo", DOOR_PLAIN, NULL},	       {"sudo-i", DOOR_PLAIN, NULL},
	{"runuser", DOOR_PLAIN, NULL},     {"runuser-l", DOOR_PLAIN, NULL},
	{"cron", DOOR_WAY_OUT, "crontab"}, {"crond", DOOR_WAY_OUT, "crontab"},
	{"atd", DOOR_WAY_OUT, "at"},       {"systemd-user", DOOR_WAY_OUT, "systemd-run --user"},
};

/* The files of a systemd that is not running harm nobody. */
static bool is_way_out(size_t i)
{
	if (strcmp(DOORS[i].service, "systemd-user") == 0 && access("/run/systemd/system", F_OK) < 0)
		return false;
	return DOORS[i].kind == DOOR_WAY_OUT;
}

static void check_doors(struct check *check)
{
	bool sshd = alloc_list_has(&check->doors, "sshd");
	char *forgotten = NULL;

	for (size_t i = 0; i < sizeof(DOORS) / sizeof(DOORS[0]); i++) {
		const char *service = DOORS[i].service;
		char *longer;

		if (!check_has_service(check, service) || alloc_list_has(&check->doors, service))
			continue;
		if (is_way_out(i) && sshd) {
			check_say(check, CHECK_ERROR, check_at(NULL, 0), "add the module to it, too",
				  "sshd has the module and %s has not: `%s` is a way out of the isolation", service,
				  DOORS[i].how);
			continue;
		}
		longer = forgotten ? alloc_format("%s, %s", forgotten, service) : alloc_copy(service);
		free(forgotten);
		forgotten = longer;
	}
	if (forgotten)
		check_say(check, CHECK_WARNING, check_at(NULL, 0), NULL,
			  "services without the module, by which nobody is isolated: %s", forgotten);
	free(forgotten);
}

void check_pamd(struct check *check)
{
	pamd_services_with_module("", &check->doors);
	for (size_t i = 0; i < check->services.n; i++)
		check_service(check, check->services.items[i]);
	if (check->doors.n == 0)
		check_say(check, CHECK_WARNING, check_at(NULL, 0), "see pam_nsclone(8)",
			  "no service in pam.d has " PAMD_MODULE_NAME ": nobody is isolated");
	else
		check_doors(check);
	if (alloc_list_has(&check->doors, "sshd"))
		check_sshd(check);
}
