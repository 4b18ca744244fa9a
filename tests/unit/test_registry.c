/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records that change hands (registry_adopt), that are cleaned by name, and directories that are removed by age. Each case
 * runs in a child with mounts of its own. Needs root, and a machine whose /run and /var/lib are nobody's: tests/world.sh.
 */
#include "tests/unit/test_scratch.h"

#include <sys/file.h>
#include <time.h>
#include "lib/core/sys.h"
#include "lib/session/litter.h"
#include "lib/session/facts.h"
#include "lib/session/registry.h"
#include "lib/session/session.h"

enum { ANOTHER = 20002 };

#define ROOT "/srv/aged"
#define USER ROOT "/20001"

static char path[256], name[64];

static void arrange(void)
{
	char origin[9];

	leave_host(CLONE_NEWNS);
	scratch_at("/run", "mode=755");
	scratch_at("/srv", "mode=755");
	facts_origin(origin);
	snprintf(name, sizeof(name), "%d-%s-0123456789abcdef", UID, origin);
	snprintf(path, sizeof(path), USER "/" RECORD_SESSION "%s-0123456789abcdef", origin);
	CHECK(mkdir(ROOT, 0700) == 0 && mkdir(USER, 0700) == 0 && chown(USER, UID, UID) == 0);
}

static void record(void)
{
	const struct session_traces traces = {.record = name, .path = path, .uid = UID, .gid = UID};
	struct err err = {0};

	CHECK(registry_add(&traces, &err) == 0);
	CHECK(mkdir(path, 0700) == 0);
}

static void collect(void)
{
	struct err err = {0};

	CHECK(registry_clean(NULL, 0, false, NULL, NULL, &err) == 0);
}

static int n_records(void)
{
	DIR *dir = opendir("/run/nsclone/sessions");
	int n = -2;

	CHECK(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* ---- adopt ---- */

static void adopted_lives(void)
{
	struct record read_back;
	int dirfd;

	arrange();
	CHECK(child_status(record) == 0); /* a login that has ended */
	CHECK(registry_adopt(name) == 0);
	CHECK(n_records() == 1);
	dirfd = record_directory(false);
	CHECK(record_read(dirfd, name, &read_back) == 0);
	CHECK(read_back.pid == getpid() && record_is_alive(&read_back));
	CHECK(strcmp(read_back.traces.path, path) == 0 && read_back.traces.uid == UID && read_back.traces.gid == UID);
	collect();
	CHECK(access(path, F_OK) == 0);
}

static void adopt(void)
{
	CHECK(registry_adopt(name) == 0);
}

static void adopted_by_the_dead(void)
{
	arrange();
	CHECK(child_status(record) == 0);
	CHECK(child_status(adopt) == 0);
	collect();
	CHECK(access(path, F_OK) < 0);
}

static void adopted_after_a_kill(void)
{
	char temporary[300];

	arrange();
	CHECK(child_status(record) == 0);
	snprintf(temporary, sizeof(temporary), "/run/nsclone/sessions/" RECORD_NEW "%s", name);
	CHECK(symlink("half", temporary) == 0);
	CHECK(registry_adopt(name) == 0);
	CHECK(n_records() == 1);
}

static void adopted_without_record(void)
{
	arrange();
	CHECK(child_status(record) == 0);
	CHECK(registry_adopt("20001-00000000-0000000000000000") == -ENOENT);
	CHECK(registry_adopt("../../../etc/passwd") == -EINVAL);
	CHECK(registry_adopt("20001-a/../b") == -EINVAL);
	CHECK(registry_adopt("") == -EINVAL && registry_adopt(".") == -EINVAL && registry_adopt("-1") == -EINVAL);
	CHECK(n_records() == 1);
}

/* ---- one record ---- */

static void cleaned_by_name(void)
{
	struct err err = {0};

	arrange();
	record(); /* by this process, which lives */
	CHECK(registry_clean_record(name, true, NULL, NULL, &err) == 0);
	CHECK(access(path, F_OK) == 0);
	CHECK(registry_clean_record(name, false, NULL, NULL, &err) == 0);
	CHECK(access(path, F_OK) < 0 && access(USER, F_OK) < 0 && n_records() == 0);
	CHECK(registry_clean_record(name, false, NULL, NULL, &err) == 0); /* it is gone, and may be */
	CHECK(registry_clean_record("../x", false, NULL, NULL, &err) == -EINVAL);
}

static void not_while_mounted(void)
{
	struct err err = {0};
	char inner[300];

	arrange();
	record();
	snprintf(inner, sizeof(inner), "%s/tmp", path);
	CHECK(mkdir(inner, 01777) == 0);
	CHECK(mount(inner, "/mnt", NULL, MS_BIND, NULL) == 0);
	CHECK(registry_clean_record(name, false, NULL, NULL, &err) == 1);
	CHECK(access(inner, F_OK) == 0 && n_records() == 1);
	CHECK(umount("/mnt") == 0);
	CHECK(registry_clean_record(name, false, NULL, NULL, &err) == 0);
	CHECK(access(path, F_OK) < 0);
}

static void cannot_clean(void)
{
	struct err err = {0};

	CHECK(registry_clean_record(name, false, NULL, NULL, &err) < 0);
}

static void later_when_it_fails(void)
{
	char inner[300];

	arrange();
	record();
	snprintf(inner, sizeof(inner), "%s/tmp", path);
	CHECK(mkdir(inner, 01777) == 0 && mount("none", inner, "tmpfs", 0, NULL) == 0);
	CHECK(child_status(cannot_clean) == 0);
	CHECK(umount(inner) == 0 && access(inner, F_OK) == 0);
	collect(); /* though whoever recorded it is alive */
	CHECK(access(path, F_OK) < 0 && n_records() == 0);
}

/* ---- by age ---- */

enum { DAYS = 86400 };

static int n_reported;

static void report(void *arg, const char *what, uid_t uid, int result, const char *why)
{
	(void)arg;
	(void)why;
	CHECK(uid == UID && result == 0 && strncmp(what, USER "/", strlen(USER "/")) == 0);
	n_reported++;
}

/* Its ctime is now, whatever the others are: old is judged from the future. */
static void instance(const char *which)
{
	CHECK(mkdir(which, 0700) == 0);
}

static void clean_aged(int64_t before, uid_t holder, bool dry_run, int n)
{
	static const char *const roots[] = {"/nowhere", ROOT};
	const struct registry_age age = {
		.instance_roots = roots, .n_roots = 2, .holders = &holder, .n_holders = 1, .before = before, .dry_run = dry_run,
	};
	struct err err = {0};

	n_reported = 0;
	CHECK(registry_clean_aged(&age, report, NULL, &err) == 0);
	CHECK(n_reported == n);
}

static void removed_by_age(void)
{
	int64_t now = time(NULL);

	arrange();
	instance(USER "/tmp");
	instance(USER "/tmp/file");
	instance(USER "/" RECORD_SESSION "x");
	CHECK(symlink("/etc", USER "/link") == 0);
	clean_aged(now - DAYS, ANOTHER, false, 0); /* it is younger */
	clean_aged(now + DAYS, ANOTHER, true, 1);
	CHECK(access(USER "/tmp/file", F_OK) == 0);
	clean_aged(now + DAYS, UID, false, 0); /* a world of his is held */
	clean_aged(now + DAYS, ANOTHER, false, 1);
	CHECK(access(USER "/tmp", F_OK) < 0);
	CHECK(access(USER "/" RECORD_SESSION "x", F_OK) == 0); /* for others to judge */
	CHECK(rmdir(USER "/" RECORD_SESSION "x") == 0 && unlink(USER "/link") == 0);
	instance(USER "/var-tmp");
	clean_aged(now + DAYS, ANOTHER, false, 1);
	CHECK(access(USER, F_OK) < 0);
}

static void not_of_one_who_runs(void)
{
	int64_t now = time(NULL);
	pid_t pid;

	arrange();
	instance(USER "/tmp");
	pid = fork();
	if (pid == 0) {
		CHECK(setuid(UID) == 0);
		pause();
	}
	while (1) { /* until it is him */
		struct stat st;
		char proc[64];

		snprintf(proc, sizeof(proc), "/proc/%d", pid);
		if (stat(proc, &st) == 0 && st.st_uid == UID)
			break;
		usleep(1000);
	}
	clean_aged(now + DAYS, ANOTHER, false, 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	clean_aged(now + DAYS, ANOTHER, false, 1);
}

static void report_mounted(void *arg, const char *what, uid_t uid, int result, const char *why)
{
	(void)arg;
	(void)what;
	(void)uid;
	(void)why;
	n_reported = result;
}

static void clean_mounted(int64_t before)
{
	static const char *const roots[] = {ROOT};
	const struct registry_age age = {.instance_roots = roots, .n_roots = 1, .before = before};
	struct err err = {0};

	CHECK(registry_clean_aged(&age, report_mounted, NULL, &err) == -EXDEV);
	CHECK(n_reported == -EXDEV);
}

static void not_while_in_use(void)
{
	int64_t now = time(NULL);
	int fd;

	arrange();
	instance(USER "/tmp");
	CHECK(mount(USER "/tmp", "/mnt", NULL, MS_BIND, NULL) == 0);
	clean_aged(now + DAYS, ANOTHER, false, 0);
	CHECK(umount("/mnt") == 0);
	fd = open(USER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(fd >= 0 && flock(fd, LOCK_EX) == 0); /* a login that is being opened */
	clean_aged(now + DAYS, ANOTHER, false, 0);
	close(fd);
	CHECK(chown(USER, ANOTHER, ANOTHER) == 0); /* whose is it? */
	clean_aged(now + DAYS, ANOTHER, false, 0);
	CHECK(chown(USER, UID, UID) == 0);
	CHECK(mount("other", USER "/tmp", "tmpfs", 0, NULL) == 0); /* another file system is not ours to empty */
	CHECK(mkdir(USER "/tmp/precious", 0700) == 0);
	clean_mounted(now + DAYS);
	CHECK(access(USER "/tmp/precious", F_OK) == 0);
}

IN_CHILD(adopted_lives)
IN_CHILD(adopted_by_the_dead)
IN_CHILD(adopted_after_a_kill)
IN_CHILD(adopted_without_record)
IN_CHILD(cleaned_by_name)
IN_CHILD(not_while_mounted)
IN_CHILD(later_when_it_fails)
IN_CHILD(removed_by_age)
IN_CHILD(not_of_one_who_runs)
IN_CHILD(not_while_in_use)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_adopted_lives),	      cmocka_unit_test(test_adopted_by_the_dead),
		cmocka_unit_test(test_adopted_after_a_kill),  cmocka_unit_test(test_adopted_without_record),
		cmocka_unit_test(test_cleaned_by_name),	      cmocka_unit_test(test_not_while_mounted),
		cmocka_unit_test(test_removed_by_age),	      cmocka_unit_test(test_not_of_one_who_runs),
		cmocka_unit_test(test_not_while_in_use),      cmocka_unit_test(test_later_when_it_fails),
	};

	if (geteuid() != 0) {
		puts("SKIP test_registry: needs root");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
