/* SPDX-License-Identifier: ISC */
/*
 * Splitting a TCP super-frame, which receive offload (GRO, LRO) or a virtual neighbor's segmentation offload handed
 * over in one piece, into segments that fit the wire again.
 */
#ifndef PROTO_SEGMENT_H
#define PROTO_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "proto/frame.h"
#include "proto/packet.h"

/* Can it be split into frames of at most `mtu` bytes of IP datagram each? */
bool segment_possible(const struct packet *packet, uint32_t mtu);

/*
 * Sends `super` as segments of at most `mtu` bytes of IP datagram each, through `tx`. `scratch` has room for
 * ETHER_HEADER + VLAN_TAG + mtu bytes. Sequence numbers, lengths, IPv4 identification and checksums are right in each
 * segment; FIN and PSH stand only in the last, CWR only in the first (RFC 3168 section 6.1.2). A VLAN tag, IPv4 options
 * and IPv6 extension headers are in all. Returns the number of segments, or -1 with nothing sent when it can't be
 * split: not TCP, a fragment, urgent data or SYN, behind an AH header, or headers that leave no room.
 */
NODISCARD int segment_tcp(const struct frame *super, const struct packet *packet, uint32_t mtu, uint8_t *scratch,
    const struct frame_tx *tx);

#endif
