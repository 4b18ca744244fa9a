/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handle [silent] SERVICE USER: open a session and end it, and say what the process sees of that: which mount namespace
 * it is in after open and after pam_end, how often its handler of SIGCHLD was called, whether any child is left to wait
 * for. silent: pam_end alone, with PAM_DATA_SILENT.
 */
#include <errno.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t heard;

static void on_child(int signal)
{
	(void)signal;
	heard++;
}

static int converse(int n, const struct pam_message **messages, struct pam_response **ret, void *arg)
{
	(void)n, (void)messages, (void)ret, (void)arg;
	return PAM_CONV_ERR;
}

static void look(const char *when)
{
	char ns[64];
	ssize_t n = readlink("/proc/self/ns/mnt", ns, sizeof(ns));

	printf("%s %.*s\n", when, n < 0 ? 0 : (int)n, ns);
}

int main(int argc, char **argv)
{
	const struct pam_conv conversation = {.conv = converse};
	const int silent = argc == 4 && strcmp(argv[1], "silent") == 0;
	pam_handle_t *handle;

	if (argc - silent != 3 || pam_start(argv[1 + silent], argv[2 + silent], &conversation, &handle) != PAM_SUCCESS)
		return 2;
	signal(SIGCHLD, on_child);
	printf("open %d\n", pam_open_session(handle, 0));
	printf("heard %d\n", (int)heard);
	printf("child %s\n", waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD ? "none" : "left");
	look("inside");
	if (!silent)
		printf("close %d\n", pam_close_session(handle, 0));
	pam_end(handle, silent ? PAM_DATA_SILENT : PAM_SUCCESS);
	look("after");
	return 0;
}
