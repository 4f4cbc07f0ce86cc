/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <string.h>

#include "base/attr.h"
#include "proto/packet.h"
#include "sample.h"
#include "suites.h"

static const struct packet nothing;

#define IP ETHER_HEADER /* offsets in a frame without IP options */
#define L4 (IP + 20)

static void
assert_for_vip(const struct packet *packet)
{
	static const uint8_t vip[4] = SAMPLE_VIP;
	struct addr expected = addr_from_ipv4(vip);

	ck_assert(addr_equal(&packet->destination, &expected));
}

/* Every header size with and without payload and padding. */
static const struct sample good[] = {
	{ .protocol = 6, .tcp_flags = TCP_SYN },
	{ .protocol = 6, .tcp_flags = TCP_ACK, .payload = 1 },
	{ .protocol = 6, .tcp_flags = TCP_ACK, .padding = 6 },
	{ .protocol = 6, .tcp_flags = TCP_ACK | TCP_PSH, .payload = 1460 },
	{ .protocol = 6, .tcp_flags = TCP_FIN | TCP_ACK, .tcp_options = 12, .payload = 3 },
	{ .protocol = 6, .tcp_flags = TCP_SYN, .tcp_options = 40, .ip_options = 40, .payload = 9 },
	{ .protocol = 6, .tcp_flags = TCP_RST, .ip_options = 4 },
	{ .protocol = 6, .tcp_flags = 0, .fragment = 0x4000 },
	{ .protocol = 6, .tcp_flags = TCP_ACK, .payload = 65535 - 40 },
	{ .protocol = 17 },
	{ .protocol = 17, .payload = 18, .padding = 1 },
	{ .protocol = 17, .payload = 65535 - 28 },
	{ .protocol = 17, .ip_options = 40, .payload = 7, .fragment = 0x4000 },
};

START_TEST(packet_reads)
{
	const struct sample *sample = &good[_i];
	static const uint8_t client[4] = SAMPLE_CLIENT;
	struct addr source = addr_from_ipv4(client);
	struct frame frame = sample_make(sample);
	uint32_t l4_header = sample->protocol == 6 ? 20 + sample->tcp_options : 8;
	struct packet packet;

	ck_assert_int_eq(packet_parse(&frame, &packet), PACKET_OK);
	ck_assert_mem_eq(packet.ether_destination.bytes, frame.bytes, 6);
	ck_assert_mem_eq(packet.ether_source.bytes, frame.bytes + 6, 6);
	ck_assert_uint_eq(packet.ethertype, 0x0800);
	ck_assert(addr_equal(&packet.source, &source));
	assert_for_vip(&packet);
	ck_assert_uint_eq(packet.protocol, sample->protocol);
	ck_assert(!packet.fragment);
	ck_assert_int_eq(packet.dont_fragment, sample->fragment == 0x4000);
	ck_assert_uint_eq(packet.l3, 14);
	ck_assert_uint_eq(packet.l4, 34 + sample->ip_options);
	ck_assert_uint_eq(packet.payload, 34 + sample->ip_options + l4_header);
	ck_assert_uint_eq(packet.end, packet.payload + sample->payload);
	ck_assert_uint_eq(packet.source_port, SAMPLE_CLIENT_PORT);
	ck_assert_uint_eq(packet.destination_port, SAMPLE_VIP_PORT);
	ck_assert_uint_eq(packet.tcp_flags, sample->tcp_flags);
	ck_assert_uint_eq(packet.tcp_sequence, sample->protocol == 6 ? SAMPLE_SEQUENCE : 0);
	ck_assert_uint_eq(packet.tcp_acknowledgement, sample->protocol == 6 ? SAMPLE_ACKNOWLEDGEMENT : 0);
	sample_free(&frame);
}
END_TEST

/* A frame cut anywhere is never OK, never read behind its end, and says for whom it was as soon as that is there. */
START_TEST(packet_cut_anywhere_is_truncated)
{
	struct sample sample = good[_i];
	struct frame frame;
	struct packet packet;

	sample.payload %= 100;
	frame = sample_make(&sample);
	for (uint32_t length = 0; length < frame.length; length++) {
		struct frame cut = sample_cut(&frame, length);

		ck_assert_int_eq(packet_parse(&cut, &packet), PACKET_TRUNCATED);
		if (length < 14)
			ck_assert_mem_eq(&packet, &nothing, sizeof(packet));
		else
			ck_assert_uint_eq(packet.ethertype, ETHERTYPE_IPV4);
		if (length < 34)
			ck_assert(!addr_is_set(&packet.destination));
		else
			assert_for_vip(&packet);
		/* The sender cut it: the wire had no more. Only missing padding is no harm then. */
		cut.wire_length = length;
		if (length < frame.length - sample.padding)
			ck_assert_int_eq(packet_parse(&cut, &packet), PACKET_TRUNCATED);
		else
			ck_assert_int_eq(packet_parse(&cut, &packet), PACKET_OK);
		sample_free(&cut);
	}
	ck_assert_int_eq(packet_parse(&frame, &packet), PACKET_OK);
	sample_free(&frame);
}
END_TEST

/* Bytes of a good frame are replaced, and the answer is another. */
static const struct {
	const char *what;
	struct sample sample;
	uint32_t offset;
	uint32_t length;
	uint8_t bytes[4];
	enum packet_status status;
} bad[] = {
	{ "version 6", { .protocol = 6 }, IP, 1, { 0x65 }, PACKET_MALFORMED },
	{ "version 0", { .protocol = 6 }, IP, 1, { 0x05 }, PACKET_MALFORMED },
	{ "header length 0", { .protocol = 6 }, IP, 1, { 0x40 }, PACKET_MALFORMED },
	{ "header length 16", { .protocol = 6 }, IP, 1, { 0x44 }, PACKET_MALFORMED },
	{ "header length beyond total", { .protocol = 17 }, IP, 1, { 0x4f }, PACKET_MALFORMED },
	{ "header ends with datagram", { .protocol = 6 }, IP, 1, { 0x4a }, PACKET_MALFORMED },
	{ "header leaves too few for TCP", { .protocol = 6 }, IP, 1, { 0x46 }, PACKET_MALFORMED },
	{ "header leaves too few for UDP", { .protocol = 17 }, IP, 1, { 0x46 }, PACKET_MALFORMED },
	{ "total length 0", { .protocol = 6, .payload = 100 }, IP + 2, 2, { 0, 0 }, PACKET_MALFORMED },
	{ "total length 19", { .protocol = 6 }, IP + 2, 2, { 0, 19 }, PACKET_MALFORMED },
	{ "total length under header", { .protocol = 6, .ip_options = 8 }, IP + 2, 2, { 0, 27 }, PACKET_MALFORMED },
	{ "only the IP header", { .protocol = 6 }, IP + 2, 2, { 0, 20 }, PACKET_MALFORMED },
	{ "19 bytes of TCP", { .protocol = 6 }, IP + 2, 2, { 0, 39 }, PACKET_MALFORMED },
	{ "7 bytes of UDP", { .protocol = 17 }, IP + 2, 2, { 0, 27 }, PACKET_MALFORMED },
	{ "total length one too many", { .protocol = 6 }, IP + 2, 2, { 0, 41 }, PACKET_TRUNCATED },
	{ "total length 65535", { .protocol = 6 }, IP + 2, 2, { 255, 255 }, PACKET_TRUNCATED },
	{ "total length into padding", { .protocol = 6, .padding = 6 }, IP + 2, 2, { 0, 46 }, PACKET_OK },
	{ "data offset 0", { .protocol = 6, .payload = 50 }, L4 + 12, 1, { 0x00 }, PACKET_MALFORMED },
	{ "data offset 16", { .protocol = 6, .payload = 50 }, L4 + 12, 1, { 0x40 }, PACKET_MALFORMED },
	{ "data offset beyond", { .protocol = 6 }, L4 + 12, 1, { 0x60 }, PACKET_MALFORMED },
	{ "data offset into padding", { .protocol = 6, .padding = 20 }, L4 + 12, 1, { 0x60 }, PACKET_MALFORMED },
	{ "data offset 60 of 64", { .protocol = 6, .payload = 44 }, L4 + 12, 1, { 0xf0 }, PACKET_OK },
	{ "data offset all", { .protocol = 6, .payload = 40 }, L4 + 12, 1, { 0xf0 }, PACKET_OK },
	{ "SYN FIN", { .protocol = 6, .tcp_flags = TCP_SYN | TCP_FIN }, 0, 0, { 0 }, PACKET_MALFORMED },
	{ "SYN RST", { .protocol = 6, .tcp_flags = TCP_SYN | TCP_RST }, 0, 0, { 0 }, PACKET_MALFORMED },
	{ "all flags", { .protocol = 6, .tcp_flags = 0xff }, 0, 0, { 0 }, PACKET_MALFORMED },
	{ "all flags but SYN", { .protocol = 6, .tcp_flags = 0xfd }, 0, 0, { 0 }, PACKET_OK },
	{ "SYN ECE CWR", { .protocol = 6, .tcp_flags = TCP_SYN | TCP_ECE | TCP_CWR }, 0, 0, { 0 }, PACKET_OK },
	{ "UDP length 0", { .protocol = 17, .payload = 4 }, L4 + 4, 2, { 0, 0 }, PACKET_MALFORMED },
	{ "UDP length 7", { .protocol = 17, .payload = 4 }, L4 + 4, 2, { 0, 7 }, PACKET_MALFORMED },
	{ "UDP length one too many", { .protocol = 17, .payload = 4 }, L4 + 4, 2, { 0, 13 }, PACKET_MALFORMED },
	{ "UDP length into padding", { .protocol = 17, .padding = 9 }, L4 + 4, 2, { 0, 9 }, PACKET_MALFORMED },
	{ "UDP length short of the end", { .protocol = 17, .payload = 4 }, L4 + 4, 2, { 0, 9 }, PACKET_OK },
	{ "bad header checksum", { .protocol = 6 }, IP + 10, 2, { 1, 2 }, PACKET_OK },
	{ "ICMP", { .protocol = 1, .payload = 8 }, 0, 0, { 0 }, PACKET_OK },
	{ "7 bytes of ICMP", { .protocol = 1, .payload = 7 }, 0, 0, { 0 }, PACKET_MALFORMED },
	{ "ICMP without anything", { .protocol = 1 }, 0, 0, { 0 }, PACKET_MALFORMED },
	{ "ICMPv6", { .protocol = 58, .payload = 8 }, 0, 0, { 0 }, PACKET_UNSUPPORTED },
	{ "SCTP", { .protocol = 132, .payload = 12 }, 0, 0, { 0 }, PACKET_OK },
	{ "11 bytes of SCTP", { .protocol = 132, .payload = 11 }, 0, 0, { 0 }, PACKET_MALFORMED },
	{ "AH", { .protocol = 51, .payload = 40 }, 0, 0, { 0 }, PACKET_UNSUPPORTED },
	{ "IP in IP", { .protocol = 4, .payload = 40 }, 0, 0, { 0 }, PACKET_UNSUPPORTED },
	{ "cut ICMP", { .protocol = 1, .payload = 8 }, IP + 2, 2, { 0, 200 }, PACKET_TRUNCATED },
	{ "ICMP fragment", { .protocol = 1, .payload = 8, .fragment = 0x2000 }, 0, 0, { 0 }, PACKET_OK },
	{ "7 bytes of a fragment", { .protocol = 1, .payload = 7, .fragment = 0x2000 }, 0, 0, { 0 }, PACKET_MALFORMED },
	{ "GRE fragment", { .protocol = 47, .payload = 8, .fragment = 0x0002 }, 0, 0, { 0 }, PACKET_UNSUPPORTED },
};

START_TEST(packet_judges)
{
	struct frame frame = sample_make(&bad[_i].sample);
	struct packet packet;

	memcpy(frame.bytes + bad[_i].offset, bad[_i].bytes, bad[_i].length);
	ck_assert_msg(packet_parse(&frame, &packet) == bad[_i].status, "%s", bad[_i].what);
	/* The destination counts with every status, but not when this is no IPv4 at all. */
	if (frame.bytes[IP] >> 4 == 4)
		assert_for_vip(&packet);
	else
		ck_assert(!addr_is_set(&packet.destination));
	sample_free(&frame);
}
END_TEST

/* A fragment may be short or odd, or too long with the others: whoever puts them together judges that. */
static const struct {
	struct sample sample;
	bool has_ports;
	bool more;
	uint16_t offset;
} fragments[] = {
	{ { .protocol = 6, .tcp_flags = TCP_SYN, .payload = 100, .fragment = 0x2000 }, true, true, 0 },
	{ { .protocol = 6, .tcp_flags = TCP_SYN | TCP_FIN, .payload = 100, .fragment = 0x2001 }, false, true, 8 },
	{ { .protocol = 6, .payload = 100, .fragment = 0x0001 }, false, false, 8 },
	{ { .protocol = 6, .payload = 100, .fragment = 0x1fff }, false, false, 65528 },
	{ { .protocol = 6, .payload = 8, .fragment = 0x4003 }, false, false, 24 },
	{ { .protocol = 17, .payload = 100, .fragment = 0x2000 }, true, true, 0 },
	{ { .protocol = 17, .payload = 0, .fragment = 0x00b9 }, false, false, 1480 },
	{ { .protocol = 132, .payload = 12, .fragment = 0x2000 }, true, true, 0 },
	{ { .protocol = 132, .payload = 11, .fragment = 0x2000 }, false, true, 0 },
	{ { .protocol = 132, .payload = 12, .fragment = 0x2002 }, false, true, 16 },
	{ { .protocol = 1, .payload = 100, .fragment = 0x2002 }, false, true, 16 },
};

START_TEST(packet_reads_ports_of_first_fragments_only)
{
	struct sample sample = fragments[_i].sample;
	struct frame frame;
	struct packet packet;

	sample.identification = 0xbeef;
	frame = sample_make(&sample);
	ck_assert_int_eq(packet_parse(&frame, &packet), PACKET_OK);
	ck_assert(packet.fragment);
	ck_assert_int_eq(packet.more_fragments, fragments[_i].more);
	ck_assert_uint_eq(packet.fragment_offset, fragments[_i].offset);
	ck_assert_uint_eq(packet.fragment_id, 0xbeef);
	ck_assert_int_eq(packet.has_ports, fragments[_i].has_ports);
	ck_assert_uint_eq(packet.l4, 34);
	/* SCTP's bytes are the sample's payload, which begins with 0. */
	if (fragments[_i].has_ports && sample.protocol != 132) {
		ck_assert_uint_eq(packet.source_port, SAMPLE_CLIENT_PORT);
		ck_assert_uint_eq(packet.destination_port, SAMPLE_VIP_PORT);
		ck_assert_uint_eq(packet.tcp_flags, sample.tcp_flags);
	} else if (!fragments[_i].has_ports) {
		ck_assert_uint_eq(packet.source_port, 0);
		ck_assert_uint_eq(packet.destination_port, 0);
		ck_assert_uint_eq(packet.tcp_flags, 0);
		ck_assert_uint_eq(packet.payload, 34);
	}
	assert_for_vip(&packet);
	sample_free(&frame);
}
END_TEST

/* The first fragment ends within the transport header: no ports, and nothing read behind the end. */
START_TEST(packet_takes_first_fragments_of_any_length)
{
	struct sample sample = { .protocol = _i == 0 ? 6 : 17, .tcp_options = 8, .fragment = 0x2000 };
	const uint32_t header = _i == 0 ? 28 : 8;
	struct frame frame = sample_make(&sample);
	struct packet packet;

	for (uint32_t length = 0; length <= header; length++) {
		struct frame cut;

		frame.bytes[IP + 3] = (uint8_t)(20 + length);
		cut = sample_cut(&frame, L4 + length);
		cut.wire_length = cut.length;
		ck_assert_int_eq(packet_parse(&cut, &packet), PACKET_OK);
		ck_assert(packet.fragment);
		ck_assert_int_eq(packet.has_ports, length == header);
		ck_assert_uint_eq(packet.payload, length == header ? L4 + header : L4);
		sample_free(&cut);
	}
	sample_free(&frame);
}
END_TEST

START_TEST(packet_takes_fragments_without_a_whole_header)
{
	struct sample sample = { .protocol = 6, .fragment = 0x0003 };
	struct frame frame = sample_make(&sample);
	struct packet packet;

	frame.bytes[IP + 3] = 21; /* one byte of data */
	frame.length = frame.wire_length = IP + 21;
	ck_assert_int_eq(packet_parse(&frame, &packet), PACKET_OK);
	ck_assert(packet.fragment);
	ck_assert_uint_eq(packet.end, IP + 21);
	sample_free(&frame);
}
END_TEST

static const struct {
	uint16_t ethertype;
	enum packet_status status;
} types[] = {
	{ 0x0806, PACKET_OK }, { 0x88a8, PACKET_UNSUPPORTED }, { 0x9100, PACKET_UNSUPPORTED },
	{ 0x88cc, PACKET_UNSUPPORTED },
	{ 0x0026, PACKET_UNSUPPORTED } /* IEEE 802.3 length */
};

START_TEST(packet_knows_ethertypes)
{
	struct sample sample = { .protocol = 6 };
	struct frame frame = sample_make(&sample);
	struct packet packet, expected = nothing;
	struct frame cut;

	frame.bytes[12] = (uint8_t)(types[_i].ethertype >> 8);
	frame.bytes[13] = (uint8_t)types[_i].ethertype;
	ck_assert_int_eq(packet_parse(&frame, &packet), types[_i].status);
	memcpy(expected.ether_destination.bytes, frame.bytes, 6);
	memcpy(expected.ether_source.bytes, frame.bytes + 6, 6);
	expected.ethertype = types[_i].ethertype;
	ck_assert_mem_eq(&packet, &expected, sizeof(packet));
	/* Nothing behind the Ethernet header is looked at. */
	cut = sample_cut(&frame, 14);
	ck_assert_int_eq(packet_parse(&cut, &packet), types[_i].status);
	ck_assert_mem_eq(&packet, &expected, sizeof(packet));
	sample_free(&cut);
	sample_free(&frame);
}
END_TEST

/* Whatever the bytes say, an accepted packet's offsets lie inside its frame. */
START_TEST(packet_offsets_hold_for_noise)
{
	struct sample sample = { .protocol = 6, .payload = 30, .tcp_options = 8, .tcp_flags = TCP_ACK };
	unsigned accepted = 0;
	uint32_t noise = 12345;

	for (int round = 0; round < 100000; round++) {
		uint8_t bytes[100];
		struct frame whole = { .bytes = bytes, .length = sizeof(bytes), .wire_length = sizeof(bytes) };
		struct packet packet;

		if (round == 0)
			memset(bytes, 0, sizeof(bytes));
		if (round % 8 == 0) {
			struct frame frame = sample_make(&sample);

			memcpy(bytes, frame.bytes, frame.length);
			sample_free(&frame);
		}
		noise = noise * 1664525u + 1013904223u;
		bytes[12 + (noise >> 8) % 40] = (uint8_t)(noise >> 24);
		if (packet_parse(&whole, &packet) != PACKET_OK || packet.ethertype != ETHERTYPE_IPV4)
			continue;
		accepted++;
		ck_assert_uint_eq(packet.l3, 14);
		ck_assert_uint_ge(packet.l4, 34);
		ck_assert_uint_ge(packet.payload, packet.l4);
		ck_assert_uint_le(packet.payload, packet.end);
		ck_assert_uint_le(packet.end, sizeof(bytes));
		if (packet.has_ports)
			ck_assert_uint_ge(packet.payload - packet.l4, packet.protocol == 6 ? 20 : 8);
	}
	ck_assert_uint_gt(accepted, 1000);
}
END_TEST

Suite *
packet_suite(void)
{
	Suite *suite = suite_create("packet");
	TCase *tcase = tcase_create("packet");

	tcase_add_loop_test(tcase, packet_reads, 0, (int)ARRAY_LEN(good));
	tcase_add_loop_test(tcase, packet_cut_anywhere_is_truncated, 0, (int)ARRAY_LEN(good));
	tcase_add_loop_test(tcase, packet_judges, 0, (int)ARRAY_LEN(bad));
	tcase_add_loop_test(tcase, packet_reads_ports_of_first_fragments_only, 0, (int)ARRAY_LEN(fragments));
	tcase_add_loop_test(tcase, packet_takes_first_fragments_of_any_length, 0, 2);
	tcase_add_test(tcase, packet_takes_fragments_without_a_whole_header);
	tcase_add_loop_test(tcase, packet_knows_ethertypes, 0, (int)ARRAY_LEN(types));
	tcase_add_test(tcase, packet_offsets_hold_for_noise);
	suite_add_tcase(suite, tcase);
	return suite;
}
