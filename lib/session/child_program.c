// SPDX-License-Identifier: BSD-3-Clause
/*
 * A child on its way to another program. It is a copy of the caller (no shared memory, no vfork), so that the caller
 * goes on at once, whatever the disk that the program is on is doing.
 *
 * It refuses to go on when anything fails: a program with one descriptor too many is worse than none.
 */
#include "lib/session/child_program.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"
#include "lib/core/sys_child.h"
#include "lib/session/trust.h"

static int silence(void)
{
	int null = sys_open("/dev/null", O_RDWR), r = null < 0 ? null : 0;

	for (int fd = 0; r == 0 && fd < CHILD_FIRST_FD; fd++)
		r = sys_hand_down_fd(null, fd);
	return r;
}

/* First out of the way of the numbers that they are to have: one may have the number that another is to get. */
static int hand_down(const int *fds, size_t n)
{
	int copies[CHILD_MAX_FDS], r = 0;

	for (size_t i = 0; i < n && r >= 0; i++)
		r = copies[i] = sys_duplicate_from(fds[i], CHILD_FIRST_FD + (int)n);
	for (size_t i = 0; i < n && r >= 0; i++)
		r = sys_hand_down_fd(copies[i], CHILD_FIRST_FD + (int)i);
	return r < 0 ? r : sys_close_from(CHILD_FIRST_FD + (unsigned)n);
}

static int in_child(void *argument)
{
	const struct child_program *program = argument;
	char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", listen_fds[32], listen_pid[32];
	char *environment[] = {path, program->listens ? listen_fds : NULL, listen_pid, NULL};
	int r = program->prepare ? program->prepare() : 0;

	if (r == 0)
		r = sys_setsid();
	snprintf(listen_fds, sizeof(listen_fds), "LISTEN_FDS=%zu", program->n_fds);
	snprintf(listen_pid, sizeof(listen_pid), "LISTEN_PID=%d", (int)sys_getpid());
	if (r == 0)
		r = sys_chdir("/");
	if (r == 0) /* the descriptors first: what is opened for silence may not take one of their numbers */
		r = hand_down(program->fds, program->n_fds);
	if (r == 0)
		r = silence();
	if (r == 0)
		sys_exec(program->path, program->argv, environment);
	return CHILD_NOT_STARTED;
}

pid_t child_start(const struct child_program *program, int *pidfd)
{
	struct child_program copy = *program;
	int fd = -1;
	struct nsclone_clone_args args = {.flags = program->namespaces | NSCLONE_PIDFD, .pidfd = &fd};
	pid_t pid = program->n_fds > CHILD_MAX_FDS ? -E2BIG : nsclone_clone(in_child, &copy, &args, NULL, NULL);

	if (pid > 0)
		*pidfd = fd;
	return pid;
}

static bool is_ours(const char *path)
{
	struct stat st;

	return sys_fstatat(AT_FDCWD, path, &st) == 0 && S_ISREG(st.st_mode) && !trust_check(0, &st, false) &&
	       st.st_mode & S_IXUSR;
}

static int join(const char *directory, size_t n, const char *name, char *buffer, size_t size)
{
	return snprintf(buffer, size, "%.*s/%s", (int)n, directory, name) < (int)size ? 0 : -ENAMETOOLONG;
}

int child_find(const char *name, const char *directory, char *buffer, size_t size)
{
	char self[512];
	ssize_t n = sys_readlinkat(AT_FDCWD, "/proc/self/exe", self, sizeof(self));
	const char *slash = n > 0 ? strrchr(self, '/') : NULL;

	if (slash && join(self, (size_t)(slash - self), name, buffer, size) == 0 && is_ours(buffer))
		return 0;
	return join(directory, strlen(directory), name, buffer, size);
}
