/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "role/role.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"

/* Not states, but ways to one. */
enum {
	STAY = ROLE_STATE_COUNT,
	AS_WANTED /* active or standby: what was ordered last */
};

#define ROW_PAUSED ROLE_STATE_COUNT /* the row of ROLE_STARTING with `paused` */

/*
 * Silence is the safe side: what is not listed changes nothing, and no event but an order, or the end of doubt about
 * one, leads to ROLE_ACTIVE.
 */
static const uint8_t moves[ROLE_STATE_COUNT + 1][ROLE_EVENT_COUNT] = {
	[ROLE_STARTING] = { ROLE_WARMING, ROLE_WARMING, ROLE_OBSERVE, STAY, STAY, STAY, STAY, STAY, STAY },
	[ROLE_WARMING] = { STAY, STAY, ROLE_OBSERVE, AS_WANTED, STAY, STAY, STAY, STAY, STAY },
	[ROLE_STANDBY] = { ROLE_ACTIVE, STAY, ROLE_OBSERVE, STAY, STAY, STAY, STAY, STAY, STAY },
	[ROLE_ACTIVE] = { STAY, ROLE_LINGERING, ROLE_OBSERVE, STAY, ROLE_YIELDED, STAY, ROLE_STARTING, STAY, STAY },
	[ROLE_LINGERING] = { ROLE_ACTIVE, STAY, ROLE_OBSERVE, STAY, STAY, STAY, STAY, STAY, ROLE_STANDBY },
	[ROLE_YIELDED] = { ROLE_ACTIVE, ROLE_LINGERING, ROLE_OBSERVE, STAY, STAY, AS_WANTED, STAY, STAY, STAY },
	[ROLE_OBSERVE] = { ROLE_WARMING, ROLE_WARMING, STAY, STAY, STAY, STAY, STAY, STAY, STAY },
	/*
	 * An order that was given during the pause may have another one behind it: `active` waits until that is
	 * settled.
	 */
	[ROW_PAUSED] = { STAY, ROLE_LINGERING, ROLE_OBSERVE, STAY, ROLE_YIELDED, STAY, STAY, AS_WANTED, STAY },
};

struct role
role_next(struct role role, enum role_event event)
{
	const unsigned row = role.state == ROLE_STARTING && role.paused ? ROW_PAUSED : role.state;
	const unsigned move = moves[row][event];
	struct role next = role;

	if (event == ROLE_ORDER_ACTIVE || event == ROLE_ORDER_STANDBY || event == ROLE_ORDER_OBSERVE)
		next.wanted = event == ROLE_ORDER_ACTIVE;
	if (move == STAY)
		return next;
	if (move == AS_WANTED)
		next.state = next.wanted ? ROLE_ACTIVE : ROLE_STANDBY;
	else
		next.state = (enum role_state)move;
	next.paused = event == ROLE_PAUSED;
	return next;
}

unsigned
role_duties(const struct role *role)
{
	switch (role->state) {
	case ROLE_STARTING:
		return role->paused ? ROLE_FORWARDS : 0;
	case ROLE_ACTIVE:
		return ROLE_ANSWERS | ROLE_FORWARDS;
	case ROLE_LINGERING:
	case ROLE_YIELDED:
		return ROLE_FORWARDS;
	case ROLE_WARMING:
	case ROLE_STANDBY:
	case ROLE_OBSERVE:
	case ROLE_STATE_COUNT:
		break;
	}
	return 0;
}

uint64_t
role_timer(const struct role *role, uint64_t linger, enum role_event *event)
{
	switch (role->state) {
	case ROLE_STARTING:
		*event = ROLE_SETTLED;
		return role->paused ? ROLE_SETTLE : 0;
	case ROLE_WARMING:
		*event = ROLE_WARM;
		return ROLE_WARM_MOST;
	case ROLE_LINGERING:
		*event = ROLE_LINGERED;
		return linger != 0 ? linger : 1;
	case ROLE_YIELDED:
		*event = ROLE_RIVAL_GONE;
		return ROLE_RIVAL_QUIET;
	case ROLE_STANDBY:
	case ROLE_ACTIVE:
	case ROLE_OBSERVE:
	case ROLE_STATE_COUNT:
		break;
	}
	*event = ROLE_EVENT_COUNT;
	return 0;
}

static const struct {
	const char *name;
	const char *meaning;
} states[] = {
	[ROLE_STARTING] = { "starting", "the role is not known yet: it answers no one" },
	[ROLE_WARMING] = { "warming", "it waits for checks, MAC addresses or flows, and answers no one" },
	[ROLE_STANDBY] = { "standby", "another director serves the VIPs: this one could take over" },
	[ROLE_ACTIVE] = { "active", "it answers for the VIPs and forwards their frames" },
	[ROLE_LINGERING] = { "lingering", "another director serves the VIPs: this one forwards what still arrives" },
	[ROLE_YIELDED] = { "yielded", "another director became active later: this one forwards what still arrives" },
	[ROLE_OBSERVE] = { "observe", "an operator took it out: it serves no VIP until it gets another order" },
};

const char *
role_name(enum role_state state)
{
	return (unsigned)state < ARRAY_LEN(states) ? states[state].name : "?";
}

const char *
role_meaning(enum role_state state)
{
	return (unsigned)state < ARRAY_LEN(states) ? states[state].meaning : "?";
}

const char *
role_source_text(const struct role_settings *settings, char text[ROLE_SOURCE_TEXT])
{
	char addr[ADDR_TEXT];

	switch (settings->source) {
	case ROLE_FIXED_ACTIVE:
		return "active";
	case ROLE_FIXED_STANDBY:
		return "standby";
	case ROLE_FOLLOW:
		(void)snprintf(text, ROLE_SOURCE_TEXT, "follow %s", addr_format(&settings->addr, addr));
		break;
	case ROLE_FILE:
		(void)snprintf(text, ROLE_SOURCE_TEXT, "file %s", settings->path);
		break;
	case ROLE_CARP:
		(void)snprintf(text, ROLE_SOURCE_TEXT, "carp %s", settings->iface);
		break;
	}
	return text;
}

size_t
role_group_find(const struct role_config *config, const char *name)
{
	size_t i = 0;

	while (i < config->group_count && strcmp(config->groups[i].name, name) != 0)
		i++;
	return i;
}

bool
role_is_peer(const struct role_config *config, const struct mac *mac)
{
	for (size_t i = 0; i < config->peer_count; i++)
		if (mac_equal(&config->peers[i], mac))
			return true;
	return false;
}

bool
role_is_level(enum role_source source)
{
	return source != ROLE_FIXED_ACTIVE && source != ROLE_FIXED_STANDBY;
}

enum role_event
role_order(const char *word)
{
	static const char *const orders[] = {
		[ROLE_ORDER_ACTIVE] = "active", [ROLE_ORDER_STANDBY] = "standby", [ROLE_ORDER_OBSERVE] = "observe"
	};
	unsigned i = 0;

	while (i < ARRAY_LEN(orders) && strcmp(orders[i], word) != 0)
		i++;
	return i < ARRAY_LEN(orders) ? (enum role_event)i : ROLE_EVENT_COUNT;
}
