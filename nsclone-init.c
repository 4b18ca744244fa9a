// SPDX-License-Identifier: BSD-3-Clause
/*
 * nsclone-init: process 1 of a user's PID namespace. nsclone-keeper starts it, and it outlives every session in there.
 *
 * It makes a procfs of its PID namespace, hands it to the keeper, and from then on does nothing at all: SIGCHLD is
 * ignored, so the kernel itself reaps every orphan at the moment it dies, and no fork bomb has anything to wake.
 *
 * It is root without a right, in a namespace full of somebody who may be hostile:
 *  - killed or stopped from inside it cannot be: the kernel keeps signals without a handler from process 1 of a PID
 *    namespace, SIGKILL and SIGSTOP among them. So it MUST NOT have handlers, nor block signals (those are queued).
 *  - killed or stopped from outside neither: all its user ids are root's, whoever has started the keeper.
 *  - it is not dumpable, and its saved group is not its real one: ptrace(2), /proc/1/root, /proc/1/fd, prlimit(2) are for
 *    CAP_SYS_PTRACE and CAP_SYS_RESOURCE alone, not for another root without capabilities.
 *  - it has no capability, and no exec could give it one.
 *  - it holds one descriptor, the socket whose other end is the keeper's, and reads nothing of what might come.
 *
 * When the keeper is gone it goes on: the processes in here are somebody's. A keeper that comes back kills it when the
 * world ends; if none does, it ends itself once it was found alone twice, a minute apart (not at once: a login may just
 * be on its way in).
 *
 * usage: nsclone-init [hidepid=noaccess|invisible|ptraceable] [subset=pid] [patience=SECONDS] 3<>SOCKET
 */
#include <errno.h>
#include <linux/mount.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"
#include "lib/core/sys_child.h"
#include "lib/core/sys_privilege.h"
#include "lib/core/sys_socket.h"

enum {
	SOCKET = 3,
	MAX_OPTIONS = 2,
	NOBODY = 65534,
	PATIENCE_S = 60,
};

struct init {
	struct nsclone_mount_option options[MAX_OPTIONS]; /* of the procfs */
	size_t n_options;
	unsigned patience_s;
};

static bool is_hidepid(const char *value)
{
	return strcmp(value, "noaccess") == 0 || strcmp(value, "invisible") == 0 || strcmp(value, "ptraceable") == 0;
}

static int parse_word(struct init *init, const char *word)
{
	struct nsclone_mount_option option;

	if (strncmp(word, "patience=", 9) == 0) {
		init->patience_s = (unsigned)strtoul(word + 9, NULL, 10);
		return init->patience_s > 0 && init->patience_s <= PATIENCE_S ? 0 : -EINVAL;
	}
	if (strncmp(word, "hidepid=", 8) == 0 && is_hidepid(word + 8))
		option = (struct nsclone_mount_option){"hidepid", word + 8};
	else if (strcmp(word, "subset=pid") == 0)
		option = (struct nsclone_mount_option){"subset", "pid"};
	else
		return -EINVAL;
	if (init->n_options == MAX_OPTIONS)
		return -E2BIG;
	init->options[init->n_options++] = option;
	return 0;
}

/* Before anybody can get in: the keeper hands out the namespace only when the procfs has arrived. */
static int give_up_rights(void)
{
	int r = sys_prctl(PR_SET_DUMPABLE, 0);

	if (r == 0) /* the real and the saved uid are whose signals it takes: from outside SIGKILL gets here */
		r = sys_become_root();
	if (r == 0)
		r = sys_setresgid((gid_t)-1, (gid_t)-1, NOBODY);
	if (r == 0)
		r = sys_drop_bounding();
	if (r == 0)
		r = sys_prctl(PR_SET_NO_NEW_PRIVS, 1);
	return r < 0 ? r : sys_set_capabilities(0);
}

static int set_up(const struct init *init)
{
	cleanup_fd int proc = nsclone_mount_new("proc", init->options, init->n_options,
						MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, NULL);
	int r = proc < 0 ? proc : give_up_rights();

	if (r < 0)
		return r;
	signal(SIGCHLD, SIG_IGN);
	return sys_send(SOCKET, "", 1, &proc, 1);
}

static void close_all_but_socket(void)
{
	for (int fd = 0; fd < SOCKET; fd++)
		sys_close(fd);
	sys_close_from(SOCKET + 1);
}

/* What comes is nothing, whatever it is: only the end of what can come is news. */
static bool is_hung_up(void)
{
	char ignored = 0;
	int none;
	size_t n;
	ssize_t r = sys_receive(SOCKET, &ignored, 1, &none, 0, &n);

	return r == 0 || r == -ECONNRESET || r == -EBADF;
}

/* A wait that fails (no memory) is no news of the keeper: init MUST NOT end for it, everybody in here would die. */
static void wait_for_hangup(void)
{
	for (;;) {
		int r = sys_wait_readable(SOCKET, 24 * 60 * 60 * 1000);

		if (r > 0 && is_hung_up())
			return;
		if (r < 0)
			sys_sleep_us(1000000);
	}
}

static void wait_until_alone(unsigned patience_s)
{
	for (int times_alone = 0; times_alone < 2;) {
		int64_t end = sys_monotonic_ms() + (int64_t)patience_s * 1000, left;

		while ((left = end - sys_monotonic_ms()) > 0)
			sys_sleep_us((unsigned)left * 1000);
		times_alone = sys_kill(-1, 0) == -ESRCH ? times_alone + 1 : 0;
	}
}

int main(int argc, char **argv)
{
	struct init init = {.patience_s = PATIENCE_S};

	if (sys_getpid() != 1) {
		fputs("nsclone-init is process 1 of a user's PID namespace; nsclone-keeper starts it\n", stderr);
		return 2;
	}
	for (int i = 1; i < argc; i++)
		if (parse_word(&init, argv[i]) < 0)
			return 2;
	sys_prctl(PR_SET_NAME, (unsigned long)(uintptr_t)"nsclone-init");
	if (set_up(&init) < 0)
		return 1;
	close_all_but_socket();
	wait_for_hangup();
	sys_close(SOCKET);
	wait_until_alone(init.patience_s);
	return 0;
}
