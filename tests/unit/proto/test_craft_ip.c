/* SPDX-License-Identifier: ISC */
/* The crafted frames that are not ARP: each byte is known, or checked by sums made here. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "proto/craft.h"
#include "proto/icmp.h"
#include "proto/ndp.h"
#include "proto/packet.h"
#include "sample.h"
#include "suites.h"

static struct craft *craft;

static void
set_up(void)
{
	char error[256] = "";

	craft = craft_new(error, sizeof(error));
	ck_assert_msg(craft != NULL, "%s", error);
}

static void
tear_down(void)
{
	craft_free(craft);
}

static struct addr
address(const char *text)
{
	struct addr addr = { .family = ADDR_NONE };

	ck_assert_int_eq(addr_parse(text, &addr), 0);
	return addr;
}

static struct craft_ends
make_ends(const char *source, const char *destination)
{
	struct craft_ends ends = { .source = address(source), .destination = address(destination) };

	ends.ether_source = (struct mac){ { 2, 0, 0, 0, 0, 1 } };
	ends.ether_destination = (struct mac){ { 2, 0, 0, 0, 0, 7 } };
	return ends;
}

static struct craft_ends
ends_of(int family)
{
	return family == 4 ? make_ends("192.0.2.10", "198.51.100.7") : make_ends("2001:db8::10", "2001:db8:7::7");
}

/* Its bytes go to memory of their own size; checks what all frames have in common. */
static struct packet
taken(const struct frame *made, const struct craft_ends *ends, struct frame *frame)
{
	struct packet packet;

	ck_assert_ptr_nonnull(made);
	*frame = sample_cut(made, made->length);
	ck_assert_int_eq(packet_parse(frame, &packet), PACKET_OK);
	ck_assert_uint_eq(packet.end, frame->length);
	ck_assert_uint_eq(frame->wire_length, frame->length);
	ck_assert(mac_equal(&packet.ether_source, &ends->ether_source));
	ck_assert(mac_equal(&packet.ether_destination, &ends->ether_destination));
	ck_assert(addr_equal(&packet.source, &ends->source));
	ck_assert(addr_equal(&packet.destination, &ends->destination));
	ck_assert(!packet.fragment && packet.dont_fragment);
	ck_assert(sample_is_valid(frame));
	return packet;
}

static const uint8_t advertisement[86] = {
	2, 0, 0, 0, 0, 7, 2, 0, 0, 0, 0, 1, 0x86, 0xdd,
	0x60, 0, 0, 0, 0, 32, 58, 255,
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
	0x20, 0x01, 0x0d, 0xb8, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7,
	136, 0, 0, 0, 0, 0, 0, 0,
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
	2, 1, 2, 0, 0, 0, 0, 1
};

START_TEST(craft_makes_advertisements)
{
	struct craft_neighbor neighbor = { .ends = ends_of(6), .target = address("2001:db8::10"),
		.mac = { { 2, 0, 0, 0, 0, 1 } } };
	struct frame frame;

	for (int flags = 0; flags < 8; flags++) {
		struct packet packet;
		struct ndp ndp;

		neighbor.router = (flags & 4) != 0;
		neighbor.solicited = (flags & 2) != 0;
		neighbor.override = (flags & 1) != 0;
		packet = taken(craft_neighbor_advertisement(craft, &neighbor), &neighbor.ends, &frame);
		ck_assert_int_eq(ndp_parse(&frame, &packet, &ndp), 0);
		ck_assert_int_eq(ndp.kind, NDP_ADVERTISEMENT);
		ck_assert_uint_eq(frame.bytes[58], flags << 5);
		frame.bytes[58] = 0;
		store16(frame.bytes + 56, 0);
		ck_assert_uint_eq(frame.length, sizeof(advertisement));
		ck_assert_mem_eq(frame.bytes, advertisement, sizeof(advertisement));
		sample_free(&frame);
	}
}
END_TEST

START_TEST(craft_makes_solicitations)
{
	struct craft_neighbor neighbor = { .ends = make_ends("fe80::1", "ff02::1:ff00:11"),
		.target = address("2001:db8::11"), .mac = { { 2, 0, 0, 0, 0, 1 } } };
	struct frame frame;
	struct packet packet;
	struct ndp ndp;

	neighbor.ends.ether_destination = ndp_multicast_mac(&neighbor.ends.destination);
	packet = taken(craft_neighbor_solicitation(craft, &neighbor), &neighbor.ends, &frame);
	ck_assert_uint_eq(frame.length, 86);
	ck_assert_int_eq(ndp_parse(&frame, &packet, &ndp), 0);
	ck_assert_int_eq(ndp.kind, NDP_SOLICITATION);
	ck_assert(addr_equal(&ndp.target, &neighbor.target));
	ck_assert(ndp.has_mac && mac_equal(&ndp.mac, &neighbor.mac));
	ck_assert_uint_eq(packet.hop_limit, 255);
	sample_free(&frame);

	/* Who has no address yet may not name a MAC. */
	neighbor.ends.source = address("::");
	packet = taken(craft_neighbor_solicitation(craft, &neighbor), &neighbor.ends, &frame);
	ck_assert_uint_eq(frame.length, 78);
	ck_assert_int_eq(ndp_parse(&frame, &packet, &ndp), 0);
	ck_assert(ndp.dad && !ndp.has_mac);
	sample_free(&frame);
}
END_TEST

START_TEST(craft_makes_echoes)
{
	static uint8_t data[65000];
	struct craft_echo echo = { .ends = ends_of(_i), .identifier = 0x1234, .sequence = 0xfffe, .data = data };
	struct frame frame;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 3);
	for (echo.length = 0; echo.length <= sizeof(data); echo.length += echo.length < 70 ? 1 : echo.length < 1500 ?
	    79 : 7937) {
		struct packet packet;
		struct icmp_echo read;

		echo.reply = echo.length % 2 == 0;
		packet = taken(craft_echo(craft, &echo), &echo.ends, &frame);
		ck_assert_int_eq(icmp_echo(&frame, &packet, &read), 0);
		ck_assert_int_eq(icmp_is_echo_request(&packet), !echo.reply);
		ck_assert_uint_eq(packet.icmp_code, 0);
		ck_assert_uint_eq(packet.hop_limit, 64);
		ck_assert_uint_eq(read.identifier, 0x1234);
		ck_assert_uint_eq(read.sequence, 0xfffe);
		ck_assert_uint_eq(packet.end - read.data, echo.length);
		if (echo.length > 0)
			ck_assert_mem_eq(frame.bytes + read.data, data, echo.length);
		sample_free(&frame);
	}
}
END_TEST

static const struct {
	uint16_t mss;
	uint8_t flags;
} segments[] = {
	{ 1460, TCP_SYN }, { 1440, TCP_SYN | TCP_ACK }, { 0, TCP_RST }, { 0, TCP_RST | TCP_ACK }, { 0, TCP_ACK },
	{ 65535, TCP_SYN | TCP_ECE | TCP_CWR },
};

START_TEST(craft_makes_tcp)
{
	for (size_t i = 0; i < ARRAY_LEN(segments); i++) {
		struct craft_tcp tcp = { .ends = ends_of(_i), .source_port = 40001, .destination_port = 443,
			.sequence = 0xfedcba98, .acknowledgement = 0x01020304, .flags = segments[i].flags,
			.window = 65000, .mss = segments[i].mss };
		struct frame frame;
		struct packet packet = taken(craft_tcp(craft, &tcp), &tcp.ends, &frame);

		ck_assert_uint_eq(packet.protocol, 6);
		ck_assert_uint_eq(packet.hop_limit, 64);
		ck_assert_uint_eq(packet.source_port, 40001);
		ck_assert_uint_eq(packet.destination_port, 443);
		ck_assert_uint_eq(packet.tcp_sequence, 0xfedcba98);
		ck_assert_uint_eq(packet.tcp_acknowledgement, 0x01020304);
		ck_assert_uint_eq(packet.tcp_flags, segments[i].flags);
		ck_assert_uint_eq(load16(frame.bytes + packet.l4 + 14), 65000);
		ck_assert_uint_eq(load16(frame.bytes + packet.l4 + 18), 0);
		ck_assert_uint_eq(packet.payload, packet.end);
		ck_assert_uint_eq(packet.payload - packet.l4, segments[i].mss > 0 ? 24 : 20);
		if (segments[i].mss > 0)
			ck_assert_uint_eq(load32(frame.bytes + packet.l4 + 20), 0x02040000u | segments[i].mss);
		sample_free(&frame);
	}
}
END_TEST

START_TEST(craft_makes_udp)
{
	uint8_t data[300];
	struct craft_udp udp = { .ends = ends_of(_i), .source_port = 53, .destination_port = 5353, .data = data };

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 5);
	for (udp.length = 0; udp.length <= sizeof(data); udp.length++) {
		struct frame frame;
		struct packet packet = taken(craft_udp(craft, &udp), &udp.ends, &frame);

		ck_assert_uint_eq(packet.protocol, 17);
		ck_assert_uint_eq(packet.source_port, 53);
		ck_assert_uint_eq(packet.destination_port, 5353);
		ck_assert_uint_ne(load16(frame.bytes + packet.l4 + 6), 0);
		ck_assert_uint_eq(packet.end - packet.payload, udp.length);
		if (udp.length > 0)
			ck_assert_mem_eq(frame.bytes + packet.payload, data, udp.length);
		sample_free(&frame);
	}
}
END_TEST

START_TEST(craft_refuses)
{
	static const uint8_t data[70000];
	struct craft_echo echo = { .ends = ends_of(6), .data = data };
	struct craft_udp udp = { .ends = ends_of(6), .data = data };
	struct craft_tcp tcp = { .ends = make_ends("192.0.2.10", "2001:db8::1") };
	struct craft_neighbor neighbor = { .ends = ends_of(4), .target = address("2001:db8::10") };

	/* 54 bytes of headers before ICMP's and UDP's 8 */
	echo.length = udp.length = CRAFT_MOST - 54 - 8;
	ck_assert_ptr_nonnull(craft_echo(craft, &echo));
	ck_assert_ptr_nonnull(craft_udp(craft, &udp));
	echo.length = ++udp.length;
	ck_assert_ptr_null(craft_echo(craft, &echo));
	ck_assert_ptr_null(craft_udp(craft, &udp));
	echo.length = udp.length = sizeof(data);
	ck_assert_ptr_null(craft_echo(craft, &echo));
	ck_assert_ptr_null(craft_udp(craft, &udp));
	ck_assert_ptr_null(craft_tcp(craft, &tcp));
	memset(&tcp.ends, 0, sizeof(tcp.ends));
	ck_assert_ptr_null(craft_tcp(craft, &tcp));
	ck_assert_ptr_null(craft_neighbor_advertisement(craft, &neighbor));
	ck_assert_ptr_null(craft_neighbor_solicitation(craft, &neighbor));
	neighbor.ends = ends_of(6);
	neighbor.target = address("192.0.2.10");
	ck_assert_ptr_null(craft_neighbor_advertisement(craft, &neighbor));
	/* And it still works. */
	echo.length = 3;
	ck_assert_ptr_nonnull(craft_echo(craft, &echo));
}
END_TEST

/* All kinds in turn, many times: none shows in another, and a leak would show in a sanitizer. */
START_TEST(craft_takes_turns)
{
	static const uint8_t data[40] = { 1, 2, 3 };
	struct frame first[6] = { { 0 } };

	for (int i = 0; i < 6 * 200; i++) {
		struct arp arp = { .operation = ARP_REQUEST, .target = address("192.0.2.2") };
		struct craft_neighbor neighbor = { .ends = ends_of(6), .target = address("2001:db8::10") };
		struct craft_echo echo = { .ends = ends_of(4), .data = data, .length = sizeof(data) };
		struct craft_tcp tcp = { .ends = ends_of(i % 2 == 0 ? 4 : 6), .flags = TCP_SYN, .mss = 1000 };
		struct craft_udp udp = { .ends = ends_of(6), .data = data, .length = 7 };
		const struct frame *made = NULL;

		switch (i % 6) {
		case 0:
			made = craft_arp(craft, &mac_broadcast, &arp);
			break;
		case 1:
			made = craft_neighbor_solicitation(craft, &neighbor);
			break;
		case 2:
			made = craft_neighbor_advertisement(craft, &neighbor);
			break;
		case 3:
			made = craft_echo(craft, &echo);
			break;
		case 4:
			made = craft_tcp(craft, &tcp);
			break;
		case 5:
			made = craft_udp(craft, &udp);
			break;
		}
		ck_assert_ptr_nonnull(made);
		if (i < 6)
			first[i] = sample_cut(made, made->length);
		ck_assert_uint_eq(made->length, first[i % 6].length);
		ck_assert_mem_eq(made->bytes, first[i % 6].bytes, made->length);
	}
	for (int i = 0; i < 6; i++)
		sample_free(&first[i]);
}
END_TEST

Suite *
craft_ip_suite(void)
{
	Suite *suite = suite_create("craft_ip");
	TCase *tcase = tcase_create("craft_ip");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, craft_makes_advertisements);
	tcase_add_test(tcase, craft_makes_solicitations);
	/* The number is the IP version. */
	tcase_add_loop_test(tcase, craft_makes_echoes, 4, 5);
	tcase_add_loop_test(tcase, craft_makes_echoes, 6, 7);
	tcase_add_loop_test(tcase, craft_makes_tcp, 4, 5);
	tcase_add_loop_test(tcase, craft_makes_tcp, 6, 7);
	tcase_add_loop_test(tcase, craft_makes_udp, 4, 5);
	tcase_add_loop_test(tcase, craft_makes_udp, 6, 7);
	tcase_add_test(tcase, craft_refuses);
	tcase_add_test(tcase, craft_takes_turns);
	suite_add_tcase(suite, tcase);
	return suite;
}
