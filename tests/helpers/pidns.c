// SPDX-License-Identifier: BSD-3-Clause
/*
 * pidns [OPTION...] INIT [WORD...] -- COMMAND...: what the keeper and a login do with nsclone-init, and then what somebody
 * in there might do to it. Makes a PID namespace with INIT as its process 1, takes its procfs, and runs COMMAND in there
 * with that as /proc. Prints "init PID", and in the end "init alive" or "init ended STATUS".
 *
 *   --noise       the keeper's end sends what no keeper would
 *   --hangup S    the keeper's end is closed before COMMAND; in the end wait S seconds at most for init's own end
 *
 * pidns --poke PID: everything that only those may who may ptrace(2): "ptrace EPERM", ...
 * pidns --orphans N: N children that lose their parent and end, of all exit signals
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

struct options {
	bool noise;
	int hangup;
};

static int die(const char *what)
{
	perror(what);
	exit(1);
}

static int receive(int fd)
{
	union {
		struct cmsghdr header;
		char buffer[CMSG_SPACE(sizeof(int))];
	} beside = {0};
	char byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = beside.buffer,
				 .msg_controllen = sizeof(beside.buffer)};
	int received = -1;

	if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&message)) {
		puts("init sent nothing");
		exit(1);
	}
	memcpy(&received, CMSG_DATA(&beside.header), sizeof(int));
	return received;
}

static void make_noise(int fd)
{
	union {
		struct cmsghdr header;
		char buffer[CMSG_SPACE(sizeof(int))];
	} beside = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	char bytes[500] = "noise";
	struct iovec part = {bytes, sizeof(bytes)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = beside.buffer,
				 .msg_controllen = sizeof(beside.buffer)};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	memcpy(CMSG_DATA(&beside.header), &null, sizeof(int));
	for (int i = 0; i < 1000; i++) {
		part.iov_len = (size_t)(i % 3) * 200 + 1;
		if (sendmsg(fd, &message, MSG_NOSIGNAL) < 0 || send(fd, bytes, 1, MSG_NOSIGNAL) < 0)
			die("send");
	}
}

static pid_t start_init(int socket, char **argv)
{
	pid_t pid;

	if (unshare(CLONE_NEWPID) < 0)
		die("unshare");
	pid = fork();
	if (pid != 0)
		return pid;
	dup2(socket, 3);
	execv(argv[0], argv);
	die(argv[0]);
	return 0;
}

/* In the PID namespace: our children are. */
static pid_t start_command(int proc, char **argv)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		die("unshare");
	if (syscall(SYS_move_mount, proc, "", AT_FDCWD, "/proc", 4 /* F_EMPTY_PATH */) < 0)
		die("move_mount");
	execvp(argv[0], argv);
	die(argv[0]);
	return 0;
}

static void tell_init(pid_t pid, int seconds)
{
	int status = 0;
	pid_t r = 0;

	for (int i = 0; i <= seconds * 20 && r == 0; i++) {
		if (i)
			usleep(50000);
		r = waitpid(pid, &status, WNOHANG);
	}
	if (r == 0)
		puts("init alive");
	else if (WIFSIGNALED(status))
		printf("init ended by signal %d\n", WTERMSIG(status));
	else
		printf("init ended %d\n", WEXITSTATUS(status));
	kill(pid, SIGKILL);
}

static int run(const struct options *options, char **init, char **command)
{
	int pair[2], proc;
	pid_t pid, inside;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		die("socketpair");
	pid = start_init(pair[1], init);
	close(pair[1]);
	printf("init %d\n", pid);
	fflush(stdout);
	proc = receive(pair[0]);
	if (options->noise)
		make_noise(pair[0]);
	if (options->hangup)
		close(pair[0]);
	inside = start_command(proc, command);
	close(proc);
	while (waitpid(inside, NULL, 0) < 0 && errno == EINTR)
		;
	tell_init(pid, options->hangup);
	return 0;
}

static void say(const char *what, long r)
{
	printf("%s %s\n", what, r >= 0 ? "DONE" : errno == EPERM ? "EPERM" : errno == EACCES ? "EACCES" : strerror(errno));
}

static int poke(pid_t pid)
{
	char bytes[16] = "";
	struct iovec here = {bytes, 8}, there = {(void *)0x400000, 8};
	struct rlimit none = {0, 0};
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	say("ptrace", ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	say("attach", ptrace(PTRACE_ATTACH, pid, NULL, NULL));
	say("readv", process_vm_readv(pid, &here, 1, &there, 1, 0));
	say("writev", process_vm_writev(pid, &here, 1, &there, 1, 0));
	say("getfd", syscall(SYS_pidfd_getfd, pidfd, 3, 0));
	say("prlimit", prlimit(pid, RLIMIT_CPU, &none, NULL));
	say("kcmp", syscall(SYS_kcmp, getpid(), pid, KCMP_FILES, 0, 0));
	return 0;
}

static int orphans(int n)
{
	for (int i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			int signals[] = {SIGCHLD, 0, SIGUSR1};

			if (syscall(SYS_clone, signals[i % 3], 0, 0, 0, 0) == 0)
				usleep(20000);
			_exit(0);
		}
		if (pid < 0)
			die("fork");
		waitpid(pid, NULL, 0);
	}
	usleep(200000);
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = {0};
	char **init = argv + 1, **command;

	if (argc == 3 && strcmp(argv[1], "--poke") == 0)
		return poke((pid_t)atoi(argv[2]));
	if (argc == 3 && strcmp(argv[1], "--orphans") == 0)
		return orphans(atoi(argv[2]));
	for (; *init && **init == '-'; init++) {
		if (strcmp(*init, "--noise") == 0)
			options.noise = true;
		else if (strcmp(*init, "--hangup") == 0 && init[1])
			options.hangup = atoi(*++init);
	}
	for (command = init; *command && strcmp(*command, "--") != 0; command++)
		;
	if (!*command || command == init || !command[1])
		return 2;
	*command++ = NULL;
	return run(&options, init, command);
}
