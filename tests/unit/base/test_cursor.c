/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "suites.h"

static const uint8_t bytes[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a };

START_TEST(cursor_reads_in_network_order)
{
	struct cursor cursor;
	uint8_t copy[2];

	cursor_init(&cursor, bytes, sizeof(bytes));
	ck_assert_uint_eq(cursor_u8(&cursor), 0x01);
	ck_assert_uint_eq(cursor_u16(&cursor), 0x0203);
	ck_assert_uint_eq(cursor_u32(&cursor), 0x04050607);
	cursor_skip(&cursor, 1);
	cursor_copy(&cursor, copy, sizeof(copy));
	ck_assert_mem_eq(copy, bytes + 8, sizeof(copy));
	ck_assert(cursor_ok(&cursor));
	ck_assert_uint_eq(cursor.left, 0);
}
END_TEST

/* For each kind of read: with one byte too few it fails, gives zeros and the next read, which would fit, fails too. */
START_TEST(cursor_error_stays)
{
	const size_t sizes[] = { 1, 2, 4, 3, 5 };
	struct cursor cursor;
	uint8_t copy[3] = { 0xff, 0xff, 0xff };
	uint32_t value = 0;

	cursor_init(&cursor, bytes, sizes[_i] - 1);
	switch (_i) {
	case 0:
		value = cursor_u8(&cursor);
		break;
	case 1:
		value = cursor_u16(&cursor);
		break;
	case 2:
		value = cursor_u32(&cursor);
		break;
	case 3:
		cursor_copy(&cursor, copy, sizeof(copy));
		value = copy[0] | copy[1] | copy[2];
		break;
	case 4:
		cursor_skip(&cursor, 5);
		break;
	}
	ck_assert_uint_eq(value, 0);
	ck_assert(!cursor_ok(&cursor));
	ck_assert_uint_eq(cursor_u8(&cursor), 0);
	cursor_skip(&cursor, 0);
	ck_assert(!cursor_ok(&cursor));
}
END_TEST

START_TEST(cursor_over_nothing)
{
	struct cursor cursor;
	uint8_t untouched = 7;

	cursor_init(&cursor, NULL, 0);
	cursor_skip(&cursor, 0);
	cursor_copy(&cursor, &untouched, 0);
	ck_assert(cursor_ok(&cursor));
	ck_assert_uint_eq(untouched, 7);
	cursor_skip(&cursor, SIZE_MAX);
	ck_assert(!cursor_ok(&cursor));
}
END_TEST

START_TEST(bytes_load_what_was_stored)
{
	uint8_t room[9];
	static const uint8_t expected[9] = { 0, 0xfe, 0xdc, 0, 0xfe, 0xdc, 0xba, 0x98, 0 };

	memset(room, 0, sizeof(room));
	store16(room + 1, 0xfedc);
	store32(room + 4, 0xfedcba98);
	ck_assert_mem_eq(room, expected, sizeof(expected));
	ck_assert_uint_eq(load16(room + 1), 0xfedc);
	ck_assert_uint_eq(load32(room + 4), 0xfedcba98);
}
END_TEST

Suite *
cursor_suite(void)
{
	Suite *suite = suite_create("cursor");
	TCase *tcase = tcase_create("cursor");

	tcase_add_test(tcase, cursor_reads_in_network_order);
	tcase_add_loop_test(tcase, cursor_error_stays, 0, 5);
	tcase_add_test(tcase, cursor_over_nothing);
	tcase_add_test(tcase, bytes_load_what_was_stored);
	suite_add_tcase(suite, tcase);
	return suite;
}
