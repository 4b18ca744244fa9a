/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whose a session is: its end acts only in the process, and as the user, that opened it; and what is recorded of a
 * living process is nobody's litter. Many sessions of one process, closed in any order. Children and their signals. Each
 * case runs in a child with mounts, /run and /var/lib of its own. Needs root.
 */
/* WRAP: sys_replace_fd */
#include "tests/unit/test_scratch.h"

#include "lib/core/sys.h"
#include "lib/session/child.h"
#include "lib/session/litter.h"
#include "lib/session/place.h"
#include "lib/session/plan.h"
#include "lib/session/registry.h"
#include "lib/session/session.h"

static void scratch_host(void)
{
	leave_host(CLONE_NEWNS);
	scratch_at("/run", "mode=755");
	scratch_at("/var/lib", "mode=755");
	must(chdir("/"), "/");
}

static const char *mount_ns(void)
{
	static char ns[64];

	CHECK(sys_readlinkat(AT_FDCWD, "/proc/self/ns/mnt", ns, sizeof(ns)) > 0);
	return ns;
}

static struct session *session; /* of the process that runs a case, and of its children */

static void open_session(void)
{
	static struct policy_result result;
	struct err err = {0};
	bool undo_failed;

	result.settings[POLICY_ISOLATE].word = POLICY_YES;
	result.settings[POLICY_PRIVATE_TMP].word = POLICY_TMP_YES;
	CHECK(plan_run(plan_for(&result), &ALICE, NULL, &session, &undo_failed, &err) == 0);
}

static void close_in_a_child(void)
{
	struct err err = {0};
	char before[64];

	strcpy(before, mount_ns());
	CHECK(session_close(session, &err) == 0);
	CHECK(strcmp(before, mount_ns()) == 0);
}

static void another_process(void)
{
	struct err err = {0};
	char host[64];

	scratch_host();
	strcpy(host, mount_ns());
	open_session();
	CHECK(strcmp(host, mount_ns()) != 0);
	CHECK(child_status(close_in_a_child) == 0);
	CHECK(strcmp(host, mount_ns()) != 0);
	CHECK(session_close(session, &err) == 0);
	CHECK(strcmp(host, mount_ns()) == 0);
}

static void another_user(void)
{
	struct err err = {0};
	char inside[64];

	scratch_host();
	open_session();
	strcpy(inside, mount_ns());
	CHECK(seteuid(UID) == 0);
	CHECK(session_close(session, &err) == 0);
	CHECK(err.text[0] == '\0');
	CHECK(strcmp(inside, mount_ns()) == 0);
}

static char path[256]; /* of a session's directory that was never mounted */

static void arrange(void)
{
	char origin[9];

	scratch_host();
	facts_origin(origin);
	CHECK(strlen(origin) == 8);
	snprintf(path, sizeof(path), "/var/lib/nsclone/20001/" RECORD_SESSION "%s-0123456789abcdef", origin);
}

static const char *record_name(void)
{
	static char name[64];

	snprintf(name, sizeof(name), "%d-%s", UID, strstr(path, RECORD_SESSION) + strlen(RECORD_SESSION));
	return name;
}

static void record(void)
{
	const struct session_traces traces = {
		.record = record_name(), .path = path, .uid = UID, .gid = UID,
	};
	struct err err = {0};

	CHECK(mkdir("/var/lib/nsclone", 0700) == 0 && mkdir("/var/lib/nsclone/20001", 0700) == 0);
	CHECK(chown("/var/lib/nsclone/20001", UID, UID) == 0);
	CHECK(registry_add(&traces, &err) == 0);
	CHECK(mkdir(path, 0700) == 0);
}

static void recorded_by_the_living(void)
{
	struct err err = {0};

	arrange();
	record();
	CHECK(registry_clean(NULL, 0, false, NULL, NULL, &err) == 0);
	CHECK(access(path, F_OK) == 0);
}

static void recorded_by_the_dead(void)
{
	struct err err = {0};

	arrange();
	CHECK(child_status(record) == 0);
	CHECK(access(path, F_OK) == 0);
	CHECK(registry_clean(NULL, 0, false, NULL, NULL, &err) == 0);
	CHECK(access(path, F_OK) < 0);
}

/*
 * Worlds by their namespaces, as the keeper gives them.
 */
enum { HOST, A, B, C, PIDS, N_WORLDS, MAX_SESSIONS = 4, N_TYPES = 6 };

static int worlds[N_WORLDS][KEEPER_N_NS];
static int replace_error;

int __real_sys_replace_fd(int with, int fd);
int __wrap_sys_replace_fd(int with, int fd)
{
	return replace_error ? replace_error : __real_sys_replace_fd(with, fd);
}

static void open_set(pid_t pid, int *set)
{
	static const char *const NAMES[] = {"mnt", "ipc", "uts", "net", "pid_for_children", "cgroup"};

	for (int i = 0; i < N_TYPES; i++) {
		char name[64];

		snprintf(name, sizeof(name), "/proc/%d/ns/%s", (int)pid, NAMES[i]);
		CHECK((set[i] = open(name, O_RDONLY | O_CLOEXEC)) >= 0);
	}
	set[KEEPER_NS_USER] = -1;
}

/* With a PID namespace its /proc, in which we are nobody. */
static void settle_in_world(int ready, bool pids)
{
	CHECK(unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP | (pids ? CLONE_NEWPID : 0)) == 0);
	if (pids && fork() == 0) {
		CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
		CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
		CHECK(write(ready, "", 1) == 1);
		pause();
	}
	CHECK(pids || write(ready, "", 1) == 1);
	pause();
}

static void make_world(int *set, bool pids)
{
	int fds[2];
	char c;
	pid_t pid;

	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	pid = fork();
	if (pid == 0) {
		settle_in_world(fds[1], pids);
		_exit(1);
	}
	CHECK(pid > 0 && read(fds[0], &c, 1) == 1);
	open_set(pid, set);
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
	close(fds[0]);
	close(fds[1]);
}

static void make_worlds(void)
{
	scratch_host();
	CHECK(mkdir("/run/here", 0755) == 0 && chdir("/run/here") == 0);
	open_set(getpid(), worlds[HOST]);
	for (int i = A; i < N_WORLDS; i++)
		make_world(worlds[i], i == PIDS);
}

/* The first gets the highest numbers, unless the module sees to it. */
static struct session *join_world(int world, int n_open)
{
	struct plan_given given = PLAN_NOTHING_GIVEN;
	struct session *joined = NULL;
	struct plan *plan = NULL;
	struct err err = {0};
	bool undo_failed;
	uint64_t types;
	int filler[10 * MAX_SESSIONS], n = 10 * (MAX_SESSIONS - n_open);

	for (int i = 0; i < n; i++)
		CHECK((filler[i] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0);
	memcpy(given.ns, worlds[world], sizeof(given.ns));
	CHECK(place_differs(given.ns, &types, &given.alone) == 0);
	CHECK(plan_build_join(&ALICE, types, "the world", (struct policy_pos){0}, &plan, &err) == 0);
	CHECK(plan_run(plan, &ALICE, &given, &joined, &undo_failed, &err) == 0);
	plan_free(plan);
	for (int i = 0; i < n; i++)
		close(filler[i]);
	return joined;
}

static bool is_in_world(int world)
{
	int now[KEEPER_N_NS];
	struct stat is, should;
	char c;

	if (world == PIDS || readlink("/proc/self", &c, 1) < 0) /* only this one has such a /proc */
		return world == PIDS && readlink("/proc/self", &c, 1) < 0;
	open_set(getpid(), now);
	for (int i = 0; i < N_TYPES; i++) {
		CHECK(fstat(now[i], &is) == 0 && fstat(worlds[world][i], &should) == 0);
		close(now[i]);
		if (is.st_ino != should.st_ino)
			world = -1;
	}
	return world >= 0;
}

/* Sessions in these worlds, closed in this order: the process is always where the last that is open has put it. */
static void close_in_order(const int *sequence, int n, const int *order)
{
	struct session *open[MAX_SESSIONS];
	char cwd[64];
	unsigned before = count_fds();

	for (int i = 0; i < n; i++) {
		open[i] = join_world(sequence[i], i);
		CHECK(is_in_world(sequence[i]));
	}
	for (int i = 0; i < n; i++) {
		struct err err = {0};
		int top = n - 1;

		CHECK(session_close(open[order[i]], &err) == 0);
		open[order[i]] = NULL;
		while (top >= 0 && !open[top])
			top--;
		CHECK(is_in_world(top < 0 ? HOST : sequence[top]));
	}
	CHECK(getcwd(cwd, sizeof(cwd)) && strcmp(cwd, "/run/here") == 0);
	CHECK(count_fds() == before);
}

static void close_in_all_orders(const int *sequence, int n, int *order, int n_chosen, unsigned chosen)
{
	if (n_chosen == n)
		close_in_order(sequence, n, order);
	for (int i = 0; i < n; i++) {
		if (chosen & 1U << i)
			continue;
		order[n_chosen] = i;
		close_in_all_orders(sequence, n, order, n_chosen + 1, chosen | 1U << i);
	}
}

#define ALL_ORDERS(...)                                                                                                \
	do {                                                                                                           \
		const int sequence[] = {__VA_ARGS__};                                                                  \
		int order[MAX_SESSIONS];                                                                               \
                                                                                                                       \
		make_worlds();                                                                                         \
		close_in_all_orders(sequence, sizeof(sequence) / sizeof(*sequence), order, 0, 0);                      \
	} while (0)

static void two_of_one_world(void)
{
	ALL_ORDERS(A, A);
}

static void two_of_one_world_and_another(void)
{
	ALL_ORDERS(A, A, B);
}

static void a_world_twice(void)
{
	ALL_ORDERS(A, B, A, C);
}

static void the_host_between(void)
{
	ALL_ORDERS(A, HOST, A, A);
}

static void pids_on_top(void)
{
	ALL_ORDERS(A, A, B, PIDS);
}

/* What the daemon itself holds of a world is no session. */
static void the_daemons_descriptor(void)
{
	struct session *first;
	struct err err = {0};
	int fd;

	make_worlds();
	first = join_world(A, 0);
	fd = fcntl(worlds[A][KEEPER_NS_MNT], F_DUPFD_CLOEXEC, 500);
	CHECK(fd >= 0);
	CHECK(session_close(first, &err) == 0);
	CHECK(is_in_world(HOST));
}

static void handing_over_fails(void)
{
	struct session *first, *second;
	struct err err = {0};

	make_worlds();
	first = join_world(A, 0);
	second = join_world(PIDS, 1);
	replace_error = -EMFILE;
	CHECK(session_close(first, &err) == -EMFILE);
	CHECK(strstr(err.text, "hand over"));
	replace_error = 0;
	CHECK(session_close(second, &err) == 0);
}

static void moved_by_somebody_else(void)
{
	struct session *first;
	struct err err = {0};

	make_worlds();
	first = join_world(A, 0);
	CHECK(setns(worlds[B][KEEPER_NS_IPC], CLONE_NEWIPC) == 0);
	CHECK(session_close(first, &err) == -ESTALE);
	CHECK(strstr(err.text, "ipc"));
	CHECK(setns(worlds[HOST][KEEPER_NS_IPC], CLONE_NEWIPC) == 0);
	CHECK(is_in_world(HOST)); /* all else has gone back */
}

/*
 * The daemon's handlers
 */
static int heard[2]; /* a pipe: it is one for parent and child */

static void hear(int number)
{
	(void)number;
	CHECK(write(heard[1], "", 1) == 1);
}

static int is_interrupted(const void *argument, struct err *err)
{
	(void)argument, (void)err;
	return kill(getpid(), SIGINT);
}

static int ends_at_once(void *argument)
{
	(void)argument;
	return kill(getpid(), SIGINT);
}

static void childrens_signals(void)
{
	struct sigaction action = {.sa_handler = hear};
	struct nsclone_child child;
	struct err err = {0};
	sigset_t before, after;
	char c;

	CHECK(pipe2(heard, O_CLOEXEC | O_NONBLOCK) == 0);
	CHECK(sigaction(SIGINT, &action, NULL) == 0);
	sigemptyset(&before);
	sigaddset(&before, SIGUSR2);
	CHECK(sigprocmask(SIG_SETMASK, &before, NULL) == 0);
	CHECK(child_run(is_interrupted, NULL, 5000, &err) == 0);
	CHECK(read(heard[0], &c, 1) < 0 && errno == EAGAIN);
	CHECK(child_clone(ends_at_once, NULL, 0, &child, NULL) > 0);
	CHECK(nsclone_wait(&child, 0, NULL) >= 0);
	CHECK(read(heard[0], &c, 1) < 0 && errno == EAGAIN);
	CHECK(sigprocmask(SIG_SETMASK, NULL, &after) == 0);
	for (int i = 1; i < SIGRTMAX; i++)
		CHECK(sigismember(&before, i) == sigismember(&after, i));
	CHECK(child_clone(ends_at_once, NULL, UINT64_MAX, &child, NULL) < 0);
	CHECK(sigprocmask(SIG_SETMASK, NULL, &after) == 0 && !sigismember(&after, SIGINT));
	CHECK(kill(getpid(), SIGINT) == 0 && read(heard[0], &c, 1) == 1);
}

IN_CHILD(another_process)
IN_CHILD(another_user)
IN_CHILD(recorded_by_the_living)
IN_CHILD(recorded_by_the_dead)
IN_CHILD(two_of_one_world)
IN_CHILD(two_of_one_world_and_another)
IN_CHILD(a_world_twice)
IN_CHILD(the_host_between)
IN_CHILD(pids_on_top)
IN_CHILD(the_daemons_descriptor)
IN_CHILD(handing_over_fails)
IN_CHILD(moved_by_somebody_else)
IN_CHILD(childrens_signals)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_process),
		cmocka_unit_test(test_another_user),
		cmocka_unit_test(test_recorded_by_the_living),
		cmocka_unit_test(test_recorded_by_the_dead),
		cmocka_unit_test(test_two_of_one_world),
		cmocka_unit_test(test_two_of_one_world_and_another),
		cmocka_unit_test(test_a_world_twice),
		cmocka_unit_test(test_the_host_between),
		cmocka_unit_test(test_pids_on_top),
		cmocka_unit_test(test_the_daemons_descriptor),
		cmocka_unit_test(test_handing_over_fails),
		cmocka_unit_test(test_moved_by_somebody_else),
		cmocka_unit_test(test_childrens_signals),
	};

	if (geteuid() != 0) {
		puts("SKIP test_session: needs root");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
