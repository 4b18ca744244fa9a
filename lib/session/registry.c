/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of what sessions are to take with them.
 *
 *   operation   system calls                         order
 *   add         symlinkat                            before the directory is made
 *   adopt       symlinkat under another name, renameat
 *   remove      unlinkat ... of the tree, unlinkat   the record last: a kill in between leaves it to the next collector
 */
#include "lib/session/registry.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include "lib/core/sys.h"
#include "lib/session/identity.h"
#include "lib/session/litter.h"
#include "lib/session/trust.h"

enum { CLOSE_ENTRIES = 200000, CLOSE_MS = 5000, RECORD_VERSION = 1 };

/* A directory of root's, 0700, below one of root's. */
static int own_directory(const char *path, bool make)
{
	cleanup_fd int fd = nsclone_open_nosymlink(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
	cleanup_fd int parent = -1;
	char copy[256];
	struct stat st;
	int r;

	if (fd == -ENOENT && make) {
		snprintf(copy, sizeof(copy), "%s", path);
		parent = nsclone_open_trusted(AT_FDCWD, dirname(copy), O_PATH | O_DIRECTORY, NULL);
		r = parent < 0 ? parent : sys_mkdirat(parent, strrchr(path, '/') + 1, 0700);
		if (r < 0 && r != -EEXIST)
			return r;
		fd = nsclone_open_nosymlink(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
	}
	r = fd < 0 ? fd : sys_fstat(fd, &st);
	if (r == 0 && (st.st_uid != 0 || (st.st_mode & 022)))
		r = -EPERM;
	return r < 0 ? r : fd_steal(&fd);
}

int registry_directory(void)
{
	return own_directory(NSCLONE_RUN_DIR, true);
}

int record_directory(bool make)
{
	int fd = own_directory(NSCLONE_RUN_DIR "/sessions", false), r;

	if (fd != -ENOENT || !make)
		return fd;
	r = own_directory(NSCLONE_RUN_DIR, true);
	if (r < 0)
		return r;
	sys_close(r);
	return own_directory(NSCLONE_RUN_DIR "/sessions", true);
}

/* What the record of these traces says: that the calling process is the one whose life counts. */
static int record_text(const struct session_traces *traces, char *buffer, size_t size)
{
	uint64_t id = 0;
	int n, r = sys_process_id(sys_getpid(), &id);

	if (r < 0)
		return r;
	n = snprintf(buffer, size, "%d %d %llu %u %u %d %s", RECORD_VERSION, (int)sys_getpid(), (unsigned long long)id,
		     (unsigned)traces->uid, (unsigned)traces->gid, traces->as_user, traces->path);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int registry_add(const struct session_traces *traces, struct err *err)
{
	cleanup_fd int dirfd = record_directory(true);
	char text[PATH_MAX];
	int r = dirfd < 0 ? dirfd : record_text(traces, text, sizeof(text));

	if (r == -ENAMETOOLONG)
		return err_set(err, r, "cannot record the session in %s", traces->path);
	if (r == 0)
		r = sys_symlinkat(text, dirfd, traces->record);
	return r < 0 ? err_set(err, r, "cannot record the session below %s", NSCLONE_RUN_DIR) : 0;
}

int registry_adopt(const char *record)
{
	cleanup_fd int dirfd = record_directory(false);
	char text[PATH_MAX], temporary[sizeof(RECORD_NEW) + NAME_MAX];
	struct record old;
	int r = record_is_name(record) ? dirfd : -EINVAL;

	if (r >= 0)
		r = record_read(dirfd, record, &old);
	if (r == 0)
		r = record_text(&old.traces, text, sizeof(text));
	if (r < 0)
		return r;
	snprintf(temporary, sizeof(temporary), RECORD_NEW "%s", record);
	r = sys_unlinkat(dirfd, temporary, 0); /* of one who was killed here */
	if (r == 0 || r == -ENOENT)
		r = sys_symlinkat(text, dirfd, temporary);
	return r < 0 ? r : sys_renameat(dirfd, temporary, dirfd, record);
}

bool record_is_name(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return digits > 0 && name[digits] == '-' && !strchr(name, '/') && strlen(name) < sizeof(((struct record *)0)->name);
}

int record_read(int dirfd, const char *name, struct record *ret)
{
	unsigned long long id;
	unsigned uid, gid;
	int version, pid, as_user, at = 0;
	ssize_t n = sys_readlinkat(dirfd, name, ret->text, sizeof(ret->text));

	if (n < 0)
		return n == -EINVAL ? -EBADMSG : (int)n;
	if (sscanf(ret->text, "%d %d %llu %u %u %d %n", &version, &pid, &id, &uid, &gid, &as_user, &at) != 6 ||
	    version != RECORD_VERSION || ret->text[at] != '/' || strlen(name) >= sizeof(ret->name))
		return -EBADMSG;
	strcpy(ret->name, name);
	ret->pid = pid;
	ret->process_id = id;
	ret->traces = (struct session_traces){ret->name, ret->text + at, uid, gid, as_user != 0};
	return 0;
}

bool record_is_alive(const struct record *record)
{
	uint64_t id;
	int r = sys_process_id(record->pid, &id);

	return r == 0 ? id == record->process_id : r != -ESRCH;
}

/* The user's own directory, when nothing is in it any more and no login is about to use it. */
static void remove_user_directory(int root, int user, const char *name)
{
	if (sys_flock(user, LOCK_EX | LOCK_NB) == 0)
		sys_unlinkat(root, name, AT_REMOVEDIR); /* not empty: so it stays */
}

/* The directory, and what there is of it if its maker was killed. */
static int remove_session(int user, const char *name, struct budget *budget)
{
	char temporary[sizeof(RECORD_NEW) + NAME_MAX];
	int r = remove_tree(user, name, budget);

	snprintf(temporary, sizeof(temporary), RECORD_NEW "%.200s", name);
	return r < 0 ? r : remove_tree(user, temporary, budget);
}

/* InstanceRoot and the user's directory in it, judged again: who moved what there since? */
struct opened {
	int root, user;
	char user_name[NAME_MAX + 1];
};

static void opened_close(struct opened *o)
{
	sys_close_p(&o->root);
	sys_close_p(&o->user);
}

static int open_place(const struct session_traces *traces, struct opened *ret)
{
	char user[PATH_MAX], root[PATH_MAX];
	struct stat st;
	int r;

	snprintf(user, sizeof(user), "%s", traces->path);
	snprintf(root, sizeof(root), "%s", dirname(user));
	snprintf(ret->user_name, sizeof(ret->user_name), "%s", strrchr(root, '/') + 1);
	ret->root = nsclone_open_trusted(AT_FDCWD, dirname(root), O_PATH | O_DIRECTORY, NULL);
	if (ret->root < 0)
		return ret->root;
	if (!traces->as_user && trust_check_directory(0, ret->root, root))
		return -EPERM; /* what root deletes there may be somebody else's by now */
	ret->user = sys_openat(ret->root, ret->user_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	r = ret->user < 0 ? ret->user : sys_fstat(ret->user, &st);
	return r < 0 ? r : st.st_uid == traces->uid ? 0 : -EPERM;
}

int record_is_settled(const struct session_traces *traces)
{
	__attribute__((cleanup(opened_close))) struct opened o = {-1, -1, ""};
	int r = open_place(traces, &o);

	if (r == 0) /* whoever opens a session holds the lock until all is mounted */
		r = sys_flock(o.user, LOCK_EX | LOCK_NB);
	return r == -ENOENT ? 1 : r == -EWOULDBLOCK ? 0 : r < 0 ? r : 1;
}

static int sweep(const struct session_traces *traces, struct budget *budget)
{
	__attribute__((cleanup(opened_close))) struct opened o = {-1, -1, ""};
	int r = open_place(traces, &o);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = remove_session(o.user, strrchr(traces->path, '/') + 1, budget);
	if (r == 0)
		remove_user_directory(o.root, o.user, o.user_name);
	return r;
}

static int sweep_as_user(const struct session_traces *traces, struct budget *budget)
{
	struct identity self;
	int back, r = identity_enter(traces->uid, traces->gid, &self);

	if (r < 0)
		return r;
	r = sweep(traces, budget);
	back = identity_leave(&self);
	return back < 0 ? back : r;
}

int record_sweep(int dirfd, const struct session_traces *traces, struct budget *budget)
{
	int r = traces->as_user ? sweep_as_user(traces, budget) : sweep(traces, budget);

	if (r < 0 || !traces->record)
		return r;
	r = sys_unlinkat(dirfd, traces->record, 0);
	return r == -ENOENT ? 0 : r;
}

int registry_forget(const struct session_traces *traces)
{
	cleanup_fd int dirfd = record_directory(false);
	int r = dirfd < 0 ? dirfd : sys_unlinkat(dirfd, traces->record, 0);

	return r == -ENOENT ? 0 : r;
}

int registry_remove(const struct session_traces *traces, struct err *err)
{
	struct budget budget = {CLOSE_ENTRIES, sys_monotonic_ms() + CLOSE_MS};
	cleanup_fd int dirfd = record_directory(false);
	int r = dirfd < 0 ? dirfd : record_sweep(dirfd, traces, &budget);

	if (r == -EAGAIN) /* more than one logout should take: the record stays */
		return 0;
	return r < 0 ? err_set(err, r, "cannot remove %s", traces->path) : 0;
}
