/* SPDX-License-Identifier: BSD-3-Clause */
/* pam.d as libpam reads it: files, lines and stacks. See pamd.h. */
#include "cmd/pamd.h"

#include "cmd/pamd_files.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libpam counts includes, whatever their kind. */
enum { MAX_INCLUDES = 16 };

struct reader {
	struct pamd_stack *stack;
	const char *root;
	const char *wanted;  /* pam.conf: the service whose lines count; NULL: every line does */
	enum pamd_type type; /* of the lines wanted: PAMD_ANY outside of includes */
	unsigned includes;
	unsigned level;
};

static int read_file(struct reader *reader, const char *name);

static struct pamd_entry *add(struct reader *reader, const struct pamd_line *line, enum pamd_type type,
			      enum pamd_kind kind)
{
	struct pamd_stack *stack = reader->stack;
	struct pamd_entry *entry;

	stack->entries = alloc_one_more(stack->entries, stack->n, sizeof(*stack->entries));
	entry = &stack->entries[stack->n++];
	entry->kind = kind;
	entry->type = type;
	entry->level = reader->level;
	entry->file = alloc_copy(line->file);
	entry->line = line->number;
	return entry;
}

static void add_broken(struct reader *reader, const struct pamd_line *line, enum pamd_type type, const char *problem)
{
	struct pamd_entry *entry = add(reader, line, type, PAMD_BROKEN);

	entry->problem = problem;
	for (size_t i = 0; i < PAMD_N_CODES; i++)
		entry->actions[i] = PAMD_BAD;
}

/* What cannot be read for its type guards the most sensitive one, as in libpam. */
static enum pamd_type type_of(const struct reader *reader, const char *word)
{
	static const char *const names[] = {
	    [PAMD_AUTH] = "auth",
	    [PAMD_ACCOUNT] = "account",
	    [PAMD_PASSWORD] = "password",
	    [PAMD_SESSION] = "session",
	};

	for (int i = PAMD_AUTH; i <= PAMD_SESSION; i++)
		if (strcasecmp(names[i], word) == 0)
			return (enum pamd_type)i;
	return reader->type != PAMD_ANY ? reader->type : PAMD_AUTH;
}

static bool type_is_known(const char *word)
{
	return strcasecmp(word, "auth") == 0 || strcasecmp(word, "account") == 0 || strcasecmp(word, "password") == 0 ||
	       strcasecmp(word, "session") == 0;
}

/* Returns a negative errno where libpam gives up on the whole file: an @include that fails has no type to be bad for.
 */
static int include(struct reader *reader, const struct pamd_line *line, enum pamd_type type, const char *name,
		   bool substack)
{
	struct reader deeper = *reader;
	int r = -EMLINK;

	if (substack)
		add(reader, line, type, PAMD_SUBSTACK)->module = alloc_copy(name ? name : "");
	deeper.wanted = NULL;
	deeper.type = type;
	deeper.includes++;
	deeper.level += substack;
	if (name && deeper.includes < MAX_INCLUDES) {
		alloc_list_add(&reader->stack->included, name);
		r = read_file(&deeper, name);
	}
	if (r < 0 && type == PAMD_ANY)
		return r;
	if (r < 0)
		add_broken(reader, line, type,
			   r == -EMLINK ? "nothing to include, or includes are nested too deep"
					: "the file that it includes cannot be read to its end");
	return 0;
}

static void module(struct reader *reader, const struct pamd_line *line, enum pamd_type type, bool silent,
		   const char *control, char *rest)
{
	const char *path = pamd_token(&rest), *argument;
	struct pamd_entry *entry;

	if (!path) {
		add_broken(reader, line, type, "no module is named");
		return;
	}
	entry = add(reader, line, type, PAMD_MODULE);
	entry->silent = silent;
	entry->control = alloc_copy(control);
	entry->module = alloc_copy(path);
	if (!pamd_control(control, entry->actions))
		entry->problem = "the control value is not understood, so that every answer counts as a failure";
	while ((argument = pamd_token(&rest)))
		alloc_list_add(&entry->arguments, argument);
}

static int line_of_type(struct reader *reader, const struct pamd_line *line, const char *word, char *rest)
{
	bool silent = *word == '-', known = type_is_known(word + silent);
	enum pamd_type type = type_of(reader, word + silent);
	const char *control;

	/* The second: libpam keeps a stack of each type, pamd_read() was asked for one. */
	if ((reader->type != PAMD_ANY && type != reader->type) || type != reader->stack->type)
		return 0;
	control = pamd_token(&rest);
	if (!known)
		add_broken(reader, line, type, "no such type of module");
	else if (!control)
		add_broken(reader, line, type, "no control value");
	else if (strcasecmp(control, "include") == 0 || strcasecmp(control, "substack") == 0)
		return include(reader, line, type, pamd_token(&rest), strcasecmp(control, "substack") == 0);
	else
		module(reader, line, type, silent, control, rest);
	return 0;
}

static int one_line(struct reader *reader, const struct pamd_line *line)
{
	char *rest = line->text;
	const char *word = pamd_token(&rest);

	if (word && reader->wanted) {
		if (strcasecmp(word, reader->wanted) != 0)
			return 0;
		if (strcmp(reader->wanted, "other") != 0)
			reader->stack->found = true;
		word = pamd_token(&rest);
	} else if (word && strcmp(word, "@include") == 0) {
		/* Debian's: all types at once, as if the text stood here. */
		return include(reader, line, reader->type, pamd_token(&rest), false);
	}
	return line_of_type(reader, line, word ? word : "", rest);
}

static int read_lines(struct reader *reader, FILE *stream, const char *path)
{
	struct pamd_line line = {.file = path};
	int r;

	while ((r = pamd_line_next(stream, &line)) > 0) {
		r = one_line(reader, &line);
		if (r < 0)
			break;
	}
	free(line.text);
	return r;
}

static int read_file(struct reader *reader, const char *name)
{
	char *path = NULL, *denied = NULL;
	FILE *stream = pamd_open(reader->root, name, &path, &denied);
	int r;

	if (denied && !reader->stack->unseen)
		reader->stack->unseen = denied;
	else
		free(denied);
	if (!stream)
		return -ENOENT;
	r = read_lines(reader, stream, path);
	fclose(stream);
	if (r < 0 && !reader->stack->broken && reader->includes == 0)
		reader->stack->broken = alloc_copy(path);
	free(path);
	return r;
}

static void read_pam_conf(struct reader *reader)
{
	char *path = alloc_format("%s/etc/pam.conf", reader->root);
	FILE *stream = fopen(path, "re");

	if (stream && read_lines(reader, stream, path) < 0)
		reader->stack->broken = alloc_copy(path);
	if (!stream && errno == EACCES)
		reader->stack->unseen = alloc_copy(path);
	if (stream)
		fclose(stream);
	free(path);
}

static void read_service(struct reader *reader, const char *service)
{
	if (pamd_has_directory(reader->root)) {
		reader->wanted = NULL;
		if (read_file(reader, service) >= 0 && strcmp(service, "other") != 0)
			reader->stack->found = true;
	} else {
		reader->wanted = service;
		read_pam_conf(reader);
	}
}

static struct pamd_stack *read_stack(const char *root, const char *service, enum pamd_type type)
{
	struct pamd_stack *stack = alloc_zeroed(1, sizeof(*stack));
	struct reader reader = {.stack = stack, .root = root};

	stack->service = alloc_copy(service);
	stack->type = type;
	read_service(&reader, service);
	return stack;
}

/* libpam reads "other" in any case: if it is broken, nothing works. */
struct pamd_stack *pamd_read(const char *root, const char *service, enum pamd_type type)
{
	struct pamd_stack *own = read_stack(root, service, type), *other;

	if (own->broken || strcmp(service, "other") == 0)
		return own;
	other = read_stack(root, "other", type);
	if (own->n > 0 && !other->broken) {
		pamd_free(other);
		return own;
	}
	other->other = true;
	other->found = own->found;
	free(other->service);
	other->service = alloc_copy(service);
	if (!other->unseen) {
		other->unseen = own->unseen;
		own->unseen = NULL;
	}
	pamd_free(own);
	return other;
}

void pamd_free(struct pamd_stack *stack)
{
	if (!stack)
		return;
	for (size_t i = 0; i < stack->n; i++) {
		struct pamd_entry *entry = &stack->entries[i];

		free(entry->file);
		free(entry->control);
		free(entry->module);
		alloc_list_done(&entry->arguments);
	}
	alloc_list_done(&stack->included);
	free(stack->entries);
	free(stack->service);
	free(stack->broken);
	free(stack->unseen);
	free(stack);
}
