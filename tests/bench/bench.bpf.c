/* SPDX-License-Identifier: ISC */
/*
 * Three programs in the kernel for the benchmarks' network, which has the VIP 192.0.2.10, two servers whose MACs end in
 * 11 and 12, and a generator's flows from 198.18.0.0/15 to port 53.
 *
 * redirect is what a program can reach that remembers nothing: it reads a frame as far as its ports, hashes the flow,
 * writes one of two MAC addresses, and redirects. sink drops what a forwarder has forwarded well, which the queueing
 * discipline counts, at the least cost. xsk hands the VIP's frames to an AF_XDP socket.
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

SEC("redirect")
int
bench_redirect(struct __sk_buff *skb)
{
	struct head *head = head_of(skb);
	uint32_t hash;

	if (!head)
		return TC_ACT_UNSPEC;
	/* Half of the finishing of MurmurHash3 (public domain). Both connections of iperf3 go to the same server. */
	hash = head->protocol == 6 ? head->source : head->source ^ ((uint32_t)head->destination_port << 16 |
	    head->source_port);
	hash = (hash ^ hash >> 16) * 0x85ebca6bU;
	hash = (hash ^ hash >> 13) * 0xc2b2ae35U;
	__builtin_memcpy(head->from, head, 6);
	head->to_end[1] = hash >> 16 & 1 ? 0x12 : 0x11;
	return (int)bpf_redirect(skb->ifindex, 0);
}

SEC("sink")
int
bench_sink(struct __sk_buff *skb)
{
	const struct head *head = head_of(skb);

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
