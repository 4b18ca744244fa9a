/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/core and the keeper's children for fuzz_keeper.c: see fuzz_keeper.h. */
#include "tests/fuzz/fuzz_keeper.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "keeper/process.h"
#include "lib/core/sys.h"
#include "lib/core/sys_event.h"

struct fake fake;

int fake_open(enum fake_kind kind, int type, uint64_t number, uint64_t owner)
{
	int fd = 3;

	while (fd < MAX_FDS && fake.fds[fd].kind)
		fd++;
	MUST(fd < MAX_FDS);
	fake.fds[fd] = (struct fake_fd){.kind = kind, .type = type, .number = number, .owner = owner};
	return fd;
}

struct fake_fd *fake_at(int fd)
{
	MUST(fd >= 3 && fd < MAX_FDS && fake.fds[fd].kind);
	return &fake.fds[fd];
}

/* A descriptor is unwatched before it is closed, or events of a duplicate would go on. */
void fake_close(int fd)
{
	MUST(!fake_at(fd)->watched);
	fake.fds[fd] = (struct fake_fd){0};
}

size_t fake_n_open(void)
{
	size_t n = 0;

	for (int fd = 0; fd < MAX_FDS; fd++)
		n += fake.fds[fd].kind != FAKE_NONE;
	return n;
}

bool fake_fails(void)
{
	return fake.fail && --fake.fail == 0;
}

static bool lives(uint64_t pid)
{
	if (pid >= FIRST_INIT)
		return true;
	return pid >= FIRST_PID && pid < FIRST_PID + MAX_PIDS && fake.mnt[pid - FIRST_PID];
}

/* ---- lib/core/sys.h ---- */

int sys_close(int fd)
{
	fake_close(fd);
	return 0;
}

int sys_open(const char *path, int flags)
{
	int fd = fake_fails() ? -EMFILE : 0, n;

	(void)flags;
	if (fd < 0)
		return fd;
	if (!strcmp(path, "/proc")) {
		fake.next_listing = 0;
		return fake_open(FAKE_OTHER, 0, 0, 0);
	}
	if (strstr(path, "/task"))
		return -ENOENT;
	if (sscanf(path, "/proc/self/fdinfo/%d", &n) == 1)
		return fake_open(FAKE_TEXT, 1, fake_at(n)->number, 0);
	return fake_open(FAKE_TEXT, 0, 0, 0);
}

ssize_t sys_read(int fd, void *buffer, size_t size)
{
	struct fake_fd *f = fake_at(fd);
	int type = f->type;

	f->type = 2;
	if (type == 2)
		return 0;
	if (type == 1)
		return snprintf(buffer, size, "flags:\t0\nPid:\t%d\n", lives(f->number) ? (int)f->number : -1);
	return snprintf(buffer, size, "1 (a) b) S 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 99 0\n");
}

static int link_text(int fd, char *buffer, size_t size)
{
	const struct fake_fd *f = fake_at(fd);

	switch (f->kind) {
	case FAKE_NS: return snprintf(buffer, size, "%s:[%llu]", keeper_ns_name(f->type), (unsigned long long)f->number);
	case FAKE_PIDFD: return snprintf(buffer, size, "anon_inode:[pidfd]");
	case FAKE_MEMFD: return snprintf(buffer, size, "/memfd:x (deleted)");
	case FAKE_TMPFS:
	case FAKE_DISK: return snprintf(buffer, size, "/some/where");
	case FAKE_NONE:
	case FAKE_OTHER:
	case FAKE_TEXT:
	case FAKE_PEER: break;
	}
	return snprintf(buffer, size, "socket:[1]");
}

ssize_t sys_readlinkat(int dirfd, const char *name, char *buffer, size_t size)
{
	char type[8] = "";
	int n;

	(void)dirfd;
	if (fake_fails())
		return -ENOMEM;
	if (sscanf(name, "/proc/self/fd/%d", &n) == 1)
		return link_text(n, buffer, size);
	if (sscanf(name, "/proc/%d/ns/%7s", &n, type) != 2 || !lives((uint64_t)n))
		return -ENOENT;
	if (!strcmp(type, "user"))
		return snprintf(buffer, size, "user:[%d]", n == FIRST_PID + 1 ? HOST_USER + 1 : HOST_USER);
	if (!strcmp(type, "mnt"))
		return snprintf(buffer, size, "mnt:[%llu]",
				n >= FIRST_INIT ? 1ULL : (unsigned long long)fake.mnt[(n - FIRST_PID) % MAX_PIDS]);
	return snprintf(buffer, size, "%s:[%d]", type, n >= FIRST_INIT && !strcmp(type, "pid") ? n : 5);
}

int sys_pidfd_open(pid_t pid)
{
	return fake_fails() ? -EMFILE : lives((uint64_t)pid) ? fake_open(FAKE_PIDFD, 0, (uint64_t)pid, 0) : -ESRCH;
}

int64_t sys_monotonic_ms(void)
{
	return fake.now;
}

int64_t sys_realtime_s(void)
{
	return fake.now / 1000;
}

int sys_random(void *buffer, size_t size)
{
	uint64_t next = fake.next_random++ / 2; /* each twice, and 0 */

	memcpy(buffer, &next, size);
	return 0;
}

pid_t sys_getpid(void)
{
	return 1;
}

ssize_t sys_write(int fd, const void *buffer, size_t size)
{
	(void)fd;
	(void)buffer;
	return (ssize_t)size;
}

/* ---- lib/core/sys_event.h ---- */

int sys_epoll(void)
{
	return fake_open(FAKE_OTHER, 0, 0, 0);
}

int sys_epoll_add(int epoll, int fd, uint32_t events, void *what)
{
	(void)epoll;
	(void)events;
	MUST(!fake_at(fd)->watched);
	if (fake_fails())
		return -ENOMEM;
	fake_at(fd)->watched = what;
	return 0;
}

int sys_epoll_change(int epoll, int fd, uint32_t events, void *what)
{
	(void)epoll;
	(void)events;
	MUST(fake_at(fd)->watched == what);
	return fake_fails() ? -ENOMEM : 0;
}

int sys_epoll_remove(int epoll, int fd)
{
	(void)epoll;
	fake_at(fd)->watched = NULL;
	return 0;
}

int sys_epoll_wait(int epoll, int ms, void **what, uint32_t *events)
{
	(void)epoll;
	(void)ms;
	(void)what;
	(void)events;
	abort(); /* server_run() is not called */
}

int sys_inotify(void)
{
	return fake_open(FAKE_OTHER, 0, 0, 0);
}

int sys_inotify_add_unmount(int inotify, int fd)
{
	uint64_t watch = fake_at(fd)->number % 64;

	(void)inotify;
	if (fake.watches[watch])
		return -EEXIST;
	fake.watches[watch] = true;
	return (int)watch;
}

int sys_inotify_remove(int inotify, int watch)
{
	(void)inotify;
	MUST(fake.watches[watch]);
	fake.watches[watch] = false;
	return 0;
}

int sys_inotify_unmounted(int inotify, int *watches, size_t room)
{
	(void)inotify;
	MUST(room);
	if (fake.unmounted < 0 || !fake.watches[fake.unmounted])
		return -EAGAIN;
	fake.watches[fake.unmounted] = false;
	watches[0] = fake.unmounted;
	return 1;
}

int sys_pidfd_signal(int pidfd, int signal)
{
	struct fake_fd *f = fake_at(pidfd);

	MUST(f->kind == FAKE_PIDFD);
	if (!lives(f->number))
		return -ESRCH;
	if (signal && f->number < FIRST_INIT)
		fake.mnt[(f->number - FIRST_PID) % MAX_PIDS] = 0;
	return 0;
}

pid_t sys_reap(int *status)
{
	(void)status;
	return -ECHILD;
}

int sys_duplicate(int fd)
{
	return fake_fails() ? -EMFILE : fake_open(fake_at(fd)->kind, fake_at(fd)->type, fake_at(fd)->number, fake_at(fd)->owner);
}

int sys_pidfs_number(int fd, uint64_t *ret)
{
	MUST(fake_at(fd)->kind == FAKE_PIDFD); /* no file system of a stranger may be asked anything */
	if (fake_fails())
		return -ENOTSUP;
	*ret = fake_at(fd)->number;
	return 0;
}

int sys_is_tmpfs(int fd)
{
	return fake_at(fd)->kind == FAKE_TMPFS;
}

ssize_t sys_getdents(int fd, void *buffer, size_t size)
{
	struct dirent64 *entry = buffer;

	MUST(fake_at(fd)->kind == FAKE_OTHER && size >= sizeof(*entry));
	if (fake_fails())
		return -EIO;
	while (fake.next_listing < MAX_PIDS && !fake.mnt[fake.next_listing])
		fake.next_listing++;
	if (fake.next_listing >= MAX_PIDS)
		return 0;
	memset(entry, 0, sizeof(*entry));
	entry->d_reclen = 24;
	snprintf(entry->d_name, 5, "%d", FIRST_PID + fake.next_listing++);
	return entry->d_reclen;
}

int sys_ns_mount_id(int fd, uint64_t *ret)
{
	*ret = fake_at(fd)->number;
	return 0;
}
