/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "proto/packet.h"

#include <string.h>

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

static void
take_ports(const uint8_t *l4, uint32_t header, struct packet *packet)
{
	packet->has_ports = true;
	packet->source_port = load16(l4);
	packet->destination_port = load16(l4 + 2);
	packet->payload = (uint16_t)(packet->l4 + header);
}

/* A transport header that ends behind the datagram contradicts it; the first of several fragments may cut it. */
static enum packet_status
cut_header(const struct packet *packet)
{
	return packet->fragment ? PACKET_OK : PACKET_MALFORMED;
}

/* `l4` are the `length` bytes behind the IP headers; they are there. */
static enum packet_status
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
	take_ports(l4, header, packet);
	return PACKET_OK;
}

static enum packet_status
parse_udp(const uint8_t *l4, uint32_t length, struct packet *packet)
{
	uint32_t datagram;

	if (length < UDP_HEADER)
		return cut_header(packet);
	datagram = load16(l4 + UDP_LENGTH);
	/* The length is of the whole: a fragment has less. */
	if (datagram < UDP_HEADER || (datagram > length && !packet->fragment))
		return PACKET_MALFORMED;
	take_ports(l4, UDP_HEADER, packet);
	return PACKET_OK;
}

static enum packet_status
parse_sctp(const uint8_t *l4, uint32_t length, struct packet *packet)
{
	if (length < SCTP_HEADER)
		return cut_header(packet);
	take_ports(l4, SCTP_HEADER, packet);
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
	packet->payload = (uint16_t)(packet->l4 + ICMP_HEADER);
	return PACKET_OK;
}

/* `icmp` is the number ICMP has in this address family. */
static enum packet_status
parse_transport(const uint8_t *bytes, uint8_t icmp, struct packet *packet)
{
	const uint8_t *l4 = bytes + packet->l4;
	const uint32_t length = packet->end - packet->l4;
	const uint8_t protocol = packet->protocol;

	if (protocol != PROTOCOL_TCP && protocol != PROTOCOL_UDP && protocol != PROTOCOL_SCTP && protocol != icmp)
		return PACKET_UNSUPPORTED;
	if (packet->fragment_offset > 0)
		return PACKET_OK;
	if (protocol == PROTOCOL_TCP)
		return parse_tcp(l4, length, packet);
	if (protocol == PROTOCOL_UDP)
		return parse_udp(l4, length, packet);
	return protocol == PROTOCOL_SCTP ? parse_sctp(l4, length, packet) : parse_icmp(l4, length, packet);
}

static void
take_address(struct addr *addr, const uint8_t *bytes, enum addr_family family)
{
	addr->family = (uint8_t)family;
	memcpy(addr->bytes, bytes, family == ADDR_IPV4 ? 4 : sizeof(addr->bytes));
}

static enum packet_status
parse_ipv4(const struct frame *frame, uint32_t l3, struct packet *packet)
{
	const uint8_t *ip = frame->bytes + l3;
	uint32_t header, total;
	uint16_t fragment;

	if (frame->length < l3 + IPV4_HEADER)
		return PACKET_TRUNCATED;
	if (ip[0] >> 4 != 4)
		return PACKET_MALFORMED;
	/* Before anything can be wrong, so that the caller learns for whom a bad frame was. */
	take_address(&packet->source, ip + IPV4_SOURCE, ADDR_IPV4);
	take_address(&packet->destination, ip + IPV4_DESTINATION, ADDR_IPV4);

	header = (uint32_t)(ip[0] & 0x0f) * 4;
	total = load16(ip + IPV4_TOTAL_LENGTH);
	if (header < IPV4_HEADER || total < header)
		return PACKET_MALFORMED;
	if (l3 + total > frame->length || frame->wire_length > frame->length)
		return PACKET_TRUNCATED;

	fragment = load16(ip + IPV4_FRAGMENT);
	packet->dont_fragment = (fragment & IPV4_DONT_FRAGMENT) != 0;
	if ((fragment & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET)) != 0) {
		packet->fragment = true;
		packet->more_fragments = (fragment & IPV4_MORE_FRAGMENTS) != 0;
		packet->fragment_offset = (uint16_t)((fragment & IPV4_OFFSET) * 8);
		packet->fragment_id = load16(ip + IPV4_IDENTIFICATION);
	}
	packet->protocol = ip[IPV4_PROTOCOL];
	packet->hop_limit = ip[IPV4_TIME_TO_LIVE];
	packet->l3 = (uint16_t)l3;
	packet->l4 = (uint16_t)(l3 + header);
	packet->payload = packet->l4;
	packet->end = l3 + total;
	return parse_transport(frame->bytes, PROTOCOL_ICMP, packet);
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

static enum packet_status
parse_ipv6(const struct frame *frame, uint32_t l3, struct packet *packet)
{
	const uint8_t *ip = frame->bytes + l3;
	struct ipv6_chain chain;
	enum packet_status status;
	uint32_t length;

	if (frame->length < l3 + IPV6_HEADER)
		return PACKET_TRUNCATED;
	if (ip[0] >> 4 != 6)
		return PACKET_MALFORMED;
	take_address(&packet->source, ip + IPV6_SOURCE, ADDR_IPV6);
	take_address(&packet->destination, ip + IPV6_DESTINATION, ADDR_IPV6);
	packet->protocol = ip[IPV6_NEXT_HEADER];
	packet->hop_limit = ip[IPV6_HOP_LIMIT];
	packet->dont_fragment = true;

	length = load16(ip + IPV6_PAYLOAD_LENGTH);
	/* Nothing at all, or a jumbogram (RFC 2675), whose length does not fit in here. */
	if (length == 0)
		return PACKET_UNSUPPORTED;
	packet->l3 = (uint16_t)l3;
	packet->end = l3 + IPV6_HEADER + length;
	if (packet->end > frame->length || frame->wire_length > frame->length)
		return PACKET_TRUNCATED;

	status = ipv6_walk(frame->bytes, l3 + IPV6_HEADER, packet->end, packet->protocol, &chain);
	take_chain(&chain, packet);
	if (status != PACKET_OK)
		return status;
	if (packet->fragment_offset > 0 && ipv6_is_extension(packet->protocol))
		return PACKET_OK;
	return parse_transport(frame->bytes, PROTOCOL_ICMPV6, packet);
}

/* One tag is read; an ethertype that says there is another is unknown to the caller, as any other. */
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

enum packet_status
packet_parse(const struct frame *frame, struct packet *packet)
{
	static const struct packet nothing;
	uint32_t l3 = ETHER_HEADER;

	/* A copy is a few moves, while gcc makes a slow "rep stos" of memset(): 15 ns a frame less. */
	memcpy(packet, &nothing, sizeof(*packet));
	if (frame->length < ETHER_HEADER)
		return PACKET_TRUNCATED;
	memcpy(packet->ether_destination.bytes, frame->bytes + ETHER_DESTINATION, MAC_BYTES);
	memcpy(packet->ether_source.bytes, frame->bytes + ETHER_SOURCE, MAC_BYTES);
	packet->ethertype = load16(frame->bytes + ETHER_TYPE);
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
