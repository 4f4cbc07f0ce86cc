/* SPDX-License-Identifier: ISC */
/* Tunnel headers, field by field as the RFCs have them, read here by hand. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "encap/encap.h"
#include "proto/checksum.h"
#include "proto/decap.h"
#include "sample.h"
#include "suites.h"

#define HASH 0xdeadbeef

static const struct addr director = { ADDR_IPV4, { 192, 0, 2, 1 } };
static const struct addr server = { ADDR_IPV4, { 198, 51, 100, 9 } };
static const struct addr director6 = { ADDR_IPV6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
static const struct addr server6 = { ADDR_IPV6, { 0x20, 0x01, 0x0d, 0xb8, [5] = 9, [15] = 9 } };

/* The lengths are sums of the RFCs' headers: IPv4 20, IPv6 40, GRE 4, UDP 8, GUE 4. */
static const struct {
	enum encap_method method;
	uint32_t ipv4;
	uint32_t ipv6;
	uint8_t protocol; /* of IPv4 inside; 0: of what is inside */
	uint8_t udp;
} shapes[] = {
	{ ENCAP_IPIP, 20, 40, 0, 0 },
	{ ENCAP_GRE, 24, 44, 47, 0 },
	{ ENCAP_GUE, 32, 52, 17, 8 },
	{ ENCAP_GUE1, 28, 48, 17, 8 },
};

static struct frame
room_for(const struct frame *frame)
{
	return frame_of(malloc(frame->length + ENCAP_HEADER_MOST), 0, 0);
}

static bool
wrap(enum encap_method method, bool outer6, const struct frame *frame, struct frame *wrapped)
{
	struct packet packet;
	struct encap encap;

	ck_assert_int_eq(packet_parse(frame, &packet), PACKET_OK);
	encap_prepare(&encap, method, outer6 ? &director6 : &director, outer6 ? &server6 : &server,
	    (enum addr_family)packet.source.family);
	*wrapped = room_for(frame);
	return encap_wrap(&encap, frame, &packet, HASH, wrapped->bytes, wrapped);
}

/* The inner packet: all as it was but its time to live, and it parses as a packet of its own with right checksums. */
static void
check_inner(const struct frame *frame, const struct frame *wrapped, uint32_t l3, uint32_t overhead)
{
	struct frame inner = frame_of(malloc(wrapped->length), 0, 0);
	struct packet packet, original;

	ck_assert_int_eq(packet_parse(frame, &original), PACKET_OK);
	memcpy(inner.bytes, frame->bytes, l3);
	memcpy(inner.bytes + l3, wrapped->bytes + l3 + overhead, wrapped->length - l3 - overhead);
	inner.length = inner.wire_length = wrapped->length - overhead;
	ck_assert_int_eq(packet_parse(&inner, &packet), PACKET_OK);
	ck_assert_uint_eq(packet.hop_limit, original.hop_limit - 1);
	ck_assert(checksum_ok(&inner, &packet));
	ck_assert_uint_eq(packet.end, original.end);
	if (packet.source.family == ADDR_IPV4)
		ck_assert_uint_eq(checksum_finish(checksum_add(0, inner.bytes + l3, packet.l4 - packet.l3)), 0);
	ck_assert_mem_eq(inner.bytes + packet.l4, frame->bytes + original.l4, original.end - original.l4);
	free(inner.bytes);
}

/* What traces read of it: the method, and whose packet it is. */
static void
check_reader(enum encap_method method, const struct frame *frame, const struct frame *wrapped)
{
	struct packet packet, original;
	struct icmp_inner inner;

	ck_assert_int_eq(packet_parse(frame, &original), PACKET_OK);
	ck_assert_int_eq(decap_read(frame, &original, &inner), TUNNEL_NONE);
	(void)packet_parse(wrapped, &packet);
	ck_assert_str_eq(tunnel_kind_name(decap_read(wrapped, &packet, &inner)), encap_method_name(method));
	ck_assert(addr_equal(&inner.source, &original.source) && addr_equal(&inner.destination, &original.destination));
	ck_assert_uint_eq(inner.protocol, original.protocol);
	ck_assert(inner.has_ports);
	ck_assert_uint_eq(inner.source_port, original.source_port);
	ck_assert_uint_eq(inner.destination_port, original.destination_port);
}

static void
check_outer4(const uint8_t *ip, const uint8_t *inner, uint32_t length, uint8_t protocol)
{
	ck_assert_uint_eq(ip[0], 0x45);
	ck_assert_uint_eq(load16(ip + 2), length);
	ck_assert_uint_eq(ip[8], 64);
	ck_assert_uint_eq(ip[9], protocol);
	ck_assert_uint_eq(checksum_finish(checksum_add(0, ip, 20)), 0);
	ck_assert_mem_eq(ip + 12, director.bytes, 4);
	ck_assert_mem_eq(ip + 16, server.bytes, 4);
	if (inner[0] >> 4 == 4) {
		ck_assert_uint_eq(ip[1], inner[1]);
		ck_assert_uint_eq(load16(ip + 6), load16(inner + 6) & 0x4000);
	} else {
		ck_assert_uint_eq(ip[1], load16(inner) >> 4 & 0xff);
		ck_assert_uint_eq(load16(ip + 6), 0x4000);
	}
	if ((load16(ip + 6) & 0x4000) != 0)
		ck_assert_uint_eq(load16(ip + 4), 0);
}

static void
check_outer6(const uint8_t *ip, const uint8_t *inner, uint32_t length, uint8_t protocol)
{
	const uint32_t traffic_class = inner[0] >> 4 == 4 ? inner[1] : load16(inner) >> 4 & 0xff;

	ck_assert_uint_eq(load32(ip), 6U << 28 | traffic_class << 20 | (HASH & 0xfffff));
	ck_assert_uint_eq(load16(ip + 4), length - 40);
	ck_assert_uint_eq(ip[6], protocol);
	ck_assert_uint_eq(ip[7], 64);
	ck_assert_mem_eq(ip + 8, director6.bytes, 16);
	ck_assert_mem_eq(ip + 24, server6.bytes, 16);
}

static void
check_udp(const uint8_t *ip, const uint8_t *udp, uint32_t length, bool outer6)
{
	uint32_t sum;

	ck_assert_uint_ge(load16(udp), 49152);
	ck_assert_uint_eq(load16(udp + 2), GUE_PORT);
	ck_assert_uint_eq(load16(udp + 4), length);
	if (!outer6) {
		ck_assert_uint_eq(load16(udp + 6), 0);
		return;
	}
	sum = sample_pseudo6(ip, 17, length);
	ck_assert_uint_eq(sample_sum(udp, length, sum), 0xffff);
}

/* One method, family inside and outside, and kind of packet. */
static void
check_shape(size_t shape, bool outer6, const struct sample *sample)
{
	struct frame frame = sample_make(sample), wrapped;
	const uint32_t overhead = outer6 ? shapes[shape].ipv6 : shapes[shape].ipv4;
	const uint32_t l3 = sample->tagged ? 18 : 14;
	const uint8_t carried = sample->ipv6 ? 41 : 4;
	const uint8_t protocol = shapes[shape].protocol == 0 ? carried : shapes[shape].protocol;
	const uint8_t *ip, *inner, *shim;

	ck_assert(wrap(shapes[shape].method, outer6, &frame, &wrapped));
	ck_assert_uint_eq(encap_overhead(shapes[shape].method, outer6 ? ADDR_IPV6 : ADDR_IPV4), overhead);
	ip = wrapped.bytes + l3;
	inner = ip + overhead;
	shim = ip + (outer6 ? 40 : 20) + shapes[shape].udp;
	ck_assert_uint_eq(load16(ip - 2), outer6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4);
	if (outer6)
		check_outer6(ip, inner, wrapped.length - l3, protocol);
	else
		check_outer4(ip, inner, wrapped.length - l3, protocol);
	if (shapes[shape].udp != 0)
		check_udp(ip, shim - 8, (uint32_t)(wrapped.bytes + wrapped.length - (shim - 8)), outer6);
	if (shapes[shape].method == ENCAP_GRE)
		ck_assert_uint_eq(load32(shim), sample->ipv6 ? 0x86dd : 0x0800);
	if (shapes[shape].method == ENCAP_GUE)
		ck_assert_uint_eq(load32(shim), (uint32_t)carried << 16);
	check_inner(&frame, &wrapped, l3, overhead);
	check_reader(shapes[shape].method, &frame, &wrapped);
	sample_free(&frame);
	free(wrapped.bytes);
}

START_TEST(encap_writes_every_header)
{
	srand(11);
	for (int round = 0; round < 400; round++) {
		const struct sample sample = {
			.protocol = rand() % 2 == 0 ? PROTOCOL_TCP : PROTOCOL_UDP,
			.tagged = rand() % 3 == 0,
			.ipv6 = rand() % 2 == 0,
			.tcp_flags = TCP_ACK,
			.payload = (uint32_t)(rand() % 1400),
			.padding = (uint32_t)(rand() % 3),
			.fragment = 0,
			.identification = (uint16_t)rand(),
			.seed = (uint8_t)rand()
		};

		check_shape((size_t)_i, rand() % 2 == 0, &sample);
	}
}
END_TEST

START_TEST(encap_copies_dont_fragment_and_ecn)
{
	struct sample sample = { .protocol = PROTOCOL_TCP, .tcp_flags = TCP_ACK, .payload = 10, .fragment = 0x4000,
		.identification = 7 };
	struct frame frame = sample_make(&sample), wrapped;

	frame.bytes[14 + 1] = 0x2e | 3; /* EF and congestion experienced */
	ck_assert(wrap(ENCAP_IPIP, false, &frame, &wrapped));
	ck_assert_uint_eq(wrapped.bytes[14 + 1], 0x2f);
	ck_assert_uint_eq(load16(wrapped.bytes + 14 + 6), 0x4000);
	ck_assert_uint_eq(load16(wrapped.bytes + 14 + 4), 0);
	sample_free(&frame);
	free(wrapped.bytes);
	sample.fragment = 0;
	frame = sample_make(&sample);
	ck_assert(wrap(ENCAP_IPIP, false, &frame, &wrapped));
	ck_assert_uint_eq(load16(wrapped.bytes + 14 + 6), 0);
	ck_assert_uint_eq(load16(wrapped.bytes + 14 + 4), 7 ^ (HASH & 0xffff));
	sample_free(&frame);
	free(wrapped.bytes);
}
END_TEST

/* Of the outer UDP header over IPv6: 0xffff when it is right. */
static uint32_t
outer_sum(struct frame *frame)
{
	struct frame wrapped;
	const uint8_t *ip;
	uint32_t length, sum;

	ck_assert(wrap(ENCAP_GUE, true, frame, &wrapped));
	ip = wrapped.bytes + 14;
	length = wrapped.length - 14 - 40;
	sum = sample_sum(ip + 40, length, sample_pseudo6(ip, 17, length));
	free(wrapped.bytes);
	return sum;
}

/* The outer checksum is made of the inner one, or of all bytes where that does not cover them. */
START_TEST(encap_sums_over_ipv6)
{
	struct sample sample = { .protocol = PROTOCOL_UDP, .payload = 101, .identification = 7, .seed = 3 };
	struct frame frame = sample_make(&sample);
	uint8_t *udp = frame.bytes + 14 + 20;

	ck_assert_uint_eq(outer_sum(&frame), 0xffff);
	/* Damaged inside: damaged outside, so that the server drops it. */
	udp[8] ^= 0x40;
	ck_assert_uint_ne(outer_sum(&frame), 0xffff);
	/* Without a checksum, or with one that does not cover all. */
	store16(udp + 6, 0);
	ck_assert_uint_eq(outer_sum(&frame), 0xffff);
	store16(udp + 4, 8 + 100);
	store16(udp + 6, 0x1234);
	ck_assert_uint_eq(outer_sum(&frame), 0xffff);
	/* A fragment, and a damaged IP header. */
	store16(frame.bytes + 14 + 6, 0x2000);
	ck_assert_uint_eq(outer_sum(&frame), 0xffff);
	sample_free(&frame);
	sample.protocol = PROTOCOL_TCP;
	sample.tcp_flags = TCP_ACK;
	frame = sample_make(&sample);
	frame.bytes[14 + 10] ^= 1;
	ck_assert_uint_eq(outer_sum(&frame), 0xffff);
	sample_free(&frame);
}
END_TEST

START_TEST(encap_ends_loops)
{
	const struct sample sample = { .protocol = PROTOCOL_TCP, .ipv6 = true, .tcp_flags = TCP_ACK };
	struct frame frame = sample_make(&sample), wrapped;

	for (uint8_t hops = 0; hops < 3; hops++) {
		frame.bytes[14 + 7] = hops;
		ck_assert(wrap(ENCAP_IPIP, false, &frame, &wrapped) == (hops > 1));
		free(wrapped.bytes);
	}
	sample_free(&frame);
}
END_TEST

/* Cut anywhere, or with other headers than a method writes, it is no tunnel; the reader stays within what is there. */
START_TEST(encap_other_tunnels_are_not_read)
{
	const struct sample sample = { .protocol = PROTOCOL_TCP, .tcp_flags = TCP_ACK, .payload = 10 };
	const uint32_t header = 14 + shapes[_i].ipv4;
	struct frame frame = sample_make(&sample), wrapped, part;
	struct packet packet;
	struct icmp_inner inner;

	ck_assert(wrap(shapes[_i].method, false, &frame, &wrapped));
	(void)packet_parse(&wrapped, &packet);
	for (uint32_t end = 14; end < header + 20; end++) {
		part = frame_of(malloc(end), end, 0);
		memcpy(part.bytes, wrapped.bytes, end);
		packet.end = end;
		ck_assert_int_eq(decap_read(&part, &packet, &inner), TUNNEL_NONE);
		free(part.bytes);
	}
	packet.end = wrapped.length;
	wrapped.bytes[header] ^= 0xf0;
	if (shapes[_i].method == ENCAP_GRE || shapes[_i].method == ENCAP_GUE)
		wrapped.bytes[header - 4] = 0x80;
	ck_assert_int_eq(decap_read(&wrapped, &packet, &inner), TUNNEL_NONE);
	sample_free(&frame);
	free(wrapped.bytes);
}
END_TEST

START_TEST(encap_methods_have_names)
{
	enum encap_method method;

	for (int i = 0; i < ENCAP_METHODS; i++) {
		ck_assert_int_eq(encap_method_by_name(encap_method_name((enum encap_method)i), &method), 0);
		ck_assert_int_eq(method, i);
		ck_assert(encap_is_tunnel(method) == (encap_overhead(method, ADDR_IPV6) != 0));
	}
	ck_assert_int_eq(encap_method_by_name("vxlan", &method), -1);
}
END_TEST

Suite *
encap_suite(void)
{
	Suite *suite = suite_create("encap");
	TCase *tcase = tcase_create("encap");

	tcase_add_loop_test(tcase, encap_writes_every_header, 0, sizeof(shapes) / sizeof(shapes[0]));
	tcase_add_test(tcase, encap_copies_dont_fragment_and_ecn);
	tcase_add_test(tcase, encap_sums_over_ipv6);
	tcase_add_test(tcase, encap_ends_loops);
	tcase_add_loop_test(tcase, encap_other_tunnels_are_not_read, 0, sizeof(shapes) / sizeof(shapes[0]));
	tcase_add_test(tcase, encap_methods_have_names);
	suite_add_tcase(suite, tcase);
	return suite;
}
