/* SPDX-License-Identifier: BSD-3-Clause */
/* The rules of keeper/worlds.h from then on: how sessions end, who lingers, what is searched, killed and cleaned. */
#include "tests/unit/test_worlds.h"

static struct world *held_with(struct fake *f, uint32_t uid, uint64_t mnt, int marker, uint32_t flags)
{
	get_flags(f, 0, uid, 'a', uid, flags);
	assert_int_equal(put_marker(f, 0, uid, mnt, marker), KEEPER_STORED);
	return world_of(f, uid);
}

static struct world *held(struct fake *f, uint32_t uid, uint64_t mnt)
{
	return held_with(f, uid, mnt, -1, 0);
}

static struct world *held_with_init(struct fake *f, uint32_t uid, uint64_t mnt)
{
	get(f, 0, uid, 'a', uid);
	simple(f, 0, KEEPER_PIDS, 0, 0);
	readable(f, &world_of(f, uid)->init.socket);
	assert_int_equal(next(f, 0), KEEPER_PIDS);
	assert_int_equal(put(f, 0, uid, mnt), KEEPER_STORED);
	return world_of(f, uid);
}

static void leave(struct fake *f, uint64_t session)
{
	assert_int_equal(simple(f, 9, KEEPER_LEAVE, 0, session), 0);
}

/* ---- Sessions ---- */

static void session_ends_once(void **state)
{
	struct fake *f = *state;
	struct world *w = held(f, 1000, 77);

	get(f, 1, 1000, 'a', 2);
	leave(f, 1000);
	leave(f, 1000);
	leave(f, 4711);
	leave(f, 0);
	assert_int_equal(w->state, WORLD_HELD);
	assert_int_equal(f->worlds.n_sessions, 1);
	readable(f, &w->sessions->pidfd);
	assert_int_equal(w->state, WORLD_LINGERING);
	leave(f, 2);
	assert_int_equal(f->worlds.n_sessions, 0);
}

static void tick(struct fake *f, int64_t ms)
{
	f->now += ms;
	worlds_tick(&f->worlds, f->now);
}

/* Nobody waits for that: those of some milliseconds are written down together. */
static void who_comes_and_goes_is_saved_soon(void **state)
{
	struct fake *f = *state;
	int saved;

	held(f, 1000, 77);
	saved = f->n_saved;
	assert_int_equal(saved, 1); /* what is built is, at once */
	for (uint64_t id = 2; id < 5; id++)
		get(f, 1, 1000, 'a', id);
	tick(f, 0);
	tick(f, WORLDS_SAVE_MS);
	assert_int_equal(f->n_saved, ++saved);
	leave(f, 2);
	tick(f, 0);
	assert_int_equal(f->n_saved, saved);
	assert_int_equal(worlds_due(&f->worlds), f->now + WORLDS_SAVE_MS);
	tick(f, WORLDS_SAVE_MS - 1);
	leave(f, 3);
	assert_int_equal(f->n_saved, saved);
	tick(f, 1);
	assert_int_equal(f->n_saved, saved + 1);
	assert_int_equal(worlds_due(&f->worlds), INT64_MAX);
	leave(f, 1000);
	assert_int_equal(f->n_saved, saved + 1);
	leave(f, 4); /* the last: what becomes of the world now is to be known */
	assert_int_equal(f->n_saved, saved + 2);
}

/* Else the next keeper would kill him when another logs out. */
static void who_joins_where_logout_kills_is_saved_at_once(void **state)
{
	struct fake *f = *state;

	held_with(f, 1000, 77, -1, KEEPER_KILL_ON_LOGOUT);
	assert_int_equal(f->n_saved, 1);
	get(f, 1, 1000, 'a', 2); /* and from now on it does not: but the record says that it does */
	assert_int_equal(f->n_saved, 2);
	get(f, 1, 1000, 'a', 3);
	assert_int_equal(f->n_saved, 2);
	get_flags(f, 1, 1000, 'a', 4, KEEPER_KILL_ON_LOGOUT);
	assert_int_equal(f->n_saved, 3);
}

static void the_connection_is_not_the_session(void **state)
{
	struct fake *f = *state;
	struct world *w = held(f, 1000, 77);

	gone(f, 0);
	assert_int_equal(w->state, WORLD_HELD);
	assert_int_equal(f->worlds.n_sessions, 1);
}

static void who_waits_or_builds_cannot_leave(void **state)
{
	struct fake *f = *state;

	get(f, 0, 1000, 'a', 1);
	get(f, 1, 1000, 'a', 2);
	leave(f, 1);
	leave(f, 2);
	assert_int_equal(f->worlds.n_sessions, 2);
}

/* ---- Lingering ---- */

static void a_process_keeps_its_world(void **state)
{
	struct fake *f = *state;
	size_t before = n_open(f);
	struct world *w = held(f, 1000, 77);
	struct process *tmux = begin_process(f, 5, 77, 0);

	begin_process(f, 6, 99, 0);
	leave(f, 1000);
	assert_true(pass(f));
	assert_int_equal(w->state, WORLD_LINGERING);
	assert_int_equal(w->witness_pid, 5);
	assert_false(pass(f)); /* nothing is searched while the witness lives */
	assert_int_equal(get(f, 1, 1000, 'a', 2), KEEPER_HELD);
	assert_int_equal(w->witness.fd, -1);
	leave(f, 2);
	assert_true(pass(f));
	end_process(tmux);
	readable(f, &w->witness);
	assert_true(pass(f));
	assert_int_equal(f->worlds.n_worlds, 0);
	assert_int_equal(n_open(f), before);
}

static void the_next_witness(void **state)
{
	struct fake *f = *state;
	struct world *w = held(f, 1000, 77);
	struct process *one = begin_process(f, 5, 77, 0);

	begin_process(f, 6, 77, 0);
	leave(f, 1000);
	pass(f);
	assert_int_equal(w->witness_pid, 5);
	end_process(one);
	readable(f, &w->witness);
	pass(f);
	assert_int_equal(w->witness_pid, 6);
}

static void gone_between_two_looks_is_no_witness(void **state)
{
	struct fake *f = *state;

	held(f, 1000, 77);
	begin_process(f, 5, 77, 0)->error = -ESRCH;
	leave(f, 1000);
	pass(f);
	assert_int_equal(f->worlds.n_worlds, 0);
}

static void what_cannot_be_opened_is_there(void **state)
{
	struct fake *f = *state;
	struct process *p;

	held(f, 1000, 77);
	p = begin_process(f, 5, 77, 0);
	p->error = -EMFILE;
	leave(f, 1000);
	assert_true(pass(f));
	assert_int_equal(f->worlds.n_worlds, 1);
	p->error = 0;
	f->fail_watch = 1;
	assert_true(pass(f)); /* found, but it cannot be watched */
	assert_int_equal(f->worlds.n_worlds, 1);
	assert_true(pass(f));
	assert_int_equal(world_of(f, 1000)->witness_pid, 5);
}

static void an_incomplete_pass_finds_nobody_gone(void **state)
{
	struct fake *f = *state;

	held(f, 1000, 77);
	leave(f, 1000);
	f->now = f->worlds.scan_not_before;
	worlds_scan_begin(&f->worlds, f->now);
	worlds_scan_end(&f->worlds, f->now, false);
	assert_int_equal(f->worlds.n_worlds, 1);
	assert_false(worlds_scan_due(&f->worlds, f->now)); /* not at once */
	assert_true(worlds_due(&f->worlds) > f->now);
	pass(f);
	assert_int_equal(f->worlds.n_worlds, 0);
}

static void who_comes_late_waits_for_the_next_pass(void **state)
{
	struct fake *f = *state;

	held(f, 1000, 77);
	held(f, 1001, 78);
	leave(f, 1000);
	worlds_scan_begin(&f->worlds, f->now);
	show_all(f);
	leave(f, 1001);
	worlds_scan_end(&f->worlds, f->now, true);
	assert_null(world_of(f, 1000));
	assert_non_null(world_of(f, 1001));
	assert_true(pass(f));
	assert_null(world_of(f, 1001));
}

static void joined_and_left_during_a_pass(void **state)
{
	struct fake *f = *state;

	held(f, 1000, 77);
	leave(f, 1000);
	worlds_scan_begin(&f->worlds, f->now);
	assert_int_equal(get(f, 1, 1000, 'a', 2), KEEPER_HELD);
	begin_process(f, 5, 77, 0); /* it would have been seen had it been there before */
	leave(f, 2);
	worlds_scan_end(&f->worlds, f->now, true);
	assert_non_null(world_of(f, 1000));
	pass(f);
	assert_int_equal(world_of(f, 1000)->witness_pid, 5);
}

static void witness_that_ends_during_a_pass(void **state)
{
	struct fake *f = *state;
	struct world *w = held(f, 1000, 77);
	struct process *p = begin_process(f, 5, 77, 0);

	leave(f, 1000);
	worlds_scan_begin(&f->worlds, f->now);
	show_all(f);
	end_process(p);
	readable(f, &w->witness);
	worlds_scan_end(&f->worlds, f->now, true);
	assert_non_null(world_of(f, 1000));
	pass(f);
	assert_null(world_of(f, 1000));
}

static void passes_leave_time_for_others(void **state)
{
	struct fake *f = *state;
	struct world *w = held(f, 1000, 77);
	struct process *p = begin_process(f, 5, 77, 0);

	leave(f, 1000);
	worlds_scan_begin(&f->worlds, f->now);
	show_all(f);
	f->now += 50; /* it took so long */
	worlds_scan_end(&f->worlds, f->now, true);
	end_process(p);
	readable(f, &w->witness);
	assert_false(worlds_scan_due(&f->worlds, f->now + 499));
	assert_true(worlds_scan_due(&f->worlds, f->now + 500));
	assert_int_equal(worlds_due(&f->worlds), f->now + 500);
}

static void init_is_not_counted(void **state)
{
	struct fake *f = *state;
	struct world *w = held_with_init(f, 1000, 77);
	struct process *user;

	begin_process(f, w->init.pid, 0, w->inodes[KEEPER_NS_PID]);
	user = begin_process(f, 5, 0, w->inodes[KEEPER_NS_PID]); /* by its PID namespace alone */
	leave(f, 1000);
	pass(f);
	assert_int_equal(w->witness_pid, 5);
	assert_int_equal(f->n_inits_ended, 0);
	end_process(user);
	readable(f, &w->witness);
	pass(f);
	assert_null(world_of(f, 1000));
	assert_int_equal(f->n_inits_ended, 1);
}

static void only_what_is_of_interest_is_read(void **state)
{
	struct fake *f = *state;

	held(f, 1000, 77);
	held_with_init(f, 1001, 78);
	leave(f, 1000);
	worlds_scan_begin(&f->worlds, f->now);
	assert_int_equal(worlds_scan_types(&f->worlds), 1 << KEEPER_NS_MNT);
	worlds_scan_end(&f->worlds, f->now, true);
	leave(f, 1001);
	worlds_scan_begin(&f->worlds, f->now);
	assert_int_equal(worlds_scan_types(&f->worlds), 1 << KEEPER_NS_MNT | 1 << KEEPER_NS_PID);
}

/* ---- Its init ---- */

static void init_that_dies_retires_the_world(void **state)
{
	struct fake *f = *state;
	struct world *w = held_with_init(f, 1000, 77);
	struct worlds_request r = blank(KEEPER_TAKE, 0, 0, 7);

	readable(f, &w->init.socket);
	assert_true(w->retired);
	assert_int_equal(f->n_inits_ended, 1);
	assert_int_equal(w->state, WORLD_HELD); /* its session is outside the PID namespace, and goes on */
	assert_int_equal(get(f, 1, 1000, 'a', 2), KEEPER_BUILD);
	assert_int_equal(simple(f, 2, KEEPER_LIST, 0, 0), KEEPER_WORLD);
	assert_true(last(f, 2)->message.flags & KEEPER_ENDING);
	r.message.world = w->id;
	r.pidfd = fake_fd(f);
	request(f, 3, &r);
	assert_int_equal(next(f, 3), KEEPER_FAILED);
	leave(f, 1000);
	pass(f);
	assert_int_equal(f->worlds.n_worlds, 1);
}

static void init_that_dies_while_it_lingers(void **state)
{
	struct fake *f = *state;
	struct world *w = held_with_init(f, 1000, 77);
	struct process *p = begin_process(f, 5, 77, w->inodes[KEEPER_NS_PID]);

	leave(f, 1000);
	pass(f);
	end_process(p);
	readable(f, &w->init.socket);
	pass(f);
	assert_int_equal(f->worlds.n_worlds, 0);
}

/* ---- END, KillOnLogout= ---- */

static void end_kills_what_is_in_it(void **state)
{
	struct fake *f = *state;
	struct world *w = held_with_init(f, 1000, 77);
	struct process *in = begin_process(f, 5, 77, 0), *out = begin_process(f, 6, 99, 0), *also;

	held(f, 1001, 99);
	assert_int_equal(simple(f, 1, KEEPER_END, 1000, 0), KEEPER_DONE);
	assert_int_equal(f->n_inits_ended, 1); /* first, and at once */
	assert_int_equal(get(f, 2, 1000, 'a', 2), KEEPER_BUILD);
	assert_true(pass(f));
	assert_true(in->killed);
	assert_false(out->killed);
	assert_true(w->ending && w->state == WORLD_HELD);
	end_process(in);
	also = begin_process(f, 7, 77, 0); /* forked meanwhile */
	assert_true(pass(f));
	assert_true(also->killed);
	end_process(also);
	assert_true(pass(f));
	assert_int_equal(f->worlds.n_worlds, 2);
	leave(f, 1000); /* late: it was dropped with its world */
	assert_int_equal(world_of(f, 1001)->state, WORLD_HELD);
	assert_int_equal(simple(f, 1, KEEPER_END, 4711, 0), KEEPER_FAILED);
	assert_int_equal(last(f, 1)->message.error, ESRCH);
}

static void end_goes_on_without_sessions(void **state)
{
	struct fake *f = *state;
	struct world *w = held(f, 1000, 77);
	struct process *p = begin_process(f, 5, 77, 0);

	simple(f, 1, KEEPER_END, 1000, 0);
	readable(f, &w->sessions->pidfd);
	assert_int_equal(w->state, WORLD_LINGERING);
	pass(f);
	assert_true(p->killed);
	assert_int_equal(w->witness.fd, -1);
	end_process(p);
	pass(f);
	assert_int_equal(f->worlds.n_worlds, 0);
}

static void end_of_one_world(void **state)
{
	struct fake *f = *state;
	struct worlds_request r = blank(KEEPER_END, 0, 0, 0);

	held(f, 1000, 77);
	get(f, 1, 1000, 'b', 2);
	put(f, 1, 1000, 78);
	r.message.world = world_of(f, 1000)->id;
	request(f, 2, &r);
	assert_int_equal(next(f, 2), KEEPER_DONE);
	pass(f);
	assert_int_equal(f->worlds.n_worlds, 1);
	assert_int_equal(f->worlds.first->inodes[KEEPER_NS_MNT], 78);
}

static void end_leaves_what_is_being_built(void **state)
{
	struct fake *f = *state;

	get(f, 0, 1000, 'a', 1);
	assert_int_equal(simple(f, 1, KEEPER_END, 1000, 0), KEEPER_FAILED);
	assert_int_equal(put(f, 0, 1000, 77), KEEPER_STORED);
}

static void end_of_one_that_lingers(void **state)
{
	struct fake *f = *state;
	struct process *p;

	held(f, 1000, 77);
	p = begin_process(f, 5, 77, 0);
	leave(f, 1000);
	pass(f);
	simple(f, 1, KEEPER_END, 1000, 0);
	pass(f);
	assert_true(p->killed);
	end_process(p);
	pass(f);
	assert_int_equal(f->worlds.n_worlds, 0);
}

static void the_last_says_whether_to_kill(void **state)
{
	struct fake *f = *state;
	struct process *p;

	held_with(f, 1000, 77, -1, KEEPER_KILL_ON_LOGOUT);
	p = begin_process(f, 5, 77, 0);
	get(f, 1, 1000, 'a', 2); /* says no */
	leave(f, 1000);
	leave(f, 2);
	pass(f);
	assert_false(p->killed);
	get_flags(f, 1, 1000, 'a', 3, KEEPER_KILL_ON_LOGOUT);
	leave(f, 3);
	assert_int_equal(get(f, 2, 1000, 'a', 4), KEEPER_BUILD); /* retired at once */
	pass(f);
	assert_true(p->killed);
}

/* ---- The marker ---- */

static void directories_go_with_the_last_mount(void **state)
{
	struct fake *f = *state;
	size_t before = n_open(f);
	struct world *w = held_with(f, 1000, 77, 5, 0);

	leave(f, 1000);
	pass(f);
	assert_int_equal(w->state, WORLD_GONE);
	assert_int_equal(n_open(f), before);
	assert_int_equal(f->n_cleaned, 0);
	assert_int_equal(w->inodes[KEEPER_NS_MNT], 0); /* the number is another namespace's soon */
	assert_int_equal(get(f, 1, 1000, 'a', 2), KEEPER_BUILD);
	assert_int_equal(simple(f, 2, KEEPER_LIST, 0, 0), KEEPER_WORLD); /* not the end of it: somebody has them mounted */
	assert_true(last(f, 2)->message.flags & KEEPER_ENDING);
	assert_int_equal(last(f, 2)->message.inodes[KEEPER_NS_MNT], 0);
	assert_int_equal(next(f, 2), KEEPER_DONE);
	assert_int_equal(simple(f, 2, KEEPER_END, 1000, 0), KEEPER_DONE);
	assert_int_equal(w->state, WORLD_GONE);
	worlds_unmounted(&f->worlds, 4);
	assert_int_equal(f->n_cleaned, 0);
	worlds_unmounted(&f->worlds, 5);
	assert_int_equal(f->n_cleaned, 1);
	assert_int_equal(f->n_adopted, 1); /* while it was held, its directory was nobody else's to remove */
	assert_string_equal(f->adopted, "record-1000");
	assert_string_equal(f->cleaned, "record-1000");
	assert_int_equal(f->n_markers_forgotten, 0); /* it is gone by itself */
	assert_int_equal(f->worlds.n_worlds, 1);
	assert_int_equal(simple(f, 2, KEEPER_LIST, 0, 0), KEEPER_DONE);
	worlds_unmounted(&f->worlds, 5);
	assert_int_equal(f->n_cleaned, 1);
}

/* And tells nothing any more: whoever removes then looks for himself. */
static void marker_unmounted_by_hand_means_nothing(void **state)
{
	struct fake *f = *state;
	struct world *w = held_with(f, 1000, 77, 5, 0);

	worlds_unmounted(&f->worlds, 5);
	assert_int_equal(w->state, WORLD_HELD);
	assert_int_equal(f->n_cleaned, 0);
	leave(f, 1000);
	pass(f);
	assert_int_equal(f->worlds.n_worlds, 0);
	assert_int_equal(f->n_cleaned, 1);
}

/* ---- Recovery ---- */

static struct world *found_again(struct fake *f, uint64_t id, uint32_t uid, uint64_t mnt)
{
	struct world *w = world_new();

	w->id = id;
	w->uid = uid;
	memset(w->key, 'a', sizeof(w->key));
	w->state = WORLD_HELD;
	w->inodes[KEEPER_NS_MNT] = mnt;
	w->ns[KEEPER_NS_MNT] = fake_fd(f);
	return w;
}

static void adopted_worlds_go_on(void **state)
{
	struct fake *f = *state;
	struct world *w = found_again(f, 4711, 1000, 77);
	struct keeper_session s = {.id = 1, .pid = 42, .service = "sshd"}, told;

	world_session_tell(world_add_session(w, &s, fake_fd(f), 99), &told);
	assert_memory_equal(&s, &told, sizeof(s));
	assert_int_equal(worlds_adopt(&f->worlds, w), 0);
	assert_int_equal(get(f, 1, 1000, 'a', 2), KEEPER_HELD);
	assert_int_equal(last(f, 1)->message.world, 4711);
	leave(f, 2);
	readable(f, &w->sessions->pidfd);
	pass(f);
	assert_int_equal(f->worlds.n_worlds, 0);
}

static void adopted_without_sessions_lingers(void **state)
{
	struct fake *f = *state;
	size_t before = n_open(f);

	assert_int_equal(worlds_adopt(&f->worlds, found_again(f, 4711, 1000, 77)), 0);
	assert_int_equal(world_of(f, 1000)->state, WORLD_LINGERING);
	assert_true(pass(f));
	assert_int_equal(n_open(f), before);
}

/* The keeper before was killed, and its marker with it. */
static void adopted_without_marker_is_cleaned(void **state)
{
	struct fake *f = *state;
	struct world *w = found_again(f, 4711, 1000, 77);

	snprintf(w->record, sizeof(w->record), "r");
	worlds_adopt(&f->worlds, w);
	assert_int_equal(f->n_cleaned, 0);
	pass(f);
	assert_int_equal(f->n_cleaned, 1);
	w = world_new();
	w->id = 4712;
	w->state = WORLD_GONE;
	snprintf(w->record, sizeof(w->record), "r");
	worlds_adopt(&f->worlds, w);
	assert_int_equal(f->n_cleaned, 2);
	assert_int_equal(f->worlds.n_worlds, 0);
}

static void adopted_twice_is_refused(void **state)
{
	struct fake *f = *state;
	size_t before;
	struct world *w = found_again(f, 4711, 1000, 77);
	struct keeper_session s = {.id = 1, .pid = 42};

	world_add_session(w, &s, fake_fd(f), 99);
	worlds_adopt(&f->worlds, w);
	before = n_open(f);
	assert_int_equal(worlds_adopt(&f->worlds, found_again(f, 4711, 1001, 78)), -EEXIST);
	w = found_again(f, 4712, 1001, 78);
	world_add_session(w, &s, fake_fd(f), 99);
	assert_int_equal(worlds_adopt(&f->worlds, w), -EEXIST);
	assert_int_equal(n_open(f), before);
	assert_int_equal(f->worlds.n_worlds, 1);
	assert_int_equal(f->worlds.n_sessions, 1);
	leave(f, 1);
	assert_int_equal(world_of(f, 1000)->state, WORLD_LINGERING);
}

static void adopted_with_its_marker_only(void **state)
{
	struct fake *f = *state;
	struct world *w = world_new();

	w->id = 4711;
	w->state = WORLD_GONE;
	w->marker = 5;
	snprintf(w->record, sizeof(w->record), "r");
	assert_int_equal(worlds_adopt(&f->worlds, w), 0);
	assert_int_equal(f->n_adopted, 1); /* by this keeper: the record named the one before */
	worlds_unmounted(&f->worlds, 5);
	assert_int_equal(f->n_cleaned, 1);
	assert_int_equal(f->worlds.n_worlds, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(session_ends_once),
		TEST(who_comes_and_goes_is_saved_soon),
		TEST(who_joins_where_logout_kills_is_saved_at_once),
		TEST(the_connection_is_not_the_session),
		TEST(who_waits_or_builds_cannot_leave),
		TEST(a_process_keeps_its_world),
		TEST(the_next_witness),
		TEST(gone_between_two_looks_is_no_witness),
		TEST(what_cannot_be_opened_is_there),
		TEST(an_incomplete_pass_finds_nobody_gone),
		TEST(who_comes_late_waits_for_the_next_pass),
		TEST(joined_and_left_during_a_pass),
		TEST(witness_that_ends_during_a_pass),
		TEST(passes_leave_time_for_others),
		TEST(init_is_not_counted),
		TEST(only_what_is_of_interest_is_read),
		TEST(init_that_dies_retires_the_world),
		TEST(init_that_dies_while_it_lingers),
		TEST(end_kills_what_is_in_it),
		TEST(end_goes_on_without_sessions),
		TEST(end_of_one_world),
		TEST(end_leaves_what_is_being_built),
		TEST(end_of_one_that_lingers),
		TEST(the_last_says_whether_to_kill),
		TEST(directories_go_with_the_last_mount),
		TEST(marker_unmounted_by_hand_means_nothing),
		TEST(adopted_worlds_go_on),
		TEST(adopted_without_sessions_lingers),
		TEST(adopted_without_marker_is_cleaned),
		TEST(adopted_twice_is_refused),
		TEST(adopted_with_its_marker_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
