/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nsclone end: everything that runs in a user's worlds is killed, by the keeper, which then forgets them. Their next login
 * gets a new one. Directories that the policy keeps stay.
 */
#include "cmd/cmd.h"
#include "cmd/held.h"
#include "cmd/options.h"
#include "lib/core/sys.h"
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WAIT_MS = 8000, LOOK_US = 50000 };

struct ending {
	uid_t uid;
	uint64_t world; /* 0: all of the user's */
	bool no_wait;
};

static int complain(const char *what, int r)
{
	fprintf(stderr, "nsclone end: %s\n", what ? what : held_why(r));
	return CMD_UNKNOWN;
}

static bool is_meant(const struct ending *ending, const struct held_world *world)
{
	return world->about.uid == ending->uid && (!ending->world || world->about.world == ending->world);
}

/* How many there are, or a negative errno. */
static int count(const struct ending *ending)
{
	struct held held;
	int r = held_read(&held), n = 0;

	for (size_t i = 0; r == 0 && i < held.n; i++)
		n += is_meant(ending, &held.worlds[i]);
	held_done(&held);
	return r < 0 ? r : n;
}

static int tell_what_is_left(const struct ending *ending)
{
	char id[HELD_ID_SIZE], namespaces[64];
	struct held held;
	int r = held_read(&held);

	for (size_t i = 0; r == 0 && i < held.n; i++) {
		const struct held_world *world = &held.worlds[i];

		if (is_meant(ending, world))
			fprintf(stderr, "nsclone end: world %s of %s (%s) is still there, %zu sessions: %s\n",
				held_id(world->about.world, id), world->about.user, held_state(world), world->n_sessions,
				*held_namespaces(world, namespaces, sizeof(namespaces)) ? namespaces
										     : "its directories are in use");
	}
	held_done(&held);
	return CMD_NO;
}

static int wait_for_end(const struct ending *ending)
{
	int64_t end = sys_monotonic_ms() + WAIT_MS;
	int n = count(ending);

	while (n > 0 && sys_monotonic_ms() < end) {
		sys_sleep_us(LOOK_US);
		n = count(ending);
	}
	if (n < 0)
		return complain(NULL, n);
	return n == 0 ? CMD_YES : tell_what_is_left(ending);
}

static int ask(const struct ending *ending)
{
	struct keeper_message message;
	int link = keeper_connect_only(), r;

	if (link < 0)
		return link;
	keeper_message_init(&message, KEEPER_END);
	message.uid = ending->uid;
	message.world = ending->world;
	r = keeper_ask(link, &message, NULL, &message, NULL);
	sys_close(link);
	return r;
}

static int end(const struct ending *ending, const char *user)
{
	int n = count(ending), r;

	if (n < 0)
		return complain(NULL, n);
	r = n == 0 ? -ESRCH : ask(ending);
	if (r == -ESRCH) {
		fprintf(stderr, "nsclone end: %s has no such world: nothing to end\n", user);
		return CMD_NO;
	}
	if (r < 0)
		return complain(NULL, r);
	return ending->no_wait ? CMD_YES : wait_for_end(ending);
}

int cmd_end(int argc, char **argv)
{
	struct ending ending = {0};
	const char *world = NULL;
	struct options options = {
	    .words = "USER",
	    .about = "Kill everything that runs in USER's worlds, and end these. Directories that are kept stay.",
	};
	int r;

	options_add(&options, (struct options_row){"world", 'w', "ID", "only this one, as list names it", NULL, &world});
	options_add(&options,
		    (struct options_row){"no-wait", 0, NULL, "do not wait until it is done", &ending.no_wait, NULL});
	r = options_parse(&options, argc, argv);
	if (r != OPTIONS_GO_ON)
		return r;
	if (optind + 1 != argc)
		return options_usage(&options, argv[0], "one USER is wanted");
	if (world && !held_parse_id(world, &ending.world))
		return options_usage(&options, argv[0], "%s is no world's id", world);
	r = held_uid(argv[optind], &ending.uid);
	if (r < 0) {
		fprintf(stderr, "nsclone end: %s: %s\n", argv[optind], r == -ENOENT ? "there is no such user" : strerror(-r));
		return CMD_UNKNOWN;
	}
	return end(&ending, argv[optind]);
}
