/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nsclone list: who is in which world, one row for each session; a world that nobody is logged in to has one row, too. What
 * the keeper tells is shown; whether a world is stale is decided by login_decide(), as the session's next login would.
 */
#include "cmd/alloc.h"
#include "cmd/cmd.h"
#include "cmd/enter.h"
#include "cmd/held.h"
#include "cmd/population.h"
#include "cmd/request.h"
#include "cmd/table.h"
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	USER, UID, WORLD, SERVICE, TTY, RHOST, FROM, SINCE, PID, PROCESSES,
	MNT, IPC, UTS, NET, PIDNS, CGROUP, USERNS, RULE, STALE, STATE, N_COLUMNS,
};

static const struct table_column COLUMNS[] = {
	[USER] = {"USER", TABLE_TEXT, false, false},	[UID] = {"UID", TABLE_NUMBER, false, true},
	[WORLD] = {"WORLD", TABLE_TEXT, false, false},	[SERVICE] = {"SERVICE", TABLE_TEXT, false, false},
	[TTY] = {"TTY", TABLE_TEXT, false, false},	[RHOST] = {"RHOST", TABLE_TEXT, false, false},
	[FROM] = {"FROM", TABLE_TEXT, false, true},	[SINCE] = {"SINCE", TABLE_TEXT, false, false},
	[PID] = {"PID", TABLE_NUMBER, false, false},	[PROCESSES] = {"PROCESSES", TABLE_NUMBER, false, false},
	[MNT] = {"MNT", TABLE_NUMBER, false, true},	[IPC] = {"IPC", TABLE_NUMBER, false, true},
	[UTS] = {"UTS", TABLE_NUMBER, false, true},	[NET] = {"NET", TABLE_NUMBER, false, true},
	[PIDNS] = {"PIDNS", TABLE_NUMBER, false, true}, [CGROUP] = {"CGROUP", TABLE_NUMBER, false, true},
	[USERNS] = {"USERNS", TABLE_NUMBER, false, true}, [RULE] = {"RULE", TABLE_TEXT, true, true},
	[STALE] = {"STALE", TABLE_TEXT, false, false},	[STATE] = {"STATE", TABLE_TEXT, false, false},
};

static const int INODE_COLUMNS[KEEPER_N_NS] = {
	[KEEPER_NS_MNT] = MNT, [KEEPER_NS_IPC] = IPC,	    [KEEPER_NS_UTS] = UTS,   [KEEPER_NS_NET] = NET,
	[KEEPER_NS_PID] = PIDNS, [KEEPER_NS_CGROUP] = CGROUP, [KEEPER_NS_USER] = USERNS,
};

/* Cells that are made for a row, and the text that they need. */
struct row {
	const char *cells[N_COLUMNS];
	char texts[N_COLUMNS][32];
};

static void set_number(struct row *row, int column, uint64_t number)
{
	snprintf(row->texts[column], sizeof(row->texts[column]), "%" PRIu64, number);
	row->cells[column] = row->texts[column];
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

static void set_since(struct row *row, int64_t since)
{
	time_t seconds = (time_t)since;
	struct tm tm;

	if (localtime_r(&seconds, &tm) && strftime(row->texts[SINCE], sizeof(row->texts[SINCE]), "%F %T", &tm))
		row->cells[SINCE] = row->texts[SINCE];
}

/*
 * Would this session's next login go into another world? NULL: it cannot be found out, or, as for `nsclone enter`, whose
 * sessions are no logins, there is none.
 */
static const char *is_stale(const struct keeper_message *world, const struct keeper_session *session)
{
	const struct request_options options = {
		.rhost = or_null(session->rhost), .tty = or_null(session->tty), .from = or_null(session->from_user),
	};
	unsigned char key[POLICY_FINGERPRINT_SIZE];
	struct login login = {0};
	struct request request;
	struct err err = {0};
	const char *stale = NULL;
	int r;

	if (strcmp(session->service, ENTER_SERVICE) == 0)
		return NULL;
	request_fill(&options, world->user, session->service, &request);
	r = login_decide(&request.login, &login, &err);
	if (r == 0 && login.result.settings[POLICY_SCOPE].word == POLICY_SCOPE_SESSION)
		stale = world->flags & KEEPER_ALONE ? NULL : "yes";
	else if (r == 0 && policy_fingerprint(&login.result, key) == 0)
		stale = world->flags & KEEPER_ALONE || memcmp(key, world->key, sizeof(key)) != 0 ? "yes" : "no";
	else if (r > 0)
		stale = "yes"; /* nothing isolates it any more, or it would be refused */
	login_done(&login);
	request_done(&request);
	return stale;
}

static void set_world(struct row *row, const struct held_world *world, const unsigned *processes)
{
	const struct keeper_message *about = &world->about;

	row->cells[USER] = or_null(about->user);
	set_number(row, UID, about->uid);
	row->cells[WORLD] = held_id(about->world, row->texts[WORLD]);
	if (processes)
		set_number(row, PROCESSES, *processes);
	for (int i = 0; i < KEEPER_N_NS; i++)
		if (about->inodes[i])
			set_number(row, INODE_COLUMNS[i], about->inodes[i]);
	row->cells[RULE] = or_null(about->rules);
	row->cells[STATE] = held_state(world);
}

static void set_session(struct row *row, const struct keeper_session *session)
{
	row->cells[SERVICE] = or_null(session->service);
	row->cells[TTY] = or_null(session->tty);
	row->cells[RHOST] = or_null(session->rhost);
	row->cells[FROM] = or_null(session->from_user);
	set_since(row, session->since);
	set_number(row, PID, (uint64_t)session->pid);
}

static void add_world(struct table *table, const struct held_world *world, const unsigned *processes)
{
	struct row row = {0};

	set_world(&row, world, processes);
	if (world->n_sessions == 0)
		table_row(table, row.cells);
	for (size_t i = 0; i < world->n_sessions; i++) {
		set_session(&row, &world->sessions[i]);
		if (table_shows(table, STALE))
			row.cells[STALE] = is_stale(&world->about, &world->sessions[i]);
		table_row(table, row.cells);
	}
}

static int list(struct table *table)
{
	unsigned *processes = NULL;
	struct held held;
	int r = held_read(&held), counted = -1;

	if (r == 0) {
		processes = alloc_zeroed(held.n, sizeof(*processes));
		if (table_shows(table, PROCESSES))
			counted = population_count(&held, processes);
		for (size_t i = 0; i < held.n; i++)
			add_world(table, &held.worlds[i], counted == 0 ? &processes[i] : NULL);
		table_print(table);
	} else {
		fprintf(stderr, "nsclone list: %s\n", held_why(r));
	}
	free(processes);
	held_done(&held);
	return r < 0 ? CMD_UNKNOWN : CMD_YES;
}

int cmd_list(int argc, char **argv)
{
	struct table_options table_options = {0};
	char columns[256];
	struct options options = {
	    .words = "",
	    .about = "Show the worlds that nsclone-keeper holds, and who is in them.",
	    .more = table_help(COLUMNS, N_COLUMNS, columns, sizeof(columns)),
	};
	const char *unknown;
	struct table *table;
	int r;

	table_add_options(&options, &table_options);
	r = options_parse(&options, argc, argv);
	if (r != OPTIONS_GO_ON)
		return r;
	if (optind != argc)
		return options_usage(&options, argv[0], "no words are wanted");
	table = table_new("worlds", COLUMNS, N_COLUMNS, &table_options, &unknown);
	if (!table)
		return options_usage(&options, argv[0], "no column is called \"%s\"", unknown);
	r = list(table);
	table_free(table);
	return r;
}
