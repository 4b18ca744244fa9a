/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading /proc/PID. See process.h. It refuses to open anything of a process but these files of procfs itself: no root,
 * no cwd, no exe.
 */
#include "keeper/process.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/sys.h"
#include "lib/core/sys_event.h"

/* Both mean that there is no such process any more, or that it has left its namespaces on its way out. */
static int gone(int r)
{
	return r == -ENOENT ? -ESRCH : r;
}

static int read_link(const char *process, enum keeper_ns type, uint64_t *ret)
{
	char path[80], link[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%s/ns/%s", process, keeper_ns_name(type));
	n = sys_readlinkat(AT_FDCWD, path, link, sizeof(link));
	if (n < 0)
		return gone((int)n);
	return keeper_parse_link(link, type, ret) ? 0 : -EBADMSG;
}

int process_inode(pid_t pid, enum keeper_ns type, uint64_t *ret)
{
	char process[16];

	snprintf(process, sizeof(process), "%d", (int)pid);
	return read_link(pid == PROCESS_SELF ? "self" : process, type, ret);
}

/* The mount namespace first, wanted or not: who has none left is on its way out; its PID namespace still shows. */
static int read_links(const char *process, unsigned types, uint64_t inodes[KEEPER_N_NS])
{
	uint64_t mnt;
	int r = read_link(process, KEEPER_NS_MNT, &mnt);

	memset(inodes, 0, KEEPER_N_NS * sizeof(*inodes));
	if (r == 0 && (types & 1U << KEEPER_NS_MNT))
		inodes[KEEPER_NS_MNT] = mnt;
	for (int i = KEEPER_NS_MNT + 1; i < KEEPER_N_NS && r == 0; i++)
		if (types & 1U << i)
			r = read_link(process, i, &inodes[i]);
	return r;
}

/* The first thread that still has namespaces. */
static int read_threads(const char *process, unsigned types, uint64_t inodes[KEEPER_N_NS])
{
	_Alignas(struct dirent64) char buffer[2048];
	char path[80];
	cleanup_fd int tasks = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%s/task", process);
	tasks = sys_open(path, O_RDONLY | O_DIRECTORY);
	if (tasks < 0)
		return gone(tasks);
	while ((n = sys_getdents(tasks, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < n; at += ((struct dirent64 *)(buffer + at))->d_reclen) {
			int r;

			snprintf(path, sizeof(path), "%.15s/task/%.15s", process, ((struct dirent64 *)(buffer + at))->d_name);
			r = strchr(path, '.') ? -ESRCH : read_links(path, types, inodes);
			if (r != -ESRCH)
				return r;
		}
	return n < 0 ? gone((int)n) : -ESRCH;
}

int process_inodes(pid_t pid, unsigned types, uint64_t inodes[KEEPER_N_NS])
{
	char process[16];
	int r;

	snprintf(process, sizeof(process), "%d", (int)pid);
	r = read_links(process, types, inodes);
	return r == -ESRCH ? read_threads(process, types, inodes) : r;
}

static ssize_t read_file(const char *path, char *buffer, size_t size)
{
	cleanup_fd int fd = sys_open(path, O_RDONLY);
	ssize_t n = fd < 0 ? fd : sys_read(fd, buffer, size - 1);

	if (n < 0)
		return gone((int)n);
	buffer[n] = '\0';
	return n;
}

/* The name, in brackets, may hold anything; what follows the last bracket are numbers. */
static int start_time(pid_t pid, uint64_t *ret)
{
	char path[32], buffer[1024], *at;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	n = read_file(path, buffer, sizeof(buffer));
	if (n < 0)
		return (int)n;
	at = strrchr(buffer, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return -EBADMSG;
	*ret = strtoull(at + 1, NULL, 10);
	return 0;
}

int process_identity(int pidfd, pid_t pid, uint64_t *ret)
{
	return sys_pidfs_number(pidfd, ret) == 0 ? 0 : start_time(pid, ret);
}

int process_has_identity(int pidfd, pid_t pid, uint64_t identity)
{
	uint64_t own;
	int r;

	if (sys_pidfs_number(pidfd, &own) == 0 && own == identity)
		return 0;
	r = start_time(pid, &own);
	return r < 0 || own == identity ? r : -ESRCH;
}

/* Before pidfs (6.9) it was an anonymous inode. */
static bool is_pidfd(int fd)
{
	char path[32], link[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (sys_readlinkat(AT_FDCWD, path, link, sizeof(link)) < 0)
		return false;
	return strcmp(link, "anon_inode:[pidfd]") == 0 || strncmp(link, "pidfd:[", 7) == 0;
}

int process_of_pidfd(int pidfd, pid_t *ret)
{
	char path[40], buffer[512], *at;
	ssize_t n;
	long pid;

	if (!is_pidfd(pidfd))
		return -EINVAL;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	n = read_file(path, buffer, sizeof(buffer));
	if (n < 0)
		return (int)n;
	at = strstr(buffer, "\nPid:\t");
	if (!at)
		return -EINVAL;
	pid = strtol(at + 6, NULL, 10);
	if (pid <= 0)
		return -ESRCH; /* -1: it is gone; 0: it is in no PID namespace below ours */
	*ret = (pid_t)pid;
	return 0;
}

int process_is(int pidfd)
{
	return sys_pidfd_signal(pidfd, 0);
}
