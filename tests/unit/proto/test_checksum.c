/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "proto/checksum.h"
#include "sample.h"
#include "suites.h"

static const struct {
	const char *what;
	uint8_t bytes[24];
	size_t length;
	uint16_t checksum;
} vectors[] = {
	/* RFC 1071 section 3: the sum is ddf2. */
	{ "RFC 1071", { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 }, 8, 0xffff - 0xddf2 },
	{ "an odd length", { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6 }, 7, 0xffff - 0xdcfb },
	{ "nothing", { 0 }, 0, 0xffff },
	{ "zeros", { 0 }, 20, 0xffff },
	{ "one byte", { 0x12 }, 1, 0xffff - 0x1200 },
	{ "all ones", { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 }, 14, 0 },
	/* A DNS answer's IPv4 header as tcpdump shows it, checksum field b861 zeroed: the example of many texts. */
	{ "an IPv4 header", { 0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0x00, 0x00,
	    0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7 }, 20, 0xb861 },
};

START_TEST(checksum_gives_the_known_values)
{
	uint64_t sum = checksum_add(0, vectors[_i].bytes, vectors[_i].length);

	ck_assert_msg(checksum_finish(sum) == vectors[_i].checksum, "%s", vectors[_i].what);
}
END_TEST

/* Any length, any alignment, in one piece or two. */
START_TEST(checksum_agrees_with_the_slow_one)
{
	uint8_t bytes[200];

	srand(7);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(rand() >> 4);
	for (size_t begin = 0; begin < 9; begin++) {
		for (size_t length = 0; begin + length <= sizeof(bytes); length++) {
			uint16_t expected = (uint16_t)~sample_sum(bytes + begin, length, 0);
			size_t first = length / 4 * 2;
			uint64_t sum = checksum_add(0, bytes + begin, first);

			ck_assert_uint_eq(checksum_finish(checksum_add(0, bytes + begin, length)), expected);
			sum = checksum_add(sum, bytes + begin + first, length - first);
			ck_assert_uint_eq(checksum_finish(sum), expected);
		}
	}
}
END_TEST

START_TEST(checksum_carries_do_not_get_lost)
{
	uint8_t *bytes = malloc(65536);
	uint64_t sum = 0;

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, 0xff, 65536);
	bytes[65535] = 0xfe;
	for (int i = 0; i < 100; i++)
		sum = checksum_add(sum, bytes, 65536);
	/* 100 times -1 in ones' complement, inverted. */
	ck_assert_uint_eq(checksum_finish(sum), 100);
	free(bytes);
}
END_TEST

static struct packet
parsed(const struct frame *frame)
{
	struct packet packet;

	ck_assert_int_eq(packet_parse(frame, &packet), PACKET_OK);
	return packet;
}

/* Sizes from nothing to a super-frame, both protocols and families, with options, headers, tag, padding. */
static struct sample
random_sample(void)
{
	static const uint8_t extensions[] = { 0, 60, 43, 44 };
	struct sample sample = {
		.protocol = rand() % 2 == 0 ? 6 : 17,
		.tagged = rand() % 4 == 0,
		.ipv6 = rand() % 2 == 0,
		.tcp_flags = TCP_ACK,
		.tcp_options = (uint32_t)(rand() % 11) * 4,
		.payload = (uint32_t)(rand() % (rand() % 20 == 0 ? 65000 : 1500)),
		.padding = (uint32_t)(rand() % 3),
		.identification = (uint16_t)rand(),
		.seed = (uint8_t)rand()
	};

	if (sample.ipv6) {
		sample.extension_count = (uint8_t)(rand() % 5);
		memcpy(sample.extensions, extensions, sizeof(extensions));
	} else {
		sample.ip_options = (uint32_t)(rand() % 11) * 4;
	}
	return sample;
}

/* What an unfinished checksum field holds. */
static uint16_t
unfinished(const struct frame *frame, const struct packet *packet)
{
	const uint8_t *ip = frame->bytes + packet->l3;
	uint32_t length = packet->end - packet->l4;

	if (packet->ethertype == ETHERTYPE_IPV6)
		return sample_pseudo6(ip, packet->protocol, length);
	return sample_pseudo(ip, length);
}

static uint8_t *
field_of(const struct frame *frame, const struct packet *packet)
{
	return frame->bytes + packet->l4 + (packet->protocol == 6 ? 16 : 6);
}

START_TEST(checksum_finishes_unfinished_ones)
{
	srand(1);
	for (int round = 0; round < 1000; round++) {
		struct sample sample = random_sample();
		struct frame frame = sample_make(&sample);
		struct packet packet = parsed(&frame);
		struct frame good = sample_cut(&frame, frame.length);
		uint8_t *field = field_of(&frame, &packet);

		store16(field, unfinished(&frame, &packet));
		ck_assert(!checksum_ok(&frame, &packet) || load16(field) == load16(field_of(&good, &packet)));
		ck_assert(checksum_complete(&frame, &packet));
		ck_assert(sample_is_valid(&frame));
		/* Nothing else was touched. */
		ck_assert_mem_eq(frame.bytes, good.bytes, frame.length);
		ck_assert(!checksum_complete(&frame, &packet));
		ck_assert_mem_eq(frame.bytes, good.bytes, frame.length);
		sample_free(&good);
		sample_free(&frame);
	}
}
END_TEST

/* A broken checksum is evidence: it must reach the server as it is, not be made to look right. */
START_TEST(checksum_does_not_mend_broken_frames)
{
	srand(2);
	for (int round = 0; round < 1000; round++) {
		struct sample sample = random_sample();
		struct frame frame = sample_make(&sample);
		struct packet packet = parsed(&frame);
		struct frame before;

		frame.bytes[packet.l4 + 1] ^= 0x55;
		before = sample_cut(&frame, frame.length);
		if (load16(field_of(&frame, &packet)) != unfinished(&frame, &packet))
			ck_assert(!checksum_complete(&frame, &packet));
		ck_assert(!checksum_ok(&frame, &packet));
		ck_assert_mem_eq(frame.bytes, before.bytes, frame.length);
		sample_free(&before);
		sample_free(&frame);
	}
}
END_TEST

START_TEST(checksum_of_udp_may_be_absent)
{
	struct sample sample = { .protocol = 17, .payload = 33 };
	struct frame frame = sample_make(&sample);
	struct packet packet = parsed(&frame);

	store16(field_of(&frame, &packet), 0);
	ck_assert(!checksum_complete(&frame, &packet));
	ck_assert_uint_eq(load16(field_of(&frame, &packet)), 0);
	sample_free(&frame);
}
END_TEST

/* Two bytes of payload are chosen so that the sum comes out as 0xffff, and the checksum as 0. */
START_TEST(checksum_zero_is_sent_as_ffff_in_udp_only)
{
	struct sample sample = { .protocol = _i == 0 ? 17 : 6, .payload = 2 };
	struct frame frame = sample_make(&sample);
	struct packet packet = parsed(&frame);
	uint8_t *field = field_of(&frame, &packet);
	uint32_t length = packet.end - packet.l4;

	store16(field, 0);
	store16(frame.bytes + packet.payload, 0);
	store16(frame.bytes + packet.payload,
	    (uint16_t)(0xffff - sample_sum(frame.bytes + packet.l4, length, sample_pseudo(frame.bytes + 14, length))));
	store16(field, sample_pseudo(frame.bytes + 14, length));
	ck_assert(checksum_complete(&frame, &packet));
	ck_assert_uint_eq(load16(field), _i == 0 ? 0xffff : 0);
	ck_assert(sample_is_valid(&frame));
	sample_free(&frame);
}
END_TEST

/* A UDP datagram that ends before the IP datagram does: what follows is not summed. */
START_TEST(checksum_of_udp_ends_with_udp)
{
	struct sample sample = { .protocol = 17, .payload = 9 };
	struct frame frame = sample_make(&sample);
	struct packet packet;
	uint16_t sum;

	store16(frame.bytes + 34 + 4, 8 + 4);
	packet = parsed(&frame);
	store16(frame.bytes + 34 + 6, sample_pseudo(frame.bytes + 14, 8 + 4));
	ck_assert(checksum_complete(&frame, &packet));
	sum = sample_sum(frame.bytes + 34, 8 + 4, sample_pseudo(frame.bytes + 14, 8 + 4));
	ck_assert_uint_eq(sum, 0xffff);
	sample_free(&frame);
}
END_TEST

START_TEST(checksum_recomputes)
{
	srand(3);
	for (int round = 0; round < 200; round++) {
		struct sample sample = random_sample();
		struct frame frame = sample_make(&sample);
		struct packet packet = parsed(&frame);

		if (!sample.ipv6)
			frame.bytes[packet.l3 + 8] = (uint8_t)rand(); /* time to live */
		if (packet.payload < packet.end)
			frame.bytes[packet.payload] = (uint8_t)rand();
		store16(field_of(&frame, &packet), 0x1234);
		checksum_ipv4_header(&frame, &packet);
		checksum_transport(&frame, &packet);
		ck_assert(sample_is_valid(&frame));
		ck_assert(checksum_ok(&frame, &packet));
		sample_free(&frame);
	}
}
END_TEST

/* ICMP sums no pseudo-header, ICMPv6 does (RFC 4443 section 2.3). */
START_TEST(checksum_of_icmp)
{
	for (uint32_t length = 8; length < 100; length++) {
		struct sample sample = { .ipv6 = _i == 1, .protocol = _i == 1 ? 58 : 1, .payload = length,
			.tagged = length % 2 == 0 };
		struct frame frame = sample_make(&sample);
		struct packet packet = parsed(&frame);

		ck_assert(!checksum_ok(&frame, &packet));
		/* Nobody leaves it unfinished, so this is broken. */
		store16(frame.bytes + packet.l4 + 2, unfinished(&frame, &packet));
		ck_assert(!checksum_complete(&frame, &packet));
		checksum_transport(&frame, &packet);
		ck_assert(checksum_ok(&frame, &packet));
		ck_assert(sample_is_valid(&frame));
		frame.bytes[frame.length - 1] ^= 1;
		ck_assert(!checksum_ok(&frame, &packet));
		sample_free(&frame);
	}
}
END_TEST

/* RFC 9260 appendix A as it is defined: one bit after the other, the polynomial mirrored. */
static uint32_t
slow_crc32c(const uint8_t *bytes, size_t length)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < length * 8; i++) {
		bool bit = (bytes[i / 8] >> i % 8 & 1) != (crc & 1);

		crc = crc >> 1 ^ (bit ? 0x82f63b78 : 0);
	}
	return ~crc;
}

START_TEST(checksum_of_sctp)
{
	/* The check value of CRC-32/ISCSI in the catalogue of parametrised CRC algorithms. */
	ck_assert_uint_eq(slow_crc32c((const uint8_t *)"123456789", 9), 0xe3069283);
	for (uint32_t length = 12; length < 150; length++) {
		struct sample sample = { .ipv6 = length % 2 == 0, .protocol = 132, .payload = length };
		struct frame frame = sample_make(&sample);
		struct packet packet = parsed(&frame);
		uint8_t *field = frame.bytes + packet.l4 + 8;
		uint32_t crc;

		ck_assert(!checksum_ok(&frame, &packet));
		ck_assert(!checksum_complete(&frame, &packet)); /* not zero: broken, not unfinished */
		memset(field, 0, 4);
		crc = slow_crc32c(frame.bytes + packet.l4, length);
		ck_assert(checksum_complete(&frame, &packet));
		for (unsigned i = 0; i < 4; i++)
			ck_assert_uint_eq(field[i], crc >> 8 * i & 255);
		ck_assert(checksum_ok(&frame, &packet));
		ck_assert(!checksum_complete(&frame, &packet));
		sample_free(&frame);
	}
}
END_TEST

#define ONE(extension) .extension_count = 1, .extensions = { extension }

/* What is not all there cannot be summed, and what AH covers may not be changed. */
START_TEST(checksum_leaves_alone)
{
	static const struct sample samples[] = {
		{ .protocol = 6, .payload = 80, .fragment = 0x2000 },
		{ .protocol = 17, .payload = 80, .fragment = 0x2000 },
		{ .protocol = 17, .payload = 80, .fragment = 0x0002 },
		{ .protocol = 132, .payload = 80, .fragment = 0x2000 },
		{ .ipv6 = true, .protocol = 17, .payload = 80, ONE(44), .fragment = 1 },
		{ .ipv6 = true, .protocol = 6, .payload = 80, ONE(44), .fragment = 8 },
		{ .ipv6 = true, .protocol = 6, .payload = 80, ONE(51) },
	};

	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct frame frame = sample_make(&samples[i]);
		struct packet packet = parsed(&frame);
		struct frame before;

		store16(field_of(&frame, &packet), unfinished(&frame, &packet));
		if (packet.protocol == 132)
			memset(frame.bytes + packet.l4 + 8, 0, 4);
		before = sample_cut(&frame, frame.length);
		ck_assert(!checksum_complete(&frame, &packet));
		ck_assert_mem_eq(frame.bytes, before.bytes, frame.length);
		ck_assert(!checksum_ok(&frame, &packet));
		sample_free(&before);
		sample_free(&frame);
	}
}
END_TEST

START_TEST(checksum_absent_in_udp_is_wrong_in_ipv6)
{
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		struct sample sample = { .ipv6 = ipv6 == 1, .protocol = 17, .payload = 5 };
		struct frame frame = sample_make(&sample);
		struct packet packet = parsed(&frame);

		store16(field_of(&frame, &packet), 0);
		ck_assert_int_eq(checksum_ok(&frame, &packet), ipv6 == 0);
		ck_assert(!checksum_complete(&frame, &packet));
		sample_free(&frame);
	}
}
END_TEST

/* RFC 8200 section 8.1: 32-bit length, next header behind three zeros. */
START_TEST(checksum_pseudo_knows_ipv6)
{
	uint8_t pseudo[40] = { 0x20, 0x01, 0x0d, 0xb8 };
	struct packet packet = { .protocol = 6 };

	for (size_t i = 4; i < 32; i++)
		pseudo[i] = (uint8_t)(i * 7);
	packet.source = addr_from_ipv6(pseudo);
	packet.destination = addr_from_ipv6(pseudo + 16);
	store32(pseudo + 32, 0x00012345);
	pseudo[39] = 6;
	ck_assert_uint_eq(checksum_finish(checksum_pseudo(&packet, 0x00012345)), (uint16_t)~sample_sum(pseudo, 40, 0));
}
END_TEST

Suite *
checksum_suite(void)
{
	Suite *suite = suite_create("checksum");
	TCase *tcase = tcase_create("checksum");

	tcase_add_loop_test(tcase, checksum_gives_the_known_values, 0, (int)ARRAY_LEN(vectors));
	tcase_add_test(tcase, checksum_agrees_with_the_slow_one);
	tcase_add_test(tcase, checksum_carries_do_not_get_lost);
	tcase_add_test(tcase, checksum_finishes_unfinished_ones);
	tcase_add_test(tcase, checksum_does_not_mend_broken_frames);
	tcase_add_test(tcase, checksum_of_udp_may_be_absent);
	tcase_add_loop_test(tcase, checksum_zero_is_sent_as_ffff_in_udp_only, 0, 2);
	tcase_add_test(tcase, checksum_of_udp_ends_with_udp);
	tcase_add_test(tcase, checksum_recomputes);
	tcase_add_loop_test(tcase, checksum_of_icmp, 0, 2);
	tcase_add_test(tcase, checksum_of_sctp);
	tcase_add_test(tcase, checksum_leaves_alone);
	tcase_add_test(tcase, checksum_absent_in_udp_is_wrong_in_ipv6);
	tcase_add_test(tcase, checksum_pseudo_knows_ipv6);
	suite_add_tcase(suite, tcase);
	return suite;
}
