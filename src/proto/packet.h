/* SPDX-License-Identifier: ISC */
/*
 * The contents of a frame, as offsets and values. packet_parse() is the only place that reads IP and transport headers;
 * it trusts no field, and later code need not check a length again.
 */
#ifndef PROTO_PACKET_H
#define PROTO_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "proto/frame.h"

#define PROTOCOL_ICMP 1 /* Protocol Numbers, IANA */
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define PROTOCOL_ICMPV6 58
#define PROTOCOL_SCTP 132

/* The TCP flags byte (RFC 9293 section 3.1). */
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20
#define TCP_ECE 0x40
#define TCP_CWR 0x80

enum packet_status {
	PACKET_OK = 0,
	PACKET_TRUNCATED,  /* cut by the capture or the sender: the lengths exceed the bytes present */
	PACKET_MALFORMED,  /* fields contradict each other */
	PACKET_UNSUPPORTED /* well-formed as far as looked at, of a kind the director does not handle */
};

struct packet {
	struct mac ether_destination; /* these two as in the frame */
	struct mac ether_source;
	uint16_t ethertype;       /* of what a VLAN tag carries, when there is one; set also with PACKET_UNSUPPORTED */
	uint16_t vlan_tci;        /* the tag: priority, drop eligible, VLAN number (the low 12 bits) */
	bool tagged;              /* one 802.1Q tag stands before the ethertype */

	/* The rest is set for IPv4 and IPv6 only (ethertype). */
	struct addr source;
	struct addr destination;
	uint8_t hop_limit;        /* or time to live */
	uint8_t protocol;         /* of the transport header, behind all IPv6 extension headers; see also `fragment` */
	bool dont_fragment;       /* always, in IPv6 */
	bool authenticated;       /* an IPv6 AH header covers what follows it (RFC 4302): it must not be changed */

	/*
	 * A part of a datagram. An IPv6 fragment header that covers the whole datagram does not set it (RFC 6946). In a
	 * later fragment of IPv6, `protocol` is the first header of the fragmented part, which may be an extension
	 * header: fragments are matched by source, destination and fragment_id alone (RFC 8200 section 4.5), in IPv4 by
	 * the protocol too (RFC 791 section 3.2).
	 */
	bool fragment;
	bool more_fragments;      /* this is not the last */
	uint16_t fragment_offset; /* bytes; 0 in the first fragment, and in what is none */
	uint32_t fragment_id;     /* set when `fragment`; 16 bits in IPv4 */

	uint32_t end;             /* offset just behind the datagram; Ethernet padding may follow */
	uint16_t l3;              /* offset of the IP header in the frame */
	uint16_t l4;              /* offset of the transport header, or of the data of a later fragment */
	uint16_t payload;         /* offset of what follows the transport header; l4 when that was not read */

	/*
	 * TCP, UDP and SCTP, when `has_ports`: always but in fragments. A first fragment has them when its transport
	 * header is there completely, a later one never.
	 */
	bool has_ports;
	uint8_t tcp_flags;        /* when `has_ports` and TCP, as the sequence numbers below */
	uint16_t source_port;
	uint16_t destination_port;
	uint32_t tcp_sequence;
	uint32_t tcp_acknowledgement;

	/* ICMP and ICMPv6, unless a later fragment; more: proto/icmp.h, proto/ndp.h. */
	uint8_t icmp_type;
	uint8_t icmp_code;
};

static inline bool
packet_is_arp(const struct packet *packet)
{
	return !packet->has_ports && packet->ethertype == ETHERTYPE_ARP;
}

/*
 * Of either family, also where it has no business: no packet of the other family is PACKET_OK. The ports first, since
 * almost every frame has them.
 */
static inline bool
packet_is_icmp(const struct packet *packet)
{
	return !packet->has_ports && (packet->protocol == PROTOCOL_ICMP || packet->protocol == PROTOCOL_ICMPV6);
}

/*
 * Parses `frame` into `packet`. With PACKET_TRUNCATED and PACKET_MALFORMED only the Ethernet fields may be used, if the
 * frame has 14 bytes, else nothing (all zero). If an IP header was readable, its source and destination are set
 * whatever the status, so that the caller knows whether a bad frame was for a VIP (others are not ours to count).
 *
 * PACKET_UNSUPPORTED: another ethertype, more than one VLAN tag, a protocol other than TCP, UDP, SCTP and the ICMP of
 * the address family; in IPv6 also jumbograms, more than 8 extension headers, and a routing header with segments left.
 * `protocol` is then the last one read. For ARP the status is PACKET_OK and only the Ethernet fields are set: see
 * proto/arp.h.
 *
 * Checked: IP version, header length, the datagram's length against the frame, each extension header and the transport
 * header's own lengths against the datagram. NOT checked, since receivers do: checksums, and whether fragments overlap.
 * A TCP segment with SYN and FIN, or SYN and RST, is malformed.
 */
enum packet_status packet_parse(const struct frame *frame, struct packet *packet);

#endif
