/* SPDX-License-Identifier: ISC */
/*
 * Socket addresses as kernels give them, byte by byte, so that each system's can be tested on every system. All have
 * the address of an IPv4 at byte 4 and of an IPv6 at byte 8. The BSDs begin with a length and the family, a byte
 * each.
 */
#ifndef OS_BSD_BYTES_H
#define OS_BSD_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/iface.h"

/*
 * The prefix length of a netmask of this family. A BSD kernel leaves out zeros at the end of a mask, and sometimes the
 * family: what lies beyond `length` counts as zero.
 */
uint8_t sockaddr_mask_length(const uint8_t *bytes, size_t length, enum addr_family family);
/*
 * The address of a link, from a struct sockaddr_dl of any BSD: type at byte 4, lengths of name, address and selector
 * from byte 5 on, name and address from byte 8 on (net/if_dl.h of FreeBSD 14, NetBSD 10.1 and OpenBSD 7.8). False
 * unless it has six bytes and all of them are there.
 */
bool sockaddr_link_mac(const uint8_t *bytes, size_t length, struct mac *mac);

/* Messages of the BSDs' routing sockets, as far as all systems have them in the same way: length, version, type. */

/* Is a message of one of these types among those in `bytes`? Messages of another version are not understood. */
bool route_message_find(const uint8_t *bytes, size_t length, uint8_t version, const uint8_t *types, size_t count);

/* What differs between systems in the socket addresses behind the header of a route's message. */
struct route_dialect {
	size_t align;  /* each begins at a multiple of that: ROUNDUP(), SA_SIZE() or RT_ROUNDUP() of net/route.h */
	uint8_t inet6; /* AF_INET6, which is not the same number everywhere; AF_INET and AF_LINK are */
};
#define ROUTE_INET 2
#define ROUTE_LINK 18
/* Bits of rtm_addrs, in the order in which the addresses follow each other (route(4)). */
#define ROUTE_DESTINATION 0x1
#define ROUTE_GATEWAY 0x2
#define ROUTE_INTERFACE 0x10

/*
 * The gateway and the interface's name from the addresses behind a route message's header; `present` is its rtm_addrs.
 * A gateway that is no IP address is the link itself: ADDR_NONE. False when an address is cut, or no interface is
 * named.
 */
NODISCARD bool route_message_way(const uint8_t *bytes, size_t length, unsigned present,
    const struct route_dialect *dialect, struct addr *gateway, char iface[IFACE_NAME]);

#endif
