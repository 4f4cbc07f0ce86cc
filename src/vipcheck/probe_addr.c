/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "vipcheck/probe_addr.h"

#include <string.h>

#include "base/duration.h"
#include "model/model.h"

/*
 * Three probes, as in RFC 5227 section 1.1, but at shorter intervals than its one to two seconds: servers get no
 * traffic until the answer is known, and a later conflict is still noticed.
 */
#define PROBES 3
#define BETWEEN MILLISECONDS(250)
#define AGAIN MINUTES(1)

static void
probe_addr_enter(struct probe_addr *probe_addr, enum probe_addr_state state, uint64_t due)
{
	probe_addr->news |= probe_addr->state != state && state != PROBE_ADDR_PROBING;
	probe_addr->state = state;
	probe_addr->probes = 0;
	probe_addr->due = due;
}

/* An interface without any address of the family may still be the one that is meant. */
static uint16_t
probe_addr_find_iface(const struct addr *addr, const struct iface *ifaces, size_t count)
{
	uint16_t bare = IFACE_NONE;

	for (size_t i = 0; i < count; i++) {
		if (iface_is_on_link(&ifaces[i], addr))
			return (uint16_t)i;
		if (bare == IFACE_NONE && iface_address(&ifaces[i], addr->family) == NULL)
			bare = (uint16_t)i;
	}
	return bare;
}

void
probe_addr_set(struct probe_addrs *probe_addrs, const struct addr addrs[PROBE_ADDRESSES], const struct iface *ifaces,
    size_t count,
    uint64_t now)
{
	for (size_t i = 0; i < PROBE_ADDRESSES; i++) {
		struct probe_addr *probe_addr = &probe_addrs->list[i];
		const uint16_t iface = addr_is_set(&addrs[i]) ? probe_addr_find_iface(&addrs[i], ifaces, count) :
		    IFACE_NONE;

		if (probe_addr->state != PROBE_ADDR_NONE && iface != IFACE_NONE && probe_addr->iface == iface &&
		    addr_equal(&probe_addr->addr, &addrs[i]))
			continue;
		*probe_addr = (struct probe_addr) { .addr = addrs[i], .iface = iface, .due = UINT64_MAX };
		if (iface != IFACE_NONE)
			probe_addr_enter(probe_addr, PROBE_ADDR_PROBING, now);
	}
}

/* Both kinds have no sender address, so that no host learns an address that may turn out to be in use. */
static const struct frame *
probe_addr_make_probe(const struct probe_addr *probe_addr, struct craft *craft, const struct mac *own)
{
	struct craft_neighbor solicitation = {
		.ends = { .ether_source = *own, .source.family = ADDR_IPV6 },
		.target = probe_addr->addr,
	};
	const struct arp probe = {
		.operation = ARP_REQUEST,
		.sender_mac = *own,
		.sender.family = ADDR_IPV4,
		.target = probe_addr->addr,
	};

	if (probe_addr->addr.family == ADDR_IPV4)
		return craft_arp(craft, &mac_broadcast, &probe);
	solicitation.ends.destination = ndp_solicited_node(&probe_addr->addr);
	solicitation.ends.ether_destination = ndp_multicast_mac(&solicitation.ends.destination);
	return craft_neighbor_solicitation(craft, &solicitation);
}

static void
probe_addr_send(struct probe_addr *probe_addr, struct craft *craft, const struct iface *ifaces,
    const struct frame_tx *tx,
    uint64_t now)
{
	const struct frame *made = probe_addr_make_probe(probe_addr, craft, &ifaces[probe_addr->iface].mac);

	probe_addr->probes++;
	probe_addr->due = now + BETWEEN;
	(void)frame_tx_send(tx, made, probe_addr->iface);
}

void
probe_addr_tick(struct probe_addrs *probe_addrs, struct craft *craft, const struct iface *ifaces,
    const struct frame_tx *tx,
    uint64_t now)
{
	for (size_t i = 0; i < PROBE_ADDRESSES; i++) {
		struct probe_addr *probe_addr = &probe_addrs->list[i];

		if (probe_addr->state == PROBE_ADDR_NONE || now < probe_addr->due)
			continue;
		if (probe_addr->state == PROBE_ADDR_TAKEN)
			probe_addr_enter(probe_addr, PROBE_ADDR_PROBING, now);
		if (probe_addr->probes < PROBES)
			probe_addr_send(probe_addr, craft, ifaces, tx, now);
		else
			probe_addr_enter(probe_addr, PROBE_ADDR_OURS, UINT64_MAX);
	}
}

uint64_t
probe_addr_due(const struct probe_addrs *probe_addrs)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < PROBE_ADDRESSES; i++)
		if (probe_addrs->list[i].state != PROBE_ADDR_NONE && probe_addrs->list[i].due < due)
			due = probe_addrs->list[i].due;
	return due;
}

static const struct probe_addr *
probe_addr_find(const struct probe_addrs *probe_addrs, uint16_t iface, enum addr_family family)
{
	for (size_t i = 0; i < PROBE_ADDRESSES; i++)
		if (probe_addrs->list[i].state != PROBE_ADDR_NONE && probe_addrs->list[i].iface == iface &&
		    probe_addrs->list[i].addr.family == family)
			return &probe_addrs->list[i];
	return NULL;
}

const struct addr *
probe_addr_source(const struct probe_addrs *probe_addrs, uint16_t iface, enum addr_family family)
{
	const struct probe_addr *probe_addr = probe_addr_find(probe_addrs, iface, family);

	return probe_addr != NULL && probe_addr->state == PROBE_ADDR_OURS ? &probe_addr->addr : NULL;
}

bool
probe_addr_pending(const struct probe_addrs *probe_addrs, uint16_t iface, enum addr_family family)
{
	const struct probe_addr *probe_addr = probe_addr_find(probe_addrs, iface, family);

	return probe_addr != NULL && probe_addr->state == PROBE_ADDR_PROBING;
}

bool
probe_addr_answers(const struct probe_addrs *probe_addrs, uint16_t iface, const struct addr *addr)
{
	const struct addr *source = probe_addr_source(probe_addrs, iface, addr->family);

	return source != NULL && addr_equal(source, addr);
}

/* The host at `mac` claims `addr`, or (`asks`) probes whether it can use it. */
static void
probe_addr_receive(struct probe_addrs *probe_addrs, uint16_t iface, const struct addr *addr, const struct mac *mac,
    bool asks, uint64_t now)
{
	for (size_t i = 0; i < PROBE_ADDRESSES; i++) {
		struct probe_addr *probe_addr = &probe_addrs->list[i];

		if (probe_addr->state == PROBE_ADDR_NONE || probe_addr->iface != iface ||
		    !addr_equal(&probe_addr->addr, addr))
			continue;
		/* A probe for an address that is ours gets an answer; one at the same time as our probe was first. */
		if (asks && probe_addr->state != PROBE_ADDR_PROBING)
			continue;
		probe_addr->holder = *mac;
		probe_addr_enter(probe_addr, PROBE_ADDR_TAKEN, now + AGAIN);
	}
}

void
probe_addr_receive_arp(struct probe_addrs *probe_addrs, uint16_t iface, const struct arp *arp, uint64_t now)
{
	const bool probes = arp->operation == ARP_REQUEST && addr_is_no_host(&arp->sender);

	probe_addr_receive(probe_addrs, iface, probes ? &arp->target : &arp->sender, &arp->sender_mac, probes, now);
}

void
probe_addr_receive_ndp(struct probe_addrs *probe_addrs, uint16_t iface, const struct ndp *ndp, const struct mac *from,
    uint64_t now)
{
	if (ndp->kind == NDP_ADVERTISEMENT || ndp->dad)
		probe_addr_receive(probe_addrs, iface, &ndp->target, from, ndp->dad, now);
	else
		probe_addr_receive(probe_addrs, iface, &ndp->source, from, false, now);
}

const struct probe_addr *
probe_addr_news(struct probe_addrs *probe_addrs)
{
	for (size_t i = 0; i < PROBE_ADDRESSES; i++) {
		if (!probe_addrs->list[i].news)
			continue;
		probe_addrs->list[i].news = false;
		return &probe_addrs->list[i];
	}
	return NULL;
}
