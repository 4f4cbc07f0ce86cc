/* SPDX-License-Identifier: ISC */
/*
 * How a packet reaches a real server. By default only the frame's MAC addresses change (`mac`), and the server must be
 * on the director's segment. The other methods cross routers:
 *
 *   dscp   the packet's destination becomes the server's address, and its DSCP says which VIP it was for (L3DSR)
 *   ipip   the packet travels inside an IP packet: RFC 2003 (4 in 4), RFC 4213 (6 in 4), RFC 2473 (in IPv6)
 *   gre    the same with a GRE header between: RFC 2784, RFC 7676; no key, no checksum, no sequence number
 *   gue    the same with UDP and a GUE header of variant 0: draft-ietf-intarea-gue-09 section 3
 *   gue1   the same with UDP alone, which is GUE of variant 1: draft-ietf-intarea-gue-09 section 4
 *
 * And one server may be the director itself:
 *
 *   local  the packet goes to the host's own stack
 *
 * Nothing here knows servers, routes or interfaces. All addresses and fields are in network order in the bytes.
 */
#ifndef ENCAP_ENCAP_H
#define ENCAP_ENCAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "encap/outer.h"
#include "proto/frame.h"
#include "proto/packet.h"

#define ENCAP_DSCP_MOST 63   /* six bits: RFC 2474 section 3 */
#define GUE_PORT 6080        /* Service Name and Transport Protocol Port Number Registry, IANA */

const char *encap_method_name(enum encap_method method);
/* -1 when no method has that name. */
NODISCARD int encap_method_by_name(const char *name, enum encap_method *method);
/* The bytes that the method adds to each packet, for a server whose address is of this family. */
uint32_t encap_overhead(enum encap_method method, enum addr_family outer);
static inline bool
encap_is_tunnel(enum encap_method method)
{
	return method >= ENCAP_IPIP && method <= ENCAP_GUE1;
}

/*
 * Prepares the header for packets of the family `inner` from the director's address `source` to the server's address
 * `destination`, both of one family. With dscp it has the server's address instead, and
 * length 0.
 */
void encap_prepare(struct encap *encap, enum encap_method method, const struct addr *source,
    const struct addr *destination, enum addr_family inner);
/*
 * Writes `frame` with the header before its packet into `out`, which has room for it and ENCAP_HEADER_MOST bytes more,
 * and sets `wrapped` to that. The packet is PACKET_OK, of the family that was prepared, its transport checksum is
 * finished, and packet and header together are no longer than 65535 bytes. `hash` is the flow's: it chooses the UDP
 * source port and the IPv6 flow label, so that routers and network cards keep a flow together (RFC 6438, RFC 8086
 * section 3.2.1).
 *
 * The packet loses one from its time to live (RFC 2003 section 3), so that directors which send to each other do not
 * loop for ever. False, and nothing is written: none is left.
 */
NODISCARD bool encap_wrap(const struct encap *encap, const struct frame *frame, const struct packet *packet,
    uint32_t hash, uint8_t *out, struct frame *wrapped);

/* The hash of the packet's flow, for encap_wrap(): of fragments, which may lack ports, without them. */
uint32_t encap_flow_hash(const struct packet *packet);

/*
 * Addresses the packet to `server`, of its family, with this DSCP; the ECN bits stay. The checksums are updated
 * incrementally (RFC 1624), so a wrong one stays wrong, and an unfinished one stays unfinished. `packet` is updated.
 * False, and nothing is changed: the packet must not be changed since an AH header covers it, or it is a first fragment
 * without its whole transport header.
 */
NODISCARD bool encap_readdress(struct frame *frame, struct packet *packet, const struct addr *server, uint8_t dscp);

#endif
