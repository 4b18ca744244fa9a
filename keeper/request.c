/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One packet of a peer: read, looked at, and given to the worlds. What is not of the protocol's form ends the
 * connection and is not answered: whoever sends that would not understand it.
 */
#include <errno.h>
#include <string.h>
#include "keeper/descriptors.h"
#include "keeper/process.h"
#include "keeper/server.h"
#include "keeper/spawn.h"
#include "lib/core/sys.h"
#include "lib/core/sys_event.h"
#include "lib/core/sys_socket.h"

/* Texts end, and what only the keeper knows is not the client's to say. */
static void tidy(struct keeper_message *message)
{
	keeper_end_texts(message);
	message->session.since = sys_realtime_s();
	message->session.pid = 0;
	message->session.unused = 0;
}

static bool is_ours(const struct keeper_message *message, ssize_t size)
{
	return size == (ssize_t)sizeof(*message) && message->magic == KEEPER_MAGIC && message->version == KEEPER_VERSION;
}

/*
 * The terminal is the peer's alone once it is sent: so its end is the connection's, whatever becomes of this process.
 * *d is not the worlds'.
 */
static void shell(struct keeper *keeper, struct peer *peer, struct descriptors *d)
{
	struct keeper_message answer = {.type = KEEPER_SHELL, .n_fds = 1, .fds = {KEEPER_FD_TERMINAL}};
	cleanup_fd int master = -1;
	int pidfd = -1, r;
	pid_t pid = 0;

	if (peer->shell || peer->client.asked) {
		peer_fail(keeper, peer, EBUSY, "this connection has a shell, builds or waits already");
		return;
	}
	r = spawn_shell(keeper->host.ns, d->request.message.uid, d->request.message.text, d->arguments, &master, &pid,
			&pidfd);
	if (r == 0)
		r = children_add(keeper, CHILD_SHELL, pid, pidfd, peer);
	if (r < 0) {
		peer_fail(keeper, peer, -r, "no shell could be started");
		return;
	}
	debug(keeper, "uid %u: a shell on the host, process %d", d->request.message.uid, (int)pid);
	peer_send(keeper, peer, &answer, &master);
}

static void handle(struct keeper *keeper, struct peer *peer, struct descriptors *d)
{
	debug(keeper, "connection %d: request %u, uid %u, flags %x", peer->source.fd, d->request.message.type,
	      d->request.message.uid, d->request.message.flags);
	if (d->request.message.type == KEEPER_SHELL)
		shell(keeper, peer, d);
	else
		worlds_request(&keeper->worlds, keeper->now, &peer->client, &d->request);
}

/* LEAVE and DROP have no answer, not even a refusal: nobody waits for it. */
static bool is_answered(uint16_t type)
{
	return type != KEEPER_LEAVE && type != KEEPER_DROP;
}

/* Where GET brings no pidfd the session is that of who connected. That it cannot be named is told when it is missed. */
static void name_process(const struct peer *peer, struct worlds_request *request)
{
	if (request->message.type != KEEPER_GET || request->pidfd >= 0 || peer->pidfd < 0 ||
	    process_identity(peer->pidfd, peer->pid, &request->identity) < 0 || process_is(peer->pidfd) < 0)
		return;
	request->pidfd = sys_duplicate(peer->pidfd);
	request->message.session.pid = peer->pid;
}

void request_receive(struct keeper *keeper, struct peer *peer)
{
	const char *why = "";
	struct descriptors d;
	int fds[KEEPER_MAX_FDS];
	size_t n = 0;
	ssize_t size;
	uint16_t type;
	int r;

	descriptors_init(&d);
	size = sys_receive(peer->source.fd, &d.request.message, sizeof(d.request.message), fds, KEEPER_MAX_FDS, &n);
	if (size == -EAGAIN)
		return;
	peer->heard = keeper->now;
	if (!is_ours(&d.request.message, size)) {
		while (n > 0)
			sys_close(fds[--n]);
		peer_drop(keeper, peer, size == 0 ? NULL : "it does not speak this protocol");
		return;
	}
	tidy(&d.request.message);
	type = d.request.message.type;
	r = descriptors_sort(&d, fds, n, &keeper->host, keeper->markers.fd, &why);
	if (r == 0)
		name_process(peer, &d.request);
	if (r == 0)
		handle(keeper, peer, &d);
	else if (r == -EBADMSG)
		peer_drop(keeper, peer, "its descriptors are not those that it describes");
	else if (is_answered(type))
		peer_fail(keeper, peer, -r, why);
	descriptors_done(&d, keeper->markers.fd);
}
