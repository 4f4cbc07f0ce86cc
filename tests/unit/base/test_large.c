/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/large.h"
#include "suites.h"

#define LARGE ((size_t)2 * 1024 * 1024)

static const struct {
	size_t count, size;
	size_t alignment;
} tables[] = { { 1, 1, 1 }, { 1000, 60, 1 }, { LARGE / 8, 8, LARGE }, { 100000, 60, LARGE },
    { LARGE * 3 + 1, 1, LARGE } };

START_TEST(large_memory_is_zero_to_its_end_and_aligned)
{
	void *memory;
	uint8_t *bytes = large_calloc(tables[_i].count, tables[_i].size, &memory);
	const size_t length = tables[_i].count * tables[_i].size;
	size_t zeroes = 0;

	ck_assert_ptr_nonnull(bytes);
	ck_assert_uint_eq((uintptr_t)bytes % tables[_i].alignment, 0);
	for (size_t i = 0; i < length; i++) {
		zeroes += bytes[i] == 0;
		bytes[i] = 0xa5;
	}
	ck_assert_uint_eq(zeroes, length);
	free(memory);
}
END_TEST

START_TEST(large_refuses_what_has_no_size)
{
	void *memory = &memory;

	ck_assert_ptr_null(large_calloc(SIZE_MAX / 2, 3, &memory));
	ck_assert_ptr_null(memory);
	ck_assert_ptr_null(large_calloc(SIZE_MAX, 1, &memory));
	ck_assert_ptr_null(memory);
}
END_TEST

Suite *
large_suite(void)
{
	Suite *suite = suite_create("large");
	TCase *tcase = tcase_create("large");

	tcase_add_loop_test(tcase, large_memory_is_zero_to_its_end_and_aligned, 0, sizeof(tables) / sizeof(tables[0]));
	tcase_add_test(tcase, large_refuses_what_has_no_size);
	suite_add_tcase(suite, tcase);
	return suite;
}
