/* SPDX-License-Identifier: ISC */
/* Everything beyond a plain IPv4 segment: IPv6, neighbor discovery, ICMP, fragments, VLAN tags, SCTP. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../scene/scene.h"
#include "base/bytes.h"
#include "proto/arp.h"
#include "proto/icmp.h"
#include "proto/ndp.h"
#include "suites.h"

#define VIP6 "2001:db8::10"
#define CLIENT6 "2001:db8:7::7"
#define DIRECTOR_MAC "02:00:00:00:00:01"
/* The solicited-node group of VIP6 and its MAC. */
#define GROUP6 "ff02::1:ff00:10"
#define GROUP6_MAC "33:33:ff:00:00:10"

static struct scene scene;

static void
open_scene(void)
{
	struct service_settings *service;

	scene_open(&scene);
	service = scene_add_service(&scene, "web", PROTOCOL_TCP, 80, "rr");
	scene_listen(service, VIP6, PROTOCOL_TCP, 80, 80);
	scene_listen(service, VIP, PROTOCOL_SCTP, 80, 80);
	scene_listen(service, VIP, PROTOCOL_UDP, 80, 80);
	scene_listen(service, VIP6, PROTOCOL_UDP, 80, 80);
	for (unsigned i = 1; i <= 3; i++)
		scene_add_server(service, i, 1, false);
	scene_apply(&scene);
}

static void
close_scene(void)
{
	scene_close(&scene);
}

static const char *
went(const struct shape *shape)
{
	const struct decision decision = scene_send(&scene, shape);

	return scene_went(&decision);
}

static struct packet
parse_sent(size_t index)
{
	struct frame frame = frame_of(scene.sent[index].bytes, scene.sent[index].length, 0);
	struct packet packet;

	ck_assert_uint_lt(index, scene.sent_count);
	ck_assert_int_eq(packet_parse(&frame, &packet), PACKET_OK);
	return packet;
}

START_TEST(test_ipv6_flow)
{
	const struct shape syn = { .from = CLIENT6, .to = VIP6, .flags = TCP_SYN };
	const struct shape ack = { .from = CLIENT6, .to = VIP6, .flags = TCP_ACK, .payload = 100 };
	struct frame frame;
	uint8_t before[2048];

	/* The servers are known by IPv4 addresses: at layer 2 only the MAC matters. */
	ck_assert_str_eq(went(&syn), "s1");
	ck_assert_str_eq(went(&ack), "s1");
	frame = scene_frame(&scene, &ack);
	memcpy(before, frame.bytes, frame.length);
	scene_forget(&scene);
	forward_frame(&scene.forwarder, &frame, scene.now);
	assert_mac(scene.sent[0].bytes, "02:00:00:00:00:11");
	ck_assert_mem_eq(scene.sent[0].bytes + 12, before + 12, scene.sent[0].length - 12);
}
END_TEST

/* The same ports over the other family are another flow. */
START_TEST(test_families_are_apart)
{
	const struct shape v6 = { .from = CLIENT6, .to = VIP6, .flags = TCP_SYN };

	ck_assert_str_eq(scene_tcp(&scene, 40000, TCP_SYN), "s1");
	ck_assert_str_eq(went(&v6), "s2");
	ck_assert_str_eq(scene_tcp(&scene, 40000, TCP_ACK), "s1");
}
END_TEST

START_TEST(test_ipv6_super_frame)
{
	const struct shape syn = { .from = CLIENT6, .to = VIP6, .flags = TCP_SYN };
	const struct shape data = { .from = CLIENT6, .to = VIP6, .flags = TCP_ACK, .payload = 5000,
	    .unfinished = true };
	size_t payload = 0;

	went(&syn);
	scene_forget(&scene);
	ck_assert_str_eq(went(&data), "s1");
	ck_assert_uint_eq(scene.sent_count, 4); /* 5000 / 1440, rounded up */
	for (size_t i = 0; i < scene.sent_count; i++) {
		const struct packet packet = parse_sent(i);

		ck_assert_uint_le(packet.end - packet.l3, 1500);
		payload += packet.end - packet.payload;
	}
	ck_assert_uint_eq(payload, 5000);
}
END_TEST

/* An ICMPv6 message from its type on; the checksum is put in by the scene. */
static struct decision
solicit(const char *from, const char *to, const char *to_mac, const char *target, bool with_mac)
{
	const struct addr addr = scene_addr(target);
	const struct mac mac = scene_mac(CLIENT_MAC);
	uint8_t message[32] = { 135 };
	const struct shape shape = { .from = from, .to = to, .to_mac = to_mac, .protocol = PROTOCOL_ICMPV6,
	    .raw = message,
		.payload = with_mac ? 32 : 24 };

	memcpy(message + 8, addr.bytes, 16);
	message[24] = 1;
	message[25] = 1;
	memcpy(message + 26, mac.bytes, 6);
	return scene_send(&scene, &shape);
}

/* A stranger says that a server is where the director is. */
START_TEST(test_no_server_is_here)
{
	static const char *const macs[] = { DIRECTOR_MAC, "02:00:00:00:01:01", CLIENT_MAC };
	const struct addr server = scene_addr("2001:db8::99");

	ck_assert_int_eq(neigh_want(scene.forwarder.neighbors, 0, &server, NEIGHBOR_PROVE, scene.now), 0);
	for (size_t i = 0; i < ARRAY_LEN(macs); i++) {
		const struct mac mac = scene_mac(macs[i]);
		uint8_t message[32] = { 135, [24] = 1, 1 };
		const struct addr vip = scene_addr(VIP6);
		const struct shape shape = { .from = "2001:db8::99", .to = GROUP6, .to_mac = GROUP6_MAC,
			.protocol = PROTOCOL_ICMPV6, .raw = message, .payload = sizeof(message) };
		const bool is_stranger = i == ARRAY_LEN(macs) - 1;

		memcpy(message + 8, vip.bytes, 16);
		memcpy(message + 26, mac.bytes, 6);
		ck_assert_str_eq(went(&shape), "consumed");
		ck_assert_int_eq(neigh_mac(scene.forwarder.neighbors, 0, &server) != NULL, is_stranger);
	}
}
END_TEST

static struct ndp
parse_advertisement(size_t index)
{
	struct frame frame = frame_of(scene.sent[index].bytes, scene.sent[index].length, 0);
	const struct packet packet = parse_sent(index);
	struct ndp ndp;

	ck_assert_int_eq(ndp_parse(&frame, &packet, &ndp), 0);
	ck_assert_int_eq(ndp.kind, NDP_ADVERTISEMENT);
	return ndp;
}

static const struct {
	const char *name;
	const char *from;
	const char *to;
	const char *to_mac;
	const char *target;
	bool with_mac;
	bool answered;
} solicitations[] = {
	{ "multicast", "fe80::99", GROUP6, GROUP6_MAC, VIP6, true, true },
	{ "unicast", "fe80::99", VIP6, DIRECTOR_MAC, VIP6, true, true },
	{ "unicast without MAC", "fe80::99", VIP6, DIRECTOR_MAC, VIP6, false, true },
	{ "duplicate address detection", "::", GROUP6, GROUP6_MAC, VIP6, false, true },
	{ "another target", "fe80::99", GROUP6, GROUP6_MAC, "2001:db8:1::10", true, false },
	{ "another host's frame", "fe80::99", VIP6, "02:00:00:00:00:77", VIP6, true, false },
};

START_TEST(test_neighbor_solicitations)
{
	const struct mac own = scene_mac(DIRECTOR_MAC);
	const bool dad = strcmp(solicitations[_i].from, "::") == 0;
	const struct addr vip = scene_addr(VIP6), to = scene_addr(dad ? "ff02::1" : solicitations[_i].from);
	struct packet packet;
	struct ndp ndp;

	solicit(solicitations[_i].from, solicitations[_i].to, solicitations[_i].to_mac, solicitations[_i].target,
	    solicitations[_i].with_mac);
	ck_assert_msg(scene.sent_count == (solicitations[_i].answered ? 1 : 0), "%s", solicitations[_i].name);
	if (!solicitations[_i].answered)
		return;
	ndp = parse_advertisement(0);
	packet = parse_sent(0);
	ck_assert(addr_equal(&ndp.target, &vip));
	ck_assert(ndp.has_mac);
	ck_assert(mac_equal(&ndp.mac, &own));
	ck_assert(ndp.override);
	ck_assert(!ndp.router);
	ck_assert(ndp.solicited == !dad);
	ck_assert_uint_eq(packet.hop_limit, 255);
	ck_assert(addr_equal(&packet.destination, &to));
	assert_mac(scene.sent[0].bytes, dad ? "33:33:00:00:00:01" : CLIENT_MAC);
}
END_TEST

START_TEST(test_ipv6_announcements)
{
	const struct addr vip = scene_addr(VIP6);

	ck_assert_int_eq(announcer_add(scene.forwarder.announcer, 0, &vip, ANNOUNCE_TAKEOVER, scene.now), 0);
	for (uint64_t due; (due = announcer_due(scene.forwarder.announcer)) != UINT64_MAX;)
		forward_announce(&scene.forwarder, due);
	ck_assert_uint_eq(scene.sent_count, 6);
	for (size_t i = 0; i < scene.sent_count; i++) {
		const struct ndp ndp = parse_advertisement(i);

		ck_assert(addr_equal(&ndp.target, &vip));
		ck_assert(ndp.override);
		ck_assert(!ndp.solicited);
		assert_mac(scene.sent[i].bytes, "33:33:00:00:00:01");
	}
}
END_TEST

START_TEST(test_resolves_ipv6_servers)
{
	const struct addr server = scene_addr("2001:db8::21");
	uint8_t message[32] = { 136, [4] = 0x60, [24] = 2, [25] = 1 };
	const struct mac mac = scene_mac("02:00:00:00:00:21");
	const struct shape answer = { .from = "2001:db8::21", .to = "fe80::ff:fe00:1", .from_mac = "02:00:00:00:00:21",
		.protocol = PROTOCOL_ICMPV6, .raw = message, .payload = 32 };
	struct frame frame;
	struct packet packet;
	struct ndp ndp;

	neigh_begin(scene.forwarder.neighbors);
	ck_assert_int_eq(neigh_want(scene.forwarder.neighbors, 0, &server, NEIGHBOR_PROVE, scene.now), 0);
	neigh_end(scene.forwarder.neighbors);
	forward_tick(&scene.forwarder, scene.now);
	ck_assert_uint_eq(scene.sent_count, 1);
	frame = frame_of(scene.sent[0].bytes, scene.sent[0].length, 0);
	packet = parse_sent(0);
	ck_assert_int_eq(ndp_parse(&frame, &packet, &ndp), 0);
	ck_assert_int_eq(ndp.kind, NDP_SOLICITATION);
	ck_assert(addr_equal(&ndp.target, &server));
	assert_mac(frame.bytes, "33:33:ff:00:00:21");
	memcpy(message + 8, server.bytes, 16);
	memcpy(message + 26, mac.bytes, 6);
	ck_assert_str_eq(went(&answer), "consumed");
	ck_assert(mac_equal(neigh_mac(scene.forwarder.neighbors, 0, &server), &mac));
}
END_TEST

/* "Fragmentation needed" about an answer of the VIP to the client, from a router on the way. */
static struct decision
report_mtu(uint16_t client_port, const char *about)
{
	uint8_t message[8 + 20 + 8] = { 3, 4, [6] = 1280 >> 8, [7] = 1280 & 0xff, [8] = 0x45, [17] = PROTOCOL_TCP };
	const struct addr vip = scene_addr(about), client = scene_addr("203.0.113.7");
	const struct shape shape = { .from = "203.0.113.254", .protocol = PROTOCOL_ICMP, .raw = message,
		.payload = sizeof(message) };

	store16(message + 10, 1500);
	message[16] = 64;
	memcpy(message + 20, vip.bytes, 4);
	memcpy(message + 24, client.bytes, 4);
	store16(message + 28, 80);
	store16(message + 30, client_port);
	return scene_send(&scene, &shape);
}

START_TEST(test_icmp_errors_follow_their_flow)
{
	struct decision decision;

	ck_assert_str_eq(scene_tcp(&scene, 1, TCP_SYN), "s1");
	ck_assert_str_eq(scene_tcp(&scene, 2, TCP_SYN), "s2");
	for (uint16_t port = 1; port <= 2; port++) {
		decision = report_mtu(port, VIP);
		ck_assert_str_eq(scene_went(&decision), port == 1 ? "s1" : "s2");
	}
	ck_assert_uint_eq(scene.sent_count, 2);
	ck_assert_uint_eq(scene.forwarder.stats.icmp_errors, 2);
	decision = report_mtu(3, VIP);
	ck_assert_str_eq(scene_went(&decision), "icmp-unknown");
	decision = report_mtu(1, "192.0.2.99");
	ck_assert_str_eq(scene_went(&decision), "icmp-unknown");
}
END_TEST

static const char *
where_mtu_goes(uint16_t port)
{
	const struct decision decision = report_mtu(port, VIP);

	return scene_went(&decision);
}

START_TEST(test_icmp_errors_of_other_directors)
{
	struct role_config roles = scene.model->roles;
	struct decision decision;
	const char *before[4];
	unsigned right = 0;

	/* By each reason to think that a flow exists though it is not known here. */
	ck_assert_str_eq(where_mtu_goes(1), "icmp-unknown");
	scene.forwarder.began = scene.now - MINUTES(14);
	ck_assert_str_ne(where_mtu_goes(1), "icmp-unknown");
	scene.forwarder.began = scene.now - MINUTES(15);
	ck_assert_str_eq(where_mtu_goes(1), "icmp-unknown");
	scene.forwarder.roles = &roles;
	ck_assert_str_eq(where_mtu_goes(1), "icmp-unknown");
	roles.groups[0].given = true;
	ck_assert_str_ne(where_mtu_goes(1), "icmp-unknown");
	roles.groups[0].given = false;
	scene.table->vips[0].routed = true;
	ck_assert_str_ne(where_mtu_goes(1), "icmp-unknown");
	scene.table->vips[0].routed = false;
	scene.forwarder.shared = true;
	/* It goes where the middle of the flow goes then; another VIP's address in it changes nothing. */
	for (uint16_t port = 1; port <= ARRAY_LEN(before); port++) {
		before[port - 1] = where_mtu_goes(port);
		right += strcmp(scene_tcp(&scene, port, TCP_ACK), before[port - 1]) == 0;
	}
	ck_assert_uint_eq(right, ARRAY_LEN(before));
	decision = report_mtu(9, "192.0.2.99");
	ck_assert_str_eq(scene_went(&decision), "icmp-unknown");
	ck_assert_uint_eq(scene.forwarder.stats.icmp_by_hash, 3 + ARRAY_LEN(before));
	for (unsigned i = 0; i < 3; i++)
		scene.model->services[0]->servers[i]->health.state = HEALTH_DOWN;
	scene_compile(&scene);
	ck_assert_str_eq(where_mtu_goes(9), "icmp-unknown");
}
END_TEST

static const struct {
	const char *from;
	const char *to;
	uint8_t protocol;
	uint8_t request;
	uint8_t reply;
} pings[] = {
	{ "203.0.113.7", VIP, PROTOCOL_ICMP, 8, 0 },
	{ CLIENT6, VIP6, PROTOCOL_ICMPV6, 128, 129 },
};

START_TEST(test_ping)
{
	uint8_t message[64] = { pings[_i].request, [4] = 0x12, [5] = 0x34, [7] = 9, [40] = 77 };
	const struct shape shape = { .from = pings[_i].from, .to = pings[_i].to, .protocol = pings[_i].protocol,
		.raw = message, .payload = sizeof(message) };
	const struct addr client = scene_addr(pings[_i].from);
	struct packet packet;

	ck_assert_str_eq(went(&shape), "consumed");
	packet = parse_sent(0);
	ck_assert_uint_eq(packet.icmp_type, pings[_i].reply);
	ck_assert(addr_equal(&packet.destination, &client));
	ck_assert_mem_eq(scene.sent[0].bytes + packet.l4 + 4, message + 4, sizeof(message) - 4);
	/* A VIP without service is dead, and looks dead. */
	for (unsigned i = 0; i < 3; i++)
		scene.model->services[0]->servers[i]->health.state = HEALTH_DOWN;
	scene_compile(&scene);
	ck_assert_str_eq(went(&shape), "no-server");
}
END_TEST

#define MORE 0x2000
#define AT(bytes) ((bytes) / 8)

static const struct {
	const char *from;
	const char *to;
} families[] = { { "203.0.113.7", VIP }, { CLIENT6, VIP6 } };

/* Every order of three fragments: all of them reach one server, the one of the flow. */
START_TEST(test_fragments_in_any_order)
{
	static const uint8_t orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 },
	    { 2, 1, 0 } };
	static const uint16_t fields[] = { MORE, MORE | AT(1008), AT(2008) };
	const uint8_t *order = orders[_i / 2];
	const char *server = "s1";

	/* The flow is there already, on the first server. */
	for (uint16_t id = 1; id <= 50; id++) {
		scene_forget(&scene);
		for (size_t i = 0; i < 3; i++) {
			const struct shape shape = { .from = families[_i % 2].from, .to = families[_i % 2].to, .id = id,
				.protocol = PROTOCOL_UDP, .fragment = fields[order[i]], .payload = 1000 };

			went(&shape);
		}
		ck_assert_uint_eq(scene.sent_count, 3);
		for (size_t i = 0; i < 3; i++)
			assert_mac(scene.sent[i].bytes, "02:00:00:00:00:11");
	}
	ck_assert_uint_eq(scene_server(&scene, "web", server)->run->packets, 150);
	ck_assert_uint_eq(scene_server(&scene, "web", server)->run->connections, 1);
}
END_TEST

START_TEST(test_fragments_interleaved)
{
	for (uint16_t id = 1; id <= 60; id++) {
		const struct shape later = { .id = id, .protocol = PROTOCOL_UDP, .fragment = AT(1008), .payload = 100,
			.from_port = id };

		ck_assert_str_eq(went(&later), "hold");
	}
	ck_assert_uint_eq(scene.sent_count, 0);
	for (uint16_t id = 60; id >= 1; id--) {
		const struct shape first = { .id = id, .protocol = PROTOCOL_UDP, .fragment = MORE, .payload = 1000,
			.from_port = id };

		scene_forget(&scene);
		went(&first);
		ck_assert_uint_eq(scene.sent_count, 2);
		ck_assert_mem_eq(scene.sent[0].bytes, scene.sent[1].bytes, 6);
	}
	ck_assert_uint_eq(scene.forwarder.stats.held, 60);
	ck_assert_uint_eq(scene.forwarder.stats.fragments_released, 60);
}
END_TEST

/*
 * A source that sends only later fragments fills its share of the hold, many sources fill the hold, and nothing else.
 */
START_TEST(test_fragments_are_bounded)
{
	const struct shape whole = { .flags = TCP_SYN };
	unsigned held = 0;

	for (uint16_t id = 1; id <= 5000; id++) {
		char source[24];
		const struct shape later = { .id = id, .protocol = PROTOCOL_UDP, .fragment = AT(1008), .payload = 100,
			.from = source };

		(void)snprintf(source, sizeof(source), "198.51.%u.%u", id / 1024, id / 4 % 256);
		held += strcmp(went(&later), "hold") == 0;
	}
	ck_assert_uint_eq(held, 256);
	ck_assert_str_eq(went(&whole), "s1");
	forward_tick(&scene.forwarder, scene.now + SECONDS(3));
	ck_assert_uint_eq(scene.forwarder.stats.fragments_expired, 256);
	scene.now += SECONDS(3);
	scene_forget(&scene);
	{
		const struct shape later = { .id = 1, .protocol = PROTOCOL_UDP, .fragment = AT(1008), .payload = 100 };

		ck_assert_str_eq(went(&later), "hold");
	}
}
END_TEST

/* As large as an interface takes them; what came in pieces is told by its name, and too many are too many. */
START_TEST(test_large_pings)
{
	static uint8_t message[65000] = { 8, [4] = 0x12, [5] = 0x34 };
	struct shape shape = { .protocol = PROTOCOL_ICMP, .raw = message };

	for (shape.payload = 1472; shape.payload <= sizeof(message); shape.payload += 3500) {
		scene_forget(&scene);
		ck_assert_str_eq(went(&shape), "consumed");
		ck_assert_uint_eq(scene.sent_count, 1);
		ck_assert_uint_eq(scene.sent[0].length, 34 + shape.payload);
	}
	scene_forget(&scene);
	shape.payload = 1000;
	shape.fragment = MORE;
	ck_assert_str_eq(went(&shape), "icmp-fragment");
	shape.fragment = AT(1000);
	ck_assert_str_eq(went(&shape), "icmp-fragment");
	shape.fragment = 0;
	for (unsigned i = 0; i < 2 * PINGS_MOST; i++) {
		scene_forget(&scene);
		(void)went(&shape);
	}
	ck_assert_str_eq(went(&shape), "ping-rate");
	ck_assert_uint_le(scene.forwarder.stats.echo_answers, PINGS_MOST);
	scene.now += SECONDS(1);
	ck_assert_str_eq(went(&shape), "consumed");
}
END_TEST

/* A held fragment that cannot be delivered is counted for what keeps it from that. */
START_TEST(test_a_held_fragment_too_big)
{
	const struct shape later = { .id = 1, .protocol = PROTOCOL_UDP, .fragment = AT(1008), .payload = 1600 };
	const struct shape first = { .id = 1, .protocol = PROTOCOL_UDP, .fragment = MORE, .payload = 1000 };

	ck_assert_str_eq(went(&later), "hold");
	ck_assert_str_eq(went(&first), "s1");
	ck_assert_uint_eq(scene.sent_count, 1);
	ck_assert_uint_eq(scene.forwarder.stats.fragments_released, 0);
	ck_assert_uint_eq(scene.forwarder.stats.dropped[DROP_TOO_BIG], 1);
}
END_TEST

/* A datagram lives on while its fragments come, and is soon forgotten: its number may mean another one. */
START_TEST(test_fragments_with_an_old_number)
{
	const struct shape first = { .id = 7, .protocol = PROTOCOL_UDP, .fragment = MORE, .payload = 1000,
	    .from_port = 1 };
	const struct shape other = { .id = 7, .protocol = PROTOCOL_UDP, .fragment = MORE, .payload = 1000,
	    .from_port = 2 };
	const struct shape later = { .id = 7, .protocol = PROTOCOL_UDP, .fragment = AT(1008), .payload = 100 };

	ck_assert_str_eq(went(&first), "s1");
	for (unsigned i = 0; i < 3; i++) {
		scene.now += SECONDS(4);
		ck_assert_str_eq(went(&later), "s1");
	}
	scene.now += SECONDS(5);
	ck_assert_str_eq(went(&later), "hold");
	scene_forget(&scene);
	ck_assert_str_eq(went(&other), "s2");
	ck_assert_uint_eq(scene.sent_count, 2);
	assert_mac(scene.sent[1].bytes, "02:00:00:00:00:12");
}
END_TEST

START_TEST(test_a_tag_is_kept)
{
	const struct shape syn = { .flags = TCP_SYN, .vlan = 0x6123 };
	uint8_t message[16] = { 8 };
	const struct shape ping = { .protocol = PROTOCOL_ICMP, .raw = message, .payload = sizeof(message),
	    .vlan = 0x6123 };

	ck_assert_str_eq(went(&syn), "s1");
	ck_assert_str_eq(went(&ping), "consumed");
	ck_assert_uint_eq(scene.sent_count, 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(load16(scene.sent[i].bytes + 12), 0x8100);
		ck_assert_uint_eq(load16(scene.sent[i].bytes + 14), 0x6123);
		ck_assert_uint_eq(parse_sent(i).ethertype, ETHERTYPE_IPV4);
	}
}
END_TEST

/* Who asks for a VIP within a VLAN is answered there. */
START_TEST(test_arp_in_a_vlan)
{
	const struct addr vip = scene_addr(VIP);
	struct frame frame;
	struct arp arp;

	scene_arp(&scene, CLIENT_MAC, "ff:ff:ff:ff:ff:ff", ARP_REQUEST, CLIENT_MAC, "192.0.2.50", VIP);
	ck_assert_uint_eq(scene.sent_count, 1);
	memmove(scene.bytes + 16, scene.bytes + 12, 44);
	store16(scene.bytes + 12, ETHERTYPE_VLAN);
	store16(scene.bytes + 14, 5);
	frame = frame_of(scene.bytes, 60, 0);
	scene_forget(&scene);
	forward_frame(&scene.forwarder, &frame, scene.now);
	ck_assert_uint_eq(scene.sent_count, 1);
	ck_assert_uint_eq(load16(scene.sent[0].bytes + 12), ETHERTYPE_VLAN);
	ck_assert_uint_eq(load16(scene.sent[0].bytes + 14), 5);
	frame = frame_of(scene.sent[0].bytes, scene.sent[0].length, 0);
	ck_assert_int_eq(arp_parse(&frame, &arp), 0);
	ck_assert_int_eq(arp.operation, ARP_REPLY);
	ck_assert(addr_equal(&arp.sender, &vip));
}
END_TEST

/* INIT, COOKIE ECHO, DATA, SHUTDOWN: the chunk behind the common header. */
START_TEST(test_sctp)
{
	static const struct {
		uint8_t chunk;
		enum conn_state state;
	} steps[] = { { 1, CONN_SYN }, { 10, CONN_ESTABLISHED }, { 0, CONN_ESTABLISHED }, { 7, CONN_FIN_WAIT },
		{ 14, CONN_FIN_WAIT }, { 6, CONN_CLOSED } };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		uint8_t message[20] = { 0x9c, 0x40, 0, 80, 1, 2, 3, 4, [12] = steps[i].chunk };
		const struct shape shape = { .protocol = PROTOCOL_SCTP, .raw = message, .payload = sizeof(message) };
		const struct decision decision = scene_send(&scene, &shape);

		ck_assert_str_eq(scene_went(&decision), "s1");
		ck_assert_int_eq(decision.state, steps[i].state);
	}
}
END_TEST

/* What begins a flow, unproven, and what proves it 200 ms later. */
static const struct {
	const char *what;
	uint8_t protocol;
	uint8_t first; /* of TCP the flags, of SCTP the chunk */
	uint8_t second;
} beginnings[] = {
	{ "a SYN", PROTOCOL_TCP, TCP_SYN, TCP_ACK },
	{ "a segment in the middle", PROTOCOL_TCP, TCP_ACK, TCP_ACK },
	{ "a datagram", PROTOCOL_UDP, 0, 0 },
	{ "an INIT", PROTOCOL_SCTP, 1, 10 },
	{ "a chunk in the middle", PROTOCOL_SCTP, 0, 0 },
};

static void
send_beginning(int which, bool second, const char *from, uint16_t port)
{
	uint8_t message[20] = { (uint8_t)(port >> 8), (uint8_t)port, 0, 80, 1, 2, 3, 4,
		[12] = second ? beginnings[which].second : beginnings[which].first };
	struct shape shape = { .from = from, .from_port = port, .protocol = beginnings[which].protocol };

	if (shape.protocol == PROTOCOL_SCTP) {
		shape.raw = message;
		shape.payload = sizeof(message);
	} else if (shape.protocol == PROTOCOL_TCP) {
		shape.flags = second ? beginnings[which].second : beginnings[which].first;
		shape.payload = second ? 10 : 0;
	} else {
		shape.payload = 10;
	}
	must(scene_send(&scene, &shape).verdict == VERDICT_FORWARD, "%s is forwarded", beginnings[which].what);
	scene_forget(&scene);
}

static uint32_t
proven_clients(void)
{
	return conn_table_count(scene.forwarder.persist) - conn_table_unproven(scene.forwarder.persist);
}

/*
 * With `persist`, no flow that one forged packet can begin makes a client that stays, whatever the protocol, and
 * however many such flows one address or network has. A proven one does.
 */
START_TEST(test_unproven_flows_make_no_client)
{
	scene.model->services[0]->settings.persist = MINUTES(10);
	scene.model->services[0]->settings.persist_prefix4 = 24;
	scene_compile(&scene);
	for (uint16_t port = 1; port <= 60; port++) {
		char from[32];

		(void)snprintf(from, sizeof(from), "203.0.113.%u", port % 4);
		send_beginning(_i, false, from, port);
		scene.now += MILLISECONDS(200);
	}
	must(proven_clients() == 0, "%s makes no client", beginnings[_i].what);
	scene.now += SECONDS(61);
	forward_tick(&scene.forwarder, scene.now);
	must(conn_table_count(scene.forwarder.persist) == 0, "%s is forgotten with its client", beginnings[_i].what);
	send_beginning(_i, false, "203.0.113.7", 1000);
	scene.now += MILLISECONDS(200);
	send_beginning(_i, true, "203.0.113.7", 1000);
	must(proven_clients() == 1, "the proof of %s makes a client", beginnings[_i].what);
	scene.now += MINUTES(9);
	forward_tick(&scene.forwarder, scene.now);
	must(proven_clients() == 1, "the client of %s stays", beginnings[_i].what);
}
END_TEST

Suite *
protocols_suite(void)
{
	Suite *suite = suite_create("protocols");
	TCase *tcase = tcase_create("protocols");

	tcase_add_checked_fixture(tcase, open_scene, close_scene);
	tcase_add_test(tcase, test_ipv6_flow);
	tcase_add_test(tcase, test_families_are_apart);
	tcase_add_test(tcase, test_ipv6_super_frame);
	tcase_add_loop_test(tcase, test_neighbor_solicitations, 0, (int)ARRAY_LEN(solicitations));
	tcase_add_test(tcase, test_ipv6_announcements);
	tcase_add_test(tcase, test_resolves_ipv6_servers);
	tcase_add_test(tcase, test_icmp_errors_follow_their_flow);
	tcase_add_test(tcase, test_icmp_errors_of_other_directors);
	tcase_add_test(tcase, test_no_server_is_here);
	tcase_add_loop_test(tcase, test_ping, 0, (int)ARRAY_LEN(pings));
	tcase_add_loop_test(tcase, test_fragments_in_any_order, 0, 12);
	tcase_add_test(tcase, test_fragments_interleaved);
	tcase_add_test(tcase, test_fragments_are_bounded);
	tcase_add_test(tcase, test_a_held_fragment_too_big);
	tcase_add_test(tcase, test_fragments_with_an_old_number);
	tcase_add_test(tcase, test_large_pings);
	tcase_add_test(tcase, test_a_tag_is_kept);
	tcase_add_test(tcase, test_arp_in_a_vlan);
	tcase_add_test(tcase, test_sctp);
	tcase_add_loop_test(tcase, test_unproven_flows_make_no_client, 0, (int)ARRAY_LEN(beginnings));
	suite_add_tcase(suite, tcase);
	return suite;
}
