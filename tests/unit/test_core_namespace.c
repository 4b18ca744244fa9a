// SPDX-License-Identifier: BSD-3-Clause
/* Leaving and joining namespaces, asking about them, the network interface in a fresh one, and kcmp. */
#include "tests/unit/test_core.h"

#include <net/if.h>
#include <sys/epoll.h>

static ino_t inode(int fd)
{
	struct stat st;

	CHECK(fd >= 0 && fstat(fd, &st) == 0);
	return st.st_ino;
}

static ino_t own(uint64_t type)
{
	int fd = nsclone_ns_open_self((int)type);
	ino_t r = inode(fd);

	close(fd);
	return r;
}

static const struct {
	uint64_t type;
	const char *name;
} types[] = {
	{NSCLONE_NEWCGROUP, "cgroup"}, {NSCLONE_NEWIPC, "ipc"},	  {NSCLONE_NEWNS, "mnt"},     {NSCLONE_NEWNET, "net"},
	{NSCLONE_NEWPID, "pid"},       {NSCLONE_NEWTIME, "time"}, {NSCLONE_NEWUSER, "user"}, {NSCLONE_NEWUTS, "uts"},
};

#define TYPES (sizeof(types) / sizeof(types[0]))

static void names(void **state)
{
	(void)state;
	for (size_t i = 0; i < TYPES; i++) {
		char path[64];
		struct stat st;
		int fd = nsclone_ns_open_self((int)types[i].type);

		assert_string_equal(nsclone_ns_name((int)types[i].type), types[i].name);
		assert_int_equal(nsclone_ns_parse(types[i].name), types[i].type);
		snprintf(path, sizeof(path), "/proc/self/ns/%s", types[i].name);
		if (stat(path, &st) < 0)
			continue;
		assert_true(fd >= 0 && fcntl(fd, F_GETFD) & FD_CLOEXEC);
		assert_int_equal(inode(fd), st.st_ino);
		assert_int_equal(nsclone_ns_get_nstype(fd), types[i].type);
		close(fd);
	}
	assert_null(nsclone_ns_name(0));
	assert_null(nsclone_ns_name((int)(NSCLONE_NEWNS | NSCLONE_NEWUTS)));
	assert_int_equal(nsclone_ns_parse("mount"), -EINVAL);
	assert_int_equal(nsclone_ns_open_self(0), -EINVAL);
	assert_int_equal(nsclone_ns_open_self((int)NSCLONE_FS), -EINVAL);
	assert_int_equal(nsclone_ns_open(-1, CLONE_NEWNS), -EINVAL);
	assert_int_equal(nsclone_ns_open(INT32_MAX, CLONE_NEWNS), -ENOENT);
}

static void unshares_and_comes_back(void)
{
	ino_t uts, net;
	int before;

	leave(CLONE_NEWUTS);
	before = nsclone_ns_open(getpid(), CLONE_NEWUTS);
	uts = own(NSCLONE_NEWUTS);
	net = own(NSCLONE_NEWNET);
	CHECK(inode(before) == uts);
	CHECK(nsclone_unshare(NSCLONE_NEWUTS | NSCLONE_NEWNET) == 0);
	CHECK(own(NSCLONE_NEWUTS) != uts && own(NSCLONE_NEWNET) != net);
	CHECK(nsclone_setns(before, CLONE_NEWNET) == -EINVAL);
	CHECK(nsclone_setns(before, CLONE_NEWUTS) == 0);
	CHECK(own(NSCLONE_NEWUTS) == uts);
	CHECK(nsclone_setns(before, 0) == 0);
	CHECK(nsclone_setns(9999, 0) == -EBADF);
	CHECK(nsclone_setns(open("/", O_RDONLY | O_CLOEXEC), 0) == -EINVAL);
	CHECK(nsclone_unshare(NSCLONE_NEWUTS | UINT64_C(1) << 32) == -EINVAL);
	CHECK(nsclone_unshare(NSCLONE_PTRACE) == -EINVAL);
	CHECK(own(NSCLONE_NEWUTS) == uts);
}

/* A child that stays until it is told to go. */
static int go[2];

static int stay(void *argument)
{
	char byte;

	(void)argument;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return read(go[0], &byte, 1) == 1 ? 0 : 1;
}

static struct nsclone_child child;

static void start(uint64_t flags)
{
	struct nsclone_clone_args args = {.flags = flags | SIGCHLD};

	CHECK(pipe(go) == 0);
	CHECK(nsclone_clone(stay, NULL, &args, &child, NULL) > 0);
}

static void stop(void)
{
	int status;

	CHECK(write(go[1], "", 1) == 1);
	CHECK(nsclone_wait(&child, 0, &status) == 0 && status == 0);
}

/* Several at once by a pidfd, all or none. */
static void joins_by_pidfd(void)
{
	uint64_t types_of_child = NSCLONE_NEWUTS | NSCLONE_NEWNET | NSCLONE_NEWIPC;
	ino_t uts, net, ipc, host_ipc;
	int pidfd, fd;

	if (on_valgrind()) /* it has no pidfd_open */
		SKIP_CHILD();
	leave(CLONE_NEWIPC);
	host_ipc = own(NSCLONE_NEWIPC);
	start(types_of_child);
	fd = nsclone_ns_open(child.pid, CLONE_NEWUTS);
	uts = inode(fd);
	net = inode(nsclone_ns_open(child.pid, CLONE_NEWNET));
	ipc = inode(nsclone_ns_open(child.pid, CLONE_NEWIPC));
	CHECK(uts != own(NSCLONE_NEWUTS) && net != own(NSCLONE_NEWNET) && ipc != host_ipc);
	pidfd = sys_pidfd_open(child.pid);
	CHECK(pidfd >= 0 && fcntl(pidfd, F_GETFD) & FD_CLOEXEC);
	CHECK(nsclone_setns(pidfd, (int)(NSCLONE_NEWUTS | NSCLONE_NEWNET)) == 0);
	CHECK(own(NSCLONE_NEWUTS) == uts && own(NSCLONE_NEWNET) == net && own(NSCLONE_NEWIPC) == host_ipc);
	CHECK(nsclone_setns(pidfd, (int)(NSCLONE_NEWIPC | NSCLONE_FS)) == -EINVAL);
	CHECK(own(NSCLONE_NEWIPC) == host_ipc);
	stop();
	CHECK(nsclone_setns(pidfd, (int)NSCLONE_NEWIPC) == -ESRCH);
	CHECK(own(NSCLONE_NEWIPC) == host_ipc);
}

/* ---- ioctl_ns(2) ---------------------------------------------------------------------------------------------- */

static void tells_owner_and_parent(void)
{
	int net, user, parent, pid;
	uid_t uid = 4711;

	leave(CLONE_NEWUTS);
	start(NSCLONE_NEWUSER | NSCLONE_NEWNET | NSCLONE_NEWPID);
	net = nsclone_ns_open(child.pid, CLONE_NEWNET);
	user = nsclone_ns_get_userns(net);
	CHECK(user >= 0 && fcntl(user, F_GETFD) & FD_CLOEXEC);
	CHECK(inode(user) == inode(nsclone_ns_open(child.pid, CLONE_NEWUSER)));
	CHECK(nsclone_ns_get_nstype(user) == CLONE_NEWUSER);
	CHECK(nsclone_ns_get_owner_uid(user, &uid) == 0 && uid == geteuid());
	parent = nsclone_ns_get_parent(user);
	CHECK(inode(parent) == own(NSCLONE_NEWUSER));
	pid = nsclone_ns_open(child.pid, CLONE_NEWPID);
	CHECK(inode(nsclone_ns_get_parent(pid)) == own(NSCLONE_NEWPID));
	CHECK(nsclone_ns_get_parent(net) == -EINVAL);
	uid = 4711;
	CHECK(nsclone_ns_get_owner_uid(net, &uid) == -EINVAL && uid == 4711);
	CHECK(nsclone_ns_get_parent(nsclone_ns_open_self(CLONE_NEWUSER)) == -EPERM ||
	      own(NSCLONE_NEWUSER) != 0xEFFFFFFD); /* above the first there is none */
	CHECK(nsclone_ns_get_userns(go[0]) == -ENOTTY && nsclone_ns_get_nstype(go[0]) == -ENOTTY);
	CHECK(nsclone_ns_get_userns(9999) == -EBADF);
	stop();
}

/* ---- Interfaces ----------------------------------------------------------------------------------------------- */

static void loopback_goes_up(void)
{
	short flags = 0;

	leave(CLONE_NEWNET);
	CHECK(nsclone_interface_get_flags("lo", &flags) == 0);
	CHECK(flags & IFF_LOOPBACK && !(flags & IFF_UP));
	CHECK(nsclone_loopback_up() == 0);
	CHECK(nsclone_interface_get_flags("lo", &flags) == 0);
	CHECK(flags & IFF_LOOPBACK && flags & IFF_UP && flags & IFF_RUNNING);
	CHECK(nsclone_loopback_up() == 0);
	CHECK(nsclone_interface_set_flags("lo", (short)(flags & ~IFF_UP)) == 0);
	CHECK(nsclone_interface_get_flags("lo", &flags) == 0 && !(flags & IFF_UP));
}

static void interface_errors(void)
{
	short flags = 4711;

	leave(CLONE_NEWNET);
	CHECK(nsclone_interface_get_flags("nosuch", &flags) == -ENODEV);
	CHECK(nsclone_interface_set_flags("nosuch", IFF_UP) == -ENODEV);
	CHECK(nsclone_interface_get_flags("fifteen-letters", &flags) == -ENODEV);
	CHECK(nsclone_interface_get_flags("sixteen--letters", &flags) == -EINVAL);
	CHECK(nsclone_interface_set_flags("sixteen--letters", 0) == -EINVAL);
	CHECK(nsclone_interface_get_flags("", &flags) == -EINVAL);
	CHECK(flags == 4711);
}

/* Nobody but the owner of the network namespace may. */
static void interface_refused(void)
{
	leave(CLONE_NEWNET);
	if (geteuid() != 0 || setresuid(20001, 20001, 20001) < 0)
		SKIP_CHILD();
	CHECK(nsclone_loopback_up() == -EPERM);
}

/* ---- kcmp ------------------------------------------------------------------------------------------------------ */

static void needs_kcmp(void)
{
	if (nsclone_kcmp(getpid(), getpid(), NSCLONE_KCMP_VM, 0, 0) == -ENOSYS)
		SKIP_CHILD();
}

static void kcmp_files(void)
{
	int null, other, copy, forward, backward;

	needs_kcmp();
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	other = open("/dev/null", O_RDONLY | O_CLOEXEC);
	copy = dup(null);
	start(0);
	forward = nsclone_kcmp(getpid(), child.pid, NSCLONE_KCMP_FILE, (unsigned long)null, (unsigned long)other);
	backward = nsclone_kcmp(child.pid, getpid(), NSCLONE_KCMP_FILE, (unsigned long)other, (unsigned long)null);
	CHECK(nsclone_kcmp(getpid(), child.pid, NSCLONE_KCMP_FILE, (unsigned long)null, (unsigned long)copy) ==
	      NSCLONE_KCMP_EQUAL);
	CHECK(forward == NSCLONE_KCMP_LESS || forward == NSCLONE_KCMP_GREATER);
	CHECK(backward == (forward == NSCLONE_KCMP_LESS ? NSCLONE_KCMP_GREATER : NSCLONE_KCMP_LESS));
	CHECK(nsclone_kcmp(getpid(), child.pid, NSCLONE_KCMP_FILE, 9999, 0) == -EBADF);
	CHECK(nsclone_kcmp(getpid(), child.pid, NSCLONE_KCMP_FILES, 0, 0) > 0);
	CHECK(nsclone_kcmp(getpid(), getpid(), NSCLONE_KCMP_FILES, 0, 0) == NSCLONE_KCMP_EQUAL);
	CHECK(nsclone_kcmp(getpid(), child.pid, (enum nsclone_kcmp_type)99, 0, 0) == -EINVAL);
	CHECK(nsclone_kcmp(getpid(), INT32_MAX, NSCLONE_KCMP_VM, 0, 0) == -ESRCH);
	stop();
}

static void kcmp_epoll(void)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), fd, other;
	struct epoll_event event = {.events = EPOLLIN};
	struct nsclone_kcmp_slot slot = {0};
	unsigned long address = (unsigned long)&slot;
	int r;

	needs_kcmp();
	CHECK(pipe((int[2]){0}) == 0);
	start(0);
	fd = go[0];
	other = go[1];
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
	slot = (struct nsclone_kcmp_slot){.epoll = (uint32_t)epoll, .target = (uint32_t)fd};
	r = nsclone_kcmp_epoll(getpid(), getpid(), fd, &slot);
	if (r == -EOPNOTSUPP) {
		stop();
		SKIP_CHILD();
	}
	CHECK(r == NSCLONE_KCMP_EQUAL);
	CHECK(nsclone_kcmp(getpid(), getpid(), NSCLONE_KCMP_EPOLL_TFD, (unsigned long)fd, address) == NSCLONE_KCMP_EQUAL);
	CHECK(nsclone_kcmp_epoll(child.pid, getpid(), fd, &slot) == NSCLONE_KCMP_EQUAL);
	CHECK(nsclone_kcmp_epoll(getpid(), getpid(), other, &slot) > 0);
	slot.offset = 1;
	CHECK(nsclone_kcmp_epoll(getpid(), getpid(), fd, &slot) == -ENOENT);
	slot.offset = 0;
	slot.target = (uint32_t)other;
	CHECK(nsclone_kcmp_epoll(getpid(), getpid(), fd, &slot) == -ENOENT);
	slot.epoll = 9999;
	CHECK(nsclone_kcmp_epoll(getpid(), getpid(), fd, &slot) == -EBADF);
	stop();
}

static void kcmp_refused(void)
{
	needs_kcmp();
	start(0);
	if (geteuid() != 0 || setresuid(20001, 20001, 20001) < 0) {
		stop();
		SKIP_CHILD();
	}
	CHECK(nsclone_kcmp(getpid(), child.pid, NSCLONE_KCMP_VM, 0, 0) == -EPERM);
	stop();
}

static void kcmp_names(void **state)
{
	static const char *const known[] = {"FILE", "VM", "FILES", "FS", "SIGHAND", "IO", "SYSVSEM", "EPOLL_TFD"};

	(void)state;
	for (int i = 0; i < 8; i++) {
		assert_string_equal(nsclone_kcmp_type_name((enum nsclone_kcmp_type)i), known[i]);
		assert_int_equal(nsclone_kcmp_type_parse(known[i]), i);
	}
	assert_int_equal(nsclone_kcmp_type_parse("vm"), NSCLONE_KCMP_VM);
	assert_int_equal(nsclone_kcmp_type_parse("KCMP_VM"), -EINVAL);
	assert_int_equal(nsclone_kcmp_type_parse(""), -EINVAL);
	assert_null(nsclone_kcmp_type_name((enum nsclone_kcmp_type)8));
	assert_null(nsclone_kcmp_type_name((enum nsclone_kcmp_type)-1));
	assert_string_equal(nsclone_kcmp_order_name(NSCLONE_KCMP_EQUAL), "equal");
	assert_string_equal(nsclone_kcmp_order_name(NSCLONE_KCMP_LESS), "less");
	assert_string_equal(nsclone_kcmp_order_name(NSCLONE_KCMP_GREATER), "greater");
	assert_string_equal(nsclone_kcmp_order_name(NSCLONE_KCMP_UNORDERED), "unordered");
	assert_null(nsclone_kcmp_order_name(4));
	assert_null(nsclone_kcmp_order_name(-ESRCH));
}

static void keeps_errno(void)
{
	short flags;

	errno = 4711;
	CHECK(nsclone_unshare(NSCLONE_PTRACE) == -EINVAL);
	CHECK(nsclone_setns(9999, 0) == -EBADF);
	CHECK(nsclone_ns_get_parent(9999) == -EBADF);
	CHECK(nsclone_interface_get_flags("nosuch", &flags) == -ENODEV);
	CHECK(nsclone_kcmp(getpid(), INT32_MAX, NSCLONE_KCMP_VM, 0, 0) < 0);
	CHECK(errno == 4711);
}

IN_CHILD(unshares_and_comes_back)
IN_CHILD(joins_by_pidfd)
IN_CHILD(tells_owner_and_parent)
IN_CHILD(loopback_goes_up)
IN_CHILD(interface_errors)
IN_CHILD(interface_refused)
IN_CHILD(kcmp_files)
IN_CHILD(kcmp_epoll)
IN_CHILD(kcmp_refused)
IN_CHILD(keeps_errno)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(test_unshares_and_comes_back),
		cmocka_unit_test(test_joins_by_pidfd),
		cmocka_unit_test(test_tells_owner_and_parent),
		cmocka_unit_test(test_loopback_goes_up),
		cmocka_unit_test(test_interface_errors),
		cmocka_unit_test(test_interface_refused),
		cmocka_unit_test(test_kcmp_files),
		cmocka_unit_test(test_kcmp_epoll),
		cmocka_unit_test(test_kcmp_refused),
		cmocka_unit_test(kcmp_names),
		cmocka_unit_test(test_keeps_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
