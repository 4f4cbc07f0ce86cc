/* SPDX-License-Identifier: ISC */
/*
 * Frames to servers that are reached by other methods than mac: one director forwards all of them itself, for the other
 * one offload/leave.h does, or the kernel's programs: DSRD_TEST_KERNEL=tc or xdp, which needs privilege. Every byte that
 * leaves, and every count, must be the same.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "../scene/scene.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "offload/bpf_offload.h"
#include "offload_shared.h"
#include "proto/checksum.h"
#include "suites.h"

#define BUCKETS 1024
#define IFINDEX 1 /* as bpf_offload_try() has it */
#define VIP6 "2001:db8::10"
#define GATEWAY_MAC "02:00:00:00:00:fe" /* of the clients and of the servers */
#define DSCP 11

static const struct {
	enum encap_method method;
	const char *addr;
} reached[] = {
	{ ENCAP_MAC, "192.0.2.101" },
	{ ENCAP_IPIP, "10.9.0.1" },
	{ ENCAP_IPIP, "2001:db8:9::1" },
	{ ENCAP_GRE, "10.9.0.2" },
	{ ENCAP_GRE, "2001:db8:9::2" },
	{ ENCAP_GUE, "10.9.0.3" },
	{ ENCAP_GUE, "2001:db8:9::3" },
	{ ENCAP_GUE1, "10.9.0.4" },
	{ ENCAP_GUE1, "2001:db8:9::4" },
	{ ENCAP_DSCP, NULL }, /* of the VIP's family */
};

static struct scene alone, aided;
static struct offload_cache *offload;
static struct bpf_offload *kernel;
static const char *program; /* of the kernel; NULL: none, what is compiled here takes its place */
static unsigned offloaded, by_method[ENCAP_METHODS];

static struct offload_bucket *
offload_bucket_at(uint32_t number)
{
	ck_assert_uint_lt(number, BUCKETS);
	return &shared.buckets[number];
}

static void
add_servers(struct service_settings *service, bool ipv6)
{
	for (unsigned i = 0; i < ARRAY_LEN(reached); i++) {
		struct server_settings *server = scene_add_server(service, i + 1, 1, false);
		const char *own = ipv6 ? "2001:db8:9::5" : "10.9.0.5";

		server->method = reached[i].method;
		if (server->method == ENCAP_MAC)
			continue;
		server->addr = scene_addr(reached[i].addr != NULL ? reached[i].addr : own);
		server->mac = scene_mac(GATEWAY_MAC);
		server->gateway = scene_addr(server->addr.family == ADDR_IPV6 ? "2001:db8::fe" : "192.0.2.254");
	}
}

static void
configure(struct scene *scene)
{
	static const struct {
		const char *name;
		uint8_t protocol;
		bool ipv6;
	} services[] = { { "web", PROTOCOL_TCP, false }, { "dns", PROTOCOL_UDP, false }, { "web6", PROTOCOL_TCP, true },
		{ "dns6", PROTOCOL_UDP, true } };

	scene_open(scene);
	scene->ifaces[0].addresses[1] = (struct prefix) { scene_addr("2001:db8::1"), 64 };
	scene->ifaces[0].address_count = 2;
	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		struct service_settings *service = scene_add_service(scene, services[i].name, services[i].protocol,
		    services[i].protocol == PROTOCOL_TCP ? 80 : 53, "rr");

		if (services[i].ipv6)
			service->listens[0].vip = scene_addr(VIP6);
		service->listens[0].dscp = DSCP;
		add_servers(service, services[i].ipv6);
	}
	scene_apply(scene);
}

static void
setup(void)
{
	static const struct siphash_key secret = { { 42 } };
	char error[BPF_OFFLOAD_ERROR];

	offloaded = 0;
	memset(by_method, 0, sizeof(by_method));
	program = getenv("DSRD_TEST_KERNEL");
	if (program == NULL) {
		ck_assert(shared_open(BUCKETS));
	} else {
		kernel = bpf_offload_open(BUCKETS * OFFLOAD_WAYS, NULL, error);
		ck_assert_msg(kernel != NULL, "%s", error);
		shared = *bpf_offload_memory(kernel);
	}
	configure(&alone);
	configure(&aided);
	offload = offload_new(&shared, &secret, aided.forwarder.conns, SCENE_FLOWS, &aided.forwarder.stats);
	ck_assert_ptr_nonnull(offload);
	aided.forwarder.offload = offload;
	offload_iface(offload, 0, IFINDEX, true);
	offload_refresh(offload, aided.forwarder.table, aided.forwarder.ifaces, false, NULL, 0, aided.now);
}

static void
teardown(void)
{
	offload_free(offload);
	aided.forwarder.offload = NULL;
	scene_close(&alone);
	scene_close(&aided);
	if (kernel != NULL)
		bpf_offload_close(kernel);
	else
		shared_close();
	kernel = NULL;
}

static bool
decides_here(struct view *view)
{
	const struct offload_frame seen = { .source = view, .length = view->length, .ifindex = IFINDEX,
		.now = aided.now * 1000, .sums_unknown = true };
	struct offload_head head;
	struct offload_hand hand;

	memset(&head, 0, sizeof(head));
	if (!offload_decide(&seen, shared.control, &head, &hand))
		return false;
	ck_assert_uint_eq(hand.ifindex, IFINDEX);
	ck_assert(shared_leave(view, &hand));
	by_method[hand.encap.method]++;
	return true;
}

static bool
kernel_takes(const struct frame *frame)
{
	static uint8_t bytes[FRAME_MOST + ENCAP_HEADER_MOST];
	struct view view = { bytes, frame->length };
	struct frame out;

	memcpy(bytes, frame->bytes, frame->length);
	if (kernel != NULL ? !bpf_offload_try(kernel, strcmp(program, "xdp") == 0, bytes, &view.length) :
	    !decides_here(&view))
		return false;
	offloaded++;
	out = frame_of(bytes, view.length, 0);
	aided.forwarder.tx.emit(aided.forwarder.tx.context, &out);
	return true;
}

static void
compare_sent(void)
{
	must(alone.sent_count == aided.sent_count, "%zu frames alone, %zu aided", alone.sent_count, aided.sent_count);
	for (size_t i = 0; i < alone.sent_count; i++) {
		const struct sent *a = &alone.sent[i], *b = &aided.sent[i];

		must(a->length == b->length, "frame %zu has another length: %u alone, %u aided", i, (unsigned)a->length,
		    (unsigned)b->length);
		for (uint32_t j = 0; j < a->length; j++)
			must(a->bytes[j] == b->bytes[j], "frame %zu has another byte %u: %02x alone, %02x aided", i,
			    (unsigned)j, (unsigned)a->bytes[j], (unsigned)b->bytes[j]);
	}
}

/* True when it was offloaded. */
static bool
give_both(const struct frame *frame)
{
	uint8_t bytes[2048];
	struct frame copy = *frame;
	bool was_offloaded;

	ck_assert_uint_lt(frame->length, sizeof(bytes));
	memcpy(bytes, frame->bytes, frame->length);
	scene_forget(&alone);
	scene_forget(&aided);
	was_offloaded = kernel_takes(frame);
	if (!was_offloaded)
		forward_frame(&aided.forwarder, &copy, aided.now);
	copy = frame_of(bytes, frame->length, 0);
	forward_frame(&alone.forwarder, &copy, alone.now);
	compare_sent();
	return was_offloaded;
}

static void
compare_counts(void)
{
	struct forward_stats counted;

	offload_sync(offload, UINT32_MAX, aided.now);
	counted = aided.forwarder.stats;
	ck_assert_uint_eq(counted.offloaded, offloaded);
	counted.offloaded = counted.offload_full = 0;
	ck_assert_mem_eq(&alone.forwarder.stats, &counted, sizeof(counted));
	for (size_t i = 0; i < alone.model->slot_count; i++) {
		const struct server_run *a = alone.model->slots[i]->run, *b = aided.model->slots[i]->run;

		ck_assert_uint_eq(a->packets, b->packets);
		ck_assert_uint_eq(a->bytes, b->bytes);
	}
}

static uint32_t
draw(uint64_t *state, uint32_t below)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33) % below;
}

static struct shape
shape_of(uint32_t port, bool ipv6, bool udp)
{
	return (struct shape) { .from_port = (uint16_t)port, .from_mac = GATEWAY_MAC, .flags = TCP_ACK,
		.from = ipv6 ? "2001:db8:77::7" : "203.0.113.7", .to = ipv6 ? VIP6 : "192.0.2.10",
		.protocol = udp ? PROTOCOL_UDP : 0, .to_port = udp ? 53 : 80 };
}

/* Other classes, identifications, and checksums: right, wrong, absent. */
static void
vary(uint64_t *state, struct frame *frame, bool ipv6, bool udp)
{
	uint8_t *ip = frame->bytes + 14, *sum = ip + (ipv6 ? 40 : 20) + (udp ? 6 : 16);
	struct packet packet;

	if (ipv6) {
		store32(ip, 6U << 28 | draw(state, 1U << 28));
	} else {
		ip[1] = (uint8_t)draw(state, 256);
		store16(ip + 4, (uint16_t)draw(state, 65536));
		store16(ip + 6, draw(state, 2) == 0 ? 0x4000 : 0);
		ck_assert_int_eq(packet_parse(frame, &packet), PACKET_OK);
		checksum_ipv4_header(frame, &packet);
		if (draw(state, 20) == 0)
			ip[10] ^= 1;
	}
	if (udp && draw(state, 6) == 0)
		store16(sum, 0);
	else if (draw(state, 20) == 0)
		store16(sum, load16(sum) ^ 0x0101);
	if (frame->length < 60 && draw(state, 2) == 0) {
		memset(frame->bytes + frame->length, 0, 60 - frame->length);
		*frame = frame_of(frame->bytes, 60, 0);
	}
}

static bool
any_frame(uint64_t *state)
{
	const bool ipv6 = draw(state, 2) == 0, udp = draw(state, 3) == 0;
	struct shape shape = shape_of(1 + draw(state, 30), ipv6, udp);
	struct frame frame;

	shape.payload = draw(state, 4) == 0 ? draw(state, 1470) : draw(state, 4) == 0 ? 1380 + draw(state, 90) : 0;
	shape.ttl = (uint8_t)(draw(state, 15) == 0 ? 1 + draw(state, 2) : 1 + draw(state, 255));
	shape.sequence = 1000 + draw(state, 4) * 100;
	shape.acknowledgement = draw(state, 50) * 1000;
	frame = scene_frame(&alone, &shape);
	vary(state, &frame, ipv6, udp);
	return give_both(&frame);
}

static void
open_flows(void)
{
	for (uint32_t port = 1; port <= 30; port++)
		for (unsigned kind = 0; kind < 4; kind++) {
			struct shape shape = shape_of(port, (kind & 1) != 0, (kind & 2) != 0);
			struct frame frame;

			shape.flags = TCP_SYN;
			frame = scene_frame(&alone, &shape);
			give_both(&frame);
			shape.flags = TCP_ACK;
			frame = scene_frame(&alone, &shape);
			give_both(&frame);
		}
	alone.now += MILLISECONDS(150); /* which proves the flows that began in the middle */
	aided.now += MILLISECONDS(150);
}

START_TEST(test_every_method_sends_the_same_bytes)
{
	uint64_t state = (uint64_t)_i + 1;
	unsigned count = 0;

	open_flows();
	for (unsigned i = 0; i < 20000; i++)
		count += any_frame(&state);
	compare_counts();
	ck_assert_uint_gt(count, 13000);
	for (int method = 0; program == NULL && method < ENCAP_LOCAL; method++)
		ck_assert_uint_gt(by_method[method], 500);
}
END_TEST

/* One flow for each server. */
static void
each_server(const struct shape *like, bool udp, bool expected[ENCAP_METHODS][2])
{
	for (uint32_t i = 0; i < ARRAY_LEN(reached); i++) {
		const bool outer6 = reached[i].addr != NULL && strchr(reached[i].addr, ':') != NULL;
		struct shape shape = shape_of(1 + i, false, udp);
		struct frame frame;

		shape.payload = like->payload;
		shape.ttl = like->ttl;
		shape.unfinished = like->unfinished;
		frame = scene_frame(&alone, &shape);
		must(give_both(&frame) == expected[reached[i].method][outer6], "server s%u", (unsigned)i + 1);
	}
}

/* The daemon answers or fragments them, or drops and counts them. */
START_TEST(test_what_a_tunnel_does_not_take_is_the_daemons)
{
	static bool small[ENCAP_METHODS][2] = { { true, true }, { true, true }, { true, true }, { true, true },
		{ true, true }, { true, true } };
	static bool large[ENCAP_METHODS][2] = { [ENCAP_MAC] = { true, true }, [ENCAP_DSCP] = { true, true } };
	static bool between[ENCAP_METHODS][2] = { [ENCAP_MAC] = { true, true }, [ENCAP_DSCP] = { true, true },
		[ENCAP_IPIP] = { true, false }, [ENCAP_GRE] = { true, false }, [ENCAP_GUE1] = { true, false } };
	const struct shape exact = { .payload = 1500 - 52 - 40 }, one_more = { .payload = 1500 - 28 - 40 },
	    largest = { .payload = 1500 - 40 }, last_hop = { .ttl = 1 };

	open_flows();
	each_server(&exact, false, small);
	each_server(&one_more, false, between);
	each_server(&largest, false, large);
	each_server(&last_hop, false, large);
	compare_counts();
}
END_TEST

/* What the kernel does not know of a frame in XDP is that its checksum is unfinished: none is changed. */
START_TEST(test_unfinished_checksums_are_not_changed)
{
	static bool readdressed[ENCAP_METHODS][2] = { [ENCAP_DSCP] = { false, false } };
	struct shape shape = { .unfinished = true };

	if (program != NULL && strcmp(program, "tc") == 0)
		return; /* it does know, and was told that they are finished */
	open_flows();
	for (uint32_t i = 0; i < ARRAY_LEN(reached); i++) {
		struct frame frame;

		if (reached[i].method != ENCAP_DSCP)
			continue;
		shape = shape_of(1 + i, false, false);
		shape.unfinished = true;
		frame = scene_frame(&alone, &shape);
		ck_assert(give_both(&frame) == readdressed[ENCAP_DSCP][0]);
		shape = shape_of(1 + i, true, true);
		shape.unfinished = true;
		frame = scene_frame(&alone, &shape);
		ck_assert(!give_both(&frame));
	}
	compare_counts();
}
END_TEST

/* The way is known, and then the numbers do not fit: tc's second program must not act on it, nor take it for lost. */
START_TEST(test_a_refused_way_is_no_decision)
{
	struct shape shape = shape_of(2, false, false);
	struct frame frame;

	open_flows();
	shape.acknowledgement = 5000;
	frame = scene_frame(&alone, &shape);
	ck_assert(give_both(&frame));
	shape.acknowledgement = 0xf0000000;
	frame = scene_frame(&alone, &shape);
	ck_assert(!give_both(&frame));
	shape.acknowledgement = 6000;
	frame = scene_frame(&alone, &shape);
	ck_assert(give_both(&frame));
	ck_assert_uint_eq(shared.control->unconsumed, 0);
	compare_counts();
}
END_TEST

/* Another address of the director, or of the server: the next frame has it. */
START_TEST(test_a_tunnel_that_changes_is_another_at_once)
{
	const struct shape shape = shape_of(2, false, false); /* by ipip */
	struct frame frame;

	open_flows();
	frame = scene_frame(&alone, &shape);
	ck_assert(give_both(&frame));
	ck_assert_uint_eq(aided.sent[0].bytes[14 + 15], 1);
	for (struct scene *scene = &alone; scene != NULL; scene = scene == &alone ? &aided : NULL) {
		scene_server(scene, "web", "s2")->source = scene_addr("192.0.2.9");
		scene_compile(scene);
	}
	offload_refresh(offload, aided.forwarder.table, aided.forwarder.ifaces, false, NULL, 0, aided.now);
	frame = scene_frame(&alone, &shape);
	ck_assert(!give_both(&frame)); /* decided again */
	ck_assert_uint_eq(aided.sent[0].bytes[14 + 15], 9);
	frame = scene_frame(&alone, &shape);
	ck_assert(give_both(&frame));
	ck_assert_uint_eq(aided.sent[0].bytes[14 + 15], 9);
	compare_counts();
}
END_TEST

/* The kernel's part of a super-frame: with a checksum for each part over IPv6 it is the daemon's. */
START_TEST(test_super_frames)
{
	static uint8_t bytes[FRAME_MOST + ENCAP_HEADER_MOST];
	unsigned taken = 0;

	if (program != NULL)
		return; /* a frame that is given to it there is none */
	open_flows();
	for (uint32_t i = 0; i < ARRAY_LEN(reached); i++) {
		const bool outer6 = reached[i].addr != NULL && strchr(reached[i].addr, ':') != NULL;
		const bool udp = reached[i].method == ENCAP_GUE || reached[i].method == ENCAP_GUE1;
		struct shape shape = shape_of(1 + i, false, false);
		struct view view = { bytes, 0 };
		struct offload_frame seen = { .source = &view, .segment = 1400, .ifindex = IFINDEX,
			.now = aided.now * 1000 };
		struct offload_head head;
		struct offload_hand hand;
		struct frame frame;
		bool decided;

		shape.payload = 1900;
		frame = scene_frame(&alone, &shape);
		memset(&head, 0, sizeof(head));
		memcpy(bytes, frame.bytes, frame.length);
		view.length = seen.length = frame.length;
		decided = offload_decide(&seen, shared.control, &head, &hand);
		must(decided == !(udp && outer6), "server s%u", (unsigned)i + 1);
		taken += decided;
		seen.segment = 1450;
		must(offload_decide(&seen, shared.control, &head, &hand) == !encap_is_tunnel(reached[i].method),
		    "server s%u, segments that do not fit", (unsigned)i + 1);
	}
	ck_assert_uint_eq(taken, ARRAY_LEN(reached) - 2);
}
END_TEST

Suite *
offload_methods_suite(void)
{
	Suite *suite = suite_create("offload_methods");
	TCase *cases = tcase_create("methods");

	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_loop_test(cases, test_every_method_sends_the_same_bytes, 0, 3);
	tcase_add_test(cases, test_what_a_tunnel_does_not_take_is_the_daemons);
	tcase_add_test(cases, test_unfinished_checksums_are_not_changed);
	tcase_add_test(cases, test_a_tunnel_that_changes_is_another_at_once);
	tcase_add_test(cases, test_a_refused_way_is_no_decision);
	tcase_add_test(cases, test_super_frames);
	tcase_set_timeout(cases, 120);
	suite_add_tcase(suite, cases);
	return suite;
}
