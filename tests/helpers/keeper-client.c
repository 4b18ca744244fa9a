/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * keeper-client WORD...: a client of the keeper that says what it is told, right or wrong. It shares no code with the
 * product but the protocol's header. One connection (or as many as `connect` says), the words in their order:
 *
 *   GET HOST LIST PUT ...   send that request, as the assignments before it say, and print what is answered
 *   send:NAME               send only
 *   recv                    print one answer ("timeout" after 3 seconds, "closed")
 *   uid=N key=C id=N world=HEX flags=WORD,... record=NAME rules=TEXT user=TEXT text=TEXT service=TEXT tty=TEXT
 *   pidfd=N                 sent beside the next request: of process N (0: this one)
 *   unshare=mnt,ipc         new namespaces for this process; sent beside the next PUT
 *   file=TYPE:PATH          sent beside the next request as TYPE (mnt, ..., pidfd, marker, proc, arguments)
 *   arguments=WORDS         sent beside the next request: a memfd of them
 *   join                    setns(2) to what came last
 *   size=N version=N magic=N n_fds=N type=N   of the packets to come
 *   connect                 another connection; close: of the last
 *   repeat:N:NAME           send N times, print how many were taken
 *   sleep=MS  run=COMMAND (sh -c, waited for)  spawn=COMMAND (not waited for)  say=TEXT  hold (for ever)
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/session/keeper.h"

enum { MANY = 64, PATIENCE_MS = 3000 };

struct name {
	const char *name;
	int value;
};

static const struct name TYPES[] = {
	{"GET", KEEPER_GET},	   {"PIDS", KEEPER_PIDS},     {"PUT", KEEPER_PUT},	 {"DROP", KEEPER_DROP},
	{"LEAVE", KEEPER_LEAVE},   {"HOST", KEEPER_HOST},     {"LIST", KEEPER_LIST},	 {"TAKE", KEEPER_TAKE},
	{"END", KEEPER_END},	   {"SHELL", KEEPER_SHELL},   {"HELD", KEEPER_HELD},	 {"BUILD", KEEPER_BUILD},
	{"WAIT", KEEPER_WAIT},	   {"STORED", KEEPER_STORED}, {"WORLD", KEEPER_WORLD},	 {"SESSION", KEEPER_SESSION},
	{"DONE", KEEPER_DONE},	   {"EXITED", KEEPER_EXITED}, {"FAILED", KEEPER_FAILED},
};

static const struct name FLAGS[] = {
	{"alone", KEEPER_ALONE}, {"kill", KEEPER_KILL_ON_LOGOUT}, {"inside", KEEPER_INSIDE},
	{"subset", KEEPER_SUBSET_PID}, {"invisible", KEEPER_HIDEPID_INVISIBLE}, {"ending", KEEPER_ENDING}, {"pids", KEEPER_PIDS_INSIDE},
};

static const struct name KINDS[] = {
	{"mnt", CLONE_NEWNS}, {"ipc", CLONE_NEWIPC}, {"uts", CLONE_NEWUTS}, {"net", CLONE_NEWNET},
	{"pid", CLONE_NEWPID}, {"cgroup", CLONE_NEWCGROUP}, {"user", CLONE_NEWUSER}, {"pidfd", KEEPER_FD_PIDFD},
	{"marker", KEEPER_FD_MARKER}, {"proc", KEEPER_FD_PROC},
	{"terminal", KEEPER_FD_TERMINAL}, {"arguments", KEEPER_FD_ARGUMENTS},
};

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

struct client {
	int links[MANY];
	size_t n_links;
	struct keeper_message message; /* to be sent */
	struct keeper_message answer;
	int fds[MANY];                 /* to be sent */
	int came[MANY];
	size_t n_came;
	size_t size;
	int n_fds;                     /* -1: as many as there are */
	int type;                      /* -1: as named */
};

static void die(const char *what)
{
	err(1, "%s", what);
}

static int value_of(const struct name *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i].name, name))
			return names[i].value;
	return -1;
}

static const char *name_of(const struct name *names, size_t n, int value)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].value == value)
			return names[i].name;
	return "?";
}

#define VALUE(names, name) value_of(names, LENGTH(names), name)
#define NAME(names, value) name_of(names, LENGTH(names), value)

static void add(struct client *c, int kind, int fd)
{
	if (fd < 0)
		die("descriptor");
	if (c->message.n_fds < KEEPER_MAX_FDS)
		c->message.fds[c->message.n_fds] = (uint32_t)kind;
	c->fds[c->message.n_fds++] = fd;
}

static void connect_one(struct client *c)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = KEEPER_SOCKET};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("connect");
	c->links[c->n_links++ % MANY] = fd;
}

static int link_of(const struct client *c)
{
	return c->links[(c->n_links - 1) % MANY];
}

static void forget_fds(struct client *c)
{
	for (uint32_t i = 0; i < c->message.n_fds; i++)
		close(c->fds[i]);
	c->message.n_fds = 0;
}

static int send_one(struct client *c, int type)
{
	union {
		struct cmsghdr header;
		char buffer[CMSG_SPACE(MANY * sizeof(int))];
	} beside = {0};
	char packet[8192] = {0};
	struct iovec part = {packet, c->size};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	struct keeper_message m = c->message;
	size_t n = m.n_fds;

	m.type = (uint16_t)(c->type >= 0 ? c->type : type);
	if (c->n_fds >= 0)
		m.n_fds = (uint32_t)c->n_fds;
	memcpy(packet, &m, sizeof(m));
	if (n) {
		header.msg_control = beside.buffer;
		header.msg_controllen = CMSG_SPACE(n * sizeof(int));
		beside.header = (struct cmsghdr){
			.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(n * sizeof(int)),
		};
		memcpy(CMSG_DATA(&beside.header), c->fds, n * sizeof(int));
	}
	return sendmsg(link_of(c), &header, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void show(const struct client *c)
{
	const struct keeper_message *a = &c->answer;

	printf("%s", NAME(TYPES, a->type));
	if (a->type == KEEPER_FAILED)
		printf(" %s: %s", strerrorname_np(a->error), a->text);
	if (a->type == KEEPER_EXITED)
		printf(" %d", WIFEXITED(a->error) ? WEXITSTATUS(a->error) : -WTERMSIG(a->error));
	if (a->type == KEEPER_HELD || a->type == KEEPER_WORLD || (a->flags & KEEPER_INSIDE))
		printf(" world=%llx uid=%u user=%s rules=%s record=%s", (unsigned long long)a->world, a->uid, a->user,
		       a->rules, a->record);
	if (a->type == KEEPER_SESSION)
		printf(" id=%llu pid=%d service=%s tty=%s rhost=%s", (unsigned long long)a->session.id, a->session.pid,
		       a->session.service, a->session.tty, a->session.rhost);
	for (size_t i = 0; i < LENGTH(FLAGS); i++)
		if (a->flags & (uint32_t)FLAGS[i].value)
			printf(" %s", FLAGS[i].name);
	for (size_t i = 0; i < c->n_came; i++) {
		char path[64], target[128] = "";

		snprintf(path, sizeof(path), "/proc/self/fd/%d", c->came[i]);
		if (readlink(path, target, sizeof(target) - 1) < 0)
			die(path);
		printf(" %s=%s", NAME(KINDS, (int)a->fds[i]), target);
	}
	printf("\n");
}

static void forget_came(struct client *c)
{
	while (c->n_came > 0)
		close(c->came[--c->n_came]);
}

static bool receive(struct client *c)
{
	union {
		struct cmsghdr header;
		char buffer[CMSG_SPACE(MANY * sizeof(int))];
	} beside = {0};
	struct iovec part = {&c->answer, sizeof(c->answer)};
	struct msghdr header = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = beside.buffer, .msg_controllen = sizeof(beside.buffer),
	};
	struct pollfd p = {.fd = link_of(c), .events = POLLIN};
	ssize_t n;

	if (c->answer.type != KEEPER_SHELL) /* its end is the shell's */
		forget_came(c);
	if (poll(&p, 1, PATIENCE_MS) != 1)
		return puts("timeout"), false;
	n = recvmsg(link_of(c), &header, MSG_CMSG_CLOEXEC);
	if (n != (ssize_t)sizeof(c->answer))
		return puts(n <= 0 ? "closed" : "short"), false;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&header); h; h = CMSG_NXTHDR(&header, h)) {
		c->n_came = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(c->came, CMSG_DATA(h), c->n_came * sizeof(int));
	}
	show(c);
	return true;
}

static bool is_more_to_come(const struct client *c, int type)
{
	if (type == KEEPER_GET)
		return c->answer.type == KEEPER_WAIT;
	return type == KEEPER_LIST && c->answer.type != KEEPER_DONE && c->answer.type != KEEPER_FAILED;
}

static void ask(struct client *c, int type)
{
	int r = send_one(c, type);

	forget_fds(c);
	if (r < 0)
		puts("closed");
	if (r < 0 || type == KEEPER_LEAVE || type == KEEPER_DROP)
		return;
	while (receive(c) && is_more_to_come(c, type))
		;
}

static void unshare_types(struct client *c, char *types)
{
	for (char *t; (t = strsep(&types, ","));) {
		char path[64];
		int kind = VALUE(KINDS, t);

		if (unshare(kind) < 0)
			die("unshare");
		if (kind == CLONE_NEWNS && mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
			die("slave");
		snprintf(path, sizeof(path), "/proc/self/ns/%s", t);
		add(c, kind, open(path, O_RDONLY | O_CLOEXEC));
	}
}

static void join(const struct client *c)
{
	for (size_t i = 0; i < c->n_came; i++)
		if (setns(c->came[i], 0) < 0)
			perror("setns");
}

static uint32_t flags_of(char *names)
{
	uint32_t flags = 0;

	for (char *n; (n = strsep(&names, ","));)
		flags |= *n ? (uint32_t)VALUE(FLAGS, n) : 0;
	return flags;
}

static void spawn(const char *command, bool wait_for_it)
{
	pid_t pid;

	pid = fork(); /* stdout holds whole lines only */
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	waitpid(pid, NULL, wait_for_it ? 0 : WNOHANG);
}

static void repeat(struct client *c, char *value)
{
	char *name = strchr(value, ':');
	int sent = 0, n = atoi(value);

	while (sent < n && send_one(c, VALUE(TYPES, name + 1)) == 0)
		sent++;
	forget_fds(c);
	printf("sent %s\n", sent == n ? "all" : "some");
}

static void file_as(struct client *c, char *value)
{
	char *as = strchr(value, ':');

	*as = '\0';
	add(c, VALUE(KINDS, value), open(as + 1, strcmp(value, "marker") ? O_RDONLY | O_CLOEXEC | O_NONBLOCK : O_PATH | O_CLOEXEC));
}

static void add_arguments(struct client *c, char *words)
{
	int fd = memfd_create("words", MFD_CLOEXEC);

	for (char *w; (w = strsep(&words, " "));)
		if (write(fd, w, strlen(w) + 1) < 0)
			die("write");
	lseek(fd, 0, SEEK_SET);
	add(c, KEEPER_FD_ARGUMENTS, fd);
}

static void text(char *field, size_t size, const char *value)
{
	memset(field, 0, size);
	memcpy(field, value, strnlen(value, size));
}

static bool set_number(struct client *c, const char *name, const char *value)
{
	struct keeper_message *m = &c->message;
	long long n = strtoll(value, NULL, 0);

	if (!strcmp(name, "uid")) m->uid = (uint32_t)n;
	else if (!strcmp(name, "id")) m->session.id = (uint64_t)n;
	else if (!strcmp(name, "world")) m->world = strtoull(value, NULL, 16);
	else if (!strcmp(name, "size")) c->size = (size_t)n;
	else if (!strcmp(name, "version")) m->version = (uint16_t)n;
	else if (!strcmp(name, "magic")) m->magic = (uint32_t)n;
	else if (!strcmp(name, "n_fds")) c->n_fds = (int)n;
	else if (!strcmp(name, "type")) c->type = (int)n;
	else if (!strcmp(name, "sleep")) usleep((useconds_t)n * 1000);
	else if (!strcmp(name, "pidfd")) add(c, KEEPER_FD_PIDFD, (int)syscall(SYS_pidfd_open, n ? (pid_t)n : getpid(), 0));
	else return false;
	return true;
}

static bool set_text(struct client *c, const char *name, char *value)
{
	struct keeper_message *m = &c->message;

	if (!strcmp(name, "key")) memset(m->key, value[0], sizeof(m->key));
	else if (!strcmp(name, "user")) text(m->user, sizeof(m->user), value);
	else if (!strcmp(name, "rules")) text(m->rules, sizeof(m->rules), value);
	else if (!strcmp(name, "record")) text(m->record, sizeof(m->record), value);
	else if (!strcmp(name, "text")) text(m->text, sizeof(m->text), value);
	else if (!strcmp(name, "service")) text(m->session.service, sizeof(m->session.service), value);
	else if (!strcmp(name, "tty")) text(m->session.tty, sizeof(m->session.tty), value);
	else if (!strcmp(name, "flags")) m->flags = flags_of(value);
	else if (!strcmp(name, "unshare")) unshare_types(c, value);
	else if (!strcmp(name, "file")) file_as(c, value);
	else if (!strcmp(name, "arguments")) add_arguments(c, value);
	else if (!strcmp(name, "run")) spawn(value, true);
	else if (!strcmp(name, "spawn")) spawn(value, false);
	else if (!strcmp(name, "say")) puts(value);
	else return false;
	return true;
}

static bool do_word(struct client *c, char *word)
{
	int type = VALUE(TYPES, word);

	if (!strcmp(word, "recv")) receive(c);
	else if (!strcmp(word, "connect")) connect_one(c);
	else if (!strcmp(word, "close")) close(c->links[--c->n_links % MANY]);
	else if (!strcmp(word, "join")) join(c);
	else if (!strcmp(word, "hold")) while (1) pause();
	else if (!strncmp(word, "send:", 5)) { send_one(c, VALUE(TYPES, word + 5)); forget_fds(c); }
	else if (!strncmp(word, "repeat:", 7)) repeat(c, word + 7);
	else if (type >= 0) ask(c, type);
	else return false;
	return true;
}

int main(int argc, char **argv)
{
	struct client c = {.size = sizeof(c.message), .n_fds = -1, .type = -1, .message = {.magic = KEEPER_MAGIC, .version = KEEPER_VERSION}};

	setvbuf(stdout, NULL, _IOLBF, 0);
	connect_one(&c);
	for (int i = 1; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (do_word(&c, argv[i]))
			continue;
		if (!value)
			return fprintf(stderr, "keeper-client: %s?\n", argv[i]), 2;
		*value++ = '\0';
		if (!set_number(&c, argv[i], value) && !set_text(&c, argv[i], value))
			return fprintf(stderr, "keeper-client: %s=?\n", argv[i]), 2;
	}
	return 0;
}
