/* SPDX-License-Identifier: ISC */
/* Segments that do not fit their connection: any number of them, and the client's own among lost ones. */
#include "config.h"

#include "../scene/scene.h"
#include "base/attr.h"
#include "flow/fit.h"
#include "suites.h"

#define CONNECTIONS 100
#define FORGED 1000000
#define ROUNDS 2000

struct client {
	uint32_t next;  /* of its own octets */
	uint32_t acked; /* of the server's */
	const char *server;
};

static struct scene scene;
static struct client clients[CONNECTIONS];

static void
open_scene(void)
{
	struct service_settings *service;

	scene_open(&scene);
	service = scene_add_service(&scene, "web", PROTOCOL_TCP, 80, "rr");
	for (unsigned i = 1; i <= 3; i++)
		scene_add_server(service, i, 1, false);
	scene_apply(&scene);
}

static void
close_scene(void)
{
	scene_close(&scene);
}

/* Xorshift (Marsaglia 2003). */
static uint32_t
draw(uint64_t *state, uint32_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)((*state >> 16) % below);
}

static struct decision
say(size_t i, uint8_t flags, uint32_t sequence, uint32_t acknowledgement, uint32_t payload)
{
	const struct shape shape = { .from_port = (uint16_t)(1000 + i), .flags = flags, .sequence = sequence,
		.acknowledgement = acknowledgement, .payload = payload };
	const struct decision decision = scene_send(&scene, &shape);

	scene_forget(&scene);
	return decision;
}

static void
talk(size_t i, uint8_t flags, uint32_t octets, enum conn_state state)
{
	struct client *client = &clients[i];
	const struct decision decision = say(i, flags, client->next, client->acked, octets);

	ck_assert_int_eq(decision.state, state);
	ck_assert_str_eq(scene_went(&decision), client->server);
	client->next += octets + ((flags & TCP_FIN) != 0);
}

static void
open_connection(size_t i, uint64_t *state)
{
	struct client *client = &clients[i];
	struct decision decision;

	client->next = 1 + draw(state, UINT32_MAX - 1);
	client->acked = draw(state, UINT32_MAX);
	decision = say(i, TCP_SYN, client->next, 0, 0);
	client->server = scene_went(&decision);
	talk(i, TCP_ACK, 0, CONN_ESTABLISHED);
	talk(i, TCP_ACK, 100, CONN_ESTABLISHED);
}

/* Twenty seconds of them, in which each client is silent for two at a time: none ends, none moves, none is hindered. */
START_TEST(test_a_million_forged_segments)
{
	static const uint8_t flags[] = { TCP_RST, TCP_RST | TCP_ACK, TCP_FIN | TCP_ACK, TCP_SYN, TCP_SYN | TCP_ACK,
	    TCP_ACK,
		TCP_ACK | TCP_PSH };
	uint64_t state = 1;

	for (size_t i = 0; i < CONNECTIONS; i++)
		open_connection(i, &state);
	for (unsigned n = 1; n <= FORGED; n++) {
		const size_t i = draw(&state, CONNECTIONS);
		const struct decision decision = say(i, flags[draw(&state, ARRAY_LEN(flags))], draw(&state, UINT32_MAX),
		    draw(&state, UINT32_MAX), 0);

		scene.now += 20;
		if (decision.state != CONN_ESTABLISHED || scene_went(&decision) != clients[i].server)
			ck_abort_msg("forged segment %u ended or moved connection %zu", n, i);
		if (n % (FORGED / 10) == 0)
			for (size_t j = 0; j < CONNECTIONS; j++)
				talk(j, TCP_ACK, 1000, CONN_ESTABLISHED);
	}
	ck_assert_uint_gt(scene.forwarder.stats.unfit, FORGED / 2);
	ck_assert_uint_eq(conn_table_count(scene.forwarder.conns), CONNECTIONS);
	for (size_t i = 0; i < CONNECTIONS; i++) {
		talk(i, TCP_FIN | TCP_ACK, 0, CONN_FIN_WAIT);
		talk(i, TCP_RST, 0, CONN_CLOSED);
	}
}
END_TEST

/* --- a client and its server, between which one segment in five is lost, before the director or behind it --------- */

struct peers {
	size_t number;
	uint64_t *random;
	uint32_t received; /* by the server, up to the first hole */
};

static bool
is_lost(const struct peers *peers)
{
	return draw(peers->random, 10) == 0;
}

/* The segment's way: the director sees it or not, and only what it sees gets to the server, or not. */
static bool
arrives(struct peers *peers, uint8_t flags, uint32_t sequence, uint32_t payload)
{
	if (is_lost(peers))
		return false;
	(void)say(peers->number, flags, sequence, clients[peers->number].acked, payload);
	return !is_lost(peers);
}

/* Up to eight segments at once, again and again until the server has all; `last` is on the last one. */
static void
send_all(struct peers *peers, uint32_t segments, uint8_t last)
{
	struct client *client = &clients[peers->number];
	const uint32_t begin = client->next, end = begin + segments * 1000;

	client->next = end + ((last & TCP_FIN) != 0);
	peers->received = begin;
	while (peers->received != client->next) {
		const uint32_t from = peers->received;
		bool hole = false;

		client->acked += draw(peers->random, 100000);
		for (uint32_t at = from; (int32_t)(at - end) <= 0 && at - from < 8000; at += 1000) {
			const uint32_t payload = at == end ? 0 : 1000;

			if (at == end && last == 0)
				continue;
			if (!arrives(peers, at == end ? last | TCP_ACK : TCP_ACK, at, payload))
				hole = true;
			else if (!hole)
				peers->received = at == end ? client->next : at + payload;
		}
	}
}

static enum conn_state
state_of(size_t i)
{
	for (uint32_t n = 1; n <= conn_table_used(scene.forwarder.conns); n++) {
		const struct conn *conn = conn_at(scene.forwarder.conns, n);

		if (conn->state != CONN_NONE && conn->key.client_port == 1000 + i)
			return (enum conn_state)conn->state;
	}
	return CONN_NONE;
}

/* With FIN, until the server has it; with RST, which the server makes the client repeat by what it sends (RFC 5961). */
static void
finish(struct peers *peers, bool reset)
{
	struct client *client = &clients[peers->number];

	if (!reset) {
		send_all(peers, 1, TCP_FIN);
		ck_assert_int_eq(state_of(peers->number), CONN_FIN_WAIT);
		return;
	}
	if (!arrives(peers, TCP_RST | TCP_ACK, client->next, 0))
		while (!arrives(peers, TCP_RST, peers->received, 0))
			;
	ck_assert_int_eq(state_of(peers->number), CONN_CLOSED);
}

START_TEST(test_what_was_missed_hinders_no_end)
{
	uint64_t state = 7;

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct peers peers = { .number = 0, .random = &state };

		open_connection(0, &state);
		send_all(&peers, 1 + draw(&state, 100), 0);
		finish(&peers, round % 2 == 1);
		scene.now += SECONDS(11);
	}
}
END_TEST

/*
 * Gigabytes were missed, as when another director had the flow meanwhile: it goes on, is measured, and ends by
 * silence.
 */
START_TEST(test_more_was_missed_than_the_windows_allow)
{
	uint64_t state = 3;
	struct measure *measure;
	uint64_t before;

	open_connection(0, &state);
	measure = &scene_server(&scene, "web", clients[0].server)->run->measure;
	clients[0].next += UINT32_C(1) << 30;
	clients[0].acked += UINT32_C(1) << 30;
	talk(0, TCP_ACK, 100, CONN_ESTABLISHED);
	talk(0, TCP_ACK, 100, CONN_ESTABLISHED);
	before = measure->response_bytes;
	clients[0].acked += 5000;
	talk(0, TCP_ACK, 100, CONN_ESTABLISHED);
	ck_assert_uint_eq(measure->response_bytes, before + 5000);
	talk(0, TCP_FIN | TCP_ACK, 0, CONN_ESTABLISHED);
	scene.now += MINUTES(15) + SECONDS(1);
	forward_tick(&scene.forwarder, scene.now);
	ck_assert_int_eq(state_of(0), CONN_NONE);
}
END_TEST

Suite *
fit_suite(void)
{
	Suite *suite = suite_create("fit");
	TCase *cases = tcase_create("fit");

	tcase_add_checked_fixture(cases, open_scene, close_scene);
	tcase_set_timeout(cases, 60);
	tcase_add_test(cases, test_a_million_forged_segments);
	tcase_add_test(cases, test_what_was_missed_hinders_no_end);
	tcase_add_test(cases, test_more_was_missed_than_the_windows_allow);
	suite_add_tcase(suite, cases);
	return suite;
}
