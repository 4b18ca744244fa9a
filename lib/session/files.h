/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The policy files: found, opened and read safely, in the order in which they apply. What is wrong with one file (not
 * root's, writable by others, unreadable, not a regular file) becomes the `unreadable` of its policy_text, so that
 * policy_load() reports it like any other error.
 */
#ifndef NSCLONE_FILES_H
#define NSCLONE_FILES_H

#include "lib/policy/policy.h"
#include "lib/session/err.h"

#ifndef NSCLONE_SYSCONF_DIR
#define NSCLONE_SYSCONF_DIR "/etc/security"
#endif
#ifndef NSCLONE_VENDOR_DIR
#define NSCLONE_VENDOR_DIR "/usr/lib/nsclone/policy.d"
#endif

struct files_request {
	const char *directory; /* read *.conf of this one only; NULL: the default places */
	const char *const *replacements; /* paths: each as if it replaced its namesake (nsclone check FILE) */
	size_t n_replacements;
	uid_t trusted_uid; /* may own the files, too: 0 for a login, the caller's own uid in the command */
};

struct files;

/*
 * A directory that must be there (request->directory) and is not, or that cannot be listed, is a text that is unreadable:
 * it spoils the policy, but for uid 0. Returns 0; -ENOMEM; or, with err set, what is wrong with a replacement.
 * *ret is freed with files_free().
 */
int files_read(const struct files_request *request, struct files **ret, struct err *err);
struct files *files_free(struct files *files);

/* For policy_load(). Owned by files. */
size_t files_texts(const struct files *files, const struct policy_text **ret);

/* Paths of names in the directories that were passed over though they do not begin with a dot (check warns). */
size_t files_ignored(const struct files *files, const char *const **ret);

#endif
