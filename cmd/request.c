/* SPDX-License-Identifier: BSD-3-Clause */
/* USER and the options that explain, plan and run share. See request.h. */
#include "cmd/request.h"

#include "cmd/cmd.h"
#include "cmd/pamd.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void request_add_options(struct options *options, struct request_options *request)
{
	options_add(options,
		    (struct options_row){"service", 's', "NAME", "the PAM service, as sshd", NULL, &request->service});
	options_add(options, (struct options_row){"rhost", 0, "HOST", "where the login comes from: name or address",
						  NULL, &request->rhost});
	options_add(options, (struct options_row){"tty", 0, "TTY", "the terminal", NULL, &request->tty});
	options_add(options, (struct options_row){"from", 0, "USER", "who calls su or sudo", NULL, &request->from});
	options_add(options, (struct options_row){"policy", 'p', "DIR", "read the policy from DIR, not from its place",
						  NULL, &request->policy});
}

/* The line that the login would come by. Without one the default policy holds: that is how it will be. */
static void read_module_line(const char *service, struct request *request)
{
	struct pamd_stack *stack = pamd_read("", service, PAMD_SESSION);
	size_t at = pamd_find(stack, 0);

	if (at < stack->n) {
		const struct pamd_entry *entry = &stack->entries[at];
		const char *policy = pamd_argument(entry, "policy"), *rescue = pamd_argument(entry, "rescue");

		request->with_module = true;
		request->where = alloc_format("%s:%u", entry->file, entry->line);
		request->trial = pamd_argument(entry, "trial") != NULL;
		request->rescue = rescue ? alloc_copy(rescue) : NULL;
		request->policy = policy && *policy ? alloc_copy(policy) : NULL;
	}
	pamd_free(stack);
}

void request_fill(const struct request_options *options, const char *user, const char *service, struct request *ret)
{
	*ret = (struct request){0};
	read_module_line(service, ret);
	ret->login.items.user = user;
	ret->login.items.service = service;
	ret->login.items.remote_host = options->rhost;
	ret->login.items.tty = options->tty;
	ret->login.items.from_user = options->from;
	ret->login.rescue = ret->rescue;
	ret->login.files.directory = options->policy ? options->policy : ret->policy;
	/* An ordinary user may look at a policy of his own; at a login only root's counts. */
	ret->login.files.trusted_uid = getuid();
}

void request_done(struct request *request)
{
	free(request->where);
	free(request->rescue);
	free(request->policy);
}

void request_notes(const struct request *request, const struct login *login)
{
	const char *service = request->login.items.service;

	if (!request->with_module) {
		fprintf(stderr,
			"nsclone: note: %s has no " PAMD_MODULE_NAME " in pam.d yet: this is what it would do\n",
			service);
		return;
	}
	if (request->trial)
		fprintf(stderr, "nsclone: note: %s says trial: the login is not isolated, what would be is logged\n",
			request->where);
	if (login->rescue)
		fprintf(stderr, "nsclone: note: %s says rescue=: whatever fails, %s gets in un-isolated\n",
			request->where, request->login.items.user);
}

const char *request_error(const struct err *err, char *buffer, size_t size)
{
	if (*err->file)
		snprintf(buffer, size, "%s (%s:%u)", err->text, err->file, err->line);
	else
		snprintf(buffer, size, "%s", err->text);
	return buffer;
}

static const char *left_alone(const struct login *login, char *buffer, size_t size)
{
	const struct policy_setting *isolate = &login->result.settings[POLICY_ISOLATE];

	if (isolate->word == POLICY_NO && isolate->set)
		snprintf(buffer, size, "left alone by Isolate=no (%s:%u)", isolate->pos.file, isolate->pos.line);
	else
		snprintf(buffer, size, "the rules that fit ask for nothing, so it is not isolated");
	return buffer;
}

const char *request_outcome(int outcome, const struct login *login, const struct err *err, char *buffer, size_t size)
{
	char text[1400];

	switch (outcome) {
	case 0:
		return "isolated";
	case POLICY_NO_MATCH:
		return "no rule fits, so it is not isolated";
	case LOGIN_LEFT_ALONE:
		return left_alone(login, buffer, size);
	case POLICY_REFUSE:
		snprintf(buffer, size, "refused: %s", request_error(err, text, sizeof(text)));
		return buffer;
	default:
		snprintf(buffer, size, "could not find out: %s", request_error(err, text, sizeof(text)));
		return buffer;
	}
}

int request_status(int outcome)
{
	if (outcome == POLICY_REFUSE)
		return CMD_NO;
	return outcome < 0 ? CMD_UNKNOWN : CMD_YES;
}
