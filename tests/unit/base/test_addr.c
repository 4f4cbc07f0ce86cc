/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <string.h>

#include "base/addr.h"
#include "suites.h"

static struct addr
parsed(const char *text)
{
	struct addr addr = { .family = ADDR_NONE };

	ck_assert_msg(addr_parse(text, &addr) == 0, "%s", text);
	return addr;
}

static const struct {
	const char *text;
	int family;
	const char *format; /* what comes out again */
} good_addrs[] = {
	{ "0.0.0.0", ADDR_IPV4, "0.0.0.0" },
	{ "192.0.2.1", ADDR_IPV4, "192.0.2.1" },
	{ "255.255.255.255", ADDR_IPV4, "255.255.255.255" },
	{ "::", ADDR_IPV6, "::" },
	{ "2001:DB8:0:0::1", ADDR_IPV6, "2001:db8::1" },
	{ "::ffff:192.0.2.1", ADDR_IPV6, "::ffff:192.0.2.1" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", ADDR_IPV6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
};

START_TEST(addr_reads_and_writes)
{
	char text[ADDR_TEXT];
	struct addr addr = parsed(good_addrs[_i].text);

	ck_assert_int_eq(addr.family, good_addrs[_i].family);
	ck_assert(addr_is_set(&addr));
	ck_assert_str_eq(addr_format(&addr, text), good_addrs[_i].format);
}
END_TEST

static const char *const bad_addrs[] = {
	"", "1", "192.0.2", "192.0.2.256", "192.0.2.1.1", "192.0.2.1/24", " 192.0.2.1", "192.0.2.1 ", "0x7f.0.0.1", ":",
	":::",
	"2001:db8::1::2", "fe80::1%eth0", "[::1]", "localhost", "192.0.2.-1", "2001:db8:::1", "12345::"
};

START_TEST(addr_refuses)
{
	struct addr addr = parsed("198.51.100.7");
	const struct addr before = addr;

	ck_assert_int_eq(addr_parse(bad_addrs[_i], &addr), -1);
	ck_assert(addr_equal(&addr, &before));
}
END_TEST

START_TEST(addr_bytes_are_in_network_order)
{
	static const uint8_t expected[16] = { 192, 0, 2, 1 };
	struct addr addr = parsed("192.0.2.1");
	struct addr same = addr_from_ipv4(expected);
	struct addr other = parsed("192.0.2.2");
	struct addr mapped = parsed("c000:201::");

	ck_assert_mem_eq(addr.bytes, expected, sizeof(expected));
	ck_assert(addr_equal(&addr, &same));
	ck_assert(!addr_equal(&addr, &other));
	/* The same bytes in the other family are another address. */
	ck_assert_mem_eq(addr.bytes, mapped.bytes, sizeof(mapped.bytes));
	ck_assert(!addr_equal(&addr, &mapped));
}
END_TEST

START_TEST(addr_unset_has_a_text)
{
	struct addr addr;
	char text[ADDR_TEXT];

	memset(&addr, 0, sizeof(addr));
	ck_assert(!addr_is_set(&addr));
	ck_assert_str_eq(addr_format(&addr, text), "none");
}
END_TEST

START_TEST(addr_comes_from_sockaddr)
{
	struct sockaddr_storage storage;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct addr addr, expected;

	memset(&storage, 0, sizeof(storage));
	memset(&in, 0, sizeof(in));
	in.sin_family = AF_INET;
	ck_assert_int_eq(inet_pton(AF_INET, "192.0.2.1", &in.sin_addr), 1);
	memcpy(&storage, &in, sizeof(in));
	addr = addr_from_sockaddr((const struct sockaddr *)&storage);
	expected = parsed("192.0.2.1");
	ck_assert(addr_equal(&addr, &expected));

	memset(&in6, 0, sizeof(in6));
	in6.sin6_family = AF_INET6;
	ck_assert_int_eq(inet_pton(AF_INET6, "2001:db8::1", &in6.sin6_addr), 1);
	memcpy(&storage, &in6, sizeof(in6));
	addr = addr_from_sockaddr((const struct sockaddr *)&storage);
	expected = parsed("2001:db8::1");
	ck_assert(addr_equal(&addr, &expected));

	storage.ss_family = AF_UNIX;
	addr = addr_from_sockaddr((const struct sockaddr *)&storage);
	ck_assert(!addr_is_set(&addr));
}
END_TEST

static const struct {
	const char *text;
	bool no_host;
} hosts[] = {
	{ "0.0.0.0", true }, { "::", true }, { "224.0.0.1", true }, { "239.255.255.255", true },
	{ "255.255.255.255", true },
	{ "ff02::1", true }, { "223.255.255.255", false }, { "240.0.0.1", false }, { "192.0.2.1", false },
	{ "::1", false },
	{ "fe80::1", false }, { "e000::1", false }, { "0.0.0.1", false }
};

START_TEST(addr_knows_what_no_host_has)
{
	struct addr addr = parsed(hosts[_i].text);

	ck_assert_msg(addr_is_no_host(&addr) == hosts[_i].no_host, "%s", hosts[_i].text);
}
END_TEST

START_TEST(addr_knows_ipv4_in_16_bytes)
{
	ck_assert(addr_is_mapped(parsed("::ffff:192.0.2.10").bytes));
	ck_assert(!addr_is_mapped(parsed("::fffe:192.0.2.10").bytes));
	ck_assert(!addr_is_mapped(parsed("::192.0.2.10").bytes));
	ck_assert(!addr_is_mapped(parsed("100::ffff:192.0.2.10").bytes));
}
END_TEST

static const struct {
	const char *prefix;
	uint8_t length;
	const char *addr;
	bool contains;
} prefixes[] = {
	{ "192.0.2.0", 24, "192.0.2.255", true }, { "192.0.2.0", 24, "192.0.3.0", false },
	{ "192.0.2.77", 24, "192.0.2.1", true }, /* host bits do not matter */
	{ "192.0.2.128", 25, "192.0.2.127", false }, { "192.0.2.128", 25, "192.0.2.129", true },
	{ "192.0.2.4", 31, "192.0.2.5", true }, { "192.0.2.4", 31, "192.0.2.6", false },
	{ "192.0.2.4", 32, "192.0.2.4", true }, { "192.0.2.4", 32, "192.0.2.5", false },
	{ "0.0.0.0", 0, "203.0.113.9", true }, { "0.0.0.0", 0, "2001:db8::1", false },
	{ "10.0.0.0", 7, "11.0.0.1", true }, { "10.0.0.0", 8, "11.0.0.1", false },
	{ "192.0.2.4", 255, "192.0.2.4", true }, /* nonsense, but nothing is read behind the address */
	{ "2001:db8::", 32, "2001:db8:ffff::1", true }, { "2001:db8::", 32, "2001:db9::1", false },
	{ "2001:db8::1", 128, "2001:db8::1", true }, { "2001:db8::1", 128, "2001:db8::2", false },
	{ "2001:db8::", 127, "2001:db8::1", true }
};

START_TEST(prefix_contains_its_addresses)
{
	struct prefix prefix = { .addr = parsed(prefixes[_i].prefix), .length = prefixes[_i].length };
	struct addr addr = parsed(prefixes[_i].addr);

	ck_assert_msg(prefix_contains(&prefix, &addr) == prefixes[_i].contains, "%s/%u %s", prefixes[_i].prefix,
	    (unsigned)prefixes[_i].length, prefixes[_i].addr);
}
END_TEST

START_TEST(prefix_contains_nothing_unset)
{
	struct prefix prefix;
	struct addr addr;

	memset(&prefix, 0, sizeof(prefix));
	memset(&addr, 0, sizeof(addr));
	ck_assert(!prefix_contains(&prefix, &addr));
}
END_TEST

static const struct {
	const char *text;
	const char *format;
} good_macs[] = {
	{ "02:00:5e:00:53:0a", "02:00:5e:00:53:0a" },
	{ "02-00-5E-00-53-0A", "02:00:5e:00:53:0a" },
	{ "ff:ff:ff:ff:ff:ff", "ff:ff:ff:ff:ff:ff" },
	{ "00:00:00:00:00:00", "00:00:00:00:00:00" },
};

START_TEST(mac_reads_and_writes)
{
	struct mac mac;
	char text[MAC_TEXT];

	ck_assert_int_eq(mac_parse(good_macs[_i].text, &mac), 0);
	ck_assert_str_eq(mac_format(&mac, text), good_macs[_i].format);
}
END_TEST

static const char *const bad_macs[] = {
	"", "02", "02:00:5e:00:53", "02:00:5e:00:53:", "02:00:5e:00:53:0", "02:00:5e:00:53:0a:", "02:00:5e:00:53:0a:01",
	"02:00:5e:00:53-0a", "02:00:5e:00:53:0g", "2:0:5e:0:53:a", "02005e00530a", " 02:00:5e:00:53:0a",
	"02.00.5e.00.53.0a",
	"0200.5e00.530a", "02::00:5e:00:53:0a", "-02:00:5e:00:53:0a"
};

START_TEST(mac_refuses)
{
	struct mac mac = mac_broadcast;

	ck_assert_int_eq(mac_parse(bad_macs[_i], &mac), -1);
	ck_assert(mac_equal(&mac, &mac_broadcast));
}
END_TEST

START_TEST(mac_knows_its_kinds)
{
	struct mac host = { { 0x02, 0, 0x5e, 0, 0x53, 0x0a } };
	struct mac multicast = { { 0x01, 0, 0x5e, 0, 0, 1 } };

	ck_assert(!mac_is_group(&host));
	ck_assert(!mac_is_zero(&host));
	ck_assert(mac_is_group(&multicast));
	ck_assert(mac_is_group(&mac_broadcast));
	ck_assert(mac_is_zero(&mac_zero));
	ck_assert(!mac_is_group(&mac_zero));
	ck_assert(!mac_equal(&host, &multicast));
}
END_TEST

START_TEST(addr_is_written_with_a_port)
{
	char text[ADDR_PORT_TEXT];
	struct addr addr;

	ck_assert_int_eq(addr_parse("192.0.2.10", &addr), 0);
	ck_assert_str_eq(addr_format_port(&addr, 80, text), "192.0.2.10:80");
	ck_assert_int_eq(addr_parse("2001:db8:1111:2222:3333:4444:5555:6666", &addr), 0);
	ck_assert_str_eq(addr_format_port(&addr, 65535, text), "[2001:db8:1111:2222:3333:4444:5555:6666]:65535");
}
END_TEST

START_TEST(addr_has_an_order)
{
	struct addr low, high, six;

	ck_assert_int_eq(addr_parse("9.0.2.10", &low), 0);
	ck_assert_int_eq(addr_parse("192.0.2.10", &high), 0);
	ck_assert_int_eq(addr_parse("::1", &six), 0);
	ck_assert_int_lt(compare_addrs(&low, &high), 0);
	ck_assert_int_gt(compare_addrs(&high, &low), 0);
	ck_assert_int_eq(compare_addrs(&low, &low), 0);
	ck_assert_int_lt(compare_addrs(&high, &six), 0);
}
END_TEST

Suite *
addr_suite(void)
{
	Suite *suite = suite_create("addr");
	TCase *tcase = tcase_create("addr");

	tcase_add_loop_test(tcase, addr_reads_and_writes, 0, (int)ARRAY_LEN(good_addrs));
	tcase_add_loop_test(tcase, addr_refuses, 0, (int)ARRAY_LEN(bad_addrs));
	tcase_add_test(tcase, addr_bytes_are_in_network_order);
	tcase_add_test(tcase, addr_unset_has_a_text);
	tcase_add_test(tcase, addr_comes_from_sockaddr);
	tcase_add_loop_test(tcase, addr_knows_what_no_host_has, 0, (int)ARRAY_LEN(hosts));
	tcase_add_test(tcase, addr_knows_ipv4_in_16_bytes);
	tcase_add_test(tcase, addr_is_written_with_a_port);
	tcase_add_test(tcase, addr_has_an_order);
	tcase_add_loop_test(tcase, prefix_contains_its_addresses, 0, (int)ARRAY_LEN(prefixes));
	tcase_add_test(tcase, prefix_contains_nothing_unset);
	tcase_add_loop_test(tcase, mac_reads_and_writes, 0, (int)ARRAY_LEN(good_macs));
	tcase_add_loop_test(tcase, mac_refuses, 0, (int)ARRAY_LEN(bad_macs));
	tcase_add_test(tcase, mac_knows_its_kinds);
	suite_add_tcase(suite, tcase);
	return suite;
}
