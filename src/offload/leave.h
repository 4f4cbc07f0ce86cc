/* SPDX-License-Identifier: ISC */
/*
 * How a frame leaves that offload_decide() has decided: with other addresses, in a tunnel, or readdressed for L3DSR.
 * First the headers are prepared, on the way to the decision, and then written. Compiled, as decide.h, into the BPF
 * programs and into the tests, which compare the bytes with the daemon's.
 *
 * The including file must define, besides what decide.h requires:
 *
 *     static struct offload_encap *offload_encap_at(uint32_t slot);                        NULL: no such
 *     static int offload_store(void *source, uint32_t offset, const uint8_t *bytes, uint32_t length);    0: done
 *     static int offload_make_room(void *source, const struct offload_hand *hand);
 *
 * The last one removes hand->padding bytes at the frame's end, and inserts hand->encap.length bytes behind its first 14.
 */
#ifndef OFFLOAD_LEAVE_H
#define OFFLOAD_LEAVE_H

#include "offload/map.h"

/* In the middle of decide.h: what it has of frames and packets stands before. */

/* Where offload_hand's `aged` stands in the packet: the word with the time to live, or the hop limit. */
#define OFFLOAD_AGED(ipv6) ((ipv6) ? 4U : 8U)
/* bpf_skb_adjust_room() makes no frame of more than 4 pages (net/core/filter.c: BPF_SKB_MAX_LEN), unless a super-frame. */
#define OFFLOAD_ENLARGED_MOST 15000

/* One less; the header checksum, in its second half, covers it together with the protocol (RFC 1141). */
OFFLOAD_INLINE void
offload_age_ipv4(struct offload_hand *hand, const uint8_t *ip)
{
	const uint32_t before = offload_be16(ip + 8), after = before - 0x100;
	uint32_t sum = (uint16_t)~offload_be16(ip + 10);

	sum += (uint16_t)~before + after;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	encap_store16(hand->aged, after);
	encap_store16(hand->aged + 2, ~sum);
}

OFFLOAD_INLINE void
offload_age_ipv6(struct offload_hand *hand, const uint8_t *ip)
{
	__builtin_memcpy(hand->aged, ip + 4, 4);
	hand->aged[3]--;
}

/* As encap_flow_hash() has it. */
OFFLOAD_INLINE uint32_t
offload_flow_hash(const struct offload_packet *packet, bool ipv6)
{
	uint64_t hash = packet->udp ? 17 : 6;

	if (ipv6)
#pragma GCC unroll 3
		for (int i = 0; i < 3; i++)
			hash = encap_hash_addresses(hash, encap_net32(packet->client.words[i]),
			    encap_net32(packet->vip.words[i]));
	hash = encap_hash_addresses(hash, encap_net32(packet->client.words[3]), encap_net32(packet->vip.words[3]));
	return encap_hash_end(hash, (uint32_t)packet->name & 0xffff, (uint32_t)packet->name >> 16);
}

/*
 * Over IPv6 the outer UDP header has a checksum. It is made of the packet's own; without one, the daemon sums all
 * bytes, and of a super-frame the kernel would not compute it for each part (SKB_GSO_UDP_TUNNEL_CSUM is not to be had).
 */
OFFLOAD_INLINE bool
offload_may_sum(const struct offload_frame *frame, const struct offload_packet *packet, const uint8_t *l4)
{
	if (frame->segment != 0)
		return false;
	return !packet->udp || (offload_be16(l4 + ENCAP_UDP_CHECKSUM) != 0 &&
	    offload_be16(l4 + ENCAP_UDP_LENGTH) == packet->l3_length - (packet->headers - 8));
}

OFFLOAD_INLINE uint64_t
offload_inner_sum(const struct offload_hand *hand, const struct offload_packet *packet, const uint8_t *ip, bool ipv6)
{
	const uint64_t before = (uint64_t)encap_word(ip) + encap_word(hand->aged) + (ipv6 ? 0 : encap_word(ip + 4));

	return encap_sum_by_checksum(before, packet->udp ? 17 : 6, packet->l3_length - (ipv6 ? 40 : 20));
}

/* False: not by the kernel. */
OFFLOAD_INLINE bool
offload_prepare_tunnel(const struct offload_frame *frame, const struct offload_packet *packet,
    const struct offload_head *head, bool ipv6, struct offload_hand *hand)
{
	const uint8_t *ip = head->bytes + 14;
	struct encap_inner inner;

	if (ip[ipv6 ? 7 : 8] <= 1 || packet->l3_length + hand->encap.length > 65535)
		return false;
	if (frame->segment == 0 ? packet->l3_length > OFFLOAD_ENLARGED_MOST : packet->udp)
		return false;
	inner.length = packet->l3_length;
	inner.hash = offload_flow_hash(packet, ipv6);
	inner.sum = 0;
	if (ipv6) {
		offload_age_ipv6(hand, ip);
		inner.traffic_class = offload_be16(ip) >> 4 & 0xff;
		inner.dont_fragment = true;
		inner.identification = 0;
	} else {
		offload_age_ipv4(hand, ip);
		inner.traffic_class = ip[ENCAP_IPV4_TOS];
		inner.dont_fragment = (offload_be16(ip + ENCAP_IPV4_FLAGS) & ENCAP_DONT_FRAGMENT) != 0;
		inner.identification = (uint16_t)offload_be16(ip + ENCAP_IPV4_IDENTIFICATION);
	}
	if (hand->encap.udp != 0 && hand->encap.outer == ENCAP_OUTER_IPV6) {
		if (!offload_may_sum(frame, packet, ip + (ipv6 ? 40 : 20)))
			return false;
		inner.sum = offload_inner_sum(hand, packet, ip, ipv6);
	}
	encap_finish(hand->encap.header, &hand->encap, &inner);
	encap_store16(hand->type, hand->encap.outer == ENCAP_OUTER_IPV6 ? 0x86dd : 0x0800);
	hand->padding = frame->segment == 0 ? frame->length - 14 - packet->l3_length : 0;
	return true;
}

/* Where the transport checksum is. */
OFFLOAD_INLINE uint32_t
offload_checksum_at(bool ipv6, bool udp)
{
	return (ipv6 ? 54 : 34) + (udp ? 6 : 16);
}

/*
 * XDP does not see which checksums their senders left to a card: those must be changed in another way, since the sum of
 * the pseudo-header stands there instead. One that looks like it is for the daemon, which computes it.
 */
OFFLOAD_INLINE bool
offload_looks_unfinished(const struct offload_packet *packet, const struct offload_head *head, bool ipv6)
{
	const uint32_t length = packet->l3_length - (ipv6 ? 40 : 20);
	uint64_t sum = (uint64_t)encap_net16(packet->udp ? 17 : 6) + encap_net16(length) + packet->client.words[3] +
	    packet->vip.words[3];
	uint16_t field;

	if (ipv6)
#pragma GCC unroll 3
		for (int i = 0; i < 3; i++)
			sum += (uint64_t)packet->client.words[i] + packet->vip.words[i];
	__builtin_memcpy(&field, head->bytes + offload_checksum_at(ipv6, packet->udp), sizeof(field));
	return field == sum_fold(sum);
}

/*
 * Prepares what the server's method changes in the frame. Its entry may change meanwhile: the caller compares the
 * server's word afterwards. False: not by the kernel.
 */
OFFLOAD_INLINE bool
offload_prepare(const struct offload_frame *frame, const struct offload_packet *packet,
    const struct offload_head *head, uint32_t slot, struct offload_hand *hand)
{
	const bool ipv6 = head->bytes[14] >> 4 == 6;
	const struct offload_encap *encap = offload_encap_at(slot);

	if (!encap)
		return false;
	if (ipv6)
		__builtin_memcpy(&hand->encap, &encap->families[1], sizeof(hand->encap));
	else
		__builtin_memcpy(&hand->encap, &encap->families[0], sizeof(hand->encap));
	hand->ipv6 = ipv6;
	hand->udp = packet->udp;
	hand->dscp = packet->dscp;
	if (hand->encap.length != 0)
		return offload_prepare_tunnel(frame, packet, head, ipv6, hand);
	return packet->dscp != 0 && !(frame->sums_unknown && offload_looks_unfinished(packet, head, ipv6));
}

/* Nothing to do for method mac, but the addresses that the caller writes. */
OFFLOAD_INLINE bool
offload_is_plain(const struct offload_hand *hand)
{
	return hand->encap.method == ENCAP_MAC;
}

/* False: there is no room for it, and the frame may be damaged. */
OFFLOAD_INLINE bool
offload_leave_by_tunnel(void *source, const struct offload_hand *hand)
{
	const uint32_t length = hand->encap.length;

	/* The verifier does not know what encap_prepare() writes. */
	if (length == 0 || length > ENCAP_HEADER_MOST || offload_make_room(source, hand) != 0)
		return false;
	return offload_store(source, 0, hand->macs, 14) == 0 &&
	    offload_store(source, 14, hand->encap.header, length) == 0 &&
	    offload_store(source, 14 + length + OFFLOAD_AGED(hand->ipv6), hand->aged, 4) == 0;
}

/* The first two bytes of the IP header with the DSCP; the ECN bits stay (RFC 3168 section 5). */
OFFLOAD_INLINE uint16_t
offload_mark(const struct offload_hand *hand, uint16_t first)
{
	const uint32_t word = encap_net16(first);

	return encap_net16(hand->ipv6 ? (word & ~0xfc0U) | (uint32_t)hand->dscp << 6 :
	    (word & ~0xfcU) | (uint32_t)hand->dscp << 2);
}

/* RFC 1624; `change` is the sum of the new words and of the old ones' complements. */
OFFLOAD_INLINE uint16_t
offload_changed_sum(uint16_t field, uint64_t change)
{
	return (uint16_t)~sum_fold((uint16_t)~field + change);
}

OFFLOAD_INLINE bool
offload_change_sum(void *source, uint32_t offset, uint64_t change, bool udp)
{
	uint16_t field;

	if (offload_load(source, offset, (uint8_t *)&field, sizeof(field)) != 0)
		return false;
	/* 0: none, so it stays, and no sum is sent as 0 (RFC 768). */
	if (udp && field == 0)
		return true;
	field = offload_changed_sum(field, change);
	if (udp && field == 0)
		field = 0xffff;
	return offload_store(source, offset, (const uint8_t *)&field, sizeof(field)) == 0;
}

/*
 * As encap_readdress() has it, where all checksums are finished and no other record of them is kept: XDP, and the
 * tests. dsrd.bpf.c has another for tc.
 */
OFFLOAD_INLINE bool
offload_leave_readdressed(void *source, const struct offload_hand *hand)
{
	const uint32_t destination = hand->ipv6 ? 38 : 30;
	union offload_addr before;
	uint16_t first, marked;
	uint64_t change = 0;

	if (offload_load(source, 14, (uint8_t *)&first, sizeof(first)) != 0 ||
	    offload_load(source, destination, before.bytes, hand->ipv6 ? 16 : 4) != 0)
		return false;
	change = (uint64_t)(uint32_t)~before.words[0] + encap_word(hand->encap.server);
	if (hand->ipv6)
#pragma GCC unroll 3
		for (int i = 1; i < 4; i++)
			change += (uint64_t)(uint32_t)~before.words[i] + encap_word(hand->encap.server + i * 4);
	marked = offload_mark(hand, first);
	return offload_change_sum(source, offload_checksum_at(hand->ipv6, hand->udp), change, hand->udp) &&
	    (hand->ipv6 || offload_change_sum(source, 24, change + (uint16_t)~first + marked, false)) &&
	    offload_store(source, 0, hand->macs, 12) == 0 &&
	    offload_store(source, 14, (const uint8_t *)&marked, sizeof(marked)) == 0 &&
	    offload_store(source, destination, hand->encap.server, hand->ipv6 ? 16 : 4) == 0;
}

#endif
