/* SPDX-License-Identifier: BSD-3-Clause */
/* The directories below which users' own directories are kept. See roots.h. */
#include "cmd/roots.h"

#include "lib/session/facts.h"
#include <stdlib.h>
#include <string.h>

char *roots_plain(const char *path)
{
	char *plain = alloc_copy(path), *to = plain;

	for (const char *p = path; *p; p++) {
		if (p[0] == '%' && p[1] != '%') {
			free(plain);
			return NULL;
		}
		p += p[0] == '%';
		*to++ = *p;
	}
	*to = '\0';
	return plain;
}

static void note_root(void *arg, const struct policy_assigned *assigned)
{
	struct alloc_list *list = arg;
	char *plain;

	if (assigned->key != POLICY_INSTANCE_ROOT || !assigned->text)
		return;
	plain = roots_plain(assigned->text);
	if (plain && !alloc_list_has(list, plain))
		alloc_list_add(list, plain);
	free(plain);
}

void roots_of_policy(const struct policy *policy, struct alloc_list *ret)
{
	alloc_list_add(ret, NSCLONE_STATE_DIR);
	for (size_t i = 0; i < policy_n_rules(policy); i++)
		policy_rule_assigned(policy, i, note_root, ret);
}
