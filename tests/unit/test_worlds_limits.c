/* SPDX-License-Identifier: BSD-3-Clause */
/* How much of the keeper one user gets, whatever it does: leases, places in line, worlds, sessions. */
#include "tests/unit/test_worlds.h"

/* The client hears nothing of what it is answered by then; its line is cleared for more. */
static int get_again(struct fake *f, int client, uint32_t uid, char key, uint64_t session, uint32_t flags)
{
	f->clients[client].n_answers = f->clients[client].n_read = 0;
	return get_flags(f, client, uid, key, session, flags);
}

static int put_again(struct fake *f, int client, uint32_t uid)
{
	f->clients[client].n_answers = f->clients[client].n_read = 0;
	return put(f, client, uid, 77);
}

static void late(struct fake *f)
{
	f->now = worlds_due(&f->worlds);
	worlds_tick(&f->worlds, f->now);
}

static void as_many_askers_of_one_user(void **state)
{
	struct fake *f = *state;
	size_t before;
	int i;

	for (i = 0; i < WORLDS_MAX_ASKERS - 2; i++)
		assert_int_equal(get(f, i, 1000, 'a', 1 + (uint64_t)i), i ? KEEPER_WAIT : KEEPER_BUILD);
	assert_int_equal(get(f, i++, 1000, 'b', 100), KEEPER_BUILD); /* another key is no way round it */
	assert_int_equal(get_flags(f, i++, 1000, 'a', 101, KEEPER_ALONE), KEEPER_BUILD);
	before = n_open(f);
	assert_int_equal(get(f, i, 1000, 'a', 102), KEEPER_FAILED);
	assert_int_equal(last(f, i)->message.error, EAGAIN);
	assert_non_null(strstr(last(f, i)->message.text, "too many logins of this user"));
	assert_int_equal(get(f, i, 1000, 'c', 102), KEEPER_FAILED);
	assert_int_equal(get_flags(f, i, 1000, 'a', 102, KEEPER_ALONE), KEEPER_FAILED);
	assert_int_equal(n_open(f), before);
	assert_int_equal(f->worlds.n_worlds, 3);
	assert_int_equal(get(f, i, 1001, 'a', 102), KEEPER_BUILD); /* another user's is none of its business */
	gone(f, 3);
	assert_int_equal(get(f, i + 1, 1000, 'a', 103), KEEPER_WAIT);
	assert_int_equal(put(f, 0, 1000, 77), KEEPER_STORED); /* nobody asks whose answer is there */
	assert_int_equal(get(f, i + 2, 1000, 'a', 104), KEEPER_HELD);
}

static void nobody_is_in_line_longer_than_its_client_waits(void **state)
{
	struct fake *f = *state;
	int64_t began = f->now;

	get(f, 0, 1000, 'a', 1);
	f->now += 1000;
	get(f, 1, 1000, 'a', 2);
	f->now = began + KEEPER_LEASE_MS;
	worlds_tick(&f->worlds, f->now);
	assert_int_equal(next(f, 1), KEEPER_BUILD);
	assert_int_equal(worlds_due(&f->worlds), began + 1000 + KEEPER_LEASE_MS + KEEPER_CALL_MS);
	late(f);
	assert_null(f->clients[1].client.asked);
	assert_int_equal(f->worlds.n_worlds, 0);
}

static void who_has_gone_on_gets_no_lease(void **state)
{
	struct fake *f = *state;
	size_t before = n_open(f);

	for (int i = 0; i < 3; i++)
		get(f, i, 1000, 'a', 1 + (uint64_t)i);
	f->now += KEEPER_LEASE_MS + KEEPER_CALL_MS - 1;
	get(f, 3, 1000, 'a', 4);
	f->now++; /* the keeper itself had no time for so long */
	worlds_tick(&f->worlds, f->now);
	for (int i = 1; i < 3; i++) {
		assert_int_equal(next(f, i), 0);
		assert_null(f->clients[i].client.asked);
	}
	assert_int_equal(next(f, 3), KEEPER_BUILD);
	gone(f, 3);
	assert_int_equal(f->worlds.n_worlds, 0);
	assert_int_equal(n_open(f), before);
}

static void late_leases_come_to_an_end(void **state)
{
	struct fake *f = *state;
	size_t before = n_open(f);

	for (int i = 0; i < 10; i++) {
		get(f, i, 1000, 'a', 1 + (uint64_t)i);
		f->now += 10;
	}
	for (int i = 0; i < WORLDS_MAX_LATE; i++) {
		if (i)
			assert_int_equal(next(f, i), KEEPER_BUILD);
		late(f);
	}
	for (int i = WORLDS_MAX_LATE; i < 10; i++) {
		assert_int_equal(next(f, i), KEEPER_FAILED);
		assert_int_equal(last(f, i)->message.error, EAGAIN);
		assert_null(f->clients[i].client.asked);
	}
	assert_int_equal(f->worlds.n_worlds, 0);
	assert_int_equal(f->worlds.n_sessions, 0);
	assert_int_equal(n_open(f), before);
	assert_int_equal(get(f, 20, 1000, 'a', 30), KEEPER_BUILD); /* anew */
}

static void as_many_worlds_of_one_user(void **state)
{
	struct fake *f = *state;
	struct worlds_request r = blank(KEEPER_PUT, 1000, 'a', 9999);
	uint32_t uids[] = {1000, 0};

	for (size_t u = 0; u < 2; u++)
		for (uint64_t i = 1; i <= WORLDS_MAX_PER_USER; i++) {
			assert_int_equal(get_again(f, 0, uids[u], 'a', 1000 * u + i, KEEPER_ALONE), KEEPER_BUILD);
			assert_int_equal(put_again(f, 0, uids[u]), KEEPER_STORED);
			simple(f, 0, KEEPER_LEAVE, 0, 1000 * u + i); /* a process is left in it */
		}
	assert_int_equal(get(f, 1, 1000, 'a', 5000), KEEPER_FAILED);
	assert_int_equal(last(f, 1)->message.error, ENOSPC);
	assert_non_null(strstr(last(f, 1)->message.text, "this user has too many worlds"));
	r.message.flags = KEEPER_ALONE;
	r.ns[KEEPER_NS_MNT] = fake_fd(f);
	r.inodes[KEEPER_NS_MNT] = 80;
	r.pidfd = fake_fd(f);
	request(f, 1, &r);
	assert_int_equal(next(f, 1), KEEPER_FAILED);
	assert_int_equal(last(f, 1)->message.error, ENOSPC);
	assert_int_equal(f->worlds.n_worlds, 2 * WORLDS_MAX_PER_USER);
	assert_int_equal(get(f, 1, 1001, 'a', 5000), KEEPER_BUILD);
	assert_int_equal(get(f, 2, 0, 'a', 5001), KEEPER_BUILD); /* root is bounded by the total only */
}

static void as_many_sessions_of_one_user(void **state)
{
	struct fake *f = *state;

	assert_int_equal(get(f, 0, 1000, 'a', 1), KEEPER_BUILD);
	assert_int_equal(put(f, 0, 1000, 77), KEEPER_STORED);
	for (uint64_t i = 2; i <= WORLDS_MAX_SESSIONS_PER_USER; i++)
		assert_int_equal(get_again(f, 0, 1000, 'a', i, 0), KEEPER_HELD);
	assert_int_equal(get(f, 1, 1000, 'a', 5000), KEEPER_FAILED);
	assert_int_equal(last(f, 1)->message.error, ENOSPC);
	assert_int_equal(get(f, 1, 1000, 'b', 5000), KEEPER_FAILED); /* nor in another world */
	assert_int_equal(f->worlds.n_worlds, 1);
	assert_int_equal(get(f, 1, 1001, 'a', 5000), KEEPER_BUILD);
	simple(f, 0, KEEPER_LEAVE, 0, 1);
	assert_int_equal(get(f, 2, 1000, 'a', 5001), KEEPER_HELD);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(as_many_askers_of_one_user),
		TEST(nobody_is_in_line_longer_than_its_client_waits),
		TEST(who_has_gone_on_gets_no_lease),
		TEST(late_leases_come_to_an_end),
		TEST(as_many_worlds_of_one_user),
		TEST(as_many_sessions_of_one_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
