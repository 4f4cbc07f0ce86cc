/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "forward/responder.h"

#include <stdlib.h>

#include "base/attr.h"
#include "base/duration.h"

/*
 * The rounds of a takeover, by the time since the one before. The first is for everyone at once; the others are for
 * frames that were lost, and for switch ports that did not forward yet. keepalived sends ten in five seconds.
 */
static const uint64_t gaps[] = { 0, MILLISECONDS(100), MILLISECONDS(200), MILLISECONDS(700), SECONDS(1), SECONDS(3) };
#define ROUNDS ARRAY_LEN(gaps)

/* 6400 frames a second: 4096 VIPs are announced within 0.65 seconds, and no queue of a switch has to hold a burst. */
#define SLICE MILLISECONDS(10)
#define SLICE_FRAMES 64
#define SLICES_LATE 4 /* so many are sent at once by a director that was late */

struct announcement {
	struct addr vip;
	uint16_t iface;
	uint8_t round;
	uint8_t rounds;
	uint64_t due;
};

struct announcer {
	struct announcement *list;
	size_t count;
	uint64_t next; /* no frame before that time */
};

const struct frame *
vip_answer_arp(struct craft *craft, const struct arp *request, const struct iface *iface)
{
	const struct arp answer = {
		.operation = ARP_REPLY,
		.sender_mac = iface->mac,
		.sender = request->target,
		.target_mac = request->sender_mac,
		.target = request->sender,
	};

	return craft_arp(craft, &request->sender_mac, &answer);
}

/* ff02::1, all nodes on the link (RFC 4291 section 2.7.1). */
static struct addr
all_nodes(void)
{
	static const uint8_t bytes[16] = { 0xff, 0x02, [15] = 0x01 };

	return addr_from_ipv6(bytes);
}

/* An advertisement of `vip` to all nodes. */
static struct craft_neighbor
advertisement_to_all(const struct addr *vip, const struct iface *iface)
{
	const struct addr all = all_nodes();

	return (struct craft_neighbor) {
		.ends = { iface->mac, ndp_multicast_mac(&all), *vip, all, 0 },
		.target = *vip,
		.mac = iface->mac,
		.override = true,
	};
}

const struct frame *
vip_answer_ndp(struct craft *craft, const struct ndp *request, const struct mac *from, const struct iface *iface)
{
	struct craft_neighbor answer = advertisement_to_all(&request->target, iface);

	if (!request->dad) {
		answer.ends.destination = request->source;
		answer.ends.ether_destination = request->has_mac ? request->mac : *from;
		answer.solicited = true;
	}
	return craft_neighbor_advertisement(craft, &answer);
}

struct announcer *
announcer_new(void)
{
	return calloc(1, sizeof(struct announcer));
}

void
announcer_free(struct announcer *announcer)
{
	if (announcer == NULL)
		return;
	free(announcer->list);
	free(announcer);
}

int
announcer_add(struct announcer *announcer, uint16_t iface, const struct addr *vip, enum announce how, uint64_t now)
{
	struct announcement *list = realloc(announcer->list, (announcer->count + 1) * sizeof(*list));

	if (list == NULL)
		return -1;
	announcer->list = list;
	list[announcer->count++] = (struct announcement) { .vip = *vip, .iface = iface,
		.rounds = how == ANNOUNCE_ONCE ? 1 : ROUNDS, .due = now };
	return 0;
}

static const struct frame *
announce_frame(const struct announcement *what, enum arp_operation operation, const struct mac *to, struct craft *craft,
    const struct iface *iface)
{
	const struct arp arp = {
		.operation = operation,
		.sender_mac = iface->mac,
		.sender = what->vip,
		.target_mac = operation == ARP_REPLY ? iface->mac : mac_zero,
		.target = what->vip,
	};
	struct craft_neighbor advertisement;

	if (what->vip.family == ADDR_IPV4)
		return craft_arp(craft, to, &arp);
	advertisement = advertisement_to_all(&what->vip, iface);
	/* A multicast destination by unicast is fine on Ethernet (RFC 6085). */
	if (!mac_is_group(to))
		advertisement.ends.ether_destination = *to;
	return craft_neighbor_advertisement(craft, &advertisement);
}

/*
 * One round for one VIP. ARP: a request (RFC 5227 section 3 explains why an announcement is one), and in every other
 * round also a reply, since some systems accept only that. IPv6: an unsolicited advertisement (RFC 4861 section 7.2.6).
 * The rounds with replies have copies by unicast, for the hosts that clients' frames came from.
 */
static size_t
responder_announce(const struct announcement *what, struct craft *craft, const struct iface *iface,
    const struct routers *routers, const struct frame_tx *tx)
{
	const bool thorough = what->round % 2 == 1;
	size_t sent = frame_tx_send(tx, announce_frame(what, ARP_REQUEST, &mac_broadcast, craft, iface), what->iface);

	if (thorough && what->vip.family == ADDR_IPV4)
		sent += frame_tx_send(tx, announce_frame(what, ARP_REPLY, &mac_broadcast, craft, iface), what->iface);
	for (size_t i = 0; thorough && i < ROUTERS_MOST; i++)
		if (routers->list[i].count > 0 && routers->list[i].iface == what->iface)
			sent += frame_tx_send(tx, announce_frame(what, ARP_REPLY, &routers->list[i].mac, craft, iface),
			    what->iface);
	return sent;
}

/* Those of one round, while there is budget. The number of frames. */
static size_t
announce_round(struct announcer *announcer, unsigned round, size_t budget, struct craft *craft,
    const struct iface *ifaces,
    const struct routers *routers, const struct frame_tx *tx, uint64_t now)
{
	size_t sent = 0;

	for (size_t i = 0; i < announcer->count && sent < budget; i++) {
		struct announcement *what = &announcer->list[i];

		if (what->round != round || what->round == what->rounds || now < what->due)
			continue;
		sent += responder_announce(what, craft, &ifaces[what->iface], routers, tx);
		if (++what->round < what->rounds)
			what->due = now + gaps[what->round];
	}
	return sent;
}

static void
announcer_sweep(struct announcer *announcer)
{
	size_t kept = 0;

	for (size_t i = 0; i < announcer->count; i++)
		if (announcer->list[i].round < announcer->list[i].rounds)
			announcer->list[kept++] = announcer->list[i];
	announcer->count = kept;
}

uint64_t
announcer_due(const struct announcer *announcer)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < announcer->count; i++)
		if (announcer->list[i].due < due)
			due = announcer->list[i].due;
	return due < announcer->next ? announcer->next : due;
}

size_t
announcer_tick(struct announcer *announcer, struct craft *craft, const struct iface *ifaces,
    const struct routers *routers, const struct frame_tx *tx, uint64_t now)
{
	const uint64_t due = announcer_due(announcer);
	size_t sent = 0, budget = SLICE_FRAMES;

	if (now < due)
		return 0;
	for (unsigned i = 1; i < SLICES_LATE && now - due >= i * SLICE; i++)
		budget += SLICE_FRAMES;
	announcer->next = now + SLICE;
	/* VIPs that were never announced come before those that are repeated. */
	for (unsigned round = 0; round < ROUNDS && sent < budget; round++)
		sent += announce_round(announcer, round, budget - sent, craft, ifaces, routers, tx, now);
	announcer_sweep(announcer);
	return sent;
}

void
announcer_keep(struct announcer *announcer, bool (*keep)(const void *context, uint16_t iface, const struct addr *vip),
    const void *context)
{
	for (size_t i = 0; i < announcer->count; i++)
		if (!keep(context, announcer->list[i].iface, &announcer->list[i].vip))
			announcer->list[i].round = announcer->list[i].rounds;
	announcer_sweep(announcer);
}
