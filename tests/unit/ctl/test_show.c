/* SPDX-License-Identifier: ISC */
/* How much `dsrctl show` of a large director is, and what it leaves out. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/duration.h"
#include "conf/conf.h"
#include "ctl/report.h"
#include "suites.h"

#define SERVICES 200
#define SERVERS 5

static struct model *model;
static struct forwarder forwarder;
static struct report_facts facts;
static struct selection selection;
static char *text;

static void
conflict_neighbor(void *context UNUSED, enum neigh_event event UNUSED, enum neigh_reason reason UNUSED,
    const struct neigh *neigh UNUSED, const struct mac *before UNUSED)
{
}

static void
apply(unsigned services)
{
	struct errlist *errors = errlist_new();
	char *file = NULL;
	size_t length;
	struct conf conf;
	FILE *out = open_memstream(&file, &length), *in;

	fprintf(out, "[dsrd]\ninterface = eth0\n");
	for (unsigned i = 0; i < services; i++) {
		fprintf(out, "[service s%u]\nlisten = 192.0.2.10 tcp/%u\ncheck = none\nvip-check = off\n", i, 1000 + i);
		for (unsigned j = 1; j <= SERVERS; j++)
			fprintf(out, "server = web%u 192.0.2.2%u\n", j, j);
	}
	fclose(out);
	in = fmemopen(file, length, "r");
	ck_assert_int_eq(conf_read(in, "t", &conf, errors), 0);
	fclose(in);
	free(file);
	errlist_free(errors);
	ck_assert_int_eq(model_apply(model, &conf.settings, SECONDS(1)), 0);
	conf_clear(&conf);
	for (size_t i = 0; i < model->slot_count; i++)
		if (model->slots[i] != NULL)
			model->slots[i]->mac = (struct mac){ { 2, 0, 0, 0, 0, 1 } };
}

static void
setup(void)
{
	const struct siphash_key key = { { 0 } };
	char error[100];

	model = model_new();
	apply(SERVICES);
	ck_assert_int_eq(forwarder_init(&forwarder, 1000, &key, conflict_neighbor, NULL, error, sizeof(error)), 0);
	memset(&selection, 0, sizeof(selection));
	facts = (struct report_facts){ .now = SECONDS(100), .model = model, .forwarder = &forwarder,
	    .selection = &selection };
}

static void
teardown(void)
{
	free(text);
	text = NULL;
	forwarder_clear(&forwarder);
	model_free(model);
}

/* Lines of the report, which is in `text`. */
static unsigned
show(void)
{
	size_t length;
	FILE *out;
	struct writer *writer;
	unsigned lines = 0;

	free(text);
	text = NULL;
	out = open_memstream(&text, &length);
	writer = writer_text(out, false);
	report_show(writer, &facts);
	ck_assert_int_eq(writer_end(writer), 0);
	fclose(out);
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	ck_assert_ptr_null(strstr(text, " \n"));
	return lines;
}

START_TEST(what_is_well_has_a_line_a_service)
{
	ck_assert_uint_le(show(), SERVICES + 15);
	ck_assert_ptr_nonnull(strstr(text, "not listed: 1000 servers are up and as configured"));
	ck_assert_ptr_null(strstr(text, "s7/web1"));
	ck_assert(!report_has_problems(&facts));
	/* One that is not well is listed, and only that one. */
	ck_assert(admin_admin(model_find(model, "s7/web1"), ADMIN_DRAINED, SECONDS(2)));
	ck_assert_uint_le(show(), SERVICES + 20);
	ck_assert_ptr_nonnull(strstr(text, "s7/web1"));
	ck_assert_ptr_null(strstr(text, "s7/web2"));
	ck_assert(report_has_problems(&facts));
}
END_TEST

START_TEST(problems_are_few_lines)
{
	facts.only_problems = true;
	ck_assert_uint_le(show(), 2);
	ck_assert(admin_admin(model_find(model, "s7/web1"), ADMIN_DISABLED, SECONDS(2)));
	ck_assert_uint_le(show(), 10);
	ck_assert_ptr_nonnull(strstr(text, "s7/web1"));
	ck_assert_ptr_null(strstr(text, "s8"));
}
END_TEST

START_TEST(what_is_asked_for_is_in_full)
{
	char error[SELECTOR_ERROR];

	ck_assert_int_eq(selection_add(&selection, "s7", SELECTION_LIST, model, error), SELECTION_OK);
	ck_assert_uint_le(show(), 2 * SERVERS + 15);
	ck_assert_ptr_nonnull(strstr(text, "s7/web5"));
	ck_assert_ptr_null(strstr(text, "s8"));
	selection.count = 0;
	ck_assert_int_eq(selection_add(&selection, "192.0.2.21", SELECTION_LIST, model, error), SELECTION_OK);
	ck_assert_uint_ge(show(), 2 * SERVICES);
	ck_assert_ptr_nonnull(strstr(text, "s199/web1"));
	ck_assert_ptr_null(strstr(text, "web2"));
	selection.count = 0;
	facts.all = true;
	ck_assert_uint_ge(show(), 2 * SERVICES * SERVERS);
}
END_TEST

START_TEST(a_small_director_is_shown_in_full)
{
	apply(8);
	ck_assert_uint_ge(show(), 2 * 8 * SERVERS);
	ck_assert_ptr_null(strstr(text, "not listed"));
}
END_TEST

/* Problems first, and the least urgent numbers last. */
START_TEST(the_order_is_that_of_importance)
{
	const char *services, *servers, *flows;

	apply(2);
	show();
	services = strstr(text, "SERVICE ");
	servers = strstr(text, "SERVER ");
	flows = strstr(text, "\nflows: ");
	ck_assert(services != NULL && servers != NULL && flows != NULL);
	ck_assert(services < servers && servers < flows);
	ck_assert_str_eq(strchr(flows + 1, '\n') + 1,
	    "unproven flows: 0\nunproven flows evicted: 0\noffloaded to the kernel: 0\n");
}
END_TEST

Suite *
show_suite(void)
{
	Suite *suite = suite_create("show");
	TCase *tcase = tcase_create("show");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, what_is_well_has_a_line_a_service);
	tcase_add_test(tcase, problems_are_few_lines);
	tcase_add_test(tcase, what_is_asked_for_is_in_full);
	tcase_add_test(tcase, a_small_director_is_shown_in_full);
	tcase_add_test(tcase, the_order_is_that_of_importance);
	suite_add_tcase(suite, tcase);
	return suite;
}
