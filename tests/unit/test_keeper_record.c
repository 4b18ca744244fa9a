// SPDX-License-Identifier: BSD-3-Clause
/*
 * keeper/record.c: what is written is read, what is cut or foreign is not, what fails leaves what was there. And
 * keeper/recover.c with real processes in real namespaces: it finds what is the same, and nothing else.
 */
/* WRAP: sys_openat sys_write sys_rename_noreplace sys_renameat sys_fstat sys_read sys_getdents sys_send_to sys_pidfd_open nsclone_ns_open */
#include "tests/unit/test_faults_by_name.h"

#include <dirent.h>
#include <sys/socket.h>

#include "keeper/keep.h"
#include "keeper/process.h"
#include "keeper/record.h"
#include "keeper/recover.h"
#include "keeper/store.h"
#include "lib/core/sys_event.h"
#include "lib/core/sys_socket.h"

/* ---- Faults: the nth call of a name ---------------------------------------------------------------------------- */

STAND_IN(sys_openat) STAND_IN(sys_write) STAND_IN(sys_rename_noreplace) STAND_IN(sys_renameat) STAND_IN(sys_fstat)
STAND_IN(sys_read) STAND_IN(sys_getdents) STAND_IN(sys_pidfd_open) STAND_IN(nsclone_ns_open)

static char notified[256];
static size_t notified_fds;

int __wrap_sys_send_to(const char *to, const void *packet, size_t size, const int *fds, size_t n);
int __wrap_sys_send_to(const char *to, const void *packet, size_t size, const int *fds, size_t n)
{
	(void)to;
	(void)fds;
	snprintf(notified + strlen(notified), sizeof(notified) - strlen(notified), "%.*s|", (int)size, (const char *)packet);
	notified_fds += n;
	return 0;
}

/* ---- Records ---------------------------------------------------------------------------------------------------- */

static struct records records;
static struct world *read_worlds[8];
static int n_read;

static int collect(void *data, struct world *world)
{
	(void)data;
	CHECK(n_read < 8);
	read_worlds[n_read++] = world;
	return 0;
}

static int load(void)
{
	while (n_read > 0)
		world_free(read_worlds[--n_read]);
	return records_load(&records, collect, NULL);
}

static void open_records(void)
{
	CHECK(records_open(&records) == 0);
}

static int without_records(void **state)
{
	(void)state;
	return system("rm -rf " KEEPER_WORLDS);
}

static unsigned count_files(void)
{
	DIR *dir = opendir(KEEPER_WORLDS);
	unsigned n = 0;

	CHECK(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return n;
}

static void add_session(struct world *world, uint64_t id, pid_t pid, uint64_t identity)
{
	struct keeper_session session = {.id = id, .since = 1234567, .pid = pid, .service = "sshd", .tty = "pts/7",
					 .rhost = "host.example.org", .from_user = "bob"};

	CHECK(world_add_session(world, &session, -1, identity));
}

static struct world *example(uint64_t id)
{
	struct world *world = world_new();

	CHECK(world);
	*world = (struct world){.id = id, .uid = 20001, .state = WORLD_HELD, .kill_on_logout = true, .key = {1, 2, 3, 255},
				.inodes = {1, 2, 3, 4, 5, 6, 7}, .mntns_id = UINT64_MAX, .marker = 77, .user = "alice",
				.init = {.pid = 99, .pidfd = -1, .identity = 555}, .record = "20001-abc",
				.rules = strdup("50-x.conf:3,90-y.conf:1")};
	world->init.socket.fd = world->witness.fd = -1;
	for (int i = 0; i < KEEPER_N_NS; i++)
		world->ns[i] = -1;
	add_session(world, 11, 1000, 4242);
	add_session(world, 12, 1001, UINT64_MAX);
	add_session(world, 13, 1002, 1);
	world->sessions->next->state = SESSION_WAITING;
	world->sessions->kill_on_logout = true;
	return world;
}

static void check_example(const struct world *world, uint64_t id)
{
	struct keeper_session session;

	CHECK(world->id == id && world->uid == 20001 && world->state == WORLD_HELD && world->kill_on_logout);
	CHECK(!world->alone && !world->retired && !world->ending && world->mntns_id == UINT64_MAX && world->marker == 77);
	CHECK(world->key[0] == 1 && world->key[3] == 255 && strcmp(world->user, "alice") == 0);
	CHECK(strcmp(world->record, "20001-abc") == 0 && strcmp(world->rules, "50-x.conf:3,90-y.conf:1") == 0);
	CHECK(world->init.pid == 99 && world->init.pidfd == -1 && world->init.socket.fd == -1 && world->init.identity == 555);
	for (int i = 0; i < KEEPER_N_NS; i++)
		CHECK(world->inodes[i] == (uint64_t)i + 1 && world->ns[i] == -1);
	CHECK(world->sessions && world->sessions->next && !world->sessions->next->next);
	world_session_tell(world->sessions, &session);
	CHECK(session.id == 11 && session.pid == 1000 && session.since == 1234567 && strcmp(session.tty, "pts/7") == 0);
	CHECK(strcmp(session.rhost, "host.example.org") == 0 && strcmp(session.from_user, "bob") == 0);
	CHECK(strcmp(session.service, "sshd") == 0 && world->sessions->kill_on_logout);
	CHECK(world->sessions->identity == 4242 && world->sessions->pidfd.fd == -1);
	CHECK(world->sessions->next->id == 13 && world->sessions->state == SESSION_IN);
	CHECK(!world->sessions->next->kill_on_logout);
}

static void round_trip(void)
{
	struct world *world = example(0xabc);

	open_records();
	CHECK(records_save(&records, world) == 1);
	CHECK(records_save(&records, world) == 0);
	CHECK(load() == 0 && n_read == 1);
	check_example(read_worlds[0], 0xabc);
	world->id = UINT64_MAX;
	free(world->rules);
	world->rules = NULL;
	world->state = WORLD_GONE;
	world->alone = world->retired = world->ending = true;
	CHECK(records_save(&records, world) == 1);
	CHECK(load() == 0 && n_read == 2 && count_files() == 2);
	CHECK(records_forget(&records, 0xabc) == 0);
	CHECK(records_forget(&records, 0xabc) == -ENOENT);
	CHECK(load() == 0 && n_read == 1);
	CHECK(read_worlds[0]->state == WORLD_GONE && read_worlds[0]->alone && read_worlds[0]->retired &&
	      read_worlds[0]->ending && !read_worlds[0]->rules && read_worlds[0]->id == UINT64_MAX);
}

/* As another keeper would; the clock is real. */
static int open_in_child(void)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		struct records others = {-1};
		int r = records_open(&others);

		_exit(r == 0 && others.directory < 0 ? 1 : -r);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void one_keeper_has_them(void)
{
	unsigned before;
	int64_t start;
	pid_t pid;

	open_records();
	before = count_fds();
	start = sys_monotonic_ms();
	CHECK(open_in_child() == -EBUSY);
	CHECK(sys_monotonic_ms() >= start + 1500 && sys_monotonic_ms() < start + 10000 && count_fds() == before);
	CHECK(fcntl(records.directory, F_GETFD) & FD_CLOEXEC);
	records_close(&records);
	CHECK(open_in_child() == 0);
	pid = fork();
	if (pid == 0) { /* one that is on its way out */
		open_records();
		usleep(500000);
		_exit(0);
	}
	usleep(100000);
	CHECK(open_in_child() == 0);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

static const char *const PLACE = KEEPER_WORLDS "/0000000000000abc";

static size_t saved(char *buffer, size_t size)
{
	int fd;
	ssize_t n;

	CHECK(records_save(&records, example(0xabc)) >= 0);
	fd = open(PLACE, O_RDONLY | O_CLOEXEC);
	n = read(fd, buffer, size);
	CHECK(fd >= 0 && n > 0 && (size_t)n < size);
	close(fd);
	return (size_t)n;
}

static void put_bytes(const char *path, const char *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
	close(fd);
}

/* Any beginning of it, and it with something behind. */
static void cut(void)
{
	char bytes[4096] = {0};
	size_t n;

	open_records();
	n = saved(bytes, sizeof(bytes));
	for (size_t i = 0; i <= n + 1; i++) {
		if (i == n)
			continue;
		put_bytes(PLACE, bytes, i);
		CHECK(load() == 0 && n_read == 0 && count_files() == 0);
	}
	put_bytes(PLACE, bytes, n);
	CHECK(load() == 0 && n_read == 1);
}

/* Whatever is in it, it is read or removed, and texts have an end. */
static void garbled(void)
{
	char bytes[4096], changed[4096];
	unsigned seed = 1, n_whole = 0;
	size_t n;

	open_records();
	n = saved(bytes, sizeof(bytes));
	for (int i = 0; i < 5000; i++) {
		memcpy(changed, bytes, n);
		for (int j = 0; j <= i % 3; j++)
			changed[(size_t)rand_r(&seed) % n] = (char)(i % 2 ? rand_r(&seed) : 0xff);
		put_bytes(PLACE, changed, n);
		CHECK(load() == 0 && n_read <= 1);
		n_whole += (unsigned)n_read;
		for (int j = 0; j < n_read; j++)
			CHECK(strlen(read_worlds[j]->user) < 40 && strlen(read_worlds[j]->record) < 64);
		unlink(PLACE);
	}
	CHECK(n_whole > 100 && n_whole < 4900);
}

static void foreign_files(void)
{
	char bytes[4096];
	size_t n;

	open_records();
	n = saved(bytes, sizeof(bytes));
	put_bytes(KEEPER_WORLDS "/0000000000000abd", bytes, n);
	put_bytes(KEEPER_WORLDS "/readme", "x", 1);
	put_bytes(KEEPER_WORLDS "/.new", bytes, n / 2);
	CHECK(symlink(PLACE, KEEPER_WORLDS "/link") == 0 && mkfifo(KEEPER_WORLDS "/fifo", 0600) == 0);
	CHECK(mkdir(KEEPER_WORLDS "/directory", 0700) == 0);
	put_bytes(KEEPER_WORLDS "/users", bytes, n);
	if (chown(KEEPER_WORLDS "/users", 20001, 20001) < 0)
		CHECK(geteuid() != 0 || errno == EINVAL);
	CHECK(load() == 0 && n_read == 1);
	check_example(read_worlds[0], 0xabc);
	CHECK(count_files() == 2 && rmdir(KEEPER_WORLDS "/directory") == 0);
	CHECK(load() == 0 && n_read == 1);
}

static void others_directory(void)
{
	unsigned before = count_fds();

	open_records();
	records_close(&records);
	records_close(&records);
	CHECK(chmod(KEEPER_WORLDS, 0755) == 0);
	CHECK(records_open(&records) == -EPERM);
	CHECK(chmod(KEEPER_WORLDS, 0700) == 0);
	CHECK(rmdir(KEEPER_WORLDS) == 0 && symlink("/tmp", KEEPER_WORLDS) == 0);
	CHECK(records_open(&records) < 0);
	CHECK(unlink(KEEPER_WORLDS) == 0);
	CHECK(count_fds() == before);
}

/* What was there before stays, and nothing besides. */
static void faults_of_saving(void)
{
	static const struct {
		const char *name;
		int answer, times;
	} table[] = {{"sys_openat", -EMFILE, 1},     {"sys_write", -ENOSPC, 4},	 {"sys_write", 0, 4},
		     {"sys_rename_noreplace", -EIO, 1}, {"sys_renameat", -EIO, 1}};
	struct world *world = example(0xabc);
	unsigned before;

	open_records();
	CHECK(records_save(&records, world) == 1);
	before = count_fds();
	world->uid = 5;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (int nth = 0; nth < table[i].times; nth++) {
			arm(table[i].name, nth);
			fault_answer = table[i].answer;
			CHECK(records_save(&records, world) == (fault_answer ? fault_answer : -EIO) && countdown == -1);
			fault = NULL;
			CHECK(count_fds() == before && count_files() == 1 && load() == 0 && n_read == 1);
			check_example(read_worlds[0], 0xabc);
		}
	CHECK(records_save(&records, world) == 0 && load() == 0 && n_read == 1 && read_worlds[0]->uid == 5);
}

/* Not read is not "none", and is no reason to remove it. */
static void faults_of_loading(void)
{
	static const struct {
		const char *name;
		int times;
	} table[] = {{"sys_openat", 2}, {"sys_getdents", 1}, {"sys_fstat", 1}, {"sys_read", 1}};
	unsigned before;

	open_records();
	CHECK(records_save(&records, example(0xabc)) == 1);
	before = count_fds();
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (int nth = 0; nth < table[i].times; nth++) {
			arm(table[i].name, nth);
			CHECK(load() == -EIO && countdown == -1 && n_read == 0 && count_fds() == before);
		}
	CHECK(load() == 0 && n_read == 1);
}

static void faults_of_opening(void)
{
	unsigned before = count_fds();

	arm("sys_openat", 0);
	CHECK(records_open(&records) < 0 && countdown == -1);
	arm("sys_fstat", 1);
	CHECK(records_open(&records) < 0);
	CHECK(count_fds() == before);
}

/* ---- keep.h ----------------------------------------------------------------------------------------------------- */

static void keeps(void)
{
	struct world *world = example(0xabc);

	open_records();
	CHECK(keep_world(&records, world) == 0); /* without systemd */
	setenv("NOTIFY_SOCKET", "@systemd", 1);
	keep_forget(&records, world);
	CHECK(strcmp(notified, "FDSTOREREMOVE=1\nFDNAME=w000000abc|") == 0 && count_files() == 0);
	notified[0] = '\0';
	world->ns[KEEPER_NS_UTS] = world->init.pidfd = world->init.socket.fd = 1;
	CHECK(keep_world(&records, world) == 0);
	CHECK(strcmp(notified, "FDSTORE=1\nFDNAME=w000000abc\nFDPOLL=0|") == 0 && notified_fds == 3);
	CHECK(keep_world(&records, world) == 0 && notified_fds == 3);
	notified[0] = '\0';
	world->state = WORLD_GONE;
	CHECK(keep_world(&records, world) == 0);
	CHECK(strcmp(notified, "FDSTOREREMOVE=1\nFDNAME=w000000abc|") == 0 && notified_fds == 3);
	arm("sys_renameat", 0);
	CHECK(keep_world(&records, world) == -EIO);
}

/* ---- recover.h -------------------------------------------------------------------------------------------------- */

enum { OWN = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET };

static int watched, forgotten;

static int watch(void *data, struct source *source)
{
	(void)data;
	(void)source;
	watched++;
	return 0;
}

static void unwatch(void *data, struct source *source)
{
	(void)data;
	(void)source;
}

static void close_fd(void *data, int fd)
{
	(void)data;
	close(fd);
}

static void forget(void *data, const struct world *world)
{
	(void)data;
	forgotten++;
	keep_forget(&records, world);
}

static void save(void *data, const struct world *world)
{
	(void)data;
	(void)world;
}

static void say(void *data, const struct world *world, const char *what)
{
	(void)data;
	(void)world;
	(void)what;
}

static unsigned n_adopted, n_cleaned;

static void adopt(void *data, const struct world *world)
{
	(void)data;
	CHECK(world->record[0]);
	n_adopted++;
}

static void clean(void *data, const struct world *world)
{
	(void)data;
	CHECK(world->record[0]);
	n_cleaned++;
}

static const struct worlds_effects effects = {
	.watch = watch, .unwatch = unwatch, .close = close_fd, .forget = forget, .save = save, .say = say, .adopt = adopt,
	.clean = clean,
};

static struct worlds worlds;
static struct host host;
static struct recovered found;

static int run_recover(struct store_fd *fds, size_t n, bool markers)
{
	worlds_init(&worlds, &effects, NULL, host.ns);
	return recover(&worlds, &host, &records, fds, n, markers, &found);
}

static void begin(void)
{
	const char *type;

	open_records();
	CHECK(host_open(&host, &type) == 0);
	setenv("NOTIFY_SOCKET", "@systemd", 1);
}

/* A process in namespaces of its own. */
static pid_t start_process(int namespaces)
{
	int fds[2];
	char byte;
	pid_t pid;

	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(namespaces) < 0)
			_exit(1);
		CHECK(write(fds[1], "x", 1) == 1);
		for (;;)
			pause();
	}
	close(fds[1]);
	if (read(fds[0], &byte, 1) != 1)
		SKIP_CHILD();
	close(fds[0]);
	return pid;
}

static uint64_t identity_of(pid_t pid)
{
	cleanup_fd int pidfd = sys_pidfd_open(pid);
	uint64_t identity;

	CHECK(process_identity(pidfd, pid, &identity) == 0);
	return identity;
}

static struct world *describe(pid_t pid)
{
	struct world *world = example(0xabc);
	cleanup_fd int mnt = nsclone_ns_open(pid, CLONE_NEWNS);

	memset(world->inodes, 0, sizeof(world->inodes));
	for (int i = KEEPER_NS_MNT; i <= KEEPER_NS_NET; i++)
		CHECK(process_inode(pid, i, &world->inodes[i]) == 0);
	world->mntns_id = 0;
	sys_ns_mount_id(mnt, &world->mntns_id);
	world->init.pid = 0;
	add_session(world, 21, pid, identity_of(pid));
	add_session(world, 22, pid, identity_of(pid) + 1);
	return world;
}

/* The world of a new process, and that one. */
static struct world *begin_world(pid_t *pid)
{
	begin();
	*pid = start_process(OWN);
	return describe(*pid);
}

static void check_found(const struct world *world)
{
	CHECK(found.worlds == 1 && found.lost == 0);
	CHECK(worlds.first && !worlds.first->next && worlds.first->id == 0xabc);
	for (int i = 0; i < KEEPER_N_NS; i++) {
		struct stat st = {0};

		CHECK((worlds.first->ns[i] >= 0) == (world->inodes[i] != 0));
		CHECK(!world->inodes[i] || (fstat(worlds.first->ns[i], &st) == 0 && st.st_ino == world->inodes[i]));
	}
}

static void check_lost(unsigned fds)
{
	CHECK(found.worlds == 0 && found.lost == 1 && !worlds.first && count_files() == 0 && count_fds() == fds);
}

static void kill_process(pid_t pid)
{
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, __WALL) == pid);
}

static void needs_mount_ids(const struct world *world)
{
	if (!world->mntns_id)
		SKIP_CHILD(); /* kernel before 6.11 */
}

static void found_by_process(void)
{
	struct world *world;
	pid_t pid;

	world = begin_world(&pid);
	needs_mount_ids(world);
	CHECK(records_save(&records, world) == 1);
	CHECK(run_recover(NULL, 0, true) == 0);
	check_found(world);
	CHECK(worlds.first->marker == 77);
	CHECK(worlds.first->sessions && worlds.first->sessions->id == 21 && !worlds.first->sessions->next);
	CHECK(watched == 1 && sys_wait_readable(worlds.first->sessions->pidfd.fd, 0) == 0);
	CHECK(strcmp(notified, "FDSTORE=1\nFDNAME=w000000abc\nFDPOLL=0|") == 0 && notified_fds == 4);
	CHECK(load() == 0 && n_read == 1 && !read_worlds[0]->sessions->next);
	kill_process(pid);
	CHECK(sys_wait_readable(worlds.first->sessions->pidfd.fd, 5000) == 1);
}

static size_t store_of(pid_t pid, struct store_fd *fds)
{
	static const int types[] = {CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWNET};
	size_t n = 0;

	for (; n < 4; n++) {
		fds[n] = (struct store_fd){"w000000abc", nsclone_ns_open(pid, types[n])};
		CHECK(fds[n].fd >= 0);
	}
	return n;
}

/* Nobody is in it any more. Its inotify is lost, so the marker is no marker. */
static void found_in_store(void)
{
	struct store_fd fds[8];
	struct world *world;
	unsigned before;
	size_t n;
	pid_t pid;

	world = begin_world(&pid);
	world->mntns_id = 0; /* an old kernel */
	CHECK(records_save(&records, world) == 1);
	before = count_fds();
	n = store_of(pid, fds);
	fds[n++] = (struct store_fd){"w000000abd", open("/", O_PATH | O_CLOEXEC)};
	fds[n++] = (struct store_fd){"w000000abc", open("/", O_PATH | O_CLOEXEC)};
	fds[n++] = (struct store_fd){"markers", 77};
	kill_process(pid);
	CHECK(run_recover(fds, n, false) == 0);
	check_found(world);
	CHECK(!worlds.first->sessions && worlds.first->marker == -1 && worlds.first->state == WORLD_LINGERING);
	CHECK(strcmp(notified, "FDSTOREREMOVE=1\nFDNAME=w000000abd|") == 0);
	for (size_t i = 0; i + 1 < n; i++)
		CHECK(fds[i].fd == -1);
	CHECK(fds[n - 1].fd == 77);
	CHECK(count_fds() == before + 4);
	CHECK(load() == 0 && n_read == 1 && read_worlds[0]->marker == -1);
}

/* Neither by a process in it nor in the store. */
static void cannot_be_found(const struct world *world, pid_t pid)
{
	unsigned before = count_fds();
	struct store_fd fds[8];
	size_t n;

	CHECK(records_save(&records, world) == 1 && run_recover(NULL, 0, true) == 0);
	check_lost(before);
	CHECK(records_save(&records, world) == 1);
	n = store_of(pid, fds);
	CHECK(run_recover(fds, n, true) == 0);
	check_lost(before);
}

static void not_the_same(void)
{
	pid_t pid;

	begin();
	pid = start_process(OWN);
	for (int i = 0; i < 6; i++) {
		struct world *world = describe(pid);

		if (i < 4)
			world->inodes[i]++;
		if (i == 4)
			world->mntns_id++;
		if (i == 5)
			world->inodes[KEEPER_NS_CGROUP] = host.inodes[KEEPER_NS_CGROUP];
		needs_mount_ids(world);
		cannot_be_found(world, pid);
	}
	kill_process(pid);
}

/* The number of its mount namespace is another's now, on a kernel that cannot tell. */
static void without_mount_ids(void)
{
	struct world *world;
	unsigned before;
	pid_t pid;

	world = begin_world(&pid);
	world->mntns_id = 0;
	before = count_fds();
	CHECK(records_save(&records, world) == 1 && run_recover(NULL, 0, true) == 0);
	check_lost(before);
	kill_process(pid);
}

static void of_a_users_root(void)
{
	pid_t pid;

	begin();
	pid = start_process(OWN | CLONE_NEWUSER);
	cannot_be_found(describe(pid), pid);
	kill_process(pid);
}

static int be_init(void *argument)
{
	(void)argument;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
	return 0;
}

static pid_t start_init(struct world *world)
{
	struct nsclone_clone_args args = {.flags = NSCLONE_NEWPID};
	pid_t pid = nsclone_clone(be_init, NULL, &args, NULL, NULL);

	CHECK(pid > 0);
	world->init.pid = pid;
	world->init.identity = identity_of(pid);
	CHECK(process_inode(pid, KEEPER_NS_PID, &world->inodes[KEEPER_NS_PID]) == 0);
	return pid;
}

static size_t store_with_init(pid_t pid, pid_t init, struct store_fd *fds)
{
	size_t n = store_of(pid, fds);

	fds[n++] = (struct store_fd){"w000000abc", nsclone_ns_open(init, CLONE_NEWPID)};
	return n;
}

static void with_init(void)
{
	struct store_fd fds[8];
	struct world *world;
	unsigned before;
	int pair[2];
	size_t n;
	pid_t pid, init;

	world = begin_world(&pid);
	init = start_init(world);
	CHECK(records_save(&records, world) == 1);
	before = count_fds();
	if (world->mntns_id) { /* by the session's process, which is not in the PID namespace */
		CHECK(run_recover(NULL, 0, true) == 0);
		check_found(world);
		CHECK(count_fds() == before + 5 + 1 + 2);
		before = count_fds();
	}
	n = store_with_init(pid, init, fds);
	CHECK(run_recover(fds, n, true) == 0); /* without its pidfd and socket */
	check_found(world);
	CHECK(worlds.first->init.pidfd >= 0 && worlds.first->init.socket.fd >= 0);
	CHECK(count_fds() == before + 5 + 1 + 2);

	n = store_with_init(pid, init, fds);
	CHECK(sys_socketpair(pair) == 0);
	fds[n++] = (struct store_fd){"w000000abc", pair[0]};
	fds[n++] = (struct store_fd){"w000000abc", sys_pidfd_open(init)};
	CHECK(run_recover(fds, n, true) == 0);
	check_found(world);
	CHECK(worlds.first->init.socket.fd == pair[0] && worlds.first->init.pidfd >= 0);

	before = count_fds();
	n = store_with_init(pid, init, fds);
	kill_process(init);
	CHECK(run_recover(fds, n, true) == 0);
	check_lost(before);
	kill_process(pid);
}

/* A pid that is somebody else's now is neither its init nor its session. */
static void pids_of_others(void)
{
	struct store_fd fds[8];
	struct world *world;
	unsigned before;
	size_t n;
	pid_t pid, init;

	world = begin_world(&pid);
	init = start_init(world);
	before = count_fds();
	for (int i = 0; i < 2; i++) {
		if (i == 0)
			world->init.identity++;
		else
			world->init.pid = pid;
		if (i == 1)
			world->init.identity = identity_of(pid);
		CHECK(records_save(&records, world) == 1);
		n = store_with_init(pid, init, fds);
		CHECK(run_recover(fds, n, true) == 0);
		check_lost(before);
	}
	kill_process(pid);
	kill_process(init);
}

/* It still has its pid and start time. */
static void not_reaped(void)
{
	struct store_fd fds[8];
	struct world *world;
	size_t n;
	pid_t pid;

	world = begin_world(&pid);
	CHECK(records_save(&records, world) == 1);
	n = store_of(pid, fds);
	CHECK(kill(pid, SIGKILL) == 0 && waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT) == 0);
	CHECK(run_recover(fds, n, true) == 0);
	check_found(world);
	CHECK(!worlds.first->sessions);
}

static void gone_worlds(void)
{
	struct world *world = example(0xabc);

	begin();
	world->state = WORLD_GONE;
	world->retired = true;
	memset(world->inodes, 0, sizeof(world->inodes));
	while (world->sessions) {
		struct world_session *next = world->sessions->next;

		free(world->sessions);
		world->sessions = next;
	}
	CHECK(records_save(&records, world) == 1 && run_recover(NULL, 0, true) == 0);
	CHECK(worlds.first && worlds.first->state == WORLD_GONE && worlds.first->marker == 77 && count_files() == 1);
	CHECK(n_adopted == 1 && n_cleaned == 0);
	CHECK(run_recover(NULL, 0, false) == 0); /* its marker is not known any more: it is looked for who is left */
	CHECK(!worlds.first && count_files() == 0 && n_cleaned == 1);
}

static void recovery_faults(void)
{
	static const struct {
		const char *name;
		int nth;
		bool lost;
	} table[] = {{"sys_getdents", 2, false}, {"nsclone_ns_open", 0, true}, {"nsclone_ns_open", 3, true},
		     {"sys_pidfd_open", 2, false}};
	struct world *world;
	unsigned before;
	pid_t pid;

	world = begin_world(&pid);
	needs_mount_ids(world);
	before = count_fds();
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int r;

		CHECK(records_save(&records, world) >= 0);
		arm(table[i].name, table[i].nth);
		notified[0] = '\0';
		r = run_recover(NULL, 0, true);
		CHECK(countdown < 0);
		fault = NULL;
		if (strcmp(table[i].name, "sys_getdents") == 0) { /* /proc was not read: not lost for the next */
			CHECK(r == -EIO && !worlds.first && found.lost == 1 && count_files() == 1 && count_fds() == before);
		} else if (table[i].lost) {
			CHECK(r == 0);
			check_lost(before);
		} else { /* the session counts as ended; the world lingers */
			CHECK(r == 0 && found.worlds == 1 && !worlds.first->sessions);
		}
	}
	kill_process(pid);
}

#define TESTS(X)                                                                                                       \
	X(round_trip) X(one_keeper_has_them) X(cut) X(garbled) X(foreign_files) X(others_directory) X(faults_of_saving) X(faults_of_loading)  \
	X(faults_of_opening) X(keeps) X(found_by_process) X(found_in_store) X(not_the_same) X(without_mount_ids)       \
	X(of_a_users_root) X(with_init) X(pids_of_others) X(not_reaped) X(gone_worlds) X(recovery_faults)
#define ENTRY(name) cmocka_unit_test_setup(test_##name, without_records),

TESTS(IN_CHILD)

int main(void)
{
	const struct CMUnitTest tests[] = {TESTS(ENTRY)};

	unsetenv("NOTIFY_SOCKET");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
