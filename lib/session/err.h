/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What went wrong, for people: the only place where prose about a failure is made. lib/session fills it in and passes
 * the negative errno up untouched; the faces log or print it.
 */
#ifndef NSCLONE_ERR_H
#define NSCLONE_ERR_H

#include "lib/core/nsclone.h"
#include "lib/policy/policy.h"

struct err {
	char text[1024];          /* "mount tmpfs on /tmp: move_mount: Permission denied", no full stop */
	char file[256];           /* the rule that asked for it, "" where none did */
	unsigned line;
};

/* Each returns code, so that a failure is one return. The errno's words are appended where code is negative. */
int err_set(struct err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
int err_core(struct err *err, int code, const struct nsclone_error *core, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The text with its place: "..., asked for by FILE:LINE". Always ends in NUL; cut where it does not fit. */
void err_print(const struct err *err, char *buffer, size_t size);

/* Note the place of the rule that asked for what failed; a NULL file is fine. */
void err_at(struct err *err, struct policy_pos pos);

#endif
