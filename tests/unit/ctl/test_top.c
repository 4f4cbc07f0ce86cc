/* SPDX-License-Identifier: ISC */
/* What `dsrctl top` reads, sorts and draws, without a terminal. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json_read.h"
#include "cli/snapshot.h"
#include "cli/top.h"
#include "suites.h"

static const char report[] =
    "{\"schema\":1,\"version\":\"0.1.0\",\"uptime_seconds\":3700,\"observe\":false,\"flows\":7,"
    "\"flow_capacity\":1000,\"services\":[{\"service\":\"web\",\"state\":\"up\",\"servers_up\":2,\"servers\":3,"
    "\"scheduler\":\"wlc\",\"connections_per_second\":5,\"packets_per_second\":60,\"in_bytes_per_second\":7000,"
    "\"out_bytes_per_second\":8000000}],\"servers\":[{\"server\":\"web/a\",\"state\":\"up\",\"weight\":3,\"active\":4,"
    "\"inactive\":1,\"why\":\"\"},{\"server\":\"web/b\",\"state\":\"down\",\"weight\":1,\"active\":0,\"inactive\":0,"
    "\"why\":\"connection "
    "\\\"refused\\\"\"},{\"server\":\"web/c\",\"state\":\"up\",\"weight\":1,\"active\":9,\"inactive\":0,"
    "\"why\":null}],\"traffic\":[{\"server\":\"web/a\",\"out_bytes_per_second\":100,\"handshake_microseconds\":1500},"
    "{\"server\":\"web/b\",\"out_bytes_per_second\":0},{\"server\":\"web/c\",\"out_bytes_per_second\":900000}],"
    "\"deep\":{\"a\":[1,{\"b\":[]}]},\"drops\":[{\"reason\":\"no-server\",\"frames\":3},{\"reason\":\"bounce\",\"frames\":4}]}";

static void
read_report(struct snapshot *snapshot)
{
	ck_assert_int_eq(snapshot_read(snapshot, report, strlen(report)), 0);
}

START_TEST(a_report_is_read)
{
	struct snapshot snapshot;
	const struct top_line *line;

	read_report(&snapshot);
	ck_assert_str_eq(snapshot.version, "0.1.0");
	ck_assert_uint_eq(snapshot.uptime, 3700);
	ck_assert_uint_eq(snapshot.flows, 7);
	ck_assert_uint_eq(snapshot.dropped, 7);
	ck_assert_uint_eq(snapshot.services.count, 1);
	ck_assert_uint_eq(snapshot.services.rows[0].servers_up, 2);
	ck_assert_uint_eq(snapshot.services.rows[0].out, 8000000);
	ck_assert_uint_eq(snapshot.servers.count, 3);
	line = snapshot.servers.rows;
	ck_assert_str_eq(line[0].name, "web/a");
	ck_assert_uint_eq(line[0].weight, 3);
	ck_assert_uint_eq(line[0].handshake, 1500);
	ck_assert_str_eq(line[1].why, "connection \"refused\"");
	ck_assert_str_eq(line[2].why, "");
	ck_assert_uint_eq(line[2].out, 900000);
	snapshot_clear(&snapshot);
}
END_TEST

static void
ignore(void *context, const char *table, size_t row, const char *name, const char *value)
{
	(void)context;
	(void)row;
	ck_assert(table != NULL && name != NULL);
	ck_assert(value == NULL || strlen(value) < JSON_TEXT);
}

static const char *const garbled[] = { "", "{", "[]", "{}x", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":\"x}",
    "{\"a\":[}",
	"{\"a\":[{]}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "{a:1}", "{\"a\":{\"b\":1]}", "{\"a\":1",
	"{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}" };

START_TEST(what_is_no_report_is_refused)
{
	ck_assert_int_eq(json_read(garbled[_i], strlen(garbled[_i]), ignore, NULL), -1);
}
END_TEST

/* Every beginning of a report is refused, so a broken answer is never shown. */
START_TEST(what_broke_off_is_refused)
{
	for (size_t i = 0; i < strlen(report); i++)
		ck_assert_int_eq(json_read(report, i, ignore, NULL), -1);
	ck_assert_int_eq(json_read(report, strlen(report), ignore, NULL), 0);
}
END_TEST

static const struct {
	enum snapshot_order order;
	const char *expected;
} orders[] = { { ORDER_FILE, "abc" }, { ORDER_OUT, "cab" }, { ORDER_ACTIVE, "cab" }, { ORDER_HANDSHAKE, "abc" },
	{ ORDER_STATE, "bac" } };

START_TEST(servers_are_sorted)
{
	struct snapshot snapshot;
	char got[4] = "";

	read_report(&snapshot);
	snapshot_arrange(&snapshot, &(struct snapshot_arrangement) { .order = orders[_i].order });
	for (size_t i = 0; i < 3; i++)
		got[i] = snapshot.servers.rows[i].name[4];
	ck_assert_str_eq(got, orders[_i].expected);
	/* The other way round. */
	snapshot_arrange(&snapshot, &(struct snapshot_arrangement) { .order = orders[_i].order, .reversed = true });
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(snapshot.servers.rows[i].name[4], orders[_i].expected[2 - i]);
	snapshot_clear(&snapshot);
}
END_TEST

static const struct {
	const char *filter;
	const char *expected;
} filters[] = { { "", "abc" }, { "WEB/A", "a" }, { "web/", "abc" }, { "web/?", "abc" }, { "*/b", "b" }, { "down", "b" },
	{ "refused", "b" }, { "nothing", "" } };

START_TEST(servers_are_filtered)
{
	struct snapshot_arrangement arrangement = { .order = ORDER_FILE };
	struct snapshot snapshot;
	char got[4] = "";

	read_report(&snapshot);
	snprintf(arrangement.filter, sizeof(arrangement.filter), "%s", filters[_i].filter);
	snapshot_arrange(&snapshot, &arrangement);
	for (size_t i = 0; i < snapshot.servers.shown; i++)
		got[i] = snapshot.servers.rows[i].name[4];
	ck_assert_str_eq(got, filters[_i].expected);
	snapshot_clear(&snapshot);
}
END_TEST

/* Two hundred services of five, of which the last is down: it is on the screen, which says how much is not. */
START_TEST(a_large_director_is_scrolled)
{
	struct view view = { .rows = 40, .columns = 120, .first = 9999, .on_services = true, .first_service = 2 };
	struct snapshot snapshot = { .flows = 0 };
	char *text = NULL;
	size_t length = 0;
	FILE *json = open_memstream(&text, &length), *out;

	fprintf(json, "{\"version\":\"1\",\"services\":[");
	for (int i = 0; i < 200; i++)
		fprintf(json, "%s{\"service\":\"s%d\",\"state\":\"%s\"}", i > 0 ? "," : "", i, i == 199 ? "down" :
		    "up");
	fprintf(json, "],\"servers\":[");
	for (int i = 0; i < 1000; i++)
		fprintf(json, "%s{\"server\":\"s%d/w%d\",\"state\":\"up\"}", i > 0 ? "," : "", i / 5, i % 5);
	fprintf(json, "]}");
	ck_assert_int_eq(fclose(json), 0);
	ck_assert_int_eq(snapshot_read(&snapshot, text, length), 0);
	free(text);
	text = NULL;
	snapshot_arrange(&snapshot, &view.arrangement);
	ck_assert_str_eq(snapshot.services.rows[0].name, "s199");
	out = open_memstream(&text, &length);
	screen_draw(&snapshot, &view, out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_ptr_nonnull(strstr(text,
	    "services 3-15 of 200  servers 980-1000 of 1000  sort: as configured  ? help"));
	free(text);
	snapshot_clear(&snapshot);
}
END_TEST

START_TEST(the_help_has_every_order)
{
	struct view view = { .rows = 24, .columns = 200, .help = true };
	struct snapshot snapshot = { .flows = 0 };
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	screen_draw(&snapshot, &view, out);
	ck_assert_int_eq(fclose(out), 0);
	for (enum snapshot_order order = 0; order < ORDER_COUNT; order++)
		ck_assert_msg(strstr(text, snapshot_order_name(order)) != NULL, "no %s", snapshot_order_name(order));
	free(text);
}
END_TEST

/* Lines of a screen, and the longest of them; escape sequences have no width. */
static void
measure(const char *text, unsigned *rows, unsigned *columns)
{
	unsigned width = 0;

	*rows = 1;
	*columns = 0;
	for (; *text != '\0'; text++) {
		if (*text == '\033') {
			text += strcspn(text, "HKJm");
		} else if (*text == '\n') {
			++*rows;
			width = 0;
		} else if (*text != '\r' && ++width > *columns) {
			*columns = width;
		}
	}
}

START_TEST(a_screen_is_never_left)
{
	struct snapshot snapshot;

	read_report(&snapshot);
	for (unsigned rows = 1; rows < 40; rows++) {
		for (unsigned columns = 1; columns < 160; columns += 7) {
			struct view view = { .rows = rows, .columns = columns, .colour = (rows % 2) != 0, .first = 99 };
			unsigned used_rows, used_columns;
			char *text = NULL;
			size_t length = 0;
			FILE *out = open_memstream(&text, &length);

			ck_assert_ptr_nonnull(out);
			snapshot_arrange(&snapshot, &view.arrangement);
			view.help = columns % 2 == 0;
			screen_draw(&snapshot, &view, out);
			ck_assert_int_eq(fclose(out), 0);
			measure(text, &used_rows, &used_columns);
			ck_assert_uint_le(used_rows, rows);
			ck_assert_uint_le(used_columns, columns);
			ck_assert(view.first < 3);
			free(text);
		}
	}
	snapshot_clear(&snapshot);
}
END_TEST

START_TEST(what_is_printed_has_all_and_no_escapes)
{
	struct snapshot snapshot;
	struct view view = { .rows = 0 };
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(out);
	read_report(&snapshot);
	snapshot_arrange(&snapshot, &view.arrangement);
	screen_draw(&snapshot, &view, out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_ptr_null(strchr(text, '\033'));
	ck_assert_ptr_nonnull(strstr(text, "dsrd 0.1.0  up 3700s  flows 7 of 1000  dropped 7\n"));
	ck_assert_ptr_nonnull(strstr(text, "web/b   down "));
	ck_assert_ptr_nonnull(strstr(text, "connection \"refused\"\n"));
	ck_assert_ptr_nonnull(strstr(text, "900 kB/s"));
	ck_assert_ptr_nonnull(strstr(text, "1.50 ms\n"));
	free(text);
	snapshot_clear(&snapshot);
}
END_TEST

START_TEST(keys_are_told_apart)
{
	static const char bytes[] = "q\033[Bx\033[5~\033[6~SsrR/\t?\003";
	static const enum key expected[] = { KEY_QUIT, KEY_DOWN, KEY_NONE, KEY_PAGE_UP, KEY_PAGE_DOWN,
		KEY_SORT_BACK, KEY_SORT, KEY_REVERSE, KEY_NONE, KEY_FILTER, KEY_SWITCH, KEY_HELP, KEY_QUIT };
	size_t at = 0, used;

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		ck_assert_int_eq(terminal_key(bytes + at, strlen(bytes) - at, &used), expected[i]);
		at += used;
	}
	ck_assert_uint_eq(at, strlen(bytes));
}
END_TEST

Suite *
top_suite(void)
{
	Suite *suite = suite_create("top");
	TCase *tcase = tcase_create("top");

	tcase_add_test(tcase, a_report_is_read);
	tcase_add_loop_test(tcase, what_is_no_report_is_refused, 0, (int)(sizeof(garbled) / sizeof(garbled[0])));
	tcase_add_test(tcase, what_broke_off_is_refused);
	tcase_add_loop_test(tcase, servers_are_sorted, 0, (int)(sizeof(orders) / sizeof(orders[0])));
	tcase_add_loop_test(tcase, servers_are_filtered, 0, (int)(sizeof(filters) / sizeof(filters[0])));
	tcase_add_test(tcase, a_large_director_is_scrolled);
	tcase_add_test(tcase, the_help_has_every_order);
	tcase_add_test(tcase, a_screen_is_never_left);
	tcase_add_test(tcase, what_is_printed_has_all_and_no_escapes);
	tcase_add_test(tcase, keys_are_told_apart);
	suite_add_tcase(suite, tcase);
	return suite;
}
