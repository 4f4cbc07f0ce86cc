/* SPDX-License-Identifier: ISC */
/* What is told of a flow table that is larger than a slice, while it and the model change. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/duration.h"
#include "conf/conf.h"
#include "ctl/report.h"
#include "proto/packet.h"
#include "suites.h"

#define FLOWS 40000
#define HEAD "[dsrd]\ninterface = eth0\n[service web]\nlisten = 192.0.2.10 tcp/80\ncheck = none\nvip-check = off\n"

static struct model *model;
static struct forwarder forwarder;
static struct report_facts facts;
static char *text;

static void
conflict_neighbor(void *context UNUSED, enum neigh_event event UNUSED, enum neigh_reason reason UNUSED,
    const struct neigh *neigh UNUSED, const struct mac *before UNUSED)
{
}

static void
apply(const char *servers)
{
	struct errlist *errors = errlist_new();
	char file[512];
	struct conf conf;
	FILE *in;

	snprintf(file, sizeof(file), HEAD "%s", servers);
	in = fmemopen(file, strlen(file), "r");
	ck_assert_int_eq(conf_read(in, "t", &conf, errors), 0);
	fclose(in);
	errlist_free(errors);
	ck_assert_int_eq(model_apply(model, &conf.settings, SECONDS(1)), 0);
	conf_clear(&conf);
}

static void
setup(void)
{
	const struct siphash_key key = { { 0 } };
	char error[100];

	model = model_new();
	apply("server = web1 192.0.2.11\nserver = web2 192.0.2.12\n");
	ck_assert_int_eq(forwarder_init(&forwarder, FLOWS + 1000, &key, conflict_neighbor, NULL, error, sizeof(error)),
	    0);
	facts = (struct report_facts){ .now = SECONDS(100), .model = model, .forwarder = &forwarder };
}

static void
teardown(void)
{
	free(text);
	text = NULL;
	forwarder_clear(&forwarder);
	model_free(model);
}

static struct server *
server(const char *name)
{
	struct server *found = model_find(model, name);

	ck_assert_ptr_nonnull(found);
	return found;
}

/* Client 198.51.100.1 from port 1000 on. */
static void
add_flows(const char *name, unsigned first, unsigned count, uint64_t timeout, uint64_t now)
{
	struct conn_key key = { .client = { [10] = 0xff, 0xff, 198, 51, 100, 1 }, .vip_port = 80,
		.target = conn_target(model->vips[0].number, PROTOCOL_TCP) };

	for (unsigned i = 0; i < count; i++) {
		key.client_port = (uint16_t)(1000 + first + i);
		ck_assert_ptr_nonnull(conn_insert(forwarder.conns, &key, server(name)->ref, CONN_ESTABLISHED, timeout,
		    now));
		server(name)->run->active++;
	}
}

static struct flow_walk *
begin(const char *word)
{
	struct flow_walk *walk;
	struct filter filter;
	char error[FILTER_ERROR];

	ck_assert_int_eq(filter_parse(&word, word == NULL ? 0 : 1, FILTER_FLOWS, &filter, error), 0);
	walk = flow_walk_new(&filter, model);
	ck_assert_ptr_nonnull(walk);
	return walk;
}

static unsigned
walk_on(struct flow_walk *walk)
{
	unsigned steps = 1;

	while (!flow_walk_step(walk, &facts))
		steps++;
	return steps;
}

static bool
drain(const struct flow_walk *walk, const char *only)
{
	struct selection selection = { .count = 0 };
	char error[SELECTOR_ERROR];
	size_t length;
	FILE *out;
	struct writer *writer;
	bool empty;

	if (only != NULL)
		ck_assert_int_eq(selection_add(&selection, only, SELECTION_LIST, model, error), SELECTION_OK);
	facts.selection = &selection;
	free(text);
	text = NULL;
	out = open_memstream(&text, &length);
	writer = writer_json(out);
	ck_assert_ptr_nonnull(writer);
	empty = report_drain(writer, &facts, walk);
	ck_assert_int_eq(writer_end(writer), 0);
	fclose(out);
	return empty;
}

START_TEST(goes_in_slices)
{
	struct flow_walk *walk = begin("server=web/web2");

	add_flows("web/web1", 0, FLOWS / 2, SECONDS(900), SECONDS(90));
	add_flows("web/web2", FLOWS / 2, FLOWS / 2, SECONDS(900), SECONDS(90));
	/* A slice of 16384, see STEP. */
	ck_assert_uint_eq(walk_on(walk), 3);
	ck_assert_uint_eq(walk->matched, FLOWS / 2);
	ck_assert_uint_eq(walk->active, FLOWS / 2);
	ck_assert_uint_eq(walk->kept_count, FILTER_LIMIT);
	flow_walk_free(walk);
}
END_TEST

START_TEST(a_drain_has_a_rate_and_an_end)
{
	struct flow_walk *walk;

	add_flows("web/web1", 0, 3, SECONDS(900), SECONDS(60));
	add_flows("web/web1", 3, 1, SECONDS(120), SECONDS(100));
	ck_assert(admin_admin(server("web/web1"), ADMIN_DRAINED, SECONDS(90)));
	walk = begin(NULL);
	(void)walk_on(walk);
	ck_assert(!drain(walk, NULL));
	/* None has left: nothing is known of the rate. All silent: the oldest are forgotten at 960. */
	ck_assert_ptr_nonnull(strstr(text,
	    "\"server\":\"web/web1\",\"state\":\"draining\",\"left\":4,\"active\":4,\"oldest\":"
	    "\"40s\",\"oldest_seconds\":40,\"empty\":null,\"empty_in_seconds\":null,\"if_silent\":\"860s\","
	    "\"if_silent_seconds\":860,\"disabled_in\":null,\"disabled_in_seconds\":null}"));
	ck_assert_ptr_null(strstr(text, "web2"));
	/* One of four in ten seconds: three take thirty. */
	server("web/web1")->run->active--;
	ck_assert(!drain(walk, NULL));
	ck_assert_ptr_nonnull(strstr(text, "\"empty\":\"about 30s\",\"empty_in_seconds\":30,"));
	/* With a time after which the server is disabled, which the facts' time is before. */
	server("web/web1")->admin.drain_until = SECONDS(160);
	ck_assert(!drain(walk, NULL));
	ck_assert_ptr_nonnull(strstr(text, "\"disabled_in\":\"1m\",\"disabled_in_seconds\":60}"));
	/* Finished connections do not keep a drain from being done, unless they are to count. */
	server("web/web1")->run->active = 0;
	server("web/web1")->run->inactive = 3;
	ck_assert(drain(walk, NULL));
	facts.all = true;
	ck_assert(!drain(walk, NULL));
	server("web/web1")->run->inactive = 0;
	ck_assert(drain(walk, NULL));
	ck_assert_ptr_nonnull(strstr(text, "\"empty\":\"now\",\"empty_in_seconds\":0,\"if_silent\":null"));
	/* One that is not drained is told of when asked for. */
	ck_assert(drain(walk, "web/web2"));
	ck_assert_ptr_nonnull(strstr(text, "web2"));
	flow_walk_free(walk);
}
END_TEST

START_TEST(a_reload_comes_between)
{
	struct flow_walk *walk = begin(NULL);

	add_flows("web/web1", 0, FLOWS / 2, SECONDS(900), SECONDS(90));
	add_flows("web/web2", FLOWS / 2, FLOWS / 2, SECONDS(900), SECONDS(90));
	ck_assert(!flow_walk_step(walk, &facts));
	/* web1 is gone, web3 has a slot that was not there when the walk began. */
	apply("server = web2 192.0.2.12\nserver = web3 192.0.2.13\nserver = web4 192.0.2.14\nserver = web5 192.0.2.15\n");
	add_flows("web/web5", FLOWS, 1, SECONDS(900), SECONDS(90));
	ck_assert(admin_admin(server("web/web5"), ADMIN_DRAINED, SECONDS(90)));
	(void)walk_on(walk);
	ck_assert_uint_eq(walk->matched, FLOWS + 1);
	ck_assert(!drain(walk, NULL));
	ck_assert_ptr_nonnull(strstr(text, "\"server\":\"web/web5\",\"state\":\"draining\",\"left\":1,"));
	flow_walk_free(walk);
}
END_TEST

Suite *
report_flows_suite(void)
{
	Suite *suite = suite_create("report_flows");
	TCase *tcase = tcase_create("report_flows");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, goes_in_slices);
	tcase_add_test(tcase, a_drain_has_a_rate_and_an_end);
	tcase_add_test(tcase, a_reload_comes_between);
	suite_add_tcase(suite, tcase);
	return suite;
}
