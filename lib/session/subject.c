/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who logs in. All name service look-ups of nsclone are here, with one rule: an answer decides, no answer is an error.
 * glibc tells the two apart only in the *_r functions: 0 and no entry means that every service was asked and knows none;
 * anything else means that one could not be asked.
 */
#include "lib/session/subject.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include "lib/core/sys.h"
#include "lib/session/arena.h"

enum { NSS_BUFFER = 4096, NSS_BUFFER_MAX = 16 * 1024 * 1024, MAX_GROUPS = 65536 };

static struct arena **memory(struct subject *subject)
{
	return (struct arena **)&subject->memory;
}

static const char *item(const char *s)
{
	return s && *s ? s : NULL;
}

static int find_passwd(const char *name, struct passwd *pw, char **buffer)
{
	struct passwd *found = NULL;
	int r = ERANGE;

	*buffer = NULL;
	for (size_t size = NSS_BUFFER; r == ERANGE && size <= NSS_BUFFER_MAX; size *= 2) {
		char *more = realloc(*buffer, size);

		if (!more)
			return -ENOMEM;
		*buffer = more;
		r = getpwnam_r(name, pw, *buffer, size, &found);
	}
	return r ? -r : found ? 0 : -ENOENT;
}

static int take_passwd(struct subject *subject, const struct passwd *pw)
{
	struct policy_subject *p = &subject->policy;

	p->user = arena_strdup(memory(subject), pw->pw_name);
	p->home = arena_strdup(memory(subject), pw->pw_dir);
	subject->shell = arena_strdup(memory(subject), pw->pw_shell);
	p->uid = pw->pw_uid;
	p->gid = pw->pw_gid;
	return p->user && p->home && subject->shell ? 0 : -ENOMEM;
}

int subject_new(const struct subject_items *items, struct subject **ret, struct err *err)
{
	struct subject *subject = calloc(1, sizeof(*subject));
	char *buffer = NULL;
	struct passwd pw;
	int r;

	if (!subject)
		return err_set(err, -ENOMEM, "cannot look up the user");
	subject->policy.service = item(items->service);
	subject->policy.remote_host = item(items->remote_host);
	subject->policy.tty = item(items->tty);
	subject->policy.from_user = item(items->from_user);
	r = find_passwd(items->user, &pw, &buffer);
	if (r == 0)
		r = take_passwd(subject, &pw);
	free(buffer);
	if (r < 0) {
		subject_free(subject);
		return r == -ENOENT ? err_set(err, r, "there is no user %s", items->user)
				    : err_set(err, r, "cannot look up user %s", items->user);
	}
	*ret = subject;
	return 0;
}

struct subject *subject_free(struct subject *subject)
{
	if (subject) {
		arena_free(subject->memory);
		free(subject);
	}
	return NULL;
}

/* Inside a session with a UTS namespace of its own uname(2) tells the session's name: ask where PID 1 lives. */
static int host_uname(struct utsname *ret)
{
	char own[64], host[64];
	cleanup_fd int own_fd = -1, host_fd = -1;
	ssize_t n = sys_readlinkat(AT_FDCWD, "/proc/1/ns/uts", host, sizeof(host));
	int r;

	if (n == -EACCES && sys_geteuid() != 0) /* an ordinary user at `nsclone explain`: own is the best there is */
		return uname(ret) < 0 ? -errno : 0;
	if (n >= 0)
		n = sys_readlinkat(AT_FDCWD, "/proc/self/ns/uts", own, sizeof(own));
	if (n < 0)
		return (int)n;
	if (strcmp(own, host) == 0)
		return uname(ret) < 0 ? -errno : 0;
	own_fd = nsclone_ns_open_self(CLONE_NEWUTS);
	host_fd = sys_open("/proc/1/ns/uts", O_RDONLY);
	if (own_fd < 0 || host_fd < 0)
		return own_fd < 0 ? own_fd : host_fd;
	r = nsclone_setns(host_fd, CLONE_NEWUTS);
	if (r < 0)
		return r;
	r = uname(ret) < 0 ? -errno : 0;
	return nsclone_setns(own_fd, CLONE_NEWUTS) < 0 ? -EIO : r;
}

static int add_host(struct subject *subject)
{
	struct utsname name;
	int r = host_uname(&name);

	if (r < 0)
		return r;
	subject->policy.host = arena_strdup(memory(subject), name.nodename);
	return subject->policy.host ? 0 : -ENOMEM;
}

/* An id that is one line of a file. */
static int add_line(struct subject *subject, const char *path, const char **ret)
{
	cleanup_fd int fd = sys_open(path, O_RDONLY);
	char buffer[128];
	ssize_t n = fd < 0 ? fd : sys_read(fd, buffer, sizeof(buffer) - 1);

	if (n < 0)
		return (int)n;
	buffer[n] = '\0';
	buffer[strcspn(buffer, "\n")] = '\0';
	*ret = arena_strdup(memory(subject), buffer);
	return !*ret ? -ENOMEM : **ret ? 0 : -ENODATA;
}

static int find_group(const char *name, gid_t gid, struct group *gr, char **buffer)
{
	struct group *found = NULL;
	int r = ERANGE;

	*buffer = NULL;
	for (size_t size = NSS_BUFFER; r == ERANGE && size <= NSS_BUFFER_MAX; size *= 2) {
		char *more = realloc(*buffer, size);

		if (!more)
			return -ENOMEM;
		*buffer = more;
		r = name ? getgrnam_r(name, gr, *buffer, size, &found) : getgrgid_r(gid, gr, *buffer, size, &found);
	}
	return r ? -r : found ? 0 : -ENOENT;
}

/* *ret is NULL where the gid has no name: that is an answer, too. */
static int group_name(struct subject *subject, gid_t gid, const char **ret)
{
	char *buffer = NULL;
	struct group gr;
	int r = find_group(NULL, gid, &gr, &buffer);

	*ret = NULL;
	if (r == 0) {
		*ret = arena_strdup(memory(subject), gr.gr_name);
		r = *ret ? 0 : -ENOMEM;
	}
	free(buffer);
	return r == -ENOENT ? 0 : r;
}

int subject_add_facts(struct subject *subject, unsigned needs, struct err *err)
{
	struct policy_subject *p = &subject->policy;
	int r;

	if (needs & POLICY_NEED_HOST && (r = add_host(subject)) < 0)
		return err_set(err, r, "cannot find out the host's name");
	if (needs & POLICY_NEED_GROUP && (r = group_name(subject, p->gid, &p->group)) < 0)
		return err_set(err, r, "cannot look up group %u", (unsigned)p->gid);
	if (needs & POLICY_NEED_MACHINE_ID && (r = add_line(subject, "/etc/machine-id", &p->machine_id)) < 0)
		return err_set(err, r, "cannot read /etc/machine-id");
	if (needs & POLICY_NEED_BOOT_ID && (r = add_line(subject, "/proc/sys/kernel/random/boot_id", &p->boot_id)) < 0)
		return err_set(err, r, "cannot read the boot id");
	return 0;
}

/* All gids of the user, as initgroups(3) would set them. */
static int list_gids(const struct policy_subject *p, gid_t **ret, size_t *n_ret)
{
	gid_t *gids = NULL;

	for (int room = 64; room <= MAX_GROUPS; room *= 2) {
		gid_t *more = reallocarray(gids, (size_t)room, sizeof(*gids));
		int n = room;

		if (!more)
			break;
		gids = more;
		if (getgrouplist(p->user, p->gid, gids, &n) >= 0) {
			*ret = gids;
			*n_ret = (size_t)n;
			return 0;
		}
	}
	free(gids);
	return -ENOMEM;
}

static bool all_digits(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0';
}

static bool is_glob(const char *s)
{
	return strpbrk(s, "*?[") != NULL;
}

static bool is_member(const struct policy_subject *p, const struct group *gr)
{
	for (size_t i = 0; i < p->n_groups; i++)
		if (p->groups[i].gid == gr->gr_gid)
			return true;
	for (char **m = gr->gr_mem; m && *m; m++)
		if (strcmp(*m, p->user) == 0)
			return true;
	return false;
}

/* A group by its exact name; room for it is there. */
static int ask_name(struct subject *subject, struct policy_group *groups, const char *name)
{
	struct policy_subject *p = &subject->policy;
	char *buffer = NULL;
	struct group gr;
	int r = find_group(name, 0, &gr, &buffer);

	if (r == 0 && is_member(p, &gr)) {
		groups[p->n_groups] = (struct policy_group){gr.gr_gid, arena_strdup(memory(subject), name)};
		r = groups[p->n_groups].name ? 0 : -ENOMEM;
		p->n_groups++;
	}
	free(buffer);
	return r == -ENOENT ? 0 : r;
}

/* Is everybody who knows groups there? A name that nobody has makes glibc ask all of them. */
static int ask_pattern(struct subject *subject, struct policy_group *groups, const char *pattern)
{
	const char *ignored;
	unsigned long gid;

	if (!all_digits(pattern))
		return ask_name(subject, groups, pattern);
	errno = 0;
	gid = strtoul(pattern, NULL, 10);
	return errno || gid > (gid_t)-1 ? 0 : group_name(subject, (gid_t)gid, &ignored);
}

static bool has_globs(const char *const *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_glob(patterns[i]))
			return true;
	return false;
}

/* The names of all gids, where a glob is to be compared with them. */
static int name_gids(struct subject *subject, struct policy_group *groups, const gid_t *gids, size_t n_gids,
		     const struct policy_result *result)
{
	bool wanted = has_globs(result->groups, result->n_groups);
	bool welcome = has_globs(result->trial_groups, result->n_trial_groups);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n_gids; i++) {
		groups[i].gid = gids[i];
		if (wanted || welcome)
			r = group_name(subject, gids[i], &groups[i].name);
		if (r < 0 && r != -ENOMEM && !wanted)
			r = 0;
	}
	return r;
}

static int fill_groups(struct subject *subject, struct policy_group *groups, const gid_t *gids, size_t n_gids,
		       const struct policy_result *result, struct err *err)
{
	struct policy_subject *p = &subject->policy;
	int r = name_gids(subject, groups, gids, n_gids, result);

	if (r < 0)
		return err_set(err, r, "cannot look up the groups of %s", p->user);
	p->groups = groups;
	p->n_groups = n_gids;
	for (size_t i = 0; i < result->n_groups; i++) {
		r = ask_pattern(subject, groups, result->groups[i]);
		if (r < 0)
			return err_set(err, r, "cannot look up group %s", result->groups[i]);
	}
	for (size_t i = 0; i < result->n_trial_groups; i++)
		(void)ask_pattern(subject, groups, result->trial_groups[i]); /* no answer: then it is not tried */
	p->groups_known = true;
	return 0;
}

int subject_add_groups(struct subject *subject, const struct policy_result *result, struct err *err)
{
	struct policy_group *groups;
	size_t n_gids;
	gid_t *gids;
	int r = list_gids(&subject->policy, &gids, &n_gids);

	if (r < 0)
		return err_set(err, r, "cannot look up the groups of %s", subject->policy.user);
	groups = arena_alloc(memory(subject), (n_gids + result->n_groups + result->n_trial_groups) * sizeof(*groups));
	if (groups)
		r = fill_groups(subject, groups, gids, n_gids, result, err);
	else
		r = err_set(err, -ENOMEM, "cannot look up the groups of %s", subject->policy.user);
	free(gids);
	return r;
}
