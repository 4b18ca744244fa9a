/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is in which world. See population.h. */
#include "cmd/population.h"

#include "cmd/alloc.h"
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A namespace, and whose it is. The kernel's numbers are unique among all kinds. */
struct own {
	uint64_t inode;
	size_t world;
};

struct count {
	const struct held *held;
	struct own *owns; /* sorted */
	size_t n;
	unsigned *counts;
};

static int by_inode(const void *a, const void *b)
{
	const struct own *left = a, *right = b;

	return left->inode < right->inode ? -1 : left->inode > right->inode;
}

static void sort_owns(struct count *count)
{
	for (size_t i = 0; i < count->held->n; i++)
		for (int k = 0; k < KEEPER_N_NS; k++)
			if (count->held->worlds[i].about.inodes[k]) {
				count->owns = alloc_one_more(count->owns, count->n, sizeof(*count->owns));
				count->owns[count->n++] = (struct own){count->held->worlds[i].about.inodes[k], i};
			}
	if (count->n)
		qsort(count->owns, count->n, sizeof(*count->owns), by_inode);
}

static const struct own *own_of(const struct count *count, int process, int place)
{
	char path[32], text[64];
	const char *open;
	struct own key = {0};

	snprintf(path, sizeof(path), "ns/%s", nsclone_ns_name(keeper_nstype((enum keeper_ns)place)));
	if (sys_readlinkat(process, path, text, sizeof(text)) < 0)
		return NULL;
	open = strchr(text, '[');
	if (open)
		key.inode = strtoull(open + 1, NULL, 10);
	return bsearch(&key, count->owns, count->n, sizeof(key), by_inode);
}

/* Process 1 of the PID namespace that it is in. */
static bool is_init(int process)
{
	cleanup_fd int fd = sys_openat(process, "status", O_RDONLY);
	char text[4096], *line, *last;
	ssize_t n = fd < 0 ? fd : sys_read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	line = strstr(text, "\nNSpid:");
	if (!line)
		return false;
	line[1 + strcspn(line + 1, "\n")] = '\0';
	last = strrchr(line, '\t');
	return last && strcmp(last, "\t1") == 0;
}

static void look_at(struct count *count, int proc, const char *pid)
{
	cleanup_fd int process = sys_openat(proc, pid, O_PATH | O_DIRECTORY);
	const struct own *own = NULL;

	for (int i = 0; process >= 0 && !own && i < KEEPER_N_NS; i++)
		own = own_of(count, process, i);
	if (!own)
		return;
	if (!count->held->worlds[own->world].about.inodes[KEEPER_NS_PID] || !is_init(process))
		count->counts[own->world]++;
}

int population_count(const struct held *held, unsigned *counts)
{
	struct count count = {.held = held, .counts = counts};
	DIR *proc = NULL;
	struct dirent *d;
	int r = sys_opendir("/proc", &proc);

	if (r < 0)
		return r;
	sort_owns(&count);
	while ((errno = 0, d = readdir(proc)))
		if (d->d_name[0] >= '1' && d->d_name[0] <= '9' && count.n)
			look_at(&count, dirfd(proc), d->d_name);
	r = -errno;
	closedir(proc);
	free(count.owns);
	return r;
}
