/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Children that end: reaped, and forgotten, or told of (host shells). No SIGCHLD comes of them (exit signal 0), so each
 * has a pidfd that is watched. After a restart an init is another keeper's child and process 1's to reap.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include "keeper/server.h"
#include "lib/core/sys.h"
#include "lib/core/sys_event.h"

/* Takes over pidfd. One that cannot be watched is killed: it would stay behind for ever. */
int children_add(struct keeper *keeper, enum child_kind kind, pid_t pid, int pidfd, struct peer *peer)
{
	struct child *child = calloc(1, sizeof(*child));
	int r = -ENOMEM;

	if (child) {
		*child = (struct child){.pid = pid, .kind = kind, .peer = peer};
		child->source = (struct source){pidfd, SOURCE_CHILD, child};
		r = server_watch(keeper, &child->source);
	}
	if (r < 0) {
		sys_pidfd_signal(pidfd, SIGKILL);
		sys_close(pidfd);
		free(child);
		return r;
	}
	child->next = keeper->children;
	keeper->children = child;
	if (peer)
		peer->shell = child;
	return 0;
}

static void tell(struct keeper *keeper, struct peer *peer, int status)
{
	struct keeper_message message = {.type = KEEPER_EXITED, .error = status};

	peer->shell = NULL;
	peer_send(keeper, peer, &message, NULL);
}

static void forget(struct keeper *keeper, struct child *child, int status)
{
	for (struct child **at = &keeper->children; *at; at = &(*at)->next)
		if (*at == child) {
			*at = child->next;
			break;
		}
	if (child->peer)
		tell(keeper, child->peer, status);
	debug(keeper, "process %d has ended: status %x", (int)child->pid, (unsigned)status);
	server_unwatch(keeper, &child->source);
	sys_close(child->source.fd);
	free(child);
}

static struct child *find(const struct keeper *keeper, pid_t pid)
{
	struct child *child = keeper->children;

	while (child && child->pid != pid)
		child = child->next;
	return child;
}

/* All that have ended. True: child (may be NULL) was among them. Where the system call fails it is for the next turn. */
static bool reap(struct keeper *keeper, const struct child *child)
{
	bool this = false;
	int status = 0;
	pid_t pid;

	while ((pid = sys_reap(&status)) > 0) {
		struct child *reaped = find(keeper, pid);

		this |= reaped && reaped == child;
		if (reaped)
			forget(keeper, reaped, status);
	}
	keeper->unreaped = pid < 0 && pid != -ECHILD;
	return this;
}

/* One that waitpid(2) does not know though it has ended is not our child, or was reaped with another's event. */
void children_readable(struct keeper *keeper, struct child *child)
{
	if (!reap(keeper, child))
		forget(keeper, child, 0);
}

void children_tick(struct keeper *keeper)
{
	if (keeper->unreaped)
		reap(keeper, NULL);
}

/* Its terminal has gone with the peer, as far as it is concerned; a shell that holds on to it all the same is told. */
void children_peer_gone(struct keeper *keeper, struct peer *peer)
{
	(void)keeper;
	if (!peer->shell)
		return;
	sys_pidfd_signal(peer->shell->source.fd, SIGHUP);
	peer->shell->peer = NULL;
	peer->shell = NULL;
}
