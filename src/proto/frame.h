/* SPDX-License-Identifier: ISC */
/*
 * One Ethernet frame on its way through the director. The bytes belong to the creator of the frame (a receive engine, a
 * test, a fuzzer), are writable, and are valid until the call that received the frame returns.
 */
#ifndef PROTO_FRAME_H
#define PROTO_FRAME_H

#include <stdbool.h>
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
#define VLAN_NUMBER 0xfff /* the bits of a tag that number the VLAN; 0: it has priority alone */
#define FRAME_MOST (ETHER_HEADER + VLAN_TAG + 40 + 65535) /* one VLAN tag and the largest IPv6 datagram, RFC 8200 */

struct frame {
	uint8_t *bytes;       /* from the Ethernet destination on, without the check sequence */
	uint32_t length;      /* bytes that are there */
	uint32_t wire_length; /* bytes that were on the wire; more than `length` when the capture cut the frame */
	uint16_t iface;       /* index of the interface it came from, or is to leave by */
	bool local;           /* it does not leave: it is for this host's own stack */

	/* What is left to the way out, where `features` below allows it; else all zero. */
	uint16_t sum_from;    /* the checksum from this byte to the end is still to be computed, */
	uint16_t sum_at;      /* and stands here, where the sum of the pseudo-header is now */
	uint16_t segment;     /* a TCP super-frame, to be split: so many bytes of payload in each frame, */
	uint16_t headers;     /* behind so many bytes of headers */
};

static inline struct frame
frame_of(uint8_t *bytes, uint32_t length, uint16_t iface)
{
	return (struct frame) { .bytes = bytes, .length = length, .wire_length = length, .iface = iface };
}

/* What a way out can finish itself. */
#define TX_CHECKSUM 1U
#define TX_SEGMENTS 2U

/*
 * Where frames go that leave the director: the loop gives one that sends, offline mode one that writes a savefile,
 * tests one that remembers. `frame` and its bytes may be used only during the call.
 */
struct frame_tx {
	void (*emit)(void *context, const struct frame *frame);
	void *context;
	/* NULL for nothing, or what may be left to the way out of an interface, by its index. */
	unsigned (*features)(void *context, uint16_t iface);
};

static inline unsigned
frame_tx_features(const struct frame_tx *tx, uint16_t iface)
{
	return tx->features == NULL ? 0 : tx->features(tx->context, iface);
}

/*
 * Sends a frame of our own making, such as proto/craft.h gives, at that interface. False, and nothing is sent: it is
 * NULL.
 */
static inline bool
frame_tx_send(const struct frame_tx *tx, const struct frame *made, uint16_t iface)
{
	struct frame frame;

	if (made == NULL)
		return false;
	frame = *made;
	frame.iface = iface;
	tx->emit(tx->context, &frame);
	return true;
}

#endif
