/* SPDX-License-Identifier: ISC */
/*
 * Behind the taps, before the host's network stack: drops what is for a VIP. libpcap's socket has its copy by then, and
 * what the kernel carries (dsrd.bpf.c) has left, since that program stands first.
 */
#include "config.h"

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#include <stdint.h>

#include "offload/withhold_map.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct withhold_state);
} withheld SEC(".maps");

#define PACKET_HOST 0 /* linux/if_packet.h */
#define TYPE_OFFSET 12 /* Ethernet's; then where the destination stands: RFC 791, RFC 8200 */
#define IPV4_DESTINATION 30
#define IPV6_DESTINATION 38

/* The destination, in the form of the table. False for what is neither IPv4 nor IPv6. */
static inline __attribute__((always_inline)) bool
withhold_load_destination(struct __sk_buff *skb, uint64_t addr[2])
{
	uint8_t type[2];
	uint32_t *words = (uint32_t *)addr;

	if (bpf_skb_load_bytes(skb, TYPE_OFFSET, type, sizeof(type)) != 0)
		return false;
	if (type[0] == 0x86 && type[1] == 0xdd)
		return bpf_skb_load_bytes(skb, IPV6_DESTINATION, addr, 16) == 0;
	if (type[0] != 0x08 || type[1] != 0x00)
		return false;
	addr[0] = addr[1] = 0;
	((uint8_t *)addr)[10] = ((uint8_t *)addr)[11] = 0xff;
	return bpf_skb_load_bytes(skb, IPV4_DESTINATION, &words[3], 4) == 0;
}

SEC("tc")
int
dsrd_withhold(struct __sk_buff *skb)
{
	const uint32_t zero = 0;
	const struct withhold_state *state = bpf_map_lookup_elem(&withheld, &zero);
	uint64_t addr[2];
	uint32_t hash;

	if (!state || skb->pkt_type != PACKET_HOST || !withhold_load_destination(skb, addr))
		return TC_ACT_UNSPEC;
	/* Signed: the coarse clock is some milliseconds behind the daemon's. */
	if ((int64_t)(bpf_ktime_get_coarse_ns() - state->alive) > WITHHOLD_PATIENCE_NS)
		return TC_ACT_UNSPEC;
	hash = withhold_hash(addr, skb->ifindex);
	for (uint32_t i = 0; i < WITHHOLD_PROBES; i++) {
		const struct withhold_place *place = &state->places[(hash + i) & (WITHHOLD_PLACES - 1)];

		if (place->ifindex == skb->ifindex && place->addr[0] == addr[0] && place->addr[1] == addr[1])
			return TC_ACT_SHOT;
	}
	return TC_ACT_UNSPEC;
}

/* None of the functions used is for the GPL alone. */
const char license_text[] SEC("license") = "ISC";
