/* SPDX-License-Identifier: ISC */
/* ICMP errors about packets in tunnels: which are believed, what they teach, and when it is forgotten. */
#include "config.h"

#include <string.h>

#include "../scene/scene.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "proto/icmp.h"
#include "suites.h"

#define GATEWAY_MAC "02:00:00:00:00:fe"
#define SERVER "10.9.0.1"
#define QUOTED_MOST 548 /* RFC 1812 section 4.3.2.3: 576 in all */

static struct scene scene;
static uint8_t quoted[8 + QUOTED_MOST];
static uint32_t quoted_length;

/* A flow to a server by that method; its last packet is what errors quote. */
static void
open_method(enum encap_method method)
{
	struct service_settings *service;
	struct server_settings *server;

	scene_open(&scene);
	service = scene_add_service(&scene, "web", PROTOCOL_TCP, 80, "rr");
	server = scene_add_server(service, 1, 1, false);
	server->addr = scene_addr(SERVER);
	server->mac = scene_mac(GATEWAY_MAC);
	server->gateway = scene_addr("192.0.2.254");
	server->method = method;
	scene_apply(&scene);
	(void)scene_tcp(&scene, 40000, TCP_SYN);
	(void)scene_send(&scene, &(const struct shape) { .flags = TCP_ACK, .payload = 900, .sequence = 1001 });
	ck_assert_uint_eq(scene.sent_count, 1);
	quoted_length = scene.sent[0].length - ETHER_HEADER;
	if (quoted_length > QUOTED_MOST)
		quoted_length = QUOTED_MOST;
	memset(quoted, 0, 8);
	memcpy(quoted + 8, scene.sent[0].bytes + ETHER_HEADER, quoted_length);
	scene_forget(&scene);
}

static void
close_scene(void)
{
	scene_close(&scene);
}

static struct decision
error(uint8_t type, uint8_t code, uint16_t mtu)
{
	const struct shape shape = { .from_mac = GATEWAY_MAC, .from = "10.8.0.1", .to = "192.0.2.1",
		.protocol = PROTOCOL_ICMP, .raw = quoted, .payload = 8 + quoted_length };

	quoted[0] = type;
	quoted[1] = code;
	store16(quoted + 6, mtu);
	return scene_send(&scene, &shape);
}

static struct server_path *
path(void)
{
	return &scene_server(&scene, "web", "s1")->run->path;
}

static const enum encap_method tunnels[] = { ENCAP_IPIP, ENCAP_GRE, ENCAP_GUE, ENCAP_GUE1 };

START_TEST(test_the_mtu_is_learned_and_forgotten)
{
	const enum encap_method method = tunnels[_i];
	const uint32_t overhead = encap_overhead(method, ADDR_IPV4);
	const struct shape large = { .flags = TCP_ACK, .payload = 1360, .fragment = 0x4000, .sequence = 2000 };
	struct decision decision;

	open_method(method);
	decision = error(3, 4, 1400);
	ck_assert_int_eq(decision.verdict, VERDICT_CONSUMED);
	ck_assert_uint_eq(path()->mtu, 1400);
	ck_assert_uint_eq(scene.forwarder.stats.tunnel_errors, 1);
	ck_assert(scene.forwarder.paths_changed);
	scene_compile(&scene);
	/* 1400 bytes with headers: they fit no longer, and the client learns what does. */
	decision = scene_send(&scene, &large);
	ck_assert_str_eq(scene_went(&decision), "too-big");
	ck_assert_uint_eq(load32(scene.sent[0].bytes + ETHER_HEADER + 20 + 4), 1400 - overhead);
	/* A larger one teaches nothing, a smaller one does, down to what every host takes. */
	(void)error(3, 4, 1450);
	ck_assert_uint_eq(path()->mtu, 1400);
	(void)error(3, 4, 68);
	ck_assert_uint_eq(path()->mtu, 576);
	(void)error(3, 4, 0);
	ck_assert_uint_eq(path()->mtu, 576);
	ck_assert(!model_tick(scene.model, scene.now + SECONDS(599)));
	ck_assert(model_tick(scene.model, scene.now + SECONDS(601)));
	ck_assert_uint_eq(path()->mtu, 0);
}
END_TEST

static const struct {
	uint8_t type, code;
	enum icmp_cause cause;
} causes[] = {
	{ 3, 2, ICMP_CAUSE_NO_PROTOCOL },
	{ 3, 3, ICMP_CAUSE_NO_PORT },
	{ 3, 1, ICMP_CAUSE_NO_WAY },
	{ 3, 13, ICMP_CAUSE_NO_WAY },
	{ 11, 0, ICMP_CAUSE_HOPS },
};

START_TEST(test_causes)
{
	open_method(ENCAP_GUE);
	(void)error(causes[_i].type, causes[_i].code, 0);
	ck_assert_int_eq(path()->cause, causes[_i].cause);
	ck_assert_uint_eq(path()->errors, 1);
	ck_assert_uint_eq(path()->mtu, 0);
}
END_TEST

/* Offsets in what is quoted of an IPIP packet: the outer header, the inner one, the ports. */
static const uint32_t changed[] = { 8 + 12, 8 + 19, 8 + 20 + 12, 8 + 20 + 16, 8 + 20 + 20, 8 + 20 + 22 };

START_TEST(test_what_nothing_proves_is_refused)
{
	open_method(ENCAP_IPIP);
	quoted[changed[_i]] ^= 1;
	(void)error(3, 4, 1000);
	ck_assert_uint_eq(path()->mtu, 0);
	ck_assert_uint_eq(path()->errors, 0);
	ck_assert_uint_eq(scene.forwarder.stats.tunnel_errors, 0);
}
END_TEST

/* Routers that quote 8 bytes: no ports are among them. And each length between: none is read beyond its end. */
START_TEST(test_short_quotations)
{
	open_method(ENCAP_IPIP);
	for (quoted_length = 1; quoted_length < 48; quoted_length++)
		(void)error(3, 4, 1000);
	ck_assert_uint_eq(path()->errors, 0);
	quoted_length = 48;
	(void)error(3, 4, 1000);
	ck_assert_uint_eq(path()->errors, 1);
}
END_TEST

START_TEST(test_errors_are_few)
{
	open_method(ENCAP_IPIP);
	for (int i = 0; i < 1000; i++)
		(void)error(3, 1, 0);
	ck_assert_uint_eq(path()->errors, 100);
}
END_TEST

Suite *
outer_suite(void)
{
	Suite *suite = suite_create("outer");
	TCase *tcase = tcase_create("outer");

	tcase_add_checked_fixture(tcase, NULL, close_scene);
	tcase_add_loop_test(tcase, test_the_mtu_is_learned_and_forgotten, 0, ARRAY_LEN(tunnels));
	tcase_add_loop_test(tcase, test_causes, 0, ARRAY_LEN(causes));
	tcase_add_loop_test(tcase, test_what_nothing_proves_is_refused, 0, ARRAY_LEN(changed));
	tcase_add_test(tcase, test_short_quotations);
	tcase_add_test(tcase, test_errors_are_few);
	suite_add_tcase(suite, tcase);
	return suite;
}
