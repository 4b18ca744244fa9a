// SPDX-License-Identifier: BSD-3-Clause
/*
 * activate SOCKET COMMAND...: as much of systemd as nsclone-keeper knows of it. Listens on SOCKET (SOCK_SEQPACKET), runs
 * COMMAND with that and what it has in store as sd_listen_fds(3) says, takes what sd_notify(3) brings, and runs it again
 * whenever it ends. Says "start PID", "ready", "store NAME" (for each descriptor), "remove NAME", "end".
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX = 1024, NAME = 64 };

struct kept {
	char name[NAME];
	int fd;
};

struct activate {
	struct kept kept[MAX];
	size_t n; /* the first is the socket that is listened on */
	int notify;
	char address[64];
};

static int bind_to(int type, const char *path, int abstract)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);

	if (abstract)
		address.sun_path[0] = '\0';
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, (socklen_t)(sizeof(address.sun_family) + (size_t)n)) < 0)
		err(1, "%s", path);
	return fd;
}

static void run(const struct activate *a, char **command)
{
	static char names[MAX * NAME];
	char number[16];
	size_t length = 0;

	for (size_t i = 0; i < a->n; i++) /* out of the way first */
		if (dup2(a->kept[i].fd, 2 * MAX + (int)i) < 0)
			err(1, "dup2");
	for (size_t i = 0; i < a->n; i++) {
		if (dup2(2 * MAX + (int)i, 3 + (int)i) < 0)
			err(1, "dup2");
		length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s", i ? ":" : "", a->kept[i].name);
	}
	for (int fd = 3 + (int)a->n; fd < 4 * MAX; fd++)
		close(fd);
	snprintf(number, sizeof(number), "%zu", a->n);
	setenv("LISTEN_FDS", number, 1);
	setenv("LISTEN_FDNAMES", names, 1);
	snprintf(number, sizeof(number), "%d", getpid());
	setenv("LISTEN_PID", number, 1);
	setenv("NOTIFY_SOCKET", a->address, 1);
	execvp(command[0], command);
	err(1, "%s", command[0]);
}

static void keep(struct activate *a, const char *name, int fd)
{
	if (a->n == MAX)
		errx(1, "the store is full");
	snprintf(a->kept[a->n].name, NAME, "%s", name);
	a->kept[a->n++].fd = fd;
	printf("store %s\n", name);
}

static void forget(struct activate *a, const char *name)
{
	size_t n = 1;

	for (size_t i = 1; i < a->n; i++) {
		if (strcmp(a->kept[i].name, name) == 0)
			close(a->kept[i].fd);
		else
			a->kept[n++] = a->kept[i];
	}
	a->n = n;
	printf("remove %s\n", name);
}

static void told(struct activate *a)
{
	char text[512], name[NAME] = "";
	union {
		struct cmsghdr header;
		char buffer[CMSG_SPACE(64 * sizeof(int))];
	} beside = {0};
	struct iovec part = {text, sizeof(text) - 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = beside.buffer,
				 .msg_controllen = sizeof(beside.buffer)};
	ssize_t n = recvmsg(a->notify, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&message);
	char *at;

	if (n < 0)
		return;
	text[n] = '\0';
	at = strstr(text, "FDNAME=");
	if (at)
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 7, "\n"), at + 7);
	if (strncmp(text, "READY=1", 7) == 0)
		puts("ready");
	if (strncmp(text, "FDSTOREREMOVE=1", 15) == 0)
		forget(a, name);
	if (!c || strncmp(text, "FDSTORE=1", 9) != 0)
		return;
	if (!strstr(text, "FDPOLL=0"))
		errx(1, "FDPOLL=0 is missing");
	for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
		keep(a, name, fd);
	}
}

static void once(struct activate *a, char **command)
{
	struct pollfd fds[2] = {{.fd = a->notify, .events = POLLIN}, {.events = POLLIN}};
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		run(a, command);
	printf("start %d\n", pid);
	fds[1].fd = (int)syscall(SYS_pidfd_open, pid, 0);
	do {
		fflush(stdout);
		poll(fds, 2, -1);
		if (fds[0].revents)
			told(a);
	} while (fds[0].revents || !fds[1].revents);
	waitpid(pid, NULL, 0);
	close(fds[1].fd);
	puts("end");
}

int main(int argc, char **argv)
{
	static struct activate a;

	if (argc < 3)
		return 2;
	snprintf(a.address, sizeof(a.address), "@activate.%d", getpid());
	a.notify = bind_to(SOCK_DGRAM, a.address, 1);
	a.kept[0].fd = bind_to(SOCK_SEQPACKET, argv[1], 0);
	a.n = 1;
	snprintf(a.kept[0].name, NAME, "keeper");
	if (listen(a.kept[0].fd, 64) < 0)
		err(1, "listen");
	for (;;)
		once(&a, argv + 2);
}
