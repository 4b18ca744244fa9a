/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Looking at descriptors. See descriptors.h. It refuses a namespace that the host's user namespace does not own (root
 * in a user namespace of somebody's made it), one of the host's own, and two of a kind.
 */
#include "keeper/descriptors.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "keeper/process.h"
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"
#include "lib/core/sys_event.h"

void descriptors_init(struct descriptors *d)
{
	memset(d, 0, sizeof(*d));
	for (int i = 0; i < KEEPER_N_NS; i++)
		d->request.ns[i] = -1;
	d->request.pidfd = d->request.marker = d->arguments = -1;
}

void descriptors_done(struct descriptors *d, int inotify)
{
	for (int i = 0; i < KEEPER_N_NS; i++)
		sys_close_p(&d->request.ns[i]);
	sys_close_p(&d->request.pidfd);
	sys_close_p(&d->arguments);
	if (d->request.marker >= 0)
		sys_inotify_remove(inotify, d->request.marker);
	descriptors_init(d);
}

static int link_of(int fd, char *buffer, size_t size)
{
	char path[32];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = sys_readlinkat(AT_FDCWD, path, buffer, size);
	return n < 0 ? (int)n : 0;
}

static int namespace_inode(int fd, enum keeper_ns type, uint64_t *ret)
{
	char link[64];

	if (link_of(fd, link, sizeof(link)) < 0 || !keeper_parse_link(link, type, ret))
		return -EINVAL;
	return nsclone_ns_get_nstype(fd) == keeper_nstype(type) ? 0 : -EINVAL;
}

/* For a user namespace: whose child it is. */
static int owner_inode(int fd, enum keeper_ns type, uint64_t *ret)
{
	cleanup_fd int owner = type == KEEPER_NS_USER ? nsclone_ns_get_parent(fd) : nsclone_ns_get_userns(fd);

	return owner < 0 ? owner : namespace_inode(owner, KEEPER_NS_USER, ret);
}

static int take_namespace(struct descriptors *d, int *fd, enum keeper_ns type, const struct host *host,
			  const char **why)
{
	uint64_t inode, owner;

	*why = "a descriptor is not the namespace that it is said to be";
	if (d->request.ns[type] >= 0 || namespace_inode(*fd, type, &inode) < 0)
		return -EINVAL;
	*why = "a namespace does not belong to the initial user namespace";
	if (owner_inode(*fd, type, &owner) < 0 || owner != host->user_ns)
		return -EPERM;
	*why = "a namespace is the host's";
	if (inode == host->inodes[type])
		return -EINVAL;
	if (type == KEEPER_NS_MNT)
		sys_ns_mount_id(*fd, &d->request.mntns_id);
	d->request.inodes[type] = inode;
	d->request.ns[type] = fd_steal(fd);
	return 0;
}

static int take_pidfd(struct descriptors *d, int *fd, const char **why)
{
	pid_t pid;
	int r = d->request.pidfd < 0 ? process_of_pidfd(*fd, &pid) : -EINVAL;

	*why = r == -ESRCH ? "the session's process has ended" : "a descriptor is not the pidfd that it is said to be";
	if (r == 0)
		r = process_identity(*fd, pid, &d->request.identity);
	if (r == 0)
		r = process_is(*fd);
	if (r < 0)
		return r;
	d->request.message.session.pid = pid;
	d->request.pidfd = fd_steal(fd);
	return 0;
}

/* Watched, the descriptor is not needed any more; and it must go, or it would keep mounted what is to be unmounted. */
static int take_marker(struct descriptors *d, const int *fd, int inotify, const char **why)
{
	char link[64];
	int r = link_of(*fd, link, sizeof(link));

	*why = "a descriptor is not the marker that it is said to be";
	if (d->request.marker >= 0 || (r < 0 && r != -ENAMETOOLONG) || (r == 0 && link[0] != '/'))
		return -EINVAL;
	if (sys_is_tmpfs(*fd) != 1)
		return -EINVAL;
	*why = "the marker cannot be watched";
	r = sys_inotify_add_unmount(inotify, *fd);
	if (r < 0)
		return r;
	d->request.marker = r;
	return 0;
}

static int take_arguments(struct descriptors *d, int *fd, const char **why)
{
	char link[300];

	*why = "a descriptor is not the memfd that it is said to be";
	if (d->arguments >= 0 || link_of(*fd, link, sizeof(link)) < 0 || strncmp(link, "/memfd:", 7) != 0)
		return -EINVAL;
	d->arguments = fd_steal(fd);
	return 0;
}

static int take(struct descriptors *d, uint32_t kind, int *fd, const struct host *host, int inotify, const char **why)
{
	enum keeper_ns type = keeper_place((int)kind);

	if (type < KEEPER_N_NS)
		return take_namespace(d, fd, type, host, why);
	switch (kind) {
	case KEEPER_FD_PIDFD: return take_pidfd(d, fd, why);
	case KEEPER_FD_MARKER: return take_marker(d, fd, inotify, why);
	case KEEPER_FD_ARGUMENTS: return take_arguments(d, fd, why);
	default: return -EBADMSG;
	}
}

int descriptors_sort(struct descriptors *d, const int *fds, size_t n, const struct host *host, int inotify,
		     const char **why)
{
	const struct keeper_message *message = &d->request.message;
	int r = n == message->n_fds && n <= KEEPER_MAX_FDS ? 0 : -EBADMSG;

	for (size_t i = 0; i < n; i++) {
		cleanup_fd int fd = fds[i];

		if (r == 0)
			r = take(d, message->fds[i], &fd, host, inotify, why);
	}
	if (r < 0)
		descriptors_done(d, inotify);
	return r;
}
