/* SPDX-License-Identifier: ISC */
/* What reaches servers by other methods than mac: decisions, headers, sizes and counters. The headers' bytes: encap. */
#include "config.h"

#include <string.h>

#include "../scene/scene.h"
#include "base/bytes.h"
#include "proto/arp.h"
#include "proto/checksum.h"
#include "suites.h"

#define FAR_SERVER "198.51.100.200"
#define GATEWAY_MAC "02:00:00:00:00:fe"

static struct scene scene;

static void
open_method(enum encap_method method, uint8_t protocol)
{
	struct service_settings *service;
	struct server_settings *server;

	scene_open(&scene);
	service = scene_add_service(&scene, "web", protocol, 80, "rr");
	service->listens[0].dscp = 5;
	server = scene_add_server(service, 1, 1, false);
	server->addr = scene_addr("10.9.0.1");
	server->mac = scene_mac(GATEWAY_MAC);
	server->gateway = scene_addr("192.0.2.254");
	server->method = method;
	scene_apply(&scene);
}

static void
close_scene(void)
{
	scene_close(&scene);
}

/* The packet in a tunnel, or what method dscp made of it. */
static const struct {
	enum encap_method method;
	uint32_t overhead;
	uint8_t protocol; /* of the packet that leaves */
} methods[] = {
	{ ENCAP_DSCP, 0, PROTOCOL_TCP },
	{ ENCAP_IPIP, 20, 4 },
	{ ENCAP_GRE, 24, 47 },
	{ ENCAP_GUE, 32, PROTOCOL_UDP },
	{ ENCAP_GUE1, 28, PROTOCOL_UDP },
};

START_TEST(test_packets_leave_to_the_gateway)
{
	const struct shape shape = { .flags = TCP_SYN, .payload = 100 };
	const uint8_t *ip;
	struct frame frame;
	struct decision decision;

	open_method(methods[_i].method, PROTOCOL_TCP);
	frame = scene_frame(&scene, &shape);
	decision = scene_send(&scene, &shape);
	ck_assert_str_eq(scene_went(&decision), "s1");
	ck_assert_uint_eq(scene.sent_count, 1);
	ck_assert_uint_eq(scene.sent[0].length, frame.length + methods[_i].overhead);
	assert_mac(scene.sent[0].bytes, GATEWAY_MAC);
	ip = scene.sent[0].bytes + ETHER_HEADER;
	ck_assert_uint_eq(ip[9], methods[_i].protocol);
	assert_ipv4(ip + 16, "10.9.0.1");
	if (methods[_i].method == ENCAP_DSCP)
		ck_assert_uint_eq(ip[1], 5 << 2);
	else
		assert_ipv4(ip + 12, "192.0.2.1");
	ck_assert_uint_eq(scene_server(&scene, "web", "s1")->run->packets, 1);
	ck_assert_uint_eq(scene_server(&scene, "web", "s1")->run->connections, 1);
}
END_TEST

/* A client that sends more than the tunnel takes is told so; one that permits fragments gets them. */
START_TEST(test_large_packets)
{
	const struct shape whole = { .flags = TCP_ACK, .payload = 1460, .fragment = 0x4000 };
	const struct shape open = { .protocol = PROTOCOL_UDP, .payload = 1472 };
	struct decision decision;

	open_method(ENCAP_IPIP, PROTOCOL_TCP);
	(void)scene_tcp(&scene, 40000, TCP_SYN);
	decision = scene_send(&scene, &whole);
	ck_assert_str_eq(scene_went(&decision), "too-big");
	ck_assert_uint_eq(scene.sent_count, 1);
	ck_assert_uint_eq(scene.sent[0].bytes[ETHER_HEADER + 9], PROTOCOL_ICMP);
	ck_assert_uint_eq(load32(scene.sent[0].bytes + ETHER_HEADER + 20 + 4), 1480);
	assert_mac(scene.sent[0].bytes, CLIENT_MAC);
	ck_assert_uint_eq(scene.sent[0].iface, 0);
	ck_assert_uint_eq(scene.forwarder.stats.path_mtu_answers, 1);
	scene_close(&scene);

	open_method(ENCAP_IPIP, PROTOCOL_UDP);
	decision = scene_send(&scene, &open);
	ck_assert_str_eq(scene_went(&decision), "s1");
	ck_assert_uint_eq(scene.sent_count, 2);
	ck_assert_uint_le(scene.sent[0].length, ETHER_HEADER + 1500);
	ck_assert_uint_eq(load16(scene.sent[0].bytes + ETHER_HEADER + 20 + 6), 0x2000);
	ck_assert_uint_eq(load16(scene.sent[1].bytes + ETHER_HEADER + 20 + 6) & 0xe000, 0);
}
END_TEST

/* Answers are bounded for each source, so that forged packets make no flood. */
START_TEST(test_answers_are_bounded)
{
	const struct shape whole = { .flags = TCP_ACK, .payload = 1460, .fragment = 0x4000 };

	open_method(ENCAP_GRE, PROTOCOL_TCP);
	scene.discards = true;
	for (int i = 0; i < 1000; i++)
		(void)scene_send(&scene, &whole);
	ck_assert_uint_eq(scene.forwarder.stats.path_mtu_answers, 100);
	ck_assert_uint_eq(scene.forwarder.stats.dropped[DROP_TOO_BIG], 1000);
}
END_TEST

START_TEST(test_super_frames_are_split_for_the_tunnel)
{
	const struct shape super = { .flags = TCP_ACK, .payload = 5000 };
	struct decision decision;

	open_method(ENCAP_GUE, PROTOCOL_TCP);
	(void)scene_tcp(&scene, 40000, TCP_SYN);
	decision = scene_send(&scene, &super);
	ck_assert_str_eq(scene_went(&decision), "s1");
	ck_assert_uint_eq(scene.sent_count, 4);
	for (size_t i = 0; i < scene.sent_count; i++)
		ck_assert_uint_le(scene.sent[i].length, ETHER_HEADER + 1500);
	ck_assert_uint_eq(scene.forwarder.stats.segments, 4);
}
END_TEST

START_TEST(test_hops_end_in_tunnels)
{
	const struct shape shape = { .flags = TCP_SYN, .ttl = 1 };
	struct decision decision;

	open_method(ENCAP_IPIP, PROTOCOL_TCP);
	decision = scene_send(&scene, &shape);
	ck_assert_str_eq(scene_went(&decision), "hops");
	ck_assert_uint_eq(scene.sent_count, 0);
}
END_TEST

/* Clients may be behind the very router that leads to the servers: nothing of theirs is a bounce. */
START_TEST(test_the_gateway_sends_no_bounces)
{
	const struct shape syn = { .from_mac = GATEWAY_MAC, .flags = TCP_SYN, .ttl = 60 };
	const struct shape later = { .from_mac = GATEWAY_MAC, .flags = TCP_ACK, .ttl = 59, .sequence = 1001 };
	struct decision decision;

	open_method(ENCAP_IPIP, PROTOCOL_TCP);
	decision = scene_send(&scene, &syn);
	ck_assert_str_eq(scene_went(&decision), "s1");
	decision = scene_send(&scene, &later);
	ck_assert_str_eq(scene_went(&decision), "s1");
	ck_assert_uint_eq(scene.forwarder.stats.dropped[DROP_BOUNCE], 0);
}
END_TEST

START_TEST(test_unfinished_checksums_are_finished_in_tunnels)
{
	const struct shape shape = { .flags = TCP_SYN, .payload = 10, .unfinished = true };
	struct frame inner;
	struct packet packet;

	open_method(ENCAP_IPIP, PROTOCOL_TCP);
	scene.takes = TX_CHECKSUM;
	(void)scene_send(&scene, &shape);
	memmove(scene.sent[0].bytes + ETHER_HEADER, scene.sent[0].bytes + ETHER_HEADER + 20, scene.sent[0].length - 34);
	inner = frame_of(scene.sent[0].bytes, scene.sent[0].length - 20, 0);
	ck_assert_int_eq(packet_parse(&inner, &packet), PACKET_OK);
	ck_assert(checksum_ok(&inner, &packet));
	ck_assert_uint_eq(scene.forwarder.stats.checksums_finished, 1);
}
END_TEST

/*
 * A MAC address that brings clients' frames is a router's, and no server's; but the gateway to servers is a router, and
 * takes over the address of another one that failed.
 */
START_TEST(test_the_gateway_may_be_the_clients_router)
{
	struct server *server;
	const struct neigh *neigh;
	struct decision decision;

	open_method(ENCAP_IPIP, PROTOCOL_TCP);
	server = scene_server(&scene, "web", "s1");
	neigh_begin(scene.forwarder.neighbors);
	ck_assert_int_eq(neigh_want(scene.forwarder.neighbors, 0, &server->hop, NEIGHBOR_PROVE, scene.now), 0);
	*neigh_servers(scene.forwarder.neighbors, 0, &server->hop) = server;
	neigh_end(scene.forwarder.neighbors);
	decision = scene_send(&scene, &(const struct shape) { .flags = TCP_SYN });
	ck_assert_str_eq(scene_went(&decision), "s1");
	(void)scene_arp(&scene, CLIENT_MAC, "02:00:00:00:00:01", ARP_REPLY, CLIENT_MAC, "192.0.2.254", "192.0.2.1");
	neigh = neigh_get(scene.forwarder.neighbors, 0, &server->hop);
	assert_mac(neigh->mac.bytes, CLIENT_MAC);
	ck_assert_uint_eq(scene.forwarder.stats.neighbor_refused, 0);
}
END_TEST

Suite *
methods_suite(void)
{
	Suite *suite = suite_create("methods");
	TCase *tcase = tcase_create("methods");

	tcase_add_checked_fixture(tcase, NULL, close_scene);
	tcase_add_loop_test(tcase, test_packets_leave_to_the_gateway, 0, (int)(sizeof(methods) / sizeof(methods[0])));
	tcase_add_test(tcase, test_large_packets);
	tcase_add_test(tcase, test_answers_are_bounded);
	tcase_add_test(tcase, test_super_frames_are_split_for_the_tunnel);
	tcase_add_test(tcase, test_hops_end_in_tunnels);
	tcase_add_test(tcase, test_the_gateway_may_be_the_clients_router);
	tcase_add_test(tcase, test_the_gateway_sends_no_bounces);
	tcase_add_test(tcase, test_unfinished_checksums_are_finished_in_tunnels);
	suite_add_tcase(suite, tcase);
	return suite;
}
