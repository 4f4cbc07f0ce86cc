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
#define QUESTIONS 3
#define BETWEEN MILLISECONDS(250)
#define AGAIN MINUTES(1)

static void
probe_addr_enter(struct probe_addr *claim, enum claim_state state, uint64_t due)
{
	claim->untold |= claim->state != state && state != CLAIM_ASKING;
	claim->state = state;
	claim->asked = 0;
	claim->due = due;
}

/* An interface without any address of the family may still be the one that is meant. */
static uint16_t
find_iface(const struct addr *addr, const struct iface *ifaces, size_t count)
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
probe_addr_set(struct probe_addrs *claims, const struct addr addrs[PROBE_ADDRESSES], const struct iface *ifaces, size_t count,
    uint64_t now)
{
	for (size_t i = 0; i < PROBE_ADDRESSES; i++) {
		struct probe_addr *claim = &claims->list[i];
		const uint16_t iface = addr_is_set(&addrs[i]) ? find_iface(&addrs[i], ifaces, count) : IFACE_NONE;

		if (claim->state != CLAIM_NONE && iface != IFACE_NONE && claim->iface == iface &&
		    addr_equal(&claim->addr, &addrs[i]))
			continue;
		*claim = (struct probe_addr) { .addr = addrs[i], .iface = iface, .due = UINT64_MAX };
		if (iface != IFACE_NONE)
			probe_addr_enter(claim, CLAIM_ASKING, now);
	}
}

/* Both kinds have no sender address, so that no host learns an address that may turn out to be in use. */
static const struct frame *
make_question(const struct probe_addr *claim, struct craft *craft, const struct mac *own)
{
	struct craft_neighbor solicitation = {
		.ends = { .ether_source = *own, .source.family = ADDR_IPV6 },
		.target = claim->addr,
	};
	const struct arp probe = {
		.operation = ARP_REQUEST,
		.sender_mac = *own,
		.sender.family = ADDR_IPV4,
		.target = claim->addr,
	};

	if (claim->addr.family == ADDR_IPV4)
		return craft_arp(craft, &mac_broadcast, &probe);
	solicitation.ends.destination = ndp_solicited_node(&claim->addr);
	solicitation.ends.ether_destination = ndp_multicast_mac(&solicitation.ends.destination);
	return craft_neighbor_solicitation(craft, &solicitation);
}

static void
probe_addr_send(struct probe_addr *claim, struct craft *craft, const struct iface *ifaces, const struct frame_tx *tx,
    uint64_t now)
{
	const struct frame *made = make_question(claim, craft, &ifaces[claim->iface].mac);

	claim->asked++;
	claim->due = now + BETWEEN;
	(void)frame_tx_send(tx, made, claim->iface);
}

void
probe_addr_tick(struct probe_addrs *claims, struct craft *craft, const struct iface *ifaces, const struct frame_tx *tx,
    uint64_t now)
{
	for (size_t i = 0; i < PROBE_ADDRESSES; i++) {
		struct probe_addr *claim = &claims->list[i];

		if (claim->state == CLAIM_NONE || now < claim->due)
			continue;
		if (claim->state == CLAIM_TAKEN)
			probe_addr_enter(claim, CLAIM_ASKING, now);
		if (claim->asked < QUESTIONS)
			probe_addr_send(claim, craft, ifaces, tx, now);
		else
			probe_addr_enter(claim, CLAIM_OURS, UINT64_MAX);
	}
}

uint64_t
probe_addr_due(const struct probe_addrs *claims)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < PROBE_ADDRESSES; i++)
		if (claims->list[i].state != CLAIM_NONE && claims->list[i].due < due)
			due = claims->list[i].due;
	return due;
}

static const struct probe_addr *
probe_addr_find(const struct probe_addrs *claims, uint16_t iface, enum addr_family family)
{
	for (size_t i = 0; i < PROBE_ADDRESSES; i++)
		if (claims->list[i].state != CLAIM_NONE && claims->list[i].iface == iface &&
		    claims->list[i].addr.family == family)
			return &claims->list[i];
	return NULL;
}

const struct addr *
probe_addr_source(const struct probe_addrs *claims, uint16_t iface, enum addr_family family)
{
	const struct probe_addr *claim = probe_addr_find(claims, iface, family);

	return claim != NULL && claim->state == CLAIM_OURS ? &claim->addr : NULL;
}

bool
probe_addr_pending(const struct probe_addrs *claims, uint16_t iface, enum addr_family family)
{
	const struct probe_addr *claim = probe_addr_find(claims, iface, family);

	return claim != NULL && claim->state == CLAIM_ASKING;
}

bool
probe_addr_answers(const struct probe_addrs *claims, uint16_t iface, const struct addr *addr)
{
	const struct addr *source = probe_addr_source(claims, iface, addr->family);

	return source != NULL && addr_equal(source, addr);
}

/* The host at `mac` claims `addr`, or (`asks`) probes whether it can use it. */
static void
probe_addr_receive(struct probe_addrs *claims, uint16_t iface, const struct addr *addr, const struct mac *mac,
    bool asks, uint64_t now)
{
	for (size_t i = 0; i < PROBE_ADDRESSES; i++) {
		struct probe_addr *claim = &claims->list[i];

		if (claim->state == CLAIM_NONE || claim->iface != iface || !addr_equal(&claim->addr, addr))
			continue;
		/* A probe for an address that is ours gets an answer; one at the same time as our probe was first. */
		if (asks && claim->state != CLAIM_ASKING)
			continue;
		claim->holder = *mac;
		probe_addr_enter(claim, CLAIM_TAKEN, now + AGAIN);
	}
}

void
probe_addr_hear_arp(struct probe_addrs *claims, uint16_t iface, const struct arp *arp, uint64_t now)
{
	const bool probes = arp->operation == ARP_REQUEST && addr_is_no_host(&arp->sender);

	probe_addr_receive(claims, iface, probes ? &arp->target : &arp->sender, &arp->sender_mac, probes, now);
}

void
probe_addr_hear_ndp(struct probe_addrs *claims, uint16_t iface, const struct ndp *ndp, const struct mac *from, uint64_t now)
{
	if (ndp->kind == NDP_ADVERTISEMENT || ndp->dad)
		probe_addr_receive(claims, iface, &ndp->target, from, ndp->dad, now);
	else
		probe_addr_receive(claims, iface, &ndp->source, from, false, now);
}

const struct probe_addr *
probe_addr_news(struct probe_addrs *claims)
{
	for (size_t i = 0; i < PROBE_ADDRESSES; i++) {
		if (!claims->list[i].untold)
			continue;
		claims->list[i].untold = false;
		return &claims->list[i];
	}
	return NULL;
}
