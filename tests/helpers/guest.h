/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a guest in a daemon may not change. guest_look() prints, under the given title, everything of the process that
 * a PAM module could leave altered; a test compares what "start", "open" and "close" say.
 */
#ifndef TESTS_GUEST_H
#define TESTS_GUEST_H

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static inline void guest_fds(const char *title)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	char target[256];
	ssize_t n;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(dir))
			continue;
		n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		dprintf(STDOUT_FILENO, "guest %s fd %s %s\n", title, entry->d_name, target);
	}
	closedir(dir);
}

static inline void guest_signals(const char *title)
{
	struct sigaction action;
	uint64_t blocked = 0;
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int i = 1; i < 65; i++) {
		if (sigismember(&mask, i) == 1)
			blocked |= (uint64_t)1 << (i - 1);
		if (sigaction(i, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
			dprintf(STDOUT_FILENO, "guest %s handler %d\n", title, i);
	}
	dprintf(STDOUT_FILENO, "guest %s blocked %llx\n", title, (unsigned long long)blocked);
}

static inline void guest_look(const char *title)
{
	mode_t mask = umask(0);
	struct itimerval timer;
	struct rlimit files;
	char cwd[4096], host[256];
	unsigned environment = 5381;

	umask(mask);
	guest_fds(title);
	guest_signals(title);
	for (char **item = environ; item != NULL && *item != NULL; item++)
		for (const char *c = *item; *c != '\0'; c++)
			environment = environment * 33 + (unsigned char)*c;
	getitimer(ITIMER_REAL, &timer);
	getrlimit(RLIMIT_NOFILE, &files);
	gethostname(host, sizeof(host));
	dprintf(STDOUT_FILENO, "guest %s umask %o\n", title, (unsigned)mask);
	dprintf(STDOUT_FILENO, "guest %s cwd %s\n", title, getcwd(cwd, sizeof(cwd)) != NULL ? cwd : "gone");
	dprintf(STDOUT_FILENO, "guest %s environment %x\n", title, environment);
	dprintf(STDOUT_FILENO, "guest %s host %s\n", title, host);
	dprintf(STDOUT_FILENO, "guest %s ids %d %d %d %d fs %d %d\n", title, (int)getuid(), (int)geteuid(), (int)getgid(),
		(int)getegid(), setfsuid((uid_t)-1), setfsgid((gid_t)-1));
	dprintf(STDOUT_FILENO, "guest %s dumpable %d alarm %ld files %llu child %s\n", title, prctl(PR_GET_DUMPABLE),
		(long)timer.it_value.tv_sec, (unsigned long long)files.rlim_cur,
		waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD ? "none" : "left");
}

#endif
