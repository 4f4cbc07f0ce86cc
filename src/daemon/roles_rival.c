/* SPDX-License-Identifier: ISC */
/* Other directors that are active as well: who goes on, and who yields. */
#include "config.h"

#include "daemon/roles_int.h"

#include <stdio.h>
#include <string.h>

#include "daemon/director.h"
#include "role/word.h"
#include "vipcheck/conflict.h"

/* More than CLAIM_BURST: another director must not take two of these for a takeover. */
#define REMINDER_LEAST MILLISECONDS(1500)
/* In this time after it became active, other directors may be announcing as well: it is not known who was later. */
#define CONTEST SECONDS(6)
#define QUESTION SECONDS(1)

/* The latest claim by another director; by any host that is no server of ours while it is in doubt who is active. */
static const struct role_claim *
group_claim(const struct roles *roles, size_t index)
{
	const struct forwarder *forwarder = &roles->director->forwarder;
	const struct role_claim *peer = &forwarder->peers[index], *other = &forwarder->others[index];

	if (roles->groups[index].status.role.state != ROLE_ACTIVE && other->last > peer->last &&
	    model_server_by_mac(roles->director->model, other->iface, &other->mac) == NULL)
		return other;
	return peer;
}

static void
group_yield(struct roles *roles, size_t index, const struct role_claim *claim, const char *what, uint64_t now)
{
	char mac[MAC_TEXT], reason[ROLE_REASON];

	(void)snprintf(reason, sizeof(reason), "%s %s", mac_format(&claim->mac, mac), what);
	roles_take(roles, index, ROLE_RIVAL, reason, now);
	roles->groups[index].status.rival = claim->mac;
	roles->groups[index].status.rival_seen = claim->last;
}

/* Both took over at the same time, and both still claim the VIPs: the director with the lower MAC address yields. */
static bool
group_loses(const struct roles *roles, const struct group *group, const struct role_claim *claim)
{
	const struct mac *own = &roles->director->ifaces[claim->iface].mac;

	return group->contested && claim->last > group->status.since + CONTEST &&
	    memcmp(own->bytes, claim->mac.bytes, MAC_BYTES) < 0;
}

/* While this director is active: who else says so? */
static void
group_defend(struct roles *roles, size_t index, const struct role_claim *claim, uint64_t now)
{
	struct group *group = &roles->groups[index];

	if (claim->last <= group->claim_seen || claim->last < group->status.since)
		return;
	if (claim->took_over > group->claim_seen && claim->took_over > group->status.since + CONTEST) {
		group_yield(roles, index, claim, "became active after this director", now);
		return;
	}
	group->contested |= claim->took_over > group->status.since;
	group->claim_seen = claim->last;
	if (group_loses(roles, group, claim)) {
		group_yield(roles, index, claim, "became active at the same time, and has the higher MAC address", now);
		return;
	}
	group->status.rival = claim->mac;
	group->status.rival_seen = claim->last;
	if (now - group->reminded >= REMINDER_LEAST && announcer_due(roles->director->forwarder.announcer) ==
	    UINT64_MAX)
		roles_announce(roles, index, ANNOUNCE_ONCE, now);
}

/* Who answers for the group's VIPs? One of them is enough. */
static void
group_ask(struct roles *roles, size_t index, uint64_t now)
{
	struct director *director = roles->director;
	struct group *group = &roles->groups[index];

	if (now - group->asked < QUESTION)
		return;
	for (size_t i = 0; i < director->model->vip_count; i++) {
		const struct vip *vip = &director->model->vips[i];

		if (vip->group != index || vip->iface == IFACE_NONE || vip->routed)
			continue;
		group->asked = now;
		director->forwarder.stats.conflict_probes += conflict_ask(vip, director->forwarder.craft,
		    director->ifaces,
		    &director->forwarder.tx);
		return;
	}
}

void
roles_hear_claims(struct roles *roles, size_t index, uint64_t now)
{
	struct group *group = &roles->groups[index];
	const struct role_claim *claim = group_claim(roles, index);

	switch (group->status.role.state) {
	case ROLE_ACTIVE:
		group_defend(roles, index, claim, now);
		break;
	case ROLE_YIELDED:
		group_ask(roles, index, now);
		if (claim->last + ROLE_RIVAL_QUIET > group->due)
			group->due = claim->last + ROLE_RIVAL_QUIET;
		break;
	case ROLE_STARTING:
		if (!group->status.role.paused)
			break;
		group_ask(roles, index, now);
		/* A source that can be read knows better. */
		if (claim->last >= group->status.since && !role_is_level(group->settings.source))
			group_yield(roles, index, claim, "became active while this director did not run", now);
		break;
	case ROLE_WARMING:
	case ROLE_STANDBY:
	case ROLE_LINGERING:
	case ROLE_OBSERVE:
	case ROLE_STATE_COUNT:
		break;
	}
}

/* --- peers that are connected --- */

static void
group_yield_to(struct roles *roles, size_t index, const struct role_peer *peer, uint64_t now)
{
	struct group *group = &roles->groups[index];
	char reason[ROLE_REASON];

	(void)snprintf(reason, sizeof(reason), "%s became active after this director", peer->name);
	(void)snprintf(group->yielded_to, sizeof(group->yielded_to), "%s", peer->name);
	group->outlives[0] = '\0';
	roles_take(roles, index, ROLE_RIVAL, reason, now);
	group->status.rival = peer->mac;
	group->status.rival_seen = now;
}

/* The peer is active too. It became active before this director, so it will yield; or it already has. */
static void
group_outlive(struct roles *roles, size_t index, const struct role_peer *peer, bool answers, uint64_t now)
{
	struct group *group = &roles->groups[index];
	const bool known = strcmp(group->outlives, peer->name) == 0;

	if (answers) {
		(void)snprintf(group->outlives, sizeof(group->outlives), "%s", peer->name);
		group->status.rival = peer->mac;
		group->status.rival_seen = now;
	} else if (known) {
		group->outlives[0] = '\0';
		group->status.rival = mac_zero;
		/* Hosts that learned the other one's MAC address meanwhile. */
		roles_announce(roles, index, ANNOUNCE_TAKEOVER, now);
	}
}

static void
group_hear(struct roles *roles, size_t index, const struct role_peer *peer, const struct role_word *word, uint64_t now)
{
	struct group *group = &roles->groups[index];
	const bool to_it = strcmp(group->yielded_to, peer->name) == 0, answers = role_word_answers(word);
	const enum role_event event = role_hear(&group->status.role, group->epoch, peer->wins_ties, to_it, word);
	char reason[ROLE_REASON];

	if (word->epoch > group->known)
		group->known = word->epoch;
	if (event == ROLE_RIVAL) {
		group_yield_to(roles, index, peer, now);
	} else if (event == ROLE_RIVAL_GONE) {
		(void)snprintf(reason, sizeof(reason), "%s is not active any more", peer->name);
		roles_take(roles, index, event, reason, now);
	} else if (group->status.role.state == ROLE_ACTIVE) {
		group_outlive(roles, index, peer, answers, now);
	} else if (group->status.role.state == ROLE_YIELDED && answers) {
		group->due = now + ROLE_RIVAL_QUIET;
	}
}

void
roles_hear(struct roles *roles, const struct role_peer *peer, uint64_t now)
{
	for (size_t i = 0; i < peer->count; i++) {
		const size_t index = role_group_find(&roles->director->model->roles, peer->words[i].group);

		if (index < roles->count && roles->groups[index].settings.given)
			group_hear(roles, index, peer, &peer->words[i], now);
	}
}

size_t
roles_words(const struct roles *roles, struct role_word words[ROLE_GROUPS])
{
	for (size_t i = 0; i < roles->count; i++) {
		const struct group *group = &roles->groups[i];
		struct role_word *word = &words[i];

		memset(word, 0, sizeof(*word));
		(void)snprintf(word->group, sizeof(word->group), "%s", group->status.name);
		word->state = group->status.role.state;
		word->ready = group->status.ready;
		word->epoch = word->state == ROLE_ACTIVE ? group->epoch : group->known;
		if (!word->ready)
			(void)snprintf(word->why, sizeof(word->why), "%.*s", ROLE_WHY - 1, group->status.unready);
	}
	return roles->count;
}
