/* SPDX-License-Identifier: ISC */
/*
 * Addresses: an IP address of either family, a prefix, a MAC address. Plain values: copy them, compare them with the
 * functions here. Bytes are in network order. An unset address is all zero (family ADDR_NONE).
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

struct sockaddr;
struct sockaddr_storage;

enum addr_family {
	ADDR_NONE = 0,
	ADDR_IPV4 = 4,
	ADDR_IPV6 = 6
};

struct addr {
	uint8_t family;    /* enum addr_family */
	uint8_t bytes[16]; /* IPv4 uses the first four, the rest are zero */
};

struct prefix {
	struct addr addr;
	uint8_t length; /* bits */
};

#define MAC_BYTES 6 /* IEEE 802 */

struct mac {
	uint8_t bytes[MAC_BYTES];
};

/* Room for the longest text of each kind, with its end. */
#define ADDR_TEXT 46
#define ADDR_PORT_TEXT (ADDR_TEXT + 8) /* brackets, a colon, five digits */
#define MAC_TEXT 18

/* Parse exactly `text`; no names, no brackets, no zone. 0, or -1 with `*addr` untouched. */
NODISCARD int addr_parse(const char *text, struct addr *addr);
/* Returns `text`, which has room for ADDR_TEXT bytes. */
const char *addr_format(const struct addr *addr, char text[ADDR_TEXT]);
/* "192.0.2.10:80", "[2001:db8::10]:80" (RFC 3986 section 3.2.2). Returns `text`. */
const char *addr_format_port(const struct addr *addr, uint16_t port, char text[ADDR_PORT_TEXT]);
struct addr addr_from_ipv4(const uint8_t bytes[4]);
struct addr addr_from_ipv6(const uint8_t bytes[16]);
/* An IPv4 address in 16 bytes, its own the last four: ::ffff:0:0/96 (RFC 4291 section 2.5.5.2). */
bool addr_is_mapped(const uint8_t bytes[16]);

/* Any address in 16 bytes, as tables that hold both families store it: IPv4 mapped, IPv6 as it is. */
static inline void
addr_mapped(const struct addr *addr, uint8_t bytes[16])
{
	static const uint8_t prefix[4] = { 0, 0, 0xff, 0xff };

	if (addr->family == ADDR_IPV4) {
		memset(bytes, 0, 8);
		memcpy(bytes + 8, prefix, 4);
		memcpy(bytes + 12, addr->bytes, 4);
	} else {
		memcpy(bytes, addr->bytes, 16);
	}
}
/* ADDR_NONE when the sockaddr is of another family. */
struct addr addr_from_sockaddr(const struct sockaddr *sa);
/* The address, which is set, and the port as a sockaddr. Its length. */
uint32_t addr_to_sockaddr(struct sockaddr_storage *storage, const struct addr *addr, uint16_t port);
/* True for ::, 0.0.0.0, multicast and the IPv4 broadcast address: not the address of a single host. */
bool addr_is_no_host(const struct addr *addr);
/* True for 127.0.0.0/8 (RFC 1122 section 3.2.1.3) and ::1. */
bool addr_is_loopback(const struct addr *addr);
/* fe80::/10 (RFC 4291 section 2.5.6): it identifies a host on one link only. */
bool addr_is_link_local(const struct addr *addr);
bool prefix_contains(const struct prefix *prefix, const struct addr *addr);

/* Six pairs of hexadecimal digits joined by ':' or '-'. 0, or -1 with `*mac` untouched. */
NODISCARD int mac_parse(const char *text, struct mac *mac);
const char *mac_format(const struct mac *mac, char text[MAC_TEXT]);
bool mac_is_zero(const struct mac *mac);
extern const struct mac mac_broadcast;
extern const struct mac mac_zero;

/* Called for every frame, so inline. */

/* Of IPv4 the four bytes that are used: they are cheaper to read just after they were written. */
static inline bool
addr_equal(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return false;
	return a->family == ADDR_IPV4 ? memcmp(a->bytes, b->bytes, 4) == 0 : memcmp(a->bytes, b->bytes, 16) == 0;
}

static inline bool
addr_is_set(const struct addr *addr)
{
	return addr->family != ADDR_NONE;
}

static inline bool
mac_equal(const struct mac *a, const struct mac *b)
{
	return memcmp(a->bytes, b->bytes, MAC_BYTES) == 0;
}

/* Broadcast is a group address too. */
static inline bool
mac_is_group(const struct mac *mac)
{
	return (mac->bytes[0] & 1) != 0; /* the I/G bit, IEEE 802 */
}

/* Comparisons for qsort() and the like: the result is below, at or above 0. */
static inline int
compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* IPv4 before IPv6, then by their bytes. */
static inline int
compare_addrs(const struct addr *a, const struct addr *b)
{
	const int result = compare_numbers(a->family, b->family);

	return result != 0 ? result : memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

#endif
