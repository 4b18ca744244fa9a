/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections: who may have one, how long, and how much it may say. See lib/session/keeper.h for the rules. What a peer
 * does wrong ends its own connection and nothing else; why, is told to the log only.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include "keeper/process.h"
#include "keeper/server.h"
#include "lib/core/sys.h"
#include "lib/core/sys_event.h"
#include "lib/core/sys_socket.h"

enum { CREDIT = 1000 }; /* for one packet */

/* ---- Who it is ---- */

/*
 * uid 0 is not enough: root in a user namespace where 0 is the host's 0 has it, too. The pidfd tells that what was read
 * under that pid was the peer's. A peer that has ended and is not reaped yet may have said something worth hearing.
 */
static int check(const struct keeper *keeper, int fd, struct peer *ret)
{
	cleanup_fd int pidfd = -1;
	struct sys_peer peer;
	bool exact;
	uint64_t user_ns;
	int r = sys_peer(fd, &peer);

	if (r == 0 && (peer.uid != 0 || peer.pid <= 0))
		r = -EPERM;
	if (r < 0)
		return r;
	pidfd = sys_peer_pidfd(fd);
	exact = pidfd != -ENOPROTOOPT;
	if (!exact)
		pidfd = sys_pidfd_open(peer.pid);
	if (pidfd < 0)
		return pidfd;
	ret->pid = peer.pid;
	r = process_inode(peer.pid, KEEPER_NS_USER, &user_ns);
	if (r == 0)
		r = process_is(pidfd);
	if (r == 0 && user_ns != keeper->host.user_ns)
		r = -EPERM;
	if (r == 0 && exact)
		ret->pidfd = fd_steal(&pidfd);
	return r;
}

/* ---- Its life ---- */

static void listen_or_not(struct keeper *keeper)
{
	bool may = keeper->n_peers < SERVER_MAX_PEERS && keeper->deaf_until <= keeper->now;

	if (may && !keeper->listening)
		keeper->listening = server_watch(keeper, &keeper->listener) == 0;
	else if (!may && keeper->listening) {
		server_unwatch(keeper, &keeper->listener);
		keeper->listening = false;
	}
}

static int add(struct keeper *keeper, int fd, const struct peer *who)
{
	struct peer *peer = malloc(sizeof(*peer));
	int r;

	if (!peer)
		return -ENOMEM;
	*peer = *who;
	peer->source = (struct source){fd, SOURCE_PEER, peer};
	peer->heard = peer->credit_at = keeper->now;
	peer->credit = KEEPER_BURST * CREDIT;
	r = server_watch(keeper, &peer->source);
	if (r < 0) {
		free(peer);
		return r;
	}
	peer->next = keeper->peers;
	keeper->peers = peer;
	keeper->n_peers++;
	listen_or_not(keeper);
	return 0;
}

void peer_accept(struct keeper *keeper)
{
	struct peer who = {.pidfd = -1};
	int fd = sys_accept(keeper->listener.fd);
	int r = fd < 0 ? fd : check(keeper, fd, &who);

	if (r == 0)
		r = add(keeper, fd, &who);
	if (r == 0) {
		peer_event(keeper, keeper->peers, true); /* the newest: what it has to say is mostly there already */
		return;
	}
	sys_close_p(&who.pidfd);
	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM || fd == -ENOBUFS) {
		say(keeper, "no room for a connection: error %d", -fd);
		keeper->deaf_until = keeper->now + SERVER_DEAF_MS;
		listen_or_not(keeper);
	}
	sys_close_p(&fd);
	if (r != -EAGAIN)
		debug(keeper, "connection refused: error %d", -r);
}

void peer_drop(struct keeper *keeper, struct peer *peer, const char *why)
{
	if (peer->dropped)
		return;
	if (why)
		debug(keeper, "connection %d is closed: %s", peer->source.fd, why);
	peer->dropped = keeper->any_dropped = true;
}

static void let_go(struct keeper *keeper, struct peer *peer)
{
	for (struct peer **at = &keeper->peers; *at; at = &(*at)->next)
		if (*at == peer) {
			*at = peer->next;
			break;
		}
	keeper->n_peers--;
	worlds_client_gone(&keeper->worlds, keeper->now, &peer->client);
	children_peer_gone(keeper, peer);
	server_unwatch(keeper, &peer->source);
	sys_close(peer->source.fd);
	sys_close_p(&peer->pidfd);
	free(peer);
}

/* What one leaves behind goes to others, who may have to be dropped for it. */
void peer_sweep(struct keeper *keeper)
{
	while (keeper->any_dropped) {
		struct peer *peer = keeper->peers;

		while (peer && !peer->dropped)
			peer = peer->next;
		if (peer)
			let_go(keeper, peer);
		else
			keeper->any_dropped = false;
	}
	if (!keeper->listening)
		listen_or_not(keeper);
}

/* ---- Time ---- */

static bool is_owed(const struct peer *peer)
{
	return peer->client.asked || peer->client.listing || peer->shell;
}

/* One that does not take its list is as silent as another: it is not owed more time than that. */
static bool may_be_silent(const struct peer *peer)
{
	return is_owed(peer) && !peer->blocked;
}

/* So that who wants to say something is not kept out for long by those who do not. */
static int64_t silence(const struct keeper *keeper)
{
	return keeper->n_peers < SERVER_MAX_PEERS ? KEEPER_IDLE_MS : SERVER_CROWDED_MS;
}

void peer_tick(struct keeper *keeper)
{
	int64_t longest = silence(keeper);

	for (struct peer *peer = keeper->peers; peer; peer = peer->next)
		if (!may_be_silent(peer) && peer->heard + longest <= keeper->now)
			peer_drop(keeper, peer, "it is silent");
}

int64_t peer_due(const struct keeper *keeper)
{
	int64_t longest = silence(keeper);
	int64_t due = keeper->listening || keeper->n_peers >= SERVER_MAX_PEERS ? INT64_MAX : keeper->deaf_until;

	for (const struct peer *peer = keeper->peers; peer; peer = peer->next)
		if (!may_be_silent(peer) && peer->heard + longest < due)
			due = peer->heard + longest;
	return due;
}

static bool pay(struct peer *peer, int64_t now)
{
	int64_t credit = peer->credit + (now - peer->credit_at) * KEEPER_RATE * CREDIT / 1000;

	if (credit > KEEPER_BURST * CREDIT)
		credit = KEEPER_BURST * CREDIT;
	peer->credit_at = now;
	if (credit < CREDIT)
		return false;
	peer->credit = (int)credit - CREDIT;
	return true;
}

/* ---- Talking ---- */

static void go_on(struct keeper *keeper, struct peer *peer)
{
	peer->blocked = false;
	sys_epoll_change(keeper->epoll, peer->source.fd, EPOLLIN, &peer->source);
	peer->heard = keeper->now;
	worlds_list(&keeper->worlds, &peer->client);
}

void peer_event(struct keeper *keeper, struct peer *peer, bool readable)
{
	if (!readable)
		go_on(keeper, peer);
	else if (!pay(peer, keeper->now))
		peer_drop(keeper, peer, "it says too much");
	else
		request_receive(keeper, peer);
}

/* Only a list has a cursor to go on from; another answer that does not fit means that the peer reads nothing. */
static bool wait_for_room(struct keeper *keeper, struct peer *peer, const struct keeper_message *message)
{
	bool listed = message->type == KEEPER_WORLD || message->type == KEEPER_SESSION ||
		      (message->type == KEEPER_DONE && peer->client.listing);

	if (!listed || sys_epoll_change(keeper->epoll, peer->source.fd, EPOLLIN | EPOLLOUT, &peer->source) < 0)
		return false;
	peer->blocked = true;
	return true;
}

bool peer_send(struct keeper *keeper, struct peer *peer, struct keeper_message *message, const int *fds)
{
	int r;

	if (peer->dropped)
		return false;
	message->magic = KEEPER_MAGIC;
	message->version = KEEPER_VERSION;
	peer->heard = keeper->now;
	r = sys_send(peer->source.fd, message, sizeof(*message), fds, message->n_fds);
	if (r < 0 && (r != -EAGAIN || !wait_for_room(keeper, peer, message)))
		peer_drop(keeper, peer, "it cannot be answered");
	return r == 0;
}

void peer_fail(struct keeper *keeper, struct peer *peer, int error, const char *text)
{
	worlds_fail(&keeper->worlds, &peer->client, error, text);
}
