/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reader of lines. It knows nothing of sections and keys, only what systemd.syntax(7) says of lines: comments,
 * continuation (a comment within is skipped, a blank line ends it), and what no line may contain. A file that is
 * cut off in the middle of a continued line is an error, not a shorter policy.
 */
#include "lib/policy/text.h"
#include "lib/policy/pool.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t text_character(const char *s, size_t size, unsigned *ret)
{
	static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)s;
	size_t n;
	unsigned c;

	if (!size)
		return 0;
	n = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf8 ? 4 : 0;
	if (!n || n > size)
		return 0;
	c = n == 1 ? p[0] : p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*ret = c;
	return n;
}

static bool bad_character(const char *s, size_t offset, size_t n, unsigned c, struct complaint *complaint)
{
	if (!n)
		return complain(complaint, offset, "policy files are UTF-8", "byte 0x%02x is not UTF-8",
				(unsigned char)*s);
	if (!c)
		return complain(complaint, offset, NULL, "NUL byte");
	if (c == '\r')
		return complain(complaint, offset, "lines end in LF or CR LF", "carriage return within a line");
	return complain(complaint, offset, NULL, "control character 0x%02x", c);
}

/* Eight bytes of plain ASCII at once: none below 0x20, none above 0x7e. */
static bool eight_plain(const char *s)
{
	const uint64_t ones = ~0ull / 0xff;
	uint64_t x;

	memcpy(&x, s, sizeof(x));
	return !(((x - 0x20 * ones) | (x + ones) | x) & 0x80 * ones);
}

/* Most lines are plain; every login reads all of them. The last eight bytes may overlap those before them. */
static bool all_plain(const char *s, size_t size)
{
	char eight[8];

	if (size < 4)
		return !size;
	if (size < 8) {
		memcpy(eight, s, 4);
		memcpy(eight + 4, s + size - 4, 4);
		return eight_plain(eight);
	}
	for (size_t i = 0; i < size - 8; i += 8)
		if (!eight_plain(s + i))
			return false;
	return eight_plain(s + size - 8);
}

bool text_check(const char *s, size_t size, bool tabs, struct complaint *complaint)
{
	if (all_plain(s, size))
		return true;
	for (size_t i = 0; i < size;) {
		unsigned c = (unsigned char)s[i];
		size_t n = 1;

		if (c >= 0x80)
			n = text_character(s + i, size - i, &c);
		if (!n || (c < 0x20 && !(tabs && c == '\t')) || (c >= 0x7f && c < 0xa0))
			return bad_character(s + i, i, n, c, complaint);
		i += n;
	}
	return true;
}

void reader_init(struct reader *reader, const char *name, const char *data, size_t size)
{
	*reader = (struct reader){.name = name, .next = data, .end = size ? data + size : data};
	if (size >= 3 && !memcmp(data, "\xef\xbb\xbf", 3)) {
		reader->next += 3;
		reader->skipped = 3;
	}
}

void reader_done(struct reader *reader)
{
	free(reader->joined);
	free(reader->pieces);
}

struct policy_pos reader_pos(const struct reader *reader, const char *at)
{
	struct policy_pos pos = {reader->name, reader->number, 0};
	const char *start = reader->start;

	if (reader->n_pieces) {
		size_t offset = (size_t)(at - reader->joined);
		size_t low = 0;
		size_t high = reader->n_pieces;

		while (high - low > 1) {
			size_t middle = low + (high - low) / 2;

			*(reader->pieces[middle].start <= offset ? &low : &high) = middle;
		}
		pos.line = reader->pieces[low].line;
		start = reader->joined + reader->pieces[low].start;
	}
	pos.column = (unsigned)(at - start) + 1 + (pos.line == 1 ? reader->skipped : 0);
	return pos;
}

/* A physical line, without its end. */
static bool physical_line(struct reader *reader, const char **ret, size_t *ret_size)
{
	const char *start = reader->next;
	const char *newline;
	size_t size;

	if (start == reader->end)
		return false;
	newline = memchr(start, '\n', (size_t)(reader->end - start));
	size = (size_t)((newline ? newline : reader->end) - start);
	reader->next = newline ? newline + 1 : reader->end;
	reader->number++;
	if (size && start[size - 1] == '\r')
		size--;
	*ret = start;
	*ret_size = size;
	return true;
}

static void fault_at(struct reader *reader, struct line *line, const struct complaint *c)
{
	unsigned skipped = reader->number == 1 ? reader->skipped : 0;

	if (line->faulty)
		return;
	line->faulty = true;
	reader->fault = *c;
	reader->fault_pos = (struct policy_pos){reader->name, reader->number, (unsigned)c->offset + 1 + skipped};
}

static bool check_line(const char *s, size_t size, struct complaint *c)
{
	if (size > TEXT_LONGEST_LINE)
		return complain(c, TEXT_LONGEST_LINE, "end lines in \\ and go on in the next",
				"a line of %zu bytes; at most %d are allowed", size, TEXT_LONGEST_LINE);
	return text_check(s, size, true, c);
}

/* An odd number of backslashes at the end. */
static bool is_continued(const char *s, size_t size)
{
	size_t n = 0;

	while (n < size && s[size - 1 - n] == '\\')
		n++;
	return n % 2;
}

static void check_blank_after_backslash(struct reader *reader, struct line *line, const char *s, size_t size)
{
	struct complaint c;
	size_t n = size;

	while (n && is_blank(s[n - 1]))
		n--;
	if (n == size || !is_continued(s, n))
		return;
	complain(&c, n, "remove it: only a \\ at the very end joins lines",
		 "white space behind a \\ at the end of the line");
	fault_at(reader, line, &c);
}

static bool is_comment(const char *s, size_t size)
{
	while (size && is_blank(*s)) {
		s++;
		size--;
	}
	return size && (*s == '#' || *s == ';');
}

static void trim(struct line *line)
{
	while (line->size && is_blank(line->text[line->size - 1]))
		line->size--;
	while (line->size && is_blank(*line->text)) {
		line->text++;
		line->size--;
	}
}

/* Append a physical line, whose trailing backslash becomes a space. */
static bool add_piece(struct reader *reader, const char *s, size_t size, bool continued)
{
	if (!pool_grow(&reader->pieces, &reader->pieces_capacity, reader->n_pieces, sizeof(*reader->pieces)))
		return false;
	reader->pieces[reader->n_pieces++] = (struct piece){reader->joined_size, reader->number};
	for (size_t i = 0; i < size; i++) {
		if (!pool_grow(&reader->joined, &reader->joined_capacity, reader->joined_size, 1))
			return false;
		reader->joined[reader->joined_size++] = continued && i == size - 1 ? ' ' : s[i];
	}
	return true;
}

/* The rest of a line whose first physical line ends in a backslash. */
static bool join(struct reader *reader, struct line *line, const char *s, size_t size)
{
	struct complaint c;
	bool more = true;

	for (bool comment = false; more;) {
		if (!check_line(s, size, &c))
			fault_at(reader, line, &c);
		more = comment || is_continued(s, size);
		if (!comment && !more)
			check_blank_after_backslash(reader, line, s, size);
		if (!comment && !add_piece(reader, s, size, more))
			return false;
		if (more && !physical_line(reader, &s, &size)) {
			complain(&c, size ? size - 1 : 0, NULL, "the file ends in the middle of a continued line");
			fault_at(reader, line, &c);
			break;
		}
		comment = is_comment(s, size);
	}
	line->joined = true;
	line->text = reader->joined;
	line->size = reader->joined_size;
	return true;
}

/* Nothing to skip, to trim or to join: what nearly every line is. */
static bool is_simple(const char *s, size_t size)
{
	char last = s[size - 1];

	return !is_blank(*s) && *s != '#' && *s != ';' && !is_blank(last) && last != '\\';
}

static void check_alone(struct reader *reader, struct line *line, bool comment)
{
	struct complaint c;

	if (!check_line(line->text, line->size, &c))
		fault_at(reader, line, &c);
	if (!comment)
		check_blank_after_backslash(reader, line, line->text, line->size);
}

/* false: a line of nothing. */
static bool logical_line(struct reader *reader, struct line *line, const char *s, size_t size)
{
	struct complaint c;
	bool comment;

	*line = (struct line){.text = s, .size = size};
	if (!size)
		return false;
	if (is_simple(s, size)) {
		if (!check_line(s, size, &c))
			fault_at(reader, line, &c);
		line->heading = *s == '[';
		return true;
	}
	comment = is_comment(s, size);
	if (!comment && is_continued(s, size))
		reader->out_of_memory = !join(reader, line, s, size);
	else
		check_alone(reader, line, comment);
	trim(line);
	line->heading = !comment && line->size && *line->text == '[';
	return line->faulty || (line->size && !comment);
}

bool reader_next(struct reader *reader, struct line *line)
{
	const char *s;
	size_t size;

	while (!reader->out_of_memory && physical_line(reader, &s, &size)) {
		reader->start = s;
		reader->n_pieces = reader->joined_size = 0;
		if (logical_line(reader, line, s, size))
			return !reader->out_of_memory;
	}
	return false;
}
