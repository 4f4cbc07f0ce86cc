/* SPDX-License-Identifier: ISC */
/*
 * The probe addresses: at most one per family, the source of VIP checks (vipcheck/vipcheck.h). Like VIPs they are not
 * configured in the kernel, and the director answers for them; but they may be in use, so each is first probed as a
 * host probes its own new address (RFC 5227 section 2.1, RFC 4862 section 5.4), and given up while another host has it.
 */
#ifndef VIPCHECK_PROBE_ADDR_H
#define VIPCHECK_PROBE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/iface.h"
#include "model/settings.h"
#include "proto/arp.h"
#include "proto/craft.h"
#include "proto/frame.h"
#include "proto/ndp.h"

enum probe_addr_state {
	PROBE_ADDR_NONE = 0, /* not configured, or on no interface of ours */
	PROBE_ADDR_PROBING, /* is it in use? */
	PROBE_ADDR_OURS,
	PROBE_ADDR_TAKEN    /* `holder` has it; probed again later */
};

struct probe_addr {
	struct addr addr;
	uint16_t iface;
	enum probe_addr_state state;
	unsigned probes;    /* sent */
	uint64_t due;       /* when the next thing happens */
	struct mac holder;
	bool news;          /* `state` changed since the last probe_addr_news() */
};

struct probe_addrs {
	struct probe_addr list[PROBE_ADDRESSES];
};

/* Which addresses, and where. What stays where it was keeps its state. */
void probe_addr_set(struct probe_addrs *probe_addrs, const struct addr addrs[PROBE_ADDRESSES],
    const struct iface *ifaces, size_t count,
    uint64_t now);
/* Probes for those that are not ours yet. */
void probe_addr_tick(struct probe_addrs *probe_addrs, struct craft *craft, const struct iface *ifaces,
    const struct frame_tx *tx,
    uint64_t now);
/* When probe_addr_tick() has something to do next; UINT64_MAX: never. */
uint64_t probe_addr_due(const struct probe_addrs *probe_addrs);
/* The source address for VIP checks on that interface, or NULL. */
const struct addr *probe_addr_source(const struct probe_addrs *probe_addrs, uint16_t iface, enum addr_family family);
/* True if probe_addr_source() will soon return one, so that it is worth waiting. */
bool probe_addr_pending(const struct probe_addrs *probe_addrs, uint16_t iface, enum addr_family family);
/* True if it is one of ours, which must be answered for. */
bool probe_addr_answers(const struct probe_addrs *probe_addrs, uint16_t iface, const struct addr *addr);
/* Takes note of ARP or neighbor discovery of others. `mac` is not ours. */
void probe_addr_receive_arp(struct probe_addrs *probe_addrs, uint16_t iface, const struct arp *arp, uint64_t now);
void probe_addr_receive_ndp(struct probe_addrs *probe_addrs, uint16_t iface, const struct ndp *ndp,
    const struct mac *from, uint64_t now);
/* A probe address whose state has changed, each change once; NULL when there is none. */
const struct probe_addr *probe_addr_news(struct probe_addrs *probe_addrs);

#endif
