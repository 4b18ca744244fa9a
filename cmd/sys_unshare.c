// SPDX-License-Identifier: BSD-3-Clause
/*
 * nsclone sys unshare, setns, pivot-root: leave what is, join what others have, take another root; then run a command.
 *
 * They refuse to touch the caller's own mount namespace: binds and roots need a new one.
 */
#include "cmd/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
#include "cmd/cmd.h"
#include "lib/core/sys.h"

struct unshare {
	const char *name;
	bool fork, keep_shared, loopback, map_root;
	const char *bind;
	uid_t uid;
	gid_t gid;
};

static int say_einval(const char *name, const char *what, enum nsclone_call call, int code, uint64_t flags)
{
	char reason[256] = "";

	if (code == -EINVAL)
		nsclone_flags_explain(call, flags, reason, sizeof(reason));
	return sys_say(name, what, code, reason);
}

static int write_file(const char *name, const char *path, const char *text)
{
	cleanup_fd int fd = sys_open(path, O_WRONLY);
	ssize_t n = fd < 0 ? fd : sys_write(fd, text, strlen(text));

	return n < 0 ? sys_say(name, path, (int)n, NULL) : 0;
}

/* user_namespaces(7): setgroups must be given up before anybody without privilege may map a group. */
static int map_root(const struct unshare *unshare)
{
	char uid[64], gid[64];
	int r = write_file(unshare->name, "/proc/self/setgroups", "deny");

	snprintf(uid, sizeof(uid), "0 %u 1", unshare->uid);
	snprintf(gid, sizeof(gid), "0 %u 1", unshare->gid);
	if (r == 0)
		r = write_file(unshare->name, "/proc/self/uid_map", uid);
	if (r == 0)
		r = write_file(unshare->name, "/proc/self/gid_map", gid);
	return r;
}

/* FROM:TO; what FROM is now appears at TO, too, with all that is mounted below it. */
static int bind(const char *name, const char *words)
{
	const char *colon = strchr(words, ':');
	cleanup_fd int from = -1, to = -1, copy = -1;
	char source[4096];
	int r;

	snprintf(source, sizeof(source), "%.*s", (int)(colon - words), words);
	from = sys_open(source, O_PATH);
	if (from < 0)
		return sys_say(name, source, from, NULL);
	to = sys_open(colon + 1, O_PATH);
	if (to < 0)
		return sys_say(name, colon + 1, to, NULL);
	copy = nsclone_mount_copy(from, "", true);
	if (copy < 0)
		return sys_say(name, "open_tree", copy, NULL);
	r = nsclone_mount_attach(copy, to);
	return r < 0 ? sys_say(name, "move_mount", r, NULL) : 0;
}

static int all_slave(const char *name)
{
	int r = nsclone_mount_all_slave();

	return r < 0 ? sys_say(name, "mount / as slave", r, NULL) : 0;
}

/* What is to be done in the new namespaces before the command. */
static int prepare(const struct unshare *unshare, uint64_t flags)
{
	int r = 0;

	if (unshare->map_root)
		r = map_root(unshare);
	if (r == 0 && flags & NSCLONE_NEWNS && !unshare->keep_shared)
		r = all_slave(unshare->name);
	if (r == 0 && unshare->bind)
		r = bind(unshare->name, unshare->bind);
	if (r == 0 && unshare->loopback) {
		r = nsclone_loopback_up();
		r = r < 0 ? sys_say(unshare->name, "lo up", r, NULL) : 0;
	}
	return r;
}

static int check_unshare(const struct options *options, const struct unshare *unshare, uint64_t flags)
{
	if (unshare->bind && !(flags & NSCLONE_NEWNS))
		return options_usage(options, unshare->name, "--bind needs NEWNS");
	if (unshare->bind && !strchr(unshare->bind, ':'))
		return options_usage(options, unshare->name, "--bind wants FROM:TO");
	if (unshare->map_root && !(flags & NSCLONE_NEWUSER))
		return options_usage(options, unshare->name, "--map-root needs NEWUSER");
	return 0;
}

int cmd_sys_unshare(int argc, char **argv)
{
	struct unshare unshare = {.name = argv[0], .uid = geteuid(), .gid = getegid()};
	struct options options = {
		.words = "FLAGS [-- COMMAND...]",
		.about = "Leave what FLAGS name (NEWNET, newns,newuts: see `nsclone sys flags`), and run COMMAND there.",
		.rows = {{"fork", 'f', NULL, "run COMMAND in a child: NEWPID and NEWTIME begin there", &unshare.fork, NULL},
			 {"bind", 'b', "FROM:TO", "with NEWNS: mount FROM over TO", NULL, &unshare.bind},
			 {"loopback", 'l', NULL, "lo up", &unshare.loopback, NULL},
			 {"map-root", 'r', NULL, "with NEWUSER: be root there", &unshare.map_root, NULL},
			 {"keep-shared", 0, NULL, "with NEWNS: leave propagation alone", &unshare.keep_shared, NULL}},
		.n = 5,
	};
	uint64_t flags;
	int r = options_parse(&options, argc, argv);

	if (r != OPTIONS_GO_ON)
		return r;
	if (optind >= argc)
		return options_usage(&options, argv[0], "which flags?");
	r = sys_take_flags(&options, argv[0], argv[optind], &flags);
	if (r == 0)
		r = check_unshare(&options, &unshare, flags);
	if (r != 0)
		return r;
	r = nsclone_unshare(flags);
	if (r < 0)
		return say_einval(argv[0], argv[optind], NSCLONE_CALL_UNSHARE, r, flags);
	r = prepare(&unshare, flags);
	return r != 0 ? r : sys_execute(argv[0], argv + optind + 1, unshare.fork);
}

/* The user namespace first: it may be what gives the right to the others. The mount namespace last: it takes /proc
 * away. */
static const uint64_t join_order[] = {
	NSCLONE_NEWUSER, NSCLONE_NEWCGROUP, NSCLONE_NEWIPC,	 NSCLONE_NEWUTS,
	NSCLONE_NEWNET,  NSCLONE_NEWPID,	NSCLONE_NEWTIME, NSCLONE_NEWNS,
};

#define TYPES (sizeof(join_order) / sizeof(join_order[0]))

static int join_fd(const char *name, const char *what, int fd, uint64_t flags)
{
	int r = nsclone_setns(fd, (int)flags);

	return r < 0 ? say_einval(name, what, NSCLONE_CALL_SETNS, r, flags) : 0;
}

/* One by one, by /proc/PID/ns; all are opened before the first is joined. */
static int join_by_proc(const char *name, pid_t pid, uint64_t flags)
{
	int fds[TYPES], r = 0;

	for (size_t i = 0; i < TYPES; i++)
		fds[i] = flags & join_order[i] ? nsclone_ns_open(pid, (int)join_order[i]) : -1;
	for (size_t i = 0; i < TYPES; i++) {
		if (!(flags & join_order[i]))
			continue;
		if (r == 0 && fds[i] < 0)
			r = sys_say(name, nsclone_ns_name((int)join_order[i]), fds[i], NULL);
		if (r == 0)
			r = join_fd(name, nsclone_ns_name((int)join_order[i]), fds[i], join_order[i]);
		sys_close_p(&fds[i]);
	}
	return r;
}

static int join_by_pidfd(const char *name, pid_t pid, uint64_t flags)
{
	cleanup_fd int fd = sys_pidfd_open(pid);

	return fd < 0 ? sys_say(name, "pidfd_open", fd, NULL) : join_fd(name, "pidfd", fd, flags);
}

static int join_by_file(const char *name, const char *path, uint64_t flags)
{
	cleanup_fd int fd = sys_open(path, O_RDONLY);

	return fd < 0 ? sys_say(name, path, fd, NULL) : join_fd(name, path, fd, flags);
}

int cmd_sys_setns(int argc, char **argv)
{
	const char *pid = NULL, *pidfd = NULL, *file = NULL;
	bool fork = false;
	struct options options = {
		.words = "TYPES [-- COMMAND...]",
		.about =
		"Join the namespaces of TYPES (NEWNET, newnet,newuts; 0: whatever the file is), and run COMMAND there.",
		.rows = {{"pid", 'p', "PID", "those of process PID, one by one by /proc/PID/ns", NULL, &pid},
			 {"pidfd", 'd', "PID", "those of process PID, in one call by a pidfd", NULL, &pidfd},
			 {"file", 'F', "PATH", "the one that the file PATH is", NULL, &file},
			 {"fork", 'f', NULL, "run COMMAND in a child: NEWPID begins there", &fork, NULL}},
		.n = 4,
	};
	uint64_t flags, number = 0;
	int r = options_parse(&options, argc, argv);

	if (r != OPTIONS_GO_ON)
		return r;
	if (optind >= argc)
		return options_usage(&options, argv[0], "which types?");
	if (!pid + !pidfd + !file != 2)
		return options_usage(&options, argv[0], "one of --pid, --pidfd and --file it must be");
	r = sys_take_flags(&options, argv[0], argv[optind], &flags);
	if (r == 0 && !file)
		r = sys_take_number(&options, argv[0], pid ? pid : pidfd, INT32_MAX, &number);
	if (r != 0)
		return r;
	if (pid)
		r = join_by_proc(argv[0], (pid_t)number, flags);
	else
		r = pidfd ? join_by_pidfd(argv[0], (pid_t)number, flags) : join_by_file(argv[0], file, flags);
	return r != 0 ? r : sys_execute(argv[0], argv + optind + 1, fork);
}

/* Only the root of a mount can become a root directory; any other directory is bound over itself. */
static int enter_new_root(const char *name, const char *path)
{
	cleanup_fd int dir = sys_open(path, O_PATH | O_DIRECTORY), copy = -1;
	int r;

	if (dir < 0)
		return sys_say(name, path, dir, NULL);
	copy = nsclone_mount_copy(dir, "", true);
	if (copy < 0)
		return sys_say(name, "open_tree", copy, NULL);
	r = nsclone_mount_attach(copy, dir);
	if (r == 0)
		r = sys_fchdir(copy);
	return r < 0 ? sys_say(name, path, r, NULL) : 0;
}

int cmd_sys_pivot_root(int argc, char **argv)
{
	const char *put_old = NULL;
	struct options options = {
		.words = "DIRECTORY [-- COMMAND...]",
		.about = "Make DIRECTORY the root of a new mount namespace, and run COMMAND there.",
		.rows = {{"put-old", 'o', "DIR", "keep the old root there, below DIRECTORY; else it goes", NULL, &put_old}},
		.n = 1,
	};
	int r = options_parse(&options, argc, argv);

	if (r != OPTIONS_GO_ON)
		return r;
	if (optind >= argc)
		return options_usage(&options, argv[0], "which directory?");
	r = nsclone_unshare(NSCLONE_NEWNS);
	if (r < 0)
		return sys_say(argv[0], "unshare", r, NULL);
	r = all_slave(argv[0]);
	if (r == 0)
		r = enter_new_root(argv[0], argv[optind]);
	if (r != 0)
		return r;
	r = nsclone_pivot_root(".", put_old ? put_old : ".");
	if (r == 0 && !put_old)
		r = sys_umount_cwd();
	if (r == 0)
		r = sys_chdir("/");
	if (r < 0)
		return sys_say(argv[0], "pivot_root", r, NULL);
	return sys_execute(argv[0], argv + optind + 1, false);
}
