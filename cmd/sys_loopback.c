// SPDX-License-Identifier: BSD-3-Clause
/*
 * nsclone sys loopback: lo up, and the flags of an interface.
 *
 * It refuses to leave the network namespace that it is run in: `nsclone sys unshare` makes another.
 */
#include "cmd/sys.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cmd/cmd.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *name;
	int flag;
} interface_flags[] = {
	{"UP", IFF_UP},
	{"BROADCAST", IFF_BROADCAST},
	{"LOOPBACK", IFF_LOOPBACK},
	{"POINTOPOINT", IFF_POINTOPOINT},
	{"RUNNING", IFF_RUNNING},
	{"NOARP", IFF_NOARP},
	{"PROMISC", IFF_PROMISC},
	{"MULTICAST", IFF_MULTICAST},
};

static int loopback_show(const char *name, const char *interface)
{
	short flags;
	int r = nsclone_interface_get_flags(interface, &flags);

	if (r < 0)
		return sys_say(name, interface, r, NULL);
	printf("%s: 0x%x", interface, (unsigned short)flags);
	for (size_t i = 0; i < COUNT(interface_flags); i++)
		if (flags & interface_flags[i].flag)
			printf(" %s", interface_flags[i].name);
	printf("\n");
	return CMD_YES;
}

int cmd_sys_loopback(int argc, char **argv)
{
	const char *interface = "lo", *set = NULL;
	bool show = false;
	struct options options = {
		.words = "",
		.about =
		"lo up, in the network namespace that this is run in; or the flags of any interface, netdevice(7).",
		.rows = {{"show", 's', NULL, "print the flags, change nothing", &show, NULL},
			 {"interface", 'i', "NAME", "not lo", NULL, &interface},
			 {"set", 'S', "FLAGS", "set the flags to this number", NULL, &set}},
		.n = 3,
	};
	uint64_t flags = 0;
	int r = options_parse(&options, argc, argv);

	if (r != OPTIONS_GO_ON)
		return r;
	if (optind < argc)
		return options_usage(&options, argv[0], "%s is a word too many", argv[optind]);
	if (!set && !show && strcmp(interface, "lo") != 0)
		return options_usage(&options, argv[0], "--interface wants --show or --set");
	if (set) {
		r = sys_take_number(&options, argv[0], set, UINT16_MAX, &flags);
		if (r != 0)
			return r;
		r = nsclone_interface_set_flags(interface, (short)flags);
	} else {
		r = show ? 0 : nsclone_loopback_up();
	}
	if (r < 0)
		return sys_say(argv[0], interface, r, NULL);
	return show ? loopback_show(argv[0], interface) : CMD_YES;
}
