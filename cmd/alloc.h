/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory for the command, which is a short-lived process: it never runs out quietly. Only cmd/ may use this; lib/
 * returns -ENOMEM like a good guest.
 */
#ifndef NSCLONE_CMD_ALLOC_H
#define NSCLONE_CMD_ALLOC_H

#include <stddef.h>

/* All of these end the process with CMD_UNKNOWN and a message where there is no memory. */
void *alloc_zeroed(size_t n, size_t size);
char *alloc_copy(const char *text);
char *alloc_copy_n(const char *text, size_t n);
char *alloc_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Room for one more at the end of array, which holds n; returns the (moved) array, the new element zeroed. */
void *alloc_one_more(void *array, size_t n, size_t size);

/* A list of strings of its own. */
struct alloc_list {
	char **items;
	size_t n;
};

void alloc_list_add(struct alloc_list *list, const char *text);
int alloc_list_has(const struct alloc_list *list, const char *text);
void alloc_list_done(struct alloc_list *list);

#endif
