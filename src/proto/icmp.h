/* SPDX-License-Identifier: ISC */
/*
 * ICMP (RFC 792) and ICMPv6 (RFC 4443), as far as they concern a flow: errors, which quote the datagram they are about,
 * and echo. One set of functions serves both; the packet has the family.
 */
#ifndef PROTO_ICMP_H
#define PROTO_ICMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "proto/frame.h"
#include "proto/packet.h"

/*
 * The datagram an error quotes. It was sent by the host the error is for: for an error that came to a VIP, `source` is
 * the VIP, `source_port` the service's, and `destination` is the client.
 */
struct icmp_inner {
	struct addr source;
	struct addr destination;
	uint8_t protocol;         /* behind IPv6 extension headers */
	bool has_ports;           /* TCP, UDP or SCTP, of which the ports were quoted */
	uint16_t source_port;
	uint16_t destination_port;
	/* when `has_ports`, the word behind them: TCP's sequence number, UDP's length and checksum */
	uint32_t second;
	uint32_t ident;           /* IPv4's identification (16 bits), or IPv6's flow label (20 bits) */
	uint32_t mtu;             /* next hop's, in "fragmentation needed" (RFC 1191) and "packet too big"; else 0 */
};

struct icmp_echo {
	uint16_t identifier;
	uint16_t sequence;
	uint16_t data;            /* offset in the frame; it goes on to packet.end */
};

/* What became of a packet in a tunnel, by an ICMP error about it. */
enum icmp_cause {
	ICMP_CAUSE_NONE = 0,    /* nothing that concerns a tunnel */
	ICMP_CAUSE_TOO_BIG,
	ICMP_CAUSE_NO_PROTOCOL, /* the host at its end does not decapsulate */
	ICMP_CAUSE_NO_PORT,     /* the same of UDP */
	ICMP_CAUSE_NO_WAY,      /* a network, a host or a firewall on the way */
	ICMP_CAUSE_HOPS
};

const char *icmp_cause_name(enum icmp_cause cause); /* "too-big", "no-protocol", ...: for programs */

struct icmp_tunnel {
	enum icmp_cause cause;
	struct icmp_inner outer; /* `mtu` is the next hop's */
	struct icmp_inner inner; /* of the packet in the tunnel; it has ports */
};

/* All take a packet that is PACKET_OK, of any protocol. */


/*
 * Destination unreachable (fragmentation needed too), time exceeded, parameter problem, packet too big, source quench.
 * No redirect: it concerns the routes of a router or host, not the flow of a VIP, and must not be changed.
 */
bool icmp_is_error(const struct packet *packet);
bool icmp_is_redirect(const struct packet *packet);
bool icmp_is_echo_request(const struct packet *packet);
/*
 * Reads the datagram quoted by an error. It may be cut after 8 bytes of its transport header (RFC 792), and its length
 * fields are not trusted. A later fragment is quoted without ports. Returns -1 if `packet` is not an error or is itself
 * a later fragment, if the quoted IP headers are cut or malformed, or if the quoted sender is not the destination of
 * the error.
 */
NODISCARD int icmp_inner(const struct frame *frame, const struct packet *packet, struct icmp_inner *inner);
/*
 * Reads an error about an IPIP, GRE or GUE packet (encap/encap.h) that the error's receiver sent. -1 if it is about
 * none, or if it quotes too little of the packet in the tunnel to know its ports: RFC 792 asks for 8 bytes, RFC 1812
 * section 4.3.2.3 for 576 in all.
 */
NODISCARD int icmp_tunnel(const struct frame *frame, const struct packet *packet, struct icmp_tunnel *tunnel);
/*
 * The same of a redirect (RFC 792; RFC 4861 section 4.5, of which the quotation is an option): -1 when it is none, or
 * has no quotation.
 */
NODISCARD int icmp_redirected(const struct frame *frame, const struct packet *packet, struct icmp_inner *inner);
/* Reads an echo request or reply; -1 when `packet` is none, or a fragment. */
NODISCARD int icmp_echo(const struct frame *frame, const struct packet *packet, struct icmp_echo *echo);

#endif
