/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <check.h>
#include <stdint.h>
#include <string.h>

#include "base/keyhash.h"
#include "suites.h"

#define BUCKETS 4096U
#define TEXTS (8 * BUCKETS)

static const struct siphash_key secret = { "an arbitrary k" };

struct text {
	uint8_t bytes[KEYHASH_BYTES];
};

START_TEST(keyhash_depends_on_every_bit_of_the_text)
{
	const struct keyhash_key key = keyhash_key(&secret);
	struct text text = { { 0 } };
	const uint32_t plain = keyhash_hash(&key, &text);

	for (unsigned bit = 0; bit < 8 * sizeof(text); bit++) {
		text.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
		ck_assert_uint_ne(keyhash_hash(&key, &text), plain);
		text.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
}
END_TEST

START_TEST(keyhash_depends_on_every_byte_of_the_secret)
{
	const struct text text = { { 1, 2, 3 } };
	const struct keyhash_key key = keyhash_key(&secret);

	for (unsigned i = 0; i < sizeof(secret); i++) {
		struct siphash_key other = secret;
		struct keyhash_key changed;

		other.bytes[i] ^= 1;
		changed = keyhash_key(&other);
		ck_assert_uint_ne(keyhash_hash(&changed, &text), keyhash_hash(&key, &text));
	}
}
END_TEST

/* The shapes that clients choose: one byte counts, or one 32-bit word, from its lowest bit or its highest. */
static void
make_text(struct text *text, unsigned shape, uint32_t number)
{
	const unsigned word = shape % KEYHASH_WORDS;
	uint32_t value = number;

	memset(text, 0, sizeof(*text));
	if (shape >= KEYHASH_WORDS)
		value = number << 17;
	memcpy(text->bytes + 4 * (size_t)word, &value, sizeof(value));
}

/*
 * 32768 texts in 4096 buckets: eight to each. Were they thrown at random, the fullest of all would have 22, and one of
 * 40 turned up in one table of 10^10.
 */
START_TEST(keyhash_spreads_what_counts)
{
	static unsigned buckets[BUCKETS];
	const struct keyhash_key key = keyhash_key(&secret);

	memset(buckets, 0, sizeof(buckets));
	for (uint32_t i = 0; i < TEXTS; i++) {
		struct text text;

		make_text(&text, (unsigned)_i, i);
		buckets[keyhash_hash(&key, &text) % BUCKETS]++;
	}
	for (unsigned i = 0; i < BUCKETS; i++)
		ck_assert_uint_le(buckets[i], 40);
}
END_TEST

/*
 * Pairs that a fixed multiplication would send to one place, whatever its seed: they differ in the highest bits of
 * several words. Over many keys they meet as seldom as any.
 */
START_TEST(keyhash_has_no_pair_that_always_meets)
{
	struct text one = { { 0 } }, other = { { 0 } };
	unsigned meetings = 0;

	for (unsigned i = 3; i < KEYHASH_BYTES; i += 4)
		other.bytes[i] = 0x80;
	for (unsigned i = 0; i < TEXTS; i++) {
		struct siphash_key draw = secret;
		struct keyhash_key key;

		memcpy(draw.bytes, &i, sizeof(i));
		key = keyhash_key(&draw);
		meetings += keyhash_hash(&key, &one) % BUCKETS == keyhash_hash(&key, &other) % BUCKETS;
	}
	ck_assert_uint_le(meetings, 40);
}
END_TEST

Suite *
keyhash_suite(void)
{
	Suite *suite = suite_create("universal");
	TCase *tcase = tcase_create("universal");

	tcase_add_test(tcase, keyhash_depends_on_every_bit_of_the_text);
	tcase_add_test(tcase, keyhash_depends_on_every_byte_of_the_secret);
	tcase_add_loop_test(tcase, keyhash_spreads_what_counts, 0, 2 * KEYHASH_WORDS);
	tcase_add_test(tcase, keyhash_has_no_pair_that_always_meets);
	suite_add_tcase(suite, tcase);
	return suite;
}
