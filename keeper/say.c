/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the keeper has to tell people. It refuses to wait for whoever reads it: stderr is a descriptor that does not
 * block for long, and syslog(3)'s socket loses what it cannot take. No buffer of stdio is kept.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include "keeper/server.h"
#include "lib/core/sys.h"

__attribute__((format(printf, 3, 0)))
static void vsay(const struct keeper *keeper, int priority, const char *format, va_list arguments)
{
	char line[512];
	size_t n;

	vsnprintf(line, sizeof(line) - 1, format, arguments);
	if (!keeper->foreground) {
		syslog(priority, "%s", line);
		return;
	}
	n = strlen(line);
	line[n++] = '\n';
	sys_write(2, line, n);
}

void say(const struct keeper *keeper, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsay(keeper, LOG_NOTICE, format, arguments);
	va_end(arguments);
}

void debug(const struct keeper *keeper, const char *format, ...)
{
	va_list arguments;

	if (!keeper->debug)
		return;
	va_start(arguments, format);
	vsay(keeper, LOG_DEBUG, format, arguments);
	va_end(arguments);
}
