/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "proto/ndp.h"
#include "sample.h"
#include "suites.h"

#define IP 14
#define ICMP (IP + 40)
#define TARGET (ICMP + 8)
#define OPTION (ICMP + 24)
#define WHOLE (ICMP + 32)

static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };

/* fe80::7 at 02:00:00:00:00:07 asks ff02::1:ff00:10 for 2001:db8::10. */
static const uint8_t solicitation[WHOLE] = {
	0x33, 0x33, 0xff, 0, 0, 0x10, 2, 0, 0, 0, 0, 7, 0x86, 0xdd,
	0x60, 0, 0, 0, 0, 32, 58, 255,
	0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7,
	0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0x10,
	135, 0, 0, 0, 0, 0, 0, 0,
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
	1, 1, 2, 0, 0, 0, 0, 7
};

/* 2001:db8::11 at 02:00:00:00:00:11, a router, answers fe80::7. */
static const uint8_t advertisement[WHOLE] = {
	2, 0, 0, 0, 0, 7, 2, 0, 0, 0, 0, 0x11, 0x86, 0xdd,
	0x60, 0, 0, 0, 0, 32, 58, 255,
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11,
	0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7,
	136, 0, 0, 0, 0xe0, 0, 0, 0,
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11,
	2, 1, 2, 0, 0, 0, 0, 0x11
};

/* `bytes` with a length and checksum that fit `length` bytes of frame, in memory of just that size. */
static struct frame
finish(const uint8_t *bytes, uint32_t length)
{
	struct frame whole = { .length = length, .wire_length = length };
	uint32_t icmp = length - ICMP;
	struct frame frame;
	uint8_t copy[200];

	memcpy(copy, bytes, length);
	store16(copy + IP + 4, (uint16_t)icmp);
	store16(copy + ICMP + 2, 0);
	store16(copy + ICMP + 2, (uint16_t)~sample_sum(copy + ICMP, icmp, sample_pseudo6(copy + IP, 58, icmp)));
	whole.bytes = copy;
	frame = sample_cut(&whole, length);
	return frame;
}

static int
parse(const struct frame *frame, struct ndp *ndp)
{
	struct packet packet;

	ck_assert_int_eq(packet_parse(frame, &packet), PACKET_OK);
	return ndp_parse(frame, &packet, ndp);
}

static struct addr
address(const char *text)
{
	struct addr addr = { .family = ADDR_NONE };

	ck_assert_int_eq(addr_parse(text, &addr), 0);
	return addr;
}

static void
assert_address(const struct addr *addr, const char *text)
{
	struct addr expected = address(text);

	ck_assert(addr_equal(addr, &expected));
}

START_TEST(ndp_reads_a_solicitation)
{
	static const struct mac asker = { { 2, 0, 0, 0, 0, 7 } };
	struct frame frame = finish(solicitation, WHOLE);
	struct ndp ndp;

	ck_assert_int_eq(parse(&frame, &ndp), 0);
	ck_assert_int_eq(ndp.kind, NDP_SOLICITATION);
	assert_address(&ndp.source, "fe80::7");
	assert_address(&ndp.destination, "ff02::1:ff00:10");
	assert_address(&ndp.target, "2001:db8::10");
	ck_assert(ndp.has_mac && mac_equal(&ndp.mac, &asker));
	ck_assert(!ndp.dad && !ndp.router && !ndp.solicited && !ndp.override);
	sample_free(&frame);
}
END_TEST

START_TEST(ndp_reads_an_advertisement)
{
	static const struct mac owner = { { 2, 0, 0, 0, 0, 0x11 } };
	struct frame frame;
	struct ndp ndp;

	/* Each flag alone; the reserved bits mean nothing. */
	for (int flags = 0; flags < 256; flags++) {
		uint8_t bytes[WHOLE];

		memcpy(bytes, advertisement, WHOLE);
		bytes[ICMP + 4] = (uint8_t)flags;
		frame = finish(bytes, WHOLE);
		ck_assert_int_eq(parse(&frame, &ndp), 0);
		ck_assert_int_eq(ndp.kind, NDP_ADVERTISEMENT);
		assert_address(&ndp.source, "2001:db8::11");
		assert_address(&ndp.target, "2001:db8::11");
		ck_assert(ndp.has_mac && mac_equal(&ndp.mac, &owner));
		ck_assert_int_eq(ndp.router, (flags & 0x80) != 0);
		ck_assert_int_eq(ndp.solicited, (flags & 0x40) != 0);
		ck_assert_int_eq(ndp.override, (flags & 0x20) != 0);
		ck_assert(!ndp.dad);
		sample_free(&frame);
	}
}
END_TEST

/* An error leaves the caller's result as it was; a cut frame is not even a packet. */
START_TEST(ndp_of_every_length)
{
	const uint8_t *bytes = _i == 0 ? solicitation : advertisement;
	struct ndp ndp, before;

	memset(&ndp, 0x5a, sizeof(ndp));
	before = ndp;
	for (uint32_t length = ICMP + 8; length < WHOLE; length++) {
		struct frame frame = finish(bytes, length);
		int result = parse(&frame, &ndp);

		/* Without the option it is whole too. */
		ck_assert_int_eq(result, length == OPTION ? 0 : -1);
		if (result == 0)
			ck_assert(!ndp.has_mac);
		else
			ck_assert_mem_eq(&ndp, &before, sizeof(ndp));
		memcpy(&ndp, &before, sizeof(ndp));
		sample_free(&frame);
	}
}
END_TEST

static const struct {
	const char *what;
	bool advertisement;
	uint32_t offset, length;
	uint8_t bytes[16];
	int result;
} judged[] = {
	{ "hop limit 254", false, IP + 7, 1, { 254 }, -1 },
	{ "hop limit 0", true, IP + 7, 1, { 0 }, -1 },
	{ "code 1", false, ICMP + 1, 1, { 1 }, -1 },
	{ "code 255", true, ICMP + 1, 1, { 255 }, -1 },
	{ "router solicitation", false, ICMP, 1, { 133 }, -1 },
	{ "router advertisement", true, ICMP, 1, { 134 }, -1 },
	{ "redirect", true, ICMP, 1, { 137 }, -1 },
	{ "echo", false, ICMP, 1, { 128 }, -1 },
	{ "reserved bytes", false, ICMP + 4, 4, { 1, 2, 3, 4 }, 0 },
	{ "multicast target", false, TARGET, 2, { 0xff, 0x02 }, -1 },
	{ "multicast target told", true, TARGET, 2, { 0xff, 0x02 }, -1 },
	{ "option of length 0", false, OPTION + 1, 1, { 0 }, -1 },
	{ "option beyond the end", false, OPTION + 1, 1, { 2 }, -1 },
	{ "unknown option of length 0", true, OPTION, 2, { 99, 0 }, -1 },
	{ "unknown option", true, OPTION, 2, { 99, 1 }, 0 },
	{ "other end's option", false, OPTION, 1, { 2 }, 0 },
	{ "group MAC", false, OPTION + 2, 6, { 1, 0, 0x5e, 0, 0, 1 }, -1 },
	{ "broadcast MAC", true, OPTION + 2, 6, { 255, 255, 255, 255, 255, 255 }, -1 },
	{ "zero MAC", true, OPTION + 2, 6, { 0 }, -1 },
	{ "unicast question", false, IP + 24, 16, { 0x20, 0x01, 0x0d, 0xb8, [15] = 0x10 }, 0 },
	{ "from a group", false, IP + 8, 2, { 0xff, 0x02 }, -1 },
	{ "from a group, told", true, IP + 8, 2, { 0xff, 0x02 }, -1 },
	{ "from :: with a MAC", false, IP + 8, 16, { 0 }, -1 },
	{ "solicited, to all", true, IP + 24, 16, { 0xff, 0x02, [15] = 1 }, -1 },
};

START_TEST(ndp_judges)
{
	uint8_t bytes[WHOLE];
	struct frame frame;
	struct ndp ndp;

	memcpy(bytes, judged[_i].advertisement ? advertisement : solicitation, WHOLE);
	memcpy(bytes + judged[_i].offset, judged[_i].bytes, judged[_i].length);
	frame = finish(bytes, WHOLE);
	ck_assert_msg(parse(&frame, &ndp) == judged[_i].result, "%s", judged[_i].what);
	sample_free(&frame);
}
END_TEST

/* Any bit of the message that is turned over shows. */
START_TEST(ndp_wants_the_right_checksum)
{
	for (uint32_t bit = 0; bit < (WHOLE - ICMP) * 8; bit++) {
		struct frame frame = finish(_i == 0 ? solicitation : advertisement, WHOLE);
		struct ndp ndp;

		frame.bytes[ICMP + bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(parse(&frame, &ndp), -1);
		sample_free(&frame);
	}
}
END_TEST

START_TEST(ndp_knows_duplicate_address_detection)
{
	uint8_t bytes[WHOLE];
	struct frame frame;
	struct ndp ndp;

	memcpy(bytes, solicitation, WHOLE);
	memset(bytes + IP + 8, 0, 16);
	frame = finish(bytes, OPTION);
	ck_assert_int_eq(parse(&frame, &ndp), 0);
	ck_assert(ndp.dad && !ndp.has_mac);
	sample_free(&frame);
	/* Not to all nodes, and not to the address itself. */
	memcpy(bytes + IP + 24, all_nodes, 16);
	frame = finish(bytes, OPTION);
	ck_assert_int_eq(parse(&frame, &ndp), -1);
	sample_free(&frame);
	memcpy(bytes + IP + 24, bytes + TARGET, 16);
	frame = finish(bytes, OPTION);
	ck_assert_int_eq(parse(&frame, &ndp), -1);
	sample_free(&frame);
}
END_TEST

/* The answer to such a question goes to all nodes, without the solicited flag (RFC 4861 section 7.2.4). */
START_TEST(ndp_takes_answers_to_all)
{
	uint8_t bytes[WHOLE];
	struct frame frame;
	struct ndp ndp;

	memcpy(bytes, advertisement, WHOLE);
	memcpy(bytes + IP + 24, all_nodes, 16);
	bytes[ICMP + 4] = 0x20;
	frame = finish(bytes, WHOLE);
	ck_assert_int_eq(parse(&frame, &ndp), 0);
	ck_assert(ndp.override && !ndp.solicited);
	sample_free(&frame);
}
END_TEST

/* A nonce (RFC 3971, 14), the MAC behind it, and a second MAC that does not count. */
START_TEST(ndp_finds_the_mac_among_options)
{
	static const uint8_t options[40] = {
		14, 1, 1, 2, 3, 4, 5, 6, 1, 1, 2, 0, 0, 0, 0, 9, 1, 1, 2, 0, 0, 0, 0, 8, 99, 2
	};
	uint8_t bytes[OPTION + 40];
	struct frame frame;
	struct ndp ndp;

	memcpy(bytes, solicitation, OPTION);
	memcpy(bytes + OPTION, options, sizeof(options));
	frame = finish(bytes, sizeof(bytes));
	ck_assert_int_eq(parse(&frame, &ndp), 0);
	ck_assert(ndp.has_mac);
	ck_assert_uint_eq(ndp.mac.bytes[5], 9);
	sample_free(&frame);
	/* Cut within the last. */
	frame = finish(bytes, sizeof(bytes) - 8);
	ck_assert_int_eq(parse(&frame, &ndp), -1);
	sample_free(&frame);
}
END_TEST

/* Extension headers, even a fragment header that makes no fragment (RFC 6980), are a way around filters. */
START_TEST(ndp_refuses_extension_headers)
{
	static const uint8_t kinds[] = { 0, 43, 44, 60 };
	uint8_t bytes[WHOLE + 8];
	struct packet packet;
	struct frame frame = { .bytes = bytes, .length = sizeof(bytes), .wire_length = sizeof(bytes) };
	struct ndp ndp;
	uint16_t sum;

	memcpy(bytes, solicitation, ICMP);
	memset(bytes + ICMP, 0, 8);
	bytes[ICMP] = 58;
	memcpy(bytes + ICMP + 8, solicitation + ICMP, WHOLE - ICMP);
	bytes[IP + 5] = 40;
	bytes[IP + 6] = kinds[_i];
	sum = sample_sum(bytes + ICMP + 8, 32, sample_pseudo6(bytes + IP, 58, 32));
	store16(bytes + ICMP + 8 + 2, (uint16_t)~sum);
	ck_assert_int_eq(packet_parse(&frame, &packet), PACKET_OK);
	ck_assert(ndp_is_neighbor(&packet));
	ck_assert_int_eq(ndp_parse(&frame, &packet, &ndp), -1);
}
END_TEST

START_TEST(ndp_is_neither_in_ipv4)
{
	struct sample sample = { .protocol = 1, .payload = 32, .seed = 135 };
	struct frame frame = sample_make(&sample);
	struct packet packet;
	struct ndp ndp;

	ck_assert_int_eq(packet_parse(&frame, &packet), PACKET_OK);
	ck_assert_uint_eq(packet.icmp_type, 135);
	ck_assert(!ndp_is_neighbor(&packet));
	ck_assert_int_eq(ndp_parse(&frame, &packet, &ndp), -1);
	sample_free(&frame);
}
END_TEST

/* The example of RFC 4291 section 2.7.1, and its Ethernet group by RFC 2464. */
START_TEST(ndp_derives_groups)
{
	static const struct mac expected = { { 0x33, 0x33, 0xff, 0x0e, 0x8c, 0x6c } };
	struct addr addr = address("4037::1:800:200e:8c6c");
	struct addr group = ndp_solicited_node(&addr);
	struct mac mac = ndp_multicast_mac(&group);

	assert_address(&group, "ff02::1:ff0e:8c6c");
	ck_assert(mac_equal(&mac, &expected));
	ck_assert(ndp_is_solicited_node(&group));
	ck_assert(!ndp_is_solicited_node(&addr));
	group = address("ff02::1");
	ck_assert(!ndp_is_solicited_node(&group));
	group = address("ff02::1:fe0e:8c6c");
	ck_assert(!ndp_is_solicited_node(&group));
	group = address("255.2.0.0");
	ck_assert(!ndp_is_solicited_node(&group));
}
END_TEST

Suite *
ndp_suite(void)
{
	Suite *suite = suite_create("ndp");
	TCase *tcase = tcase_create("ndp");

	tcase_add_test(tcase, ndp_reads_a_solicitation);
	tcase_add_test(tcase, ndp_reads_an_advertisement);
	tcase_add_loop_test(tcase, ndp_of_every_length, 0, 2);
	tcase_add_loop_test(tcase, ndp_judges, 0, (int)ARRAY_LEN(judged));
	tcase_add_loop_test(tcase, ndp_wants_the_right_checksum, 0, 2);
	tcase_add_test(tcase, ndp_knows_duplicate_address_detection);
	tcase_add_test(tcase, ndp_takes_answers_to_all);
	tcase_add_test(tcase, ndp_finds_the_mac_among_options);
	tcase_add_loop_test(tcase, ndp_refuses_extension_headers, 0, 4);
	tcase_add_test(tcase, ndp_is_neither_in_ipv4);
	tcase_add_test(tcase, ndp_derives_groups);
	suite_add_tcase(suite, tcase);
	return suite;
}
