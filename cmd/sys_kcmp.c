// SPDX-License-Identifier: BSD-3-Clause
/*
 * nsclone sys kcmp: do two processes share a thing?
 *
 * It refuses to compare what it was not asked for: `nsclone compare`, when it comes, compares all.
 */
#include "cmd/sys.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cmd/cmd.h"
#include "lib/core/sys.h"

struct question {
	const char *name;
	enum nsclone_kcmp_type type;
	pid_t pids[2];
	uint64_t idx[2];
	struct nsclone_kcmp_slot slot;
};

static int ask(const struct question *question)
{
	int r;

	if (question->type == NSCLONE_KCMP_EPOLL_TFD)
		r = nsclone_kcmp_epoll(question->pids[0], question->pids[1], (int)question->idx[0], &question->slot);
	else
		r = nsclone_kcmp(question->pids[0], question->pids[1], question->type, question->idx[0],
				 question->idx[1]);
	if (r < 0) {
		sys_say(question->name, nsclone_kcmp_type_name(question->type), r, NULL);
		return CMD_UNKNOWN;
	}
	printf("%s\n", nsclone_kcmp_order_name(r));
	return r == NSCLONE_KCMP_EQUAL ? CMD_YES : CMD_NO;
}

/* The child: there until it is told to go. */
static int stay(void *pipe)
{
	char byte;

	return read(((int *)pipe)[0], &byte, 1) == 1 ? 0 : 1;
}

static int ask_child(struct question *question, uint64_t flags)
{
	struct nsclone_clone_args args = {.flags = flags};
	struct nsclone_child child;
	struct nsclone_error error;
	int fds[2], r = sys_pipe(fds), status;

	if (r < 0)
		return sys_say(question->name, "pipe", r, NULL);
	r = nsclone_clone(stay, fds, &args, &child, &error);
	if (r < 0)
		return sys_say_error(question->name, r, &error);
	question->pids[0] = getpid();
	question->pids[1] = child.pid;
	status = ask(question);
	sys_write(fds[1], "", 1);
	r = nsclone_wait(&child, 0, NULL);
	return r < 0 ? sys_say(question->name, "wait", r, NULL) : status;
}

static int take_slot(const struct options *options, const char *name, const char *word, struct nsclone_kcmp_slot *ret)
{
	int n = 0;

	if (sscanf(word, "%u:%u:%u%n", &ret->epoll, &ret->target, &ret->offset, &n) == 3 && word[n] == '\0')
		return 0;
	return options_usage(options, name, "%s is no EPOLL:TARGET:OFFSET", word);
}

static int take_index(const struct options *options, struct question *question, char **words, size_t i)
{
	if (question->type == NSCLONE_KCMP_EPOLL_TFD && i == 1)
		return take_slot(options, question->name, words[i], &question->slot);
	return sys_take_number(options, question->name, words[i], INT32_MAX, &question->idx[i]);
}

/* TYPE [PID1 PID2] [IDX1 IDX2], the pids where there is no child to compare with. */
static int take(const struct options *options, struct question *question, char **words, int n, bool child)
{
	int type = n > 0 ? nsclone_kcmp_type_parse(words[0]) : -1, indices, r = 0;
	uint64_t pid;

	if (type < 0)
		return options_usage(options, question->name, "the first word must be a type");
	question->type = (enum nsclone_kcmp_type)type;
	indices = type == NSCLONE_KCMP_FILE || type == NSCLONE_KCMP_EPOLL_TFD ? 2 : 0;
	words++;
	if (n - 1 != (child ? 0 : 2) + indices)
		return options_usage(options, question->name, "%s wants %s%s", nsclone_kcmp_type_name(question->type),
				     child ? "no processes" : "two processes", indices ? " and two indices" : "");
	for (size_t i = 0; r == 0 && i < 2 && !child; i++) {
		r = sys_take_number(options, question->name, words[i], INT32_MAX, &pid);
		question->pids[i] = (pid_t)pid;
	}
	words += child ? 0 : 2;
	for (size_t i = 0; r == 0 && i < 2 && indices; i++)
		r = take_index(options, question, words, i);
	return r;
}

int cmd_sys_kcmp(int argc, char **argv)
{
	const char *clone = NULL;
	struct question question = {.name = argv[0]};
	struct options options = {
		.words = "TYPE PID1 PID2 [INDEX1 INDEX2]",
		.about = "Print equal, less, greater or unordered: how PID1's object stands to PID2's. Equal means shared.",
		.more = "TYPE is VM, FILES, FS, SIGHAND, IO, SYSVSEM; FILE with two descriptors; EPOLL_TFD with a\n"
			"descriptor and EPOLL:TARGET:OFFSET. Exit status: 0 equal, 1 not, 3 could not find out.",
		.rows = {{"clone", 'c', "FLAGS", "not PID1 PID2, but this process and a child made with FLAGS", NULL, &clone}},
		.n = 1,
	};
	uint64_t flags = 0;
	int r = options_parse(&options, argc, argv);

	if (r != OPTIONS_GO_ON)
		return r;
	r = take(&options, &question, argv + optind, argc - optind, clone != NULL);
	if (r == 0 && clone)
		r = sys_take_flags(&options, argv[0], clone, &flags);
	if (r != 0)
		return r;
	return clone ? ask_child(&question, flags) : ask(&question);
}
