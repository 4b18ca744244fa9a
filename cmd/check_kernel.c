/* SPDX-License-Identifier: BSD-3-Clause */
/* Does this kernel, in this sandbox, give what the policy asks for? See check.h; feature.h says how that is found out.
 */
#include "cmd/check.h"
#include "cmd/feature.h"
#include <stdlib.h>

static void add_name(char **list, const char *name)
{
	char *longer = *list ? alloc_format("%s, %s", *list, name) : alloc_copy(name);

	free(*list);
	*list = longer;
}

void check_kernel(struct check *check)
{
	char *unseen = NULL, detail[600];

	if (!check->keys)
		return;
	for (size_t i = 0; i < n_features; i++) {
		const struct feature *feature = &features[i];
		enum feature_state state;

		if (!(feature->keys & check->keys))
			continue;
		state = feature_try(feature, detail, sizeof(detail));
		if (state == FEATURE_UNSEEN)
			add_name(&unseen, feature->name);
		if (state == FEATURE_NO && !feature->without)
			check_say(check, CHECK_ERROR, check_at(NULL, 0), NULL, "no %s here, which %s needs: %s",
				  feature->name, feature->used_by, detail);
	}
	if (unseen)
		check_say(check, CHECK_UNSEEN, check_at(NULL, 0), "run this as root",
			  "whether this kernel and sandbox allow: %s", unseen);
	free(unseen);
}
