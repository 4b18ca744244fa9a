// SPDX-License-Identifier: BSD-3-Clause
/*
 * EINVAL in words: which flag cannot go where, and why.
 *
 * What is certain comes first: a bit that is no flag, a flag that the call does not take, one that this kernel does not
 * have, two that exclude each other, one that needs another. Only then what may be wrong with the caller, which
 * the kernel knows and we can but list.
 *
 * It refuses to try the call, and to conclude from the kernel's version that something works.
 *
 *	operation               system calls                            what undoes it
 *	nsclone_flags_explain   uname, open of /proc/thread-self/ns     close
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/core/kernel.h"
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"

#define CLONE_2 (1U << NSCLONE_CALL_CLONE)
#define CLONE_3 (1U << NSCLONE_CALL_CLONE3)
#define CHILD	(CLONE_2 | CLONE_3)
#define UNSHARE (1U << NSCLONE_CALL_UNSHARE)
#define SETNS	(1U << NSCLONE_CALL_SETNS)
#define NAMESPACES                                                                                                     \
	(NSCLONE_NEWTIME | NSCLONE_NEWNS | NSCLONE_NEWCGROUP | NSCLONE_NEWUTS | NSCLONE_NEWIPC | NSCLONE_NEWUSER |     \
	 NSCLONE_NEWPID | NSCLONE_NEWNET)

static const char *const names[] = {
	[NSCLONE_CALL_CLONE] = "clone(2)",
	[NSCLONE_CALL_CLONE3] = "clone3(2)",
	[NSCLONE_CALL_UNSHARE] = "unshare(2)",
	[NSCLONE_CALL_SETNS] = "setns(2)",
};

/* Holds where all of with are there and, where without is not 0, it is not. */
struct rule {
	unsigned int calls;
	uint64_t with;
	uint64_t without;
	const char *sentence;
};

static const struct rule never[] = {
	{CHILD, NSCLONE_SIGHAND, NSCLONE_VM, "SIGHAND needs VM: handlers are addresses in shared memory"},
	{CHILD, NSCLONE_THREAD, NSCLONE_SIGHAND, "THREAD needs SIGHAND, and that needs VM"},
	{CHILD, NSCLONE_NEWNS | NSCLONE_FS, 0, "NEWNS excludes FS: a root directory belongs to one mount namespace"},
	{CHILD, NSCLONE_NEWUSER | NSCLONE_FS, 0, "NEWUSER excludes FS: the child could lead its parent about by chroot"},
	{CHILD, NSCLONE_NEWIPC | NSCLONE_SYSVSEM, 0, "NEWIPC excludes SYSVSEM: the old semaphores are out of reach then"},
	{CHILD, NSCLONE_NEWUSER | NSCLONE_THREAD, 0, "NEWUSER excludes THREAD: a process is in one user namespace"},
	{CHILD, NSCLONE_NEWPID | NSCLONE_THREAD, 0, "NEWPID excludes THREAD: a process is in one PID namespace"},
	{CLONE_3, NSCLONE_SIGHAND | NSCLONE_CLEAR_SIGHAND, 0,
	 "CLEAR_SIGHAND excludes SIGHAND: it would clear the caller's"},
	{CLONE_2, NSCLONE_PIDFD | NSCLONE_PARENT_SETTID, 0,
	 "PIDFD excludes PARENT_SETTID: clone(2) has one pointer for both"},
	{CLONE_2, NSCLONE_PIDFD | NSCLONE_DETACHED, 0, "PIDFD excludes DETACHED"},
};

static const struct rule maybe[] = {
	{CLONE_3, NSCLONE_NEWTIME, 0, "clone3(2) takes NEWTIME since Linux 6.3 only; unshare(2) does before"},
	{CHILD | UNSHARE, NSCLONE_NEWPID, 0,
	 "NEWPID cannot be had twice: the caller's children have a PID namespace other than its own already"},
	{CHILD, NSCLONE_THREAD, 0, "no threads after unshare(2) or setns(2) of NEWPID or NEWTIME"},
	{CHILD, NSCLONE_VM, 0, "no shared memory after unshare(2) or setns(2) of NEWTIME"},
	{CHILD, NSCLONE_PARENT, 0, "the init of a PID namespace has no siblings"},
	{UNSHARE, NSCLONE_NEWUSER, 0, "NEWUSER implies THREAD, which a process of several threads cannot unshare"},
	{UNSHARE, NSCLONE_VM, 0, "VM cannot be unshared by a process that has several threads or shares its memory"},
	{UNSHARE, NSCLONE_SIGHAND, 0, "SIGHAND cannot be unshared by a process that shares its signal handlers"},
	{UNSHARE, NSCLONE_THREAD, 0, "THREAD cannot be unshared by a process that has several threads"},
	{SETNS, NSCLONE_NEWUSER, 0,
	 "not one's own user namespace, and none while the process has several threads or shares FS; or the descriptor is "
	 "not of a user namespace"},
	{SETNS, NSCLONE_NEWNS, 0,
	 "not while FS is shared with another process or thread; or the descriptor is not of a mount namespace"},
	{SETNS, NSCLONE_NEWPID, 0,
	 "only one's own PID namespace or one below it; or the descriptor is not of a PID namespace"},
	{SETNS, 0, 0, "the descriptor is of another type of namespace, or of several, and then it must be a pidfd"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *find(const struct rule *rules, size_t n, enum nsclone_call call, uint64_t flags)
{
	for (size_t i = 0; i < n; i++)
		if (rules[i].calls & 1U << call && (flags & rules[i].with) == rules[i].with &&
		    (rules[i].without == 0 || !(flags & rules[i].without)))
			return rules[i].sentence;
	return NULL;
}

/* Why a flag that exists is not for this call. */
static const char *not_taken(enum nsclone_call call, uint64_t flag)
{
	switch (call) {
	case NSCLONE_CALL_CLONE:
		if (flag == NSCLONE_NEWTIME)
			return "its bit is one of the exit signal's, so that it can go to clone3(2) and unshare(2) "
			       "only";
		return "it lies beyond the 32 bits of clone(2), and can go to clone3(2) only";
	case NSCLONE_CALL_CLONE3:
		return "it has meant nothing since Linux 2.6.2, and clone3(2) refuses it";
	case NSCLONE_CALL_UNSHARE:
		if (flag == NSCLONE_IO)
			return "an I/O context cannot be given up";
		return "it is about a child, and unshare(2) makes none";
	case NSCLONE_CALL_SETNS:
		return "setns(2) joins namespaces, and this is none";
	}
	return "";
}

static int explain_flag(enum nsclone_call call, const struct nsclone_flag *flag, char *buffer, size_t size)
{
	unsigned int running = kernel_version();

	if (!(flag->calls & 1U << call)) {
		snprintf(buffer, size, "%s cannot go to %s: %s", flag->name, names[call], not_taken(call, flag->value));
		return 1;
	}
	if (running != 0 && running < flag->kernel) {
		snprintf(buffer, size, "%s came with Linux %u.%u, and this is %u.%u", flag->name, flag->kernel >> 8,
			 flag->kernel & 0xff, running >> 8, running & 0xff);
		return 1;
	}
	return 0;
}

/* Is the kernel built with this type of namespace? A missing /proc is no answer. */
static bool is_missing(uint64_t flag)
{
	cleanup_fd int fd = -1, mnt = -1;

	if (!(flag & NAMESPACES))
		return false;
	fd = nsclone_ns_open_self((int)flag);
	if (fd != -ENOENT)
		return false;
	mnt = nsclone_ns_open_self((int)NSCLONE_NEWNS);
	return mnt >= 0;
}

static int explain_flags(enum nsclone_call call, uint64_t flags, char *buffer, size_t size)
{
	const struct nsclone_flag *flag;

	for (size_t i = 0; (flag = nsclone_flag_at(i)); i++) {
		if (!(flags & flag->value))
			continue;
		if (explain_flag(call, flag, buffer, size))
			return 1;
		if (is_missing(flag->value)) {
			snprintf(buffer, size, "this kernel is built without the namespaces of %s", flag->name);
			return 1;
		}
		flags &= ~flag->value;
	}
	flags &= ~NSCLONE_SIGNAL;
	if (flags == 0)
		return 0;
	snprintf(buffer, size, "0x%llx is no flag that is known here", (unsigned long long)flags);
	return 1;
}

static int explain_signal(enum nsclone_call call, uint64_t flags, char *buffer, size_t size)
{
	unsigned int number = (unsigned int)(flags & NSCLONE_SIGNAL);
	bool alone = flags & (NSCLONE_THREAD | NSCLONE_PARENT);

	if (number == 0)
		return 0;
	if (call == NSCLONE_CALL_UNSHARE || call == NSCLONE_CALL_SETNS)
		snprintf(buffer, size, "%s has no exit signal (%u): it makes no child", names[call], number);
	else if (number > 64)
		snprintf(buffer, size, "%u is no signal: they end at 64", number);
	else if (call == NSCLONE_CALL_CLONE3 && alone)
		snprintf(buffer, size, "clone3(2) refuses an exit signal with THREAD and PARENT");
	else
		return 0;
	return 1;
}

/* A process's threads have had descriptors since 6.9, and nobody could have carried that back unnoticed. */
static bool is_early_pidfd(enum nsclone_call call, uint64_t flags)
{
	uint64_t both = NSCLONE_PIDFD | NSCLONE_THREAD;
	unsigned int running = kernel_version();

	return CHILD & 1U << call && (flags & both) == both && running != 0 && running < 0x0609;
}

int nsclone_flags_explain(enum nsclone_call call, uint64_t flags, char *buffer, size_t size)
{
	const char *sentence;

	if (explain_signal(call, flags, buffer, size) || explain_flags(call, flags, buffer, size))
		return 1;
	sentence = find(never, COUNT(never), call, flags);
	if (!sentence && is_early_pidfd(call, flags))
		sentence = "PIDFD goes with THREAD since Linux 6.9 only";
	if (sentence) {
		snprintf(buffer, size, "%s", sentence);
		return 1;
	}
	sentence = find(maybe, COUNT(maybe), call, flags);
	snprintf(buffer, size, "%s", sentence ? sentence : "");
	return 0;
}
