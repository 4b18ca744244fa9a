/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nsclone enter: into a user's world as that user; or, with --host, out of it (enter_host.c).
 *
 *   this process   asks name services, stays outside with the caller's terminal (terminal.c)
 *   its child      is a session of that world with the keeper, as long as it lives; stays outside, too: of the world's
 *                  namespaces it takes only that of process ids, which concerns only its own children
 *   and its child  enters the others, becomes the user, executes
 *
 * The last does between entering and becoming the user nothing but that. Whatever lies there is the user's: nothing of it
 * is opened, loaded or executed by root.
 */
#include "cmd/enter.h"

#include "cmd/alloc.h"
#include "cmd/cmd.h"
#include "cmd/held.h"
#include "cmd/options.h"
#include "cmd/run.h"
#include "cmd/terminal.h"
#include "lib/core/sys.h"
#include "lib/session/place.h"
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* The user namespace last: it takes away the right to the others. That of process ids is the parent's to enter. */
static const int ENTER_ORDER[] = {CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWNET, CLONE_NEWCGROUP, CLONE_NEWNS, CLONE_NEWUSER};

struct enter {
	struct run_user user;
	char *const *command;
	uint64_t world; /* 0: the newest */
	const char *caller;
	bool own_terminal;
	struct keeper_fds fds;
	uint64_t types; /* of fds, what this process is not in */
};

static int fail(const char *what, int r)
{
	fprintf(stderr, "nsclone enter: %s%s%s\n", what, r < 0 ? ": " : "", r < 0 ? strerror(-r) : "");
	return RUN_FAILED;
}

/* ---- In the last child --------------------------------------------------------------------------------------------- */

static int enter_rest(const struct enter *enter)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(ENTER_ORDER) / sizeof(*ENTER_ORDER); i++)
		if (enter->types & (uint64_t)ENTER_ORDER[i])
			r = nsclone_setns(enter->fds.ns[keeper_place(ENTER_ORDER[i])], ENTER_ORDER[i]);
	return r;
}

static int run_inside(void *argument)
{
	const struct enter *enter = argument;
	int r;

	setlocale(LC_ALL, "C"); /* NOLINT(concurrency-mt-unsafe): strerror(3) must not look for the world's translations */
	if (!enter->own_terminal && enter->user.subject->policy.uid != 0 && !terminal_leave())
		return fail("cannot give up the terminal", 0);
	prctl(PR_SET_DUMPABLE, 0); /* until exec: nobody in there may look at what is still root's */
	r = enter_rest(enter);
	return r < 0 ? fail("cannot enter the world: setns", r)
		     : run_exec(&enter->user, enter->command, true); /* what terminal is left is the user's */
}

/* ---- In its parent ------------------------------------------------------------------------------------------------- */

static void fill_session(const struct enter *enter, struct keeper_session *session)
{
	const char *tty = ttyname(STDIN_FILENO); /* NOLINT(concurrency-mt-unsafe): there is one thread */

	if (tty && strncmp(tty, "/dev/", 5) == 0)
		tty += 5;
	snprintf(session->service, sizeof(session->service), "%s", ENTER_SERVICE);
	snprintf(session->tty, sizeof(session->tty), "%s", tty ? tty : "");
	snprintf(session->from_user, sizeof(session->from_user), "%s", enter->caller);
}

/* To be a session of the world, and get its namespaces. It is one until this process ends. */
static int take(struct enter *enter, struct keeper_message *answer)
{
	cleanup_fd int pidfd = sys_pidfd_open(getpid());
	cleanup_fd int link = pidfd < 0 ? pidfd : keeper_connect_only();
	struct keeper_message request;
	int r = link < 0 ? link : 0;

	keeper_message_init(&request, KEEPER_TAKE);
	request.world = enter->world;
	request.uid = enter->user.subject->policy.uid;
	request.n_fds = 1;
	request.fds[0] = KEEPER_FD_PIDFD;
	fill_session(enter, &request.session);
	if (r == 0)
		r = sys_random(&request.session.id, sizeof(request.session.id));
	if (r == 0)
		r = keeper_ask(link, &request, &pidfd, answer, &enter->fds);
	return r < 0 ? r : answer->type == KEEPER_HELD ? 0 : -EPROTO;
}

static int take_and_run(void *argument, bool own_terminal)
{
	struct keeper_message answer = {0};
	struct enter *enter = argument;
	int r;

	enter->own_terminal = own_terminal;
	r = take(enter, &answer);
	if (r < 0 && *answer.text)
		return fail(answer.text, 0);
	if (r < 0)
		return fail(held_why(r), 0);
	r = place_differs(enter->fds.ns, &enter->types, NULL); /* and are they what they should be? */
	if (r < 0)
		return fail("cannot look at the world's namespaces", r);
	if (enter->types & CLONE_NEWPID)
		r = nsclone_setns(enter->fds.ns[KEEPER_NS_PID], CLONE_NEWPID);
	if (r == -EINVAL)
		return fail("from inside a PID namespace no other can be entered: 'nsclone enter --host' leads out of it", 0);
	return r < 0 ? fail("cannot enter the world's PID namespace: setns", r) : run_and_wait(run_inside, enter);
}

/* ---- In the first process ------------------------------------------------------------------------------------------ */

static int find_world(struct enter *enter)
{
	const struct policy_subject *subject = &enter->user.subject->policy;
	const struct held_world *world;
	struct held held;
	int r = held_read(&held);

	world = r < 0 ? NULL : held_find(&held, subject->uid, enter->world);
	if (r < 0)
		fail(held_why(r), 0);
	else if (!world)
		fprintf(stderr, "nsclone enter: %s has no such world that could be entered\n", subject->user);
	else
		enter->world = world->about.world;
	held_done(&held);
	return world ? 0 : RUN_FAILED;
}

static int enter_world(struct enter *enter)
{
	uid_t uid = enter->user.subject->policy.uid;
	const struct passwd *caller = getpwuid(getuid()); /* NOLINT(concurrency-mt-unsafe): there is one thread */
	char *name = alloc_copy(caller ? caller->pw_name : "root");
	int status = find_world(enter);

	enter->caller = name;
	if (status == 0 && run_user_groups(&enter->user) < 0)
		status = fail("cannot look up the user's groups", 0);
	if (status == 0)
		status = uid == 0 ? take_and_run(enter, false) : terminal_run(uid, take_and_run, enter);
	keeper_fds_done(&enter->fds);
	free(enter->user.groups);
	free(name);
	return status;
}

static int enter_user(const char *name, uint64_t world, char *const *command)
{
	struct enter enter = {.command = command, .world = world, .fds = KEEPER_NO_FDS};
	const struct subject_items items = {.user = name, .service = ENTER_SERVICE};
	struct subject *subject = NULL;
	struct err err = {0};
	int status;

	if (subject_new(&items, &subject, &err) < 0)
		return fail(err.text, 0);
	enter.user.subject = subject;
	status = enter_world(&enter);
	subject_free(subject);
	return status;
}

/* ---- Words --------------------------------------------------------------------------------------------------------- */

struct words {
	bool host, root;
	const char *world;
};

/* getopt(3) puts the words before "--" behind it: how many there are after it must be asked before. */
static int count_after_dashes(int argc, char **argv)
{
	int i = 1;

	while (i < argc && strcmp(argv[i], "--") != 0)
		i++;
	return i < argc ? argc - i - 1 : 0;
}

static int enter_as_told(const struct words *words, uint64_t world, const char *user, char *const *command)
{
	uid_t uid = 0;
	int r;

	if (geteuid() != 0)
		return fail("only root can", 0);
	if (!words->host)
		return enter_user(user, world, command);
	r = words->root ? 0 : user ? held_uid(user, &uid) : enter_caller(&uid);
	if (r == -ENOENT && user)
		return fail("there is no such user", 0);
	return r < 0 ? fail("cannot find out who the user is", r) : enter_host(uid, command);
}

static int take_words(const struct options *options, const struct words *words, int n_command, int argc, char **argv)
{
	const char *user = argc - optind > n_command ? argv[optind++] : NULL;
	uint64_t world = 0;

	if (words->world && words->host)
		return options_usage(options, argv[0], "--world and --host exclude each other");
	if (words->world && !held_parse_id(words->world, &world))
		return options_usage(options, argv[0], "%s is no world's id", words->world);
	if (!words->host && words->root)
		return options_usage(options, argv[0], "--root goes with --host");
	if (!words->host && !user)
		return options_usage(options, argv[0], "USER is wanted");
	if (words->root && user)
		return options_usage(options, argv[0], "--root and USER exclude each other");
	return enter_as_told(words, world, user, argv + optind);
}

int cmd_enter(int argc, char **argv)
{
	struct words words = {0};
	struct options options = {
	    .words = "USER [-- COMMAND [ARGUMENT ...]]\n"
		     "       nsclone enter --host [--root | USER] [-- COMMAND [ARGUMENT ...]]",
	    .about = "Run COMMAND, or the login shell, as USER in USER's world; or on the host, from wherever this is run: as\n"
		     "root, as USER, or as whoever has logged in here. Only root can.",
	    .more = "The exit status is COMMAND's; 125 when nsclone itself fails; 126 and 127 when COMMAND cannot be executed\n"
		    "or found; 128 and its number when a signal ended it.",
	    .usage_status = RUN_FAILED,
	};
	int n_command = count_after_dashes(argc, argv), r;

	if (run_keep_standard_streams() < 0)
		return RUN_FAILED;
	options_add(&options, (struct options_row){"world", 'w', "ID", "this one, as list names it; else the newest", NULL,
						   &words.world});
	options_add(&options, (struct options_row){"host", 0, NULL, "on the host, not in a world", &words.host, NULL});
	options_add(&options, (struct options_row){"root", 0, NULL, "with --host: as root", &words.root, NULL});
	r = options_parse(&options, argc, argv);
	return r != OPTIONS_GO_ON ? r : take_words(&options, &words, n_command, argc, argv);
}
