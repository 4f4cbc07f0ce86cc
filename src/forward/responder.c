/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "forward/responder.h"

#include <stdlib.h>

#include "base/duration.h"

/* Three rounds, one at each tick of a second, in case the first ones meet a switch port that does not forward yet. */
#define ROUNDS 3
/* VIPs in one tick, a second or so: each takes two frames, and switches limit what broadcasts they flood. */
#define AT_ONCE 256
#define BETWEEN MILLISECONDS(900) /* a tick may come a little early, and must not be missed */

struct announcement {
	struct addr vip;
	uint16_t iface;
	unsigned left;
	uint64_t due;
};

struct announcer {
	struct announcement *list;
	size_t count;
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
		.ends = { iface->mac, ndp_multicast_mac(&all), *vip, all },
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
announcer_add(struct announcer *announcer, uint16_t iface, const struct addr *vip, uint64_t now)
{
	struct announcement *list = realloc(announcer->list, (announcer->count + 1) * sizeof(*list));

	if (list == NULL)
		return -1;
	announcer->list = list;
	list[announcer->count++] = (struct announcement) { *vip, iface, ROUNDS, now };
	return 0;
}

/*
 * ARP: once as a request and once as a reply, since both are in use and some systems accept only one of them (RFC 5227
 * section 3 explains why an announcement is a request). IPv6: an unsolicited advertisement (RFC 4861 section 7.2.6).
 */
static size_t
responder_announce(const struct announcement *what, struct craft *craft, const struct iface *iface,
    const struct frame_tx *tx)
{
	struct craft_neighbor advertisement;
	struct arp arp = {
		.operation = ARP_REQUEST,
		.sender_mac = iface->mac,
		.sender = what->vip,
		.target = what->vip,
	};
	size_t sent;

	if (what->vip.family == ADDR_IPV6) {
		advertisement = advertisement_to_all(&what->vip, iface);
		return frame_tx_send(tx, craft_neighbor_advertisement(craft, &advertisement), what->iface);
	}
	sent = frame_tx_send(tx, craft_arp(craft, &mac_broadcast, &arp), what->iface);
	arp.operation = ARP_REPLY;
	arp.target_mac = iface->mac;
	return sent + frame_tx_send(tx, craft_arp(craft, &mac_broadcast, &arp), what->iface);
}

/* Those of one round, while there is budget. Its announcements; the frames are added to `sent`. */
static size_t
announce_round(struct announcer *announcer, unsigned left, size_t budget, struct craft *craft, const struct iface *ifaces,
    const struct frame_tx *tx, uint64_t now, size_t *sent)
{
	size_t announced = 0;

	for (size_t i = 0; i < announcer->count && announced < budget; i++) {
		struct announcement *what = &announcer->list[i];

		if (what->left != left || now < what->due)
			continue;
		*sent += responder_announce(what, craft, &ifaces[what->iface], tx);
		what->due = now + BETWEEN;
		what->left--;
		announced++;
	}
	return announced;
}

size_t
announcer_tick(struct announcer *announcer, struct craft *craft, const struct iface *ifaces,
    const struct frame_tx *tx, uint64_t now)
{
	size_t kept = 0, sent = 0, budget = AT_ONCE;

	/* VIPs that were never announced come before those that are repeated. */
	for (unsigned left = ROUNDS; left > 0; left--)
		budget -= announce_round(announcer, left, budget, craft, ifaces, tx, now, &sent);
	for (size_t i = 0; i < announcer->count; i++)
		if (announcer->list[i].left > 0)
			announcer->list[kept++] = announcer->list[i];
	announcer->count = kept;
	return sent;
}
