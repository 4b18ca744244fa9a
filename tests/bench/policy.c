/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy N ROUNDS: what the policy costs by itself, with N rules: a line "N LOAD RESOLVE FIT", medians in nanoseconds
 * of policy_load() and policy_resolve(), and how many rules fitted. The rules are a site's: for one user each, or for
 * services, addresses and ranges of uids; one rule in a hundred fits the login. Processor time: they wait for nothing.
 */
#include "lib/policy/policy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct times {
	long load;
	long resolve;
};

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void write_rule(FILE *stream, int i)
{
	fprintf(stream, "# rule %d\n[Match]\n", i);
	if (i % 100 == 0)
		fprintf(stream, "User=alice bench* !root\nService=ssh*\n");
	else if (i % 4 == 1)
		fprintf(stream, "RemoteHost=10.%d.%d.0/24 2001:db8:%x::/48\n", i / 256 % 256, i % 256, (unsigned)i);
	else if (i % 4 == 2)
		fprintf(stream, "User=%d-%d\nService=su* sudo cron\n", 100000 + 10 * i, 100009 + 10 * i);
	else
		fprintf(stream, "User=user%05d\nService=sshd login\n", i);
	fprintf(stream, "[Session]\nPrivateTmp=%s\nPrivateDevShm=yes:size=%dm\nPrivateIPC=yes\n\n",
		i % 2 ? "persistent" : "disconnected", 64 + i % 64);
}

static char *write_policy(int n, size_t *size)
{
	char *text = NULL;
	FILE *stream = open_memstream(&text, size);

	if (stream == NULL)
		return NULL;
	for (int i = 0; i < n; i++)
		write_rule(stream, i);
	return fclose(stream) == 0 ? text : NULL;
}

static int measure(const struct policy_text *text, struct times *times, size_t *n_fit)
{
	const struct policy_subject subject = {
	    .user = "alice",
	    .uid = 20001,
	    .gid = 20001,
	    .home = "/home/alice",
	    .service = "sshd",
	    .remote_host = "192.0.2.7",
	    .tty = "ssh",
	    .host = "host.example.org",
	};
	struct policy_result result;
	struct policy *policy;
	long began = now(), loaded;
	int r = policy_load(text, 1, &policy);

	loaded = now();
	if (r < 0)
		return r;
	r = policy_resolve(policy, &subject, 0, &result);
	*times = (struct times){loaded - began, now() - loaded};
	if (r != 0)
		fprintf(stderr, "policy: policy_resolve() answers %d: %s\n", r,
			r == POLICY_REFUSE ? result.refusal.message : "?");
	*n_fit = result.n_applied;
	policy_result_done(&result);
	policy_free(policy);
	return r;
}

static int by_load(const void *a, const void *b)
{
	long x = ((const struct times *)a)->load, y = ((const struct times *)b)->load;

	return (x > y) - (x < y);
}

static int by_resolve(const void *a, const void *b)
{
	long x = ((const struct times *)a)->resolve, y = ((const struct times *)b)->resolve;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int n = argc == 3 ? atoi(argv[1]) : 0, rounds = argc == 3 ? atoi(argv[2]) : 0;
	struct policy_text text = {.name = "bench.conf"};
	struct times *times = calloc((size_t)rounds + 1, sizeof(*times));
	size_t n_fit = 0;
	long load;

	text.data = write_policy(n, &text.size);
	if (n <= 0 || rounds <= 0 || times == NULL || text.data == NULL)
		return 2;
	for (int i = 0; i < rounds; i++)
		if (measure(&text, &times[i], &n_fit) != 0)
			return 1;
	qsort(times, (size_t)rounds, sizeof(*times), by_load);
	load = times[rounds / 2].load;
	qsort(times, (size_t)rounds, sizeof(*times), by_resolve);
	printf("%d %ld %ld %zu\n", n, load, times[rounds / 2].resolve, n_fit);
	free(times);
	free((void *)(unsigned long)text.data);
	return 0;
}
