/* SPDX-License-Identifier: ISC */
/* What happens to single frames: ARP, the guard, delivery. Flows over time are in test_flows.c. */
#include "config.h"

#include <string.h>

#include "../scene/scene.h"
#include "base/bytes.h"
#include "proto/arp.h"
#include "proto/checksum.h"
#include "suites.h"

#define BROADCAST "ff:ff:ff:ff:ff:ff"
#define DIRECTOR_MAC "02:00:00:00:00:01"
#define OTHER_MAC "02:00:00:00:00:77"

static struct scene scene;

static void
open_scene(void)
{
	struct service_settings *service;

	scene_open(&scene);
	service = scene_add_service(&scene, "web", PROTOCOL_TCP, 80, "rr");
	scene_add_server(service, 1, 1, false);
	scene_add_server(service, 2, 1, false);
	scene_add_server(scene_add_service(&scene, "dns", PROTOCOL_UDP, 53, "rr"), 1, 1, false);
	scene_apply(&scene);
}

static void
close_scene(void)
{
	scene_close(&scene);
}

static const struct {
	const char *name;
	struct shape shape;
	const char *went;
} cases[] = {
	{ "tcp to the service", { .flags = TCP_SYN }, "s1" },
	{ "udp to the service", { .protocol = PROTOCOL_UDP, .to_port = 53, .payload = 30 }, "s1" },
	{ "udp to a tcp port", { .protocol = PROTOCOL_UDP, .to_port = 80 }, "no-service" },
	{ "another port", { .to_port = 81 }, "no-service" },
	{ "another host's frame", { .to_mac = OTHER_MAC }, "pass" },
	{ "not a VIP", { .to = "192.0.2.1" }, "pass" },
	{ "the VIP on the wrong interface", { .iface = 1 }, "pass" },
	{ "our own frame back", { .from_mac = DIRECTOR_MAC }, "loop" },
	{ "our other interface's frame", { .from_mac = "02:00:00:00:01:01" }, "loop" },
	{ "a server's other address", { .from_mac = "02:00:00:00:00:11", .from = "192.0.2.150", .flags = TCP_SYN },
	    "s1" },
	{ "by way of a server", { .from_mac = "02:00:00:00:00:12", .flags = TCP_SYN, .ttl = 63 }, "s1" },
	{ "a server as client", { .from_mac = "02:00:00:00:00:11", .from = "192.0.2.101", .flags = TCP_SYN }, "s1" },
	{ "first fragment", { .fragment = 0x2000, .flags = TCP_SYN }, "s1" },
	{ "later fragment", { .fragment = 0x0010 }, "hold" },
	{ "don't fragment is none", { .fragment = 0x4000, .flags = TCP_SYN }, "s1" },
	{ "an echo reply", { .protocol = PROTOCOL_ICMP }, "unsupported" },
	{ "a protocol without ports", { .protocol = 47 }, "unsupported" },
};

START_TEST(test_where_frames_go)
{
	const struct decision decision = scene_send(&scene, &cases[_i].shape);

	ck_assert_msg(strcmp(scene_went(&decision), cases[_i].went) == 0, "%s: %s instead of %s", cases[_i].name,
	    scene_went(&decision), cases[_i].went);
	ck_assert_uint_eq(scene.sent_count, decision.verdict == VERDICT_FORWARD ? 1 : 0);
	ck_assert_uint_eq(scene.forwarder.stats.frames, 1);
	ck_assert_uint_eq(scene.forwarder.stats.passed + scene.forwarder.stats.forwarded + scene.forwarder.stats.held +
	    forward_stats_dropped(&scene.forwarder.stats), 1);
}
END_TEST

/* At layer 2 only the twelve bytes of Ethernet addresses change. */
START_TEST(test_only_macs_change)
{
	const struct shape shape = { .flags = TCP_SYN, .payload = 500 };
	struct frame frame = scene_frame(&scene, &shape);
	uint8_t before[2048];

	memcpy(before, frame.bytes, frame.length);
	forward_frame(&scene.forwarder, &frame, scene.now);
	ck_assert_uint_eq(scene.sent_count, 1);
	ck_assert_uint_eq(scene.sent[0].length, frame.wire_length);
	assert_mac(scene.sent[0].bytes, "02:00:00:00:00:11");
	assert_mac(scene.sent[0].bytes + 6, DIRECTOR_MAC);
	ck_assert_mem_eq(scene.sent[0].bytes + 12, before + 12, frame.wire_length - 12);
	ck_assert_uint_eq(scene_server(&scene, "web", "s1")->run->packets, 1);
	ck_assert_uint_eq(scene_server(&scene, "web", "s1")->run->bytes, frame.wire_length);
}
END_TEST

START_TEST(test_every_cut_of_a_frame)
{
	const struct shape shape = { .flags = TCP_SYN, .payload = 20 };

	for (uint32_t length = 0; length < 74; length++) {
		struct frame frame = scene_frame(&scene, &shape);
		struct decision decision;

		frame.length = length;
		decision = forward_frame(&scene.forwarder, &frame, scene.now);
		/* Without a whole destination address nobody knows that it was for a VIP. */
		ck_assert_str_eq(scene_went(&decision), length < ETHER_HEADER + 20 ? "pass" : "truncated");
	}
	ck_assert_uint_eq(scene.sent_count, 0);
}
END_TEST

START_TEST(test_unfinished_checksum_is_finished)
{
	const struct shape unfinished = { .payload = 333, .unfinished = true }, finished = { .payload = 333 };
	struct frame expected;

	scene_send(&scene, &unfinished);
	ck_assert_uint_eq(scene.forwarder.stats.checksums_finished, 1);
	expected = scene_frame(&scene, &finished);
	ck_assert_uint_eq(scene.sent[0].length, expected.length);
	ck_assert_mem_eq(scene.sent[0].bytes + 12, expected.bytes + 12, expected.length - 12);
	scene_send(&scene, &finished);
	ck_assert_uint_eq(scene.forwarder.stats.checksums_finished, 1);
}
END_TEST

START_TEST(test_super_frame_is_split)
{
	const struct shape shape = { .flags = TCP_ACK | TCP_PSH, .payload = 10000 };
	uint32_t payload = 0;

	ck_assert_str_eq(scene_tcp(&scene, 40000, TCP_SYN), "s1");
	scene_send(&scene, &shape);
	ck_assert_uint_eq(scene.sent_count, 7); /* 10000 / 1460, rounded up */
	for (size_t i = 0; i < scene.sent_count; i++) {
		ck_assert_uint_le(scene.sent[i].length, ETHER_HEADER + 1500);
		assert_mac(scene.sent[i].bytes, "02:00:00:00:00:11");
		ck_assert_uint_eq(load32(scene.sent[i].bytes + 38), 1000 + payload);
		payload += scene.sent[i].length - 54;
	}
	ck_assert_uint_eq(payload, 10000);
	ck_assert_uint_eq(scene.forwarder.stats.frames_split, 1);
	ck_assert_uint_eq(scene.forwarder.stats.segments, 7);
}
END_TEST

/* What the kernel does with what was left to it (skb_checksum_help()). */
static void
finish_left(struct sent *sent)
{
	uint8_t *from = sent->bytes + sent->left.sum_from;

	store16(sent->bytes + sent->left.sum_at, checksum_finish(checksum_add(0, from,
	    sent->length - sent->left.sum_from)));
}

START_TEST(test_unfinished_checksum_is_left)
{
	const struct shape shapes[] = {
		{ .payload = 333 }, { .protocol = PROTOCOL_UDP, .to_port = 53, .payload = 333 }, { .payload = 0 },
	};
	const struct shape finished = shapes[_i];
	struct shape unfinished = shapes[_i];
	struct frame expected;

	scene.takes = TX_CHECKSUM;
	scene_send(&scene, &finished);
	ck_assert_uint_eq(scene.forwarder.stats.checksums_left, 0);
	ck_assert_uint_eq(scene.sent[0].left.sum_from, 0);
	unfinished.unfinished = true;
	scene_forget(&scene);
	scene_send(&scene, &unfinished);
	ck_assert_uint_eq(scene.forwarder.stats.checksums_left, 1);
	ck_assert_uint_eq(scene.forwarder.stats.checksums_finished, 0);
	ck_assert_uint_eq(scene.sent[0].left.sum_from, 34);
	ck_assert_uint_eq(scene.sent[0].left.segment, 0);
	finish_left(&scene.sent[0]);
	expected = scene_frame(&scene, &finished);
	ck_assert_uint_eq(scene.sent[0].length, expected.length);
	ck_assert_mem_eq(scene.sent[0].bytes + 12, expected.bytes + 12, expected.length - 12);
}
END_TEST

/* Padding behind the datagram is no part of its checksum, but who finishes it would sum it up. */
START_TEST(test_checksum_before_padding_is_not_left)
{
	const struct shape shape = { .payload = 333, .unfinished = true };
	struct frame frame = scene_frame(&scene, &shape);

	scene.takes = TX_CHECKSUM;
	memset(frame.bytes + frame.length, 0xee, 4);
	frame.length = frame.wire_length = frame.length + 4;
	ck_assert_uint_eq(forward_frame(&scene.forwarder, &frame, scene.now).verdict, VERDICT_FORWARD);
	ck_assert_uint_eq(scene.forwarder.stats.checksums_left, 0);
	ck_assert_uint_eq(scene.forwarder.stats.checksums_finished, 1);
	ck_assert_uint_eq(scene.sent[0].left.sum_from, 0);
}
END_TEST

START_TEST(test_super_frame_is_left)
{
	const struct shape shape = { .flags = TCP_ACK | TCP_PSH, .payload = 10000, .unfinished = _i == 1 };
	const struct sent *sent = &scene.sent[1];

	scene.takes = TX_CHECKSUM | TX_SEGMENTS;
	ck_assert_str_eq(scene_tcp(&scene, 40000, TCP_SYN), "s1");
	scene.sent_count = 1;
	scene_send(&scene, &shape);
	ck_assert_uint_eq(scene.sent_count, 2);
	assert_mac(sent->bytes, "02:00:00:00:00:11");
	ck_assert_uint_eq(sent->length, 10054);
	ck_assert_uint_eq(sent->left.segment, 1460);
	ck_assert_uint_eq(sent->left.headers, 54);
	ck_assert_uint_eq(sent->left.sum_from, 34);
	ck_assert_uint_eq(sent->left.sum_at, 50);
	ck_assert_uint_eq(scene.forwarder.stats.frames_whole, 1);
	ck_assert_uint_eq(scene.forwarder.stats.frames_split, 0);
	ck_assert_uint_eq(scene.forwarder.stats.checksums_left, 0);
}
END_TEST

/* Who takes no segments, or no such frame, gets them split; what cannot be split is no smaller for that. */
START_TEST(test_super_frame_is_not_left)
{
	const struct shape shape = { .flags = TCP_ACK, .payload = 4000 },
	    udp = { .protocol = PROTOCOL_UDP, .to_port = 53,
		.payload = 4000 };
	struct decision decision;

	ck_assert_str_eq(scene_tcp(&scene, 40000, TCP_SYN), "s1");
	scene.takes = TX_CHECKSUM;
	scene_forget(&scene);
	scene_send(&scene, &shape);
	ck_assert_uint_eq(scene.sent_count, 3);
	scene.takes = TX_CHECKSUM | TX_SEGMENTS;
	scene_forget(&scene);
	decision = scene_send(&scene, &udp);
	ck_assert_str_eq(scene_went(&decision), "too-big");
	ck_assert_uint_eq(scene.sent_count, 0);
	ck_assert_uint_eq(scene.forwarder.stats.frames_whole, 0);
}
END_TEST

START_TEST(test_too_big_for_the_wire)
{
	const struct shape shape = { .protocol = PROTOCOL_UDP, .to_port = 53, .payload = 4000 };
	const struct decision decision = scene_send(&scene, &shape);

	ck_assert_str_eq(scene_went(&decision), "too-big");
	ck_assert_uint_eq(scene.sent_count, 0);
	ck_assert_uint_eq(scene_server(&scene, "dns", "s1")->run->packets, 0);
}
END_TEST

static const struct {
	const char *name;
	const char *ether_from;
	const char *ether_to;
	uint16_t operation;
	const char *sender;
	const char *target;
	bool answered;
} requests[] = {
	{ "broadcast", CLIENT_MAC, BROADCAST, 1, "192.0.2.50", VIP, true },
	{ "unicast", CLIENT_MAC, DIRECTOR_MAC, 1, "192.0.2.50", VIP, true },
	{ "probe", CLIENT_MAC, BROADCAST, 1, "0.0.0.0", VIP, true },
	{ "for another address", CLIENT_MAC, BROADCAST, 1, "192.0.2.50", "192.0.2.1", false },
	{ "to another host", CLIENT_MAC, OTHER_MAC, 1, "192.0.2.50", VIP, false },
	{ "from our own host", DIRECTOR_MAC, BROADCAST, 1, "192.0.2.1", VIP, false },
	{ "a reply", CLIENT_MAC, BROADCAST, 2, "192.0.2.50", VIP, false },
	{ "somebody's announcement of the VIP", CLIENT_MAC, BROADCAST, 1, VIP, VIP, false },
};

START_TEST(test_arp_answers)
{
	const struct mac asker = scene_mac(requests[_i].ether_from), own = scene_mac(DIRECTOR_MAC);
	const struct addr vip = scene_addr(VIP), sender = scene_addr(requests[_i].sender);
	struct frame answer;
	struct arp arp;

	scene_arp(&scene, requests[_i].ether_from, requests[_i].ether_to, requests[_i].operation,
	    requests[_i].ether_from,
	    requests[_i].sender, requests[_i].target);
	ck_assert_msg(scene.sent_count == (requests[_i].answered ? 1 : 0), "%s", requests[_i].name);
	ck_assert_uint_eq(scene.forwarder.stats.arp_answers, scene.sent_count);
	if (!requests[_i].answered)
		return;
	answer = frame_of(scene.sent[0].bytes, scene.sent[0].length, 0);
	ck_assert_int_eq(arp_parse(&answer, &arp), 0);
	ck_assert_int_eq(arp.operation, ARP_REPLY);
	ck_assert_mem_eq(answer.bytes, asker.bytes, 6);
	ck_assert(mac_equal(&arp.sender_mac, &own));
	ck_assert(addr_equal(&arp.sender, &vip));
	ck_assert(mac_equal(&arp.target_mac, &asker));
	ck_assert(addr_equal(&arp.target, &sender));
}
END_TEST

START_TEST(test_resolves_servers_itself)
{
	struct scene asking;
	struct frame frame;
	struct arp arp;

	scene_open(&asking);
	scene_add_server(scene_add_service(&asking, "web", PROTOCOL_TCP, 80, "rr"), 1, 1, true);
	scene_apply(&asking);
	ck_assert_str_eq(scene_tcp(&asking, 1, TCP_SYN), "no-neighbor");
	forward_tick(&asking.forwarder, asking.now);
	ck_assert_uint_eq(asking.sent_count, 1);
	frame = frame_of(asking.sent[0].bytes, asking.sent[0].length, 0);
	ck_assert_int_eq(arp_parse(&frame, &arp), 0);
	ck_assert(addr_equal(&arp.sender, &asking.ifaces[0].addresses[0].addr));
	ck_assert(addr_equal(&arp.target, &scene_server(&asking, "web", "s1")->settings.addr));
	scene_arp(&asking, "02:00:00:00:00:11", DIRECTOR_MAC, 2, "02:00:00:00:00:11", "192.0.2.101", "192.0.2.1");
	scene_compile(&asking);
	ck_assert_str_eq(scene_tcp(&asking, 1, TCP_SYN), "s1");
	/* Its network card is replaced: it says so itself, and the old one stays silent. */
	asking.now += SECONDS(10);
	scene_arp(&asking, "02:00:00:00:00:22", BROADCAST, 1, "02:00:00:00:00:22", "192.0.2.101", "192.0.2.101");
	for (unsigned i = 0; i <= NEIGH_TRIES; i++, asking.now += NEIGH_TRY_GAP) {
		ck_assert_uint_eq(asking.neighbor_events[NEIGH_CHANGED], 0);
		scene_forget(&asking);
		forward_neighbors(&asking.forwarder, asking.now);
		ck_assert_uint_eq(asking.sent_count, 1);
		assert_mac(asking.sent[0].bytes, i < NEIGH_TRIES ? "02:00:00:00:00:11" : "02:00:00:00:00:22");
	}
	scene_forget(&asking);
	scene_compile(&asking);
	ck_assert_str_eq(scene_tcp(&asking, 1, TCP_ACK), "s1");
	ck_assert_uint_eq(asking.neighbor_events[NEIGH_CHANGED], 1);
	assert_mac(asking.sent[0].bytes, "02:00:00:00:00:22");
	scene_close(&asking);
}
END_TEST

START_TEST(test_server_behind_another_interface)
{
	struct scene two;
	struct server_settings *server;
	const struct shape shape = { .flags = TCP_SYN };

	scene_open(&two);
	server = scene_add_server(scene_add_service(&two, "web", PROTOCOL_TCP, 80, "rr"), 1, 1, false);
	server->addr = scene_addr("198.51.100.11");
	scene_apply(&two);
	scene_send(&two, &shape);
	ck_assert_uint_eq(two.sent_count, 1);
	ck_assert_uint_eq(two.sent[0].iface, 1);
	ck_assert_mem_eq(two.sent[0].bytes + 6, two.ifaces[1].mac.bytes, 6);
	scene_close(&two);
}
END_TEST

/* What leaves has the MAC address and fits the MTU that its interface has since the last table. */
START_TEST(test_interface_changes)
{
	const struct shape small = { .flags = TCP_SYN }, large =
	    { .protocol = PROTOCOL_UDP, .to_port = 53, .payload = 500 };
	struct decision decision = scene_send(&scene, &large);

	ck_assert_str_eq(scene_went(&decision), "s1");
	scene.ifaces[0].mtu = 520;
	scene_compile(&scene);
	decision = scene_send(&scene, &large);
	ck_assert_str_eq(scene_went(&decision), "too-big");

	scene.ifaces[0].mac = scene_mac("02:00:00:00:00:07");
	scene_compile(&scene);
	decision = scene_send(&scene, &small);
	ck_assert_str_eq(scene_went(&decision), "pass");
	scene_forget(&scene);
	decision = scene_send(&scene, &(struct shape) { .flags = TCP_SYN, .to_mac = "02:00:00:00:00:07" });
	ck_assert_str_eq(scene_went(&decision), "s1");
	assert_mac(scene.sent[0].bytes, "02:00:00:00:00:11");
	assert_mac(scene.sent[0].bytes + 6, "02:00:00:00:00:07");
	decision = scene_send(&scene, &(struct shape) { .from_mac = "02:00:00:00:00:07",
	    .to_mac = "02:00:00:00:00:07" });
	ck_assert_str_eq(scene_went(&decision), "loop");
}
END_TEST

Suite *
forward_suite(void)
{
	Suite *suite = suite_create("forward");
	TCase *tcase = tcase_create("forward");

	tcase_add_checked_fixture(tcase, open_scene, close_scene);
	tcase_add_loop_test(tcase, test_where_frames_go, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tcase, test_only_macs_change);
	tcase_add_test(tcase, test_every_cut_of_a_frame);
	tcase_add_test(tcase, test_unfinished_checksum_is_finished);
	tcase_add_test(tcase, test_super_frame_is_split);
	tcase_add_loop_test(tcase, test_unfinished_checksum_is_left, 0, 3);
	tcase_add_test(tcase, test_checksum_before_padding_is_not_left);
	tcase_add_loop_test(tcase, test_super_frame_is_left, 0, 2);
	tcase_add_test(tcase, test_super_frame_is_not_left);
	tcase_add_test(tcase, test_too_big_for_the_wire);
	tcase_add_loop_test(tcase, test_arp_answers, 0, (int)ARRAY_LEN(requests));
	tcase_add_test(tcase, test_resolves_servers_itself);
	tcase_add_test(tcase, test_server_behind_another_interface);
	tcase_add_test(tcase, test_interface_changes);
	suite_add_tcase(suite, tcase);
	return suite;
}
