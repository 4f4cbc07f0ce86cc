/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "base/text.h"
#include "suites.h"

#define REFUSED 0xdeadbeefdeadbeef /* `value` must be untouched */

static const struct {
	const char *text;
	uint64_t least, most;
	uint64_t value;
} numbers[] = {
	{ "0", 0, 10, 0 }, { "10", 0, 10, 10 }, { "007", 0, 10, 7 }, { "1", 1, 65535, 1 }, { "65535", 1, 65535, 65535 },
	{ "18446744073709551615", 0, UINT64_MAX, UINT64_MAX },
	{ "11", 0, 10, REFUSED }, { "0", 1, 10, REFUSED }, { "65536", 1, 65535, REFUSED },
	{ "18446744073709551616", 0, UINT64_MAX, REFUSED }, { "99999999999999999999", 0, UINT64_MAX, REFUSED },
	{ "", 0, 10, REFUSED }, { "-1", 0, 10, REFUSED }, { "+1", 0, 10, REFUSED }, { " 1", 0, 10, REFUSED },
	{ "1 ", 0, 10, REFUSED }, { "1x", 0, 10, REFUSED }, { "0x1", 0, 10, REFUSED }, { "1.0", 0, 10, REFUSED }
};

START_TEST(text_reads_numbers)
{
	uint64_t value = REFUSED;
	int result = text_number(numbers[_i].text, numbers[_i].least, numbers[_i].most, &value);

	ck_assert_msg(value == numbers[_i].value, "'%s' gave %" PRIu64, numbers[_i].text, value);
	ck_assert_int_eq(result, numbers[_i].value == REFUSED ? -1 : 0);
}
END_TEST

static const struct {
	const char *text;
	uint64_t value;
} durations[] = {
	{ "0s", 0 }, { "1us", 1 }, { "500ms", MILLISECONDS(500) }, { "5s", SECONDS(5) }, { "15m", MINUTES(15) },
	{ "1h", MINUTES(60) }, { "7d", SECONDS(7 * 86400) }, { "213503982d", SECONDS(213503982) * 86400 },
	{ "213503983d", REFUSED }, { "18446744073709551615us", UINT64_MAX },
	{ "", REFUSED }, { "5", REFUSED }, { "s", REFUSED }, { "5 s", REFUSED }, { "5s ", REFUSED }, { "-5s", REFUSED },
	{ "5S", REFUSED }, { "5sec", REFUSED }, { "1h30m", REFUSED }, { "1.5s", REFUSED }, { "5w", REFUSED }
};

START_TEST(text_reads_durations)
{
	uint64_t value = REFUSED;
	int result = text_duration(durations[_i].text, &value);

	ck_assert_msg(value == durations[_i].value, "'%s' gave %" PRIu64, durations[_i].text, value);
	ck_assert_int_eq(result, durations[_i].value == REFUSED ? -1 : 0);
}
END_TEST

static const struct {
	const char *text;
	uint64_t value;
} sizes[] = {
	{ "0", 0 }, { "512", 512 }, { "64k", 65536 }, { "8m", 8388608 }, { "2g", 2147483648 },
	{ "17179869183g", UINT64_C(17179869183) << 30 }, { "17179869184g", REFUSED },
	{ "", REFUSED }, { "k", REFUSED }, { "64K", REFUSED }, { "64kb", REFUSED }, { "64 k", REFUSED },
	{ "-1", REFUSED }
};

START_TEST(text_reads_sizes)
{
	uint64_t value = REFUSED;
	int result = text_size(sizes[_i].text, &value);

	ck_assert_msg(value == sizes[_i].value, "'%s' gave %" PRIu64, sizes[_i].text, value);
	ck_assert_int_eq(result, sizes[_i].value == REFUSED ? -1 : 0);
}
END_TEST

static const struct {
	const char *text;
	int value; /* -1: refused */
} bools[] = {
	{ "yes", 1 }, { "no", 0 }, { "on", 1 }, { "off", 0 }, { "true", 1 }, { "false", 0 }, { "1", 1 }, { "0", 0 },
	{ "", -1 }, { "y", -1 }, { "Yes", -1 }, { "yes ", -1 }, { "2", -1 }, { "nope", -1 }
};

START_TEST(text_reads_bools)
{
	bool value = bools[_i].value != 1;
	const bool before = value;
	int result = text_bool(bools[_i].text, &value);

	ck_assert_int_eq(result, bools[_i].value == -1 ? -1 : 0);
	ck_assert_int_eq(value, bools[_i].value == -1 ? before : bools[_i].value);
}
END_TEST

static const struct {
	uint64_t value;
	const char *text;
} formats[] = {
	{ 0, "0s" }, { 1, "1us" }, { 999, "999us" }, { 1000, "1ms" }, { 1500, "1500us" }, { SECONDS(1), "1s" },
	{ MILLISECONDS(1500), "1500ms" }, { SECONDS(90), "90s" }, { MINUTES(2), "2m" }, { MINUTES(90), "90m" },
	{ MINUTES(60), "1h" }, { SECONDS(86400), "1d" }, { MINUTES(60) * 36, "36h" },
	{ UINT64_MAX, "18446744073709551615us" }
};

START_TEST(text_writes_durations_that_it_reads)
{
	char text[DURATION_TEXT];
	uint64_t value = REFUSED;

	ck_assert_str_eq(text_format_duration(formats[_i].value, text), formats[_i].text);
	ck_assert_int_eq(text_duration(text, &value), 0);
	ck_assert_uint_eq(value, formats[_i].value);
}
END_TEST

static const struct {
	uint64_t value;
	const char *text;
} speeds[] = {
	{ 0, "0 B/s" }, { 999, "999 B/s" }, { 1000, "1.0 kB/s" }, { 99940, "99.9 kB/s" }, { 99960, "100 kB/s" },
	{ 999499, "999 kB/s" }, { 999500, "1.0 MB/s" }, { UINT64_C(12345678901), "12.3 GB/s" },
	{ UINT64_C(5000000000000000), "5000 TB/s" }
}, latencies[] = {
	{ 1, "0.00 ms" }, { 73, "0.07 ms" }, { 1234, "1.23 ms" }, { 9999, "10.00 ms" }, { 10000, "10 ms" },
	{ 1500499, "1500 ms" }
};

START_TEST(text_writes_speeds)
{
	char text[AMOUNT_TEXT];

	ck_assert_str_eq(text_format_speed(speeds[_i].value, text), speeds[_i].text);
}
END_TEST

START_TEST(text_writes_latencies)
{
	char text[AMOUNT_TEXT];

	ck_assert_str_eq(text_format_latency(latencies[_i].value, text), latencies[_i].text);
}
END_TEST

static const char *const names[] = {
	"interface", "interval", "scheduler", "timeout", "rise", "rr", "wrr", "wlc", NULL
};

static const struct {
	const char *text;
	const char *nearest; /* NULL: none */
} nearest[] = {
	{ "interfaces", "interface" }, { "inteface", "interface" }, { "intreface", "interface" },
	{ "Interface", "interface" },
	{ "intervall", "interval" }, { "sheduler", "scheduler" }, { "schedulre", "scheduler" },
	{ "time-out", "timeout" },
	{ "riss", "rise" }, { "irse", "rise" }, { "wr", "rr" }, { "wlcc", "wlc" }, { "rr", "rr" },
	{ "x", NULL }, { "", NULL }, { "zzzzzzzzz", NULL }, { "banana", NULL }, { "lb", NULL },
	{ "interfaceinterfaceinterfaceinterfaceinterfaceinterfaceinterfaceinterface", NULL }
};

START_TEST(text_finds_the_name_that_was_meant)
{
	const char *found = text_nearest(nearest[_i].text, names);

	ck_assert_msg((found == NULL) == (nearest[_i].nearest == NULL), "'%s' gave '%s'", nearest[_i].text,
	    found == NULL ? "nothing" : found);
	if (found != NULL)
		ck_assert_str_eq(found, nearest[_i].nearest);
}
END_TEST

static const struct {
	const char *line;
	const char *words[5];
} lines[] = {
	{ "", { NULL } }, { " \t ", { NULL } }, { "one", { "one", NULL } }, { "  one  ", { "one", NULL } },
	{ "web1 192.0.2.11\tweight=3", { "web1", "192.0.2.11", "weight=3", NULL } }, { "a b\r", { "a", "b", NULL } }
};

START_TEST(text_cuts_words)
{
	char line[64];
	char *rest = line;
	size_t i = 0;

	(void)snprintf(line, sizeof(line), "%s", lines[_i].line);
	for (; lines[_i].words[i] != NULL; i++) {
		char *word = text_next_word(&rest);

		ck_assert_ptr_nonnull(word);
		ck_assert_str_eq(word, lines[_i].words[i]);
	}
	ck_assert_ptr_null(text_next_word(&rest));
	ck_assert_ptr_null(text_next_word(&rest));
}
END_TEST

static const struct {
	const char *text;
	const char *trimmed;
} trims[] = { { "", "" }, { "  ", "" }, { "a", "a" }, { " a b\t\r\n", "a b" }, { "\ta", "a" }, { "a ", "a" } };

START_TEST(text_trims)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s", trims[_i].text);
	ck_assert_str_eq(text_trim(text), trims[_i].trimmed);
}
END_TEST

static const struct {
	const char *from, *to;
} dirty[] = {
	{ "", "" },
	{ "plain \"text\" \\", "plain \"text\" \\" },
	{ "a\tb\x1b[0m\x7f", "a?b?[0m?" },
	/* U+0080, U+009B are controls, U+00A0 is none */
	{ "\xc2\x80\xc2\x9b\xc2\xa0", "????\xc2\xa0" },
	{ "\xff\xfe \x80 \xc3", "?? ? ?" },                                       /* never valid, a rest, cut off */
	{ "\xc0\xaf \xe0\x80\xaf \xf0\x80\x80\xaf", "?? ??? ????" },             /* overlong forms of / */
	{ "\xed\xa0\x80 \xf4\x90\x80\x80 \xf5\x80", "??? ???? ??" },             /* a surrogate, beyond U+10FFFF */
	{ "\xe2\x82\xac \xf0\x9f\x98\x80 \xe2\x82", "\xe2\x82\xac \xf0\x9f\x98\x80 ??" }, /* whole, and cut off */
};

START_TEST(text_cleans)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s", dirty[_i].from);
	text_clean(text);
	ck_assert_str_eq(text, dirty[_i].to);
}
END_TEST

START_TEST(text_knows_hexadecimal_digits)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 16; i++)
		ck_assert_int_eq(text_hex_digit(digits[i]), i);
	ck_assert_int_eq(text_hex_digit('A'), 10);
	ck_assert_int_eq(text_hex_digit('F'), 15);
	ck_assert_int_eq(text_hex_digit('g'), -1);
	ck_assert_int_eq(text_hex_digit('G'), -1);
	ck_assert_int_eq(text_hex_digit('/'), -1);
	ck_assert_int_eq(text_hex_digit(':'), -1);
	ck_assert_int_eq(text_hex_digit('\0'), -1);
}
END_TEST

START_TEST(text_writes_whole_seconds)
{
	char text[DURATION_TEXT];

	ck_assert_str_eq(text_format_seconds(UINT64_C(1999999), text), "1s");
	ck_assert_str_eq(text_format_seconds(UINT64_C(60500000), text), "1m");
}
END_TEST

Suite *
text_suite(void)
{
	Suite *suite = suite_create("text");
	TCase *tcase = tcase_create("text");

	tcase_add_loop_test(tcase, text_reads_numbers, 0, (int)ARRAY_LEN(numbers));
	tcase_add_loop_test(tcase, text_reads_durations, 0, (int)ARRAY_LEN(durations));
	tcase_add_loop_test(tcase, text_reads_sizes, 0, (int)ARRAY_LEN(sizes));
	tcase_add_loop_test(tcase, text_reads_bools, 0, (int)ARRAY_LEN(bools));
	tcase_add_loop_test(tcase, text_writes_durations_that_it_reads, 0, (int)ARRAY_LEN(formats));
	tcase_add_loop_test(tcase, text_writes_speeds, 0, (int)ARRAY_LEN(speeds));
	tcase_add_loop_test(tcase, text_writes_latencies, 0, (int)ARRAY_LEN(latencies));
	tcase_add_loop_test(tcase, text_finds_the_name_that_was_meant, 0, (int)ARRAY_LEN(nearest));
	tcase_add_loop_test(tcase, text_cuts_words, 0, (int)ARRAY_LEN(lines));
	tcase_add_loop_test(tcase, text_cleans, 0, (int)ARRAY_LEN(dirty));
	tcase_add_test(tcase, text_knows_hexadecimal_digits);
	tcase_add_test(tcase, text_writes_whole_seconds);
	tcase_add_loop_test(tcase, text_trims, 0, (int)ARRAY_LEN(trims));
	suite_add_tcase(suite, tcase);
	return suite;
}
