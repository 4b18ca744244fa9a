// SPDX-License-Identifier: BSD-3-Clause
/* keeper/store.c against a socket that stands for systemd's. */
/* WRAP: sys_set_cloexec sys_send_to */
#include "tests/unit/test_core.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "keeper/store.h"
#include "lib/core/sys_child.h"
#include "lib/core/sys_socket.h"

static int fault; /* what the next call answers */

int __real_sys_set_cloexec(int fd);
int __wrap_sys_set_cloexec(int fd);
int __wrap_sys_set_cloexec(int fd)
{
	return fault ? fault : __real_sys_set_cloexec(fd);
}

int __real_sys_send_to(const char *to, const void *packet, size_t size, const int *fds, size_t n);
int __wrap_sys_send_to(const char *to, const void *packet, size_t size, const int *fds, size_t n);
int __wrap_sys_send_to(const char *to, const void *packet, size_t size, const int *fds, size_t n)
{
	return fault ? fault : __real_sys_send_to(to, packet, size, fds, n);
}

/* ---- Taking --------------------------------------------------------------------------------------------------- */

static void environment(const char *pid, const char *fds, const char *names)
{
	char self[16];

	snprintf(self, sizeof(self), "%d", getpid());
	if (pid)
		setenv("LISTEN_PID", strcmp(pid, "self") ? pid : self, 1);
	if (fds)
		setenv("LISTEN_FDS", fds, 1);
	if (names)
		setenv("LISTEN_FDNAMES", names, 1);
}

static void three_open(void)
{
	for (int fd = 3; fd < 6; fd++)
		CHECK(dup2(1, fd) == fd);
}

static void takes(void)
{
	struct store_fd *fds;
	size_t n;

	three_open();
	environment("self", "3", "keeper.sock:w0123abcde:longer-than-ours");
	CHECK(store_take(&fds, &n) == 0 && n == 3);
	CHECK(fds[0].fd == 3 && fds[1].fd == 4 && fds[2].fd == 5);
	CHECK(strcmp(fds[0].name, "") == 0); /* 11 bytes */
	CHECK(strcmp(fds[1].name, "w0123abcde") == 0 && strcmp(fds[2].name, "") == 0);
	for (int fd = 3; fd < 6; fd++)
		CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(!getenv("LISTEN_PID") && !getenv("LISTEN_FDS") && !getenv("LISTEN_FDNAMES"));
	free(fds);
	CHECK(store_take(&fds, &n) == 0 && n == 0 && !fds);
}

static void takes_without_names(void)
{
	static const char *const names[] = {NULL, "", "a", "a:", "::", ":::::::"};
	struct store_fd *fds;
	size_t n;

	three_open();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		environment("self", "3", names[i]);
		CHECK(store_take(&fds, &n) == 0 && n == 3);
		CHECK(strcmp(fds[0].name, i == 2 || i == 3 ? "a" : "") == 0 && fds[1].name[0] == '\0' && fds[2].name[0] == '\0');
		free(fds);
	}
}

static void takes_nothing(void)
{
	static const struct {
		const char *pid, *fds;
		int answer;
	} table[] = {
		{"1", "3", 0},	     {NULL, "3", 0},	 {"self", NULL, 0},    {"self", "0", 0},
		{"self", "x", -EINVAL}, {"self", "-3", -EINVAL}, {"self", "3x", -EINVAL}, {"self", "", -EINVAL},
		{"self", " 3", -EINVAL}, {"x", "3", -EINVAL},	 {"self", "99999999999999999999", -EINVAL},
		{"self", "2000000", -EINVAL}, {"self", "250", -EBADF},
	};
	struct store_fd *fds;
	size_t n;

	three_open();
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		environment(table[i].pid, table[i].fds, "a");
		CHECK(store_take(&fds, &n) == table[i].answer);
		CHECK(n == 0 && !fds && !getenv("LISTEN_PID") && !getenv("LISTEN_FDS") && !getenv("LISTEN_FDNAMES"));
	}
	fault = -EBADF;
	environment("self", "1", "a");
	CHECK(store_take(&fds, &n) == -EBADF && n == 0 && !fds);
}

static void names(void)
{
	char name[STORE_NAME];

	store_name(UINT64_C(0xfedcba9876543210), name);
	CHECK(strcmp(name, "w876543210") == 0 && store_is_world(name));
	store_name(1, name);
	CHECK(strcmp(name, "w000000001") == 0 && store_is_world(name));
	CHECK(!store_is_world("") && !store_is_world("w") && !store_is_world("w00000000g") && !store_is_world("x000000001") &&
	      !store_is_world("w00000001") && !store_is_world("markers"));
}

/* ---- Giving --------------------------------------------------------------------------------------------------- */

/* Abstract or below /tmp; the test's process id makes it its own. */
static int systemd(bool abstract, char *path, size_t size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), n;

	snprintf(path, size, "%s/test_store.%d", abstract ? "@" : "/tmp", getpid());
	n = snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (abstract)
		address.sun_path[0] = '\0';
	CHECK(fd >= 0);
	CHECK(bind(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n)) == 0);
	setenv("NOTIFY_SOCKET", path, 1);
	return fd;
}

static void expect(int systemd, const char *text, const int *sent, size_t n_sent)
{
	char buffer[256] = "";
	int fds[SYS_MAX_FDS];
	size_t n;
	ssize_t r = sys_receive(systemd, buffer, sizeof(buffer) - 1, fds, SYS_MAX_FDS, &n);

	CHECK(r == (ssize_t)strlen(text) && strcmp(buffer, text) == 0 && n == n_sent);
	for (size_t i = 0; i < n; i++) {
		CHECK(same_file(fds[i], sent[i]));
		close(fds[i]);
	}
}

static void tells(bool abstract)
{
	char path[64];
	int fd = systemd(abstract, path, sizeof(path));
	int fds[2] = {open("/", O_PATH | O_CLOEXEC), open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC)};
	unsigned before = count_fds();

	CHECK(store_put("w000000001", fds, 2) == 0);
	expect(fd, "FDSTORE=1\nFDNAME=w000000001\nFDPOLL=0", fds, 2);
	CHECK(store_put("w000000001", fds, 0) == 0);
	CHECK(store_remove("w000000001") == 0);
	expect(fd, "FDSTOREREMOVE=1\nFDNAME=w000000001", NULL, 0);
	CHECK(store_ready() == 0);
	expect(fd, "READY=1", NULL, 0);
	CHECK(sys_wait_readable(fd, 0) == 0);
	CHECK(count_fds() == before);
	if (!abstract)
		unlink(path);
}

static void tells_by_path(void)
{
	tells(false);
}

static void tells_abstract(void)
{
	tells(true);
}

/* A systemd that does not read: the keeper does not wait for it. */
static void never_waits(void)
{
	char path[64];
	int r = 0, fds[1] = {1}, fd = systemd(true, path, sizeof(path));
	unsigned before = count_fds();

	for (int i = 0; i < 100000 && r == 0; i++)
		r = store_put("w000000001", fds, 1);
	CHECK(r == -EAGAIN || r == -ETOOMANYREFS);
	CHECK(store_ready() == -EAGAIN || r == -ETOOMANYREFS);
	CHECK(count_fds() == before);
	close(fd);
}

static void nobody_listens(void)
{
	static const char *const bad[] = {"relative", "", "@", "vsock:2:1234"};
	int fds[STORE_MAX_FDS + 1] = {0};
	unsigned before = count_fds();

	CHECK(store_ready() == -ENOENT && store_put("a", fds, 1) == -ENOENT && store_remove("a") == -ENOENT);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setenv("NOTIFY_SOCKET", bad[i], 1);
		CHECK(store_ready() == -EINVAL);
	}
	setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
	CHECK(store_ready() == -ENOENT);
	setenv("NOTIFY_SOCKET", "/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/"
				"0123456789", 1);
	CHECK(store_ready() == -ENAMETOOLONG);
	setenv("NOTIFY_SOCKET", "/tmp", 1);
	CHECK(store_ready() < 0);
	CHECK(store_put("a", fds, STORE_MAX_FDS + 1) == -E2BIG);
	fault = -ENOBUFS;
	CHECK(store_ready() == -ENOBUFS && store_remove("a") == -ENOBUFS);
	CHECK(count_fds() == before);
}

#define TESTS(X)                                                                                                       \
	X(takes) X(takes_without_names) X(takes_nothing) X(names) X(tells_by_path) X(tells_abstract) X(never_waits)    \
	X(nobody_listens)
#define ENTRY(name) cmocka_unit_test(test_##name),

TESTS(IN_CHILD)

int main(void)
{
	const struct CMUnitTest tests[] = {TESTS(ENTRY)};

	unsetenv("NOTIFY_SOCKET");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
