/* SPDX-License-Identifier: ISC */
/*
 * The director's ARP and NDP for VIPs: it alone answers requests for them, and it announces them when it starts to
 * serve them, so that neighbors replace an earlier owner in their caches.
 */
#ifndef FORWARD_RESPONDER_H
#define FORWARD_RESPONDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/iface.h"
#include "forward/routers.h"
#include "proto/arp.h"
#include "proto/craft.h"
#include "proto/frame.h"
#include "proto/ndp.h"

/*
 * The answer to `request`, which asked for a VIP on `iface`: unicast to its sender, also to a probe's sender 0.0.0.0
 * (RFC 5227 section 2.1.1). NULL when libnet cannot build it.
 */
const struct frame *vip_answer_arp(struct craft *craft, const struct arp *request, const struct iface *iface);
/*
 * The same for neighbor discovery: to the sender `from`, or to all nodes for duplicate address detection (RFC 4861
 * section 7.2.4). Always with our MAC in it: some switches ignore others.
 */
const struct frame *vip_answer_ndp(struct craft *craft, const struct ndp *request, const struct mac *from,
    const struct iface *iface);

struct announcer;

NODISCARD struct announcer *announcer_new(void);
void announcer_free(struct announcer *announcer);
enum announce {
	ANNOUNCE_TAKEOVER, /* six times in five seconds */
	ANNOUNCE_ONCE      /* as a reminder */
};

/* Announce `vip` on that interface from `now` on; -1 when memory is out. */
NODISCARD int announcer_add(struct announcer *announcer, uint16_t iface, const struct addr *vip, enum announce how,
    uint64_t now);
/* Emit what is due, some frames at a time; their number. Call it again at announcer_due(), UINT64_MAX for never. */
size_t announcer_tick(struct announcer *announcer, struct craft *craft, const struct iface *ifaces,
    const struct routers *routers, const struct frame_tx *tx, uint64_t now);
uint64_t announcer_due(const struct announcer *announcer);
/* Ends the announcements that are not to be kept. */
void announcer_keep(struct announcer *announcer, bool (*keep)(const void *context, uint16_t iface,
    const struct addr *vip),
    const void *context);

#endif
