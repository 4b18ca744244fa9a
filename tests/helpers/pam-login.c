/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pam-login: what a login daemon does, reduced to libpam. It opens a session, runs a command in it as the user (fork,
 * initgroups, setgid, setuid, chdir to what the module left, exec), closes it, and says what libpam answered, one line
 * each: "open 0 Success", "message error TEXT", "exit 7", "close 0 Success". And it plays what daemons do wrong.
 *
 * usage: pam-login [option...] USER [-- COMMAND...]
 */
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "tests/helpers/guest.h"

enum { EXIT_REFUSED = 111, EXIT_TROUBLE = 112 };

static struct options {
	const char *service, *confdir, *rhost, *tty, *ruser, *second, *chroot, *before, *inside, *between, *after, *directory;
	const char *wait_for;
	int flags, times, parallel;
	bool close_twice, never_close, close_as_user, threaded, kill_self, guest, quiet, no_open, last_first;
} opt = { .service = "nsctest", .times = 1, .parallel = 1 };

static const struct option long_options[] = {
	{ "service", required_argument, NULL, 's' },
	{ "confdir", required_argument, NULL, 'd' },
	{ "rhost", required_argument, NULL, 'r' },
	{ "tty", required_argument, NULL, 't' },
	{ "ruser", required_argument, NULL, 'u' },
	{ "silent", no_argument, NULL, 'S' },
	{ "times", required_argument, NULL, 'n' },
	{ "parallel", required_argument, NULL, 'P' },
	{ "close-twice", no_argument, NULL, '2' },
	{ "never-close", no_argument, NULL, 'E' },         /* pam_end() alone */
	{ "close-as-user", no_argument, NULL, 'C' },       /* in a child that has become the user, as systemd does */
	{ "second", required_argument, NULL, 'H' },        /* another handle, for this user, open at the same time */
	{ "last-first", no_argument, NULL, 'L' },          /* the second handle is closed first */
	{ "threaded", no_argument, NULL, 'T' },
	{ "chroot", required_argument, NULL, 'c' },
	{ "directory", required_argument, NULL, 'w' },     /* be there before the session is opened */
	{ "kill", no_argument, NULL, 'K' },                /* SIGKILL instead of close */
	{ "no-open", no_argument, NULL, 'O' },             /* close without open */
	{ "guest", no_argument, NULL, 'g' },               /* what of the process has changed? */
	{ "quiet", no_argument, NULL, 'q' },
	{ "before", required_argument, NULL, 'b' },        /* sh -c as root, in the process's namespaces: before open, */
	{ "inside", required_argument, NULL, 'i' },        /* after open, */
	{ "between", required_argument, NULL, 'B' },       /* after the first close of two handles, */
	{ "after", required_argument, NULL, 'a' },         /* after close */
	{ "wait-for", required_argument, NULL, 'W' },      /* all parallel logins open at once when FILE is gone */
	{ NULL, 0, NULL, 0 },
};

static void say(const char *what, int code, const char *text)
{
	if (!opt.quiet || code != 0)
		dprintf(STDOUT_FILENO, "%s %d %s\n", what, code, text);
}

static void die(const char *what)
{
	perror(what);
	_exit(EXIT_TROUBLE);
}

/* For strace: where in its list of system calls does the module's work begin and end? */
static void mark(const char *what)
{
	char path[64];

	snprintf(path, sizeof(path), "/mark/%s", what);
	if (access(path, F_OK) == 0)
		die(path);
}

/* Prompts get an empty answer: nothing in a session's life may ask. */
static int converse(int n, const struct pam_message **messages, struct pam_response **ret, void *arg)
{
	(void)arg;
	*ret = calloc((size_t)n, sizeof(**ret));
	for (int i = 0; i < n && *ret != NULL; i++) {
		int style = messages[i]->msg_style;
		const char *kind = style == PAM_ERROR_MSG ? "error" : style == PAM_TEXT_INFO ? "info" : "prompt";

		dprintf(STDOUT_FILENO, "message %s %s\n", kind, messages[i]->msg);
		if (style != PAM_ERROR_MSG && style != PAM_TEXT_INFO)
			(*ret)[i].resp = calloc(1, 1);
	}
	return *ret == NULL ? PAM_BUF_ERR : PAM_SUCCESS;
}

static int start(const char *user, pam_handle_t **ret)
{
	static const struct pam_conv conversation = { .conv = converse };
	const struct {
		int item;
		const char *value;
	} items[] = { { PAM_RHOST, opt.rhost }, { PAM_TTY, opt.tty }, { PAM_RUSER, opt.ruser } };
	int r;

	if (opt.confdir != NULL)
		r = pam_start_confdir(opt.service, user, &conversation, opt.confdir, ret);
	else
		r = pam_start(opt.service, user, &conversation, ret);
	for (size_t i = 0; i < sizeof(items) / sizeof(*items) && r == PAM_SUCCESS; i++)
		if (items[i].value != NULL)
			r = pam_set_item(*ret, items[i].item, items[i].value);
	if (r != PAM_SUCCESS)
		say("start", r, *ret == NULL ? "pam_start" : pam_strerror(*ret, r));
	return r;
}

static int wait_status(pid_t pid)
{
	int status = 0;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void shell(const char *command)
{
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		die("sh");
	}
	wait_status(pid);
}

static void become(const char *user)
{
	const struct passwd *pw = getpwnam(user);

	if (pw == NULL)
		die(user);
	if (geteuid() == 0 && getenv("PAM_LOGIN_ONE_UID") == NULL && initgroups(user, pw->pw_gid) < 0)
		die("initgroups");
	if (setgid(pw->pw_gid) < 0 || setuid(pw->pw_uid) < 0)
		die("setuid");
}

static int run_as_user(pam_handle_t *handle, const char *user, char **command)
{
	pid_t pid = fork();

	if (pid != 0)
		return wait_status(pid);
	become(user);
	for (char **item = pam_getenvlist(handle); item != NULL && *item != NULL; item++)
		putenv(*item);
	execvp(command[0], command);
	die(command[0]);
	return 0;
}

/* systemd's (sd-pam): drops to the user first, closes then. Its libpam data is a copy of the parent's. */
static void close_as_user(pam_handle_t *handle, const char *user)
{
	pid_t pid = fork();

	if (pid == 0) {
		become(user);
		say("close-as-user", pam_close_session(handle, opt.flags), "");
		_exit(pam_end(handle, PAM_SUCCESS | PAM_DATA_SILENT));
	}
	wait_status(pid);
}

static void close_one(pam_handle_t *handle, const char *user)
{
	int r = PAM_SUCCESS;

	if (opt.kill_self)
		raise(SIGKILL);
	if (opt.close_as_user)
		close_as_user(handle, user);
	for (int i = 0; i < 1 + opt.close_twice && !opt.never_close; i++) {
		mark("close");
		r = pam_close_session(handle, opt.flags);
		mark("closed");
		say("close", r, pam_strerror(handle, r));
	}
	r = pam_end(handle, r);
	if (r != PAM_SUCCESS)
		say("end", r, "");
}

static int refused(pam_handle_t *handle, int r)
{
	pam_end(handle, r);
	if (opt.after != NULL)
		shell(opt.after);
	return EXIT_REFUSED;
}

static int open_one(const char *user, pam_handle_t **ret)
{
	int r;

	if (start(user, ret) != PAM_SUCCESS)
		return EXIT_TROUBLE;
	if (opt.no_open)
		return 0;
	mark("open");
	r = pam_open_session(*ret, opt.flags);
	mark("opened");
	say("open", r, pam_strerror(*ret, r));
	return r == PAM_SUCCESS ? 0 : refused(*ret, r);
}

static int login_once(const char *user, char **command)
{
	pam_handle_t *handle = NULL, *second = NULL;
	int status = 0, r;

	if (opt.before != NULL)
		shell(opt.before);
	if (opt.guest) {
		syslog(LOG_AUTHPRIV | LOG_DEBUG, "here I am"); /* syslog(3) keeps a socket, which is not the module's */
		guest_look("start");
	}
	r = open_one(user, &handle);
	if (opt.guest)
		guest_look("open");
	if (r != 0)
		return r;
	if (opt.second != NULL && (r = open_one(opt.second, &second)) != 0)
		return r;
	if (opt.inside != NULL)
		shell(opt.inside);
	if (command[0] != NULL) {
		status = run_as_user(second != NULL ? second : handle, second != NULL ? opt.second : user, command);
		say("exit", status, "");
	}
	if (second != NULL && opt.last_first)
		close_one(second, opt.second);
	if (second != NULL && opt.last_first && opt.between != NULL)
		shell(opt.between);
	close_one(handle, user);
	if (second != NULL && !opt.last_first && opt.between != NULL)
		shell(opt.between);
	if (second != NULL && !opt.last_first)
		close_one(second, opt.second);
	if (opt.guest)
		guest_look("close");
	if (opt.after != NULL)
		shell(opt.after);
	return status;
}

static void *sleep_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static int login_times(const char *user, char **command)
{
	int worst = 0;

	while (opt.wait_for != NULL && access(opt.wait_for, F_OK) == 0)
		usleep(1000);
	for (int i = 0; i < opt.times; i++) {
		int r = login_once(user, command);

		if (r != 0)
			worst = r;
	}
	return worst;
}

static int login_parallel(const char *user, char **command)
{
	pid_t *pids = calloc((size_t)opt.parallel, sizeof(*pids));
	int worst = 0;

	for (int i = 0; i < opt.parallel; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(login_times(user, command));
	}
	for (int i = 0; i < opt.parallel; i++) {
		int r = wait_status(pids[i]);

		if (r != 0)
			worst = r;
	}
	free(pids);
	return worst;
}

static bool text_option(int c)
{
	const struct {
		int c;
		const char **where;
	} texts[] = {
		{ 's', &opt.service }, { 'd', &opt.confdir }, { 'r', &opt.rhost }, { 't', &opt.tty },
		{ 'u', &opt.ruser }, { 'H', &opt.second }, { 'c', &opt.chroot }, { 'w', &opt.directory },
		{ 'b', &opt.before }, { 'i', &opt.inside }, { 'B', &opt.between }, { 'a', &opt.after }, { 'W', &opt.wait_for },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (texts[i].c == c) {
			*texts[i].where = optarg;
			return true;
		}
	}
	return false;
}

static bool flag_option(int c)
{
	const struct {
		int c;
		bool *where;
	} flags[] = {
		{ '2', &opt.close_twice }, { 'E', &opt.never_close }, { 'C', &opt.close_as_user },
		{ 'L', &opt.last_first }, { 'T', &opt.threaded }, { 'K', &opt.kill_self },
		{ 'O', &opt.no_open }, { 'g', &opt.guest }, { 'q', &opt.quiet },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		if (flags[i].c == c) {
			*flags[i].where = true;
			return true;
		}
	}
	return false;
}

static void parse(int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "+s:d:r:t:u:Sn:P:2ECH:LTc:w:KOgqb:i:B:a:W:", long_options, NULL)) != -1) {
		if (text_option(c) || flag_option(c))
			continue;
		if (c == 'S')
			opt.flags |= PAM_SILENT;
		else if (c == 'n')
			opt.times = atoi(optarg);
		else if (c == 'P')
			opt.parallel = atoi(optarg);
		else
			exit(EXIT_TROUBLE);
	}
	if (optind >= argc) {
		fprintf(stderr, "usage: pam-login [option...] USER [-- COMMAND...]\n");
		exit(EXIT_TROUBLE);
	}
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char **command;

	parse(argc, argv);
	command = argv + optind + 1;
	if (command[0] != NULL && strcmp(command[0], "--") == 0)
		command++;
	if (opt.directory != NULL && chdir(opt.directory) < 0)
		die(opt.directory);
	if (opt.chroot != NULL && (chroot(opt.chroot) < 0 || chdir("/") < 0))
		die(opt.chroot);
	if (opt.threaded && pthread_create(&thread, NULL, sleep_for_ever, NULL) != 0)
		die("pthread_create");
	if (opt.parallel > 1)
		return login_parallel(argv[optind], command);
	return login_times(argv[optind], command);
}
