/* SPDX-License-Identifier: BSD-3-Clause */
/* Does sshd ask PAM at all? See check.h. */
#include "cmd/check.h"
#include "cmd/sshd_config.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void check_sshd(struct check *check)
{
	int r = sshd_config_access();
	char *file = NULL, *value;
	unsigned line = 0;

	if (r == -ENOENT)
		return;
	if (r < 0) {
		check_say(check, CHECK_UNSEEN, check_at(NULL, 0), NULL, "whether sshd uses PAM: sshd_config: %s",
			  strerror(-r));
		return;
	}
	value = sshd_config_value("UsePAM", &file, &line);
	if (!value)
		check_say(
		    check, CHECK_ERROR, check_at(NULL, 0), "UsePAM yes in sshd_config",
		    "sshd does not use PAM, and nobody is isolated by it: UsePAM is not set, and its default is no");
	else if (strcasecmp(value, "yes") != 0)
		check_say(check, CHECK_ERROR, check_at(file, line), "UsePAM yes",
			  "sshd does not use PAM, and nobody is isolated by it: UsePAM %s", value);
	free(value);
	free(file);
}
