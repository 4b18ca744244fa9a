/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A keeper where there is no systemd(1) to listen for it. Race-free: whoever holds the lock makes the socket, so that all
 * others can connect before the keeper even runs; it is handed the socket as systemd does it (sd_listen_fds(3)).
 *
 *   lock               /run/nsclone/keeper.lock, flock(2)
 *   look again         somebody may have been faster
 *   socket             bind under another name, listen, rename(2): there is never one on which nobody listens
 *   child of a child   nobody's wait(2) hears of it; in the host's namespaces; no descriptor, environment or signal of ours
 *
 * It refuses where systemd runs (there the administrator has turned it off), where no keeper is installed, and inside a PID
 * namespace of ours, whose end would be the keeper's.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include "lib/core/sys.h"
#include "lib/core/sys_socket.h"
#include "lib/session/child_program.h"
#include "lib/session/keeper_call.h"
#include "lib/session/registry.h"

#ifndef NSCLONE_LIB_DIR
#define NSCLONE_LIB_DIR "/usr/lib/nsclone"
#endif
#define PROGRAM NSCLONE_LIB_DIR "/nsclone-keeper"
#define NEW_SOCKET NSCLONE_RUN_DIR "/keeper.new"

enum { BACKLOG = 128 };

/* The namespaces that PID 1 is in. What cannot be joined because it is the same or not there is no matter; mnt is. */
static int enter_host(void)
{
	static const int TYPES[] = {CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWNET, CLONE_NEWCGROUP, CLONE_NEWNS};
	int r = 0;

	for (size_t i = 0; i < sizeof(TYPES) / sizeof(*TYPES); i++) {
		cleanup_fd int fd = nsclone_ns_open(1, TYPES[i]);

		r = fd < 0 ? fd : nsclone_setns(fd, TYPES[i]);
		if (r < 0)
			return r;
	}
	return r;
}

/* In between, so that the keeper's parent is not the daemon: it ends at once. */
static int run_between(void *argument)
{
	const int *listener = argument;
	char name[] = "nsclone-keeper";
	char *const argv[] = {name, NULL};
	const struct child_program keeper = {
		.path = PROGRAM, .argv = argv, .fds = listener, .n_fds = 1, .prepare = enter_host, .listens = true,
	};
	int pidfd;

	return child_start(&keeper, &pidfd) < 0;
}

static int spawn(int listener)
{
	const struct nsclone_clone_args args = {.flags = 0};
	struct nsclone_child child;
	int status = 0, r;
	pid_t pid = nsclone_clone(run_between, &listener, &args, &child, NULL);

	if (pid < 0)
		return pid;
	r = nsclone_wait(&child, 0, &status);
	return r < 0 ? r : status == 0 ? 0 : -EPERM;
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
		r = spawn(listener);
	return r < 0 ? r : sys_renameat(directory, new_name, directory, name);
}

static bool is_inside_pids(void)
{
	cleanup_fd int fd = sys_open("/proc/1/comm", O_RDONLY);
	char name[32] = "";
	ssize_t n = fd < 0 ? fd : sys_read(fd, name, sizeof(name) - 1);

	return n <= 0 || strcmp(name, "nsclone-init\n") == 0;
}

int keeper_start(void)
{
	struct stat st;
	cleanup_fd int program = nsclone_open_trusted(AT_FDCWD, PROGRAM, O_PATH, NULL), directory = -1, lock = -1,
		       other = -1;
	int r;

	if (program < 0)
		return program;
	if (sys_fstatat(AT_FDCWD, "/run/systemd/system", &st) == 0)
		return -ECONNREFUSED;
	if (is_inside_pids())
		return -EPERM;
	directory = registry_directory();
	lock = directory < 0 ? directory : sys_openat(directory, "keeper.lock", O_RDWR | O_CREAT | O_NOFOLLOW);
	r = lock < 0 ? lock : sys_flock(lock, LOCK_EX);
	if (r < 0)
		return r;
	other = keeper_connect_only();
	return other >= 0 || other == -EAGAIN ? 0 : listen_and_spawn(directory);
}
