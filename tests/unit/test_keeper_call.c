/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lib/session/keeper_call.c: a client of a keeper that is silent, dead, full, of another version or mad. Whatever comes,
 * each call ends in time, what does not belong is closed, and nothing is handed out by halves.
 */
/* WRAP: sys_monotonic_ms sys_sleep_us sys_wait_readable keeper_start */
#include "tests/unit/test_core.h"

#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/time.h>
#include "lib/core/sys_socket.h"
#include "lib/session/keeper_call.h"

/* ---- A clock that only goes on while somebody waits ---- */

static int64_t now_ms;
static bool clock_is_ours;
static int waited_ms; /* the last limit that was given */

int64_t __real_sys_monotonic_ms(void);
int64_t __wrap_sys_monotonic_ms(void);
int64_t __wrap_sys_monotonic_ms(void)
{
	return clock_is_ours ? now_ms : __real_sys_monotonic_ms();
}

void __real_sys_sleep_us(unsigned us);
void __wrap_sys_sleep_us(unsigned us);
void __wrap_sys_sleep_us(unsigned us)
{
	now_ms += us / 1000;
	if (!clock_is_ours)
		__real_sys_sleep_us(us);
}

int __real_sys_wait_readable(int fd, int ms);
int __wrap_sys_wait_readable(int fd, int ms);
int __wrap_sys_wait_readable(int fd, int ms)
{
	int r = __real_sys_wait_readable(fd, clock_is_ours ? 0 : ms);

	waited_ms = ms;
	if (r == 0)
		now_ms += ms;
	return r;
}

static int starts, start_answers;
static void (*when_started)(void);

int __wrap_keeper_start(int64_t end);
int __wrap_keeper_start(int64_t end)
{
	assert_true(end >= now_ms);
	starts++;
	if (when_started)
		when_started();
	return start_answers;
}

/* ---- What the other side says ---- */

struct answer {
	struct keeper_message message;
	size_t size;
	int fds[SYS_MAX_FDS]; /* 0: none more */
	size_t n;
};

static struct answer sound(enum keeper_type type)
{
	struct answer answer = {.size = sizeof(answer.message)};

	keeper_message_init(&answer.message, type);
	return answer;
}

static void add(struct answer *answer, uint32_t kind, int fd)
{
	if (answer->n < KEEPER_MAX_FDS)
		answer->message.fds[answer->n] = kind;
	answer->fds[answer->n++] = fd;
	answer->message.n_fds = (uint32_t)answer->n;
}

static struct answer whole_set(void)
{
	struct answer answer = sound(KEEPER_HELD);

	for (int i = 0; i < KEEPER_N_NS; i++)
		add(&answer, (uint32_t)keeper_nstype((enum keeper_ns)i), STDERR_FILENO);
	return answer;
}

/* What keeper_await() makes of it. Descriptors that it hands out are counted and closed. */
static int await(const struct answer *answer, bool wanted, int *n_fds)
{
	struct keeper_fds fds = KEEPER_NO_FDS;
	struct keeper_message came;
	unsigned before = count_fds();
	int link[2], r;

	assert_int_equal(sys_socketpair(link), 0);
	assert_int_equal(sys_send(link[1], &answer->message, answer->size, answer->fds, answer->n), 0);
	memset(&came, 'x', sizeof(came)); /* an old stack */
	r = keeper_await(link[0], 1000, &came, wanted ? &fds : NULL);
	*n_fds = 0;
	for (int i = 0; i < KEEPER_N_NS; i++)
		*n_fds += fds.ns[i] >= 0;
	*n_fds += (fds.proc >= 0) + (fds.terminal >= 0);
	assert_int_equal(count_fds(), before + 2 + (unsigned)*n_fds);
	if (r == 0)
		for (size_t i = 0; i < sizeof(came.session.service); i++)
			assert_true(came.session.service[sizeof(came.session.service) - 1] == '\0');
	keeper_fds_done(&fds);
	keeper_fds_done(&fds); /* twice is once */
	close(link[0]);
	close(link[1]);
	assert_int_equal(count_fds(), before);
	return r;
}

#define ANSWERS(answer, wanted, result, n_wanted)                                                                      \
	do {                                                                                                           \
		int n_;                                                                                                \
		assert_int_equal(await(&(answer), wanted, &n_), result);                                               \
		assert_int_equal(n_, n_wanted);                                                                        \
	} while (0)

static void a_sound_answer(void **state)
{
	struct answer answer = whole_set();

	(void)state;
	ANSWERS(answer, true, 0, 7);
	add(&answer, KEEPER_FD_PROC, STDERR_FILENO);
	add(&answer, KEEPER_FD_TERMINAL, STDERR_FILENO);
	ANSWERS(answer, true, 0, 9);
	answer = sound(KEEPER_STORED);
	ANSWERS(answer, true, 0, 0);
	ANSWERS(answer, false, 0, 0);
}

static void another_size_magic_or_version(void **state)
{
	struct answer answer;

	(void)state;
	for (size_t size = 1; size < sizeof(answer.message); size += 7) {
		answer = whole_set();
		answer.size = size;
		ANSWERS(answer, true, -EPROTO, 0);
	}
	answer = whole_set();
	answer.message.magic++;
	ANSWERS(answer, true, -EPROTO, 0);
	answer = whole_set();
	answer.message.version++;
	ANSWERS(answer, true, -EPROTO, 0);
	answer = sound(KEEPER_STORED);
	answer.message.version++;
	ANSWERS(answer, false, -EPROTO, 0);
	answer = whole_set();
	answer.size = 0;
	ANSWERS(answer, true, -ECONNRESET, 0);
}

static void a_packet_that_is_too_long(void **state)
{
	struct {
		struct keeper_message message;
		char more;
	} packet = {0};
	struct keeper_fds fds = KEEPER_NO_FDS;
	struct keeper_message came;
	unsigned before = count_fds();
	int link[2];

	(void)state;
	assert_int_equal(sys_socketpair(link), 0);
	keeper_message_init(&packet.message, KEEPER_HELD);
	packet.message.n_fds = 1;
	packet.message.fds[0] = CLONE_NEWNS;
	assert_int_equal(sys_send(link[1], &packet, sizeof(packet), (int[]){2}, 1), 0);
	assert_int_equal(keeper_await(link[0], 1000, &came, &fds), -EMSGSIZE);
	assert_int_equal(fds.ns[KEEPER_NS_MNT], -1);
	assert_int_equal(count_fds(), before + 2);
	close(link[0]);
	close(link[1]);
}

static void descriptors_that_do_not_fit(void **state)
{
	struct answer answer = whole_set();

	(void)state;
	answer.message.n_fds--; /* one more than it says */
	ANSWERS(answer, true, -EPROTO, 0);
	answer.message.n_fds += 2; /* one fewer */
	ANSWERS(answer, true, -EPROTO, 0);
	answer.message.n_fds = UINT32_MAX;
	ANSWERS(answer, true, -EPROTO, 0);
	answer = whole_set(); /* none are wanted */
	ANSWERS(answer, false, -EPROTO, 0);
	answer = whole_set(); /* one of them twice */
	add(&answer, CLONE_NEWNS, STDERR_FILENO);
	ANSWERS(answer, true, -EPROTO, 0);
	answer = whole_set();
	add(&answer, KEEPER_FD_PROC, STDERR_FILENO);
	add(&answer, KEEPER_FD_PROC, STDERR_FILENO);
	ANSWERS(answer, true, -EPROTO, 0);
	for (size_t i = 0; i < 7; i++) { /* one that is nobody's, at each place */
		static const uint32_t UNKNOWN[] = {0, KEEPER_FD_PIDFD, KEEPER_FD_MARKER, KEEPER_FD_ARGUMENTS, 99,
						   CLONE_NEWNS | CLONE_NEWIPC, UINT32_MAX};

		for (size_t k = 0; k < 7; k++) {
			answer = whole_set();
			answer.message.fds[k] = UNKNOWN[i];
			ANSWERS(answer, true, -EPROTO, 0);
		}
	}
	answer = whole_set(); /* more than the protocol has room for, and it says so */
	while (answer.n < SYS_MAX_FDS)
		add(&answer, 99, STDERR_FILENO);
	ANSWERS(answer, true, -EPROTO, 0);
}

/* ---- Asking ---- */

static int link_to_nobody[2];

static int ask(struct keeper_message *answer)
{
	struct keeper_message request;
	struct keeper_fds fds = KEEPER_NO_FDS;
	int r;

	keeper_message_init(&request, KEEPER_HOST);
	r = keeper_ask(link_to_nobody[0], &request, NULL, answer, &fds);
	assert_int_equal(fds.ns[KEEPER_NS_MNT], -1);
	return r;
}

static void silence_has_an_end(void **state)
{
	struct keeper_message answer;

	(void)state;
	assert_int_equal(sys_socketpair(link_to_nobody), 0);
	clock_is_ours = true;
	now_ms = 1000;
	assert_int_equal(ask(&answer), -ETIMEDOUT);
	assert_int_equal(waited_ms, KEEPER_CALL_MS);
	assert_int_equal(now_ms, 1000 + KEEPER_CALL_MS);
	clock_is_ours = false;
	close(link_to_nobody[0]);
	close(link_to_nobody[1]);
}

static void a_keeper_that_is_gone(void **state)
{
	struct keeper_message answer;

	(void)state;
	assert_int_equal(sys_socketpair(link_to_nobody), 0);
	close(link_to_nobody[1]);
	assert_int_equal(ask(&answer), -EPIPE);
	close(link_to_nobody[0]);
	assert_int_equal(sys_socketpair(link_to_nobody), 0);
	keeper_message_init(&answer, KEEPER_LIST);
	assert_int_equal(keeper_send(link_to_nobody[0], &answer, NULL), 0);
	close(link_to_nobody[1]); /* without reading it */
	assert_int_equal(keeper_await(link_to_nobody[0], 1000, &answer, NULL), -ECONNRESET);
	close(link_to_nobody[0]);
}

static void a_keeper_that_reads_nothing(void **state)
{
	struct keeper_message answer;
	int r = 0;

	(void)state;
	assert_int_equal(sys_socketpair(link_to_nobody), 0);
	keeper_message_init(&answer, KEEPER_LIST);
	for (int i = 0; i < 10000 && r == 0; i++)
		r = keeper_send(link_to_nobody[0], &answer, NULL);
	assert_int_equal(r, -EAGAIN);
	close(link_to_nobody[0]);
	close(link_to_nobody[1]);
}

static void a_refusal_is_its_errno(void **state)
{
	static const int ERRORS[][2] = {{ESTALE, -ESTALE}, {0, -EPROTO}, {-5, -EPROTO}};
	struct answer answer = sound(KEEPER_FAILED);
	struct keeper_message came;

	(void)state;
	memset(answer.message.text, 'x', sizeof(answer.message.text)); /* and no NUL */
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(sys_socketpair(link_to_nobody), 0);
		answer.message.error = ERRORS[i][0];
		assert_int_equal(sys_send(link_to_nobody[1], &answer.message, answer.size, NULL, 0), 0);
		assert_int_equal(ask(&came), ERRORS[i][1]);
		assert_int_equal(strlen(came.text), sizeof(came.text) - 1);
		close(link_to_nobody[0]);
		close(link_to_nobody[1]);
	}
}

static void on_alarm(int signal)
{
	(void)signal;
}

static void signals_do_not_matter(void **state)
{
	const struct itimerval often = {{0, 3000}, {0, 3000}}, never = {{0, 0}, {0, 0}};
	struct sigaction action = {.sa_handler = on_alarm}, old;
	struct answer answer = sound(KEEPER_STORED);
	struct keeper_message came;
	int64_t began = __real_sys_monotonic_ms();

	(void)state;
	assert_int_equal(sys_socketpair(link_to_nobody), 0);
	sigaction(SIGALRM, &action, &old);
	setitimer(ITIMER_REAL, &often, NULL);
	assert_int_equal(keeper_await(link_to_nobody[0], 60, &came, NULL), -ETIMEDOUT);
	assert_in_range(__real_sys_monotonic_ms() - began, 60, 4000);
	if (fork() == 0) {
		usleep(30000);
		_exit(sys_send(link_to_nobody[1], &answer.message, answer.size, NULL, 0));
	}
	assert_int_equal(keeper_await(link_to_nobody[0], 5000, &came, NULL), 0);
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &old, NULL);
	close(link_to_nobody[0]);
	close(link_to_nobody[1]);
}

/* ---- Connecting: in a mount namespace with a /run of its own ---- */

static int listener = -1;

static void scratch_run(void)
{
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("scratch", "/run", "tmpfs", 0, "mode=755") == 0);
	CHECK(mkdir("/run/nsclone", 0700) == 0);
	clock_is_ours = true;
	now_ms = 1;
}

static void listen_now(void)
{
	listener = sys_listen(KEEPER_SOCKET, 1);
	CHECK(listener >= 0);
}

static void is_started_where_none_listens(void)
{
	scratch_run();
	start_answers = -EPERM;
	CHECK(keeper_connect() == -EPERM);
	CHECK(starts == 1);
	CHECK(keeper_connect_only() == -ENOENT);
	CHECK(starts == 1);
	keeper_leave(7); /* nobody is started or waited for */
	CHECK(starts == 1);
	start_answers = 0;
	when_started = listen_now;
	CHECK(keeper_connect() >= 0);
	CHECK(starts == 2);
	close(listener); /* dead, its socket stays */
	when_started = NULL;
	CHECK(keeper_connect() == -ECONNREFUSED);
	CHECK(starts == 3);
}

static void a_full_one_is_waited_for_but_not_for_ever(void)
{
	unsigned before;
	int64_t began;

	scratch_run();
	listen_now();
	while (keeper_connect_only() >= 0)
		;
	CHECK(keeper_connect_only() == -EAGAIN);
	before = count_fds();
	began = now_ms;
	CHECK(keeper_connect() == -ETIMEDOUT);
	CHECK(now_ms - began >= KEEPER_CALL_MS && now_ms - began < KEEPER_CALL_MS + 100);
	CHECK(starts == 0);
	began = now_ms;
	keeper_leave(7);
	CHECK(now_ms == began);
	CHECK(count_fds() == before);
}

static void leave_says_so(void)
{
	struct keeper_message message;
	size_t n;
	int peer;

	scratch_run();
	listen_now();
	keeper_leave(0x1234567890);
	peer = sys_accept(listener);
	CHECK(sys_receive(peer, &message, sizeof(message), NULL, 0, &n) == sizeof(message));
	CHECK(message.magic == KEEPER_MAGIC && message.type == KEEPER_LEAVE && message.session.id == 0x1234567890);
	CHECK(sys_receive(peer, &message, sizeof(message), NULL, 0, &n) == 0);
}

static void connecting(void **state)
{
	(void)state;
	in_child(is_started_where_none_listens);
	in_child(a_full_one_is_waited_for_but_not_for_ever);
	in_child(leave_says_so);
}

static void places_of_namespaces(void **state)
{
	(void)state;
	for (int i = 0; i < KEEPER_N_NS; i++)
		assert_int_equal(keeper_place(keeper_nstype((enum keeper_ns)i)), i);
	assert_int_equal(keeper_place(0), KEEPER_N_NS);
	assert_int_equal(keeper_place(KEEPER_FD_PIDFD), KEEPER_N_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_answer),
		cmocka_unit_test(another_size_magic_or_version),
		cmocka_unit_test(a_packet_that_is_too_long),
		cmocka_unit_test(descriptors_that_do_not_fit),
		cmocka_unit_test(silence_has_an_end),
		cmocka_unit_test(a_keeper_that_is_gone),
		cmocka_unit_test(a_keeper_that_reads_nothing),
		cmocka_unit_test(a_refusal_is_its_errno),
		cmocka_unit_test(signals_do_not_matter),
		cmocka_unit_test(connecting),
		cmocka_unit_test(places_of_namespaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
