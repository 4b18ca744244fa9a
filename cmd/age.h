/* SPDX-License-Identifier: BSD-3-Clause */
/* A span of time as systemd.time(7) writes it: "30d", "1y 6month", "12 h". */
#ifndef NSCLONE_CMD_AGE_H
#define NSCLONE_CMD_AGE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * In seconds. False: it is none. A number without a unit is none either: what is removed by it should not hang on a guess;
 * nor is `m`, which to some is a month.
 */
bool age_parse(const char *text, int64_t *ret);

#endif
