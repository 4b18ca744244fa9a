/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The children of the keeper: inits of users' PID namespaces, shells on the host, and `nsclone clean`. All of them are as
 * lib/session/child_program.h describes; none of these functions waits. Returns 0 or a negative errno; out-parameters are untouched
 * on failure, descriptors close-on-exec and the caller's.
 */
#ifndef NSCLONE_KEEPER_SPAWN_H
#define NSCLONE_KEEPER_SPAWN_H

#include <sys/types.h>
#include "lib/session/keeper.h"

struct spawned_init {
	pid_t pid;
	int pidfd;
	int socket; /* readable: its procfs has come; at its end: it is dead */
	int pid_ns;
};

/* keeper_flags: KEEPER_SUBSET_PID and at most one KEEPER_HIDEPID_*; others are no matter. */
int spawn_init(unsigned keeper_flags, struct spawned_init *ret);

/*
 * init->socket is readable: *proc_mount becomes a detached procfs of its PID namespace. From then on nobody in there can
 * do init any harm: no descriptor of the namespace may be given to anybody before.
 * -EAGAIN: not yet. Anything else (-EPIPE: it has died; -EBADMSG: it sent something else): it failed; kill it.
 */
int spawn_init_receive(const struct spawned_init *init, int *proc_mount);

/*
 * A shell of uid on the host, as `nsclone enter --host` wants it: login shell, or the words of the memfd arguments_fd (-1:
 * none), on a terminal of its own, whose other end is *master. host: by enum keeper_ns, -1 where there is none. Whether
 * there is such a user is found out by the child: NSS may take long. term: TERM; what no terminal is called becomes dumb.
 */
int spawn_shell(const int host[KEEPER_N_NS], uid_t uid, const char *term, int arguments_fd, int *master, pid_t *pid,
		int *pidfd);

/* What main() of nsclone-keeper becomes when it was started as SPAWN_SHELL_OPTION: that child. Its exit status. */
#define SPAWN_SHELL_OPTION "--host-shell"
int spawn_shell_main(int argc, char **argv);

/* nsclone clean --record NAME. -EINVAL: no name of a record. It ends by itself, some time; nothing is told. */
int spawn_clean(const char *record, pid_t *pid, int *pidfd);

#endif
