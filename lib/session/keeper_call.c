/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Asking the keeper. What answers is believed only as far as its form is right: the socket lies in a directory that
 * nobody but root can write to, and is opened by that path alone.
 */
#include "lib/session/keeper_call.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "lib/core/sys.h"
#include "lib/core/sys_socket.h"

enum { RETRY_US = 2000, LOOKS = 60 };

void keeper_fds_done(struct keeper_fds *fds)
{
	for (int i = 0; i < KEEPER_N_NS; i++)
		sys_close_p(&fds->ns[i]);
	sys_close_p(&fds->proc);
	sys_close_p(&fds->terminal);
	*fds = KEEPER_NO_FDS;
}

/* -EAGAIN: so many wait to be let in that there is no room for one more. */
static int connect_before(int64_t end)
{
	int fd = sys_connect(KEEPER_SOCKET);

	while (fd == -EAGAIN && sys_monotonic_ms() < end) {
		sys_sleep_us(RETRY_US);
		fd = sys_connect(KEEPER_SOCKET);
	}
	return fd == -EAGAIN ? -ETIMEDOUT : fd;
}

int keeper_connect(void)
{
	int64_t end = sys_monotonic_ms() + KEEPER_CALL_MS;
	int fd = connect_before(end), r;

	if (fd != -ENOENT && fd != -ECONNREFUSED)
		return fd;
	r = keeper_start(end);
	return r < 0 ? r : connect_before(end);
}

/* Where there is none this is the end of every login by itself: looking is cheaper than a socket. */
int keeper_connect_only(void)
{
	struct stat st;
	int r = sys_fstatat(AT_FDCWD, KEEPER_SOCKET, &st);

	return r < 0 ? r : sys_connect(KEEPER_SOCKET);
}

int keeper_send(int link, const struct keeper_message *request, const int *fds)
{
	return sys_send(link, request, sizeof(*request), fds, request->n_fds);
}

/* Where a descriptor of that kind belongs, NULL: nowhere, or there is one already. */
static int *slot_for(struct keeper_fds *fds, uint32_t kind)
{
	enum keeper_ns place = keeper_place((int)kind);
	int *slot = place < KEEPER_N_NS		 ? &fds->ns[place]
		    : kind == KEEPER_FD_PROC	 ? &fds->proc
		    : kind == KEEPER_FD_TERMINAL ? &fds->terminal
						 : NULL;

	return slot && *slot < 0 ? slot : NULL;
}

static int sort_fds(const struct keeper_message *answer, int *came, size_t n, struct keeper_fds *ret)
{
	struct keeper_fds sorted = KEEPER_NO_FDS;
	int r = n == answer->n_fds && (n == 0 || ret) ? 0 : -EPROTO;

	for (size_t i = 0; i < n; i++) {
		int *slot = r == 0 ? slot_for(&sorted, answer->fds[i]) : NULL;

		if (slot)
			*slot = came[i];
		else
			sys_close(came[i]);
		r = slot ? r : -EPROTO;
	}
	if (r < 0)
		keeper_fds_done(&sorted);
	else if (ret)
		*ret = sorted;
	return r;
}

/* Nearly always the answer comes sooner than one who sleeps is woken: some 50 us, in which others go first. */
static int wait_awake(int link)
{
	int r = sys_wait_readable(link, 0);

	for (int i = 0; i < LOOKS && r == 0; i++) {
		sys_yield();
		r = sys_wait_readable(link, 0);
	}
	return r;
}

int keeper_await(int link, int ms, struct keeper_message *answer, struct keeper_fds *fds)
{
	int came[SYS_MAX_FDS], r = wait_awake(link);
	size_t n_came = 0;
	ssize_t n;

	if (r == 0)
		r = sys_wait_readable(link, ms);
	if (r <= 0)
		return r < 0 ? r : -ETIMEDOUT;
	n = sys_receive(link, answer, sizeof(*answer), came, SYS_MAX_FDS, &n_came);
	if (n < 0)
		return (int)n;
	if (n == 0)
		return -ECONNRESET;
	if (n != (ssize_t)sizeof(*answer) || answer->magic != KEEPER_MAGIC || answer->version != KEEPER_VERSION ||
	    answer->n_fds > KEEPER_MAX_FDS)
		answer->n_fds = UINT32_MAX; /* fits nothing: what came is closed */
	keeper_end_texts(answer);
	return sort_fds(answer, came, n_came, fds);
}

int keeper_ask(int link, const struct keeper_message *request, const int *fds, struct keeper_message *answer,
	       struct keeper_fds *ret_fds)
{
	int r = keeper_send(link, request, fds);

	if (r == 0)
		r = keeper_await(link, KEEPER_CALL_MS, answer, ret_fds);
	if (r == 0 && answer->type == KEEPER_FAILED)
		r = answer->error > 0 ? -answer->error : -EPROTO;
	return r;
}

void keeper_leave(uint64_t session)
{
	struct keeper_message message;
	int link = keeper_connect_only();

	if (link < 0)
		return;
	keeper_message_init(&message, KEEPER_LEAVE);
	message.session.id = session;
	(void)keeper_send(link, &message, NULL);
	sys_close(link);
}
