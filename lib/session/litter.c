/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Litter: what sessions left that never closed (a killed daemon, a reboot). A record counts as litter when the process
 * that made it is dead, no login of the user is being opened and no mount table holds its session; a session's directory
 * when it has no record (the record is made first and removed last, so this is one from before a boot). What was made on
 * another host or in another tree of processes is not judged: from here nobody can see whether it lives.
 */
#include "lib/session/litter.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include "lib/core/sys.h"
#include "lib/session/child.h"
#include "lib/session/facts.h"
#include "lib/session/registry.h"
#include "lib/session/trust.h"

enum { FOREVER_MS = 3600 * 1000, LOOKS_AT_OTHERS = 16, HOME_MS = 10000 };

/* One sweep: how far it may go, and whom it tells. */
struct sweeper {
	struct budget budget;
	bool dry_run;
	uid_t only; /* this user's records; (uid_t)-1: all */
	registry_report *report;
	void *arg;
	const struct session_traces *whose; /* the user who logs in, or NULL */
	unsigned looks; /* so many records are looked at */
	bool others;    /* there are records of other users */
	int first;      /* the first error */
};

static int tell(struct sweeper *s, const char *path, uid_t uid, int result, const char *why)
{
	if (s->report)
		s->report(s->arg, path, uid, result, why);
	if (result < 0 && result != -EAGAIN && s->first == 0)
		s->first = result;
	return result == -EAGAIN ? result : 0;
}

bool token_is_ours(const char *token)
{
	static const char DIGITS[] = "0123456789abcdef";
	char origin[9];

	facts_origin(origin);
	return origin[0] && strlen(token) == 25 && strncmp(token, origin, 8) == 0 && token[8] == '-' &&
	       strspn(token + 9, DIGITS) == 16;
}

/* 1: nobody is in the session of that directory any more, nor is about to be. */
static int is_left(struct sweeper *s, const struct session_traces *traces)
{
	char needle[PATH_MAX];
	int r = traces->as_user ? 1 : record_is_settled(traces);

	if (r <= 0)
		return r;
	session_needle(traces->path, needle, sizeof(needle));
	r = session_in_use(needle, s->budget.deadline);
	return r < 0 ? r : !r;
}

struct removal_task {
	int records;
	const struct session_traces *traces;
	struct budget budget;
};

static int remove_in_child(const void *argument, struct err *err)
{
	const struct removal_task *task = argument;
	struct budget budget = task->budget;

	(void)err;
	return record_sweep(task->records, task->traces, &budget);
}

/* A home may lie on a file system that does not answer: nobody but its owner waits for it. */
static int remove_traces(struct sweeper *s, int records, const struct session_traces *traces)
{
	struct removal_task task = {records, traces, s->budget};
	struct err err;

	if (!traces->as_user || s->whose)
		return record_sweep(records, traces, &s->budget);
	return child_run(remove_in_child, &task, HOME_MS, &err);
}

static int sweep_traces(struct sweeper *s, int records, const struct session_traces *traces, const char *why)
{
	int r = is_left(s, traces);

	if (r == 0)
		return 0;
	if (r > 0)
		r = s->dry_run ? 0 : remove_traces(s, records, traces);
	return tell(s, traces->path, traces->uid, r, why);
}

static int sweep_record(struct sweeper *s, int dirfd, const char *name)
{
	struct record record;
	char *end;
	unsigned long uid = strtoul(name, &end, 10);
	int r;

	if (s->only != (uid_t)-1 && uid != s->only)
		s->others = true;
	if (*end != '-' || (s->only != (uid_t)-1 && uid != s->only) || s->looks == 0)
		return 0;
	s->looks--;
	if (!token_is_ours(end + 1))
		return 0;
	r = record_read(dirfd, name, &record);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return tell(s, name, (uid_t)uid, r, "not a record of ours");
	if (record_is_alive(&record) || (record.traces.as_user && s->whose && s->whose->uid != record.traces.uid))
		return 0;
	return sweep_traces(s, dirfd, &record.traces, "its session never closed");
}

int litter_each(int fd, litter_look *look, void *data, const void *arg)
{
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;
	int r = 0;

	if (!dir) {
		r = fd < 0 ? fd : -errno;
		sys_close_p(&fd);
		return r;
	}
	while (r == 0) {
		errno = 0;
		d = readdir(dir);
		if (!d) {
			r = -errno;
			break;
		}
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			r = look(data, dirfd(dir), d->d_name, arg);
	}
	closedir(dir);
	return r;
}

/* What is not there holds no litter. */
static int sweep_each(struct sweeper *s, int fd, litter_look *look, const void *arg)
{
	return fd == -ENOENT ? 0 : litter_each(fd, look, s, arg);
}

static int each_record(void *s, int dirfd, const char *name, const void *arg)
{
	(void)arg;
	return sweep_record(s, dirfd, name);
}

/* A directory of a user below InstanceRoot=. */
struct user_directory {
	const char *path;
	uid_t uid;
};

/* 1: there is a record of it. */
static int has_record(uid_t uid, const char *token)
{
	cleanup_fd int records = record_directory(false);
	char name[64];
	struct stat st;
	int r;

	snprintf(name, sizeof(name), "%u-%s", (unsigned)uid, token);
	r = records < 0 ? records : sys_fstatat(records, name, &st);
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

/* Looked for while no login of the user is being opened: what has a directory by then has its record, too. */
static int sweep_orphan(struct sweeper *s, const struct user_directory *user, const char *name)
{
	struct session_traces traces = {.uid = user->uid};
	char path[PATH_MAX];
	int r;

	if (!token_is_ours(name + strlen(RECORD_SESSION)) ||
	    (size_t)snprintf(path, sizeof(path), "%s/%s", user->path, name) >= sizeof(path))
		return 0;
	traces.path = path;
	if (s->whose) {
		traces.gid = s->whose->gid;
		traces.as_user = s->whose->as_user;
	}
	r = is_left(s, &traces);
	if (r > 0)
		r = has_record(user->uid, name + strlen(RECORD_SESSION));
	else
		r = r == 0 ? 1 : r;
	if (r > 0)
		return 0;
	if (r == 0)
		r = s->dry_run ? 0 : remove_traces(s, -1, &traces);
	return tell(s, path, user->uid, r, "it has no record: from before a boot");
}

/* A directory that somebody was making when he was killed. Whoever makes one holds its lock. */
static int sweep_new(struct sweeper *s, int dirfd, const char *path, uid_t uid, const char *name)
{
	cleanup_fd int fd = sys_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	char full[PATH_MAX];
	int r = fd < 0 ? fd : sys_flock(fd, LOCK_EX | LOCK_NB);

	if (r == -ENOENT || r == -EWOULDBLOCK)
		return 0;
	if ((size_t)snprintf(full, sizeof(full), "%s/%s", path, name) >= sizeof(full))
		return 0;
	if (r == 0 && !s->dry_run)
		r = sys_unlinkat(dirfd, name, AT_REMOVEDIR);
	return tell(s, full, uid, r == -ENOENT ? 0 : r, "it was never finished");
}

static int each_instance(void *s, int dirfd, const char *name, const void *arg)
{
	const struct user_directory *user = arg;

	if (strncmp(name, RECORD_SESSION, strlen(RECORD_SESSION)) == 0)
		return sweep_orphan(s, user, name);
	if (strncmp(name, RECORD_NEW, strlen(RECORD_NEW)) == 0)
		return sweep_new(s, dirfd, user->path, user->uid, name);
	return 0;
}

static int sweep_user(struct sweeper *s, int root, const char *root_path, const char *name)
{
	struct user_directory user;
	char path[PATH_MAX], *end;
	unsigned long uid = strtoul(name, &end, 10);

	if (*end || end == name || (size_t)snprintf(path, sizeof(path), "%s/%s", root_path, name) >= sizeof(path))
		return 0;
	user.uid = (uid_t)uid;
	user.path = path;
	return sweep_each(s, sys_openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), each_instance, &user);
}

static int each_user(void *s, int dirfd, const char *name, const void *arg)
{
	if (strncmp(name, RECORD_NEW, strlen(RECORD_NEW)) == 0)
		return sweep_new(s, dirfd, arg, 0, name);
	return sweep_user(s, dirfd, arg, name);
}

/* -ECANCELED, which no open(2) answers: root would work in it, and it is in a user's hands. */
static int open_root(const char *instance_root, bool as_user)
{
	cleanup_fd int fd = nsclone_open_trusted(AT_FDCWD, instance_root, O_RDONLY | O_DIRECTORY, NULL);

	if (fd >= 0 && !as_user && trust_check_directory(0, fd, instance_root))
		return -ECANCELED;
	return fd_steal(&fd);
}

/* What lies in a user's hands is cleaned with his rights, when he logs in. */
static int clean_root(struct sweeper *s, const char *instance_root)
{
	int fd = open_root(instance_root, false);

	return fd == -ECANCELED ? 0 : sweep_each(s, fd, each_user, instance_root);
}

int registry_clean(const char *const *instance_roots, size_t n, bool dry_run, registry_report *report, void *arg,
		   struct err *err)
{
	struct sweeper s = {
		.budget = {~0U, sys_monotonic_ms() + FOREVER_MS}, .dry_run = dry_run, .only = (uid_t)-1,
		.report = report, .arg = arg, .looks = ~0U,
	};
	int r = sweep_each(&s, record_directory(false), each_record, NULL);

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = clean_root(&s, instance_roots[i]);
		if (r < 0)
			return err_set(err, r, "cannot look through %s", instance_roots[i]);
	}
	if (r < 0)
		return err_set(err, r, "cannot look through %s", NSCLONE_RUN_DIR);
	return s.first < 0 ? err_set(err, s.first, "not everything could be removed") : 0;
}

/* That a login of this user is being opened is no matter: it is not this directory that it is about to use. */
static int sweep_one(struct sweeper *s, int dirfd, const struct record *record)
{
	char needle[PATH_MAX];
	int r;

	session_needle(record->traces.path, needle, sizeof(needle));
	r = session_in_use(needle, s->budget.deadline);
	if (r == 0 && !s->dry_run)
		r = remove_traces(s, dirfd, &record->traces);
	if (r > 0)
		return r;
	tell(s, record->traces.path, record->traces.uid, r, "its world is gone");
	return r;
}

int registry_clean_record(const char *name, bool dry_run, registry_report *report, void *arg, struct err *err)
{
	struct sweeper s = {
		.budget = {~0U, sys_monotonic_ms() + FOREVER_MS}, .dry_run = dry_run, .report = report, .arg = arg,
	};
	cleanup_fd int dirfd = record_directory(false);
	struct record record;
	int r = record_is_name(name) ? dirfd : -EINVAL;

	if (r >= 0)
		r = record_read(dirfd, name, &record);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = sweep_one(&s, dirfd, &record);
	if (r != 0 && !dry_run) /* nobody's from when this process ends: for later logins */
		(void)registry_adopt(name);
	return r < 0 ? err_set(err, r, "cannot remove what %s is the record of", name) : r;
}

static int collect_orphans(struct sweeper *s)
{
	cleanup_fd int root = open_root(s->whose->path, s->whose->as_user);
	char name[16];

	snprintf(name, sizeof(name), "%u", (unsigned)s->whose->uid);
	return root < 0 ? root : sweep_user(s, root, s->whose->path, name);
}

int registry_collect(const struct session_traces *whose, unsigned entries, unsigned limit_ms)
{
	struct sweeper s = {
		.budget = {entries, sys_monotonic_ms() + limit_ms}, .only = whose->uid, .whose = whose, .looks = ~0U,
	};
	int r = sweep_each(&s, record_directory(false), each_record, NULL);

	if (r == 0)
		r = collect_orphans(&s);
	s.only = (uid_t)-1;
	s.looks = LOOKS_AT_OTHERS;
	if (s.others && (r == 0 || r == -ENOENT))
		r = sweep_each(&s, record_directory(false), each_record, NULL);
	return r < 0 ? r : s.first;
}
