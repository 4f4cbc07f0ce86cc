/* SPDX-License-Identifier: ISC */
/* The text of the capture's filter, as libpcap compiles it and as it judges frames. */
#include "config.h"

#include <check.h>
#include <pcap.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "daemon/capture_filter.h"

Suite *capture_filter_suite(void);

#define SNAPLEN 256
#define INSTRUCTIONS 512 /* FreeBSD's and OpenBSD's BPF_MAXINSNS (net/bpf.h) */

static const struct iface iface = { .name = "eth0", .mac = { { 2, 0, 0, 0, 0, 1 } }, .up = true };

/* The longest text there is: as many VIPs as it names, with the longest addresses. */
static void
write_longest(char text[CAPTURE_FILTER_TEXT])
{
	static struct vip vips[CAPTURE_FILTER_VIPS];
	struct model model = { .vips = vips, .vip_count = ARRAY_LEN(vips) };
	char name[ADDR_TEXT];

	for (unsigned i = 0; i < ARRAY_LEN(vips); i++) {
		(void)snprintf(name, sizeof(name), "2001:db8:1111:2222:3333:4444:5555:%x", 0x6600 + i);
		ck_assert_int_eq(addr_parse(name, &vips[i].addr), 0);
	}
	for (size_t i = 0; i < PROBE_ADDRESSES; i++)
		ck_assert_int_eq(addr_parse(i == 0 ? "192.168.100.200" : "2001:db8:1111:2222:3333:4444:5555:7777",
		    &model.probe_addresses[i]), 0);
	capture_filter_write(text, &iface, 0, &model, false);
}

/* Every filter that dsrd sets. */
static void
write_filter(char text[CAPTURE_FILTER_TEXT], int which)
{
	static struct vip vips[CAPTURE_FILTER_VIPS + 1];
	const struct model none = { .vip_count = 0 }, many = { .vips = vips, .vip_count = ARRAY_LEN(vips) };

	for (size_t i = 0; i < ARRAY_LEN(vips); i++)
		ck_assert_int_eq(addr_parse("192.0.2.10", &vips[i].addr), 0);
	switch (which) {
	case 0:
		write_longest(text);
		break;
	case 1:
		capture_filter_write(text, &iface, 0, &none, false);
		break;
	case 2:
		capture_filter_write(text, &iface, 0, &many, false);
		break;
	case 3:
		capture_filter_write(text, &iface, 0, &none, true);
		break;
	default:
		(void)snprintf(text, CAPTURE_FILTER_TEXT, "%s", CAPTURE_FILTER_BROAD);
	}
}

#define FILTERS 5

/*
 * The words of OpenBSD's libpcap: lib/libpcap/scanner.l 1.33 (2024-09-24, OpenBSD 7.6). Any other word is a host's
 * name to it, which it looks up. Names of ICMP types and TCP flags have a hyphen there; the filter uses numbers.
 */
static bool
is_known_word(const char *word)
{
	static const char *const known[] = { "action", "addr1", "addr2", "addr3", "addr4", "address1", "address2",
	    "address3",
		"address4", "ah", "and", "arp", "atalk", "broadcast", "byte", "decnet", "dir", "direction", "dst",
		    "esp", "ether", "fddi",
		"gateway", "greater", "host", "icmp", "icmp6", "icmpcode", "icmptype", "ifname", "igmp", "igrp",
		    "inbound", "ip", "ip6",
		"lat", "len", "length", "less", "link", "mask", "mopdl", "moprc", "mpls", "multicast", "net", "not",
		    "on", "or",
		"outbound", "pim", "port", "ppp", "proto", "protochain", "random", "rarp", "reason", "rnd", "rnr",
		    "rset", "rulenum",
		"ruleset", "sample", "sca", "slip", "src", "srnr", "stp", "subrulenum", "subtype", "tcp", "tcpflags",
		    "type", "udp",
		"vlan", "wlan" };

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(word, known[i]) == 0)
			return true;
	return false;
}

START_TEST(test_words_of_later_versions)
{
	static const char *const later[] = { "portrange", "pppoes", "llc", "geneve", "carp", "sctp", "vrrp", "iso" };

	for (size_t i = 0; i < ARRAY_LEN(later); i++)
		ck_assert_msg(!is_known_word(later[i]), "%s", later[i]);
}
END_TEST

START_TEST(test_words)
{
	char text[CAPTURE_FILTER_TEXT], *next = text, *word;
	size_t words = 0;

	write_filter(text, _i);
	/* Numbers and addresses have a digit first, or a colon; so has no word of the language. */
	while ((word = strtok_r(next, " ()[]", &next)) != NULL) {
		if (strspn(word, "0123456789<>=:") == 0) {
			ck_assert_msg(is_known_word(word), "OpenBSD does not know \"%s\"", word);
			words++;
		}
	}
	ck_assert_uint_gt(words, 3);
}
END_TEST

static void
compile(struct bpf_program *program, const char *text)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, SNAPLEN);

	ck_assert_ptr_nonnull(pcap);
	ck_assert_msg(pcap_compile(pcap, program, text, 1, 0) == 0, "%s: %s", text, pcap_geterr(pcap));
	pcap_close(pcap);
}

START_TEST(test_compiles)
{
	char text[CAPTURE_FILTER_TEXT];
	struct bpf_program program;

	write_filter(text, _i);
	ck_assert_uint_lt(strlen(text), CAPTURE_FILTER_TEXT - 1);
	compile(&program, text);
	ck_assert_uint_le(program.bf_len, INSTRUCTIONS);
	pcap_freecode(&program);
}
END_TEST

static const struct {
	uint16_t port;
	bool passes;
} ports[] = { { 80, false }, { 60999, false }, { 61000, true }, { 63000, true }, { 65095, true }, { 65096, false } };

/* An answer of a server to the VIP check: from the VIP's port to one of dsrd's, to an address that is no VIP. */
static bool
passes(const struct bpf_program *program, bool ip6, uint8_t protocol, uint16_t port, uint8_t mac)
{
	uint8_t frame[14 + 40 + 20] = { 2, 0, 0, 0, 0, mac, 2, 0, 0, 0, 0, 9 };
	struct pcap_pkthdr header = { .caplen = sizeof(frame), .len = sizeof(frame) };
	uint8_t *packet = frame + 14, *transport = packet + (ip6 ? 40 : 20);

	frame[12] = ip6 ? 0x86 : 0x08;
	frame[13] = ip6 ? 0xdd : 0x00;
	packet[0] = ip6 ? 0x60 : 0x45;
	packet[ip6 ? 6 : 9] = protocol;
	transport[1] = 80;
	transport[2] = (uint8_t)(port >> 8);
	transport[3] = (uint8_t)port;
	return pcap_offline_filter(program, &header, frame) != 0;
}

START_TEST(test_vip_check_answers)
{
	static const uint8_t protocols[] = { 6, 17 };
	char text[CAPTURE_FILTER_TEXT];
	struct bpf_program program;

	write_longest(text);
	compile(&program, text);
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		for (int ip6 = 0; ip6 < 2; ip6++) {
			ck_assert_int_eq(passes(&program, ip6 == 1, protocols[i], ports[_i].port, 1), ports[_i].passes);
			/* To another machine. */
			ck_assert(!passes(&program, ip6 == 1, protocols[i], ports[_i].port, 2));
		}
	}
	ck_assert(!passes(&program, true, 89, ports[_i].port, 1));
	ck_assert(!passes(&program, false, 89, ports[_i].port, 1));
	pcap_freecode(&program);
}
END_TEST

Suite *
capture_filter_suite(void)
{
	Suite *suite = suite_create("capture filter");
	TCase *tcase = tcase_create("capture filter");

	tcase_add_loop_test(tcase, test_words, 0, FILTERS);
	tcase_add_test(tcase, test_words_of_later_versions);
	tcase_add_loop_test(tcase, test_compiles, 0, FILTERS);
	tcase_add_loop_test(tcase, test_vip_check_answers, 0, ARRAY_LEN(ports));
	suite_add_tcase(suite, tcase);
	return suite;
}
