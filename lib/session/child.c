/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A child of the very daemon, because only there SELinux, seccomp and the hardening of its unit show. Its exit signal
 * is 0: the daemon's wait(2) and SIGCHLD handler never hear of it.
 */
#include "lib/session/child.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include "lib/core/sys.h"

struct task {
	child_function *f;
	const void *argument;
	int to_parent;
};

struct outcome {
	int result;
	struct err err;
};

static int in_child(void *argument)
{
	const struct task *task = argument;
	struct outcome outcome;

	memset(&outcome, 0, sizeof(outcome));
	outcome.result = task->f(task->argument, &outcome.err);
	return sys_write(task->to_parent, &outcome, sizeof(outcome)) == (ssize_t)sizeof(outcome) ? 0 : 1;
}

static int receive(int fd, int ms, struct err *err)
{
	struct outcome outcome;
	ssize_t n = sys_wait_readable(fd, ms);

	if (n == 0)
		return err_set(err, -ETIMEDOUT, "no answer within %d seconds", ms / 1000);
	if (n > 0)
		n = sys_read(fd, &outcome, sizeof(outcome));
	if (n != (ssize_t)sizeof(outcome))
		return err_set(err, n < 0 ? (int)n : -EPIPE, "the child that was to find out died");
	*err = outcome.err;
	return outcome.result;
}

pid_t child_clone(int (*function)(void *argument), void *argument, uint64_t flags, struct nsclone_child *ret,
		  struct nsclone_error *err)
{
	const struct nsclone_clone_args args = {.flags = flags};
	uint64_t blocked;
	pid_t pid;

	sys_block_signals(&blocked);
	pid = nsclone_clone(function, argument, &args, ret, err);
	sys_restore_signals(blocked);
	return pid;
}

int child_run(child_function *f, const void *argument, int ms, struct err *err)
{
	struct task task = {.f = f, .argument = argument};
	struct nsclone_error core = {0};
	struct nsclone_child child;
	int fds[2], r = nsclone_unshare(CLONE_THREAD);
	pid_t pid;

	if (r < 0) /* the child would have one of the threads only, and perhaps another's locks */
		return err_set(err, r, "this process has threads, of which one alone cannot be isolated");
	r = sys_pipe(fds);
	if (r < 0)
		return err_set(err, r, "cannot make a pipe");
	task.to_parent = fds[1];
	pid = child_clone(in_child, &task, 0, &child, &core);
	sys_close(fds[1]);
	if (pid > 0) {
		r = receive(fds[0], ms, err);
		sys_kill(pid, SIGKILL); /* it has nothing more to do, or hangs; it is not reaped yet, so the id is its own */
		nsclone_wait(&child, 0, NULL);
	} else {
		r = err_core(err, (int)pid, &core, "cannot make a child");
	}
	sys_close(fds[0]);
	return r;
}
