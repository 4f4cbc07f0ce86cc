/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "role/claim.h"

void
role_claim_note(struct role_claim *claim, uint16_t iface, const struct mac *mac, const struct addr *vip, bool announces,
    uint64_t now)
{
	const bool same = claim->last != 0 && mac_equal(&claim->mac, mac);

	if (!same)
		*claim = (struct role_claim) { .mac = *mac };
	claim->iface = iface;
	claim->last = now;
	if (!announces)
		return;
	if (claim->anchored != 0 && now - claim->anchored <= CLAIM_BURST) {
		if (addr_equal(&claim->vip, vip))
			claim->took_over = now;
		return;
	}
	claim->vip = *vip;
	claim->anchored = now;
}
