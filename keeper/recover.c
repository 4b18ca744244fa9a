// SPDX-License-Identifier: BSD-3-Clause
/*
 * Finding worlds again. See recover.h.
 *
 * It refuses to repair: a world is what its record says, in every namespace, or it is lost.
 */
#include "keeper/recover.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "keeper/descriptors.h"
#include "keeper/keep.h"
#include "keeper/process.h"
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"
#include "lib/core/sys_event.h"

struct recovery {
	struct worlds *worlds;
	const struct host *host;
	const struct records *records;
	struct store_fd *fds;
	size_t n;
	bool markers;
	struct world *missing; /* those that the store does not have */
	struct recovered *found;
};

static void close_all(struct world *world)
{
	for (int i = 0; i < KEEPER_N_NS; i++) {
		sys_close_p(&world->ns[i]);
		world->ns[i] = -1;
	}
	sys_close_p(&world->init.pidfd);
	sys_close_p(&world->init.socket.fd);
	world->init.pidfd = world->init.socket.fd = -1;
	for (struct world_session *s = world->sessions; s; s = s->next)
		sys_close_p(&s->pidfd.fd);
}

/* ---- Namespaces ----------------------------------------------------------------------------------------------- */

/* What holds for a descriptor that is PUT holds for these; and they are the ones that were written down. */
static int check_namespaces(const struct recovery *recovery, struct world *world)
{
	struct descriptors d;
	int fds[KEEPER_N_NS], r;
	size_t n = 0;
	const char *why;

	descriptors_init(&d);
	for (int i = 0; i < KEEPER_N_NS; i++) {
		if (!world->inodes[i])
			continue;
		d.request.message.fds[n] = (uint32_t)keeper_nstype(i);
		fds[n++] = fd_steal(&world->ns[i]);
	}
	d.request.message.n_fds = (uint32_t)n;
	r = descriptors_sort(&d, fds, n, recovery->host, -1, &why);
	if (r < 0)
		return r;
	if (n == 0 || memcmp(d.request.inodes, world->inodes, sizeof(world->inodes)) != 0 ||
	    (world->mntns_id && d.request.mntns_id != world->mntns_id)) {
		descriptors_done(&d, -1);
		return -ESTALE;
	}
	memcpy(world->ns, d.request.ns, sizeof(world->ns));
	return 0;
}

static bool is_complete(const struct world *world)
{
	for (int i = 0; i < KEEPER_N_NS; i++)
		if (world->inodes[i] && world->ns[i] < 0)
			return false;
	return true;
}

static void take_stored_fd(struct world *world, int *fd)
{
	enum keeper_ns type = keeper_place(nsclone_ns_get_nstype(*fd)); /* or of an error: none */
	struct stat st;
	pid_t pid;

	if (sys_fstat(*fd, &st) < 0)
		return;
	if (type < KEEPER_N_NS) {
		if (world->inodes[type] == st.st_ino && world->ns[type] < 0)
			world->ns[type] = fd_steal(fd);
	} else if (S_ISSOCK(st.st_mode)) {
		if (world->init.pid && world->init.socket.fd < 0)
			world->init.socket.fd = fd_steal(fd);
	} else if (process_of_pidfd(*fd, &pid) == 0) {
		if (pid == world->init.pid && world->init.pidfd < 0)
			world->init.pidfd = fd_steal(fd);
	}
}

static void take_stored(const struct recovery *recovery, struct world *world)
{
	char name[STORE_NAME];

	store_name(world->id, name);
	for (size_t i = 0; i < recovery->n; i++)
		if (recovery->fds[i].fd >= 0 && strcmp(recovery->fds[i].name, name) == 0)
			take_stored_fd(world, &recovery->fds[i].fd);
}

/* ---- Processes ------------------------------------------------------------------------------------------------ */

/* The process that pid was when that was written down, or a negative errno. */
static int open_process(pid_t pid, uint64_t identity)
{
	cleanup_fd int pidfd = sys_pidfd_open(pid);
	int r = pidfd < 0 ? pidfd : process_has_identity(pidfd, pid, identity);

	if (r == 0)
		r = process_is(pidfd);
	if (r == 0 && sys_wait_readable(pidfd, 0) != 0) /* nobody has reaped it yet */
		r = -ESRCH;
	return r < 0 ? r : fd_steal(&pidfd);
}

/* Without its socket the pidfd is watched in its stead. */
static int find_init(struct world *world)
{
	struct world_init *init = &world->init;
	uint64_t inode;
	cleanup_fd int pidfd = init->pid ? open_process(init->pid, init->identity) : -1;
	int r;

	if (!init->pid)
		return 0;
	if (pidfd < 0)
		return pidfd;
	r = process_inode(init->pid, KEEPER_NS_PID, &inode);
	if (r == 0 && inode != world->inodes[KEEPER_NS_PID])
		r = -ESTALE;
	if (r < 0)
		return r;
	if (init->pidfd < 0)
		init->pidfd = fd_steal(&pidfd);
	if (init->socket.fd < 0)
		init->socket.fd = sys_duplicate(init->pidfd);
	return init->socket.fd < 0 ? init->socket.fd : 0;
}

/* One that cannot be opened has ended, or is as good as that: who is left in the world is found by the search of it. */
static void find_sessions(struct world *world)
{
	struct world_session **next = &world->sessions;

	while (*next) {
		struct world_session *s = *next;

		s->pidfd.fd = open_process(s->pid, s->identity);
		if (s->pidfd.fd >= 0) {
			next = &s->next;
			continue;
		}
		*next = s->next;
		free(s);
	}
}

/* ---- One world ------------------------------------------------------------------------------------------------ */

static void lose(const struct recovery *recovery, struct world *world, bool forget)
{
	recovery->found->lost++;
	close_all(world);
	if (forget)
		records_forget(recovery->records, world->id);
	world_free(world);
}

/*
 * Its namespaces are there. It is written down again: the sessions that have ended are not to be looked for by the next
 * keeper, nor a watch of an inotify that is no more, whose number another world's may have.
 */
static void hand_over(const struct recovery *recovery, struct world *world, bool store)
{
	int r = find_init(world);

	if (r < 0) {
		lose(recovery, world, true);
		return;
	}
	find_sessions(world);
	records_save(recovery->records, world);
	if (store)
		keep_store(world);
	if (worlds_adopt(recovery->worlds, world) == 0)
		recovery->found->worlds++;
	else
		recovery->found->lost++;
}

/* Nothing of it is left but a file system that some process may still have mounted. */
static void hand_over_gone(const struct recovery *recovery, struct world *world)
{
	world->init.pid = 0;
	if (worlds_adopt(recovery->worlds, world) == 0)
		recovery->found->worlds++;
}

static int from_record(void *data, struct world *world)
{
	struct recovery *recovery = data;

	if (!recovery->markers)
		world->marker = -1;
	if (world->state == WORLD_GONE) {
		hand_over_gone(recovery, world);
		return 0;
	}
	take_stored(recovery, world);
	if (is_complete(world) && check_namespaces(recovery, world) == 0) {
		hand_over(recovery, world, false);
		return 0;
	}
	close_all(world);
	world->next = recovery->missing;
	recovery->missing = world;
	return 0;
}

/* ---- /proc ---------------------------------------------------------------------------------------------------- */

/*
 * The PID namespace is its init's, whom pid and identity tell: a session's first process (sshd's) is in all others, but
 * not in that one.
 */
static bool is_of_init(const struct world *world, int type)
{
	return type == KEEPER_NS_PID && world->init.pid;
}

static bool is_in(const struct world *world, const uint64_t inodes[KEEPER_N_NS])
{
	for (int i = 0; i < KEEPER_N_NS; i++)
		if (world->inodes[i] && world->inodes[i] != inodes[i] && !is_of_init(world, i))
			return false;
	return world->mntns_id && world->inodes[KEEPER_NS_MNT];
}

/* The process may be another by now, or have moved: what counts is what the descriptors are. */
static int open_namespaces(const struct recovery *recovery, struct world *world, pid_t pid)
{
	int r = 0;

	for (int i = 0; i < KEEPER_N_NS && r >= 0; i++)
		if (world->inodes[i])
			r = world->ns[i] = nsclone_ns_open(is_of_init(world, i) ? world->init.pid : pid, keeper_nstype(i));
	if (r >= 0)
		r = check_namespaces(recovery, world);
	if (r < 0)
		close_all(world);
	return r;
}

static void try_process(struct recovery *recovery, pid_t pid, const uint64_t inodes[KEEPER_N_NS])
{
	struct world **next = &recovery->missing;

	while (*next) {
		struct world *world = *next;

		if (!is_in(world, inodes) || open_namespaces(recovery, world, pid) < 0) {
			next = &world->next;
			continue;
		}
		*next = world->next;
		world->next = NULL;
		hand_over(recovery, world, true);
	}
}

static int search_entries(struct recovery *recovery, const char *buffer, ssize_t n)
{
	int worst = 0;

	for (ssize_t at = 0; at < n;) {
		const struct dirent64 *entry = (const void *)(buffer + at);
		pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? (pid_t)strtol(entry->d_name, NULL, 10) : 0;
		uint64_t inodes[KEEPER_N_NS];
		int r = pid > 0 ? process_inodes(pid, (1U << KEEPER_N_NS) - 1, inodes) : -ESRCH;

		at += entry->d_reclen;
		if (r == 0)
			try_process(recovery, pid, inodes);
		else if (r != -ESRCH)
			worst = r;
	}
	return worst;
}

static int search(struct recovery *recovery)
{
	_Alignas(struct dirent64) char buffer[4096];
	cleanup_fd int proc = sys_open("/proc", O_RDONLY | O_DIRECTORY);
	ssize_t n = proc;
	int worst = 0;

	while (recovery->missing && n >= 0 && (n = sys_getdents(proc, buffer, sizeof(buffer))) > 0) {
		int r = search_entries(recovery, buffer, n);

		if (r < 0)
			worst = r;
	}
	return n < 0 ? (int)n : worst;
}

/* ---- All ------------------------------------------------------------------------------------------------------ */

static bool has_name(const struct worlds *worlds, const char *name)
{
	char other[STORE_NAME];

	for (const struct world *world = worlds->first; world; world = world->next) {
		store_name(world->id, other);
		if (strcmp(other, name) == 0)
			return true;
	}
	return false;
}

/* Of no world, or of one that is lost: systemd would hold them for ever. Not where that is not known for certain. */
static void close_strays(const struct recovery *recovery, bool all_known)
{
	for (size_t i = 0; i < recovery->n; i++) {
		struct store_fd *fd = &recovery->fds[i];

		if (!store_is_world(fd->name))
			continue;
		sys_close_p(&fd->fd);
		fd->fd = -1;
		if (all_known && !has_name(recovery->worlds, fd->name))
			store_remove(fd->name);
	}
}

int recover(struct worlds *worlds, const struct host *host, const struct records *records, struct store_fd *fds, size_t n,
	    bool markers, struct recovered *ret)
{
	struct recovery recovery = {
		.worlds = worlds, .host = host, .records = records, .fds = fds, .n = n, .markers = markers,
		.found = ret,
	};
	int r;

	*ret = (struct recovered){0};
	r = records_load(records, from_record, &recovery);
	if (r == 0 && recovery.missing)
		r = search(&recovery);
	while (recovery.missing) {
		struct world *world = recovery.missing;

		recovery.missing = world->next;
		lose(&recovery, world, r == 0); /* not looked for to the end: the next keeper may find it */
	}
	close_strays(&recovery, r == 0);
	return r;
}
