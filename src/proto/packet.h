/* SPDX-License-Identifier: ISC */
/*
 * What a frame carries, as offsets and values. packet_parse() is the only place that reads IP and transport headers; it
 * trusts nothing, and nothing behind it needs to check a length again.
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
	PACKET_TRUNCATED,  /* the capture, or the sender, cut it: lengths say more than is there */
	PACKET_MALFORMED,  /* fields contradict each other */
	PACKET_UNSUPPORTED /* well-formed as far as looked at, of a kind the director does not handle */
};

struct packet {
	struct mac ether_source;
	struct mac ether_destination;
	uint16_t ethertype;       /* set also when the status is PACKET_UNSUPPORTED */

	/* The rest is set for IPv4 only (ethertype). */
	struct addr source;
	struct addr destination;
	uint8_t protocol;
	bool fragment;            /* more fragments follow, or this is not the first: ports are not read */
	bool dont_fragment;
	uint16_t l3;              /* offset of the IP header in the frame */
	uint16_t l4;              /* offset of the transport header */
	uint16_t payload;         /* offset of what follows the transport header */
	uint32_t end;             /* offset just behind the datagram; Ethernet padding may follow */

	/* TCP and UDP, unless `fragment`. */
	uint16_t source_port;
	uint16_t destination_port;
	uint8_t tcp_flags;
	uint32_t tcp_sequence;
	uint32_t tcp_acknowledgement;
};

/*
 * Reads `frame` into `packet`. With PACKET_TRUNCATED and PACKET_MALFORMED only the Ethernet fields may be used, if the
 * frame has 14 bytes, else nothing (all zero). An IPv4 destination that was readable is set with every status, so that
 * the caller can tell whether a bad frame was for a VIP (else it is not ours to count).
 *
 * PACKET_UNSUPPORTED: not IPv4 or ARP, or an IP protocol other than TCP and UDP. For ARP the status is PACKET_OK and only
 * the Ethernet fields are set: see proto/arp.h.
 *
 * Checked: IP version, header length, header checksum is NOT (receivers do), total length against the frame, the
 * transport header's own lengths against the datagram. A TCP segment with SYN and FIN, or SYN and RST, is malformed.
 */
enum packet_status packet_parse(const struct frame *frame, struct packet *packet);

#endif
