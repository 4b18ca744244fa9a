// SPDX-License-Identifier: BSD-3-Clause
/*
 * nsclone sys clone: every argument of nsclone_clone() by hand.
 *
 * It refuses TLS but its own: with SETTLS the child is given the thread pointer of the caller.
 */
#include "cmd/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cmd/cmd.h"
#include "lib/core/sys.h"

struct work {
	char **command;
	int value;
};

/* In the child, which may share memory and errno with us: nothing but system calls. */
static int work(void *argument)
{
	struct work *this = argument;

	if (!this->command[0])
		return this->value;
	execvp(this->command[0], this->command);
	return errno == ENOENT ? 127 : 126;
}

static void *thread_pointer(void)
{
#if defined(__x86_64__)
	void *self;

	__asm__("mov %%fs:0, %0" : "=r"(self));
	return self;
#elif defined(__aarch64__)
	return __builtin_thread_pointer();
#else
	return NULL;
#endif
}

struct filled {
	pid_t parent_tid, child_tid;
	int pidfd;
};

static int finish(const char *name, struct nsclone_child *child, const struct filled *filled, bool show)
{
	pid_t pid = child->pid;
	int status, r = nsclone_wait(child, 0, &status);

	if (show)
		printf("pid %d\nparent_tid %d\nchild_tid %d\npidfd %d\n", pid, filled->parent_tid, filled->child_tid,
		       filled->pidfd);
	return r < 0 ? sys_say(name, "wait", r, NULL) : sys_exit_status(status);
}

struct words {
	const char *stack, *value, *cgroup, *set_tid;
	bool show;
};

static int take(const struct options *options, const char *name, const struct words *words,
		struct nsclone_clone_args *args, struct work *ret, pid_t *set_tid)
{
	uint64_t number = 0;
	int r = 0;

	if (words->stack)
		r = sys_take_number(options, name, words->stack, SIZE_MAX, &number);
	args->stack_size = (size_t)number;
	number = 0;
	if (r == 0 && words->value)
		r = sys_take_number(options, name, words->value, 255, &number);
	ret->value = (int)number;
	if (r != 0 || !words->set_tid)
		return r;
	r = sys_take_number(options, name, words->set_tid, INT32_MAX, &number);
	*set_tid = (pid_t)number;
	args->set_tid = set_tid;
	args->set_tid_size = 1;
	return r;
}

static int run(const char *name, struct nsclone_clone_args args, struct work *this, const struct words *words)
{
	cleanup_fd int cgroup = words->cgroup ? sys_open(words->cgroup, O_PATH | O_DIRECTORY) : -1;
	struct filled filled = {.pidfd = -1};
	struct nsclone_child child;
	struct nsclone_error error;
	int r;

	if (words->cgroup && cgroup < 0)
		return sys_say(name, words->cgroup, cgroup, NULL);
	args.parent_tid = &filled.parent_tid;
	args.child_tid = &filled.child_tid;
	args.pidfd = &filled.pidfd;
	args.cgroup = cgroup;
	args.tls = thread_pointer();
	r = nsclone_clone(work, this, &args, &child, &error);
	return r < 0 ? sys_say_error(name, r, &error) : finish(name, &child, &filled, words->show);
}

int cmd_sys_clone(int argc, char **argv)
{
	struct words words = {0};
	struct options options = {
		.words = "FLAGS [-- COMMAND...]",
		.about = "Make a child with FLAGS (SIGCHLD, newpid,sigchld, ...) that returns a value or runs COMMAND,\n"
			 "wait for it, and exit as it did. See `nsclone sys flags`.",
		.rows = {{"return", 'r', "N", "what the child's function returns (0)", NULL, &words.value},
			 {"stack", 's', "BYTES", "size of its stack", NULL, &words.stack},
			 {"cgroup", 'c', "DIR", "for INTO_CGROUP", NULL, &words.cgroup},
			 {"set-tid", 't', "PID", "its id, in its PID namespace", NULL, &words.set_tid},
			 {"show", 'S', NULL, "print what the calls filled in", &words.show, NULL}},
		.n = 5,
	};
	struct nsclone_clone_args args = {0};
	struct work this = {0};
	pid_t set_tid;
	int r = options_parse(&options, argc, argv);

	if (r != OPTIONS_GO_ON)
		return r;
	if (optind >= argc)
		return options_usage(&options, argv[0], "which flags?");
	r = sys_take_flags(&options, argv[0], argv[optind], &args.flags);
	if (r == 0)
		r = take(&options, argv[0], &words, &args, &this, &set_tid);
	if (r != 0)
		return r;
	this.command = argv + optind + 1;
	return run(argv[0], args, &this, &words);
}
