/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the keeper has to tell people. It refuses to wait for whoever reads that: syslog(3) would, while the queue of
 * /dev/log is full, and every login with it. So datagrams are sent here, each from a socket of its own (the log's daemon
 * may have begun anew since); one that cannot be taken is lost, and counted, and the next that can be tells how many
 * were. Only in the foreground is stderr waited for: somebody wants to see it then. No buffer of stdio is kept.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include "keeper/server.h"
#include "lib/core/sys.h"
#include "lib/core/sys_socket.h"

/* As in RFC 3164, but for the time, which whoever takes it knows as well. */
static bool send_line(int priority, const char *text)
{
	char line[600];
	int n = snprintf(line, sizeof(line), "<%d>nsclone-keeper[%d]: %s", LOG_AUTHPRIV | priority, (int)sys_getpid(), text);

	return sys_send_to("/dev/log", line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1, NULL, 0) == 0;
}

static void send_lines(struct keeper *keeper, int priority, const char *text)
{
	char lost[64];

	if (keeper->n_unsaid) {
		snprintf(lost, sizeof(lost), "%u lines before this were lost", keeper->n_unsaid);
		if (send_line(LOG_WARNING, lost))
			keeper->n_unsaid = 0;
	}
	if (keeper->n_unsaid || !send_line(priority, text))
		keeper->n_unsaid++;
}

__attribute__((format(printf, 3, 0)))
static void vsay(struct keeper *keeper, int priority, const char *format, va_list arguments)
{
	char line[512];
	size_t n;

	vsnprintf(line, sizeof(line) - 1, format, arguments);
	if (!keeper->foreground) {
		send_lines(keeper, priority, line);
		return;
	}
	n = strlen(line);
	line[n++] = '\n';
	sys_write(2, line, n);
}

void say(struct keeper *keeper, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsay(keeper, LOG_NOTICE, format, arguments);
	va_end(arguments);
}

void debug(struct keeper *keeper, const char *format, ...)
{
	va_list arguments;

	if (!keeper->debug)
		return;
	va_start(arguments, format);
	vsay(keeper, LOG_DEBUG, format, arguments);
	va_end(arguments);
}
