/* SPDX-License-Identifier: ISC */
/*
 * What a program in the kernel can reach that remembers nothing: reads a frame as far as its ports, hashes the flow,
 * writes one of two MAC addresses, and redirects. The benchmarks' network has the VIP 192.0.2.10 and the servers' MACs.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>
#include <stdint.h>

#define HEAD 42 /* Ethernet, IPv4 without options, and the ports and more of what follows */
#define VIP 0x0a0200c0U /* 192.0.2.10, as a little-endian machine reads it */
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error for little-endian machines
#endif

struct words {
	uint32_t source;
	uint32_t destination;
	uint32_t ports;
} __attribute__((packed));

SEC("tc")
int
redirect(struct __sk_buff *skb)
{
	uint8_t *bytes = (uint8_t *)(long)skb->data;
	const struct words *words = (const struct words *)(bytes + 26);
	uint32_t hash;

	if (bytes + HEAD > (uint8_t *)(long)skb->data_end || bytes[12] != 8 || bytes[13] != 0 || bytes[14] != 0x45)
		return TC_ACT_UNSPEC;
	if ((bytes[23] != 17 && bytes[23] != 6) || (bytes[20] & 0x3f) != 0 || bytes[21] != 0 || words->destination != VIP)
		return TC_ACT_UNSPEC;
	/* Two rounds of the finishing of MurmurHash3 (public domain). */
	hash = words->source ^ words->ports;
	hash = (hash ^ hash >> 16) * 0x85ebca6bU;
	hash = (hash ^ hash >> 13) * 0xc2b2ae35U;
	__builtin_memcpy(bytes + 6, bytes, 6);
	bytes[5] = hash >> 16 & 1 ? 0x12 : 0x11;
	return (int)bpf_redirect(skb->ifindex, 0);
}

const char license_text[] SEC("license") = "ISC";
