/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All or nothing: every entry to the kernel that a plan makes is made to fail, once or from once on, and what a failed run
 * could have changed is looked at before and after.
 */
#ifndef TEST_SWEEP_H
#define TEST_SWEEP_H

#include <dirent.h>
#include "lib/core/sys.h"
#include "tests/unit/test_faults.h"
#include "tests/unit/test_scratch.h"

/* ---- Faults ---- */

static int calls, fail_from, fail_to; /* calls number fail_from to fail_to fail */
static const char *failed_call;

static bool faulty(const char *name)
{
	calls++;
	if (calls < fail_from || calls > fail_to)
		return false;
	failed_call = name;
	return true;
}

/* From now on; 0, 0: none. */
static inline void fail_calls(int from, int to)
{
	calls = 0;
	fail_from = from;
	fail_to = to;
}

STAND_IN(sys_open) STAND_IN(sys_openat) STAND_IN(sys_fstat) STAND_IN(sys_fstatat) STAND_IN(sys_mkdirat)
STAND_IN(sys_fchown) STAND_IN(sys_fchmod) STAND_IN(sys_rename_noreplace) STAND_IN(sys_unlinkat) STAND_IN(sys_symlinkat)
STAND_IN(sys_readlinkat) STAND_IN(sys_flock) STAND_IN(sys_fchdir) STAND_IN(sys_chdir) STAND_IN(sys_getcwd)
STAND_IN(sys_sethostname) STAND_IN(sys_random) STAND_IN(sys_process_id) STAND_IN(sys_place) STAND_IN(sys_set_fs_ids)
STAND_IN(sys_prctl) STAND_IN(sys_umount_cwd) STAND_IN(nsclone_unshare) STAND_IN(nsclone_setns)
STAND_IN(nsclone_open_trusted) STAND_IN(nsclone_open_nosymlink) STAND_IN(nsclone_ns_open_self)
STAND_IN(nsclone_mount_new) STAND_IN(nsclone_mount_copy) STAND_IN(nsclone_mount_attributes)
STAND_IN(nsclone_mount_attach) STAND_IN(nsclone_mount_all_slave) STAND_IN(nsclone_mount_is_root)
STAND_IN(nsclone_mount_detach) STAND_IN(nsclone_pivot_root) STAND_IN(nsclone_loopback_up)

/* ---- What is seen of the process and the disk ---- */

static inline void add(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static inline void add(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list ap;

	va_start(ap, format);
	vsnprintf(text + used, size - used, format, ap);
	va_end(ap);
}

static inline void list_tree(char *text, size_t size, const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		char *below;
		struct stat st;

		must(asprintf(&below, "%s/%s", path, names[i]->d_name), "asprintf");
		if (strcmp(names[i]->d_name, ".") != 0 && strcmp(names[i]->d_name, "..") != 0) {
			must(lstat(below, &st), below);
			add(text, size, "%s %o %u\n", below, st.st_mode, st.st_uid);
			if (S_ISDIR(st.st_mode))
				list_tree(text, size, below);
		}
		free(below);
		free(names[i]);
	}
	free(n < 0 ? NULL : names);
}

static inline void add_link(char *text, size_t size, const char *path)
{
	char target[256];
	ssize_t n = readlink(path, target, sizeof(target));

	must((int)n, path);
	add(text, size, "%s %.*s\n", path, (int)n, target);
}

static inline void add_file(char *text, size_t size, const char *path)
{
	size_t used = strlen(text);
	int fd = open(path, O_RDONLY);
	ssize_t n;

	must(fd, path);
	while ((n = read(fd, text + used, size - used - 1)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	close(fd);
}

/* Everything of the process and the disk that a failed run could have changed. /run/nsclone itself may stay. */
static inline char *look(void)
{
	static const char *const LINKS[] = {"ns/mnt", "ns/ipc", "ns/uts", "ns/net", "ns/pid_for_children",
					    "ns/cgroup", "ns/user", "cwd", "root"};
	size_t size = 1 << 18;
	char *text = calloc(1, size), path[64];

	for (size_t i = 0; i < sizeof(LINKS) / sizeof(*LINKS); i++) {
		snprintf(path, sizeof(path), "/proc/self/%s", LINKS[i]);
		add_link(text, size, path);
	}
	add_file(text, size, "/proc/self/mountinfo");
	list_tree(text, size, "/var/lib");
	list_tree(text, size, "/run/nsclone/sessions");
	add(text, size, "fds %u\n", count_fds());
	return text;
}

#endif
