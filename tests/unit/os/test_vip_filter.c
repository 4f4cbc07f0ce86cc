/* SPDX-License-Identifier: ISC */
/* The programs for the kernels' packet filter, run by libpcap's own interpreter of them. */
#include "config.h"

#include "os/vip_filter.h"

#include <check.h>
#include <pcap.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"

Suite *vip_filter_suite(void);

#define FRAME 80

static const struct mac mac = {{0x02, 0x00, 0x00, 0x00, 0x00, 0x01}};
static struct filter_insn program[FILTER_INSNS];

static struct addr
parsed(const char *text)
{
	struct addr addr;

	ck_assert_int_eq(addr_parse(text, &addr), 0);
	return addr;
}

/* An Ethernet frame of that type; the destination of its packet stands where IPv4 and IPv6 have it. */
static void
make_frame(uint8_t frame[FRAME], uint16_t type, const char *to)
{
	const struct addr addr = parsed(to);

	memset(frame, 0, FRAME);
	memcpy(frame, mac.bytes, MAC_BYTES);
	frame[12] = (uint8_t)(type >> 8);
	frame[13] = (uint8_t)type;
	memcpy(frame + (addr.family == ADDR_IPV4 ? 30 : 38), addr.bytes, addr.family == ADDR_IPV4 ? 4 : 16);
}

static bool
accepts(size_t length, const uint8_t *frame, unsigned size)
{
	struct bpf_insn insns[FILTER_INSNS];
	const struct bpf_program whole = {.bf_len = (unsigned)length, .bf_insns = insns};
	const struct pcap_pkthdr header = {.caplen = size, .len = size};

	for (size_t i = 0; i < length; i++) {
		const struct filter_insn *insn = &program[i];

		insns[i] = (struct bpf_insn){insn->code, insn->jt, insn->jf, insn->k};
		/* As kernels verify it: no jump leads out of the program. */
		ck_assert_uint_lt(i + insn->jt + (insn->code == 0x05 ? insn->k : 0), length);
		ck_assert_uint_lt(i + insn->jf, length);
	}
	ck_assert_uint_eq(program[length - 1].code, 0x06);
	return pcap_offline_filter(&whole, &header, frame) != 0;
}

START_TEST(vips_alone_are_withheld)
{
	static const struct {
		uint16_t type;
		const char *to;
		bool withheld;
	} cases[] = {
		{0x0800, "192.0.2.10", true},
		{0x0800, "192.0.2.20", true},
		{0x0800, "192.0.2.11", false},
		{0x0800, "192.0.3.10", false},
		{0x0800, "10.2.0.192", false}, /* the wrong order of bytes */
		{0x86dd, "2001:db8::10", true},
		{0x86dd, "2001:db8::20", true},
		{0x86dd, "2001:db8::11", false},
		{0x86dd, "2001:db8:1::10", false},
		{0x86dd, "2002:db8::10", false},
		{0x86dd, "2001:db8::1:0:0:10", false},
		{0x0806, "192.0.2.10", false}, /* ARP is the host's too */
		{0x8100, "192.0.2.10", false},
	};
	const struct addr vips[] = {
		parsed("192.0.2.10"), parsed("2001:db8::10"), parsed("192.0.2.20"), parsed("2001:db8::20")};
	const size_t length = vip_filter_write(program, &mac, vips, ARRAY_LEN(vips));
	uint8_t frame[FRAME];

	ck_assert_uint_gt(length, 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		make_frame(frame, cases[i].type, cases[i].to);
		ck_assert_msg(accepts(length, frame, FRAME) == cases[i].withheld, "%x %s", cases[i].type, cases[i].to);
		/* A frame that ends before its address is nobody's. */
		ck_assert(!accepts(length, frame, 14));
	}
	make_frame(frame, 0x0800, "192.0.2.10");
	for (size_t i = 0; i < MAC_BYTES; i++) {
		frame[i] ^= 1;
		ck_assert_msg(!accepts(length, frame, FRAME), "another MAC, byte %zu", i);
		frame[i] ^= 1;
	}
	ck_assert(accepts(length, frame, FRAME));
}
END_TEST

START_TEST(without_vips_nothing_is_withheld)
{
	const size_t length = vip_filter_write(program, &mac, NULL, 0);
	uint8_t frame[FRAME];

	make_frame(frame, 0x0800, "192.0.2.10");
	ck_assert(!accepts(length, frame, FRAME));
	make_frame(frame, 0x86dd, "2001:db8::10");
	ck_assert(!accepts(length, frame, FRAME));
}
END_TEST

/* As many as nic.h promises, and the last of them counts. */
START_TEST(many_vips_fit_or_are_refused)
{
	struct addr vips[60];
	char text[32];
	uint8_t frame[FRAME];
	size_t length;

	for (unsigned i = 0; i < ARRAY_LEN(vips); i++) {
		(void)snprintf(text, sizeof(text), "2001:db8::%x", i + 1);
		vips[i] = parsed(text);
	}
	length = vip_filter_write(program, &mac, vips, 48);
	ck_assert_uint_gt(length, 400);
	make_frame(frame, 0x86dd, "2001:db8::30");
	ck_assert(accepts(length, frame, FRAME));
	make_frame(frame, 0x86dd, "2001:db8::31");
	ck_assert(!accepts(length, frame, FRAME));
	ck_assert_uint_eq(vip_filter_write(program, &mac, vips, ARRAY_LEN(vips)), 0);
	for (unsigned i = 0; i < ARRAY_LEN(vips); i++) {
		(void)snprintf(text, sizeof(text), "192.0.2.%u", i + 1);
		vips[i] = parsed(text);
	}
	length = vip_filter_write(program, &mac, vips, ARRAY_LEN(vips));
	make_frame(frame, 0x0800, "192.0.2.60");
	ck_assert(accepts(length, frame, FRAME));
}
END_TEST

START_TEST(senders_send_ip_and_arp)
{
	static const struct {
		uint16_t type;
		bool sent;
	} cases[] = {
		{0x0800, true}, {0x86dd, true}, {0x0806, true}, {0x8100, true}, {0x88a8, true},
		{0x88cc, false}, /* LLDP */
		{0x888e, false}, /* who may use this port of the switch */
		{0x0026, false}, /* 802.3: spanning tree */
	};
	const size_t length = sender_filter_write(program);
	uint8_t frame[FRAME];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		make_frame(frame, cases[i].type, "192.0.2.10");
		ck_assert_msg(accepts(length, frame, FRAME) == cases[i].sent, "%x", cases[i].type);
	}
}
END_TEST

Suite *
vip_filter_suite(void)
{
	Suite *suite = suite_create("vip_filter");
	TCase *tests = tcase_create("programs");

	tcase_add_test(tests, vips_alone_are_withheld);
	tcase_add_test(tests, without_vips_nothing_is_withheld);
	tcase_add_test(tests, many_vips_fit_or_are_refused);
	tcase_add_test(tests, senders_send_ip_and_arp);
	suite_add_tcase(suite, tests);
	return suite;
}
