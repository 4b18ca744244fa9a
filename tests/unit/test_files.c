/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The policy files: which are read, in which order, and whose word is not believed. Runs in a mount namespace with an
 * /etc/security of its own. Needs root.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/session/files.h"

#define ETC "/etc/security"
#define ETC_D ETC "/nsclone.d"
#define VENDOR "/usr/lib/nsclone/policy.d"

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0644), 0);
}

static int group_setup(void **state)
{
	(void)state;
	umask(022);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("x", "/usr/lib", "tmpfs", 0, "mode=755") < 0)
		return -1;
	return mkdir("/usr/lib/nsclone", 0755) < 0 || mkdir(VENDOR, 0755) < 0 ? -1 : 0;
}

static int setup(void **state)
{
	(void)state;
	return mount("x", ETC, "tmpfs", 0, "mode=755") < 0 || mkdir(ETC_D, 0755) < 0 ||
			       mount("x", VENDOR, "tmpfs", 0, "mode=755") < 0
		       ? -1
		       : 0;
}

static int teardown(void **state)
{
	(void)state;
	return umount2(ETC, MNT_DETACH) < 0 || umount2(VENDOR, MNT_DETACH) < 0 ? -1 : 0;
}

/* "NAME=content" or "NAME!why" for each text, with spaces between; the directories are cut off. */
static const char *names(const struct files_request *request)
{
	static char list[2048];
	const struct policy_text *texts;
	struct files *files = NULL;
	struct err err = {0};
	size_t n;

	if (files_read(request, &files, &err) < 0) {
		snprintf(list, sizeof(list), "failed: %s", err.text);
		return list;
	}
	list[0] = '\0';
	n = files_texts(files, &texts);
	for (size_t i = 0; i < n; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s%c%.*s", i ? " " : "",
			 strrchr(texts[i].name, '/') + 1, texts[i].unreadable ? '!' : '=',
			 texts[i].unreadable ? 200 : (int)texts[i].size,
			 texts[i].unreadable ? texts[i].unreadable : texts[i].data);
	files_free(files);
	return list;
}

static const char *defaults(void)
{
	static const struct files_request request;

	return names(&request);
}

static void nothing_is_nothing(void **state)
{
	(void)state;
	assert_string_equal(defaults(), "");
	assert_int_equal(rmdir(ETC_D), 0);
	assert_string_equal(defaults(), "");
}

static void sorts_together_and_hides(void **state)
{
	(void)state;
	put(ETC "/nsclone.conf", "main");
	put(ETC_D "/50-b.conf", "etc");
	put(ETC_D "/90-z.conf", "z");
	put(VENDOR "/50-b.conf", "vendor");
	put(VENDOR "/10-a.conf", "a");
	put(VENDOR "/60-c.conf", "c");
	assert_int_equal(symlink("/dev/null", ETC_D "/60-c.conf"), 0);
	assert_string_equal(defaults(), "nsclone.conf=main 10-a.conf=a 50-b.conf=etc 60-c.conf= 90-z.conf=z");
}

static void passes_over_other_names(void **state)
{
	static const struct files_request request;
	const char *const *ignored;
	struct files *files = NULL;
	struct err err = {0};

	(void)state;
	put(ETC_D "/.50-a.conf.swp", "x");
	put(ETC_D "/.#50-a.conf", "x");
	put(ETC_D "/50-a.conf~", "x");
	put(ETC_D "/.conf", "x");
	assert_int_equal(files_read(&request, &files, &err), 0);
	assert_int_equal(files_ignored(files, &ignored), 1);
	assert_string_equal(ignored[0], ETC_D "/50-a.conf~");
	files_free(files);
	assert_string_equal(defaults(), "");
}

static void believes_root_alone(void **state)
{
	(void)state;
	put(ETC_D "/1.conf", "");
	put(ETC_D "/2.conf", "");
	put(ETC_D "/3.conf", "");
	put(ETC_D "/4.conf", "good");
	assert_int_equal(chown(ETC_D "/1.conf", 1000, 0), 0);
	assert_int_equal(chmod(ETC_D "/2.conf", 0664), 0);
	assert_int_equal(chmod(ETC_D "/3.conf", 0646), 0);
	assert_string_equal(defaults(), "1.conf!is not owned by root 2.conf!is writable by group or others "
					"3.conf!is writable by group or others 4.conf=good");
}

static void believes_regular_files_alone(void **state)
{
	(void)state;
	put(ETC "/elsewhere", "x");
	assert_int_equal(symlink("../elsewhere", ETC_D "/1.conf"), 0);
	assert_int_equal(mkfifo(ETC_D "/2.conf", 0600), 0);
	assert_int_equal(mkdir(ETC_D "/3.conf", 0700), 0);
	assert_int_equal(symlink("/dev/null", ETC_D "/4.conf"), 0);
	assert_string_equal(defaults(),
			    "1.conf!is a symbolic link (only one to /dev/null has a meaning: it masks) "
			    "2.conf!is not a regular file 3.conf!is not a regular file 4.conf=");
}

static void believes_directories_of_root_alone(void **state)
{
	(void)state;
	put(ETC_D "/1.conf", "x");
	assert_int_equal(chmod(ETC_D, 0775), 0);
	assert_string_equal(defaults(), "1.conf!its directory is writable by group or others");
	assert_int_equal(chmod(ETC_D, 0755), 0);
	assert_int_equal(chown(ETC_D, 1000, 0), 0);
	assert_string_equal(defaults(), "1.conf!its directory is not owned by root");
	assert_int_equal(chown(ETC_D, 0, 0), 0);
	assert_int_equal(chmod(ETC, 0777), 0);
	assert_string_equal(defaults(), "1.conf!its directory lies below a directory that others than root can write to");
	assert_int_equal(chmod(ETC, 01777), 0); /* nobody can rename root's entries in a sticky one */
	assert_string_equal(defaults(), "1.conf=x");
	assert_int_equal(chmod(ETC, 0755), 0);
}

/* The path is root's alone, but what it leads to lies in a directory of somebody else. */
static void looks_where_links_lead(void **state)
{
	struct files_request request = {.directory = ETC "/link"};

	(void)state;
	assert_int_equal(mkdir(ETC "/bob", 0755), 0);
	assert_int_equal(mkdir(ETC "/bob/policy", 0755), 0);
	put(ETC "/bob/policy/1.conf", "x");
	assert_int_equal(symlink("bob/policy", ETC "/link"), 0);
	assert_string_equal(names(&request), "1.conf=x");
	assert_int_equal(chown(ETC "/bob", 1000, 0), 0);
	assert_string_equal(names(&request),
			    "1.conf!its directory lies below a directory that others than root can write to");
}

static void a_named_directory_must_be_there(void **state)
{
	struct files_request request = {.directory = ETC "/policy"};

	(void)state;
	put(ETC "/nsclone.conf", "main");
	assert_string_equal(names(&request), "policy!cannot be opened: No such file or directory");
	assert_int_equal(mkdir(ETC "/policy", 0755), 0);
	assert_string_equal(names(&request), "");
	put(ETC "/policy/1.conf", "one");
	assert_string_equal(names(&request), "1.conf=one");
}

static void replaces_namesakes(void **state)
{
	const char *const replacements[] = {ETC "/draft/50-b.conf", ETC "/draft/70-new.conf", ETC "/draft/nsclone.conf"};
	const char *const twice[] = {ETC "/draft/50-b.conf", ETC "/draft/../draft/50-b.conf"};
	const char *const other[] = {ETC "/draft/50-b"};
	struct files_request request = {.replacements = replacements, .n_replacements = 3};

	(void)state;
	assert_int_equal(mkdir(ETC "/draft", 0755), 0);
	put(ETC "/nsclone.conf", "main");
	put(ETC_D "/50-b.conf", "old");
	put(ETC_D "/60-c.conf", "c");
	put(replacements[0], "new");
	put(replacements[1], "added");
	put(replacements[2], "MAIN");
	assert_string_equal(names(&request), "nsclone.conf=MAIN 50-b.conf=new 60-c.conf=c 70-new.conf=added");
	request = (struct files_request){.replacements = twice, .n_replacements = 2};
	assert_non_null(strstr(names(&request), "failed: "));
	request = (struct files_request){.replacements = other, .n_replacements = 1};
	assert_non_null(strstr(names(&request), "ends in .conf"));
}

/* More names than one getdents64(2) tells. */
static void lists_all_of_a_large_directory(void **state)
{
	static const struct files_request request;
	const struct policy_text *texts;
	struct files *files = NULL;
	struct err err = {0};
	char path[128];

	(void)state;
	for (int i = 0; i < 500; i++) {
		snprintf(path, sizeof(path), ETC_D "/%03d-a-name-that-takes-some-room.conf", i);
		put(path, "x");
	}
	assert_int_equal(files_read(&request, &files, &err), 0);
	assert_int_equal(files_texts(files, &texts), 500);
	for (int i = 0; i < 500; i++) {
		snprintf(path, sizeof(path), ETC_D "/%03d-a-name-that-takes-some-room.conf", i);
		assert_string_equal(texts[i].name, path);
	}
	files_free(files);
}

/* What was found good for one directory is not taken for an answer about another. */
static void judges_each_directory(void **state)
{
	(void)state;
	put(ETC "/nsclone.conf", "main");
	put(ETC_D "/1.conf", "x");
	put(VENDOR "/2.conf", "y");
	assert_string_equal(defaults(), "nsclone.conf=main 1.conf=x 2.conf=y");
	assert_int_equal(chmod(ETC_D, 0775), 0);
	assert_string_equal(defaults(), "nsclone.conf=main 1.conf!its directory is writable by group or others 2.conf=y");
	assert_int_equal(chmod(ETC_D, 0755), 0);
	assert_int_equal(chmod("/usr/lib/nsclone", 0775), 0);
	assert_string_equal(defaults(), "nsclone.conf=main 1.conf=x 2.conf!its directory lies below a directory that "
					"others than root can write to");
	assert_int_equal(chmod("/usr/lib/nsclone", 0755), 0);
	assert_int_equal(chmod(ETC, 0775), 0);
	assert_string_equal(defaults(), "nsclone.conf!its directory is writable by group or others 1.conf!its directory "
					"lies below a directory that others than root can write to 2.conf=y");
	assert_int_equal(chmod(ETC, 01777), 0); /* will do above, not for the file itself */
	assert_string_equal(defaults(), "nsclone.conf!its directory is writable by group or others 1.conf=x 2.conf=y");
	assert_int_equal(chmod(ETC, 0755), 0);
}

static void refuses_what_is_too_large(void **state)
{
	int fd;

	(void)state;
	put(ETC_D "/1.conf", "");
	fd = open(ETC_D "/1.conf", O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 4 * 1024 * 1024 + 1), 0);
	close(fd);
	assert_string_equal(defaults(), "1.conf!is larger than 4 MiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(sorts_together_and_hides, setup, teardown),
		cmocka_unit_test_setup_teardown(passes_over_other_names, setup, teardown),
		cmocka_unit_test_setup_teardown(believes_root_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(believes_regular_files_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(believes_directories_of_root_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(looks_where_links_lead, setup, teardown),
		cmocka_unit_test_setup_teardown(a_named_directory_must_be_there, setup, teardown),
		cmocka_unit_test_setup_teardown(replaces_namesakes, setup, teardown),
		cmocka_unit_test_setup_teardown(lists_all_of_a_large_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(judges_each_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_what_is_too_large, setup, teardown),
	};

	if (geteuid() != 0) {
		puts("SKIP test_files: needs root");
		return 0;
	}
	return cmocka_run_group_tests(tests, group_setup, NULL);
}
