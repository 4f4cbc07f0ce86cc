/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "proto/icmp.h"

#include <string.h>

#include "base/bytes.h"
#include "proto/icmp_quote.h"
#include "proto/ipv6.h"

/* ICMP Type Numbers, IANA (RFC 792). */
#define V4_ECHO_REPLY 0
#define V4_UNREACHABLE 3
#define V4_SOURCE_QUENCH 4
#define V4_REDIRECT 5
#define V4_ECHO_REQUEST 8
#define V4_TIME_EXCEEDED 11
#define V4_PARAMETER_PROBLEM 12
#define V4_FRAGMENTATION_NEEDED 4 /* the code of "unreachable" */

/* ICMPv6 "type" Numbers, IANA (RFC 4443). */
#define V6_UNREACHABLE 1
#define V6_PACKET_TOO_BIG 2
#define V6_TIME_EXCEEDED 3
#define V6_PARAMETER_PROBLEM 4
#define V6_ECHO_REQUEST 128
#define V6_ECHO_REPLY 129
#define V6_REDIRECT 137 /* RFC 4861 section 4.5: two addresses, then options */
#define V6_REDIRECT_OPTIONS 40
#define V6_OPTION_REDIRECTED 4
#define V6_OPTION_UNIT 8

#define V4_MTU 6 /* offsets in the ICMP header: RFC 1191 section 4, RFC 4443 section 3.2 */
#define V6_MTU 4
#define ECHO_IDENTIFIER 4
#define ECHO_SEQUENCE 6

/* Offsets in the quoted IPv4 header (RFC 791 section 3.1). */
#define IPV4_IDENTIFICATION 4
#define IPV4_FRAGMENT 6
#define IPV4_OFFSET 0x1fff
#define IPV4_PROTOCOL 9
#define IPV4_SOURCE 12
#define IPV4_DESTINATION 16
#define IPV4_HEADER 20

#define IPV6_FLOW_LABEL 0xfffff /* of the header's first word (RFC 8200 section 3) */

#define QUOTED_TRANSPORT 8 /* bytes of it that every error quotes (RFC 792) */

static bool
is_icmp6(const struct packet *packet)
{
	return packet->protocol == PROTOCOL_ICMPV6;
}

/* A later fragment of ICMP has no type. */
static bool
is_icmp(const struct packet *packet)
{
	return packet->fragment_offset == 0 &&
	    (packet->protocol == PROTOCOL_ICMP || packet->protocol == PROTOCOL_ICMPV6);
}

bool
icmp_is_redirect(const struct packet *packet)
{
	return is_icmp(packet) && packet->icmp_type == (is_icmp6(packet) ? V6_REDIRECT : V4_REDIRECT);
}

bool
icmp_is_error(const struct packet *packet)
{
	if (!is_icmp(packet))
		return false;
	if (is_icmp6(packet))
		return packet->icmp_type >= V6_UNREACHABLE && packet->icmp_type <= V6_PARAMETER_PROBLEM;
	return packet->icmp_type == V4_UNREACHABLE || packet->icmp_type == V4_SOURCE_QUENCH ||
	    packet->icmp_type == V4_TIME_EXCEEDED || packet->icmp_type == V4_PARAMETER_PROBLEM;
}

bool
icmp_is_echo_request(const struct packet *packet)
{
	return is_icmp(packet) && packet->icmp_type == (is_icmp6(packet) ? V6_ECHO_REQUEST : V4_ECHO_REQUEST);
}

int
icmp_echo(const struct frame *frame, const struct packet *packet, struct icmp_echo *echo)
{
	const uint8_t *icmp = frame->bytes + packet->l4;

	if (packet->fragment || !(icmp_is_echo_request(packet) || (is_icmp(packet) &&
	    packet->icmp_type == (is_icmp6(packet) ? V6_ECHO_REPLY : V4_ECHO_REPLY))))
		return -1;
	echo->identifier = load16(icmp + ECHO_IDENTIFIER);
	echo->sequence = load16(icmp + ECHO_SEQUENCE);
	echo->data = packet->payload;
	return 0;
}

static uint32_t
next_hop_mtu(const struct packet *packet, const uint8_t *icmp)
{
	if (is_icmp6(packet))
		return packet->icmp_type == V6_PACKET_TOO_BIG ? load32(icmp + V6_MTU) : 0;
	if (packet->icmp_type == V4_UNREACHABLE && packet->icmp_code == V4_FRAGMENTATION_NEEDED)
		return load16(icmp + V4_MTU);
	return 0;
}

/*
 * In both functions `offset` is the start of the quoted header and `end` the end of the quotation. The quoted header's
 * own length field is ignored: some hosts quote it modified.
 */
static int
read_inner4(const uint8_t *bytes, uint32_t offset, uint32_t end, struct icmp_inner *inner, uint32_t *transport)
{
	const uint8_t *ip = bytes + offset;
	uint32_t header;

	if (end - offset < IPV4_HEADER || ip[0] >> 4 != 4)
		return -1;
	header = (uint32_t)(ip[0] & 0x0f) * 4;
	if (header < IPV4_HEADER || header > end - offset)
		return -1;
	inner->source = addr_from_ipv4(ip + IPV4_SOURCE);
	inner->destination = addr_from_ipv4(ip + IPV4_DESTINATION);
	inner->protocol = ip[IPV4_PROTOCOL];
	inner->ident = load16(ip + IPV4_IDENTIFICATION);
	/* No transport header is where a later fragment's data are. */
	*transport = (load16(ip + IPV4_FRAGMENT) & IPV4_OFFSET) != 0 ? end : offset + header;
	return 0;
}

static int
read_inner6(const uint8_t *bytes, uint32_t offset, uint32_t end, struct icmp_inner *inner, uint32_t *transport)
{
	const uint8_t *ip = bytes + offset;
	struct ipv6_chain chain;

	if (end - offset < IPV6_HEADER || ip[0] >> 4 != 6)
		return -1;
	if (ipv6_walk(bytes, offset + IPV6_HEADER, end, ip[IPV6_NEXT_HEADER], &chain) != PACKET_OK)
		return -1;
	inner->source = addr_from_ipv6(ip + IPV6_SOURCE);
	inner->destination = addr_from_ipv6(ip + IPV6_DESTINATION);
	inner->protocol = chain.protocol;
	inner->ident = load32(ip) & IPV6_FLOW_LABEL;
	*transport = chain.fragment_offset > 0 ? end : chain.offset;
	return 0;
}

int
icmp_quote_read(const uint8_t *bytes, uint32_t offset, uint32_t end, struct icmp_inner *inner, uint32_t *transport)
{
	struct icmp_inner read = { .mtu = inner->mtu };
	uint32_t at;

	if (offset >= end || (bytes[offset] >> 4 == 6 ? read_inner6(bytes, offset, end, &read, &at) :
	    read_inner4(bytes, offset, end, &read, &at)) == -1)
		return -1;
	read.has_ports = (read.protocol == PROTOCOL_TCP || read.protocol == PROTOCOL_UDP ||
	    read.protocol == PROTOCOL_SCTP) && end - at >= QUOTED_TRANSPORT;
	if (read.has_ports) {
		read.source_port = load16(bytes + at);
		read.destination_port = load16(bytes + at + 2);
		read.second = load32(bytes + at + 4);
	}
	*inner = read;
	*transport = at;
	return 0;
}

/* Reads the quotation from `offset` to `end`. */
static int
read_quotation(const struct frame *frame, const struct packet *packet, uint32_t offset, uint32_t end,
    struct icmp_inner *inner)
{
	struct icmp_inner read = { .mtu = 0 };
	uint32_t transport;

	if (icmp_quote_read(frame->bytes, offset, end, &read, &transport) == -1 ||
	    !addr_equal(&read.source, &packet->destination))
		return -1;
	*inner = read;
	return 0;
}

int
icmp_inner(const struct frame *frame, const struct packet *packet, struct icmp_inner *inner)
{
	if (!icmp_is_error(packet) || read_quotation(frame, packet, packet->payload, packet->end, inner) == -1)
		return -1;
	inner->mtu = next_hop_mtu(packet, frame->bytes + packet->l4);
	return 0;
}

/* The option that quotes (RFC 4861 section 4.6.3): its type, its length in units of 8 bytes, 6 bytes, the packet. */
static int
read_redirected6(const struct frame *frame, const struct packet *packet, struct icmp_inner *inner)
{
	uint32_t at = (uint32_t)packet->l4 + V6_REDIRECT_OPTIONS;

	while (at + V6_OPTION_UNIT <= packet->end) {
		const uint32_t length = frame->bytes[at + 1] * (uint32_t)V6_OPTION_UNIT;

		if (length == 0 || length > packet->end - at)
			return -1;
		if (frame->bytes[at] == V6_OPTION_REDIRECTED)
			return read_quotation(frame, packet, at + V6_OPTION_UNIT, at + length, inner);
		at += length;
	}
	return -1;
}

int
icmp_redirected(const struct frame *frame, const struct packet *packet, struct icmp_inner *inner)
{
	if (!icmp_is_redirect(packet))
		return -1;
	if (is_icmp6(packet))
		return read_redirected6(frame, packet, inner);
	return read_quotation(frame, packet, packet->payload, packet->end, inner);
}
