/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entries to the kernel that fail when a test wants it. STAND_IN(name) makes the function that stands in for one, which the
 * test names in its WRAP comment, too. Which call fails is said by the test's own faulty(), by test_faults_by_name.h or by
 * test_sweep.h.
 */
#ifndef TEST_FAULTS_H
#define TEST_FAULTS_H

#include "tests/unit/test_core.h"

static bool faulty(const char *name); /* this call, of the entry of that name, fails */
static int fault_answer = -EIO;       /* and returns this */

#define STAND_IN(name) CALL_##name(FAULTY)

#define FAULTY(type, name, parameters, arguments)                                                                      \
	type __real_##name parameters;                                                                                 \
	type __wrap_##name parameters;                                                                                 \
	type __wrap_##name parameters                                                                                  \
	{                                                                                                              \
		return faulty(#name) ? fault_answer : __real_##name arguments;                                         \
	}

/* ---- How each is called ---- */

#define CALL_sys_open(X) X(int, sys_open, (const char *path, int flags), (path, flags))
#define CALL_sys_openat(X) X(int, sys_openat, (int dirfd, const char *name, int flags), (dirfd, name, flags))
#define CALL_sys_fstat(X) X(int, sys_fstat, (int fd, struct stat *ret), (fd, ret))
#define CALL_sys_fstatat(X) X(int, sys_fstatat, (int dirfd, const char *name, struct stat *ret), (dirfd, name, ret))
#define CALL_sys_read(X) X(ssize_t, sys_read, (int fd, void *buffer, size_t size), (fd, buffer, size))
#define CALL_sys_write(X) X(ssize_t, sys_write, (int fd, const void *buffer, size_t size), (fd, buffer, size))
#define CALL_sys_getdents(X) X(ssize_t, sys_getdents, (int fd, void *buffer, size_t size), (fd, buffer, size))
#define CALL_sys_mkdirat(X) X(int, sys_mkdirat, (int dirfd, const char *name, mode_t mode), (dirfd, name, mode))
#define CALL_sys_fchown(X) X(int, sys_fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
#define CALL_sys_fchmod(X) X(int, sys_fchmod, (int fd, mode_t mode), (fd, mode))
#define CALL_sys_renameat(X) X(int, sys_renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
#define CALL_sys_rename_noreplace(X)                                                                                   \
	X(int, sys_rename_noreplace, (int a, const char *from, int b, const char *to), (a, from, b, to))
#define CALL_sys_unlinkat(X) X(int, sys_unlinkat, (int dirfd, const char *name, int flags), (dirfd, name, flags))
#define CALL_sys_symlinkat(X)                                                                                          \
	X(int, sys_symlinkat, (const char *target, int dirfd, const char *name), (target, dirfd, name))
#define CALL_sys_readlinkat(X)                                                                                         \
	X(ssize_t, sys_readlinkat, (int dirfd, const char *name, char *buffer, size_t size), (dirfd, name, buffer, size))
#define CALL_sys_flock(X) X(int, sys_flock, (int fd, int operation), (fd, operation))
#define CALL_sys_fchdir(X) X(int, sys_fchdir, (int fd), (fd))
#define CALL_sys_chdir(X) X(int, sys_chdir, (const char *path), (path))
#define CALL_sys_getcwd(X) X(int, sys_getcwd, (char *buffer, size_t size), (buffer, size))
#define CALL_sys_place(X) X(int, sys_place, (const char *path, struct sys_place *ret), (path, ret))
#define CALL_sys_umount_cwd(X) X(int, sys_umount_cwd, (void), ())
#define CALL_sys_sethostname(X) X(int, sys_sethostname, (const char *name), (name))
#define CALL_sys_random(X) X(int, sys_random, (void *buffer, size_t size), (buffer, size))
#define CALL_sys_process_id(X) X(int, sys_process_id, (pid_t pid, uint64_t *ret), (pid, ret))
#define CALL_sys_pidfd_open(X) X(int, sys_pidfd_open, (pid_t pid), (pid))
#define CALL_sys_set_fs_ids(X) X(int, sys_set_fs_ids, (uid_t uid, gid_t gid), (uid, gid))
#define CALL_sys_become_root(X) X(int, sys_become_root, (void), ())
#define CALL_sys_prctl(X) X(int, sys_prctl, (int option, unsigned long argument), (option, argument))
#define CALL_sys_setsid(X) X(int, sys_setsid, (void), ())
#define CALL_sys_exec(X)                                                                                               \
	X(int, sys_exec, (const char *path, char *const *argv, char *const *environment), (path, argv, environment))
#define CALL_sys_pipe(X) X(int, sys_pipe, (int fds[2]), (fds))
#define CALL_sys_duplicate(X) X(int, sys_duplicate, (int fd), (fd))
#define CALL_sys_duplicate_from(X) X(int, sys_duplicate_from, (int fd, int least), (fd, least))
#define CALL_sys_hand_down_fd(X) X(int, sys_hand_down_fd, (int fd, int at), (fd, at))
#define CALL_sys_close_from(X) X(int, sys_close_from, (unsigned first), (first))
#define CALL_sys_open_terminal(X) X(int, sys_open_terminal, (int *master, int *slave), (master, slave))
#define CALL_sys_wait_readable(X) X(int, sys_wait_readable, (int fd, int ms), (fd, ms))
#define CALL_sys_socketpair(X) X(int, sys_socketpair, (int fds[2]), (fds))
#define CALL_sys_listen(X) X(int, sys_listen, (const char *path, int backlog), (path, backlog))
#define CALL_sys_connect(X) X(int, sys_connect, (const char *path), (path))
#define CALL_sys_send(X)                                                                                               \
	X(int, sys_send, (int fd, const void *packet, size_t size, const int *fds, size_t n), (fd, packet, size, fds, n))
#define CALL_sys_receive(X)                                                                                            \
	X(ssize_t, sys_receive, (int fd, void *packet, size_t size, int *fds, size_t room, size_t *n),                 \
	  (fd, packet, size, fds, room, n))

#define CALL_nsclone_clone(X)                                                                                          \
	X(pid_t, nsclone_clone,                                                                                        \
	  (int (*function)(void *), void *argument, const struct nsclone_clone_args *args, struct nsclone_child *ret,  \
	   struct nsclone_error *error),                                                                               \
	  (function, argument, args, ret, error))
#define CALL_nsclone_wait(X)                                                                                           \
	X(int, nsclone_wait, (struct nsclone_child *child, int options, int *status), (child, options, status))
#define CALL_nsclone_unshare(X) X(int, nsclone_unshare, (uint64_t flags), (flags))
#define CALL_nsclone_setns(X) X(int, nsclone_setns, (int fd, int nstype), (fd, nstype))
#define CALL_nsclone_ns_open(X) X(int, nsclone_ns_open, (pid_t pid, int nstype), (pid, nstype))
#define CALL_nsclone_ns_open_self(X) X(int, nsclone_ns_open_self, (int nstype), (nstype))
#define CALL_nsclone_ns_get_nstype(X) X(int, nsclone_ns_get_nstype, (int fd), (fd))
#define CALL_nsclone_ns_get_userns(X) X(int, nsclone_ns_get_userns, (int fd), (fd))
#define CALL_nsclone_ns_get_parent(X) X(int, nsclone_ns_get_parent, (int fd), (fd))
#define CALL_nsclone_open_trusted(X)                                                                                   \
	X(int, nsclone_open_trusted, (int root, const char *path, int flags, struct nsclone_error *error),             \
	  (root, path, flags, error))
#define CALL_nsclone_open_nosymlink(X)                                                                                 \
	X(int, nsclone_open_nosymlink, (int dirfd, const char *path, int flags), (dirfd, path, flags))
#define CALL_nsclone_mount_new(X)                                                                                      \
	X(int, nsclone_mount_new,                                                                                      \
	  (const char *type, const struct nsclone_mount_option *options, size_t n, uint64_t attributes,                \
	   struct nsclone_error *error),                                                                               \
	  (type, options, n, attributes, error))
#define CALL_nsclone_mount_copy(X)                                                                                     \
	X(int, nsclone_mount_copy, (int dirfd, const char *path, bool recursive), (dirfd, path, recursive))
#define CALL_nsclone_mount_attributes(X)                                                                               \
	X(int, nsclone_mount_attributes, (int fd, bool recursive, uint64_t set, uint64_t clear), (fd, recursive, set, clear))
#define CALL_nsclone_mount_attach(X) X(int, nsclone_mount_attach, (int mount, int target), (mount, target))
#define CALL_nsclone_mount_all_slave(X) X(int, nsclone_mount_all_slave, (void), ())
#define CALL_nsclone_mount_is_root(X) X(int, nsclone_mount_is_root, (int fd), (fd))
#define CALL_nsclone_mount_detach(X) X(int, nsclone_mount_detach, (int fd), (fd))
#define CALL_nsclone_pivot_root(X)                                                                                     \
	X(int, nsclone_pivot_root, (const char *new_root, const char *put_old), (new_root, put_old))
#define CALL_nsclone_loopback_up(X) X(int, nsclone_loopback_up, (void), ())

#endif
