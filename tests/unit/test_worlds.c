/* SPDX-License-Identifier: BSD-3-Clause */
/* The rules of keeper/worlds.h until a world is held: GET, leases, PUT, those who wait; and LIST, HOST, TAKE. */
#include "tests/unit/test_worlds.h"

static void first_builds_second_joins(void **state)
{
	struct fake *f = *state;
	size_t before = n_open(f);

	assert_int_equal(get(f, 0, 1000, 'a', 1), KEEPER_BUILD);
	assert_int_equal(last(f, 0)->message.n_fds, 6); /* the host's set */
	assert_int_equal(last(f, 0)->fds[0], f->host[KEEPER_NS_MNT]);
	assert_int_equal(put(f, 0, 1000, 77), KEEPER_STORED);
	assert_int_equal(get(f, 1, 1000, 'a', 2), KEEPER_HELD);
	assert_int_equal(last(f, 1)->message.n_fds, 6);
	assert_int_not_equal(last(f, 1)->fds[0], f->host[KEEPER_NS_MNT]);
	assert_int_equal(last(f, 1)->fds[1], f->host[KEEPER_NS_IPC]);
	assert_int_equal(f->worlds.n_worlds, 1);
	assert_int_equal(f->worlds.n_sessions, 2);
	assert_int_equal(world_of(f, 1000)->state, WORLD_HELD);
	simple(f, 0, KEEPER_LEAVE, 0, 1);
	simple(f, 0, KEEPER_LEAVE, 0, 2);
	assert_int_equal(world_of(f, 1000)->state, WORLD_LINGERING);
	assert_true(pass(f));
	assert_int_equal(f->worlds.n_worlds, 0);
	assert_int_equal(f->worlds.n_sessions, 0);
	assert_int_equal(n_open(f), before);
	assert_int_equal(f->n_forgotten, 1);
}

static void another_user_or_key_is_another_world(void **state)
{
	struct fake *f = *state;

	assert_int_equal(get(f, 0, 1000, 'a', 1), KEEPER_BUILD);
	assert_int_equal(get(f, 1, 1000, 'b', 2), KEEPER_BUILD);
	assert_int_equal(get(f, 2, 1001, 'a', 3), KEEPER_BUILD);
	assert_int_equal(f->worlds.n_worlds, 3);
}

static void thirty_at_a_time_make_one(void **state)
{
	struct fake *f = *state;

	assert_int_equal(get(f, 0, 1000, 'a', 1), KEEPER_BUILD);
	for (int i = 1; i < 30; i++)
		assert_int_equal(get(f, i, 1000, 'a', 1 + (uint64_t)i), KEEPER_WAIT);
	assert_int_equal(put(f, 0, 1000, 77), KEEPER_STORED);
	for (int i = 1; i < 30; i++)
		assert_int_equal(next(f, i), KEEPER_HELD);
	assert_int_equal(f->worlds.n_worlds, 1);
	assert_int_equal(f->worlds.n_sessions, 30);
	for (int i = 0; i < 30; i++)
		assert_null(f->clients[i].client.asked);
}

/* drop, connection, death, time: each gives the lease to the next in line, in their order */
static void lose(struct fake *f, int how, int client)
{
	struct world *w = world_of(f, 1000);

	switch (how) {
	case 0: simple(f, client, KEEPER_DROP, 0, 0); break;
	case 1: gone(f, client); break;
	case 2: readable(f, &w->sessions->pidfd); break;
	default:
		f->now = w->lease_end - 1;
		worlds_tick(&f->worlds, f->now);
		assert_int_equal(w->sessions->id, client + 1);
		assert_int_equal(worlds_due(&f->worlds), w->lease_end);
		f->now++;
		worlds_tick(&f->worlds, f->now);
	}
}

static void lost_lease_goes_on(void **state)
{
	struct fake *f = *state;
	size_t before = n_open(f);

	for (int how = 0; how < 4; how++)
		get(f, how, 1000, 'a', 1 + (uint64_t)how);
	for (int how = 0; how < 4; how++) {
		lose(f, how, how);
		if (how < 3)
			assert_int_equal(next(f, how + 1), KEEPER_BUILD);
		assert_null(f->clients[how].client.asked);
	}
	assert_int_equal(f->worlds.n_worlds, 0);
	assert_int_equal(n_open(f), before);
	assert_int_equal(worlds_due(&f->worlds), INT64_MAX);
	assert_int_equal(f->n_saved, 0);
}

static void lease_has_its_own_time_each(void **state)
{
	struct fake *f = *state;

	get(f, 0, 1000, 'a', 1);
	f->now += KEEPER_LEASE_MS - 10;
	get(f, 1, 1000, 'a', 2);
	f->now += 10;
	worlds_tick(&f->worlds, f->now);
	assert_int_equal(next(f, 1), KEEPER_BUILD);
	assert_int_equal(worlds_due(&f->worlds), f->now + KEEPER_LEASE_MS);
	f->now += KEEPER_LEASE_MS - 1;
	worlds_tick(&f->worlds, f->now);
	assert_int_equal(put(f, 1, 1000, 77), KEEPER_STORED);
}

static void late_put_is_refused(void **state)
{
	struct fake *f = *state;
	size_t before;

	get(f, 0, 1000, 'a', 1);
	get(f, 1, 1000, 'a', 2);
	f->now += KEEPER_LEASE_MS;
	worlds_tick(&f->worlds, f->now);
	assert_int_equal(next(f, 1), KEEPER_BUILD);
	before = n_open(f);
	assert_int_equal(put(f, 0, 1000, 77), KEEPER_FAILED);
	assert_int_equal(last(f, 0)->message.error, ESTALE);
	assert_int_equal(n_open(f), before);
	assert_int_equal(put(f, 1, 1000, 78), KEEPER_STORED);
	assert_int_equal(world_of(f, 1000)->inodes[KEEPER_NS_MNT], 78);
	assert_int_equal(put(f, 1, 1000, 79), KEEPER_FAILED); /* it is over for this one, too */
}

static void one_who_waits_may_go(void **state)
{
	struct fake *f = *state;

	get(f, 0, 1000, 'a', 1);
	get(f, 1, 1000, 'a', 2);
	get(f, 2, 1000, 'a', 3);
	get(f, 3, 1000, 'a', 4);
	gone(f, 1);
	simple(f, 3, KEEPER_DROP, 0, 0);
	assert_int_equal(f->worlds.n_sessions, 2);
	assert_int_equal(put(f, 0, 1000, 77), KEEPER_STORED);
	assert_int_equal(next(f, 1), 0);
	assert_int_equal(next(f, 2), KEEPER_HELD);
	assert_int_equal(next(f, 3), 0);
	assert_int_equal(f->worlds.n_sessions, 2);
}

static void one_thing_at_a_time(void **state)
{
	struct fake *f = *state;

	get(f, 0, 1000, 'a', 1);
	assert_int_equal(get(f, 0, 1001, 'a', 2), KEEPER_FAILED);
	assert_int_equal(last(f, 0)->message.error, EBUSY);
	get(f, 1, 1000, 'a', 3);
	assert_int_equal(get(f, 1, 1001, 'a', 4), KEEPER_FAILED);
	assert_int_equal(f->worlds.n_worlds, 1);
	assert_int_equal(put(f, 0, 1000, 77), KEEPER_STORED);
	assert_int_equal(get(f, 0, 1001, 'a', 5), KEEPER_BUILD); /* now it may */
}

static void session_needs_id_and_process(void **state)
{
	struct fake *f = *state;
	struct worlds_request r = blank(KEEPER_GET, 1000, 'a', 1);

	request(f, 0, &r);
	assert_int_equal(next(f, 0), KEEPER_FAILED);
	assert_int_equal(last(f, 0)->message.error, EINVAL);
	assert_int_equal(get(f, 0, 1000, 'a', 0), KEEPER_FAILED);
	assert_int_equal(f->worlds.n_worlds, 0);
	assert_int_equal(get(f, 0, 1000, 'a', 1), KEEPER_BUILD);
	assert_int_equal(get(f, 1, 1001, 'a', 1), KEEPER_FAILED); /* while it builds */
	assert_int_equal(last(f, 1)->message.error, EEXIST);
	put(f, 0, 1000, 77);
	assert_int_equal(get(f, 1, 1000, 'a', 1), KEEPER_FAILED); /* while it is in */
	assert_int_equal(f->worlds.n_worlds, 1);
	assert_int_equal(f->worlds.n_sessions, 1);
	simple(f, 1, KEEPER_LEAVE, 0, 1);
	assert_int_equal(get(f, 1, 1000, 'a', 1), KEEPER_HELD);
}

static void put_is_checked(void **state)
{
	struct fake *f = *state;
	struct worlds_request r = blank(KEEPER_PUT, 1000, 'a', 0);

	get(f, 0, 1000, 'a', 1);
	request(f, 0, &r);
	assert_int_equal(next(f, 0), KEEPER_FAILED); /* no namespace */
	assert_int_equal(put(f, 0, 1001, 77), KEEPER_FAILED); /* another's */
	r = blank(KEEPER_PUT, 1000, 'a', 0);
	r.ns[KEEPER_NS_PID] = fake_fd(f);
	r.inodes[KEEPER_NS_PID] = 4711;
	request(f, 0, &r);
	assert_int_equal(next(f, 0), KEEPER_FAILED); /* a PID namespace that has no init of ours */
	assert_int_equal(put_marker(f, 0, 1000, 77, 5), KEEPER_STORED); /* the lease was not lost by all that */
	get(f, 1, 1001, 'a', 2);
	assert_int_equal(put_marker(f, 1, 1001, 78, 5), KEEPER_FAILED); /* the marker of another world */
	assert_int_equal(put_marker(f, 1, 1001, 78, 6), KEEPER_STORED);
}

static void alone_is_joined_by_nobody(void **state)
{
	struct fake *f = *state;
	struct worlds_request r = blank(KEEPER_PUT, 1000, 'a', 9);

	assert_int_equal(get_flags(f, 0, 1000, 'a', 1, KEEPER_ALONE), KEEPER_BUILD);
	assert_int_equal(get(f, 1, 1000, 'a', 2), KEEPER_BUILD);
	assert_int_equal(put(f, 0, 1000, 77), KEEPER_STORED);
	assert_int_equal(get_flags(f, 2, 1000, 'a', 3, KEEPER_ALONE), KEEPER_BUILD);
	r.message.flags = KEEPER_ALONE;
	r.ns[KEEPER_NS_MNT] = fake_fd(f);
	r.inodes[KEEPER_NS_MNT] = 80;
	r.pidfd = fake_fd(f);
	request(f, 3, &r);
	assert_int_equal(next(f, 3), KEEPER_STORED);
	assert_int_equal(f->worlds.n_worlds, 4);
	assert_int_equal(get(f, 4, 1000, 'a', 4), KEEPER_WAIT); /* for client 1's */
	r = blank(KEEPER_PUT, 1000, 'a', 10);
	r.message.flags = KEEPER_ALONE;
	r.ns[KEEPER_NS_MNT] = fake_fd(f);
	r.inodes[KEEPER_NS_MNT] = 81;
	request(f, 3, &r); /* no pidfd */
	assert_int_equal(next(f, 3), KEEPER_FAILED);
	assert_int_equal(f->worlds.n_worlds, 4);
}

static void what_cannot_be_watched_is_not_in(void **state)
{
	struct fake *f = *state;
	size_t before = n_open(f);

	f->fail_watch = 1;
	assert_int_equal(get(f, 0, 1000, 'a', 1), KEEPER_FAILED);
	assert_int_equal(f->worlds.n_worlds, 0);
	assert_int_equal(n_open(f), before);
	get(f, 0, 1000, 'a', 1);
	get(f, 1, 1000, 'a', 2);
	get(f, 2, 1000, 'a', 3);
	f->fail_watch = 1;
	lose(f, 1, 0);
	assert_int_equal(next(f, 1), KEEPER_FAILED);
	assert_int_equal(next(f, 2), KEEPER_BUILD);
	get(f, 3, 1000, 'a', 4);
	f->fail_watch = 1;
	assert_int_equal(put(f, 2, 1000, 77), KEEPER_STORED);
	assert_int_equal(next(f, 3), KEEPER_FAILED);
	f->fail_watch = 1;
	assert_int_equal(get(f, 4, 1000, 'a', 5), KEEPER_FAILED);
	assert_int_equal(f->worlds.n_sessions, 1);
}

static void limits(void **state)
{
	struct fake *f = *state;

	f->worlds.n_worlds = WORLDS_MAX;
	assert_int_equal(get(f, 0, 1000, 'a', 1), KEEPER_FAILED);
	assert_int_equal(last(f, 0)->message.error, ENOSPC);
	f->worlds.n_worlds = 0;
	f->worlds.n_sessions = WORLDS_MAX_SESSIONS;
	assert_int_equal(get(f, 0, 1000, 'a', 1), KEEPER_FAILED);
	f->worlds.n_sessions = 0;
	assert_int_equal(f->worlds.n_worlds, 0);
}

static void unknown_request_is_refused(void **state)
{
	struct fake *f = *state;

	assert_int_equal(simple(f, 0, 0, 0, 0), KEEPER_FAILED);
	assert_int_equal(simple(f, 0, KEEPER_HELD, 0, 0), KEEPER_FAILED);
	assert_int_equal(simple(f, 0, 65535, 0, 0), KEEPER_FAILED);
	assert_int_equal(last(f, 0)->message.error, EOPNOTSUPP);
}

/* ---- PIDS ---- */

static void pids_under_a_lease_only(void **state)
{
	struct fake *f = *state;

	assert_int_equal(simple(f, 0, KEEPER_PIDS, 0, 0), KEEPER_FAILED);
	get(f, 0, 1000, 'a', 1);
	get(f, 1, 1000, 'a', 2);
	assert_int_equal(simple(f, 1, KEEPER_PIDS, 0, 0), KEEPER_FAILED);
	put(f, 0, 1000, 77);
	assert_int_equal(simple(f, 0, KEEPER_PIDS, 0, 0), KEEPER_FAILED);
	assert_int_equal(f->n_inits, 0);
}

static void pids_are_answered_when_init_is_there(void **state)
{
	struct fake *f = *state;
	struct world *w;

	get(f, 0, 1000, 'a', 1);
	assert_int_equal(simple(f, 0, KEEPER_PIDS, 0, 0), 0);
	w = world_of(f, 1000);
	assert_int_equal(simple(f, 0, KEEPER_PIDS, 0, 0), KEEPER_FAILED); /* one is enough */
	assert_int_equal(put(f, 0, 1000, 77), KEEPER_FAILED);		   /* not before it is there */
	f->init_answer = -EAGAIN;
	readable(f, &w->init.socket);
	assert_int_equal(next(f, 0), 0);
	f->init_answer = 1;
	readable(f, &w->init.socket);
	assert_int_equal(next(f, 0), KEEPER_PIDS);
	assert_int_equal(last(f, 0)->message.n_fds, 2);
	assert_int_equal(last(f, 0)->message.fds[1], KEEPER_FD_PROC);
	assert_int_equal(put(f, 0, 1000, 77), KEEPER_STORED);
	assert_int_equal(get(f, 1, 1000, 'a', 2), KEEPER_HELD);
	assert_true(last(f, 1)->message.flags & KEEPER_PIDS_INSIDE);
	assert_int_equal(f->n_inits, 1);
	assert_int_equal(f->n_inits_ended, 0);
}

static void init_that_fails_leaves_the_lease(void **state)
{
	struct fake *f = *state;

	get(f, 0, 1000, 'a', 1);
	f->spawn_error = -EAGAIN;
	assert_int_equal(simple(f, 0, KEEPER_PIDS, 0, 0), KEEPER_FAILED);
	f->spawn_error = 0;
	f->fail_watch = 1;
	assert_int_equal(simple(f, 0, KEEPER_PIDS, 0, 0), KEEPER_FAILED);
	simple(f, 0, KEEPER_PIDS, 0, 0);
	f->init_answer = -EPIPE;
	readable(f, &world_of(f, 1000)->init.socket);
	assert_int_equal(next(f, 0), KEEPER_FAILED);
	assert_int_equal(f->n_inits_ended, 2);
	assert_int_equal(world_of(f, 1000)->inodes[KEEPER_NS_PID], 0);
	f->init_answer = 1;
	simple(f, 0, KEEPER_PIDS, 0, 0); /* once more */
	readable(f, &world_of(f, 1000)->init.socket);
	assert_int_equal(next(f, 0), KEEPER_PIDS);
	assert_int_equal(put(f, 0, 1000, 77), KEEPER_STORED);
}

static void lost_lease_takes_its_init_along(void **state)
{
	struct fake *f = *state;
	size_t before;

	get(f, 0, 1000, 'a', 1);
	before = n_open(f);
	get(f, 1, 1000, 'a', 2);
	simple(f, 0, KEEPER_PIDS, 0, 0);
	readable(f, &world_of(f, 1000)->init.socket);
	gone(f, 0);
	assert_int_equal(next(f, 1), KEEPER_BUILD);
	assert_int_equal(f->n_inits_ended, 1);
	assert_int_equal(n_open(f), before);
	simple(f, 1, KEEPER_PIDS, 0, 0);
	readable(f, &world_of(f, 1000)->init.socket);
	assert_int_equal(next(f, 1), KEEPER_PIDS);
	readable(f, &world_of(f, 1000)->init.socket); /* it dies while client 1 builds */
	assert_int_equal(f->worlds.n_worlds, 0);
	assert_int_equal(put(f, 1, 1000, 77), KEEPER_FAILED);
	assert_int_equal(last(f, 1)->message.error, ESTALE);
}

/* ---- LIST, HOST, TAKE ---- */

static void list_goes_on_where_it_was(void **state)
{
	struct fake *f = *state;
	int worlds = 0, sessions = 0, type, turns = 0;

	for (int i = 0; i < 5; i++) {
		get(f, i, 1000 + (uint32_t)i, 'a', 1 + (uint64_t)i);
		put(f, i, 1000 + (uint32_t)i, 70 + (uint64_t)i);
		get(f, i, 1000 + (uint32_t)i, 'a', 100 + (uint64_t)i);
	}
	get(f, 6, 2000, 'a', 200); /* being built: not in it */
	f->clients[7].room = 1;
	simple(f, 7, KEEPER_LIST, 0, 0);
	while (f->clients[7].client.listing && turns++ < 100) {
		if (turns == 4)
			simple(f, 0, KEEPER_LEAVE, 0, 101); /* somebody comes, somebody goes */
		f->clients[7].room = 1;
		worlds_list(&f->worlds, &f->clients[7].client);
	}
	f->clients[7].n_read = 0;
	while ((type = next(f, 7)) == KEEPER_WORLD || type == KEEPER_SESSION) {
		worlds += type == KEEPER_WORLD;
		sessions += type == KEEPER_SESSION;
		if (type == KEEPER_WORLD)
			assert_int_equal(last(f, 7)->message.uid, 999 + worlds);
	}
	assert_int_equal(type, KEEPER_DONE);
	assert_int_equal(next(f, 7), 0);
	assert_int_equal(worlds, 5);
	assert_int_equal(sessions, 9);
}

static void list_tells_what_was_said(void **state)
{
	struct fake *f = *state;
	struct worlds_request r = blank(KEEPER_GET, 1000, 'a', 1);

	snprintf(r.message.session.service, sizeof(r.message.session.service), "sshd");
	snprintf(r.message.session.tty, sizeof(r.message.session.tty), "pts/1");
	memset(r.message.session.rhost, 'h', sizeof(r.message.session.rhost) - 1);
	snprintf(r.message.session.from_user, sizeof(r.message.session.from_user), "bob");
	r.message.session.since = 12345;
	r.message.session.pid = 42;
	r.message.flags = KEEPER_KILL_ON_LOGOUT;
	r.pidfd = fake_fd(f);
	request(f, 0, &r);
	next(f, 0);
	put(f, 0, 1000, 77);
	assert_int_equal(simple(f, 1, KEEPER_LIST, 0, 0), KEEPER_WORLD);
	assert_string_equal(last(f, 1)->message.user, "u1000");
	assert_string_equal(last(f, 1)->message.rules, "a.conf:1");
	assert_string_equal(last(f, 1)->message.record, "record-1000");
	assert_int_equal(last(f, 1)->message.inodes[KEEPER_NS_MNT], 77);
	assert_int_equal(last(f, 1)->message.flags, KEEPER_KILL_ON_LOGOUT);
	assert_int_equal(next(f, 1), KEEPER_SESSION);
	assert_memory_equal(&last(f, 1)->message.session, &r.message.session, sizeof(r.message.session));
	assert_int_equal(next(f, 1), KEEPER_DONE);
}

static void host_tells_who_is_inside(void **state)
{
	struct fake *f = *state;
	struct worlds_request r = blank(KEEPER_HOST, 0, 0, 0);

	get(f, 0, 1000, 'a', 1);
	put(f, 0, 1000, 77);
	r.message.inodes[KEEPER_NS_MNT] = 1;
	request(f, 1, &r);
	assert_int_equal(next(f, 1), KEEPER_HOST);
	assert_int_equal(last(f, 1)->message.n_fds, 6);
	assert_int_equal(last(f, 1)->message.flags & KEEPER_INSIDE, 0);
	r.message.inodes[KEEPER_NS_MNT] = 77;
	request(f, 1, &r);
	assert_int_equal(next(f, 1), KEEPER_HOST);
	assert_true(last(f, 1)->message.flags & KEEPER_INSIDE);
	assert_int_equal(last(f, 1)->fds[0], f->host[KEEPER_NS_MNT]);
	r.message.inodes[KEEPER_NS_MNT] = 0;
	r.message.inodes[KEEPER_NS_IPC] = 77; /* another type's number */
	request(f, 1, &r);
	next(f, 1);
	assert_int_equal(last(f, 1)->message.flags & KEEPER_INSIDE, 0);
}

static void take_by_id(void **state)
{
	struct fake *f = *state;
	struct worlds_request r = blank(KEEPER_TAKE, 0, 0, 2);

	get_flags(f, 0, 1000, 'a', 1, KEEPER_ALONE | KEEPER_KILL_ON_LOGOUT);
	r.message.world = world_of(f, 1000)->id;
	r.pidfd = fake_fd(f);
	request(f, 1, &r);
	assert_int_equal(next(f, 1), KEEPER_FAILED); /* it is being built */
	put(f, 0, 1000, 77);
	r.pidfd = fake_fd(f);
	request(f, 1, &r);
	assert_int_equal(next(f, 1), KEEPER_HELD);
	assert_true(world_of(f, 1000)->kill_on_logout); /* as it was */
	r.message.world++;
	r.message.session.id = 3;
	r.pidfd = fake_fd(f);
	request(f, 1, &r);
	assert_int_equal(next(f, 1), KEEPER_FAILED);
	assert_int_equal(last(f, 1)->message.error, ESRCH);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(first_builds_second_joins),
		TEST(another_user_or_key_is_another_world),
		TEST(thirty_at_a_time_make_one),
		TEST(lost_lease_goes_on),
		TEST(lease_has_its_own_time_each),
		TEST(late_put_is_refused),
		TEST(one_who_waits_may_go),
		TEST(one_thing_at_a_time),
		TEST(session_needs_id_and_process),
		TEST(put_is_checked),
		TEST(alone_is_joined_by_nobody),
		TEST(what_cannot_be_watched_is_not_in),
		TEST(limits),
		TEST(unknown_request_is_refused),
		TEST(pids_under_a_lease_only),
		TEST(pids_are_answered_when_init_is_there),
		TEST(init_that_fails_leaves_the_lease),
		TEST(lost_lease_takes_its_init_along),
		TEST(list_goes_on_where_it_was),
		TEST(list_tells_what_was_said),
		TEST(host_tells_who_is_inside),
		TEST(take_by_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
