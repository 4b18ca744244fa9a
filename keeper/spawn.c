// SPDX-License-Identifier: BSD-3-Clause
/*
 * Starting inits, host shells and `nsclone clean`. See spawn.h.
 *
 * It refuses to wait for any of them, and to give them a string that a user could have chosen where they would take it
 * for an option or a path.
 */
#include "keeper/spawn.h"
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"
#include "lib/core/sys_child.h"
#include "lib/core/sys_socket.h"
#include "keeper/fresh.h"
#include "lib/session/child_program.h"

#ifndef NSCLONE_LIB_DIR
#define NSCLONE_LIB_DIR "/usr/lib/nsclone"
#endif
#ifndef NSCLONE_SBIN_DIR
#define NSCLONE_SBIN_DIR "/usr/sbin"
#endif

enum { MAX_PATH = 512 };

/* argv is not const for historical reasons; nobody writes to it. */
static char *word(const char *text)
{
	return (char *)(uintptr_t)text;
}

/* The child is not anybody's yet. It ends when it gets there, and is reaped like all others. */
static void give_up(int pidfd, pid_t pid)
{
	sys_kill(pid, SIGKILL); /* not reaped: the id is its own */
	sys_close(pidfd);
}

static const char *hidepid(unsigned keeper_flags)
{
	switch (keeper_flags & (KEEPER_HIDEPID_NOACCESS | KEEPER_HIDEPID_INVISIBLE | KEEPER_HIDEPID_PTRACEABLE)) {
	case KEEPER_HIDEPID_NOACCESS:
		return "hidepid=noaccess";
	case KEEPER_HIDEPID_INVISIBLE:
		return "hidepid=invisible";
	case KEEPER_HIDEPID_PTRACEABLE:
		return "hidepid=ptraceable";
	case 0:
		return "";
	default:
		return NULL;
	}
}

static pid_t start_init(unsigned keeper_flags, int socket, int *pidfd)
{
	const char *hide = hidepid(keeper_flags);
	char path[MAX_PATH];
	char *argv[4] = {word("nsclone-init")};
	size_t n = 1;
	struct child_program program = {
		.prepare = fresh_process, .path = path, .argv = argv, .fds = &socket, .n_fds = 1, .namespaces = NSCLONE_NEWPID,
	};
	int r = hide ? child_find(argv[0], NSCLONE_LIB_DIR, path, sizeof(path)) : -EINVAL;

	if (r < 0)
		return r;
	if (hide[0])
		argv[n++] = word(hide);
	if (keeper_flags & KEEPER_SUBSET_PID)
		argv[n++] = word("subset=pid");
	return child_start(&program, pidfd);
}

int spawn_init(unsigned keeper_flags, struct spawned_init *ret)
{
	int pair[2], pidfd, pid_ns, r = sys_socketpair(pair);
	pid_t pid;

	if (r < 0)
		return r;
	pid = start_init(keeper_flags, pair[1], &pidfd);
	sys_close(pair[1]);
	if (pid < 0) {
		sys_close(pair[0]);
		return pid;
	}
	pid_ns = nsclone_ns_open(pid, NSCLONE_NEWPID);
	if (pid_ns < 0) {
		give_up(pidfd, pid);
		sys_close(pair[0]);
		return pid_ns;
	}
	*ret = (struct spawned_init){.pid = pid, .pidfd = pidfd, .socket = pair[0], .pid_ns = pid_ns};
	return 0;
}

int spawn_init_receive(const struct spawned_init *init, int *proc_mount)
{
	char byte = 0;
	int fds[SYS_MAX_FDS];
	size_t n = 0;
	ssize_t r = sys_receive(init->socket, &byte, 1, fds, SYS_MAX_FDS, &n);

	if (r < 0)
		return (int)r;
	if (n == 1 && r == 1 && sys_is_procfs(fds[0]) > 0) {
		*proc_mount = fds[0];
		return 0;
	}
	while (n > 0)
		sys_close(fds[--n]);
	return r == 0 ? -EPIPE : -EBADMSG;
}

static bool is_term(const char *term)
{
	size_t n = strspn(term, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+._");

	return n > 0 && n < 64 && !term[n] && term[0] != '.';
}

/* 3 is the terminal, 4 the words if there are any, then the host's namespaces: each says itself of what type it is. */
static pid_t start_shell(const int host[KEEPER_N_NS], uid_t uid, const char *term, int arguments_fd, int slave,
			 int *pidfd)
{
	char text[16], *argv[] = {word("nsclone-keeper"), word(SPAWN_SHELL_OPTION), text, word(term),
				  word(arguments_fd < 0 ? "login" : "words"), NULL};
	int fds[KEEPER_N_NS + 2] = {slave, arguments_fd};
	struct child_program program = {
		.prepare = fresh_process, .path = "/proc/self/exe", .argv = argv, .fds = fds, .n_fds = arguments_fd < 0 ? 1 : 2,
	};

	snprintf(text, sizeof(text), "%u", uid);
	for (int i = 0; i < KEEPER_N_NS; i++)
		if (host[i] >= 0 && i != KEEPER_NS_PID && i != KEEPER_NS_USER)
			fds[program.n_fds++] = host[i];
	return child_start(&program, pidfd);
}

int spawn_shell(const int host[KEEPER_N_NS], uid_t uid, const char *term, int arguments_fd, int *master, pid_t *pid,
		int *pidfd)
{
	int slave, terminal, r = sys_open_terminal(&terminal, &slave);
	pid_t child;

	if (r < 0)
		return r;
	child = start_shell(host, uid, is_term(term) ? term : "dumb", arguments_fd, slave, pidfd);
	sys_close(slave);
	if (child < 0) {
		sys_close(terminal);
		return child;
	}
	*master = terminal;
	*pid = child;
	return 0;
}

/* The registry's own: letters, digits, `-`, `_`, `.`, and never an option, `.` or `..`. */
static bool is_record(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

	return n > 0 && !name[n] && name[0] != '-' && name[0] != '.';
}

int spawn_clean(const char *record, pid_t *pid, int *pidfd)
{
	char path[MAX_PATH];
	char *argv[] = {word("nsclone"), word("clean"), word("--record"), word(record), NULL};
	struct child_program program = {.path = path, .argv = argv, .prepare = fresh_process};
	int r = is_record(record) ? child_find(argv[0], NSCLONE_SBIN_DIR, path, sizeof(path)) : -EINVAL;
	pid_t child = r < 0 ? r : child_start(&program, pidfd);

	if (child < 0)
		return child;
	*pid = child;
	return 0;
}
