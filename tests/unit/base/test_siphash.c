/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <string.h>

#include "base/attr.h"
#include "base/keyhash.h"
#include "suites.h"

/*
 * Key 00 01 ... 0f, data 00 01 ... The line of 15 bytes is the example of the paper's appendix A; the 2-4 column is
 * that of the authors' vectors.h. The 1-3 column agrees with Rust's and CPython's.
 */
static const struct {
	size_t length;
	uint64_t two_four;
	uint64_t one_three;
} vectors[] = {
	{ 0, 0x726fdb47dd0e0e31, 0xabac0158050fc4dc },
	{ 1, 0x74f839c593dc67fd, 0xc9f49bf37d57ca93 },
	{ 7, 0xab0200f58b01d137, 0xd3927d989bb11140 },
	{ 8, 0x93f5f5799a932462, 0x369095118d299a8e },
	{ 15, 0xa129ca6149be45e5, 0xd320d86d2a519956 },
	{ 16, 0x3f2acc7f57c29bdb, 0xcc4fdd1a7d908b66 },
	{ 24, 0xb8ad50c6f649af94, 0xf464aeb267349c8c },
	{ 63, 0x958a324ceb064572, 0x9d199062b7bbb3a8 },
};

START_TEST(siphash_gives_the_known_values)
{
	struct siphash_key key;
	uint8_t data[64];

	for (size_t i = 0; i < sizeof(key.bytes); i++)
		key.bytes[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	ck_assert_uint_eq(siphash24(&key, data, vectors[_i].length), vectors[_i].two_four);
	ck_assert_uint_eq(siphash13(&key, data, vectors[_i].length), vectors[_i].one_three);
}
END_TEST

START_TEST(siphash_depends_on_every_bit)
{
	struct siphash_key key = { { 0 } };
	uint8_t data[24] = { 0 };
	const uint64_t plain = siphash13(&key, data, sizeof(data));

	for (size_t bit = 0; bit < sizeof(data) * 8; bit++) {
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_uint_ne(siphash13(&key, data, sizeof(data)), plain);
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t bit = 0; bit < sizeof(key.bytes) * 8; bit++) {
		key.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_uint_ne(siphash13(&key, data, sizeof(data)), plain);
		key.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}
END_TEST

Suite *
siphash_suite(void)
{
	Suite *suite = suite_create("siphash");
	TCase *tcase = tcase_create("siphash");

	tcase_add_loop_test(tcase, siphash_gives_the_known_values, 0, (int)ARRAY_LEN(vectors));
	tcase_add_test(tcase, siphash_depends_on_every_bit);
	suite_add_tcase(suite, tcase);
	return suite;
}
