/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finding and reading the policy files.
 *
 * A file counts as root's word only if root alone could have written it (trust.h). What is wrong with one file spoils
 * that file, loudly; a directory that cannot be listed is never an empty one.
 */
#include "lib/session/files.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"
#include "lib/session/arena.h"
#include "lib/session/trust.h"

enum { MAX_FILE = 4 * 1024 * 1024, MAX_FILES = 4096 };

struct entry {
	const char *name; /* what it is sorted and hidden by */
	const char *path;
	struct policy_text text;
};

struct files {
	struct arena *arena;
	struct entry *entries;
	size_t n;
	struct policy_text *texts;
	const char **ignored;
	size_t n_ignored;
	uid_t trusted_uid;
	const char *known; /* a directory that is root's, as are all above it */
};

static int add_entry(struct files *files, const char *name, const char *path, struct entry **ret)
{
	struct entry *entry;

	for (size_t i = 0; i < files->n; i++) /* first come, first served: /etc hides the vendor's namesake */
		if (strcmp(files->entries[i].name, name) == 0)
			return 0;
	if (files->n == MAX_FILES)
		return -E2BIG;
	if ((files->n & (files->n - 1)) == 0) {
		struct entry *more = reallocarray(files->entries, files->n ? 2 * files->n : 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		files->entries = more;
	}
	entry = &files->entries[files->n];
	*entry = (struct entry){
		.name = arena_strdup(&files->arena, name),
		.path = arena_strdup(&files->arena, path),
	};
	if (!entry->name || !entry->path)
		return -ENOMEM;
	entry->text.name = entry->path;
	files->n++;
	*ret = entry;
	return 1;
}

static int read_whole(struct files *files, int fd, size_t size, struct policy_text *text)
{
	char *data = arena_room(&files->arena, size + 1);
	size_t used = 0;
	ssize_t n;

	if (!data)
		return -ENOMEM;
	do { /* one byte more than fstat said: a file that grows meanwhile is not read in part */
		n = sys_read(fd, data + used, size + 1 - used);
		if (n < 0)
			return (int)n;
		used += (size_t)n;
	} while (n > 0 && used < size);
	if (used > size)
		return -EBUSY;
	text->data = data;
	text->size = used;
	return 0;
}

/* A link to /dev/null masks the vendor's file of that name; any other link is refused: whose word is it? */
static int examine_link(int dirfd, const char *name, struct policy_text *text)
{
	char target[sizeof("/dev/null") + 1];
	ssize_t n = sys_readlinkat(dirfd, name, target, sizeof(target));

	if (n >= 0 && strcmp(target, "/dev/null") == 0)
		text->data = "";
	else
		text->unreadable = "is a symbolic link (only one to /dev/null has a meaning: it masks)";
	return 0;
}

static int read_regular(struct files *files, int fd, struct policy_text *text)
{
	struct stat st;
	int r = sys_fstat(fd, &st);

	if (r < 0)
		return r;
	text->unreadable = !S_ISREG(st.st_mode) ? "is not a regular file"
			   : st.st_size > MAX_FILE ? "is larger than 4 MiB"
						   : trust_check(files->trusted_uid, &st, false);
	return text->unreadable ? 0 : read_whole(files, fd, (size_t)st.st_size, text);
}

/* -ENOMEM, or 0 with what is wrong in text->unreadable. */
static int read_entry(struct files *files, int dirfd, const char *name, struct policy_text *text)
{
	/* O_NONBLOCK: a FIFO must not hang a login */
	cleanup_fd int fd = sys_openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	char buffer[128];
	int r;

	r = fd == -ELOOP ? examine_link(dirfd, name, text) : fd < 0 ? fd : read_regular(files, fd, text);
	if (r >= 0 || r == -ENOMEM)
		return r;
	text->unreadable = arena_printf(&files->arena, "cannot be read: %s", strerror_r(-r, buffer, sizeof(buffer)));
	return text->unreadable ? 0 : -ENOMEM;
}

static int note_ignored(struct files *files, const char *path)
{
	const char **more = reallocarray(files->ignored, files->n_ignored + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	files->ignored = more;
	files->ignored[files->n_ignored] = arena_strdup(&files->arena, path);
	return files->ignored[files->n_ignored++] ? 0 : -ENOMEM;
}

static bool ends_in_conf(const char *name)
{
	size_t length = strlen(name);

	return length > 5 && strcmp(name + length - 5, ".conf") == 0;
}

static int add_name(struct files *files, int dirfd, const char *directory, const char *name, const char *spoilt)
{
	char *path = arena_printf(&files->arena, "%s/%s", directory, name);
	struct entry *entry;
	int r;

	if (!path)
		return -ENOMEM;
	if (!ends_in_conf(name))
		return note_ignored(files, path);
	r = add_entry(files, name, path, &entry);
	if (r <= 0)
		return r;
	if (spoilt) {
		entry->text.unreadable = arena_printf(&files->arena, "its directory %s", spoilt);
		return entry->text.unreadable ? 0 : -ENOMEM;
	}
	return read_entry(files, dirfd, name, &entry->text);
}

/* A directory that cannot be read spoils the whole policy, as a file that cannot be read does. */
static int spoil(struct files *files, const char *path, int code, const char *what)
{
	struct entry *entry;
	char buffer[128];
	int r;

	if (code == -ENOMEM)
		return code;
	r = add_entry(files, path, path, &entry);
	if (r <= 0)
		return r;
	entry->text.unreadable =
		arena_printf(&files->arena, "%s: %s", what, strerror_r(-code, buffer, sizeof(buffer)));
	return entry->text.unreadable ? 0 : -ENOMEM;
}

/* *links: the path may lead through some, or through `..`. */
static int open_directory(const char *path, int flags, bool *links)
{
	int fd = nsclone_open_nosymlink(AT_FDCWD, path, flags | O_DIRECTORY);

	*links = fd < 0 && fd != -ENOENT;
	return *links ? sys_open(path, flags | O_DIRECTORY) : fd;
}

/* NULL: the directory is root's, and what is above it need not be asked again. */
static const char *check_directory(struct files *files, int fd, const char *path, bool links)
{
	struct stat st;
	const char *why;

	if (links)
		return trust_check_directory(files->trusted_uid, fd, path);
	if (sys_fstat(fd, &st) < 0)
		return "cannot be examined";
	why = trust_check_plain(files->trusted_uid, fd, &st, path, files->known);
	if (!why)
		files->known = path;
	return why;
}

static int add_names(struct files *files, int fd, const char *directory, const char *names, size_t size,
		     const char *spoilt)
{
	const struct sys_dirent *d;
	int r = 0;

	for (size_t at = 0; r >= 0 && at < size; at += d->size) {
		d = (const void *)(names + at);
		if (d->name[0] != '.')
			r = add_name(files, fd, directory, d->name, spoilt);
	}
	return r;
}

static int list_directory(struct files *files, int fd, const char *directory, bool links)
{
	const char *spoilt = check_directory(files, fd, directory, links);
	_Alignas(struct sys_dirent) char names[4096];
	ssize_t n;
	int r;

	while ((n = sys_getdents(fd, names, sizeof(names))) > 0) {
		r = add_names(files, fd, directory, names, (size_t)n, spoilt);
		if (r < 0)
			return spoil(files, directory, r, "cannot be read");
	}
	return n < 0 ? spoil(files, directory, (int)n, "cannot be listed") : 0;
}

/* missing_ok: one of the default directories, which need not be there. */
static int read_directory(struct files *files, const char *directory, bool missing_ok)
{
	bool links;
	cleanup_fd int fd = open_directory(directory, O_RDONLY, &links);

	if (fd == -ENOENT && missing_ok)
		return 0;
	if (fd < 0)
		return spoil(files, directory, fd, "cannot be opened");
	return list_directory(files, fd, directory, links);
}

/* Sorts before every name in the directories: no name there may be empty. */
#define MAIN_FILE_KEY ""
#define MAIN_FILE NSCLONE_SYSCONF_DIR "/nsclone.conf"

static int read_main_file(struct files *files)
{
	cleanup_fd int dirfd = -1;
	const char *spoilt;
	struct entry *entry;
	struct stat st;
	bool links;
	int r = sys_fstatat(AT_FDCWD, MAIN_FILE, &st);

	if (r == -ENOENT)
		return 0;
	r = add_entry(files, MAIN_FILE_KEY, MAIN_FILE, &entry);
	if (r <= 0)
		return r;
	dirfd = open_directory(NSCLONE_SYSCONF_DIR, O_PATH, &links);
	spoilt = dirfd < 0 ? "cannot be opened" : check_directory(files, dirfd, NSCLONE_SYSCONF_DIR, links);
	if (!spoilt)
		return read_entry(files, dirfd, "nsclone.conf", &entry->text);
	entry->text.unreadable = arena_printf(&files->arena, "its directory %s", spoilt);
	return entry->text.unreadable ? 0 : -ENOMEM;
}

/* An administrator's draft: it goes first, so that what it hides is not even looked at. Its directory may be anybody's. */
static int read_replacement(struct files *files, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	struct entry *entry;
	int r;

	if (!ends_in_conf(name))
		return err_set(err, -EINVAL, "%s: the name of a policy file ends in .conf", path);
	r = add_entry(files, strcmp(name, "nsclone.conf") == 0 ? MAIN_FILE_KEY : name, path, &entry);
	if (r == 0)
		return err_set(err, -EEXIST, "%s: two files of this name are given", path);
	if (r > 0)
		r = read_entry(files, AT_FDCWD, path, &entry->text);
	return r < 0 ? err_set(err, r, "cannot read %s", path) : 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int read_all(struct files *files, const struct files_request *request, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < request->n_replacements; i++)
		r = read_replacement(files, request->replacements[i], err);
	if (r < 0)
		return r;
	if (request->directory) {
		r = read_directory(files, request->directory, false);
	} else {
		r = read_main_file(files);
		if (r == 0)
			r = read_directory(files, NSCLONE_SYSCONF_DIR "/nsclone.d", true);
		if (r == 0)
			r = read_directory(files, NSCLONE_VENDOR_DIR, true);
	}
	return r < 0 ? err_set(err, r, "cannot read the policy") : 0;
}

int files_read(const struct files_request *request, struct files **ret, struct err *err)
{
	struct files *files = calloc(1, sizeof(*files));
	int r;

	if (!files)
		return err_set(err, -ENOMEM, "cannot read the policy");
	files->trusted_uid = request->trusted_uid;
	r = read_all(files, request, err);
	if (r == 0 && files->n) {
		qsort(files->entries, files->n, sizeof(*files->entries), by_name);
		files->texts = arena_alloc(&files->arena, files->n * sizeof(*files->texts));
		if (!files->texts)
			r = err_set(err, -ENOMEM, "cannot read the policy");
	}
	if (r < 0) {
		files_free(files);
		return r;
	}
	for (size_t i = 0; files->texts && i < files->n; i++)
		files->texts[i] = files->entries[i].text;
	*ret = files;
	return 0;
}

struct files *files_free(struct files *files)
{
	if (files) {
		free(files->entries);
		free(files->ignored);
		arena_free(files->arena);
		free(files);
	}
	return NULL;
}

size_t files_texts(const struct files *files, const struct policy_text **ret)
{
	*ret = files->texts;
	return files->n;
}

size_t files_ignored(const struct files *files, const char *const **ret)
{
	*ret = files->ignored;
	return files->n_ignored;
}
