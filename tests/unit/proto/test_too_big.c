/* SPDX-License-Identifier: ISC */
/* Answers to packets that are too large, and datagrams in smaller fragments, which a receiver here puts together. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/checksum.h"
#include "proto/icmp.h"
#include "proto/refragment.h"
#include "proto/too_big.h"
#include "sample.h"
#include "suites.h"

START_TEST(too_big_answers_quote_the_packet)
{
	const struct sample sample = { .protocol = PROTOCOL_TCP, .ipv6 = _i % 2 == 1, .tagged = _i >= 2,
		.tcp_flags = TCP_ACK, .payload = 1400 };
	struct frame frame = sample_make(&sample), answer;
	uint8_t out[TOO_BIG_MOST];
	struct packet packet, parsed;
	struct icmp_inner inner;

	ck_assert_int_eq(packet_parse(&frame, &packet), PACKET_OK);
	answer = too_big_answer(&frame, &packet, 1434, out);
	ck_assert_int_eq(packet_parse(&answer, &parsed), PACKET_OK);
	ck_assert(checksum_ok(&answer, &parsed));
	ck_assert(mac_equal(&parsed.ether_destination, &packet.ether_source));
	ck_assert(mac_equal(&parsed.ether_source, &packet.ether_destination));
	ck_assert_int_eq(parsed.vlan_tci, packet.vlan_tci);
	ck_assert(addr_equal(&parsed.source, &packet.destination));
	ck_assert(addr_equal(&parsed.destination, &packet.source));
	ck_assert_uint_eq(parsed.end - parsed.l3, sample.ipv6 ? 1280 : 576);
	ck_assert_int_eq(icmp_inner(&answer, &parsed, &inner), 0);
	ck_assert_uint_eq(inner.mtu, 1434);
	ck_assert_uint_eq(inner.source_port, packet.source_port);
	if (!sample.ipv6)
		ck_assert_uint_eq(checksum_finish(checksum_add(0, answer.bytes + parsed.l3, 20)), 0);
	sample_free(&frame);
}
END_TEST

/* RFC 8200 section 5: no link has a smaller MTU, so none is announced. */
START_TEST(too_big_answers_keep_to_the_least_mtu)
{
	const struct sample sample = { .protocol = PROTOCOL_UDP, .ipv6 = true, .payload = 10 };
	struct frame frame = sample_make(&sample), answer;
	uint8_t out[TOO_BIG_MOST];
	struct packet packet;

	ck_assert_int_eq(packet_parse(&frame, &packet), PACKET_OK);
	answer = too_big_answer(&frame, &packet, 1000, out);
	ck_assert_uint_eq(load32(answer.bytes + 14 + 40 + 4), 1280);
	sample_free(&frame);
}
END_TEST

struct reassembly {
	const struct frame *whole;
	struct packet packet; /* of it */
	uint32_t mtu;
	uint32_t received;
	bool ended;
};

static void
receive_fragment(void *context, const struct frame *fragment)
{
	struct reassembly *reassembly = context;
	const struct packet *packet = &reassembly->packet;
	const uint8_t *data = reassembly->whole->bytes + packet->l3 + (reassembly->whole->bytes[packet->l3] & 15) * 4;
	struct packet part;
	uint32_t header, length;

	ck_assert(!reassembly->ended);
	ck_assert_int_eq(packet_parse(fragment, &part), PACKET_OK);
	header = (uint32_t)(fragment->bytes[part.l3] & 15) * 4;
	length = part.end - part.l3 - header;
	ck_assert_uint_le(part.end - part.l3, reassembly->mtu);
	ck_assert_uint_eq(part.fragment_offset, packet->fragment_offset + reassembly->received);
	ck_assert_uint_eq(part.fragment_id, load16(reassembly->whole->bytes + packet->l3 + 4));
	ck_assert_uint_eq(checksum_finish(checksum_add(0, fragment->bytes + part.l3, header)), 0);
	ck_assert_mem_eq(fragment->bytes + part.l3 + header, data + reassembly->received, length);
	reassembly->received += length;
	reassembly->ended = !part.more_fragments || reassembly->received == packet->end - packet->l3 - (uint32_t)(data -
	    (reassembly->whole->bytes + packet->l3));
	if (reassembly->ended)
		ck_assert_int_eq(part.more_fragments, packet->more_fragments);
}

START_TEST(refragment_gives_all_bytes_in_order)
{
	uint8_t *scratch = malloc(70000);

	srand(21);
	for (int round = 0; round < 500; round++) {
		const struct sample sample = { .protocol = PROTOCOL_UDP, .ip_options = (uint32_t)(rand() % 11) * 4,
			.tagged = rand() % 2 == 0, .payload = (uint32_t)(1200 + rand() % 1000 * 8),
			    .identification = 77,
			.fragment = (uint16_t)(rand() % 2 == 0 ? 0x2000 | rand() % 100 : 0), .seed = (uint8_t)round };
		struct frame frame = sample_make(&sample);
		struct reassembly reassembly = { .whole = &frame, .mtu = (uint32_t)(576 + rand() % 600) };
		const struct frame_tx tx = { .emit = receive_fragment, .context = &reassembly };

		if (packet_parse(&frame, &reassembly.packet) == PACKET_OK) {
			ck_assert_int_gt(refragment(&frame, &reassembly.packet, reassembly.mtu, scratch, &tx), 1);
			ck_assert(reassembly.ended);
		}
		sample_free(&frame);
	}
	free(scratch);
}
END_TEST

START_TEST(refragment_refuses_what_must_stay_whole)
{
	struct sample sample = { .protocol = PROTOCOL_UDP, .fragment = 0x4000, .payload = 1400 };
	struct frame frame = sample_make(&sample);
	uint8_t scratch[2000];
	struct packet packet;
	const struct frame_tx tx = { .emit = NULL };

	ck_assert_int_eq(packet_parse(&frame, &packet), PACKET_OK);
	ck_assert_int_eq(refragment(&frame, &packet, 1000, scratch, &tx), -1);
	sample_free(&frame);
	sample = (struct sample) { .protocol = PROTOCOL_UDP, .ipv6 = true, .payload = 1400 };
	frame = sample_make(&sample);
	ck_assert_int_eq(packet_parse(&frame, &packet), PACKET_OK);
	ck_assert_int_eq(refragment(&frame, &packet, 1280, scratch, &tx), -1);
	sample_free(&frame);
}
END_TEST

Suite *
too_big_suite(void)
{
	Suite *suite = suite_create("too_big");
	TCase *tcase = tcase_create("too_big");

	tcase_add_loop_test(tcase, too_big_answers_quote_the_packet, 0, 4);
	tcase_add_test(tcase, too_big_answers_keep_to_the_least_mtu);
	tcase_add_test(tcase, refragment_gives_all_bytes_in_order);
	tcase_add_test(tcase, refragment_refuses_what_must_stay_whole);
	suite_add_tcase(suite, tcase);
	return suite;
}
