/* SPDX-License-Identifier: BSD-3-Clause */
/* Which services there are, and which of them have the module. See pamd.h. */
#include "cmd/pamd.h"
#include "cmd/pamd_files.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* Files that libpam would take for a service and that no program asks for. */
static bool is_leftover(const char *name)
{
	static const char *const suffixes[] = {"~",	  ".bak",     ".old",	 ".orig",    ".rpmsave",
					       ".rpmnew", ".rpmorig", ".pacnew", ".pacsave", ".swp"};

	if (*name == '.' || strstr(name, ".dpkg-") || strstr(name, ".ucf-"))
		return true;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t n = strlen(name), m = strlen(suffixes[i]);

		if (n > m && strcmp(name + n - m, suffixes[i]) == 0)
			return true;
	}
	return false;
}

static void from_directory(const char *path, struct alloc_list *ret)
{
	DIR *directory = opendir(path);
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) /* cppcheck-suppress readdirCalled */
		if (!is_leftover(entry->d_name) && entry->d_type != DT_DIR && !alloc_list_has(ret, entry->d_name))
			alloc_list_add(ret, entry->d_name);
	if (directory)
		closedir(directory);
}

static void from_pam_conf(const char *root, struct alloc_list *ret)
{
	char *path = alloc_format("%s/etc/pam.conf", root);
	FILE *stream = fopen(path, "re");
	struct pamd_line line = {.file = path};

	while (stream && pamd_line_next(stream, &line) > 0) {
		char *rest = line.text;
		const char *service = pamd_token(&rest);

		if (service && !alloc_list_has(ret, service))
			alloc_list_add(ret, service);
	}
	free(line.text);
	if (stream)
		fclose(stream);
	free(path);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void pamd_services(const char *root, struct alloc_list *ret)
{
	if (!pamd_has_directory(root))
		from_pam_conf(root, ret);
	else
		for (size_t i = 0; i < PAMD_N_DIRECTORIES; i++) {
			char *path = alloc_format("%s%s", root, pamd_directories[i]);

			from_directory(path, ret);
			free(path);
		}
	if (ret->n)
		qsort(ret->items, ret->n, sizeof(*ret->items), by_name);
}

/* Names that another service includes are parts, unless a program is known by that name too (su includes nothing). */
static bool is_part(const char *name, const struct alloc_list *included)
{
	static const char *const doors[] = {"login", "su", "sudo", "sshd", "runuser", "cron", "crond", "remote"};

	for (size_t i = 0; i < sizeof(doors) / sizeof(doors[0]); i++)
		if (strcmp(name, doors[i]) == 0)
			return false;
	return strcmp(name, "other") == 0 || strncmp(name, "common-", 7) == 0 || alloc_list_has(included, name);
}

void pamd_services_with_module(const char *root, struct alloc_list *ret)
{
	struct alloc_list all = {0}, with = {0}, included = {0};

	pamd_services(root, &all);
	for (size_t i = 0; i < all.n; i++) {
		struct pamd_stack *stack = pamd_read(root, all.items[i], PAMD_SESSION);

		for (size_t k = 0; k < stack->included.n; k++)
			alloc_list_add(&included, stack->included.items[k]);
		if (!stack->other && pamd_find(stack, 0) < stack->n)
			alloc_list_add(&with, all.items[i]);
		pamd_free(stack);
	}
	for (size_t i = 0; i < with.n; i++)
		if (!is_part(with.items[i], &included))
			alloc_list_add(ret, with.items[i]);
	alloc_list_done(&all);
	alloc_list_done(&with);
	alloc_list_done(&included);
}

const char *pamd_basename(const struct pamd_entry *entry)
{
	const char *slash;

	if (entry->kind != PAMD_MODULE)
		return "";
	slash = strrchr(entry->module, '/');
	return slash ? slash + 1 : entry->module;
}

size_t pamd_find(const struct pamd_stack *stack, size_t from)
{
	while (from < stack->n && strcmp(pamd_basename(&stack->entries[from]), PAMD_MODULE_NAME) != 0)
		from++;
	return from;
}

const char *pamd_argument(const struct pamd_entry *entry, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < entry->arguments.n; i++) {
		const char *argument = entry->arguments.items[i];

		if (strncmp(argument, name, n) == 0 && (argument[n] == '=' || !argument[n]))
			return argument[n] ? argument + n + 1 : "";
	}
	return NULL;
}
