/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "proto/packet.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "proto/ipv6.h"

/* Offsets in the IPv4 header (RFC 791 section 3.1). */
#define IPV4_TOTAL_LENGTH 2
#define IPV4_IDENTIFICATION 4
#define IPV4_FRAGMENT 6
#define IPV4_TIME_TO_LIVE 8
#define IPV4_PROTOCOL 9
#define IPV4_SOURCE 12
#define IPV4_DESTINATION 16
#define IPV4_HEADER 20 /* without options */
#define IPV4_DONT_FRAGMENT 0x4000
#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_OFFSET 0x1fff /* in 8 bytes */

/* Offsets in the TCP header (RFC 9293 section 3.1). */
#define TCP_SEQUENCE 4
#define TCP_ACKNOWLEDGEMENT 8
#define TCP_DATA_OFFSET 12
#define TCP_FLAGS 13
#define TCP_HEADER 20 /* without options */

#define UDP_LENGTH 4 /* offset (RFC 768) */
#define UDP_HEADER 8
#define SCTP_HEADER 12 /* the common header (RFC 9260 section 3.1) */
#define ICMP_HEADER 8  /* RFC 792, RFC 4443: 4 bytes are in all messages, and no message is shorter than 8 */

/* `payload` holds the start of the transport header until this function has read it. */
static inline void
packet_take_ports(const uint8_t *l4, uint32_t header, struct packet *packet)
{
	packet->has_ports = true;
	packet->source_port = load16(l4);
	packet->destination_port = load16(l4 + 2);
	packet->payload = (uint16_t)(packet->payload + header);
}

/* A transport header that ends behind the datagram contradicts it; the first of several fragments may cut it. */
static enum packet_status
cut_header(const struct packet *packet)
{
	return packet->fragment ? PACKET_OK : PACKET_MALFORMED;
}

/* `l4` are the `length` bytes behind the IP headers; they are there. */
static inline enum packet_status
parse_tcp(const uint8_t *l4, uint32_t length, struct packet *packet)
{
	uint32_t header;
	uint8_t flags;

	if (length < TCP_HEADER)
		return cut_header(packet);
	header = (uint32_t)(l4[TCP_DATA_OFFSET] >> 4) * 4;
	if (header < TCP_HEADER)
		return PACKET_MALFORMED;
	if (header > length)
		return cut_header(packet);
	flags = l4[TCP_FLAGS];
	if ((flags & TCP_SYN) != 0 && (flags & (TCP_FIN | TCP_RST)) != 0)
		return PACKET_MALFORMED;
	packet->tcp_flags = flags;
	packet->tcp_sequence = load32(l4 + TCP_SEQUENCE);
	packet->tcp_acknowledgement = load32(l4 + TCP_ACKNOWLEDGEMENT);
	packet_take_ports(l4, header, packet);
	return PACKET_OK;
}

static inline enum packet_status
parse_udp(const uint8_t *l4, uint32_t length, struct packet *packet)
{
	uint32_t datagram;

	if (length < UDP_HEADER)
		return cut_header(packet);
	datagram = load16(l4 + UDP_LENGTH);
	/* The length is of the whole: a fragment has less. */
	if (datagram < UDP_HEADER || (datagram > length && !packet->fragment))
		return PACKET_MALFORMED;
	packet_take_ports(l4, UDP_HEADER, packet);
	return PACKET_OK;
}

static enum packet_status
parse_sctp(const uint8_t *l4, uint32_t length, struct packet *packet)
{
	if (length < SCTP_HEADER)
		return cut_header(packet);
	packet_take_ports(l4, SCTP_HEADER, packet);
	return PACKET_OK;
}

/* Also a first fragment has 8 bytes: fragments but the last are cut at multiples of that. */
static enum packet_status
parse_icmp(const uint8_t *l4, uint32_t length, struct packet *packet)
{
	if (length < ICMP_HEADER)
		return PACKET_MALFORMED;
	packet->icmp_type = l4[0];
	packet->icmp_code = l4[1];
	packet->payload = (uint16_t)(packet->payload + ICMP_HEADER);
	return PACKET_OK;
}

/* `icmp` is the number ICMP has in this address family. */
static NOINLINE enum packet_status
parse_other(const uint8_t *l4, uint32_t length, uint8_t icmp, struct packet *packet)
{
	if (packet->protocol == PROTOCOL_SCTP)
		return parse_sctp(l4, length, packet);
	return packet->protocol == icmp ? parse_icmp(l4, length, packet) : PACKET_UNSUPPORTED;
}

/* The middle of a datagram: only the protocol can be judged. */
static NOINLINE enum packet_status
judge_later_fragment(uint8_t icmp, const struct packet *packet)
{
	const uint8_t protocol = packet->protocol;

	return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP || protocol == PROTOCOL_SCTP || protocol == icmp ?
	    PACKET_OK : PACKET_UNSUPPORTED;
}

/* Into its two callers, one of which every frame passes. */
static inline ALWAYS_INLINE enum packet_status
parse_transport(const uint8_t *l4, uint32_t length, uint8_t icmp, struct packet *packet)
{
	if (packet->fragment_offset > 0)
		return judge_later_fragment(icmp, packet);
	if (packet->protocol == PROTOCOL_TCP)
		return parse_tcp(l4, length, packet);
	if (packet->protocol == PROTOCOL_UDP)
		return parse_udp(l4, length, packet);
	return parse_other(l4, length, icmp, packet);
}

static inline void
take_address(struct addr *addr, const uint8_t *bytes, enum addr_family family)
{
	addr->family = (uint8_t)family;
	memcpy(addr->bytes, bytes, family == ADDR_IPV4 ? 4 : sizeof(addr->bytes));
}

static inline void
take_fragment(const uint8_t *ip, struct packet *packet)
{
	const uint16_t fragment = load16(ip + IPV4_FRAGMENT);

	packet->dont_fragment = (fragment & IPV4_DONT_FRAGMENT) != 0;
	if ((fragment & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET)) == 0)
		return;
	packet->fragment = true;
	packet->more_fragments = (fragment & IPV4_MORE_FRAGMENTS) != 0;
	packet->fragment_offset = (uint16_t)((fragment & IPV4_OFFSET) * 8);
	packet->fragment_id = load16(ip + IPV4_IDENTIFICATION);
}

static inline ALWAYS_INLINE enum packet_status
parse_ipv4(const struct frame *frame, uint32_t l3, struct packet *packet)
{
	const uint32_t there = frame->length;
	const uint8_t *ip = frame->bytes + l3;
	uint32_t header, total;

	if (there < l3 + IPV4_HEADER)
		return PACKET_TRUNCATED;
	if (ip[0] >> 4 != 4)
		return PACKET_MALFORMED;
	/* Before any check can fail, so that the caller learns the addresses of a bad frame. */
	take_address(&packet->source, ip + IPV4_SOURCE, ADDR_IPV4);
	take_address(&packet->destination, ip + IPV4_DESTINATION, ADDR_IPV4);

	header = (uint32_t)(ip[0] & 0x0f) * 4;
	total = load16(ip + IPV4_TOTAL_LENGTH);
	if (header < IPV4_HEADER || total < header)
		return PACKET_MALFORMED;
	if (l3 + total > there || frame->wire_length > there)
		return PACKET_TRUNCATED;

	packet->hop_limit = ip[IPV4_TIME_TO_LIVE];
	packet->protocol = ip[IPV4_PROTOCOL];
	packet->l3 = (uint16_t)l3;
	packet->l4 = (uint16_t)(l3 + header);
	packet->payload = packet->l4;
	packet->end = l3 + total;
	take_fragment(ip, packet);
	return parse_transport(ip + header, total - header, PROTOCOL_ICMP, packet);
}

/* The chain's results, also when it could not be walked to its end: as far as it was. */
static void
take_chain(const struct ipv6_chain *chain, struct packet *packet)
{
	packet->protocol = chain->protocol;
	packet->authenticated = chain->authenticated;
	packet->l4 = (uint16_t)chain->offset;
	packet->payload = packet->l4;
	packet->more_fragments = chain->more_fragments;
	packet->fragment_offset = chain->fragment_offset;
	/* Not the header makes the fragment: an "atomic" one is whole (RFC 6946). */
	packet->fragment = chain->more_fragments || chain->fragment_offset > 0;
	if (packet->fragment)
		packet->fragment_id = chain->fragment_id;
}

static NOINLINE enum packet_status
parse_extensions(const uint8_t *bytes, struct packet *packet)
{
	struct ipv6_chain chain;
	const enum packet_status status = ipv6_walk(bytes, packet->l4, packet->end, packet->protocol, &chain);

	take_chain(&chain, packet);
	return status;
}

static NOINLINE enum packet_status
parse_ipv6(const struct frame *frame, uint32_t l3, struct packet *packet)
{
	const uint8_t *bytes = frame->bytes, *ip = bytes + l3;
	const uint32_t there = frame->length;
	enum packet_status status;
	uint32_t length;

	if (there < l3 + IPV6_HEADER)
		return PACKET_TRUNCATED;
	if (ip[0] >> 4 != 6)
		return PACKET_MALFORMED;
	take_address(&packet->source, ip + IPV6_SOURCE, ADDR_IPV6);
	take_address(&packet->destination, ip + IPV6_DESTINATION, ADDR_IPV6);
	packet->protocol = ip[IPV6_NEXT_HEADER];
	packet->hop_limit = ip[IPV6_HOP_LIMIT];
	packet->dont_fragment = true;

	length = load16(ip + IPV6_PAYLOAD_LENGTH);
	/* An empty payload, or a jumbogram (RFC 2675), whose length does not fit. */
	if (length == 0)
		return PACKET_UNSUPPORTED;
	packet->l3 = (uint16_t)l3;
	packet->end = l3 + IPV6_HEADER + length;
	if (packet->end > there || frame->wire_length > there)
		return PACKET_TRUNCATED;

	packet->l4 = (uint16_t)(l3 + IPV6_HEADER);
	packet->payload = packet->l4;
	if (ipv6_is_extension(packet->protocol)) {
		status = parse_extensions(bytes, packet);
		if (status != PACKET_OK)
			return status;
		if (packet->fragment_offset > 0 && ipv6_is_extension(packet->protocol))
			return PACKET_OK;
	}
	return parse_transport(bytes + packet->l4, packet->end - packet->l4, PROTOCOL_ICMPV6, packet);
}

/* One tag is read; a second one looks like any other unknown ethertype to the caller. */
static enum packet_status
parse_tag(const struct frame *frame, struct packet *packet)
{
	if (frame->length < ETHER_HEADER + VLAN_TAG)
		return PACKET_TRUNCATED;
	packet->tagged = true;
	packet->vlan_tci = load16(frame->bytes + ETHER_HEADER);
	packet->ethertype = load16(frame->bytes + ETHER_HEADER + 2);
	return PACKET_OK;
}

/*
 * Clears all but the Ethernet fields, which every frame has: what is left is few enough bytes for as few moves, while
 * compilers make a loop, or a call, of the whole.
 */
static inline void
take_ethernet(const uint8_t *bytes, struct packet *packet)
{
	const size_t cleared = offsetof(struct packet, vlan_tci);

	static_assert(offsetof(struct packet, ether_destination) == ETHER_DESTINATION &&
	    offsetof(struct packet, ether_source) == ETHER_SOURCE, "both addresses are copied at once");
	memset((uint8_t *)packet + cleared, 0, sizeof(*packet) - cleared);
	memcpy(packet, bytes, ETHER_TYPE);
	packet->ethertype = load16(bytes + ETHER_TYPE);
}

enum packet_status
packet_parse(const struct frame *frame, struct packet *packet)
{
	uint32_t l3 = ETHER_HEADER;

	if (frame->length < ETHER_HEADER) {
		memset(packet, 0, sizeof(*packet));
		return PACKET_TRUNCATED;
	}
	take_ethernet(frame->bytes, packet);
	if (packet->ethertype == ETHERTYPE_VLAN) {
		if (parse_tag(frame, packet) == PACKET_TRUNCATED)
			return PACKET_TRUNCATED;
		l3 += VLAN_TAG;
	}
	if (packet->ethertype == ETHERTYPE_IPV4)
		return parse_ipv4(frame, l3, packet);
	if (packet->ethertype == ETHERTYPE_IPV6)
		return parse_ipv6(frame, l3, packet);
	return packet->ethertype == ETHERTYPE_ARP ? PACKET_OK : PACKET_UNSUPPORTED;
}
