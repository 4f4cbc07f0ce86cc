/* SPDX-License-Identifier: ISC */
/* Who else tells the network of a VIP: what counts, who is named, when it is told. */
#include "config.h"

#include "vipcheck/conflict.h"

#include <check.h>
#include <string.h>

#include "../scene/scene.h"
#include "base/bytes.h"
#include "suites.h"

#define ALL "ff:ff:ff:ff:ff:ff"
#define US "02:00:00:00:00:01"
#define SERVER_MAC "02:00:00:00:00:11"

static struct scene scene;

static void
open_scene(void)
{
	scene_open(&scene);
	scene_add_server(scene_add_service(&scene, "web", PROTOCOL_TCP, 80, "rr"), 1, 1, false);
	scene_apply(&scene);
}

static void
close_scene(void)
{
	scene_close(&scene);
}

static bool
knows_all(const void *context, const struct conflict *conflict)
{
	(void)context;
	(void)conflict;
	return true;
}

static bool
knows_none(const void *context, const struct conflict *conflict)
{
	(void)context;
	(void)conflict;
	return false;
}

static const struct conflict *
only_finding(void)
{
	ck_assert_uint_eq(scene.forwarder.conflicts.count, 1);
	return &scene.forwarder.conflicts.list[0];
}

START_TEST(test_kinds)
{
	static const struct {
		const char *to;
		uint16_t operation;
		const char *target;
		enum conflict_kind kind;
	} cases[] = {
		{ US, 2, "192.0.2.1", CONFLICT_ANSWERS },
		{ US, 2, "0.0.0.0", CONFLICT_ANSWERS },
		{ ALL, 2, VIP, CONFLICT_ANNOUNCES },
		{ ALL, 2, "192.0.2.1", CONFLICT_ANNOUNCES },
		{ ALL, 1, VIP, CONFLICT_ANNOUNCES },
		{ ALL, 1, "192.0.2.1", CONFLICT_REQUESTS_AS },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		scene.forwarder.conflicts.count = 0;
		scene_arp(&scene, SERVER_MAC, cases[i].to, cases[i].operation, SERVER_MAC, VIP, cases[i].target);
		ck_assert_int_eq(only_finding()->kind, cases[i].kind);
		ck_assert(mac_equal(&only_finding()->mac, &(struct mac) { { 2, 0, 0, 0, 0, 0x11 } }));
	}
}
END_TEST

START_TEST(test_what_is_none)
{
	/* Somebody asks for the VIP, in his own name or, as hosts do before they take an address, in nobody's. */
	scene_arp(&scene, CLIENT_MAC, ALL, 1, CLIENT_MAC, "192.0.2.7", VIP);
	scene_arp(&scene, CLIENT_MAC, ALL, 1, CLIENT_MAC, "0.0.0.0", VIP);
	/* A server says where it is. */
	scene_arp(&scene, SERVER_MAC, ALL, 1, SERVER_MAC, "192.0.2.101", "192.0.2.101");
	/* Our own announcement, by way of another interface of ours. */
	scene_arp(&scene, US, ALL, 1, US, VIP, VIP);
	scene_arp(&scene, "02:00:00:00:01:01", ALL, 2, "02:00:00:00:01:01", VIP, VIP);
	ck_assert_uint_eq(scene.forwarder.conflicts.count, 0);
}
END_TEST

START_TEST(test_bounce)
{
	const struct shape syn = { .flags = TCP_SYN }, back = { .from_mac = SERVER_MAC, .flags = TCP_SYN, .ttl = 63 };

	ck_assert_str_eq(scene_went(&(struct decision) { .verdict = VERDICT_DROP, .reason = DROP_BOUNCE }), "bounce");
	ck_assert_str_eq(scene_send(&scene, &syn).server->server->settings.name, "s1");
	ck_assert_int_eq(scene_send(&scene, &back).reason, DROP_BOUNCE);
	ck_assert_int_eq(only_finding()->kind, CONFLICT_SENDS_BACK);
}
END_TEST

START_TEST(test_told_once_and_hourly)
{
	struct conflict_table *conflicts = &scene.forwarder.conflicts;
	unsigned told = 0;

	for (unsigned minute = 0; minute < 150; minute++) {
		scene_arp(&scene, SERVER_MAC, ALL, 1, SERVER_MAC, VIP, VIP);
		while (conflict_news(conflicts, knows_all, NULL, scene.now) != NULL)
			told++;
		scene.now += MINUTES(1);
	}
	ck_assert_uint_eq(told, 3);
	ck_assert_uint_eq(only_finding()->count, 150);
	ck_assert_uint_eq(conflicts->total, 150);
	/* It is over: nothing more to tell. */
	scene.now += MINUTES(120);
	ck_assert_ptr_null(conflict_news(conflicts, knows_all, NULL, scene.now));
	ck_assert(conflict_has_ended(only_finding(), scene.now));
}
END_TEST

/* Right after a start a server's MAC may not be known yet: then it would be called unknown. */
START_TEST(test_held_back)
{
	struct conflict_table *conflicts = &scene.forwarder.conflicts;

	scene_arp(&scene, SERVER_MAC, ALL, 1, SERVER_MAC, VIP, VIP);
	ck_assert_ptr_null(conflict_news(conflicts, knows_none, NULL, scene.now + SECONDS(2)));
	ck_assert_ptr_nonnull(conflict_news(conflicts, knows_none, NULL, scene.now + SECONDS(3)));
}
END_TEST

START_TEST(test_announces_in_moderation)
{
	struct conflict *conflict = &scene.forwarder.conflicts.list[0];
	struct service *service = scene.model->services[0];

	service->settings.vip_conflict = VIP_CONFLICT_ANNOUNCE;
	scene_arp(&scene, SERVER_MAC, ALL, 1, SERVER_MAC, VIP, VIP);
	ck_assert(conflict_reacts(conflict, scene.model, scene.now));
	ck_assert(!conflict_reacts(conflict, scene.model, scene.now));
	scene.now += SECONDS(9);
	scene_arp(&scene, SERVER_MAC, ALL, 1, SERVER_MAC, VIP, VIP);
	ck_assert(!conflict_reacts(conflict, scene.model, scene.now));
	scene.now += SECONDS(1);
	ck_assert(conflict_reacts(conflict, scene.model, scene.now));
	/* Not again without a new cause. */
	ck_assert(!conflict_reacts(conflict, scene.model, scene.now + SECONDS(60)));
}
END_TEST

/* A bounce misleads no host; otherwise the services on the VIP decide. */
START_TEST(test_reacts_as_configured)
{
	struct conflict *conflict = &scene.forwarder.conflicts.list[0];
	struct service *service = scene.model->services[0];

	scene_arp(&scene, SERVER_MAC, ALL, 1, SERVER_MAC, VIP, VIP);
	service->settings.vip_conflict = VIP_CONFLICT_LOG;
	ck_assert(!conflict_reacts(conflict, scene.model, scene.now));
	service->settings.vip_conflict = VIP_CONFLICT_REMOVE;
	conflict->vip = scene_addr("192.0.2.77");
	ck_assert(!conflict_reacts(conflict, scene.model, scene.now));
	conflict->vip = scene_addr(VIP);
	conflict->kind = CONFLICT_SENDS_BACK;
	ck_assert(!conflict_misled(conflict));
	ck_assert(!conflict_reacts(conflict, scene.model, scene.now));
	conflict->kind = CONFLICT_ANNOUNCES;
	ck_assert(conflict_misled(conflict));
	ck_assert(conflict_reacts(conflict, scene.model, scene.now));
}
END_TEST

START_TEST(test_removes)
{
	struct conflict_table *conflicts = &scene.forwarder.conflicts;
	struct server *server = scene.model->services[0]->servers[0];
	struct service *service = scene.model->services[0];
	const struct mac known = server->mac;

	scene_arp(&scene, SERVER_MAC, ALL, 1, SERVER_MAC, VIP, VIP);
	server->mac = conflicts->list[0].mac;
	ck_assert(!conflict_removes(conflicts, server, scene.now));
	service->settings.vip_conflict = VIP_CONFLICT_REMOVE;
	ck_assert(conflict_removes(conflicts, server, scene.now));
	ck_assert(conflict_removes(conflicts, server, scene.now + CONFLICT_QUIET - 1));
	ck_assert(!conflict_removes(conflicts, server, scene.now + CONFLICT_QUIET));
	/* Unanswered questions end a conflict of the kind "answers", not one of the kind "announces". */
	conflicts->list[0].unanswered = CONFLICT_UNANSWERED;
	conflicts->list[0].probed = scene.now;
	ck_assert(conflict_removes(conflicts, server, scene.now + SECONDS(10)));
	conflicts->list[0].kind = CONFLICT_ANSWERS;
	ck_assert(!conflict_removes(conflicts, server, scene.now + SECONDS(10)));
	/* An unknown MAC matches no conflict. */
	server->mac = mac_zero;
	conflicts->list[0].mac = mac_zero;
	ck_assert(!conflict_removes(conflicts, server, scene.now));
	server->mac = known;
}
END_TEST

START_TEST(test_asks)
{
	struct forwarder *forwarder = &scene.forwarder;
	size_t sent = 0;

	conflict_begin(&forwarder->conflicts, scene.now);
	for (unsigned second = 0; second < 60; second++) {
		sent += conflict_tick(&forwarder->conflicts, scene.model, forwarder->craft, scene.ifaces,
		    &forwarder->tx,
		    scene.now);
		scene.now += SECONDS(1);
	}
	/* Three at the start, then at 28 and 53 seconds. */
	ck_assert_uint_eq(sent, 5);
	ck_assert_uint_eq(scene.sent_count, 5);
	for (size_t i = 0; i < sent; i++) {
		const uint8_t *bytes = scene.sent[i].bytes;

		ck_assert_uint_eq(load16(bytes + 12), ETHERTYPE_ARP);
		ck_assert_uint_eq(load16(bytes + 20), 1);
		ck_assert_uint_eq(load32(bytes + 28), 0); /* no sender */
		assert_ipv4(bytes + 38, VIP);
	}
}
END_TEST

START_TEST(test_flood)
{
	struct conflict_table *conflicts = &scene.forwarder.conflicts;
	struct mac last = { { 2, 0, 0, 0, 1, 0 } };
	struct arp arp = { .operation = ARP_REPLY, .sender = scene_addr(VIP), .target = scene_addr("192.0.2.1") };
	bool found = false;

	for (unsigned i = 0; i < 4 * CONFLICTS; i++) {
		last.bytes[5] = (uint8_t)i;
		arp.sender_mac = last;
		conflict_receive_arp(conflicts, 0, &arp, false, scene.now + i);
	}
	ck_assert_uint_eq(conflicts->count, CONFLICTS);
	ck_assert_uint_eq(conflicts->total, 4 * CONFLICTS);
	for (size_t i = 0; i < conflicts->count; i++)
		found |= mac_equal(&conflicts->list[i].mac, &last);
	ck_assert(found);
}
END_TEST

static unsigned
ask_for(uint64_t seconds)
{
	struct forwarder *forwarder = &scene.forwarder;
	unsigned asked = 0;

	for (uint64_t i = 0; i < seconds; i++) {
		scene.now += SECONDS(1);
		asked += (unsigned)conflict_tick(&forwarder->conflicts, scene.model, forwarder->craft, scene.ifaces,
		    &forwarder->tx, scene.now);
	}
	return asked;
}

/* Who answered and does so no longer has stopped, once a few questions got no answer: not only after a minute. */
START_TEST(test_end_is_asked_for)
{
	struct conflict_table *conflicts = &scene.forwarder.conflicts;

	conflicts->next_ask = UINT64_MAX;
	ck_assert_uint_eq(ask_for(10), 0);
	scene_arp(&scene, SERVER_MAC, US, 2, SERVER_MAC, VIP, "192.0.2.1");
	ck_assert_uint_eq(ask_for(4), 2);
	scene_arp(&scene, SERVER_MAC, US, 2, SERVER_MAC, VIP, "192.0.2.1");
	ck_assert_uint_ge(ask_for(5), 2);
	ck_assert_ptr_null(conflict_end_news(conflicts, scene.now));
	ask_for(3);
	ck_assert(conflict_has_ended(only_finding(), scene.now));
	ck_assert_ptr_eq(conflict_end_news(conflicts, scene.now), only_finding());
	ck_assert_ptr_null(conflict_end_news(conflicts, scene.now));
	ck_assert_uint_eq(ask_for(10), 0);
}
END_TEST

START_TEST(test_end_and_new_beginning)
{
	struct conflict_table *conflicts = &scene.forwarder.conflicts;
	uint64_t first;

	scene_arp(&scene, SERVER_MAC, ALL, 1, SERVER_MAC, VIP, VIP);
	ck_assert_ptr_nonnull(conflict_news(conflicts, knows_all, NULL, scene.now));
	first = only_finding()->first;
	ck_assert_ptr_null(conflict_end_news(conflicts, scene.now + CONFLICT_QUIET - 1));
	scene.now += CONFLICT_QUIET;
	ck_assert_ptr_nonnull(conflict_end_news(conflicts, scene.now));
	scene_arp(&scene, SERVER_MAC, ALL, 1, SERVER_MAC, VIP, VIP);
	ck_assert(!conflict_has_ended(only_finding(), scene.now));
	ck_assert_uint_gt(only_finding()->first, first);
	ck_assert_ptr_nonnull(conflict_news(conflicts, knows_all, NULL, scene.now));
	scene.now += CONFLICT_QUIET;
	ck_assert_ptr_nonnull(conflict_end_news(conflicts, scene.now));
}
END_TEST

START_TEST(test_words)
{
	for (enum conflict_kind kind = 0; kind < CONFLICT_KIND_COUNT; kind++) {
		ck_assert_str_ne(conflict_kind_name(kind), "?");
		ck_assert_str_ne(conflict_kind_sentence(kind), "?");
	}
}
END_TEST

Suite *
conflict_suite(void)
{
	Suite *suite = suite_create("conflict");
	TCase *tcase = tcase_create("watch");

	tcase_add_checked_fixture(tcase, open_scene, close_scene);
	tcase_add_test(tcase, test_kinds);
	tcase_add_test(tcase, test_what_is_none);
	tcase_add_test(tcase, test_bounce);
	tcase_add_test(tcase, test_told_once_and_hourly);
	tcase_add_test(tcase, test_held_back);
	tcase_add_test(tcase, test_announces_in_moderation);
	tcase_add_test(tcase, test_reacts_as_configured);
	tcase_add_test(tcase, test_removes);
	tcase_add_test(tcase, test_asks);
	tcase_add_test(tcase, test_flood);
	tcase_add_test(tcase, test_end_is_asked_for);
	tcase_add_test(tcase, test_end_and_new_beginning);
	tcase_add_test(tcase, test_words);
	suite_add_tcase(suite, tcase);
	return suite;
}
