/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One entry of pam.d that is the module: is it reached, does its failure count, does it stand where it must, and would
 * the module take its arguments? See check.h.
 */
#include "cmd/check.h"
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct policy_pos pos_of(const struct pamd_entry *entry)
{
	return check_at(entry->file, entry->line);
}

/* ---- Is there such a file? -------------------------------------------------------------------------------------- */

/* libpam was built for one directory and does not tell which: it is where pam_permit.so is. */
static bool in_module_directories(const char *name, bool *known)
{
	static const char *const patterns[] = {"/lib/*/security",     "/usr/lib/*/security", "/lib64/security",
					       "/usr/lib64/security", "/lib/security",	     "/usr/lib/security"};
	bool found = false;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		glob_t directories;

		if (glob(patterns[i], 0, NULL, &directories) != 0)
			continue;
		for (size_t k = 0; k < directories.gl_pathc; k++) {
			char *permit = alloc_format("%s/pam_permit.so", directories.gl_pathv[k]);
			char *ours = alloc_format("%s/%s", directories.gl_pathv[k], name);

			*known |= access(permit, F_OK) == 0;
			found |= access(permit, F_OK) == 0 && access(ours, R_OK) == 0;
			free(permit);
			free(ours);
		}
		globfree(&directories);
	}
	return found;
}

static void check_file(struct check *check, const struct pamd_entry *entry)
{
	bool known = *entry->module == '/';
	bool found = known ? access(entry->module, R_OK) == 0 : in_module_directories(entry->module, &known);

	if (strstr(entry->module, "$ISA"))
		return; /* what libpam puts there only libpam knows */
	if (!known)
		check_say(check, CHECK_UNSEEN, pos_of(entry), NULL, "where libpam looks for %s", entry->module);
	else if (!found && entry->silent)
		check_say(check, CHECK_ERROR, pos_of(entry), NULL,
			  "there is no module %s: with \"-session\" libpam passes over it without a word",
			  entry->module);
	else if (!found)
		check_say(check, CHECK_ERROR, pos_of(entry), NULL, "there is no module %s: logins fail", entry->module);
	else if (entry->silent)
		check_say(check, CHECK_WARNING, pos_of(entry), "session",
			  "with \"-session\", should the module's file be missing one day, nobody is told");
}

/* ---- Does what it answers count? -------------------------------------------------------------------------------- */

static bool refuses(int action)
{
	return action == PAMD_BAD || action == PAMD_DIE;
}

static void check_control(struct check *check, const struct pamd_stack *stack, size_t at)
{
	const struct pamd_entry *entry = &stack->entries[at];
	const int *actions = entry->actions;

	if (entry->problem)
		check_say(check, CHECK_ERROR, pos_of(entry), "required", "%s: %s", entry->control, entry->problem);
	else if (!refuses(actions[PAMD_SYSTEM_ERR]) || !refuses(actions[PAMD_PERM_DENIED]))
		check_say(check, CHECK_ERROR, pos_of(entry), "required",
			  "with \"%s\" a login goes on un-isolated when isolating it fails", entry->control);
	else if (!refuses(actions[PAMD_MODULE_UNKNOWN]))
		check_say(check, CHECK_WARNING, pos_of(entry), "required",
			  "with \"%s\" a login goes on un-isolated when the module cannot be loaded", entry->control);
	else if (pamd_forgives(stack, at))
		check_say(check, CHECK_ERROR, pos_of(entry), "move it behind that entry",
			  "a later entry with \"reset\" makes libpam forget that isolating failed");
	if (!entry->problem && (actions[PAMD_SUCCESS] == PAMD_DONE || actions[PAMD_SUCCESS] > 0))
		check_say(check, CHECK_WARNING, pos_of(entry), "required",
			  "with \"%s\" what stands after the module is left out", entry->control);
}

static void check_reached(struct check *check, const struct pamd_stack *stack, size_t at)
{
	struct pamd_flow flow = pamd_flow(stack, at);
	const struct pamd_entry *entry = &stack->entries[at], *by = &stack->entries[flow.by];

	if (flow.skipped)
		check_say(check, flow.runs ? CHECK_WARNING : CHECK_ERROR, pos_of(entry),
			  "put the module before it, or let that one not end or jump",
			  "this is %s by %s (%s:%u) with \"%s\"",
			  flow.runs ? "passed over in some logins" : "always passed over", pamd_basename(by), by->file,
			  by->line, by->control);
	else if (!flow.runs)
		check_say(check, CHECK_WARNING, pos_of(entry), NULL,
			  "in %s this is never reached: what stands before it refuses every login", stack->service);
}

/* ---- Does it stand where it must? ------------------------------------------------------------------------------- */

static bool has_word(const struct pamd_entry *entry, const char *word)
{
	return alloc_list_has(&entry->arguments, word);
}

/* They log in, change context or make what is to be seen inside: done later, it is done in the session's own world. */
static bool must_come_first(const struct pamd_entry *entry)
{
	static const char *const names[] = {"pam_loginuid.so", "pam_systemd.so", "pam_systemd_home.so",
					    "pam_mkhomedir.so", "pam_oddjob_mkhomedir.so"};
	const char *name = pamd_basename(entry);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return strcmp(name, "pam_selinux.so") == 0 && !has_word(entry, "close");
}

static void check_position(struct check *check, const struct pamd_stack *stack, size_t at)
{
	const struct pamd_entry *entry = &stack->entries[at];

	for (size_t i = 0; i < stack->n; i++) {
		const struct pamd_entry *other = &stack->entries[i];

		if (strcmp(pamd_basename(other), "pam_namespace.so") == 0)
			check_say(check, CHECK_WARNING, pos_of(entry), "remove one of the two",
				  "pam_namespace.so (%s:%u) makes private directories, too", other->file, other->line);
		if (i > at && must_come_first(other))
			check_say(check, CHECK_WARNING, pos_of(entry), "make the module the last line",
				  "%s (%s:%u) comes after the module", pamd_basename(other), other->file, other->line);
	}
}

void check_pamd_entry(struct check *check, const struct pamd_stack *stack, size_t at)
{
	check_file(check, &stack->entries[at]);
	check_control(check, stack, at);
	check_reached(check, stack, at);
	check_position(check, stack, at);
	check_pamd_arguments(check, &stack->entries[at]);
}
