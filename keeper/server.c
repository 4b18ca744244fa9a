/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loop. See server.h. Events are taken from the kernel one at a time: so none can name something that the one
 * before has freed, and epoll(7) goes round among those that are ready, so a peer that floods gets no more turns than
 * another.
 */
#include "keeper/server.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include "lib/core/sys.h"
#include "lib/core/sys_event.h"

int server_watch(struct keeper *keeper, struct source *source)
{
	return sys_epoll_add(keeper->epoll, source->fd, EPOLLIN, source);
}

/* By hand, not by closing: a duplicate (in systemd's store, in a child before its exec) would keep it in there. */
void server_unwatch(struct keeper *keeper, struct source *source)
{
	sys_epoll_remove(keeper->epoll, source->fd);
}

int server_init(struct keeper *keeper, int listener, int inotify)
{
	int r = keeper->epoll = sys_epoll();

	keeper->listener = (struct source){listener, SOURCE_LISTENER, keeper};
	keeper->markers = (struct source){inotify, SOURCE_MARKERS, keeper};
	keeper->scan.proc = -1;
	keeper->now = sys_monotonic_ms();
	worlds_init(&keeper->worlds, &server_effects, keeper, keeper->host.ns);
	if (r >= 0 && inotify < 0)
		r = keeper->markers.fd = sys_inotify();
	if (r >= 0)
		r = server_watch(keeper, &keeper->markers);
	if (r >= 0)
		r = server_watch(keeper, &keeper->listener);
	keeper->listening = r >= 0;
	if (r < 0)
		server_done(keeper);
	return r < 0 ? r : 0;
}

/* Children go on; worlds, too: their descriptors are closed with the process, unless somebody has them in store. */
void server_done(struct keeper *keeper)
{
	for (struct peer *peer = keeper->peers; peer; peer = peer->next)
		peer->dropped = keeper->any_dropped = true;
	peer_sweep(keeper);
	while (keeper->children) {
		struct child *child = keeper->children;

		keeper->children = child->next;
		sys_close_p(&child->source.fd);
		free(child);
	}
	worlds_clear(&keeper->worlds);
	sys_close_p(&keeper->scan.proc);
	sys_close_p(&keeper->markers.fd);
	sys_close_p(&keeper->listener.fd);
	sys_close_p(&keeper->epoll);
	keeper->epoll = keeper->markers.fd = keeper->listener.fd = keeper->scan.proc = -1;
}

static void unmounted(struct keeper *keeper)
{
	int watches[16];
	int n = sys_inotify_unmounted(keeper->markers.fd, watches, 16);

	for (int i = 0; i < n; i++)
		worlds_unmounted(&keeper->worlds, watches[i]);
}

static void dispatch(struct keeper *keeper, struct source *source, bool readable)
{
	switch (source->kind) {
	case SOURCE_LISTENER: peer_accept(keeper); break;
	case SOURCE_PEER: peer_event(keeper, source->owner, readable); break;
	case SOURCE_MARKERS: unmounted(keeper); break;
	case SOURCE_CHILD: children_readable(keeper, source->owner); break;
	case SOURCE_SESSION:
	case SOURCE_WITNESS:
	case SOURCE_INIT: worlds_readable(&keeper->worlds, keeper->now, source); break;
	}
}

/* source NULL: nothing has happened but that time went on. */
void server_turn(struct keeper *keeper, int64_t now, struct source *source, bool readable)
{
	keeper->now = now;
	if (source)
		dispatch(keeper, source, readable);
	peer_sweep(keeper);
	worlds_tick(&keeper->worlds, now);
	peer_tick(keeper);
	children_tick(keeper);
	peer_sweep(keeper);
	if (keeper->worlds.scanning || worlds_scan_due(&keeper->worlds, now))
		scan_slice(keeper);
}

static int patience(const struct keeper *keeper)
{
	int64_t due = worlds_due(&keeper->worlds), peer = peer_due(keeper), left;

	if (keeper->worlds.scanning)
		return 0;
	if (peer < due)
		due = peer;
	if (due == INT64_MAX)
		return -1;
	left = due - sys_monotonic_ms();
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

int server_run(struct keeper *keeper)
{
	for (;;) {
		struct source *source = NULL;
		void *what = NULL;
		uint32_t events = 0;
		int n = sys_epoll_wait(keeper->epoll, patience(keeper), &what, &events);

		if (n < 0)
			return n;
		if (n > 0)
			source = what;
		server_turn(keeper, sys_monotonic_ms(), source, events & ~(uint32_t)EPOLLOUT);
	}
}
