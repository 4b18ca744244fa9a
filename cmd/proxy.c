/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loop between a terminal and a pty. See proxy.h.
 *
 * One buffer each way, so that whoever does not read stops only whoever writes to him. All signals come by signalfd(2): none
 * interrupts anything. In the background the terminal is left alone: neither read nor set.
 */
#include "cmd/proxy.h"

#include "cmd/run.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 1024, LOOK_MS = 200, DRAIN_MS = 2000 };

struct buffer {
	char bytes[CHUNK];
	size_t used;
};

struct loop {
	const struct proxy *proxy;
	int signals;
	struct termios settings; /* of the terminal, before */
	bool is_terminal;        /* proxy->in */
	bool foreground;
	bool raw;
	bool in_ended;
	bool out_ended;
	bool hung;               /* nobody has the pty open: it is looked at again after a while */
	bool at_line;            /* what was typed last was a whole line */
	bool ended;
	int status;
	struct buffer typed, shown;
};

int proxy_terminal(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (isatty(fd))
			return fd;
	return -1;
}

static void copy_size(int from, int to)
{
	struct winsize size;

	if (ioctl(from, TIOCGWINSZ, &size) == 0)
		ioctl(to, TIOCSWINSZ, &size);
}

void proxy_copy_settings(int terminal, int pty, bool typed)
{
	struct termios settings;

	if (tcgetattr(terminal >= 0 ? terminal : pty, &settings) < 0)
		return;
	if (!typed) {
		settings.c_oflag &= ~(tcflag_t)OPOST; /* a terminal behind it does that, or there is none */
		settings.c_lflag &= ~(tcflag_t)ECHO;
	}
	tcsetattr(pty, TCSANOW, &settings);
	if (terminal >= 0)
		copy_size(terminal, pty);
}

/* ---- The terminal -------------------------------------------------------------------------------------------------- */

static void restore(struct loop *loop)
{
	if (loop->raw)
		tcsetattr(loop->proxy->in, TCSADRAIN, &loop->settings);
	loop->raw = false;
}

/* A terminal that is not ours to ask about has no foreground. */
static void look_at_foreground(struct loop *loop)
{
	struct termios raw;
	pid_t group;

	if (!loop->is_terminal)
		return;
	group = tcgetpgrp(loop->proxy->in);
	loop->foreground = group < 0 || group == getpgrp();
	if (!loop->foreground)
		loop->raw = false; /* the shell has set it back */
	if (!loop->foreground || loop->raw || tcgetattr(loop->proxy->in, &loop->settings) < 0)
		return;
	raw = loop->settings;
	cfmakeraw(&raw);
	loop->raw = tcsetattr(loop->proxy->in, TCSADRAIN, &raw) == 0;
}

static void stop(struct loop *loop)
{
	restore(loop);
	kill(getpid(), SIGSTOP);
	look_at_foreground(loop);
	if (loop->is_terminal)
		copy_size(loop->proxy->in, loop->proxy->master);
}

/* ---- The end ------------------------------------------------------------------------------------------------------- */

static void end(struct loop *loop, int status)
{
	loop->ended = true;
	loop->status = status;
}

static void look_at_child(struct loop *loop)
{
	int status;

	while (loop->proxy->child && !loop->ended && waitpid(loop->proxy->child, &status, WNOHANG | WUNTRACED) > 0) {
		if (!WIFSTOPPED(status)) {
			end(loop, run_status(status));
			return;
		}
		stop(loop);
		kill(loop->proxy->child, SIGCONT); /* we were told to go on */
	}
}

/* A signal for us is one for what runs there. */
static void pass_on(struct loop *loop, int signal)
{
	if (loop->proxy->child)
		kill(loop->proxy->child, signal);
	else if (signal == SIGINT || signal == SIGQUIT)
		ioctl(loop->proxy->master, TIOCSIG, signal);
	else if (signal == SIGTERM || signal == SIGHUP)
		end(loop, RUN_SIGNAL + signal); /* the pty's end tells the others */
}

static void take_signal(struct loop *loop)
{
	struct signalfd_siginfo info;

	if (read(loop->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGCHLD:
		look_at_child(loop);
		break;
	case SIGCONT:
		look_at_foreground(loop);
		break;
	case SIGTSTP:
		stop(loop);
		break;
	case SIGWINCH:
		copy_size(loop->is_terminal ? loop->proxy->in : loop->proxy->out, loop->proxy->master);
		break;
	default:
		pass_on(loop, (int)info.ssi_signo);
	}
}

/* ---- Bytes --------------------------------------------------------------------------------------------------------- */

/* Nobody types any more: it reads the end of a file. In the middle of a line that takes two. */
static void type_end(struct loop *loop)
{
	struct termios settings;

	if (tcgetattr(loop->proxy->master, &settings) < 0)
		return;
	for (int i = loop->at_line; i < 2; i++)
		loop->typed.bytes[loop->typed.used++] = (char)settings.c_cc[VEOF];
}

static void read_in(struct loop *loop)
{
	ssize_t n = read(loop->proxy->in, loop->typed.bytes, CHUNK);

	if (n > 0) {
		loop->typed.used = (size_t)n;
		loop->at_line = loop->typed.bytes[n - 1] == '\n';
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	look_at_foreground(loop);
	if (loop->is_terminal && !loop->foreground)
		return; /* it was put into the background in between */
	loop->in_ended = true;
	if (loop->is_terminal)
		pass_on(loop, SIGHUP);
	else
		type_end(loop);
}

static bool write_some(int fd, struct buffer *buffer)
{
	ssize_t n = write(fd, buffer->bytes, buffer->used);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	buffer->used -= (size_t)n;
	memmove(buffer->bytes, buffer->bytes + n, buffer->used);
	return true;
}

static void write_out(struct loop *loop)
{
	if (write_some(loop->proxy->out, &loop->shown))
		return;
	loop->out_ended = true; /* nobody wants to see it: as if the terminal had gone */
	loop->shown.used = 0;
	pass_on(loop, SIGHUP);
}

static bool read_master(struct loop *loop)
{
	ssize_t n = read(loop->proxy->master, loop->shown.bytes, CHUNK);

	if (n > 0)
		loop->shown.used = loop->out_ended ? 0 : (size_t)n;
	loop->hung = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
	return n > 0;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What was written before the end is shown; what others go on writing is not waited for. */
static void drain(struct loop *loop)
{
	int64_t deadline = now_ms() + DRAIN_MS;

	do {
		while (loop->shown.used && now_ms() < deadline) {
			struct pollfd out = {.fd = loop->proxy->out, .events = POLLOUT};

			if (poll(&out, 1, LOOK_MS) > 0 && !write_some(loop->proxy->out, &loop->shown))
				return;
		}
	} while (now_ms() < deadline && read_master(loop));
}

/* ---- The loop ------------------------------------------------------------------------------------------------------ */

enum { SIGNALS, LINK, MASTER, IN, OUT, N_POLLED };

static short master_events(const struct loop *loop)
{
	return (short)((loop->shown.used ? 0 : POLLIN) | (loop->typed.used ? POLLOUT : 0));
}

static void wait_for_something(struct loop *loop, struct pollfd *polled)
{
	const struct proxy *proxy = loop->proxy;
	bool reads = !loop->in_ended && loop->typed.used == 0 && (loop->foreground || !loop->is_terminal);
	bool looks = loop->hung || (loop->is_terminal && !loop->foreground);

	polled[SIGNALS] = (struct pollfd){.fd = loop->signals, .events = POLLIN};
	polled[LINK] = (struct pollfd){.fd = proxy->link, .events = POLLIN};
	polled[MASTER] = (struct pollfd){.fd = proxy->master, .events = master_events(loop)};
	if (loop->hung || !polled[MASTER].events)
		polled[MASTER].fd = -1; /* that nobody has it open would be told again and again */
	polled[IN] = (struct pollfd){.fd = reads ? proxy->in : -1, .events = POLLIN};
	polled[OUT] = (struct pollfd){.fd = loop->shown.used ? proxy->out : -1, .events = POLLOUT};
	poll(polled, N_POLLED, looks ? LOOK_MS : -1);
	if (looks) { /* `fg` need not tell us */
		loop->hung = false;
		look_at_foreground(loop);
	}
}

static void turn(struct loop *loop)
{
	struct pollfd polled[N_POLLED];

	wait_for_something(loop, polled);
	if (polled[SIGNALS].revents)
		take_signal(loop);
	if (!loop->ended && polled[LINK].revents)
		loop->ended = loop->proxy->heard(loop->proxy->argument, &loop->status);
	if (polled[OUT].revents)
		write_out(loop);
	if ((polled[MASTER].revents & POLLOUT) && !write_some(loop->proxy->master, &loop->typed))
		loop->typed.used = 0;
	if ((polled[MASTER].revents & (POLLIN | POLLHUP | POLLERR)) && loop->shown.used == 0)
		read_master(loop);
	if (polled[IN].revents)
		read_in(loop);
}

static void block_signals(sigset_t *before, int *ret)
{
	static const int ours[] = {SIGCHLD, SIGCONT, SIGTSTP, SIGWINCH, SIGTERM, SIGHUP,
				   SIGINT,  SIGQUIT, SIGUSR1, SIGUSR2};
	static const int never[] = {SIGPIPE, SIGTTOU, SIGTTIN};
	sigset_t signals;

	sigemptyset(&signals);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigaddset(&signals, ours[i]);
	*ret = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		sigaddset(&signals, never[i]);
	sigprocmask(SIG_BLOCK, &signals, before);
}

int proxy_run(const struct proxy *proxy)
{
	struct loop loop = {.proxy = proxy, .status = RUN_FAILED, .at_line = true};
	sigset_t before;

	loop.is_terminal = proxy->in >= 0 && isatty(proxy->in);
	loop.in_ended = proxy->in < 0;
	fcntl(proxy->master, F_SETFL, fcntl(proxy->master, F_GETFL) | O_NONBLOCK);
	block_signals(&before, &loop.signals);
	look_at_foreground(&loop);
	look_at_child(&loop);
	while (!loop.ended && loop.signals >= 0)
		turn(&loop);
	drain(&loop);
	restore(&loop);
	close(loop.signals);
	close(proxy->master);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return loop.status;
}
