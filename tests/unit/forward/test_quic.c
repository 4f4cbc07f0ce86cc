/* SPDX-License-Identifier: ISC */
/* QUIC connections by the server that their connection IDs name: clients change their addresses. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "../scene/scene.h"
#include "base/attr.h"
#include "suites.h"

static struct scene scene;
static uint8_t udp[32]; /* a UDP header and a QUIC packet */

/* Server n has the ID 0x0a0n in configuration 0. */
static void
open_scene(void)
{
	struct service_settings *service;

	scene_open(&scene);
	service = scene_add_service(&scene, "quic", PROTOCOL_UDP, 443, "rr");
	scene_listen(service, VIP, PROTOCOL_TCP, 443, 443);
	service->quic_lengths[0] = 2;
	for (unsigned i = 1; i <= 3; i++) {
		struct server_settings *server = scene_add_server(service, i, 1, false);

		server->quic_ids[0] = (struct quic_id) { 2, { 0x0a, (uint8_t)i } };
		server->quic_id_count = 1;
	}
	scene_apply(&scene);
}

static void
close_scene(void)
{
	scene_close(&scene);
}

/* From that host and port, the first bytes of a QUIC packet. */
static const char *
quic(uint8_t host, uint16_t port, const uint8_t bytes[4])
{
	char from[32];
	const struct shape shape = { .from = from, .from_port = port, .to_port = 443, .protocol = PROTOCOL_UDP,
		.raw = udp, .payload = sizeof(udp) };
	struct decision decision;

	(void)snprintf(from, sizeof(from), "203.0.113.%u", host);
	memset(udp, 0, sizeof(udp));
	udp[0] = (uint8_t)(port >> 8);
	udp[1] = (uint8_t)port;
	udp[2] = 443 >> 8;
	udp[3] = 443 & 0xff;
	udp[5] = sizeof(udp);
	memcpy(udp + 8, bytes, 4);
	decision = scene_send(&scene, &shape);
	return scene_went(&decision);
}

#define SHORT(server) ((const uint8_t[]) { 0x40, 0x00, 0x0a, (server) })
#define UNROUTABLE ((const uint8_t[]) { 0x40, 0xe0, 0x0a, 0x01 })
#define INITIAL ((const uint8_t[]) { 0xc0, 0, 0, 0 })

START_TEST(test_a_client_changes_its_address)
{
	ck_assert_str_eq(quic(7, 1000, INITIAL), "s1");
	ck_assert_str_eq(quic(8, 1000, INITIAL), "s2");
	ck_assert_str_eq(quic(8, 1000, SHORT(2)), "s2");
	ck_assert_uint_eq(scene.forwarder.stats.quic_by_id, 0);
	/* Another port, another host: what would be a new flow, which rr gives to s3, s1, ... */
	ck_assert_str_eq(quic(8, 2000, SHORT(2)), "s2");
	ck_assert_str_eq(quic(9, 3000, SHORT(2)), "s2");
	ck_assert_uint_eq(scene.forwarder.stats.quic_by_id, 2);
	/* The new flow is that server's: also what names none. */
	ck_assert_str_eq(quic(9, 3000, SHORT(2)), "s2");
	ck_assert_str_eq(quic(9, 3000, UNROUTABLE), "s2");
	ck_assert_str_eq(quic(9, 3000, INITIAL), "s2");
	ck_assert_uint_eq(scene.forwarder.stats.quic_by_id, 2);
	ck_assert_uint_eq(scene_server(&scene, "quic", "s2")->run->connections, 3);
	/* The next new one takes its turn, as if nothing had been between. */
	ck_assert_str_eq(quic(10, 1, INITIAL), "s3");
}
END_TEST

/* Two connections from one port, and a port that another client of a NAT has now: each packet where it belongs. */
START_TEST(test_an_address_with_two_connections)
{
	ck_assert_str_eq(quic(7, 1000, INITIAL), "s1");
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_str_eq(quic(7, 1000, SHORT(3)), "s3");
		ck_assert_str_eq(quic(7, 1000, SHORT(1)), "s1");
	}
	ck_assert_str_eq(quic(7, 1000, UNROUTABLE), "s1");
	ck_assert_uint_eq(conn_table_count(scene.forwarder.conns), 1);
	ck_assert_uint_eq(scene.forwarder.stats.quic_by_id, 3);
}
END_TEST

START_TEST(test_ids_that_lead_nowhere)
{
	ck_assert_str_eq(quic(7, 1000, SHORT(9)), "s1");
	ck_assert_str_eq(quic(7, 1000, SHORT(9)), "s1");
	ck_assert_str_eq(quic(7, 2000, ((const uint8_t[]) { 0x40, 0x20, 0x0a, 1 })), "s2");
	ck_assert_uint_eq(scene.forwarder.stats.quic_invalid, 3);
	ck_assert_str_eq(quic(7, 3000, UNROUTABLE), "s3");
	ck_assert_uint_eq(scene.forwarder.stats.quic_invalid, 3);
	/* A drained server keeps its connections, one that is down or without a MAC does not. */
	scene_server(&scene, "quic", "s2")->admin.admin = ADMIN_DRAINED;
	scene_compile(&scene);
	ck_assert_str_eq(quic(8, 1000, SHORT(2)), "s2");
	scene_server(&scene, "quic", "s2")->health.state = HEALTH_DOWN;
	scene_compile(&scene);
	ck_assert_str_ne(quic(8, 2000, SHORT(2)), "s2");
	ck_assert_uint_eq(scene.forwarder.stats.quic_invalid, 4);
	/* TCP on the same port has no IDs. */
	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_SYN), "no-service");
}
END_TEST

/* A full table, and a service that remembers nothing: by ID all the same. */
START_TEST(test_without_memory)
{
	struct service_settings *service = &scene.settings.services[0];

	scene.discards = true;
	for (unsigned i = 0; i < SCENE_FLOWS; i++)
		(void)quic((uint8_t)(i >> 12), (uint16_t)(i & 0xfff) + 1, INITIAL);
	ck_assert_str_eq(quic(9, 50000, SHORT(2)), "s2");
	ck_assert_str_eq(quic(9, 50000, SHORT(3)), "s3");

	service = scene_add_service(&scene, "quic", PROTOCOL_UDP, 443, "rr");
	service->quic_lengths[2] = 2;
	service->one_packet = true;
	scene_add_server(service, 1, 1, false)->quic_ids[0] = (struct quic_id) { 2, { 0x0a, 1 } };
	service->servers[0].quic_id_count = 1;
	scene_add_server(service, 2, 1, false);
	scene_apply(&scene);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_str_eq(quic(9, 1000, ((const uint8_t[]) { 0x40, 0x40, 0x0a, 1 })), "s1");
}
END_TEST

/* A server that sends a packet of its own connection back forwards, and lacks the VIP. */
START_TEST(test_bounce)
{
	const struct shape shape = { .from_mac = "02:00:00:00:00:12", .from_port = 1000, .to_port = 443,
		.protocol = PROTOCOL_UDP, .raw = udp, .payload = sizeof(udp) };
	struct decision decision;

	ck_assert_str_eq(quic(7, 1000, SHORT(2)), "s2");
	scene.now += SECONDS(600);
	decision = scene_send(&scene, &shape);
	ck_assert_str_eq(scene_went(&decision), "bounce");
}
END_TEST

Suite *
quic_suite(void)
{
	Suite *suite = suite_create("quic");
	TCase *tcase = tcase_create("quic");

	tcase_add_checked_fixture(tcase, open_scene, close_scene);
	tcase_add_test(tcase, test_a_client_changes_its_address);
	tcase_add_test(tcase, test_an_address_with_two_connections);
	tcase_add_test(tcase, test_ids_that_lead_nowhere);
	tcase_add_test(tcase, test_without_memory);
	tcase_add_test(tcase, test_bounce);
	suite_add_tcase(suite, tcase);
	return suite;
}
