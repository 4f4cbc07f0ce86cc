/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "proto/arp.h"
#include "sample.h"
#include "suites.h"

/* 192.0.2.7 at 02:00:00:00:00:07 asks everybody for 192.0.2.10. */
static const uint8_t who_has[42] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 7, 0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, 1,
	2, 0, 0, 0, 0, 7, 192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 192, 0, 2, 10
};

static const struct mac asker = { { 2, 0, 0, 0, 0, 7 } };

START_TEST(arp_reads_a_request)
{
	uint8_t bytes[42];
	struct frame frame = { .bytes = bytes, .length = 42, .wire_length = 42 };
	static const uint8_t sender[4] = { 192, 0, 2, 7 }, target[4] = { 192, 0, 2, 10 };
	struct addr expected;
	struct arp arp;

	memcpy(bytes, who_has, sizeof(bytes));
	ck_assert_int_eq(arp_parse(&frame, &arp), 0);
	ck_assert_int_eq(arp.operation, ARP_REQUEST);
	ck_assert(mac_equal(&arp.sender_mac, &asker));
	ck_assert(mac_is_zero(&arp.target_mac));
	expected = addr_from_ipv4(sender);
	ck_assert(addr_equal(&arp.sender, &expected));
	expected = addr_from_ipv4(target);
	ck_assert(addr_equal(&arp.target, &expected));
}
END_TEST

START_TEST(arp_reads_a_reply)
{
	uint8_t bytes[60];
	struct frame frame = { .bytes = bytes, .length = 60, .wire_length = 60 };
	static const struct mac target = { { 2, 0, 0, 0, 0, 1 } };
	struct arp arp;

	memset(bytes, 0, sizeof(bytes)); /* Ethernet padding */
	memcpy(bytes, who_has, sizeof(who_has));
	memcpy(bytes, target.bytes, 6);
	bytes[21] = 2;
	memcpy(bytes + 32, target.bytes, 6);
	ck_assert_int_eq(arp_parse(&frame, &arp), 0);
	ck_assert_int_eq(arp.operation, ARP_REPLY);
	ck_assert(mac_equal(&arp.target_mac, &target));
}
END_TEST

START_TEST(arp_probe_has_no_sender_address)
{
	uint8_t bytes[42];
	struct frame frame = { .bytes = bytes, .length = 42, .wire_length = 42 };
	struct arp arp;

	memcpy(bytes, who_has, sizeof(bytes));
	memset(bytes + 28, 0, 4);
	ck_assert_int_eq(arp_parse(&frame, &arp), 0);
	ck_assert_int_eq(arp.sender.family, ADDR_IPV4);
	ck_assert(addr_is_no_host(&arp.sender));
}
END_TEST

START_TEST(arp_cut_anywhere_is_refused)
{
	uint8_t bytes[42];
	struct frame frame = { .bytes = bytes, .length = 42, .wire_length = 42 };
	struct arp arp, before;

	memcpy(bytes, who_has, sizeof(bytes));
	memset(&arp, 0x5a, sizeof(arp));
	before = arp;
	for (uint32_t length = 0; length < sizeof(who_has); length++) {
		struct frame cut = sample_cut(&frame, length);

		ck_assert_int_eq(arp_parse(&cut, &arp), -1);
		ck_assert_mem_eq(&arp, &before, sizeof(arp));
		sample_free(&cut);
	}
}
END_TEST

static const struct {
	const char *what;
	size_t offset, length;
	uint8_t bytes[6];
} bad[] = {
	{ "ethertype IPv4", 12, 2, { 0x08, 0x00 } },
	{ "hardware IEEE 802", 14, 2, { 0, 6 } },
	{ "protocol IPv6", 16, 2, { 0x86, 0xdd } },
	{ "hardware length 8", 18, 1, { 8 } },
	{ "protocol length 16", 19, 1, { 16 } },
	{ "operation 0", 20, 2, { 0, 0 } },
	{ "operation 3 (RARP)", 20, 2, { 0, 3 } },
	{ "operation 257", 20, 2, { 1, 1 } },
	{ "sender MAC zero", 22, 6, { 0 } },
	{ "sender MAC broadcast", 22, 6, { 255, 255, 255, 255, 255, 255 } },
	{ "sender MAC not the frame's source", 22, 6, { 2, 0, 0, 0, 0, 8 } },
	{ "frame's source not the sender MAC", 6, 6, { 2, 0, 0, 0, 0, 8 } },
};

START_TEST(arp_refuses)
{
	uint8_t bytes[42];
	struct frame frame = { .bytes = bytes, .length = 42, .wire_length = 42 };
	struct arp arp;

	memcpy(bytes, who_has, sizeof(bytes));
	memcpy(bytes + bad[_i].offset, bad[_i].bytes, bad[_i].length);
	ck_assert_msg(arp_parse(&frame, &arp) == -1, "%s", bad[_i].what);
}
END_TEST

/* Equal to the frame's source, so only the kind of address speaks against it. */
START_TEST(arp_refuses_group_and_zero_senders)
{
	static const uint8_t macs[3][6] = { { 0 }, { 255, 255, 255, 255, 255, 255 }, { 1, 0, 0x5e, 0, 0, 1 } };
	uint8_t bytes[42];
	struct frame frame = { .bytes = bytes, .length = 42, .wire_length = 42 };
	struct arp arp;

	memcpy(bytes, who_has, sizeof(bytes));
	memcpy(bytes + 6, macs[_i], 6);
	memcpy(bytes + 22, macs[_i], 6);
	ck_assert_int_eq(arp_parse(&frame, &arp), -1);
}
END_TEST

Suite *
arp_suite(void)
{
	Suite *suite = suite_create("arp");
	TCase *tcase = tcase_create("arp");

	tcase_add_test(tcase, arp_reads_a_request);
	tcase_add_test(tcase, arp_reads_a_reply);
	tcase_add_test(tcase, arp_probe_has_no_sender_address);
	tcase_add_test(tcase, arp_cut_anywhere_is_refused);
	tcase_add_loop_test(tcase, arp_refuses, 0, (int)ARRAY_LEN(bad));
	tcase_add_loop_test(tcase, arp_refuses_group_and_zero_senders, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite;
}
