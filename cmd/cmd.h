/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the subcommands of nsclone share. Each is one file cmd/NAME.c with one function cmd_NAME(argc, argv), argv[0]
 * being NAME, that returns the exit status. nsclone.c holds the table of them.
 */
#ifndef NSCLONE_CMD_H
#define NSCLONE_CMD_H

/* Exit status of every subcommand (run and enter have those of env(1) besides: 125, 126, 127 or the command's). */
enum {
	CMD_YES = 0,	 /* yes, done, nothing wrong */
	CMD_NO = 1,	 /* no, refused, something wrong */
	CMD_USAGE = 2,	 /* the call's words are off */
	CMD_UNKNOWN = 3, /* could not find out */
};

int cmd_check(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_enter(int argc, char **argv);
int cmd_end(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_features(int argc, char **argv);
int cmd_clean(int argc, char **argv);
int cmd_sys(int argc, char **argv);

#endif
