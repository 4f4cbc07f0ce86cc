/* SPDX-License-Identifier: ISC */
/* Neighbor discovery for IPv6 over Ethernet (RFC 4861), read. Writing it: proto/craft.h. */
#ifndef PROTO_NDP_H
#define PROTO_NDP_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/attr.h"
#include "proto/frame.h"
#include "proto/packet.h"

enum ndp_kind {
	NDP_SOLICITATION = 135, /* RFC 4861 section 4.3: the ICMPv6 type */
	NDP_ADVERTISEMENT = 136
};

struct ndp {
	enum ndp_kind kind;
	struct addr source;      /* :: in a probe for a duplicate address */
	struct addr destination;
	struct addr target;
	bool has_mac;            /* the option is there: the source's MAC in a solicitation, else the target's */
	struct mac mac;
	bool dad;                /* a solicitation from ::, duplicate address detection (RFC 4862) */
	bool router;             /* these three: advertisements only */
	bool solicited;
	bool override;
};

/* Is this a solicitation or advertisement by its type, be it good or bad? `packet` is PACKET_OK. */
bool ndp_is_neighbor(const struct packet *packet);
/*
 * Returns 0, or -1 for messages that RFC 4861 sections 7.1.1 and 7.1.2 require to be discarded: hop limit not 255 (it
 * came through a router), wrong checksum, code, or length, an option of length 0 or beyond the end, a multicast target,
 * the solicited flag to a multicast address, a source :: with a destination that is not a solicited-node group or with
 * a MAC option. Also -1 for any IPv6 extension header, fragments in particular (RFC 6980), a multicast source, and a
 * MAC option that is a group address or zero. Unlike in ARP, the MAC need not be the frame's source.
 */
NODISCARD int ndp_parse(const struct frame *frame, const struct packet *packet, struct ndp *ndp);

/* ff02::1:ffXX:XXXX, where XX are the last bytes of the IPv6 address `addr` (RFC 4291 section 2.7.1). */
struct addr ndp_solicited_node(const struct addr *addr);
bool ndp_is_solicited_node(const struct addr *addr);
/* The MAC of an IPv6 multicast group: 33:33 and its last four bytes (RFC 2464 section 7). */
struct mac ndp_multicast_mac(const struct addr *group);

#endif
