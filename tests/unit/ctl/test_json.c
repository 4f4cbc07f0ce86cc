/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/json.h"
#include "suites.h"

static char text[4096];
static FILE *out;
static struct json json;

static void
begin(void)
{
	memset(text, 0, sizeof(text));
	out = fmemopen(text, sizeof(text), "w");
	ck_assert_ptr_nonnull(out);
	json_begin(&json, out);
}

static int
finish(void)
{
	const int result = json_finish(&json);

	ck_assert_int_eq(fclose(out), 0);
	return result;
}

START_TEST(writes_nested_values)
{
	begin();
	json_object(&json, NULL);
	json_number(&json, "schema", 1);
	json_array(&json, "list");
	json_text(&json, NULL, "a");
	json_object(&json, NULL);
	json_close(&json);
	json_array(&json, NULL);
	json_close(&json);
	json_null(&json, NULL);
	json_close(&json);
	json_bool(&json, "yes", true);
	json_bool(&json, "no", false);
	json_number(&json, "most", UINT64_MAX);
	json_close(&json);
	ck_assert_int_eq(finish(), 0);
	ck_assert_str_eq(text, "{\"schema\":1,\"list\":[\"a\",{},[],null],\"yes\":true,\"no\":false,"
	    "\"most\":18446744073709551615}\n");
}
END_TEST

struct spelling {
	const char *in;
	const char *out;
};

static const struct spelling spellings[] = {
	{ "", "" },
	{ "quote\" backslash\\ slash/", "quote\\\" backslash\\\\ slash/" },
	{ "line\nfeed tab\t", "line\\nfeed tab\\u0009" },
	{ "\x01\x1f\x7f", "\\u0001\\u001f\\u007f" },
	{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80" },
	{ "\xff", "\\ufffd" },
	{ "cut \xe2\x82", "cut \\ufffd\\ufffd" },
	{ "\xc0\xaf", "\\ufffd\\ufffd" },                 /* overlong '/' */
	{ "\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd" },      /* a surrogate */
	{ "\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd" }, /* above U+10FFFF */
};

START_TEST(escapes_what_must_be)
{
	char expected[256];

	begin();
	json_text(&json, NULL, spellings[_i].in);
	ck_assert_int_eq(finish(), 0);
	snprintf(expected, sizeof(expected), "\"%s\"", spellings[_i].out);
	ck_assert_str_eq(text, expected);
}
END_TEST

static void
name_in_array(void)
{
	json_array(&json, NULL);
	json_number(&json, "name", 1);
	json_close(&json);
}

static void
no_name_in_object(void)
{
	json_object(&json, NULL);
	json_number(&json, NULL, 1);
	json_close(&json);
}

static void
left_open(void)
{
	json_object(&json, NULL);
}

static void
closed_twice(void)
{
	json_object(&json, NULL);
	json_close(&json);
	json_close(&json);
}

static void
two_values(void)
{
	json_number(&json, NULL, 1);
	json_number(&json, NULL, 2);
}

static void
nothing(void)
{
}

static void
too_deep(void)
{
	for (unsigned i = 0; i <= JSON_DEPTH; i++)
		json_array(&json, NULL);
	for (unsigned i = 0; i <= JSON_DEPTH; i++)
		json_close(&json);
}

static void (*const mistakes[])(void) = { name_in_array, no_name_in_object, left_open, closed_twice, two_values,
    nothing,
	too_deep };

START_TEST(tells_of_mistakes)
{
	begin();
	mistakes[_i]();
	ck_assert_int_eq(finish(), -1);
}
END_TEST

Suite *
json_suite(void)
{
	Suite *suite = suite_create("json");
	TCase *tcase = tcase_create("json");

	tcase_add_test(tcase, writes_nested_values);
	tcase_add_loop_test(tcase, escapes_what_must_be, 0, sizeof(spellings) / sizeof(spellings[0]));
	tcase_add_loop_test(tcase, tells_of_mistakes, 0, sizeof(mistakes) / sizeof(mistakes[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}
