/* SPDX-License-Identifier: ISC */
/* Two directors: announcements of a takeover, what a standby leaves to the other, and whose claims are conflicts. */
#include "config.h"

#include <string.h>

#include "../scene/scene.h"
#include "base/bytes.h"
#include "forward/explain.h"
#include "proto/arp.h"
#include "suites.h"

#define BROADCAST "ff:ff:ff:ff:ff:ff"
#define DIRECTOR_MAC "02:00:00:00:00:01"
#define PEER_MAC "02:00:00:00:00:b2"
#define OTHER_MAC "02:00:00:00:00:77"

static struct scene scene;

static void
open_scene(void)
{
	scene_open(&scene);
	scene_add_server(scene_add_service(&scene, "web", PROTOCOL_TCP, 80, "rr"), 1, 1, false);
	scene.settings.roles.peers[0] = scene_mac(PEER_MAC);
	scene.settings.roles.peer_count = 1;
	scene_apply(&scene);
	scene.forwarder.roles = &scene.model->roles;
}

static void
close_scene(void)
{
	scene_close(&scene);
}

/* Ticks whenever it is due, for so long. The time at which the first `count` frames were out. */
static uint64_t
announce_for(uint64_t time, uint64_t count)
{
	const uint64_t begin = scene.now;
	uint64_t when = 0, due;

	while ((due = announcer_due(scene.forwarder.announcer)) <= begin + time) {
		const uint64_t before = scene.forwarder.stats.announcements;

		forward_announce(&scene.forwarder, due);
		ck_assert_uint_le(scene.forwarder.stats.announcements - before, 64);
		if (when == 0 && scene.forwarder.stats.announcements >= count)
			when = due - begin;
	}
	return when;
}

static struct addr
numbered_vip(unsigned i)
{
	struct addr vip = scene_addr("10.0.0.0");

	vip.bytes[2] = (uint8_t)(i >> 8);
	vip.bytes[3] = (uint8_t)i;
	return vip;
}

/* Of 4096 VIPs each is announced once within a second, and in the end all as often as one alone. */
START_TEST(test_announcements_are_paced)
{
	scene.discards = true;
	for (unsigned i = 0; i < 4096; i++) {
		const struct addr vip = numbered_vip(i);

		ck_assert_int_eq(announcer_add(scene.forwarder.announcer, 0, &vip, ANNOUNCE_TAKEOVER, scene.now), 0);
	}
	ck_assert_uint_le(announce_for(SECONDS(30), 4096), MILLISECONDS(700));
	ck_assert_uint_eq(scene.forwarder.stats.announcements, 4096 * 9);
	ck_assert_uint_eq(announcer_due(scene.forwarder.announcer), UINT64_MAX);
}
END_TEST

/* A director that is late catches up, in bounds: no queue of a switch has to hold all of them. */
START_TEST(test_announcements_catch_up)
{
	scene.discards = true;
	for (unsigned i = 0; i < 1000; i++) {
		const struct addr vip = numbered_vip(i);

		ck_assert_int_eq(announcer_add(scene.forwarder.announcer, 0, &vip, ANNOUNCE_TAKEOVER, scene.now), 0);
	}
	forward_announce(&scene.forwarder, scene.now);
	ck_assert_uint_eq(scene.forwarder.stats.announcements, 64);
	forward_announce(&scene.forwarder, scene.now + MILLISECONDS(35));
	ck_assert_uint_eq(scene.forwarder.stats.announcements, 64 + 3 * 64);
	forward_announce(&scene.forwarder, scene.now + SECONDS(5));
	ck_assert_uint_eq(scene.forwarder.stats.announcements, 64 + 3 * 64 + 4 * 64);
}
END_TEST

static struct arp
sent_announcement(size_t index, const struct mac *to)
{
	struct frame frame = frame_of(scene.sent[index].bytes, scene.sent[index].length, 0);
	struct arp arp;

	ck_assert_int_eq(arp_parse(&frame, &arp), 0);
	ck_assert(addr_equal(&arp.sender, &arp.target));
	ck_assert_mem_eq(frame.bytes, to->bytes, 6);
	return arp;
}

/* Six rounds in five seconds; every other one also as a reply. */
START_TEST(test_announcements)
{
	static const enum arp_operation operations[] = { ARP_REQUEST, ARP_REQUEST, ARP_REPLY, ARP_REQUEST, ARP_REQUEST,
	    ARP_REPLY,
		ARP_REQUEST, ARP_REQUEST, ARP_REPLY };
	const struct addr vip = scene_addr(VIP);

	ck_assert_int_eq(announcer_add(scene.forwarder.announcer, 0, &vip, ANNOUNCE_TAKEOVER, scene.now), 0);
	(void)announce_for(MILLISECONDS(1001), 0);
	ck_assert_uint_eq(scene.sent_count, 6);
	(void)announce_for(SECONDS(6), 0);
	ck_assert_uint_eq(scene.sent_count, ARRAY_LEN(operations));
	for (size_t i = 0; i < scene.sent_count; i++) {
		const struct arp arp = sent_announcement(i, &mac_broadcast);

		ck_assert_int_eq(arp.operation, operations[i]);
		ck_assert(addr_equal(&arp.sender, &vip));
	}
}
END_TEST

/* A reminder is one frame. What is not to be kept ends at once. */
START_TEST(test_announcement_once)
{
	const struct addr vip = scene_addr(VIP);

	ck_assert_int_eq(announcer_add(scene.forwarder.announcer, 0, &vip, ANNOUNCE_ONCE, scene.now), 0);
	(void)announce_for(SECONDS(10), 0);
	ck_assert_uint_eq(scene.sent_count, 1);
	ck_assert_int_eq(sent_announcement(0, &mac_broadcast).operation, ARP_REQUEST);
}
END_TEST

static bool
keeps_second(const void *context, uint16_t iface, const struct addr *vip)
{
	ck_assert_uint_eq(iface, 0);
	return addr_equal(context, vip);
}

START_TEST(test_announcements_end)
{
	const struct addr first = numbered_vip(1), second = numbered_vip(2);

	ck_assert_int_eq(announcer_add(scene.forwarder.announcer, 0, &first, ANNOUNCE_TAKEOVER, scene.now), 0);
	ck_assert_int_eq(announcer_add(scene.forwarder.announcer, 0, &second, ANNOUNCE_TAKEOVER, scene.now), 0);
	announcer_keep(scene.forwarder.announcer, keeps_second, &second);
	(void)announce_for(SECONDS(10), 0);
	ck_assert_uint_eq(scene.sent_count, 9);
	for (size_t i = 0; i < scene.sent_count; i++) {
		const struct arp arp = sent_announcement(i, &mac_broadcast);

		ck_assert(addr_equal(&arp.sender, &second));
	}
}
END_TEST

/* Hosts that sent clients' frames, or asked for a VIP, get copies by unicast. */
START_TEST(test_announcements_to_routers)
{
	const struct mac router = scene_mac("02:00:00:00:00:fe");
	const struct addr vip = scene_addr(VIP);
	size_t copies = 0;

	routers_note(&scene.forwarder.routers, 0, &router);
	routers_note(&scene.forwarder.routers, 1, &mac_broadcast);
	ck_assert_int_eq(announcer_add(scene.forwarder.announcer, 0, &vip, ANNOUNCE_TAKEOVER, scene.now), 0);
	(void)announce_for(SECONDS(10), 0);
	ck_assert_uint_eq(scene.sent_count, 12);
	for (size_t i = 0; i < scene.sent_count; i++)
		if (memcmp(scene.sent[i].bytes, router.bytes, 6) == 0) {
			ck_assert_int_eq(sent_announcement(i, &router).operation, ARP_REPLY);
			copies++;
		}
	ck_assert_uint_eq(copies, 3);
}
END_TEST

/* The list keeps what is frequent, however many others pass. */
START_TEST(test_routers)
{
	const struct mac router = scene_mac("02:00:00:00:00:fe");
	struct routers routers = { 0 };
	bool found = false;

	for (unsigned i = 0; i < 3000; i++) {
		const struct mac other = { { 0x02, 1, 0, 0, (uint8_t)(i >> 8), (uint8_t)i } };

		routers_note(&routers, 0, i % 3 == 0 ? &router : &other);
	}
	for (size_t i = 0; i < ROUTERS_MOST; i++)
		found |= routers.list[i].count > 0 && mac_equal(&routers.list[i].mac, &router);
	ck_assert(found);
}
END_TEST

/* As a standby: no answer, nothing forwarded. */
START_TEST(test_standby)
{
	const struct flow_question question = { .protocol = PROTOCOL_TCP, .client = scene_addr("203.0.113.7"),
		.client_port = 4711, .vip = scene_addr(VIP), .vip_port = 80 };
	struct explanation explanation;

	scene.forwarder.duties[0] = 0;
	scene_arp(&scene, OTHER_MAC, BROADCAST, ARP_REQUEST, OTHER_MAC, "192.0.2.50", VIP);
	ck_assert_uint_eq(scene.sent_count, 0);
	ck_assert_str_eq(scene_tcp(&scene, 4711, TCP_SYN), "standby");
	ck_assert_int_eq(explain(&scene.forwarder, &question, scene.now, &explanation), 0);
	ck_assert_int_eq(explanation.verdict, VERDICT_DROP);
	ck_assert_int_eq(explanation.reason, DROP_STANDBY);
	/* One that lingers is as silent, and forwards. */
	scene.forwarder.duties[0] = ROLE_FORWARDS;
	scene_arp(&scene, OTHER_MAC, BROADCAST, ARP_REQUEST, OTHER_MAC, "192.0.2.50", VIP);
	ck_assert_uint_eq(scene.sent_count, 0);
	ck_assert_str_eq(scene_tcp(&scene, 4711, TCP_SYN), "s1");
}
END_TEST

static void
announce_as(const char *mac)
{
	scene_arp(&scene, mac, BROADCAST, ARP_REQUEST, mac, VIP, VIP);
}

/* The VIP announced by a peer, a server and a stranger, while this director answers for it and while it does not. */
START_TEST(test_claims)
{
	const struct forwarder *forwarder = &scene.forwarder;
	const struct mac peer = scene_mac(PEER_MAC), other = scene_mac(OTHER_MAC);

	announce_as(PEER_MAC);
	ck_assert_uint_eq(forwarder->conflicts.count, 0);
	ck_assert(mac_equal(&forwarder->peers[0].mac, &peer));
	ck_assert_uint_eq(forwarder->peers[0].took_over, 0);
	announce_as(OTHER_MAC);
	ck_assert_uint_eq(forwarder->conflicts.count, 1);
	ck_assert_uint_eq(forwarder->others[0].last, 0);
	scene.forwarder.duties[0] = 0;
	announce_as(OTHER_MAC);
	ck_assert_uint_eq(forwarder->conflicts.list[0].count, 1);
	ck_assert_uint_eq(forwarder->others[0].last, scene.now);
	ck_assert(mac_equal(&forwarder->others[0].mac, &other));
	/* The second round of a takeover, 100 ms after the first. */
	scene.now += MILLISECONDS(100);
	announce_as(PEER_MAC);
	ck_assert_uint_eq(forwarder->peers[0].took_over, scene.now);
}
END_TEST

/* Reminders, once in a while, and answers are no takeover. */
START_TEST(test_claims_without_takeover)
{
	const struct role_claim *claim = &scene.forwarder.peers[0];

	for (unsigned i = 0; i < 5; i++) {
		announce_as(PEER_MAC);
		scene_arp(&scene, PEER_MAC, DIRECTOR_MAC, ARP_REPLY, PEER_MAC, VIP, "192.0.2.1");
		ck_assert_uint_eq(claim->last, scene.now);
		scene.now += SECONDS(20);
	}
	ck_assert_uint_eq(claim->took_over, 0);
}
END_TEST

Suite *
takeover_suite(void)
{
	Suite *suite = suite_create("takeover");
	TCase *tcase = tcase_create("takeover");

	tcase_add_checked_fixture(tcase, open_scene, close_scene);
	tcase_add_test(tcase, test_announcements);
	tcase_add_test(tcase, test_announcements_are_paced);
	tcase_add_test(tcase, test_announcements_catch_up);
	tcase_add_test(tcase, test_announcement_once);
	tcase_add_test(tcase, test_announcements_end);
	tcase_add_test(tcase, test_announcements_to_routers);
	tcase_add_test(tcase, test_routers);
	tcase_add_test(tcase, test_standby);
	tcase_add_test(tcase, test_claims);
	tcase_add_test(tcase, test_claims_without_takeover);
	suite_add_tcase(suite, tcase);
	return suite;
}
