// SPDX-License-Identifier: BSD-3-Clause
/*
 * The host shell: what nsclone-keeper is when it was started as `nsclone-keeper --host-shell UID TERM login|words`, with
 * a terminal as 3, a memfd of words as 4 (words only) and the host's namespaces after that. The keeper executes itself
 * for this so that name services, which may take long, load libraries and read files, run in a process that has nothing
 * of the keeper's but its program.
 *
 * It enters the host's namespaces, makes the terminal its own, becomes the user, and executes the login shell or the
 * words. It refuses to do so half: what fails is said on the terminal, and the status is 126, or 127 where there is no
 * such program. Nothing of the user's is executed or read before it has become the user.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include "keeper/spawn.h"
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"
#include "lib/core/sys_child.h"
#include "lib/core/sys_privilege.h"
#include "lib/session/child_program.h"

enum {
	MAX_WORDS = 1024,
	MAX_ARGUMENTS = 128 << 10,
	CANNOT = 126,
	NOT_FOUND = 127,
	SIZE_MS = 500,
	SIZE_STEP_MS = 2,
	FILES = 1024, /* the usual soft limit; the keeper's own is for a thousand worlds */
};

struct shell {
	uid_t uid;
	const char *term;
	char *text;                 /* of the words */
	char *words[MAX_WORDS + 1]; /* none: a login shell */
	size_t n_words;
	const char *home;
	const char *program;
	char name[64]; /* argv[0] of a login shell */
};

static int fail(int r, const char *what)
{
	dprintf(STDERR_FILENO, "nsclone: %s: %s\r\n", what, strerror(-r));
	return CANNOT;
}

/* 3 becomes 0, 1, 2 and the controlling terminal: the keeper has made this process the leader of a session. */
static int take_terminal(void)
{
	int r = 0;

	for (int fd = 0; r == 0 && fd < CHILD_FIRST_FD; fd++)
		r = sys_hand_down_fd(CHILD_FIRST_FD, fd);
	if (r == 0)
		r = sys_take_terminal(STDIN_FILENO);
	sys_close(CHILD_FIRST_FD);
	return r;
}

static int split_words(struct shell *shell, char *text, size_t n)
{
	if (n == 0 || n > MAX_ARGUMENTS || text[0] == '\0' || text[n - 1])
		return n > MAX_ARGUMENTS ? -E2BIG : -EINVAL;
	for (char *at = text; at < text + n; at += strlen(at) + 1) {
		if (shell->n_words == MAX_WORDS)
			return -E2BIG;
		shell->words[shell->n_words++] = at;
	}
	return 0;
}

/* Words, each with its NUL. They stay in memory until exec. */
static int read_words(struct shell *shell, int fd)
{
	size_t n = 0;
	ssize_t r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : 1;

	shell->text = malloc(MAX_ARGUMENTS + 1);
	if (!shell->text)
		return -ENOMEM;
	for (; r > 0; n += r > 0 ? (size_t)r : 0)
		r = sys_read(fd, shell->text + n, MAX_ARGUMENTS + 1 - n);
	return r < 0 ? (int)r : split_words(shell, shell->text, n);
}

static bool is_own(int fd, int type)
{
	cleanup_fd int own = nsclone_ns_open_self(type);
	struct stat a, b;

	return own >= 0 && sys_fstat(own, &a) == 0 && sys_fstat(fd, &b) == 0 && a.st_ino == b.st_ino;
}

/* The keeper is on the host; it is said again here because it may have been started by hand, from anywhere. */
static int enter_host(int first)
{
	int r = 0;

	for (int fd = first; r >= 0 && fd < CHILD_FIRST_FD + CHILD_MAX_FDS; fd++) {
		r = nsclone_ns_get_nstype(fd);
		if (r == -EBADF)
			return 0;
		if (r > 0 && !is_own(fd, r))
			r = nsclone_setns(fd, r);
		sys_close(fd);
	}
	return r < 0 ? r : 0;
}

static void set_name(struct shell *shell)
{
	const char *slash = strrchr(shell->program, '/');

	snprintf(shell->name, sizeof(shell->name), "-%s", slash ? slash + 1 : shell->program);
}

static int find_user(struct shell *shell, struct passwd *pw, char *buffer, size_t size)
{
	struct passwd *found = NULL;
	int r = -getpwuid_r(shell->uid, pw, buffer, size, &found);

	if (r == 0 && !found)
		r = -ENOENT;
	if (r < 0)
		return r;
	shell->home = pw->pw_dir && pw->pw_dir[0] == '/' ? pw->pw_dir : "/";
	shell->program = pw->pw_shell && pw->pw_shell[0] == '/' ? pw->pw_shell : "/bin/sh";
	set_name(shell);
	return 0;
}

static int set_environment(const struct shell *shell, const struct passwd *pw)
{
	const char *path = shell->uid == 0 ? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
					   : "/usr/local/bin:/usr/bin:/bin";
	const char *pairs[][2] = {
		{"HOME", shell->home},	  {"USER", pw->pw_name}, {"LOGNAME", pw->pw_name},
		{"SHELL", shell->program}, {"TERM", shell->term}, {"PATH", path},
	};
	int r = clearenv() == 0 ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < sizeof(pairs) / sizeof(pairs[0]); i++)
		r = setenv(pairs[i][0], pairs[i][1], 1) == 0 ? 0 : -ENOMEM;
	return r;
}

/* The groups while it is root, then the group, then the user; by that the capabilities go, too. */
static int become(const struct shell *shell, const struct passwd *pw)
{
	struct rlimit limit;
	int r;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > FILES) {
		limit.rlim_cur = FILES;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (pw->pw_uid != 0 && fchown(STDIN_FILENO, pw->pw_uid, (gid_t)-1) < 0)
		return -errno; /* mesg(1), gpg-agent and screen open it by its name */
	if (initgroups(pw->pw_name, pw->pw_gid) < 0)
		return -errno;
	r = sys_setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid);
	if (r == 0)
		r = sys_setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid);
	if (r == 0 && (sys_getuid() != shell->uid || sys_geteuid() != shell->uid))
		r = -EPERM;
	return r;
}

static int run(struct shell *shell)
{
	char *login[] = {shell->name, NULL};
	int r;

	if (sys_chdir(shell->home) < 0)
		sys_chdir("/");
	if (shell->n_words)
		execvp(shell->words[0], shell->words);
	else
		execv(shell->program, login);
	r = -errno;
	fail(r, shell->n_words ? shell->words[0] : shell->program);
	return r == -ENOENT ? NOT_FOUND : CANNOT;
}

static int be_user(struct shell *shell)
{
	char buffer[16384];
	struct passwd pw;
	int r = find_user(shell, &pw, buffer, sizeof(buffer));

	if (r < 0)
		return fail(r, "cannot find out who the user is");
	r = become(shell, &pw);
	if (r < 0)
		return fail(r, "cannot become the user");
	r = set_environment(shell, &pw);
	if (r < 0)
		return fail(r, "cannot make an environment");
	return run(shell);
}

/* Whoever asked sets the terminal as it is to be, its size last: what writes before that writes to another one. */
static void wait_for_size(void)
{
	struct winsize size = {0};

	for (int ms = 0; ms < SIZE_MS && size.ws_row == 0; ms += SIZE_STEP_MS) {
		if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
			return;
		if (size.ws_row == 0)
			sys_sleep_us(SIZE_STEP_MS * 1000);
	}
}

static int be_shell(struct shell *shell, bool words)
{
	int r = words ? read_words(shell, CHILD_FIRST_FD + 1) : 0;

	if (r < 0)
		return fail(r, "cannot read the command");
	r = enter_host(CHILD_FIRST_FD + 1 + (words ? 1 : 0));
	if (r < 0)
		return fail(r, "cannot enter the host's namespaces");
	sys_close_from(CHILD_FIRST_FD);
	wait_for_size();
	return be_user(shell);
}

int spawn_shell_main(int argc, char **argv)
{
	struct shell shell = {0};
	int status;

	if (argc != 5 || take_terminal() < 0)
		return CANNOT;
	shell.uid = (uid_t)strtoul(argv[2], NULL, 10);
	shell.term = argv[3];
	status = be_shell(&shell, strcmp(argv[4], "words") == 0);
	free(shell.text);
	return status;
}
