/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Going over /proc for the worlds, a slice a turn, so that nobody waits for it however many processes there are. What
 * it cannot see for another reason than that it is gone makes the pass incomplete: a directory that cannot be listed is
 * not an empty one.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include "keeper/process.h"
#include "keeper/server.h"
#include "lib/core/sys.h"
#include "lib/core/sys_event.h"

enum { ENTRY = 24 }; /* the least that a directory entry takes: so a buffer holds no more than a slice */

static void finish(struct keeper *keeper)
{
	sys_close_p(&keeper->scan.proc);
	keeper->scan.proc = -1;
	worlds_scan_end(&keeper->worlds, keeper->now, keeper->scan.complete);
}

static void begin(struct keeper *keeper)
{
	worlds_scan_begin(&keeper->worlds, keeper->now);
	keeper->scan.types = worlds_scan_types(&keeper->worlds);
	keeper->scan.proc = sys_open("/proc", O_RDONLY | O_DIRECTORY);
	keeper->scan.complete = keeper->scan.proc >= 0;
}

static void look_at(struct keeper *keeper, pid_t pid)
{
	uint64_t inodes[KEEPER_N_NS];
	int r = process_inodes(pid, keeper->scan.types, inodes);

	if (r == 0)
		worlds_scan_process(&keeper->worlds, pid, inodes);
	else if (r != -ESRCH) {
		debug(keeper, "the namespaces of process %d cannot be told: error %d", (int)pid, -r);
		keeper->scan.complete = false;
	}
}

void scan_slice(struct keeper *keeper)
{
	_Alignas(struct dirent64) char buffer[SERVER_SLICE * ENTRY];
	ssize_t n;

	if (keeper->scan.proc < 0)
		begin(keeper);
	n = keeper->scan.proc < 0 ? 0 : sys_getdents(keeper->scan.proc, buffer, sizeof(buffer));
	for (ssize_t at = 0; at < n; at += ((struct dirent64 *)(buffer + at))->d_reclen) {
		const struct dirent64 *entry = (const struct dirent64 *)(buffer + at);
		pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? (pid_t)strtol(entry->d_name, NULL, 10) : 0;

		if (pid > 0 && pid != sys_getpid())
			look_at(keeper, pid);
	}
	if (n < 0)
		keeper->scan.complete = false;
	if (n <= 0)
		finish(keeper);
}
