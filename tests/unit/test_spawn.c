// SPDX-License-Identifier: BSD-3-Clause
/*
 * keeper/spawn.c with real children: what they inherit (nothing), what they become, and that a system call that fails,
 * on either side of the clone, leaves neither a descriptor nor a process behind.
 */
/* WRAP: child_find sys_socketpair nsclone_clone nsclone_ns_open sys_setsid sys_chdir sys_hand_down_fd sys_duplicate_from sys_close_from sys_open sys_exec sys_open_terminal */
#include "tests/unit/test_faults_by_name.h"

#include <sys/ioctl.h>
#include "keeper/spawn.h"
#include "lib/core/sys_child.h"
#include "lib/core/sys_socket.h"
#include "lib/session/child_program.h"

/* ---- Faults: the nth call of a name fails, in the parent or in the copy of it that the child is ----------------- */

STAND_IN(sys_socketpair) STAND_IN(nsclone_clone) STAND_IN(nsclone_ns_open) STAND_IN(sys_setsid) STAND_IN(sys_chdir)
STAND_IN(sys_hand_down_fd) STAND_IN(sys_duplicate_from) STAND_IN(sys_close_from) STAND_IN(sys_open) STAND_IN(sys_exec)
STAND_IN(sys_open_terminal)

static const char *program_directory;

int __wrap_child_find(const char *name, const char *directory, char *buffer, size_t size);
int __wrap_child_find(const char *name, const char *directory, char *buffer, size_t size)
{
	if (faulty("child_find"))
		return -ENAMETOOLONG;
	assert_true(directory[0] == '/');
	snprintf(buffer, size, "%s/%s", program_directory, name);
	return 0;
}

/* ---- Looking -------------------------------------------------------------------------------------------------- */

static void read_file(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0, r;

	CHECK(fd >= 0);
	while ((r = read(fd, buffer + n, size - 1 - (size_t)n)) > 0)
		n += r;
	CHECK(r == 0);
	buffer[n] = '\0';
	close(fd);
}

static const char *status_line(pid_t pid, const char *key)
{
	static char buffer[8192], value[128];
	char path[64];
	const char *line;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	read_file(path, buffer, sizeof(buffer));
	line = strstr(buffer, key);
	CHECK(line);
	CHECK(sscanf(line + strlen(key), ": %127[^\n]", value) == 1);
	return value;
}

static uint64_t inode(int fd)
{
	struct stat st;

	CHECK(fstat(fd, &st) == 0);
	return st.st_ino;
}

static int wait_readable(int fd)
{
	return sys_wait_readable(fd, 10000);
}

static int reap(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, __WALL) == pid);
	return status;
}

static void no_children(void)
{
	int status;

	while (waitpid(-1, &status, __WALL) > 0)
		;
	CHECK(errno == ECHILD);
}

static void needs_pid_namespaces(void)
{
	leave(CLONE_NEWNS);
}

static struct spawned_init start(unsigned flags, int *proc)
{
	struct spawned_init init;

	CHECK(spawn_init(flags, &init) == 0);
	CHECK(wait_readable(init.socket) == 1);
	CHECK(spawn_init_receive(&init, proc) == 0);
	return init;
}

static void end(struct spawned_init *init)
{
	CHECK(kill(init->pid, SIGKILL) == 0);
	CHECK(wait_readable(init->socket) == 1);
	CHECK(WTERMSIG(reap(init->pid)) == SIGKILL);
	close(init->pidfd);
	close(init->socket);
	close(init->pid_ns);
}

/* ---- The init ------------------------------------------------------------------------------------------------- */

static void init_is_made(void)
{
	unsigned before;
	int proc, fd;
	struct spawned_init init;
	char path[64], comm[32];

	needs_pid_namespaces();
	before = count_fds();
	init = start(0, &proc);
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", init.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(inode(fd) == inode(init.pid_ns));
	close(fd);
	fd = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	CHECK(inode(fd) != inode(init.pid_ns));
	close(fd);
	fd = openat(proc, "1/comm", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && read(fd, comm, sizeof(comm)) == 13 && memcmp(comm, "nsclone-init\n", 13) == 0);
	close(fd);
	CHECK(faccessat(proc, "2", F_OK, 0) < 0);
	CHECK(fcntl(proc, F_GETFD) & FD_CLOEXEC && fcntl(init.pidfd, F_GETFD) & FD_CLOEXEC &&
	      fcntl(init.socket, F_GETFD) & FD_CLOEXEC && fcntl(init.pid_ns, F_GETFD) & FD_CLOEXEC);
	close(proc);
	end(&init);
	CHECK(count_fds() == before);
}

static unsigned count_open(pid_t pid)
{
	char path[64], target[64];
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		n += readlink(path, target, sizeof(target)) > 0;
	}
	return n;
}

/* Everything that a keeper could have and a child must not. */
static void dirty(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	umask(077);
	CHECK(chdir("/usr") == 0);
	setenv("SECRET", "1", 1);
	for (int i = 0; i < 20; i++)
		CHECK(dup(1) >= 0); /* without close-on-exec */
}

static void init_inherits_nothing(void)
{
	char path[64], buffer[4096];
	int proc;
	struct spawned_init init;

	needs_pid_namespaces();
	dirty();
	init = start(KEEPER_SUBSET_PID, &proc);
	while (count_open(init.pid) > 1) /* it closes the rest after the procfs has come */
		usleep(1000);
	CHECK(count_open(init.pid) == 1);
	CHECK(strcmp(status_line(init.pid, "\nSigIgn"), "0000000000010000") == 0); /* SIGCHLD */
	CHECK(strcmp(status_line(init.pid, "\nSigBlk"), "0000000000000000") == 0);
#ifndef __SANITIZE_ADDRESS__ /* which has handlers of its own */
	CHECK(strcmp(status_line(init.pid, "\nSigCgt"), "0000000000000000") == 0);
#endif
	CHECK(strcmp(status_line(init.pid, "\nUmask"), "0022") == 0);
	CHECK(strcmp(status_line(init.pid, "\nNSsid"), "") != 0);
	CHECK(getsid(init.pid) == init.pid);
	snprintf(path, sizeof(path), "/proc/%d/environ", init.pid);
	read_file(path, buffer, sizeof(buffer));
	CHECK(strncmp(buffer, "PATH=", 5) == 0 && !strstr(buffer, "SECRET"));
	snprintf(path, sizeof(path), "/proc/%d/cwd", init.pid);
	CHECK(readlink(path, buffer, sizeof(buffer)) == 1 && buffer[0] == '/');
	close(proc);
	end(&init);
}

static void init_has_no_rights(void)
{
	static const char *const sets[] = {"\nCapInh", "\nCapPrm", "\nCapEff", "\nCapBnd", "\nCapAmb"};
	int proc;
	struct spawned_init init;

	needs_pid_namespaces();
	if (geteuid() == 0 && (!getenv("NSC_WORLD") || strcmp(getenv("NSC_WORLD"), "one") != 0)) /* as a keeper of su(1)'s */
		CHECK(setresuid(20001, 0, 0) == 0);
	init = start(0, &proc);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		CHECK(strcmp(status_line(init.pid, sets[i]), "0000000000000000") == 0);
	CHECK(strcmp(status_line(init.pid, "\nNoNewPrivs"), "1") == 0);
	CHECK(strcmp(status_line(init.pid, "\nUid"), "0\t0\t0\t0") == 0);
	close(proc);
	end(&init);
}

/* Before exec its exit signal is none, afterwards SIGCHLD: __WALL finds it either way. */
static void init_is_reaped(void)
{
	int proc, status;
	struct spawned_init init;

	needs_pid_namespaces();
	init = start(0, &proc);
	CHECK(waitpid(-1, &status, WNOHANG | __WALL) == 0);
	CHECK(kill(init.pid, SIGKILL) == 0);
	CHECK(wait_readable(init.pidfd) == 1);
	CHECK(waitpid(-1, &status, WNOHANG | __WALL) == init.pid);
	no_children();
}

static void options_of(int proc, char *line, size_t size)
{
	char buffer[32768], *at;
	int target = open("/mnt", O_PATH | O_DIRECTORY | O_CLOEXEC);

	CHECK(nsclone_mount_all_slave() == 0);
	CHECK(nsclone_mount_attach(proc, target) == 0);
	read_file("/proc/self/mountinfo", buffer, sizeof(buffer));
	at = strstr(buffer, " /mnt ");
	CHECK(at);
	snprintf(line, size, "%.*s", (int)strcspn(at, "\n"), at);
	close(target);
	CHECK(nsclone_mount_detach(proc) == 0);
	close(proc);
}

static void procfs_has_options(void)
{
	static const struct {
		unsigned flags;
		const char *words[2];
	} table[] = {
		{KEEPER_HIDEPID_INVISIBLE | KEEPER_SUBSET_PID | KEEPER_ALONE, {"hidepid=invisible", "subset=pid"}},
		{KEEPER_HIDEPID_NOACCESS, {"hidepid=noaccess", "nosuid,nodev,noexec"}},
		{KEEPER_HIDEPID_PTRACEABLE, {"hidepid=ptraceable", "proc"}},
	};
	char line[512];
	int proc;

	needs_pid_namespaces();
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct spawned_init init = start(table[i].flags, &proc);

		options_of(proc, line, sizeof(line));
		CHECK(strstr(line, table[i].words[0]) && strstr(line, table[i].words[1]));
		end(&init);
	}
}

static void init_without_options(void)
{
	struct spawned_init init = {.pid = 77};
	unsigned before = count_fds();

	CHECK(spawn_init(KEEPER_HIDEPID_INVISIBLE | KEEPER_HIDEPID_NOACCESS, &init) == -EINVAL);
	CHECK(init.pid == 77 && count_fds() == before);
}

static void init_that_dies_early(void)
{
	struct spawned_init init;
	int proc = -7;

	needs_pid_namespaces();
	program_directory = "/nonexistent";
	CHECK(spawn_init(0, &init) == 0);
	CHECK(wait_readable(init.socket) == 1);
	CHECK(spawn_init_receive(&init, &proc) == -EPIPE && proc == -7);
	CHECK(WEXITSTATUS(reap(init.pid)) == CHILD_NOT_STARTED);
}

/* As an old kernel and as a seccomp filter of one answer. */
static void without_close_range(void)
{
	int proc;
	struct spawned_init init;

	needs_pid_namespaces();
	dirty();
	forbid(436, ENOSYS);
	init = start(0, &proc);
	while (count_open(init.pid) > 1)
		usleep(1000);
	CHECK(count_open(init.pid) == 1);
	end(&init);
}

/* Whatever of what init itself needs is refused: it ends, and hands nothing out. */
static void init_that_is_refused(void)
{
	static const long numbers[] = {SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_setresuid, SYS_setresgid, SYS_capset, SYS_sendmsg};

	needs_pid_namespaces();
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			struct spawned_init init;
			int proc;

			forbid(numbers[i], EACCES);
			CHECK(spawn_init(0, &init) == 0);
			CHECK(wait_readable(init.socket) == 1);
			CHECK(spawn_init_receive(&init, &proc) == -EPIPE);
			CHECK(WEXITSTATUS(reap(init.pid)) == 1);
			_exit(0);
		}
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	}
}

static void faults_before_clone(void)
{
	static const char *const names[] = {"sys_socketpair", "child_find", "nsclone_clone", "nsclone_ns_open"};
	struct spawned_init init = {.pid = 77};
	unsigned before;

	needs_pid_namespaces();
	before = count_fds();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		arm(names[i], 0);
		CHECK(spawn_init(0, &init) < 0);
		CHECK(countdown == -1);
		CHECK(init.pid == 77 && count_fds() == before);
		no_children();
	}
}

static void faults_in_child(void)
{
	static const struct {
		const char *name;
		int times;
	} table[] = {{"sys_setsid", 1},	       {"sys_chdir", 1}, {"sys_duplicate_from", 1}, {"sys_hand_down_fd", 4},
		     {"sys_close_from", 1}, {"sys_open", 1},	 {"sys_exec", 1}};
	struct spawned_init init;
	int proc;

	needs_pid_namespaces();
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (int nth = 0; nth < table[i].times; nth++) {
			arm(table[i].name, nth);
			fault_process = 1; /* the copy of this program that the init is */
			CHECK(spawn_init(0, &init) == 0);
			CHECK(wait_readable(init.socket) == 1);
			CHECK(spawn_init_receive(&init, &proc) == -EPIPE);
			CHECK(WEXITSTATUS(reap(init.pid)) == CHILD_NOT_STARTED);
		}
}

/* Only nsclone-init sends, but what it may be one day should not become a hole. */
static void odd_messages(void)
{
	int pair[2], fds[2], proc = -7;
	struct spawned_init init = {0};
	unsigned before;

	CHECK(sys_socketpair(pair) == 0);
	init.socket = pair[0];
	CHECK(spawn_init_receive(&init, &proc) == -EAGAIN);
	fds[0] = open("/", O_PATH | O_CLOEXEC);
	fds[1] = open("/proc", O_PATH | O_CLOEXEC);
	before = count_fds();
	CHECK(sys_send(pair[1], "", 1, fds, 0) == 0 && spawn_init_receive(&init, &proc) == -EBADMSG);
	CHECK(sys_send(pair[1], "", 1, fds, 1) == 0 && spawn_init_receive(&init, &proc) == -EBADMSG);
	CHECK(sys_send(pair[1], "", 1, fds, 2) == 0 && spawn_init_receive(&init, &proc) == -EBADMSG);
	CHECK(sys_send(pair[1], "long", 4, fds + 1, 1) == 0 && spawn_init_receive(&init, &proc) == -EMSGSIZE);
	CHECK(proc == -7 && count_fds() == before);
	CHECK(sys_send(pair[1], "", 1, fds + 1, 1) == 0 && spawn_init_receive(&init, &proc) == 0);
	close(pair[1]);
	CHECK(spawn_init_receive(&init, &proc) == -EPIPE);
}

/* ---- The host shell ------------------------------------------------------------------------------------------- */

static int words_fd(const char *words, size_t size)
{
	int fd = memfd_create("words", MFD_CLOEXEC);

	CHECK(fd >= 0 && write(fd, words, size) == (ssize_t)size);
	return fd;
}

struct said {
	char text[16384];
	int status;
};

/* What it writes on its terminal, until it ends. type: what is typed in. */
static void shell(const int *host, uid_t uid, int words, const char *type, struct said *ret)
{
	int master, pidfd, none[KEEPER_N_NS];
	size_t n = 0;
	ssize_t r;
	pid_t pid;

	for (int i = 0; i < KEEPER_N_NS; i++)
		none[i] = -1;
	CHECK(spawn_shell(host ? host : none, uid, "vt100", words, &master, &pid, &pidfd) == 0);
	CHECK(ioctl(master, TIOCSWINSZ, &(struct winsize){.ws_row = 24, .ws_col = 80}) == 0); /* what it waits for */
	CHECK(write(master, type, strlen(type)) == (ssize_t)strlen(type));
	while (wait_readable(master) == 1 && (r = read(master, ret->text + n, sizeof(ret->text) - 1 - n)) > 0)
		n += (size_t)r;
	ret->text[n] = '\0';
	CHECK(wait_readable(pidfd) == 1);
	ret->status = reap(pid);
	close(master);
	close(pidfd);
}

#define SCRIPT(text) "sh\0-c\0" text
#define RUN(uid, text, said) shell(NULL, uid, words_fd(SCRIPT(text), sizeof(SCRIPT(text))), "", said)

static void shell_runs_words(void)
{
	struct said said;

	dirty();
	RUN(0, "echo $HOME,$USER,$LOGNAME,$SHELL,$TERM,$SECRET.; tty; umask; pwd; ls -1 /proc/self/fd; exit 7", &said);
	CHECK(WEXITSTATUS(said.status) == 7);
	CHECK(strstr(said.text, "/root,root,root,/bin/bash,vt100,.\r\n/dev/pts/"));
	CHECK(strstr(said.text, "\r\n0022\r\n/root\r\n0\r\n1\r\n2\r\n3\r\n") && !strstr(said.text, "\r\n4\r\n"));
}

static void shell_is_the_users(void)
{
	struct said said;

	if (geteuid() != 0 || access("/home/alice", F_OK) < 0)
		SKIP_CHILD();
	RUN(20001, "id; pwd; stat -c %u $(tty); grep Cap /proc/self/status; echo x >/dev/tty", &said);
	CHECK(said.status == 0);
	CHECK(strstr(said.text, "uid=20001(alice) gid=20001(alice) groups=20001(alice),20050(nscstaff)\r\n/home/alice\r\n20001\r\n"));
	CHECK(strstr(said.text, "CapPrm:\t0000000000000000\r\nCapEff:\t0000000000000000\r\n"));
	CHECK(strstr(said.text, "x\r\n"));
}

static void shell_is_a_login_shell(void)
{
	struct said said;

	shell(NULL, 0, -1, "echo zero=$0; ps -o tpgid= -p $$; exit 9\r", &said);
	CHECK(WEXITSTATUS(said.status) == 9);
	CHECK(strstr(said.text, "zero=-bash\r\n"));
	CHECK(!strstr(said.text, "no job control"));
}

static void shell_of_nobody(void)
{
	struct said said;

	shell(NULL, 4242424, -1, "", &said);
	CHECK(WEXITSTATUS(said.status) == 126);
	CHECK(strstr(said.text, "nsclone: cannot find out who the user is: No such file"));
}

static void shell_with_odd_words(void)
{
	struct said said;

	shell(NULL, 0, words_fd("ls", 2), "", &said);
	CHECK(WEXITSTATUS(said.status) == 126 && strstr(said.text, "cannot read the command"));
	shell(NULL, 0, words_fd("", 0), "", &said);
	CHECK(WEXITSTATUS(said.status) == 126);
	shell(NULL, 0, words_fd("", 1), "", &said);
	CHECK(WEXITSTATUS(said.status) == 126);
	shell(NULL, 0, words_fd("/nonexistent", 13), "", &said);
	CHECK(WEXITSTATUS(said.status) == 127 && strstr(said.text, "/nonexistent: No such file"));
}

/* From a process that is elsewhere, to the namespaces that it is given. */
static void shell_enters_the_host(void)
{
	int host[KEEPER_N_NS];
	static const int types[] = {CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWNET, CLONE_NEWPID, CLONE_NEWCGROUP,
				    CLONE_NEWUSER};
	struct said said;
	char wanted[512] = "";

	for (int i = 0; i < KEEPER_N_NS; i++) {
		host[i] = nsclone_ns_open_self(types[i]);
		if (i != KEEPER_NS_PID && i != KEEPER_NS_USER)
			snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), "%s:[%llu]\r\n",
				 nsclone_ns_name(types[i]), (unsigned long long)inode(host[i]));
	}
	if (geteuid() != 0 || unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP) < 0)
		SKIP_CHILD();
	shell(host, 0, words_fd(SCRIPT("cd /proc/self/ns; readlink mnt ipc uts net cgroup"),
				sizeof(SCRIPT("cd /proc/self/ns; readlink mnt ipc uts net cgroup"))), "", &said);
	CHECK(said.status == 0);
	CHECK(strcmp(said.text, wanted) == 0);
}

static void shell_faults(void)
{
	static const char *const names[] = {"sys_open_terminal", "nsclone_clone"};
	int host[KEEPER_N_NS], master = -7, pidfd = -7;
	unsigned before = count_fds();
	pid_t pid = -7;

	memset(host, 0xff, sizeof(host));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		arm(names[i], 0);
		CHECK(spawn_shell(host, 0, "vt100", -1, &master, &pid, &pidfd) == -EMFILE);
		CHECK(countdown == -1 && master == -7 && pid == -7 && pidfd == -7 && count_fds() == before);
	}
}

static void terms(void)
{
	static const char *const bad[] = {"", "../../x", "a b", "x\n", "$(id)", ".x"};
	struct said said;
	int none[KEEPER_N_NS];

	memset(none, 0xff, sizeof(none));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int master, pidfd;
		pid_t pid;
		ssize_t n;

		CHECK(spawn_shell(none, 0, bad[i], words_fd(SCRIPT("echo $TERM"), sizeof(SCRIPT("echo $TERM"))), &master, &pid,
				  &pidfd) == 0);
		n = wait_readable(master) == 1 ? read(master, said.text, sizeof(said.text) - 1) : -1;
		CHECK(n == 6 && memcmp(said.text, "dumb\r\n", 6) == 0);
		reap(pid);
	}
}

/* ---- clean ---------------------------------------------------------------------------------------------------- */

static void clean_is_run(void)
{
	char directory[] = "/tmp/test_spawn.XXXXXX", path[64], out[4096];
	int pidfd;
	pid_t pid;

	CHECK(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/nsclone", directory);
	put(path, "#!/bin/sh\nexec >${0%/*}/out\necho $# $1 $2 $3 $(pwd)\nenv\nls /proc/self/fd\n");
	CHECK(chmod(path, 0755) == 0);
	program_directory = directory;
	dirty();
	CHECK(spawn_clean("0123-ab.c_d", &pid, &pidfd) == 0);
	CHECK(wait_readable(pidfd) == 1 && reap(pid) == 0);
	snprintf(path, sizeof(path), "%s/out", directory);
	read_file(path, out, sizeof(out));
	CHECK(strncmp(out, "3 clean --record 0123-ab.c_d /\n", 31) == 0);
	CHECK(strstr(out, "PATH=") && !strstr(out, "SECRET") && strstr(out, "\n0\n1\n2\n3\n") && !strstr(out, "\n4\n"));
	unlink(path);
	snprintf(path, sizeof(path), "%s/nsclone", directory);
	unlink(path);
	rmdir(directory);
}

static void clean_of_what_is_no_record(void)
{
	static const char *const bad[] = {"", "-x", "--help", ".", "..", ".x", "a/b", "../x", "a b", "a\n", "\xc3\xa4"};
	int pidfd = -7;
	pid_t pid = -7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(spawn_clean(bad[i], &pid, &pidfd) == -EINVAL && pid == -7 && pidfd == -7);
	arm("nsclone_clone", 0);
	CHECK(spawn_clean("a", &pid, &pidfd) == -EMFILE && pid == -7);
	no_children();
}

#define TESTS(X)                                                                                                       \
	X(init_is_made) X(init_inherits_nothing) X(init_has_no_rights) X(init_is_reaped) X(procfs_has_options)    \
	X(init_without_options) X(init_that_dies_early) X(without_close_range) X(init_that_is_refused)                 \
	X(faults_before_clone) X(faults_in_child) X(odd_messages) X(shell_runs_words) X(shell_is_the_users)            \
	X(shell_is_a_login_shell) X(shell_of_nobody) X(shell_with_odd_words) X(shell_enters_the_host) X(shell_faults)  \
	X(terms) X(clean_is_run) X(clean_of_what_is_no_record)
#define ENTRY(name) cmocka_unit_test(test_##name),

TESTS(IN_CHILD)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {TESTS(ENTRY)};

	if (argc > 1 && strcmp(argv[1], SPAWN_SHELL_OPTION) == 0)
		return spawn_shell_main(argc, argv);
	program_directory = getenv("B");
	fault_answer = -EMFILE;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
