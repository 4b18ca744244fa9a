/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan_build(): what concerns the world as a whole: joining namespaces that are there, and the PID, cgroup and user
 * namespaces, which are unlike the others. Pure.
 *
 * A PID namespace needs an init that outlives the session: the keeper makes both, the plan joins. A user namespace cannot
 * be left again: it is made early, by a child, where it may still fail, and joined by the last step of all.
 */
#include <errno.h>
#include <linux/mount.h>
#include <sched.h>
#include <string.h>
#include "lib/session/builder.h"

enum { IDENTITY_IDS = 65536 };

/* The mount namespace first, so that it is gone back to last; the user namespace takes away the right to the others. */
static const int JOIN_ORDER[] = {
	CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWNET, CLONE_NEWCGROUP, CLONE_NEWPID, CLONE_NEWUSER,
};
enum { N_JOIN_ORDER = sizeof(JOIN_ORDER) / sizeof(*JOIN_ORDER) };

static struct plan_step *build_join(struct builder *b, int nstype, const char *whose, struct policy_pos pos)
{
	struct plan_step *step = build_step(b, PLAN_JOIN, NULL, pos);

	step->nstype = nstype;
	step->name = whose;
	return step;
}

static void build_joins(struct builder *b, uint64_t types, const char *whose, struct policy_pos pos)
{
	for (size_t i = 0; i < N_JOIN_ORDER; i++)
		if (types & (uint64_t)JOIN_ORDER[i])
			build_join(b, JOIN_ORDER[i], whose, pos);
}

bool build_wants_pids(const struct builder *b)
{
	return b->settings[POLICY_PRIVATE_PIDS].word == POLICY_YES;
}

void build_pids(struct builder *b)
{
	if (build_wants_pids(b))
		build_join(b, CLONE_NEWPID, "an init", b->settings[POLICY_PRIVATE_PIDS].pos);
}

static unsigned init_flag(const struct nsclone_mount_option *option)
{
	static const struct {
		const char *value;
		unsigned flag;
	} FLAGS[] = {
		{"pid", KEEPER_SUBSET_PID},
		{"noaccess", KEEPER_HIDEPID_NOACCESS},
		{"invisible", KEEPER_HIDEPID_INVISIBLE},
		{"ptraceable", KEEPER_HIDEPID_PTRACEABLE},
	};

	for (size_t i = 0; i < sizeof(FLAGS) / sizeof(*FLAGS); i++)
		if (strcmp(option->value, FLAGS[i].value) == 0)
			return FLAGS[i].flag;
	return 0;
}

bool plan_wants_init(const struct plan *plan, unsigned *ret_flags)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct plan_step *step = &plan->steps[i];

		if (step->kind != PLAN_TAKE)
			continue;
		*ret_flags = 0;
		for (size_t k = 0; k < step->n_options; k++)
			*ret_flags |= init_flag(&step->options[k]);
		return true;
	}
	return false;
}

bool build_wants_cgroup(const struct builder *b)
{
	return b->settings[POLICY_PROTECT_CONTROL_GROUPS].word != POLICY_CGROUPS_NO;
}

/* Its root is the cgroup that the process is in now: pam_systemd has put it there before. */
void build_cgroup(struct builder *b)
{
	const struct policy_setting *setting = &b->settings[POLICY_PROTECT_CONTROL_GROUPS];
	struct plan_step *step;

	if (!build_wants_cgroup(b))
		return;
	if (!b->facts->cgroup2) {
		build_fail(b, setting->pos, -EOPNOTSUPP,
			   "ProtectControlGroups= needs the unified hierarchy (cgroup2) at /sys/fs/cgroup");
		return;
	}
	build_step(b, PLAN_UNSHARE, NULL, setting->pos)->nstype = CLONE_NEWCGROUP;
	step = build_slot_step(b, PLAN_FILESYSTEM, "/sys/fs/cgroup", setting->pos);
	step->name = "cgroup2";
	step->attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
			   (setting->word == POLICY_CGROUPS_STRICT ? MOUNT_ATTR_RDONLY : 0);
	build_mount(b, step->slot, step->path, true, setting->pos);
}

/* What the kernel would answer only when the user's groups are set, after it is too late to go back. */
static void check_id(struct builder *b, struct policy_pos pos, const char *what, uint64_t id, uint64_t limit)
{
	if (id >= limit)
		build_fail(b, pos, -EINVAL, "PrivateUsers=: %s %llu has no place in the map", what, (unsigned long long)id);
}

static void check_groups(struct builder *b, const struct policy_setting *setting)
{
	const struct policy_subject *subject = b->subject;
	bool identity = setting->word == POLICY_USERS_IDENTITY;

	for (size_t i = 0; i < subject->n_groups; i++) {
		gid_t gid = subject->groups[i].gid;

		if (identity)
			check_id(b, setting->pos, "group", gid, IDENTITY_IDS);
		else if (gid != subject->gid && gid != 0)
			build_fail(b, setting->pos, -EINVAL,
				   "PrivateUsers=%s: the supplementary group %u has no place in the map (identity and full keep it)",
				   policy_word(POLICY_PRIVATE_USERS, setting->word), (unsigned)gid);
	}
}

static void map(struct builder *b, struct plan_step *step, const char *which, uid_t id)
{
	int word = b->settings[POLICY_PRIVATE_USERS].word;

	if (word == POLICY_USERS_FULL) /* in two parts: a map of one is how programs know the initial namespace */
		build_option(b, step, which, "0 0 1\n1 1 4294967294\n");
	else if (word == POLICY_USERS_IDENTITY)
		build_option(b, step, which, build_text(b, "0 0 %d\n", IDENTITY_IDS));
	else
		build_option(b, step, which, id ? build_text(b, "0 0 1\n%u %u 1\n", (unsigned)id, (unsigned)id) : "0 0 1\n");
}

void build_users(struct builder *b)
{
	const struct policy_setting *setting = &b->settings[POLICY_PRIVATE_USERS];
	struct plan_step *step;

	if (setting->word == POLICY_USERS_NO)
		return;
	if (setting->word == POLICY_USERS_IDENTITY) {
		check_id(b, setting->pos, "uid", b->subject->uid, IDENTITY_IDS);
		check_id(b, setting->pos, "gid", b->subject->gid, IDENTITY_IDS);
	}
	if (setting->word != POLICY_USERS_FULL)
		check_groups(b, setting);
	step = build_slot_step(b, PLAN_USERS, NULL, setting->pos);
	map(b, step, "uid", b->subject->uid);
	map(b, step, "gid", b->subject->gid);
	b->users = step->slot;
}

void build_join_users(struct builder *b)
{
	if (b->settings[POLICY_PRIVATE_USERS].word != POLICY_USERS_NO)
		build_join(b, CLONE_NEWUSER, "its own", b->settings[POLICY_PRIVATE_USERS].pos)->from = b->users;
}

int plan_build_join(const struct policy_subject *subject, uint64_t types, const char *whose, struct policy_pos rule,
		    struct plan **ret, struct err *err)
{
	struct builder b = {.subject = subject, .err = err};
	int r = plan_new(N_JOIN_ORDER + 1, &b.plan);

	if (r < 0)
		return err_set(err, r, "cannot make a plan");
	build_joins(&b, types & ~(uint64_t)CLONE_NEWUSER, whose, rule);
	if (types & CLONE_NEWNS)
		build_step(&b, PLAN_WORKING_DIRECTORY, NULL, rule)->uid = subject->uid;
	build_joins(&b, types & CLONE_NEWUSER, whose, rule);
	*ret = b.plan;
	return 0;
}
