/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Golden tests: tests/golden/NAME/{policy.conf,subject,facts} -> plan. The expected text is never written by this
 * program: `build/tests/test_golden NAME` prints what it is now, for a person to look at and to save.
 *
 * subject: lines user= uid= gid= home= service= rhost= tty= from= host= group=NAME:GID (the first is the primary one).
 * facts: lines ram=BYTES, hidepid=N, mqueue=yes, cgroup2=yes, sys=PATH, detach=PATH, place=PATH [missing] [nosuid] [nodev]
 * [noexec] [same=N], where two places of the same N are one directory. join=NAME...: not that, but the plan of joining these
 * namespaces of the world, or of those who whose= says.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/session/plan.h"

#define DIRECTORY "tests/golden"
enum { MAX = 32 };

struct golden {
	struct policy_subject subject;
	struct policy_group groups[MAX];
	struct facts facts;
	struct facts_place places[MAX];
	const char *sys[MAX];
	const char *detach[MAX];
	uint64_t join;
	const char *whose;
};

static char *read_file(const char *name, const char *file)
{
	char path[512], *text = calloc(1, 1 << 16);
	FILE *f;

	snprintf(path, sizeof(path), DIRECTORY "/%s/%s", name, file);
	f = fopen(path, "r");
	if (!f)
		fail_msg("cannot open %s", path);
	text[fread(text, 1, (1 << 16) - 1, f)] = '\0';
	fclose(f);
	return text;
}

static void subject_line(struct golden *g, const char *key, const char *value)
{
	struct policy_subject *s = &g->subject;
	const char *colon = strchr(value, ':');

	if (strcmp(key, "uid") == 0)
		s->uid = (uid_t)atoi(value);
	else if (strcmp(key, "gid") == 0)
		s->gid = (gid_t)atoi(value);
	else if (strcmp(key, "group") == 0 && colon) {
		g->groups[s->n_groups].name = strndup(value, (size_t)(colon - value));
		g->groups[s->n_groups++].gid = (gid_t)atoi(colon + 1);
		s->group = g->groups[0].name;
	} else {
		const char **field = strcmp(key, "user") == 0	   ? &s->user
				     : strcmp(key, "home") == 0	   ? &s->home
				     : strcmp(key, "service") == 0 ? &s->service
				     : strcmp(key, "rhost") == 0   ? &s->remote_host
				     : strcmp(key, "tty") == 0	   ? &s->tty
				     : strcmp(key, "from") == 0	   ? &s->from_user
				     : strcmp(key, "host") == 0	   ? &s->host
								   : NULL;

		assert_non_null(field);
		*field = value;
	}
}

static void place_line(struct golden *g, char *value)
{
	struct facts_place *place = &g->places[g->facts.n_places++];
	char *word = strsep(&value, " ");

	place->path = word;
	place->inode = 1000 + g->facts.n_places;
	while ((word = strsep(&value, " "))) {
		if (strcmp(word, "missing") == 0)
			place->missing = true;
		else if (strncmp(word, "same=", 5) == 0)
			place->inode = (ino_t)atoi(word + 5);
		else
			place->covered |= strcmp(word, "nosuid") == 0  ? MOUNT_ATTR_NOSUID
					  : strcmp(word, "nodev") == 0 ? MOUNT_ATTR_NODEV
								       : MOUNT_ATTR_NOEXEC;
	}
}

static uint64_t namespaces(char *names)
{
	static const int TYPES[] = {CLONE_NEWNS,  CLONE_NEWIPC,	   CLONE_NEWUTS, CLONE_NEWNET,
				    CLONE_NEWPID, CLONE_NEWCGROUP, CLONE_NEWUSER};
	uint64_t types = 0;
	char *name;

	while ((name = strsep(&names, " ")))
		for (size_t i = 0; i < sizeof(TYPES) / sizeof(*TYPES); i++)
			if (strcmp(name, nsclone_ns_name(TYPES[i])) == 0)
				types |= (uint64_t)TYPES[i];
	return types;
}

static void facts_line(struct golden *g, const char *key, char *value)
{
	if (strcmp(key, "ram") == 0)
		g->facts.ram = strtoull(value, NULL, 10);
	else if (strcmp(key, "hidepid") == 0)
		g->facts.hidepid = atoi(value);
	else if (strcmp(key, "mqueue") == 0)
		g->facts.mqueue = strcmp(value, "yes") == 0;
	else if (strcmp(key, "cgroup2") == 0)
		g->facts.cgroup2 = strcmp(value, "yes") == 0;
	else if (strcmp(key, "join") == 0)
		g->join = namespaces(value);
	else if (strcmp(key, "whose") == 0)
		g->whose = value;
	else if (strcmp(key, "sys") == 0)
		g->sys[g->facts.n_sys_mounts++] = value;
	else if (strcmp(key, "detach") == 0)
		g->detach[g->facts.n_detach++] = value;
	else if (strcmp(key, "place") == 0)
		place_line(g, value);
	else
		fail_msg("unknown fact %s", key);
}

static void each_line(struct golden *g, char *text, int is_facts)
{
	char *line, *value;

	while ((line = strsep(&text, "\n"))) {
		value = strchr(line, '=');
		if (!value)
			continue;
		*value++ = '\0';
		if (is_facts)
			facts_line(g, line, value);
		else
			subject_line(g, line, value);
	}
}

static struct golden *read_golden(const char *name)
{
	struct golden *g = calloc(1, sizeof(*g));

	g->subject.groups = g->groups;
	g->subject.groups_known = true;
	g->facts.places = g->places;
	g->facts.sys_mounts = g->sys;
	g->facts.detach = g->detach;
	strcpy(g->facts.token, "01234567-0123456789abcdef");
	each_line(g, read_file(name, "subject"), 0);
	each_line(g, read_file(name, "facts"), 1);
	return g;
}

static int build(const struct golden *g, const struct policy_result *result, struct plan **plan, struct err *err)
{
	if (g->join)
		return plan_build_join(&g->subject, g->join, g->whose ? g->whose : "the world",
				       result->settings[POLICY_SCOPE].pos, plan, err);
	return plan_build(result, &g->subject, &g->facts, plan, err);
}

/* What place_is_not_first() rests on: a session inside a world is told by one of these. */
static void can_be_told(const struct plan *plan)
{
	const struct plan_step *steps;
	int types = 0;

	for (size_t i = 0, n = plan_steps(plan, &steps); i < n; i++)
		if (steps[i].kind == PLAN_UNSHARE || steps[i].kind == PLAN_JOIN)
			types |= steps[i].nstype;
	if (types && !(types & (CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWUSER)))
		fail_msg("nothing that place_is_not_first() looks at is the world's own");
}

static void print_plan(const struct golden *g, struct policy_result *result, FILE *stream)
{
	struct plan *plan = NULL;
	struct err err = {0};

	if (result->settings[POLICY_ISOLATE].word == POLICY_NO)
		fprintf(stream, "left alone\n");
	else if (build(g, result, &plan, &err) < 0)
		fprintf(stream, "no plan: %s (%s:%u)\n", err.text, err.file, err.line);
	else
		plan_print(plan, stream);
	if (plan && !g->join)
		can_be_told(plan);
	plan_free(plan);
}

/* What a login of that subject gets, as text. */
static char *decide(const char *name)
{
	char *policy_text = read_file(name, "policy.conf"), *text = NULL;
	struct policy_text source = {"policy.conf", policy_text, strlen(policy_text), NULL};
	struct golden *g = read_golden(name);
	struct policy_result result;
	struct policy *policy;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	int r;

	assert_int_equal(policy_load(&source, 1, &policy), 0);
	r = policy_resolve(policy, &g->subject, 0, &result);
	if (r == 0)
		print_plan(g, &result, stream);
	else if (r == POLICY_NO_MATCH)
		fprintf(stream, "no match\n");
	else if (r == POLICY_REFUSE)
		fprintf(stream, "refused: %s:%u: %s\n", result.refusal.pos.file, result.refusal.pos.line,
			result.refusal.message);
	else
		fprintf(stream, "outcome %d\n", r);
	fclose(stream);
	policy_result_done(&result);
	policy_free(policy);
	return text;
}

static void golden(void **state)
{
	const char *name = *state;
	char *expected = read_file(name, "plan"), *now = decide(name);

	if (strcmp(expected, now) != 0) {
		printf("# %s: expected\n%s\nbut now it is\n%s\n", name, expected, now); /* fail_msg() would cut it */
		fail();
	}
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[256];
	struct dirent **names;
	size_t n_tests = 0;
	int n;

	if (argc > 1) {
		fputs(decide(argv[1]), stdout);
		return 0;
	}
	n = scandir(DIRECTORY, &names, NULL, alphasort);
	for (int i = 0; i < n; i++)
		if (names[i]->d_name[0] != '.' && n_tests < 256)
			tests[n_tests++] = (struct CMUnitTest){names[i]->d_name, golden, NULL, NULL, names[i]->d_name};
	if (n_tests == 0) {
		fprintf(stderr, "no cases in " DIRECTORY "\n");
		return 1;
	}
	return _cmocka_run_group_tests("golden", tests, n_tests, NULL, NULL);
}
