/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls that the session code needs and that are nobody's speciality: each as a function of its own, so that a
 * test can stand in for it (ld --wrap), and returning 0, a descriptor or a count, or a negative errno. Not public.
 *
 * Nothing here takes a path that a user can influence except relative to a descriptor.
 */
#ifndef NSCLONE_SYS_H
#define NSCLONE_SYS_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

int sys_open(const char *path, int flags);
int sys_openat(int dirfd, const char *name, int flags);
int sys_opendir(const char *path, DIR **ret);
int sys_close(int fd);

/* What getdents64(2) writes: names of a directory, each `size` bytes behind the one before. */
struct sys_dirent {
	uint64_t inode;
	int64_t offset;
	uint16_t size;
	uint8_t type;
	char name[];
};
ssize_t sys_getdents(int fd, void *buffer, size_t size); /* bytes; 0 at the end; needs no memory, unlike readdir(3) */
ssize_t sys_read(int fd, void *buffer, size_t size);   /* retries EINTR */
int sys_fstat(int fd, struct stat *ret);
int sys_fstatat(int dirfd, const char *name, struct stat *ret); /* AT_SYMLINK_NOFOLLOW|AT_NO_AUTOMOUNT */
int sys_fstatvfs(int fd, struct statvfs *ret);
int sys_mkdirat(int dirfd, const char *name, mode_t mode);
int sys_fchown(int fd, uid_t uid, gid_t gid);
int sys_fchmod(int fd, mode_t mode);
int sys_chmod(const char *path, mode_t mode); /* only /proc/self/fd/N: of a descriptor that fchmod does not take */
int sys_rename_noreplace(int from_dirfd, const char *from, int to_dirfd, const char *to);
int sys_renameat(int from_dirfd, const char *from, int to_dirfd, const char *to);
int sys_unlinkat(int dirfd, const char *name, int flags);
int sys_symlinkat(const char *target, int dirfd, const char *name);
ssize_t sys_readlinkat(int dirfd, const char *name, char *buffer, size_t size); /* NUL-terminated; -ENAMETOOLONG */
int sys_flock(int fd, int operation);
int sys_fchdir(int fd);
int sys_chdir(const char *path);
int sys_chroot(const char *path);
int sys_getcwd(char *buffer, size_t size);
int sys_sethostname(const char *name);
int sys_random(void *buffer, size_t size);
int sys_pidfd_open(pid_t pid);
int64_t sys_monotonic_ms(void);
pid_t sys_getpid(void);
uid_t sys_geteuid(void);
gid_t sys_getegid(void);
uid_t sys_getuid(void);
gid_t sys_getgid(void);
int sys_ram(uint64_t *ret); /* bytes */
void sys_yield(void); /* the processor, to whoever else is ready */
void sys_sleep_us(unsigned us);
int sys_prctl(int option, unsigned long argument); /* its value, or a negative errno */

/* Where a path leads: the id of the mount (kernel 5.8), unique among those that exist, and the inode. */
struct sys_place {
	uint64_t mount;
	uint64_t inode;
};
int sys_place(const char *path, struct sys_place *ret);

int sys_duplicate(int fd);            /* close-on-exec, never below 3 */
int sys_replace_fd(int with, int fd); /* dup3(2), close-on-exec */

/* The next number from `from` on, below `end`, that may be of an open descriptor; -ENOENT. By poll(2): no /proc, no memory. */
int sys_next_fd(int from, int end);

/* O_*, as fcntl(F_GETFL) says it. */
int sys_fd_flags(int fd);
int sys_set_fd_flags(int fd, int flags); /* F_SETFL: of what is open, whoever has it */

int sys_is_nsfs(int fd); /* 1, 0 or a negative errno */

/* All signals that can be, of this thread; *ret is for sys_restore_signals(). */
void sys_block_signals(uint64_t *ret);
void sys_restore_signals(uint64_t blocked);

/* Is a mount of its own at path? 1, 0 or a negative errno. For paths that nobody but root can change. */
int sys_is_mount_root(const char *path);

/* Is fd on the unified cgroup hierarchy? 1, 0 or a negative errno; it may be O_PATH. */
int sys_is_cgroup2(int fd);

/* A stable id of a process as long as it lives: the inode number of its pidfd (kernel 6.9; before, one for all). */
int sys_process_id(pid_t pid, uint64_t *ret);

/* umount2(".", MNT_DETACH): the old root after pivot_root(".", "."). */
int sys_umount_cwd(void);

/* Wait until the file system that fd lies on is unmounted everywhere: inotify(7), IN_UNMOUNT. */
int sys_watch_unmount(int fd);              /* a descriptor; fd itself may be closed */
int sys_wait_unmount(int watch, int ms);    /* 1 it is, 0 not within ms, or a negative errno */

/* poll(2) one descriptor for reading: 1, 0 after ms milliseconds, or a negative errno. Retries EINTR. */
int sys_wait_readable(int fd, int ms);
int sys_pipe(int fds[2]);
ssize_t sys_write(int fd, const void *buffer, size_t size);
int sys_kill(pid_t pid, int signal);

/* The identity for file access of this thread only, no capability games: setfsuid(2), setfsgid(2). 0 or -EPERM. */
int sys_set_fs_ids(uid_t uid, gid_t gid);

/* One descriptor, closed by leaving its scope; fd_steal() hands it on. */
static inline void sys_close_p(int *fd)
{
	if (*fd >= 0)
		sys_close(*fd);
}
#define cleanup_fd __attribute__((cleanup(sys_close_p)))

static inline int fd_steal(int *fd)
{
	int r = *fd;

	*fd = -1;
	return r;
}

#endif
