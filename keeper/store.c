// SPDX-License-Identifier: BSD-3-Clause
/*
 * The file descriptor store. See store.h; sd_listen_fds(3), sd_notify(3) and systemd.exec(5) say what goes on.
 *
 * It refuses to believe a number that it did not check, and to send to anything but an absolute path or an abstract
 * socket. The environment is read here and nowhere else in the keeper.
 */
#include "keeper/store.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/sys.h"
#include "lib/core/sys_child.h"
#include "lib/core/sys_socket.h"

enum {
	FIRST_FD = 3,
	MAX_FDS = 100000,
};

static int parse_number(const char *text, long max, long *ret)
{
	char *end;
	long value;

	if (!text || text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || *end || value > max)
		return -EINVAL;
	*ret = value;
	return 0;
}

/* The next of names between colons; a name that is too long for one of ours is "". */
static const char *next_name(const char *names, char buffer[STORE_NAME])
{
	size_t n = strcspn(names, ":");

	memset(buffer, 0, STORE_NAME);
	if (n < STORE_NAME)
		memcpy(buffer, names, n);
	return names + n + (names[n] == ':');
}

static int fill(struct store_fd *fds, size_t n, const char *names)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		names = next_name(names, fds[i].name);
		fds[i].fd = FIRST_FD + (int)i;
		r = sys_set_cloexec(fds[i].fd);
	}
	return r;
}

static int take(struct store_fd **ret, size_t *n)
{
	const char *names = getenv("LISTEN_FDNAMES");
	long pid = 0, number = 0;
	struct store_fd *fds;
	int r = parse_number(getenv("LISTEN_FDS"), MAX_FDS, &number);

	if (r == 0)
		r = parse_number(getenv("LISTEN_PID"), INT32_MAX, &pid);
	if (r < 0 || number == 0 || pid != sys_getpid()) /* the variables of an ancestor are not for us */
		return r;
	fds = calloc((size_t)number, sizeof(*fds));
	if (!fds)
		return -ENOMEM;
	r = fill(fds, (size_t)number, names ? names : "");
	if (r < 0) {
		free(fds);
		return r;
	}
	*ret = fds;
	*n = (size_t)number;
	return 0;
}

int store_take(struct store_fd **ret, size_t *n)
{
	int r = 0;

	*ret = NULL;
	*n = 0;
	if (getenv("LISTEN_FDS") && getenv("LISTEN_PID"))
		r = take(ret, n);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return r;
}

void store_name(uint64_t world, char buffer[STORE_NAME])
{
	snprintf(buffer, STORE_NAME, "w%09" PRIx64, world & 0xfffffffff);
}

bool store_is_world(const char *name)
{
	return name[0] == 'w' && strlen(name) == STORE_NAME - 1 && strspn(name + 1, "0123456789abcdef") == STORE_NAME - 2;
}

static int notify(const char *text, const int *fds, size_t n)
{
	const char *address = getenv("NOTIFY_SOCKET");

	if (!address)
		return -ENOENT;
	return sys_send_to(address, text, strlen(text), fds, n);
}

int store_put(const char *name, const int *fds, size_t n)
{
	char text[64];

	if (n == 0)
		return 0;
	snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
	return notify(text, fds, n);
}

int store_remove(const char *name)
{
	char text[64];

	snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	return notify(text, NULL, 0);
}

int store_ready(void)
{
	return notify("READY=1", NULL, 0);
}
