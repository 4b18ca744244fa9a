// SPDX-License-Identifier: BSD-3-Clause
/*
 * clone3(2) and clone(2), entered by a few instructions of our own: a child that shares memory with its parent must
 * leave the parent's stack before it runs a single function, which C cannot promise.
 *
 * What the child needs is in registers only, and it sets its stack pointer itself: so it also gets there where it
 * was started on a copy of the parent's stack (valgrind does that to a clone that shares no memory). The unwinder is
 * told that there is no caller. On machines that have no such instructions here there is no clone3, and clone(2)
 * is the library's.
 *
 * It refuses to know flags.
 *
 *	operation               system call     since   what undoes it
 *	kernel_clone3           clone3          5.3     the child's end, and kernel_waitpid
 *	kernel_clone            clone           -       the same
 *	kernel_waitpid          wait4           -       -
 *	kernel_futex_wait       futex           -       -
 */
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/core/kernel.h"

#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif

/*
 * clone3_enter(args, size, stack pointer, start)
 * clone_enter(flags, stack pointer, parent_tid, child_tid, tls, start)
 * Both return to the parent what the kernel answers, and never to the child.
 */
#if defined(__x86_64__) && !defined(__ILP32__)
#define CLONE_ENTER
__asm__(".text\n"
	".p2align 4\n"
	".hidden clone3_enter\n"
	".globl clone3_enter\n"
	".type clone3_enter, @function\n"
	"clone3_enter:\n"
	"	.cfi_startproc\n"
	"	endbr64\n"
	"	mov %rcx, %r9\n" /* syscall destroys rcx and r11 */
	"	mov $435, %eax\n"
	"	syscall\n"
	"	test %rax, %rax\n"
	"	jz 1f\n"
	"	ret\n"
	"1:	.cfi_undefined rip\n"
	"	mov %rdx, %rsp\n"
	"	jmp clone_child\n"
	"	.cfi_endproc\n"
	".size clone3_enter, . - clone3_enter\n"
	".p2align 4\n"
	".hidden clone_enter\n"
	".globl clone_enter\n"
	".type clone_enter, @function\n"
	"clone_enter:\n"
	"	.cfi_startproc\n"
	"	endbr64\n"
	"	mov %rcx, %r10\n"
	"	mov $56, %eax\n"
	"	syscall\n"
	"	test %rax, %rax\n"
	"	jz 1f\n"
	"	ret\n"
	"1:	.cfi_undefined rip\n"
	"	mov %rsi, %rsp\n"
	"	jmp clone_child\n"
	"	.cfi_endproc\n"
	".size clone_enter, . - clone_enter\n"
	".p2align 4\n"
	".type clone_child, @function\n"
	"clone_child:\n" /* start in r9 */
	"	.cfi_startproc\n"
	"	.cfi_undefined rip\n"
	"	xor %ebp, %ebp\n"
	"	mov %r9, %rdi\n"
	"	call *(%rdi)\n"
	"	mov %eax, %edi\n"
	"	mov $60, %eax\n" /* exit: this thread only */
	"	syscall\n"
	"	hlt\n"
	"	.cfi_endproc\n"
	".size clone_child, . - clone_child\n");

#elif defined(__aarch64__) && !defined(__ILP32__)
#define CLONE_ENTER
__asm__(".text\n"
	".p2align 4\n"
	".hidden clone3_enter\n"
	".globl clone3_enter\n"
	".type clone3_enter, %function\n"
	"clone3_enter:\n"
	"	.cfi_startproc\n"
	"	hint #34\n" /* bti c */
	"	mov x5, x3\n"
	"	mov x8, #435\n"
	"	svc #0\n"
	"	cbz x0, 1f\n"
	"	ret\n"
	"1:	.cfi_undefined x30\n"
	"	mov sp, x2\n"
	"	b clone_child\n"
	"	.cfi_endproc\n"
	".size clone3_enter, . - clone3_enter\n"
	".p2align 4\n"
	".hidden clone_enter\n"
	".globl clone_enter\n"
	".type clone_enter, %function\n"
	"clone_enter:\n"
	"	.cfi_startproc\n"
	"	hint #34\n"
	"	mov x6, x3\n" /* the kernel wants tls before child_tid here */
	"	mov x3, x4\n"
	"	mov x4, x6\n"
	"	mov x8, #220\n"
	"	svc #0\n"
	"	cbz x0, 1f\n"
	"	ret\n"
	"1:	.cfi_undefined x30\n"
	"	mov sp, x1\n"
	"	b clone_child\n"
	"	.cfi_endproc\n"
	".size clone_enter, . - clone_enter\n"
	".p2align 4\n"
	".type clone_child, %function\n"
	"clone_child:\n" /* start in x5 */
	"	.cfi_startproc\n"
	"	.cfi_undefined x30\n"
	"	mov x29, xzr\n"
	"	mov x30, xzr\n"
	"	mov x0, x5\n"
	"	ldr x1, [x0]\n"
	"	blr x1\n"
	"	mov x8, #93\n"
	"	svc #0\n"
	"	brk #1\n"
	"	.cfi_endproc\n"
	".size clone_child, . - clone_child\n");
#endif

#ifdef CLONE_ENTER
long clone3_enter(const struct kernel_clone3_args *args, size_t size, void *stack, struct kernel_start *start);
long clone_enter(unsigned long flags, void *stack, pid_t *parent_tid, pid_t *child_tid, void *tls,
		 struct kernel_start *start);

long kernel_clone3(const struct kernel_clone3_args *args, struct kernel_start *start)
{
	return clone3_enter(args, sizeof(*args), start, start);
}

long kernel_clone(unsigned long flags, pid_t *parent_tid, pid_t *child_tid, void *tls, struct kernel_start *start)
{
	return clone_enter(flags, start, parent_tid, child_tid, tls, start);
}
#else
long kernel_clone3(const struct kernel_clone3_args *args, struct kernel_start *start)
{
	(void)args;
	(void)start;
	return -ENOSYS;
}

static int run(void *start)
{
	return ((struct kernel_start *)start)->run(start);
}

long kernel_clone(unsigned long flags, pid_t *parent_tid, pid_t *child_tid, void *tls, struct kernel_start *start)
{
	return KERNEL(clone(run, start, (int)flags, start, parent_tid, tls, child_tid));
}
#endif

pid_t kernel_waitpid(pid_t pid, int *status, int options)
{
	return KERNEL(waitpid(pid, status, options | __WALL));
}

void kernel_futex_wait(pid_t *word, pid_t value)
{
	(void)KERNEL(syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0));
}

pid_t kernel_gettid(void)
{
	return (pid_t)syscall(SYS_gettid);
}
