/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Waiting for what is run, as su(1) does it. On the caller's terminal the command has our process group, so the terminal's
 * signals reach it by themselves and are not for us; on one of its own it is a group by itself. What is sent to us alone is
 * passed on; when it stops, so do we, and who waits for us in turn.
 */
#include "cmd/run.h"

#include "cmd/terminal.h"
#include <err.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
	pid_t pid;
	int terminal; /* ours to give it, or -1 */
};

/* 0: it goes on. */
static int look_at_child(const struct child *child, int *status)
{
	int wait_status;

	while (waitpid(child->pid, &wait_status, WNOHANG | WUNTRACED) == child->pid) {
		if (WIFSTOPPED(wait_status)) {
			kill(getpid(), SIGSTOP);
			kill(child->terminal >= 0 ? -child->pid : child->pid, SIGCONT); /* we were told to go on */
			continue;
		}
		*status = run_status(wait_status);
		return 1;
	}
	return 0;
}

/* The terminal's own INT and QUIT have reached the child already. */
static void pass_on(const struct child *child, const siginfo_t *info)
{
	if ((info->si_signo == SIGINT || info->si_signo == SIGQUIT) && info->si_code == SI_KERNEL)
		return;
	kill(child->pid, info->si_signo);
}

static int wait_for(const struct child *child, const sigset_t *signals)
{
	siginfo_t info;
	int status = RUN_FAILED;

	while (!look_at_child(child, &status)) {
		if (sigwaitinfo(signals, &info) > 0 && info.si_signo != SIGCHLD)
			pass_on(child, &info);
	}
	return status;
}

/* In the child and for it: whoever comes first. Who leads the session must not be stopped by SIGTTOU for it. */
static void to_foreground(int terminal, pid_t child)
{
	sigset_t ttou, before;

	if (terminal < 0)
		return;
	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	sigprocmask(SIG_BLOCK, &ttou, &before);
	setpgid(child, child);
	tcsetpgrp(terminal, child ? child : getpgrp());
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void block(sigset_t *ret, sigset_t *before)
{
	static const int ours[] = {SIGCHLD, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2};

	sigemptyset(ret);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigaddset(ret, ours[i]);
	sigprocmask(SIG_BLOCK, ret, before);
}

int run_status(int wait_status)
{
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : RUN_SIGNAL + WTERMSIG(wait_status);
}

int run_and_wait(run_function *function, void *argument)
{
	struct child child = {.terminal = terminal_led()};
	struct sigaction inherited;
	sigset_t signals, before;
	int status;

	block(&signals, &before);
	/* An ignored SIGCHLD reaps by itself, and there is no status to pass on. */
	sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, &inherited);
	child.pid = fork();
	if (child.pid == 0) {
		to_foreground(child.terminal, 0);
		sigaction(SIGCHLD, &inherited, NULL);
		sigprocmask(SIG_SETMASK, &before, NULL);
		_exit(function(argument));
	}
	if (child.pid < 0) {
		warn("cannot fork");
		status = RUN_FAILED;
	} else {
		to_foreground(child.terminal, child.pid);
		status = wait_for(&child, &signals);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return status;
}
