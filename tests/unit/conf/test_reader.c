/* SPDX-License-Identifier: ISC */
/* The traps of inih, one by one: what comes out must be the same whatever inih was built with. */
#include "config.h"

#include "conf/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suites.h"
#include "tool.h"

static void
note_section(void *context, unsigned line, const char *header)
{
	(void)fprintf(context, "%u [%s]\n", line, header);
}

static void
note_key(void *context, unsigned line, const char *name, const char *value)
{
	(void)fprintf(context, "%u %s=%s\n", line, name, value);
}

/* What the reader makes of these bytes: events, then errors. */
static char *
read_bytes(const char *bytes, size_t length)
{
	struct errlist *errors = errlist_new();
	FILE *in = fmemopen((void *)(uintptr_t)bytes, length, "r");
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	const struct reader_events events = { note_section, note_key, out };

	ck_assert_ptr_nonnull(errors);
	ck_assert_ptr_nonnull(in);
	ck_assert_ptr_nonnull(out);
	reader_run(in, "t", errors, &events);
	errlist_print(errors, out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_int_eq(fclose(in), 0);
	errlist_free(errors);
	return text;
}

static void
check_bytes(const char *bytes, size_t length, const char *expected)
{
	char *text = read_bytes(bytes, length);

	ck_assert_str_eq(text, expected);
	free(text);
}

static void
check_text(const char *bytes, const char *expected)
{
	check_bytes(bytes, strlen(bytes), expected);
}

START_TEST(test_plain)
{
	check_text("[a]\nb = c\nd=e f\n", "1 [a]\n2 b=c\n3 d=e f\n");
	check_text("[ a  b ]\nc =\n", "1 [a  b]\n2 c=\n");
	check_text("[a]\nb = c", "1 [a]\n2 b=c\n");
	check_text("[a]\ne = f : g\n", "1 [a]\n2 e=f : g\n");
}
END_TEST

START_TEST(test_indented_key_is_no_continuation)
{
	check_text("[a]\n  b = 1\n\tc = 2\n   \n    d = 3\n  [e]\n  f = 4\n",
	    "1 [a]\n2 b=1\n3 c=2\n5 d=3\n6 [e]\n7 f=4\n");
}
END_TEST

START_TEST(test_comments)
{
	check_text("; a\n# b = c\n  ; d\n[e] ; f\ng = h ; i = j\nk = l # m\nn = o;p#q\nr = ; s\n",
	    "4 [e]\n5 g=h\n6 k=l\n7 n=o;p#q\n8 r=\n");
}
END_TEST

START_TEST(test_line_ends_and_byte_order_mark)
{
	check_text("\xef\xbb\xbf[a]\r\nb = c\r\n\r\n; d\r\ne = f\r\n", "1 [a]\n2 b=c\n5 e=f\n");
	check_text("\xef\xbb\xbf; a\n[b]\n", "2 [b]\n");
}
END_TEST

START_TEST(test_long_lines)
{
	char text[1024], expected[1024];

	/* "k = " and 194 letters: the longest that goes through every inih. */
	(void)snprintf(text, sizeof(text), "[a]\nk = %0194d\nl = %0195d\nm = 1\nn = 2   ; %0500d\n", 1, 1, 1);
	(void)snprintf(expected, sizeof(expected),
	    "1 [a]\n2 k=%0194d\n4 m=1\n5 n=2\nt:3: the line is longer than 198 characters: "
	    "divide it, `listen` and `server` may be repeated\n",
	    1);
	check_text(text, expected);
}
END_TEST

START_TEST(test_long_line_of_blanks)
{
	char text[2048];

	(void)snprintf(text, sizeof(text), "[a]%500s\n%300sb = c%300s\n", "", "", "");
	check_text(text, "1 [a]\n2 b=c\n");
}
END_TEST

START_TEST(test_long_header_is_not_cut)
{
	char text[256], expected[256];

	/* inih itself keeps 49 characters. */
	(void)snprintf(text, sizeof(text), "[%0100d]\na = b\n", 1);
	(void)snprintf(expected, sizeof(expected), "1 [%0100d]\n2 a=b\n", 1);
	check_text(text, expected);
	(void)snprintf(text, sizeof(text), "[a]\n[%0200d]\nb = c\n", 1);
	check_text(text,
	    "1 [a]\nt:2: the line is longer than 198 characters: divide it, `listen` and `server` may be repeated\n");
}
END_TEST

START_TEST(test_bad_header_loses_its_keys)
{
	static const char rest[] = "in the section header, which is `[dsrd]`, `[defaults]` or `[service NAME]`; "
	    "the keys after it are not checked\n";
	char expected[512];

	(void)snprintf(expected, sizeof(expected), "1 [a]\n2 b=1\n8 [e]\n9 f=4\nt:3: `]` is missing %st:5: unexpected "
	    "text "
	    "after `]` %s", rest, rest);
	check_text("[a]\nb = 1\n[b\nc = 2\n[c] x\nd = 3\nnothing\n[e]\nf = 4\n", expected);
}
END_TEST

START_TEST(test_bytes_that_are_no_text)
{
	static const char nul[] = "[a]\nb = 1\0 2\nc = 3\n; \0\n[d\x1b]\ne = 4\n";

	check_bytes(nul, sizeof(nul) - 1, "1 [a]\n3 c=3\n"
	    "t:2: the line holds a control character (0x00): is this a text file?\n"
	    "t:4: the line holds a control character (0x00): is this a text file?\n"
	    "t:5: the line holds a control character (0x1b): is this a text file?\n");
	check_text("[a]\nb = \xc3\xa9\n", "1 [a]\n2 b=\xc3\xa9\n");
}
END_TEST

START_TEST(test_lines_without_key_or_equals)
{
	check_text("[a]\nb\n= c\n: d\ne\n", "1 [a]\n"
	    "t:2: `b` is neither a `[section]` nor a `key = value`\n"
	    "t:3: a key's name is missing before `=`\n"
	    "t:4: a key's name is missing before `=`\n"
	    "t:5: `e` is neither a `[section]` nor a `key = value`\n");
}
END_TEST

START_TEST(test_a_colon_is_no_equals)
{
	check_text("[a]\nb: c\nd : e = f\n", "1 [a]\n"
	    "t:2: `=` stands between key and value, not `:`: write `b = c`\n"
	    "t:3: `=` stands between key and value, not `:`: write `d = e = f`\n");
}
END_TEST

/* What other programs' files begin with, and what dsrd.conf may hold that is like it. */
static const struct {
	const char *text;
	const char *is; /* NULL: not taken for another's */
} foreigners[] = {
	{ "! Configuration File for keepalived\nx\n", "keepalived.conf" },
	{ "# c\nglobal_defs {\n}\n", "keepalived.conf" },
	{ "virtual_server 192.0.2.10 80 {\n", "keepalived.conf" },
	{ "-A -t 192.0.2.10:80 -s wlc\n", "ipvsadm-save" },
	{ "checktimeout = 10\n", "ldirectord.cf" },
	{ "virtual=192.0.2.10:80\n", "ldirectord.cf" },
	{ "global\n\tdaemon\n", "haproxy.cfg" },
	{ "frontend web\n", "haproxy.cfg" },
	{ "globally = 1\n", NULL },
	{ "virtuals = 1\n", NULL },
	{ "[dsrd]\nglobal\n", NULL },
};

START_TEST(test_other_programs_files)
{
	char *text = read_bytes(foreigners[_i].text, strlen(foreigners[_i].text));

	if (foreigners[_i].is == NULL) {
		ck_assert_ptr_null(strstr(text, "this looks like"));
	} else {
		/* The one message there is. */
		ck_assert_ptr_nonnull(strstr(text, "this looks like"));
		ck_assert_ptr_nonnull(strstr(text, foreigners[_i].is));
		ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
	}
	free(text);
}
END_TEST

START_TEST(test_stops_after_too_many_errors)
{
	char bytes[3000];
	char *text;

	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 1; i < sizeof(bytes); i += 2)
		bytes[i] = '\n';
	text = read_bytes(bytes, sizeof(bytes));
	ck_assert_ptr_nonnull(strstr(text, "\nt:100: "));
	ck_assert_ptr_nonnull(strstr(text, "\nt:101: too many errors: the rest of the file is not checked\n"));
	ck_assert_ptr_null(strstr(text, "\nt:102: "));
	free(text);
}
END_TEST

START_TEST(test_unreadable)
{
	struct errlist *errors = errlist_new();
	const struct reader_events events = { note_section, note_key, stdout };
	FILE *in = fopen("/", "r"); /* opens, but cannot be read */

	ck_assert_ptr_nonnull(errors);
	if (in == NULL) {
		errlist_free(errors);
		return;
	}
	reader_run(in, "t", errors, &events);
	ck_assert_uint_eq(errlist_count(errors), 1);
	ck_assert_str_eq(errlist_text(errors, 0), "t: cannot be read: Is a directory");
	ck_assert_int_eq(fclose(in), 0);
	errlist_free(errors);
}
END_TEST

Suite *
reader_suite(void)
{
	Suite *suite = suite_create("reader");
	TCase *tcase = tcase_create("reader");

	tcase_add_test(tcase, test_plain);
	tcase_add_test(tcase, test_indented_key_is_no_continuation);
	tcase_add_test(tcase, test_comments);
	tcase_add_test(tcase, test_line_ends_and_byte_order_mark);
	tcase_add_test(tcase, test_long_lines);
	tcase_add_test(tcase, test_long_line_of_blanks);
	tcase_add_test(tcase, test_long_header_is_not_cut);
	tcase_add_test(tcase, test_bad_header_loses_its_keys);
	tcase_add_test(tcase, test_bytes_that_are_no_text);
	tcase_add_test(tcase, test_lines_without_key_or_equals);
	tcase_add_test(tcase, test_a_colon_is_no_equals);
	tcase_add_loop_test(tcase, test_other_programs_files, 0, (int)ARRAY_LEN(foreigners));
	tcase_add_test(tcase, test_stops_after_too_many_errors);
	tcase_add_test(tcase, test_unreadable);
	suite_add_tcase(suite, tcase);
	return suite;
}
