// SPDX-License-Identifier: BSD-3-Clause
/* Flags as words, what they imply, and why a call does not take them: the kernel is asked whether that is so. */
#include "tests/unit/test_core.h"

#include "lib/core/kernel.h"

static uint64_t parse(const char *text)
{
	struct nsclone_error error;
	uint64_t flags = 0;

	if (nsclone_flags_parse(text, &flags, &error) < 0)
		fail_msg("%s: %s: %s", text, error.object, error.reason);
	return flags;
}

static void names_are_the_kernels(void **state)
{
	static const struct {
		const char *name;
		uint64_t value;
	} known[] = {
		{"VM", 0x100}, {"FS", 0x200}, {"FILES", 0x400}, {"SIGHAND", 0x800}, {"PTRACE", 0x2000}, {"VFORK", 0x4000},
		{"PARENT", 0x8000}, {"THREAD", 0x10000}, {"NEWNS", 0x20000}, {"SYSVSEM", 0x40000}, {"SETTLS", 0x80000},
		{"PARENT_SETTID", 0x100000}, {"CHILD_CLEARTID", 0x200000}, {"CHILD_SETTID", 0x1000000},
		{"DETACHED", 0x400000}, {"UNTRACED", 0x800000}, {"NEWCGROUP", 0x2000000}, {"NEWUTS", 0x4000000},
		{"NEWIPC", 0x8000000}, {"NEWUSER", 0x10000000}, {"NEWPID", 0x20000000}, {"NEWNET", 0x40000000},
		{"IO", 0x80000000}, {"NEWTIME", 0x80}, {"PIDFD", 0x1000}, {"CLEAR_SIGHAND", 0x100000000},
		{"INTO_CGROUP", 0x200000000},
	};
	size_t n = 0;

	(void)state;
	while (nsclone_flag_at(n))
		n++;
	assert_int_equal(n, sizeof(known) / sizeof(known[0]));
	assert_null(nsclone_flag_at(SIZE_MAX));
	for (size_t i = 0; i < n; i++) {
		char text[64];

		assert_true(parse(known[i].name) == known[i].value);
		snprintf(text, sizeof(text), "clone_%s", known[i].name);
		assert_true(parse(text) == known[i].value);
		assert_int_equal(nsclone_flags_text(known[i].value, text, sizeof(text)), 0);
		assert_string_equal(text, known[i].name);
	}
	assert_true(NSCLONE_NEWNS == CLONE_NEWNS && NSCLONE_IO == (uint32_t)CLONE_IO && NSCLONE_VM == CLONE_VM);
}

static void words(void **state)
{
	(void)state;
	assert_true(parse("") == 0);
	assert_true(parse(" , |") == 0);
	assert_true(parse("newns|NEWPID, CLONE_newuts\tSIGCHLD") ==
		    (NSCLONE_NEWNS | NSCLONE_NEWPID | NSCLONE_NEWUTS | SIGCHLD));
	assert_true(parse("sigchld") == SIGCHLD);
	assert_true(parse("SIGIO|IO") == (SIGIO | NSCLONE_IO));
	assert_true(parse("SIGSYS") == SIGSYS);
	assert_true(parse("0x20000|17") == (NSCLONE_NEWNS | 17));
	assert_true(parse("34") == 34);
	assert_true(parse("SIGCHLD,17") == 17);
	assert_true(parse("0xffffffffffffffff") == UINT64_MAX);
}

static void words_that_are_off(void **state)
{
	static const struct {
		const char *text, *object, *reason;
	} off[] = {
		{"NEWNS|BOGUS", "BOGUS", "neither"},
		{"CLONE_", "CLONE_", "neither"},
		{"CLONE_SIGCHLD", "CLONE_SIGCHLD", "neither"},
		{"SIG", "SIG", "neither"},
		{"CHLD", "CHLD", "neither"},
		{"NEWN", "NEWN", "neither"},
		{"NEWNSS", "NEWNSS", "neither"},
		{"-1", "-1", "neither"},
		{"+1", "+1", "neither"},
		{"1x", "1x", "neither"},
		{"0x", "0x", "neither"},
		{"0x10000000000000000", "0x10000000000000000", "neither"},
		{"SIGCHLD|SIGUSR1", "SIGUSR1", "one exit signal"},
		{"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "neither"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
		struct nsclone_error error;
		uint64_t flags = 12345;

		if (nsclone_flags_parse(off[i].text, &flags, &error) != -EINVAL)
			fail_msg("%s is taken", off[i].text);
		assert_true(flags == 12345);
		assert_string_equal(error.object, off[i].object);
		assert_non_null(strstr(error.reason, off[i].reason));
		assert_int_equal(nsclone_flags_parse(off[i].text, &flags, NULL), -EINVAL);
	}
}

static void text_round_trip(void **state)
{
	uint64_t flags = 0x123456789abcdef;
	char text[400];

	(void)state;
	assert_int_equal(nsclone_flags_text(0, text, sizeof(text)), 0);
	assert_string_equal(text, "0");
	assert_int_equal(nsclone_flags_text(NSCLONE_NEWNS | NSCLONE_NEWPID | SIGCHLD, text, sizeof(text)), 0);
	assert_string_equal(text, "NEWNS|NEWPID|SIGCHLD");
	assert_int_equal(nsclone_flags_text(34 | NSCLONE_VM | UINT64_C(1) << 50, text, sizeof(text)), 0);
	assert_string_equal(text, "VM|0x4000000000022");
	assert_int_equal(nsclone_flags_text(UINT64_MAX, text, sizeof(text)), 0);
	assert_true(parse(text) == UINT64_MAX);
	for (int i = 0; i < 2000; i++, flags = flags * 6364136223846793005U + 1442695040888963407U) {
		assert_int_equal(nsclone_flags_text(flags, text, sizeof(text)), 0);
		assert_true(parse(text) == flags);
	}
	for (size_t size = 0; size <= 5; size++)
		assert_int_equal(nsclone_flags_text(NSCLONE_NEWNS, text, size), -ERANGE);
	assert_int_equal(nsclone_flags_text(NSCLONE_NEWNS, text, 6), 0);
}

static void parse_keeps_errno(void **state)
{
	uint64_t flags;

	(void)state;
	errno = 4711;
	nsclone_flags_parse("0x10000000000000000", &flags, NULL);
	parse("17");
	assert_int_equal(errno, 4711);
}

static void implications(void **state)
{
	uint64_t threads = NSCLONE_THREAD | NSCLONE_VM | NSCLONE_SIGHAND;

	(void)state;
	assert_true(nsclone_flags_implied(0) == 0);
	assert_true(nsclone_flags_implied(NSCLONE_NEWNS) == (NSCLONE_NEWNS | NSCLONE_FS));
	assert_true(nsclone_flags_implied(NSCLONE_NEWIPC) == (NSCLONE_NEWIPC | NSCLONE_SYSVSEM));
	assert_true(nsclone_flags_implied(NSCLONE_VM) == threads);
	assert_true(nsclone_flags_implied(NSCLONE_THREAD) == threads);
	assert_true(nsclone_flags_implied(NSCLONE_NEWUSER) == (NSCLONE_NEWUSER | NSCLONE_FS | threads));
	assert_true(nsclone_flags_implied(NSCLONE_NEWUTS | NSCLONE_FILES) == (NSCLONE_NEWUTS | NSCLONE_FILES));
}

/* ---- The kernel's own view of implications ---------------------------------------------------------------------- */

static int stay(void *argument)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return read(((int *)argument)[0], &byte, 1) == 1 ? 0 : 1;
}

struct shared_fs {
	uint64_t types;
	int ready[2], go[2];
};

/* Shares root and working directory with its parent, and unshares something: does it still share them? */
static int unshare_something(void *argument)
{
	struct shared_fs *shared = argument;
	int r = nsclone_unshare(shared->types);

	if (write(shared->ready[1], r == 0 ? "y" : "n", 1) != 1)
		return 1;
	return stay(shared->go);
}

static void fs_goes_with(uint64_t types, bool expected)
{
	struct nsclone_clone_args args = {.flags = NSCLONE_FS | SIGCHLD};
	struct shared_fs shared = {.types = types};
	struct nsclone_child child;
	char done;
	int order;

	CHECK(pipe(shared.ready) == 0 && pipe(shared.go) == 0);
	CHECK(nsclone_clone(unshare_something, &shared, &args, &child, NULL) > 0);
	CHECK(read(shared.ready[0], &done, 1) == 1 && done == 'y');
	order = nsclone_kcmp(getpid(), child.pid, NSCLONE_KCMP_FS, 0, 0);
	CHECK(write(shared.go[1], "", 1) == 1);
	CHECK(nsclone_wait(&child, 0, NULL) == 0);
	if (order == -ENOSYS)
		SKIP_CHILD();
	CHECK(order >= 0 && (order != NSCLONE_KCMP_EQUAL) == expected);
}

static void kernel_implies_fs(void)
{
	if (on_valgrind())
		SKIP_CHILD();
	leave(CLONE_NEWUTS);
	fs_goes_with(NSCLONE_NEWUTS, false);
	fs_goes_with(NSCLONE_NEWNS, true);
	fs_goes_with(NSCLONE_NEWUSER, true);
	fs_goes_with(NSCLONE_FS, true);
}

static int unshare_with_shared_memory(void *argument)
{
	return nsclone_unshare(*(uint64_t *)argument) == 0 ? 0 : 1;
}

static int try_sharing(uint64_t flags, uint64_t sharing)
{
	struct nsclone_clone_args args = {.flags = sharing | SIGCHLD};
	struct nsclone_child child;
	int status;

	CHECK(nsclone_clone(unshare_with_shared_memory, &flags, &args, &child, NULL) > 0);
	CHECK(nsclone_wait(&child, 0, &status) == 0);
	return WEXITSTATUS(status);
}

/* Since 4.3 VM asks for more than THREAD, as the header says. */
static void kernel_on_threads(void)
{
	if (on_valgrind())
		SKIP_CHILD();
	CHECK(try_sharing(NSCLONE_THREAD, 0) == 0);
	CHECK(try_sharing(NSCLONE_SIGHAND, 0) == 0);
	CHECK(try_sharing(NSCLONE_VM, 0) == 0);
	CHECK(try_sharing(NSCLONE_VM, NSCLONE_VM) == 1);
	CHECK(try_sharing(NSCLONE_THREAD, NSCLONE_VM) == 0);
	CHECK(try_sharing(NSCLONE_SIGHAND, NSCLONE_VM | NSCLONE_SIGHAND) == 1);
	CHECK(try_sharing(NSCLONE_THREAD, NSCLONE_VM | NSCLONE_SIGHAND) == 0);
	CHECK(try_sharing(NSCLONE_VM, NSCLONE_VM | NSCLONE_SIGHAND) == 1);
}

/* ---- Is what is explained so? ----------------------------------------------------------------------------------- */

static int quiet(struct kernel_start *start)
{
	(void)start;
	return 0;
}

/* clone or clone3 as raw as can be, with all pointers valid. The answer, 0 for a child (which has ended by then). */
static int raw(enum nsclone_call call, uint64_t flags)
{
	static _Alignas(16) char stack[65536]; /* in vain for a child that shares memory: it is gone before the next */
	static pid_t ptid, ctid;
	static int pidfd;
	struct kernel_start *start = (struct kernel_start *)(stack + sizeof(stack) - (sizeof(*start) + 15) / 16 * 16);
	int cgroup = open("/sys/fs/cgroup", O_PATH | O_CLOEXEC);
	pid_t *third = flags & NSCLONE_PIDFD && call == NSCLONE_CALL_CLONE ? &pidfd : &ptid;
	struct kernel_clone3_args args = {
		.flags = flags & ~NSCLONE_SIGNAL,
		.exit_signal = flags & NSCLONE_SIGNAL,
		.stack = (uintptr_t)stack,
		.stack_size = (uintptr_t)start - (uintptr_t)stack,
		.parent_tid = (uintptr_t)&ptid,
		.child_tid = (uintptr_t)&ctid,
		.pidfd = (uintptr_t)&pidfd,
		.cgroup = flags & NSCLONE_INTO_CGROUP ? (uint64_t)cgroup : 0,
	};
	long pid;

	*start = (struct kernel_start){.run = quiet};
#if defined(__x86_64__)
	__asm__("mov %%fs:0, %0" : "=r"(args.tls));
#elif defined(__aarch64__)
	__asm__("mrs %0, tpidr_el0" : "=r"(args.tls));
#endif
	if (call == NSCLONE_CALL_CLONE3)
		pid = kernel_clone3(&args, start);
	else
		pid = kernel_clone((unsigned long)flags, third, &ctid, (void *)(uintptr_t)args.tls, start);
	close(cgroup);
	if (pid < 0)
		return (int)pid;
	if (flags & NSCLONE_THREAD)
		while (syscall(SYS_tgkill, getpid(), pid, 0) == 0)
			;
	else
		kernel_waitpid((pid_t)pid, NULL, 0);
	return 0;
}

static struct {
	enum nsclone_call call;
	uint64_t flags;
} question;

static void ask(void)
{
	char reason[256];
	int never, r;
	uint64_t flags = question.flags;

	if (on_valgrind())
		SKIP_CHILD();
	leave(CLONE_NEWUTS);
	signal(64, SIG_IGN);
	never = nsclone_flags_explain(question.call, flags, reason, sizeof(reason));
	if (question.call == NSCLONE_CALL_UNSHARE)
		r = nsclone_unshare(flags);
	else
		r = raw(question.call, flags);
	/* Only EINVAL is explained, and what is explained as impossible is. */
	if (never != (r == -EINVAL) && r != -EPERM) {
		char text[400];

		nsclone_flags_text(flags, text, sizeof(text));
		fprintf(stderr, "call %d %s: kernel %d, explained %d: %s\n", (int)question.call, text, r, never, reason);
		CHECK(never == (r == -EINVAL));
	}
	CHECK(!never || reason[0]);
}

static void ask_kernel(enum nsclone_call call, uint64_t flags)
{
	question.call = call;
	question.flags = flags;
	in_child(ask);
}

/* Each flag alone, and each pair, with what they need to be possible at all. */
static void explains_unshare(void **state)
{
	const struct nsclone_flag *flag;

	(void)state;
	for (size_t i = 0; (flag = nsclone_flag_at(i)); i++)
		ask_kernel(NSCLONE_CALL_UNSHARE, flag->value);
	ask_kernel(NSCLONE_CALL_UNSHARE, SIGCHLD);
	ask_kernel(NSCLONE_CALL_UNSHARE, 0);
	ask_kernel(NSCLONE_CALL_UNSHARE, UINT64_C(1) << 40);
}

static void explains_clone(enum nsclone_call call)
{
	const struct nsclone_flag *a, *b;

	for (size_t i = 0; (a = nsclone_flag_at(i)); i++) {
		uint64_t needs = a->value == NSCLONE_SIGHAND ? NSCLONE_VM : 0;

		needs |= a->value == NSCLONE_THREAD ? NSCLONE_VM | NSCLONE_SIGHAND : 0;
		if (call == NSCLONE_CALL_CLONE && (a->value > UINT32_MAX || a->value == NSCLONE_NEWTIME))
			continue; /* the kernel does not get to see them, or takes them for a signal */
		ask_kernel(call, a->value);
		for (size_t j = 0; (b = nsclone_flag_at(j)); j++) {
			if (call == NSCLONE_CALL_CLONE && (b->value > UINT32_MAX || b->value == NSCLONE_NEWTIME))
				continue;
			ask_kernel(call, a->value | needs | b->value);
		}
	}
}

static void explains_clone2(void **state)
{
	(void)state;
	explains_clone(NSCLONE_CALL_CLONE);
}

static void explains_clone3(void **state)
{
	(void)state;
	explains_clone(NSCLONE_CALL_CLONE3);
	ask_kernel(NSCLONE_CALL_CLONE3, 65);
	ask_kernel(NSCLONE_CALL_CLONE3, 64);
	ask_kernel(NSCLONE_CALL_CLONE3, SIGCHLD | NSCLONE_PARENT);
	ask_kernel(NSCLONE_CALL_CLONE3, UINT64_C(1) << 50);
}

static void explains_in_words(void **state)
{
	static const struct {
		enum nsclone_call call;
		uint64_t flags;
		int never;
		const char *words;
	} known[] = {
		{NSCLONE_CALL_CLONE, NSCLONE_NEWTIME, 1, "NEWTIME cannot go to clone(2): its bit is one of the exit signal's, so "
							 "that it can go to clone3(2) and unshare(2) only"},
		{NSCLONE_CALL_CLONE, NSCLONE_INTO_CGROUP, 1, "32 bits"},
		{NSCLONE_CALL_UNSHARE, NSCLONE_PTRACE, 1, "it is about a child, and unshare(2) makes none"},
		{NSCLONE_CALL_UNSHARE, NSCLONE_IO, 1, "cannot be given up"},
		{NSCLONE_CALL_UNSHARE, NSCLONE_NEWUSER, 0, "several threads"},
		{NSCLONE_CALL_UNSHARE, NSCLONE_NEWPID, 0, "twice"},
		{NSCLONE_CALL_UNSHARE, NSCLONE_NEWNET, 0, ""},
		{NSCLONE_CALL_UNSHARE, 17, 1, "exit signal"},
		{NSCLONE_CALL_SETNS, NSCLONE_FS, 1, "FS cannot go to setns(2)"},
		{NSCLONE_CALL_SETNS, NSCLONE_NEWPID, 0, "below it"},
		{NSCLONE_CALL_SETNS, NSCLONE_NEWNET, 0, "another type"},
		{NSCLONE_CALL_SETNS, 0, 0, "another type"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		char reason[256] = "?", shorter[8];

		assert_int_equal(nsclone_flags_explain(known[i].call, known[i].flags, reason, sizeof(reason)), known[i].never);
		if (!strstr(reason, known[i].words) || (!known[i].words[0] && reason[0]))
			fail_msg("%s, not %s", reason, known[i].words);
		nsclone_flags_explain(known[i].call, known[i].flags, shorter, sizeof(shorter));
		assert_true(strlen(shorter) < sizeof(shorter));
	}
}

static void test_kernel_implies_fs(void **state)
{
	(void)state;
	in_child(kernel_implies_fs);
}

static void test_kernel_on_threads(void **state)
{
	(void)state;
	in_child(kernel_on_threads);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_the_kernels),  cmocka_unit_test(words),
		cmocka_unit_test(words_that_are_off),	  cmocka_unit_test(text_round_trip),
		cmocka_unit_test(parse_keeps_errno),	  cmocka_unit_test(implications),
		cmocka_unit_test(test_kernel_implies_fs), cmocka_unit_test(test_kernel_on_threads),
		cmocka_unit_test(explains_unshare),	  cmocka_unit_test(explains_clone2),
		cmocka_unit_test(explains_clone3),	  cmocka_unit_test(explains_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
