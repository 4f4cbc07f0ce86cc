/* SPDX-License-Identifier: ISC */
/*
 * The input is one Ethernet frame as it came from the wire. What packet_parse() accepts must keep the promises of
 * proto/packet.h, since nothing behind it checks again: so everything behind it is run too.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/checksum.h"
#include "proto/decap.h"
#include "proto/icmp.h"
#include "proto/ipv6.h"
#include "proto/packet.h"
#include "proto/quic.h"
#include "proto/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

struct sum {
	const struct packet *super;
	uint32_t payload;
	uint32_t mtu;
};

/* Each segment must be a good packet itself. */
static void
take_segment(void *context, const struct frame *segment)
{
	struct sum *sum = context;
	struct packet packet;

	require(packet_parse(segment, &packet) == PACKET_OK);
	require(segment->length == packet.end && packet.end - packet.l3 <= sum->mtu);
	require(packet.payload == sum->super->payload && packet.tagged == sum->super->tagged);
	require(checksum_ok(segment, &packet));
	sum->payload += packet.end - packet.payload;
}

static void
split(const struct frame *frame, const struct packet *packet, uint32_t mtu)
{
	uint8_t *scratch = malloc(packet->l3 + mtu);
	struct sum sum = { .super = packet, .mtu = mtu };
	struct frame_tx tx = { .emit = take_segment, .context = &sum };

	require(scratch != NULL);
	if (segment_tcp(frame, packet, mtu, scratch, &tx) == -1)
		require(sum.payload == 0);
	else
		require(sum.payload == packet->end - packet->payload);
	free(scratch);
}

/* Bytes of the transport header that are there when it was read, at least. */
static uint32_t
least_header(const struct packet *packet)
{
	switch (packet->protocol) {
	case PROTOCOL_TCP:
		return 20;
	case PROTOCOL_SCTP:
		return 12;
	default:
		return 8;
	}
}

static void
check_offsets(const struct frame *frame, const struct packet *packet)
{
	const bool ipv6 = packet->ethertype == ETHERTYPE_IPV6;
	const uint32_t header = packet->l4 - packet->l3;

	require(packet->source.family == (ipv6 ? ADDR_IPV6 : ADDR_IPV4));
	require(packet->destination.family == packet->source.family);
	require(packet->l3 == ETHER_HEADER + (packet->tagged ? VLAN_TAG : 0));
	if (ipv6)
		require(header >= 40 && header <= 40 + IPV6_EXTENSIONS_MOST * 2048);
	else
		require(header >= 20 && header <= 60);
	require(packet->l4 <= packet->payload && packet->payload <= packet->end && packet->end <= frame->length);
}

static void
check_fragment(const struct packet *packet)
{
	require(packet->fragment == (packet->more_fragments || packet->fragment_offset > 0));
	require(packet->fragment_offset % 8 == 0);
	if (packet->fragment_offset > 0)
		require(!packet->has_ports && packet->icmp_type == 0 && packet->payload == packet->l4);
	if (!packet->has_ports)
		require(packet->source_port == 0 && packet->destination_port == 0 && packet->tcp_flags == 0);
}

/* What an error says may be anything, but it is about what the one it is addressed to has sent. */
static void
check_icmp(const struct frame *frame, const struct packet *packet)
{
	struct icmp_inner inner;
	struct icmp_echo echo;

	if (icmp_inner(frame, packet, &inner) == 0) {
		require(icmp_is_error(packet) && addr_equal(&inner.source, &packet->destination));
		require(inner.has_ports || (inner.source_port == 0 && inner.destination_port == 0));
	}
	if (icmp_redirected(frame, packet, &inner) == 0)
		require(icmp_is_redirect(packet) && addr_equal(&inner.source, &packet->destination));
	if (icmp_echo(frame, packet, &echo) == 0)
		require(!packet->fragment && !icmp_is_error(packet) && echo.data <= packet->end);
}

/* A packet in a tunnel is of one of the families, and of no more ports than it has. */
static void
check_tunnel(const struct frame *frame, const struct packet *packet)
{
	struct icmp_inner inner;

	if (decap_read(frame, packet, &inner) == TUNNEL_NONE)
		return;
	require(addr_is_set(&inner.source) && inner.source.family == inner.destination.family);
	require(inner.has_ports || (inner.source_port == 0 && inner.destination_port == 0));
}

/* Only the field may change, and is right then; what was finished once is not finished again. */
static void
check_checksum(struct frame *frame, const struct packet *packet)
{
	const uint32_t payload = packet->payload;
	uint8_t *before = malloc(frame->length);

	require(before != NULL);
	memcpy(before, frame->bytes, frame->length);
	if (checksum_complete(frame, packet)) {
		require(checksum_ok(frame, packet) && !checksum_complete(frame, packet));
		require(!packet->fragment && !packet->authenticated && packet->has_ports);
		require(memcmp(before, frame->bytes, packet->l4) == 0);
		require(memcmp(before + payload, frame->bytes + payload, frame->length - payload) == 0);
	} else {
		require(memcmp(before, frame->bytes, frame->length) == 0);
	}
	free(before);
}

/* Whatever the datagram has, an ID is within it and of its configuration's length; no ID is read without one. */
static void
check_quic(const struct frame *frame, const struct packet *packet)
{
	static const uint8_t all[QUIC_CONFIGS] = { 1, 2, 3, 4, 8, 14, QUIC_ID_MOST }, none[QUIC_CONFIGS] = { 0 };
	const size_t length = packet->end - packet->payload;
	uint8_t *payload = malloc(length > 0 ? length : 1);
	struct quic_id id = { 0 };

	require(payload != NULL);
	memcpy(payload, frame->bytes + packet->payload, length);
	if (quic_route(payload, length, all, &id) == QUIC_BY_ID) {
		const size_t at = (payload[0] & 0x80) != 0 ? 6 : 1;

		require(id.length == all[payload[at] >> 5] && length >= at + 1 + id.length + QUIC_NONCE_LEAST);
		require(memcmp(id.bytes, payload + at + 1, id.length) == 0);
	}
	require(quic_route(payload, length, none, &id) != QUIC_BY_ID);
	free(payload);
}

static void
check_ip(struct frame *frame, const struct packet *packet)
{
	check_offsets(frame, packet);
	check_fragment(packet);
	check_icmp(frame, packet);
	check_checksum(frame, packet);
	if (packet->protocol == PROTOCOL_UDP && packet->has_ports)
		check_quic(frame, packet);
	if (!packet->fragment)
		require(packet->l4 + least_header(packet) <= packet->payload);
	split(frame, packet, 1500);
	split(frame, packet, 68 + packet->end % 61u); /* 68: what every IPv4 host takes (RFC 791) */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct packet nothing;
	struct packet packet;
	struct frame frame = { .length = (uint32_t)size, .wire_length = (uint32_t)size };
	enum packet_status status;

	frame.bytes = malloc(size > 0 ? size : 1);
	if (frame.bytes == NULL)
		return 0;
	memcpy(frame.bytes, data, size);
	status = packet_parse(&frame, &packet);
	if (size < ETHER_HEADER)
		require(status == PACKET_TRUNCATED && memcmp(&packet, &nothing, sizeof(packet)) == 0);
	check_tunnel(&frame, &packet);
	if (status == PACKET_OK && packet.ethertype != ETHERTYPE_ARP)
		check_ip(&frame, &packet);
	else if (status == PACKET_OK)
		require(packet.ethertype == ETHERTYPE_ARP && !addr_is_set(&packet.destination));
	free(frame.bytes);
	return 0;
}
