// SPDX-License-Identifier: BSD-3-Clause
/*
 * Do two processes share a thing? kcmp(2), with its types and its answers by name.
 *
 * It refuses to sort: the order is the kernel's, and says nothing of the objects.
 *
 *	operation               system call             what undoes it
 *	nsclone_kcmp            kcmp                    -
 *	nsclone_kcmp_epoll      kcmp(KCMP_EPOLL_TFD)    -
 */
#include <errno.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/core/kernel.h"
#include "lib/core/nsclone.h"

static const char *const types[] = {
	[NSCLONE_KCMP_FILE] = "FILE",	[NSCLONE_KCMP_VM] = "VM",
	[NSCLONE_KCMP_FILES] = "FILES",	[NSCLONE_KCMP_FS] = "FS",
	[NSCLONE_KCMP_SIGHAND] = "SIGHAND", [NSCLONE_KCMP_IO] = "IO",
	[NSCLONE_KCMP_SYSVSEM] = "SYSVSEM", [NSCLONE_KCMP_EPOLL_TFD] = "EPOLL_TFD",
};

static const char *const orders[] = {
	[NSCLONE_KCMP_EQUAL] = "equal",
	[NSCLONE_KCMP_LESS] = "less",
	[NSCLONE_KCMP_GREATER] = "greater",
	[NSCLONE_KCMP_UNORDERED] = "unordered",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int nsclone_kcmp(pid_t pid1, pid_t pid2, enum nsclone_kcmp_type type, unsigned long idx1, unsigned long idx2)
{
	return KERNEL(syscall(SYS_kcmp, pid1, pid2, (int)type, idx1, idx2));
}

int nsclone_kcmp_epoll(pid_t pid1, pid_t pid2, int fd, const struct nsclone_kcmp_slot *slot)
{
	return nsclone_kcmp(pid1, pid2, NSCLONE_KCMP_EPOLL_TFD, (unsigned long)fd, (unsigned long)slot);
}

const char *nsclone_kcmp_type_name(enum nsclone_kcmp_type type)
{
	return (size_t)type < COUNT(types) ? types[type] : NULL;
}

int nsclone_kcmp_type_parse(const char *name)
{
	for (size_t i = 0; i < COUNT(types); i++)
		if (strcasecmp(name, types[i]) == 0)
			return (int)i;
	return -EINVAL;
}

const char *nsclone_kcmp_order_name(int order)
{
	return order >= 0 && (size_t)order < COUNT(orders) ? orders[order] : NULL;
}
