/* SPDX-License-Identifier: ISC */
/*
 * What BSD kernels send and give, byte by byte, on any system: messages of routing sockets, netmasks, addresses of
 * links.
 */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "bsd_messages.h"
#include "os/bsd_bytes.h"

Suite *bsd_bytes_suite(void);

#define WANTED_MOST 6

/* --- routing sockets --- */

static const struct system {
	const char *name;
	uint8_t version;
	struct message {
		uint8_t type;
		uint16_t bytes;
	} route, wanted[WANTED_MOST];
} systems[] = {
	{ "FreeBSD", FREEBSD_VERSION, { FREEBSD_ADD, FREEBSD_ROUTE_BYTES }, { { FREEBSD_IFINFO, FREEBSD_IFINFO_BYTES },
	    { FREEBSD_NEWADDR, FREEBSD_ADDRESS_BYTES }, { FREEBSD_DELADDR, FREEBSD_ADDRESS_BYTES },
	    { FREEBSD_IFANNOUNCE, FREEBSD_IFANNOUNCE_BYTES } } },
	{ "NetBSD", NETBSD_VERSION, { NETBSD_ADD, NETBSD_ROUTE_BYTES }, { { NETBSD_IFINFO, NETBSD_IFINFO_BYTES },
	    { NETBSD_NEWADDR, NETBSD_ADDRESS_BYTES }, { NETBSD_DELADDR, NETBSD_ADDRESS_BYTES },
	    { NETBSD_CHGADDR, NETBSD_ADDRESS_BYTES }, { NETBSD_IFANNOUNCE, NETBSD_IFANNOUNCE_BYTES } } },
	{ "OpenBSD", OPENBSD_VERSION, { OPENBSD_ADD, OPENBSD_ROUTE_BYTES }, { { OPENBSD_IFINFO, OPENBSD_IFINFO_BYTES },
	    { OPENBSD_NEWADDR, OPENBSD_ADDRESS_BYTES }, { OPENBSD_DELADDR, OPENBSD_ADDRESS_BYTES },
	    { OPENBSD_IFANNOUNCE, OPENBSD_IFANNOUNCE_BYTES }, { OPENBSD_DESYNC, OPENBSD_ROUTE_BYTES } } },
};

/* With a sockaddr_in behind its header: length 16, AF_INET, 192.0.2.1. Returns the message's bytes. */
static size_t
append(uint8_t *at, const struct system *system, const struct message *message)
{
	static const uint8_t address[16] = { 16, 2, 0, 0, 192, 0, 2, 1 };
	const uint16_t length = (uint16_t)(message->bytes + sizeof(address));

	memset(at, 0, message->bytes);
	memcpy(at, &length, sizeof(length)); /* in host byte order */
	at[2] = system->version;
	at[3] = message->type;
	memcpy(at + message->bytes, address, sizeof(address));
	return length;
}

static size_t
list_types(const struct system *system, uint8_t types[WANTED_MOST])
{
	size_t count = 0;

	while (count < WANTED_MOST && system->wanted[count].bytes != 0) {
		types[count] = system->wanted[count].type;
		count++;
	}
	ck_assert_uint_ge(count, 4);
	return count;
}

START_TEST(each_message_of_each_system)
{
	const struct system *system = &systems[_i];
	uint8_t bytes[3 * 256], types[WANTED_MOST];
	const size_t count = list_types(system, types);

	for (size_t i = 0; i < count; i++) {
		size_t before = append(bytes, system, &system->route), length;

		/* recv() returns one message on these systems; routes before it do not hide it. */
		length = before + append(bytes + before, system, &system->wanted[i]);
		ck_assert_msg(route_message_find(bytes, length, system->version, types, count), "%s, type %u",
		    system->name,
		    types[i]);
		ck_assert(route_message_find(bytes + before, length - before, system->version, types, count));
		ck_assert(!route_message_find(bytes, before, system->version, types, count));
		/* Cut anywhere it is no message. */
		for (size_t cut = 0; cut < length - before; cut++)
			ck_assert(!route_message_find(bytes + before, cut, system->version, types, count));
		bytes[before + 2]--;
		ck_assert(!route_message_find(bytes, length, system->version, types, count));
	}
}
END_TEST

/* --- routes --- */

/* A destination, a gateway or a link, a netmask that may be short, and the interface em0, as the kernels align them. */
static const struct {
	const char *what;
	struct route_dialect dialect;
	uint8_t bytes[112];
	size_t length;
	unsigned present;
	const char *gateway; /* NULL: none */
} ways[] = {
	{ "FreeBSD, the default route: a netmask without length", { 8, 28 },
	    { 16, 2, 0, 0, 10, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
	    16, 2, 0, 0, 192, 0, 2, 254, 0, 0, 0, 0, 0, 0, 0, 0,
	    0, 0, 0, 0, 0, 0, 0, 0,
	    20, 18, 1, 0, 6, 3, 6, 0, 'e', 'm', '0', 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0 }, 64, 0x17, "192.0.2.254" },
	{ "OpenBSD, a short netmask", { 8, 24 },
	    { 16, 2, 0, 0, 10, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
	    16, 2, 0, 0, 192, 0, 2, 254, 0, 0, 0, 0, 0, 0, 0, 0,
	    7, 0, 0, 0, 255, 255, 255, 0,
	    20, 18, 1, 0, 6, 3, 6, 0, 'e', 'm', '0', 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0 }, 64, 0x17, "192.0.2.254" },
	{ "macOS aligns to four bytes", { 4, 30 },
	    { 16, 2, 0, 0, 10, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
	    16, 2, 0, 0, 192, 0, 2, 254, 0, 0, 0, 0, 0, 0, 0, 0,
	    0, 0, 0, 0,
	    20, 18, 1, 0, 6, 3, 6, 0, 'e', 'm', '0', 2, 0, 0, 0, 0, 1, 0, 0, 0 }, 56, 0x17, "192.0.2.254" },
	{ "on the link", { 8, 28 },
	    { 16, 2, 0, 0, 192, 0, 2, 11, 0, 0, 0, 0, 0, 0, 0, 0,
	    20, 18, 1, 0, 6, 3, 6, 0, 'e', 'm', '0', 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
	    20, 18, 1, 0, 6, 3, 6, 0, 'e', 'm', '0', 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0 }, 64, 0x13, NULL },
	{ "NetBSD, a link-local gateway with the interface's number in it", { 8, 24 },
	    { 28, 24, 0, 0, 0, 0, 0, 0, 0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0,
	    28, 24, 0, 0, 0, 0, 0, 0, 0xfe, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
	    20, 18, 1, 0, 6, 3, 6, 0, 'e', 'm', '0', 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0 }, 88, 0x13, "fe80::1" },
};

START_TEST(test_ways)
{
	char iface[IFACE_NAME], text[ADDR_TEXT];
	struct addr gateway;

	ck_assert_msg(route_message_way(ways[_i].bytes, ways[_i].length, ways[_i].present, &ways[_i].dialect, &gateway,
	    iface), "%s", ways[_i].what);
	ck_assert_str_eq(iface, "em0");
	ck_assert(addr_is_set(&gateway) == (ways[_i].gateway != NULL));
	if (ways[_i].gateway != NULL)
		ck_assert_str_eq(addr_format(&gateway, text), ways[_i].gateway);
	/* Cut anywhere before the interface's name ends, it is refused. */
	for (size_t cut = 0; cut + 12 < ways[_i].length; cut++)
		ck_assert(!route_message_way(ways[_i].bytes, cut, ways[_i].present, &ways[_i].dialect, &gateway,
		    iface));
	ck_assert(!route_message_way(ways[_i].bytes, ways[_i].length, ways[_i].present & ~0x10U, &ways[_i].dialect,
	    &gateway, iface));
}
END_TEST

/* --- netmasks --- */

#define LENGTH_IN 16 /* struct sockaddr_in, sockaddr_in6 */
#define LENGTH_IN6 28

static const struct {
	const char *what;
	enum addr_family family;
	uint8_t bytes[28];
	size_t length;
	uint8_t bits;
} masks[] = {
	{ "a whole /24, AF_INET", ADDR_IPV4, { 16, 2, 0, 0, 255, 255, 255, 0 }, LENGTH_IN, 24 },
	/* Zeros at the end left out, the family too (sys/net/radix.c, rn_addmask(), of 4.4BSD and its heirs). */
	{ "a short /24", ADDR_IPV4, { 7, 0, 0, 0, 255, 255, 255 }, 7, 24 },
	{ "a short /20", ADDR_IPV4, { 7, 0, 0, 0, 255, 255, 0xf0 }, 7, 20 },
	{ "a short /8, as before 0xff000000", ADDR_IPV4, { 5, 0, 0, 0, 255, 0xa5, 0xa5, 0xa5 }, 5, 8 },
	{ "/32", ADDR_IPV4, { 16, 2, 0, 0, 255, 255, 255, 255 }, LENGTH_IN, 32 },
	{ "/32, whatever sin_zero has", ADDR_IPV4, { 16, 2, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	    255 },
	    LENGTH_IN, 32 },
	{ "/0 has a length of 0", ADDR_IPV4, { 0 }, 0, 0 },
	{ "/0 with the family", ADDR_IPV4, { 2, 2, 0xa5, 0xa5, 0xa5 }, 2, 0 },
	{ "a whole /64, AF_INET6 of OpenBSD and NetBSD", ADDR_IPV6,
	    { 28, 24, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255,
	    255 }, LENGTH_IN6, 64 },
	{ "a short /64", ADDR_IPV6, { 16, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0xa5 }, 16, 64 },
	{ "/128, AF_INET6 of FreeBSD", ADDR_IPV6, { 28, 28, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255,
	    255, 255, 255,
	    255, 255, 255, 255, 255, 0, 0, 0, 0 }, LENGTH_IN6, 128 },
};

START_TEST(netmask)
{
	uint8_t bytes[28];

	ck_assert_msg(sockaddr_mask_length(masks[_i].bytes, masks[_i].length, masks[_i].family) == masks[_i].bits, "%s",
	    masks[_i].what);
	/* What lies behind the length does not count, and is not read. */
	memset(bytes, 0xff, sizeof(bytes));
	memcpy(bytes, masks[_i].bytes, masks[_i].length);
	ck_assert_msg(sockaddr_mask_length(bytes, masks[_i].length, masks[_i].family) == masks[_i].bits, "%s",
	    masks[_i].what);
}
END_TEST

/* --- links --- */

static const struct mac expected = { { 0x02, 0, 0x5e, 0x10, 0, 0x01 } };

static const struct {
	const char *what;
	uint8_t bytes[64];
	size_t length;
	bool found;
} links[] = {
	/* length, AF_LINK 18, index, type 6 (Ethernet), lengths of name, address, selector, "em0", address */
	{ "FreeBSD, 54 bytes, em0", { 54, 18, 1, 0, 6, 3, 6, 0, 'e', 'm', '0', 0x02, 0, 0x5e, 0x10, 0, 0x01 }, 54,
	    true },
	{ "OpenBSD, 32 bytes, vio0", { 32, 18, 1, 0, 6, 4, 6, 0, 'v', 'i', 'o', '0', 0x02, 0, 0x5e, 0x10, 0, 0x01 }, 32,
	    true },
	{ "NetBSD, only as long as needed, wm0", { 17, 18, 1, 0, 6, 3, 6, 0, 'w', 'm', '0', 0x02, 0, 0x5e, 0x10, 0,
	    0x01 }, 17, true },
	{ "the longest name, of 15 letters", { 29, 18, 1, 0, 6, 15, 6, 0, 'b', 'r', 'i', 'd', 'g', 'e', '1', '2', '3',
	    '4', '5', '6',
	    '7', '8', '9', 0x02, 0, 0x5e, 0x10, 0, 0x01 }, 29, true },
	{ "no name", { 14, 18, 1, 0, 6, 0, 6, 0, 0x02, 0, 0x5e, 0x10, 0, 0x01 }, 14, true },
	{ "lo0 has no address", { 54, 18, 2, 0, 24, 3, 0, 0, 'l', 'o', '0' }, 54, false },
	{ "Infiniband has 20 bytes", { 54, 18, 3, 0, 199, 3, 20, 0, 'i', 'b', '0', 1, 2, 3, 4, 5, 6 }, 54, false },
	{ "cut before the address ends", { 16, 18, 1, 0, 6, 3, 6, 0, 'e', 'm', '0', 0x02, 0, 0x5e, 0x10, 0, 0x01 }, 16,
	    false },
	{ "a name longer than all of it", { 54, 18, 1, 0, 6, 255, 6, 0, 'e', 'm', '0', 0x02, 0, 0x5e, 0x10, 0, 0x01 },
	    54, false },
	{ "the beginning only", { 4, 18, 1, 0 }, 4, false },
	{ "nothing", { 0 }, 0, false },
};

START_TEST(link_address)
{
	struct mac mac = { { 0 } };

	ck_assert_msg(sockaddr_link_mac(links[_i].bytes, links[_i].length, &mac) == links[_i].found, "%s",
	    links[_i].what);
	ck_assert_msg(memcmp(&mac, links[_i].found ? &expected : &(struct mac) { { 0 } }, sizeof(mac)) == 0, "%s",
	    links[_i].what);
}
END_TEST

Suite *
bsd_bytes_suite(void)
{
	Suite *suite = suite_create("bsd_bytes");
	TCase *tests = tcase_create("bytes");

	tcase_add_loop_test(tests, each_message_of_each_system, 0, ARRAY_LEN(systems));
	tcase_add_loop_test(tests, test_ways, 0, ARRAY_LEN(ways));
	tcase_add_loop_test(tests, netmask, 0, ARRAY_LEN(masks));
	tcase_add_loop_test(tests, link_address, 0, ARRAY_LEN(links));
	suite_add_tcase(suite, tests);
	return suite;
}
