// SPDX-License-Identifier: BSD-3-Clause
/*
 * A stack: a private mapping with a page at its lower end that cannot be touched, so that running over it is a
 * SIGSEGV in the child and not somebody else's memory.
 *
 * It refuses to grow a stack or to take one from the caller.
 *
 *	operation               system calls            what undoes it
 *	kernel_stack_new        mmap, mprotect          kernel_stack_free
 *	kernel_stack_free       munmap                  -
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/core/kernel.h"

int kernel_stack_new(size_t size, void **ret, size_t *ret_size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *stack = NULL;
	int r;

	if (size > SIZE_MAX / 2)
		return -ENOMEM;
	size = (size + page - 1) / page * page + page;
	r = KERNEL((stack = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)) == MAP_FAILED
		       ? -1
		       : 0);
	if (r < 0)
		return r;
	r = KERNEL(mprotect((char *)stack + page, size - page, PROT_READ | PROT_WRITE));
	if (r < 0) {
		kernel_stack_free(stack, size);
		return r;
	}
	*ret = stack;
	*ret_size = size;
	return 0;
}

/* It can only fail where the mapping is none of ours. */
void kernel_stack_free(void *stack, size_t size)
{
	(void)KERNEL(munmap(stack, size));
}
