/* SPDX-License-Identifier: ISC */
/*
 * The BPF programs. offload/decide.h decides; this file gets frames in and out.
 *
 * With tc there are two programs. The socket of libpcap is a tap, and taps get a frame just before tc does: if tc alone
 * forwarded it, the daemon would forward a second copy. So the decision is made in the socket's filter, once, and tc
 * executes it: the filter passes it on in a per-CPU record, and keeps the frame from the tap. Both run one after the
 * other for the same frame, on the same CPU, with nothing in between (__netif_receive_skb_core() in net/core/dev.c), so
 * each frame is either the daemon's or the kernel's, even while flows come and go. Without the daemon there is no
 * socket, hence no filter and no decision: tc passes everything.
 *
 * A decision that was not executed shows that the tc program is not attached, or that a program ahead of it consumed
 * the frame. One frame is lost then; from there on all frames go to the daemon until it has found the cause
 * (`unconsumed`).
 *
 * With XDP there is one program, ahead of all taps.
 */
#include "config.h"

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#include <stdint.h>

#include "offload/map.h"

/* max_entries of the first is set when it is loaded: the daemon's `connections`. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct offload_bucket);
} buckets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, OFFLOAD_SERVERS);
	__type(key, uint32_t);
	__type(value, struct offload_server);
} servers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, OFFLOAD_ENCAPS);
	__type(key, uint32_t);
	__type(value, struct offload_encap);
} encaps SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, OFFLOAD_VIPS);
	__type(key, uint32_t);
	__type(value, struct offload_vip);
} vips SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct offload_control);
} control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct offload_hand);
} hands SEC(".maps");

/*
 * Both ways to read a frame have the same arguments; the program selects one by its source. The compiler must know which:
 * no program may contain the other one's helpers.
 */
struct source {
	struct __sk_buff *skb;
	struct xdp_md *xdp;
	uint64_t is_xdp; /* which one: a number, as the verifier does not follow comparisons of these pointers with NULL */
};

static inline __attribute__((always_inline)) int
offload_load(void *source, uint32_t offset, uint8_t *bytes, uint32_t length)
{
	const struct source *from = source;

	if (!from->is_xdp)
		return (int)bpf_skb_load_bytes(from->skb, offset, bytes, length);
	return (int)bpf_xdp_load_bytes(from->xdp, offset, bytes, length);
}

static inline __attribute__((always_inline)) struct offload_bucket *
offload_bucket_at(uint32_t number)
{
	return bpf_map_lookup_elem(&buckets, &number);
}

static inline __attribute__((always_inline)) struct offload_server *
offload_server_at(uint32_t slot)
{
	return bpf_map_lookup_elem(&servers, &slot);
}

static inline __attribute__((always_inline)) struct offload_vip *
offload_vip_at(uint32_t number)
{
	return bpf_map_lookup_elem(&vips, &number);
}

static inline __attribute__((always_inline)) struct offload_encap *
offload_encap_at(uint32_t slot)
{
	return bpf_map_lookup_elem(&encaps, &slot);
}

/* Beyond the Ethernet header the kernel keeps the sum of a received frame, if the card has computed it. */
static inline __attribute__((always_inline)) int
offload_store(void *source, uint32_t offset, const uint8_t *bytes, uint32_t length)
{
	const struct source *to = source;

	if (!to->is_xdp)
		return (int)bpf_skb_store_bytes(to->skb, offset, bytes, length, offset < 14 ? 0 : BPF_F_RECOMPUTE_CSUM);
	return (int)bpf_xdp_store_bytes(to->xdp, offset, (void *)(long)bytes, length);
}

/* Each part of a super-frame fits: offload_way() has seen to that. */
static inline __attribute__((always_inline)) int
dsrd_make_room_skb(struct __sk_buff *skb, const struct offload_hand *hand)
{
	uint64_t flags = BPF_F_ADJ_ROOM_FIXED_GSO;

	flags |= hand->encap.outer == ENCAP_OUTER_IPV6 ? BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 : BPF_F_ADJ_ROOM_ENCAP_L3_IPV4;
	if (hand->encap.method == ENCAP_GRE)
		flags |= BPF_F_ADJ_ROOM_ENCAP_L4_GRE;
	else if (hand->encap.udp != 0)
		flags |= BPF_F_ADJ_ROOM_ENCAP_L4_UDP;
	if (hand->padding != 0 && bpf_skb_change_tail(skb, skb->len - hand->padding, 0) != 0)
		return -1;
	return (int)bpf_skb_adjust_room(skb, hand->encap.length, BPF_ADJ_ROOM_MAC, flags);
}

static inline __attribute__((always_inline)) int
offload_make_room(void *source, const struct offload_hand *hand)
{
	const struct source *to = source;

	if (!to->is_xdp)
		return dsrd_make_room_skb(to->skb, hand);
	if (hand->padding != 0 && bpf_xdp_adjust_tail(to->xdp, -(int)hand->padding) != 0)
		return -1;
	return (int)bpf_xdp_adjust_head(to->xdp, -(int)hand->encap.length);
}

#include "offload/select_maps_bpf.h"
#include "offload/decide.h"

#define PACKET_HOST 0 /* linux/if_packet.h */
#define PACKET_OUTGOING 4
#define FRAME_WHOLE 0xffffffffU /* a filter's result that passes the frame to the tap */

static inline __attribute__((always_inline)) bool
dsrd_is_wanted_address(const struct offload_control *state, const union offload_addr *addr)
{
	const uint32_t bit = offload_address_hash(&state->key, addr->words) & (OFFLOAD_WANTED - 1);

	return (state->wanted[bit / 8] >> bit % 8 & 1) != 0;
}

static inline __attribute__((always_inline)) bool
dsrd_is_probe_port(const struct offload_control *state, struct __sk_buff *skb, uint32_t offset)
{
	uint8_t port[2];
	uint32_t number;

	if (bpf_skb_load_bytes(skb, offset, port, 2) != 0)
		return false;
	number = offload_be16(port);
	return number >= state->port_first && number <= state->port_last;
}

/* As daemon/port.c words it for the classic filter: to this host, and ICMP, or for an address or port of ours. */
static inline __attribute__((always_inline)) bool
dsrd_is_wanted_ipv4(const struct offload_control *state, struct __sk_buff *skb, const uint8_t *bytes)
{
	union offload_addr addr = { .longs = { 0, 0 } };

	if (skb->pkt_type != PACKET_HOST)
		return false;
	if (bytes[23] == 1)
		return true;
	addr.bytes[10] = addr.bytes[11] = 0xff;
	__builtin_memcpy(&addr.words[3], bytes + 30, 4);
	return dsrd_is_wanted_address(state, &addr) || dsrd_is_probe_port(state, skb,
	    14 + (uint32_t)(bytes[14] & 15) * 4 + 2);
}

/* Neighbor discovery always: ICMPv6 types 133 to 137 (RFC 4861). */
static inline __attribute__((always_inline)) bool
dsrd_is_wanted_ipv6(const struct offload_control *state, struct __sk_buff *skb, const uint8_t *bytes)
{
	union offload_addr addr = { .longs = { 0, 0 } };
	uint8_t type = 0;

	if (bytes[20] == 58 && bpf_skb_load_bytes(skb, 54, &type, 1) == 0 && type >= 133 && type <= 137)
		return true;
	if (skb->pkt_type != PACKET_HOST || skb->len < 54)
		return false;
	if (bytes[20] == 58)
		return true;
	if (bpf_skb_load_bytes(skb, 38, &addr, 16) != 0)
		return false;
	return dsrd_is_wanted_address(state, &addr) || dsrd_is_probe_port(state, skb, 56);
}

static inline __attribute__((always_inline)) bool
dsrd_is_wanted(const struct offload_control *state, struct __sk_buff *skb)
{
	struct offload_head head;
	uint32_t type;

	if (state->wide != 0 && skb->pkt_type == PACKET_HOST)
		return true;
	if (bpf_skb_load_bytes(skb, 0, head.bytes, 34) != 0)
		return skb->pkt_type != PACKET_OUTGOING;
	type = offload_be16(head.bytes + 12);
	if (type == 0x0806)
		return true;
	if (type == 0x0800)
		return dsrd_is_wanted_ipv4(state, skb, head.bytes);
	return type == 0x86dd ? dsrd_is_wanted_ipv6(state, skb, head.bytes) : skb->pkt_type == PACKET_HOST;
}

SEC("socket")
int
dsrd_tap(struct __sk_buff *skb)
{
	struct source source = { .skb = skb };
	struct offload_frame frame = { .source = &source, .length = skb->len, .segment = skb->gso_size,
		.ifindex = skb->ifindex };
	struct offload_head head;
	const uint32_t zero = 0;
	struct offload_control *state = bpf_map_lookup_elem(&control, &zero);
	struct offload_hand *hand = bpf_map_lookup_elem(&hands, &zero);

	if (!state || !hand)
		return FRAME_WHOLE;
	if (skb->pkt_type == PACKET_OUTGOING)
		return 0;
	if (hand->ifindex != 0) {
		hand->ifindex = 0;
		__sync_fetch_and_add(&state->unconsumed, 1);
	}
	if (state->unconsumed == 0 && skb->pkt_type == PACKET_HOST && !skb->vlan_present) {
		frame.now = bpf_ktime_get_coarse_ns();
		if (offload_decide(&frame, state, &head, hand))
			return 0;
		/* The way was found, and then a reason against it. */
		hand->ifindex = 0;
	}
	return dsrd_is_wanted(state, skb) ? FRAME_WHOLE : 0;
}

/*
 * offload_leave_readdressed() for tc, where the kernel knows which checksums are finished (checksum-offloads.rst). Its
 * helper for them assumes that the sum of the whole frame does not change with an address, as with IPv4, where the
 * header's checksum makes up for it; with IPv6 the address is stored so that it does.
 */
static inline __attribute__((always_inline)) bool
dsrd_readdress(struct __sk_buff *skb, const struct offload_hand *hand)
{
	const uint64_t keep = BPF_F_PSEUDO_HDR | (hand->udp ? BPF_F_MARK_MANGLED_0 : 0);
	const uint32_t sum_at = offload_checksum_at(hand->ipv6, hand->udp);
	union offload_addr before;
	uint16_t first, marked;
	int64_t change;

	if (bpf_skb_load_bytes(skb, 14, &first, sizeof(first)) != 0)
		return false;
	marked = offload_mark(hand, first);
	if (hand->ipv6) {
		if (bpf_skb_load_bytes(skb, 38, &before, 16) != 0)
			return false;
		change = bpf_csum_diff(before.words, 16, (uint32_t *)(long)hand->encap.server, 16, 0);
		return change >= 0 && bpf_l4_csum_replace(skb, sum_at, 0, (uint64_t)change, keep) == 0 &&
		    bpf_skb_store_bytes(skb, 38, hand->encap.server, 16, BPF_F_RECOMPUTE_CSUM) == 0 &&
		    bpf_skb_store_bytes(skb, 14, &marked, sizeof(marked), BPF_F_RECOMPUTE_CSUM) == 0;
	}
	if (bpf_skb_load_bytes(skb, 30, &before, 4) != 0)
		return false;
	return bpf_l4_csum_replace(skb, sum_at, before.words[0], encap_word(hand->encap.server), keep | 4) == 0 &&
	    bpf_l3_csum_replace(skb, 24, before.words[0], encap_word(hand->encap.server), 4) == 0 &&
	    bpf_l3_csum_replace(skb, 24, first, marked, 2) == 0 &&
	    bpf_skb_store_bytes(skb, 30, hand->encap.server, 4, 0) == 0 &&
	    bpf_skb_store_bytes(skb, 14, &marked, sizeof(marked), 0) == 0;
}

static inline __attribute__((always_inline)) bool
dsrd_write_macs(struct __sk_buff *skb, const struct offload_hand *hand)
{
	uint8_t *bytes = (uint8_t *)(long)skb->data;

	if (bytes + 12 > (uint8_t *)(long)skb->data_end)
		return bpf_skb_store_bytes(skb, 0, hand->macs, 12, 0) == 0;
	__builtin_memcpy(bytes, hand->macs, 12);
	return true;
}

SEC("tc")
int
dsrd_tc(struct __sk_buff *skb)
{
	struct source source = { .skb = skb };
	const uint32_t zero = 0;
	struct offload_hand *hand = bpf_map_lookup_elem(&hands, &zero);
	uint32_t ifindex;
	bool done;

	if (!hand || hand->ifindex == 0)
		return TC_ACT_UNSPEC;
	ifindex = hand->ifindex;
	hand->ifindex = 0;
	if (hand->encap.length != 0)
		done = offload_leave_by_tunnel(&source, hand);
	else
		done = (offload_is_plain(hand) || dsrd_readdress(skb, hand)) && dsrd_write_macs(skb, hand);
	/* Out of memory: as when it finds no room in a queue. */
	return done ? (int)bpf_redirect(ifindex, 0) : TC_ACT_SHOT;
}

SEC("xdp")
int
dsrd_xdp(struct xdp_md *xdp)
{
	uint8_t *bytes = (uint8_t *)(long)xdp->data, *end = (uint8_t *)(long)xdp->data_end;
	struct source source = { .xdp = xdp, .is_xdp = 1 };
	struct offload_frame frame = { .source = &source, .length = (uint32_t)(end - bytes),
		.ifindex = xdp->ingress_ifindex, .only_back = true, .sums_unknown = true };
	struct offload_head head;
	struct offload_hand hand = { .ifindex = 0 };
	const uint32_t zero = 0;
	const struct offload_control *state = bpf_map_lookup_elem(&control, &zero);

	if (!state || bytes + 14 > end)
		return XDP_PASS;
	frame.now = bpf_ktime_get_coarse_ns();
	if (!offload_decide(&frame, state, &head, &hand))
		return XDP_PASS;
	if (offload_is_plain(&hand)) {
		__builtin_memcpy(bytes, hand.macs, 12);
		return XDP_TX;
	}
	/* A driver without room before the frame: it is the daemon's, though counted. */
	return (hand.encap.length != 0 ? offload_leave_by_tunnel(&source, &hand) :
	    offload_leave_readdressed(&source, &hand)) ? XDP_TX : XDP_PASS;
}

/* None of the functions used is for the GPL alone. */
const char license_text[] SEC("license") = "ISC";
