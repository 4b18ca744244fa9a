/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SHA-256 (FIPS 180-4), for policy_fingerprint(). Our own: libc has none, and what is linked into every login daemon may
 * need nothing else.
 */
#ifndef NSCLONE_POLICY_SHA256_H
#define NSCLONE_POLICY_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = 32, SHA256_BLOCK = 64 };

struct sha256 {
	uint32_t state[8];
	uint64_t size; /* of the message so far, in bytes */
	unsigned char block[SHA256_BLOCK];
};

void sha256_init(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t size);

/* The hash of all that was added. After it the state is of no use but for sha256_init(). */
void sha256_finish(struct sha256 *hash, unsigned char ret[SHA256_SIZE]);

#endif
