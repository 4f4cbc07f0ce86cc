/* SPDX-License-Identifier: ISC */
/*
 * The end of a tunnel, for kernels without the modules ipip, sit, ip6_tunnel, gre and fou: removes the outer headers
 * (IPIP of all families, GRE, GUE of variants 0 and 1), at ingress. It shares nothing with dsrd.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define GUE_PORT 6080

/* Linux 6.3, include/uapi/linux/bpf.h: the packet changes its IP version. */
#define DECAP_L3_IPV4 (1ULL << 7)
#define DECAP_L3_IPV6 (1ULL << 8)

/* The length of what stands between the outer IP header and the inner one; -1: no tunnel. */
static __always_inline int
shim(struct __sk_buff *skb, int at, __u8 protocol)
{
	__u8 first;
	__u16 port;

	if (protocol == IPPROTO_IPIP || protocol == IPPROTO_IPV6)
		return 0;
	if (protocol == IPPROTO_GRE)
		return 4;
	if (protocol != IPPROTO_UDP || bpf_skb_load_bytes(skb, at + 2, &port, sizeof(port)) < 0 ||
	    port != bpf_htons(GUE_PORT) || bpf_skb_load_bytes(skb, at + 8, &first, 1) < 0)
		return -1;
	return first == 0 ? 12 : 8;
}

SEC("tc")
int
decap(struct __sk_buff *skb)
{
	__u8 version, protocol, inner;
	int header, between;
	__u64 flags;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &version, 1) < 0)
		return TC_ACT_OK;
	if (version >> 4 == 4) {
		header = sizeof(struct iphdr);
		if (bpf_skb_load_bytes(skb, ETH_HLEN + 9, &protocol, 1) < 0)
			return TC_ACT_OK;
	} else if (version >> 4 == 6) {
		header = sizeof(struct ipv6hdr);
		if (bpf_skb_load_bytes(skb, ETH_HLEN + 6, &protocol, 1) < 0)
			return TC_ACT_OK;
	} else {
		return TC_ACT_OK;
	}
	between = shim(skb, ETH_HLEN + header, protocol);
	if (between < 0 || bpf_skb_load_bytes(skb, ETH_HLEN + header + between, &inner, 1) < 0)
		return TC_ACT_OK;
	flags = inner >> 4 == version >> 4 ? 0 : inner >> 4 == 4 ? DECAP_L3_IPV4 : DECAP_L3_IPV6;
	if (bpf_skb_adjust_room(skb, -(header + between), BPF_ADJ_ROOM_MAC, flags) < 0)
		return TC_ACT_SHOT;
#ifdef TUNNEL_IFINDEX /* arrives by that interface, as by that of a module; it has eth0's MAC address */
	return bpf_redirect(TUNNEL_IFINDEX, BPF_F_INGRESS);
#else
	return TC_ACT_OK;
#endif
}

char program_license[] SEC("license") = "ISC"; /* uses no function that is only for the GPL */
