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
#include <sys/file.h>
#include <sys/wait.h>
#include "lib/core/sys.h"
#include "lib/core/sys_child.h"
#include "lib/core/sys_privilege.h"
#include "lib/core/sys_socket.h"
#include "lib/session/child_program.h"
#include "lib/session/keeper_call.h"
#include "lib/session/registry.h"

#ifndef NSCLONE_LIB_DIR
#define NSCLONE_LIB_DIR "/usr/lib/nsclone"
#endif
#define PROGRAM NSCLONE_LIB_DIR "/nsclone-keeper"
#define NEW_SOCKET NSCLONE_RUN_DIR "/keeper.new"

enum { BACKLOG = 128, RETRY_US = 2000, GRACE_MS = 1000 };

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

static int listen_and_spawn(int directory)
{
	const char *name = strrchr(KEEPER_SOCKET, '/') + 1, *new_name = strrchr(NEW_SOCKET, '/') + 1;
	cleanup_fd int listener = -1;
	int r = sys_unlinkat(directory, new_name, 0);

	if (r < 0 && r != -ENOENT)
		return r;
	r = listener = sys_listen(NEW_SOCKET, BACKLOG);
	if (r >= 0)
		r = sys_renameat(directory, new_name, directory, name);
	return r < 0 ? r : spawn(listener); /* should that fail the socket refuses connections, as one of a dead keeper */
}

/* Somebody who was stopped may have it for ever: no login waits for that. 0; 1: a keeper is there meanwhile. */
static int lock_before(int lock, int64_t end)
{
	int r = sys_flock(lock, LOCK_EX | LOCK_NB);

	while (r == -EWOULDBLOCK && sys_monotonic_ms() < end) {
		cleanup_fd int keeper = keeper_connect_only();

		if (keeper >= 0)
			return 1;
		sys_sleep_us(RETRY_US);
		r = sys_flock(lock, LOCK_EX | LOCK_NB);
	}
	return r == -EWOULDBLOCK ? -ETIMEDOUT : r;
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
	return S_ISREG(st.st_mode) && st.st_uid == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH)) ? 0 : -EPERM;
}

static int start_here(int64_t end)
{
	struct stat st;
	cleanup_fd int directory = -1, lock = -1, other = -1;
	int r = check_program();

	if (r < 0)
		return r;
	if (sys_fstatat(AT_FDCWD, "/run/systemd/system", &st) == 0)
		return -ECONNREFUSED;
	directory = registry_directory();
	lock = directory < 0 ? directory : sys_openat(directory, "keeper.lock", O_RDWR | O_CREAT | O_NOFOLLOW);
	r = lock < 0 ? lock : lock_before(lock, end);
	if (r != 0)
		return r < 0 ? r : 0;
	other = keeper_connect_only();
	return other >= 0 || other == -EAGAIN ? 0 : listen_and_spawn(directory);
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
	int status = 0, ended = sys_wait_readable(pidfd, left > 0 ? (int)left : 0), r;

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
	const struct nsclone_clone_args args = {.flags = NSCLONE_PIDFD, .pidfd = &pidfd};
	struct nsclone_child child;
	pid_t pid = nsclone_clone(start_in_child, &end, &args, &child, NULL);

	return pid < 0 ? pid : reap_before(&child, pidfd, end);
}
