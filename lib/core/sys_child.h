/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a child does between clone and exec, and a terminal for it. As in sys.h: thin, each a function that a test can
 * stand in for. Not public.
 */
#ifndef NSCLONE_SYS_CHILD_H
#define NSCLONE_SYS_CHILD_H

/* fd under the number at, without close-on-exec: the new program gets it. fd and at may be the same. */
int sys_hand_down_fd(int fd, int at);

/* A duplicate of fd, close-on-exec, the lowest that is free from least on. */
int sys_duplicate_from(int fd, int least);

int sys_set_cloexec(int fd);

/* Every descriptor from first on is closed: close_range(2), before kernel 5.9 one by one. */
int sys_close_from(unsigned first);

int sys_setsid(void);

/* execve(2): a negative errno, or it does not come back. */
int sys_exec(const char *path, char *const *argv, char *const *environment);

/*
 * A pseudo terminal of the /dev of the caller: both ends, close-on-exec, nobody's controlling terminal, the slave
 * opened through the master, so that no path of a devpts is believed.
 */
int sys_open_terminal(int *master, int *slave);

/* fd becomes the controlling terminal of the caller's session, which it leads. */
int sys_take_terminal(int fd);

int sys_is_procfs(int fd); /* 1 or 0; fd may be O_PATH, or a detached mount */

#endif
