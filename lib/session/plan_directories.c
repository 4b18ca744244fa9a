/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan_build(): the directories that are kept below InstanceRoot=. Pure.
 *
 *   InstanceRoot/                  root's, 0700: nobody else comes near what is below
 *     UID/                         the user's, 0700; locked while a plan runs
 *       tmp/  var-tmp/             PrivateTmp=persistent: root's, 1777, mounted on /tmp and /var/tmp
 *       .session-TOKEN/tmp/ ...    PrivateTmp=yes: the same for one session; recorded first
 *       scratch-data/              PrivateDirectory=/scratch/data: the user's, the mode of the policy
 *
 * tmp belongs to root like every /tmp: a sticky directory protects root's and other users' files in it from everybody
 * but its owner, and fs.protected_symlinks trusts links of the owner of the directory. Where InstanceRoot= lies below
 * the user's home, root may have no rights there (NFS): all of it is made with the user's credentials and is the user's.
 */
#include <errno.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include "lib/session/builder.h"
#include "lib/session/litter.h"

const char *build_instance_root(struct builder *b)
{
	const char *path = b->settings[POLICY_INSTANCE_ROOT].text;

	return build_text(b, "%s", path ? path : NSCLONE_STATE_DIR);
}

/* The next component of a path; empty ones and `.` are none. */
static const char *component(const char **path, size_t *n)
{
	const char *start;

	do {
		start = *path + strspn(*path, "/");
		*n = strcspn(start, "/");
		*path = start + *n;
	} while (*n == 1 && *start == '.');
	return start;
}

/* Component by component: passwd says /home/alice/ as well as /home/alice. */
bool build_below_home(const struct builder *b, const char *path)
{
	const char *home = b->subject->home;
	size_t n, m, depth = 0;

	while (home) {
		const char *h = component(&home, &n), *p = component(&path, &m);

		if (n == 0)
			return depth > 0 && m > 0;
		if (n != m || strncmp(h, p, n) != 0)
			return false;
		depth++;
	}
	return false;
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
	       c == ':';
}

/* One name for a path, as systemd-escape --path makes it: /var/tmp is var-tmp, a dash is \x2d. Never begins with a dot. */
static const char *escape(struct builder *b, const char *path)
{
	/* every character takes four at most */
	char *name = build_text(b, "%*s", (int)(4 * strlen(path)), ""), *to = name, *end = name + strlen(name);

	for (path += *path == '/'; *path && to < end; path++) {
		if (*path == '/')
			*to++ = '-';
		else if (is_plain(*path) && !(*path == '.' && to == name))
			*to++ = *path;
		else
			to += snprintf(to, 5, "\\x%02x", (unsigned char)*path);
	}
	if (to < end)
		*to = '\0';
	return name;
}

static struct plan_step *directory(struct builder *b, int parent, const char *parent_path, const char *name,
				   struct policy_pos pos)
{
	const char *path = build_text(b, "%s/%s", parent_path, name);
	struct plan_step *step = build_slot_step(b, PLAN_DIRECTORY, path, pos);

	step->name = name;
	step->from = parent;
	step->mode = 0700;
	step->uid = b->subject->uid;
	step->gid = b->subject->gid;
	step->as_user = b->as_user;
	if (strlen(name) > NAME_MAX - 5) /* while it is made ".new-" stands before it */
		build_fail(b, pos, -ENAMETOOLONG, "%s: the name of its instance is too long", path);
	return step;
}

/* InstanceRoot itself, and InstanceRoot/UID. */
static void build_user_directory(struct builder *b, struct policy_pos pos)
{
	const char *root = build_instance_root(b);
	struct plan_step *step;

	if (b->settings[POLICY_INSTANCE_ROOT].set)
		pos = b->settings[POLICY_INSTANCE_ROOT].pos;
	b->as_user = build_below_home(b, root);
	step = build_slot_step(b, PLAN_DIRECTORY, root, pos);
	step->mode = 0700;
	step->uid = b->as_user ? b->subject->uid : 0;
	step->gid = b->as_user ? b->subject->gid : 0;
	step->as_user = b->as_user;
	step = directory(b, step->slot, root, build_text(b, "%u", (unsigned)b->subject->uid), pos);
	step->lock = true;
	b->user_dir = step->slot;
	b->user_path = step->path;
}

static void build_instance(struct builder *b, struct plan_step *made, const char *target, struct policy_pos pos)
{
	int from = made->slot;
	struct plan_step *step = build_slot_step(b, PLAN_COPY, made->path, pos);

	step->from = from;
	step->as_user = b->as_user;
	step->attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | build_covered(b, target, pos);
	build_mount(b, step->slot, target, false, pos);
}

static struct plan_step *tmp_directory(struct builder *b, int parent, const char *parent_path, const char *target,
				       struct policy_pos pos)
{
	struct plan_step *step = directory(b, parent, parent_path, escape(b, target), pos);

	step->mode = 01777;
	if (!b->as_user)
		step->uid = step->gid = 0;
	return step;
}

/* In the session a tmpfs covers the session's directory: when it goes, nothing of the session is left anywhere. */
static void build_marker(struct builder *b, int onto, const char *path, struct policy_pos pos)
{
	struct plan_step *step = build_slot_step(b, PLAN_FILESYSTEM, path, pos);

	step->name = "tmpfs";
	step->attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	build_option(b, step, "mode", "0400");
	build_option(b, step, "size", "4k");
	build_option(b, step, "nr_inodes", "1");
	b->marker = (struct planned_mount){.slot = step->slot, .onto = onto, .path = path, .pos = pos};
}

static void build_private_tmp(struct builder *b, int parent, const char *path, struct policy_pos pos)
{
	build_instance(b, tmp_directory(b, parent, path, "/tmp", pos), "/tmp", pos);
	if (build_wants_var_tmp(b))
		build_instance(b, tmp_directory(b, parent, path, "/var/tmp", pos), "/var/tmp", pos);
}

static void build_session_tmp(struct builder *b, struct policy_pos pos)
{
	const char *name = build_text(b, RECORD_SESSION "%s", b->facts->token);
	struct plan_step *step = build_step(b, PLAN_RECORD, NULL, pos);

	step->name = build_text(b, "%u-%s", (unsigned)b->subject->uid, b->facts->token);
	step->path = build_text(b, "%s/" RECORD_SESSION "%s", b->user_path, b->facts->token);
	step->uid = b->subject->uid;
	step->gid = b->subject->gid;
	step->as_user = b->as_user;
	step = directory(b, b->user_dir, b->user_path, name, pos);
	step->exclusive = true;
	build_private_tmp(b, step->slot, step->path, pos);
	build_marker(b, step->slot, step->path, pos);
}

void build_directories(struct builder *b)
{
	const struct policy_setting *tmp = &b->settings[POLICY_PRIVATE_TMP],
				    *list = &b->settings[POLICY_PRIVATE_DIRECTORY];
	bool kept = tmp->word == POLICY_TMP_PERSISTENT, taken = tmp->word == POLICY_TMP_YES;

	if (!kept && !taken && !list->n_items)
		return;
	build_user_directory(b, kept || taken ? tmp->pos : list->items[0].pos);
	if (kept)
		build_private_tmp(b, b->user_dir, b->user_path, tmp->pos);
	for (size_t i = 0; i < list->n_items; i++) {
		struct plan_step *step = directory(b, b->user_dir, b->user_path, escape(b, list->items[i].path),
						   list->items[i].pos);

		step->mode = list->items[i].mode;
		build_instance(b, step, build_text(b, "%s", list->items[i].path), list->items[i].pos);
	}
	if (taken)
		build_session_tmp(b, tmp->pos);
}
