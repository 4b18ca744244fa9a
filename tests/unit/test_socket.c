/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lib/core/sys_socket.c over real sockets: packets of every wrong size, descriptors beside them in every number, those
 * who are not there, who do not read or who have too many waiting. After each the process has the descriptors that it
 * had before.
 */
#include "tests/unit/test_core.h"

#include <sys/socket.h>
#include <sys/un.h>
#include "lib/core/sys_socket.h"

enum { MANY = 40 };

/* What the other side sends: any size, any number of descriptors (all of them the same one). */
static void send_raw(int fd, size_t size, size_t n)
{
	static char packet[4096];
	union {
		struct cmsghdr header;
		char buffer[CMSG_SPACE(MANY * sizeof(int))];
	} beside = {0};
	struct iovec part = {packet, size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (n) {
		message.msg_control = beside.buffer;
		message.msg_controllen = CMSG_SPACE(n * sizeof(int));
		beside.header = (struct cmsghdr){CMSG_LEN(n * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
		for (size_t i = 0; i < n; i++)
			memcpy(CMSG_DATA(&beside.header) + i * sizeof(int), &(int){STDERR_FILENO}, sizeof(int));
	}
	assert_int_equal(sendmsg(fd, &message, MSG_NOSIGNAL), (ssize_t)size);
}

/* What sys_receive() makes of it, with room for 64 bytes and 4 descriptors; what it hands out is closed. */
static ssize_t receive(int fd, size_t *n)
{
	char packet[64];
	int fds[4];
	ssize_t r;

	*n = 0;
	r = sys_receive(fd, packet, sizeof(packet), fds, 4, n);
	for (size_t i = 0; r >= 0 && i < *n; i++) {
		assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
		assert_int_equal(close(fds[i]), 0);
	}
	return r;
}

static void packets_of_every_size(void **state)
{
	static const struct {
		size_t size, fds;
		ssize_t wanted;
		size_t n;
	} CASES[] = {
		{64, 0, 64, 0},		{64, 4, 64, 4},		{1, 0, 1, 0},	   {63, 1, 63, 1},
		{65, 0, -EMSGSIZE, 0},	{4096, 0, -EMSGSIZE, 0}, {65, 4, -EMSGSIZE, 0}, {64, 5, -EMSGSIZE, 0},
		{64, 16, -EMSGSIZE, 0}, {64, 17, -EMSGSIZE, 0},	{64, MANY, -EMSGSIZE, 0}, {0, 0, 0, 0},
		{0, 1, 0, 0},		{0, 17, -EMSGSIZE, 0},
	};
	int fds[2];
	unsigned before;
	size_t n;

	(void)state;
	assert_int_equal(sys_socketpair(fds), 0);
	before = count_fds();
	for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
		ssize_t r;

		send_raw(fds[0], CASES[i].size, CASES[i].fds);
		r = receive(fds[1], &n);
		assert_int_equal(r, CASES[i].wanted);
		assert_int_equal(r < 0 ? 0 : n, CASES[i].n);
		assert_int_equal(count_fds(), before);
	}
	assert_int_equal(receive(fds[1], &n), -EAGAIN);
	close(fds[0]);
	assert_int_equal(receive(fds[1], &n), 0);
	close(fds[1]);
	assert_int_equal(count_fds(), before - 2);
}

static void what_is_sent_arrives(void **state)
{
	int fds[2], came[SYS_MAX_FDS], mine[SYS_MAX_FDS + 1];
	unsigned before = count_fds();
	struct stat a, b;
	char packet[8];
	size_t n;

	(void)state;
	assert_int_equal(sys_socketpair(fds), 0);
	for (size_t i = 0; i < SYS_MAX_FDS + 1; i++)
		mine[i] = i ? STDERR_FILENO : fds[0];
	assert_int_equal(sys_send(fds[0], "12345678", 8, mine, SYS_MAX_FDS + 1), -E2BIG);
	assert_int_equal(sys_send(fds[0], "12345678", 8, (int[]){-1}, 1), -EBADF);
	assert_int_equal(sys_send(fds[0], "12345678", 8, mine, SYS_MAX_FDS), 0);
	assert_int_equal(sys_receive(fds[1], packet, 8, came, SYS_MAX_FDS, &n), 8);
	assert_int_equal(n, SYS_MAX_FDS);
	assert_memory_equal(packet, "12345678", 8);
	fstat(fds[0], &a);
	fstat(came[0], &b);
	assert_int_equal(a.st_ino, b.st_ino);
	for (size_t i = 0; i < n; i++)
		close(came[i]);
	close(fds[1]);
	assert_int_equal(sys_send(fds[0], "1", 1, NULL, 0), -EPIPE); /* and no SIGPIPE */
	close(fds[0]);
	assert_int_equal(count_fds(), before);
}

static void who_does_not_read_blocks_nobody(void **state)
{
	static char packet[2048];
	int fds[2], r = 0;
	unsigned before = count_fds();

	(void)state;
	assert_int_equal(sys_socketpair(fds), 0);
	for (int i = 0; i < 100000 && r == 0; i++)
		r = sys_send(fds[0], packet, sizeof(packet), NULL, 0);
	assert_int_equal(r, -EAGAIN);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(count_fds(), before);
}

/* ---- Paths ---- */

static char directory[64];

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void who_is_not_there(void **state)
{
	char name[200];
	unsigned before = count_fds();

	(void)state;
	memset(name, 'x', sizeof(name));
	name[0] = '/';
	name[108] = '\0';
	assert_int_equal(sys_connect(name), -ENAMETOOLONG);
	assert_int_equal(sys_listen(name, 1), -ENAMETOOLONG);
	assert_int_equal(sys_connect(path_of("nobody")), -ENOENT);
	assert_int_equal(sys_listen(path_of("none/below"), 1), -ENOENT);
	assert_int_equal(sys_send_to(path_of("nobody"), "1", 1, NULL, 0), -ENOENT);
	assert_int_equal(sys_send_to("@nsclone-nobody", "1", 1, NULL, 0), -ECONNREFUSED);
	assert_int_equal(sys_send_to("", "1", 1, NULL, 0), -EINVAL);
	assert_int_equal(sys_send_to("@", "1", 1, NULL, 0), -EINVAL);
	assert_int_equal(sys_send_to("relative", "1", 1, NULL, 0), -EINVAL);
	assert_int_equal(count_fds(), before);
}

static void a_listener(void **state)
{
	mode_t mask = umask(0);
	unsigned before = count_fds();
	int listener = sys_listen(path_of("socket"), 1), client, peer;
	struct sys_peer who;
	struct stat st;

	(void)state;
	umask(mask);
	assert_true(listener >= 3);
	assert_int_equal(stat(path_of("socket"), &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
	assert_int_equal(sys_is_listening(listener), 1);
	assert_int_equal(sys_is_listening(STDERR_FILENO), -ENOTSOCK);
	assert_int_equal(sys_listen(path_of("socket"), 1), -EADDRINUSE);
	assert_int_equal(sys_accept(listener), -EAGAIN);
	client = sys_connect(path_of("socket"));
	assert_true(client >= 3);
	assert_int_equal(sys_is_listening(client), 0);
	peer = sys_accept(listener);
	assert_true(peer >= 3);
	assert_int_equal(sys_peer(peer, &who), 0);
	assert_int_equal(who.pid, getpid());
	assert_int_equal(who.uid, geteuid());
	assert_int_equal(sys_peer(STDERR_FILENO, &who), -ENOTSOCK);
	close(listener); /* the file stays, as that of a keeper that was killed */
	assert_int_equal(sys_connect(path_of("socket")), -ECONNREFUSED);
	close(client);
	close(peer);
	assert_int_equal(unlink(path_of("socket")), 0);
	assert_int_equal(count_fds(), before);
}

static void a_full_backlog_is_no_wait(void **state)
{
	unsigned before = count_fds();
	int listener = sys_listen(path_of("full"), 2), clients[MANY] = {0}, n = 0, r;

	(void)state;
	while (n < MANY && (r = sys_connect(path_of("full"))) >= 0)
		clients[n++] = r;
	assert_int_equal(r, -EAGAIN);
	assert_in_range(n, 2, 4);
	while (n > 0)
		close(clients[--n]);
	close(listener);
	assert_int_equal(unlink(path_of("full")), 0);
	assert_int_equal(count_fds(), before);
}

static void who_hangs_up_is_reported(void **state)
{
	int listener = sys_listen(path_of("up"), 2), client = sys_connect(path_of("up")), peer = sys_accept(listener);
	size_t n;

	(void)state;
	assert_int_equal(sys_send(client, "1", 1, NULL, 0), 0);
	close(peer); /* with something unread */
	assert_int_equal(receive(client, &n), -ECONNRESET);
	assert_int_equal(receive(client, &n), 0);
	close(client);
	client = sys_connect(path_of("up"));
	close(listener); /* never accepted */
	assert_in_range(sys_wait_readable(client, 1000), 1, 1);
	assert_true(receive(client, &n) <= 0);
	close(client);
	unlink(path_of("up"));
}

static int make_directory(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/test_socket.XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	(void)state;
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_of_every_size),
		cmocka_unit_test(what_is_sent_arrives),
		cmocka_unit_test(who_does_not_read_blocks_nobody),
		cmocka_unit_test(who_is_not_there),
		cmocka_unit_test(a_listener),
		cmocka_unit_test(a_full_backlog_is_no_wait),
		cmocka_unit_test(who_hangs_up_is_reported),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
