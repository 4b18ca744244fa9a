/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the subcommands of `nsclone sys` share. Each takes argv[0] = "sys NAME" and returns the exit status of cmd.h,
 * or that of the command it ran (126, 127 where that could not be run, 128+N where signal N ended it).
 */
#ifndef NSCLONE_CMD_SYS_H
#define NSCLONE_CMD_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cmd/options.h"
#include "lib/core/nsclone.h"

int cmd_sys_unshare(int argc, char **argv);
int cmd_sys_clone(int argc, char **argv);
int cmd_sys_setns(int argc, char **argv);
int cmd_sys_pivot_root(int argc, char **argv);
int cmd_sys_kcmp(int argc, char **argv);
int cmd_sys_ns(int argc, char **argv);
int cmd_sys_loopback(int argc, char **argv);
int cmd_sys_flags(int argc, char **argv);

/* "nsclone NAME: WHAT: the errno's words (reason)" to stderr. Return CMD_NO. */
int sys_say(const char *name, const char *what, int code, const char *reason);
int sys_say_error(const char *name, int code, const struct nsclone_error *error);

/* Flags, a number (a process id, a descriptor, ...) from a word; what is off is said. 0 or CMD_USAGE. */
int sys_take_flags(const struct options *options, const char *name, const char *text, uint64_t *ret);
int sys_take_number(const struct options *options, const char *name, const char *text, uint64_t max, uint64_t *ret);

/* Execute command in place, or in a child where fork; without any, CMD_YES. */
int sys_execute(const char *name, char **command, bool fork);

/* The exit status that stands for a status of wait(2). */
int sys_exit_status(int status);

#endif
