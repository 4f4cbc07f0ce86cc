/* SPDX-License-Identifier: ISC */
/* Standard error is a file for the length of a line, which is then read. Each test is a process of its own. */
#include "config.h"

#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "suites.h"

static FILE *file;
static int saved_stderr;
static char text[8192];

static void
capture(void)
{
	file = tmpfile();
	ck_assert_ptr_nonnull(file);
	saved_stderr = dup(STDERR_FILENO);
	ck_assert_int_ge(saved_stderr, 0);
	ck_assert_int_ge(dup2(fileno(file), STDERR_FILENO), 0);
}

/* What was written to standard error since capture(). */
static const char *
captured(void)
{
	size_t length;

	ck_assert_int_ge(dup2(saved_stderr, STDERR_FILENO), 0);
	rewind(file);
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	(void)fclose(file);
	return text;
}

static void
set_journal(intmax_t inode_off)
{
	struct stat st;
	char stream[64];

	ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)((intmax_t)st.st_ino + inode_off));
	ck_assert_int_eq(setenv("JOURNAL_STREAM", stream, 1), 0);
}

START_TEST(log_stamps_lines)
{
	int year, month, day, hour, minute, second, millisecond, end = 0;
	const char *line;

	(void)unsetenv("JOURNAL_STREAM");
	capture();
	log_open(SINK_STDERR, 0);
	log_warning("server-state server=%s to=down", "web/web1");
	line = captured();
	/* RFC 3339 section 5.6 */
	ck_assert_int_eq(sscanf(line, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ %n", &year, &month, &day, &hour, &minute, &second,
	    &millisecond, &end), 7);
	ck_assert_int_gt(year, 2000);
	ck_assert_int_eq(end, 25);
	ck_assert_str_eq(line + end, "warning server-state server=web/web1 to=down\n");
}
END_TEST

START_TEST(log_leaves_stamps_to_the_journal)
{
	capture();
	set_journal(0);
	log_open(SINK_STDERR, 2);
	log_error("a");
	log_warning("b");
	log_notice("c");
	log_info("d");
	log_debug("e");
	ck_assert_str_eq(captured(), "<3>a\n<4>b\n<5>c\n<6>d\n<7>e\n");
}
END_TEST

START_TEST(log_is_not_fooled_by_another_journal)
{
	capture();
	set_journal(1);
	log_open(SINK_STDERR, 0);
	log_error("a");
	ck_assert_ptr_nonnull(strstr(captured(), "Z error a\n"));
}
END_TEST

static const char *const bad_streams[] = { "", ":", "1", "1:", "x:y", "8:1:2" };

START_TEST(log_survives_a_bad_journal_variable)
{
	ck_assert_int_eq(setenv("JOURNAL_STREAM", bad_streams[_i], 1), 0);
	capture();
	log_open(SINK_STDERR, 0);
	log_error("a");
	ck_assert_ptr_nonnull(strstr(captured(), "Z error a\n"));
}
END_TEST

static const struct {
	int verbosity;
	const char *lines;
} verbosities[] = { { 0, "<3>e\n<5>n\n" }, { 1, "<3>e\n<5>n\n<6>i\n" }, { 2, "<3>e\n<5>n\n<6>i\n<7>d\n" } };

START_TEST(log_shows_what_was_asked_for)
{
	capture();
	set_journal(0);
	log_open(SINK_STDERR, verbosities[_i].verbosity);
	log_error("e");
	log_notice("n");
	log_info("i");
	log_debug("d");
	ck_assert_str_eq(captured(), verbosities[_i].lines);
}
END_TEST

START_TEST(log_lets_no_control_characters_through)
{
	capture();
	set_journal(0);
	log_open(SINK_STDERR, 0);
	log_notice("a name=%s", "x\ny\r\t\033[2J\177z\xc3\xa9 \xc2\x9b" "2J \xff");
	/* UTF-8 stays. */
	ck_assert_str_eq(captured(), "<5>a name=x?y???[2J?z\xc3\xa9 ??2J ?\n");
}
END_TEST

START_TEST(log_cuts_long_lines)
{
	char name[3000];
	const char *line;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	capture();
	set_journal(0);
	log_open(SINK_STDERR, 0);
	log_notice("%s", name);
	line = captured();
	ck_assert_uint_eq(strlen(line), 3 + 999 + 1);
	ck_assert_int_eq(line[strlen(line) - 1], '\n');
}
END_TEST

START_TEST(log_escapes_quotes)
{
	char line[LOG_TEXT], most[LOG_TEXT + 10], quotes[LOG_TEXT + 10];

	ck_assert_str_eq(log_escape("", line), "");
	ck_assert_str_eq(log_escape("a \"b\" \\n", line), "a \\\"b\\\" \\\\n");
	memset(most, 'x', sizeof(most) - 1);
	most[sizeof(most) - 1] = '\0';
	ck_assert_uint_eq(strlen(log_escape(most, line)), LOG_TEXT - 2);
	/* No backslash is left alone at the end. */
	memset(quotes, '"', sizeof(quotes) - 1);
	quotes[sizeof(quotes) - 1] = '\0';
	ck_assert_uint_eq(strlen(log_escape(quotes, line)) % 2, 0);
	quotes[0] = 'x';
	ck_assert_uint_eq(strlen(log_escape(quotes, line)) % 2, 1);
}
END_TEST

/* Nobody listens, so that the write fails and sets errno. */
START_TEST(log_leaves_errno_alone)
{
	int saved = dup(STDERR_FILENO);
	int after;

	ck_assert_int_ge(saved, 0);
	ck_assert_int_eq(close(STDERR_FILENO), 0);
	errno = ENOENT;
	log_error("a");
	after = errno;
	ck_assert_int_ge(dup2(saved, STDERR_FILENO), 0);
	ck_assert_int_eq(after, ENOENT);
}
END_TEST

START_TEST(log_to_syslog_is_not_on_stderr)
{
	capture();
	log_open(SINK_SYSLOG, 0);
	log_error("unit-test");
	log_open(SINK_STDERR, 0);
	ck_assert_str_eq(captured(), "");
}
END_TEST

static char heard[256];

static void
hear(void *context, int level, const char *line)
{
	const size_t used = strlen(heard);

	ck_assert_ptr_eq(context, heard);
	snprintf(heard + used, sizeof(heard) - used, "%s %s;", log_level_name(level), line);
}

START_TEST(log_gives_events_to_a_subscriber)
{
	capture();
	set_journal(0);
	log_open(SINK_STDERR, 2);
	log_subscribe(hear, heard);
	log_error("a=%d", 1);
	log_warning("b");
	log_notice("c\n");
	log_info("d");
	log_debug("e");
	log_dump("f");
	log_subscribe(NULL, NULL);
	log_error("g");
	ck_assert_str_eq(captured(), "<3>a=1\n<4>b\n<5>c?\n<6>d\n<7>e\n<5>f\n<3>g\n");
	ck_assert_str_eq(heard, "error a=1;warning b;notice c?;");
}
END_TEST

static unsigned waits;

static void
count_waits(void *context UNUSED)
{
	waits++;
}

/* Standard error becomes a pipe; its other end is returned. */
static int
stall(void)
{
	int ends[2];

	saved_stderr = dup(STDERR_FILENO);
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	(void)close(ends[1]);
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	return ends[0];
}

/* Reads what is in the pipe and gives it to log_drain() in turns, until both are empty. The lines. */
static unsigned
read_lines(int end, char last[8192])
{
	char bytes[8192];
	unsigned lines = 0;
	bool waiting;
	ssize_t got;

	do {
		waiting = log_drain();
		while ((got = read(end, bytes, sizeof(bytes) - 1)) > 0) {
			bytes[got] = '\0';
			for (ssize_t i = 0; i < got; i++)
				lines += bytes[i] == '\n';
			memcpy(last, bytes, (size_t)got + 1);
		}
	} while (waiting);
	return lines;
}

#define STALLED_LINES 5000 /* a pipe takes 64 KiB, the ring as much */

/* If a line waited for its reader, this test would never end. */
START_TEST(log_waits_for_no_reader)
{
	const int end = stall();
	char last[8192] = "", expected[40];
	unsigned lines;

	log_open(SINK_STDERR, 0);
	log_async(count_waits, NULL);
	for (unsigned i = 0; i < STALLED_LINES; i++)
		log_notice("line number=%u", i);
	ck_assert_int_eq(dup2(saved_stderr, STDERR_FILENO), STDERR_FILENO);
	/* Once, however many lines wait. */
	ck_assert_uint_eq(waits, 1);
	ck_assert_uint_gt(log_lines_lost(), 0);
	ck_assert_uint_lt(log_lines_lost(), STALLED_LINES);
	lines = read_lines(end, last);
	/* Each line is out or counted, and the last one says how many are not. */
	ck_assert_uint_eq(lines + log_lines_lost(), STALLED_LINES + 1);
	(void)snprintf(expected, sizeof(expected), "log-lost count=%" PRIu64 " ", log_lines_lost());
	ck_assert_ptr_nonnull(strstr(last, expected));
	/* That is news once. */
	ck_assert(!log_drain());
	log_notice("after");
	ck_assert_uint_eq(read_lines(end, last), 1);
	ck_assert_ptr_nonnull(strstr(last, "notice after\n"));
	log_async(NULL, NULL);
}
END_TEST

/* The starter's descriptor stays as it was: another program writes to it, and expects to wait. */
START_TEST(log_does_not_change_what_it_shares)
{
	const int end = stall();
	int flags;

	log_open(SINK_STDERR, 0);
	log_async(count_waits, NULL);
	log_notice("line");
	flags = fcntl(STDERR_FILENO, F_GETFL);
	log_async(NULL, NULL);
	ck_assert_int_eq(dup2(saved_stderr, STDERR_FILENO), STDERR_FILENO);
	ck_assert_int_eq(flags & O_NONBLOCK, 0);
	(void)close(end);
}
END_TEST

/* What waits at the end gets a second, and not for ever. */
START_TEST(log_ends_although_its_reader_stalls)
{
	const int end = stall();

	log_open(SINK_STDERR, 0);
	log_async(count_waits, NULL);
	for (unsigned i = 0; log_lines_lost() == 0; i++)
		log_notice("line number=%u", i);
	log_async(NULL, NULL);
	ck_assert_int_eq(dup2(saved_stderr, STDERR_FILENO), STDERR_FILENO);
	ck_assert_uint_gt(log_lines_lost(), 100);
	(void)close(end);
}
END_TEST

Suite *
log_suite(void)
{
	Suite *suite = suite_create("log");
	TCase *tcase = tcase_create("log");

	tcase_add_test(tcase, log_stamps_lines);
	tcase_add_test(tcase, log_leaves_stamps_to_the_journal);
	tcase_add_test(tcase, log_is_not_fooled_by_another_journal);
	tcase_add_loop_test(tcase, log_survives_a_bad_journal_variable, 0, (int)ARRAY_LEN(bad_streams));
	tcase_add_loop_test(tcase, log_shows_what_was_asked_for, 0, (int)ARRAY_LEN(verbosities));
	tcase_add_test(tcase, log_lets_no_control_characters_through);
	tcase_add_test(tcase, log_cuts_long_lines);
	tcase_add_test(tcase, log_escapes_quotes);
	tcase_add_test(tcase, log_leaves_errno_alone);
	tcase_add_test(tcase, log_gives_events_to_a_subscriber);
	tcase_add_test(tcase, log_to_syslog_is_not_on_stderr);
	tcase_add_test(tcase, log_waits_for_no_reader);
	tcase_add_test(tcase, log_does_not_change_what_it_shares);
	tcase_add_test(tcase, log_ends_although_its_reader_stalls);
	suite_add_tcase(suite, tcase);
	return suite;
}
