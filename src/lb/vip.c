/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "lb/vip.h"

#include <stdlib.h>

#include "base/duration.h"

/* Three rounds a second apart, in case the first ones meet a switch port that does not forward yet. */
#define ROUNDS 3
#define BETWEEN SECONDS(1)

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
vip_answer(struct craft *craft, const struct arp *request, const struct iface *iface)
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
 * Once as a request and once as a reply: both are in use, and some systems heed only one of them (RFC 5227 section 3
 * explains why an announcement is a request).
 */
static size_t
announce(const struct announcement *what, struct craft *craft, const struct iface *iface, const struct emitter *emitter)
{
	struct arp arp = {
		.operation = ARP_REQUEST,
		.sender_mac = iface->mac,
		.sender = what->vip,
		.target = what->vip,
	};
	size_t sent = 0;

	for (int i = 0; i < 2; i++) {
		const struct frame *made = craft_arp(craft, &mac_broadcast, &arp);

		if (made != NULL) {
			struct frame frame = *made;

			frame.iface = what->iface;
			emitter->emit(emitter->context, &frame);
			sent++;
		}
		arp.operation = ARP_REPLY;
		arp.target_mac = iface->mac;
	}
	return sent;
}

size_t
announcer_tick(struct announcer *announcer, struct craft *craft, const struct iface *ifaces,
    const struct emitter *emitter, uint64_t now)
{
	size_t kept = 0, sent = 0;

	for (size_t i = 0; i < announcer->count; i++) {
		struct announcement *what = &announcer->list[i];

		if (now >= what->due) {
			sent += announce(what, craft, &ifaces[what->iface], emitter);
			what->due = now + BETWEEN;
			what->left--;
		}
		if (what->left > 0)
			announcer->list[kept++] = *what;
	}
	announcer->count = kept;
	return sent;
}
