/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lib/session/keeper_start.c: exactly one keeper, whoever else wants one at the same time or was killed in wanting one;
 * none where there shall be none; and nothing of the login daemon is in it. The keeper that is started is this program,
 * which writes down what it finds itself with. Each case has a host of its own. Needs root.
 */
/* WRAP: sys_monotonic_ms sys_sleep_us sys_open sys_openat sys_fstat sys_fstatat sys_read sys_flock sys_connect sys_unlinkat */
/* WRAP: sys_listen sys_renameat nsclone_open_trusted nsclone_clone nsclone_wait sys_setsid sys_become_root sys_wait_readable */
#include "tests/unit/test_faults.h"

#include <dirent.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include "keeper/fresh.h"
#include "lib/core/sys_child.h"
#include "lib/core/sys_privilege.h"
#include "lib/core/sys_socket.h"
#include "lib/session/keeper_call.h"

#define PROGRAM "/usr/lib/nsclone/nsclone-keeper"
#define SPY "nsclone-keeper"

/* ---- A clock that goes on by sleeping only, and faults: in the daemon and in its child, which starts the keeper ---- */

enum fault { NONE, FAILS, DIES, STOPS };

static struct shared {
	int64_t now_ms;
	int calls;
} *shared; /* by all processes */

static bool clock_is_ours;
static int fault_at;
static enum fault fault;
static pid_t daemon_pid;

/* The handlers there are the daemon's. */
static void signals_are_blocked(void)
{
	sigset_t mask;

	CHECK(sigprocmask(SIG_SETMASK, NULL, &mask) == 0 && sigismember(&mask, SIGINT));
}

static bool faulty(const char *name)
{
	bool in_daemon = getpid() == daemon_pid;

	(void)name;
	if (daemon_pid && !in_daemon && getppid() == daemon_pid)
		signals_are_blocked();
	if (fault == NONE || (!in_daemon && getppid() != daemon_pid) || ++shared->calls != fault_at)
		return false;
	if (fault == DIES && in_daemon)
		_exit(0);
	if (fault == FAILS)
		return true;
	if (!in_daemon)
		raise(fault == DIES ? SIGKILL : SIGSTOP);
	return false;
}

STAND_IN(sys_open) STAND_IN(sys_openat) STAND_IN(sys_fstat) STAND_IN(sys_fstatat) STAND_IN(sys_read) STAND_IN(sys_flock)
STAND_IN(sys_connect) STAND_IN(sys_unlinkat) STAND_IN(sys_listen) STAND_IN(sys_renameat) STAND_IN(nsclone_open_trusted)
STAND_IN(nsclone_clone) STAND_IN(sys_setsid) STAND_IN(sys_become_root) STAND_IN(sys_wait_readable) STAND_IN(nsclone_wait)

int64_t __real_sys_monotonic_ms(void);
int64_t __wrap_sys_monotonic_ms(void);
int64_t __wrap_sys_monotonic_ms(void)
{
	return clock_is_ours ? shared->now_ms : __real_sys_monotonic_ms();
}

void __real_sys_sleep_us(unsigned us);
void __wrap_sys_sleep_us(unsigned us);
void __wrap_sys_sleep_us(unsigned us)
{
	shared->now_ms += us / 1000;
	if (!clock_is_ours)
		__real_sys_sleep_us(us);
}

/* ---- The keeper that is started ---- */

static void print_link(FILE *to, const char *path)
{
	char target[256];
	ssize_t n = readlink(path, target, sizeof(target));

	fprintf(to, "%s %.*s\n", path, n < 0 ? 0 : (int)n, target);
}

static void print_status(FILE *to)
{
	static const char *const WORDS[] = {"SigBlk:", "SigIgn:", "Umask:", "Uid:", "Gid:", "Groups:"};
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];

	while (status && fgets(line, sizeof(line), status))
		for (size_t i = 0; i < sizeof(WORDS) / sizeof(*WORDS); i++)
			if (strncmp(line, WORDS[i], strlen(WORDS[i])) == 0)
				fputs(line, to);
	if (status)
		fclose(status);
}

static void print_file(FILE *to, const char *path)
{
	FILE *from = fopen(path, "re");
	char line[256];

	while (from && fgets(line, sizeof(line), from))
		fputs(line, to);
	if (from)
		fclose(from);
}

/* Of process 1, too: with them it is compared. */
static void print_resources(FILE *to, pid_t pid)
{
	char path[64];
	cpu_set_t cpus;

	snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
	print_file(to, path);
	CHECK(sched_getaffinity(pid, sizeof(cpus), &cpus) == 0);
	fprintf(to, "cpus %d\n", CPU_COUNT(&cpus));
}

static void report(FILE *to)
{
	static const char *const LINKS[] = {
		"cwd", "root", "fd/0", "fd/1", "fd/2", "ns/mnt", "ns/ipc", "ns/uts", "ns/net", "ns/pid", "ns/cgroup",
	};
	char path[64];

	for (size_t i = 0; i < sizeof(LINKS) / sizeof(*LINKS); i++) {
		snprintf(path, sizeof(path), "/proc/self/%s", LINKS[i]);
		print_link(to, path);
	}
	for (int fd = 4; fd < 1024; fd++) /* 3 is the socket */
		if (fd != fileno(to) && fcntl(fd, F_GETFD) >= 0)
			fprintf(to, "fd %d\n", fd);
	for (char **e = environ; *e; e++)
		if (strncmp(*e, "LISTEN_PID=", 11) != 0)
			fprintf(to, "env %s\n", *e);
	fprintf(to, "listen_pid %d\n", getenv("LISTEN_PID") && atoi(getenv("LISTEN_PID")) == getpid());
	fprintf(to, "terminal %d\n", open("/dev/tty", O_RDWR) >= 0);
	fprintf(to, "leads %d parent %d\n", getsid(0) == getpid(), (int)getppid());
	print_status(to);
	fprintf(to, "nice %d policy %d slack %d oom ", getpriority(PRIO_PROCESS, 0), sched_getscheduler(0),
		prctl(PR_GET_TIMERSLACK));
	print_file(to, "/proc/self/oom_score_adj");
	print_resources(to, getpid());
}

/* Under a temporary name: it is there, or it is whole. It goes on, accepting everybody. */
static int spy(void)
{
	char name[64], temporary[64];
	const char *failed;
	FILE *to;

	fresh_process();
	failed = fresh_resources();
	snprintf(name, sizeof(name), "/run/nsclone/spy.%d", (int)getpid());
	snprintf(temporary, sizeof(temporary), "/run/nsclone/.%d", (int)getpid());
	to = fopen(temporary, "we");
	if (!to)
		return 1;
	report(to);
	fprintf(to, "failed %s\n", failed ? failed : "-");
	fclose(to);
	if (rename(temporary, name) < 0)
		return 2;
	for (;;) {
		struct pollfd p = {3, POLLIN, 0};

		poll(&p, 1, -1);
		if (sys_accept(3) < 0)
			return 3;
	}
}

/* ---- The host ---- */

static void copy_program(void)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to = open(PROGRAM, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	char buffer[65536];
	ssize_t n;

	CHECK(from >= 0 && to >= 0);
	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		CHECK(write(to, buffer, (size_t)n) == n);
	close(from);
	close(to);
}

static void scratch_host(void)
{
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
	CHECK(mount("scratch", "/run", "tmpfs", 0, "mode=755") == 0);
	CHECK(mkdir("/run/upper", 0755) == 0 && mkdir("/run/work", 0755) == 0);
	CHECK(mount("keeper", "/usr/lib", "overlay", 0, "lowerdir=/usr/lib,upperdir=/run/upper,workdir=/run/work") == 0);
	CHECK(mkdir("/usr/lib/nsclone", 0755) == 0 || errno == EEXIST);
	copy_program();
}

/* Is it alive, and is it a keeper, or one that may become one? */
static bool is_keeper(pid_t pid, bool wanted)
{
	char path[64], line[256] = "", name[64] = "", state = 0;
	FILE *stream;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	stream = fopen(path, "re");
	if (stream && fgets(line, sizeof(line), stream))
		(void)sscanf(line, "%*d (%63[^)]) %c", name, &state);
	if (stream)
		fclose(stream);
	return name[0] && (strcmp(name, SPY) == 0) == wanted && state != 'Z' && state != 'X';
}

static int count_processes(bool keepers)
{
	struct dirent *d;
	DIR *dir = opendir("/proc");
	int n = 0;

	while ((d = readdir(dir)))
		n += atoi(d->d_name) > 0 && atoi(d->d_name) != getpid() && is_keeper(atoi(d->d_name), keepers);
	closedir(dir);
	return n;
}

static int count_keepers(void)
{
	return count_processes(true);
}

static int count_others(void)
{
	return count_processes(false);
}

static int reports(char *path, size_t size)
{
	struct dirent *d;
	DIR *dir = opendir("/run/nsclone");
	int n = 0;

	while (dir && (d = readdir(dir)))
		if (strncmp(d->d_name, "spy.", 4) == 0) {
			snprintf(path, size, "/run/nsclone/%.20s", d->d_name);
			n++;
		}
	if (dir)
		closedir(dir);
	return n;
}

static bool comes_to(int (*count)(void), int wanted)
{
	for (int i = 0; i < 1000 && count() != wanted; i++)
		usleep(10000);
	return count() == wanted;
}

static int count_reports(void)
{
	char path[64];

	return reports(path, sizeof(path));
}

/* One keeper, which answers, and nobody who is about to become another. */
static void exactly_one(void)
{
	CHECK(comes_to(count_others, 0));
	CHECK(comes_to(count_reports, 1));
	CHECK(comes_to(count_keepers, 1));
	CHECK(keeper_connect_only() >= 0);
	CHECK(access("/run/nsclone/keeper.new", F_OK) < 0);
}

static void (*the_case)(void);

/* Process 1 of a PID namespace; what is left running ends with it. */
static void on_a_host(void)
{
	int status;
	pid_t pid;

	CHECK(unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC) == 0);
	pid = fork();
	if (pid == 0) {
		scratch_host();
		the_case();
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void hosted(void (*function)(void))
{
	the_case = function;
	in_child(on_a_host);
}

/* A login daemon that wants a keeper: what keeper_connect() says. */
static int connect_in_child(void)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		daemon_pid = getpid();
		_exit(keeper_connect() >= 0 ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

/* ---- What passes to it ---- */

static volatile sig_atomic_t told;

static void on_child(int signal)
{
	(void)signal;
	told++;
}

static void take_a_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;

	CHECK(setsid() >= 0 && master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	slave = ioctl(master, TIOCGPTPEER, O_RDWR);
	CHECK(slave >= 0 && ioctl(slave, TIOCSCTTY, 0) == 0);
}

static bool is_really_root(void)
{
	return !getenv("NSC_WORLD") || strcmp(getenv("NSC_WORLD"), "root") == 0;
}

/* Only who really is root gets back from there. */
static void be_lowly(void)
{
	const struct sched_param none = {0};
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	CHECK(sched_setscheduler(0, SCHED_BATCH, &none) == 0 && setpriority(PRIO_PROCESS, 0, 7) == 0);
	CHECK(prctl(PR_SET_TIMERSLACK, 1000000) == 0);
}

/* su(1) as alice runs it. */
static void be_alices(void)
{
	static const int LIMITS[] = {RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_NPROC, RLIMIT_SIGPENDING, RLIMIT_NOFILE, RLIMIT_MEMLOCK};
	const gid_t group = 20050;
	uint64_t capabilities;
	bool can_raise; /* a hard limit, again */

	put("/proc/self/oom_score_adj", "777");
	CHECK(sys_permitted_capabilities(&capabilities) == 0);
	can_raise = is_really_root() && capabilities & UINT64_C(1) << CAP_SYS_RESOURCE;
	for (size_t i = 0; i < sizeof(LIMITS) / sizeof(*LIMITS); i++) {
		struct rlimit limit;

		CHECK(getrlimit(LIMITS[i], &limit) == 0);
		limit.rlim_cur = 110;
		limit.rlim_max = can_raise ? 110 : limit.rlim_max;
		CHECK(setrlimit(LIMITS[i], &limit) == 0);
	}
	if (is_really_root())
		be_lowly();
	CHECK(setgroups(1, &group) == 0 && setresgid(20001, 0, 0) == 0 && setresuid(20001, 0, 0) == 0);
}

static void hardened_daemon(void)
{
	const struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_NOCLDSTOP | SA_RESTART};
	unsigned before;
	sigset_t all;
	int link;

	take_a_terminal();
	sigfillset(&all);
	sigdelset(&all, SIGCHLD);
	CHECK(sigprocmask(SIG_SETMASK, &all, NULL) == 0);
	CHECK(signal(SIGHUP, SIG_IGN) != SIG_ERR && sigaction(SIGCHLD, &action, NULL) == 0);
	umask(0);
	CHECK(setenv("LD_PRELOAD", "", 1) == 0 && setenv("DAEMON", "yes", 1) == 0);
	CHECK(open("/etc/passwd", O_RDONLY) >= 0 && dup2(2, 100) == 100 && chdir("/tmp") == 0);
	CHECK(unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET) == 0);
	be_alices();
	before = count_fds();
	link = keeper_connect();
	CHECK(link >= 0);
	close(link);
	CHECK(comes_to(count_reports, 1));
	CHECK(count_fds() == before);
	CHECK(told == 0 && waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD);
	_exit(0);
}

static const char *report_text(void)
{
	static char text[16384];
	char path[64];
	ssize_t n;
	int fd;

	CHECK(reports(path, sizeof(path)) == 1);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	CHECK(n > 0);
	text[n] = '\0';
	close(fd);
	return text;
}

static void says(const char *line)
{
	if (strstr(report_text(), line))
		return;
	fprintf(stderr, "no '%s' in:\n%s", line, report_text());
	_exit(1);
}

static void resources_are_those_of_process_1(void)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	print_resources(to, 1);
	fclose(to);
	says(text);
	free(text);
	says("failed -\n");
	if (is_really_root())
		says("nice 0 policy 0 slack 50000 oom 0\n");
}

static void nothing_passes(void)
{
	static const char *const NAMESPACES[] = {"mnt", "ipc", "uts", "net", "pid", "cgroup"};
	char path[64], target[64] = "", line[160];
	int status;
	pid_t pid = fork();

	if (pid == 0)
		hardened_daemon();
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	says("/proc/self/cwd /\n/proc/self/root /\n");
	says("/proc/self/fd/0 /dev/null\n/proc/self/fd/1 /dev/null\n/proc/self/fd/2 /dev/null\n");
	says("terminal 0\nleads 1 parent 1\n");
	says("\nenv PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nenv LISTEN_FDS=1\nlisten_pid 1\n");
	says("Umask:\t0022\n");
	says("SigBlk:\t0000000000000000\n");
	says("SigIgn:\t0000000000000000\n");
	CHECK(!strstr(report_text(), "\nfd "));
	says("\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n");
	says("\nGroups:\t \n");
	resources_are_those_of_process_1();
	for (size_t i = 0; i < sizeof(NAMESPACES) / sizeof(*NAMESPACES); i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", NAMESPACES[i]);
		memset(target, 0, sizeof(target));
		CHECK(readlink(path, target, sizeof(target) - 1) > 0);
		snprintf(line, sizeof(line), "%s %s\n", path, target);
		says(line);
	}
}

static void what_it_inherits(void **state)
{
	(void)state;
	hosted(nothing_passes);
}

/* ---- Exactly one ---- */

static void twenty_at_once(void)
{
	enum { N = 20 };
	int gate[2], status;
	pid_t pids[N];
	char c;

	CHECK(pipe(gate) == 0);
	for (int i = 0; i < N; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			close(gate[1]);
			_exit(read(gate[0], &c, 1) == 0 && keeper_connect() >= 0 ? 0 : 1);
		}
	}
	close(gate[0]);
	close(gate[1]);
	for (int i = 0; i < N; i++)
		CHECK(waitpid(pids[i], &status, 0) == pids[i] && status == 0);
	exactly_one();
}

/* Somebody was faster between the look and the lock. */
static void after_one_that_was_faster(void)
{
	CHECK(connect_in_child() == 0 && keeper_start(sys_monotonic_ms() + 60000) == 0);
	exactly_one();
}

static void after_one_that_died(void)
{
	int listener;

	CHECK(mkdir("/run/nsclone", 0700) == 0);
	listener = sys_listen(KEEPER_SOCKET, 1);
	CHECK(listener >= 0);
	close(listener);
	listener = sys_listen(NSCLONE_RUN_DIR "/keeper.new", 1);
	CHECK(listener >= 0);
	close(listener);
	CHECK(keeper_connect_only() == -ECONNREFUSED);
	CHECK(connect_in_child() == 0);
	exactly_one();
}

static pid_t who_holds_the_lock(void)
{
	int ready[2], fd;
	char c;
	pid_t pid;

	CHECK((mkdir("/run/nsclone", 0700) == 0 || errno == EEXIST) && pipe(ready) == 0);
	pid = fork();
	if (pid == 0) {
		fd = open("/run/nsclone/keeper.lock", O_RDWR | O_CREAT, 0600);
		_exit(flock(fd, LOCK_EX) == 0 && write(ready[1], "x", 1) == 1 ? raise(SIGSTOP) : 1);
	}
	CHECK(read(ready[0], &c, 1) == 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void locked_by_one_that_is_stopped(void)
{
	unsigned before;
	pid_t holder = who_holds_the_lock();

	before = count_fds();
	clock_is_ours = true;
	CHECK(keeper_connect() == -ETIMEDOUT);
	CHECK(shared->now_ms >= KEEPER_CALL_MS && shared->now_ms < KEEPER_CALL_MS + 100);
	clock_is_ours = false;
	CHECK(count_fds() == before && count_keepers() == 0);
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	CHECK(connect_in_child() == 0);
	exactly_one();
}

/* It was stopped after it had made the keeper. */
static void locked_but_there(void)
{
	int listener;

	who_holds_the_lock();
	listener = sys_listen(KEEPER_SOCKET, 8);
	CHECK(listener >= 0 && keeper_start(sys_monotonic_ms() + 60000) == 0 && count_keepers() == 0);
}

/* In a world that does not show the host's /run, as TemporaryFileSystem=/run makes it. */
static int start_where_run_is_hidden(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		CHECK(unshare(CLONE_NEWNS) == 0 && mount("hidden", "/run", "tmpfs", 0, "mode=755") == 0);
		CHECK(keeper_connect_only() == -ENOENT);
		status = keeper_start(sys_monotonic_ms() + 10000);
		CHECK(access("/run/nsclone", F_OK) < 0);
		_exit(-status);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void hidden(void)
{
	CHECK(start_where_run_is_hidden() == 0);
	exactly_one();
	CHECK(start_where_run_is_hidden() == 0);
	exactly_one();
}

static void one_that_runs(void **state)
{
	(void)state;
	hosted(twenty_at_once);
	hosted(after_one_that_was_faster);
	hosted(after_one_that_died);
	hosted(locked_by_one_that_is_stopped);
	hosted(locked_but_there);
	hosted(hidden);
}

static enum fault sweep_fault;
static int sweep_at, *sweep_calls;

static void one_fault(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		unsigned before = count_fds();
		int link;

		daemon_pid = getpid();
		fault = sweep_fault;
		fault_at = sweep_at;
		shared->calls = 0;
		link = keeper_connect();
		*sweep_calls = shared->calls;
		fault = NONE;
		if (link >= 0)
			close(link);
		_exit(count_fds() == before ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(connect_in_child() == 0);
	exactly_one();
}

static void whoever_starts_it_fails_or_is_killed(void **state)
{
	(void)state;
	sweep_calls = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (sweep_fault = FAILS; sweep_fault <= DIES; sweep_fault++) {
		sweep_at = 0;
		do {
			*sweep_calls = INT_MAX; /* of one that died */
			sweep_at++;
			hosted(one_fault);
		} while (*sweep_calls >= sweep_at);
		assert_true(sweep_at > 12);
	}
}

enum { IN_TIME = 100, LATE }; /* statuses of no failed CHECK */

/* By whoever it is started for, as long as it is not root's: then the lock is not taken yet. */
static void one_that_is_stopped(void)
{
	int64_t end;
	int r;
	pid_t pid = fork();

	if (pid == 0) {
		daemon_pid = getpid();
		fault = STOPS;
		fault_at = sweep_at;
		shared->calls = 0;
		end = sys_monotonic_ms() + 150;
		r = keeper_start(end);
		*sweep_calls = shared->calls;
		CHECK(r == 0 || (r == -ETIMEDOUT && sys_monotonic_ms() >= end));
		CHECK(sys_monotonic_ms() < end + 2000 && waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD);
		_exit(r == 0 ? IN_TIME : LATE);
	}
	CHECK(waitpid(pid, &r, 0) == pid && WIFEXITED(r) && (WEXITSTATUS(r) == IN_TIME || WEXITSTATUS(r) == LATE));
	CHECK(connect_in_child() == 0);
	exactly_one();
	_exit(WEXITSTATUS(r));
}

static int how_many_are_late(void)
{
	int late = 0, status;

	sweep_calls = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sweep_at = 0;
	the_case = one_that_is_stopped;
	do {
		pid_t pid;

		sweep_at++;
		fflush(NULL);
		pid = fork();
		if (pid == 0)
			on_a_host();
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_in_range(WEXITSTATUS(status), IN_TIME, LATE);
		late += WEXITSTATUS(status) == LATE;
	} while (*sweep_calls >= sweep_at);
	return late;
}

static void whoever_starts_it_is_stopped(void **state)
{
	(void)state;
	assert_true(how_many_are_late() > 8);
}

/* ---- None ---- */

static void refuses(int wanted)
{
	unsigned before = count_fds();

	CHECK(keeper_connect() == wanted);
	CHECK(count_fds() == before && count_keepers() == 0);
	CHECK(access(KEEPER_SOCKET, F_OK) < 0 && access("/run/nsclone/keeper.new", F_OK) < 0);
}

static void a_program_that_is_not_roots(void)
{
	CHECK(chown(PROGRAM, 20001, 0) == 0);
	refuses(-EPERM);
	CHECK(chown(PROGRAM, 0, 0) == 0 && chmod(PROGRAM, 0775) == 0);
	refuses(-EPERM);
	CHECK(chmod(PROGRAM, 0757) == 0);
	refuses(-EPERM);
	CHECK(unlink(PROGRAM) == 0);
	refuses(-ENOENT);
	CHECK(mkdir(PROGRAM, 0755) == 0);
	refuses(-EPERM);
	CHECK(rmdir(PROGRAM) == 0);
	copy_program();
	CHECK(connect_in_child() == 0);
	exactly_one();
}

static void where_systemd_runs(void)
{
	CHECK(mkdir("/run/systemd", 0755) == 0 && mkdir("/run/systemd/system", 0755) == 0);
	refuses(-ECONNREFUSED);
	CHECK(start_where_run_is_hidden() == -ECONNREFUSED);
	refuses(-ECONNREFUSED);
}

static void in_a_pid_namespace_of_ours(void)
{
	CHECK(prctl(PR_SET_NAME, "nsclone-init") == 0);
	refuses(-EPERM);
}

static void where_there_shall_be_none(void **state)
{
	(void)state;
	hosted(a_program_that_is_not_roots);
	hosted(where_systemd_runs);
	hosted(in_a_pid_namespace_of_ours);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_inherits),
		cmocka_unit_test(one_that_runs),
		cmocka_unit_test(whoever_starts_it_fails_or_is_killed),
		cmocka_unit_test(whoever_starts_it_is_stopped),
		cmocka_unit_test(where_there_shall_be_none),
	};

	if (argc > 0 && strcmp(argv[0], SPY) == 0)
		return spy();
	if (geteuid() != 0) {
		puts("SKIP test_keeper_start: needs root");
		return 0;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	shared->now_ms = 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
