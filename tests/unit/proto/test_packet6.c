/* SPDX-License-Identifier: ISC */
/* packet_parse() of IPv6 and of VLAN tags; what IPv4 is tested for without them is in test_packet.c. */
#include "config.h"

#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "proto/ipv6.h"
#include "proto/packet.h"
#include "sample.h"
#include "suites.h"

#define HOP_BY_HOP 0
#define ROUTING 43
#define FRAGMENT 44
#define ESP 50
#define AH 51
#define NO_NEXT 59
#define OPTIONS 60

#define IP ETHER_HEADER /* offsets in a frame without a tag and extension headers */
#define L4 (IP + 40)

static void
assert_addresses(const struct packet *packet, bool ipv6)
{
	static const uint8_t client[16] = SAMPLE_CLIENT6, vip[16] = SAMPLE_VIP6;
	static const uint8_t client4[4] = SAMPLE_CLIENT, vip4[4] = SAMPLE_VIP;
	struct addr source = ipv6 ? addr_from_ipv6(client) : addr_from_ipv4(client4);
	struct addr destination = ipv6 ? addr_from_ipv6(vip) : addr_from_ipv4(vip4);

	ck_assert(addr_equal(&packet->source, &source));
	ck_assert(addr_equal(&packet->destination, &destination));
}

static const struct sample good[] = {
	{ .ipv6 = true, .protocol = 6, .tcp_flags = TCP_SYN },
	{ .ipv6 = true, .protocol = 6, .tcp_flags = TCP_ACK, .tcp_options = 12, .payload = 33 },
	{ .ipv6 = true, .protocol = 6, .tcp_flags = TCP_ACK, .payload = 65535 - 20 },
	{ .ipv6 = true, .protocol = 17 },
	{ .ipv6 = true, .protocol = 17, .payload = 5, .padding = 3 },
	{ .ipv6 = true, .protocol = 132, .payload = 12 },
	{ .ipv6 = true, .protocol = 58, .payload = 8 },
	{ .ipv6 = true, .protocol = 58, .payload = 99, .tagged = true },
	{ .ipv6 = true, .protocol = 6, .extension_count = 1, .extensions = { HOP_BY_HOP } },
	{ .ipv6 = true, .protocol = 6, .extension_count = 1, .extensions = { ROUTING }, .payload = 2 },
	{ .ipv6 = true, .protocol = 17, .extension_count = 1, .extensions = { OPTIONS }, .tagged = true },
	{ .ipv6 = true, .protocol = 17, .extension_count = 1, .extensions = { AH }, .payload = 2 },
	{ .ipv6 = true, .protocol = 17, .extension_count = 1, .extensions = { FRAGMENT }, .payload = 2 },
	{ .ipv6 = true, .protocol = 58, .extension_count = 4, .extensions = { HOP_BY_HOP, OPTIONS, ROUTING, AH },
	    .payload = 8, .padding = 1 },
	{ .ipv6 = true, .protocol = 6, .extension_count = 8, .extensions = { HOP_BY_HOP, AH, OPTIONS, FRAGMENT, OPTIONS,
	    AH, OPTIONS, ROUTING }, .payload = 8 },
	{ .tagged = true, .protocol = 6, .tcp_flags = TCP_SYN },
	{ .tagged = true, .protocol = 6, .ip_options = 12, .tcp_options = 8, .payload = 9, .padding = 2 },
	{ .tagged = true, .protocol = 17, .payload = 65535 - 28 },
	{ .tagged = true, .protocol = 132, .payload = 12 },
	{ .tagged = true, .protocol = 1, .payload = 8 },
};

static bool
has_ports(const struct sample *sample)
{
	return sample->protocol == 6 || sample->protocol == 17 || sample->protocol == 132;
}

static void
assert_transport(const struct packet *packet, const struct sample *sample)
{
	ck_assert_int_eq(packet->has_ports, has_ports(sample));
	/* SCTP's and ICMP's headers are the payload: 0, 1, 2 ... */
	if (sample->protocol == 132) {
		ck_assert_uint_eq(packet->source_port, 0x0001);
		ck_assert_uint_eq(packet->destination_port, 0x0203);
		ck_assert_uint_eq(packet->payload, packet->l4 + 12);
	} else if (has_ports(sample)) {
		ck_assert_uint_eq(packet->source_port, SAMPLE_CLIENT_PORT);
		ck_assert_uint_eq(packet->destination_port, SAMPLE_VIP_PORT);
		ck_assert_uint_eq(packet->tcp_flags, sample->tcp_flags);
		ck_assert_uint_eq(packet->tcp_sequence, sample->protocol == 6 ? SAMPLE_SEQUENCE : 0);
		ck_assert_uint_eq(packet->payload, packet->end - sample->payload);
	} else {
		ck_assert_uint_eq(packet->icmp_type, sample->seed);
		ck_assert_uint_eq(packet->icmp_code, sample->seed + 1);
		ck_assert_uint_eq(packet->payload, packet->l4 + 8);
		ck_assert_uint_eq(packet->source_port, 0);
	}
}

START_TEST(packet6_reads)
{
	struct sample sample = good[_i];
	struct frame frame;
	struct packet packet;

	sample.seed = has_ports(&sample) ? 0 : 128;
	frame = sample_make(&sample);
	ck_assert_int_eq(packet_parse(&frame, &packet), PACKET_OK);
	ck_assert_uint_eq(packet.ethertype, sample.ipv6 ? 0x86dd : 0x0800);
	ck_assert_int_eq(packet.tagged, sample.tagged);
	ck_assert_uint_eq(packet.vlan_tci, sample.tagged ? SAMPLE_TCI : 0);
	assert_addresses(&packet, sample.ipv6);
	ck_assert_uint_eq(packet.protocol, sample.protocol);
	ck_assert_uint_eq(packet.hop_limit, sample.ipv6 ? 61 : 64);
	ck_assert_int_eq(packet.dont_fragment, sample.ipv6);
	ck_assert(!packet.fragment && !packet.more_fragments);
	ck_assert_uint_eq(packet.fragment_offset, 0);
	ck_assert_uint_eq(packet.fragment_id, 0);
	ck_assert_int_eq(packet.authenticated, memchr(sample.extensions, AH, sample.extension_count) != NULL);
	ck_assert_uint_eq(packet.l3, sample.tagged ? 18 : 14);
	ck_assert_uint_eq(packet.l4, sample_l4(&sample));
	ck_assert_uint_eq(packet.end, frame.length - sample.padding);
	assert_transport(&packet, &sample);
	sample_free(&frame);
}
END_TEST

/* Cut anywhere, by the capture or by the sender, a frame is truncated, and tells its addresses once they are there. */
START_TEST(packet6_cut_anywhere_is_truncated)
{
	struct sample sample = good[_i];
	const uint32_t l3 = sample.tagged ? 18 : 14;
	const uint32_t header = sample.ipv6 ? 40 : 20;
	struct frame frame;
	struct packet packet;

	sample.payload %= 100;
	frame = sample_make(&sample);
	for (uint32_t length = 0; length < frame.length; length++) {
		struct frame cut = sample_cut(&frame, length);

		ck_assert_int_eq(packet_parse(&cut, &packet), PACKET_TRUNCATED);
		if (length < l3 + header)
			ck_assert(!addr_is_set(&packet.destination) && !addr_is_set(&packet.source));
		else
			assert_addresses(&packet, sample.ipv6);
		ck_assert(!packet.has_ports);
		cut.wire_length = length;
		ck_assert_int_eq(packet_parse(&cut, &packet),
		    length < frame.length - sample.padding ? PACKET_TRUNCATED : PACKET_OK);
		sample_free(&cut);
	}
	sample_free(&frame);
}
END_TEST

/* The datagram's own length cuts it: then what stands in it contradicts that. Never is anything read behind its end. */
START_TEST(packet6_short_datagram_is_malformed)
{
	struct sample sample = good[_i];
	const uint32_t l3 = sample.tagged ? 18 : 14;
	struct frame frame;
	struct packet packet;
	uint32_t least;

	if (!sample.ipv6)
		return;
	sample.payload %= 100;
	frame = sample_make(&sample);
	/* Up to where the transport header ends; UDP says itself how long it is. */
	least = sample_l4(&sample) - l3 - 40;
	if (sample.protocol == 6)
		least += 20 + sample.tcp_options;
	else
		least += sample.protocol == 17 ? 8 + sample.payload : sample.protocol == 58 ? 8 : 12;
	for (uint32_t length = 0; length <= least; length++) {
		struct frame cut;

		store16(frame.bytes + l3 + 4, (uint16_t)length);
		cut = sample_cut(&frame, l3 + 40 + length);
		cut.wire_length = cut.length;
		if (length == 0)
			ck_assert_int_eq(packet_parse(&cut, &packet), PACKET_UNSUPPORTED);
		else
			ck_assert_int_eq(packet_parse(&cut, &packet), length < least ? PACKET_MALFORMED : PACKET_OK);
		assert_addresses(&packet, true);
		sample_free(&cut);
	}
	sample_free(&frame);
}
END_TEST

/* Bytes of a good frame are replaced, and the answer is another. */
#define V6 .ipv6 = true, .payload = 60
#define ONE(extension) .extension_count = 1, .extensions = { extension }
#define TWO(first, second) .extension_count = 2, .extensions = { first, second }
static const struct {
	const char *what;
	struct sample sample;
	uint32_t offset;
	uint32_t length;
	uint8_t bytes[4];
	enum packet_status status;
} bad[] = {
	{ "version 4", { V6, .protocol = 6 }, IP, 1, { 0x41 }, PACKET_MALFORMED },
	{ "version 0", { V6, .protocol = 6 }, IP, 1, { 0x01 }, PACKET_MALFORMED },
	{ "one byte too many", { V6, .protocol = 6 }, IP + 4, 2, { 0, 81 }, PACKET_TRUNCATED },
	{ "65535 bytes", { V6, .protocol = 6 }, IP + 4, 2, { 255, 255 }, PACKET_TRUNCATED },
	{ "length into padding", { V6, .protocol = 6, .padding = 1 }, IP + 4, 2, { 0, 81 }, PACKET_OK },
	{ "jumbogram", { V6, .protocol = 6, ONE(HOP_BY_HOP) }, IP + 4, 2, { 0, 0 }, PACKET_UNSUPPORTED },
	{ "length 0", { V6, .protocol = 6 }, IP + 4, 2, { 0, 0 }, PACKET_UNSUPPORTED },
	{ "ICMP of IPv4", { V6, .protocol = 1 }, 0, 0, { 0 }, PACKET_UNSUPPORTED },
	{ "no next header", { V6, .protocol = NO_NEXT }, 0, 0, { 0 }, PACKET_UNSUPPORTED },
	{ "ESP", { V6, .protocol = ESP }, 0, 0, { 0 }, PACKET_UNSUPPORTED },
	{ "GRE", { V6, .protocol = 47 }, 0, 0, { 0 }, PACKET_UNSUPPORTED },
	{ "OSPF behind options", { V6, .protocol = 89, ONE(OPTIONS) }, 0, 0, { 0 }, PACKET_UNSUPPORTED },
	{ "mobility", { V6, .protocol = 135 }, 0, 0, { 0 }, PACKET_UNSUPPORTED },
	{ "HIP", { V6, .protocol = 139 }, 0, 0, { 0 }, PACKET_UNSUPPORTED },
	{ "shim6", { V6, .protocol = 140 }, 0, 0, { 0 }, PACKET_UNSUPPORTED },
	{ "hop-by-hop second", { V6, .protocol = 6, TWO(OPTIONS, HOP_BY_HOP) }, 0, 0, { 0 }, PACKET_MALFORMED },
	{ "hop-by-hop twice", { V6, .protocol = 6, TWO(HOP_BY_HOP, HOP_BY_HOP) }, 0, 0, { 0 }, PACKET_MALFORMED },
	{ "fragment twice", { V6, .protocol = 6, TWO(FRAGMENT, FRAGMENT) }, 0, 0, { 0 }, PACKET_MALFORMED },
	{ "fragment's reserved bits", { V6, .protocol = 6, ONE(FRAGMENT) }, L4 + 1, 3, { 7, 0, 6 }, PACKET_OK },
	{ "a place left to visit", { V6, .protocol = 6, ONE(ROUTING) }, L4 + 3, 1, { 1 }, PACKET_UNSUPPORTED },
	{ "routing of unknown type", { V6, .protocol = 6, ONE(ROUTING) }, L4 + 2, 2, { 99, 0 }, PACKET_OK },
	{ "options of 2048 bytes", { V6, .protocol = 6, ONE(OPTIONS) }, L4 + 1, 1, { 255 }, PACKET_MALFORMED },
	{ "options one unit beyond", { V6, .protocol = 17, ONE(OPTIONS) }, L4 + 1, 1, { 9 }, PACKET_MALFORMED },
	{ "options up to the end", { .ipv6 = true, .protocol = 17, ONE(OPTIONS) }, L4 + 1, 1, { 1 }, PACKET_MALFORMED },
	{ "AH of 8 bytes", { V6, .protocol = 6, ONE(AH) }, L4 + 1, 1, { 0 }, PACKET_MALFORMED },
	{ "AH beyond", { V6, .protocol = 6, ONE(AH) }, L4 + 1, 1, { 255 }, PACKET_MALFORMED },
	{ "UDP length 0", { V6, .protocol = 17 }, L4 + 4, 2, { 0, 0 }, PACKET_MALFORMED },
	{ "UDP length too many", { V6, .protocol = 17 }, L4 + 4, 2, { 0, 69 }, PACKET_MALFORMED },
	{ "data offset 16", { V6, .protocol = 6 }, L4 + 12, 1, { 0x40 }, PACKET_MALFORMED },
	{ "SYN FIN", { V6, .protocol = 6, .tcp_flags = TCP_SYN | TCP_FIN }, 0, 0, { 0 }, PACKET_MALFORMED },
};

START_TEST(packet6_judges)
{
	struct frame frame = sample_make(&bad[_i].sample);
	struct packet packet;

	memcpy(frame.bytes + bad[_i].offset, bad[_i].bytes, bad[_i].length);
	ck_assert_msg(packet_parse(&frame, &packet) == bad[_i].status, "%s", bad[_i].what);
	if (frame.bytes[IP] >> 4 == 6)
		assert_addresses(&packet, true);
	else
		ck_assert(!addr_is_set(&packet.destination));
	if (bad[_i].status == PACKET_UNSUPPORTED && bad[_i].length == 0)
		ck_assert_uint_eq(packet.protocol, bad[_i].sample.protocol);
	sample_free(&frame);
}
END_TEST

/* AH counts in 4 bytes and the others in 8, so one length byte means two lengths: 12 bytes fit nothing but AH. */
START_TEST(packet6_knows_the_units_of_lengths)
{
	struct sample sample = { .ipv6 = true, .protocol = 17, .extension_count = 1, .extensions = { AH } };
	struct frame frame = sample_make(&sample);
	struct packet packet;

	frame.bytes[L4 + 1] = 1; /* (1 + 2) * 4: the sample's UDP begins 4 bytes later, zeros before it */
	memmove(frame.bytes + L4 + 12, frame.bytes + L4 + 16, 8);
	frame.length = frame.wire_length = L4 + 20;
	frame.bytes[IP + 5] = 20;
	ck_assert_int_eq(packet_parse(&frame, &packet), PACKET_OK);
	ck_assert_uint_eq(packet.l4, L4 + 12);
	ck_assert_uint_eq(packet.destination_port, SAMPLE_VIP_PORT);
	sample_free(&frame);
}
END_TEST

START_TEST(packet6_walks_a_bounded_chain)
{
	struct sample sample = { .ipv6 = true, .protocol = 6 };
	struct frame frame;
	struct packet packet;

	memset(sample.extensions, OPTIONS, sizeof(sample.extensions));
	for (unsigned count = 0; count <= SAMPLE_EXTENSIONS; count++) {
		sample.extension_count = (uint8_t)count;
		frame = sample_make(&sample);
		ck_assert_int_eq(packet_parse(&frame, &packet),
		    count <= IPV6_EXTENSIONS_MOST ? PACKET_OK : PACKET_UNSUPPORTED);
		assert_addresses(&packet, true);
		sample_free(&frame);
	}
}
END_TEST

static const struct {
	struct sample sample; /* .fragment: offset in the upper 13 bits, the lowest says that more follow */
	bool fragment;
	bool more;
	uint16_t offset;
	uint8_t protocol;
	bool has_ports;
	enum packet_status status;
} fragments[] = {
	/* first */
	{ { V6, .protocol = 17, ONE(FRAGMENT), .fragment = 1 }, true, true, 0, 17, true, PACKET_OK },
	{ { V6, .protocol = 6, ONE(FRAGMENT), .fragment = 1 }, true, true, 0, 6, true, PACKET_OK },
	{ { V6, .protocol = 132, ONE(FRAGMENT), .fragment = 1 }, true, true, 0, 132, true, PACKET_OK },
	{ { V6, .protocol = 58, ONE(FRAGMENT), .fragment = 1 }, true, true, 0, 58, false, PACKET_OK },
	{ { V6, .protocol = 6, TWO(FRAGMENT, OPTIONS), .fragment = 1 }, true, true, 0, 6, true, PACKET_OK },
	{ { V6, .protocol = 6, TWO(OPTIONS, FRAGMENT), .fragment = 1 }, true, true, 0, 6, true, PACKET_OK },
	/* later */
	{ { V6, .protocol = 17, ONE(FRAGMENT), .fragment = 1448 }, true, false, 1448, 17, false, PACKET_OK },
	{ { V6, .protocol = 17, ONE(FRAGMENT), .fragment = 1449 }, true, true, 1448, 17, false, PACKET_OK },
	{ { V6, .protocol = 58, ONE(FRAGMENT), .fragment = 0xfff8 }, true, false, 65528, 58, false, PACKET_OK },
	{ { V6, .protocol = 6, TWO(OPTIONS, FRAGMENT), .fragment = 8 }, true, false, 8, 6, false, PACKET_OK },
	/* What looks like options is data. Its numbers may be any. */
	{ { V6, .protocol = 6, TWO(FRAGMENT, OPTIONS), .fragment = 8 }, true, false, 8, OPTIONS, false, PACKET_OK },
	{ { V6, .protocol = 6, TWO(FRAGMENT, AH), .fragment = 8 }, true, false, 8, AH, false, PACKET_OK },
	{ { V6, .protocol = 89, ONE(FRAGMENT), .fragment = 8 }, true, false, 8, 89, false, PACKET_UNSUPPORTED },
	{ { V6, .protocol = 1, ONE(FRAGMENT), .fragment = 8 }, true, false, 8, 1, false, PACKET_UNSUPPORTED },
	{ { V6, .protocol = ESP, ONE(FRAGMENT), .fragment = 8 }, true, false, 8, ESP, false, PACKET_UNSUPPORTED },
	{ { V6, .protocol = 89, ONE(FRAGMENT), .fragment = 1 }, true, true, 0, 89, false, PACKET_UNSUPPORTED },
	/* "atomic": a fragment that is all of it */
	{ { V6, .protocol = 17, ONE(FRAGMENT), .fragment = 0 }, false, false, 0, 17, true, PACKET_OK },
	{ { V6, .protocol = 17, ONE(FRAGMENT), .fragment = 6 }, false, false, 0, 17, true, PACKET_OK },
};

START_TEST(packet6_reads_fragments)
{
	struct sample sample = fragments[_i].sample;
	struct frame frame;
	struct packet packet;

	sample.identification = 0x1234;
	sample.tagged = _i % 2 == 0;
	frame = sample_make(&sample);
	ck_assert_int_eq(packet_parse(&frame, &packet), fragments[_i].status);
	ck_assert_int_eq(packet.fragment, fragments[_i].fragment);
	ck_assert_int_eq(packet.more_fragments, fragments[_i].more);
	ck_assert_uint_eq(packet.fragment_offset, fragments[_i].offset);
	ck_assert_uint_eq(packet.fragment_id, fragments[_i].fragment ? 0xabcd1234 : 0);
	ck_assert_uint_eq(packet.protocol, fragments[_i].protocol);
	ck_assert_int_eq(packet.has_ports, fragments[_i].has_ports);
	if (fragments[_i].has_ports && sample.protocol != 132)
		ck_assert_uint_eq(packet.destination_port, SAMPLE_VIP_PORT);
	else if (!fragments[_i].has_ports && sample.protocol != 58)
		ck_assert_uint_eq(packet.payload, packet.l4);
	assert_addresses(&packet, true);
	sample_free(&frame);
}
END_TEST

/* The UDP length is of the whole datagram, and a first fragment may end within its transport header. */
START_TEST(packet6_takes_first_fragments_of_any_length)
{
	struct sample sample = { .ipv6 = true, .protocol = _i == 0 ? 6 : 17, .tcp_options = 4, .fragment = 1,
		.extension_count = 1, .extensions = { FRAGMENT }, .payload = 1000 };
	const uint32_t header = _i == 0 ? 24 : 8, l4 = sample_l4(&sample);
	struct frame frame = sample_make(&sample);
	struct packet packet;

	for (uint32_t length = 0; length <= header; length++) {
		struct frame cut;

		store16(frame.bytes + IP + 4, (uint16_t)(8 + length));
		cut = sample_cut(&frame, l4 + length);
		cut.wire_length = cut.length;
		ck_assert_int_eq(packet_parse(&cut, &packet), PACKET_OK);
		ck_assert_int_eq(packet.has_ports, length == header);
		sample_free(&cut);
	}
	sample_free(&frame);
}
END_TEST

static const struct {
	uint8_t bytes[8]; /* from the outer ethertype on */
	uint32_t length;
	uint16_t ethertype;
	enum packet_status status;
} tags[] = {
	{ { 0x81, 0, 0, 1, 0x81, 0, 0, 2 }, 8, 0x8100, PACKET_UNSUPPORTED },
	{ { 0x81, 0, 0, 1, 0x88, 0xa8, 0, 2 }, 8, 0x88a8, PACKET_UNSUPPORTED },
	{ { 0x88, 0xa8, 0, 1, 0x81, 0, 0, 2 }, 8, 0x88a8, PACKET_UNSUPPORTED },
	{ { 0x81, 0, 0xff, 0xff, 0x08, 0x06 }, 6, 0x0806, PACKET_OK },
	{ { 0x81, 0, 0, 0, 0x88, 0xcc }, 6, 0x88cc, PACKET_UNSUPPORTED },
	{ { 0x81, 0, 0, 0, 0x08 }, 5, 0x8100, PACKET_TRUNCATED },
	{ { 0x81, 0 }, 2, 0x8100, PACKET_TRUNCATED },
	{ { 0x81, 0, 0, 0, 0x08, 0x00 }, 6, 0x0800, PACKET_TRUNCATED },
	{ { 0x81, 0, 0, 0, 0x86, 0xdd }, 6, 0x86dd, PACKET_TRUNCATED },
};

START_TEST(packet6_knows_tags)
{
	uint8_t bytes[20] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 7 };
	struct frame frame = { .bytes = bytes, .length = 12 + tags[_i].length, .wire_length = 12 + tags[_i].length };
	struct frame cut;
	struct packet packet;
	const bool tagged = tags[_i].bytes[0] == 0x81 && tags[_i].length >= 6;

	memcpy(bytes + 12, tags[_i].bytes, sizeof(tags[_i].bytes));
	cut = sample_cut(&frame, frame.length);
	ck_assert_int_eq(packet_parse(&cut, &packet), tags[_i].status);
	ck_assert_uint_eq(packet.ethertype, tags[_i].ethertype);
	ck_assert_int_eq(packet.tagged, tagged);
	ck_assert_uint_eq(packet.vlan_tci, tagged ? load16(tags[_i].bytes + 2) : 0);
	ck_assert_mem_eq(packet.ether_source.bytes, bytes + 6, 6);
	ck_assert(!addr_is_set(&packet.destination));
	sample_free(&cut);
}
END_TEST

Suite *
packet6_suite(void)
{
	Suite *suite = suite_create("packet6");
	TCase *tcase = tcase_create("packet6");

	tcase_add_loop_test(tcase, packet6_reads, 0, (int)ARRAY_LEN(good));
	tcase_add_loop_test(tcase, packet6_cut_anywhere_is_truncated, 0, (int)ARRAY_LEN(good));
	tcase_add_loop_test(tcase, packet6_short_datagram_is_malformed, 0, (int)ARRAY_LEN(good));
	tcase_add_loop_test(tcase, packet6_judges, 0, (int)ARRAY_LEN(bad));
	tcase_add_test(tcase, packet6_knows_the_units_of_lengths);
	tcase_add_test(tcase, packet6_walks_a_bounded_chain);
	tcase_add_loop_test(tcase, packet6_reads_fragments, 0, (int)ARRAY_LEN(fragments));
	tcase_add_loop_test(tcase, packet6_takes_first_fragments_of_any_length, 0, 2);
	tcase_add_loop_test(tcase, packet6_knows_tags, 0, (int)ARRAY_LEN(tags));
	suite_add_tcase(suite, tcase);
	return suite;
}
