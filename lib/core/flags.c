// SPDX-License-Identifier: BSD-3-Clause
/*
 * The flags of clone(2) and its kin: one table, and the ways between words and bits.
 *
 * It makes no system call, and it refuses to complete a word or to take one for another that is like it. Why a call
 * does not take a flag is in explain.c.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/core/nsclone.h"

#define CLONE_2	   (1U << NSCLONE_CALL_CLONE)
#define CLONE_3	   (1U << NSCLONE_CALL_CLONE3)
#define CHILD	   (CLONE_2 | CLONE_3)
#define UNSHARE	   (1U << NSCLONE_CALL_UNSHARE)
#define SETNS	   (1U << NSCLONE_CALL_SETNS)
#define ALL	   (CHILD | UNSHARE | SETNS)
#define FLAG(name) #name, NSCLONE_##name

static const struct nsclone_flag flags[] = {
	{FLAG(NEWTIME), 0, CLONE_3 | UNSHARE | SETNS, 0x0506, "new time namespace"},
	{FLAG(VM), NSCLONE_SIGHAND, CHILD | UNSHARE, 0, "share memory"},
	{FLAG(FS), 0, CHILD | UNSHARE, 0, "share root, working directory, umask"},
	{FLAG(FILES), 0, CHILD | UNSHARE, 0, "share the table of descriptors"},
	{FLAG(SIGHAND), NSCLONE_THREAD, CHILD | UNSHARE, 0, "share signal handlers"},
	{FLAG(PIDFD), 0, CHILD, 0x0502, "a descriptor of the child"},
	{FLAG(PTRACE), 0, CHILD, 0, "trace the child, too"},
	{FLAG(VFORK), 0, CHILD, 0, "wait until the child has left this memory"},
	{FLAG(PARENT), 0, CHILD, 0, "a sibling, not a child"},
	{FLAG(THREAD), NSCLONE_VM | NSCLONE_SIGHAND, CHILD | UNSHARE, 0, "a thread of this process"},
	{FLAG(NEWNS), NSCLONE_FS, ALL, 0, "new mount namespace"},
	{FLAG(SYSVSEM), 0, CHILD | UNSHARE, 0, "share the System V semaphore undo list"},
	{FLAG(SETTLS), 0, CHILD, 0, "set the child's thread pointer"},
	{FLAG(PARENT_SETTID), 0, CHILD, 0, "write the child's id here"},
	{FLAG(CHILD_CLEARTID), 0, CHILD, 0, "zero and wake a word when the child ends"},
	{FLAG(DETACHED), 0, CLONE_2, 0, "nothing any more"},
	{FLAG(UNTRACED), 0, CHILD, 0, "no tracer may force PTRACE on it"},
	{FLAG(CHILD_SETTID), 0, CHILD, 0, "write the child's id in its memory"},
	{FLAG(NEWCGROUP), 0, ALL, 0x0406, "new cgroup namespace"},
	{FLAG(NEWUTS), 0, ALL, 0, "new UTS namespace: host name"},
	{FLAG(NEWIPC), NSCLONE_SYSVSEM, ALL, 0, "new IPC namespace"},
	{FLAG(NEWUSER), NSCLONE_THREAD | NSCLONE_FS, ALL, 0, "new user namespace"},
	{FLAG(NEWPID), 0, ALL, 0, "new PID namespace"},
	{FLAG(NEWNET), 0, ALL, 0, "new network namespace"},
	{FLAG(IO), 0, CHILD, 0, "share the I/O context"},
	{FLAG(CLEAR_SIGHAND), 0, CLONE_3, 0x0505, "reset all signal handlers"},
	{FLAG(INTO_CGROUP), 0, CLONE_3, 0x0507, "start in another cgroup"},
};

#define FLAGS (sizeof(flags) / sizeof(flags[0]))

static const struct {
	const char *name;
	int number;
} signals[] = {
	{"HUP", SIGHUP},   {"INT", SIGINT},	  {"QUIT", SIGQUIT},   {"ILL", SIGILL},	  {"TRAP", SIGTRAP},
	{"ABRT", SIGABRT}, {"BUS", SIGBUS},	  {"FPE", SIGFPE},     {"KILL", SIGKILL}, {"USR1", SIGUSR1},
	{"SEGV", SIGSEGV}, {"USR2", SIGUSR2}, {"PIPE", SIGPIPE},   {"ALRM", SIGALRM}, {"TERM", SIGTERM},
	{"CHLD", SIGCHLD}, {"CONT", SIGCONT}, {"STOP", SIGSTOP},   {"TSTP", SIGTSTP}, {"TTIN", SIGTTIN},
	{"TTOU", SIGTTOU}, {"URG", SIGURG},	  {"XCPU", SIGXCPU},   {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM},
	{"PROF", SIGPROF}, {"IO", SIGIO},	  {"WINCH", SIGWINCH}, {"PWR", SIGPWR},	  {"SYS", SIGSYS},
};

#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

const struct nsclone_flag *nsclone_flag_at(size_t i)
{
	return i < FLAGS ? &flags[i] : NULL;
}

static uint64_t flag_by_name(const char *name)
{
	if (strncasecmp(name, "CLONE_", 6) == 0)
		name += 6;
	for (size_t i = 0; i < FLAGS; i++)
		if (strcasecmp(flags[i].name, name) == 0)
			return flags[i].value;
	return 0;
}

static uint64_t signal_by_name(const char *name)
{
	if (strncasecmp(name, "SIG", 3) != 0)
		return 0;
	for (size_t i = 0; i < SIGNALS; i++)
		if (strcasecmp(signals[i].name, name + 3) == 0)
			return (uint64_t)signals[i].number;
	return 0;
}

/* strtoull takes signs and blanks, too: a number begins with a digit here. */
static int number(const char *word, uint64_t *ret)
{
	unsigned long long value;
	char *end;

	if (word[0] < '0' || word[0] > '9')
		return -EINVAL;
	errno = 0;
	value = strtoull(word, &end, 0);
	if (errno != 0 || *end != '\0')
		return -EINVAL;
	*ret = value;
	return 0;
}

static int parse_word(const char *word, uint64_t *ret)
{
	uint64_t value = flag_by_name(word);

	if (value == 0)
		value = signal_by_name(word);
	if (value == 0 && number(word, &value) < 0)
		return -EINVAL;
	if (*ret & NSCLONE_SIGNAL && value & NSCLONE_SIGNAL && (*ret & NSCLONE_SIGNAL) != (value & NSCLONE_SIGNAL))
		return -E2BIG;
	*ret |= value;
	return 0;
}

int nsclone_flags_parse(const char *text, uint64_t *ret, struct nsclone_error *error)
{
	static const char between[] = "|, \t\n";
	int saved = errno, r = 0;
	uint64_t value = 0;
	char word[32];

	for (text += strspn(text, between); *text != '\0' && r == 0; text += strspn(text, between)) {
		size_t length = strcspn(text, between);

		snprintf(word, sizeof(word), "%.*s", (int)length, text);
		r = length < sizeof(word) ? parse_word(word, &value) : -EINVAL;
		text += length;
	}
	errno = saved;
	if (r == -E2BIG)
		return nsclone_fail(error, -EINVAL, "flags", word, "there can be one exit signal only");
	if (r < 0)
		return nsclone_fail(error, r, "flags", word, "neither a flag of clone(2), nor a signal, nor a number");
	*ret = value;
	return 0;
}

#define TEXT_MAX 512 /* all names and a number are some 300 */

static void add(char *text, const char *prefix, const char *word)
{
	size_t length = strlen(text);

	snprintf(text + length, TEXT_MAX - length, "%s%s%s", length > 0 ? "|" : "", prefix, word);
}

static const char *signal_name(uint64_t signal)
{
	for (size_t i = 0; i < SIGNALS; i++)
		if ((uint64_t)signals[i].number == signal)
			return signals[i].name;
	return NULL;
}

int nsclone_flags_text(uint64_t value, char *buffer, size_t size)
{
	const char *name = signal_name(value & NSCLONE_SIGNAL);
	char text[TEXT_MAX] = "", rest[24];

	for (size_t i = 0; i < FLAGS; i++) {
		if (value & flags[i].value)
			add(text, "", flags[i].name);
		value &= ~flags[i].value;
	}
	if (name) {
		add(text, "SIG", name);
		value &= ~NSCLONE_SIGNAL;
	}
	snprintf(rest, sizeof(rest), value ? "0x%llx" : "%llu", (unsigned long long)value);
	if (value || text[0] == '\0')
		add(text, "", rest);
	if (strlen(text) >= size)
		return -ERANGE;
	memcpy(buffer, text, strlen(text) + 1);
	return 0;
}

uint64_t nsclone_flags_implied(uint64_t value)
{
	for (uint64_t before = 0; before != value;) {
		before = value;
		for (size_t i = 0; i < FLAGS; i++)
			if (value & flags[i].value)
				value |= flags[i].implies;
	}
	return value;
}
