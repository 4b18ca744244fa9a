/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is anybody still in a session? Each mount namespace that has a process is looked at once; a session's directory
 * stands in its mount table, as what is mounted, under a random name. A process that forks during the scan can be missed, so this decides
 * only about litter of sessions whose opener is dead. At close the kernel tells (sys_watch_unmount()).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/sys.h"
#include "lib/session/mountinfo.h"
#include "lib/session/litter.h"

struct scan {
	const char *needle;
	int64_t deadline;
	char (*seen)[64]; /* the mount namespaces looked at */
	size_t n_seen;
};

/* The process went away, or is a zombie: then it is in no namespace. */
static bool is_gone(int r)
{
	return r == -ENOENT || r == -ESRCH || r == -EINVAL;
}

/* 1: this namespace was not seen before. */
static int is_new(struct scan *scan, const char *ns)
{
	char(*more)[64];

	for (size_t i = 0; i < scan->n_seen; i++)
		if (strcmp(scan->seen[i], ns) == 0)
			return 0;
	if ((scan->n_seen & (scan->n_seen - 1)) == 0) {
		more = reallocarray(scan->seen, scan->n_seen ? 2 * scan->n_seen : 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		scan->seen = more;
	}
	strcpy(scan->seen[scan->n_seen++], ns);
	return 1;
}

/*
 * It has given back its memory and runs nothing any more. Until it is gone some kernels show its namespaces to the root
 * of the initial user namespace only. One whose first thread has ended while others run is not meant.
 */
static bool is_ending(int process)
{
	enum { PF_EXITING = 4 };
	static const char FIELDS[] = ") %*c %*d %*d %*d %*d %*d %lu %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld";
	cleanup_fd int fd = sys_openat(process, "stat", O_RDONLY);
	char text[512], *rest;
	unsigned long flags;
	long threads;
	ssize_t n = fd < 0 ? fd : sys_read(fd, text, sizeof(text) - 1);

	if (n < 0)
		return is_gone((int)n);
	text[n] = '\0';
	rest = strrchr(text, ')');
	return rest && sscanf(rest, FIELDS, &flags, &threads) == 2 && (flags & PF_EXITING) && threads <= 1;
}

static int look_at_process(struct scan *scan, int proc, const char *pid)
{
	cleanup_fd int fd = sys_openat(proc, pid, O_PATH | O_DIRECTORY | O_NOFOLLOW);
	char ns[64], *table;
	ssize_t n = fd < 0 ? fd : sys_readlinkat(fd, "ns/mnt", ns, sizeof(ns));
	int r;

	if (n < 0)
		return is_gone((int)n) || (n == -EACCES && is_ending(fd)) ? 0 : (int)n;
	r = is_new(scan, ns);
	if (r <= 0)
		return r;
	r = mountinfo_read(fd, "mountinfo", &table);
	if (r < 0) {
		scan->n_seen--; /* another process of this namespace will tell */
		return is_gone(r) ? 0 : r;
	}
	r = mountinfo_has_root(table, scan->needle);
	free(table);
	return r;
}

static int scan_processes(struct scan *scan, DIR *proc)
{
	struct dirent *d;
	int r = 0;

	while (r == 0) {
		errno = 0;
		d = readdir(proc);
		if (!d)
			return -errno;
		if (d->d_name[0] < '1' || d->d_name[0] > '9')
			continue;
		r = sys_monotonic_ms() >= scan->deadline ? -EAGAIN : look_at_process(scan, dirfd(proc), d->d_name);
	}
	return r;
}

void session_needle(const char *path, char *buffer, size_t size)
{
	const char *start = path;

	for (const char *s = path; *s; s++) /* the last two components */
		if (*s == '/' && strchr(s + 1, '/'))
			start = s;
	snprintf(buffer, size, "%s/", start);
}

int session_in_use(const char *needle, int64_t deadline)
{
	struct scan scan = {.needle = needle, .deadline = deadline};
	DIR *proc = NULL;
	int r = sys_opendir("/proc", &proc);

	if (r < 0)
		return r;
	r = scan_processes(&scan, proc);
	closedir(proc);
	free(scan.seen);
	return r;
}
