/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nsclone run: a command, or the user's shell, in just what a login of that user would get, by the call that the PAM
 * module makes. It does not log in: no PAM stack, no utmp, no password is asked. So it is root's alone, for trying a
 * policy and for running something as if the user had.
 *
 * On a terminal it runs on one of its own (terminal.c): the user's program must not reach root's.
 */
#include "cmd/run.h"

#include "cmd/cmd.h"
#include "cmd/request.h"
#include "cmd/terminal.h"
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
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
	case LOGIN_RETURNED:
		fputs("nsclone run: note: nothing isolates this login, so it has left the session that it came from, for "
		      "the host\n",
		      stderr);
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

/* Everything about one run. */
struct run {
	const struct request *request;
	struct run_user user;
	char *const *command;
	bool own_terminal;
};

static int execute(void *argument)
{
	const struct run *run = argument;

	return run_exec(&run->user, run->command, run->own_terminal);
}

/* A PID namespace is entered by children only. */
static bool joins_pids(const struct login *login)
{
	const struct plan_step *steps;
	size_t n = login->plan ? plan_steps(login->plan, &steps) : 0;

	for (size_t i = 0; i < n; i++)
		if (steps[i].kind == PLAN_JOIN && steps[i].nstype == CLONE_NEWPID)
			return true;
	return false;
}

static bool wants_child(const struct run *run, const struct login *login)
{
	return (login->session && (session_leaves_traces(login->session) || joins_pids(login))) || run->own_terminal ||
	       !run_fits_here(&run->user);
}

/* In place where nothing has to be done afterwards; else it is waited for. */
static int run_inside(struct run *run, struct login *login)
{
	struct err err = {0};
	int status;

	if (!wants_child(run, login)) {
		login->session = session_forget(login->session);
		return execute(run);
	}
	status = run_and_wait(execute, run);
	if (login->session && session_close(login->session, &err) < 0)
		fprintf(stderr, "nsclone run: closing the session: %s\n", err.text);
	login->session = NULL;
	return status;
}

static int open_and_run(void *argument, bool own_terminal)
{
	struct run *run = argument;
	struct login login = {0};
	struct err err = {0};
	int outcome, status;

	run->own_terminal = own_terminal;
	outcome = login_open(&run->request->login, &login, &err);
	if (*login.trial)
		fprintf(stderr, "nsclone run: note: rules on trial: %s\n", login.trial);
	if (*login.note)
		fprintf(stderr, "nsclone run: note: %s\n", login.note);
	status = judge(outcome, &login, &err);
	if (status == 0)
		status = run_inside(run, &login);
	login_done(&login);
	return status;
}

static int run_user(struct run *run)
{
	uid_t uid = run->user.subject->policy.uid;

	/* root's own programs may have root's terminal */
	return uid == 0 ? open_and_run(run, false) : terminal_run(uid, open_and_run, run);
}

static int run(const struct request_options *options, const char *name, char *const *command)
{
	struct request request;
	struct subject *subject = NULL;
	struct run all = {.request = &request, .command = command};
	struct err err = {0};
	char text[1400];
	int status, r;

	request_fill(options, name, options->service ? options->service : REQUEST_DEFAULT_SERVICE, &request);
	r = subject_new(&request.login.items, &subject, &err);
	all.user.subject = subject;
	if (r < 0)
		status = own_failure(request_error(&err, text, sizeof(text)));
	else if (run_user_groups(&all.user) < 0)
		status = own_failure("cannot look up the user's groups");
	else
		status = run_user(&all);
	free(all.user.groups);
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
