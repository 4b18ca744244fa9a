/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The worlds' state machine with everything around it made up: a clock, processes, descriptors that are counted. A
 * descriptor is a number; each that was made must have been closed in the end, once.
 */
#ifndef TEST_WORLDS_H
#define TEST_WORLDS_H

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "keeper/worlds.h"

enum { MAX_FDS = 4096, MAX_PROCESSES = 32, MAX_CLIENTS = 64, MAX_ANSWERS = 64 };

struct process {
	pid_t pid; /* 0: an empty place */
	uint64_t mnt, pidns;
	bool killed;
	int error; /* open_process answers this */
};

struct answer {
	uint16_t type;
	struct keeper_message message;
	int fds[KEEPER_MAX_FDS];
};

struct test_client {
	struct worlds_client client; /* first */
	struct answer answers[MAX_ANSWERS];
	size_t n_answers, n_read;
	int room; /* of answers that it takes; -1: any number */
};

struct fake {
	struct worlds worlds;
	int64_t now;
	int next_fd;
	bool open[MAX_FDS];
	struct source *watched[MAX_FDS];
	int fail_watch;      /* the next watch() fails */
	int host[KEEPER_N_NS];
	struct process processes[MAX_PROCESSES];
	struct test_client clients[MAX_CLIENTS];
	uint64_t next_id;
	int n_inits, n_inits_ended, init_answer, spawn_error;
	int n_cleaned, n_adopted, n_saved, n_forgotten, n_markers_forgotten;
	char cleaned[64], adopted[64];
};

static int fake_fd(struct fake *f)
{
	int fd = f->next_fd++;

	assert_true(fd < MAX_FDS);
	f->open[fd] = true;
	return fd;
}

static bool fake_answer(void *data, struct worlds_client *client, struct keeper_message *message, const int *fds)
{
	struct fake *f = data;
	struct test_client *c = (struct test_client *)client;
	struct answer *a = &c->answers[c->n_answers];

	if (c->room == 0)
		return false;
	if (c->room > 0)
		c->room--;
	assert_true(c->n_answers++ < MAX_ANSWERS);
	*a = (struct answer){.type = message->type, .message = *message};
	for (uint32_t i = 0; i < message->n_fds; i++) {
		assert_true(f->open[fds[i]]);
		a->fds[i] = fds[i];
	}
	return true;
}

static int fake_watch(void *data, struct source *source)
{
	struct fake *f = data;

	if (f->fail_watch) {
		f->fail_watch--;
		return -ENOMEM;
	}
	assert_true(f->open[source->fd]);
	assert_null(f->watched[source->fd]);
	f->watched[source->fd] = source;
	return 0;
}

static void fake_unwatch(void *data, struct source *source)
{
	((struct fake *)data)->watched[source->fd] = NULL;
}

static void fake_close(void *data, int fd)
{
	struct fake *f = data;

	assert_true(f->open[fd]);
	assert_null(f->watched[fd]);
	f->open[fd] = false;
}

static struct process *process(struct fake *f, pid_t pid)
{
	for (int i = 0; i < MAX_PROCESSES; i++)
		if (f->processes[i].pid == pid)
			return &f->processes[i];
	return NULL;
}

/* The pidfd of process N is 2000 + 100 * N and a running number, so that kill() can tell who is meant. */
static void fake_kill(void *data, int pidfd)
{
	struct fake *f = data;
	struct process *p = process(f, (pidfd - 2000) / 100);

	assert_true(f->open[pidfd]);
	if (p)
		p->killed = true;
}

static int fake_open_process(void *data, pid_t pid, const struct world *world)
{
	struct fake *f = data;
	const struct process *p = process(f, pid);
	int fd = 2000 + 100 * pid;

	if (!p)
		return -ESRCH;
	if (p->error)
		return p->error;
	if (!world_owns_inode(world, (uint64_t[KEEPER_N_NS]){[KEEPER_NS_MNT] = p->mnt, [KEEPER_NS_PID] = p->pidns}))
		return -ESRCH;
	while (f->open[fd])
		fd++;
	f->open[fd] = true;
	return fd;
}

static int fake_spawn_init(void *data, struct world *world, uint32_t flags)
{
	struct fake *f = data;

	(void)flags;
	if (f->spawn_error)
		return f->spawn_error;
	f->n_inits++;
	world->init.pid = 5000 + f->n_inits;
	world->init.pidfd = fake_fd(f);
	world->init.socket.fd = fake_fd(f);
	world->ns[KEEPER_NS_PID] = fake_fd(f);
	world->inodes[KEEPER_NS_PID] = 8000 + (uint64_t)f->n_inits;
	return 0;
}

static int fake_receive_init(void *data, struct world *world)
{
	struct fake *f = data;

	(void)world;
	return f->init_answer < 0 ? f->init_answer : fake_fd(f);
}

static void fake_end_init(void *data, struct world *world)
{
	struct fake *f = data;

	f->n_inits_ended++;
	fake_close(f, world->init.pidfd);
}

static void fake_forget_marker(void *data, int marker)
{
	(void)marker;
	((struct fake *)data)->n_markers_forgotten++;
}

static void fake_clean(void *data, const struct world *world)
{
	struct fake *f = data;

	f->n_cleaned++;
	snprintf(f->cleaned, sizeof(f->cleaned), "%s", world->record);
}

static void fake_adopt(void *data, const struct world *world)
{
	struct fake *f = data;

	f->n_adopted++;
	snprintf(f->adopted, sizeof(f->adopted), "%s", world->record);
}

static void fake_save(void *data, const struct world *world)
{
	assert_true(world->state != WORLD_LEASED);
	((struct fake *)data)->n_saved++;
}

static void fake_forget(void *data, const struct world *world)
{
	(void)world;
	((struct fake *)data)->n_forgotten++;
}

static void fake_say(void *data, const struct world *world, const char *what)
{
	(void)data;
	(void)world;
	(void)what;
}

static uint64_t fake_random(void *data)
{
	return ((struct fake *)data)->next_id++; /* the first is 0, which is no id */
}

static const struct worlds_effects fake_effects = {
	.answer = fake_answer, .watch = fake_watch, .unwatch = fake_unwatch, .close = fake_close, .kill = fake_kill,
	.open_process = fake_open_process, .spawn_init = fake_spawn_init, .receive_init = fake_receive_init,
	.end_init = fake_end_init, .forget_marker = fake_forget_marker, .clean = fake_clean, .adopt = fake_adopt, .save = fake_save,
	.forget = fake_forget, .say = fake_say, .random = fake_random,
};

static int set_up(void **state)
{
	struct fake *f = test_calloc(1, sizeof(*f));

	f->now = 1000000;
	f->next_fd = 3;
	f->init_answer = 1;
	for (int i = 0; i < KEEPER_N_NS; i++)
		f->host[i] = i == KEEPER_NS_USER ? -1 : fake_fd(f);
	for (int i = 0; i < MAX_CLIENTS; i++)
		f->clients[i].room = -1;
	worlds_init(&f->worlds, &fake_effects, f, f->host);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	worlds_clear(&((struct fake *)*state)->worlds);
	test_free(*state);
	return 0;
}

static size_t n_open(const struct fake *f)
{
	size_t n = 0;

	for (int i = 0; i < MAX_FDS; i++)
		n += f->open[i];
	return n;
}

/* ---- Requests ---- */

static struct worlds_request blank(uint16_t type, uint32_t uid, char key, uint64_t session)
{
	struct worlds_request r = {.message = {.type = type, .uid = uid}, .pidfd = -1, .marker = -1};

	memset(r.message.key, key, sizeof(r.message.key));
	r.message.session.id = session;
	for (int i = 0; i < KEEPER_N_NS; i++)
		r.ns[i] = -1;
	return r;
}

/* As the server does it: what is not kept is closed. */
static void request(struct fake *f, int client, struct worlds_request *r)
{
	worlds_request(&f->worlds, f->now, &f->clients[client].client, r);
	for (int i = 0; i < KEEPER_N_NS; i++)
		if (r->ns[i] >= 0)
			fake_close(f, r->ns[i]);
	if (r->pidfd >= 0)
		fake_close(f, r->pidfd);
	if (r->marker >= 0)
		f->n_markers_forgotten++;
}

/* The type of the next answer that this client has got; 0: there is none. */
static int next(struct fake *f, int client)
{
	struct test_client *c = &f->clients[client];

	return c->n_read < c->n_answers ? c->answers[c->n_read++].type : 0;
}

static const struct answer *last(const struct fake *f, int client)
{
	return &f->clients[client].answers[f->clients[client].n_read - 1];
}

static int get_flags(struct fake *f, int client, uint32_t uid, char key, uint64_t session, uint32_t flags)
{
	struct worlds_request r = blank(KEEPER_GET, uid, key, session);

	r.message.flags = flags;
	r.pidfd = fake_fd(f);
	request(f, client, &r);
	return next(f, client);
}

static int get(struct fake *f, int client, uint32_t uid, char key, uint64_t session)
{
	return get_flags(f, client, uid, key, session, 0);
}

static int put_marker(struct fake *f, int client, uint32_t uid, uint64_t mnt, int marker)
{
	struct worlds_request r = blank(KEEPER_PUT, uid, 0, 0);

	r.ns[KEEPER_NS_MNT] = fake_fd(f);
	r.inodes[KEEPER_NS_MNT] = mnt;
	r.marker = marker;
	snprintf(r.message.user, sizeof(r.message.user), "u%u", uid);
	snprintf(r.message.rules, sizeof(r.message.rules), "a.conf:1");
	snprintf(r.message.record, sizeof(r.message.record), "record-%u", uid);
	request(f, client, &r);
	return next(f, client);
}

static int put(struct fake *f, int client, uint32_t uid, uint64_t mnt)
{
	return put_marker(f, client, uid, mnt, -1);
}

static int simple(struct fake *f, int client, uint16_t type, uint32_t uid, uint64_t session)
{
	struct worlds_request r = blank(type, uid, 0, session);

	request(f, client, &r);
	return next(f, client);
}

static void gone(struct fake *f, int client)
{
	worlds_client_gone(&f->worlds, f->now, &f->clients[client].client);
}

/* The only world there is, or that of an uid. */
static inline struct world *world_of(const struct fake *f, uint32_t uid)
{
	for (struct world *w = f->worlds.first; w; w = w->next)
		if (w->uid == uid)
			return w;
	return NULL;
}

static inline void readable(struct fake *f, struct source *source)
{
	assert_ptr_equal(f->watched[source->fd], source);
	worlds_readable(&f->worlds, f->now, source);
}

/* ---- Processes ---- */

static inline struct process *begin_process(struct fake *f, pid_t pid, uint64_t mnt, uint64_t pidns)
{
	struct process *p = process(f, 0);

	*p = (struct process){.pid = pid, .mnt = mnt, .pidns = pidns};
	return p;
}

static inline void end_process(struct process *p)
{
	*p = (struct process){0};
}

static inline void show_all(struct fake *f)
{
	for (int i = 0; i < MAX_PROCESSES; i++)
		if (f->processes[i].pid)
			worlds_scan_process(&f->worlds, f->processes[i].pid,
					    (uint64_t[KEEPER_N_NS]){[KEEPER_NS_MNT] = f->processes[i].mnt,
								    [KEEPER_NS_PID] = f->processes[i].pidns});
}

/* A whole pass, if one is due some time. */
static inline bool pass(struct fake *f)
{
	if (!f->worlds.scan_wanted)
		return false;
	if (f->now < f->worlds.scan_not_before)
		f->now = f->worlds.scan_not_before;
	assert_true(worlds_scan_due(&f->worlds, f->now));
	worlds_scan_begin(&f->worlds, f->now);
	show_all(f);
	worlds_scan_end(&f->worlds, f->now, true);
	return true;
}

#endif
