/* SPDX-License-Identifier: ISC */
/* A link in good and bad times: the bulk, reconnects, restarts, a peer that does not read, one that lies. */
#include "config.h"

#include "sync/link.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"
#include "proto/packet.h"
#include "suites.h"

#define FLOWS 500
#define FIRST 20000

static void
assert_alike(struct pair *pair, uint16_t first, unsigned count)
{
	ck_assert_uint_eq(pair_count_broken(pair, first, count), 0);
}

START_TEST(test_bulk)
{
	struct pair pair;
	const struct server *server;
	uint32_t flows = 0;

	pair_open(&pair, "wlc");
	pair.sides[0].scene.model->services[0]->settings.sync = SYNC_ALL;
	pair_begin_flows(&pair.sides[0], FIRST, FLOWS);
	pair_run(&pair, SECONDS(2));
	pair_connect(&pair);
	pair_settle(&pair);
	assert_alike(&pair, FIRST, FLOWS);
	ck_assert_uint_eq(feed_counts(pair.sides[0].link.feed).shared, FLOWS);
	ck_assert_uint_eq(pair.sides[1].link.intake.counts.flows, FLOWS);
	pair_run(&pair, SECONDS(1));
	ck_assert_uint_eq(pair.sides[1].link.peer.shared, FLOWS);
	ck_assert_str_eq(pair.sides[1].link.peer.version, "1.0");
	/* They are counted at their servers, as own ones are. */
	for (unsigned i = 1; i <= 4; i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "s%u", i);
		server = scene_server(&pair.sides[1].scene, "web", name);
		flows += server->run->active;
	}
	ck_assert_uint_eq(flows, FLOWS);
	/* What came is not sent back. */
	pair_run(&pair, SECONDS(25));
	ck_assert_uint_eq(pair.sides[1].types[WIRE_FLOWS], 0);
	pair_close(&pair);
}
END_TEST

/* After the bulk a new flow is there in the documented lag, and no earlier than it must be. */
static enum conn_state
segment_of(struct side *side, uint16_t port, uint8_t flags, uint32_t sequence, uint32_t acknowledgement)
{
	const struct shape shape = { .from_port = port, .flags = flags, .sequence = sequence,
		.acknowledgement = acknowledgement };

	return scene_send(&side->scene, &shape).state;
}

/* The director that takes over knows no numbers, so it believes no end of what the other one had: anyone could forge it. */
START_TEST(test_forged_ends_after_a_failover)
{
	struct pair pair;
	struct side *other = &pair.sides[1];

	pair_open(&pair, "wlc");
	pair.sides[0].scene.model->services[0]->settings.sync = SYNC_ALL;
	pair_begin_flows(&pair.sides[0], FIRST, FLOWS);
	pair_run(&pair, SECONDS(2));
	pair_connect(&pair);
	pair_settle(&pair);
	pair_disconnect(&pair);
	for (uint16_t i = 0; i < FLOWS; i++) {
		const char *server = pair_server_of(other, (uint16_t)(FIRST + i));

		ck_assert_int_eq(segment_of(other, FIRST + i, TCP_ACK, 0x77770000, 0x33330000), CONN_ESTABLISHED);
		ck_assert_int_eq(segment_of(other, FIRST + i, i % 2 == 0 ? TCP_RST : TCP_FIN | TCP_ACK, 0x77770000,
		    0x33330000), CONN_ESTABLISHED);
		ck_assert_int_eq(segment_of(other, FIRST + i, TCP_SYN, 0x77790000, 0), CONN_ESTABLISHED);
		ck_assert_str_eq(pair_server_of(other, (uint16_t)(FIRST + i)), server);
	}
	pair_close(&pair);
}
END_TEST

START_TEST(test_increments)
{
	struct pair pair;

	pair_open(&pair, "wlc");
	pair_connect(&pair);
	pair_settle(&pair);
	pair_run(&pair, SECONDS(1));
	pair_begin_flows(&pair.sides[0], FIRST, FLOWS);
	pair_run(&pair, MILLISECONDS(900));
	ck_assert_uint_eq(pair.sides[0].types[WIRE_FLOWS], 0);
	pair_run(&pair, MILLISECONDS(400));
	assert_alike(&pair, FIRST, FLOWS);
	pair_close(&pair);
}
END_TEST

START_TEST(test_reconnect)
{
	struct pair pair;

	pair_open(&pair, "wlc");
	pair_begin_flows(&pair.sides[0], FIRST, FLOWS);
	pair_connect(&pair);
	pair_settle(&pair);
	pair_disconnect(&pair);
	pair_begin_flows(&pair.sides[0], FIRST + FLOWS, FLOWS);
	pair_run(&pair, SECONDS(2));
	pair_connect(&pair);
	pair_settle(&pair);
	assert_alike(&pair, FIRST, 2 * FLOWS);
	ck_assert_uint_eq(pair.sides[0].link.intake.counts.conflicts, 0);
	/* The peer did not restart: it has what it sent, and gets none of it back. */
	ck_assert_uint_eq(pair.sides[1].types[WIRE_FLOWS], 0);
	pair_close(&pair);
}
END_TEST

/* The first director is replaced by a new process without a state file: it gets its flows back, idle ones too. */
START_TEST(test_restart)
{
	char names[FLOWS][8];
	struct pair pair;

	pair_open(&pair, "wlc");
	pair_begin_flows(&pair.sides[0], FIRST, FLOWS);
	pair_connect(&pair);
	pair_run(&pair, SECONDS(2));
	pair_settle(&pair);
	pair_run(&pair, SECONDS(2));
	for (unsigned i = 0; i < FLOWS; i++)
		(void)snprintf(names[i], sizeof(names[i]), "%s", pair_server_of(&pair.sides[0], (uint16_t)(FIRST + i)));
	pair_restart(&pair, 0, "wlc");
	ck_assert_ptr_null(pair_server_of(&pair.sides[0], FIRST));
	pair_connect(&pair);
	pair_settle(&pair);
	pair_run(&pair, SECONDS(2));
	for (unsigned i = 0; i < FLOWS; i++)
		must(strcmp(names[i], pair_would_reach(&pair.sides[0], (uint16_t)(FIRST + i))) == 0, "port %u", FIRST + i);
	pair_close(&pair);
}
END_TEST

/* The peer reads nothing for a while: what waits does not grow, and nothing is lost. */
START_TEST(test_slow_peer)
{
	struct pair pair;
	size_t waiting;

	pair_open(&pair, "wlc");
	pair_connect(&pair);
	pair_settle(&pair);
	pair.sides[1].reads = false;
	for (unsigned i = 0; i < 3; i++) {
		pair_begin_flows(&pair.sides[0], (uint16_t)(FIRST + i * FLOWS), FLOWS);
		pair_run(&pair, SECONDS(2));
	}
	waiting = pair.sides[1].waiting;
	/* Flows that are used, end or begin again wait once. */
	for (unsigned i = 0; i < 50; i++)
		pair_use_flows(&pair.sides[0], FIRST, FLOWS);
	pair_run(&pair, SECONDS(2));
	ck_assert_uint_lt(pair.sides[1].waiting, waiting + 10 * WIRE_FRAME / 8);
	pair.sides[1].reads = true;
	pair_run(&pair, SECONDS(1));
	assert_alike(&pair, FIRST, 3 * FLOWS);
	pair_close(&pair);
}
END_TEST

/* More waits than there is room for: then the whole table is walked, and nothing is lost. */
START_TEST(test_overflow)
{
	struct pair pair;
	struct conn_table *table;
	struct server_ref server;

	pair_open(&pair, "wlc");
	pair_connect(&pair);
	pair_settle(&pair);
	table = pair.sides[0].scene.forwarder.conns;
	server = scene_server(&pair.sides[0].scene, "web", "s1")->ref;
	for (unsigned i = 0; i <= 2 * SCENE_FLOWS; i++) {
		const struct conn_key key = { .client_port = (uint16_t)i, .client = { 9, (uint8_t)(i >> 16) }, .vip_port = 80 };
		struct conn *conn = conn_insert(table, &key, server, CONN_ESTABLISHED, SECONDS(900), pair.sides[0].scene.now);

		must(conn != NULL, "there is room");
		account_flow(scene_server(&pair.sides[0].scene, "web", "s1")->run, CONN_ESTABLISHED, 1);
		conn_remove(table, conn);
	}
	pair_begin_flows(&pair.sides[0], FIRST, FLOWS);
	ck_assert_uint_gt(feed_counts(pair.sides[0].link.feed).overflows, 0);
	ck_assert_uint_le(feed_counts(pair.sides[0].link.feed).waiting, SCENE_FLOWS);
	pair_run(&pair, SECONDS(4));
	assert_alike(&pair, FIRST, FLOWS);
	pair_close(&pair);
}
END_TEST

START_TEST(test_silence)
{
	struct pair pair;

	pair_open(&pair, "wlc");
	pair_connect(&pair);
	pair_settle(&pair);
	pair_run(&pair, SECONDS(20));
	ck_assert(!link_is_dead(&pair.sides[0].link, pair.sides[0].scene.now));
	ck_assert(!link_is_dead(&pair.sides[0].link, pair.sides[0].link.heard + LINK_SILENCE - 1));
	ck_assert(link_is_dead(&pair.sides[0].link, pair.sides[0].link.heard + LINK_SILENCE));
	pair_close(&pair);
}
END_TEST

/* A peer that never finishes its greeting, and one that trickles bytes. */
START_TEST(test_no_greeting)
{
	struct pair pair;

	pair_open(&pair, "wlc");
	pair_connect(&pair);
	pair.sides[0].reads = pair.sides[1].reads = false;
	pair_run(&pair, LINK_SILENCE - MILLISECONDS(10));
	ck_assert(!link_is_dead(&pair.sides[1].link, pair.sides[1].scene.now));
	pair_run(&pair, MILLISECONDS(10));
	ck_assert(link_is_dead(&pair.sides[1].link, pair.sides[1].scene.now));
	pair_close(&pair);
}
END_TEST

/* Another secret on one side: neither comes up, and no flow leaves. */
START_TEST(test_wrong_secret)
{
	struct pair pair;

	pair_open(&pair, "wlc");
	pair.secrets[1].bytes[0] ^= 1;
	pair_begin_flows(&pair.sides[0], FIRST, FLOWS);
	pair_connect(&pair);
	pair_run(&pair, SECONDS(2));
	ck_assert(!pair.sides[1].up);
	ck_assert_int_eq(pair.sides[1].link.session.fault, SESSION_SECRET);
	ck_assert_uint_eq(pair.sides[1].frames, 1);
	ck_assert_ptr_null(pair.sides[0].link.feed);
	pair_close(&pair);
}
END_TEST

/* The clocks differ by a year: only the report knows. */
START_TEST(test_clock_skew)
{
	struct pair pair;

	pair_open(&pair, "wlc");
	pair.sides[1].wall += 365 * 86400;
	pair.sides[1].scene.now += SECONDS(12345);
	pair_begin_flows(&pair.sides[0], FIRST, FLOWS);
	pair_connect(&pair);
	pair_run(&pair, SECONDS(2));
	pair_settle(&pair);
	pair_run(&pair, SECONDS(2));
	assert_alike(&pair, FIRST, FLOWS);
	ck_assert_int_eq(pair.sides[0].link.clock_ahead, 365 * 86400);
	ck_assert_int_eq(pair.sides[1].link.clock_ahead, -365 * 86400);
	ck_assert_uint_lt(pair.sides[0].link.lag, SECONDS(1));
	pair_close(&pair);
}
END_TEST

/*
 * A peer that knows the secret and sends anything: the session ends, or records are counted. Every flow in the table
 * is on a server that exists, and is counted there.
 */
START_TEST(test_lying_peer)
{
	struct pair pair;
	uint8_t bytes[WIRE_FRAME];
	uint32_t random = 1;

	pair_open(&pair, "wlc");
	for (unsigned round = 0; round < 300; round++) {
		struct side *liar = &pair.sides[0];

		pair_disconnect(&pair);
		pair_connect(&pair);
		pair_settle(&pair);
		for (unsigned i = 0; i < 20 && pair.sides[1].up; i++) {
			const enum wire_type type = (enum wire_type)(WIRE_STATE + i % (WIRE_FRAGMENTS - 1));
			const size_t length = round % 400;

			for (size_t at = 0; at < length; at++) {
				random = random * 1103515245 + 12345;
				bytes[WIRE_HEADER + at] = (uint8_t)(random >> 16 & (round % 2 == 0 ? 0xff : 0x13));
			}
			pair.sides[1].waiting = session_seal(&liar->link.session, bytes, type, length);
			memcpy(pair.sides[1].pipe, bytes, pair.sides[1].waiting);
			pair_run(&pair, MILLISECONDS(10));
		}
	}
	for (unsigned i = 0; i < 2; i++) {
		const struct side *side = &pair.sides[i];
		uint64_t flows = 0;

		for (size_t slot = 0; slot < side->scene.model->slot_count; slot++)
			flows += admin_flows(side->scene.model->slots[slot]);
		ck_assert_uint_eq(flows, conn_table_count(side->scene.forwarder.conns));
	}
	pair_close(&pair);
}
END_TEST

Suite *
link_suite(void)
{
	Suite *suite = suite_create("link");
	TCase *tcase = tcase_create("pair");

	tcase_add_test(tcase, test_bulk);
	tcase_add_test(tcase, test_forged_ends_after_a_failover);
	tcase_add_test(tcase, test_increments);
	tcase_add_test(tcase, test_reconnect);
	tcase_add_test(tcase, test_restart);
	tcase_add_test(tcase, test_slow_peer);
	tcase_add_test(tcase, test_overflow);
	tcase_add_test(tcase, test_silence);
	tcase_add_test(tcase, test_no_greeting);
	tcase_add_test(tcase, test_wrong_secret);
	tcase_add_test(tcase, test_clock_skew);
	tcase_add_test(tcase, test_lying_peer);
	suite_add_tcase(suite, tcase);
	return suite;
}
