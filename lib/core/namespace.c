// SPDX-License-Identifier: BSD-3-Clause
/*
 * Leaving, joining and asking about namespaces.
 *
 * It refuses to guess: the flags go to the kernel as they are, but for those that its register could not hold.
 *
 *	operation                       system call                     what undoes it
 *	nsclone_unshare                 unshare                         nsclone_setns with a descriptor of before
 *	nsclone_setns                   setns                           the same (a user namespace cannot be left)
 *	nsclone_ns_open                 open of /proc/PID/ns/NAME       close
 *	nsclone_ns_get_userns           ioctl(NS_GET_USERNS)            close
 *	nsclone_ns_get_parent           ioctl(NS_GET_PARENT)            close
 *	nsclone_ns_get_nstype           ioctl(NS_GET_NSTYPE)            -
 *	nsclone_ns_get_owner_uid        ioctl(NS_GET_OWNER_UID)         -
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/core/kernel.h"
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"

static const struct {
	int type;
	const char *name;
} types[] = {
	{NSCLONE_NEWCGROUP, "cgroup"}, {NSCLONE_NEWIPC, "ipc"},   {NSCLONE_NEWNS, "mnt"},	 {NSCLONE_NEWNET, "net"},
	{NSCLONE_NEWPID, "pid"},	   {NSCLONE_NEWTIME, "time"}, {NSCLONE_NEWUSER, "user"}, {NSCLONE_NEWUTS, "uts"},
};

#define TYPES (sizeof(types) / sizeof(types[0]))

int nsclone_unshare(uint64_t flags)
{
	/* unshare takes a long, and where that has 32 bits the rest would be dropped without a word. */
	if (flags > UINT32_MAX)
		return -EINVAL;
	return KERNEL(syscall(SYS_unshare, (unsigned long)flags));
}

int nsclone_setns(int fd, int nstype)
{
	return KERNEL(syscall(SYS_setns, fd, nstype));
}

const char *nsclone_ns_name(int nstype)
{
	for (size_t i = 0; i < TYPES; i++)
		if (types[i].type == nstype)
			return types[i].name;
	return NULL;
}

int nsclone_ns_parse(const char *name)
{
	for (size_t i = 0; i < TYPES; i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].type;
	return -EINVAL;
}

int nsclone_ns_open(pid_t pid, int nstype)
{
	const char *name = nsclone_ns_name(nstype);
	char path[64];

	if (!name || pid < 0)
		return -EINVAL;
	if (pid > 0)
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	else
		snprintf(path, sizeof(path), "/proc/thread-self/ns/%s", name);
	return sys_open(path, O_RDONLY);
}

/* unshare and setns act on the calling thread: its own directory is the one to look in, not the process's. */
int nsclone_ns_open_self(int nstype)
{
	return nsclone_ns_open(0, nstype);
}

int nsclone_ns_get_userns(int fd)
{
	return KERNEL(ioctl(fd, NS_GET_USERNS));
}

int nsclone_ns_get_parent(int fd)
{
	return KERNEL(ioctl(fd, NS_GET_PARENT));
}

int nsclone_ns_get_nstype(int fd)
{
	return KERNEL(ioctl(fd, NS_GET_NSTYPE));
}

int nsclone_ns_get_owner_uid(int fd, uid_t *ret)
{
	uid_t uid = 0;
	int r = KERNEL(ioctl(fd, NS_GET_OWNER_UID, &uid));

	if (r < 0)
		return r;
	*ret = uid;
	return 0;
}
