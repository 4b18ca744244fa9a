// SPDX-License-Identifier: BSD-3-Clause
/*
 * nsclone_clone() with every argument, by clone3 and by clone(2), and nsclone_wait(). Where a flag says that something
 * is shared, the kernel is asked whether it is (kcmp).
 */
/* WRAP: kernel_clone3 kernel_clone */
#include "tests/unit/test_core.h"

#include <poll.h>
#include <sys/ipc.h>
#include <sys/sem.h>

#include "lib/core/kernel.h"

long __real_kernel_clone3(const struct kernel_clone3_args *args, struct kernel_start *start);
long __wrap_kernel_clone3(const struct kernel_clone3_args *args, struct kernel_start *start);
long __real_kernel_clone(unsigned long flags, pid_t *ptid, pid_t *ctid, void *tls, struct kernel_start *start);
long __wrap_kernel_clone(unsigned long flags, pid_t *ptid, pid_t *ctid, void *tls, struct kernel_start *start);

static bool old_kernel; /* one without clone3 */
static int fault;	/* or what both calls answer */
static unsigned int by_clone3, by_clone;

long __wrap_kernel_clone3(const struct kernel_clone3_args *args, struct kernel_start *start)
{
	by_clone3++;
	if (fault && args->pidfd)
		*(int *)(uintptr_t)args->pidfd = 77; /* as the kernel may, before it finds the reason */
	if (fault)
		return fault;
	return old_kernel ? -ENOSYS : __real_kernel_clone3(args, start);
}

long __wrap_kernel_clone(unsigned long flags, pid_t *ptid, pid_t *ctid, void *tls, struct kernel_start *start)
{
	by_clone++;
	return __real_kernel_clone(flags, ptid, ctid, tls, start);
}

/* valgrind and old kernels have none, and on other machines the library has no way in. */
static bool has_clone3(void)
{
#if defined(__x86_64__) || defined(__aarch64__)
	return !on_valgrind() && syscall(SYS_clone3, NULL, 0) < 0 && errno != ENOSYS;
#else
	return false;
#endif
}

/* The name is a macro's so that each test stands in the list twice. */
#define BOTH(name)                                                                                                     \
	static void name##_by_clone3(void **state)                                                                     \
	{                                                                                                              \
		(void)state;                                                                                           \
		if (!has_clone3())                                                                                     \
			skip();                                                                                        \
		old_kernel = false;                                                                                    \
		in_child(name);                                                                                        \
	}                                                                                                              \
	static void name##_by_clone(void **state)                                                                      \
	{                                                                                                              \
		(void)state;                                                                                           \
		old_kernel = true;                                                                                     \
		in_child(name);                                                                                        \
	}
#define TESTS(name) cmocka_unit_test(name##_by_clone3), cmocka_unit_test(name##_by_clone)

/* valgrind knows no clone(2) that shares memory without being a thread of libc's. */
static void needs_shared_memory(void)
{
	if (on_valgrind())
		SKIP_CHILD();
}

#define THREAD_FLAGS                                                                                                   \
	(NSCLONE_VM | NSCLONE_FS | NSCLONE_FILES | NSCLONE_SIGHAND | NSCLONE_THREAD | NSCLONE_SYSVSEM)

static unsigned int count_maps(void)
{
	char buffer[4096];
	unsigned int lines = 0;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	CHECK(fd >= 0);
	if (on_valgrind()) /* its own come and go */
		return 0;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t i = 0; i < n; i++)
			lines += buffer[i] == '\n';
	close(fd);
	return lines;
}

static bool is_mapped(const void *page)
{
	unsigned char vector;

	return mincore((void *)(uintptr_t)page, 1, &vector) == 0;
}

static int answer(void *argument)
{
	return *(int *)argument;
}

static pid_t start(int (*function)(void *), void *argument, struct nsclone_clone_args args, struct nsclone_child *child)
{
	struct nsclone_error error = {0};
	pid_t pid = nsclone_clone(function, argument, &args, child, &error);

	if (pid < 0)
		fprintf(stderr, "flags 0x%llx: %s %s: %d %s\n", (unsigned long long)args.flags, error.call, error.object,
			pid, error.reason);
	return pid;
}

static int finish(struct nsclone_child *child)
{
	int status = -1;

	CHECK(nsclone_wait(child, 0, &status) == 0);
	CHECK(child->pid == 0 && !child->stack);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* ---- The example of the manual, and the ways to share memory ---------------------------------------------------- */

static void returns_77(void)
{
	int value = 77;
	struct nsclone_child child;
	unsigned int maps = count_maps();

	CHECK(start(answer, &value, (struct nsclone_clone_args){.flags = SIGCHLD}, &child) > 0);
	CHECK(!child.stack && count_maps() == maps);
	CHECK(finish(&child) == 77);
	value = 256 + 3;
	CHECK(start(answer, &value, (struct nsclone_clone_args){.flags = SIGCHLD}, &child) > 0);
	CHECK(finish(&child) == 3);
	CHECK(by_clone3 == 2 && by_clone == (old_kernel ? 2 : 0));
}

static void without_handle(void)
{
	int value = 5, status;
	pid_t pid = start(answer, &value, (struct nsclone_clone_args){.flags = SIGCHLD}, NULL);

	CHECK(pid > 0);
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5);
}

static void shares_memory(void)
{
	int value = 6;
	struct nsclone_child child;
	unsigned int maps = count_maps();
	void *stack;

	needs_shared_memory();
	CHECK(start(answer, &value, (struct nsclone_clone_args){.flags = NSCLONE_VM | SIGCHLD}, &child) > 0);
	stack = child.stack;
	CHECK(stack && is_mapped(stack));
	CHECK(finish(&child) == 6);
	CHECK(!is_mapped(stack) && count_maps() == maps);
}

static int store(void *argument)
{
	*(volatile int *)argument = 9;
	return 8;
}

static void vforks(void)
{
	int value = 0;
	struct nsclone_child child;
	unsigned int maps = count_maps();

	needs_shared_memory();
	CHECK(start(store, &value, (struct nsclone_clone_args){.flags = NSCLONE_VM | NSCLONE_VFORK | SIGCHLD}, &child) > 0);
	CHECK(value == 9);
	CHECK(!child.stack && count_maps() == maps);
	CHECK(finish(&child) == 8);
}

static void is_thread(void)
{
	int value = 300, status;
	struct nsclone_child child;
	unsigned int maps = count_maps();
	void *stack;

	needs_shared_memory();
	for (int i = 0; i < 100; i++) {
		uint64_t flags = THREAD_FLAGS | SIGCHLD | (i % 2 ? NSCLONE_VFORK : 0);

		CHECK(start(answer, &value, (struct nsclone_clone_args){.flags = flags}, &child) > 0);
		stack = child.stack;
		CHECK(stack);
		CHECK(nsclone_wait(&child, 0, &status) == 0 && status == (300 - 256) << 8);
		CHECK(!is_mapped(stack));
	}
	CHECK(count_maps() == maps);
	CHECK(waitpid(-1, NULL, __WALL) < 0 && errno == ECHILD);
}

/* ---- The stack ------------------------------------------------------------------------------------------------- */

struct place {
	uintptr_t local;
	char map[128], below[128]; /* the lines of /proc/self/maps with local, and with what is below it */
};

static int find_place(void *argument)
{
	struct place *place = argument;
	char line[256] = "", before[256];
	unsigned long from = 0, to = 0;
	FILE *maps;

	place->local = (uintptr_t)__builtin_frame_address(0);
	maps = fopen("/proc/self/maps", "re");
	do {
		memcpy(before, line, sizeof(line));
		if (!fgets(line, sizeof(line), maps) || sscanf(line, "%lx-%lx", &from, &to) != 2)
			return 1;
	} while (place->local < from || place->local >= to);
	memcpy(place->map, line, sizeof(place->map) - 1);
	memcpy(place->below, before, sizeof(place->below) - 1);
	fclose(maps);
	return 0;
}

/* Right below it lies a page that cannot be touched, and the size is what was asked for, in whole pages. */
static void has_guard(void)
{
	static const size_t sizes[] = {0, 1, 65536, 65537, 3 << 20};
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct place *place = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (on_valgrind()) /* it runs the child on a copy of the parent's stack; the asm sees to it that it works */
		SKIP_CHILD();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t wanted = sizes[i] ? sizes[i] : NSCLONE_STACK_DEFAULT;
		unsigned long from, to, below_from, below_to;
		struct nsclone_child child;
		char access[8];

		memset(place, 0, sizeof(*place));
		if (wanted == 1)
			continue; /* fopen needs more */
		CHECK(start(find_place, place, (struct nsclone_clone_args){.flags = SIGCHLD, .stack_size = sizes[i]},
			    &child) > 0);
		CHECK(finish(&child) == 0);
		CHECK(sscanf(place->map, "%lx-%lx %7s", &from, &to, access) == 3);
		CHECK(strcmp(access, "rw-p") == 0);
		CHECK(to - from >= wanted && to - from <= wanted + 2 * page);
		CHECK(to - place->local < 4096);
		CHECK(sscanf(place->below, "%lx-%lx %7s", &below_from, &below_to, access) == 3);
		CHECK(strcmp(access, "---p") == 0 && below_to == from && below_to - below_from >= page);
	}
}

/* Touch one byte in each KiB below, as deep as asked for. */
static int dig(void *argument)
{
	volatile char *here = __builtin_frame_address(0);

	signal(SIGSEGV, SIG_DFL);
	for (int depth = 4; depth < *(int *)argument; depth++)
		here[-depth * 1024] = 1;
	return 0;
}

static void overflows_into_guard(void)
{
	struct nsclone_child child;
	int depth = 200, status;

	if (on_valgrind())
		SKIP_CHILD();
	prctl(PR_SET_DUMPABLE, 0);
	CHECK(start(dig, &depth, (struct nsclone_clone_args){.flags = SIGCHLD, .stack_size = 512 << 10}, &child) > 0);
	CHECK(finish(&child) == 0);
	CHECK(start(dig, &depth, (struct nsclone_clone_args){.flags = SIGCHLD, .stack_size = 64 << 10}, &child) > 0);
	CHECK(nsclone_wait(&child, 0, &status) == 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static int is_aligned(void *argument)
{
	_Alignas(16) volatile char place[16]; /* the compiler relies on the ABI's alignment here */
	(void)argument;
	place[0] = 0;
	return ((uintptr_t)place | (uintptr_t)__builtin_frame_address(0)) % 16 ? 1 : place[0];
}

static void is_aligned_test(void)
{
	struct nsclone_child child;

	for (size_t size = 20000; size < 20040; size++) {
		CHECK(start(is_aligned, NULL, (struct nsclone_clone_args){.flags = SIGCHLD, .stack_size = size}, &child) > 0);
		CHECK(finish(&child) == 0);
	}
}

static void too_big(void)
{
	static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 64, SIZE_MAX / 2 + 1, SIZE_MAX / 2 - 4096};
	struct nsclone_child child = {.pid = 12};
	struct nsclone_error error;
	int value = 0;

	if (on_valgrind())
		SKIP_CHILD();
	for (size_t i = 0; i < 4; i++) {
		struct nsclone_clone_args args = {.flags = SIGCHLD, .stack_size = sizes[i]};

		CHECK(nsclone_clone(answer, &value, &args, &child, &error) == -ENOMEM);
		CHECK(child.pid == 12 && strcmp(error.object, "stack") == 0);
	}
}

/* ---- ptid, ctid, tls, pidfd, cgroup, set_tid ---------------------------------------------------------------------- */

struct ids {
	pid_t parent, child;
	pid_t seen_parent, seen_child, tid;
};

static int look_at_ids(void *argument)
{
	struct ids *ids = argument;

	ids->seen_parent = ids->parent;
	ids->seen_child = ids->child;
	ids->tid = (pid_t)syscall(SYS_gettid);
	return ids->seen_child == ids->tid ? 0 : 1;
}

static void ids_apart(void)
{
	struct ids ids = {.parent = -3, .child = -4};
	struct nsclone_child child;
	struct nsclone_clone_args args = {
		.flags = SIGCHLD | NSCLONE_PARENT_SETTID | NSCLONE_CHILD_SETTID,
		.parent_tid = &ids.parent,
		.child_tid = &ids.child,
	};
	pid_t pid = start(look_at_ids, &ids, args, &child);

	CHECK(pid > 0 && ids.parent == pid);
	CHECK(ids.child == -4); /* it is the child's memory that is written to */
	CHECK(finish(&child) == 0);
}

/* With each combination of asking for the ids: the stack's own watch must not get in their way. */
static void ids_together(void)
{
	static const uint64_t extra[] = {0, NSCLONE_VFORK, NSCLONE_SIGHAND | NSCLONE_THREAD};

	needs_shared_memory();
	for (unsigned int i = 0; i < 3 * 8; i++) {
		struct ids ids = {.parent = -3, .child = 0};
		struct nsclone_child child;
		struct nsclone_clone_args args = {
			.flags = SIGCHLD | NSCLONE_VM | extra[i / 8],
			.parent_tid = &ids.parent,
			.child_tid = &ids.child,
		};
		pid_t pid, wanted = i & 2 ? 0 : -3;

		args.flags |= i & 1 ? NSCLONE_CHILD_SETTID : 0;
		args.flags |= i & 2 ? NSCLONE_PARENT_SETTID : 0;
		args.flags |= i & 4 ? NSCLONE_CHILD_CLEARTID : 0;
		pid = start(look_at_ids, &ids, args, &child);
		CHECK(pid > 0 && ids.parent == (wanted ? wanted : pid));
		CHECK(finish(&child) == (i & 1 ? 0 : 1));
		CHECK(ids.tid == pid && ids.seen_parent == (wanted ? wanted : pid));
		if (i & 4)
			CHECK(ids.child == 0);
		else
			CHECK(ids.child == (i & 1 ? pid : 0));
	}
}

static int has_thread_pointer(void *argument)
{
	uintptr_t base;

#if defined(__x86_64__)
	__asm__("mov %%fs:0, %0" : "=r"(base));
#elif defined(__aarch64__)
	__asm__("mrs %0, tpidr_el0" : "=r"(base));
#else
	base = 0;
#endif
	return base == (uintptr_t)argument ? 0 : 1;
}

/* The C library is not at home in this child: it must not call anything. */
static void sets_tls(void)
{
	static uintptr_t block[1024];
	struct nsclone_child child;
	void *pointer = &block[512];

	needs_shared_memory();
#if !defined(__x86_64__) && !defined(__aarch64__)
	SKIP_CHILD();
#endif
	block[512] = (uintptr_t)pointer; /* x86_64: the first word of a thread's control block is its address */
	CHECK(start(has_thread_pointer, pointer,
		    (struct nsclone_clone_args){.flags = SIGCHLD | NSCLONE_VM | NSCLONE_SETTLS, .tls = pointer}, &child) > 0);
	CHECK(finish(&child) == 0);
	CHECK(start(has_thread_pointer, pointer, (struct nsclone_clone_args){.flags = SIGCHLD | NSCLONE_VM, .tls = pointer},
		    &child) > 0);
	CHECK(finish(&child) == 1);
}

static void gives_pidfd(void)
{
	int value = 4, pidfd = -1;
	pid_t tid = -1;
	struct nsclone_child child;
	uint64_t flags[] = {SIGCHLD | NSCLONE_PIDFD, SIGCHLD | NSCLONE_PIDFD | NSCLONE_PARENT_SETTID};

	for (size_t i = 0; i < 2; i++) {
		struct pollfd poll_fd = {.events = POLLIN};
		pid_t pid = start(answer, &value,
				  (struct nsclone_clone_args){.flags = flags[i], .pidfd = &pidfd, .parent_tid = &tid}, &child);

		CHECK(pid > 0 && pidfd > 2);
		CHECK(tid == (i ? pid : -1));
		CHECK(fcntl(pidfd, F_GETFD) & FD_CLOEXEC);
		poll_fd.fd = pidfd;
		CHECK(poll(&poll_fd, 1, 10000) == 1);
		CHECK(finish(&child) == 4);
		close(pidfd);
	}
}

static int pidfd_and_tid_seen(void *argument)
{
	return *(volatile pid_t *)argument == (pid_t)syscall(SYS_gettid) ? 0 : 1;
}

/* clone(2) has one pointer for both; the child that shares memory sees its id nevertheless. */
static void pidfd_and_tid_together(void)
{
	int pidfd = -1;
	pid_t tid = -1;
	struct nsclone_child child;
	uint64_t flags = SIGCHLD | NSCLONE_VM | NSCLONE_PIDFD | NSCLONE_PARENT_SETTID;

	needs_shared_memory();
	for (int i = 0; i < 50; i++) {
		tid = -1;
		CHECK(start(pidfd_and_tid_seen, &tid,
			    (struct nsclone_clone_args){.flags = flags | (i % 2 ? NSCLONE_VFORK : 0),
							.pidfd = &pidfd,
							.parent_tid = &tid},
			    &child) == tid);
		CHECK(finish(&child) == 0);
		close(pidfd);
	}
}

static int print_cgroup(void *argument)
{
	char text[512] = "";
	int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	return n > 0 && strstr(text, argument) ? 0 : 1;
}

static void into_cgroup(void)
{
	static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	char path[128], name[64];
	int value = 0, fd = -1;
	struct nsclone_child child;
	struct nsclone_error error;
	struct nsclone_clone_args args = {.flags = SIGCHLD | NSCLONE_INTO_CGROUP};

	args.cgroup = open("/", O_PATH | O_CLOEXEC);
	CHECK(nsclone_clone(answer, &value, &args, &child, &error) == (old_kernel ? -EINVAL : -EBADF));
	CHECK(!old_kernel || strstr(error.reason, "INTO_CGROUP cannot go to clone(2)"));
	if (old_kernel)
		return;
	snprintf(name, sizeof(name), "nsclone-test-%d", getpid());
	for (size_t i = 0; fd < 0 && i < 2; i++) {
		snprintf(path, sizeof(path), "%s/cgroup.procs", places[i]);
		if (access(path, W_OK) < 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", places[i], name);
		if (mkdir(path, 0755) == 0)
			fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		SKIP_IMPOSSIBLE("into_cgroup", "no cgroup v2 to write to");
	args.cgroup = fd;
	value = start(print_cgroup, name, args, &child);
	if (value > 0)
		value = finish(&child);
	rmdir(path);
	CHECK(value == 0);
}

static int is_42(void *argument)
{
	(void)argument;
	return getpid() == 42 ? 0 : 1;
}

static int clone_42(void *argument)
{
	struct nsclone_child child;
	pid_t wanted = 42;
	int status;

	(void)argument;
	if (nsclone_clone(is_42, NULL,
			  &(struct nsclone_clone_args){.flags = SIGCHLD, .set_tid = &wanted, .set_tid_size = 1}, &child,
			  NULL) != 42)
		return 2;
	return nsclone_wait(&child, 0, &status) == 0 ? WEXITSTATUS(status) : 3;
}

static void set_tid(void)
{
	pid_t one = 1;
	struct nsclone_child child;
	struct nsclone_error error;

	leave(CLONE_NEWUTS); /* for the right to the rest */
	if (old_kernel) {
		CHECK(nsclone_clone(clone_42, NULL,
				    &(struct nsclone_clone_args){.flags = SIGCHLD, .set_tid = &one, .set_tid_size = 1},
				    &child, &error) == -EINVAL);
		CHECK(strcmp(error.object, "set_tid") == 0 && strstr(error.reason, "clone3"));
		return;
	}
	CHECK(start(clone_42, NULL,
		    (struct nsclone_clone_args){
			    .flags = SIGCHLD | NSCLONE_NEWPID, .set_tid = &one, .set_tid_size = 1},
		    &child) > 0);
	CHECK(finish(&child) == 0);
}

/* ---- What the flags share -------------------------------------------------------------------------------------- */

static int wait_for_byte(void *argument)
{
	char byte;

	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	return read(((int *)argument)[0], &byte, 1) == 1 ? 0 : 1;
}

/* Things that not every process has: a semaphore undo list, an I/O context. */
static void have_all(void)
{
	struct sembuf up = {.sem_op = 1, .sem_flg = SEM_UNDO};
	int id = semget(IPC_PRIVATE, 1, 0600);

	if (id < 0 || semop(id, &up, 1) < 0)
		SKIP_CHILD();
	semctl(id, 0, IPC_RMID);
	syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 4);
}

static void shares_what_it_says(void)
{
	static const struct {
		uint64_t flag, with;
		enum nsclone_kcmp_type type;
	} shared[] = {
		{NSCLONE_VM, 0, NSCLONE_KCMP_VM},
		{NSCLONE_FS, 0, NSCLONE_KCMP_FS},
		{NSCLONE_FILES, 0, NSCLONE_KCMP_FILES},
		{NSCLONE_SIGHAND, NSCLONE_VM, NSCLONE_KCMP_SIGHAND},
		{NSCLONE_IO, 0, NSCLONE_KCMP_IO},
		{NSCLONE_SYSVSEM, 0, NSCLONE_KCMP_SYSVSEM},
	};
	struct nsclone_child child;
	int fds[2];

	needs_shared_memory();
	have_all();
	CHECK(pipe(fds) == 0);
	for (size_t i = 0; i < 6; i++) {
		uint64_t flags = shared[i].flag | shared[i].with | SIGCHLD;

		CHECK(start(wait_for_byte, fds, (struct nsclone_clone_args){.flags = flags}, &child) > 0);
		for (size_t j = 0; j < 6; j++) {
			int order = nsclone_kcmp(getpid(), child.pid, shared[j].type, 0, 0);

			if (order == -ENOSYS)
				_exit(kill(child.pid, SIGKILL) ? 1 : 77);
			CHECK(order >= 0 && (order == NSCLONE_KCMP_EQUAL) == !!(flags & shared[j].flag));
		}
		CHECK(nsclone_kcmp(getpid(), child.pid, NSCLONE_KCMP_FILE, (unsigned long)fds[0],
				   (unsigned long)fds[0]) == NSCLONE_KCMP_EQUAL);
		CHECK(write(fds[1], "", 1) == 1);
		CHECK(finish(&child) == 0);
	}
}

struct ns_question {
	int type;
	ino_t outside;
};

static int is_elsewhere(void *argument)
{
	const struct ns_question *question = argument;
	int fd = nsclone_ns_open_self(question->type);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && st.st_ino != question->outside ? 0 : 1;
}

static void makes_namespaces(void)
{
	const struct nsclone_flag *flag;

	leave(CLONE_NEWUTS);
	for (size_t i = 0; (flag = nsclone_flag_at(i)); i++) {
		struct ns_question question = {.type = (int)flag->value};
		struct nsclone_child child;
		struct nsclone_error error;
		struct stat st;
		int fd;
		pid_t pid;

		if (!(flag->calls & 1U << NSCLONE_CALL_SETNS))
			continue;
		fd = nsclone_ns_open_self(question.type);
		if (fd < 0)
			continue;
		CHECK(fstat(fd, &st) == 0);
		question.outside = st.st_ino;
		close(fd);
		pid = nsclone_clone(is_elsewhere, &question,
				    &(struct nsclone_clone_args){.flags = flag->value | SIGCHLD}, &child, &error);
		if (old_kernel && flag->value == NSCLONE_NEWTIME) {
			CHECK(pid == -EINVAL && strstr(error.reason, "NEWTIME cannot go to clone(2)"));
			continue;
		}
		CHECK(pid > 0);
		CHECK(finish(&child) == 0);
	}
}

static void handler(int number)
{
	(void)number;
}

static int has_handler(void *argument)
{
	struct sigaction action;

	(void)argument;
	return sigaction(SIGUSR1, NULL, &action) == 0 && action.sa_handler == handler ? 1 : 0;
}

static void clears_handlers(void)
{
	struct nsclone_child child;
	struct nsclone_error error;
	struct nsclone_clone_args args = {.flags = SIGCHLD | NSCLONE_CLEAR_SIGHAND};

	signal(SIGUSR1, handler);
	CHECK(start(has_handler, NULL, (struct nsclone_clone_args){.flags = SIGCHLD}, &child) > 0);
	CHECK(finish(&child) == 1);
	if (old_kernel) {
		CHECK(nsclone_clone(has_handler, NULL, &args, &child, &error) == -EINVAL);
		CHECK(strstr(error.reason, "CLEAR_SIGHAND cannot go to clone(2)"));
		return;
	}
	CHECK(start(has_handler, NULL, args, &child) > 0);
	CHECK(finish(&child) == 0);
}

/* ---- Waiting --------------------------------------------------------------------------------------------------- */

static void waits(void)
{
	static const uint64_t flags[] = {SIGCHLD, 0, SIGURG, SIGCHLD | NSCLONE_VM, NSCLONE_VM, THREAD_FLAGS};
	int fds[2], status;
	struct nsclone_child child;

	CHECK(pipe(fds) == 0);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (flags[i] & NSCLONE_VM && on_valgrind())
			continue;
		CHECK(start(wait_for_byte, fds, (struct nsclone_clone_args){.flags = flags[i]}, &child) > 0);
		CHECK(nsclone_wait(&child, WNOHANG, &status) == -EAGAIN);
		CHECK(nsclone_wait(&child, WUNTRACED, &status) == -EINVAL);
		CHECK(write(fds[1], "", 1) == 1);
		CHECK(nsclone_wait(&child, 0, NULL) == 0);
		CHECK(nsclone_wait(&child, 0, &status) == -ECHILD);
		CHECK(nsclone_wait(&child, WNOHANG, &status) == -ECHILD);
	}
}

/* Where nobody can tell us the status, the stack must stay until its last user is off it all the same. */
static void waits_for_stray(void)
{
	static const uint64_t flags[] = {NSCLONE_VM | SIGCHLD, NSCLONE_VM | NSCLONE_PARENT | SIGCHLD};
	int fds[2], status = 12;
	struct nsclone_child child;
	void *stack;

	needs_shared_memory();
	CHECK(pipe(fds) == 0);
	signal(SIGCHLD, SIG_IGN);
	for (size_t i = 0; i < 2; i++) {
		CHECK(start(wait_for_byte, fds, (struct nsclone_clone_args){.flags = flags[i]}, &child) > 0);
		stack = child.stack;
		CHECK(nsclone_wait(&child, WNOHANG, &status) == -EAGAIN);
		CHECK(is_mapped(stack));
		CHECK(write(fds[1], "", 1) == 1);
		CHECK(nsclone_wait(&child, 0, &status) == -ECHILD);
		CHECK(status == 12 && !is_mapped(stack));
	}
}

static void reaped_elsewhere(void)
{
	int value = 3;
	struct nsclone_child child;
	void *stack;

	needs_shared_memory();
	CHECK(start(answer, &value, (struct nsclone_clone_args){.flags = NSCLONE_VM | SIGCHLD}, &child) > 0);
	stack = child.stack;
	CHECK(waitpid(child.pid, NULL, 0) == child.pid);
	CHECK(is_mapped(stack));
	CHECK(nsclone_wait(&child, 0, NULL) == -ECHILD);
	CHECK(!is_mapped(stack));
}

static int sleep_a_bit(void *argument)
{
	struct timespec time = {.tv_nsec = 200000000};

	(void)argument;
	syscall(SYS_nanosleep, &time, NULL);
	return 0;
}

/* A signal that interrupts the wait is no end of the child. */
static void waits_on(void)
{
	struct nsclone_child child;
	struct sigaction action = {.sa_handler = handler}; /* no SA_RESTART */
	struct itimerval {
		struct timeval interval, value;
	} timer = {.interval.tv_usec = 20000, .value.tv_usec = 20000};

	needs_shared_memory();
	sigaction(SIGALRM, &action, NULL);
	syscall(SYS_setitimer, 0, &timer, NULL);
	CHECK(start(sleep_a_bit, NULL, (struct nsclone_clone_args){.flags = SIGCHLD}, &child) > 0);
	CHECK(finish(&child) == 0);
	CHECK(start(sleep_a_bit, NULL, (struct nsclone_clone_args){.flags = THREAD_FLAGS}, &child) > 0);
	CHECK(finish(&child) == 0);
}

/* ---- What is refused ------------------------------------------------------------------------------------------- */

static void refuses(void)
{
	static const struct {
		uint64_t flags;
		const char *object, *reason;
	} refused[] = {
		{NSCLONE_PARENT_SETTID, "PARENT_SETTID", "missing"},
		{NSCLONE_CHILD_SETTID, "CHILD_SETTID", "missing"},
		{NSCLONE_CHILD_CLEARTID, "CHILD_CLEARTID", "missing"},
		{NSCLONE_PIDFD, "PIDFD", "missing"},
		{NSCLONE_VM, "VM", "struct nsclone_child"},
		{THREAD_FLAGS | NSCLONE_VFORK, "VM", "struct nsclone_child"},
		{NSCLONE_DETACHED, "DETACHED", "2.6.2"},
		{65, "exit signal", "64"},
		{NSCLONE_SIGHAND, "SIGHAND", "SIGHAND needs VM"},
		{NSCLONE_NEWNS | NSCLONE_FS, "FS|NEWNS", "NEWNS excludes FS"},
		{NSCLONE_NEWUSER | NSCLONE_FS, "FS|NEWUSER", "NEWUSER excludes FS"},
		{NSCLONE_NEWIPC | NSCLONE_SYSVSEM, "NEWIPC", "NEWIPC excludes SYSVSEM"},
		{NSCLONE_NEWPID | THREAD_FLAGS | SIGCHLD, "NEWPID", "NEWPID excludes THREAD"},
		{UINT64_C(1) << 40, "", "0x10000000000 is no flag"},
	};
	unsigned int maps, fds = count_fds();
	struct nsclone_child child;
	int value = 0;

	needs_shared_memory();
	leave(CLONE_NEWUTS); /* NEWIPC|SYSVSEM answers EPERM before EINVAL */
	maps = count_maps();
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct nsclone_error error = {0};
		struct nsclone_clone_args args = {.flags = refused[i].flags};
		bool no_handle = strcmp(refused[i].object, "VM") == 0;
		pid_t pid = nsclone_clone(answer, &value, &args, no_handle ? NULL : &child, &error);

		if (pid != -EINVAL || !strstr(error.object, refused[i].object) || !strstr(error.reason, refused[i].reason))
			fprintf(stderr, "0x%llx: %d %s %s: %s\n", (unsigned long long)args.flags, pid, error.call,
				error.object, error.reason);
		CHECK(pid == -EINVAL && strstr(error.object, refused[i].object) && strstr(error.reason, refused[i].reason));
	}
	CHECK(count_maps() == maps && count_fds() == fds);
}

static void leaves_alone_on_failure(void)
{
	struct nsclone_child child = {.pid = 99};
	pid_t ptid = 11, ctid = 0;
	int pidfd = 33, value = 0;
	struct nsclone_clone_args args = {
		.flags = NSCLONE_VM | NSCLONE_PIDFD | NSCLONE_CHILD_CLEARTID | NSCLONE_PARENT_SETTID,
		.parent_tid = &ptid,
		.child_tid = &ctid,
		.pidfd = &pidfd,
	};
	unsigned int maps = count_maps();

	fault = -EAGAIN;
	CHECK(nsclone_clone(answer, &value, &args, &child, NULL) == -EAGAIN);
	CHECK(child.pid == 99 && ptid == 11 && ctid == 0 && pidfd == 33);
	CHECK(count_maps() == maps);
}

static void keeps_errno(void)
{
	struct nsclone_child child;
	int value = 1;

	errno = 4711;
	CHECK(start(answer, &value, (struct nsclone_clone_args){.flags = SIGCHLD}, &child) > 0);
	CHECK(nsclone_wait(&child, 0, NULL) == 0);
	CHECK(nsclone_wait(&child, 0, NULL) == -ECHILD);
	CHECK(errno == 4711);
}

/* The kernel's word, not ours, that there is no clone3. */
static void seccomp(void)
{
	struct nsclone_child child;
	int value = 77;

	forbid(SYS_clone3, ENOSYS);
	CHECK(start(answer, &value, (struct nsclone_clone_args){.flags = SIGCHLD}, &child) > 0);
	CHECK(finish(&child) == 77);
	CHECK(by_clone3 == 1 && by_clone == 1);
}

static void seccomp_says_enosys(void **state)
{
	(void)state;
	old_kernel = false;
	in_child(seccomp);
}

BOTH(returns_77)
BOTH(without_handle)
BOTH(shares_memory)
BOTH(vforks)
BOTH(is_thread)
BOTH(has_guard)
BOTH(overflows_into_guard)
BOTH(is_aligned_test)
BOTH(too_big)
BOTH(ids_apart)
BOTH(ids_together)
BOTH(sets_tls)
BOTH(gives_pidfd)
BOTH(pidfd_and_tid_together)
BOTH(into_cgroup)
BOTH(set_tid)
BOTH(shares_what_it_says)
BOTH(makes_namespaces)
BOTH(clears_handlers)
BOTH(waits)
BOTH(waits_for_stray)
BOTH(reaped_elsewhere)
BOTH(waits_on)
BOTH(refuses)
BOTH(leaves_alone_on_failure)
BOTH(keeps_errno)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTS(returns_77),
		TESTS(without_handle),
		TESTS(shares_memory),
		TESTS(vforks),
		TESTS(is_thread),
		TESTS(has_guard),
		TESTS(overflows_into_guard),
		TESTS(is_aligned_test),
		TESTS(too_big),
		TESTS(ids_apart),
		TESTS(ids_together),
		TESTS(sets_tls),
		TESTS(gives_pidfd),
		TESTS(pidfd_and_tid_together),
		TESTS(into_cgroup),
		TESTS(set_tid),
		TESTS(shares_what_it_says),
		TESTS(makes_namespaces),
		TESTS(clears_handlers),
		TESTS(waits),
		TESTS(waits_for_stray),
		TESTS(reaped_elsewhere),
		TESTS(waits_on),
		TESTS(refuses),
		TESTS(leaves_alone_on_failure),
		TESTS(keeps_errno),
		cmocka_unit_test(seccomp_says_enosys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
