/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nsclone run: a command, or the user's shell, in just what a login of that user would get, by the call that the PAM
 * module makes. It does not log in: no PAM stack, no utmp, no password is asked. So it is root's alone, for trying a
 * policy and for running something as if the user had.
 */
#include "cmd/run.h"

#include "cmd/cmd.h"
#include "cmd/request.h"
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int own_failure(const char *text)
{
	fprintf(stderr, "nsclone run: %s\n", text);
	return RUN_FAILED;
}

/* 0: run it. Otherwise what stands in the way is said, and the exit status returned. */
static int judge(int outcome, const struct login *login, const struct err *err)
{
	char text[1400], buffer[1600];

	switch (outcome) {
	case 0:
		return 0;
	case LOGIN_WARNED:
	case LOGIN_RESCUED:
		fprintf(stderr, "nsclone run: warning: NOT ISOLATED, by %s: %s\n",
			outcome == LOGIN_WARNED ? "OnFailure=warn" : "rescue=", request_error(err, text, sizeof(text)));
		return 0;
	case POLICY_NO_MATCH:
	case LOGIN_LEFT_ALONE:
		fprintf(stderr, "nsclone run: note: %s\n",
			request_outcome(outcome, login, err, buffer, sizeof(buffer)));
		return 0;
	case POLICY_REFUSE:
		return own_failure(request_outcome(outcome, login, err, buffer, sizeof(buffer)));
	default:
		return own_failure(request_error(err, text, sizeof(text)));
	}
}

/* In place where nothing has to be done afterwards; else it is waited for. */
static int execute(struct login *login, const struct run_user *user, char *const *command)
{
	struct err err = {0};
	int status;

	if (!login->session || !session_leaves_traces(login->session)) {
		login->session = session_forget(login->session);
		return run_exec(user, command);
	}
	status = run_and_wait(user, command);
	if (session_close(login->session, &err) < 0)
		fprintf(stderr, "nsclone run: closing the session: %s\n", err.text);
	login->session = NULL;
	return status;
}

static int run_as(const struct request *request, const struct run_user *user, char *const *command)
{
	struct login login = {0};
	struct err err = {0};
	int outcome, status;

	outcome = login_open(&request->login, &login, &err);
	if (*login.trial)
		fprintf(stderr, "nsclone run: note: rules on trial: %s\n", login.trial);
	status = judge(outcome, &login, &err);
	if (status == 0)
		status = execute(&login, user, command);
	login_done(&login);
	return status;
}

static int run(const struct request_options *options, const char *name, char *const *command)
{
	struct request request;
	struct subject *subject = NULL;
	struct run_user user = {0};
	struct err err = {0};
	char text[1400];
	int status, r;

	request_fill(options, name, options->service ? options->service : REQUEST_DEFAULT_SERVICE, &request);
	r = subject_new(&request.login.items, &subject, &err);
	user.subject = subject;
	if (r < 0)
		status = own_failure(request_error(&err, text, sizeof(text)));
	else if (run_user_groups(&user) < 0)
		status = own_failure("cannot look up the user's groups");
	else
		status = run_as(&request, &user, command);
	free(user.groups);
	subject_free(subject);
	request_done(&request);
	return status;
}

int cmd_run(int argc, char **argv)
{
	struct request_options request = {0};
	struct options options = {
	    .words = "USER [-- COMMAND [ARGUMENT ...]]",
	    .about =
		"Run COMMAND, or the login shell, as USER and in just what a login of USER would get. Only root can.",
	    .more =
		"Without --service it is a login by the service \"" REQUEST_DEFAULT_SERVICE "\". The exit status is\n"
		"COMMAND's; 125 when nsclone itself fails or the policy refuses; 126 and 127 when COMMAND cannot be\n"
		"executed or found; 128 and its number when a signal ended it.",
	    .usage_status = RUN_FAILED,
	};
	int r = run_keep_standard_streams();

	if (r < 0)
		return RUN_FAILED;
	request_add_options(&options, &request);
	r = options_parse(&options, argc, argv);
	if (r != OPTIONS_GO_ON)
		return r;
	if (optind >= argc)
		return options_usage(&options, argv[0], "USER is wanted");
	if (geteuid() != 0)
		return own_failure("only root can become another user and make namespaces");
	return run(&request, argv[optind], argv + optind + 1);
}
