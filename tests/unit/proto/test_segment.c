/* SPDX-License-Identifier: ISC */
/* What comes out of the splitter is put together again here, as a receiver would, and must be what went in. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "proto/segment.h"
#include "sample.h"
#include "suites.h"

struct receiver {
	const struct frame *super;
	struct packet packet; /* of the super-frame */
	uint32_t mtu;
	uint32_t received;    /* bytes of payload so far */
	int segments;
	bool ended;           /* the last segment was there */
};

static void
check_flags(const struct receiver *receiver, uint8_t flags, bool last)
{
	uint8_t expected = receiver->packet.tcp_flags;

	if (!last)
		expected &= (uint8_t)~(TCP_FIN | TCP_PSH | TCP_RST);
	if (receiver->segments > 0)
		expected &= (uint8_t)~TCP_CWR;
	ck_assert_uint_eq(flags, expected);
}

/* All header bytes that need not change have not: MACs, TTL, addresses, ports, acknowledgement, window, options ... */
static void
check_headers(const struct receiver *receiver, const struct frame *segment)
{
	const struct packet *packet = &receiver->packet;
	uint8_t ours[200], theirs[200];

	ck_assert_uint_le(packet->payload, sizeof(ours));
	memcpy(ours, receiver->super->bytes, packet->payload);
	memcpy(theirs, segment->bytes, packet->payload);
	for (int i = 0; i < 2; i++) {
		uint8_t *headers = i == 0 ? ours : theirs;

		if (packet->ethertype == ETHERTYPE_IPV6) {
			store16(headers + packet->l3 + 4, 0);
		} else {
			store32(headers + packet->l3 + 2, 0);  /* total length, identification */
			store16(headers + packet->l3 + 10, 0); /* checksum */
		}
		store32(headers + packet->l4 + 4, 0);  /* sequence */
		headers[packet->l4 + 13] = 0;          /* flags */
		store16(headers + packet->l4 + 16, 0); /* checksum */
	}
	ck_assert_mem_eq(ours, theirs, packet->payload);
}

static void
receive(void *context, const struct frame *segment)
{
	struct receiver *receiver = context;
	const uint8_t *super = receiver->super->bytes;
	const uint32_t total = receiver->packet.end - receiver->packet.payload;
	struct packet packet;
	uint32_t length;

	ck_assert(!receiver->ended);
	ck_assert_int_eq(packet_parse(segment, &packet), PACKET_OK);
	ck_assert(sample_is_valid(segment));
	ck_assert_uint_le(segment->length - packet.l3, receiver->mtu);
	ck_assert_uint_eq(packet.l3, receiver->packet.l3);
	ck_assert_uint_eq(segment->length, segment->wire_length);
	ck_assert_uint_eq(segment->length, packet.end);
	ck_assert_uint_eq(segment->iface, receiver->super->iface);
	ck_assert_uint_eq(packet.payload, receiver->packet.payload);
	length = packet.end - packet.payload;
	ck_assert_uint_le(receiver->received + length, total);
	ck_assert_uint_eq(packet.tcp_sequence, receiver->packet.tcp_sequence + receiver->received);
	if (length > 0)
		ck_assert_mem_eq(segment->bytes + packet.payload, super + packet.payload + receiver->received, length);
	if (packet.ethertype == ETHERTYPE_IPV4)
		ck_assert_uint_eq(load16(segment->bytes + packet.l3 + 4),
		    (uint16_t)(load16(super + packet.l3 + 4) + receiver->segments));
	check_headers(receiver, segment);
	receiver->received += length;
	receiver->ended = receiver->received == total;
	/* Only the last may be shorter than it could be. */
	if (!receiver->ended)
		ck_assert_uint_eq(segment->length - packet.l3, receiver->mtu);
	check_flags(receiver, packet.tcp_flags, receiver->ended);
	receiver->segments++;
}

static int
split(const struct sample *sample, uint32_t mtu)
{
	struct frame super = sample_make(sample);
	uint8_t *scratch = malloc((sample->tagged ? ETHER_HEADER + VLAN_TAG : ETHER_HEADER) + mtu);
	struct receiver receiver = { .super = &super, .mtu = mtu };
	struct frame_tx tx = { .emit = receive, .context = &receiver };
	int result;

	ck_assert_ptr_nonnull(scratch);
	super.iface = 3;
	ck_assert_int_eq(packet_parse(&super, &receiver.packet), PACKET_OK);
	result = segment_tcp(&super, &receiver.packet, mtu, scratch, &tx);
	ck_assert_int_eq(result == -1 ? 0 : result, receiver.segments);
	ck_assert(result == -1 || receiver.ended);
	free(scratch);
	sample_free(&super);
	return result;
}

#define ONE(extension) .extension_count = 1, .extensions = { extension }

static const struct {
	struct sample sample;
	uint32_t mtu;
	int segments; /* -1: refused */
} cases[] = {
	{ { .protocol = 6, .tcp_flags = TCP_ACK, .payload = 1460 }, 1500, 1 },
	{ { .protocol = 6, .tcp_flags = TCP_ACK, .payload = 1461 }, 1500, 2 },
	{ { .protocol = 6, .tcp_flags = TCP_ACK, .payload = 2920 }, 1500, 2 },
	{ { .protocol = 6, .tcp_flags = TCP_ACK, .payload = 65495 }, 1500, 45 },
	{ { .protocol = 6, .tcp_flags = TCP_ACK, .payload = 2896, .tcp_options = 12 }, 1500, 2 },
	{ { .protocol = 6, .tcp_flags = TCP_ACK, .payload = 2897, .tcp_options = 12 }, 1500, 3 },
	{ { .protocol = 6, .tcp_flags = TCP_ACK, .payload = 10, .tcp_options = 40, .ip_options = 40 }, 121, 10 },
	{ { .protocol = 6, .tcp_flags = TCP_ACK, .payload = 10, .tcp_options = 40, .ip_options = 40 }, 120, -1 },
	{ { .protocol = 6, .tcp_flags = TCP_ACK, .payload = 10 }, 40, -1 },
	{ { .protocol = 6, .tcp_flags = TCP_ACK, .payload = 10 }, 0, -1 },
	{ { .protocol = 6, .tcp_flags = TCP_ACK, .payload = 0 }, 1500, 1 },
	{ { .protocol = 6, .tcp_flags = TCP_ACK, .payload = 3000, .padding = 5 }, 1500, 3 },
	{ { .protocol = 6, .tcp_flags = TCP_ACK | TCP_PSH | TCP_FIN, .payload = 3000 }, 1500, 3 },
	{ { .protocol = 6, .tcp_flags = TCP_ACK | TCP_CWR | TCP_ECE, .payload = 3000 }, 1500, 3 },
	{ { .protocol = 6, .tcp_flags = TCP_ACK | TCP_RST, .payload = 3000 }, 1500, 3 },
	{ { .protocol = 6, .tcp_flags = TCP_ACK, .payload = 3000, .identification = 0xffff, .fragment = 0x4000 },
	    1500, 3 },
	{ { .protocol = 6, .tcp_flags = TCP_SYN, .payload = 3000 }, 1500, -1 },
	{ { .protocol = 6, .tcp_flags = TCP_ACK | TCP_URG, .payload = 3000 }, 1500, -1 },
	{ { .protocol = 6, .tcp_flags = TCP_ACK, .payload = 3000, .fragment = 0x2000 }, 1500, -1 },
	{ { .protocol = 17, .payload = 3000 }, 1500, -1 },
	{ { .protocol = 132, .payload = 3000 }, 1500, -1 },
	{ { .tagged = true, .protocol = 6, .tcp_flags = TCP_ACK, .payload = 2920 }, 1500, 2 },
	{ { .ipv6 = true, .protocol = 6, .tcp_flags = TCP_ACK, .payload = 2880 }, 1500, 2 },
	{ { .ipv6 = true, .protocol = 6, .tcp_flags = TCP_ACK, .payload = 2881 }, 1500, 3 },
	{ { .ipv6 = true, .tagged = true, .protocol = 6, .tcp_flags = TCP_ACK, .payload = 65515 }, 1500, 46 },
	{ { .ipv6 = true, .protocol = 6, .tcp_flags = TCP_ACK, .tcp_options = 12, .payload = 4000, .extension_count = 3,
	    .extensions = { 0, 60, 43 } }, 1280, 4 },
	{ { .ipv6 = true, .protocol = 6, .tcp_flags = TCP_ACK, .payload = 5, ONE(60) }, 68, -1 },
	{ { .ipv6 = true, .protocol = 6, .tcp_flags = TCP_ACK, .payload = 5, ONE(60) }, 69, 5 },
	{ { .ipv6 = true, .protocol = 6, .tcp_flags = TCP_ACK, .payload = 5, ONE(44) }, 70, 3 },
	{ { .ipv6 = true, .protocol = 6, .tcp_flags = TCP_ACK, .payload = 3000, ONE(51) }, 1500, -1 },
	{ { .ipv6 = true, .protocol = 6, .tcp_flags = TCP_ACK, .payload = 3000, ONE(44), .fragment = 1 }, 1500, -1 },
	{ { .ipv6 = true, .protocol = 58, .payload = 3000 }, 1500, -1 },
};

START_TEST(segment_splits)
{
	ck_assert_int_eq(split(&cases[_i].sample, cases[_i].mtu), cases[_i].segments);
}
END_TEST

START_TEST(segment_holds_for_random_frames)
{
	srand(4);
	for (int round = 0; round < 300; round++) {
		static const uint8_t flags[] = {
			TCP_ACK, TCP_ACK | TCP_PSH, TCP_ACK | TCP_FIN, 0xff & ~(TCP_SYN | TCP_URG)
		};
		struct sample sample = {
			.protocol = 6,
			.tagged = rand() % 2 == 0,
			.ipv6 = rand() % 2 == 0,
			.tcp_flags = flags[rand() % 4],
			.tcp_options = (uint32_t)(rand() % 11) * 4,
			.payload = (uint32_t)(rand() % 65000),
			.padding = (uint32_t)(rand() % 3),
			.identification = (uint16_t)rand(),
			.seed = (uint8_t)rand()
		};

		if (sample.ipv6) {
			sample.extension_count = (uint8_t)(rand() % 3);
			memset(sample.extensions, 60, sizeof(sample.extensions));
		} else {
			sample.ip_options = (uint32_t)(rand() % 11) * 4;
		}
		ck_assert_int_ge(split(&sample, 576 + (uint32_t)(rand() % 9000)), 1);
	}
}
END_TEST

Suite *
segment_suite(void)
{
	Suite *suite = suite_create("segment");
	TCase *tcase = tcase_create("segment");

	tcase_add_loop_test(tcase, segment_splits, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tcase, segment_holds_for_random_frames);
	suite_add_tcase(suite, tcase);
	return suite;
}
