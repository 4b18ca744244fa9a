// SPDX-License-Identifier: BSD-3-Clause
/* What the running kernel says of itself. It refuses to conclude anything from it: vendors backport. */
#include <stdio.h>
#include <sys/utsname.h>

#include "lib/core/kernel.h"

unsigned int kernel_version(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname name;

	if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return 0;
	return major << 8 | (minor & 0xff);
}
