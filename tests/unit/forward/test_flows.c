/* SPDX-License-Identifier: ISC */
/* Flows over time: what stays where while servers come, go, drain and fail. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "../scene/scene.h"
#include "base/attr.h"
#include "flow/unproven.h"
#include "forward/explain.h"
#include "suites.h"

static struct scene scene;

static void
configure(const uint32_t weights[3])
{
	struct service_settings *service = scene_add_service(&scene, "web", PROTOCOL_TCP, 80, "rr");

	for (unsigned i = 0; i < 3; i++)
		if (weights[i] != UINT32_MAX)
			scene_add_server(service, i + 1, weights[i], false);
	scene_apply(&scene);
}

static void
open_scene(void)
{
	const uint32_t weights[] = { 1, 1, 1 };

	scene_open(&scene);
	configure(weights);
}

static void
close_scene(void)
{
	scene_close(&scene);
}

static void
set_health(const char *server, enum health_state state)
{
	scene_server(&scene, "web", server)->health.state = state;
	scene_compile(&scene);
}

START_TEST(test_a_flow_stays)
{
	const uint32_t other[] = { 9, 1, 50 };

	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_SYN), "s1");
	ck_assert_str_eq(scene_tcp(&scene, 2, TCP_SYN), "s2");
	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_ACK), "s1");
	configure(other);
	for (unsigned i = 0; i < 5; i++) {
		ck_assert_str_eq(scene_tcp(&scene, 1, TCP_ACK), "s1");
		ck_assert_str_eq(scene_tcp(&scene, 2, TCP_ACK), "s2");
	}
	ck_assert_uint_eq(scene_server(&scene, "web", "s1")->run->connections, 1);
}
END_TEST

START_TEST(test_a_drained_server_keeps_its_flows)
{
	const uint32_t drained[] = { 0, 1, 1 };

	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_SYN), "s1");
	configure(drained);
	ck_assert_int_eq(server_state(scene_server(&scene, "web", "s1")), SERVER_DRAINING);
	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_ACK), "s1");
	for (uint16_t port = 10; port < 20; port++)
		ck_assert_str_ne(scene_tcp(&scene, port, TCP_SYN), "s1");
}
END_TEST

START_TEST(test_a_down_server_gets_no_new_flows)
{
	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_SYN), "s1");
	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_ACK), "s1");
	ck_assert_str_eq(scene_tcp(&scene, 4, TCP_SYN), "s2");
	ck_assert_str_eq(scene_tcp(&scene, 5, TCP_SYN), "s3");
	set_health("s1", HEALTH_DOWN);
	/* A flow that runs may survive a false alarm; a client that tries again need not. */
	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_ACK), "s1");
	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_SYN), "s1"); /* which may be forged */
	scene.now += SECONDS(10);
	ck_assert_str_ne(scene_tcp(&scene, 1, TCP_SYN), "s1");
	for (uint16_t port = 10; port < 20; port++)
		ck_assert_str_ne(scene_tcp(&scene, port, TCP_SYN), "s1");
	set_health("s1", HEALTH_UP);
	ck_assert_str_eq(scene_tcp(&scene, 4, TCP_ACK), "s2");
	for (unsigned i = 0, seen = 0; seen == 0; i++) {
		ck_assert_uint_lt(i, 3);
		seen = strcmp(scene_tcp(&scene, (uint16_t)(30 + i), TCP_SYN), "s1") == 0;
	}
}
END_TEST

START_TEST(test_unknown_and_disabled_get_nothing_new)
{
	set_health("s1", HEALTH_UNKNOWN);
	scene_server(&scene, "web", "s2")->admin.admin = ADMIN_DISABLED;
	scene_compile(&scene);
	for (uint16_t port = 1; port < 10; port++)
		ck_assert_str_eq(scene_tcp(&scene, port, TCP_SYN), "s3");
	set_health("s3", HEALTH_DOWN);
	ck_assert_str_eq(scene_tcp(&scene, 20, TCP_SYN), "no-server");
}
END_TEST

START_TEST(test_backups_only_when_no_other)
{
	scene_server(&scene, "web", "s3")->settings.backup = true;
	scene_compile(&scene);
	for (uint16_t port = 1; port < 10; port++)
		ck_assert_str_ne(scene_tcp(&scene, port, TCP_SYN), "s3");
	set_health("s1", HEALTH_DOWN);
	set_health("s2", HEALTH_DOWN);
	ck_assert_str_eq(scene_tcp(&scene, 20, TCP_SYN), "s3");
	set_health("s2", HEALTH_UP);
	ck_assert_str_eq(scene_tcp(&scene, 21, TCP_SYN), "s2");
	ck_assert_str_eq(scene_tcp(&scene, 20, TCP_ACK), "s3");
}
END_TEST

START_TEST(test_a_removed_servers_flows_go_elsewhere)
{
	const uint32_t without[] = { UINT32_MAX, 1, 1 }, again[] = { 1, 1, 1 };
	const char *went;

	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_SYN), "s1");
	configure(without);
	went = scene_tcp(&scene, 1, TCP_ACK);
	ck_assert(strcmp(went, "s2") == 0 || strcmp(went, "s3") == 0);
	/* A newcomer in the same slot is not the old one. */
	configure(again);
	ck_assert_str_ne(scene_tcp(&scene, 1, TCP_ACK), "s1");
	ck_assert_uint_eq(scene_server(&scene, "web", "s1")->run->connections, 0);
}
END_TEST

static const struct {
	uint8_t last;
	bool again; /* does a SYN begin a new connection? */
} reuse[] = {
	{ TCP_ACK, false },
	{ TCP_FIN | TCP_ACK, true },
	{ TCP_RST, true },
};

/*
 * After a FIN the client may still receive; a second of silence and a number beyond, or ten seconds, say that it does
 * not.
 */

START_TEST(test_a_reused_port_is_a_new_connection)
{
	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_SYN), "s1");
	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_ACK), "s1");
	ck_assert_str_eq(scene_tcp(&scene, 1, reuse[_i].last), "s1");
	scene.now += SECONDS(11);
	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_SYN), reuse[_i].again ? "s2" : "s1");
	ck_assert_uint_eq(conn_table_count(scene.forwarder.conns), 1);
}
END_TEST

START_TEST(test_active_and_inactive_are_counted)
{
	struct server_run *run;

	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_SYN), "s1");
	run = scene_server(&scene, "web", "s1")->run;
	ck_assert_uint_eq(run->inactive, 1);
	ck_assert_uint_eq(run->active, 0);
	scene_tcp(&scene, 1, TCP_ACK);
	ck_assert_uint_eq(run->inactive, 0);
	ck_assert_uint_eq(run->active, 1);
	scene_tcp(&scene, 1, TCP_FIN | TCP_ACK);
	ck_assert_uint_eq(run->inactive, 1);
	ck_assert_uint_eq(run->active, 0);
	/* Expiry gives it back. */
	for (unsigned second = 0; second < 200; second++)
		forward_tick(&scene.forwarder, scene.now + SECONDS(second));
	ck_assert_uint_eq(run->inactive, 0);
	ck_assert_uint_eq(run->active, 0);
	ck_assert_uint_eq(conn_table_count(scene.forwarder.conns), 0);
}
END_TEST

START_TEST(test_an_idle_flow_lives_fifteen_minutes)
{
	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_SYN), "s1");
	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_ACK), "s1");
	scene.now += MINUTES(15) - SECONDS(2);
	forward_tick(&scene.forwarder, scene.now);
	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_ACK), "s1");
	ck_assert_uint_eq(scene_server(&scene, "web", "s1")->run->active, 1);
	scene.now += MINUTES(15) + SECONDS(2);
	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_SYN), "s2");
	ck_assert_uint_eq(scene_server(&scene, "web", "s1")->run->active, 0);
}
END_TEST

/* Forged SYNs fill no more than their share. What does not fit goes by hash, and its first ACK to the same server. */
START_TEST(test_a_flood_of_syns)
{
	const uint16_t share = SCENE_FLOWS / 8;
	char first[NAME_MOST];

	ck_assert_str_eq(scene_tcp(&scene, 60000, TCP_SYN), "s1");
	ck_assert_str_eq(scene_tcp(&scene, 60000, TCP_ACK), "s1");
	for (uint16_t port = 1; port <= 10 * share / 2; port++)
		scene_tcp(&scene, port, TCP_SYN);
	ck_assert_uint_eq(conn_table_unproven(scene.forwarder.conns), share);
	ck_assert_uint_eq(conn_table_count(scene.forwarder.conns), share + 1);
	ck_assert_uint_gt(scene.forwarder.stats.by_hash, 0);
	ck_assert_str_eq(scene_tcp(&scene, 60000, TCP_ACK), "s1");
	for (uint16_t port = 50000; port < 50100; port++) {
		snprintf(first, sizeof(first), "%s", scene_tcp(&scene, port, TCP_SYN));
		ck_assert_str_eq(scene_tcp(&scene, port, TCP_SYN), first);
		ck_assert_str_eq(scene_tcp(&scene, port, TCP_ACK), first);
		ck_assert_str_eq(scene_tcp(&scene, port, TCP_ACK), first);
	}
	/* Each is a connection in the middle, to be proven yet. */
	ck_assert_uint_eq(conn_table_unproven(scene.forwarder.conns), share + 100);
	ck_assert_uint_eq(conn_table_count(scene.forwarder.conns), share + 101);
	/* After three seconds the oldest makes room for a newer one. */
	ck_assert_uint_eq(scene.forwarder.stats.unproven_evicted, 0);
	scene.now += SECONDS(4);
	snprintf(first, sizeof(first), "%s", scene_tcp(&scene, 40000, TCP_SYN));
	ck_assert_str_eq(scene_tcp(&scene, 40000, TCP_ACK), first);
	ck_assert_uint_eq(scene.forwarder.stats.unproven_evicted, 1);
	ck_assert_uint_eq(conn_table_unproven(scene.forwarder.conns), share - 1 + 100);
	ck_assert_uint_eq(conn_table_count(scene.forwarder.conns), share + 101);
}
END_TEST

/*
 * A SYN found no room and went by hash. When the client sends it again there is room, and it goes to the same server.
 */
START_TEST(test_a_repeated_syn_in_a_flood)
{
	const uint16_t share = SCENE_FLOWS / 8;
	char first[100][NAME_MOST];

	for (uint16_t port = 1; port <= 2 * share; port++)
		scene_tcp(&scene, port, TCP_SYN);
	for (uint16_t i = 0; i < 100; i++)
		snprintf(first[i], sizeof(first[i]), "%s", scene_tcp(&scene, 50000 + i, TCP_SYN));
	/* Those of before had their grace. */
	scene.now += SECONDS(3);
	for (uint16_t i = 0; i < 100; i++) {
		ck_assert_str_eq(scene_tcp(&scene, 50000 + i, TCP_SYN), first[i]);
		ck_assert_str_eq(scene_tcp(&scene, 50000 + i, TCP_ACK), first[i]);
	}
	ck_assert_uint_gt(scene.forwarder.stats.unproven_evicted, 0);
	/* Later new ones are scheduled again. */
	scene.now += SECONDS(5);
	ck_assert(!conn_is_flooded(scene.forwarder.conns, CONN_SYN, scene.now));
	for (uint16_t i = 0; i < 3; i++)
		snprintf(first[i], sizeof(first[i]), "%s", scene_tcp(&scene, 60000 + i, TCP_SYN));
	ck_assert_str_ne(first[0], first[1]);
	ck_assert_str_ne(first[1], first[2]);
	ck_assert_str_ne(first[0], first[2]);
}
END_TEST

/* Forged ACKs, too, and then neither takes the other's share, nor counts. */
START_TEST(test_a_flood_of_acks)
{
	const uint16_t share = SCENE_FLOWS / 8;

	for (uint16_t port = 1; port <= 5 * share; port++)
		scene_tcp(&scene, port, TCP_ACK);
	ck_assert_uint_eq(conn_table_count(scene.forwarder.conns), share);
	for (unsigned i = 1; i <= 3; i++)
		ck_assert_uint_eq(proven_flows(scene.model->slots[i - 1]->run), 0);
	for (uint16_t port = 40000; port < 40300; port++) {
		scene_tcp(&scene, port, TCP_SYN);
		scene_tcp(&scene, port, TCP_ACK);
	}
	for (unsigned i = 1; i <= 3; i++)
		ck_assert_uint_eq(scene.model->slots[i - 1]->run->active, 100);
	/* They live for half a minute. */
	for (unsigned second = 0; second < 32; second++)
		forward_tick(&scene.forwarder, scene.now += SECONDS(1));
	ck_assert_uint_eq(conn_table_count(scene.forwarder.conns), 300);
}
END_TEST

/* In the middle a connection is proven by a later segment that fits and makes progress. */
START_TEST(test_a_connection_in_the_middle_is_proven)
{
	static const struct {
		uint32_t later; /* milliseconds */
		uint32_t sequence;
		uint32_t acknowledgement;
		enum conn_state state;
	} steps[] = { { 0, 5000, 700, CONN_NEW }, { 50, 5000, 800, CONN_NEW }, { 60, 5000, 800, CONN_NEW },
		{ 10, 90000000, 900, CONN_NEW }, { 10, 5000, 900, CONN_ESTABLISHED } };

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		const struct shape shape = { .flags = TCP_ACK, .sequence = steps[i].sequence,
			.acknowledgement = steps[i].acknowledgement };

		scene.now += MILLISECONDS(steps[i].later);
		ck_assert_int_eq(scene_send(&scene, &shape).state, steps[i].state);
	}
	ck_assert_uint_eq(conn_table_unproven(scene.forwarder.conns), 0);
}
END_TEST

START_TEST(test_a_full_table_still_serves)
{
	char first[NAME_MOST];

	for (uint16_t port = 1; port <= SCENE_FLOWS; port++) {
		scene_tcp(&scene, port, TCP_SYN);
		scene_tcp(&scene, port, TCP_ACK);
	}
	ck_assert_uint_eq(conn_table_count(scene.forwarder.conns), SCENE_FLOWS);
	for (uint16_t port = 50000; port < 50100; port++) {
		snprintf(first, sizeof(first), "%s", scene_tcp(&scene, port, TCP_SYN));
		ck_assert_str_eq(scene_tcp(&scene, port, TCP_ACK), first);
		ck_assert_str_eq(scene_tcp(&scene, port, TCP_FIN | TCP_ACK), first);
	}
	ck_assert_uint_eq(forward_stats_dropped(&scene.forwarder.stats), 0);
	ck_assert_uint_eq(conn_table_count(scene.forwarder.conns), SCENE_FLOWS);
}
END_TEST

START_TEST(test_on_down_move)
{
	scene.model->services[0]->settings.on_down = ON_DOWN_MOVE;
	scene_compile(&scene);
	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_SYN), "s1");
	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_ACK), "s1");
	set_health("s1", HEALTH_DOWN);
	ck_assert_str_ne(scene_tcp(&scene, 1, TCP_ACK), "s1");
	set_health("s1", HEALTH_UP);
	ck_assert_str_ne(scene_tcp(&scene, 1, TCP_ACK), "s1");
}
END_TEST

START_TEST(test_max_connections)
{
	scene_server(&scene, "web", "s1")->settings.max_connections = 1;
	scene_server(&scene, "web", "s2")->settings.max_connections = 2;
	scene_server(&scene, "web", "s3")->settings.max_connections = 1;
	scene_compile(&scene);
	/* Those that have sent a SYN alone take no room. */
	for (uint16_t port = 100; port < 200; port++)
		ck_assert_str_ne(scene_tcp(&scene, port, TCP_SYN), "servers-full");
	scene_server(&scene, "web", "s2")->run->connections = 0;
	for (uint16_t port = 1; port <= 4; port++) {
		ck_assert_str_ne(scene_tcp(&scene, port, TCP_SYN), "servers-full");
		scene_tcp(&scene, port, TCP_ACK);
	}
	ck_assert_uint_eq(scene_server(&scene, "web", "s2")->run->connections, 2);
	ck_assert_str_eq(scene_tcp(&scene, 5, TCP_SYN), "servers-full");
	ck_assert_str_ne(scene_tcp(&scene, 1, TCP_ACK), "servers-full");
}
END_TEST

static struct decision
syn_from(const char *client, uint16_t port)
{
	const struct shape shape = { .from = client, .from_port = port, .flags = TCP_SYN };
	const struct decision decision = scene_send(&scene, &shape);

	scene_forget(&scene);
	return decision;
}

START_TEST(test_persistence_by_network)
{
	struct decision first, again, other;

	scene.model->services[0]->settings.persist = MINUTES(5);
	scene.model->services[0]->settings.persist_prefix4 = 24;
	scene_compile(&scene);
	first = syn_from("203.0.113.7", 1);
	for (uint16_t port = 2; port < 10; port++) {
		again = syn_from("203.0.113.200", port);
		ck_assert_str_eq(scene_went(&again), scene_went(&first));
	}
	(void)scene_send(&scene, &(struct shape) { .from = "203.0.113.200", .from_port = 9, .flags = TCP_ACK });
	other = syn_from("198.51.100.7", 1);
	ck_assert_str_ne(scene_went(&other), scene_went(&first));
	/* It is counted from the last new flow. */
	scene.now += MINUTES(4);
	again = syn_from("203.0.113.9", 20);
	ck_assert_str_eq(scene_went(&again), scene_went(&first));
	scene.now += MINUTES(4);
	again = syn_from("203.0.113.9", 21);
	ck_assert_str_eq(scene_went(&again), scene_went(&first));
	scene.now += MINUTES(6);
	again = syn_from("203.0.113.9", 22);
	ck_assert_str_ne(scene_went(&again), scene_went(&first));
}
END_TEST

/* Forged SYNs fill their share of both tables; a client that proves real is remembered all the same. */
START_TEST(test_persistence_in_a_flood)
{
	struct decision first;

	scene.model->services[0]->settings.persist = MINUTES(60);
	scene_compile(&scene);
	for (unsigned i = 0; i < 3 * SCENE_FLOWS; i++) {
		char from[32];

		(void)snprintf(from, sizeof(from), "10.%u.%u.1", i >> 8 & 255, i & 255);
		syn_from(from, 1);
	}
	ck_assert_uint_eq(conn_table_unproven(scene.forwarder.persist),
	    conn_table_capacity(scene.forwarder.persist) / 8);
	ck_assert_uint_gt(scene.forwarder.stats.persist_full, 0);
	first = syn_from("203.0.113.7", 1);
	(void)first;
	first = scene_send(&scene, &(struct shape) { .from = "203.0.113.7", .from_port = 1, .flags = TCP_ACK });
	scene.now += MILLISECONDS(200);
	(void)scene_send(&scene, &(struct shape) { .from = "203.0.113.7", .from_port = 1, .flags = TCP_ACK,
	    .payload = 9 });
	scene_forget(&scene);
	/* Minutes later the flood is over, and the client comes again. */
	scene.now += MINUTES(5);
	forward_tick(&scene.forwarder, scene.now);
	for (uint16_t port = 2; port < 12; port++) {
		const struct decision again = syn_from("203.0.113.7", port);

		ck_assert_str_eq(scene_went(&again), scene_went(&first));
	}
}
END_TEST

START_TEST(test_persistence_leaves_a_server_that_is_down)
{
	struct decision decision;
	const char *second;

	scene.model->services[0]->settings.persist = MINUTES(5);
	scene_compile(&scene);
	decision = syn_from("203.0.113.7", 1);
	ck_assert_str_eq(scene_went(&decision), "s1");
	set_health("s1", HEALTH_DOWN);
	decision = syn_from("203.0.113.7", 2);
	second = decision.server->server->settings.name;
	ck_assert_str_ne(second, "s1");
	set_health("s1", HEALTH_UP);
	decision = syn_from("203.0.113.7", 3);
	ck_assert_str_eq(scene_went(&decision), second);
}
END_TEST

/* Two directors, or one before and after its restart. */
START_TEST(test_the_middle_of_connections_goes_by_hash)
{
	struct scene other;
	struct service_settings *service;

	scene_open(&other);
	service = scene_add_service(&other, "web", PROTOCOL_TCP, 80, "rr");
	scene_add_server(service, 3, 1, false);
	scene_add_server(service, 1, 1, false);
	scene_add_server(service, 2, 1, false);
	scene_apply(&other);
	for (uint16_t port = 1; port < 200; port++)
		ck_assert_str_eq(scene_tcp(&scene, port, TCP_ACK), scene_tcp(&other, port, TCP_ACK));
	scene_close(&other);
}
END_TEST

/*
 * Connections of another director, whose routers moved them here just after a change: right for all that are older than
 * it. New ones, and those that began here in a flood, follow the table of now.
 */
START_TEST(test_the_middle_of_connections_after_a_change)
{
	struct flow_question question = { .protocol = PROTOCOL_TCP, .vip_port = 80, .flags = TCP_ACK };
	struct explanation explanation;
	unsigned previous = 0;
	char before[200][NAME_MOST];
	struct scene other;
	struct service_settings *service;

	scene_open(&other);
	service = scene_add_service(&other, "web", PROTOCOL_TCP, 80, "maglev");
	for (unsigned i = 1; i <= 3; i++)
		scene_add_server(service, i, 1, false);
	scene_apply(&other);
	for (uint16_t i = 0; i < ARRAY_LEN(before); i++)
		snprintf(before[i], sizeof(before[i]), "%s", scene_tcp(&other, i + 1, TCP_SYN));
	scene_close(&other);

	scene.now += FWD_PAST;
	scene_server(&scene, "web", "s2")->admin.admin = ADMIN_DRAINED;
	scene_compile(&scene);
	question.client = scene_addr("203.0.113.7");
	question.vip = scene_addr(VIP);
	for (uint16_t i = 0; i < ARRAY_LEN(before); i++) {
		const uint64_t counted = scene.forwarder.stats.previous_table;

		question.client_port = i + 1;
		ck_assert_int_eq(explain(&scene.forwarder, &question, scene.now, &explanation), 0);
		ck_assert_str_eq(explanation.server->server->settings.name, before[i]);
		ck_assert_str_eq(scene_tcp(&scene, i + 1, TCP_ACK), before[i]);
		ck_assert((explanation.way == FLOW_WAY_PREVIOUS) == (scene.forwarder.stats.previous_table > counted));
		previous += explanation.way == FLOW_WAY_PREVIOUS;
		ck_assert_str_ne(scene_tcp(&scene, i + 10000, TCP_SYN), "s2");
	}
	/* A third drained, and of the others hardly any. */
	ck_assert_uint_ge(previous, ARRAY_LEN(before) / 4);
	/* What a flood kept out of the table has begun here. */
	for (uint16_t port = 20000; port < 20000 + SCENE_FLOWS; port++)
		scene_tcp(&scene, port, TCP_SYN);
	ck_assert(conn_is_flooded(scene.forwarder.conns, CONN_SYN, scene.now));
	for (uint16_t port = 20000 + SCENE_FLOWS - 100; port < 20000 + SCENE_FLOWS; port++)
		ck_assert_str_ne(scene_tcp(&scene, port, TCP_ACK), "s2");
	/* And after a while all have. */
	scene.now += FWD_PAST + UNPROVEN_CALM;
	ck_assert_uint_eq(scene.forwarder.stats.previous_table, previous);
	for (uint16_t port = 50000; port < 50100; port++)
		ck_assert_str_ne(scene_tcp(&scene, port, TCP_ACK), "s2");
}
END_TEST

/* A director that begins in the middle of everything goes on as the one before it did. */
START_TEST(test_hashed_flows_survive_a_restart)
{
	static const char *const names[] = { "maglev", "sh", "dh" };
	struct service_settings *service;
	char before[50][8];

	for (unsigned restarted = 0; restarted < 2; restarted++) {
		scene_close(&scene);
		scene_open(&scene);
		service = scene_add_service(&scene, "web", PROTOCOL_TCP, 80, names[_i]);
		for (unsigned i = 3; i > 0; i--)
			scene_add_server(service, i, 1, false);
		scene_apply(&scene);
		for (unsigned i = 0; i < ARRAY_LEN(before); i++) {
			char from[32];
			const struct decision decision = scene_send(&scene, &(struct shape) {
			    .from = (snprintf(from, sizeof(from), "203.0.113.%u", i + 1), from),
			    .flags = restarted ? TCP_ACK : TCP_SYN });

			if (restarted)
				ck_assert_str_eq(scene_went(&decision), before[i]);
			else
				snprintf(before[i], sizeof(before[i]), "%s", scene_went(&decision));
		}
	}
}
END_TEST

START_TEST(test_warmup)
{
	unsigned counts[2] = { 0 };

	scene.model->services[0]->settings.warmup = SECONDS(100);
	scene.model->services[0]->settings.scheduler = scheduler_find("wrr");
	scene_server(&scene, "web", "s3")->admin.admin = ADMIN_DISABLED;
	scene.now += SECONDS(200);
	scene_server(&scene, "web", "s1")->since = scene.now - SECONDS(25);
	scene_compile(&scene);
	ck_assert(fwdtab_is_warming(scene.table));
	for (uint16_t port = 1; port <= 125; port++)
		counts[scene_tcp(&scene, port, TCP_SYN)[1] - '1']++;
	/* A quarter of the way: 25 against 100. */
	ck_assert_uint_eq(counts[0], 25);
	ck_assert_uint_eq(counts[1], 100);
	scene.now += SECONDS(75);
	scene_compile(&scene);
	ck_assert(!fwdtab_is_warming(scene.table));
}
END_TEST

Suite *
flows_suite(void)
{
	Suite *suite = suite_create("flows");
	TCase *tcase = tcase_create("flows");

	tcase_add_checked_fixture(tcase, open_scene, close_scene);
	tcase_add_test(tcase, test_a_flow_stays);
	tcase_add_test(tcase, test_a_drained_server_keeps_its_flows);
	tcase_add_test(tcase, test_a_down_server_gets_no_new_flows);
	tcase_add_test(tcase, test_unknown_and_disabled_get_nothing_new);
	tcase_add_test(tcase, test_backups_only_when_no_other);
	tcase_add_test(tcase, test_a_removed_servers_flows_go_elsewhere);
	tcase_add_loop_test(tcase, test_a_reused_port_is_a_new_connection, 0, (int)ARRAY_LEN(reuse));
	tcase_add_test(tcase, test_active_and_inactive_are_counted);
	tcase_add_test(tcase, test_an_idle_flow_lives_fifteen_minutes);
	tcase_add_test(tcase, test_a_flood_of_syns);
	tcase_add_test(tcase, test_a_repeated_syn_in_a_flood);
	tcase_add_test(tcase, test_a_flood_of_acks);
	tcase_add_test(tcase, test_a_connection_in_the_middle_is_proven);
	tcase_add_test(tcase, test_a_full_table_still_serves);
	tcase_add_test(tcase, test_on_down_move);
	tcase_add_test(tcase, test_max_connections);
	tcase_add_test(tcase, test_persistence_by_network);
	tcase_add_test(tcase, test_persistence_in_a_flood);
	tcase_add_test(tcase, test_persistence_leaves_a_server_that_is_down);
	tcase_add_test(tcase, test_the_middle_of_connections_after_a_change);
	tcase_add_loop_test(tcase, test_hashed_flows_survive_a_restart, 0, 3);
	tcase_add_test(tcase, test_warmup);
	tcase_add_test(tcase, test_the_middle_of_connections_goes_by_hash);
	suite_add_tcase(suite, tcase);
	return suite;
}
