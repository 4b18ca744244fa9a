/* SPDX-License-Identifier: BSD-3-Clause */
/* swap ONE OTHER: exchange the two names, over and over, until killed. What an attacker does to a path in his home. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	unsigned long n = 0;

	if (argc != 3)
		return 2;
	for (;;) {
		/* not there for a moment, because the module is just making it: try again */
		if (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) < 0)
			usleep(10);
		else if (++n == 1)
			fputs("swapping\n", stderr);
	}
}
