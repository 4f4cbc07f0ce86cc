/* SPDX-License-Identifier: ISC */
/* What an ICMP error quotes of a packet in a tunnel: the outer headers, and of the packet in it what there is. */
#include "config.h"

#include "proto/icmp.h"

#include "proto/icmp_quote.h"
#include "proto/tunnel.h"

/* ICMP Type Numbers and codes, IANA. */
#define V4_UNREACHABLE 3
#define V4_NO_PROTOCOL 2
#define V4_NO_PORT 3
#define V4_FRAGMENTATION_NEEDED 4
#define V4_TIME_EXCEEDED 11
#define V6_UNREACHABLE 1
#define V6_NO_PORT 4
#define V6_PACKET_TOO_BIG 2
#define V6_TIME_EXCEEDED 3
#define V6_PARAMETER_PROBLEM 4
#define V6_NEXT_HEADER 1 /* of that: "unrecognized next header" */

const char *
icmp_cause_name(enum icmp_cause cause)
{
	switch (cause) {
	case ICMP_CAUSE_NONE:
		break;
	case ICMP_CAUSE_TOO_BIG:
		return "too-big";
	case ICMP_CAUSE_NO_PROTOCOL:
		return "no-protocol";
	case ICMP_CAUSE_NO_PORT:
		return "no-port";
	case ICMP_CAUSE_NO_WAY:
		return "no-way";
	case ICMP_CAUSE_HOPS:
		return "hops";
	}
	return "none";
}

static enum icmp_cause
tunnel_cause4(uint8_t type, uint8_t code)
{
	if (type == V4_TIME_EXCEEDED)
		return ICMP_CAUSE_HOPS;
	if (type != V4_UNREACHABLE)
		return ICMP_CAUSE_NONE;
	switch (code) {
	case V4_NO_PROTOCOL:
		return ICMP_CAUSE_NO_PROTOCOL;
	case V4_NO_PORT:
		return ICMP_CAUSE_NO_PORT;
	case V4_FRAGMENTATION_NEEDED:
		return ICMP_CAUSE_TOO_BIG;
	default:
		return ICMP_CAUSE_NO_WAY;
	}
}

static enum icmp_cause
tunnel_cause6(uint8_t type, uint8_t code)
{
	switch (type) {
	case V6_UNREACHABLE:
		return code == V6_NO_PORT ? ICMP_CAUSE_NO_PORT : ICMP_CAUSE_NO_WAY;
	case V6_PACKET_TOO_BIG:
		return ICMP_CAUSE_TOO_BIG;
	case V6_TIME_EXCEEDED:
		return ICMP_CAUSE_HOPS;
	case V6_PARAMETER_PROBLEM:
		return code == V6_NEXT_HEADER ? ICMP_CAUSE_NO_PROTOCOL : ICMP_CAUSE_NONE;
	default:
		return ICMP_CAUSE_NONE;
	}
}

int
icmp_tunnel(const struct frame *frame, const struct packet *packet, struct icmp_tunnel *tunnel)
{
	const uint8_t *bytes = frame->bytes;
	enum tunnel_kind kind;
	uint32_t at, inner;

	if (!icmp_is_error(packet) || icmp_inner(frame, packet, &tunnel->outer) == -1 ||
	    icmp_quote_read(bytes, packet->payload, packet->end, &tunnel->outer, &at) == -1)
		return -1;
	tunnel->cause = packet->protocol == PROTOCOL_ICMPV6 ? tunnel_cause6(packet->icmp_type, packet->icmp_code) :
	    tunnel_cause4(packet->icmp_type, packet->icmp_code);
	inner = tunnel_payload(bytes, tunnel->outer.protocol, at, packet->end, &kind);
	if (tunnel->cause == ICMP_CAUSE_NONE || inner == 0 || inner >= packet->end)
		return -1;
	return icmp_quote_read(bytes, inner, packet->end, &tunnel->inner, &at) == -1 || !tunnel->inner.has_ports ? -1 : 0;
}
