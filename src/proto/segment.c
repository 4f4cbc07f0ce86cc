/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "proto/segment.h"

#include <string.h>

#include "base/bytes.h"
#include "proto/checksum.h"
#include "proto/ipv6.h"

#define IPV4_TOTAL_LENGTH 2 /* offsets in their headers: RFC 791, RFC 9293 */
#define IPV4_IDENTIFICATION 4
#define TCP_SEQUENCE 4
#define TCP_FLAGS 13

/* The flags that end or push a stream belong behind all of its data. */
#define ONLY_IN_LAST (TCP_FIN | TCP_PSH | TCP_RST)
#define ONLY_IN_FIRST TCP_CWR

bool
segment_possible(const struct packet *packet, uint32_t mtu)
{
	if (packet->protocol != PROTOCOL_TCP || packet->fragment || packet->authenticated)
		return false;
	if (mtu <= (uint32_t)packet->payload - packet->l3)
		return false;
	/* The urgent pointer is relative to each segment's own sequence number; no hardware offload splits that. */
	return (packet->tcp_flags & (TCP_SYN | TCP_URG)) == 0;
}

/* The lengths, and in IPv4 the identification, which IPv6 has only in fragments. */
static void
finish_ip(uint8_t *ip, const struct packet *packet, uint32_t length, uint32_t number)
{
	if (packet->source.family == ADDR_IPV6) {
		store16(ip + IPV6_PAYLOAD_LENGTH, (uint16_t)(length - IPV6_HEADER));
		return;
	}
	store16(ip + IPV4_TOTAL_LENGTH, (uint16_t)length);
	store16(ip + IPV4_IDENTIFICATION, (uint16_t)(load16(ip + IPV4_IDENTIFICATION) + number));
}

/* Adjusts the copied headers of the segment that starts `offset` bytes into the payload, then its checksums. */
static void
finish_segment(struct frame *segment, const struct packet *packet, uint32_t number, uint32_t offset, bool last)
{
	struct packet own = *packet;
	uint8_t *tcp = segment->bytes + packet->l4;

	own.end = segment->length;
	finish_ip(segment->bytes + packet->l3, packet, segment->length - packet->l3, number);
	store32(tcp + TCP_SEQUENCE, packet->tcp_sequence + offset);
	if (!last)
		tcp[TCP_FLAGS] &= (uint8_t)~ONLY_IN_LAST;
	if (number > 0)
		tcp[TCP_FLAGS] &= (uint8_t)~ONLY_IN_FIRST;
	checksum_ipv4_header(segment, &own);
	checksum_transport(segment, &own);
}

int
segment_tcp(const struct frame *super, const struct packet *packet, uint32_t mtu, uint8_t *scratch,
    const struct frame_tx *tx)
{
	uint32_t headers = packet->payload; /* from the Ethernet destination on */
	uint32_t total = packet->end - packet->payload;
	uint32_t room, offset = 0, number = 0;
	struct frame segment = { .bytes = scratch, .iface = super->iface };

	if (!segment_possible(packet, mtu))
		return -1;
	room = mtu - (headers - packet->l3);
	do {
		uint32_t length = total - offset < room ? total - offset : room;

		memcpy(scratch, super->bytes, headers);
		memcpy(scratch + headers, super->bytes + headers + offset, length);
		segment.length = segment.wire_length = headers + length;
		finish_segment(&segment, packet, number, offset, offset + length == total);
		tx->emit(tx->context, &segment);
		offset += length;
		number++;
	} while (offset < total);
	return (int)number;
}
