/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Another program in a child, to which nothing of the caller passes: an environment of one PATH (and LISTEN_*), the
 * directory /, a session of its own, /dev/null as 0, 1 and 2, and no descriptor beyond these but those that are handed
 * down. Signals and umask are for prepare() or the program itself to see to: the module may not link what changes them.
 *
 * Its exit signal is 0 until exec, which makes it SIGCHLD (that is the kernel's rule): waitpid(2) needs __WALL to find it
 * at every moment. In a keeper SIGCHLD must be left at its default, or the kernel reaps before the keeper looks.
 *
 * Being root's, it gets the capabilities of the bounding set back by exec, whatever a keeper has given up.
 */
#ifndef NSCLONE_CHILD_PROGRAM_H
#define NSCLONE_CHILD_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CHILD_FIRST_FD = 3, CHILD_MAX_FDS = 12 };

struct child_program {
	const char *path;
	char *const *argv;
	const int *fds;    /* they become 3, 4, ... in their order */
	size_t n_fds;
	uint64_t namespaces; /* NSCLONE_NEW*: it gets new ones */
	int (*prepare)(void); /* called in the child before anything else, or NULL; a negative errno ends it */
	bool listens;        /* told of fds as by sd_listen_fds(3): LISTEN_FDS, LISTEN_PID */
};

/*
 * Returns at once: the child's id, or a negative errno and then there is no child. *pidfd is the caller's. A child that
 * fails before or at exec ends with CHILD_NOT_STARTED. Reap it by waitpid(-1 or its id, WNOHANG | __WALL).
 */
enum { CHILD_NOT_STARTED = 127 };
pid_t child_start(const struct child_program *program, int *pidfd);

/*
 * The path of a program of ours: beside the running executable if root has put it there (a keeper that runs from a
 * build or test directory starts what was built with it), or else directory/name, where `make install` puts it.
 */
int child_find(const char *name, const char *directory, char *buffer, size_t size);

#endif
