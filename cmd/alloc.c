/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory for the command. See alloc.h. */
#include "cmd/alloc.h"

#include "cmd/cmd.h"
#include <err.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_exit(void *memory)
{
	if (!memory)
		errx(CMD_UNKNOWN, "out of memory");
	return memory;
}

void *alloc_zeroed(size_t n, size_t size)
{
	return or_exit(calloc(n ? n : 1, size));
}

char *alloc_copy(const char *text)
{
	return or_exit(strdup(text));
}

char *alloc_copy_n(const char *text, size_t n)
{
	return or_exit(strndup(text, n));
}

char *alloc_format(const char *format, ...)
{
	char *text = NULL;
	va_list arguments;
	int r;

	va_start(arguments, format);
	r = vasprintf(&text, format, arguments);
	va_end(arguments);
	return or_exit(r < 0 ? NULL : text);
}

/* Powers of two, so that growing stays linear without a capacity to carry along. */
void *alloc_one_more(void *array, size_t n, size_t size)
{
	if (n == 0 || (n & (n - 1)) == 0) {
		if (n > SIZE_MAX / 2 / size)
			or_exit(NULL);
		array = or_exit(realloc(array, (n ? 2 * n : 1) * size));
	}
	memset((char *)array + n * size, 0, size);
	return array;
}

void alloc_list_add(struct alloc_list *list, const char *text)
{
	list->items = alloc_one_more(list->items, list->n, sizeof(*list->items));
	list->items[list->n++] = alloc_copy(text);
}

int alloc_list_has(const struct alloc_list *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i], text) == 0)
			return 1;
	return 0;
}

void alloc_list_done(struct alloc_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct alloc_list){0};
}
