/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * login [OPTION]... SERVICE...: sessions of the PAM services in /etc/pam-bench, one after the other in one process. In
 * each round every service has its turn, in a new random order, so that whatever else the machine does befalls all
 * alike. After the last call, untimed, the process goes back to the mount namespace that it came from: pam_namespace
 * leaves it in the session's.
 *
 *   --rounds N    so many rounds (default 100)
 *   --fresh       each session in a new process, which loads the module for the first time
 *   --burst N     N processes at a time, all with one service, all with the next, and so on; --rounds times
 *   --slice MS    for so long in each turn of a burst (default 250)
 *   --same        the processes of a burst log in the same user; else each another
 *
 * Prints for each service: its name; the medians in nanoseconds of pam_start, pam_open_session, pam_close_session,
 * pam_end; the 90th percentiles of pam_open_session, and of open and close together; the number of sessions; and what
 * was not the host's in the first of them, from which the script sees that all modules did the same. Sets up a log
 * daemon that forgets all it hears.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "tests/bench/log.h"

enum { PART_START, PART_OPEN, PART_CLOSE, PART_END, N_CALLS, PART_SESSION = N_CALLS, N_PARTS };
enum { MAX_SERVICES = 16, WARM_UP = 3, BURST_ROOM = 20000 };

/* What a session may have of its own: inodes, as the process sees them */
static const char *const PLACES[] = {
    "/proc/self/ns/mnt",
    "/proc/self/ns/ipc",
    "/proc/self/ns/uts",
    "/proc/self/ns/net",
    "/tmp",
    "/var/tmp",
    "/dev/shm",
    "/dev/mqueue",
    "/sys",
};
enum { N_PLACES = sizeof(PLACES) / sizeof(*PLACES) };

struct sample {
	long part[N_PARTS]; /* in nanoseconds */
};

/* In shared memory: written by children */
struct tally {
	size_t n;
	unsigned own; /* bit i: PLACES[i] */
	struct sample samples[];
};

static struct {
	int rounds;
	int processes;
	int slice_ms;
	bool fresh;
	bool same;
	char **services;
	int n_services;
	size_t room; /* samples in a tally */
	int host;    /* the mount namespace */
} bench = {.rounds = 100, .slice_ms = 250};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

static int say(int n, const struct pam_message **messages, struct pam_response **responses, void *data)
{
	(void)responses;
	(void)data;
	for (int i = 0; i < n; i++)
		fprintf(stderr, "login: %s\n", messages[i]->msg);
	return PAM_CONV_ERR;
}

static void look(struct stat *places)
{
	for (int i = 0; i < N_PLACES; i++)
		if (stat(PLACES[i], &places[i]) < 0)
			places[i] = (struct stat){0};
}

static unsigned compare(const struct stat *before)
{
	struct stat inside[N_PLACES];
	unsigned own = 0;

	look(inside);
	for (int i = 0; i < N_PLACES; i++)
		if (before[i].st_ino != inside[i].st_ino || before[i].st_dev != inside[i].st_dev)
			own |= 1U << i;
	return own;
}

static void check(const char *service, const char *call, int code)
{
	if (code == PAM_SUCCESS)
		return;
	fprintf(stderr, "login: %s: %s: %d\n", service, call, code);
	exit(1);
}

/* Nothing but the four calls is within the times. own: where to note what the session has of its own, or NULL. */
static struct sample measure(const char *service, const char *user, unsigned *own)
{
	static const struct pam_conv conversation = {say, NULL};
	struct stat before[N_PLACES];
	struct sample sample;
	pam_handle_t *handle;
	long began = now();
	int code = pam_start_confdir(service, user, &conversation, "/etc/pam-bench", &handle);

	sample.part[PART_START] = now() - began;
	check(service, "pam_start", code);
	pam_set_item(handle, PAM_RHOST, "192.0.2.7");
	pam_set_item(handle, PAM_TTY, "ssh");
	if (own != NULL)
		look(before);
	began = now();
	code = pam_open_session(handle, 0);
	sample.part[PART_OPEN] = now() - began;
	check(service, "pam_open_session", code);
	if (own != NULL)
		*own = compare(before);
	began = now();
	code = pam_close_session(handle, 0);
	sample.part[PART_CLOSE] = now() - began;
	check(service, "pam_close_session", code);
	began = now();
	code = pam_end(handle, PAM_SUCCESS);
	sample.part[PART_END] = now() - began;
	check(service, "pam_end", code);
	sample.part[PART_SESSION] = sample.part[PART_OPEN] + sample.part[PART_CLOSE];
	return sample;
}

static void go_home(void)
{
	struct stat mine, host;

	if (stat("/proc/self/ns/mnt", &mine) < 0 || fstat(bench.host, &host) < 0)
		fail("/proc/self/ns/mnt");
	if (mine.st_ino != host.st_ino && setns(bench.host, CLONE_NEWNS) < 0)
		fail("setns");
}

static void log_in(struct tally *tally, int service, const char *user)
{
	struct sample sample = measure(bench.services[service], user, tally->n == 0 ? &tally->own : NULL);

	go_home();
	if (tally->n < bench.room)
		tally->samples[tally->n++] = sample;
}

static void log_in_afresh(struct tally *tally, int service, const char *user)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		log_in(tally, service, user);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		exit(1);
}

static void *shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		fail("mmap");
	return memory;
}

static struct tally *new_tally(void)
{
	return shared(sizeof(struct tally) + bench.room * sizeof(struct sample));
}

static void shuffle(int *order, uint64_t *seed)
{
	for (int i = bench.n_services; i-- > 1;) {
		int k, swapped = order[i];

		*seed ^= *seed << 13; /* xorshift */
		*seed ^= *seed >> 7;
		*seed ^= *seed << 17;
		k = (int)(*seed % (uint64_t)(i + 1));
		order[i] = order[k];
		order[k] = swapped;
	}
}

static void run_rounds(struct tally **tallies)
{
	uint64_t seed = 88172645463325252U;
	int order[MAX_SERVICES] = {0};

	for (int i = 0; i < bench.n_services; i++)
		order[i] = i;
	for (int round = -WARM_UP; round < bench.rounds; round++) {
		if (round == 0)
			for (int i = 0; i < bench.n_services; i++)
				tallies[i]->n = 0;
		shuffle(order, &seed);
		for (int i = 0; i < bench.n_services; i++)
			(bench.fresh ? log_in_afresh : log_in)(tallies[order[i]], order[i], "bench00");
	}
}

static void sleep_until(long when)
{
	const struct timespec t = {.tv_sec = when / 1000000000L, .tv_nsec = when % 1000000000L};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

/* One of the processes of a burst. Between the turns is time for the slowest to end the session that it is in. */
static void take_part(struct tally **tallies, int process, long begin)
{
	long slice = bench.slice_ms * 1000000L, pause = slice / 2;
	char user[16];

	snprintf(user, sizeof(user), "bench%02d", bench.same ? 0 : process);
	for (int turn = 0; turn < bench.rounds * bench.n_services; turn++) {
		int service = turn % bench.n_services;

		sleep_until(begin + turn * (slice + pause));
		while (now() < begin + turn * (slice + pause) + slice)
			log_in(tallies[process * bench.n_services + service], service, user);
	}
}

static void run_burst(struct tally **tallies)
{
	long begin = now() + 300000000L;
	int status;

	for (int i = 0; i < bench.processes; i++) {
		pid_t child = fork();

		if (child < 0)
			fail("fork");
		if (child == 0) {
			take_part(tallies, i, begin);
			_exit(0);
		}
	}
	for (int i = 0; i < bench.processes; i++)
		if (wait(&status) < 0 || status != 0)
			exit(1);
}

static int by_size(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

/* The given percentile of one part of all processes' sessions with a service. */
static long percentile(struct tally **tallies, int service, int part, size_t percent, size_t *n_ret)
{
	int processes = bench.processes ? bench.processes : 1;
	size_t n = 0;
	long *times = calloc(bench.room * (size_t)processes + 1, sizeof(*times)), result;

	if (times == NULL)
		fail("calloc");
	for (int p = 0; p < processes; p++) {
		const struct tally *tally = tallies[p * bench.n_services + service];

		for (size_t i = 0; i < tally->n; i++)
			times[n++] = tally->samples[i].part[part];
	}
	qsort(times, n, sizeof(*times), by_size);
	result = n ? times[n * percent / 100] : 0;
	*n_ret = n;
	free(times);
	return result;
}

static void report(struct tally **tallies, int service)
{
	size_t n;

	printf("%s", bench.services[service]);
	for (int part = 0; part < N_CALLS; part++)
		printf(" %ld", percentile(tallies, service, part, 50, &n));
	printf(" %ld", percentile(tallies, service, PART_OPEN, 90, &n));
	printf(" %ld", percentile(tallies, service, PART_SESSION, 90, &n));
	printf(" %zu own", n);
	for (int i = 0; i < N_PLACES; i++)
		if (tallies[service]->own & 1U << i)
			printf(":%s", PLACES[i]);
	printf("\n");
}

static int parse(int argc, char **argv)
{
	static const struct option options[] = {
	    {"rounds", required_argument, NULL, 'r'}, {"burst", required_argument, NULL, 'b'},
	    {"slice", required_argument, NULL, 's'},  {"fresh", no_argument, NULL, 'f'},
	    {"same", no_argument, NULL, 'S'},	      {NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'r')
			bench.rounds = atoi(optarg);
		else if (c == 'b')
			bench.processes = atoi(optarg);
		else if (c == 's')
			bench.slice_ms = atoi(optarg);
		else if (c == 'f')
			bench.fresh = true;
		else if (c == 'S')
			bench.same = true;
		else
			return -1;
	}
	bench.services = argv + optind;
	bench.n_services = argc - optind;
	bench.room = bench.processes ? BURST_ROOM : (size_t)bench.rounds + WARM_UP;
	return bench.n_services > 0 && bench.n_services <= MAX_SERVICES && bench.rounds > 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct tally **tallies;
	int n;

	if (parse(argc, argv) < 0) {
		fprintf(stderr, "usage: login [--rounds N] [--fresh] [--burst N [--slice MS] [--same]] SERVICE...\n");
		return 2;
	}
	n = bench.n_services * (bench.processes ? bench.processes : 1);
	tallies = calloc((size_t)n, sizeof(struct tally *));
	bench.host = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (tallies == NULL || bench.host < 0 || chdir("/") < 0)
		fail("login");
	for (int i = 0; i < n; i++)
		tallies[i] = new_tally();
	if (forget_what_is_logged() < 0)
		fail("/dev/log");
	if (bench.processes)
		run_burst(tallies);
	else
		run_rounds(tallies);
	for (int i = 0; i < bench.n_services; i++)
		report(tallies, i);
	return 0;
}
