/* SPDX-License-Identifier: ISC */
/*
 * The answer to a packet that is too large for the way on: ICMP "fragmentation needed" (RFC 1191 section 4) or ICMPv6
 * "packet too big" (RFC 4443 section 3.2). Its sender then sends smaller ones.
 */
#ifndef PROTO_TOO_BIG_H
#define PROTO_TOO_BIG_H

#include <stdint.h>

#include "proto/frame.h"
#include "proto/packet.h"

/* RFC 1812 section 4.3.2.3: an ICMP error is at most 576 bytes; RFC 4443 section 3.2: at most the least MTU, 1280. */
#define TOO_BIG_MOST (ETHER_HEADER + VLAN_TAG + 1280)
#define IPV6_MTU_LEAST 1280 /* RFC 8200 section 5 */

/*
 * Writes the answer into `out`, which has room for TOO_BIG_MOST bytes: from the packet's destination to its source, and
 * between the same MAC addresses and in the same VLAN as the frame, the other way round. `packet` is PACKET_OK and IP.
 */
struct frame too_big_answer(const struct frame *frame, const struct packet *packet, uint32_t mtu, uint8_t *out);

#endif
