// SPDX-License-Identifier: BSD-3-Clause
/* Mounts by descriptor, each in a mount namespace that dies with the test. */
#include "tests/unit/test_core.h"

#include <linux/mount.h>

#include "lib/core/kernel.h"

static char *mountinfo(void)
{
	static char text[1 << 20];
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t r;

	CHECK(fd >= 0);
	while ((r = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)r;
	text[n] = '\0';
	close(fd);
	return text;
}

/* The line of mountinfo that has this mount point, without what follows; "" for none. The last counts: it is on top. */
static const char *line_of(const char *point)
{
	static char line[1024];
	char *text = mountinfo(), *next;

	line[0] = '\0';
	for (; *text != '\0'; text = next) {
		char where[512] = "";

		next = strchr(text, '\n') + 1;
		next[-1] = '\0';
		if (sscanf(text, "%*d %*d %*s %*s %511s", where) == 1 && strcmp(where, point) == 0)
			snprintf(line, sizeof(line), "%s", text);
	}
	return line;
}

static int dir(int base, const char *name)
{
	int fd;

	CHECK(mkdirat(base, name, 0755) == 0);
	fd = openat(base, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

static int tmpfs(uint64_t attributes)
{
	struct nsclone_mount_option options[] = {{"size", "1m"}, {"mode", "0750"}};
	int fd = nsclone_mount_new("tmpfs", options, 2, attributes, NULL);

	CHECK(fd >= 0);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	return fd;
}

static void makes(void)
{
	int base = scratch(), target = dir(base, "target"), mount = tmpfs(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	struct stat st;

	CHECK(strcmp(line_of("/mnt/target"), "") == 0);
	CHECK(nsclone_mount_attach(mount, target) == 0);
	CHECK(strstr(line_of("/mnt/target"), "nosuid,nodev"));
	CHECK(!strstr(line_of("/mnt/target"), "noexec"));
	CHECK(strstr(line_of("/mnt/target"), "size=1024k"));
	CHECK(stat("/mnt/target", &st) == 0 && (st.st_mode & 07777) == 0750);
	CHECK(nsclone_mount_is_root(mount) == 1);
	CHECK(nsclone_mount_is_root(target) == 0);
	/* One right over it goes first. */
	CHECK(nsclone_mount_attach(tmpfs(MOUNT_ATTR_RDONLY), mount) == 0);
	CHECK(strstr(line_of("/mnt/target"), " ro,"));
	CHECK(nsclone_mount_detach(mount) == 0);
	CHECK(strstr(line_of("/mnt/target"), "nosuid,nodev"));
	CHECK(nsclone_mount_attach(tmpfs(0), dir(mount, "below")) == 0);
	CHECK(nsclone_mount_detach(mount) == 0);
	CHECK(strcmp(line_of("/mnt/target"), "") == 0);
	CHECK(nsclone_mount_detach(target) == -EINVAL);
}

/* What is never attached is gone with its descriptor. */
static void unattached_goes(void)
{
	int base = scratch(), mount = tmpfs(0), file;
	struct stat before, after;

	(void)base;
	CHECK(fstat(mount, &before) == 0);
	file = openat(mount, "f", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	CHECK(file >= 0);
	close(mount);
	CHECK(fstat(file, &after) == 0 && after.st_dev == before.st_dev);
	CHECK(!strstr(mountinfo(), "size=1024k"));
}

static void says_why(void)
{
	static const struct {
		const char *fstype;
		struct nsclone_mount_option option;
		uint64_t attributes;
		int code;
		const char *call, *object, *reason;
	} wrong[] = {
		{"tmpfs", {"size", "bogus"}, 0, -EINVAL, "fsconfig", "size=bogus", "tmpfs: Bad value for 'size'"},
		{"tmpfs", {"colour", "red"}, 0, -EINVAL, "fsconfig", "colour=red", "tmpfs: Unknown parameter 'colour'"},
		{"tmpfs", {"colour", NULL}, 0, -EINVAL, "fsconfig", "colour", "tmpfs: Unknown parameter 'colour'"},
		{"bogusfs", {"size", "1m"}, 0, -ENODEV, "fsopen", "bogusfs", "this kernel has no such file system"},
		{"tmpfs", {"size", "1m"}, 0x80000000, -EINVAL, "fsmount", "tmpfs", ""},
		{"tmpfs", {"size", "1m"}, UINT64_C(1) << 32, -EINVAL, "fsmount", "tmpfs", ""},
	};
	unsigned int fds;

	close(scratch());
	fds = count_fds();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct nsclone_error error = {.reason = "untouched"};
		int r = nsclone_mount_new(wrong[i].fstype, &wrong[i].option, 1, wrong[i].attributes, &error);

		if (r != wrong[i].code || strcmp(error.reason, wrong[i].reason) != 0)
			fprintf(stderr, "%s %s: %d %s %s: %s\n", wrong[i].fstype, wrong[i].option.key, r, error.call,
				error.object, error.reason);
		CHECK(r == wrong[i].code);
		CHECK(strcmp(error.call, wrong[i].call) == 0);
		CHECK(strcmp(error.object, wrong[i].object) == 0);
		CHECK(strcmp(error.reason, wrong[i].reason) == 0);
		CHECK(nsclone_mount_new(wrong[i].fstype, &wrong[i].option, 1, wrong[i].attributes, NULL) == r);
	}
	CHECK(count_fds() == fds);
}


static void copies(void)
{
	int base = scratch(), source = dir(base, "source"), one = dir(base, "one"), all = dir(base, "all"), inner, copy;

	CHECK(nsclone_mount_attach(tmpfs(0), source) == 0);
	close(source);
	source = openat(base, "source", O_PATH | O_DIRECTORY | O_CLOEXEC);
	inner = dir(source, "inner");
	CHECK(nsclone_mount_attach(tmpfs(MOUNT_ATTR_NOEXEC), inner) == 0);

	copy = nsclone_mount_copy(base, "source", false);
	CHECK(copy >= 0 && (fcntl(copy, F_GETFD) & FD_CLOEXEC));
	CHECK(nsclone_mount_attach(copy, one) == 0);
	CHECK(same_file(copy, source));
	CHECK(strcmp(line_of("/mnt/one/inner"), "") == 0);

	copy = nsclone_mount_copy(source, "", true);
	CHECK(copy >= 0 && nsclone_mount_attach(copy, all) == 0);
	CHECK(strstr(line_of("/mnt/all/inner"), "noexec"));
}

/* A link in the last place is not followed: somebody else may have put it there. */
static void copies_no_link(void)
{
	int base = scratch(), copy;
	struct stat st;

	CHECK(symlinkat("/usr", base, "link") == 0);
	copy = nsclone_mount_copy(base, "link", false);
	CHECK(copy >= 0 && fstat(copy, &st) == 0 && S_ISLNK(st.st_mode));
	CHECK(nsclone_mount_copy(base, "nothing", false) == -ENOENT);
	CHECK(nsclone_mount_copy(9999, "", false) == -EBADF);
}

static void sets_attributes(void)
{
	int base = scratch(), target = dir(base, "target"), mount = tmpfs(MOUNT_ATTR_NOEXEC), inner;

	CHECK(nsclone_mount_attach(mount, target) == 0);
	inner = dir(mount, "inner");
	CHECK(nsclone_mount_attach(tmpfs(0), inner) == 0);
	CHECK(nsclone_mount_attributes(mount, false, MOUNT_ATTR_RDONLY, 0) == 0);
	CHECK(strstr(line_of("/mnt/target"), " ro,noexec"));
	CHECK(strstr(line_of("/mnt/target/inner"), " rw,relatime -"));
	CHECK(nsclone_mount_attributes(mount, true, MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC) == 0);
	CHECK(strstr(line_of("/mnt/target"), " rw,nosuid,relatime"));
	CHECK(strstr(line_of("/mnt/target/inner"), " rw,nosuid"));
	CHECK(nsclone_mount_attributes(target, false, MOUNT_ATTR_NOSUID, 0) == -EINVAL); /* not the root of a mount */
}

/* Everything is shared to begin with, as systemd has it; nothing is afterwards, however deep. */
static void makes_slave(void)
{
	int base = scratch(), target = dir(base, "target");
	int shared = 1 << 20;

	CHECK(nsclone_mount_attach(tmpfs(0), target) == 0);
	CHECK(syscall(SYS_mount, NULL, "/mnt", NULL, shared | MS_REC, NULL) == 0);
	CHECK(nsclone_ns_open_self(CLONE_NEWNS) >= 0); /* kept, or they would be slaves of nobody */
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(strstr(line_of("/mnt/target"), "shared:"));
	CHECK(nsclone_mount_all_slave() == 0);
	CHECK(!strstr(mountinfo(), "shared:"));
	CHECK(strstr(line_of("/mnt/target"), "master:"));
}

static void pivots(void)
{
	int base = scratch(), old_root = open("/", O_PATH | O_CLOEXEC), r;
	struct stat st;

	CHECK(mkdirat(base, "usr", 0755) == 0 && mkdirat(base, "only-here", 0755) == 0);
	CHECK(fchdir(base) == 0);
	r = nsclone_pivot_root(".", ".");
	CHECK(r == 0);
	CHECK(sys_umount_cwd() == 0);
	CHECK(chdir("/") == 0);
	CHECK(stat("/only-here", &st) == 0 && stat("/etc", &st) < 0);
	CHECK(fstatat(old_root, "etc", &st, 0) == 0);
}

static void pivots_with_place(void)
{
	int base = scratch();
	struct stat st;

	CHECK(mkdirat(base, "old", 0755) == 0);
	CHECK(fchdir(base) == 0);
	CHECK(nsclone_pivot_root(".", "nothing") == -ENOENT);
	CHECK(nsclone_pivot_root("old", "old") == -EINVAL); /* not a mount */
	CHECK(nsclone_pivot_root(".", "old") == 0);
	CHECK(stat("/old/etc", &st) == 0);
}

static void keeps_errno(void)
{
	struct nsclone_mount_option option = {"size", "bogus"};

	close(scratch());
	errno = 4711;
	CHECK(nsclone_mount_new("tmpfs", &option, 1, 0, NULL) == -EINVAL);
	CHECK(nsclone_mount_attach(9999, 9999) == -EBADF);
	CHECK(nsclone_mount_detach(9999) < 0);
	CHECK(nsclone_mount_is_root(9999) == -EBADF);
	CHECK(nsclone_mount_attributes(9999, false, MOUNT_ATTR_NOSUID, 0) == -EBADF);
	CHECK(errno == 4711);
}

IN_CHILD(makes)
IN_CHILD(unattached_goes)
IN_CHILD(says_why)
IN_CHILD(copies)
IN_CHILD(copies_no_link)
IN_CHILD(sets_attributes)
IN_CHILD(makes_slave)
IN_CHILD(pivots)
IN_CHILD(pivots_with_place)
IN_CHILD(keeps_errno)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_makes),	       cmocka_unit_test(test_unattached_goes),
		cmocka_unit_test(test_says_why),       cmocka_unit_test(test_copies),
		cmocka_unit_test(test_copies_no_link), cmocka_unit_test(test_sets_attributes),
		cmocka_unit_test(test_makes_slave),    cmocka_unit_test(test_pivots),
		cmocka_unit_test(test_pivots_with_place), cmocka_unit_test(test_keeps_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
