/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Prose about failures, in one place. Never prints; keeps the code that it was given.
 */
#include "lib/session/err.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void append(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(struct err *err, const char *format, ...)
{
	size_t used = strlen(err->text);
	va_list ap;

	va_start(ap, format);
	vsnprintf(err->text + used, sizeof(err->text) - used, format, ap);
	va_end(ap);
}

int err_set(struct err *err, int code, const char *format, ...)
{
	char buffer[128];
	va_list ap;

	va_start(ap, format);
	vsnprintf(err->text, sizeof(err->text), format, ap);
	va_end(ap);
	if (code < 0)
		append(err, ": %s", strerror_r(-code, buffer, sizeof(buffer)));
	return code;
}

int err_core(struct err *err, int code, const struct nsclone_error *core, const char *format, ...)
{
	char buffer[128];
	va_list ap;

	va_start(ap, format);
	vsnprintf(err->text, sizeof(err->text), format, ap);
	va_end(ap);
	if (core->call)
		append(err, ": %s", core->call);
	if (core->call && core->object[0])
		append(err, " %s", core->object);
	append(err, ": %s", strerror_r(-code, buffer, sizeof(buffer)));
	if (core->call && core->reason[0])
		append(err, " (%s)", core->reason);
	return code;
}

void err_print(const struct err *err, char *buffer, size_t size)
{
	int n = snprintf(buffer, size, "%s", err->text);

	if (err->file[0] && n >= 0 && (size_t)n < size)
		snprintf(buffer + n, size - (size_t)n, ", asked for by %s:%u", err->file, err->line);
}

void err_at(struct err *err, struct policy_pos pos)
{
	if (!pos.file || err->file[0])
		return;
	snprintf(err->file, sizeof(err->file), "%s", pos.file);
	err->line = pos.line;
}
