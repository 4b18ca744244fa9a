// SPDX-License-Identifier: BSD-3-Clause
/*
 * clone as a function call: a stack is made, the child runs a function on it, the stack goes when nobody can be on
 * it any more.
 *
 * Who can be on it: a child that shares our memory, until the kernel has taken it out of that memory (at exit, or
 * exec), and that it tells by CHILD_CLEARTID. Where the caller does not want that for himself it is ours, in a word
 * at the upper end of the stack; the child then writes its own CHILD_SETTID, as the kernel has but one pointer for
 * both.
 *
 * It refuses to keep a list of children, to handle signals, to run atfork handlers, and to guess at missing pointers.
 *
 *	operation               system calls, in this order                     what undoes it
 *	nsclone_clone           mmap, mprotect, clone3 or clone, munmap         nsclone_wait
 *	nsclone_wait            wait4 or futex(FUTEX_WAIT), munmap              -
 */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/core/kernel.h"
#include "lib/core/nsclone.h"

/* What is worked out of the arguments; everything in it is the parent's. */
struct clone {
	const struct nsclone_clone_args *args;
	uint64_t flags; /* as the kernel is to have them */
	pid_t *child_tid;
	bool armed; /* *child_tid was 0 and is -1 now */
	struct kernel_start *start;
	struct nsclone_child child;
};

/* Does the child go on using the stack in our memory when clone has returned? */
static bool shares_stack(uint64_t flags)
{
	return flags & NSCLONE_VM && (!(flags & NSCLONE_VFORK) || flags & NSCLONE_THREAD);
}

/*
 * The first that runs in the child, on its own stack. With VM and without TLS of its own it shares errno: stay clear.
 */
static int run(struct kernel_start *start)
{
	for (size_t i = 0; i < 2; i++)
		if (start->tid[i])
			*start->tid[i] = kernel_gettid();
	start->result = start->function(start->argument);
	return start->result;
}

static int fail_argument(struct nsclone_error *error, const char *flag, const char *reason)
{
	return nsclone_fail(error, -EINVAL, "clone3", flag, reason);
}

static int check(const struct nsclone_clone_args *args, const struct nsclone_child *ret, struct nsclone_error *error)
{
	uint64_t flags = args->flags;

	if ((flags & NSCLONE_SIGNAL) > 64)
		return fail_argument(error, "exit signal", "signals end at 64");
	if (flags & NSCLONE_DETACHED)
		return fail_argument(error, "DETACHED",
				     "it has meant nothing since Linux 2.6.2, and clone3(2) refuses it");
	if (flags & NSCLONE_PARENT_SETTID && !args->parent_tid)
		return fail_argument(error, "PARENT_SETTID", "parent_tid is missing");
	if (flags & (NSCLONE_CHILD_SETTID | NSCLONE_CHILD_CLEARTID) && !args->child_tid)
		return fail_argument(error, "CHILD_SETTID or CHILD_CLEARTID", "child_tid is missing");
	if (flags & NSCLONE_PIDFD && !args->pidfd)
		return fail_argument(error, "PIDFD", "pidfd is missing");
	if (shares_stack(flags) && !ret)
		return fail_argument(error, "VM", "a child that shares memory needs a struct nsclone_child");
	return 0;
}

static int make_stack(struct clone *clone, int (*function)(void *), void *argument)
{
	size_t size = clone->args->stack_size ? clone->args->stack_size : NSCLONE_STACK_DEFAULT;
	size_t top = (sizeof(struct kernel_start) + 15) / 16 * 16; /* a stack pointer is a multiple of 16 */
	int r;

	if (size > SIZE_MAX - top)
		return -ENOMEM;
	r = kernel_stack_new(size + top, &clone->child.stack, &clone->child.stack_size);
	if (r < 0)
		return r;
	clone->start = (struct kernel_start *)((char *)clone->child.stack + clone->child.stack_size - top);
	*clone->start = (struct kernel_start){.run = run, .function = function, .argument = argument, .ended = -1};
	clone->child.result = &clone->start->result;
	return 0;
}

/* See to it that the kernel says when the child has left the stack. */
static void watch_end(struct clone *clone)
{
	clone->child_tid = clone->args->child_tid;
	if (!shares_stack(clone->flags))
		return;
	if (!(clone->flags & NSCLONE_CHILD_CLEARTID)) {
		if (clone->flags & NSCLONE_CHILD_SETTID)
			clone->start->tid[0] = clone->child_tid;
		clone->flags = (clone->flags & ~NSCLONE_CHILD_SETTID) | NSCLONE_CHILD_CLEARTID;
		clone->child_tid = &clone->start->ended;
	} else if (*clone->child_tid == 0) {
		*clone->child_tid = -1;
		clone->armed = true;
	}
	clone->child.ended = clone->child_tid;
}

static uint64_t address(const void *pointer)
{
	return (uint64_t)(uintptr_t)pointer;
}

static long by_clone3(const struct clone *clone)
{
	const struct nsclone_clone_args *args = clone->args;
	bool signals = !(clone->flags & (NSCLONE_THREAD | NSCLONE_PARENT)); /* clone3 refuses what clone ignores */
	struct kernel_clone3_args kernel = {
		.flags = clone->flags & ~NSCLONE_SIGNAL,
		.pidfd = address(args->pidfd),
		.child_tid = address(clone->child_tid),
		.parent_tid = address(args->parent_tid),
		.exit_signal = signals ? clone->flags & NSCLONE_SIGNAL : 0,
		.stack = address(clone->child.stack),
		.stack_size = address(clone->start) - address(clone->child.stack),
		.tls = address(args->tls),
		.set_tid = address(args->set_tid),
		.set_tid_size = args->set_tid ? args->set_tid_size : 0,
		.cgroup = clone->flags & NSCLONE_INTO_CGROUP ? (uint64_t)args->cgroup : 0,
	};

	return kernel_clone3(&kernel, clone->start);
}

/* clone(2) has one pointer for PIDFD and PARENT_SETTID: the latter is done by hand then. */
static long by_clone(struct clone *clone)
{
	const struct nsclone_clone_args *args = clone->args;
	uint64_t flags = clone->flags;
	bool by_hand = flags & NSCLONE_PIDFD && flags & NSCLONE_PARENT_SETTID;
	long pid;

	if (by_hand) {
		flags &= ~NSCLONE_PARENT_SETTID;
		if (flags & NSCLONE_VM && !(flags & NSCLONE_NEWPID))
			clone->start->tid[1] = args->parent_tid;
	}
	pid = kernel_clone((unsigned long)flags, flags & NSCLONE_PIDFD ? args->pidfd : args->parent_tid,
			   clone->child_tid, args->tls, clone->start);
	if (pid > 0 && by_hand)
		*args->parent_tid = (pid_t)pid;
	return pid;
}

/* Why clone3 or clone said no; what they were spared cannot be the reason. */
static int fail_kernel(const struct clone *clone, enum nsclone_call call, int code, struct nsclone_error *error)
{
	const char *name = call == NSCLONE_CALL_CLONE3 ? "clone3" : "clone";
	char flags[400] = "", reason[256] = "";
	uint64_t explained = clone->args->flags;

	if (explained & (NSCLONE_THREAD | NSCLONE_PARENT))
		explained &= ~NSCLONE_SIGNAL;
	if (call == NSCLONE_CALL_CLONE && explained & NSCLONE_PIDFD)
		explained &= ~NSCLONE_PARENT_SETTID; /* see by_clone() */
	nsclone_flags_text(clone->args->flags, flags, sizeof(flags));
	if (code == -EINVAL)
		nsclone_flags_explain(call, explained, reason, sizeof(reason));
	return nsclone_fail(error, code, name, flags, reason);
}

/* Flags that would be cut off, or taken for an exit signal, must not reach clone(2). */
static int check_clone(const struct clone *clone, struct nsclone_error *error)
{
	char reason[256];

	if (clone->args->set_tid)
		return nsclone_fail(error, -EINVAL, "clone", "set_tid",
				    "only clone3(2) takes it, which is not to be had");
	if (clone->flags & (NSCLONE_NEWTIME | NSCLONE_CLEAR_SIGHAND | NSCLONE_INTO_CGROUP) ||
	    clone->flags > UINT32_MAX) {
		nsclone_flags_explain(NSCLONE_CALL_CLONE, clone->flags, reason, sizeof(reason));
		return nsclone_fail(error, -EINVAL, "clone", NULL, reason);
	}
	return 0;
}

static long enter(struct clone *clone, struct nsclone_error *error)
{
	int pidfd = clone->args->pidfd ? *clone->args->pidfd : -1;
	enum nsclone_call call = NSCLONE_CALL_CLONE3;
	long pid = by_clone3(clone);

	if (pid == -ENOSYS) {
		call = NSCLONE_CALL_CLONE;
		pid = check_clone(clone, error);
		if (pid < 0)
			return pid;
		pid = by_clone(clone);
	}
	if (pid > 0)
		return pid;
	/* The kernel may have filled it in before it found the reason to say no. */
	if (clone->args->pidfd)
		*clone->args->pidfd = pidfd;
	return fail_kernel(clone, call, (int)pid, error);
}

pid_t nsclone_clone(int (*function)(void *), void *argument, const struct nsclone_clone_args *args,
		    struct nsclone_child *ret, struct nsclone_error *error)
{
	struct clone clone = {.args = args, .flags = args->flags, .child.flags = args->flags};
	long pid = check(args, ret, error);

	if (pid < 0)
		return (pid_t)pid;
	pid = make_stack(&clone, function, argument);
	if (pid < 0)
		return nsclone_fail(error, (int)pid, "mmap", "stack", NULL);
	watch_end(&clone);
	pid = enter(&clone, error);
	if (pid < 0 || !clone.child.ended) {
		kernel_stack_free(clone.child.stack, clone.child.stack_size);
		clone.child.stack = NULL;
	}
	if (pid < 0) {
		if (clone.armed)
			*clone.child_tid = 0;
		return (pid_t)pid;
	}
	clone.child.pid = (pid_t)pid;
	if (ret)
		*ret = clone.child;
	return (pid_t)pid;
}

/* The kernel wakes the word after it has zeroed it; it does not mind if the stack it lies in is gone by then. */
static int wait_left(pid_t *ended, bool nohang)
{
	pid_t value;

	while ((value = __atomic_load_n(ended, __ATOMIC_ACQUIRE)) != 0) {
		if (nohang)
			return -EAGAIN;
		kernel_futex_wait(ended, value);
	}
	return 0;
}

static int wait_thread(const struct nsclone_child *child, bool nohang, int *status)
{
	int r = wait_left(child->ended, nohang);

	if (r == 0)
		*status = (*child->result & 0xff) << 8;
	return r;
}

static int wait_process(const struct nsclone_child *child, bool nohang, int *status)
{
	pid_t pid;
	int r;

	do
		pid = kernel_waitpid(child->pid, status, nohang ? WNOHANG : 0);
	while (pid == -EINTR);
	if (pid == 0)
		return -EAGAIN;
	if (pid != -ECHILD || !child->ended)
		return pid < 0 ? pid : 0;
	/* Reaped by somebody else, or not our child: it may be running yet, on the stack that we are to free. */
	r = wait_left(child->ended, nohang);
	return r < 0 ? r : -ECHILD;
}

int nsclone_wait(struct nsclone_child *child, int options, int *status)
{
	bool nohang = options & WNOHANG;
	int r, value = 0;

	if (options & ~WNOHANG)
		return -EINVAL;
	if (child->pid <= 0)
		return -ECHILD;
	if (child->flags & NSCLONE_THREAD)
		r = wait_thread(child, nohang, &value);
	else
		r = wait_process(child, nohang, &value);
	if (r < 0 && r != -ECHILD)
		return r;
	if (child->stack)
		kernel_stack_free(child->stack, child->stack_size);
	*child = (struct nsclone_child){.flags = child->flags};
	if (r == 0 && status)
		*status = value;
	return r;
}
