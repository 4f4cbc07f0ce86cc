/* SPDX-License-Identifier: ISC */
/*
 * May this frame be carried without asking the daemon, and where to? The one answer, compiled into the kernel's programs
 * (src/offload/dsrd.bpf.c) and into the tests that compare it with forward_frame(). Whatever is not an ordinary segment
 * or datagram of a flow that the daemon has put into the table is the daemon's: it never drops, it only leaves frames
 * alone.
 *
 * Who includes this file has defined how to get at frame and tables:
 *
 *     static int carry_load(void *source, uint32_t offset, uint8_t *bytes, uint32_t length);    0: done
 *     static struct carry_bucket *carry_bucket_at(uint32_t number);                             NULL: no such
 *     static struct carry_server *carry_server_at(uint32_t slot);
 *     static struct carry_vip *carry_vip_at(uint32_t number);
 */
#ifndef LB_CARRY_CORE_H
#define LB_CARRY_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "lb/carry_map.h"

#define CARRY_INLINE static inline __attribute__((always_inline))

/* The verifier of the kernel wants what it reads from the stack aligned, so the IP header is. */
struct carry_head {
	uint16_t pad;
	uint8_t bytes[78]; /* Ethernet 14, IPv6 40, TCP 20 */
} __attribute__((aligned(8)));

struct carry_frame {
	void *source;
	uint32_t length;  /* from the Ethernet destination on */
	uint32_t segment; /* bytes of payload in each frame that a super-frame becomes; 0: it is none */
	uint32_t ifindex; /* where it came in */
	uint64_t now;     /* nanoseconds, monotonic */
	bool only_back;   /* it can leave by the interface it came from only */
};

/* 16 bytes, as the verifier and the compiler like to see them. */
union carry_addr {
	uint8_t bytes[16];
	uint32_t words[4];
	uint64_t longs[2];
};

struct carry_packet {
	union carry_addr client;
	union carry_addr vip;
	uint32_t ports;   /* as in a flow's name */
	bool udp;
	uint32_t l3_length; /* from the IP header to the end of the datagram */
	uint32_t headers;   /* of it, IP and transport header */
	uint32_t sequence;
	uint32_t acknowledgement;
};

/* Beyond these an acknowledgement is not believed: WINDOW_MOST and OVERTAKEN_MOST of lb/measure.c. */
#define CARRY_WINDOW (INT32_C(1) << 30)
#define CARRY_OVERTAKEN (INT32_C(1) << 26)

CARRY_INLINE uint32_t
carry_be16(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 8 | bytes[1];
}

CARRY_INLINE uint32_t
carry_be32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* `l4` is the transport header, `length` what the datagram has of it and behind it. */
CARRY_INLINE bool
carry_parse_tcp(const uint8_t *l4, uint32_t length, struct carry_packet *packet)
{
	const uint32_t header = (uint32_t)(l4[12] >> 4) * 4;

	/* Of the flags ACK, and none of FIN, SYN and RST (RFC 9293 section 3.1): what changes a flow's state is the daemon's. */
	if (length < 20 || header < 20 || header > length || (l4[13] & 0x17) != 0x10)
		return false;
	packet->headers += header;
	packet->sequence = carry_be32(l4 + 4);
	packet->acknowledgement = carry_be32(l4 + 8);
	return true;
}

CARRY_INLINE bool
carry_parse_transport(const uint8_t *l4, uint32_t length, uint8_t protocol, struct carry_packet *packet)
{
	packet->ports = carry_be16(l4) | carry_be16(l4 + 2) << 16;
	packet->udp = protocol == 17;
	if (!packet->udp)
		return carry_parse_tcp(l4, length, packet);
	packet->headers += 8;
	return length >= 8 && carry_be16(l4 + 4) >= 8 && carry_be16(l4 + 4) <= length;
}

/* Without options, whole, TCP or UDP. */
CARRY_INLINE bool
carry_parse_ipv4(const struct carry_frame *frame, const struct carry_head *head, struct carry_packet *packet)
{
	const uint8_t *bytes = head->bytes;
	const uint8_t protocol = bytes[23];
	const uint32_t total = carry_be16(bytes + 16);

	if (bytes[14] != 0x45 || total < 28 || total + 14 > frame->length || (carry_be16(bytes + 20) & 0x3fff) != 0)
		return false;
	if (protocol != 17 && (protocol != 6 || frame->length < 54))
		return false;
	packet->client.longs[0] = packet->vip.longs[0] = 0;
	packet->client.words[2] = packet->vip.words[2] = 0;
	packet->client.bytes[10] = packet->client.bytes[11] = packet->vip.bytes[10] = packet->vip.bytes[11] = 0xff;
	__builtin_memcpy(&packet->client.words[3], bytes + 26, 4);
	__builtin_memcpy(&packet->vip.words[3], bytes + 30, 4);
	packet->l3_length = total;
	packet->headers = 20;
	return carry_parse_transport(bytes + 34, total - 20, protocol, packet);
}

/* Without extension headers. */
CARRY_INLINE bool
carry_parse_ipv6(const struct carry_frame *frame, struct carry_head *head, struct carry_packet *packet)
{
	const uint8_t *bytes = head->bytes;
	const uint8_t protocol = bytes[20];
	const uint32_t length = carry_be16(bytes + 18);

	if (bytes[14] >> 4 != 6 || length < 8 || 54 + length > frame->length)
		return false;
	if (protocol == 6) {
		if (frame->length < 74 || carry_load(frame->source, 54, head->bytes + 54, 20) != 0)
			return false;
	} else if (protocol != 17 || carry_load(frame->source, 54, head->bytes + 54, 8) != 0) {
		return false;
	}
	__builtin_memcpy(&packet->client, bytes + 22, 16);
	__builtin_memcpy(&packet->vip, bytes + 38, 16);
	packet->l3_length = 40 + length;
	packet->headers = 40;
	return carry_parse_transport(bytes + 54, length, protocol, packet);
}

/* Loads the headers and reads them. Other frames than IP leave the head with their first 42 bytes, if they have them. */
CARRY_INLINE bool
carry_parse(const struct carry_frame *frame, struct carry_head *head, struct carry_packet *packet)
{
	uint32_t type;

	if (frame->length >= 54) {
		if (carry_load(frame->source, 0, head->bytes, 54) != 0)
			return false;
	} else if (frame->length < 42 || carry_load(frame->source, 0, head->bytes, 42) != 0) {
		return false;
	}
	type = carry_be16(head->bytes + 12);
	if (type == 0x0800)
		return carry_parse_ipv4(frame, head, packet);
	return type == 0x86dd && frame->length >= 62 && carry_parse_ipv6(frame, head, packet);
}

/* The name of the flow in `flow`, if it is the packet's; else 0. */
CARRY_INLINE uint64_t
carry_match(const struct carry_flow *flow, const struct carry_packet *packet)
{
	const uint64_t name = *(const volatile uint64_t *)&flow->name;
	const struct carry_vip *vip;
	const uint64_t *client = (const uint64_t *)(const void *)flow->client, *addr;

	if ((uint32_t)name != packet->ports || name >> CARRY_STAMP_SHIFT == 0)
		return 0;
	if (((name & CARRY_NAME_UDP) != 0) != packet->udp)
		return 0;
	if (client[0] != packet->client.longs[0] || client[1] != packet->client.longs[1])
		return 0;
	vip = carry_vip_at(flow->vip);
	if (!vip)
		return 0;
	addr = (const uint64_t *)(const void *)vip->addr;
	return addr[0] == packet->vip.longs[0] && addr[1] == packet->vip.longs[1] ? name : 0;
}

CARRY_INLINE struct carry_flow *
carry_find_in(uint32_t number, const struct carry_packet *packet, uint64_t *name)
{
	struct carry_bucket *bucket = carry_bucket_at(number);

	if (!bucket)
		return 0;
#pragma GCC unroll 4
	for (int i = 0; i < CARRY_WAYS; i++) {
		*name = carry_match(&bucket->ways[i], packet);
		if (*name)
			return &bucket->ways[i];
	}
	return 0;
}

CARRY_INLINE struct carry_flow *
carry_find(const struct carry_packet *packet, uint64_t seed, uint32_t mask, uint64_t *name)
{
	const uint64_t ports = packet->ports | (uint64_t)packet->udp << 32;
	const uint64_t hash = carry_hash(seed, packet->client.longs, packet->vip.longs, ports);
	struct carry_flow *flow = carry_find_in((uint32_t)hash & mask, packet, name);

	return flow ? flow : carry_find_in((uint32_t)(hash >> 32) & mask, packet, name);
}

CARRY_INLINE bool
carry_same_mac(const uint8_t *a, const uint8_t *b)
{
	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3] && a[4] == b[4] && a[5] == b[5];
}

/* False: something for the daemon to look at. Else the flow has taken note of what it says. */
CARRY_INLINE bool
carry_measure(struct carry_flow *flow, const struct carry_packet *packet)
{
	const int32_t distance = (int32_t)(packet->acknowledgement - flow->acknowledged);
	const uint32_t payload = packet->l3_length - packet->headers;
	const uint32_t end = packet->sequence + payload, sent = flow->sent;

	if (distance > CARRY_WINDOW || distance < -CARRY_OVERTAKEN)
		return false;
	if (distance > 0)
		flow->acknowledged = packet->acknowledgement;
	if (payload == 0)
		return true;
	if ((int32_t)(packet->sequence - sent) < 0 && !(payload <= 1 && end == sent))
		flow->resent++;
	if ((int32_t)(end - sent) > 0)
		flow->sent = end;
	return true;
}

/* May the flow's frames go to that server as they are? Then the way is written to `hand`. */
CARRY_INLINE bool
carry_way(const struct carry_frame *frame, const struct carry_packet *packet, uint64_t name, struct carry_hand *hand)
{
	const struct carry_server *server = carry_server_at((uint32_t)(name >> CARRY_SLOT_SHIFT) & 0xffff);
	union {
		uint64_t word;
		struct {
			uint8_t mac[6];
			uint16_t rule;
		} parts;
	} to;
	const uint32_t stamp = (uint32_t)(name >> CARRY_STAMP_SHIFT) & CARRY_STAMP_MASK;

	if (!server)
		return false;
	to.word = *(const volatile uint64_t *)(const void *)server;
	if ((to.parts.rule & CARRY_STAMP_MASK) != stamp ||
	    (to.parts.rule & (packet->udp ? CARRY_RULE_UDP : CARRY_RULE_TCP)) == 0)
		return false;
	if ((frame->segment != 0 ? packet->headers + frame->segment : packet->l3_length) > server->mtu)
		return false;
	if (frame->only_back && server->ifindex != frame->ifindex)
		return false;
	__builtin_memcpy(hand->macs, to.parts.mac, 6);
	__builtin_memcpy(hand->macs + 6, server->source, 6);
	hand->ifindex = server->ifindex;
	return true;
}

/*
 * True: the frame is to leave re-addressed as `hand` says, and was counted. False: it is the daemon's, or the host's;
 * `head` has its first bytes.
 */
CARRY_INLINE bool
carry_decide(const struct carry_frame *frame, uint64_t seed, uint32_t mask, struct carry_head *head,
    struct carry_hand *hand)
{
	struct carry_packet packet = { .l3_length = 0 };
	struct carry_flow *flow;
	const struct carry_vip *vip;
	uint64_t name = 0;

	if (!carry_parse(frame, head, &packet))
		return false;
	flow = carry_find(&packet, seed, mask, &name);
	if (!flow)
		return false;
	vip = carry_vip_at(flow->vip);
	if (!vip || vip->ifindex != frame->ifindex || !carry_same_mac(vip->mac, head->bytes) ||
	    !carry_same_mac(flow->from, head->bytes + 6))
		return false;
	if (!carry_way(frame, &packet, name, hand) || (!packet.udp && !carry_measure(flow, &packet)))
		return false;
	flow->seen = (uint32_t)(frame->now >> CARRY_TIME_SHIFT);
	__sync_fetch_and_add(&flow->count, UINT64_C(1) << CARRY_BYTES_BITS | frame->length);
	return true;
}

#endif
