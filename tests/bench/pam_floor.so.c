/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pam_floor.so join=FILE [ipc] [uts] [net]: the same for a session that only joins: setns to the namespaces of the process
 * that FILE names.
 *
 * pam_floor.so [ipc] [uts] [net] [bind=FROM:TO]... [tmpfs=TO]... [sysfs=TO] [mqueue=TO]: what a session costs if
 * nothing is checked, logged, looked up or undone. The bare system calls: one descriptor for each namespace, unshare,
 * all mounts slave, mount(2) in the order of the arguments, lo up; at close setns, in reverse. It goes wrong in every
 * way that lib/session is about. A measure for tests/bench/run.sh, nothing else.
 */
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <security/pam_modules.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

enum { N_KINDS = 4 };

static const struct {
	const char *word; /* NULL: always */
	const char *path;
	int flag;
} KINDS[N_KINDS] = {
    {NULL, "/proc/self/ns/mnt", CLONE_NEWNS},
    {"ipc", "/proc/self/ns/ipc", CLONE_NEWIPC},
    {"uts", "/proc/self/ns/uts", CLONE_NEWUTS},
    {"net", "/proc/self/ns/net", CLONE_NEWNET},
};

static int saved[N_KINDS] = {-1, -1, -1, -1};

static int save(int argc, const char **argv)
{
	int flags = 0;

	for (int k = 0; k < N_KINDS; k++) {
		bool wanted = KINDS[k].word == NULL;

		for (int i = 0; i < argc && !wanted; i++)
			wanted = strcmp(argv[i], KINDS[k].word) == 0;
		if (!wanted)
			continue;
		saved[k] = open(KINDS[k].path, O_RDONLY | O_CLOEXEC);
		if (saved[k] < 0)
			return -1;
		flags |= KINDS[k].flag;
	}
	return flags;
}

static int bind_mount(const char *pair)
{
	const char *to = strchr(pair, ':');
	char from[256];

	if (to == NULL)
		return -1;
	snprintf(from, sizeof(from), "%.*s", (int)(to - pair), pair);
	return mount(from, to + 1, NULL, MS_BIND, NULL);
}

static int mount_one(const char *word)
{
	const char *to = strchr(word, '=');

	if (to == NULL)
		return 0;
	to++;
	if (strncmp(word, "bind=", 5) == 0)
		return bind_mount(to);
	if (strncmp(word, "tmpfs=", 6) == 0)
		return mount("tmpfs", to, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=100m,nr_inodes=100000");
	if (strncmp(word, "sysfs=", 6) == 0)
		return mount("sysfs", to, "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	return mount("mqueue", to, "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static int raise_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r = fd < 0 ? fd : ioctl(fd, SIOCSIFFLAGS, &request);

	if (fd >= 0)
		close(fd);
	return r;
}

/* To where a process is, which all arguments agree on: its mount namespace last. */
static int join(const char *file)
{
	char pid[16] = "", path[64];
	int fd = open(file, O_RDONLY | O_CLOEXEC), r = fd < 0 || read(fd, pid, sizeof(pid) - 1) <= 0 ? -1 : 0;

	close(fd);
	for (int k = N_KINDS; r == 0 && k-- > 0;) {
		if (saved[k] < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", atoi(pid), KINDS[k].path + sizeof("/proc/self/ns/") - 1);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		r = fd < 0 ? -1 : setns(fd, KINDS[k].flag);
		close(fd);
	}
	return r;
}

int pam_sm_open_session(pam_handle_t *handle, int flags, int argc, const char **argv)
{
	int kinds = save(argc, argv);

	(void)handle;
	(void)flags;
	if (kinds >= 0 && argc > 0 && strncmp(argv[0], "join=", 5) == 0)
		return join(argv[0] + 5) == 0 ? PAM_SUCCESS : PAM_SYSTEM_ERR;
	if (kinds < 0 || unshare(kinds) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return PAM_SYSTEM_ERR;
	if (kinds & CLONE_NEWNET && raise_loopback() < 0)
		return PAM_SYSTEM_ERR;
	for (int i = 0; i < argc; i++)
		if (mount_one(argv[i]) < 0)
			return PAM_SYSTEM_ERR;
	return PAM_SUCCESS;
}

int pam_sm_close_session(pam_handle_t *handle, int flags, int argc, const char **argv)
{
	int r = 0;

	(void)handle;
	(void)flags;
	(void)argc;
	(void)argv;
	for (int k = N_KINDS; k-- > 0;) {
		if (saved[k] < 0)
			continue;
		r |= setns(saved[k], KINDS[k].flag);
		close(saved[k]);
		saved[k] = -1;
	}
	return r == 0 ? PAM_SUCCESS : PAM_SYSTEM_ERR;
}
