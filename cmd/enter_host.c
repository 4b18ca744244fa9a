/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nsclone enter --host: a shell on the host that the keeper starts, on a pty of its own. It is the keeper's child: so it works
 * from inside a PID namespace too, which nobody can leave, and nothing of the session that asked goes along but the words
 * and the name of the terminal's kind. Here is only its other end.
 */
#include "cmd/enter.h"

#include "cmd/held.h"
#include "cmd/proxy.h"
#include "cmd/run.h"
#include "lib/core/sys.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "nsclone enter: %s\n", what);
	return RUN_FAILED;
}

/* -1: there are none, it is to be a login shell. */
static int words_of(char *const *command, int *ret)
{
	int fd;

	*ret = -1;
	if (!command[0])
		return 0;
	fd = memfd_create("words", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (; *command; command++) {
		size_t size = strlen(*command) + 1;

		if (write(fd, *command, size) != (ssize_t)size) {
			close(fd);
			return -EIO;
		}
	}
	*ret = fd;
	return 0;
}

/* The terminal's master is in fds->terminal then. */
static int ask(int link, uid_t uid, int words, struct keeper_message *answer, struct keeper_fds *fds)
{
	const char *term = getenv("TERM");
	struct keeper_message request;
	int r;

	keeper_message_init(&request, KEEPER_SHELL);
	request.uid = uid;
	snprintf(request.text, sizeof(request.text), "%s", term ? term : "dumb");
	if (words >= 0)
		request.fds[request.n_fds++] = KEEPER_FD_ARGUMENTS;
	r = keeper_ask(link, &request, &words, answer, fds);
	return r < 0 ? r : answer->type == KEEPER_SHELL && fds->terminal >= 0 ? 0 : -EPROTO;
}

static bool heard(void *argument, int *status)
{
	const int *link = argument;
	struct keeper_message answer;
	int r = keeper_await(*link, 0, &answer, NULL);

	if (r == -ETIMEDOUT)
		return false;
	if (r == 0 && answer.type == KEEPER_EXITED) {
		*status = run_status(answer.error);
		return true;
	}
	fputs("nsclone enter: nsclone-keeper has hung up: the exit status is not known\r\n", stderr);
	*status = RUN_FAILED;
	return true;
}

/* The size last: the shell waits for it. */
static void set_terminal(int master)
{
	struct winsize size = {0};

	proxy_copy_settings(proxy_terminal(), master, isatty(0));
	if (ioctl(master, TIOCGWINSZ, &size) == 0 && size.ws_row == 0)
		ioctl(master, TIOCSWINSZ, &(struct winsize){.ws_row = 24, .ws_col = 80});
}

static int talk(int link, struct keeper_fds *fds)
{
	struct proxy proxy = {
		.in = 0, .out = 1, .link = link, .heard = heard, .argument = &link,
	};

	proxy.master = fds->terminal;
	fds->terminal = -1; /* proxy_run() closes it */
	set_terminal(proxy.master);
	return proxy_run(&proxy);
}

int enter_caller(uid_t *ret)
{
	cleanup_fd int fd = sys_open("/proc/self/loginuid", 0);
	char text[16] = "";
	ssize_t n = fd < 0 ? fd : sys_read(fd, text, sizeof(text) - 1);
	const char *sudo = getenv("SUDO_UID");

	if (n <= 0 || strcmp(text, "4294967295") == 0)
		snprintf(text, sizeof(text), "%s", sudo ? sudo : "0");
	return held_uid(text, ret);
}

int enter_host(uid_t uid, char *const *command)
{
	struct keeper_fds fds = KEEPER_NO_FDS;
	struct keeper_message answer = {0};
	cleanup_fd int words = -1, link = -1;
	int r = words_of(command, &words);

	if (r < 0)
		return fail("cannot pass on the command");
	r = link = keeper_connect();
	if (r >= 0)
		r = ask(link, uid, words, &answer, &fds);
	if (r < 0)
		return fail(*answer.text ? answer.text : held_why(r));
	return talk(link, &fds);
}
