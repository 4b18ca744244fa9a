/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nsclone-keeper: the process that holds users' namespaces between logins. lib/session/keeper.h is its protocol,
 * keeper/worlds.h its rules; it makes no decision and reads no policy.
 *
 * It needs to be uid 0 in the initial user namespace, and keeps of root's capabilities only:
 *
 *	CAP_SYS_PTRACE  /proc/PID/ns of everybody: who asks, who is left in a world
 *	CAP_SYS_ADMIN   clone(CLONE_NEWPID) for inits, NS_GET_USERNS of others' namespaces
 *	CAP_KILL        KillOnLogout=, `nsclone end`: processes of any user
 *
 * The bounding set stays whole, as children (nsclone-init, nsclone clean, a host shell) get theirs from it by exec.
 *
 * Usage: nsclone-keeper [--foreground] [--debug]
 * The socket comes from systemd(1) (LISTEN_FDS), or is made here. With --foreground it speaks on stderr.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "keeper/fresh.h"
#include "keeper/recover.h"
#include "keeper/server.h"
#include "keeper/spawn.h"
#include "keeper/store.h"
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"
#include "lib/core/sys_event.h"
#include "lib/core/sys_privilege.h"
#include "lib/core/sys_socket.h"
#include "lib/session/keeper_call.h"

enum {
	MAX_FILES = 65536, /* 4096 worlds with all that one may have, and their sessions */
};

#define STORE_MARKERS "markers"

struct start {
	int listener;
	int markers; /* -1: there are none yet */
	struct store_fd *fds;
	size_t n_fds;
};

static const struct option OPTIONS[] = {
	{"foreground", no_argument, NULL, 'f'},
	{"debug", no_argument, NULL, 'd'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int usage(FILE *to)
{
	fputs("usage: nsclone-keeper [--foreground] [--debug]\n"
	      "Holds users' namespaces between logins. It is started by systemd or by pam_nsclone.so.\n\n"
	      "  --foreground  tell on stderr, not by syslog\n"
	      "  --debug       tell of every request\n"
	      "  --version     the version, and exit\n"
	      "  --help        this\n",
	      to);
	return to == stdout ? 0 : 2;
}

/* What this process was started with. What is nobody's is closed: it would be held for ever. */
static int take_descriptors(struct start *start)
{
	int r = store_take(&start->fds, &start->n_fds);

	for (size_t i = 0; i < start->n_fds; i++) {
		struct store_fd *fd = &start->fds[i];

		if (store_is_world(fd->name))
			continue;
		if (start->listener < 0 && sys_is_listening(fd->fd) == 1)
			start->listener = fd->fd;
		else if (start->markers < 0 && strcmp(fd->name, STORE_MARKERS) == 0)
			start->markers = fd->fd;
		else
			sys_close(fd->fd);
		fd->fd = -1;
	}
	return r;
}

/* Whatever cannot be found again is not worth more than a line: new sessions need a keeper. */
static void find_worlds(struct keeper *keeper, struct start *start)
{
	struct recovered recovered = {0};
	int r = recover(&keeper->worlds, &keeper->host, &keeper->records, start->fds, start->n_fds, start->markers >= 0,
			&recovered);

	if (r < 0)
		say(keeper, "what the keeper before held cannot be read to the end: %s", strerror(-r));
	if (recovered.worlds || recovered.lost)
		say(keeper, "%u worlds found again, %u not", recovered.worlds, recovered.lost);
	free(start->fds);
	start->fds = NULL;
}

static int limit_rights(struct keeper *keeper)
{
	const uint64_t needed = UINT64_C(1) << CAP_SYS_PTRACE | UINT64_C(1) << CAP_SYS_ADMIN | UINT64_C(1) << CAP_KILL;
	uint64_t permitted = 0;
	int r = sys_permitted_capabilities(&permitted);

	if (r == 0 && (permitted & needed) != needed)
		say(keeper, "a capability is missing; some requests will fail");
	return r < 0 ? r : sys_set_capabilities(permitted & needed);
}

static int fail(struct keeper *keeper, const char *what, int r)
{
	say(keeper, "%s: %s", what, strerror(-r));
	return 1;
}

static int find_host(struct keeper *keeper)
{
	const char *type = "";
	int r = host_open(&keeper->host, &type);

	if (r < 0)
		say(keeper, "the host's %s namespace (process 1's) cannot be opened: %s", type, strerror(-r));
	else if (!host_is_mine(&keeper->host)) {
		say(keeper, "this process is not in the host's mount, PID and user namespace");
		r = -EPERM;
	}
	return r;
}

/*
 * What signals and scheduling go by is to be root's, not that of whoever has started it: in its children, too. A unit
 * (Type=notify) says itself what it is to have.
 */
static int be_roots(struct keeper *keeper)
{
	int r = sys_become_root();
	const char *failed = r < 0 || getenv("NOTIFY_SOCKET") ? NULL : fresh_resources();

	if (failed)
		say(keeper, "its %s cannot be made what process 1 has; going on", failed);
	return r;
}

/* Before the socket: who has the worlds has that, too, and it is not to be taken away. */
static int open_records(struct keeper *keeper)
{
	int r = records_open(&keeper->records);

	if (r == -EBUSY) {
		say(keeper, "another keeper has " KEEPER_WORLDS);
		return r;
	}
	return r < 0 ? -fail(keeper, KEEPER_WORLDS, r) : 0;
}

static int run(struct keeper *keeper)
{
	struct start start = {.listener = -1, .markers = -1};
	int r = be_roots(keeper);

	if (r < 0)
		return fail(keeper, "root's ids", r);
	r = take_descriptors(&start);
	if (r < 0)
		return fail(keeper, "LISTEN_FDS", r);
	if (find_host(keeper) < 0 || open_records(keeper) < 0)
		return 1;
	if (start.listener < 0)
		start.listener = keeper_listen(sys_monotonic_ms() + KEEPER_CALL_MS);
	if (start.listener < 0)
		return fail(keeper, KEEPER_SOCKET, start.listener);
	r = sys_raise_open_files(MAX_FILES);
	if (r < 0)
		return fail(keeper, "RLIMIT_NOFILE", r);
	r = limit_rights(keeper);
	if (r < 0)
		return fail(keeper, "capabilities", r);
	r = server_init(keeper, start.listener, start.markers);
	if (r < 0)
		return fail(keeper, "setting up", r);
	if (start.markers < 0)
		store_put(STORE_MARKERS, &keeper->markers.fd, 1);
	find_worlds(keeper, &start);
	store_ready();
	debug(keeper, "listening");
	sys_release_code();
	r = server_run(keeper);
	return fail(keeper, "waiting", r);
}

static int parse(int argc, char **argv, struct keeper *keeper)
{
	int option;

	while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1)
		switch (option) {
		case 'f': keeper->foreground = true; break;
		case 'd': keeper->debug = true; break;
		case 'V': puts("nsclone-keeper " NSCLONE_VERSION); return 0;
		case 'h': return usage(stdout);
		default: return usage(stderr);
		}
	return optind == argc ? -1 : usage(stderr);
}

int main(int argc, char **argv)
{
	struct keeper keeper = {.epoll = -1, .records = {-1}};
	int r;

	if (argc > 1 && strcmp(argv[1], SPAWN_SHELL_OPTION) == 0)
		return spawn_shell_main(argc, argv);
	r = parse(argc, argv, &keeper);
	if (r >= 0)
		return r;
	fresh_process();
	sys_chdir("/");
	signal(SIGPIPE, SIG_IGN);
	return run(&keeper);
}
