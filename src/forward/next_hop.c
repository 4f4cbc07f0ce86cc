/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "forward/next_hop.h"

/* The entry of `mac`; else a free one, or the one silent for longest. */
static struct next_hop *
next_hop_place(struct next_hops *hops, uint16_t iface, const struct mac *mac)
{
	struct next_hop *oldest = &hops->list[0];

	for (size_t i = 0; i < hops->count; i++) {
		struct next_hop *hop = &hops->list[i];

		if (hop->iface == iface && mac_equal(&hop->mac, mac))
			return hop;
		if (hop->seen < oldest->seen)
			oldest = hop;
	}
	return hops->count < NEXT_HOPS ? &hops->list[hops->count++] : oldest;
}

void
next_hop_note(struct next_hops *hops, uint16_t iface, const struct mac *mac, bool routed, uint64_t now)
{
	hops->latest = *mac;
	hops->latest_iface = iface;
	hops->looked = now;
	if (routed)
		*next_hop_place(hops, iface, mac) = (struct next_hop) { .mac = *mac, .iface = iface, .seen = now };
}

bool
next_hop_has(const struct next_hops *hops, uint16_t iface, const struct mac *mac, uint64_t now)
{
	for (size_t i = 0; i < hops->count; i++)
		if (hops->list[i].iface == iface && mac_equal(&hops->list[i].mac, mac))
			return now - hops->list[i].seen < NEXT_HOP_LASTS;
	return false;
}
