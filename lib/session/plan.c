/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan_build(): settings + facts -> steps. Pure. The order of the steps is a matter of safety:
 *
 *   collect                   litter of earlier sessions
 *   unshare mount, slave      before anything is mounted or unmounted; nothing propagates out
 *   new root                  (pivot) a copy of the tree, aside
 *   directories, record       cheap to fail, easy to undo
 *   copies                    all sources are opened before the first mount covers anything
 *   unshare ipc, uts, net     the dearer ones; what lives in them (host name, lo); a user namespace is made, not entered
 *   file systems              made detached
 *   detach, attach            parents before what lies below them; /proc last
 *   pivot                     (pivot) enter the new root
 *   working directory         by its path in the new tree
 *   join user                 cannot be undone
 */
#include "lib/session/plan.h"
#include <errno.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/session/builder.h"

void build_fail(struct builder *b, struct policy_pos pos, int code, const char *format, ...)
{
	char text[512];
	va_list ap;

	if (b->error)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	b->error = code;
	err_set(b->err, 0, "%s", text);
	err_at(b->err, pos);
}

char *build_text(struct builder *b, const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = arena_vprintf(&b->plan->arena, format, ap);
	va_end(ap);
	if (text)
		return text;
	build_fail(b, (struct policy_pos){0}, -ENOMEM, "cannot make a plan: out of memory");
	b->nothing[0] = '\0';
	return b->nothing;
}

struct plan_step *build_step(struct builder *b, enum plan_kind kind, const char *path, struct policy_pos pos)
{
	struct plan *plan = b->plan;
	struct plan_step *step;

	if (plan->n == plan->room)
		build_fail(b, pos, -E2BIG, "the policy asks for more than %zu steps", plan->room);
	/* the array has one element more than it may use: the spare one */
	step = &plan->steps[b->error ? plan->room : plan->n++];
	*step = (struct plan_step){
		.kind = kind, .slot = PLAN_NO_SLOT, .from = PLAN_NO_SLOT, .onto = PLAN_NO_SLOT, .path = path, .pos = pos,
	};
	return step;
}

struct plan_step *build_slot_step(struct builder *b, enum plan_kind kind, const char *path, struct policy_pos pos)
{
	struct plan_step *step = build_step(b, kind, path, pos);

	step->slot = b->plan->n_slots++;
	return step;
}

void build_option(struct builder *b, struct plan_step *step, const char *key, const char *value)
{
	if (step->n_options == PLAN_MAX_OPTIONS)
		build_fail(b, step->pos, -E2BIG, "too many mount options for %s", step->path);
	else
		step->options[step->n_options++] = (struct nsclone_mount_option){key, value};
}

static const struct policy_setting *get(const struct builder *b, enum policy_key key)
{
	return &b->settings[key];
}

static bool is_yes(const struct builder *b, enum policy_key key)
{
	return get(b, key)->word == POLICY_YES;
}

static bool wants_proc(const struct builder *b)
{
	return build_wants_pids(b) || get(b, POLICY_PROTECT_PROC)->word != POLICY_PROC_DEFAULT ||
	       get(b, POLICY_PROC_SUBSET)->word != POLICY_SUBSET_ALL;
}

static bool wants_mqueue(const struct builder *b)
{
	return is_yes(b, POLICY_PRIVATE_IPC) && b->facts->mqueue;
}

/* The rule that first makes a mount namespace necessary, for the log. */
static const struct policy_setting *mount_reason(const struct builder *b)
{
	if (get(b, POLICY_PRIVATE_TMP)->word != POLICY_TMP_NO)
		return get(b, POLICY_PRIVATE_TMP);
	if (get(b, POLICY_PRIVATE_DIRECTORY)->n_items)
		return get(b, POLICY_PRIVATE_DIRECTORY);
	if (is_yes(b, POLICY_PRIVATE_DEV_SHM))
		return get(b, POLICY_PRIVATE_DEV_SHM);
	if (get(b, POLICY_TEMPORARY_FILE_SYSTEM)->n_items)
		return get(b, POLICY_TEMPORARY_FILE_SYSTEM);
	if (wants_mqueue(b))
		return get(b, POLICY_PRIVATE_IPC);
	if (is_yes(b, POLICY_PRIVATE_NETWORK))
		return get(b, POLICY_PRIVATE_NETWORK);
	if (build_wants_pids(b))
		return get(b, POLICY_PRIVATE_PIDS);
	if (build_wants_cgroup(b))
		return get(b, POLICY_PROTECT_CONTROL_GROUPS);
	if (wants_proc(b))
		return get(b, POLICY_PROTECT_PROC)->set ? get(b, POLICY_PROTECT_PROC) : get(b, POLICY_PROC_SUBSET);
	return NULL;
}

static void build_unshare(struct builder *b, int nstype, struct policy_pos pos)
{
	build_step(b, PLAN_UNSHARE, NULL, pos)->nstype = nstype;
}

static void build_mount_namespace(struct builder *b)
{
	const struct policy_setting *reason = mount_reason(b);

	if (!reason)
		return;
	build_unshare(b, CLONE_NEWNS, reason->pos);
	build_step(b, PLAN_SLAVE, "/", reason->pos);
	if (facts_wants_pivot(b->settings))
		build_slot_step(b, PLAN_NEW_ROOT, "/", get(b, POLICY_PRIVATE_TMP_METHOD)->pos);
}

static void build_other_namespaces(struct builder *b)
{
	const struct policy_setting *ipc = get(b, POLICY_PRIVATE_IPC), *uts = get(b, POLICY_PROTECT_HOSTNAME),
				    *net = get(b, POLICY_PRIVATE_NETWORK);

	if (ipc->word == POLICY_YES)
		build_unshare(b, CLONE_NEWIPC, ipc->pos);
	if (uts->word != POLICY_HOSTNAME_NO)
		build_unshare(b, CLONE_NEWUTS, uts->pos);
	if (uts->word != POLICY_HOSTNAME_NO && uts->text)
		build_step(b, PLAN_HOSTNAME, NULL, uts->pos)->name = build_text(b, "%s", uts->text);
	if (net->word == POLICY_YES) {
		build_unshare(b, CLONE_NEWNET, net->pos);
		build_step(b, PLAN_LOOPBACK, "lo", net->pos);
	}
}

static void build_mqueue(struct builder *b)
{
	struct policy_pos pos = get(b, POLICY_PRIVATE_IPC)->pos;
	struct plan_step *step;

	if (!wants_mqueue(b))
		return;
	step = build_slot_step(b, PLAN_FILESYSTEM, "/dev/mqueue", pos);
	step->name = "mqueue";
	step->attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	build_mount(b, step->slot, "/dev/mqueue", false, pos);
}

/* A sysfs shows the network devices of the namespace in which it was mounted: the host's must not be seen any more. */
static void build_sys(struct builder *b)
{
	struct policy_pos pos = get(b, POLICY_PRIVATE_NETWORK)->pos;
	struct plan_step *step;

	if (!is_yes(b, POLICY_PRIVATE_NETWORK))
		return;
	for (size_t i = 0; i < b->facts->n_sys_mounts; i++) {
		if (build_wants_cgroup(b) && strcmp(b->facts->sys_mounts[i], "/sys/fs/cgroup") == 0)
			continue; /* an own one goes there */
		step = build_slot_step(b, PLAN_COPY, b->facts->sys_mounts[i], pos);
		step->recursive = true;
		build_mount(b, step->slot, step->path, true, pos);
	}
	step = build_slot_step(b, PLAN_FILESYSTEM, "/sys", pos);
	step->name = "sysfs";
	step->attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | build_covered(b, "/sys", pos);
	build_mount(b, step->slot, "/sys", false, pos);
}

/* What the policy asks for, but never less than the host hides. */
static int hidepid_word(const struct builder *b, int asked)
{
	if (asked == POLICY_PROC_INVISIBLE || asked == POLICY_PROC_PTRACEABLE)
		return asked;
	return b->facts->hidepid == 4   ? POLICY_PROC_PTRACEABLE
	       : b->facts->hidepid == 2 ? POLICY_PROC_INVISIBLE
	       : b->facts->hidepid == 1 ? POLICY_PROC_NOACCESS
					: asked;
}

static void build_proc(struct builder *b)
{
	const struct policy_setting *protect = get(b, POLICY_PROTECT_PROC), *subset = get(b, POLICY_PROC_SUBSET);
	struct policy_pos pos = protect->set ? protect->pos : subset->set ? subset->pos : get(b, POLICY_PRIVATE_PIDS)->pos;
	struct plan_step *step;
	int hidepid;

	if (!wants_proc(b))
		return;
	step = build_slot_step(b, build_wants_pids(b) ? PLAN_TAKE : PLAN_FILESYSTEM, "/proc", pos);
	step->name = "proc";
	step->attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | build_covered(b, "/proc", pos);
	hidepid = hidepid_word(b, protect->word);
	if (hidepid != POLICY_PROC_DEFAULT)
		build_option(b, step, "hidepid", policy_word(POLICY_PROTECT_PROC, hidepid));
	if (subset->word == POLICY_SUBSET_PID)
		build_option(b, step, "subset", "pid");
	build_mount(b, step->slot, "/proc", false, pos);
}

static void build_tmpfs_mounts(struct builder *b)
{
	const struct policy_setting *tmp = get(b, POLICY_PRIVATE_TMP), *shm = get(b, POLICY_PRIVATE_DEV_SHM),
				    *list = get(b, POLICY_TEMPORARY_FILE_SYSTEM);

	build_count_default_tmpfs(b);
	if (tmp->word == POLICY_TMP_DISCONNECTED) {
		build_tmpfs(b, "/tmp", tmp->text, "1777", tmp->pos);
		if (build_wants_var_tmp(b))
			build_tmpfs(b, "/var/tmp", tmp->text, "1777", tmp->pos);
	}
	if (shm->word == POLICY_YES)
		build_tmpfs(b, "/dev/shm", shm->text, "1777", shm->pos);
	for (size_t i = 0; i < list->n_items; i++)
		build_tmpfs(b, list->items[i].path, list->items[i].options, "0755", list->items[i].pos);
}

static void build_detaches(struct builder *b)
{
	struct policy_pos pos = get(b, POLICY_PRIVATE_TMP_METHOD)->pos;

	for (size_t i = 0; i < b->facts->n_detach; i++)
		build_step(b, PLAN_DETACH, build_text(b, "%s", b->facts->detach[i]), pos);
	for (size_t i = 0; b->facts->n_detach && i < b->n_mounts; i++)
		if (!b->mounts[i].ours)
			build_step(b, PLAN_PRIVATE, b->mounts[i].path, pos);
}

static void build_collect(struct builder *b)
{
	const struct policy_setting *tmp = get(b, POLICY_PRIVATE_TMP);
	struct plan_step *step;

	if (tmp->word != POLICY_TMP_YES)
		return;
	step = build_step(b, PLAN_COLLECT, NSCLONE_RUN_DIR "/sessions", tmp->pos);
	step->uid = b->subject->uid;
	step->gid = b->subject->gid;
	step->name = build_instance_root(b);
	step->as_user = build_below_home(b, step->name);
}

static void build_all(struct builder *b)
{
	build_pids(b);
	build_collect(b);
	build_mount_namespace(b);
	build_directories(b);
	build_other_namespaces(b);
	build_users(b);
	build_tmpfs_mounts(b);
	build_mqueue(b);
	build_sys(b);
	build_cgroup(b);
	build_proc(b);
	build_detaches(b);
	build_attaches(b);
	if (facts_wants_pivot(b->settings))
		build_step(b, PLAN_PIVOT, "/", get(b, POLICY_PRIVATE_TMP_METHOD)->pos);
	if (mount_reason(b))
		build_step(b, PLAN_WORKING_DIRECTORY, NULL, mount_reason(b)->pos)->uid = b->subject->uid;
	build_join_users(b);
}

bool plan_isolates(const struct policy_result *result)
{
	const struct facts none = {0};
	const struct builder b = {.settings = result->settings, .facts = &none};

	return mount_reason(&b) || is_yes(&b, POLICY_PRIVATE_IPC) ||
	       get(&b, POLICY_PROTECT_HOSTNAME)->word != POLICY_HOSTNAME_NO || get(&b, POLICY_PRIVATE_USERS)->word != POLICY_USERS_NO;
}

/* Steps stay where they are while others are added, so there is room for all from the beginning. */
static size_t room_for(const struct policy_setting *s, const struct facts *facts)
{
	return 64 + 4 * s[POLICY_PRIVATE_DIRECTORY].n_items + 2 * s[POLICY_TEMPORARY_FILE_SYSTEM].n_items +
	       2 * facts->n_sys_mounts + facts->n_detach + s[POLICY_PRIVATE_DIRECTORY].n_items +
	       s[POLICY_TEMPORARY_FILE_SYSTEM].n_items;
}

int plan_new(size_t room, struct plan **ret)
{
	struct plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return -ENOMEM;
	plan->room = room;
	plan->steps = arena_room(&plan->arena, (room + 1) * sizeof(*plan->steps));
	if (!plan->steps) {
		plan_free(plan);
		return -ENOMEM;
	}
	*ret = plan;
	return 0;
}

int plan_build(const struct policy_result *result, const struct policy_subject *subject, const struct facts *facts,
	       struct plan **ret, struct err *err)
{
	struct builder b = {
		.settings = result->settings, .subject = subject, .facts = facts, .err = err, .user_dir = PLAN_NO_SLOT,
	};
	int r = plan_new(room_for(result->settings, facts), &b.plan);

	if (r < 0)
		return err_set(err, r, "cannot make a plan");
	build_all(&b);
	if (b.error) {
		plan_free(b.plan);
		return b.error;
	}
	*ret = b.plan;
	return 0;
}

struct plan *plan_free(struct plan *plan)
{
	if (plan) {
		arena_free(plan->arena);
		free(plan);
	}
	return NULL;
}

bool plan_is_empty(const struct plan *plan)
{
	return plan->n == 0;
}

size_t plan_steps(const struct plan *plan, const struct plan_step **ret)
{
	*ret = plan->steps;
	return plan->n;
}
