/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sockets. See sys_socket.h.
 *
 *	operation        system call                             what undoes it
 *	sys_connect      socket, connect                         sys_close
 *	sys_listen       socket, fchmod, bind, listen            sys_close, sys_unlinkat of the path
 *	sys_send         sendmsg(MSG_DONTWAIT|MSG_NOSIGNAL)      nothing
 *	sys_send_to      socket(SOCK_DGRAM), the same            nothing
 *	sys_receive      recvmsg(MSG_DONTWAIT|MSG_CMSG_CLOEXEC)  sys_close of what came
 */
#include "lib/core/sys_socket.h"
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "lib/core/kernel.h"
#include "lib/core/sys.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

static int new_socket(void)
{
	return KERNEL(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

static int set_address(struct sockaddr_un *address, const char *path)
{
	size_t n = strlen(path);

	if (n >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, path, n);
	return 0;
}

int sys_connect(const char *path)
{
	struct sockaddr_un address;
	int r = set_address(&address, path);
	cleanup_fd int fd = r < 0 ? r : new_socket();

	if (fd < 0)
		return fd;
	r = KERNEL(connect(fd, (const struct sockaddr *)&address, sizeof(address)));
	return r < 0 ? r : fd_steal(&fd);
}

int sys_listen(const char *path, int backlog)
{
	struct sockaddr_un address;
	int r = set_address(&address, path);
	cleanup_fd int fd = r < 0 ? r : new_socket();

	if (fd < 0)
		return fd;
	/* bind(2) makes the file with the socket's own mode: so no umask is touched, and it is closed from the beginning */
	r = KERNEL(fchmod(fd, 0600));
	if (r == 0)
		r = KERNEL(bind(fd, (const struct sockaddr *)&address, sizeof(address)));
	if (r == 0)
		r = KERNEL(listen(fd, backlog));
	return r < 0 ? r : fd_steal(&fd);
}

int sys_is_listening(int fd)
{
	int value = 0;
	socklen_t size = sizeof(value);
	int r = KERNEL(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size));

	return r < 0 ? r : value != 0;
}

int sys_accept(int fd)
{
	return KERNEL(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

int sys_peer(int fd, struct sys_peer *ret)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int r = KERNEL(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size));

	if (r == 0)
		*ret = (struct sys_peer){peer.pid, peer.uid, peer.gid};
	return r;
}

int sys_peer_pidfd(int fd)
{
	int pidfd = -1;
	socklen_t size = sizeof(pidfd);
	int r = KERNEL(getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size));

	return r < 0 ? r : pidfd; /* the kernel makes it close-on-exec */
}

int sys_socketpair(int fds[2])
{
	return KERNEL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds));
}

/* Room for descriptors beside a packet, aligned as cmsg(3) wants it. */
union beside {
	struct cmsghdr header;
	char buffer[CMSG_SPACE(SYS_MAX_FDS * sizeof(int))];
};

static int send_message(int fd, struct sockaddr_un *address, socklen_t address_size, const void *packet, size_t size,
			const int *fds, size_t n)
{
	union beside beside = {0};
	struct iovec part = {(void *)(uintptr_t)packet, size};
	struct msghdr message = {
		.msg_name = address, .msg_namelen = address_size, .msg_iov = &part, .msg_iovlen = 1,
	};
	ssize_t r;

	if (n > SYS_MAX_FDS)
		return -E2BIG;
	if (n) {
		message.msg_control = beside.buffer;
		message.msg_controllen = CMSG_SPACE(n * sizeof(int));
		beside.header = (struct cmsghdr){
			.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(n * sizeof(int)),
		};
		memcpy(CMSG_DATA(&beside.header), fds, n * sizeof(int));
	}
	do
		r = KERNEL(sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
	while (r == -EINTR);
	return r < 0 ? (int)r : (size_t)r == size ? 0 : -EIO;
}

int sys_send(int fd, const void *packet, size_t size, const int *fds, size_t n)
{
	return send_message(fd, NULL, 0, packet, size, fds, n);
}

int sys_send_to(const char *to, const void *packet, size_t size, const int *fds, size_t n)
{
	struct sockaddr_un address;
	socklen_t address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(to));
	int r = to[0] == '/' || (to[0] == '@' && to[1]) ? set_address(&address, to) : -EINVAL;
	cleanup_fd int fd = r < 0 ? r : KERNEL(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));

	if (fd < 0)
		return fd;
	if (to[0] == '@')
		address.sun_path[0] = '\0';
	return send_message(fd, &address, address_size, packet, size, fds, n);
}

static void take_fds(struct msghdr *message, int *fds, size_t *n)
{
	*n = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) && *n < SYS_MAX_FDS; i++)
			memcpy(&fds[(*n)++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	}
}

ssize_t sys_receive(int fd, void *packet, size_t size, int *fds, size_t room, size_t *n)
{
	union beside beside = {0};
	struct iovec part = {packet, size};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = beside.buffer, .msg_controllen = sizeof(beside.buffer),
	};
	int came[SYS_MAX_FDS];
	size_t n_came;
	ssize_t r;

	do
		r = KERNEL(recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
	while (r == -EINTR);
	if (r < 0)
		return r;
	take_fds(&message, came, &n_came);
	if (r == 0 || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || n_came > room) {
		r = r == 0 && n_came <= room ? 0 : -EMSGSIZE; /* a packet of nothing is taken for the end, and may hold some */
		while (n_came > 0)
			sys_close(came[--n_came]);
	}
	if (r < 0)
		return r;
	memcpy(fds, came, n_came * sizeof(int));
	*n = n_came;
	return r;
}
