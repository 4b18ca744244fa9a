/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Unix sockets that keep packets apart and carry descriptors: unix(7), SOCK_SEQPACKET, SCM_RIGHTS. As in sys.h: thin, each
 * a function that a test can stand in for, and a negative errno on failure. Not public.
 *
 * All sockets are close-on-exec and never block: -EAGAIN where they would. Nothing here raises SIGPIPE.
 */
#ifndef NSCLONE_SYS_SOCKET_H
#define NSCLONE_SYS_SOCKET_H

#include <stddef.h>
#include <sys/types.h>

enum { SYS_MAX_FDS = 16 };

struct sys_peer {
	pid_t pid; /* in the caller's PID namespace; 0: outside of it */
	uid_t uid;
	gid_t gid;
};

/* A socket connected to path. -EAGAIN: more wait there already than it lets wait. */
int sys_connect(const char *path);

/* A socket that listens on path, which must not exist yet; its mode is 0600 at every moment. */
int sys_listen(const char *path, int backlog);

/* Is it a socket that listens? 1, 0 or a negative errno. */
int sys_is_listening(int fd);

int sys_accept(int fd);

/* Who connected: as of the moment of connect(2) or socketpair(2). */
int sys_peer(int fd, struct sys_peer *ret);

/* A pidfd of the peer, which was taken when it connected (kernel 6.5); -ENOPROTOOPT before. */
int sys_peer_pidfd(int fd);

int sys_socketpair(int fds[2]);

/* One packet with n <= SYS_MAX_FDS descriptors, which stay the caller's. 0; never a part of it. */
int sys_send(int fd, const void *packet, size_t size, const int *fds, size_t n);

/* One datagram to the socket at the path to, or where it begins with @ of that abstract name. -EINVAL: it is neither. */
int sys_send_to(const char *to, const void *packet, size_t size, const int *fds, size_t n);

/*
 * One packet: its size, 0 at the end. Descriptors are close-on-exec and the caller's. -EMSGSIZE: it, or what came with it, is more
 * than there is room for; nothing of it is kept.
 */
ssize_t sys_receive(int fd, void *packet, size_t size, int *fds, size_t room, size_t *n);

#endif
