/* SPDX-License-Identifier: ISC */
/*
 * Flows that are offloaded elsewhere. Two directors see the same frames, one alone, one whose decided flows are
 * offloaded by offload/decide.h on shared memory, as the kernel does it: what leaves, and what is counted, must be
 * the same.
 */
#include "config.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../scene/scene.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "offload/withhold_map.h"
#include "suites.h"

#define VIP6 "2001:db8::10"

#include "pair.h"

static void
configure(struct scene *scene)
{
	struct service_settings *service = scene_add_service(scene, "web", PROTOCOL_TCP, 80, "rr");

	scene_listen(service, VIP6, PROTOCOL_TCP, 80, 80);
	for (unsigned i = 1; i <= 3; i++)
		scene_add_server(service, i, 1, false);
	service = scene_add_service(scene, "dns", PROTOCOL_UDP, 53, "rr");
	for (unsigned i = 1; i <= 3; i++)
		scene_add_server(service, i, 1, false);
	scene_apply(scene);
}

static void
establish(uint16_t port)
{
	ck_assert(!tcp(port, TCP_SYN));
	ck_assert(!tcp(port, TCP_ACK));
}

START_TEST(test_a_flow_is_offloaded_from_its_handshake_to_its_end)
{
	establish(1);
	ck_assert(tcp(1, TCP_ACK));
	ck_assert(tcp(1, TCP_ACK | TCP_PSH));
	ck_assert(!tcp(1, TCP_SYN));
	ck_assert(tcp(1, TCP_ACK));
	ck_assert(!tcp(1, TCP_ACK | TCP_FIN));
	ck_assert(tcp(1, TCP_ACK));
	ck_assert(!tcp(1, TCP_ACK | TCP_RST));
	ck_assert_uint_eq(offload_count(offload), 0);
	ck_assert(!tcp(1, TCP_ACK));
	compare_counters();
}
END_TEST

START_TEST(test_what_is_not_plain_is_left_alone)
{
	static const struct shape other[] = {
		{ .from_port = 1, .flags = TCP_ACK, .from_mac = "02:00:00:00:00:98" },
		/* its server's: it bounces */
		{ .from_port = 1, .flags = TCP_ACK, .from_mac = "02:00:00:00:00:11", .ttl = 63 },
		{ .from_port = 1, .flags = TCP_ACK, .from_mac = "02:00:00:00:00:01" }, /* our own */
		{ .from_port = 1, .flags = TCP_ACK, .to_mac = "02:00:00:00:00:77" },
		{ .from_port = 1, .flags = TCP_ACK, .vlan = 5 },
		{ .from_port = 1, .flags = TCP_ACK, .iface = 1 },
		{ .from_port = 1, .flags = TCP_ACK, .fragment = 0x2000 },
		{ .from_port = 1, .flags = TCP_ACK, .fragment = 0x0010 },
		{ .from_port = 1, .flags = TCP_ACK, .payload = 1480 }, /* larger than the MTU */
		{ .from_port = 2, .flags = TCP_ACK },
		{ .from_port = 1, .flags = TCP_ACK, .to_port = 81 },
		{ .from_port = 1, .protocol = PROTOCOL_UDP },
		{ .from_port = 1, .flags = 0 },
		{ .from_port = 1, .flags = TCP_ACK, .from = "::ffff:203.0.113.7", .to = "::ffff:192.0.2.10" },
	};

	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		tcp(1, TCP_RST | TCP_ACK);
		pass_time(SECONDS(1));
		establish(1);
		ck_assert(tcp(1, TCP_ACK));
		ck_assert_msg(!give_both(&other[i], 1000, 1), "shape %zu was offloaded", i);
	}
	compare_counters();
}
END_TEST

/* Each of its frames is the daemon's: only that knows what a bounce is. */
START_TEST(test_return_traffic_is_not_offloaded)
{
	struct shape shape = { .from_port = 1, .flags = TCP_SYN, .from_mac = "02:00:00:00:00:11" };

	ck_assert(!give_both(&shape, 1000, 1));
	shape.flags = TCP_ACK;
	for (unsigned i = 0; i < 3; i++)
		ck_assert(!give_both(&shape, 1000, 1));
	ck_assert_uint_eq(aided.forwarder.stats.forwarded, 4);
	/* To another server it is a client's. */
	shape = (struct shape) { .from_port = 2, .flags = TCP_SYN, .from_mac = "02:00:00:00:00:11" };
	ck_assert(!give_both(&shape, 1000, 1));
	shape.flags = TCP_ACK;
	ck_assert(!give_both(&shape, 1000, 1));
	ck_assert(give_both(&shape, 1000, 1));
	compare_counters();
}
END_TEST

START_TEST(test_acknowledgements_and_repetitions_are_counted)
{
	const struct shape data = { .from_port = 1, .flags = TCP_ACK, .payload = 100 };

	establish(1);
	ck_assert(give_both(&data, 1000, 5000));
	ck_assert(give_both(&data, 1100, 900000));
	ck_assert(give_both(&data, 1000, 900000)); /* again */
	ck_assert(give_both(&data, 1200, 8000));   /* overtaken */
	ck_assert(!give_both(&data, 1300, 0xf0000000)); /* cannot be */
	ck_assert(!give_both(&data, 1400, 0xf0000100)); /* unless the next one goes on from there */
	ck_assert(give_both(&data, 1500, 0xf0000200));
	compare_counters();
	ck_assert_uint_eq(scene_server(&aided, "web", "s1")->run->measure.retransmits, 1);
	ck_assert_uint_eq(scene_server(&aided, "web", "s1")->run->measure.response_bytes, 899999 + 0x100);
}
END_TEST

START_TEST(test_an_offloaded_flow_does_not_expire)
{
	establish(1);
	for (unsigned i = 0; i < 40; i++) {
		ck_assert(tcp(1, TCP_ACK));
		/* Longer than a round: expiry finds it before the round does. */
		alone.now += SECONDS(890);
		aided.now += SECONDS(890);
		forward_tick(&alone.forwarder, alone.now);
		forward_tick(&aided.forwarder, aided.now);
	}
	ck_assert_uint_eq(conn_table_count(aided.forwarder.conns), 1);
	pass_time(SECONDS(901));
	ck_assert_uint_eq(conn_table_count(aided.forwarder.conns), 0);
	ck_assert_uint_eq(offload_count(offload), 0);
	compare_counters();
}
END_TEST

START_TEST(test_a_server_that_changes_is_another_at_once)
{
	establish(1);
	ck_assert(tcp(1, TCP_ACK));
	for (struct scene *scene = &alone; scene != NULL; scene = scene == &alone ? &aided : NULL)
		scene_server(scene, "web", "s1")->mac = scene_mac("02:00:00:00:00:77");
	both_compile(false);
	ck_assert(tcp(1, TCP_ACK));
	ck_assert_uint_eq(aided.sent[0].bytes[5], 0x77);
	/* Without a neighbor nothing is offloaded, and all is dropped. */
	for (struct scene *scene = &alone; scene != NULL; scene = scene == &alone ? &aided : NULL)
		scene_server(scene, "web", "s1")->mac = mac_zero;
	both_compile(false);
	ck_assert(!tcp(1, TCP_ACK));
	ck_assert_uint_eq(aided.sent_count, 0);
	compare_counters();
}
END_TEST

START_TEST(test_a_server_that_is_down_keeps_tcp_and_loses_udp)
{
	const struct shape question = { .from_port = 9, .to_port = 53, .protocol = PROTOCOL_UDP, .payload = 30 };

	establish(1);
	ck_assert(!give_both(&question, 0, 0));
	ck_assert_uint_eq(offload_count(aided.forwarder.offload), 1); /* many flows have one frame only */
	pass_time(MILLISECONDS(100)); /* which proves it */
	ck_assert(!give_both(&question, 0, 0));
	ck_assert_uint_eq(offload_count(aided.forwarder.offload), 2);
	ck_assert(give_both(&question, 0, 0));
	for (struct scene *scene = &alone; scene != NULL; scene = scene == &alone ? &aided : NULL) {
		scene_server(scene, "web", "s1")->health.state = HEALTH_DOWN;
		scene_server(scene, "dns", "s1")->health.state = HEALTH_DOWN;
	}
	both_compile(false);
	ck_assert(tcp(1, TCP_ACK));
	ck_assert(!give_both(&question, 0, 0)); /* now another server's */
	pass_time(MILLISECONDS(100));
	ck_assert(!give_both(&question, 0, 0));
	ck_assert(give_both(&question, 0, 0));
	for (struct scene *scene = &alone; scene != NULL; scene = scene == &alone ? &aided : NULL)
		scene_server(scene, "web", "s1")->service->settings.on_down = ON_DOWN_MOVE;
	both_compile(false);
	ck_assert(!tcp(1, TCP_ACK));
	compare_counters();
}
END_TEST

START_TEST(test_a_reload_decides_anew)
{
	establish(1);
	ck_assert(tcp(1, TCP_ACK));
	both_compile(true);
	ck_assert(!tcp(1, TCP_ACK));
	ck_assert(tcp(1, TCP_ACK));
	/* An interface that is closed carries nothing. */
	offload_iface(offload, 0, 0, false);
	ck_assert(!tcp(1, TCP_ACK));
	ck_assert_uint_eq(offload_count(offload), 0);
	compare_counters();
}
END_TEST

/* What the kernel would make of a frame for the first server now: whether its two halves belong together. */
static bool
way_is_whole(uint64_t *ways)
{
	const struct offload_packet packet = { .l3_length = 40, .headers = 40 };
	const struct offload_frame frame = { .length = 54 };
	const struct offload_head head = { .bytes = { 0 } };
	struct offload_hand hand;
	union {
		uint64_t word;
		struct offload_server server;
	} now;

	now.word = __atomic_load_n((uint64_t *)(void *)&shared.servers[0], __ATOMIC_SEQ_CST);
	if (!offload_way(&frame, &packet, &head, (uint64_t)(now.server.rule & OFFLOAD_STAMP_MASK) <<
	    OFFLOAD_STAMP_SHIFT, &hand))
		return true;
	(*ways)++;
	return hand.macs[11] == hand.ifindex;
}

static void *
own_mac_changes(void *argument)
{
	const bool *ends = argument;

	for (uint8_t turn = 0; !__atomic_load_n(ends, __ATOMIC_RELAXED); turn ^= 1) {
		aided.ifaces[0].mac.bytes[5] = IFINDEX + turn;
		offload_iface(offload, 0, IFINDEX + turn, true);
		refresh(false);
	}
	return NULL;
}

/* No frame leaves by an interface with the address of another, however the kernel and the daemon interleave. */
START_TEST(test_own_mac_and_interface_change_together)
{
	pthread_t daemon;
	uint64_t ways = 0;
	bool ends = false;

	aided.ifaces[0].mac.bytes[5] = IFINDEX;
	refresh(false);
	ck_assert_int_eq(pthread_create(&daemon, NULL, own_mac_changes, &ends), 0);
	for (unsigned i = 0; i < 20000000 && ways < 200000; i++)
		ck_assert(way_is_whole(&ways));
	__atomic_store_n(&ends, true, __ATOMIC_RELAXED);
	ck_assert_int_eq(pthread_join(daemon, NULL), 0);
	ck_assert_uint_gt(ways, 0);
}
END_TEST

/* While the kernel counts a frame of it, the flow ends and others begin, in the same buckets. */
static void
flow_ends_meanwhile(void)
{
	static const uint8_t flags[] = { TCP_SYN, TCP_ACK };

	shared_pause = NULL;
	for (uint16_t port = 1; port <= 200; port++) {
		for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
			const struct shape shape = { .from_port = port, .flags = port == 1 ? TCP_ACK | TCP_RST : flags[i] };
			struct frame frame = segment(&aided, &shape, 1000, 1);

			(void)forward_frame(&aided.forwarder, &frame, aided.now);
		}
	}
}

START_TEST(test_a_slow_decision_counts_for_its_own_flow)
{
	const struct shape ack = { .from_port = 1, .flags = TCP_ACK };
	const struct frame frame = segment(&aided, &ack, 1000, 1);
	unsigned counted = 0;

	establish(1);
	ck_assert(tcp(1, TCP_ACK));
	offload_sync(offload, UINT32_MAX, aided.now);
	aided.discards = true;
	shared_pause = flow_ends_meanwhile;
	ck_assert(kernel_takes(&frame));
	ck_assert_ptr_null(shared_pause);
	ck_assert_uint_gt(offload_count(offload), 50);
	for (uint32_t i = 0; i < BUCKETS * OFFLOAD_WAYS; i++) {
		const struct offload_flow *flow = &shared.buckets[i / OFFLOAD_WAYS].ways[i % OFFLOAD_WAYS];

		ck_assert(flow->name == 0 || flow->count == 0);
		counted += flow->count != 0;
	}
	ck_assert_uint_eq(counted, 1);
}
END_TEST

START_TEST(test_own_mac_changes)
{
	const struct mac fresh = scene_mac("02:00:00:00:00:42");
	const struct shape ack = { .to_mac = "02:00:00:00:00:42", .from_port = 1, .flags = TCP_ACK };

	establish(1);
	ck_assert(tcp(1, TCP_ACK));
	for (struct scene *scene = &alone; scene != NULL; scene = scene == &alone ? &aided : NULL)
		scene->ifaces[0].mac = fresh;
	both_compile(false);
	ck_assert(!give_both(&ack, 1000, 1));
	ck_assert_mem_eq(aided.sent[0].bytes + 6, fresh.bytes, 6);
	ck_assert(give_both(&ack, 1000, 1));
	ck_assert_mem_eq(aided.sent[0].bytes + 6, fresh.bytes, 6);
	compare_counters();
}
END_TEST

START_TEST(test_a_place_rests_before_another_flow_gets_it)
{
	unsigned used = 0;

	establish(1);
	ck_assert(!tcp(1, TCP_ACK | TCP_RST));
	for (uint32_t i = 0; i < BUCKETS * OFFLOAD_WAYS; i++)
		used += shared.buckets[i / OFFLOAD_WAYS].ways[i % OFFLOAD_WAYS].conn != 0;
	ck_assert_uint_eq(used, 1);
	/* The same flow again, at once: the second place of its bucket. */
	establish(1);
	ck_assert(tcp(1, TCP_ACK));
	used = 0;
	for (uint32_t i = 0; i < BUCKETS * OFFLOAD_WAYS; i++)
		used += shared.buckets[i / OFFLOAD_WAYS].ways[i % OFFLOAD_WAYS].conn != 0;
	ck_assert_uint_eq(used, 2);
}
END_TEST

START_TEST(test_what_finds_no_room_is_forwarded_all_the_same)
{
	unsigned before;

	for (uint16_t port = 1; port <= 6000; port++) {
		establish(port);
		if (port % 200 == 0)
			pass_time(MILLISECONDS(20));
	}
	/* Once for those who have got room meanwhile, and once to see who is offloaded. */
	for (uint16_t port = 1; port <= 6000; port++)
		tcp(port, TCP_ACK);
	before = offloaded;
	for (uint16_t port = 1; port <= 6000; port++)
		tcp(port, TCP_ACK);
	ck_assert_uint_gt(aided.forwarder.stats.offload_full, 0);
	/* Two buckets to choose from fill nearly all of the room. */
	ck_assert_uint_gt(offload_count(offload), BUCKETS * OFFLOAD_WAYS * 9 / 10);
	ck_assert_uint_eq(offloaded - before, offload_count(offload));
	compare_counters();
}
END_TEST

static uint32_t
draw(uint64_t *state, uint32_t below)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33) % below;
}

static void
any_frame(uint64_t *state, uint32_t ports)
{
	static const uint8_t flags[] = { TCP_ACK, TCP_ACK, TCP_ACK, TCP_ACK | TCP_PSH, TCP_ACK, TCP_ACK, TCP_SYN,
		TCP_ACK | TCP_FIN, TCP_RST, TCP_ACK | TCP_URG, 0, TCP_SYN | TCP_ACK };
	static const char *const macs[] = { NULL, NULL, NULL, NULL, "02:00:00:00:00:98", "02:00:00:00:00:12" };
	struct shape shape = { .from_port = (uint16_t)(1 + draw(state, ports)),
	    .flags = flags[draw(state, ARRAY_LEN(flags))],
		.from_mac = macs[draw(state, ARRAY_LEN(macs))], .payload = draw(state, 5) == 0 ? draw(state, 1500) :
		    0 };
	uint32_t sequence = 1000 + draw(state, 4) * 100, acknowledgement = draw(state, 50) * 1000;

	if (draw(state, 4) == 0) {
		shape.protocol = PROTOCOL_UDP;
		shape.to_port = 53;
	}
	if (draw(state, 3) == 0 && shape.protocol == 0) {
		shape.from = "2001:db8::99";
		shape.to = VIP6;
	}
	if (draw(state, 30) == 0)
		shape.fragment = draw(state, 2) == 0 ? 0x2000 : 0x0005;
	if (draw(state, 30) == 0)
		shape.vlan = 7;
	if (draw(state, 40) == 0)
		acknowledgement = draw(state, UINT32_MAX);
	give_both(&shape, sequence, acknowledgement);
	/* Gigabytes in no time: more than fits between two rounds. */
	if (acknowledgement > 50000)
		offload_sync(offload, UINT32_MAX, aided.now);
}

START_TEST(test_any_frames_in_any_order)
{
	uint64_t state = (uint64_t)_i + 1;

	for (unsigned i = 0; i < 20000; i++) {
		/* Few flows that do much, or many, for which the table grows. */
		any_frame(&state, _i < 2 ? 12 : 200);
		if (draw(&state, 50) == 0)
			pass_time(MILLISECONDS(100) * draw(&state, 400));
		if (draw(&state, 300) == 0) {
			const bool down = draw(&state, 2) == 0;

			scene_server(&alone, "web", "s2")->health.state = down ? HEALTH_DOWN : HEALTH_UP;
			scene_server(&aided, "web", "s2")->health.state = down ? HEALTH_DOWN : HEALTH_UP;
			both_compile(draw(&state, 3) == 0);
		}
		if (draw(&state, 100) == 0)
			compare_counters();
	}
	ck_assert_uint_gt(offloaded, 700);
	compare_counters();
}
END_TEST

/*
 * As many VIPs as there may be, in the orders in which people give addresses: each finds a place in reach of its
 * hash.
 */
START_TEST(test_withheld_vips_find_a_place)
{
	static const uint32_t steps[] = { 1, 2, 256, 65536, 3 };
	static bool taken[WITHHOLD_PLACES];

	memset(taken, 0, sizeof(taken));
	for (uint32_t i = 0; i < WITHHOLD_VIPS_MOST / 2; i++) {
		uint8_t bytes[16] = { [10] = 0xff, [11] = 0xff };
		uint64_t words[2];
		uint32_t hash, probes = 0;

		store32(bytes + 12, UINT32_C(0xc0000200) + i * steps[_i]);
		memcpy(words, bytes, sizeof(words));
		hash = withhold_hash(words, 7);
		while (probes < WITHHOLD_PROBES && taken[(hash + probes) % WITHHOLD_PLACES])
			probes++;
		ck_assert_uint_lt(probes, WITHHOLD_PROBES);
		taken[(hash + probes) % WITHHOLD_PLACES] = true;
	}
}
END_TEST

Suite *
offload_suite(void)
{
	Suite *suite = suite_create("carry");
	TCase *cases = tcase_create("carry");

	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, test_a_flow_is_offloaded_from_its_handshake_to_its_end);
	tcase_add_test(cases, test_what_is_not_plain_is_left_alone);
	tcase_add_test(cases, test_return_traffic_is_not_offloaded);
	tcase_add_test(cases, test_acknowledgements_and_repetitions_are_counted);
	tcase_add_test(cases, test_an_offloaded_flow_does_not_expire);
	tcase_add_test(cases, test_a_server_that_changes_is_another_at_once);
	tcase_add_test(cases, test_a_server_that_is_down_keeps_tcp_and_loses_udp);
	tcase_add_test(cases, test_a_reload_decides_anew);
	tcase_add_test(cases, test_a_slow_decision_counts_for_its_own_flow);
	tcase_add_test(cases, test_own_mac_changes);
	tcase_add_test(cases, test_own_mac_and_interface_change_together);
	tcase_add_test(cases, test_a_place_rests_before_another_flow_gets_it);
	tcase_add_test(cases, test_what_finds_no_room_is_forwarded_all_the_same);
	tcase_add_loop_test(cases, test_any_frames_in_any_order, 0, 4);
	tcase_add_loop_test(cases, test_withheld_vips_find_a_place, 0, 5);
	suite_add_tcase(suite, cases);
	return suite;
}
