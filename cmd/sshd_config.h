/* SPDX-License-Identifier: BSD-3-Clause */
/* The few words of sshd_config(5) that matter here, read as sshd does: the first value counts, Include is followed. */
#ifndef NSCLONE_CMD_SSHD_CONFIG_H
#define NSCLONE_CMD_SSHD_CONFIG_H

#include <stdbool.h>

/*
 * The value of a keyword outside of Match blocks, or NULL where nothing sets it; the caller frees it. So does he *file
 * (which may be NULL, as line may), where it is set.
 */
char *sshd_config_value(const char *keyword, char **file, unsigned *line);

/* Is it that, in either case? False also where there is no sshd_config. */
bool sshd_config_is(const char *keyword, const char *value);

/* Is there one, and may the caller read it? -EACCES: not the caller. -ENOENT: there is none. */
int sshd_config_access(void);

#endif
