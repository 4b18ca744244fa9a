/* SPDX-License-Identifier: BSD-3-Clause */
/* Network addresses and prefixes, for RemoteHost=. ::ffff:a.b.c.d is IPv4, here as in every log. */
#ifndef NSCLONE_POLICY_ADDRESS_H
#define NSCLONE_POLICY_ADDRESS_H

#include "lib/policy/complaint.h"
#include <stdbool.h>
#include <stddef.h>

struct address {
	unsigned char bytes[16];
	unsigned size; /* 4 or 16 */
	unsigned bits; /* of the prefix; all of them for a single address */
	bool stray;    /* bits are set behind the prefix */
};

enum address_kind {
	ADDRESS_NONE, /* a name, or a glob */
	ADDRESS_GOOD,
	ADDRESS_BAD, /* it was meant to be one: the complaint says what is wrong */
};

/* A pattern: address, address/bits, or something else. */
enum address_kind address_parse(const char *pattern, struct address *ret, struct complaint *c);

/* The other side of the login: an address, perhaps with a scope (fe80::1%eth0). false: a name. */
bool address_of_host(const char *host, struct address *ret);

bool address_within(const struct address *prefix, const struct address *address);

#endif
