/* SPDX-License-Identifier: BSD-3-Clause */
/* How `nsclone explain` words what login_decide() found: explain.c asks, explain_words.c says. */
#ifndef NSCLONE_CMD_EXPLAIN_H
#define NSCLONE_CMD_EXPLAIN_H

#include "cmd/table.h"
#include "lib/session/login.h"

enum {
	EXPLAIN_SERVICE,
	EXPLAIN_SETTING,
	EXPLAIN_VALUE,
	EXPLAIN_SOURCE,
	EXPLAIN_OVERRODE,
	EXPLAIN_N_COLUMNS,
};

/* A row for each setting that a rule set; with all, also for the others. */
void explain_settings(struct table *table, const char *service, const struct policy_result *result, bool all);

/* With whom the world is shared, to stdout: logins by services with the same key are together. */
void explain_scope(const struct login *login);

/* The rules that apply, that are only tried and that do not apply, to stdout. */
void explain_rules(const struct login *login);

/* The value as a policy would have it. The caller frees it. */
char *explain_value(enum policy_key key, const struct policy_setting *setting);

#endif
