/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nsclone plan: the steps that a login would take, by the functions that the login calls. Nothing is run, and no
 * privilege is needed beyond reading the policy.
 */
#include "cmd/cmd.h"
#include "cmd/held.h"
#include "cmd/request.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

/* What becomes of a login whose plan cannot be made: the same as of one whose plan fails. */
static int no_plan(int r, const struct login *login, const struct err *err)
{
	const struct policy_setting *on_failure = &login->result.settings[POLICY_ON_FAILURE];
	char text[1400];

	request_error(err, text, sizeof(text));
	if (r == -EACCES || r == -EPERM || r == -ENOMEM) {
		fprintf(stderr, "nsclone plan: could not find out: %s\n", text);
		return CMD_UNKNOWN;
	}
	if (on_failure->word == POLICY_ON_FAILURE_WARN)
		printf("not isolated, by OnFailure=warn (%s:%u): %s\n", on_failure->pos.file, on_failure->pos.line,
		       text);
	else
		printf("refused: %s\n", text);
	return CMD_NO;
}

/* The world of this user and these settings, if the keeper holds it: the next login joins it. */
static const struct held_world *find_held(const struct held *held, const struct login *login)
{
	unsigned char key[POLICY_FINGERPRINT_SIZE];

	if (policy_fingerprint(&login->result, key) < 0)
		return NULL;
	for (size_t i = 0; i < held->n; i++) {
		const struct keeper_message *about = &held->worlds[i].about;

		if (about->uid == login->subject->policy.uid && !(about->flags & (KEEPER_ENDING | KEEPER_ALONE)) &&
		    memcmp(about->key, key, sizeof(key)) == 0)
			return &held->worlds[i];
	}
	return NULL;
}

/* Who may not ask the keeper, and where nothing is held, gets the same line: both are true of either. */
static void print_scope(const struct login *login)
{
	const struct held_world *world;
	char id[HELD_ID_SIZE], namespaces[64];
	struct held held;

	if (login->result.settings[POLICY_SCOPE].word != POLICY_SCOPE_USER)
		return;
	world = held_read(&held) < 0 ? NULL : find_held(&held, login);
	if (world)
		printf("# shared by all sessions of %s (Scope=user), and held by nsclone-keeper: the login joins\n"
		       "# world %s (%s) and does nothing else. It was built so:\n",
		       login->subject->policy.user, held_id(world->about.world, id),
		       held_namespaces(world, namespaces, sizeof(namespaces)));
	else
		printf("# shared by all sessions of %s (Scope=user): joined where nsclone-keeper holds it, else built:\n",
		       login->subject->policy.user);
	held_done(&held);
}

static int print_plan(struct login *login)
{
	struct err err = {0};
	int r = login_plan(login, &err);

	if (r < 0)
		return no_plan(r, login, &err);
	if (plan_is_empty(login->plan)) {
		puts("the rules that fit ask for nothing, so it is not isolated");
		return CMD_YES;
	}
	print_scope(login);
	return plan_print(login->plan, stdout) < 0 ? CMD_UNKNOWN : CMD_YES;
}

static int plan(const struct request_options *options, const char *user)
{
	struct login login = {0};
	struct request request;
	struct err err = {0};
	char buffer[1500];
	int r, status;

	request_fill(options, user, options->service ? options->service : REQUEST_DEFAULT_SERVICE, &request);
	r = login_decide(&request.login, &login, &err);
	status = request_status(r);
	if (r < 0)
		fprintf(stderr, "nsclone plan: %s\n", request_outcome(r, &login, &err, buffer, sizeof(buffer)));
	else
		request_notes(&request, &login);
	if (r > 0)
		puts(request_outcome(r, &login, &err, buffer, sizeof(buffer)));
	if (r == 0)
		status = print_plan(&login);
	login_done(&login);
	request_done(&request);
	return status;
}

int cmd_plan(int argc, char **argv)
{
	struct request_options request = {0};
	struct options options = {
	    .words = "USER",
	    .about =
		"Print the steps that a login of USER would take, in order, each with the line of the policy that\n"
		"asks for it. Nothing is done.",
	    .more = "Without --service it is a login by the service \"" REQUEST_DEFAULT_SERVICE "\".",
	};
	int r;

	request_add_options(&options, &request);
	r = options_parse(&options, argc, argv);
	if (r != OPTIONS_GO_ON)
		return r;
	if (optind + 1 != argc)
		return options_usage(&options, argv[0], "one USER is wanted");
	return plan(&request, argv[optind]);
}
