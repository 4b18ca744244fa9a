/* SPDX-License-Identifier: BSD-3-Clause */
/* keeper/process.c and keeper/descriptors.c against the real /proc: processes that end, in every way. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "keeper/descriptors.h"
#include "keeper/process.h"
#include "lib/core/sys.h"
#include "lib/core/sys_event.h"

enum { ALL = (1 << KEEPER_N_NS) - 1 };

static void links(void **state)
{
	uint64_t inode = 0;

	(void)state;
	assert_true(keeper_parse_link("mnt:[4026531840]", KEEPER_NS_MNT, &inode));
	assert_int_equal(inode, 4026531840);
	assert_false(keeper_parse_link("mnt:[4026531840]", KEEPER_NS_NET, &inode));
	assert_false(keeper_parse_link("mnt:[]", KEEPER_NS_MNT, &inode));
	assert_false(keeper_parse_link("mnt:[0]", KEEPER_NS_MNT, &inode));
	assert_false(keeper_parse_link("mnt:[1] (deleted)", KEEPER_NS_MNT, &inode));
	assert_false(keeper_parse_link("/mnt:[1]", KEEPER_NS_MNT, &inode));
	assert_false(keeper_parse_link("", KEEPER_NS_MNT, &inode));
	for (int i = 0; i < KEEPER_N_NS; i++)
		assert_int_equal(keeper_place(keeper_nstype(i)), i);
	assert_int_equal(keeper_place(KEEPER_FD_PIDFD), KEEPER_N_NS);
}

static void myself(void **state)
{
	uint64_t inodes[KEEPER_N_NS], one;

	(void)state;
	assert_int_equal(process_inodes(getpid(), ALL, inodes), 0);
	for (int i = 0; i < KEEPER_N_NS; i++) {
		assert_int_equal(process_inode(PROCESS_SELF, i, &one), 0);
		assert_int_equal(one, inodes[i]);
	}
	assert_int_equal(process_inodes(getpid(), 1 << KEEPER_NS_IPC, inodes), 0);
	assert_int_equal(inodes[KEEPER_NS_MNT], 0);
	assert_int_not_equal(inodes[KEEPER_NS_IPC], 0);
}

static pid_t begin_other(void)
{
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	return child;
}

static void end_other(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* With pidfs and (-1) as where there is none. */
static void identity(void **state)
{
	pid_t child = begin_other();
	int pidfd = sys_pidfd_open(child);
	uint64_t own, again, other;

	(void)state;
	for (int i = 0; i < 2; i++) {
		int self = i ? -1 : sys_pidfd_open(getpid());

		assert_int_equal(process_identity(self, getpid(), &own), 0);
		assert_int_equal(process_identity(self, getpid(), &again), 0);
		assert_true(own && own == again);
		assert_int_equal(process_identity(i ? -1 : pidfd, child, &other), 0);
		assert_true(i || other != own); /* both may have begun in one tick */
		assert_int_equal(process_has_identity(i ? -1 : pidfd, child, other), 0);
		assert_int_equal(process_has_identity(pidfd, child, other), 0); /* also what was written down without pidfs */
		assert_int_equal(process_has_identity(pidfd, child, other + 1), -ESRCH);
		close(self);
	}
	end_other(child);
	assert_int_equal(process_identity(-1, child, &own), -ESRCH);
	close(pidfd);
}

static void pidfds(void **state)
{
	int pidfd = sys_pidfd_open(getpid()), file = open("/", O_PATH);
	pid_t pid = 0;

	(void)state;
	assert_int_equal(process_of_pidfd(pidfd, &pid), 0);
	assert_int_equal(pid, getpid());
	assert_int_equal(process_is(pidfd), 0);
	assert_int_equal(process_of_pidfd(file, &pid), -EINVAL);
	close(pidfd);
	close(file);
	assert_int_equal(process_of_pidfd(pidfd, &pid), -EINVAL);
}

static void a_zombie_is_gone_but_known(void **state)
{
	uint64_t inodes[KEEPER_N_NS];
	pid_t child = fork(), pid;
	int pidfd;

	(void)state;
	if (child == 0)
		_exit(0);
	pidfd = sys_pidfd_open(child);
	assert_int_equal(sys_wait_readable(pidfd, 5000), 1);
	assert_int_equal(process_inodes(child, ALL, inodes), -ESRCH);
	assert_int_equal(process_is(pidfd), 0); /* its pid is nobody else's */
	assert_int_equal(process_of_pidfd(pidfd, &pid), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(process_inodes(child, ALL, inodes), -ESRCH);
	assert_int_equal(process_is(pidfd), -ESRCH);
	assert_int_equal(process_of_pidfd(pidfd, &pid), -ESRCH);
	close(pidfd);
}

static void *sleep_for_ever(void *argument)
{
	for (;;)
		pause();
	return argument;
}

static bool is_zombie(pid_t pid)
{
	char path[64], buffer[256] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY);
	if (read(fd, buffer, sizeof(buffer) - 1) < 0)
		buffer[0] = '\0';
	close(fd);
	return strstr(buffer, ") Z ") != NULL;
}

/* The first thread shows no namespaces any more; a search that went by it would not see the process. */
static void without_its_first_thread(void **state)
{
	uint64_t inodes[KEEPER_N_NS], mine;
	pid_t child = fork();
	pthread_t thread;
	int pidfd;

	(void)state;
	if (child == 0) {
		pthread_create(&thread, NULL, sleep_for_ever, NULL);
		syscall(SYS_exit, 0);
	}
	for (int i = 0; i < 500 && !is_zombie(child); i++)
		usleep(10000);
	assert_true(is_zombie(child));
	assert_int_equal(process_inode(PROCESS_SELF, KEEPER_NS_MNT, &mine), 0);
	assert_int_equal(process_inodes(child, ALL, inodes), 0);
	assert_int_equal(inodes[KEEPER_NS_MNT], mine);
	pidfd = sys_pidfd_open(child);
	assert_int_equal(sys_pidfd_signal(pidfd, SIGKILL), 0);
	assert_int_equal(sys_wait_readable(pidfd, 5000), 1);
	assert_int_equal(process_inodes(child, ALL, inodes), -ESRCH);
	close(pidfd);
	waitpid(child, NULL, 0);
}

/* ---- Descriptors ---- */

static struct host no_host(void)
{
	struct host host = {.user_ns = 0};

	process_inode(PROCESS_SELF, KEEPER_NS_USER, &host.user_ns);
	return host;
}

static int sort(struct descriptors *d, int inotify, uint32_t kind, int fd)
{
	struct host host = no_host();
	const char *why;

	descriptors_init(d);
	d->request.message.n_fds = 1;
	d->request.message.fds[0] = kind;
	return descriptors_sort(d, &fd, 1, &host, inotify, &why);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void what_is_kept_and_what_is_closed(void **state)
{
	struct descriptors d;
	int fd = open("/proc/self/ns/mnt", O_RDONLY);

	(void)state;
	assert_int_equal(sort(&d, -1, CLONE_NEWNS, fd), 0);
	assert_int_equal(d.request.ns[KEEPER_NS_MNT], fd);
	descriptors_done(&d, -1);
	assert_false(is_open(fd));
	fd = open("/proc/self/ns/mnt", O_RDONLY);
	assert_int_equal(sort(&d, -1, CLONE_NEWNET, fd), -EINVAL);
	assert_false(is_open(fd));
	fd = open("/proc/self/ns/mnt", O_PATH); /* it cannot be asked, and could not be joined */
	assert_int_equal(sort(&d, -1, CLONE_NEWNS, fd), -EINVAL);
	assert_false(is_open(fd));
	fd = open("/", O_PATH);
	assert_int_equal(sort(&d, -1, KEEPER_FD_TERMINAL, fd), -EBADMSG);
	assert_false(is_open(fd));
	fd = memfd_create("mnt:[4026531840]", 0); /* what a name looks like is no matter */
	assert_int_equal(sort(&d, -1, CLONE_NEWNS, fd), -EINVAL);
	fd = memfd_create("words", 0);
	assert_int_equal(sort(&d, -1, KEEPER_FD_ARGUMENTS, fd), 0);
	assert_int_equal(d.arguments, fd);
	descriptors_done(&d, -1);
	assert_false(is_open(fd));
}

static void a_pidfd_tells_its_process(void **state)
{
	struct descriptors d;

	(void)state;
	assert_int_equal(sort(&d, -1, KEEPER_FD_PIDFD, sys_pidfd_open(getpid())), 0);
	assert_int_equal(d.request.message.session.pid, getpid());
	assert_int_not_equal(d.request.identity, 0);
	descriptors_done(&d, -1);
}

static void a_marker_is_watched_once(void **state)
{
	int inotify = sys_inotify(), fd = open("/tmp", O_PATH);
	struct descriptors d, e;

	(void)state;
	assert_int_equal(sys_is_tmpfs(fd), 1); /* as tests/world.sh makes it */
	assert_int_equal(sort(&d, inotify, KEEPER_FD_MARKER, fd), 0);
	assert_false(is_open(fd)); /* or it would keep mounted what it tells the end of */
	assert_true(d.request.marker >= 0);
	assert_int_equal(sort(&e, inotify, KEEPER_FD_MARKER, open("/tmp", O_PATH)), -EEXIST);
	descriptors_done(&d, inotify);
	assert_int_equal(sort(&d, inotify, KEEPER_FD_MARKER, open("/tmp", O_PATH)), 0);
	descriptors_done(&d, inotify);
	assert_int_equal(sort(&d, inotify, KEEPER_FD_MARKER, open("/proc", O_PATH)), -EINVAL);
	close(inotify);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links),
		cmocka_unit_test(myself),
		cmocka_unit_test(pidfds),
		cmocka_unit_test(identity),
		cmocka_unit_test(a_zombie_is_gone_but_known),
		cmocka_unit_test(without_its_first_thread),
		cmocka_unit_test(what_is_kept_and_what_is_closed),
		cmocka_unit_test(a_pidfd_tells_its_process),
		cmocka_unit_test(a_marker_is_watched_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
