/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets, namespaces and the keeper's children for fuzz_keeper.c: see fuzz_keeper.h. */
#include <errno.h>
#include <string.h>
#include "keeper/keep.h"
#include "keeper/process.h"
#include "keeper/spawn.h"
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"
#include "lib/core/sys_socket.h"
#include "tests/fuzz/fuzz_keeper.h"

/* ---- lib/core/sys_socket.h ---- */

int sys_accept(int fd)
{
	int r = fake.accepted;

	MUST(fake_at(fd)->kind == FAKE_OTHER);
	fake.accepted = -EAGAIN;
	return r;
}

int sys_peer(int fd, struct sys_peer *ret)
{
	*ret = (struct sys_peer){(pid_t)fake_at(fd)->number, (uid_t)fake_at(fd)->type, 0};
	return 0;
}

int sys_peer_pidfd(int fd)
{
	return fake_at(fd)->number % 2 ? -ENOPROTOOPT : sys_pidfd_open((pid_t)fake_at(fd)->number);
}

/* What may go out: nothing of the keeper's own, and as many as it says. */
int sys_send(int fd, const void *packet, size_t size, const int *fds, size_t n)
{
	const struct keeper_message *m = packet;

	MUST(fake_at(fd)->kind == FAKE_PEER && size == sizeof(*m) && m->magic == KEEPER_MAGIC && m->n_fds == n);
	MUST(m->type >= KEEPER_HELD || m->type == KEEPER_HOST || m->type == KEEPER_PIDS || m->type == KEEPER_SHELL);
	for (size_t i = 0; i < n; i++)
		MUST(fake_at(fds[i])->kind == FAKE_NS || m->fds[i] == KEEPER_FD_PROC || m->fds[i] == KEEPER_FD_TERMINAL);
	return fake.full ? -EAGAIN : fake_fails() ? -EPIPE : 0;
}

ssize_t sys_receive(int fd, void *packet, size_t size, int *fds, size_t room, size_t *n)
{
	const uint8_t *from = fake.packet;

	MUST(fake_at(fd)->kind == FAKE_PEER);
	fake.packet = NULL;
	*n = 0;
	if (!from)
		return -EAGAIN;
	if (fake.packet_size > size || fake.n_packet_fds > room) {
		while (fake.n_packet_fds > 0)
			fake_close(fake.packet_fds[--fake.n_packet_fds]);
		return -EMSGSIZE;
	}
	memcpy(packet, from, fake.packet_size);
	memcpy(fds, fake.packet_fds, fake.n_packet_fds * sizeof(int));
	*n = fake.n_packet_fds;
	fake.n_packet_fds = 0;
	return (ssize_t)fake.packet_size;
}

int sys_send_to(const char *to, const void *packet, size_t size, const int *fds, size_t n)
{
	(void)to;
	MUST(packet && size > 0);
	for (size_t i = 0; i < n; i++)
		fake_at(fds[i]);
	return fake_fails() ? -ECONNREFUSED : 0;
}

/* ---- lib/core/nsclone.h ---- */

int nsclone_ns_get_nstype(int fd)
{
	return fake_at(fd)->kind == FAKE_NS ? keeper_nstype(fake_at(fd)->type) : -ENOTTY;
}

int nsclone_ns_get_userns(int fd)
{
	return fake_fails() ? -EPERM : fake_open(FAKE_NS, KEEPER_NS_USER, fake_at(fd)->owner, 0);
}

int nsclone_ns_get_parent(int fd)
{
	return nsclone_ns_get_userns(fd);
}

/* ---- keeper/: children and records ---- */

int spawn_init(unsigned flags, struct spawned_init *ret)
{
	(void)flags;
	if (fake_fails())
		return -EAGAIN;
	ret->pid = FIRST_INIT + fake.next_init++;
	ret->pidfd = fake_open(FAKE_PIDFD, 0, (uint64_t)ret->pid, 0);
	ret->socket = fake_open(FAKE_OTHER, 0, 0, 0);
	ret->pid_ns = fake_open(FAKE_NS, KEEPER_NS_PID, (uint64_t)ret->pid, HOST_USER);
	return 0;
}

int spawn_init_receive(const struct spawned_init *init, int *proc_mount)
{
	fake_at(init->socket);
	if (!fake.init_speaks)
		return -EPIPE;
	*proc_mount = fake_open(FAKE_OTHER, 0, 0, 0);
	return 0;
}

int spawn_shell(const int host[KEEPER_N_NS], uid_t uid, const char *term, int arguments_fd, int *master, pid_t *pid,
		int *pidfd)
{
	(void)uid;
	fake_at(host[0]);
	MUST(memchr(term, 0, sizeof(((struct keeper_message *)0)->text)));
	if (arguments_fd >= 0)
		MUST(fake_at(arguments_fd)->kind == FAKE_MEMFD);
	*pid = FIRST_INIT + fake.next_init++;
	*pidfd = fake_open(FAKE_PIDFD, 0, (uint64_t)*pid, 0);
	*master = fake_open(FAKE_OTHER, 0, 0, 0);
	return 0;
}

int spawn_clean(const char *record, pid_t *pid, int *pidfd)
{
	MUST(record[0]);
	if (fake_fails())
		return -EAGAIN;
	*pid = FIRST_INIT + fake.next_init++;
	*pidfd = fake_open(FAKE_PIDFD, 0, (uint64_t)*pid, 0);
	return 0;
}

int registry_adopt(const char *record)
{
	MUST(record[0]);
	return fake_fails() ? -EIO : 0;
}

int keep_world(const struct records *records, const struct world *world)
{
	(void)records;
	MUST(world->state != WORLD_LEASED);
	return 0;
}

void keep_forget(const struct records *records, const struct world *world)
{
	(void)records;
	(void)world;
}
