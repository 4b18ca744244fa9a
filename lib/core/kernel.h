/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's entries that only lib/core uses: one function per system call, thinner than anything public, each in a
 * file apart from its callers, so that a test can stand in for it (ld --wrap). They know the numbers and the flags that
 * glibc and musl may lack, and nothing else. Not public.
 */
#ifndef NSCLONE_KERNEL_H
#define NSCLONE_KERNEL_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What call answers, or a negative errno; errno itself is left as it was. */
#define KERNEL(call)                                                                                                   \
	({                                                                                                             \
		int kernel_errno_ = errno;                                                                             \
		long kernel_answer_ = (call);                                                                          \
		if (kernel_answer_ < 0) {                                                                              \
			kernel_answer_ = -errno;                                                                       \
			errno = kernel_errno_;                                                                         \
		}                                                                                                      \
		kernel_answer_;                                                                                        \
	})

/* lib/core/kernel_mount.c; paths are relative to a descriptor or "" for the descriptor itself */
int kernel_fsopen(const char *fstype);
int kernel_fsconfig(int context, unsigned int command, const char *key, const void *value, int aux);
ssize_t kernel_fsmessage(int context, char *buffer, size_t size);
int kernel_fsmount(int context, uint64_t attributes);
int kernel_open_tree(int dirfd, const char *path, unsigned int flags);
int kernel_move_mount(int from, int to);
int kernel_mount_setattr(int fd, unsigned int flags, uint64_t set, uint64_t clear, uint64_t propagation);
int kernel_mount(const char *target, unsigned long flags);
int kernel_umount(const char *target, int flags);
int kernel_statx_attributes(int fd, uint64_t *ret_attributes, uint64_t *ret_mask);

/* lib/core/kernel_file.c; openat2 is public */
int kernel_filesystem_type(int fd, unsigned long *ret);

/* Does it lie on a file system of that type (linux/magic.h)? 1, 0 or a negative errno. */
static inline int kernel_is_on(int fd, unsigned long type)
{
	unsigned long its;
	int r = kernel_filesystem_type(fd, &its);

	return r < 0 ? r : its == type;
}

/*
 * lib/core/kernel_clone.c: clone3(2) and clone(2) with a function to run in the child. start lies at the upper end of
 * the new stack, and the stack begins below it. The child calls start->run(start) and ends with what that returns.
 */
struct kernel_start {
	int (*run)(struct kernel_start *start); /* first: the assembly calls it */
	int (*function)(void *argument);
	void *argument;
	pid_t *tid[2]; /* where the child writes its own id, or NULL */
	pid_t ended;
	int result;
};

struct kernel_clone3_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls; /* 5.3 */
	uint64_t set_tid, set_tid_size;                                                    /* 5.5 */
	uint64_t cgroup;                                                                   /* 5.7 */
};

long kernel_clone3(const struct kernel_clone3_args *args, struct kernel_start *start);
long kernel_clone(unsigned long flags, pid_t *parent_tid, pid_t *child_tid, void *tls, struct kernel_start *start);
pid_t kernel_waitpid(pid_t pid, int *status, int options);
void kernel_futex_wait(pid_t *word, pid_t value); /* until it is woken, or something else; look at the word again */
pid_t kernel_gettid(void);

/* lib/core/kernel_stack.c: a mapping with a guard page at its lower end */
int kernel_stack_new(size_t size, void **ret, size_t *ret_size);
void kernel_stack_free(void *stack, size_t size);

/* lib/core/kernel_self.c: major << 8 | minor of the running kernel */
unsigned int kernel_version(void);

#endif
