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
	tcase_add_test(tcase, readdress_refuses_authenticated_packets);
	suite_add_tcase(suite, tcase);
	return suite;
}
