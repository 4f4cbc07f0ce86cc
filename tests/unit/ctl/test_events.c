/* SPDX-License-Identifier: ISC */
/* The list of events, what selects among them and among services, and the rates of the last hour. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/attr.h"
#include "base/duration.h"
#include "base/text.h"
#include "conf/conf.h"
#include "ctl/report.h"
#include "suites.h"

#define FILE_TEXT "[dsrd]\ninterface = eth0\n[service shop-a]\nlisten = 192.0.2.10 tcp/80\n" \
	"server = web1 192.0.2.11\nserver = web3 192.0.2.13\n[service shop-b]\nlisten = 192.0.2.20 tcp/80\n" \
	"server = web1 192.0.2.11\nserver = web2 192.0.2.12\n[service mail]\nlisten = 192.0.2.10 tcp/25\n" \
	"server = mx1 192.0.2.15\n"

static struct events *events;
static struct model *model;

static void
setup(void)
{
	struct errlist *errors = errlist_new();
	char file[] = FILE_TEXT;
	struct conf conf;
	FILE *in = fmemopen(file, strlen(file), "r");

	events = events_new();
	model = model_new();
	ck_assert_int_eq(conf_read(in, "t", &conf, errors), 0);
	fclose(in);
	errlist_free(errors);
	ck_assert_int_eq(model_apply(model, &conf.settings, SECONDS(1)), 0);
	conf_clear(&conf);
}

static void
teardown(void)
{
	events_free(events);
	model_free(model);
}

START_TEST(the_oldest_event_makes_room)
{
	char line[16];

	for (unsigned i = 1; i <= EVENTS_MOST + 10; i++) {
		snprintf(line, sizeof(line), "event n=%u", i);
		events_add(events, i, LOG_NOTICE, line);
	}
	ck_assert_uint_eq(events_count(events), EVENTS_MOST);
	ck_assert_uint_eq(events_at(events, 0)->number, 11);
	ck_assert_str_eq(events_at(events, 0)->line, "event n=11");
	ck_assert_uint_eq(events_at(events, EVENTS_MOST - 1)->number, EVENTS_MOST + 10);
}
END_TEST

START_TEST(long_events_are_bounded_in_bytes)
{
	char line[1000];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	for (unsigned i = 0; i < 3000; i++)
		events_add(events, i, LOG_NOTICE, line);
	ck_assert_uint_eq(events_count(events), EVENTS_BYTES / sizeof(line));
	ck_assert_uint_eq(events_at(events, events_count(events) - 1)->number, 3000);
}
END_TEST

/* Lines of all lengths, many times around: each one that is left is what was added, and no two overlap. */
START_TEST(lines_stay_what_they_are)
{
	char line[1200], expected[1200];
	uint32_t random = 1;
	size_t longest = 0;

	for (unsigned i = 1; i <= 40000; i++) {
		const size_t length = (random = random * 1664525 + 1013904223) >> 22;

		memset(line, 'a' + (int)(i % 26), length);
		snprintf(line + length, sizeof(line) - length, " n=%u", i);
		events_add(events, i, LOG_NOTICE, line);
		longest = length > longest ? length : longest;
	}
	ck_assert_uint_gt(longest, 1000);
	ck_assert_uint_gt(events_count(events), EVENTS_BYTES / sizeof(line));
	for (size_t i = 0; i < events_count(events); i++) {
		const struct event *event = events_at(events, i);
		const size_t length = strcspn(event->line, " ");

		ck_assert_uint_eq(event->number, 40000 - events_count(events) + 1 + i);
		memset(expected, 'a' + (int)(event->number % 26), length);
		snprintf(expected + length, sizeof(expected) - length, " n=%u", (unsigned)event->number);
		ck_assert_str_eq(event->line, expected);
	}
}
END_TEST

START_TEST(values_of_an_event)
{
	const struct event event = { 1, 0, LOG_NOTICE,
		(char[]) { "server-state server=web/web1 to=down reason=\"said \\\"no to=up\\\" \\\\\" check=\"\" end"
		    } };
	char text[EVENT_VALUE];

	ck_assert_str_eq(event_name(&event, text), "server-state");
	ck_assert_str_eq(event_value(&event, "server", text), "web/web1");
	ck_assert_str_eq(event_value(&event, "to", text), "down");
	ck_assert_str_eq(event_value(&event, "reason", text), "said \"no to=up\" \\");
	ck_assert_str_eq(event_value(&event, "check", text), "");
	ck_assert_ptr_null(event_value(&event, "end", text));
	ck_assert_ptr_null(event_value(&event, "er", text));
	ck_assert_ptr_null(event_value(&event, "server-state", text));
}
END_TEST

static const char *const lines[] = {
	"ready version=1",                                            /* 1 */
	"server-state server=shop-a/web1 from=up to=down",            /* 2 */
	"server-state server=shop-b/web2 from=up to=down",            /* 3 */
	"admin server=mail/mx1 action=drained by=uid:0",              /* 4 */
	"vip-conflict vip=192.0.2.10 mac=02:00:00:00:00:99",          /* 5 */
};

static const struct selected {
	const char *words;
	const char *numbers; /* NULL: refused */
} selected[] = {
	{ "", "1 2 3 4 5" },
	{ "shop-*", "2 3" },
	{ "shop-a", "2" },
	{ "*/web2", "3" },
	{ "mail/mx1 */web2", "3 4" },
	{ "192.0.2.11", "2" },
	{ "192.0.2.10", "5" },
	{ "event=server-state", "2 3" },
	{ "event=*[nt]", "4 5" },
	{ "level=warning", "2 3 5" },
	{ "level=error", "" },
	{ "level=warning shop-b", "3" },
	{ "after=3", "4 5" },
	{ "limit=2", "4 5" },
	{ "since=2500ms", "3 4 5" },
	{ "since=soon", NULL },
	{ "limit=0", NULL },
	{ "level=loud", NULL },
	{ "colour=red", NULL },
	{ "a/b/c", NULL },
	{ "/", NULL },
};

static size_t
split(char *text, const char *words[10])
{
	size_t count = 0;

	while ((words[count] = text_next_word(&text)) != NULL)
		count++;
	return count;
}

/* The numbers in the JSON of a report. */
static void
numbers_of(const char *json, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (const char *at = json; (at = strstr(at, "{\"number\":")) != NULL; at++)
		used += (size_t)snprintf(text + used, size - used, "%s%.*s", used > 0 ? " " : "",
		    (int)strspn(at + 10, "0123456789"), at + 10);
}

START_TEST(events_are_selected)
{
	char words_text[64], error[EVENT_FILTER_ERROR] = "", numbers[64], *json = NULL;
	const char *words[10];
	struct event_filter filter;
	size_t length;
	FILE *out;
	struct writer *writer;
	int result;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		events_add(events, (i + 1) * 1000, strstr(lines[i], "down") != NULL ||
		    strstr(lines[i], "conflict") != NULL ?
		    LOG_WARNING : LOG_NOTICE, lines[i]);
	snprintf(words_text, sizeof(words_text), "%s", selected[_i].words);
	result = event_filter_parse(words, split(words_text, words), 5000, &filter, error);
	ck_assert_int_eq(result, selected[_i].numbers == NULL ? -1 : 0);
	ck_assert_int_eq(error[0] != '\0', result == -1);
	if (result == -1)
		return;
	out = open_memstream(&json, &length);
	writer = writer_json(out);
	report_events(writer, events, &filter, model);
	ck_assert_int_eq(writer_end(writer), 0);
	fclose(out);
	numbers_of(json, numbers, sizeof(numbers));
	ck_assert_str_eq(numbers, selected[_i].numbers);
	ck_assert_ptr_nonnull(strstr(json, "\"last_number\":5"));
	free(json);
}
END_TEST

static const struct selection_row {
	const char *word;
	enum selection_use use;
	enum selection_result result;
	const char *servers;  /* selected ... */
	const char *sentence; /* ... or what the sentence has */
} selections[] = {
	{ "shop-a", SELECTION_LIST, SELECTION_OK, "shop-a/web1 shop-a/web3", NULL },
	{ "shop-?/web1", SELECTION_LIST, SELECTION_OK, "shop-a/web1 shop-b/web1", NULL },
	{ "*/web3", SELECTION_CHANGE, SELECTION_OK, "shop-a/web3", NULL },
	{ "mail/mx1", SELECTION_CHANGE, SELECTION_OK, "mail/mx1", NULL },
	{ "192.0.2.11", SELECTION_CHANGE, SELECTION_OK, "shop-a/web1 shop-b/web1", NULL },
	{ "shop-a/*", SELECTION_CHANGE, SELECTION_OK, "shop-a/web1 shop-a/web3", NULL },
	{ "192.0.2.10", SELECTION_LIST, SELECTION_OK, "shop-a/web1 shop-a/web3 mail/mx1", NULL },
	{ "192.0.2.10", SELECTION_CHANGE, SELECTION_UNKNOWN, NULL, "there is no server" },
	{ "shop-a", SELECTION_CHANGE, SELECTION_WRONG, NULL, "'shop-a/*' for all" },
	{ "shop-*", SELECTION_CHANGE, SELECTION_WRONG, NULL, "'shop-*/*' for all" },
	{ "192.0.2.99", SELECTION_LIST, SELECTION_UNKNOWN, NULL, "there is no service or server" },
	{ "shpo-a", SELECTION_LIST, SELECTION_UNKNOWN, NULL, "did you mean `shop-a`?" },
	{ "shop-b/web9", SELECTION_CHANGE, SELECTION_UNKNOWN, NULL, "did you mean `shop-b/web1`?" },
	{ "x/*", SELECTION_LIST, SELECTION_UNKNOWN, NULL, "there is no service or server" },
	{ "", SELECTION_LIST, SELECTION_WRONG, NULL, "selects nothing" },
	{ "web/", SELECTION_LIST, SELECTION_WRONG, NULL, "selects nothing" },
};

START_TEST(servers_are_selected)
{
	const struct selection_row *row = &selections[_i];
	struct selection selection = { .count = 0 };
	char error[SELECTOR_ERROR] = "", found[256] = "", name[SERVER_NAME_TEXT];
	size_t used = 0;
	const enum selection_result result = selection_add(&selection, row->word, row->use, model, error);

	ck_assert_int_eq(result, row->result);
	if (result != SELECTION_OK) {
		ck_assert_msg(strstr(error, row->sentence) != NULL, "%s: %s", row->word, error);
		return;
	}
	for (size_t i = 0; i < model->service_count; i++)
		for (size_t j = 0; j < model->services[i]->server_count; j++)
			if (selection_has(&selection, model->services[i]->servers[j]))
				used += (size_t)snprintf(found + used, sizeof(found) - used, "%s%s", used > 0 ? " " :
				    "",
				    server_name(model->services[i]->servers[j], name));
	ck_assert_str_eq(found, row->servers);
}
END_TEST

START_TEST(an_hour_of_rates_is_kept)
{
	static struct history history;
	struct service *service = model->services[0];
	uint64_t when = 1000000;

	service->rates.connections.current = 30;
	service->rates.responses.current = 2000;
	for (unsigned i = 0; i <= HISTORY_STEP; i++)
		history_tick(&history, model, i * 3, 7, when++);
	ck_assert_uint_eq(history.count, 1);
	ck_assert_uint_eq(history_at(&history, 0)->connections, 30);
	ck_assert_uint_eq(history_at(&history, 0)->out, 2000);
	ck_assert_uint_eq(history_at(&history, 0)->dropped, 30);
	ck_assert_uint_eq(history_at(&history, 0)->flows, 7);
	ck_assert_uint_eq(history_at(&history, 0)->servers, 5);
	ck_assert_uint_eq(history_at(&history, 0)->when, 1000010);
	service->rates.connections.current = 10;
	for (unsigned i = 0; i < 2 * HISTORY_POINTS * HISTORY_STEP; i++)
		history_tick(&history, model, 33, 7, when++);
	ck_assert_uint_eq(history.count, HISTORY_POINTS);
	ck_assert_uint_eq(history_at(&history, HISTORY_POINTS - 1)->connections, 10);
	ck_assert_uint_eq(history_at(&history, 0)->when, history_at(&history, HISTORY_POINTS - 1)->when -
	    (HISTORY_POINTS - 1) * HISTORY_STEP);
}
END_TEST

/* A clock that was set makes no point of an hour, nor one of less than a second. */
START_TEST(a_clock_that_jumps_begins_a_new_point)
{
	static struct history history;

	for (uint64_t when = 1000; when < 1005; when++)
		history_tick(&history, model, 5, 0, when);
	history_tick(&history, model, 5, 0, 9000);
	history_tick(&history, model, 5, 0, 100);
	ck_assert_uint_eq(history.count, 0);
	for (uint64_t when = 101; when <= 110; when++)
		history_tick(&history, model, 5, 0, when);
	ck_assert_uint_eq(history.count, 1);
	ck_assert_uint_eq(history_at(&history, 0)->dropped, 0);
}
END_TEST

Suite *
events_suite(void)
{
	Suite *suite = suite_create("events");
	TCase *tcase = tcase_create("events");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, the_oldest_event_makes_room);
	tcase_add_test(tcase, long_events_are_bounded_in_bytes);
	tcase_add_test(tcase, lines_stay_what_they_are);
	tcase_add_test(tcase, values_of_an_event);
	tcase_add_loop_test(tcase, events_are_selected, 0, (int)ARRAY_LEN(selected));
	tcase_add_loop_test(tcase, servers_are_selected, 0, (int)ARRAY_LEN(selections));
	tcase_add_test(tcase, an_hour_of_rates_is_kept);
	tcase_add_test(tcase, a_clock_that_jumps_begins_a_new_point);
	suite_add_tcase(suite, tcase);
	return suite;
}
