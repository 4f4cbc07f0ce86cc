/* SPDX-License-Identifier: ISC */
/*
 * Selection while another table is published: a decision reads one table, however slow it is. Two tables alternate. No
 * server is in both, no two services share a server, and the first service is only in one of them, so that ranges,
 * services and slots of the others move: where a decision goes says which table it read, or that it mixed two.
 */
#include "config.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../scene/scene.h"
#include "base/attr.h"
#include "offload_shared.h"
#include "suites.h"

#define BUCKETS 1024
#define IFINDEX 17
#define TABLES 2
#define SERVICES 3
#define SERVERS 4 /* of each service: half of them for each table */
#define PORTS 64
#define REALLY 30        /* tables that are published at real times, */
#define APART 17000000   /* nanoseconds apart: a bank rests for 16 ms */
#define IN_PLACE 20000   /* tables that are written in place at most: some seconds */

static const char *const vips[SERVICES] = { "192.0.2.10", "192.0.2.11", "192.0.2.12" };
static const char *const names[SERVICES] = { "a", "b", "c" };

static struct scene scene;
static struct offload_cache *offload;
static unsigned table;        /* the one that was published last */
static unsigned publications; /* to come in the middle of a decision */
/* The last byte of the MAC address of the server that each table has for a client's port; 0: the daemon decides. */
static uint8_t expected[TABLES][SERVICES][PORTS];

static struct offload_bucket *
offload_bucket_at(uint32_t number)
{
	ck_assert_uint_lt(number, BUCKETS);
	return &shared.buckets[number];
}

static void
publish(unsigned number, uint64_t now)
{
	char name[8];

	for (unsigned i = 0; i < SERVICES; i++) {
		for (unsigned j = 0; j < SERVERS; j++) {
			const unsigned own = i == 0 ? 0 : j % TABLES;

			snprintf(name, sizeof(name), "s%u", i * SERVERS + j + 1);
			scene_server(&scene, names[i], name)->health.state = own == number ? HEALTH_UP : HEALTH_DOWN;
		}
	}
	table = number;
	scene_compile(&scene);
	offload_refresh(offload, scene.forwarder.table, scene.ifaces, false, NULL, 0, now);
}

/* Of a SYN; see expected[]. */
static uint8_t
decide(unsigned service, unsigned port)
{
	const struct shape syn = { .to = vips[service], .from_port = (uint16_t)(1 + port), .flags = TCP_SYN };
	const struct frame frame = scene_frame(&scene, &syn);
	struct view view = { frame.bytes, frame.length };
	struct offload_frame seen = { .source = &view, .length = frame.length, .ifindex = IFINDEX, .sums_unknown = true };
	struct offload_head head = { .pad = 0 };
	struct offload_hand hand;

	return offload_decide(&seen, shared.control, &head, &hand) ? hand.macs[5] : 0;
}

/* Both banks rest, and what waits is published. */
static void
rest(void)
{
	scene.now += MILLISECONDS(20);
	offload_tick(offload, scene.now);
	ck_assert_uint_ne(shared.selection->bank, 0);
}

static void
setup(void)
{
	static const struct siphash_key secret = { { 42 } };

	ck_assert(shared_open(BUCKETS));
	scene_open(&scene);
	for (unsigned i = 0; i < SERVICES; i++) {
		struct service_settings *service = scene_add_service(&scene, names[i], PROTOCOL_TCP, 80, "maglev");

		service->listens[0].vip = scene_addr(vips[i]);
		for (unsigned j = 0; j < SERVERS; j++)
			scene_add_server(service, i * SERVERS + j + 1, 1, false);
	}
	scene_apply(&scene);
	offload = offload_new(&shared, &secret, scene.forwarder.conns, SCENE_FLOWS, &scene.forwarder.stats);
	ck_assert_ptr_nonnull(offload);
	offload_iface(offload, 0, IFINDEX, true);
	records_most = 0;
	for (unsigned i = 0; i < TABLES; i++) {
		publish(i, scene.now);
		rest();
		for (unsigned service = 0; service < SERVICES; service++)
			for (unsigned port = 0; port < PORTS; port++)
				expected[i][service][port] = decide(service, port);
	}
	for (unsigned service = 0; service < SERVICES; service++) {
		for (unsigned port = 0; port < PORTS; port++) {
			ck_assert_uint_ne(expected[0][service][port], 0);
			ck_assert((expected[1][service][port] == 0) == (service == 0));
			ck_assert_uint_ne(expected[0][service][port], expected[1][service][port]);
		}
	}
}

static void
teardown(void)
{
	shared_pause = NULL;
	records_most = RECORDS_MOST;
	offload_free(offload);
	scene_close(&scene);
	shared_close();
}

/* The other table, so that every bank gets another one than it had. */
static void
publish_meanwhile(void)
{
	const unsigned other = 1 - table;

	for (unsigned i = 0; i < publications; i++) {
		scene.now += MILLISECONDS(1);
		publish(other, scene.now);
	}
}

/* The reader has found the VIP's ports; before it reads them, one to three tables are published. */
START_TEST(test_a_slow_decision_reads_one_table)
{
	for (unsigned port = 0; port < PORTS; port++) {
		for (unsigned service = 0; service < SERVICES; service++) {
			const unsigned before = table;
			uint8_t server;

			publications = 1 + port % 3;
			shared_pause = publish_meanwhile;
			server = decide(service, port);
			shared_pause = NULL;
			must(server == expected[before][service][port], "%s, port %u, %u tables: goes to %02x, not %02x",
			    names[service], port, publications, server, expected[before][service][port]);
			rest();
			ck_assert_uint_eq(decide(service, port), expected[table][service][port]);
		}
	}
}
END_TEST

/* What a publisher with a single bank would do to that reader. */
static void
publish_in_place(void)
{
	const uint32_t before = shared.selection->bank - 1;

	publish(1 - table, scene.now);
	ck_assert_uint_ne(shared.selection->bank, 0);
	memcpy(&shared.banks[before], &shared.banks[shared.selection->bank - 1], sizeof(shared.banks[0]));
}

START_TEST(test_a_table_in_place_would_be_noticed)
{
	for (unsigned port = 0; port < PORTS; port++) {
		for (unsigned service = 1; service < SERVICES; service++) {
			const unsigned before = table;

			shared_pause = publish_in_place;
			must(decide(service, port) != expected[before][service][port], "%s, port %u", names[service], port);
			shared_pause = NULL;
			rest();
		}
	}
}
END_TEST

/* --- two processors, at real times --- */

static uint64_t
real_time(void)
{
	struct timespec time;

	ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &time), 0);
	return (uint64_t)time.tv_sec * SECONDS(1) + (uint64_t)time.tv_nsec / 1000;
}

static void
yield(void)
{
	(void)sched_yield();
}

/* It has a server that neither table has for it. */
static bool
is_torn(unsigned service, unsigned port, uint8_t server)
{
	return server != 0 && server != expected[0][service][port] && server != expected[1][service][port];
}

struct publishing {
	bool ends;
	bool noticed;
	struct select_bank *images; /* one of each table */
};

static void *
publish_really(void *argument)
{
	const struct timespec apart = { 0, APART };
	struct publishing *publishing = argument;

	for (unsigned i = 0; i < REALLY; i++) {
		/* 0 1 1 0 0 1 1: each bank gets the tables in turns. */
		publish((i + 1) / 2 % TABLES, real_time());
		(void)nanosleep(&apart, NULL);
	}
	__atomic_store_n(&publishing->ends, true, __ATOMIC_RELEASE);
	return NULL;
}

static void *
write_in_place(void *argument)
{
	struct publishing *publishing = argument;
	struct select_bank *bank = &shared.banks[shared.selection->bank - 1];

	for (unsigned i = 0; i < IN_PLACE && !__atomic_load_n(&publishing->noticed, __ATOMIC_ACQUIRE); i++)
		memcpy(bank, &publishing->images[i % TABLES], sizeof(*bank));
	__atomic_store_n(&publishing->ends, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Until that thread ends; returns how many decisions mixed two tables. */
static unsigned
read_while(void *publisher(void *), struct publishing *publishing, uint64_t *selected)
{
	unsigned torn = 0;
	pthread_t thread;

	*selected = 0;
	shared_pause = yield;
	ck_assert_int_eq(pthread_create(&thread, NULL, publisher, publishing), 0);
	for (unsigned i = 0; !__atomic_load_n(&publishing->ends, __ATOMIC_ACQUIRE); i++) {
		const unsigned service = i % SERVICES, port = i / SERVICES % PORTS;
		const uint8_t server = decide(service, port);

		torn += is_torn(service, port, server);
		*selected += server != 0;
		if (torn > 0)
			__atomic_store_n(&publishing->noticed, true, __ATOMIC_RELEASE);
	}
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	shared_pause = NULL;
	return torn;
}

START_TEST(test_no_processor_sees_a_torn_table)
{
	struct publishing publishing = { .ends = false };
	uint64_t selected;

	ck_assert_uint_eq(read_while(publish_really, &publishing, &selected), 0);
	ck_assert_uint_gt(selected, SERVICES);
}
END_TEST

START_TEST(test_a_processor_would_notice_a_torn_table)
{
	struct publishing publishing = { .images = calloc(TABLES, sizeof(struct select_bank)) };
	uint64_t selected;

	ck_assert_ptr_nonnull(publishing.images);
	for (unsigned i = 0; i < TABLES; i++) {
		publish(i, scene.now);
		rest();
		memcpy(&publishing.images[i], &shared.banks[shared.selection->bank - 1], sizeof(struct select_bank));
	}
	ck_assert_uint_gt(read_while(write_in_place, &publishing, &selected), 0);
	free(publishing.images);
}
END_TEST

Suite *
offload_torn_suite(void)
{
	Suite *suite = suite_create("offload_torn");
	TCase *cases = tcase_create("torn");

	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_set_timeout(cases, 30);
	tcase_add_test(cases, test_a_slow_decision_reads_one_table);
	tcase_add_test(cases, test_a_table_in_place_would_be_noticed);
	tcase_add_test(cases, test_no_processor_sees_a_torn_table);
	tcase_add_test(cases, test_a_processor_would_notice_a_torn_table);
	suite_add_tcase(suite, cases);
	return suite;
}
