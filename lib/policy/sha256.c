/* SPDX-License-Identifier: BSD-3-Clause */
/* SHA-256. The names are those of FIPS 180-4, sections 4.1.2, 5.1.1 and 6.2. */
#include "lib/policy/sha256.h"
#include <string.h>

enum { ROUNDS = 64, LENGTH_AT = SHA256_BLOCK - 8 };

static const uint32_t K[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotr(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static uint32_t load(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void store(unsigned char *p, uint32_t x)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (unsigned char)(x >> (24 - 8 * i));
}

static void schedule(const unsigned char *block, uint32_t w[ROUNDS])
{
	for (unsigned t = 0; t < 16; t++)
		w[t] = load(block + sizeof(*w) * t);
	for (unsigned t = 16; t < ROUNDS; t++) {
		uint32_t sigma0 = rotr(w[t - 15], 7) ^ rotr(w[t - 15], 18) ^ w[t - 15] >> 3;
		uint32_t sigma1 = rotr(w[t - 2], 17) ^ rotr(w[t - 2], 19) ^ w[t - 2] >> 10;

		w[t] = sigma1 + w[t - 7] + sigma0 + w[t - 16];
	}
}

/* v: a to h. */
static void turn(uint32_t v[8], uint32_t k, uint32_t w)
{
	uint32_t sum1 = rotr(v[4], 6) ^ rotr(v[4], 11) ^ rotr(v[4], 25);
	uint32_t sum0 = rotr(v[0], 2) ^ rotr(v[0], 13) ^ rotr(v[0], 22);
	uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
	uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
	uint32_t t1 = v[7] + sum1 + choice + k + w;

	memmove(v + 1, v, 7 * sizeof(*v));
	v[4] += t1;
	v[0] = t1 + sum0 + majority;
}

static void compress(struct sha256 *hash)
{
	uint32_t w[ROUNDS], v[8];

	schedule(hash->block, w);
	memcpy(v, hash->state, sizeof(v));
	for (unsigned t = 0; t < ROUNDS; t++)
		turn(v, K[t], w[t]);
	for (unsigned i = 0; i < 8; i++)
		hash->state[i] += v[i];
}

void sha256_init(struct sha256 *hash)
{
	*hash = (struct sha256){
	    .state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void sha256_add(struct sha256 *hash, const void *data, size_t size)
{
	const unsigned char *p = data;

	while (size) {
		size_t at = hash->size % SHA256_BLOCK;
		size_t n = size < SHA256_BLOCK - at ? size : SHA256_BLOCK - at;

		memcpy(hash->block + at, p, n);
		hash->size += n;
		p += n;
		size -= n;
		if (at + n == SHA256_BLOCK)
			compress(hash);
	}
}

void sha256_finish(struct sha256 *hash, unsigned char ret[SHA256_SIZE])
{
	static const unsigned char padding[SHA256_BLOCK] = {0x80};
	uint64_t bits = hash->size * 8;
	size_t at = hash->size % SHA256_BLOCK;
	unsigned char length[8];

	store(length, (uint32_t)(bits >> 32));
	store(length + 4, (uint32_t)bits);
	sha256_add(hash, padding, (at < LENGTH_AT ? LENGTH_AT : SHA256_BLOCK + LENGTH_AT) - at);
	sha256_add(hash, length, sizeof(length));
	for (unsigned i = 0; i < 8; i++)
		store(ret + sizeof(*hash->state) * i, hash->state[i]);
}
