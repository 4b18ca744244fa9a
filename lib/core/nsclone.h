/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libnsclone: clone, unshare, setns, pivot_root, kcmp and mounts by file descriptor, each argument of each call
 * working.
 *
 * This header is the manual; libnsclone(3) is made from it. It knows no policy, prints nothing, reads no environment
 * and keeps no state.
 *
 * Every function returns 0 (or what it says: a file descriptor, an order) or a negative errno, and leaves errno
 * itself as it was. File descriptors that are returned are the caller's, close-on-exec, and never below 3 unless the
 * caller had closed 0, 1 or 2. Out-parameters are untouched on failure. Where there is a struct nsclone_error * it
 * may be NULL; it is filled in on failure only.
 */
#ifndef NSCLONE_H
#define NSCLONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

#define NSCLONE_VERSION "0.1.0"

/* Which system call failed, on what, and why in words where the kernel or we know more than errno says. */
struct nsclone_error {
	const char *call;  /* "move_mount", "openat2", ...: a string constant */
	char object[256];  /* a path, an option, a flag; cut, never overrun */
	char reason[256];  /* "" or a sentence without a full stop */
};

/*
 * Record and pass on: fills *error (may be NULL) and returns code, so that `return nsclone_fail(...)` is one line.
 * object and reason may be NULL.
 */
int nsclone_fail(struct nsclone_error *error, int code, const char *call, const char *object, const char *reason);

/* ---- Flags, by the names of clone(2) --------------------------------------------------------------------------- */

/*
 * The kernel's CLONE_* bits. The low seven bits of a word of flags are the signal that the parent is sent when the
 * child ends (CSIGNAL of clone(2); signals end at 64, the eighth bit is NEWTIME). For unshare(2) and setns(2) they
 * are 0.
 */
#define NSCLONE_SIGNAL         UINT64_C(0x0000007f)
#define NSCLONE_NEWTIME        UINT64_C(0x00000080)
#define NSCLONE_VM             UINT64_C(0x00000100)
#define NSCLONE_FS             UINT64_C(0x00000200)
#define NSCLONE_FILES          UINT64_C(0x00000400)
#define NSCLONE_SIGHAND        UINT64_C(0x00000800)
#define NSCLONE_PIDFD          UINT64_C(0x00001000)
#define NSCLONE_PTRACE         UINT64_C(0x00002000)
#define NSCLONE_VFORK          UINT64_C(0x00004000)
#define NSCLONE_PARENT         UINT64_C(0x00008000)
#define NSCLONE_THREAD         UINT64_C(0x00010000)
#define NSCLONE_NEWNS          UINT64_C(0x00020000)
#define NSCLONE_SYSVSEM        UINT64_C(0x00040000)
#define NSCLONE_SETTLS         UINT64_C(0x00080000)
#define NSCLONE_PARENT_SETTID  UINT64_C(0x00100000)
#define NSCLONE_CHILD_CLEARTID UINT64_C(0x00200000)
#define NSCLONE_DETACHED       UINT64_C(0x00400000)
#define NSCLONE_UNTRACED       UINT64_C(0x00800000)
#define NSCLONE_CHILD_SETTID   UINT64_C(0x01000000)
#define NSCLONE_NEWCGROUP      UINT64_C(0x02000000)
#define NSCLONE_NEWUTS         UINT64_C(0x04000000)
#define NSCLONE_NEWIPC         UINT64_C(0x08000000)
#define NSCLONE_NEWUSER        UINT64_C(0x10000000)
#define NSCLONE_NEWPID         UINT64_C(0x20000000)
#define NSCLONE_NEWNET         UINT64_C(0x40000000)
#define NSCLONE_IO             UINT64_C(0x80000000)
#define NSCLONE_CLEAR_SIGHAND  UINT64_C(0x100000000)
#define NSCLONE_INTO_CGROUP    UINT64_C(0x200000000)

/* The calls that take such flags. */
enum nsclone_call {
	NSCLONE_CALL_CLONE,
	NSCLONE_CALL_CLONE3,
	NSCLONE_CALL_UNSHARE,
	NSCLONE_CALL_SETNS,
};

struct nsclone_flag {
	const char *name;    /* "NEWNS" */
	uint64_t value;      /* NSCLONE_NEWNS */
	uint64_t implies;    /* for unshare(2), directly: FS */
	unsigned int calls;  /* who takes it: 1 << NSCLONE_CALL_CLONE, ... */
	unsigned int kernel; /* the first that has it: 0x0506 is 5.6; 0 for all before 4.0 */
	const char *meaning; /* a few words */
};

/*
 * All flags but the exit signal, one after the other, in the order of their bits: NULL after the last. Not the
 * caller's.
 */
const struct nsclone_flag *nsclone_flag_at(size_t i);

/*
 * Text to flags: names with or without CLONE_, in either case, signals with SIG (SIGCHLD), numbers of C,
 * with `|`, `,` or blanks between them. "" is 0.
 * Errors: EINVAL a word that is none of these, or two exit signals; error->object is the word.
 */
int nsclone_flags_parse(const char *text, uint64_t *ret, struct nsclone_error *error);

/*
 * Flags to text that nsclone_flags_parse() reads back: "NEWNS|NEWPID|SIGCHLD"; bits without a name as a number; "0".
 * 400 bytes are always enough. ERANGE: the buffer of size bytes is not; it holds nothing of use then.
 */
int nsclone_flags_text(uint64_t flags, char *buffer, size_t size);

/*
 * flags and everything that unshare(2) takes them to mean: NEWNS implies FS, NEWUSER implies THREAD and FS, NEWIPC
 * implies SYSVSEM, VM implies SIGHAND, SIGHAND implies THREAD, THREAD implies VM and SIGHAND. (The last as the manual
 * has it: since 4.3 the kernel itself refuses THREAD only to a caller with several threads, and VM also to one that
 * shares its memory.)
 */
uint64_t nsclone_flags_implied(uint64_t flags);

/*
 * Why does call answer EINVAL to flags? Writes one sentence without a full stop into the buffer of size bytes.
 * Returns 1: such flags can never go there, on this kernel or at all, and the sentence says which and why.
 * Returns 0: the flags as such are in order, and the sentence is "" or says what about the caller may be the reason.
 * For NSCLONE_CALL_CLONE and _CLONE3 the low seven bits are the exit signal, for the others they are flags that
 * nobody takes.
 */
int nsclone_flags_explain(enum nsclone_call call, uint64_t flags, char *buffer, size_t size);

/* ---- clone(2), clone3(2) --------------------------------------------------------------------------------------- */

#define NSCLONE_STACK_DEFAULT ((size_t)1 << 20)

struct nsclone_clone_args {
	uint64_t flags;    /* NSCLONE_*, and the exit signal in the low bits: SIGCHLD, 0 for none */
	size_t stack_size; /* bytes, rounded up to pages; 0 is NSCLONE_STACK_DEFAULT. Beside it a guard page */
	pid_t *parent_tid; /* PARENT_SETTID: filled in with the child's id before nsclone_clone() returns */
	pid_t *child_tid;  /* CHILD_SETTID: filled in, in the child's memory; CHILD_CLEARTID: zeroed and woken at its end */
	void *tls;         /* SETTLS: what set_thread_area(2), arch_prctl(2) or tpidr_el0 take: the thread pointer */
	int *pidfd;        /* PIDFD: filled in; the descriptor is the caller's */
	int cgroup;        /* INTO_CGROUP: a descriptor of a directory of cgroup v2 (O_PATH will do) */
	const pid_t *set_tid; /* ids for the child, from the innermost PID namespace outwards; NULL for the next free one */
	size_t set_tid_size;  /* how many */
};

/*
 * A child, and the stack that it may still be running on. Filled in by nsclone_clone(); the caller's to keep and
 * copy.
 */
struct nsclone_child {
	pid_t pid;         /* 0 once it is waited for */
	uint64_t flags;    /* as asked for */
	void *stack;       /* the mapping, NULL where it is freed */
	size_t stack_size; /* of the mapping, guard page and all */
	pid_t *ended;      /* where the kernel writes 0 when the child has left this memory; NULL as the stack */
	int *result;       /* what the function returned; in the stack */
};

/*
 * Run function(argument) in a new process or thread, on a stack of its own. What it returns, modulo 256, is the exit
 * status; it ends by SYS_exit, without atexit(3) handlers and without flushing stdio.
 *
 * clone3(2), or clone(2) where that answers ENOSYS (on machines other than x86_64 and aarch64 always clone(2)). With
 * clone(2) and PIDFD, PARENT_SETTID together a child that shares memory and has NEWPID may run before *parent_tid is
 * set.
 *
 * The stack of a child with memory of its own (no VM), and of one with VFORK that is no THREAD, is freed before this
 * returns; ret may be NULL for these. That of any other is freed by nsclone_wait(), which must be called for it.
 * Where flags hold VM and CHILD_CLEARTID, nsclone_wait() relies on *child_tid: it is set to -1 here if it is 0, and
 * nobody but the kernel may zero it.
 *
 * What clone(2) says of its flags holds; with PARENT or THREAD the exit signal does not count. A child that shares
 * memory and has no SETTLS shares errno and malloc(3)'s caches with the caller: it may use little more than system
 * calls. No pthread_atfork(3) handler is run.
 *
 * Returns the child's id. Errors, besides those of clone(2):
 * EINVAL flags that cannot go together or there, a flag without its pointer, a stack that stays without ret, a bad
 *        signal; or CLEAR_SIGHAND, INTO_CGROUP, NEWTIME, set_tid where only clone(2) is to be had. error->reason
 *        says which, mostly by nsclone_flags_explain()
 * ENOMEM no memory for the stack (stack_size is too big, too)
 * E2BIG  the kernel's clone3 is too old for set_tid or cgroup
 */
pid_t nsclone_clone(int (*function)(void *), void *argument, const struct nsclone_clone_args *args,
		    struct nsclone_child *ret, struct nsclone_error *error);

/*
 * Wait until the child has ended, reap it whatever its exit signal, and free its stack. options: 0 or WNOHANG.
 * *status (may be NULL) is one for WIFEXITED(3) and its kin; for a THREAD it is made of what its function returned.
 * EINTR is not reported: the wait goes on.
 * Errors: EAGAIN it still runs (WNOHANG). ECHILD it has ended and its stack is freed, but the status is not to be had:
 * it was reaped elsewhere, SIGCHLD is ignored, or it is not our child (PARENT). EINVAL options.
 */
int nsclone_wait(struct nsclone_child *child, int options, int *status);

/* ---- kcmp(2) --------------------------------------------------------------------------------------------------- */

/* What to compare; the values are the kernel's. */
enum nsclone_kcmp_type {
	NSCLONE_KCMP_FILE,      /* the open files behind descriptor idx1 of pid1 and idx2 of pid2 */
	NSCLONE_KCMP_VM,        /* memory */
	NSCLONE_KCMP_FILES,     /* table of descriptors */
	NSCLONE_KCMP_FS,        /* root, working directory, umask */
	NSCLONE_KCMP_SIGHAND,   /* signal handlers */
	NSCLONE_KCMP_IO,        /* I/O context; two that have none are equal */
	NSCLONE_KCMP_SYSVSEM,   /* System V semaphore undo list; two that have none are equal */
	NSCLONE_KCMP_EPOLL_TFD, /* descriptor idx1 of pid1, and a target in an epoll of pid2: nsclone_kcmp_epoll() */
};

/* How pid1's object stands to pid2's. The kernel orders them arbitrarily, but the same way until the next boot. */
enum nsclone_kcmp_order {
	NSCLONE_KCMP_EQUAL = 0, /* it is the same one: shared */
	NSCLONE_KCMP_LESS = 1,
	NSCLONE_KCMP_GREATER = 2,
	NSCLONE_KCMP_UNORDERED = 3, /* different, and the kernel will not say more */
};

/* Where a target of an epoll is to be found. */
struct nsclone_kcmp_slot {
	uint32_t epoll;  /* descriptor of the epoll in pid2 */
	uint32_t target; /* number under which the target was added */
	uint32_t offset; /* among several that were added under this number (it was closed and used again): 0, 1, ... */
};

/*
 * kcmp(2): a nsclone_kcmp_order, or a negative errno. idx1 and idx2 are descriptors for FILE, and ignored (0) for the
 * others; for EPOLL_TFD idx2 is the address of a nsclone_kcmp_slot.
 * Errors: ESRCH no such process; EPERM ptrace(2) would not be allowed; EBADF no such descriptor; EINVAL type; ENOSYS
 * the kernel is built without it (CONFIG_KCMP).
 */
int nsclone_kcmp(pid_t pid1, pid_t pid2, enum nsclone_kcmp_type type, unsigned long idx1, unsigned long idx2);

/* EPOLL_TFD with its slot. Errors besides: ENOENT no such target; EOPNOTSUPP the kernel is built without epoll. */
int nsclone_kcmp_epoll(pid_t pid1, pid_t pid2, int fd, const struct nsclone_kcmp_slot *slot);

/* "FILE" ... "EPOLL_TFD", NULL if it is none; and back: a nsclone_kcmp_type, in either case, or -EINVAL. */
const char *nsclone_kcmp_type_name(enum nsclone_kcmp_type type);
int nsclone_kcmp_type_parse(const char *name);

/* "equal", "less", "greater", "unordered", NULL. */
const char *nsclone_kcmp_order_name(int order);

/* ---- Paths that somebody else may be changing ------------------------------------------------------------------ */

/*
 * openat2(2): flags are those of open(2) (O_CLOEXEC is added), resolve the RESOLVE_* of openat2(2).
 * Returns a descriptor or what openat2 answers; -ENOSYS where the kernel or a seccomp filter (systemd's
 * RestrictSUIDSGID=) does not let it through.
 */
int nsclone_openat2(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve);

/*
 * Open path below dirfd (AT_FDCWD and a path from / are fine) without following any symbolic link, nor a magic link, in
 * any component: openat2(RESOLVE_NO_SYMLINKS|RESOLVE_NO_MAGICLINKS), or where that answers ENOSYS (EPERM in older
 * containers) a walk of openat(O_PATH|O_NOFOLLOW), component by component. `..` is refused (EINVAL) in both. flags must
 * hold O_PATH or O_DIRECTORY, so that a FIFO cannot block, and nothing that creates or cuts (EINVAL otherwise).
 * O_NOFOLLOW makes no difference. On the way, not in the last component, automount points are mounted.
 * Errors: ELOOP a symbolic link is in the way, the last component included; ENAMETOOLONG; and those of open(2).
 */
int nsclone_open_nosymlink(int dirfd, const char *path, int flags);

/*
 * Open the absolute path as an administrator means it: symbolic links that root made in directories where only root can
 * write are followed (a /home that is a link to /export/home), from the first directory on in which anybody else can
 * create names none is. root is a descriptor of the directory that `/` means, for the path and for absolute links in it
 * (a tree that is being assembled aside), or AT_FDCWD: the caller's own root. flags as for nsclone_open_nosymlink();
 * the last component is treated like the others.
 * Trusted is a directory that uid 0 owns and neither group nor others can write to, if all that were passed are; a link
 * in it counts if uid 0 owns it, too. `..` in such a link's target is followed, but not above root.
 * Errors: ELOOP an untrusted link, one of procfs, `..` in a link's target below an untrusted directory, or the 41st
 * link: error->reason says which; EINVAL path is not absolute or holds `..`, or flags; ENAMETOOLONG; those of open(2).
 */
int nsclone_open_trusted(int root, const char *path, int flags, struct nsclone_error *error);

/*
 * The path that fd names now, by readlink of /proc/self/fd/FD, into buffer of size bytes. For messages: it may be
 * another by the time it is read. Errors: ENAMETOOLONG; ENOENT no such descriptor, or no /proc; those of readlink(2).
 */
int nsclone_fd_path(int fd, char *buffer, size_t size);

/* ---- Mounts by file descriptor: fsopen(2), fsmount(2), open_tree(2), move_mount(2), mount_setattr(2) ------------ */

/* One option for fsconfig(2): key=value, or a flag where value is NULL. */
struct nsclone_mount_option {
	const char *key;
	const char *value;
};

/*
 * A new, detached mount of a file system: fsopen, fsconfig for each option, FSCONFIG_CMD_CREATE, fsmount.
 * attributes are MOUNT_ATTR_* of fsmount(2). Returns its descriptor, for nsclone_mount_attach(). Closing it unattached
 * unmounts it. On failure error->call is the system call, error->object the option or the file system, error->reason
 * the kernel's own message from the file system context, where it has one ("tmpfs: Bad value for 'size'").
 * Errors: ENODEV no such file system; EINVAL an option or an attribute; EPERM; ENOSYS before 5.2; those of the file
 * system.
 */
int nsclone_mount_new(const char *fstype, const struct nsclone_mount_option *options, size_t n, uint64_t attributes,
		      struct nsclone_error *error);

/*
 * A detached copy of the mount at dirfd/path ("" with AT_EMPTY_PATH semantics for dirfd itself), with all mounts below
 * it where recursive: open_tree(2) with OPEN_TREE_CLONE. A symbolic link as the last component is not followed.
 * Returns a descriptor as nsclone_mount_new() does. A descriptor got before an unshare(2) of NEWNS names the old mount.
 * Errors: EINVAL the original is not in the caller's mount namespace, or unbindable; EPERM; those of open(2).
 */
int nsclone_mount_copy(int dirfd, const char *path, bool recursive);

/*
 * Set and clear MOUNT_ATTR_* of the mount that fd is the root of, and of all below it where recursive:
 * mount_setattr(2), kernel 5.12. To change the access time mode, clear holds MOUNT_ATTR__ATIME.
 * Errors: EINVAL fd is not the root of a mount, or bits that do not go together; EPERM a locked flag would be cleared;
 * EBUSY read-only, and a file is open for writing.
 */
int nsclone_mount_attributes(int fd, bool recursive, uint64_t set, uint64_t clear);

/* Make the mount that fd is the root of private: mounts and unmounts neither reach nor leave it. mount_setattr(2). */
int nsclone_mount_private(int fd);

/*
 * Attach a detached (or move an attached) mount onto the file or directory target: move_mount(2). mount names the root
 * of the attached mount afterwards, target what lies below it.
 * Errors: ENOTDIR one is a directory and the other is not; EINVAL target is not in this mount namespace; EPERM; ELOOP
 * target lies in mount.
 */
int nsclone_mount_attach(int mount, int target);

/*
 * Make every mount from / on a slave: mount(2) MS_REC|MS_SLAVE. Nothing propagates out afterwards.
 * Errors: EINVAL the caller's root is not the root of a mount (chroot); EPERM.
 */
int nsclone_mount_all_slave(void);

/*
 * Detach the mount that fd is the root of, with all below it: umount2(2) with MNT_DETACH by /proc/self/fd. Where
 * another has been mounted right over it, that one goes instead: umount2 sees the uppermost only.
 * Errors: EINVAL fd is not the root of a mount of this mount namespace; ENOENT no such descriptor, or no /proc; EPERM.
 */
int nsclone_mount_detach(int fd);

/* Is fd the root of a mount, as statx(2) says? Returns 1, 0 or a negative errno: ENOSYS before 5.8; EBADF. */
int nsclone_mount_is_root(int fd);

/*
 * pivot_root(2): paths, as the caller's own. pivot_root(".", ".") works, too: then umount2(".", MNT_DETACH) rids you
 * of the old root. Errors: EINVAL new_root is not the root of a mount, put_old not below it, or propagation is
 * shared; EBUSY; EPERM; those of open(2).
 */
int nsclone_pivot_root(const char *new_root, const char *put_old);

/* ---- Namespaces ------------------------------------------------------------------------------------------------ */

/*
 * unshare(2). NEWPID and NEWTIME take effect in children only.
 * Errors: EINVAL, with the reason in words from nsclone_flags_explain(NSCLONE_CALL_UNSHARE, ...); EPERM, ENOSPC (the
 * limits of user_namespaces(7)), ENOMEM, EUSERS.
 */
int nsclone_unshare(uint64_t flags);

/*
 * setns(2): fd is one of nsfs, nstype 0 or the CLONE_NEW* that it must be; or fd is a pidfd (kernel 5.8), nstype one or
 * more CLONE_NEW*, and all of these or none are joined.
 * Errors: EBADF; EINVAL (nsclone_flags_explain(NSCLONE_CALL_SETNS, ...)); EPERM; ESRCH the pidfd's process is gone.
 */
int nsclone_setns(int fd, int nstype);

/*
 * The namespace of process pid (0: of the calling thread) by a CLONE_NEW* flag, as a descriptor of nsfs:
 * /proc/PID/ns/...
 * Errors: EINVAL nstype; ENOENT no such process, no such namespaces in this kernel, or no /proc; EACCES ptrace(2)
 * would not be allowed.
 */
int nsclone_ns_open(pid_t pid, int nstype);

/* nsclone_ns_open() of the calling thread. */
int nsclone_ns_open_self(int nstype);

/* "mnt", "net", ... as in /proc/PID/ns for a CLONE_NEW* flag, or NULL; and back: the flag, or -EINVAL. */
const char *nsclone_ns_name(int nstype);
int nsclone_ns_parse(const char *name);

/*
 * ioctl_ns(2). The user namespace that owns the namespace fd (NS_GET_USERNS) and the parent of a PID or user namespace
 * (NS_GET_PARENT): descriptors. Errors: EPERM it lies outside the caller's namespaces; EINVAL this type has no parent;
 * ENOTTY fd is not of nsfs.
 */
int nsclone_ns_get_userns(int fd);
int nsclone_ns_get_parent(int fd);

/* NS_GET_NSTYPE: the CLONE_NEW* flag of the namespace fd. ENOTTY. Kernel 4.11, as the next. */
int nsclone_ns_get_nstype(int fd);

/*
 * NS_GET_OWNER_UID: who made the user namespace fd, as the caller's own user namespace counts. EINVAL not a user
 * namespace.
 */
int nsclone_ns_get_owner_uid(int fd, uid_t *ret);

/* lo up in the caller's network namespace: SIOCSIFFLAGS. Errors: EPERM; ENODEV there is no lo. */
int nsclone_loopback_up(void);

/*
 * SIOCGIFFLAGS and SIOCSIFFLAGS of netdevice(7): the IFF_* of interface, in the caller's network namespace.
 * Errors: EINVAL an empty name or one of 16 bytes or more; ENODEV; EPERM.
 */
int nsclone_interface_get_flags(const char *interface, short *ret);
int nsclone_interface_set_flags(const char *interface, short flags);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
