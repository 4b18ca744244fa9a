/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of plan_build() share. Private to plan_*.c.
 */
#ifndef NSCLONE_BUILDER_H
#define NSCLONE_BUILDER_H

#include "lib/session/arena.h"
#include "lib/session/plan.h"

enum { PLAN_MAX_MOUNTS = 160 };

struct plan {
	struct arena *arena;
	struct plan_step *steps;
	size_t n;
	size_t room;
	int n_slots;
};

/* A mount that will be attached: its slot, and where. */
struct planned_mount {
	int slot;
	int onto;  /* the marker: the directory's slot */
	const char *path;
	bool ours; /* part of something else (a cgroup mount in the new /sys), not a directory made private */
	struct policy_pos pos;
};

struct builder {
	struct plan *plan;
	const struct policy_setting *settings;
	const struct policy_subject *subject;
	const struct facts *facts;
	struct err *err;
	struct planned_mount mounts[PLAN_MAX_MOUNTS];
	size_t n_mounts;
	struct planned_mount marker; /* path NULL: there is none */
	int default_tmpfs; /* how many share the default limits */
	bool as_user;      /* InstanceRoot= lies below the user's home */
	int user_dir;      /* slot of InstanceRoot/UID */
	const char *user_path;
	int users;         /* slot of the user namespace */
	char nothing[1];   /* what build_text() gives when there is no memory */
	int error;         /* the first one: what follows does nothing */
};

/* A new step at the end, already in *plan; never NULL (after an error a spare one, which is not in the plan). */
struct plan_step *build_step(struct builder *b, enum plan_kind kind, const char *path, struct policy_pos pos);

/* The same, filling a new slot. */
struct plan_step *build_slot_step(struct builder *b, enum plan_kind kind, const char *path, struct policy_pos pos);

/* Note the first error. */
void build_fail(struct builder *b, struct policy_pos pos, int code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Text that is the plan's; "" after running out of memory, which is then the builder's error. */
char *build_text(struct builder *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

void build_option(struct builder *b, struct plan_step *step, const char *key, const char *value);

/* plan_mounts.c: what is mounted. Each adds its steps and a planned_mount. */
void build_tmpfs(struct builder *b, const char *path, const char *options, const char *mode, struct policy_pos pos);
void build_count_default_tmpfs(struct builder *b);
void build_mount(struct builder *b, int slot, const char *path, bool ours, struct policy_pos pos);
void build_attaches(struct builder *b);

/* /var/tmp is sometimes a link to /tmp, or missing: then there is nothing that could be shared by its name. */
bool build_wants_var_tmp(const struct builder *b);

/* plan_directories.c: what is kept below InstanceRoot=. */
void build_directories(struct builder *b);
const char *build_instance_root(struct builder *b);
bool build_below_home(const struct builder *b, const char *path);

/* plan_worlds.c */
void build_pids(struct builder *b);
void build_cgroup(struct builder *b);
void build_users(struct builder *b);
void build_join_users(struct builder *b);
bool build_wants_pids(const struct builder *b);
bool build_wants_cgroup(const struct builder *b);

/* plan.c: an empty plan with room for so many steps. */
int plan_new(size_t room, struct plan **ret);

/* The directory is there, and what of the mount that it covers must be kept. */
uint64_t build_covered(struct builder *b, const char *path, struct policy_pos pos);

#endif
