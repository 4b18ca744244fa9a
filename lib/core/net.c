// SPDX-License-Identifier: BSD-3-Clause
/*
 * The flags of a network interface, and the one use that a fresh network namespace has for them: lo up.
 *
 * It refuses to know addresses, routes and netlink; it changes nothing outside the caller's network namespace, and that
 * is the one in which it opens its socket.
 *
 *	operation                       system calls                    what undoes it
 *	nsclone_interface_get_flags     socket, ioctl(SIOCGIFFLAGS)     -
 *	nsclone_interface_set_flags     socket, ioctl(SIOCSIFFLAGS)     the flags of before
 *	nsclone_loopback_up             both                            IFF_UP cleared
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "lib/core/kernel.h"
#include "lib/core/nsclone.h"
#include "lib/core/sys.h"

/* Any socket will do, netdevice(7): a local one is there even where IPv4 is not built in or not allowed. */
static int interface_ioctl(const char *interface, unsigned long request, struct ifreq *ifr)
{
	cleanup_fd int fd = -1;
	size_t length = strlen(interface);

	if (length == 0 || length >= sizeof(ifr->ifr_name))
		return -EINVAL;
	memcpy(ifr->ifr_name, interface, length + 1);
	fd = KERNEL(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	if (fd < 0)
		return fd;
	return KERNEL(ioctl(fd, request, ifr));
}

int nsclone_interface_get_flags(const char *interface, short *ret)
{
	struct ifreq ifr = {0};
	int r = interface_ioctl(interface, SIOCGIFFLAGS, &ifr);

	if (r < 0)
		return r;
	*ret = ifr.ifr_flags;
	return 0;
}

int nsclone_interface_set_flags(const char *interface, short flags)
{
	struct ifreq ifr = {.ifr_flags = flags};

	return interface_ioctl(interface, SIOCSIFFLAGS, &ifr);
}

int nsclone_loopback_up(void)
{
	short flags;
	int r = nsclone_interface_get_flags("lo", &flags);

	if (r < 0)
		return r;
	return nsclone_interface_set_flags("lo", (short)(flags | IFF_UP));
}
