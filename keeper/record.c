// SPDX-License-Identifier: BSD-3-Clause
/*
 * Records of worlds. See record.h.
 *
 *	operation       system calls                            a kill in between
 *	save            openat, write, renameat2 or renameat    leaves .new, which the next one overwrites
 *	forget          unlinkat                                -
 *	load            openat, getdents, openat, read          -
 *	open            mkdirat, openat, flock                  nothing: the lock goes with the process
 *
 * It refuses to follow links, to wait for what is no file, and to keep what it does not understand.
 */
#include "keeper/record.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include "lib/core/sys.h"
#include "lib/core/sys_event.h"
#include "lib/session/registry.h"

enum {
	RECORD_MAGIC = 0x6472636e, /* "ncrd" */
	RECORD_VERSION = 1,
	RECORD_MAX = 64 << 20, /* bytes: far beyond WORLDS_MAX_SESSIONS */
	RECORD_NAME = 17,
	PATIENCE_MS = 2000,
	RETRY_US = 10000,
};

#define TEMPORARY ".new"

/* The file: this, the sessions, the rules with their NUL. */
struct record {
	uint32_t magic;
	uint32_t version;
	uint32_t length; /* of the file */
	uint32_t uid;
	uint64_t id;
	uint64_t mntns_id;
	uint64_t inodes[KEEPER_N_NS];
	uint64_t init_identity;
	int32_t init_pid;
	int32_t marker;
	uint32_t n_sessions;
	uint32_t rules_size;
	uint8_t alone, kill_on_logout, retired, ending, gone, unused[3];
	uint8_t key[32];
	char user[40];
	char record[64];
};

struct record_session {
	struct keeper_session session;
	uint64_t identity;
	uint64_t kill_on_logout;
};

/* ---- Writing -------------------------------------------------------------------------------------------------- */

static void name_of(uint64_t id, char name[RECORD_NAME])
{
	snprintf(name, RECORD_NAME, "%016" PRIx64, id);
}

static struct record describe(const struct world *world)
{
	struct record record = {
		.magic = RECORD_MAGIC,
		.version = RECORD_VERSION,
		.uid = world->uid,
		.id = world->id,
		.mntns_id = world->mntns_id,
		.init_identity = world->init.identity,
		.init_pid = world->init.pid,
		.marker = world->marker,
		.rules_size = world->rules ? (uint32_t)strlen(world->rules) + 1 : 0,
		.alone = world->alone,
		.kill_on_logout = world->kill_on_logout,
		.retired = world->retired,
		.ending = world->ending,
		.gone = world->state == WORLD_GONE,
	};

	memcpy(record.inodes, world->inodes, sizeof(record.inodes));
	memcpy(record.key, world->key, sizeof(record.key));
	memcpy(record.user, world->user, sizeof(record.user));
	memcpy(record.record, world->record, sizeof(record.record));
	for (const struct world_session *s = world->sessions; s; s = s->next)
		record.n_sessions += s->state == SESSION_IN;
	record.length = (uint32_t)(sizeof(record) + record.n_sessions * sizeof(struct record_session) + record.rules_size);
	return record;
}

static int write_all(int fd, const void *data, size_t size)
{
	const char *at = data;
	ssize_t n = 0;

	for (; size > 0 && n >= 0; at += n, size -= (size_t)n) {
		n = sys_write(fd, at, size);
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
	}
	return 0;
}

static int write_record(int fd, const struct world *world)
{
	struct record record = describe(world);
	int r = write_all(fd, &record, sizeof(record));

	for (const struct world_session *s = world->sessions; r == 0 && s; s = s->next) {
		struct record_session session = {.identity = s->identity, .kill_on_logout = s->kill_on_logout};

		world_session_tell(s, &session.session);
		if (s->state == SESSION_IN)
			r = write_all(fd, &session, sizeof(session));
	}
	return r < 0 ? r : write_all(fd, world->rules, record.rules_size);
}

static int put_in_place(int directory, const char *name)
{
	int r = sys_rename_noreplace(directory, TEMPORARY, directory, name);

	if (r == 0)
		return 1;
	return r == -EEXIST ? sys_renameat(directory, TEMPORARY, directory, name) : r;
}

int records_save(const struct records *records, const struct world *world)
{
	char name[RECORD_NAME];
	cleanup_fd int fd = sys_openat(records->directory, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
	int r = fd < 0 ? fd : write_record(fd, world);

	name_of(world->id, name);
	if (r == 0)
		r = put_in_place(records->directory, name);
	if (r < 0 && fd >= 0)
		sys_unlinkat(records->directory, TEMPORARY, 0);
	return r;
}

int records_forget(const struct records *records, uint64_t world)
{
	char name[RECORD_NAME];

	name_of(world, name);
	return sys_unlinkat(records->directory, name, 0);
}

/*
 * Two keepers with the same records would each end what the other holds. The one before may be on its way out, or a child
 * of it on its way to another program, which has the descriptor until exec.
 */
static int lock(int directory)
{
	int64_t end = sys_monotonic_ms() + PATIENCE_MS;
	int r = sys_flock(directory, LOCK_EX | LOCK_NB);

	while (r == -EWOULDBLOCK && sys_monotonic_ms() < end) {
		sys_sleep_us(RETRY_US);
		r = sys_flock(directory, LOCK_EX | LOCK_NB);
	}
	return r == -EWOULDBLOCK ? -EBUSY : r;
}

int records_open(struct records *ret)
{
	cleanup_fd int above = registry_directory();
	cleanup_fd int fd = -1;
	struct stat st;
	int r = above < 0 ? above : sys_mkdirat(above, strrchr(KEEPER_WORLDS, '/') + 1, 0700);

	if (r < 0 && r != -EEXIST)
		return r;
	fd = sys_openat(above, strrchr(KEEPER_WORLDS, '/') + 1, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	r = fd < 0 ? fd : sys_fstat(fd, &st);
	if (r < 0)
		return r;
	if (st.st_uid != 0 || (st.st_mode & 077))
		return -EPERM;
	r = lock(fd);
	if (r == 0)
		ret->directory = fd_steal(&fd);
	return r;
}

void records_close(struct records *records)
{
	sys_close_p(&records->directory);
	records->directory = -1;
}

/* ---- Reading -------------------------------------------------------------------------------------------------- */

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool is_whole(const struct record *record, size_t length, const char *name)
{
	char own[RECORD_NAME];

	if (length < sizeof(*record) || record->magic != RECORD_MAGIC || record->version != RECORD_VERSION ||
	    record->length != length || record->n_sessions > WORLDS_MAX_SESSIONS || record->rules_size > length)
		return false;
	if (sizeof(*record) + record->n_sessions * sizeof(struct record_session) + record->rules_size != length)
		return false;
	name_of(record->id, own);
	return record->id != 0 && strcmp(own, name) == 0 && is_text(record->user, sizeof(record->user)) &&
	       is_text(record->record, sizeof(record->record)) && record->init_pid >= 0;
}

static bool is_whole_session(const struct keeper_session *session)
{
	return session->id != 0 && session->pid > 0 && is_text(session->service, sizeof(session->service)) &&
	       is_text(session->tty, sizeof(session->tty)) && is_text(session->rhost, sizeof(session->rhost)) &&
	       is_text(session->from_user, sizeof(session->from_user));
}

static void fill(struct world *world, const struct record *record)
{
	world->id = record->id;
	world->uid = record->uid;
	world->state = record->gone ? WORLD_GONE : WORLD_HELD;
	world->alone = record->alone;
	world->kill_on_logout = record->kill_on_logout;
	world->retired = record->retired;
	world->ending = record->ending;
	world->mntns_id = record->mntns_id;
	world->marker = record->marker;
	world->init.pid = record->init_pid;
	world->init.identity = record->init_identity;
	memcpy(world->inodes, record->inodes, sizeof(world->inodes));
	memcpy(world->key, record->key, sizeof(world->key));
	memcpy(world->user, record->user, sizeof(world->user));
	memcpy(world->record, record->record, sizeof(world->record));
}

static int fill_sessions(struct world *world, const char *at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++, at += sizeof(struct record_session)) {
		struct record_session session;
		struct world_session *new;

		memcpy(&session, at, sizeof(session));
		if (!is_whole_session(&session.session))
			return -EBADMSG;
		new = world_add_session(world, &session.session, -1, session.identity);
		if (!new)
			return -ENOMEM;
		new->kill_on_logout = session.kill_on_logout;
	}
	return 0;
}

/* The file as a world. -EBADMSG: it is no whole record. */
static int parse(const char *buffer, size_t length, const char *name, struct world **ret)
{
	const struct record *record = (const void *)buffer;
	const char *sessions = buffer + sizeof(*record), *rules;
	struct world *world;
	int r;

	if (!is_whole(record, length, name))
		return -EBADMSG;
	rules = sessions + record->n_sessions * sizeof(struct record_session);
	if (record->rules_size && rules[record->rules_size - 1])
		return -EBADMSG;
	world = world_new();
	if (!world)
		return -ENOMEM;
	fill(world, record);
	r = fill_sessions(world, sessions, record->n_sessions);
	if (r == 0 && record->rules_size && !(world->rules = strdup(rules)))
		r = -ENOMEM;
	if (r < 0)
		world_free(world);
	else
		*ret = world;
	return r;
}

/* More than fits is more than the file had when it was opened: nobody but us writes here. */
static int read_all(int fd, char *buffer, size_t size)
{
	size_t n = 0;
	ssize_t r = 0;

	while (n < size && (r = sys_read(fd, buffer + n, size - n)) > 0)
		n += (size_t)r;
	return r < 0 ? (int)r : n == size ? 0 : -EBADMSG;
}

static int load(const struct records *records, const char *name, struct world **ret)
{
	cleanup_fd int fd = sys_openat(records->directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	char *buffer;
	int r = fd < 0 ? fd : sys_fstat(fd, &st);

	if (r == -ELOOP || r == -ENXIO)
		return -EBADMSG;
	if (r < 0)
		return r;
	if (!S_ISREG(st.st_mode) || st.st_uid != 0 || st.st_size > RECORD_MAX)
		return -EBADMSG;
	buffer = malloc((size_t)st.st_size + 1);
	if (!buffer)
		return -ENOMEM;
	r = read_all(fd, buffer, (size_t)st.st_size);
	if (r == 0)
		r = parse(buffer, (size_t)st.st_size, name, ret);
	free(buffer);
	return r;
}

/* What cannot be removed (a directory) is not worth a failure: it will be here the next time, too. */
static int load_one(const struct records *records, const char *name, int (*each)(void *, struct world *), void *data)
{
	struct world *world;
	int r = strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ? -ENOENT : load(records, name, &world);

	if (r == 0)
		return each(data, world);
	if (r == -EBADMSG)
		sys_unlinkat(records->directory, name, 0);
	return r == -EBADMSG || r == -ENOENT ? 0 : r;
}

int records_load(const struct records *records, int (*each)(void *data, struct world *world), void *data)
{
	_Alignas(struct dirent64) char buffer[4096];
	cleanup_fd int directory = sys_openat(records->directory, ".", O_RDONLY | O_DIRECTORY);
	ssize_t n = directory;
	int r = 0;

	while (r == 0 && n >= 0 && (n = sys_getdents(directory, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; r == 0 && at < n;) {
			const struct dirent64 *entry = (const void *)(buffer + at);

			at += entry->d_reclen;
			r = load_one(records, entry->d_name, each, data);
		}
	return r < 0 ? r : n < 0 ? (int)n : 0;
}
