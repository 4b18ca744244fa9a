/* SPDX-License-Identifier: BSD-3-Clause */
/* The arguments of the module in pam.d, and who gets in when all else fails. See check.h. */
#include "cmd/check.h"
#include "cmd/sshd_config.h"
#include <errno.h>
#include <shadow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_policy_argument(struct check *check, const struct pamd_entry *entry, const char *directory)
{
	struct policy_pos pos = check_at(entry->file, entry->line);
	struct stat st;

	if (*directory != '/')
		check_say(check, CHECK_ERROR, pos, "an absolute path", "policy=%s: every login by this line fails",
			  directory);
	else if (stat(directory, &st) < 0)
		check_say(check, errno == EACCES ? CHECK_UNSEEN : CHECK_ERROR, pos, NULL, "policy=%s: %s", directory,
			  strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		check_say(check, CHECK_ERROR, pos, NULL, "policy=%s is not a directory", directory);
	else if (!check->directory || strcmp(check->directory, directory) != 0)
		check_say(check, CHECK_WARNING, pos, "check it with --policy",
			  "policy=%s is another policy than this one", directory);
}

static void note_rescued(struct check *check, const struct pamd_entry *entry, const char *list)
{
	char *names = alloc_copy(list), *rest = names, *name;

	if (!*list)
		check_say(check, CHECK_ERROR, check_at(entry->file, entry->line), "rescue=NAME[,NAME...]",
			  "rescue= names nobody: every login by this line fails");
	while ((name = strsep(&rest, ","))) {
		char *noted = alloc_format("%s:%u:%s", entry->file, entry->line, name);

		if (*name && !alloc_list_has(&check->rescued, noted))
			alloc_list_add(&check->rescued, noted);
		free(noted);
	}
	free(names);
}

/* The module takes the first of each, and a second for a mistake. */
static bool is_repeated(const struct pamd_entry *entry, size_t at)
{
	const char *argument = entry->arguments.items[at];
	size_t n = strcspn(argument, "=") + 1;

	for (size_t i = 0; i < at; i++)
		if (strchr(argument, '=') && strncmp(entry->arguments.items[i], argument, n) == 0)
			return true;
	return false;
}

static bool is_known_argument(const char *argument)
{
	return strcmp(argument, "debug") == 0 || strcmp(argument, "trial") == 0 ||
	       strncmp(argument, "policy=", 7) == 0 || strncmp(argument, "rescue=", 7) == 0;
}

void check_pamd_arguments(struct check *check, const struct pamd_entry *entry)
{
	struct policy_pos pos = check_at(entry->file, entry->line);

	for (size_t i = 0; i < entry->arguments.n; i++) {
		const char *argument = entry->arguments.items[i];

		if (!is_known_argument(argument))
			check_say(check, CHECK_ERROR, pos, "debug, trial, policy=DIR, rescue=NAME[,NAME...]",
				  "unknown argument %s: every login by this line fails", argument);
		else if (is_repeated(entry, i))
			check_say(check, CHECK_ERROR, pos, NULL, "%s: given twice, so every login by this line fails",
				  argument);
		else if (strcmp(argument, "trial") == 0)
			check_say(check, CHECK_WARNING, pos, "remove it when the log says ok",
				  "trial: nobody is isolated by this line");
		else if (strncmp(argument, "policy=", 7) == 0)
			check_policy_argument(check, entry, argument + 7);
		else if (strncmp(argument, "rescue=", 7) == 0)
			note_rescued(check, entry, argument + 7);
	}
}

/* ---- Can root log in directly? ---------------------------------------------------------------------------------- */

/* 1 yes, 0 no, negative: could not find out. Not by NSS, which is asked last and may hang. */
static int root_has_password(void)
{
	FILE *stream = fopen("/etc/shadow", "re");
	const struct spwd *entry;
	int r = 0;

	if (!stream)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = fgetspent(stream))) /* cppcheck-suppress fgetspentCalled */
		if (strcmp(entry->sp_namp, "root") == 0)
			r = *entry->sp_pwdp != '!' && *entry->sp_pwdp != '*';
	fclose(stream);
	return r;
}

static int root_has_key(void)
{
	if (access("/root/.ssh/authorized_keys", R_OK) == 0)
		return 1;
	return errno == EACCES ? -EACCES : 0;
}

/* sshd's default is prohibit-password: a key will do, a password will not. */
static int root_by_ssh(void)
{
	char *value = sshd_config_value("PermitRootLogin", NULL, NULL);
	bool never = value && strcasecmp(value, "no") == 0, password = value && strcasecmp(value, "yes") == 0;
	int key = root_has_key(), r;

	free(value);
	if (sshd_config_access() == -ENOENT || never)
		return 0;
	r = password ? root_has_password() : 0;
	return r > 0 ? r : key ? key : r;
}

void check_rescue(struct check *check)
{
	int password, ssh;

	if (check->doors.n == 0 || check->rescued.n > 0)
		return;
	password = root_has_password();
	ssh = root_by_ssh();
	if (password > 0 || ssh > 0)
		return;
	if (password < 0 || ssh < 0)
		check_say(check, CHECK_UNSEEN, check_at(NULL, 0), "run this as root, or give the module rescue=NAME",
			  "whether root can log in directly, should the policy refuse everybody else");
	else
		check_say(check, CHECK_WARNING, check_at(NULL, 0), "give the module rescue=NAME",
			  "root cannot log in directly and no rescue= names anybody else who could put things right");
}
