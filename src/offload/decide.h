/* SPDX-License-Identifier: ISC */
/*
 * May this frame be forwarded without the daemon, and where to? The single implementation, compiled into the BPF
 * programs (src/offload/dsrd.bpf.c) and into the tests that compare it with forward_frame(). Anything but an ordinary
 * segment or datagram of a flow that the daemon has put into the table is left to the daemon: this code never drops.
 *
 * The including file must define the access to frame and tables:
 *
 *     static int offload_load(void *source, uint32_t offset, uint8_t *bytes, uint32_t length);    0: done
 *     static struct offload_bucket *offload_bucket_at(uint32_t number);                             NULL: no such
 *     static struct offload_server *offload_server_at(uint32_t slot);
 *     static struct offload_vip *offload_vip_at(uint32_t number);
 *
 * and what leave.h requires.
 */
#ifndef OFFLOAD_DECIDE_H
#define OFFLOAD_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/fit_window.h"
#include "offload/map.h"

/* The kernel's verifier requires aligned reads from the stack, so the IP header is aligned. */
struct offload_head {
	uint16_t pad;
	uint8_t bytes[78]; /* Ethernet 14, IPv6 40, TCP 20 */
} __attribute__((aligned(8)));

struct offload_frame {
	void *source;
	uint32_t length;  /* from the Ethernet destination on */
	uint32_t segment; /* bytes of payload in each frame that a super-frame becomes; 0: it is none */
	uint32_t ifindex; /* where it came in */
	uint64_t now;     /* nanoseconds, monotonic */
	bool only_back;   /* it can leave by the interface it came from only */
	bool sums_unknown; /* which checksums are left to a card is not known */
};

struct offload_packet {
	union offload_addr client;
	union offload_addr vip;
	uint64_t name;    /* what of a flow's name is the packet's: see OFFLOAD_NAME_FLOW */
	uint64_t hash;
	bool udp;
	uint8_t dscp;     /* of the VIP, for method dscp; 0: there is none */
	bool begins;      /* a SYN; only selected, never a flow's ordinary frame */
	uint32_t l3_length; /* from the IP header to the end of the datagram */
	uint32_t headers;   /* of it, IP and transport header */
	uint32_t sequence;
	uint32_t acknowledgement;
};

#define OFFLOAD_LITTLE_ENDIAN (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

/* Loaded in one access: the compiler knows the alignment of the head. */
OFFLOAD_INLINE uint32_t
offload_be16(const uint8_t *bytes)
{
	uint16_t value;

	__builtin_memcpy(&value, bytes, sizeof(value));
	return OFFLOAD_LITTLE_ENDIAN ? __builtin_bswap16(value) : value;
}

OFFLOAD_INLINE uint32_t
offload_be32(const uint8_t *bytes)
{
	uint32_t value;

	__builtin_memcpy(&value, bytes, sizeof(value));
	return OFFLOAD_LITTLE_ENDIAN ? __builtin_bswap32(value) : value;
}

/* `l4` is the transport header, `length` what the datagram has of it and behind it. */
OFFLOAD_INLINE bool
offload_parse_tcp(const uint8_t *l4, uint32_t length, struct offload_packet *packet)
{
	const uint32_t header = (uint32_t)(l4[12] >> 4) * 4;

	/*
	 * Of the flags ACK, and none of FIN, SYN and RST (RFC 9293 section 3.1): what changes a flow's state is the
	 * daemon's. Or SYN alone, which may begin one.
	 */
	if (length < 20 || header < 20 || header > length || ((l4[13] & 0x17) != 0x10 && (l4[13] & 0x17) != 0x02))
		return false;
	packet->begins = (l4[13] & 0x17) == 0x02;
	packet->headers += header;
	packet->sequence = offload_be32(l4 + 4);
	packet->acknowledgement = offload_be32(l4 + 8);
	return true;
}

OFFLOAD_INLINE bool
offload_parse_transport(const uint8_t *l4, uint32_t length, uint8_t protocol, struct offload_packet *packet)
{
	packet->udp = protocol == 17;
	packet->dscp = 0;
	packet->name = offload_be16(l4) | (uint64_t)offload_be16(l4 + 2) << 16 | (packet->udp ? OFFLOAD_NAME_UDP : 0);
	/* A free slot has the name 0. */
	if (packet->name == 0)
		return false;
	if (!packet->udp)
		return offload_parse_tcp(l4, length, packet);
	packet->begins = false;
	packet->sequence = packet->acknowledgement = 0;
	packet->headers += 8;
	return length >= 8 && offload_be16(l4 + 4) >= 8 && offload_be16(l4 + 4) <= length;
}

/* Without options, whole, TCP or UDP. */
OFFLOAD_INLINE bool
offload_parse_ipv4(const struct offload_frame *frame, const struct offload_key *key, const struct offload_head *head,
    struct offload_packet *packet)
{
	const uint8_t *bytes = head->bytes;
	const uint8_t protocol = bytes[23];
	const uint32_t total = offload_be16(bytes + 16);

	if (bytes[14] != 0x45 || total < 28 || total + 14 > frame->length || (offload_be16(bytes + 20) & 0x3fff) != 0)
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
	if (!offload_parse_transport(bytes + 34, total - 20, protocol, packet))
		return false;
	packet->hash = offload_hash_ipv4(key, packet->client.words, packet->vip.words, (uint32_t)packet->name,
	    packet->udp);
	return true;
}

/* Without extension headers, and no IPv4 in disguise. */
OFFLOAD_INLINE bool
offload_parse_ipv6(const struct offload_frame *frame, const struct offload_key *key, struct offload_head *head,
    struct offload_packet *packet)
{
	const uint8_t *bytes = head->bytes;
	const uint8_t protocol = bytes[20];
	const uint32_t length = offload_be16(bytes + 18);

	if (bytes[14] >> 4 != 6 || length < 8 || 54 + length > frame->length)
		return false;
	if (protocol == 6) {
		if (frame->length < 74 || offload_load(frame->source, 54, head->bytes + 54, 20) != 0)
			return false;
	} else {
		__builtin_memset(head->bytes + 62, 0, 12);
		if (protocol != 17 || offload_load(frame->source, 54, head->bytes + 54, 8) != 0)
			return false;
	}
	__builtin_memcpy(&packet->client, bytes + 22, 16);
	__builtin_memcpy(&packet->vip, bytes + 38, 16);
	if (packet->vip.longs[0] == 0)
		return false;
	packet->l3_length = 40 + length;
	packet->headers = 40;
	if (!offload_parse_transport(bytes + 54, length, protocol, packet))
		return false;
	packet->hash = offload_hash_ipv6(key, packet->client.words, packet->vip.words, (uint32_t)packet->name,
	    packet->udp);
	return true;
}

/* Loads and parses the headers. Fields beyond the end of a short frame are zero: the verifier requires them written. */
OFFLOAD_INLINE bool
offload_parse(const struct offload_frame *frame, const struct offload_key *key, struct offload_head *head,
    struct offload_packet *packet)
{
	uint32_t type;

	if (frame->length >= 54) {
		if (offload_load(frame->source, 0, head->bytes, 54) != 0)
			return false;
	} else {
		__builtin_memset(head->bytes + 42, 0, 12);
		if (frame->length < 42 || offload_load(frame->source, 0, head->bytes, 42) != 0)
			return false;
	}
	type = offload_be16(head->bytes + 12);
	if (type == 0x0800)
		return offload_parse_ipv4(frame, key, head, packet);
	return type == 0x86dd && frame->length >= 62 && offload_parse_ipv6(frame, key, head, packet);
}

/* The name of the flow in `flow`, if it is the packet's but for its VIP; else 0. */
OFFLOAD_INLINE uint64_t
offload_match(const struct offload_flow *flow, const struct offload_packet *packet)
{
	const uint64_t name = *(const volatile uint64_t *)&flow->name;
	const uint64_t *client = (const uint64_t *)(const void *)flow->client;

	if ((name & OFFLOAD_NAME_FLOW) != packet->name)
		return 0;
	return client[0] == packet->client.longs[0] && client[1] == packet->client.longs[1] ? name : 0;
}

OFFLOAD_INLINE struct offload_flow *
offload_find_in(uint32_t number, const struct offload_packet *packet, uint64_t *name)
{
	struct offload_bucket *bucket = offload_bucket_at(number);

	if (!bucket)
		return 0;
#pragma GCC unroll 4
	for (int i = 0; i < OFFLOAD_WAYS; i++) {
		*name = offload_match(&bucket->ways[i], packet);
		if (*name)
			return &bucket->ways[i];
	}
	return 0;
}

/* Of two flows of one client, from one port to two VIPs, in one bucket, the second is the daemon's. */
OFFLOAD_INLINE struct offload_flow *
offload_find(const struct offload_packet *packet, uint64_t size, uint64_t *name)
{
	struct offload_flow *flow = offload_find_in(offload_first(size, packet->hash), packet, name);

	return flow ? flow : offload_find_in(offload_second(size, packet->hash), packet, name);
}

/* Both have even addresses. */
OFFLOAD_INLINE bool
offload_same_mac(const uint8_t *a, const uint8_t *b)
{
	const uint16_t *x = (const uint16_t *)(const void *)a, *y = (const uint16_t *)(const void *)b;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2];
}

/* Is it a frame of that VIP, in the way its frames come? */
OFFLOAD_INLINE bool
offload_is_for(const struct offload_flow *flow, const struct offload_frame *frame, struct offload_packet *packet,
    const struct offload_head *head)
{
	const struct offload_vip *vip = offload_vip_at(flow->vip);
	const uint64_t *addr;

	if (!vip || vip->ifindex != frame->ifindex)
		return false;
	/* Before the address, behind which it is written. */
	packet->dscp = *(const volatile uint8_t *)&vip->dscp;
	addr = (const uint64_t *)(const void *)vip->addr;
	return addr[0] == packet->vip.longs[0] && addr[1] == packet->vip.longs[1] &&
	    offload_same_mac(vip->mac, head->bytes) && offload_same_mac(flow->from, head->bytes + 6);
}

/* False: the frame is for the daemon. Otherwise the flow has been updated. */
OFFLOAD_INLINE bool
offload_measure(struct offload_flow *flow, const struct offload_packet *packet)
{
	const int32_t distance = (int32_t)(packet->acknowledgement - flow->acknowledged);
	const uint32_t payload = packet->l3_length - packet->headers;
	const uint32_t end = packet->sequence + payload, sent = flow->sent;
	const int32_t ahead = (int32_t)(packet->sequence - sent);

	/* fit_numbers() of flow/fit.h. */
	if (distance > FIT_ACK_AHEAD || distance < -FIT_ACK_BEHIND || ahead > FIT_SEQUENCE || ahead < -FIT_SEQUENCE)
		return false;
	if (distance > 0)
		flow->acknowledged = packet->acknowledgement;
	if (payload == 0)
		return true;
	if (ahead < 0 && !(payload <= 1 && end == sent))
		flow->resent++;
	if ((int32_t)(end - sent) > 0)
		flow->sent = end;
	return true;
}

#include "offload/leave.h"

/* May the flow's frames go to that server? Then `hand` has how. */
OFFLOAD_INLINE bool
offload_way(const struct offload_frame *frame, const struct offload_packet *packet, const struct offload_head *head,
    uint64_t name,
    struct offload_hand *hand)
{
	const struct offload_server *server = offload_server_at((uint32_t)(name >> OFFLOAD_SLOT_SHIFT) & 0xffff);
	union {
		uint64_t word;
		struct {
			uint8_t mac[6];
			uint16_t rule;
		} parts;
	} to;
	const uint32_t stamp = (uint32_t)(name >> OFFLOAD_STAMP_SHIFT) & OFFLOAD_STAMP_MASK;

	if (!server)
		return false;
	to.word = *(const volatile uint64_t *)(const void *)server;
	if ((to.parts.rule & OFFLOAD_STAMP_MASK) != stamp ||
	    (to.parts.rule & (packet->udp ? OFFLOAD_RULE_UDP : OFFLOAD_RULE_TCP)) == 0)
		return false;
	if ((frame->segment != 0 ? packet->headers + frame->segment : packet->l3_length) > server->mtu)
		return false;
	/* It would leave by the interface it came from: perhaps a bounce, see forward/frame_ctx.h. */
	if (server->method == ENCAP_MAC && offload_same_mac(to.parts.mac, head->bytes + 6))
		return false;
	if (frame->only_back && server->ifindex != frame->ifindex)
		return false;
	__builtin_memcpy(hand->macs, to.parts.mac, 6);
	__builtin_memcpy(hand->macs + 6, server->source, 6);
	hand->ifindex = server->ifindex;
	hand->encap.method = ENCAP_MAC;
	hand->encap.length = 0;
	if (server->method != ENCAP_MAC &&
	    !offload_prepare(frame, packet, head, (uint32_t)(name >> OFFLOAD_SLOT_SHIFT) & 0xffff, hand))
		return false;
	/* The daemon may have been rewriting it: then the word is another one, see cache_view_write_server(). */
	return *(const volatile uint64_t *)(const void *)server == to.word;
}

#include "offload/select.h"

/*
 * True: send the frame with the addresses in `hand`; it has been counted. False: it is for the daemon or the host;
 * `head` has its first bytes.
 */
OFFLOAD_INLINE bool
offload_decide(const struct offload_frame *frame, const struct offload_control *control, struct offload_head *head,
    struct offload_hand *hand)
{
	struct offload_packet packet;
	struct offload_flow *flow;
	uint64_t name = 0;

	if (!offload_parse(frame, &control->key, head, &packet))
		return false;
	flow = offload_find(&packet, *(const volatile uint64_t *)&control->size, &name);
	if (!flow)
		return (packet.udp || packet.begins) && offload_select(frame, control, &packet, head, hand);
	if (packet.begins || !offload_is_for(flow, frame, &packet, head))
		return false;
	if (!offload_way(frame, &packet, head, name, hand) || (!packet.udp && !offload_measure(flow, &packet)))
		return false;
	flow->seen = (uint32_t)(frame->now >> OFFLOAD_TIME_SHIFT);
	__sync_fetch_and_add(&flow->count, UINT64_C(1) << OFFLOAD_BYTES_BITS | frame->length);
	return true;
}

#endif
