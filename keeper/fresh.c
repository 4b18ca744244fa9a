/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a process inherits over fork and exec beside descriptors. Not in lib/: the module, a guest, may not link it.
 */
#include "keeper/fresh.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/core/sys.h"

enum {
	TIMER_SLACK_NS = 50000, /* the kernel's; 0 would be that of the parent */
	CPUS_1024 = 8,
};

/*
 * By the system call itself: two numbers are the C library's own, which it lets nobody set, but its posix_spawn(3) leaves
 * them ignored. The kernel's struct is all zeros for SIG_DFL, whatever its order; a mask is 8 bytes, 16 on MIPS.
 */
static void fresh_signal(int number)
{
	const unsigned long action[16] = {0};

	if (syscall(SYS_rt_sigaction, number, action, NULL, _NSIG / 8) < 0)
		return; /* SIGKILL, SIGSTOP */
}

int fresh_process(void)
{
	sigset_t none;

	for (int number = 1; number < _NSIG; number++)
		fresh_signal(number);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
	return 0;
}

/* Where a hard limit cannot be raised (CAP_SYS_RESOURCE) up to that. */
static int set_limit(int resource, struct rlimit limit)
{
	struct rlimit own;

	if (setrlimit(resource, &limit) == 0)
		return 0;
	if (getrlimit(resource, &own) < 0)
		return -1;
	if (limit.rlim_max > own.rlim_max)
		limit.rlim_max = own.rlim_max;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	setrlimit(resource, &limit);
	return -1;
}

/* Process 1's. Where they cannot be read (another root's) they stay. */
static int fresh_limits(void)
{
	struct rlimit limit;
	int r = 0;

	for (int resource = 0; resource < RLIM_NLIMITS; resource++)
		if (prlimit(1, resource, NULL, &limit) == 0 && set_limit(resource, limit) < 0)
			r = -1;
	return r;
}

static int fresh_oom(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC), r = fd < 0 ? -1 : write(fd, "0", 1) == 1 ? 0 : -1;

	if (fd >= 0)
		close(fd);
	return r;
}

static int fresh_scheduler(void)
{
	const struct sched_param none = {0};

	return sched_setscheduler(0, SCHED_OTHER, &none);
}

static int fresh_nice(void)
{
	return setpriority(PRIO_PROCESS, 0, 0);
}

static int fresh_cpus(void)
{
	cpu_set_t cpus[CPUS_1024];

	return sched_getaffinity(1, sizeof(cpus), cpus) < 0 ? 0 : sched_setaffinity(0, sizeof(cpus), cpus);
}

static int fresh_timer(void)
{
	return sys_prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
}

const char *fresh_resources(void)
{
	static const struct {
		int (*make)(void);
		const char *name;
	} all[] = {
		{fresh_limits, "limits"}, {fresh_oom, "oom_score_adj"}, {fresh_scheduler, "scheduling policy"},
		{fresh_nice, "nice value"}, {fresh_cpus, "processors"}, {fresh_timer, "timer slack"},
	};
	const char *failed = NULL;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i].make() < 0 && !failed)
			failed = all[i].name;
	return failed;
}
