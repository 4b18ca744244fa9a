/* SPDX-License-Identifier: BSD-3-Clause */
/* From the bytes of a file to logical lines, each of whose bytes knows its place in the file. */
#ifndef NSCLONE_POLICY_TEXT_H
#define NSCLONE_POLICY_TEXT_H

#include "lib/policy/complaint.h"
#include "lib/policy/policy.h"
#include <stdbool.h>
#include <stddef.h>

enum { TEXT_LONGEST_LINE = 4096, TEXT_LARGEST_FILE = 4 << 20 };

/* Where a part of a joined line comes from. */
struct piece {
	size_t start; /* in the joined text */
	unsigned line;
};

/* A line of something, neither blank nor comment, with what followed a trailing backslash joined on. */
struct line {
	const char *text; /* not ended by NUL; white space around it is gone */
	size_t size;
	bool joined;  /* text is the reader's and goes with the next line; else it is in the file's data */
	bool faulty;  /* not to be read: the reader's fault says why, and fault_pos where */
	bool heading; /* it begins with '[', faulty or not */
};

struct reader {
	const char *name;
	const char *next;
	const char *end;
	unsigned number;  /* of the physical line that was read last */
	unsigned skipped; /* bytes of a BOM before the first line */
	/* The current line: */
	const char *start; /* of its physical line, if it is not joined */
	char *joined;
	size_t joined_size;
	size_t joined_capacity;
	struct piece *pieces;
	size_t n_pieces;
	size_t pieces_capacity;
	struct complaint fault;
	struct policy_pos fault_pos;
	bool out_of_memory;
};

/* Borrows name and data. */
void reader_init(struct reader *reader, const char *name, const char *data, size_t size);
void reader_done(struct reader *reader);

/* false: no more lines, or out of memory (reader->out_of_memory). */
bool reader_next(struct reader *reader, struct line *line);

/* Where byte `at` of the line's text is. Only until the next reader_next(). */
struct policy_pos reader_pos(const struct reader *reader, const char *at);

/* The bytes that the first character of s takes; 0: it is not UTF-8. */
size_t text_character(const char *s, size_t size, unsigned *ret);

/* What a policy may be made of: UTF-8 without control characters; tabs only where white space is meant. */
bool text_check(const char *s, size_t size, bool tabs, struct complaint *c);

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

#endif
