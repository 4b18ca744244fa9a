/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A keeper where there is no systemd(1) to listen for it. Race-free: whoever holds the lock makes the socket, so that all
 * others can connect before the keeper even runs; it is handed the socket as systemd does it (sd_listen_fds(3)).
 *
 *   child              all of this is done by a child, which the daemon waits for until its time is up, and then kills.
 *                      Before anything else it takes root's ids in all three places and a session of its own: su(1) is its
 *                      caller's by the real uid, and kill(2) and ^Z go by that; whoever could stop it with the lock in its hand,
 *                      or between socket and keeper, would keep every user from a keeper. Nobody's wait(2) hears of it
 *   host               PID 1's namespaces: what follows must be looked for there, or two keepers would not see each other
 *   lock               /run/nsclone/keeper.lock, flock(2)
 *   look again         somebody may have been faster
 *   socket             bind under another name, listen, rename(2): there is never one on which nobody listens. Before the
 *                      keeper, as whoever does this may be killed at any moment: a keeper must not be left that nobody finds
 *   child of a child   nobody's wait(2) hears of it, either; no descriptor, environment or signal of ours
 *
 * It refuses where systemd runs (there the administrator has turned it off), where no keeper is installed, and inside a PID
 * namespace of ours, whose end would be the keeper's.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include "lib/core/sys.h"
#include "lib/core/sys_child.h"
#include "lib/core/sys_privilege.h"
#include "lib/session/child.h"
#include "lib/session/child_program.h"
#include "lib/session/keeper_call.h"
#include "lib/session/trust.h"

#ifndef NSCLONE_LIB_DIR
#define NSCLONE_LIB_DIR "/usr/lib/nsclone"
#endif
#define PROGRAM NSCLONE_LIB_DIR "/nsclone-keeper"

enum { GRACE_MS = 1000 };

/* What this process is in already it may not be allowed to enter: in a user namespace the host's cgroup namespace is such. */
static int enter_if_another(int fd, int nstype)
{
	cleanup_fd int own = nsclone_ns_open(sys_getpid(), nstype);
	struct stat there = {0}, here = {0};
	int r = own < 0 ? own : sys_fstat(own, &here);

	if (r == 0)
		r = sys_fstat(fd, &there);
	return r < 0 || there.st_ino == here.st_ino ? r : nsclone_setns(fd, nstype);
}

/* The namespaces that PID 1 is in. */
static int enter_host(void)
{
	static const int TYPES[] = {CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWNET, CLONE_NEWCGROUP, CLONE_NEWNS};
	int r = 0;

	for (size_t i = 0; i < sizeof(TYPES) / sizeof(*TYPES); i++) {
		cleanup_fd int fd = nsclone_ns_open(1, TYPES[i]);

		r = fd < 0 ? fd : enter_if_another(fd, TYPES[i]);
		if (r < 0)
			return r;
	}
	return r;
}

static int spawn(int listener)
{
	char name[] = "nsclone-keeper";
	char *const argv[] = {name, NULL};
	const struct child_program keeper = {.path = PROGRAM, .argv = argv, .fds = &listener, .n_fds = 1, .listens = true};
	cleanup_fd int pidfd = -1;
	pid_t pid = child_start(&keeper, &pidfd);

	return pid < 0 ? pid : 0;
}

static bool is_inside_pids(void)
{
	cleanup_fd int fd = sys_open("/proc/1/comm", O_RDONLY);
	char name[32] = "";
	ssize_t n = fd < 0 ? fd : sys_read(fd, name, sizeof(name) - 1);

	return n <= 0 || strcmp(name, "nsclone-init\n") == 0;
}

/* It is to be uid 0 on the host: whoever can write to it could be. */
static int check_program(void)
{
	cleanup_fd int fd = nsclone_open_trusted(AT_FDCWD, PROGRAM, O_PATH, NULL);
	struct stat st;
	int r = fd < 0 ? fd : sys_fstat(fd, &st);

	if (r < 0)
		return r;
	return S_ISREG(st.st_mode) && !trust_check(0, &st, false) ? 0 : -EPERM;
}

static int start_here(int64_t end)
{
	cleanup_fd int listener = -1;
	struct stat st;
	int r = check_program();

	if (r < 0)
		return r;
	if (sys_fstatat(AT_FDCWD, "/run/systemd/system", &st) == 0)
		return -ECONNREFUSED;
	listener = keeper_listen(end);
	if (listener < 0)
		return listener == -EADDRINUSE ? 0 : listener;
	return spawn(listener); /* should that fail the socket refuses connections, as one of a dead keeper */
}

/* The child. Its exit status is the errno: they are small. */
static int start_in_child(void *argument)
{
	const int64_t *end = argument;
	int r = sys_setsid();

	if (r == 0)
		r = sys_become_root();
	if (r == 0)
		r = is_inside_pids() ? -EPERM : enter_host();
	return -(r < 0 ? r : start_here(*end));
}

/* It may have been stopped before it was root's: no login waits for that. Nor for one that does not even die. */
static int reap_before(struct nsclone_child *child, int pidfd, int64_t end)
{
	int64_t left = end - sys_monotonic_ms();
	int status = 0, r;
	int ended = pidfd < 0 ? pidfd : sys_wait_readable(pidfd, left > 0 ? (int)left : 0);

	if (ended <= 0) {
		sys_kill(child->pid, SIGKILL); /* not reaped: the id is its own */
		sys_wait_readable(pidfd, GRACE_MS);
	}
	r = nsclone_wait(child, WNOHANG, &status);
	if (ended <= 0)
		return ended < 0 ? ended : -ETIMEDOUT;
	if (r < 0)
		return r;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

int keeper_start(int64_t end)
{
	cleanup_fd int pidfd = -1;
	struct nsclone_child child;
	pid_t pid = child_clone(start_in_child, &end, 0, &child, NULL);

	if (pid < 0)
		return pid;
	pidfd = sys_pidfd_open(pid); /* not reaped: the id is its own */
	return reap_before(&child, pidfd, end);
}
