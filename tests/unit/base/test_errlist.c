/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/errlist.h"
#include "suites.h"

static struct errlist *list;

static void
set_up(void)
{
	list = errlist_new();
	ck_assert_ptr_nonnull(list);
}

static void
tear_down(void)
{
	errlist_free(list);
}

START_TEST(errlist_begins_empty)
{
	ck_assert_uint_eq(errlist_count(list), 0);
}
END_TEST

START_TEST(errlist_names_the_place)
{
	errlist_add(list, "dsrd.conf", 7, "weight %d is too large, at most %d", 70000, 65535);
	errlist_add(list, "other.conf", 0, "cannot be read");
	ck_assert_uint_eq(errlist_count(list), 2);
	ck_assert_str_eq(errlist_text(list, 0), "dsrd.conf:7: weight 70000 is too large, at most 65535");
	ck_assert_str_eq(errlist_text(list, 1), "other.conf: cannot be read");
}
END_TEST

START_TEST(errlist_is_in_order_of_lines)
{
	static const char *const expected[] = {
		"a: whole", "a:2: second", "a:2: second again", "a:9: ninth", "b:1: first", "b:3: third"
	};

	errlist_add(list, "a", 9, "ninth");
	errlist_add(list, "b", 3, "third");
	errlist_add(list, "a", 2, "second");
	errlist_add(list, "b", 1, "first");
	errlist_add(list, "a", 0, "whole");
	errlist_add(list, "a", 2, "second again");
	ck_assert_uint_eq(errlist_count(list), 6);
	for (size_t i = 0; i < 6; i++)
		ck_assert_str_eq(errlist_text(list, i), expected[i]);
}
END_TEST

START_TEST(errlist_tells_files_apart_that_begin_alike)
{
	errlist_add(list, "dsrd.conf", 5, "x");
	errlist_add(list, "dsrd", 1, "y");
	ck_assert_str_eq(errlist_text(list, 0), "dsrd.conf:5: x");
	ck_assert_str_eq(errlist_text(list, 1), "dsrd:1: y");
}
END_TEST

START_TEST(errlist_holds_many)
{
	char expected[32];

	for (unsigned line = 1000; line > 0; line--)
		errlist_add(list, "f", line, "%u", line);
	ck_assert_uint_eq(errlist_count(list), 1000);
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(expected, sizeof(expected), "f:%u: %u", i + 1, i + 1);
		ck_assert_str_eq(errlist_text(list, i), expected);
	}
}
END_TEST

START_TEST(errlist_prints_one_a_line)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	errlist_add(list, "f", 2, "two");
	errlist_add(list, "f", 1, "one");
	errlist_print(list, out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_str_eq(text, "f:1: one\nf:2: two\n");
	free(text);
}
END_TEST

Suite *
errlist_suite(void)
{
	Suite *suite = suite_create("errlist");
	TCase *tcase = tcase_create("errlist");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, errlist_begins_empty);
	tcase_add_test(tcase, errlist_names_the_place);
	tcase_add_test(tcase, errlist_is_in_order_of_lines);
	tcase_add_test(tcase, errlist_tells_files_apart_that_begin_alike);
	tcase_add_test(tcase, errlist_holds_many);
	tcase_add_test(tcase, errlist_prints_one_a_line);
	suite_add_tcase(suite, tcase);
	return suite;
}
