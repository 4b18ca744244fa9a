/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What both ends of the protocol need: messages, and the kinds of namespaces that a world may have, as the protocol, the
 * kernel's flags and the links of nsfs call them. Pure.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include "lib/session/keeper.h"

static const struct {
	int nstype;
	const char *name;
} NS[KEEPER_N_NS] = {
	[KEEPER_NS_MNT] = {CLONE_NEWNS, "mnt"},	       [KEEPER_NS_IPC] = {CLONE_NEWIPC, "ipc"},
	[KEEPER_NS_UTS] = {CLONE_NEWUTS, "uts"},       [KEEPER_NS_NET] = {CLONE_NEWNET, "net"},
	[KEEPER_NS_PID] = {CLONE_NEWPID, "pid"},       [KEEPER_NS_CGROUP] = {CLONE_NEWCGROUP, "cgroup"},
	[KEEPER_NS_USER] = {CLONE_NEWUSER, "user"},
};

int keeper_nstype(enum keeper_ns place)
{
	return NS[place].nstype;
}

const char *keeper_ns_name(enum keeper_ns place)
{
	return NS[place].name;
}

enum keeper_ns keeper_place(int nstype)
{
	enum keeper_ns place = KEEPER_NS_MNT;

	while (place < KEEPER_N_NS && NS[place].nstype != nstype)
		place++;
	return place;
}

bool keeper_parse_link(const char *link, enum keeper_ns place, uint64_t *ret)
{
	size_t n = strlen(NS[place].name);
	char *end;

	if (strncmp(link, NS[place].name, n) != 0 || link[n] != ':' || link[n + 1] != '[')
		return false;
	*ret = strtoull(link + n + 2, &end, 10);
	return *ret && end[0] == ']' && end[1] == '\0';
}

void keeper_message_init(struct keeper_message *message, enum keeper_type type)
{
	memset(message, 0, sizeof(*message));
	message->magic = KEEPER_MAGIC;
	message->version = KEEPER_VERSION;
	message->type = (uint16_t)type;
}

static void end(char *text, size_t size)
{
	text[size - 1] = '\0';
}

void keeper_end_texts(struct keeper_message *message)
{
	end(message->session.service, sizeof(message->session.service));
	end(message->session.tty, sizeof(message->session.tty));
	end(message->session.rhost, sizeof(message->session.rhost));
	end(message->session.from_user, sizeof(message->session.from_user));
	end(message->user, sizeof(message->user));
	end(message->rules, sizeof(message->rules));
	end(message->record, sizeof(message->record));
	end(message->text, sizeof(message->text));
}
