/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keeper's socket where systemd(1) has not made one. See keeper_listen() in keeper_call.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include "lib/core/sys.h"
#include "lib/core/sys_socket.h"
#include "lib/session/keeper_call.h"
#include "lib/session/registry.h"

#define NEW_SOCKET NSCLONE_RUN_DIR "/keeper.new"

enum { BACKLOG = 512, RETRY_US = 2000 };

/* Somebody who was stopped may have it for ever: no login waits for that. -EADDRINUSE: a keeper is there meanwhile. */
static int lock_before(int lock, int64_t end)
{
	int r = sys_flock(lock, LOCK_EX | LOCK_NB);

	while (r == -EWOULDBLOCK && sys_monotonic_ms() < end) {
		cleanup_fd int keeper = keeper_connect_only();

		if (keeper >= 0)
			return -EADDRINUSE;
		sys_sleep_us(RETRY_US);
		r = sys_flock(lock, LOCK_EX | LOCK_NB);
	}
	return r == -EWOULDBLOCK ? -ETIMEDOUT : r;
}

/* Listen, and only then be there. */
static int make(int directory)
{
	const char *name = strrchr(KEEPER_SOCKET, '/') + 1, *new_name = strrchr(NEW_SOCKET, '/') + 1;
	cleanup_fd int listener = -1;
	int r = sys_unlinkat(directory, new_name, 0);

	if (r < 0 && r != -ENOENT)
		return r;
	r = listener = sys_listen(NEW_SOCKET, BACKLOG);
	if (r >= 0)
		r = sys_renameat(directory, new_name, directory, name);
	return r < 0 ? r : fd_steal(&listener);
}

int keeper_listen(int64_t end)
{
	cleanup_fd int directory = registry_directory(), lock = -1, other = -1;
	int r;

	lock = directory < 0 ? directory : sys_openat(directory, "keeper.lock", O_RDWR | O_CREAT | O_NOFOLLOW);
	r = lock < 0 ? lock : lock_before(lock, end);
	if (r < 0)
		return r;
	other = keeper_connect_only();
	return other >= 0 || other == -EAGAIN ? -EADDRINUSE : make(directory);
}
