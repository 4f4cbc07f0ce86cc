/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "announce/announce.h"

#include <inttypes.h>
#include <stdio.h>

bool
announce_is_announced(const struct announce_vip *vip)
{
	return vip->state == ANNOUNCE_ANNOUNCED || vip->state == ANNOUNCE_LAST;
}

bool
announce_is_served(const struct announce_settings *settings, const struct announce_facts *facts)
{
	size_t least = 1;

	if (settings->when == ANNOUNCE_ALL)
		least = facts->services;
	/* More than there are cannot be asked for: a service that a reload takes away withdraws nothing. */
	else if (settings->when == ANNOUNCE_LEAST)
		least = settings->least < facts->services ? settings->least : facts->services;
	return facts->serving > 0 && facts->serving >= least;
}

/* What is missing; ANNOUNCE_NO_REASON and ANNOUNCE_ONLY_ONE: nothing that keeps the VIP from being announced. */
static enum announce_reason
announce_missing(const struct announce_settings *settings, const struct announce_facts *facts)
{
	if (!facts->active)
		return ANNOUNCE_NOT_ACTIVE;
	if (!facts->open)
		return ANNOUNCE_NO_INTERFACE;
	if (!facts->warm)
		return ANNOUNCE_NOT_WARM;
	if (announce_is_served(settings, facts))
		return ANNOUNCE_NO_REASON;
	return settings->keep && !facts->peer_serves ? ANNOUNCE_ONLY_ONE : ANNOUNCE_NO_SERVERS;
}

static bool
announce_is_missing(enum announce_reason reason)
{
	return reason != ANNOUNCE_NO_REASON && reason != ANNOUNCE_ONLY_ONE;
}

/* A draining director is the last choice at first; one that is not announced does not begin to be. */
static enum announce_state
announce_next(const struct announce_vip *vip, const struct announce_facts *facts, uint64_t now)
{
	if (announce_is_missing(vip->reason))
		return ANNOUNCE_WITHDRAWN;
	if (facts->drain == ANNOUNCE_DRAINING)
		return announce_is_announced(vip) && now - facts->drain_since < ANNOUNCE_RAISED ? ANNOUNCE_LAST :
		    ANNOUNCE_WITHDRAWN;
	return announce_is_announced(vip) || now - vip->well >= ANNOUNCE_HEALTHY ? ANNOUNCE_ANNOUNCED :
	    ANNOUNCE_WAITING;
}

bool
announce_decide(struct announce_vip *vip, const struct announce_settings *settings, const struct announce_facts *facts,
    uint64_t now)
{
	const struct announce_vip before = *vip;
	const uint32_t metric = settings->metric != 0 ? settings->metric : ANNOUNCE_METRIC;

	vip->reason = announce_missing(settings, facts);
	if (announce_is_missing(vip->reason))
		vip->well = 0;
	else if (vip->well == 0)
		vip->well = now;
	vip->state = announce_next(vip, facts, now);
	if (vip->state == ANNOUNCE_WITHDRAWN && !announce_is_missing(vip->reason))
		vip->reason = ANNOUNCE_DRAINED;
	if (vip->state != before.state)
		vip->changed = now;
	vip->metric = 0;
	if (announce_is_announced(vip))
		vip->metric = metric + (vip->state == ANNOUNCE_LAST ? ANNOUNCE_RAISE : 0);
	return announce_is_announced(vip) != announce_is_announced(&before) || vip->metric != before.metric;
}

uint64_t
announce_due(const struct announce_vip *vip, const struct announce_facts *facts)
{
	switch (vip->state) {
	case ANNOUNCE_WAITING:
		return vip->well + ANNOUNCE_HEALTHY;
	case ANNOUNCE_LAST:
		return facts->drain_since + ANNOUNCE_RAISED;
	case ANNOUNCE_WITHDRAWN:
	case ANNOUNCE_ANNOUNCED:
		break;
	}
	return UINT64_MAX;
}

const char *
announce_way_name(enum announce_way way)
{
	static const char *const names[] = { [ANNOUNCE_OFF] = "off", [ANNOUNCE_DEVICE] = "device",
		[ANNOUNCE_ROUTE] = "route", [ANNOUNCE_PROGRAM] = "program" };

	return names[way];
}

const char *
announce_state_name(enum announce_state state)
{
	static const char *const names[] = { [ANNOUNCE_WITHDRAWN] = "withdrawn", [ANNOUNCE_WAITING] = "waiting",
		[ANNOUNCE_ANNOUNCED] = "announced", [ANNOUNCE_LAST] = "last-choice" };

	return names[state];
}

const char *
announce_reason_text(enum announce_reason reason)
{
	static const char *const texts[] = {
		[ANNOUNCE_NO_REASON] = "",
		[ANNOUNCE_NOT_ACTIVE] = "the group's role is not active",
		[ANNOUNCE_NOT_WARM] = "checks, MAC addresses or connections are not complete yet",
		[ANNOUNCE_NO_INTERFACE] = "the VIP's interface is down or not open",
		[ANNOUNCE_NO_SERVERS] = "too few of the VIP's services have a server",
		[ANNOUNCE_DRAINED] = "the director is drained",
		[ANNOUNCE_ONLY_ONE] = "no service has a server; kept, since no other director serves the VIP",
	};

	return texts[reason];
}

const char *
announce_when_text(const struct announce_settings *settings, char text[ANNOUNCE_WHEN_TEXT])
{
	switch (settings->when) {
	case ANNOUNCE_ANY:
		return "any";
	case ANNOUNCE_ALL:
		return "all";
	case ANNOUNCE_LEAST:
		break;
	}
	(void)snprintf(text, ANNOUNCE_WHEN_TEXT, "%" PRIu32, settings->least);
	return text;
}
