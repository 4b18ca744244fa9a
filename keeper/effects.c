/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the worlds want done, done: the only place where their state machine and the system meet. It refuses to call
 * back into worlds.h: a peer that cannot be answered is dropped after the event.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include "keeper/keep.h"
#include "keeper/process.h"
#include "keeper/server.h"
#include "keeper/spawn.h"
#include "lib/core/sys.h"
#include "lib/core/sys_event.h"
#include "lib/session/registry.h"

static struct peer *peer_of(struct worlds_client *client)
{
	return (struct peer *)(void *)((char *)client - offsetof(struct peer, client));
}

static bool answer(void *data, struct worlds_client *client, struct keeper_message *message, const int *fds)
{
	struct peer *peer = peer_of(client);
	bool sent = peer_send(data, peer, message, fds);

	if (sent && message->type == KEEPER_HELD) /* there is nothing to follow, and so its hanging up wakes nobody */
		peer_drop(data, peer, NULL);
	return sent;
}

static int watch(void *data, struct source *source)
{
	return server_watch(data, source);
}

static void unwatch(void *data, struct source *source)
{
	server_unwatch(data, source);
}

static void close_fd(void *data, int fd)
{
	(void)data;
	sys_close(fd);
}

static void kill_process(void *data, int pidfd)
{
	(void)data;
	sys_pidfd_signal(pidfd, SIGKILL);
}

static unsigned types_of(const struct world *world)
{
	unsigned types = 0;

	for (int i = 0; i < KEEPER_N_NS; i++)
		types |= world->inodes[i] ? 1U << i : 0;
	return types;
}

/* Looked at again: the process that was seen may be gone, and its id another's. */
static int open_process(void *data, pid_t pid, const struct world *world)
{
	cleanup_fd int pidfd = sys_pidfd_open(pid);
	uint64_t inodes[KEEPER_N_NS];
	int r = pidfd < 0 ? pidfd : process_inodes(pid, types_of(world), inodes);

	(void)data;
	if (r < 0)
		return r == -EINVAL ? -ESRCH : r; /* the id is a thread's now */
	if (!world_owns_inode(world, inodes) || process_is(pidfd) < 0)
		return -ESRCH;
	return fd_steal(&pidfd);
}

/* ---- init ---- */

static int spawn(void *data, struct world *world, uint32_t flags)
{
	struct spawned_init init;
	int r = spawn_init(flags, &init);

	(void)data;
	if (r < 0)
		return r;
	world->init.pid = init.pid;
	world->init.pidfd = init.pidfd;
	world->init.socket.fd = init.socket;
	world->ns[KEEPER_NS_PID] = init.pid_ns;
	if (process_identity(init.pidfd, init.pid, &world->init.identity) < 0)
		world->init.identity = 0;
	return process_inode(init.pid, KEEPER_NS_PID, &world->inodes[KEEPER_NS_PID]);
}

static int receive(void *data, struct world *world)
{
	struct spawned_init init = {
		world->init.pid, world->init.pidfd, world->init.socket.fd, world->ns[KEEPER_NS_PID],
	};
	int proc = -1, r = spawn_init_receive(&init, &proc);

	(void)data;
	return r < 0 ? r : proc;
}

static void end_init(void *data, struct world *world)
{
	sys_pidfd_signal(world->init.pidfd, SIGKILL);
	children_add(data, CHILD_INIT, world->init.pid, world->init.pidfd, NULL);
}

/* ---- Markers, directories, records ---- */

static void forget_marker(void *data, int marker)
{
	const struct keeper *keeper = data;

	sys_inotify_remove(keeper->markers.fd, marker);
}

static void clean(void *data, const struct world *world)
{
	int pidfd = -1, r;
	pid_t pid = 0;

	r = spawn_clean(world->record, &pid, &pidfd);
	if (r == 0)
		r = children_add(data, CHILD_CLEAN, pid, pidfd, NULL);
	if (r < 0)
		say(data, "uid %u: what %s tells of cannot be removed: error %d", world->uid, world->record, -r);
}

/* Else a login could take it for litter while no process is in the world. */
static void adopt(void *data, const struct world *world)
{
	int r = registry_adopt(world->record);

	if (r < 0)
		say(data, "uid %u: the record %s cannot be taken over: error %d", world->uid, world->record, -r);
}

static void save(void *data, const struct world *world)
{
	struct keeper *keeper = data;
	int r = keeper->records.directory < 0 ? 0 : keep_world(&keeper->records, world);

	if (r < 0)
		say(keeper, "uid %u: this world will not be found again by another keeper: error %d", world->uid, -r);
}

static void forget(void *data, const struct world *world)
{
	const struct keeper *keeper = data;

	if (keeper->records.directory >= 0)
		keep_forget(&keeper->records, world);
}

static void say_of(void *data, const struct world *world, const char *what)
{
	debug(data, "world %016llx of uid %u: %s", (unsigned long long)world->id, world->uid, what);
}

/* Without chance there is no new world: 0 is no id, and the worlds ask again. */
static uint64_t random_id(void *data)
{
	uint64_t id = 0;
	int r = sys_random(&id, sizeof(id));

	if (r < 0)
		say(data, "no random number: error %d", -r);
	return r < 0 ? (uint64_t)sys_monotonic_ms() : id;
}

const struct worlds_effects server_effects = {
	.answer = answer,
	.watch = watch,
	.unwatch = unwatch,
	.close = close_fd,
	.kill = kill_process,
	.open_process = open_process,
	.spawn_init = spawn,
	.receive_init = receive,
	.end_init = end_init,
	.forget_marker = forget_marker,
	.clean = clean,
	.adopt = adopt,
	.save = save,
	.forget = forget,
	.say = say_of,
	.random = random_id,
};
