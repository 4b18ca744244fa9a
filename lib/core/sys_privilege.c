// SPDX-License-Identifier: BSD-3-Clause
/*
 * Capabilities and ids of the calling process, without libcap. They act on the calling thread alone, as the kernel has
 * it (glibc's setresuid(2) is the exception): callers have one.
 *
 *	operation                       system call             what undoes it
 *	sys_set_capabilities            capset                  nothing; exec as root gives back what is bounding
 *	sys_permitted_capabilities      capget                  -
 *	sys_drop_bounding               prctl(PR_CAPBSET_DROP)  nothing
 *	sys_setresuid, sys_setresgid    setresuid, setresgid    the same, as long as a saved or real id allows it
 *	sys_become_root                 setgroups, setresgid,   nothing
 *					setresuid
 */
#include "lib/core/sys_privilege.h"
#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/core/kernel.h"
#include "lib/core/sys.h"

/* Where there are two of each (i386, arm) the first takes ids of 16 bits. */
#ifdef SYS_setresuid32
#define SETGROUPS SYS_setgroups32
#define SETRESGID SYS_setresgid32
#define SETRESUID SYS_setresuid32
#else
#define SETGROUPS SYS_setgroups
#define SETRESGID SYS_setresgid
#define SETRESUID SYS_setresuid
#endif

int sys_set_capabilities(uint64_t capabilities)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{.effective = (uint32_t)capabilities, .permitted = (uint32_t)capabilities},
		{.effective = (uint32_t)(capabilities >> 32), .permitted = (uint32_t)(capabilities >> 32)},
	};

	return KERNEL(syscall(SYS_capset, &header, data));
}

int sys_permitted_capabilities(uint64_t *ret)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};
	int r = KERNEL(syscall(SYS_capget, &header, data));

	if (r == 0)
		*ret = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return r;
}

/* EINVAL is the kernel's way to say that there is no such capability: they are numbered from 0 without a gap. */
int sys_drop_bounding(void)
{
	int r = 0;

	for (unsigned long capability = 0; r >= 0; capability++)
		r = sys_prctl(PR_CAPBSET_DROP, capability);
	return r == -EINVAL ? 0 : r;
}

int sys_setresuid(uid_t real, uid_t effective, uid_t saved)
{
	return KERNEL(setresuid(real, effective, saved));
}

int sys_setresgid(gid_t real, gid_t effective, gid_t saved)
{
	return KERNEL(setresgid(real, effective, saved));
}

/*
 * Not by the C library, which would tell threads of it that a copy of a process does not have. A user namespace may
 * forbid setgroups(2) to everybody (/proc/PID/setgroups); then the groups can be nobody's but its maker's.
 */
int sys_become_root(void)
{
	int r = KERNEL(syscall(SETGROUPS, 0, NULL));

	if (r == 0 || r == -EPERM)
		r = KERNEL(syscall(SETRESGID, 0, 0, 0));
	return r < 0 ? r : KERNEL(syscall(SETRESUID, 0, 0, 0));
}
