/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Becoming the user and executing what is to be run. Nothing of ours goes along: no descriptor above 2, no environment but
 * what a login gives, no terminal of root's.
 *
 * nsclone enter does this inside the user's world, on a tree that is his: until it has become him it must not open a
 * file there. So nothing here asks name services, and locale(7) is not asked by strerror(3) either (enter.c sees to that).
 */
#include "cmd/run.h"

#include "cmd/alloc.h"
#include "cmd/terminal.h"
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USER_PATH "/usr/local/bin:/usr/bin:/bin"
#define ROOT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

int run_keep_standard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR); /* not O_CLOEXEC: it is for the command, too */
		if (fd < 0)
			return -errno;
	} while (fd <= 2);
	close(fd);
	return 0;
}

int run_user_groups(struct run_user *user)
{
	const struct policy_subject *subject = &user->subject->policy;
	int n = 32;

	for (;;) {
		int room = n;

		user->groups = alloc_zeroed((size_t)n, sizeof(*user->groups));
		if (getgrouplist(subject->user, subject->gid, user->groups, &n) >= 0)
			break;
		free(user->groups);
		if (n <= room || n > NGROUPS_MAX)
			return -EINVAL;
	}
	user->n_groups = n;
	return 0;
}

static int become(const struct run_user *user)
{
	const struct policy_subject *subject = &user->subject->policy;

	if (setgroups((size_t)user->n_groups, user->groups) < 0 || setgid(subject->gid) < 0 || setuid(subject->uid) < 0)
		return -errno;
	return subject->uid != 0 && setuid(0) == 0 ? -EPERM : 0;
}

/* What a login keeps of the caller's, and no more. */
static void set_environment(const struct run_user *user, const char *shell)
{
	static const char *const kept[] = {"TERM", "COLORTERM", "NO_COLOR"};
	const struct policy_subject *subject = &user->subject->policy;
	char *values[sizeof(kept) / sizeof(kept[0])];

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		values[i] = getenv(kept[i]) ? alloc_copy(getenv(kept[i])) : NULL;
	clearenv();
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if (values[i])
			setenv(kept[i], values[i], 1);
		free(values[i]);
	}
	setenv("HOME", subject->home, 1);
	setenv("SHELL", shell, 1);
	setenv("USER", subject->user, 1);
	setenv("LOGNAME", subject->user, 1);
	setenv("PATH", subject->uid == 0 ? ROOT_PATH : USER_PATH, 1);
}

static void leave_descriptors(void)
{
	long n = sysconf(_SC_OPEN_MAX);

	if (close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC) == 0)
		return;
	for (int fd = 3; fd < n; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* With a '-' before its name a shell knows that it is for a login. */
static void exec_shell(const char *shell)
{
	const char *name = shell;
	char *arguments[] = {NULL, NULL};

	while (strchr(name, '/'))
		name = strchr(name, '/') + 1;
	arguments[0] = alloc_format("-%s", name);
	execv(shell, arguments);
	free(arguments[0]);
}

bool run_fits_here(const struct run_user *user)
{
	return user->subject->policy.uid == 0 || terminal_leave();
}

int run_exec(const struct run_user *user, char *const *command, bool own_terminal)
{
	const char *shell = *user->subject->shell ? user->subject->shell : "/bin/sh";
	int r = own_terminal || run_fits_here(user) ? become(user) : -EPERM;

	if (r < 0) {
		errno = -r;
		warn("cannot become %s", user->subject->policy.user);
		return RUN_FAILED;
	}
	/* Inside, and as the user: what is mounted there and what he may see. */
	if (chdir(user->subject->policy.home) < 0) {
		warn("%s: the working directory is /", user->subject->policy.home);
		if (chdir("/") < 0)
			return RUN_FAILED;
	}
	set_environment(user, shell);
	leave_descriptors();
	if (command[0])
		execvp(command[0], command);
	else
		exec_shell(shell);
	r = errno == ENOENT ? RUN_NOT_FOUND : RUN_NOT_EXECUTABLE;
	warn("%s", command[0] ? command[0] : shell);
	return r;
}
