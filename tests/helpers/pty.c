/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pty: run a command on a terminal of its own and talk to it, for programs that insist on one (login, passwd prompts).
 *
 * usage: pty [-t SECONDS] [-e TEXT -s TEXT]... -- COMMAND...
 *
 * Each -e waits until TEXT has appeared since the last answer, the -s after it is then typed (with a newline). What the
 * command writes goes to stdout, the exit status is its own; 124 when the time is up, 123 when a -e never appeared.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { MAX_STEPS = 32, BUFFER = 1 << 18, EXIT_NEVER = 123, EXIT_TIME = 124, EXIT_TROUBLE = 125 };

static struct step {
	const char *expect, *send;
} steps[MAX_STEPS];

static int n_steps;
static char seen[BUFFER];
static size_t n_seen, answered;

static void die(const char *what)
{
	perror(what);
	_exit(EXIT_TROUBLE);
}

static pid_t spawn(int master, char **command)
{
	pid_t pid = fork();
	int slave;

	if (pid != 0)
		return pid;
	setsid();
	slave = open(ptsname(master), O_RDWR);
	if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
		die("terminal");
	for (int i = 0; i < 3; i++)
		dup2(slave, i);
	if (slave > 2)
		close(slave);
	execvp(command[0], command);
	die(command[0]);
	return -1;
}

/* Type the answer whose turn it is, as soon as what it waits for is there. Returns how many steps are done. */
static int answer(int master, int done)
{
	const struct step *step = &steps[done];

	if (done >= n_steps || (step->expect != NULL && strstr(seen + answered, step->expect) == NULL))
		return done;
	answered = n_seen;
	if (step->send != NULL && (write(master, step->send, strlen(step->send)) < 0 || write(master, "\n", 1) < 0))
		die("write");
	return done + 1;
}

/* Nobody has the terminal open: that is the end, or login(1) between vhangup(2) and opening it again. */
static int is_over(pid_t pid, int *ret_status)
{
	usleep(20000);
	return waitpid(pid, ret_status, WNOHANG) == pid;
}

/* Returns how many steps are done, -1 when the time is up; *ret_status is set where *ret_over is. */
static int converse(int master, time_t deadline, pid_t pid, int *ret_over, int *ret_status)
{
	struct pollfd ready = { .fd = master, .events = POLLIN };
	int done = answer(master, 0);
	ssize_t n;

	while (time(NULL) <= deadline) {
		if (poll(&ready, 1, 200) <= 0)
			continue;
		n = read(master, seen + n_seen, sizeof(seen) - 1 - n_seen);
		if (n <= 0) {
			*ret_over = is_over(pid, ret_status);
			if (*ret_over)
				return done;
			continue;
		}
		if (write(STDOUT_FILENO, seen + n_seen, (size_t)n) < 0)
			return done;
		n_seen += (size_t)n;
		if (n_seen >= sizeof(seen) - 1)
			n_seen = answered = 0;
		seen[n_seen] = '\0';
		done = answer(master, done);
	}
	return -1;
}

static void add(int c, const char *text)
{
	if (c == 'e' || n_steps == 0 || steps[n_steps - 1].send != NULL) {
		if (n_steps == MAX_STEPS)
			exit(EXIT_TROUBLE);
		n_steps++;
	}
	*(c == 'e' ? &steps[n_steps - 1].expect : &steps[n_steps - 1].send) = text;
}

int main(int argc, char **argv)
{
	int seconds = 30, c, status = 0, over = 0, done, master;
	pid_t pid;

	while ((c = getopt(argc, argv, "+t:e:s:")) != -1) {
		if (c == 't')
			seconds = atoi(optarg);
		else if (c == 'e' || c == 's')
			add(c, optarg);
		else
			return EXIT_TROUBLE;
	}
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (optind >= argc || master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		die("pty");
	pid = spawn(master, argv + optind);
	done = converse(master, time(NULL) + seconds, pid, &over, &status);
	if (done < 0)
		kill(-pid, SIGKILL);
	while (!over && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (done < 0)
		return EXIT_TIME;
	if (done < n_steps)
		return EXIT_NEVER;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
