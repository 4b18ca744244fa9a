/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nsclone check: what is wrong with the policy, and with this host for it. check.c holds the findings and the order;
 * each other check_*.c looks at one thing and says what it found. Nothing is changed and nothing is remembered; what
 * the caller may not see is said to be unseen, never taken for good.
 */
#ifndef NSCLONE_CMD_CHECK_H
#define NSCLONE_CMD_CHECK_H

#include "cmd/alloc.h"
#include "cmd/pamd.h"
#include "cmd/table.h"
#include "lib/session/login.h"
#include <stdbool.h>

enum check_severity { CHECK_ERROR, CHECK_WARNING, CHECK_UNSEEN, CHECK_N_SEVERITIES };

struct check {
	const char *directory; /* --policy */
	struct table *table;   /* findings become its rows; NULL: they are lines */
	size_t count[CHECK_N_SEVERITIES];
	const struct policy *policy;
	const struct files *files;
	unsigned keys; /* which any rule assigns with more than its default: bits 1 << POLICY_* */
	struct alloc_list said;
	struct alloc_list services; /* all that pam.d has */
	struct alloc_list doors;    /* those of them with the module */
	struct alloc_list rescued;  /* names and uids in rescue=, each as FILE:LINE:NAME */
};

/* One finding, once: a line of pam.d that many services include is judged for each. hint, what would be right, may be
 * NULL; so may pos.file: it is about the host. */
void check_say(struct check *check, enum check_severity severity, struct policy_pos pos, const char *hint,
	       const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The same about a path, or about line of a file: line 0 is none. */
struct policy_pos check_at(const char *file, unsigned line);

/* A rule's [Match] and [Session], as far as it can be judged from the text alone. */
void check_policy(struct check *check);

/* ... and where it is about names that this host gives or does not give. */
void check_policy_here(struct check *check);

/* What rule i does to its users that its author may not expect. */
void check_world(struct check *check, size_t i);

/* Kernel, mount points, InstanceRoot=. */
void check_kernel(struct check *check);
void check_places(struct check *check);

/* Who holds the worlds that sessions share. */
void check_keeper(struct check *check);

/* pam.d, and each entry that is the module; then sshd's configuration, where sshd has the module. */
void check_pamd(struct check *check);
void check_pamd_entry(struct check *check, const struct pamd_stack *stack, size_t at);
void check_pamd_arguments(struct check *check, const struct pamd_entry *entry);
void check_sshd(struct check *check);

/* Can root log in where no rescue= is given? */
void check_rescue(struct check *check);

/* Names, asked of NSS: the last, because NSS may hang. */
void check_names(struct check *check);

/* What asks for something in rule i, as check->keys. */
unsigned check_keys_of(const struct policy *policy, size_t i);

/* Is there a file in pam.d, or a line in pam.conf? */
bool check_has_service(const struct check *check, const char *name);

#endif
