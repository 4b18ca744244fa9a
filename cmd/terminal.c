/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The making of a terminal of its own. See terminal.h.
 *
 *   this process     stays with the caller's terminal: proxy.c
 *   its child        setsid(2), TIOCSCTTY; leads the session on the pty, starts what is to be run and waits for it
 *   what is run      a process group of its own in the foreground of the pty, so that it can be stopped from there
 */
#include "cmd/terminal.h"

#include "cmd/proxy.h"
#include "cmd/run.h"
#include "lib/core/sys_child.h"
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

int terminal_led(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (tcgetsid(fd) == getpid())
			return fd;
	return -1;
}

/* For one who leads the session TIOCNOTTY would hang up on everybody in it. */
bool terminal_leave(void)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	bool left = fd < 0 || (getsid(0) != getpid() && ioctl(fd, TIOCNOTTY) == 0);

	if (fd >= 0)
		close(fd);
	return left;
}

static int take(int slave)
{
	bool terminals[3];

	for (int fd = 0; fd <= 2; fd++)
		terminals[fd] = isatty(fd);
	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
		return -errno;
	for (int fd = 0; fd <= 2; fd++)
		if (terminals[fd] && dup2(slave, fd) < 0)
			return -errno;
	close(slave);
	return 0;
}

static int run_there(int slave, terminal_function *function, void *argument)
{
	int r = take(slave);

	if (r < 0) {
		errno = -r;
		warn("cannot take a terminal");
		return RUN_FAILED;
	}
	return function(argument, true);
}

static int run_on(int master, int slave, terminal_function *function, void *argument)
{
	struct proxy proxy = {.master = master, .in = isatty(0) ? 0 : -1, .out = isatty(1) ? 1 : proxy_terminal(), .link = -1};
	struct sigaction inherited;
	int status;

	fflush(NULL);
	/* An ignored SIGCHLD reaps by itself, and there is no status to pass on. */
	sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, &inherited);
	proxy.child = fork();
	if (proxy.child == 0) {
		sigaction(SIGCHLD, &inherited, NULL);
		close(master);
		status = run_there(slave, function, argument);
		fflush(NULL);
		_exit(status);
	}
	close(slave);
	if (proxy.child < 0) {
		warn("cannot fork");
		close(master);
		return RUN_FAILED;
	}
	return proxy_run(&proxy);
}

int terminal_run(uid_t owner, terminal_function *function, void *argument)
{
	int terminal = proxy_terminal(), master, slave, r;

	if (terminal < 0)
		return function(argument, false);
	r = sys_open_terminal(&master, &slave);
	if (r == 0 && fchown(slave, owner, (gid_t)-1) < 0)
		r = -errno;
	if (r < 0) {
		errno = -r;
		warn("cannot make a terminal");
		return RUN_FAILED;
	}
	proxy_copy_settings(terminal, slave, isatty(0));
	return run_on(master, slave, function, argument);
}
