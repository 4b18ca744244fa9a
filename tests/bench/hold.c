/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hold N SERVICE: N sessions of the PAM service in /etc/pam-bench, each of another user and in a process of its own: bench00,
 * held001, held002, ... Prints the first one's process when all are open, and keeps them until it is killed, when they
 * end without ceremony.
 */
#include <fcntl.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/bench/log.h"

enum { AT_ONCE = 8 };

static int say(int n, const struct pam_message **messages, struct pam_response **responses, void *data)
{
	(void)responses;
	(void)data;
	for (int i = 0; i < n; i++)
		fprintf(stderr, "hold: %s\n", messages[i]->msg);
	return PAM_CONV_ERR;
}

static int open_one(const char *service, int number)
{
	static const struct pam_conv conversation = {say, NULL};
	pam_handle_t *handle;
	char user[16];

	snprintf(user, sizeof(user), number ? "held%03d" : "bench00", number);
	if (pam_start_confdir(service, user, &conversation, "/etc/pam-bench", &handle) != PAM_SUCCESS)
		return -1;
	return pam_open_session(handle, 0) == PAM_SUCCESS ? 0 : -1;
}

static pid_t start_one(const char *service, int number, int tell)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || open_one(service, number) < 0 || write(tell, "x", 1) != 1)
		_exit(1);
	close(tell);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	int n = argc == 3 ? atoi(argv[1]) : 0, told[2];
	pid_t first = 0;
	char c;

	if (n <= 0 || pipe2(told, O_CLOEXEC) < 0 || forget_what_is_logged() < 0) {
		fprintf(stderr, "usage: hold N SERVICE\n");
		return 2;
	}
	for (int i = 0; i < n; i++) {
		pid_t pid = start_one(argv[2], i, told[1]);

		if (pid < 0 || (i >= AT_ONCE && read(told[0], &c, 1) != 1))
			return 1;
		first = i ? first : pid;
	}
	close(told[1]);
	for (int i = 0; i < (n < AT_ONCE ? n : AT_ONCE); i++)
		if (read(told[0], &c, 1) != 1)
			return 1; /* one has failed, and says why itself */
	printf("%d\n", (int)first);
	fflush(stdout);
	for (;;)
		pause();
}
