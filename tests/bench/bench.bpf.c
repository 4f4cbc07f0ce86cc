/* SPDX-License-Identifier: ISC */
/*
 * Programs in the kernel for the benchmarks' network, which has the VIP 192.0.2.10, two servers whose MACs end in 11 and
 * 12, and a generator's flows from 198.18.0.0/15 to port 53.
 *
 * redirect is what a program can reach that remembers nothing: it reads a frame as far as its ports, hashes the flow,
 * writes one of two MAC addresses, and redirects. encap does the same, and puts the packet into an IP packet to the
 * server. sink drops what a forwarder has forwarded well, which the queueing discipline counts, at the least cost. xsk
 * hands the VIP's frames to an AF_XDP socket.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error numbers are as a little-endian machine reads them
#endif

#define HEAD 42         /* Ethernet, IPv4 without options, UDP */
#define VIP 0x0a0200c0U /* 192.0.2.10 */
#define BENCH_NET 0x12c6U /* 198.18; the last bit of its second byte is either */
#define DNS_PORT 0x3500U /* 53 */
#define FIRST_SERVER 0x11 /* the last byte of web1's MAC address; web2's follows */
#define MAC_START 0x00000002U /* 02:00:00:00 */

struct head {
	uint32_t to_start; /* of the MAC */
	uint8_t to_end[2];
	uint8_t from[6];
	uint16_t type;
	uint8_t version, tos;
	uint16_t length, id;
	uint8_t fragment[2];
	uint8_t ttl, protocol;
	uint16_t checksum;
	uint32_t source, destination;
	uint16_t source_port, destination_port;
} __attribute__((packed));

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, uint32_t);
} sockets SEC(".maps");

/* The frame's head, if it is one for the VIP that both programs can read. */
static inline __attribute__((always_inline)) struct head *
head_of(struct __sk_buff *skb)
{
	uint8_t *bytes = (uint8_t *)(long)skb->data;
	struct head *head = (struct head *)bytes;

	if (bytes + HEAD > (uint8_t *)(long)skb->data_end || head->type != 8 || head->version != 0x45)
		return 0;
	if ((head->protocol != 17 && head->protocol != 6) || (head->fragment[0] & 0x3f) != 0 || head->fragment[1] != 0)
		return 0;
	return head->destination == VIP ? head : 0;
}

/* The last byte of its server's MAC address. Both connections of iperf3 go to the same server. */
static inline __attribute__((always_inline)) uint8_t
server_of(const struct head *head)
{
	uint32_t hash = head->source;

	if (head->protocol != 6)
		hash ^= (uint32_t)head->destination_port << 16 | head->source_port;
	/* Half of the finishing of MurmurHash3 (public domain). */
	hash = (hash ^ hash >> 16) * 0x85ebca6bU;
	hash = (hash ^ hash >> 13) * 0xc2b2ae35U;
	return FIRST_SERVER + (hash >> 16 & 1);
}

SEC("redirect")
int
bench_redirect(struct __sk_buff *skb)
{
	struct head *head = head_of(skb);

	if (!head)
		return TC_ACT_UNSPEC;
	__builtin_memcpy(head->from, head, 6);
	head->to_end[1] = server_of(head);
	return (int)bpf_redirect(skb->ifindex, 0);
}

#define DIRECTOR 0x010200c0U /* 192.0.2.1 */
#define SERVER 0x0b0200c0U   /* 192.0.2.11, the other is 12 */
#define OUTER 20
#define TO_ETHER 14

struct outer {
	uint8_t version, tos;
	uint16_t length, id, fragment;
	uint8_t ttl, protocol;
	uint16_t checksum;
	uint32_t source, destination;
};

static inline __attribute__((always_inline)) void
outer_of(struct outer *outer, uint16_t inner_length, uint32_t destination)
{
	uint32_t sum = 0;

	*outer = (struct outer) { .version = 0x45, .length = __builtin_bswap16(inner_length + OUTER), .ttl = 64,
		.protocol = 4, .source = DIRECTOR, .destination = destination };
#pragma clang loop unroll(full)
	for (int i = 0; i < OUTER / 2; i++)
		sum += ((const uint16_t *)(const void *)outer)[i];
	sum = (sum & 0xffff) + (sum >> 16);
	outer->checksum = (uint16_t)~(sum + (sum >> 16));
}

/* IP in IP, as RFC 2003 has it, and no more: the time to live stays. */
SEC("encap")
int
bench_encap(struct __sk_buff *skb)
{
	struct head *head = head_of(skb);
	struct outer outer;
	uint8_t macs[12];

	if (!head)
		return TC_ACT_UNSPEC;
	__builtin_memcpy(macs, head, 6);
	__builtin_memcpy(macs + 6, head, 6);
	macs[5] = server_of(head);
	outer_of(&outer, __builtin_bswap16(head->length), SERVER + ((uint32_t)(macs[5] - FIRST_SERVER) << 24));
	if (bpf_skb_adjust_room(skb, OUTER, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 |
	    BPF_F_ADJ_ROOM_FIXED_GSO) != 0)
		return TC_ACT_SHOT;
	if (bpf_skb_store_bytes(skb, 0, macs, sizeof(macs), 0) != 0 ||
	    bpf_skb_store_bytes(skb, TO_ETHER, &outer, sizeof(outer), 0) != 0)
		return TC_ACT_SHOT;
	return (int)bpf_redirect(skb->ifindex, 0);
}

/* A packet of the generator's in a tunnel to a server, or addressed to it with the DSCP 5. */
static inline __attribute__((always_inline)) bool
is_for_server(struct __sk_buff *skb)
{
	const uint8_t *bytes = (const uint8_t *)(long)skb->data;
	const struct outer *outer = (const void *)(bytes + TO_ETHER);
	uint32_t inner = TO_ETHER + OUTER, source;
	uint8_t shim[10];

	if (bytes + TO_ETHER + OUTER > (const uint8_t *)(long)skb->data_end || outer->version != 0x45 ||
	    (outer->destination != SERVER && outer->destination != SERVER + (1U << 24)))
		return false;
	if (outer->protocol == 17 && outer->tos >> 2 == 5)
		return (outer->source & 0xfeff) == BENCH_NET;
	if (outer->protocol == 47)
		inner += 4;
	else if (outer->protocol == 17 && bpf_skb_load_bytes(skb, inner, shim, sizeof(shim)) == 0 && shim[2] == 0x17 &&
	    shim[3] == 0xc0) /* port 6080 */
		inner += shim[8] == 0 ? 12 : 8;
	else if (outer->protocol != 4)
		return false;
	return bpf_skb_load_bytes(skb, inner + 12, &source, sizeof(source)) == 0 && (source & 0xfeff) == BENCH_NET;
}

SEC("sink")
int
bench_sink(struct __sk_buff *skb)
{
	const struct head *head;

	if (is_for_server(skb))
		return TC_ACT_SHOT;
	head = head_of(skb);
	if (!head || head->protocol != 17 || head->destination_port != DNS_PORT || (head->source & 0xfeff) != BENCH_NET)
		return TC_ACT_UNSPEC;
	if (head->to_start != MAC_START || head->to_end[0] != 0 || (head->to_end[1] != 0x11 && head->to_end[1] != 0x12))
		return TC_ACT_UNSPEC;
	return TC_ACT_SHOT;
}

SEC("xdp")
int
bench_xsk(struct xdp_md *xdp)
{
	const uint8_t *bytes = (const uint8_t *)(long)xdp->data;
	const struct head *head = (const struct head *)bytes;

	if (bytes + HEAD > (const uint8_t *)(long)xdp->data_end || head->type != 8 || head->destination != VIP)
		return XDP_PASS;
	return (int)bpf_redirect_map(&sockets, xdp->rx_queue_index, XDP_PASS);
}

const char license_text[] SEC("license") = "ISC";
