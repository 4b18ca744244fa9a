/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a process inherits over fork and exec beside descriptors. Not in lib/: the module, a guest, may not link it.
 */
#include "keeper/fresh.h"
#include <signal.h>
#include <stddef.h>
#include <sys/stat.h>

int fresh_process(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int number = 1; number <= SIGRTMAX; number++)
		sigaction(number, &action, NULL); /* two numbers are the C library's own, and never ignored */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
	return 0;
}
