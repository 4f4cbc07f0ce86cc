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
#ifndef OFFLOAD_DECIDE_H
#define OFFLOAD_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "offload/map.h"

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

struct carry_packet {
	union carry_addr client;
	union carry_addr vip;
	uint64_t name;    /* what of a flow's name is the packet's: see CARRY_NAME_FLOW */
	uint64_t hash;
	bool udp;
	uint32_t l3_length; /* from the IP header to the end of the datagram */
	uint32_t headers;   /* of it, IP and transport header */
	uint32_t sequence;
	uint32_t acknowledgement;
};

/* Beyond these an acknowledgement is not believed: WINDOW_MOST and OVERTAKEN_MOST of flow/measure.c. */
#define CARRY_WINDOW (INT32_C(1) << 30)
#define CARRY_OVERTAKEN (INT32_C(1) << 26)

#define CARRY_LITTLE_ENDIAN (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

/* Loaded at once: the compiler knows how the head is aligned. */
CARRY_INLINE uint32_t
carry_be16(const uint8_t *bytes)
{
	uint16_t value;

	__builtin_memcpy(&value, bytes, sizeof(value));
	return CARRY_LITTLE_ENDIAN ? __builtin_bswap16(value) : value;
}

CARRY_INLINE uint32_t
carry_be32(const uint8_t *bytes)
{
	uint32_t value;

	__builtin_memcpy(&value, bytes, sizeof(value));
	return CARRY_LITTLE_ENDIAN ? __builtin_bswap32(value) : value;
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
	packet->udp = protocol == 17;
	packet->name = carry_be16(l4) | (uint64_t)carry_be16(l4 + 2) << 16 | (packet->udp ? CARRY_NAME_UDP : 0);
	/* A free place has the name 0. */
	if (packet->name == 0)
		return false;
	if (!packet->udp)
		return carry_parse_tcp(l4, length, packet);
	packet->sequence = packet->acknowledgement = 0;
	packet->headers += 8;
	return length >= 8 && carry_be16(l4 + 4) >= 8 && carry_be16(l4 + 4) <= length;
}

/* Without options, whole, TCP or UDP. */
CARRY_INLINE bool
carry_parse_ipv4(const struct carry_frame *frame, const struct carry_key *key, const struct carry_head *head,
    struct carry_packet *packet)
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
	if (!carry_parse_transport(bytes + 34, total - 20, protocol, packet))
		return false;
	packet->hash = carry_hash_ipv4(key, packet->client.words, packet->vip.words, (uint32_t)packet->name, packet->udp);
	return true;
}

/* Without extension headers, and no IPv4 in disguise. */
CARRY_INLINE bool
carry_parse_ipv6(const struct carry_frame *frame, const struct carry_key *key, struct carry_head *head,
    struct carry_packet *packet)
{
	const uint8_t *bytes = head->bytes;
	const uint8_t protocol = bytes[20];
	const uint32_t length = carry_be16(bytes + 18);

	if (bytes[14] >> 4 != 6 || length < 8 || 54 + length > frame->length)
		return false;
	if (protocol == 6) {
		if (frame->length < 74 || carry_load(frame->source, 54, head->bytes + 54, 20) != 0)
			return false;
	} else {
		__builtin_memset(head->bytes + 62, 0, 12);
		if (protocol != 17 || carry_load(frame->source, 54, head->bytes + 54, 8) != 0)
			return false;
	}
	__builtin_memcpy(&packet->client, bytes + 22, 16);
	__builtin_memcpy(&packet->vip, bytes + 38, 16);
	if (packet->vip.longs[0] == 0)
		return false;
	packet->l3_length = 40 + length;
	packet->headers = 40;
	if (!carry_parse_transport(bytes + 54, length, protocol, packet))
		return false;
	packet->hash = carry_hash_ipv6(key, packet->client.words, packet->vip.words, (uint32_t)packet->name, packet->udp);
	return true;
}

/* Loads the headers and reads them. What a short frame does not have of them is zero: the verifier wants it written. */
CARRY_INLINE bool
carry_parse(const struct carry_frame *frame, const struct carry_key *key, struct carry_head *head,
    struct carry_packet *packet)
{
	uint32_t type;

	if (frame->length >= 54) {
		if (carry_load(frame->source, 0, head->bytes, 54) != 0)
			return false;
	} else {
		__builtin_memset(head->bytes + 42, 0, 12);
		if (frame->length < 42 || carry_load(frame->source, 0, head->bytes, 42) != 0)
			return false;
	}
	type = carry_be16(head->bytes + 12);
	if (type == 0x0800)
		return carry_parse_ipv4(frame, key, head, packet);
	return type == 0x86dd && frame->length >= 62 && carry_parse_ipv6(frame, key, head, packet);
}

/* The name of the flow in `flow`, if it is the packet's but for its VIP; else 0. */
CARRY_INLINE uint64_t
carry_match(const struct carry_flow *flow, const struct carry_packet *packet)
{
	const uint64_t name = *(const volatile uint64_t *)&flow->name;
	const uint64_t *client = (const uint64_t *)(const void *)flow->client;

	if ((name & CARRY_NAME_FLOW) != packet->name)
		return 0;
	return client[0] == packet->client.longs[0] && client[1] == packet->client.longs[1] ? name : 0;
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

/* Of two flows of one client, from one port to two VIPs, in one bucket, the second is the daemon's. */
CARRY_INLINE struct carry_flow *
carry_find(const struct carry_packet *packet, uint64_t size, uint64_t *name)
{
	struct carry_flow *flow = carry_find_in(carry_first(size, packet->hash), packet, name);

	return flow ? flow : carry_find_in(carry_second(size, packet->hash), packet, name);
}

/* Both have even addresses. */
CARRY_INLINE bool
carry_same_mac(const uint8_t *a, const uint8_t *b)
{
	const uint16_t *x = (const uint16_t *)(const void *)a, *y = (const uint16_t *)(const void *)b;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2];
}

/* Is it a frame of that VIP, in the way its frames come? */
CARRY_INLINE bool
carry_is_for(const struct carry_flow *flow, const struct carry_frame *frame, const struct carry_packet *packet,
    const struct carry_head *head)
{
	const struct carry_vip *vip = carry_vip_at(flow->vip);
	const uint64_t *addr;

	if (!vip || vip->ifindex != frame->ifindex)
		return false;
	addr = (const uint64_t *)(const void *)vip->addr;
	return addr[0] == packet->vip.longs[0] && addr[1] == packet->vip.longs[1] &&
	    carry_same_mac(vip->mac, head->bytes) && carry_same_mac(flow->from, head->bytes + 6);
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
carry_way(const struct carry_frame *frame, const struct carry_packet *packet, const struct carry_head *head, uint64_t name,
    struct carry_hand *hand)
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
	/* Back to where it came from: perhaps a bounce, see forward/frame_ctx.h. */
	if (carry_same_mac(to.parts.mac, head->bytes + 6))
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
carry_decide(const struct carry_frame *frame, const struct carry_control *control, struct carry_head *head,
    struct carry_hand *hand)
{
	struct carry_packet packet;
	struct carry_flow *flow;
	uint64_t name = 0;

	if (!carry_parse(frame, &control->key, head, &packet))
		return false;
	flow = carry_find(&packet, *(const volatile uint64_t *)&control->size, &name);
	if (!flow || !carry_is_for(flow, frame, &packet, head))
		return false;
	if (!carry_way(frame, &packet, head, name, hand) || (!packet.udp && !carry_measure(flow, &packet)))
		return false;
	flow->seen = (uint32_t)(frame->now >> CARRY_TIME_SHIFT);
	__sync_fetch_and_add(&flow->count, UINT64_C(1) << CARRY_BYTES_BITS | frame->length);
	return true;
}

#endif
