/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SHA-256 against the examples of FIPS 180-4 (csrc.nist.gov, "Examples with Intermediate Values"), and against itself
 * in pieces of every size.
 */
#include "tests/unit/test_policy.h"
#include "lib/policy/sha256.h"

static void hex(const unsigned char *bytes, char *ret)
{
	for (unsigned i = 0; i < SHA256_SIZE; i++)
		sprintf(ret + (size_t)2 * i, "%02x", bytes[i]);
}

static void check(const char *message, size_t size, size_t piece, const char *expected)
{
	unsigned char hash[SHA256_SIZE];
	char text[2 * SHA256_SIZE + 1];
	struct sha256 state;

	sha256_init(&state);
	for (size_t at = 0; at < size; at += piece)
		sha256_add(&state, message + at, size - at < piece ? size - at : piece);
	sha256_finish(&state, hash);
	hex(hash, text);
	assert_string_equal(text, expected);
}

static void test_examples(void **state)
{
	static const char *const rows[][2] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
		 "mnopqrstnopqrstu",
		 "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (size_t piece = 1; piece <= 130; piece++)
			check(rows[i][0], strlen(rows[i][0]), piece, rows[i][1]);
}

static void test_million(void **state)
{
	enum { MILLION = 1000000 };
	char *message = malloc(MILLION);

	(void)state;
	assert_non_null(message);
	memset(message, 'a', MILLION);
	check(message, MILLION, MILLION, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	check(message, MILLION, 997, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(message);
}

/* Around the end of a block, where the length does or does not fit behind the padding. By sha256sum(1). */
static void test_padding(void **state)
{
	static const struct {
		size_t size;
		const char *expected;
	} rows[] = {
		{55, "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072"},
		{56, "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e"},
		{57, "ae14a2563ccf969d99aca69ce6bb74981f734bbf9f655f73b8f06db68cab5217"},
		{63, "75220b47218278e656f2013bb8f0c455a25eaf01e86c64924e9d48d89776d6f2"},
		{64, "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c"},
		{65, "9537c5fdf120482f7d58d25e9ed583f52c02b4e304ea814db1633ad565aed7e9"},
		{119, "000b48d4edf0fa7bee3c6236ecd2785baa5db4eeb8bb54341b029e0d9fa5fb0c"},
		{120, "13f05a0b594787f5ecd315edc96141bd3243203d1b7d4f0836f37308b276ba98"},
		{128, "24da1b81d0b16df6428eee73c69fcb2a93c76bc6df706f0c6670fe6bfe800464"},
		{129, "0ec9eb33e74510bcdd1f2ea55206e82f21649c5c2becbf2b433eb475b34c01bd"},
	};
	char message[130];

	(void)state;
	memset(message, 'x', sizeof(message));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check(message, rows[i].size, sizeof(message), rows[i].expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_million),
		cmocka_unit_test(test_padding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
