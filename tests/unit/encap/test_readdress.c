/* SPDX-License-Identifier: ISC */
/* Incremental checksums against full recomputation, over packets of every kind. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "encap/encap.h"
#include "proto/checksum.h"
#include "sample.h"
#include "suites.h"

#define ROUNDS 20000

static const uint8_t protocols[] = { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP, PROTOCOL_ICMP };

static struct sample
random_sample(void)
{
	struct sample sample = {
		.protocol = protocols[rand() % 4],
		.tagged = rand() % 4 == 0,
		.ipv6 = rand() % 2 == 0,
		.tcp_flags = TCP_ACK,
		.tcp_options = (uint32_t)(rand() % 11) * 4,
		.payload = (uint32_t)(16 + rand() % 1400),
		.identification = (uint16_t)rand(),
		.seed = (uint8_t)rand()
	};

	if (sample.ipv6 && sample.protocol == PROTOCOL_ICMP)
		sample.protocol = PROTOCOL_ICMPV6;
	if (!sample.ipv6)
		sample.ip_options = (uint32_t)(rand() % 11) * 4;
	return sample;
}

static struct addr
random_server(bool ipv6)
{
	struct addr server = { .family = ipv6 ? ADDR_IPV6 : ADDR_IPV4 };

	for (int i = 0; i < (ipv6 ? 16 : 4); i++)
		server.bytes[i] = (uint8_t)rand();
	return server;
}

static uint8_t
class_of(const struct frame *frame, const struct packet *packet)
{
	const uint8_t *ip = frame->bytes + packet->l3;

	return packet->ethertype == ETHERTYPE_IPV4 ? ip[1] : (uint8_t)(load16(ip) >> 4);
}

/* What the whole packet must be: the addresses and class written, all checksums computed from nothing. */
static struct frame
recomputed(const struct frame *frame, const struct packet *packet, const struct addr *server, uint8_t dscp)
{
	struct frame copy = sample_cut(frame, frame->length);
	struct packet parsed = *packet;
	uint8_t *ip = copy.bytes + packet->l3;
	const uint8_t byte = (uint8_t)(dscp << 2 | (class_of(frame, packet) & 3));

	if (packet->ethertype == ETHERTYPE_IPV4) {
		ip[1] = byte;
		memcpy(ip + 16, server->bytes, 4);
	} else {
		ip[0] = (uint8_t)(0x60 | byte >> 4);
		ip[1] = (uint8_t)(byte << 4 | (ip[1] & 15));
		memcpy(ip + 24, server->bytes, 16);
	}
	parsed.destination = *server;
	checksum_ipv4_header(&copy, &parsed);
	checksum_transport(&copy, &parsed);
	return copy;
}

START_TEST(readdress_equals_full_recomputation)
{
	srand(3);
	for (int round = 0; round < ROUNDS; round++) {
		const struct sample sample = random_sample();
		struct frame frame = sample_make(&sample), expected;
		const struct addr server = random_server(sample.ipv6);
		const uint8_t dscp = (uint8_t)(rand() % 64);
		struct packet packet;

		if (packet_parse(&frame, &packet) != PACKET_OK) {
			sample_free(&frame);
			continue;
		}
		checksum_transport(&frame, &packet);
		expected = recomputed(&frame, &packet, &server, dscp);
		ck_assert(encap_readdress(&frame, &packet, &server, dscp));
		/* One right checksum in 65536 looks unfinished, and the way out finishes it. */
		(void)checksum_complete(&frame, &packet);
		ck_assert_msg(memcmp(frame.bytes, expected.bytes, frame.length) == 0, "round %d protocol %u", round,
		    sample.protocol);
		ck_assert(addr_equal(&packet.destination, &server));
		sample_free(&frame);
		sample_free(&expected);
	}
}
END_TEST

START_TEST(readdress_keeps_unfinished_checksums_unfinished)
{
	srand(4);
	for (int round = 0; round < ROUNDS; round++) {
		struct sample sample = random_sample();
		const struct addr server = random_server(sample.ipv6);
		struct frame frame;
		struct packet packet;

		sample.protocol = protocols[rand() % 2];
		frame = sample_make(&sample);
		ck_assert_int_eq(packet_parse(&frame, &packet), PACKET_OK);
		checksum_leave(&frame, &packet);
		ck_assert(encap_readdress(&frame, &packet, &server, 5));
		ck_assert(checksum_is_unfinished(&frame, &packet));
		(void)checksum_complete(&frame, &packet);
		ck_assert(checksum_ok(&frame, &packet));
		sample_free(&frame);
	}
}
END_TEST

/* A checksum that was wrong must not become right: the receiver is to notice. */
START_TEST(readdress_keeps_wrong_checksums_wrong)
{
	srand(5);
	for (int round = 0; round < 2000; round++) {
		struct sample sample = random_sample();
		const struct addr server = random_server(sample.ipv6);
		struct frame frame;
		struct packet packet;
		uint8_t *field;

		sample.protocol = PROTOCOL_TCP;
		frame = sample_make(&sample);
		ck_assert_int_eq(packet_parse(&frame, &packet), PACKET_OK);
		field = checksum_field(&frame, &packet);
		store16(field, (uint16_t)(load16(field) ^ 0x0101));
		if (!checksum_is_unfinished(&frame, &packet)) {
			ck_assert(encap_readdress(&frame, &packet, &server, 5));
			ck_assert(!checksum_ok(&frame, &packet));
		}
		sample_free(&frame);
	}
}
END_TEST

START_TEST(readdress_leaves_absent_udp_checksums)
{
	const struct sample sample = { .protocol = PROTOCOL_UDP, .payload = 40 };
	struct frame frame = sample_make(&sample);
	const struct addr server = { ADDR_IPV4, { 198, 51, 100, 9 } };
	struct packet packet;

	ck_assert_int_eq(packet_parse(&frame, &packet), PACKET_OK);
	store16(checksum_field(&frame, &packet), 0);
	ck_assert(encap_readdress(&frame, &packet, &server, 5));
	ck_assert_uint_eq(load16(checksum_field(&frame, &packet)), 0);
	sample_free(&frame);
}
END_TEST

/* The datagram's checksum is in its first fragment; later ones have none, and their bytes stay. */
START_TEST(readdress_serves_fragments)
{
	const struct addr server = { ADDR_IPV4, { 198, 51, 100, 9 } };
	struct sample sample = { .protocol = PROTOCOL_UDP, .payload = 1200, .seed = 9 };
	struct frame whole = sample_make(&sample), fragment = sample_cut(&whole, whole.length);
	struct packet packet, part;

	ck_assert_int_eq(packet_parse(&whole, &packet), PACKET_OK);
	/* First fragment: the same bytes with More Fragments set. */
	store16(fragment.bytes + 14 + 6, 0x2000);
	ck_assert_int_eq(packet_parse(&fragment, &part), PACKET_OK);
	checksum_ipv4_header(&fragment, &part);
	ck_assert(part.fragment);
	ck_assert(encap_readdress(&fragment, &part, &server, 5));
	ck_assert(encap_readdress(&whole, &packet, &server, 5));
	ck_assert_mem_eq(fragment.bytes + part.l4, whole.bytes + packet.l4, packet.end - packet.l4);
	ck_assert_uint_eq(checksum_finish(checksum_add(0, fragment.bytes + 14, 20)), 0);
	/* A later one: only the IP header changes. */
	store16(fragment.bytes + 14 + 6, 185);
	ck_assert_int_eq(packet_parse(&fragment, &part), PACKET_OK);
	checksum_ipv4_header(&fragment, &part);
	ck_assert(encap_readdress(&fragment, &part, &server, 9));
	ck_assert_mem_eq(fragment.bytes + part.l4, whole.bytes + packet.l4, packet.end - packet.l4);
	ck_assert_uint_eq(checksum_finish(checksum_add(0, fragment.bytes + 14, 20)), 0);
	sample_free(&fragment);
	sample_free(&whole);
}
END_TEST

/* The part of a whole packet's payload from `from` on, as a fragment: RFC 791 section 3.2, RFC 8200 section 4.5. */
static struct frame
cut_fragment(const struct frame *whole, const struct packet *packet, uint32_t from, uint32_t length, bool more)
{
	const bool ipv4 = packet->ethertype == ETHERTYPE_IPV4;
	const uint32_t extension = ipv4 ? 0 : 8, headers = packet->l4 + extension;
	struct frame fragment = frame_of(malloc(headers + length), headers + length, 0);
	uint8_t *ip = fragment.bytes + packet->l3;

	memcpy(fragment.bytes, whole->bytes, packet->l4);
	memcpy(fragment.bytes + headers, whole->bytes + packet->l4 + from, length);
	if (ipv4) {
		store16(ip + 2, (uint16_t)(headers - packet->l3 + length));
		store16(ip + 6, (uint16_t)(from / 8 | (more ? 0x2000 : 0)));
		store16(ip + 10, 0);
		store16(ip + 10, (uint16_t)~sample_sum(ip, packet->l4 - packet->l3, 0));
	} else {
		store16(ip + 4, (uint16_t)(8 + length));
		ip[40] = ip[6];
		ip[41] = 0;
		store16(ip + 42, (uint16_t)(from | more));
		store32(ip + 44, 0x12345678);
		ip[6] = 44;
	}
	return fragment;
}

/* Readdresses the fragment, and puts its payload where the reassembling receiver does. */
static void
receive_fragment(struct frame *fragment, const struct addr *server, uint8_t *payload, uint32_t from)
{
	struct packet part;

	ck_assert_int_eq(packet_parse(fragment, &part), PACKET_OK);
	ck_assert(part.fragment);
	ck_assert(encap_readdress(fragment, &part, server, 9));
	ck_assert(addr_equal(&part.destination, server));
	ck_assert_uint_eq(class_of(fragment, &part) >> 2, 9);
	if (part.ethertype == ETHERTYPE_IPV4)
		ck_assert_uint_eq(sample_sum(fragment->bytes + part.l3, part.l4 - part.l3, 0), 0xffff);
	memcpy(payload + from, fragment->bytes + part.l4, part.end - part.l4);
	free(fragment->bytes);
}

/* What the server puts together again is what it would have got in one piece. */
START_TEST(readdress_serves_any_fragments)
{
	static const uint8_t kinds[] = { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_ICMP, PROTOCOL_SCTP };

	srand(6);
	for (int round = 0; round < ROUNDS / 4; round++) {
		struct sample sample = random_sample();
		const struct addr server = random_server(sample.ipv6);
		struct frame whole, first, second;
		uint8_t payload[2048];
		struct packet packet;
		uint32_t length, cut;

		sample.protocol = kinds[rand() % 4];
		if (sample.protocol == PROTOCOL_ICMP && sample.ipv6)
			sample.protocol = PROTOCOL_ICMPV6;
		sample.payload += 64;
		whole = sample_make(&sample);
		ck_assert_int_eq(packet_parse(&whole, &packet), PACKET_OK);
		checksum_transport(&whole, &packet);
		length = packet.end - packet.l4;
		cut = (8 + (uint32_t)rand() % (length / 8 - 8)) * 8;
		first = cut_fragment(&whole, &packet, 0, cut, true);
		second = cut_fragment(&whole, &packet, cut, length - cut, false);
		receive_fragment(&first, &server, payload, 0);
		receive_fragment(&second, &server, payload, cut);
		ck_assert(encap_readdress(&whole, &packet, &server, 9));
		(void)checksum_complete(&whole, &packet);
		ck_assert(checksum_ok(&whole, &packet));
		/* As above, one in 65536 looked unfinished when it was whole. */
		if (memcmp(payload, whole.bytes + packet.l4, length) != 0) {
			memcpy(whole.bytes + packet.l4, payload, length);
			ck_assert_msg(checksum_ok(&whole, &packet), "round %d protocol %u", round, sample.protocol);
		}
		sample_free(&whole);
	}
}
END_TEST

START_TEST(readdress_refuses_authenticated_packets)
{
	const struct sample sample = { .protocol = PROTOCOL_TCP, .ipv6 = true, .tcp_flags = TCP_ACK,
		.extension_count = 1, .extensions = { 51 }, .payload = 20 };
	struct frame frame = sample_make(&sample), before = sample_cut(&frame, frame.length);
	const struct addr server = { ADDR_IPV6, { 0x20, 0x01 } };
	struct packet packet;

	ck_assert_int_eq(packet_parse(&frame, &packet), PACKET_OK);
	ck_assert(packet.authenticated);
	ck_assert(!encap_readdress(&frame, &packet, &server, 5));
	ck_assert_mem_eq(frame.bytes, before.bytes, frame.length);
	sample_free(&frame);
	sample_free(&before);
}
END_TEST

Suite *
readdress_suite(void)
{
	Suite *suite = suite_create("readdress");
	TCase *tcase = tcase_create("readdress");

	tcase_add_test(tcase, readdress_equals_full_recomputation);
	tcase_add_test(tcase, readdress_keeps_unfinished_checksums_unfinished);
	tcase_add_test(tcase, readdress_keeps_wrong_checksums_wrong);
	tcase_add_test(tcase, readdress_leaves_absent_udp_checksums);
	tcase_add_test(tcase, readdress_serves_fragments);
	tcase_add_test(tcase, readdress_serves_any_fragments);
	tcase_add_test(tcase, readdress_refuses_authenticated_packets);
	suite_add_tcase(suite, tcase);
	return suite;
}
