/* SPDX-License-Identifier: ISC */
/*
 * The table of offloaded flows while it grows and shrinks: what offload/decide.h finds there, as the kernel does, and
 * that every frame is counted once, also one that was on its way while its flow was moved.
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../scene/scene.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "offload_shared.h"
#include "suites.h"

#define BUCKETS 4096 /* room to spare: who finds none lets the table grow until there is some, whatever the hash says */
#define IFINDEX 17
#define FLOWS 1800
#define KINDS 3

static struct scene scene;
static struct offload_cache *offload;
static uint64_t given; /* frames, offloaded or not */
static uint64_t offloaded;

static struct offload_bucket *
offload_bucket_at(uint32_t number)
{
	must(number < shared.control->size >> 32, "there is no bucket %" PRIu32, number);
	return &shared.buckets[number];
}

static void
setup(void)
{
	static const struct siphash_key secret = { { 42 } };
	struct service_settings *service;

	given = offloaded = 0;
	ck_assert(shared_open(BUCKETS));
	scene_open(&scene);
	service = scene_add_service(&scene, "web", PROTOCOL_TCP, 80, "rr");
	scene_listen(service, "2001:db8::10", PROTOCOL_TCP, 80, 80);
	scene_add_server(service, 1, 1, false);
	scene_add_server(service, 2, 1, false);
	scene_add_server(scene_add_service(&scene, "dns", PROTOCOL_UDP, 53, "rr"), 3, 1, false);
	scene_apply(&scene);
	offload = offload_new(&shared, &secret, scene.forwarder.conns, SCENE_FLOWS,
	    &scene.forwarder.stats);
	ck_assert_ptr_nonnull(offload);
	scene.forwarder.offload = offload;
	offload_iface(offload, 0, IFINDEX, true);
	offload_refresh(offload, scene.forwarder.table, scene.forwarder.ifaces, false, NULL, 0, scene.now);
}

static void
teardown(void)
{
	offload_free(offload);
	scene.forwarder.offload = NULL;
	scene_close(&scene);
	shared_close();
}

static uint16_t
port_of(unsigned number)
{
	return (uint16_t)(1000 + number / KINDS);
}

/* By turns TCP over IPv4, UDP, TCP over IPv6. */
static struct frame
frame_of_flow(unsigned number, uint8_t flags)
{
	struct shape shape = { .from_port = port_of(number), .flags = flags };
	struct frame frame;
	uint32_t l4 = 34;

	if (number % KINDS == 1) {
		shape.protocol = PROTOCOL_UDP;
		shape.to_port = 53;
	} else if (number % KINDS == 2) {
		shape.from = "2001:db8::99";
		shape.to = "2001:db8::10";
		l4 = 54;
	}
	frame = scene_frame(&scene, &shape);
	if (shape.protocol == 0) {
		store32(frame.bytes + l4 + 4, flags == TCP_SYN ? 999 : 1000);
		store32(frame.bytes + l4 + 8, 1);
		store16(frame.bytes + l4 + 16, 0);
	}
	return frame;
}

static bool
kernel_takes(const struct frame *frame)
{
	struct view view = { frame->bytes, frame->length };
	struct offload_frame seen = { .source = &view, .length = frame->length, .ifindex = IFINDEX,
	    .now = scene.now * 1000 };
	struct offload_head head;
	struct offload_hand hand;

	return offload_decide(&seen, shared.control, &head, &hand);
}

/* True: the kernel forwarded it. */
static bool
give(unsigned number, uint8_t flags)
{
	struct frame frame = frame_of_flow(number, flags);

	given++;
	if (kernel_takes(&frame)) {
		offloaded++;
		return true;
	}
	scene_forget(&scene);
	must(forward_frame(&scene.forwarder, &frame, scene.now).verdict == VERDICT_FORWARD, "flow %u is dropped",
	    number);
	return false;
}

static void
pass_time(uint64_t time)
{
	scene.now += time;
	forward_tick(&scene.forwarder, scene.now);
	offload_tick(offload, scene.now);
}

/*
 * Until it is offloaded: where both buckets are full and not split yet, more frames come to the daemon, of which each
 * lets the table grow. How many, the hash decides, which is another on another machine; at most until all buckets are
 * split.
 */
static void
establish(unsigned number)
{
	unsigned tries = 0;

	(void)give(number, TCP_SYN);
	while (!give(number, TCP_ACK)) {
		must(++tries < BUCKETS, "flow %u is never offloaded", number);
		pass_time(MILLISECONDS(2));
	}
}

static void
establish_all(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		establish(i);
		if (i % 100 == 0)
			pass_time(MILLISECONDS(20));
	}
}

static void
expect_offloaded(unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		must(give(i, TCP_ACK), "of %u flows %u is not found", to, i);
}

/* Where a bucket has no room for those it is joined with, they come to the daemon once. */
static void
expect_nearly_all_offloaded(unsigned count)
{
	unsigned missed = 0;

	for (unsigned i = 0; i < count; i++)
		missed += !give(i, TCP_ACK);
	must(missed <= count / 10, "%u of %u flows are not found", missed, count);
}

/* With what was counted for frames that were on their way. */
static void
expect_counted(uint64_t late)
{
	uint64_t packets = 0;

	pass_time(MILLISECONDS(20));
	offload_sync(offload, UINT32_MAX, scene.now);
	for (size_t i = 0; i < scene.model->slot_count; i++)
		packets += scene.model->slots[i]->run->packets;
	ck_assert_uint_eq(scene.forwarder.stats.offloaded, offloaded + late);
	ck_assert_uint_eq(scene.forwarder.stats.forwarded, given + late);
	ck_assert_uint_eq(packets, given + late);
}

static uint32_t
buckets_in_use(void)
{
	return (uint32_t)(shared.control->size >> 32);
}

START_TEST(test_every_flow_is_found_at_every_size)
{
	uint32_t before = buckets_in_use();

	ck_assert_uint_le(before, 16);
	for (unsigned i = 0; i < FLOWS; i++) {
		establish(i);
		must(offload_count(offload) == i + 1, "%zu flows are offloaded, not %u", (size_t)offload_count(offload),
		    i + 1);
		must(buckets_in_use() >= before, "%" PRIu32 " buckets, fewer than %" PRIu32, buckets_in_use(), before);
		/* Each time the table has grown, which for the first ones is nearly always. */
		if (buckets_in_use() != before && (i < 200 || i % 10 == 0))
			expect_offloaded(0, i + 1);
		before = buckets_in_use();
		if (i % 16 == 0)
			pass_time(MILLISECONDS(20));
	}
	expect_offloaded(0, FLOWS);
	expect_counted(0);
	ck_assert_uint_eq(scene.forwarder.stats.offload_full, 0);
}
END_TEST

START_TEST(test_few_flows_stay_close_together)
{
	establish_all(100);
	ck_assert_uint_le(buckets_in_use(), 100);
	for (uint32_t i = buckets_in_use(); i < BUCKETS; i++)
		for (unsigned way = 0; way < OFFLOAD_WAYS; way++)
			must(shared.buckets[i].ways[way].name == 0, "bucket %" PRIu32 " has a flow", i);
}
END_TEST

/* The place where the kernel finds a flow of TCP over IPv4. */
static struct offload_flow *
place_of(unsigned number)
{
	for (uint32_t i = 0; i < BUCKETS * OFFLOAD_WAYS; i++) {
		struct offload_flow *flow = &shared.buckets[i / OFFLOAD_WAYS].ways[i % OFFLOAD_WAYS];

		if ((flow->name & OFFLOAD_NAME_FLOW) == (port_of(number) | UINT64_C(80) << 16) &&
		    flow->client[10] == 0xff)
			return flow;
	}
	ck_abort_msg("flow %u has no place", number);
	return NULL;
}

/* Another processor has found the flow, and counts only after the daemon has moved it, or taken it out. */
START_TEST(test_what_is_counted_late_is_counted)
{
	struct offload_flow *found[20];
	unsigned next = 60, moved = 0;

	establish_all(60);
	/* No time passes below: datagrams have had their first one. */
	for (unsigned i = 61; i < 400; i += KINDS)
		(void)give(i, 0);
	pass_time(MILLISECONDS(100));
	for (unsigned i = 0; i < 20; i++)
		found[i] = place_of(i * KINDS);
	while (buckets_in_use() < 128 || next % 2 == 1)
		establish(next++);
	for (unsigned i = 0; i < 20; i++) {
		moved += found[i] != place_of(i * KINDS);
		__sync_fetch_and_add(&found[i]->count, UINT64_C(1) << OFFLOAD_BYTES_BITS | 60);
		found[i]->seen = (uint32_t)(scene.now * 1000 >> OFFLOAD_TIME_SHIFT);
	}
	ck_assert_uint_gt(moved, 0);
	expect_counted(20);

	/* As with a flow that ends. */
	found[0] = place_of(0);
	(void)give(0, TCP_RST);
	__sync_fetch_and_add(&found[0]->count, UINT64_C(1) << OFFLOAD_BYTES_BITS | 60);
	expect_counted(21);

	/* And when the place is another flow's before anybody has looked. */
	establish(0);
	found[0] = place_of(0);
	(void)give(0, TCP_RST);
	__sync_fetch_and_add(&found[0]->count, UINT64_C(1) << OFFLOAD_BYTES_BITS | 60);
	scene.now += MILLISECONDS(20);
	establish(0);
	ck_assert_ptr_eq(place_of(0), found[0]);
	expect_counted(22);
	expect_offloaded(0, next);
}
END_TEST

/* All but some expire; these are found at every size downwards. */
START_TEST(test_the_table_shrinks_with_the_flows)
{
	uint32_t most, before;

	establish_all(FLOWS);
	most = before = buckets_in_use();
	for (unsigned round = 0; round < 40; round++) {
		expect_nearly_all_offloaded(40);
		pass_time(SECONDS(60));
		ck_assert_uint_le(buckets_in_use(), before);
		before = buckets_in_use();
	}
	for (unsigned i = 0; i < 40; i++)
		establish(i);
	ck_assert_uint_eq(offload_count(offload), 40);
	ck_assert_uint_le(buckets_in_use(), 200);
	ck_assert_uint_lt(buckets_in_use(), most / 4);
	expect_counted(0);
	for (unsigned i = 40; i < FLOWS; i++) {
		establish(i);
		if (i % 16 == 0)
			pass_time(MILLISECONDS(20));
	}
	expect_offloaded(0, FLOWS);
	ck_assert_uint_ge(buckets_in_use(), most / 2);
	expect_counted(0);
}
END_TEST

/* When the last flow has gone there is nothing to come back for. */
START_TEST(test_an_empty_table_rests)
{
	establish_all(200);
	for (unsigned i = 0; i < 20; i++)
		pass_time(SECONDS(60));
	ck_assert_uint_eq(offload_count(offload), 0);
	ck_assert_uint_eq(offload_due(offload), UINT64_MAX);
	establish(0);
	ck_assert_uint_ne(offload_due(offload), UINT64_MAX);
	expect_counted(0);
}
END_TEST

START_TEST(test_a_drain_and_a_reload_while_grown)
{
	establish_all(600);
	expect_offloaded(0, 600);
	/* A drain takes no flow from its server. */
	scene_server(&scene, "web", "s1")->settings.weight = 0;
	scene_compile(&scene);
	offload_refresh(offload, scene.forwarder.table, scene.forwarder.ifaces, false, NULL, 0, scene.now);
	expect_offloaded(0, 600);
	scene_compile(&scene);
	offload_refresh(offload, scene.forwarder.table, scene.forwarder.ifaces, true, NULL, 0, scene.now);
	for (unsigned i = 0; i < 600; i++)
		must(!give(i, TCP_ACK), "flow %u was not decided anew", i);
	expect_offloaded(0, 600);
	for (unsigned i = 600; i < 1500; i++)
		establish(i);
	expect_offloaded(0, 1500);
	expect_counted(0);
}
END_TEST

/*
 * A VIP went, and its number is another's: its flows, of which nobody knows any more, find no bucket when theirs is
 * split.
 */
START_TEST(test_flows_of_a_vip_that_is_another)
{
	establish_all(90);
	for (unsigned i = 0; i < OFFLOAD_VIPS; i++)
		if (shared.vips[i].ifindex != 0 && shared.vips[i].addr[10] != 0xff)
			shared.vips[i].addr[15] ^= 1;
	for (unsigned i = 90; i < 900; i++)
		if (i % KINDS != 2)
			establish(i);
	for (unsigned i = 0; i < 900; i++)
		if (i % KINDS != 2)
			must(give(i, TCP_ACK), "flow %u is lost", i);
	expect_counted(0);
}
END_TEST

static uint64_t
hash_of(const struct offload_key *key, uint64_t high, uint64_t low)
{
	const union offload_addr client = { .longs = { high, low } },
	    vip = { .bytes = { 0x20, 1, 0xd, 0xb8, [15] = 1 } };

	return offload_hash_ipv6(key, client.words, vip.words, 80 << 16 | 1000, false);
}

/* Pairs whose difference a multiplication or an addition without a key of its own lets through. */
START_TEST(test_no_pair_of_clients_meets_under_every_key)
{
	static const uint64_t pairs[][2] = {
		{ UINT64_C(1) << 63, UINT64_C(1) << 63 | UINT64_C(1) << 31 }, { UINT64_C(1) << 63, UINT64_C(1) << 63 },
		{ UINT64_C(1) << 31, UINT64_C(1) << 31 }, { 1, 1 }, { UINT64_C(1) << 32, 1 }, { 1, UINT64_C(1) << 32 },
		{ 0, UINT64_C(1) << 63 | UINT64_C(1) << 31 }, { 3, 1 }, { UINT64_MAX, UINT64_MAX }, { 0, 1 }, { 1, 0 },
	};
	unsigned meetings = 0;

	for (uint8_t round = 0; round < 200; round++) {
		const struct siphash_key secret = { { round, 1 } };
		struct offload_key key = { .start = siphash24(&secret, "", 0) };

		for (uint8_t i = 0; i < OFFLOAD_KEY_WORDS; i++)
			key.words[i] = siphash24(&secret, &i, sizeof(i));
		for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
			const uint64_t a = hash_of(&key, 0x0102030405060708, 0x1112131415161718);
			const uint64_t b = hash_of(&key, 0x0102030405060708 ^ pairs[i][0],
			    0x1112131415161718 ^ pairs[i][1]);
			const uint64_t size = offload_size(4096);

			meetings += offload_first(size, a) == offload_first(size, b);
			meetings += offload_second(size, a) == offload_second(size, b);
		}
	}
	/* Of 4400 as many as by chance, which is one; ten has less than one chance in a million. */
	ck_assert_uint_lt(meetings, 10);
}
END_TEST

Suite *
offload_grow_suite(void)
{
	Suite *suite = suite_create("offload_grow");
	TCase *cases = tcase_create("table");

	tcase_set_timeout(cases, 60);
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, test_every_flow_is_found_at_every_size);
	tcase_add_test(cases, test_few_flows_stay_close_together);
	tcase_add_test(cases, test_what_is_counted_late_is_counted);
	tcase_add_test(cases, test_the_table_shrinks_with_the_flows);
	tcase_add_test(cases, test_an_empty_table_rests);
	tcase_add_test(cases, test_a_drain_and_a_reload_while_grown);
	tcase_add_test(cases, test_flows_of_a_vip_that_is_another);
	suite_add_tcase(suite, cases);

	cases = tcase_create("hash");
	tcase_add_test(cases, test_no_pair_of_clients_meets_under_every_key);
	suite_add_tcase(suite, cases);
	return suite;
}
