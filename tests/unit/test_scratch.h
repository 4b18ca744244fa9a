/* SPDX-License-Identifier: BSD-3-Clause */
/* A machine whose /run, /var/lib and /tmp are the test's own, and its user. Needs root. */
#ifndef TEST_SCRATCH_H
#define TEST_SCRATCH_H

#include <sys/mount.h>
#include "lib/session/plan.h"
#include "tests/unit/test_core.h"

enum { UID = 20001 };

static const struct policy_subject ALICE = {
	.user = "alice", .uid = UID, .gid = UID, .home = "/home/alice", .service = "test",
};

/* In a child: end it and say why, with a status that is no case's outcome. */
static inline void must(int r, const char *what)
{
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", what, strerror(errno));
		_exit(99);
	}
}

/* In a child: new namespaces of these types, and mounts of which nothing gets out. 0: it has a mount namespace. */
static inline void leave_host(int types)
{
	must(unshare(types), "unshare");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
}

static inline void scratch_at(const char *path, const char *mode)
{
	must(mount("scratch", path, "tmpfs", 0, mode), path);
}

static inline void scratch_world(int types)
{
	leave_host(types);
	scratch_at("/run", "mode=755");
	scratch_at("/var/lib", "mode=755");
	scratch_at("/tmp", "mode=1777");
}

/* All that needs no keeper. */
static inline void isolate(struct policy_setting *settings, int tmp, int method)
{
	settings[POLICY_ISOLATE].word = POLICY_YES;
	settings[POLICY_PRIVATE_TMP].word = tmp;
	settings[POLICY_PRIVATE_TMP_METHOD].word = method;
	settings[POLICY_PRIVATE_DEV_SHM].word = POLICY_YES;
	settings[POLICY_PRIVATE_IPC].word = POLICY_YES;
	settings[POLICY_PRIVATE_NETWORK].word = POLICY_YES;
	settings[POLICY_PROTECT_HOSTNAME].word = POLICY_HOSTNAME_YES;
	settings[POLICY_PROTECT_HOSTNAME].text = "inside";
	settings[POLICY_PROTECT_PROC].word = POLICY_PROC_INVISIBLE;
}

/* What a login of ALICE does by this. */
static inline struct plan *plan_for(const struct policy_result *result)
{
	static struct facts facts; /* the plan points into it */
	struct plan *plan = NULL;
	struct err err = {0};

	facts = (struct facts){0};
	must(facts_gather(result, &facts, &err) == 0 ? 0 : -1, err.text);
	must(plan_build(result, &ALICE, &facts, &plan, &err) == 0 ? 0 : -1, err.text);
	return plan;
}

#endif
