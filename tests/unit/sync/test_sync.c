/* SPDX-License-Identifier: ISC */
/*
 * What the operating guide promises of two directors: which flows survive the loss of one, and that the others cost
 * nothing. The proof is always the same: a segment of each flow would reach, at the second director, the server that the first
 * one had chosen.
 */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"
#include "proto/packet.h"
#include "suites.h"
#include "sync/intake.h"
#include "sync/picture.h"

#define FLOWS 1000
#define FIRST 20000
#define MINUTE SECONDS(60)

static void
open_settled(struct pair *pair, const char *scheduler)
{
	pair_open(pair, scheduler);
	pair_connect(pair);
	pair_settle(pair);
	pair_run(pair, SECONDS(1));
}

START_TEST(test_flows_survive)
{
	static const char *const schedulers[] = { "wlc", "rr", "maglev", "sh" };

	for (size_t i = 0; i < ARRAY_LEN(schedulers); i++) {
		struct pair pair;

		open_settled(&pair, schedulers[i]);
		pair_begin_flows(&pair.sides[0], FIRST, FLOWS);
		pair_run(&pair, MILLISECONDS(1300));
		ck_assert_msg(pair_count_broken(&pair, FIRST, FLOWS) == 0, "%s", schedulers[i]);
		pair_close(&pair);
	}
}
END_TEST

/* Without the link the hash alone decides: all flows under maglev, few under wlc. That is what the test above proves. */
START_TEST(test_without_sync)
{
	struct pair pair;

	pair_open(&pair, "wlc");
	pair_begin_flows(&pair.sides[0], FIRST, FLOWS);
	pair_run(&pair, SECONDS(2));
	ck_assert_uint_gt(pair_count_broken(&pair, FIRST, FLOWS), FLOWS / 2);
	pair_close(&pair);
	pair_open(&pair, "maglev");
	pair_begin_flows(&pair.sides[0], FIRST, FLOWS);
	pair_run(&pair, SECONDS(2));
	ck_assert_uint_eq(pair_count_broken(&pair, FIRST, FLOWS), 0);
	pair_close(&pair);
}
END_TEST

START_TEST(test_maglev_sends_nothing)
{
	struct pair pair;

	open_settled(&pair, "maglev");
	pair_begin_flows(&pair.sides[0], FIRST, FLOWS);
	pair_run(&pair, SECONDS(60));
	ck_assert_uint_eq(pair.sides[0].types[WIRE_FLOWS], 0);
	ck_assert_uint_eq(feed_counts(pair.sides[0].link.feed).shared, 0);
	pair_close(&pair);
}
END_TEST

/* Floods of SYNs, and connections that end within the age, send nothing with any scheduler. */
START_TEST(test_floods_send_nothing)
{
	struct pair pair;

	open_settled(&pair, "wlc");
	for (unsigned i = 0; i < 600; i++)
		(void)scene_tcp(&pair.sides[0].scene, (uint16_t)(FIRST + i), TCP_SYN);
	pair_begin_flows(&pair.sides[0], FIRST + 1000, 500);
	pair_run(&pair, MILLISECONDS(500));
	for (unsigned i = 0; i < 500; i++)
		(void)scene_send(&pair.sides[0].scene, &(struct shape) { .from_port = (uint16_t)(FIRST + 1000 + i),
		    .flags = TCP_RST, .sequence = 1000 });
	pair_run(&pair, SECONDS(30));
	ck_assert_uint_eq(pair.sides[0].types[WIRE_FLOWS], 0);
	pair_close(&pair);
}
END_TEST

/* A server is drained under maglev: what it keeps, and the percent that Maglev moves, is sent, and the rest is not. */
START_TEST(test_change_of_servers)
{
	struct pair pair;
	struct server *drained;
	uint64_t sent;

	open_settled(&pair, "maglev");
	pair_begin_flows(&pair.sides[0], FIRST, FLOWS);
	pair_run(&pair, SECONDS(2));
	drained = scene_server(&pair.sides[0].scene, "web", "s1");
	ck_assert(admin_admin(drained, ADMIN_DRAINED, pair.sides[0].scene.now));
	drained->admin.admin_by = (struct admin_author) { .user = 0, .name = "root", .when = 1000002 };
	pair_update(&pair.sides[0]);
	pair_run(&pair, MILLISECONDS(500));
	/* The order has reached the other director, so that it chooses alike again. */
	ck_assert_int_eq(scene_server(&pair.sides[1].scene, "web", "s1")->admin.admin, ADMIN_DRAINED);
	ck_assert_str_eq(scene_server(&pair.sides[1].scene, "web", "s1")->admin.admin_by.name, "root");
	pair_update(&pair.sides[1]);
	pair_run(&pair, SECONDS(5));
	sent = feed_counts(pair.sides[0].link.feed).shared;
	ck_assert_uint_ge(sent, drained->run->active);
	ck_assert_uint_le(sent, drained->run->active + FLOWS * 5 / 100);
	ck_assert_uint_eq(pair_count_broken(&pair, FIRST, FLOWS), 0);
	pair_close(&pair);
}
END_TEST

/* The directors disagree about a server: then all flows of the service are sent. */
START_TEST(test_candidates_differ)
{
	struct pair pair;

	open_settled(&pair, "maglev");
	pair_begin_flows(&pair.sides[0], FIRST, FLOWS);
	pair_run(&pair, SECONDS(2));
	scene_server(&pair.sides[1].scene, "web", "s2")->health.state = HEALTH_DOWN;
	pair_update(&pair.sides[1]);
	pair_run(&pair, SECONDS(4));
	ck_assert_uint_eq(feed_counts(pair.sides[0].link.feed).shared, FLOWS);
	ck_assert_uint_eq(pair_count_broken(&pair, FIRST, FLOWS), 0);
	pair_close(&pair);
}
END_TEST

static void
dns(struct side *side, uint16_t port)
{
	(void)scene_send(&side->scene, &(struct shape) { .from_port = port, .to_port = 53, .protocol = PROTOCOL_UDP,
	    .payload = 20 });
}

/* UDP flows that have proven themselves, and clients of persistence. */
START_TEST(test_udp_and_persistence)
{
	struct conn_key key = { .client_port = 0 };
	const struct addr client = scene_addr("203.0.113.7");
	const struct conn *ours, *theirs;
	struct pair pair;

	open_settled(&pair, "wlc");
	for (unsigned i = 0; i < 50; i++)
		dns(&pair.sides[0], (uint16_t)(FIRST + i));
	pair_run(&pair, MILLISECONDS(200));
	for (unsigned i = 0; i < 50; i++)
		dns(&pair.sides[0], (uint16_t)(FIRST + i));
	pair_run(&pair, MILLISECONDS(1300));
	ck_assert_uint_eq(feed_counts(pair.sides[0].link.feed).shared, 50);
	ck_assert_uint_eq(conn_table_count(pair.sides[1].scene.forwarder.conns), 50);
	addr_mapped(&client, key.client);
	key.target = conn_target(scene_server(&pair.sides[0].scene, "dns", "s1")->service->run->number, 0);
	ours = conn_peek(pair.sides[0].scene.forwarder.persist, &key);
	theirs = conn_peek(pair.sides[1].scene.forwarder.persist, &key);
	ck_assert(ours != NULL && theirs != NULL);
	ck_assert_uint_eq(ours->server.slot, theirs->server.slot);
	pair_close(&pair);
}
END_TEST

/* An SCTP chunk of the client's port. */
static void
sctp(struct side *side, uint16_t port, uint8_t chunk)
{
	const uint8_t message[20] = { (uint8_t)(port >> 8), (uint8_t)port, 0, 80, 1, 2, 3, 4, [12] = chunk };

	(void)scene_send(&side->scene, &(struct shape) { .from_port = port, .protocol = PROTOCOL_SCTP, .raw = message,
	    .payload = sizeof(message) });
}

static const struct conn *
sctp_flow(const struct side *side, uint16_t port)
{
	const struct addr client = scene_addr("203.0.113.7"), vip = scene_addr(VIP);
	struct conn_key key = { .client_port = port, .vip_port = 80 };

	addr_mapped(&client, key.client);
	key.target = conn_target(fwdtab_vip(side->scene.table, 0, &vip)->number, PROTOCOL_SCTP);
	return conn_peek(side->scene.forwarder.conns, &key);
}

/* Associations: INIT, COOKIE ECHO, and the end by SHUTDOWN. */
START_TEST(test_sctp)
{
	struct pair pair;

	open_settled(&pair, "rr");
	for (unsigned i = 0; i < 100; i++) {
		sctp(&pair.sides[0], (uint16_t)(FIRST + i), 1);
		sctp(&pair.sides[0], (uint16_t)(FIRST + i), 10);
	}
	pair_run(&pair, MILLISECONDS(1300));
	/* Two thirds and more deviate from the hash; the others reach the same server by it. */
	ck_assert_uint_ge(feed_counts(pair.sides[0].link.feed).shared, 50);
	for (unsigned i = 0; i < 100; i++) {
		const struct conn *ours = sctp_flow(&pair.sides[0], (uint16_t)(FIRST + i));
		const struct conn *theirs = sctp_flow(&pair.sides[1], (uint16_t)(FIRST + i));

		ck_assert_ptr_nonnull(ours);
		ck_assert(theirs == NULL || (theirs->server.slot == ours->server.slot && theirs->state == CONN_ESTABLISHED));
		sctp(&pair.sides[0], (uint16_t)(FIRST + i), 7);
	}
	ck_assert_uint_eq(conn_table_count(pair.sides[1].scene.forwarder.conns), feed_counts(pair.sides[0].link.feed).shared);
	pair_run(&pair, MILLISECONDS(1300));
	for (unsigned i = 0; i < 100; i++) {
		const struct conn *theirs = sctp_flow(&pair.sides[1], (uint16_t)(FIRST + i));

		ck_assert(theirs == NULL || theirs->state == CONN_FIN_WAIT);
	}
	pair_close(&pair);
}
END_TEST

/* For 40 minutes: the standby keeps what is used, with few records, and forgets what has ended. */
START_TEST(test_timers)
{
	struct pair pair;
	uint64_t before;

	open_settled(&pair, "wlc");
	pair.sides[0].scene.model->services[0]->settings.sync = SYNC_ALL;
	pair_begin_flows(&pair.sides[0], FIRST, 10);       /* used every minute */
	pair_begin_flows(&pair.sides[0], FIRST + 100, 10); /* never again: 15 minutes */
	pair_run(&pair, SECONDS(2));
	before = feed_counts(pair.sides[0].link.feed).flows;
	for (unsigned minute = 1; minute <= 40; minute++) {
		pair_run(&pair, MINUTE);
		pair_use_flows(&pair.sides[0], FIRST, 10);
		for (unsigned i = 0; i < 10; i++)
			must(pair_server_of(&pair.sides[1], (uint16_t)(FIRST + i)) != NULL, "minute %u", minute);
		if (minute == 14)
			ck_assert_ptr_nonnull(pair_server_of(&pair.sides[1], FIRST + 100));
		if (minute == 16)
			ck_assert_ptr_null(pair_server_of(&pair.sides[1], FIRST + 100));
	}
	ck_assert_uint_le(feed_counts(pair.sides[0].link.feed).flows - before, 10 * 40 / 4);
	pair_close(&pair);
}
END_TEST

/* A flow that ends at the active one ends at the standby. */
START_TEST(test_end_of_flow)
{
	struct pair pair;

	open_settled(&pair, "wlc");
	pair.sides[0].scene.model->services[0]->settings.sync = SYNC_ALL;
	pair_begin_flows(&pair.sides[0], FIRST, 10);
	pair_run(&pair, SECONDS(2));
	(void)scene_send(&pair.sides[0].scene, &(struct shape) { .from_port = FIRST, .flags = TCP_RST, .sequence = 1000 });
	pair_run(&pair, SECONDS(50));
	ck_assert_ptr_null(pair_server_of(&pair.sides[1], FIRST));
	ck_assert_ptr_nonnull(pair_server_of(&pair.sides[1], FIRST + 1));
	pair_close(&pair);
}
END_TEST

static bool
never(void *context, const struct fwd_vip *vip)
{
	(void)context;
	(void)vip;
	return false;
}

/* The same client and port at both, with different servers: an active director keeps its own, a standby does not. */
START_TEST(test_own_flows_stay)
{
	struct pair pair;
	char own[8];

	pair_open(&pair, "rr");
	pair.sides[0].scene.model->services[0]->settings.sync = SYNC_ALL;
	pair_begin_flows(&pair.sides[1], FIRST + 1, 1);
	pair_begin_flows(&pair.sides[0], FIRST, 1);
	pair_begin_flows(&pair.sides[1], FIRST, 1);
	(void)snprintf(own, sizeof(own), "%s", pair_server_of(&pair.sides[1], FIRST));
	ck_assert_str_ne(own, pair_server_of(&pair.sides[0], FIRST));
	pair_connect(&pair);
	pair_run(&pair, SECONDS(3));
	ck_assert_str_eq(own, pair_server_of(&pair.sides[1], FIRST));
	ck_assert_uint_eq(pair.sides[1].link.intake.counts.conflicts, 1);
	pair_disconnect(&pair);
	pair.sides[1].share->active = never;
	pair_connect(&pair);
	pair_run(&pair, SECONDS(3));
	ck_assert_str_eq(pair_server_of(&pair.sides[0], FIRST), pair_server_of(&pair.sides[1], FIRST));
	pair_close(&pair);
}
END_TEST

/* Then the standby has taken over, the peer comes back, and its own table must not undo what happened meanwhile. */
START_TEST(test_there_and_back)
{
	struct pair pair;
	char name[8];

	open_settled(&pair, "wlc");
	pair_begin_flows(&pair.sides[0], FIRST, FLOWS);
	pair_run(&pair, SECONDS(2));
	pair_disconnect(&pair);
	ck_assert_uint_eq(pair_count_broken(&pair, FIRST, FLOWS), 0);
	/* Frames of them arrive there from now on. */
	for (unsigned i = 0; i < FLOWS; i++)
		(void)scene_tcp(&pair.sides[1].scene, (uint16_t)(FIRST + i), TCP_ACK);
	(void)snprintf(name, sizeof(name), "%s", pair_server_of(&pair.sides[1], FIRST));
	pair_begin_flows(&pair.sides[1], FIRST + FLOWS, FLOWS);
	pair_run(&pair, SECONDS(2));
	pair_connect(&pair);
	pair_settle(&pair);
	pair_run(&pair, SECONDS(2));
	ck_assert_str_eq(name, pair_server_of(&pair.sides[1], FIRST));
	for (unsigned i = 0; i < 2 * FLOWS; i++)
		must(strcmp(pair_would_reach(&pair.sides[0], (uint16_t)(FIRST + i)),
		    pair_server_of(&pair.sides[1], (uint16_t)(FIRST + i))) == 0, "port %u", FIRST + i);
	pair_close(&pair);
}
END_TEST

START_TEST(test_policies)
{
	struct pair pair;

	open_settled(&pair, "maglev");
	pair.sides[0].scene.model->services[0]->settings.sync = SYNC_ALL;
	pair_begin_flows(&pair.sides[0], FIRST, 100);
	pair_run(&pair, SECONDS(2));
	ck_assert_uint_eq(feed_counts(pair.sides[0].link.feed).shared, 100);
	pair_close(&pair);
	open_settled(&pair, "wlc");
	pair.sides[0].scene.model->services[0]->settings.sync = SYNC_OFF;
	pair_begin_flows(&pair.sides[0], FIRST, 100);
	pair_run(&pair, SECONDS(20));
	ck_assert_uint_eq(pair.sides[0].types[WIRE_FLOWS], 0);
	pair_close(&pair);
	/* Off at the receiver only. */
	open_settled(&pair, "wlc");
	pair.sides[1].scene.model->services[0]->settings.sync = SYNC_OFF;
	pair.sides[0].scene.model->services[0]->settings.sync = SYNC_ALL;
	pair_begin_flows(&pair.sides[0], FIRST, 100);
	pair_run(&pair, SECONDS(2));
	ck_assert_uint_eq(pair.sides[1].link.intake.counts.refused, 100);
	ck_assert_uint_eq(conn_table_count(pair.sides[1].scene.forwarder.conns), 0);
	pair_close(&pair);
}
END_TEST

/* Received flows leave the last tenth of the table to the director's own. */
START_TEST(test_full_table)
{
	struct pair pair;
	unsigned at = 0;

	open_settled(&pair, "wlc");
	pair.sides[0].scene.model->services[0]->settings.sync = SYNC_ALL;
	for (unsigned i = 0; i < SCENE_FLOWS * 95 / 100; i++) {
		const struct conn_key key = { .client_port = (uint16_t)i, .client = { 0xfd }, .vip_port = 80 };

		ck_assert_ptr_nonnull(conn_insert(pair.sides[1].scene.forwarder.conns, &key,
		    scene_server(&pair.sides[1].scene, "web", "s1")->ref, CONN_ESTABLISHED, SECONDS(900),
		    pair.sides[1].scene.now));
		at++;
	}
	pair_begin_flows(&pair.sides[0], FIRST, 100);
	pair_run(&pair, SECONDS(2));
	ck_assert_uint_eq(pair.sides[1].link.intake.counts.refused, 100);
	ck_assert_uint_eq(conn_table_count(pair.sides[1].scene.forwarder.conns), at);
	pair_close(&pair);
}
END_TEST

struct found {
	unsigned count;
	struct difference last;
};

static void
note(void *context, const struct difference *difference)
{
	struct found *found = context;

	found->count++;
	found->last = *difference;
}

static void
assert_difference(struct side *side, enum difference_kind kind, const char *subject, const char *text)
{
	struct found found = { 0 };
	const size_t count = picture_compare(side->link.intake.picture, side->share, 10, note, &found);

	ck_assert_uint_eq(count, 1);
	ck_assert_uint_eq(found.count, 1);
	ck_assert_int_eq(found.last.kind, kind);
	ck_assert_str_eq(found.last.subject, subject);
	ck_assert_msg(strstr(found.last.text, text) != NULL, "\"%s\" has no \"%s\"", found.last.text, text);
}

START_TEST(test_differences)
{
	struct found found = { 0 };
	struct side *first, *second;
	struct server *server;
	struct mac mac;
	struct pair pair;

	open_settled(&pair, "maglev");
	first = &pair.sides[0];
	second = &pair.sides[1];
	ck_assert_uint_eq(picture_compare(first->link.intake.picture, first->share, 10, note, &found), 0);
	ck_assert_uint_eq(first->link.peer.configuration, first->share->configuration);
	/* Health: who, and why. */
	server = scene_server(&second->scene, "web", "s2");
	server->health.state = HEALTH_DOWN;
	pair_update(second);
	pair_run(&pair, SECONDS(1));
	assert_difference(first, DIFFERENCE_HEALTH, "web/s2", "up here (up), down there (");
	assert_difference(second, DIFFERENCE_HEALTH, "web/s2", "down here (");
	server->health.state = HEALTH_UP;
	/* Configuration. */
	server->settings.weight = 7;
	pair_update(second);
	pair_run(&pair, SECONDS(1));
	assert_difference(first, DIFFERENCE_CONFIGURATION, "web/s2", "weight is 1 here and 7 there");
	ck_assert_uint_ne(first->link.peer.configuration, first->share->configuration);
	server->settings.weight = 1;
	server->settings.method = ENCAP_GUE;
	pair_update(second);
	pair_run(&pair, SECONDS(1));
	assert_difference(first, DIFFERENCE_CONFIGURATION, "web", "`method`");
	/* That it is the other director itself is no difference. */
	server->settings.method = ENCAP_LOCAL;
	pair_update(second);
	pair_run(&pair, SECONDS(1));
	ck_assert_uint_eq(picture_compare(first->link.intake.picture, first->share, 10, note, &found), 0);
	server->settings.method = ENCAP_MAC;
	/* Weight: an order that only one of the two has. */
	(void)admin_weight(server, 5);
	pair_update(second);
	pair_run(&pair, SECONDS(1));
	assert_difference(first, DIFFERENCE_WEIGHT, "web/s2", "weight 1 here and 5 there");
	(void)admin_weight(server, 1);
	/* The table, and none of the above: it does not know the server's MAC address. */
	mac = server->mac;
	server->mac = mac_zero;
	pair_update(second);
	pair_run(&pair, SECONDS(1));
	assert_difference(first, DIFFERENCE_TABLE, "web", " there: on one of the two");
	server->mac = mac;
	second->scene.model->services[0]->settings.scheduler = scheduler_find("rr");
	pair_update(second);
	pair_run(&pair, SECONDS(1));
	assert_difference(first, DIFFERENCE_CONFIGURATION, "web", "`scheduler` is maglev here and rr there");
	second->scene.model->services[0]->settings.scheduler = scheduler_find("maglev");
	second->scene.model->services[0]->settings.persist = SECONDS(10);
	pair_update(second);
	pair_run(&pair, SECONDS(1));
	assert_difference(first, DIFFERENCE_CONFIGURATION, "web", "`persist` is different there");
	pair_close(&pair);
}
END_TEST

/* The second director does not know a server: its flows are counted, and get there once it does. */
START_TEST(test_unknown_server)
{
	struct pair pair;
	struct found found = { 0 };
	struct server *server;

	open_settled(&pair, "rr");
	for (unsigned i = 0; i < 2; i++) {
		pair.sides[i].scene.model->services[0]->settings.sync = SYNC_ALL;
		pair_update(&pair.sides[i]);
	}
	pair_run(&pair, SECONDS(3));
	server = scene_server(&pair.sides[1].scene, "web", "s4");
	server->settings.addr = scene_addr("192.0.2.99");
	pair_update(&pair.sides[1]);
	pair_run(&pair, SECONDS(3));
	pair_begin_flows(&pair.sides[0], FIRST, 100);
	pair_run(&pair, SECONDS(2));
	ck_assert_uint_ge(pair.sides[1].link.intake.counts.unknown, 25);
	ck_assert_uint_eq(conn_table_count(pair.sides[1].scene.forwarder.conns), 75);
	(void)picture_compare(pair.sides[1].link.intake.picture, pair.sides[1].share, 10, note, &found);
	ck_assert_uint_eq(found.count, 2); /* the one there, and the one here */
	server->settings.addr = scene_addr("192.0.2.104");
	pair_update(&pair.sides[1]);
	pair_run(&pair, SECONDS(3));
	ck_assert_uint_eq(conn_table_count(pair.sides[1].scene.forwarder.conns), 100);
	ck_assert_uint_eq(pair_count_broken(&pair, FIRST, 100), 0);
	pair_close(&pair);
}
END_TEST

/* Each director sends all flows again to one that was has a new configuration, once. */
START_TEST(test_new_configuration_settles)
{
	struct pair pair;
	uint64_t frames;

	open_settled(&pair, "wlc");
	pair_begin_flows(&pair.sides[0], FIRST, 100);
	pair_run(&pair, SECONDS(3));
	scene_server(&pair.sides[1].scene, "web", "s4")->settings.weight = 7;
	pair.sides[1].scene.model->services[0]->settings.persist = SECONDS(10);
	pair_update(&pair.sides[1]);
	pair_run(&pair, SECONDS(3));
	frames = pair.sides[0].link.frames_sent + pair.sides[1].link.frames_sent;
	pair_run(&pair, SECONDS(3));
	/* Two STATE frames a second from each. */
	ck_assert_uint_le(pair.sides[0].link.frames_sent + pair.sides[1].link.frames_sent - frames, 20);
	pair_close(&pair);
}
END_TEST

/* Of two orders the later one wins at both, and with the same date both choose the same one. */
START_TEST(test_orders)
{
	struct pair pair;
	struct server *servers[2];

	pair_open(&pair, "wlc");
	for (unsigned i = 0; i < 2; i++) {
		servers[i] = scene_server(&pair.sides[i].scene, "web", "s3");
		(void)admin_admin(servers[i], i == 0 ? ADMIN_DRAINED : ADMIN_DISABLED, pair.sides[i].scene.now);
		servers[i]->admin.admin_by = (struct admin_author) { .user = 0, .name = "root", .when = 500 };
		(void)admin_weight(servers[i], 10 + i);
		servers[i]->admin.weight_by = (struct admin_author) { .user = 0, .name = "root", .when = 600 - i };
	}
	servers[0]->admin.drain_until = pair.sides[0].scene.now + SECONDS(100);
	pair_connect(&pair);
	pair_settle(&pair);
	pair_run(&pair, SECONDS(1));
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(servers[i]->admin.admin, ADMIN_DISABLED);
		ck_assert_uint_eq(admin_given_weight(servers[i]), 10);
		ck_assert_uint_eq(servers[i]->admin.weight_by.when, 600);
	}
	/* An operator ends it: that is the later order. */
	(void)admin_admin(servers[1], ADMIN_ENABLED, pair.sides[1].scene.now);
	servers[1]->admin.admin_by = (struct admin_author) { .user = 0, .name = "ann", .when = 501 };
	pair_run(&pair, SECONDS(1));
	ck_assert_int_eq(servers[0]->admin.admin, ADMIN_ENABLED);
	ck_assert_str_eq(servers[0]->admin.admin_by.name, "ann");
	/* No order goes round and round. */
	ck_assert_uint_le(pair.sides[0].orders + pair.sides[1].orders, 4);
	pair_close(&pair);
}
END_TEST

Suite *
sync_suite(void)
{
	Suite *suite = suite_create("sync");
	TCase *tcase = tcase_create("promises");

	tcase_add_test(tcase, test_flows_survive);
	tcase_add_test(tcase, test_without_sync);
	tcase_add_test(tcase, test_sctp);
	tcase_add_test(tcase, test_maglev_sends_nothing);
	tcase_add_test(tcase, test_floods_send_nothing);
	tcase_add_test(tcase, test_change_of_servers);
	tcase_add_test(tcase, test_candidates_differ);
	tcase_add_test(tcase, test_udp_and_persistence);
	tcase_add_test(tcase, test_timers);
	tcase_add_test(tcase, test_end_of_flow);
	tcase_add_test(tcase, test_own_flows_stay);
	tcase_add_test(tcase, test_there_and_back);
	tcase_add_test(tcase, test_policies);
	tcase_add_test(tcase, test_full_table);
	tcase_add_test(tcase, test_differences);
	tcase_add_test(tcase, test_unknown_server);
	tcase_add_test(tcase, test_new_configuration_settles);
	tcase_add_test(tcase, test_orders);
	suite_add_tcase(suite, tcase);
	return suite;
}
