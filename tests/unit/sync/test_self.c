/* SPDX-License-Identifier: ISC */
/* What directors say about themselves, and fragments whose first one reached the other director. */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/fragment.h"
#include "forward/forward.h"
#include "pair.h"
#include "proto/packet.h"
#include "suites.h"

#define MORE_FRAGMENTS 0x2000

static void
say(struct side *side, enum role_state state, uint64_t epoch)
{
	struct wire_self self;

	memset(&self, 0, sizeof(self));
	self.role_count = self.mac_count = self.router_count = 1;
	(void)snprintf(self.roles[0].group, sizeof(self.roles[0].group), "main");
	self.roles[0].state = state;
	self.roles[0].epoch = epoch;
	(void)snprintf(self.roles[0].why, sizeof(self.roles[0].why), "no link");
	self.macs[0] = scene_mac("02:00:00:00:00:b2");
	self.routers[0] = (struct wire_router) { 0, scene_mac("02:00:00:00:00:fe") };
	(void)share_set_self(side->share, &self);
}

/* A change does not wait for the next beat. */
START_TEST(test_self)
{
	const struct mac own = scene_mac("02:00:00:00:00:b2"), router = scene_mac("02:00:00:00:00:fe");
	const struct wire_self *heard;
	struct pair pair;

	pair_open(&pair, "wlc");
	say(&pair.sides[0], ROLE_STANDBY, 3);
	pair_connect(&pair);
	pair_settle(&pair);
	heard = &pair.sides[1].link.peer.self;
	ck_assert_uint_eq(heard->role_count, 1);
	ck_assert_str_eq(heard->roles[0].group, "main");
	ck_assert_int_eq(heard->roles[0].state, ROLE_STANDBY);
	ck_assert_uint_eq(heard->roles[0].epoch, 3);
	ck_assert_str_eq(heard->roles[0].why, "no link");
	ck_assert_uint_eq(heard->mac_count, 1);
	ck_assert(mac_equal(&heard->macs[0], &own));
	ck_assert(mac_equal(&heard->routers[0].mac, &router));
	for (uint64_t epoch = 4; epoch < 20; epoch++) {
		say(&pair.sides[0], ROLE_ACTIVE, epoch);
		pair_run(&pair, MILLISECONDS(20));
		ck_assert_uint_eq(heard->roles[0].epoch, epoch);
	}
	pair_close(&pair);
}
END_TEST

static void
take(void *context, const struct fragment_key *key, struct server_ref server, uint64_t now)
{
	struct side *side = context;

	side->fragments++;
	forward_fragment(&side->scene.forwarder, key, server, now);
}

static void
open_fragments(struct pair *pair, enum role_state second)
{
	pair_open(pair, "rr");
	for (unsigned i = 0; i < 2; i++) {
		struct side *side = &pair->sides[i];

		share_set_fragments(side->share, side->scene.forwarder.fragments, take, NULL, side);
		say(side, i == 0 ? ROLE_ACTIVE : second, 1);
	}
	pair_connect(pair);
	pair_settle(pair);
}

static struct decision
send_fragment(struct side *side, uint16_t id, uint16_t fragment)
{
	return scene_send(&side->scene, &(struct shape) { .from_port = (uint16_t)(20000 + id), .to_port = 53,
	    .protocol = PROTOCOL_UDP, .id = id, .fragment = fragment, .payload = 64 });
}

/* The rest of a datagram reaches the other director: before the first fragment, and after it. */
START_TEST(test_fragments)
{
	struct pair pair;
	struct side *first, *second;

	open_fragments(&pair, ROLE_LINGERING);
	first = &pair.sides[0];
	second = &pair.sides[1];
	for (uint16_t id = 1; id <= 8; id++) {
		const uint64_t released = second->scene.forwarder.stats.fragments_released;
		struct decision decision, later;

		ck_assert_int_eq(send_fragment(second, id, 8).verdict, VERDICT_HOLD);
		decision = send_fragment(first, id, MORE_FRAGMENTS);
		ck_assert_int_eq(decision.verdict, VERDICT_FORWARD);
		pair_run(&pair, MILLISECONDS(20));
		ck_assert_uint_eq(second->fragments, id);
		ck_assert_uint_eq(second->scene.forwarder.stats.fragments_released, released + 1);
		later = send_fragment(second, id, 16);
		ck_assert_int_eq(later.verdict, VERDICT_FORWARD);
		ck_assert_str_eq(later.server->server->settings.name, decision.server->server->settings.name);
	}
	/* What a peer sent is not sent back. */
	ck_assert_uint_eq(first->fragments, 0);
	ck_assert_uint_eq(feed_counts(first->link.feed).fragments, 8);
	ck_assert_uint_eq(second->link.intake.counts.fragments, 8);
	pair_close(&pair);
}
END_TEST

/* A standby gets no frames, and no fragments. A flood of first fragments is shared up to a rate. */
START_TEST(test_fragments_bounded)
{
	struct pair pair;

	open_fragments(&pair, ROLE_STANDBY);
	(void)send_fragment(&pair.sides[0], 1, MORE_FRAGMENTS);
	pair_run(&pair, MILLISECONDS(100));
	ck_assert_uint_eq(pair.sides[1].fragments, 0);
	ck_assert_uint_eq(pair.sides[0].types[WIRE_FRAGMENTS], 0);
	say(&pair.sides[1], ROLE_ACTIVE, 2);
	pair_run(&pair, SECONDS(1));
	ck_assert_uint_eq(pair.sides[1].fragments, 0);
	for (unsigned i = 0; i < 100; i++) {
		for (uint16_t id = 0; id < 512; id++)
			(void)send_fragment(&pair.sides[0], (uint16_t)(i * 512 + id), MORE_FRAGMENTS);
		pair_run(&pair, MILLISECONDS(10));
	}
	pair_run(&pair, MILLISECONDS(100));
	/* A second, or parts of two. */
	ck_assert_uint_ge(pair.sides[1].fragments, SHARE_FRAGMENT_RATE);
	ck_assert_uint_le(pair.sides[1].fragments, 2 * SHARE_FRAGMENT_RATE);
	ck_assert_uint_ge(pair.sides[0].share->fragments_unshared, 40000);
	pair_close(&pair);
}
END_TEST

Suite *
self_suite(void)
{
	Suite *suite = suite_create("self");
	TCase *tc = tcase_create("self");

	tcase_add_test(tc, test_self);
	tcase_add_test(tc, test_fragments);
	tcase_add_test(tc, test_fragments_bounded);
	suite_add_tcase(suite, tc);
	return suite;
}
