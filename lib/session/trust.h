/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Could anybody but root (and `trusted`, 0 for a login) have written this? Each returns NULL, or why it is not believed,
 * to be read after "the file " or "its directory ".
 */
#ifndef NSCLONE_TRUST_H
#define NSCLONE_TRUST_H

#include <stdbool.h>
#include <sys/stat.h>

const char *trust_check(uid_t trusted, const struct stat *st, bool sticky_will_do);

/* The opened directory, and all above it. path is what it was opened by. */
const char *trust_check_directory(uid_t trusted, int dirfd, const char *path);

/*
 * The same where path is known to hold no symbolic link, and st is what fstat(2) says of dirfd. known: a path that was
 * found good a moment ago, with all above it, which is not looked at again; or NULL.
 */
const char *trust_check_plain(uid_t trusted, int dirfd, const struct stat *st, const char *path, const char *known);

#endif
