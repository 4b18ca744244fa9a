// SPDX-License-Identifier: BSD-3-Clause
/*
 * The record of a failure: which call, on what, and the reason where more is known than errno says.
 *
 * It makes no prose, knows no errno's text and prints nothing: the faces do that.
 */
#include <stdio.h>

#include "lib/core/nsclone.h"

int nsclone_fail(struct nsclone_error *error, int code, const char *call, const char *object, const char *reason)
{
	if (!error)
		return code;
	error->call = call;
	snprintf(error->object, sizeof(error->object), "%s", object ? object : "");
	snprintf(error->reason, sizeof(error->reason), "%s", reason ? reason : "");
	return code;
}
