/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PLAN_USERS: a user namespace, made by a child that does nothing else, so that nothing has happened to the caller should
 * it fail. The maps are written by the caller, who has the rights to do so in the parent; user_namespaces(7).
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "lib/core/sys.h"
#include "lib/session/child.h"
#include "lib/session/run.h"

/* It is killed; or, should its parent be, the pipe ends. */
static int wait_for_end(void *argument)
{
	const int *pipe = argument;
	char end;

	sys_close(pipe[1]);
	return sys_read(pipe[0], &end, 1) < 0;
}

static int write_map(pid_t pid, const char *which, const char *map)
{
	size_t size = strlen(map);
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s_map", pid, which);
	fd = sys_open(path, O_WRONLY);
	if (fd < 0)
		return fd;
	n = sys_write(fd, map, size); /* in one piece, or not at all */
	sys_close(fd);
	return n < 0 ? (int)n : (size_t)n == size ? 0 : -EIO;
}

static int write_maps(const struct plan_step *step, pid_t pid)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < step->n_options; i++)
		r = write_map(pid, step->options[i].key, step->options[i].value);
	return r;
}

static int make(const struct plan_step *step, int pipe[2], struct err *err)
{
	struct nsclone_error core = {0};
	struct nsclone_child child;
	pid_t pid = child_clone(wait_for_end, pipe, NSCLONE_NEWUSER, &child, &core);
	int r, fd = -1;

	if (pid < 0)
		return err_core(err, (int)pid, &core, "cannot make a new user namespace");
	r = write_maps(step, pid);
	if (r < 0) {
		err_set(err, r, "cannot write the maps of the new user namespace");
	} else {
		fd = r = nsclone_ns_open(pid, CLONE_NEWUSER);
		if (r < 0)
			err_set(err, r, "cannot open the new user namespace");
	}
	sys_kill(pid, SIGKILL);
	nsclone_wait(&child, 0, NULL);
	return r < 0 ? r : fd;
}

int run_users(struct run *run, const struct plan_step *step)
{
	int fds[2], fd = sys_pipe(fds);

	if (fd < 0)
		return err_set(run->err, fd, "cannot make a pipe");
	fd = make(step, fds, run->err);
	sys_close(fds[0]);
	sys_close(fds[1]);
	if (fd < 0)
		return fd;
	run->slots[step->slot] = fd;
	return 0;
}
