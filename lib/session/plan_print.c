/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan_print(): one line a step, stable: golden tests compare it. Nothing is run that is not printed.
 */
#include <errno.h>
#include <linux/mount.h>
#include <string.h>
#include "lib/session/builder.h"

static const struct {
	uint64_t attribute;
	const char *name;
} ATTRIBUTES[] = {
	{MOUNT_ATTR_RDONLY, "ro"},	{MOUNT_ATTR_NOSUID, "nosuid"},	 {MOUNT_ATTR_NODEV, "nodev"},
	{MOUNT_ATTR_NOEXEC, "noexec"},	{MOUNT_ATTR_NOATIME, "noatime"}, {MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow"},
};
enum { N_ATTRIBUTES = sizeof(ATTRIBUTES) / sizeof(*ATTRIBUTES) };

static void print_options(const struct plan_step *step, FILE *stream)
{
	const char *separator = " ";

	for (size_t i = 0; i < N_ATTRIBUTES; i++) {
		if (step->attributes & ATTRIBUTES[i].attribute) {
			fprintf(stream, "%s%s", separator, ATTRIBUTES[i].name);
			separator = ",";
		}
	}
	for (size_t i = 0; i < step->n_options; i++) {
		fprintf(stream, "%s%s", separator, step->options[i].key);
		if (step->options[i].value)
			fprintf(stream, "=%s", step->options[i].value);
		separator = ",";
	}
}

static void print_directory(const struct plan_step *step, FILE *stream)
{
	fprintf(stream, "directory   %s %04o %u:%u%s%s%s", step->path, (unsigned)step->mode, (unsigned)step->uid,
		(unsigned)step->gid, step->exclusive ? " new" : "", step->lock ? " locked" : "",
		step->as_user ? " as-user" : "");
}

static void print_attach(const struct plan *plan, const struct plan_step *step, FILE *stream)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct plan_step *source = &plan->steps[i];

		if (source->slot == step->from)
			fprintf(stream, "attach      %s on %s",
				source->kind == PLAN_FILESYSTEM || source->kind == PLAN_TAKE ? source->name : source->path, step->path);
	}
}

/* The lines of the maps, with commas between */
static void print_users(const struct plan_step *step, FILE *stream)
{
	fputs("users       new", stream);
	for (size_t i = 0; i < step->n_options; i++) {
		fprintf(stream, " %s=", step->options[i].key);
		for (const char *s = step->options[i].value; *s; s++)
			if (*s != '\n' || s[1])
				fputc(*s == '\n' ? ',' : *s == ' ' ? ':' : *s, stream);
	}
}

/* No default: a new kind does not compile until it can be printed. */
static void print_step(const struct plan *plan, const struct plan_step *step, FILE *stream)
{
	switch (step->kind) {
	case PLAN_JOIN:
		fprintf(stream, "join        %s of %s", nsclone_ns_name(step->nstype), step->name);
		break;
	case PLAN_TAKE:
		fprintf(stream, "take        %s of the init for %s", step->name, step->path);
		print_options(step, stream);
		break;
	case PLAN_USERS:
		print_users(step, stream);
		break;
	case PLAN_COLLECT:
		fprintf(stream, "collect     %s uid=%u", step->path, (unsigned)step->uid);
		break;
	case PLAN_UNSHARE:
		fprintf(stream, "unshare     %s", nsclone_ns_name(step->nstype));
		break;
	case PLAN_SLAVE:
		fprintf(stream, "slave       %s", step->path);
		break;
	case PLAN_NEW_ROOT:
		fprintf(stream, "new-root    %s", step->path);
		break;
	case PLAN_DIRECTORY:
		print_directory(step, stream);
		break;
	case PLAN_RECORD:
		fprintf(stream, "record      %s/sessions/%s of %s", NSCLONE_RUN_DIR, step->name, step->path);
		break;
	case PLAN_COPY:
		fprintf(stream, "copy        %s%s", step->path, step->recursive ? " recursive" : "");
		print_options(step, stream);
		break;
	case PLAN_FILESYSTEM:
		fprintf(stream, "filesystem  %s for %s", step->name, step->path);
		print_options(step, stream);
		break;
	case PLAN_HOSTNAME:
		fprintf(stream, "hostname    %s", step->name);
		break;
	case PLAN_LOOPBACK:
		fprintf(stream, "loopback    %s up", step->path);
		break;
	case PLAN_DETACH:
		fprintf(stream, "detach      %s", step->path);
		break;
	case PLAN_PRIVATE:
		fprintf(stream, "private     mount of %s", step->path);
		break;
	case PLAN_ATTACH:
		print_attach(plan, step, stream);
		break;
	case PLAN_PIVOT:
		fprintf(stream, "pivot       %s", step->path);
		break;
	case PLAN_WORKING_DIRECTORY:
		fprintf(stream, "workdir     as %u", (unsigned)step->uid);
		break;
	}
	if (step->pos.file)
		fprintf(stream, "  # %s:%u", step->pos.file, step->pos.line);
	fputc('\n', stream);
}

int plan_print(const struct plan *plan, FILE *stream)
{
	for (size_t i = 0; i < plan->n; i++)
		print_step(plan, &plan->steps[i], stream);
	return ferror(stream) ? -EIO : 0;
}
