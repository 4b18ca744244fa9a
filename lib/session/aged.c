/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Directories that are kept (PrivateTmp=persistent, PrivateDirectory=) and that nobody has come back to. Age alone is no
 * proof that nobody needs a directory, so everything else must speak for it, too: no process of the user's, no world of
 * his that the keeper holds, nobody who has it mounted, no login that is being opened (its lock is held while it is removed).
 *
 * It refuses to look into the directories: what a user has made in there says nothing that could be believed. Of the times
 * at the top the newest counts. What lies on another file system, and what is no directory of ours, stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include "lib/core/sys.h"
#include "lib/session/litter.h"
#include "lib/session/mountinfo.h"
#include "lib/session/registry.h"
#include "lib/session/trust.h"

enum { FOREVER_MS = 3600 * 1000 };

struct aged {
	const struct registry_age *age;
	registry_report *report;
	void *arg;
	uid_t *running; /* who has processes */
	size_t n_running;
	int first;      /* the first error */
};

static int tell(struct aged *a, const char *path, uid_t uid, int result, const char *why)
{
	a->report(a->arg, path, uid, result, why);
	if (result < 0 && a->first == 0)
		a->first = result;
	return 0;
}

/* ---- Whose they are ------------------------------------------------------------------------------------------------ */

static bool is_among(const uid_t *uids, size_t n, uid_t uid)
{
	for (size_t i = 0; i < n; i++)
		if (uids[i] == uid)
			return true;
	return false;
}

static int add_running(struct aged *a, uid_t uid)
{
	uid_t *more;

	if (is_among(a->running, a->n_running, uid))
		return 0;
	more = reallocarray(a->running, a->n_running + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	a->running = more;
	a->running[a->n_running++] = uid;
	return 0;
}

/* Real, effective, saved and for files: any of them may be what it comes back to. */
static int look_at_process(void *data, int proc, const char *pid, const void *arg)
{
	struct aged *a = data;
	char path[64], *status;
	unsigned uids[4];
	const char *line;
	int r;

	(void)arg;
	if (*pid < '1' || *pid > '9')
		return 0;
	snprintf(path, sizeof(path), "%s/status", pid);
	r = mountinfo_read(proc, path, &status);
	if (r < 0)
		return r == -ENOENT || r == -ESRCH ? 0 : r;
	line = strstr(status, "\nUid:");
	r = line && sscanf(line + 5, "%u %u %u %u", &uids[0], &uids[1], &uids[2], &uids[3]) == 4 ? 0 : -EPROTO;
	for (size_t i = 0; r == 0 && i < 4; i++)
		r = add_running(a, uids[i]);
	free(status);
	return r;
}

/* ---- What goes ----------------------------------------------------------------------------------------------------- */

static bool is_old(const struct aged *a, const struct stat *st)
{
	return st->st_mtime < a->age->before && st->st_atime < a->age->before && st->st_ctime < a->age->before;
}

struct user {
	const char *path;
	uid_t uid;
};

static int look_at_instance(void *data, int dirfd, const char *name, const void *arg)
{
	struct budget budget = {~0U, sys_monotonic_ms() + FOREVER_MS};
	const struct user *user = arg;
	struct aged *a = data;
	char path[PATH_MAX];
	struct stat st;
	int r = name[0] == '.' ? -ENOENT : sys_fstatat(dirfd, name, &st); /* no instance begins with a dot */

	if (r == 0 && (!S_ISDIR(st.st_mode) || !is_old(a, &st)))
		return 0;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", user->path, name) >= sizeof(path))
		return 0;
	if (r == 0 && !a->age->dry_run)
		r = remove_tree(dirfd, name, &budget);
	return r == -ENOENT ? 0 : tell(a, path, user->uid, r, "nobody has come back to it");
}

/* 1: somebody is in it, or about to be. */
static int is_used(const struct user *user, int fd)
{
	char needle[32];
	int r = sys_flock(fd, LOCK_EX | LOCK_NB);

	if (r < 0)
		return r == -EWOULDBLOCK ? 1 : r;
	snprintf(needle, sizeof(needle), "/%u/", (unsigned)user->uid); /* wherever its file system begins */
	return session_in_use(needle, sys_monotonic_ms() + FOREVER_MS);
}

static int look_at_user(void *data, int root, const char *name, const void *arg)
{
	char path[PATH_MAX], *end;
	struct user user = {.path = path, .uid = (uid_t)strtoul(name, &end, 10)};
	struct aged *a = data;
	cleanup_fd int fd = -1;
	struct stat st;
	int r;

	if (*end || end == name || is_among(a->running, a->n_running, user.uid) ||
	    is_among(a->age->holders, a->age->n_holders, user.uid))
		return 0;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", (const char *)arg, name) >= sizeof(path))
		return 0;
	r = fd = open_same(root, name, O_RDONLY);
	if (r >= 0)
		r = sys_fstat(fd, &st);
	if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP || (r == 0 && st.st_uid != user.uid))
		return 0;
	if (r >= 0)
		r = is_used(&user, fd);
	if (r != 0)
		return r < 0 ? tell(a, path, user.uid, r, NULL) : 0;
	r = litter_each(sys_openat(fd, ".", O_RDONLY | O_DIRECTORY), look_at_instance, a, &user);
	if (r == 0 && !a->age->dry_run)
		sys_unlinkat(root, name, AT_REMOVEDIR); /* not empty: so it stays */
	return r < 0 ? tell(a, path, user.uid, r, NULL) : 0;
}

/* What others than root can move around is not looked at. */
static int look_at_root(struct aged *a, const char *path)
{
	cleanup_fd int fd = nsclone_open_trusted(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, NULL);

	if (fd == -ENOENT || (fd >= 0 && trust_check_directory(0, fd, path)))
		return 0;
	return litter_each(fd_steal(&fd), look_at_user, a, path);
}

static int look_at_all(struct aged *a, struct err *err)
{
	int r = litter_each(sys_open("/proc", O_RDONLY | O_DIRECTORY), look_at_process, a, NULL);

	if (r < 0)
		return err_set(err, r, "cannot find out who has processes");
	for (size_t i = 0; i < a->age->n_roots; i++) {
		r = look_at_root(a, a->age->instance_roots[i]);
		if (r < 0)
			return err_set(err, r, "cannot look through %s", a->age->instance_roots[i]);
	}
	return a->first < 0 ? err_set(err, a->first, "not everything could be removed") : 0;
}

int registry_clean_aged(const struct registry_age *age, registry_report *report, void *arg, struct err *err)
{
	struct aged a = {.age = age, .report = report, .arg = arg};
	int r = look_at_all(&a, err);

	free(a.running);
	return r;
}
