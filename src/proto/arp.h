/* SPDX-License-Identifier: ISC */
/* ARP for IPv4 over Ethernet (RFC 826), read. Writing it: proto/craft.h. */
#ifndef PROTO_ARP_H
#define PROTO_ARP_H

#include "base/addr.h"
#include "base/attr.h"
#include "proto/frame.h"

#define ARP_BYTES 28 /* without the Ethernet header */

enum arp_operation {
	ARP_REQUEST = 1, /* RFC 826 */
	ARP_REPLY = 2
};

struct arp {
	enum arp_operation operation;
	struct mac sender_mac;
	struct addr sender; /* 0.0.0.0 in a probe (RFC 5227) */
	struct mac target_mac;
	struct addr target;
};

/*
 * Reads a frame, with one 802.1Q tag or without. 0, or -1 when the frame is cut, of another hardware or protocol, of
 * an unknown operation, or when the sender's MAC is a group address, zero, or not the frame's source: such a thing
 * may not teach us anything.
 */
NODISCARD int arp_parse(const struct frame *frame, struct arp *arp);

#endif
