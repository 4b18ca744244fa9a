/* SPDX-License-Identifier: BSD-3-Clause */
/* The directories that the policy mounts on, and those below which it keeps users' own. See check.h. */
#include "cmd/check.h"
#include "cmd/mount_of.h"
#include "cmd/roots.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

static void check_mount_point(struct check *check, struct policy_pos pos, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0) {
		if (!S_ISDIR(st.st_mode))
			check_say(check, CHECK_ERROR, pos, NULL, "%s is not a directory: this login fails", path);
	} else if (errno == ENOENT || errno == ENOTDIR) {
		check_say(check, CHECK_ERROR, pos, "make it", "%s is missing: this login fails", path);
	} else {
		check_say(check, CHECK_UNSEEN, pos, NULL, "whether %s is there: %s", path, strerror(errno));
	}
}

/* ---- InstanceRoot= ---------------------------------------------------------------------------------------------- */

static void check_instance_mount(struct check *check, struct policy_pos pos, const char *path, bool kept)
{
	struct mount_of mount = {0};

	if (!mount_of(path, &mount)) {
		check_say(check, CHECK_UNSEEN, pos, NULL, "which file system %s is on", path);
		return;
	}
	if (mount_of_has(&mount, "ro"))
		check_say(check, CHECK_ERROR, pos, NULL, "InstanceRoot=%s is on %s, which is mounted read-only", path,
			  mount.target);
	if (mount_of_has(&mount, "noexec"))
		check_say(check, CHECK_WARNING, pos, NULL,
			  "InstanceRoot=%s is on %s, which is mounted noexec: so will be what users get from it", path,
			  mount.target);
	if (kept && (strcmp(mount.type, "tmpfs") == 0 || strcmp(mount.type, "ramfs") == 0))
		check_say(check, CHECK_WARNING, pos, NULL,
			  "InstanceRoot=%s is on a %s: what is to be kept is gone after a boot", path, mount.type);
	if (strncmp(mount.type, "nfs", 3) == 0)
		check_say(check, CHECK_WARNING, pos, NULL,
			  "InstanceRoot=%s is on %s: with root_squash root cannot make directories there", path,
			  mount.type);
	mount_of_done(&mount);
}

static void check_instance_room(struct check *check, struct policy_pos pos, const char *path)
{
	struct statvfs fs;

	if (statvfs(path, &fs) == 0 && (fs.f_bavail == 0 || (fs.f_files && fs.f_favail == 0)))
		check_say(check, CHECK_ERROR, pos, NULL, "InstanceRoot=%s has no %s left", path,
			  fs.f_bavail ? "inodes" : "room");
}

static void check_instance_directory(struct check *check, struct policy_pos pos, const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0) {
		/* Made by the first login. */
		if (errno != ENOENT)
			check_say(check, CHECK_UNSEEN, pos, NULL, "InstanceRoot=%s: %s", path, strerror(errno));
		return;
	}
	if (!S_ISDIR(st.st_mode))
		check_say(check, CHECK_ERROR, pos, NULL, "InstanceRoot=%s is not a directory", path);
	else if (st.st_uid != 0)
		check_say(check, CHECK_ERROR, pos, "chown it to root", "InstanceRoot=%s is not root's, but of uid %u",
			  path, (unsigned)st.st_uid);
	else if (st.st_mode & 022)
		check_say(check, CHECK_ERROR, pos, "chmod 700", "InstanceRoot=%s can be written to by others", path);
	else if (st.st_mode & 055)
		check_say(check, CHECK_WARNING, pos, "chmod 700",
			  "InstanceRoot=%s has mode %04o: users see each other's directories", path,
			  (unsigned)st.st_mode & 07777);
}

static bool below_a_home(const char *path)
{
	return strncmp(path, "%h", 2) == 0 || strncmp(path, "/home/", 6) == 0 || strncmp(path, "/root/", 6) == 0;
}

static void check_instance_root(struct check *check, struct policy_pos pos, const char *path, bool kept)
{
	char *plain = roots_plain(path);

	if (below_a_home(path))
		check_say(check, CHECK_WARNING, pos, NULL,
			  "InstanceRoot=%s is below a home: /tmp there is the user's own, not root's and sticky", path);
	if (plain) {
		check_instance_directory(check, pos, plain);
		check_instance_mount(check, pos, plain, kept);
		check_instance_room(check, pos, plain);
	}
	free(plain);
}

/* ---- What the rules say ----------------------------------------------------------------------------------------- */

/* A place is looked at once, for the first rule that wants it. */
struct places {
	struct check *check;
	struct alloc_list seen;
	bool backing; /* some directory is made below an InstanceRoot= */
	bool kept;    /* ... and stays between logins */
};

static void want(struct places *places, struct policy_pos pos, const char *path)
{
	if (alloc_list_has(&places->seen, path))
		return;
	alloc_list_add(&places->seen, path);
	check_mount_point(places->check, pos, path);
}

static void want_list_element(struct places *places, const struct policy_assigned *assigned)
{
	char *plain = roots_plain(assigned->path);

	if (plain)
		want(places, assigned->pos, plain);
	free(plain);
	if (assigned->key == POLICY_PRIVATE_DIRECTORY)
		places->backing = places->kept = true;
}

/* A new instance of proc has nothing mounted on its files: what was hidden so is to be seen again. */
static void want_proc(struct places *places, struct policy_pos pos)
{
	char *mask = alloc_list_has(&places->seen, "/proc") ? NULL : mount_below("/proc", "/proc/sys/fs/binfmt_misc");

	if (mask)
		check_say(places->check, CHECK_WARNING, pos, NULL,
			  "%s is mounted on /proc, but not on the new /proc of a session: what it hides can be seen there",
			  mask);
	free(mask);
	want(places, pos, "/proc");
}

static bool is_own_proc(enum policy_key key)
{
	return key == POLICY_PROTECT_PROC || key == POLICY_PROC_SUBSET || key == POLICY_PRIVATE_PIDS;
}

static void look_at(void *arg, const struct policy_assigned *assigned)
{
	struct places *places = arg;

	if (assigned->path) {
		want_list_element(places, assigned);
	} else if (assigned->key == POLICY_PRIVATE_TMP && assigned->word != POLICY_TMP_NO) {
		want(places, assigned->pos, "/tmp");
		want(places, assigned->pos, "/var/tmp");
		places->backing |= assigned->word != POLICY_TMP_DISCONNECTED;
		places->kept |= assigned->word == POLICY_TMP_PERSISTENT;
	} else if (assigned->key == POLICY_PRIVATE_DEV_SHM && assigned->word == POLICY_YES) {
		want(places, assigned->pos, "/dev/shm");
	} else if (assigned->key == POLICY_PRIVATE_NETWORK && assigned->word == POLICY_YES) {
		want(places, assigned->pos, "/sys");
	} else if (is_own_proc(assigned->key) && assigned->word) {
		want_proc(places, assigned->pos);
	}
}

/* After look_at(), which finds out what is kept. */
static void look_at_root(void *arg, const struct policy_assigned *assigned)
{
	struct places *places = arg;

	if (assigned->key != POLICY_INSTANCE_ROOT || !assigned->text || alloc_list_has(&places->seen, assigned->text))
		return;
	alloc_list_add(&places->seen, assigned->text);
	check_instance_root(places->check, assigned->pos, assigned->text, places->kept);
}

void check_places(struct check *check)
{
	struct places places = {.check = check};

	for (size_t i = 0; i < policy_n_rules(check->policy); i++)
		policy_rule_assigned(check->policy, i, look_at, &places);
	for (size_t i = 0; i < policy_n_rules(check->policy); i++)
		policy_rule_assigned(check->policy, i, look_at_root, &places);
	if (places.backing && !alloc_list_has(&places.seen, NSCLONE_STATE_DIR))
		check_instance_root(check, check_at(NULL, 0), NSCLONE_STATE_DIR, places.kept);
	alloc_list_done(&places.seen);
}
