/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pam_after.so open=CODE close=CODE fork: a module that stands after ours in the stack and fails, or that has a child
 * of its own (as pam_exec and pam_mkhomedir do) and waits for just any, so that it trips over children that are not its.
 */
#include <errno.h>
#include <security/pam_modules.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int fork_and_wait(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(7);
	if (pid < 0 || wait(&status) != pid || WEXITSTATUS(status) != 7)
		return PAM_SYSTEM_ERR;
	return waitpid(-1, &status, WNOHANG) < 0 && errno == ECHILD ? PAM_SUCCESS : PAM_SYSTEM_ERR;
}

static int answer(const char *which, int argc, const char **argv)
{
	int r = PAM_SUCCESS;

	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], which, strlen(which)) == 0)
			r = atoi(argv[i] + strlen(which));
		else if (strcmp(argv[i], "fork") == 0 && fork_and_wait() != PAM_SUCCESS)
			return PAM_SYSTEM_ERR;
	}
	return r;
}

int pam_sm_open_session(pam_handle_t *handle, int flags, int argc, const char **argv)
{
	(void)handle;
	(void)flags;
	return answer("open=", argc, argv);
}

int pam_sm_close_session(pam_handle_t *handle, int flags, int argc, const char **argv)
{
	(void)handle;
	(void)flags;
	return answer("close=", argc, argv);
}
