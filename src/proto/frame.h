/* SPDX-License-Identifier: ISC */
/*
 * One Ethernet frame on its way through the director. The bytes belong to whoever made the frame (a receive engine, a
 * test, a fuzzer), are writable, and live until the call that got the frame returns.
 */
#ifndef PROTO_FRAME_H
#define PROTO_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define ETHER_HEADER 14 /* bytes: destination, source, type (IEEE 802.3) */
#define ETHER_DESTINATION 0
#define ETHER_SOURCE 6
#define ETHER_TYPE 12
#define ETHERTYPE_IPV4 0x0800 /* IEEE 802 Numbers, IANA */
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_VLAN 0x8100 /* IEEE 802.1Q: a tag of VLAN_TAG bytes, then the type of what it carries */
#define VLAN_TAG 4
#define FRAME_MOST (ETHER_HEADER + VLAN_TAG + 40 + 65535) /* one VLAN tag and the largest IPv6 datagram, RFC 8200 */

struct frame {
	uint8_t *bytes;       /* from the Ethernet destination on, without the check sequence */
	uint32_t length;      /* bytes that are there */
	uint32_t wire_length; /* bytes that were on the wire; more than `length` when the capture cut the frame */
	uint16_t iface;       /* index of the interface it came from, or is to leave by */
};

/*
 * Where frames go that leave the director: the loop gives one that sends, offline mode one that writes a savefile,
 * tests one that remembers. `frame` and its bytes may be used only during the call.
 */
struct emitter {
	void (*emit)(void *context, const struct frame *frame);
	void *context;
};

#endif
