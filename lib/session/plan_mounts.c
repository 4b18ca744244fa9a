/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan_build(): tmpfs with their limits, and the order in which mounts are attached. Pure.
 *
 * Every tmpfs has a size and an inode limit. Those for which the policy names none share one default, 10 % of the
 * memory and 2^20 inodes, so that a user with five of them has no more than one with one.
 */
#include <errno.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include "lib/session/builder.h"

enum { DEFAULT_INODES = 1024 * 1024, PAGE = 4096 };

static const struct {
	const char *name;
	uint64_t attribute;
} FLAGS[] = {
	{"noexec", MOUNT_ATTR_NOEXEC}, {"ro", MOUNT_ATTR_RDONLY},	{"noatime", MOUNT_ATTR_NOATIME},
	{"nodev", MOUNT_ATTR_NODEV},   {"nosuid", MOUNT_ATTR_NOSUID},	{"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW},
	{"exec", 0},		       {"rw", 0},			{"relatime", 0},
};
enum { N_FLAGS = sizeof(FLAGS) / sizeof(*FLAGS) };

static bool has_option(const char *options, const char *key)
{
	size_t n = strlen(key);

	for (const char *s = options; s && *s; s += *s == ',') {
		if (strncmp(s, key, n) == 0 && s[n] == '=')
			return true;
		s += strcspn(s, ",");
	}
	return false;
}

static void count(struct builder *b, const char *options)
{
	b->default_tmpfs += !has_option(options, "size") || !has_option(options, "nr_inodes");
}

void build_count_default_tmpfs(struct builder *b)
{
	const struct policy_setting *tmp = &b->settings[POLICY_PRIVATE_TMP], *shm = &b->settings[POLICY_PRIVATE_DEV_SHM],
				    *list = &b->settings[POLICY_TEMPORARY_FILE_SYSTEM];

	if (tmp->word == POLICY_TMP_DISCONNECTED) {
		count(b, tmp->text);
		count(b, tmp->text);
	}
	if (shm->word == POLICY_YES)
		count(b, shm->text);
	for (size_t i = 0; i < list->n_items; i++)
		count(b, list->items[i].options);
}

static void add_flag(struct builder *b, struct plan_step *step, const char *word)
{
	for (size_t i = 0; i < N_FLAGS; i++) {
		if (strcmp(FLAGS[i].name, word) == 0) {
			step->attributes |= FLAGS[i].attribute;
			return;
		}
	}
	build_fail(b, step->pos, -EINVAL, "%s: %s is not a mount option that may be given here", step->path, word);
}

static void add_options(struct builder *b, struct plan_step *step, const char *options)
{
	char *copy = build_text(b, "%s", options), *word, *equals;

	while ((word = strsep(&copy, ","))) {
		equals = strchr(word, '=');
		if (equals)
			*equals++ = '\0';
		if (equals)
			build_option(b, step, word, equals);
		else if (*word)
			add_flag(b, step, word);
	}
}

static void add_limits(struct builder *b, struct plan_step *step, const char *options)
{
	uint64_t size = b->facts->ram / 10 / (uint64_t)b->default_tmpfs / PAGE * PAGE;
	int inodes = DEFAULT_INODES / b->default_tmpfs;

	/* 0 is the kernel's word for unlimited */
	if (!has_option(options, "size"))
		build_option(b, step, "size",
			     build_text(b, "%lluk", (unsigned long long)(size < PAGE ? PAGE : size) / 1024));
	if (!has_option(options, "nr_inodes"))
		build_option(b, step, "nr_inodes", build_text(b, "%d", inodes));
}

void build_tmpfs(struct builder *b, const char *path, const char *options, const char *mode, struct policy_pos pos)
{
	struct plan_step *step = build_slot_step(b, PLAN_FILESYSTEM, build_text(b, "%s", path), pos);

	step->name = "tmpfs";
	step->attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | build_covered(b, path, pos);
	if (!has_option(options, "mode"))
		build_option(b, step, "mode", mode);
	if (!has_option(options, "size") || !has_option(options, "nr_inodes"))
		add_limits(b, step, options);
	if (options)
		add_options(b, step, options);
	build_mount(b, step->slot, step->path, false, pos);
}

uint64_t build_covered(struct builder *b, const char *path, struct policy_pos pos)
{
	const struct facts_place *place = facts_place(b->facts, path);

	if (!place || place->missing) {
		build_fail(b, pos, -ENOENT, "%s is not there or not a directory, so it cannot be made private", path);
		return 0;
	}
	return place->covered;
}

static bool same_place(const struct builder *b, const char *one, const char *other)
{
	const struct facts_place *x = facts_place(b->facts, one), *y = facts_place(b->facts, other);

	return strcmp(one, other) == 0 || (x && y && !x->missing && x->device == y->device && x->inode == y->inode);
}

static bool lies_below(const char *path, const char *directory)
{
	size_t n = strlen(directory);

	return strncmp(path, directory, n) == 0 && path[n] == '/';
}

void build_mount(struct builder *b, int slot, const char *path, bool ours, struct policy_pos pos)
{
	if (b->n_mounts == PLAN_MAX_MOUNTS) {
		build_fail(b, pos, -E2BIG, "the policy asks for more than %d mounts", PLAN_MAX_MOUNTS);
		return;
	}
	for (size_t i = 0; !ours && i < b->n_mounts; i++) {
		const char *other = b->mounts[i].path;

		if (b->mounts[i].ours)
			continue;
		if (same_place(b, path, other))
			build_fail(b, pos, -EINVAL, "%s and %s are the same directory, which can be made private only once",
				   path, other);
		else if (lies_below(path, other) || lies_below(other, path))
			build_fail(b, pos, -EINVAL, "%s and %s: what is made private cannot lie below what is made private",
				   path, other);
	}
	b->mounts[b->n_mounts++] = (struct planned_mount){slot, PLAN_NO_SLOT, path, ours, pos};
}

/* By path, so that parents come before what lies below them; /proc, and what were below it, last. */
static int in_order(const void *a, const void *b)
{
	const char *x = ((const struct planned_mount *)a)->path, *y = ((const struct planned_mount *)b)->path;
	int last = (strcmp(x, "/proc") == 0) - (strcmp(y, "/proc") == 0);

	return last ? last : strcmp(x, y);
}

static void attach(struct builder *b, const struct planned_mount *mount)
{
	struct plan_step *step = build_step(b, PLAN_ATTACH, mount->path, mount->pos);

	step->from = mount->slot;
	step->onto = mount->onto;
}

void build_attaches(struct builder *b)
{
	qsort(b->mounts, b->n_mounts, sizeof(*b->mounts), in_order);
	if (b->marker.path)
		attach(b, &b->marker);
	for (size_t i = 0; i < b->n_mounts; i++)
		attach(b, &b->mounts[i]);
}

bool build_wants_var_tmp(const struct builder *b)
{
	const struct facts_place *tmp = facts_place(b->facts, "/tmp"), *var_tmp = facts_place(b->facts, "/var/tmp");

	return var_tmp && !var_tmp->missing &&
	       !(tmp && tmp->device == var_tmp->device && tmp->inode == var_tmp->inode);
}
