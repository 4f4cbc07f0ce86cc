/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "proto/packet.h"

#include <string.h>

#include "base/bytes.h"

/* Offsets in the IPv4 header (RFC 791 section 3.1). */
#define IPV4_TOTAL_LENGTH 2
#define IPV4_FRAGMENT 6
#define IPV4_PROTOCOL 9
#define IPV4_SOURCE 12
#define IPV4_DESTINATION 16
#define IPV4_HEADER 20 /* without options */
#define IPV4_DONT_FRAGMENT 0x4000
#define IPV4_IS_FRAGMENT 0x3fff /* more fragments, or an offset */

/* Offsets in the TCP header (RFC 9293 section 3.1). */
#define TCP_SEQUENCE 4
#define TCP_ACKNOWLEDGEMENT 8
#define TCP_DATA_OFFSET 12
#define TCP_FLAGS 13
#define TCP_HEADER 20 /* without options */

#define UDP_LENGTH 4 /* offset (RFC 768) */
#define UDP_HEADER 8

static void
read_ports(const uint8_t *l4, struct packet *packet)
{
	packet->source_port = load16(l4);
	packet->destination_port = load16(l4 + 2);
}

/* `l4` are the `length` bytes behind the IP header; they are there. */
static enum packet_status
parse_tcp(const uint8_t *l4, uint32_t length, struct packet *packet)
{
	uint32_t header;
	uint8_t flags;

	if (length < TCP_HEADER)
		return PACKET_MALFORMED;
	header = (uint32_t)(l4[TCP_DATA_OFFSET] >> 4) * 4;
	if (header < TCP_HEADER || header > length)
		return PACKET_MALFORMED;
	flags = l4[TCP_FLAGS];
	if ((flags & TCP_SYN) != 0 && (flags & (TCP_FIN | TCP_RST)) != 0)
		return PACKET_MALFORMED;
	read_ports(l4, packet);
	packet->tcp_flags = flags;
	packet->tcp_sequence = load32(l4 + TCP_SEQUENCE);
	packet->tcp_acknowledgement = load32(l4 + TCP_ACKNOWLEDGEMENT);
	packet->payload = (uint16_t)(packet->l4 + header);
	return PACKET_OK;
}

static enum packet_status
parse_udp(const uint8_t *l4, uint32_t length, struct packet *packet)
{
	uint32_t datagram;

	if (length < UDP_HEADER)
		return PACKET_MALFORMED;
	datagram = load16(l4 + UDP_LENGTH);
	if (datagram < UDP_HEADER || datagram > length)
		return PACKET_MALFORMED;
	read_ports(l4, packet);
	packet->payload = (uint16_t)(packet->l4 + UDP_HEADER);
	return PACKET_OK;
}

static enum packet_status
parse_transport(const uint8_t *bytes, struct packet *packet)
{
	if (packet->protocol != PROTOCOL_TCP && packet->protocol != PROTOCOL_UDP)
		return PACKET_UNSUPPORTED;
	/* Only a first fragment has ports, and even that one need not have the whole header. */
	if (packet->fragment)
		return PACKET_OK;
	if (packet->protocol == PROTOCOL_TCP)
		return parse_tcp(bytes + packet->l4, packet->end - packet->l4, packet);
	return parse_udp(bytes + packet->l4, packet->end - packet->l4, packet);
}

static enum packet_status
parse_ipv4(const struct frame *frame, struct packet *packet)
{
	const uint8_t *ip = frame->bytes + ETHER_HEADER;
	uint32_t header, total;
	uint16_t fragment;

	if (frame->length < ETHER_HEADER + IPV4_HEADER)
		return PACKET_TRUNCATED;
	if (ip[0] >> 4 != 4)
		return PACKET_MALFORMED;
	/* Before anything can be wrong, so that the caller learns for whom a bad frame was. */
	packet->destination = addr_from_ipv4(ip + IPV4_DESTINATION);
	packet->source = addr_from_ipv4(ip + IPV4_SOURCE);

	header = (uint32_t)(ip[0] & 0x0f) * 4;
	total = load16(ip + IPV4_TOTAL_LENGTH);
	if (header < IPV4_HEADER || total < header)
		return PACKET_MALFORMED;
	if (ETHER_HEADER + total > frame->length || frame->wire_length > frame->length)
		return PACKET_TRUNCATED;

	fragment = load16(ip + IPV4_FRAGMENT);
	packet->fragment = (fragment & IPV4_IS_FRAGMENT) != 0;
	packet->dont_fragment = (fragment & IPV4_DONT_FRAGMENT) != 0;
	packet->protocol = ip[IPV4_PROTOCOL];
	packet->l3 = ETHER_HEADER;
	packet->l4 = (uint16_t)(ETHER_HEADER + header);
	packet->payload = packet->l4;
	packet->end = ETHER_HEADER + total;
	return parse_transport(frame->bytes, packet);
}

enum packet_status
packet_parse(const struct frame *frame, struct packet *packet)
{
	memset(packet, 0, sizeof(*packet));
	if (frame->length < ETHER_HEADER)
		return PACKET_TRUNCATED;
	memcpy(packet->ether_destination.bytes, frame->bytes + ETHER_DESTINATION, MAC_BYTES);
	memcpy(packet->ether_source.bytes, frame->bytes + ETHER_SOURCE, MAC_BYTES);
	packet->ethertype = load16(frame->bytes + ETHER_TYPE);
	if (packet->ethertype == ETHERTYPE_IPV4)
		return parse_ipv4(frame, packet);
	return packet->ethertype == ETHERTYPE_ARP ? PACKET_OK : PACKET_UNSUPPORTED;
}
