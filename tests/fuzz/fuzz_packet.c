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
#include "proto/packet.h"
#include "proto/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

struct sum {
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
	sum->payload += packet.end - packet.payload;
}

static void
split(const struct frame *frame, const struct packet *packet, uint32_t mtu)
{
	uint8_t *scratch = malloc(ETHER_HEADER + 4 + mtu);
	struct sum sum = { .mtu = mtu };
	struct emitter emitter = { .emit = take_segment, .context = &sum };

	require(scratch != NULL);
	if (segment_tcp(frame, packet, mtu, scratch, &emitter) == -1)
		require(sum.payload == 0);
	else
		require(sum.payload == packet->end - packet->payload);
	free(scratch);
}

static void
check_ipv4(struct frame *frame, const struct packet *packet)
{
	const bool tcp = packet->protocol == PROTOCOL_TCP;

	require(tcp || packet->protocol == PROTOCOL_UDP);
	require(packet->source.family == ADDR_IPV4 && packet->destination.family == ADDR_IPV4);
	require(packet->l3 == ETHER_HEADER && packet->l4 >= packet->l3 + 20 && packet->l4 <= packet->l3 + 60);
	require(packet->l4 <= packet->payload && packet->payload <= packet->end && packet->end <= frame->length);
	if (packet->fragment) {
		require(packet->source_port == 0 && packet->destination_port == 0 && packet->payload == packet->l4);
		return;
	}
	require(packet->payload - packet->l4 >= (tcp ? 20 : 8));
	/* What was finished once is not finished again. */
	if (checksum_complete(frame, packet))
		require(!checksum_complete(frame, packet));
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
	if (status == PACKET_OK && packet.ethertype == ETHERTYPE_IPV4)
		check_ipv4(&frame, &packet);
	else if (status == PACKET_OK)
		require(packet.ethertype == ETHERTYPE_ARP && !addr_is_set(&packet.destination));
	free(frame.bytes);
	return 0;
}
