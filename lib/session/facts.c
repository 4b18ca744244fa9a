/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Looking at the machine before the plan is made. Changes nothing and needs no privilege. mountinfo is read only for
 * PrivateTmpMethod=pivot: it costs a microsecond for every mount of the host and stalls under concurrent logins.
 */
#include "lib/session/facts.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/sys.h"
#include "lib/session/arena.h"
#include "lib/session/mountinfo.h"

/* Everything that is commonly mounted below /sys; a new sysfs would hide it from libselinux, systemd-cgls and the like. */
static const char *const SYS_MOUNTS[] = {
	"/sys/fs/bpf",		    "/sys/fs/cgroup",	   "/sys/fs/fuse/connections",
	"/sys/fs/selinux",	    "/sys/fs/smackfs",	   "/sys/kernel/config",
	"/sys/kernel/debug",	    "/sys/kernel/security", "/sys/kernel/tracing",
};
enum { N_SYS_MOUNTS = sizeof(SYS_MOUNTS) / sizeof(*SYS_MOUNTS) };

static struct arena **memory(struct facts *facts)
{
	return (struct arena **)&facts->memory;
}

static uint64_t attributes_of(unsigned long flags)
{
	return (flags & ST_NOSUID ? MOUNT_ATTR_NOSUID : 0) | (flags & ST_NODEV ? MOUNT_ATTR_NODEV : 0) |
	       (flags & ST_NOEXEC ? MOUNT_ATTR_NOEXEC : 0);
}

static int look_at(struct facts_place *place, struct err *err)
{
	struct nsclone_error core = {0};
	cleanup_fd int fd = nsclone_open_trusted(AT_FDCWD, place->path, O_PATH | O_DIRECTORY, &core);
	struct statvfs fs = {0};
	struct stat st;
	int r;

	if (fd == -ENOENT || fd == -ENOTDIR) {
		place->missing = true;
		return 0;
	}
	if (fd < 0)
		return err_core(err, fd, &core, "cannot look at %s", place->path);
	r = sys_fstat(fd, &st);
	if (r == 0)
		r = sys_fstatvfs(fd, &fs);
	if (r < 0)
		return err_set(err, r, "cannot look at %s", place->path);
	place->covered = attributes_of(fs.f_flag);
	place->device = st.st_dev;
	place->inode = st.st_ino;
	return 0;
}

static void want(struct facts_place *places, size_t *n, const char *path)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp(places[i].path, path) == 0)
			return;
	places[(*n)++].path = path;
}

/* Every directory that the settings may cover. */
static void want_places(const struct policy_setting *s, struct facts_place *places, size_t *n)
{
	if (s[POLICY_PRIVATE_TMP].word != POLICY_TMP_NO) {
		want(places, n, "/tmp");
		want(places, n, "/var/tmp");
	}
	for (size_t i = 0; i < s[POLICY_PRIVATE_DIRECTORY].n_items; i++)
		want(places, n, s[POLICY_PRIVATE_DIRECTORY].items[i].path);
	for (size_t i = 0; i < s[POLICY_TEMPORARY_FILE_SYSTEM].n_items; i++)
		want(places, n, s[POLICY_TEMPORARY_FILE_SYSTEM].items[i].path);
	if (s[POLICY_PRIVATE_DEV_SHM].word == POLICY_YES)
		want(places, n, "/dev/shm");
	if (s[POLICY_PRIVATE_IPC].word == POLICY_YES)
		want(places, n, "/dev/mqueue");
	if (s[POLICY_PRIVATE_NETWORK].word == POLICY_YES)
		want(places, n, "/sys");
	if (s[POLICY_PROTECT_PROC].word != POLICY_PROC_DEFAULT || s[POLICY_PROC_SUBSET].word != POLICY_SUBSET_ALL ||
	    s[POLICY_PRIVATE_PIDS].word == POLICY_YES)
		want(places, n, "/proc");
}

static int gather_places(const struct policy_setting *s, struct facts *facts, struct err *err)
{
	size_t room = 8 + s[POLICY_PRIVATE_DIRECTORY].n_items + s[POLICY_TEMPORARY_FILE_SYSTEM].n_items;
	struct facts_place *places = arena_alloc(memory(facts), room * sizeof(*places));
	int r;

	if (!places)
		return err_set(err, -ENOMEM, "cannot look at the machine");
	want_places(s, places, &facts->n_places);
	facts->places = places;
	for (size_t i = 0; i < facts->n_places; i++) {
		r = look_at(&places[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int gather_sys_mounts(struct facts *facts, struct err *err)
{
	const char **found = arena_alloc(memory(facts), sizeof(SYS_MOUNTS));
	int r;

	if (!found)
		return err_set(err, -ENOMEM, "cannot look at /sys");
	facts->sys_mounts = found;
	for (size_t i = 0; i < N_SYS_MOUNTS; i++) {
		r = sys_is_mount_root(SYS_MOUNTS[i]);
		if (r < 0 && r != -ENOENT && r != -EACCES) /* not there; or below one that users cannot search, not theirs */
			return err_set(err, r, "cannot look at %s", SYS_MOUNTS[i]);
		if (r > 0)
			found[facts->n_sys_mounts++] = SYS_MOUNTS[i];
	}
	return 0;
}

static bool wants_tmpfs(const struct policy_setting *s)
{
	return s[POLICY_PRIVATE_TMP].word == POLICY_TMP_DISCONNECTED || s[POLICY_PRIVATE_DEV_SHM].word == POLICY_YES ||
	       s[POLICY_TEMPORARY_FILE_SYSTEM].n_items > 0;
}

bool facts_wants_pivot(const struct policy_setting *s)
{
	return s[POLICY_PRIVATE_TMP].word != POLICY_TMP_NO && s[POLICY_PRIVATE_TMP_METHOD].word == POLICY_METHOD_PIVOT;
}

static bool covers_privately(const struct facts_place *place)
{
	return !place->missing && strcmp(place->path, "/proc") && strcmp(place->path, "/sys") &&
	       strcmp(place->path, "/dev/mqueue");
}

static int by_path(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One detach takes all that is stacked on a path, so a path stands once. Shorter paths come first. */
static void sort_detach(struct facts *facts, const char **paths, size_t n)
{
	qsort(paths, n, sizeof(*paths), by_path);
	for (size_t i = 0; i < n; i++)
		if (facts->n_detach == 0 || strcmp(paths[facts->n_detach - 1], paths[i]) != 0)
			paths[facts->n_detach++] = paths[i];
	facts->detach = paths;
}

/* What is mounted at or below the directories that become private, by their real names. */
static int gather_detach(struct facts *facts, struct err *err)
{
	const char **all, **paths;
	char real[4096];
	size_t n_all, n = 0;
	int r = mountinfo_points(memory(facts), &all, &n_all);

	if (r < 0)
		return err_set(err, r, "cannot read the mount table");
	paths = arena_alloc(memory(facts), (n_all * facts->n_places + 1) * sizeof(*paths));
	if (!paths)
		return err_set(err, -ENOMEM, "cannot read the mount table");
	for (size_t i = 0; i < facts->n_places; i++) {
		cleanup_fd int fd = -1;

		if (!covers_privately(&facts->places[i]))
			continue;
		fd = nsclone_open_trusted(AT_FDCWD, facts->places[i].path, O_PATH | O_DIRECTORY, NULL);
		r = fd < 0 ? fd : nsclone_fd_path(fd, real, sizeof(real));
		if (r < 0)
			return err_set(err, r, "cannot look at %s", facts->places[i].path);
		for (size_t k = 0; k < n_all; k++)
			if (mountinfo_is_below(all[k], real))
				paths[n++] = all[k];
	}
	sort_detach(facts, paths, n);
	return 0;
}

/*
 * A new instance of proc must not show more than the host's. It can only where it hides less than other users'
 * processes, and only then is the mount table read.
 */
static int gather_hidepid(const struct policy_setting *s, struct facts *facts, struct err *err)
{
	char *table;
	int r;

	if (!facts_place(facts, "/proc") || s[POLICY_PROTECT_PROC].word == POLICY_PROC_INVISIBLE ||
	    s[POLICY_PROTECT_PROC].word == POLICY_PROC_PTRACEABLE)
		return 0;
	r = mountinfo_read(AT_FDCWD, "/proc/self/mountinfo", &table);
	if (r < 0)
		return err_set(err, r, "cannot read the mount table");
	facts->hidepid = mountinfo_hidepid(table);
	free(table);
	return 0;
}

/* The unified hierarchy, and not a tmpfs with others below it. */
static int gather_cgroup(struct facts *facts, struct err *err)
{
	int fd = nsclone_open_trusted(AT_FDCWD, "/sys/fs/cgroup", O_PATH | O_DIRECTORY, NULL);
	int r = fd == -ENOENT || fd == -ENOTDIR ? 0 : fd < 0 ? fd : sys_is_cgroup2(fd);

	sys_close_p(&fd);
	if (r < 0)
		return err_set(err, r, "cannot look at /sys/fs/cgroup");
	facts->cgroup2 = r > 0;
	return 0;
}

static uint32_t hash(uint32_t h, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) /* FNV-1a */
		h = (h ^ (unsigned char)text[i]) * 16777619U;
	return h;
}

void facts_origin(char buffer[9])
{
	cleanup_fd int fd = sys_open("/etc/machine-id", O_RDONLY);
	char id[64], pid_ns[64];
	ssize_t n = fd < 0 ? fd : sys_read(fd, id, sizeof(id));
	ssize_t m = sys_readlinkat(AT_FDCWD, "/proc/self/ns/pid", pid_ns, sizeof(pid_ns));

	buffer[0] = '\0';
	if (m > 0) /* a host without an id is told by its process tree alone */
		snprintf(buffer, 9, "%08x", hash(hash(2166136261U, id, n > 0 ? (size_t)n : 0), pid_ns, (size_t)m));
}

static int gather_token(struct facts *facts, struct err *err)
{
	uint64_t random;
	char origin[9];
	int r = sys_random(&random, sizeof(random));

	if (r < 0)
		return err_set(err, r, "cannot get random bytes");
	facts_origin(origin);
	if (!origin[0])
		return err_set(err, -EIO, "cannot read /proc/self/ns/pid");
	snprintf(facts->token, sizeof(facts->token), "%s-%016llx", origin, (unsigned long long)random);
	return 0;
}

static int gather(const struct policy_setting *s, struct facts *facts, struct err *err)
{
	const struct facts_place *mqueue;
	int r = gather_places(s, facts, err);

	if (r == 0 && s[POLICY_PRIVATE_NETWORK].word == POLICY_YES)
		r = gather_sys_mounts(facts, err);
	if (r == 0 && facts_wants_pivot(s))
		r = gather_detach(facts, err);
	if (r == 0)
		r = gather_hidepid(s, facts, err);
	if (r == 0 && s[POLICY_PROTECT_CONTROL_GROUPS].word != POLICY_CGROUPS_NO)
		r = gather_cgroup(facts, err);
	if (r == 0 && s[POLICY_PRIVATE_TMP].word == POLICY_TMP_YES)
		r = gather_token(facts, err);
	if (r == 0 && wants_tmpfs(s) && (r = sys_ram(&facts->ram)) < 0)
		err_set(err, r, "cannot find out the size of the memory");
	mqueue = facts_place(facts, "/dev/mqueue");
	facts->mqueue = mqueue && !mqueue->missing;
	return r;
}

int facts_gather(const struct policy_result *result, struct facts *ret, struct err *err)
{
	struct facts facts = {0};
	int r = gather(result->settings, &facts, err);

	if (r < 0)
		facts_done(&facts);
	else
		*ret = facts;
	return r;
}

void facts_done(struct facts *facts)
{
	arena_free(facts->memory);
	*facts = (struct facts){0};
}

const struct facts_place *facts_place(const struct facts *facts, const char *path)
{
	for (size_t i = 0; i < facts->n_places; i++)
		if (strcmp(facts->places[i].path, path) == 0)
			return &facts->places[i];
	return NULL;
}
