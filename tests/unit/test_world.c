/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lib/session/world.c against a keeper that this test plays: one that holds a world, lets build it, refuses, is silent,
 * dies between two packets, or hands out what it must not. Then with every entry to the kernel failing, once and from
 * once on. Whatever happens: the login is isolated as the policy says, or the process and the disk are as before.
 *
 * Each case has a host of its own: process 1 of a new PID namespace is the keeper, a child of it the login daemon.
 * Needs root.
 */
/* WRAP: sys_open sys_openat sys_fstat sys_fstatat sys_mkdirat sys_fchown sys_fchmod sys_rename_noreplace */
/* WRAP: sys_unlinkat sys_symlinkat sys_readlinkat sys_flock sys_fchdir sys_chdir sys_getcwd sys_sethostname */
/* WRAP: sys_random sys_process_id sys_place sys_set_fs_ids sys_prctl sys_umount_cwd nsclone_unshare nsclone_setns */
/* WRAP: nsclone_open_trusted nsclone_open_nosymlink nsclone_ns_open_self nsclone_mount_new nsclone_mount_copy */
/* WRAP: nsclone_mount_attributes nsclone_mount_attach nsclone_mount_all_slave nsclone_mount_is_root */
/* WRAP: nsclone_mount_detach nsclone_pivot_root nsclone_loopback_up sys_pidfd_open sys_connect sys_send sys_receive */
/* WRAP: sys_wait_readable nsclone_ns_get_nstype nsclone_ns_get_userns nsclone_ns_get_parent keeper_start */
/* WRAP: place_is_of_a_login */
#include "tests/unit/test_sweep.h"

#include <poll.h>
#include "lib/core/sys_socket.h"
#include "lib/session/keeper_call.h"
#include "lib/session/login.h"
#include "lib/session/place.h"
#include "lib/session/world.h"

/* ---- Faults, in the daemon: these and those of a plan ---- */

STAND_IN(sys_pidfd_open) STAND_IN(sys_connect) STAND_IN(sys_send) STAND_IN(sys_receive)
STAND_IN(nsclone_ns_get_nstype) STAND_IN(nsclone_ns_get_userns) STAND_IN(nsclone_ns_get_parent)

/* Where nobody is going to say anything, nobody waits for it; how long it would have been is kept. */
static int patience_ms = 10000, waited_ms;

int __real_sys_wait_readable(int fd, int ms);
int __wrap_sys_wait_readable(int fd, int ms);
int __wrap_sys_wait_readable(int fd, int ms)
{
	int r = faulty("sys_wait_readable") ? -EIO : __real_sys_wait_readable(fd, ms < patience_ms ? ms : patience_ms);

	if (r == 0)
		waited_ms += ms;
	return r;
}

int __wrap_keeper_start(int64_t end);
int __wrap_keeper_start(int64_t end)
{
	(void)end;
	return -ENOENT;
}

static bool inside; /* the login comes from an isolated session */

bool __wrap_place_is_of_a_login(uid_t uid, const char *from_user);
bool __wrap_place_is_of_a_login(uid_t uid, const char *from_user)
{
	(void)uid;
	(void)from_user;
	return inside;
}

/* ---- The host, and what is seen of it ---- */

static struct shared {
	int asked[16];             /* by type */
	int hung_up;               /* connections that ended */
	int hung_up_with_lease;
	uint32_t put_flags;
	uint64_t host[KEEPER_N_NS], world[KEEPER_N_NS];
} *shared;

static const char *policy_text;

static void scratch_host(void)
{
	scratch_world(0); /* it has left already */
	CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
	CHECK(mkdir("/var/lib/nsclone", 0700) == 0 && mkdir("/run/nsclone", 0700) == 0 && mkdir("/run/policy", 0755) == 0);
	put("/tmp/host-file", "host");
	put("/run/policy/50-test.conf", policy_text);
	CHECK(sethostname("host", 4) == 0 && chdir("/tmp") == 0);
}

/* The lines of one that the other does not have. */
static void print_more(const char *mark, const char *text, const char *other)
{
	char *copy = strdup(text), *rest = copy, *line;

	while ((line = strsep(&rest, "\n")))
		if (!strstr(other, line))
			fprintf(stderr, "%s %s\n", mark, line);
	free(copy);
}

static const char *case_name;

static void same(const char *before, const char *what)
{
	char *after = look();

	if (strcmp(before, after) == 0)
		return free(after);
	fprintf(stderr, "%s, %s: not as before:\n", case_name, what);
	print_more("-", before, after);
	print_more("+", after, before);
	_exit(5);
}

/* ---- Namespaces of others ---- */

static int set_of(pid_t pid, int fds[KEEPER_N_NS])
{
	for (int i = 0; i < KEEPER_N_NS; i++) {
		char path[64];
		struct stat st;

		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid,
			 i == KEEPER_NS_PID ? "pid_for_children" : nsclone_ns_name(keeper_nstype((enum keeper_ns)i)));
		fds[i] = open(path, O_RDONLY | O_CLOEXEC);
		if (fds[i] < 0 || fstat(fds[i], &st) < 0)
			return -1;
	}
	return 0;
}

static void inodes_of(const int fds[KEEPER_N_NS], uint64_t ret[KEEPER_N_NS])
{
	struct stat st;

	for (int i = 0; i < KEEPER_N_NS; i++) {
		CHECK(fstat(fds[i], &st) == 0);
		ret[i] = st.st_ino;
	}
}

/* So that there is a root, who may make another. */
static void map_root(void)
{
	put("/proc/self/setgroups", "deny");
	put("/proc/self/uid_map", "0 0 1");
	put("/proc/self/gid_map", "0 0 1");
}

/* Somebody who enters new namespaces (and, before these, new user namespaces), and whose set is then taken. */
static void make_set(int users, int types, int fds[KEEPER_N_NS])
{
	int ready[2];
	pid_t pid;
	char c;

	CHECK(pipe2(ready, O_CLOEXEC) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		while (users-- > 0) {
			CHECK(unshare(CLONE_NEWUSER) == 0);
			map_root();
		}
		CHECK(unshare(types) == 0);
		if (types & CLONE_NEWUTS)
			CHECK(sethostname("inside", 6) == 0);
		if (types & CLONE_NEWNS) {
			CHECK(mount("world", "/tmp", "tmpfs", 0, "mode=1777") == 0);
			put("/tmp/world", "world");
		}
		CHECK(write(ready[1], "x", 1) == 1);
		pause();
	}
	close(ready[1]);
	CHECK(read(ready[0], &c, 1) == 1);
	close(ready[0]);
	CHECK(set_of(pid, fds) == 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ---- The keeper ---- */

enum mode {
	ABSENT, SILENT, HANGS_UP, MAD, REFUSES,
	HELD, HELD_TO_PIDFD, HELD_AND_MORE, OTHER_TYPE, OF_ANOTHER_USER, USER_OF_ANOTHER, NOT_ITS_OWN, INCOMPLETE, WITHOUT_CGROUP, NOTHING,
	CANNOT_BE_JOINED,
	BUILD, PUT_REFUSED, DIES_BEFORE_PUT, SILENT_AT_PUT,
	WAIT_SILENCE, WAIT_HELD, WAIT_BUILD, WAIT_HANGS_UP, WAIT_WAIT, WAIT_WITH_FDS,
	PIDS_REFUSED, PIDS_WITHOUT, PIDS_AND_MORE,
};

static const int WORLD_TYPES = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET;

static enum mode mode;
static int host_set[KEEPER_N_NS], world_set[KEEPER_N_NS], other_set[KEEPER_N_NS];
static bool has_lease[64], dead;
static size_t has_come; /* descriptors, with the last packet */

static void reply_with(int link, enum keeper_type type, uint32_t flags, const int fds[KEEPER_N_NS], unsigned without)
{
	struct keeper_message message;
	int list[KEEPER_MAX_FDS];

	keeper_message_init(&message, type);
	message.flags = flags;
	for (int i = 0; fds && i < KEEPER_N_NS; i++) {
		struct stat st;

		if (fstat(fds[i], &st) == 0 && st.st_ino != shared->host[i])
			message.inodes[i] = st.st_ino;
		if (without & 1U << i)
			continue;
		message.fds[message.n_fds] = (uint32_t)keeper_nstype((enum keeper_ns)i);
		list[message.n_fds++] = fds[i];
	}
	if (fds && mode == HELD_AND_MORE && type == KEEPER_HELD) {
		message.fds[message.n_fds] = KEEPER_FD_PROC;
		list[message.n_fds++] = STDERR_FILENO;
	}
	(void)sys_send(link, &message, sizeof(message), list, message.n_fds);
}

static const unsigned NO_USER = 1U << KEEPER_NS_USER;

static void reply_held(int link)
{
	int set[KEEPER_N_NS];

	memcpy(set, world_set, sizeof(set));
	if (mode == OTHER_TYPE)
		set[KEEPER_NS_NET] = world_set[KEEPER_NS_IPC];
	if (mode == OF_ANOTHER_USER)
		set[KEEPER_NS_NET] = other_set[KEEPER_NS_NET];
	if (mode == USER_OF_ANOTHER)
		set[KEEPER_NS_USER] = other_set[KEEPER_NS_USER];
	if (mode == NOT_ITS_OWN)
		set[KEEPER_NS_NET] = host_set[KEEPER_NS_NET];
	if (mode == CANNOT_BE_JOINED)
		set[KEEPER_NS_PID] = other_set[KEEPER_NS_PID];
	reply_with(link, KEEPER_HELD, inside ? KEEPER_INSIDE : 0, set,
		   mode == NOTHING	? ~0U
		   : mode == INCOMPLETE ? NO_USER | 1U << KEEPER_NS_NET
		   : mode == WITHOUT_CGROUP ? NO_USER | 1U << KEEPER_NS_CGROUP
					: mode == USER_OF_ANOTHER ? 0 : NO_USER);
}

static void reply_build(int link)
{
	has_lease[link] = true;
	reply_with(link, KEEPER_BUILD, inside ? KEEPER_INSIDE : 0, host_set, NO_USER);
}

static void reply_failed(int link, int error)
{
	struct keeper_message message;

	keeper_message_init(&message, KEEPER_FAILED);
	message.error = error;
	strcpy(message.text, "no");
	(void)sys_send(link, &message, sizeof(message), NULL, 0);
}

static void hang_up(int link)
{
	shared->hung_up++;
	shared->hung_up_with_lease += has_lease[link];
	has_lease[link] = false;
	close(link);
}

/* False: the connection is at its end. */
static bool answer_get(int link)
{
	if (mode >= WAIT_SILENCE && mode <= WAIT_WAIT)
		reply_with(link, KEEPER_WAIT, 0, NULL, 0);
	switch (mode) {
	case HANGS_UP:
	case WAIT_HANGS_UP:
		return false;
	case MAD:
		(void)sys_send(link, "what?", 5, host_set, 3);
		return true;
	case REFUSES:
		reply_failed(link, ENOSPC);
		return true;
	case WAIT_WAIT:
		reply_with(link, KEEPER_WAIT, 0, NULL, 0);
		return true;
	case WAIT_WITH_FDS:
		reply_with(link, KEEPER_WAIT, 0, host_set, 0);
		reply_held(link);
		return true;
	case ABSENT:
	case SILENT:
	case WAIT_SILENCE:
		return true;
	case WAIT_HELD:
		usleep(10000);
		reply_held(link);
		return true;
	case HELD_TO_PIDFD: /* before kernel 6.5 */
		if (has_come == 1)
			reply_held(link);
		else
			reply_failed(link, EINVAL);
		return true;
	case HELD:
	case HELD_AND_MORE:
	case OTHER_TYPE:
	case OF_ANOTHER_USER:
	case USER_OF_ANOTHER:
	case NOT_ITS_OWN:
	case INCOMPLETE:
	case WITHOUT_CGROUP:
	case NOTHING:
	case CANNOT_BE_JOINED:
		reply_held(link);
		return true;
	case WAIT_BUILD:
		usleep(10000);
		reply_build(link);
		return true;
	case BUILD:
	case PUT_REFUSED:
	case DIES_BEFORE_PUT:
	case SILENT_AT_PUT:
	case PIDS_REFUSED:
	case PIDS_WITHOUT:
	case PIDS_AND_MORE:
		reply_build(link);
		dead = mode == DIES_BEFORE_PUT;
		return !dead;
	}
	return false;
}

static void answer_pids(int link)
{
	if (mode == PIDS_REFUSED)
		reply_failed(link, EAGAIN);
	else
		reply_with(link, KEEPER_PIDS, 0, host_set, mode == PIDS_WITHOUT ? ~(1U << KEEPER_NS_PID) : NO_USER);
}

static bool answer(int link)
{
	struct keeper_message message;
	int fds[KEEPER_MAX_FDS];
	size_t n = 0;
	ssize_t size = sys_receive(link, &message, sizeof(message), fds, KEEPER_MAX_FDS, &n);

	has_come = n;
	while (size >= 0 && n > 0)
		close(fds[--n]);
	if (size <= 0)
		return size == -EAGAIN;
	CHECK(size == sizeof(message) && message.magic == KEEPER_MAGIC && message.version == KEEPER_VERSION);
	CHECK(message.type < 16);
	shared->asked[message.type]++;
	if (message.type == KEEPER_GET)
		return answer_get(link);
	if (message.type == KEEPER_PIDS)
		answer_pids(link);
	if (message.type == KEEPER_HOST && mode != SILENT)
		reply_with(link, KEEPER_HOST, inside ? KEEPER_INSIDE : 0, host_set, NO_USER);
	if (message.type == KEEPER_PUT) {
		CHECK((has_lease[link] || (message.flags & KEEPER_ALONE)) && message.n_fds >= 4);
		shared->put_flags = message.flags;
		if (mode == PUT_REFUSED)
			reply_failed(link, ESTALE);
		else if (mode != SILENT_AT_PUT) {
			has_lease[link] = false;
			reply_with(link, KEEPER_STORED, 0, NULL, 0);
		}
	}
	return true;
}

/* Until the daemon is gone and all that it said is heard. */
static void serve(int listener, int daemon)
{
	struct pollfd fds[32] = {{listener, POLLIN, 0}, {daemon, POLLIN, 0}};
	nfds_t n = 2;

	while (poll(fds, n, fds[1].revents ? 0 : -1) > (fds[1].revents ? 1 : 0)) {
		for (nfds_t i = n - 1; i >= 2; i--) {
			if (fds[i].revents && !answer(fds[i].fd)) {
				hang_up(fds[i].fd);
				fds[i] = fds[--n];
			}
		}
		if (fds[0].revents & POLLIN) {
			CHECK(n < 31);
			fds[n].fd = sys_accept(listener);
			CHECK(fds[n].fd >= 0);
			fds[n].events = POLLIN;
			fds[n++].revents = 0;
		}
		if (dead && listener >= 0) {
			close(listener);
			listener = fds[0].fd = -1;
			fds[0].revents = 0;
		}
	}
}

/* ---- A case ---- */

struct scenario {
	const char *name;
	enum mode mode;
	int (*daemon)(const struct scenario *scenario);
	const char *policy;
	bool inside;
	int leaves, lease_lost; /* what the keeper must have seen of it */
	int from, to;	 /* faults */
	const char *user;
};

#define POLICY "[Match]\nUser=alice\n[Session]\nPrivateIPC=yes\nPrivateNetwork=yes\nProtectHostname=yes:inside\n"
static const char *const PLAIN = POLICY "PrivateTmp=disconnected\n", *const WITH_DIRECTORY = POLICY "PrivateTmp=yes\n",
	*const WITH_PIDS = POLICY "PrivateTmp=disconnected\nPrivatePIDs=yes\n",
	*const WITH_USERS = POLICY "PrivateTmp=disconnected\nPrivateUsers=identity\n",
	*const ALONE = POLICY "PrivateTmp=yes\nScope=session\n",
	*const ALONE_NO_DIRECTORY = POLICY "PrivateTmp=disconnected\nScope=session\n",
	*const WARN = POLICY "PrivateTmp=yes\nOnFailure=warn\n";

static pid_t daemon_process(const struct scenario *scenario)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		for (int fd = 3; fd < 256; fd++)
			close(fd);
		if (scenario->inside) {
			CHECK(unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) == 0);
			CHECK(sethostname("elsewhere", 9) == 0);
			CHECK(mount("elsewhere", "/tmp", "tmpfs", 0, "mode=1777") == 0 && chdir("/tmp") == 0);
		}
		_exit(scenario->daemon(scenario));
	}
	return pid;
}

/* Process 1: the host's, and the keeper. */
static int host(const struct scenario *scenario)
{
	int listener, status, pidfd;
	pid_t pid;

	case_name = scenario->name;
	mode = scenario->mode;
	inside = scenario->inside;
	policy_text = scenario->policy;
	scratch_host();
	CHECK(set_of(1, host_set) == 0);
	inodes_of(host_set, shared->host);
	make_set(0, WORLD_TYPES, world_set);
	inodes_of(world_set, shared->world);
	if (mode == OF_ANOTHER_USER || mode == USER_OF_ANOTHER)
		make_set(mode == USER_OF_ANOTHER ? 2 : 1, CLONE_NEWNET, other_set);
	listener = mode == ABSENT ? -1 : sys_listen(KEEPER_SOCKET, 8);
	pid = daemon_process(scenario);
	pidfd = sys_pidfd_open(pid);
	serve(listener, pidfd);
	CHECK(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

static int run(const struct scenario *scenario)
{
	int status = 0;
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		if (scenario->mode == CANNOT_BE_JOINED)
			other_set[KEEPER_NS_PID] = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
		CHECK(unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC) == 0);
		pid = fork();
		if (pid == 0)
			_exit(host(scenario));
		CHECK(waitpid(pid, &status, 0) == pid);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 97);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 96;
}

/* ---- In the daemon ---- */

static struct login_request request_of(const struct scenario *scenario)
{
	return (struct login_request){
		.items = {.user = scenario->user ? scenario->user : "alice", .service = "test"},
		.files = {.directory = "/run/policy"},
	};
}

/* As the policy says: nothing of the host's. */
static bool is_isolated(bool joined)
{
	uint64_t own[KEEPER_N_NS];
	char name[64] = "";

	CHECK(place_inodes(own) == 0);
	for (int i = 0; i < KEEPER_N_NS; i++) {
		if (!((uint64_t)keeper_nstype((enum keeper_ns)i) & (uint64_t)WORLD_TYPES))
			continue;
		if (own[i] == shared->host[i] || (joined && own[i] != shared->world[i]))
			return false;
	}
	gethostname(name, sizeof(name));
	return strcmp(name, "inside") == 0 && access("/tmp/host-file", F_OK) < 0 && (access("/tmp/world", F_OK) == 0) == joined;
}

static bool at_host(void)
{
	uint64_t own[KEEPER_N_NS];

	return place_inodes(own) == 0 && memcmp(own, shared->host, sizeof(own)) == 0;
}

static void close_and_compare(struct login *login, const char *before)
{
	struct err err = {0};

	CHECK(session_close(login->session, &err) == 0);
	login->session = NULL;
	login_done(login);
	same(before, "after close");
}

enum { JOINED, BUILT, REFUSED, WARNED, RETURNED, AS_IT_WAS };

static int log_in(const struct scenario *scenario, int wanted)
{
	struct login_request request = request_of(scenario);
	char *before = look();
	struct login login = {0};
	struct err err = {0};
	int r, result;

	if (mode == SILENT || mode == WAIT_SILENCE || mode == SILENT_AT_PUT)
		patience_ms = 50;
	r = login_open(&request, &login, &err);
	result = r == LOGIN_WARNED     ? WARNED
		 : r == LOGIN_RETURNED ? RETURNED
		 : r < 0	       ? REFUSED
		 : r > 0	       ? AS_IT_WAS
				       : login.joined ? JOINED : BUILT;
	if (result != wanted)
		fprintf(stderr, "%s: %d is wanted, %d came (%d): %s; %s\n", scenario->name, wanted, result, r, err.text, login.note);
	CHECK(result == wanted);
	CHECK(!login.half_done && waited_ms <= KEEPER_LEASE_MS + 2 * KEEPER_CALL_MS);
	if (r < 0 || r == LOGIN_WARNED)
		CHECK(err.text[0] != '\0');
	if (r == 0)
		CHECK(is_isolated(login.joined));
	if (r == LOGIN_RETURNED)
		CHECK(at_host());
	CHECK(scenario->mode != REFUSES || strstr(login.note, "nsclone-keeper refuses: no"));
	CHECK(r != 0 || login.shared || login.note[0] || strstr(scenario->policy, "Scope=session")); /* an administrator is told why others will not join */
	if (r == 0 || r == LOGIN_RETURNED)
		close_and_compare(&login, before);
	login_done(&login);
	same(before, "in the end");
	return 0;
}

static int joins(const struct scenario *s) { return log_in(s, JOINED); }
static int builds(const struct scenario *s) { return log_in(s, BUILT); }
static int builds_at_once(const struct scenario *s) { int r = log_in(s, BUILT); CHECK(waited_ms == 0); return r; }
static int is_refused(const struct scenario *s) { return log_in(s, REFUSED); }
static int is_warned(const struct scenario *s) { return log_in(s, WARNED); }
static int returns(const struct scenario *s) { return log_in(s, RETURNED); }
static int stays(const struct scenario *s) { return log_in(s, AS_IT_WAS); }

static void scenarios(const struct scenario *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = run(&list[i]);

		if (r != 0 || shared->asked[KEEPER_LEAVE] != list[i].leaves || shared->hung_up_with_lease != list[i].lease_lost)
			fprintf(stderr, "%s: %d, %d LEAVE (wanted %d), %d leases without PUT (wanted %d)\n", list[i].name, r,
				shared->asked[KEEPER_LEAVE], list[i].leaves, shared->hung_up_with_lease, list[i].lease_lost);
		assert_int_equal(r, 0);
		assert_int_equal(shared->asked[KEEPER_LEAVE], list[i].leaves);
		assert_int_equal(shared->hung_up_with_lease, list[i].lease_lost);
	}
}

#define SCENARIOS(list) scenarios(list, sizeof(list) / sizeof(*(list)))

static void a_world_that_is_held(void **state)
{
	const struct scenario list[] = {
		{.name = "held", .mode = HELD, .daemon = joins, .policy = PLAIN, .leaves = 1},
		{.name = "held, to who shows a pidfd", .mode = HELD_TO_PIDFD, .daemon = joins, .policy = PLAIN, .leaves = 1},
		{.name = "held, from another world", .mode = HELD, .daemon = joins, .policy = PLAIN, .inside = true, .leaves = 1},
		{.name = "waited for", .mode = WAIT_HELD, .daemon = joins, .policy = PLAIN, .leaves = 1},
		{.name = "with more than a set", .mode = HELD_AND_MORE, .daemon = joins, .policy = PLAIN, .leaves = 1},
	};

	(void)state;
	SCENARIOS(list);
}

static void a_world_that_cannot_be_joined(void **state)
{
	const struct scenario list[] = {
		{.name = "of another type", .mode = OTHER_TYPE, .daemon = is_refused, .policy = PLAIN, .leaves = 1},
		{.name = "of a user's user namespace", .mode = OF_ANOTHER_USER, .daemon = is_refused, .policy = PLAIN, .leaves = 1},
		{.name = "a user namespace in a user's", .mode = USER_OF_ANOTHER, .daemon = is_refused, .policy = WITH_USERS, .leaves = 1},
		{.name = "one is missing", .mode = INCOMPLETE, .daemon = is_refused, .policy = PLAIN, .leaves = 1},
		{.name = "one of the host's is missing", .mode = WITHOUT_CGROUP, .daemon = is_refused, .policy = PLAIN, .leaves = 1},
		{.name = "all are missing", .mode = NOTHING, .daemon = is_refused, .policy = PLAIN, .leaves = 1},
		{.name = "one is the host's", .mode = NOT_ITS_OWN, .daemon = is_refused, .policy = PLAIN, .leaves = 1},
		{.name = "its user namespace is missing", .mode = HELD, .daemon = is_refused, .policy = WITH_USERS, .leaves = 1},
		{.name = "setns fails", .mode = CANNOT_BE_JOINED, .daemon = is_refused, .policy = PLAIN, .leaves = 1},
		{.name = "setns fails, warn", .mode = CANNOT_BE_JOINED, .daemon = is_warned, .policy = WARN, .leaves = 1},
	};

	(void)state;
	SCENARIOS(list);
}

static void a_world_to_build(void **state)
{
	const struct scenario list[] = {
		{.name = "build", .mode = BUILD, .daemon = builds, .policy = PLAIN, .leaves = 1},
		{.name = "build, from another world", .mode = BUILD, .daemon = builds, .policy = PLAIN, .inside = true, .leaves = 1},
		{.name = "waited for", .mode = WAIT_BUILD, .daemon = builds, .policy = PLAIN, .leaves = 1},
		{.name = "PUT refused", .mode = PUT_REFUSED, .daemon = builds, .policy = WITH_DIRECTORY, .lease_lost = 1},
		{.name = "silence at PUT", .mode = SILENT_AT_PUT, .daemon = builds, .policy = WITH_DIRECTORY, .lease_lost = 1},
		{.name = "the keeper dies before PUT", .mode = DIES_BEFORE_PUT, .daemon = builds, .policy = WITH_DIRECTORY, .lease_lost = 1},
		{.name = "no init", .mode = PIDS_REFUSED, .daemon = is_refused, .policy = WITH_PIDS, .lease_lost = 1},
		{.name = "an init without /proc", .mode = PIDS_WITHOUT, .daemon = is_refused, .policy = WITH_PIDS, .lease_lost = 1},
		{.name = "an init and more, without /proc", .mode = PIDS_AND_MORE, .daemon = is_refused, .policy = WITH_PIDS, .lease_lost = 1},
	};

	(void)state;
	SCENARIOS(list);
}

/* Nobody will join it: so it is waited for only where there is something to remove, and that is removed by somebody. */
static void a_world_of_one_session(void **state)
{
	const struct scenario list[] = {
		{.name = "PUT refused", .mode = PUT_REFUSED, .daemon = builds, .policy = ALONE},
		{.name = "silence at PUT", .mode = SILENT_AT_PUT, .daemon = builds, .policy = ALONE},
		{.name = "absent", .mode = ABSENT, .daemon = builds, .policy = ALONE},
		{.name = "silence, nothing to remove", .mode = SILENT_AT_PUT, .daemon = builds_at_once, .policy = ALONE_NO_DIRECTORY,
		 .leaves = 1},
	};

	(void)state;
	SCENARIOS(list);
}

static void a_keeper_that_is_away(void **state)
{
	const struct scenario list[] = {
		{.name = "absent", .mode = ABSENT, .daemon = builds, .policy = WITH_DIRECTORY},
		{.name = "silent", .mode = SILENT, .daemon = builds, .policy = PLAIN},
		{.name = "hangs up", .mode = HANGS_UP, .daemon = builds, .policy = PLAIN},
		{.name = "mad", .mode = MAD, .daemon = builds, .policy = PLAIN},
		{.name = "refuses", .mode = REFUSES, .daemon = builds, .policy = PLAIN},
		{.name = "wait, then nothing", .mode = WAIT_SILENCE, .daemon = builds, .policy = PLAIN},
		{.name = "wait, then it hangs up", .mode = WAIT_HANGS_UP, .daemon = builds, .policy = PLAIN},
		{.name = "wait, then wait", .mode = WAIT_WAIT, .daemon = builds, .policy = PLAIN},
		{.name = "wait, with descriptors", .mode = WAIT_WITH_FDS, .daemon = joins, .policy = PLAIN, .leaves = 1},
		{.name = "absent, a PID namespace", .mode = ABSENT, .daemon = is_refused, .policy = WITH_PIDS},
		{.name = "silent, a PID namespace", .mode = SILENT, .daemon = is_refused, .policy = WITH_PIDS},
		{.name = "absent, from another world", .mode = ABSENT, .daemon = is_refused, .policy = PLAIN, .inside = true},
	};

	(void)state;
	SCENARIOS(list);
}

static void out_of_a_world(void **state)
{
	const struct scenario list[] = {
		{.name = "root, at the host", .mode = BUILD, .daemon = stays, .policy = PLAIN, .user = "root"},
		{.name = "root", .mode = BUILD, .daemon = returns, .policy = PLAIN, .user = "root", .inside = true},
		{.name = "root, absent", .mode = ABSENT, .daemon = stays, .policy = PLAIN, .user = "root", .inside = true},
		{.name = "root, silent", .mode = SILENT, .daemon = stays, .policy = PLAIN, .user = "root", .inside = true},
		{.name = "bob, without a rule", .mode = BUILD, .daemon = stays, .policy = PLAIN, .user = "bob", .inside = true},
	};

	(void)state;
	SCENARIOS(list);
}

/* ---- Every entry to the kernel fails ---- */

static bool same_users(void)
{
	uint64_t own[KEEPER_N_NS];

	return place_inodes(own) == 0 && own[KEEPER_NS_USER] == shared->host[KEEPER_NS_USER];
}

/* 0: failed and all is as before, or succeeded and complete. 1: it was not reached. Else what is wrong. */
static int under_faults(const struct scenario *scenario)
{
	struct login_request request = request_of(scenario);
	struct login login = {0};
	bool undo_failed = false;
	struct err err = {0};
	char *before;
	int r, decided = login_decide(&request, &login, &err);

	patience_ms = 2000;
	CHECK(decided == 0 || decided == POLICY_NO_MATCH);
	before = look();
	fail_calls(scenario->from, scenario->to);
	r = decided == 0 ? world_open(&login, &undo_failed, &err) : world_leave(&login, &undo_failed, &err);
	fail_calls(0, 0);
	if (r == 0 && decided == 0 && !is_isolated(login.joined))
		return 3;
	if (r == LOGIN_RETURNED && !at_host())
		return 4;
	if (!failed_call) {
		if (r != (decided == 0 ? 0 : LOGIN_RETURNED))
			fprintf(stderr, "%s: without a fault: %d: %s; %s\n", scenario->name, r, err.text, login.note);
		return r == (decided == 0 ? 0 : LOGIN_RETURNED) ? 1 : 2;
	}
	if (undo_failed && scenario->to == scenario->from && same_users())
		fprintf(stderr, "%s failed: %s\n", failed_call, err.text);
	if (undo_failed) /* one failure alone is always undone, but that a user namespace cannot be left */
		return r < 0 && (scenario->to > scenario->from || !same_users()) ? 0 : 7;
	if (r < 0 && err.text[0] == '\0')
		return 8;
	if (login.session) /* what an isolated one leaves on disk is the keeper's, or the next login's */
		return session_close(login.session, &err) < 0 ? 9 : 0;
	same(before, failed_call);
	return 0;
}

static void sweep(struct scenario scenario, bool forever, int at_least)
{
	int r = 0;

	scenario.daemon = under_faults;
	for (scenario.from = 1; r == 0; scenario.from++) {
		scenario.to = forever ? 1 << 30 : scenario.from;
		r = run(&scenario);
		if (r > 1)
			fprintf(stderr, "%s, calls %d to %d: %d\n", scenario.name, scenario.from, scenario.to, r);
	}
	assert_int_equal(r, 1);			      /* the sweep ended because no further call is needed */
	assert_true(scenario.from > at_least); /* and not because nothing was wrapped */
}

static const struct scenario JOIN = {.name = "join", .mode = HELD, .policy = PLAIN},
	JOIN_FROM = {.name = "join from another world", .mode = HELD, .policy = PLAIN, .inside = true},
	BUILD_WITH_USERS = {.name = "build, with users", .mode = BUILD, .policy = WITH_USERS},
	LEAVE_AND_BUILD = {.name = "to the host, and build", .mode = BUILD, .policy = WITH_DIRECTORY, .inside = true},
	RETURN = {.name = "return to the host", .mode = BUILD, .policy = PLAIN, .user = "root", .inside = true};

static void each_call_fails_once(void **state)
{
	(void)state;
	sweep(JOIN, false, 40);
	sweep(JOIN_FROM, false, 40);
	sweep(LEAVE_AND_BUILD, false, 80);
	sweep(RETURN, false, 40);
	sweep(BUILD_WITH_USERS, false, 80);
}

static void every_call_fails_from_one_on(void **state)
{
	(void)state;
	sweep(JOIN, true, 40);
	sweep(LEAVE_AND_BUILD, true, 80);
	sweep(RETURN, true, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_world_that_is_held),
		cmocka_unit_test(a_world_that_cannot_be_joined),
		cmocka_unit_test(a_world_to_build),
		cmocka_unit_test(a_world_of_one_session),
		cmocka_unit_test(a_keeper_that_is_away),
		cmocka_unit_test(out_of_a_world),
		cmocka_unit_test(each_call_fails_once),
		cmocka_unit_test(every_call_fails_from_one_on),
	};

	if (geteuid() != 0) {
		puts("SKIP test_world: needs root");
		return 0;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
