/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/roles.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/log.h"
#include "daemon/director.h"
#include "daemon/interfaces.h"
#include "daemon/readiness.h"
#include "daemon/role_source.h"
#include "daemon/roles_int.h"
#include "vipcheck/conflict.h"

/* Sources are read, and the time is watched, so often. */
#define HEARTBEAT MILLISECONDS(250)
/* keepalived at its fastest takes over after 300 ms; so much more than a heartbeat is no busy moment. */
#define PAUSE MILLISECONDS(1000)
/* A director that is active announces its VIPs once in so long: for hosts that learned another MAC unnoticed. */
#define REMINDER SECONDS(20)
/* So long after its last claim another active director is taken to be there: two of its reminders. */
#define RIVAL_LASTS SECONDS(45)

struct roles *
roles_new(struct director *director, struct interfaces *interfaces, const char *ready_file)
{
	struct roles *roles = calloc(1, sizeof(*roles));

	if (roles == NULL)
		return NULL;
	roles->director = director;
	roles->interfaces = interfaces;
	roles->ready_said = -1;
	(void)snprintf(roles->ready_file, sizeof(roles->ready_file), "%s", ready_file);
	director->forwarder.roles = &director->model->roles;
	return roles;
}

static void
roles_write_ready(struct roles *roles, bool ready)
{
	if (roles->ready_file[0] == '\0' || roles->ready_said == (int)ready)
		return;
	if (ready_file_write(roles->ready_file, ready) == -1)
		log_warning("ready-file result=failed file=%s reason=\"%s\" meaning=\"the engine does not learn "
		    "whether this "
		    "director can take over\"", roles->ready_file, strerror(errno));
	roles->ready_said = (int)ready;
}

void
roles_free(struct roles *roles)
{
	if (roles == NULL)
		return;
	roles_write_ready(roles, false);
	free(roles);
}

static bool
roles_announces(const void *context, uint16_t iface, const struct addr *vip)
{
	const struct director *director = context;

	const struct fwd_vip *known = fwdtab_vip(director->table, iface, vip);

	return known != NULL && !known->routed && (director->forwarder.duties[known->group] & ROLE_ANSWERS) != 0;
}

/* What each VIP's group says, for the data plane and for what is announced and joined. */
static void
roles_set_duties(struct roles *roles)
{
	struct director *director = roles->director;

	for (size_t i = 0; i < roles->count; i++)
		director->forwarder.duties[i] = (uint8_t)role_duties(&roles->groups[i].status.role);
	for (size_t i = 0; i < director->model->vip_count; i++) {
		struct vip *vip = &director->model->vips[i];

		vip->silent = vip->routed || (director->forwarder.duties[vip->group] & ROLE_ANSWERS) == 0;
	}
}

void
roles_announce(struct roles *roles, size_t index, enum announce how, uint64_t now)
{
	struct director *director = roles->director;
	bool failed = false;

	roles->groups[index].reminded = now;
	for (size_t i = 0; i < director->model->vip_count; i++) {
		const struct vip *vip = &director->model->vips[i];

		if (vip->group == index && vip->iface != IFACE_NONE && !vip->routed)
			failed |= announcer_add(director->forwarder.announcer, vip->iface, &vip->addr, how, now) == -1;
	}
	if (failed)
		log_error("announce result=failed reason=\"out of memory\"");
	forward_announce(&director->forwarder, now);
}

static void
group_log(const struct group *group, enum role_state before)
{
	char said[LOG_TEXT];

	const char *peer = group->yielded_to;

	log_notice("role group=%s from=%s to=%s%s%s reason=\"%s\" meaning=\"%s\"", group->status.name, role_name(before),
	    role_name(group->status.role.state), peer[0] == '\0' ? "" : " peer=", peer, log_escape(group->status.reason, said),
	    role_meaning(group->status.role.state));
}

static void
group_start_timer(const struct roles *roles, struct group *group, uint64_t now)
{
	const uint64_t wait = role_timer(&group->status.role, roles->director->model->roles.linger, &group->due_event);

	group->due = wait == 0 ? 0 : now + wait;
}

/* The duties of the group have changed: what follows beyond the frames that dsrd itself looks at. */
static void
group_turn(struct roles *roles, size_t index, unsigned before, unsigned duties, uint64_t now)
{
	struct director *director = roles->director;

	roles_set_duties(roles);
	if ((before & ROLE_FORWARDS) != 0 && (duties & ROLE_FORWARDS) == 0) {
		director->forget = true;
		director->stale = true;
	}
	/* The kernel selects servers for the VIPs of groups that are forwarded. */
	director->stale |= ((before ^ duties) & ROLE_FORWARDS) != 0;
	if (((before ^ duties) & ROLE_ANSWERS) == 0)
		return;
	if ((duties & ROLE_ANSWERS) != 0) {
		roles_announce(roles, index, ANNOUNCE_TAKEOVER, now);
		conflict_begin(&director->forwarder.conflicts, now);
	} else {
		announcer_keep(director->forwarder.announcer, roles_announces, director);
	}
	interfaces_rejoin(roles->interfaces);
}

/* The event, and what follows from it. `reason` is for people, and for the log. */
void
roles_take(struct roles *roles, size_t index, enum role_event event, const char *reason, uint64_t now)
{
	struct group *group = &roles->groups[index];
	const struct role before = group->status.role, after = role_next(before, event);
	const unsigned duties = role_duties(&before), later = role_duties(&after);

	group->status.role = after;
	/* After a pause it is as active as before. */
	if (after.state == ROLE_ACTIVE && event != ROLE_SETTLED && (event == ROLE_ORDER_ACTIVE || after.state != before.state))
		group->epoch = ++group->known;
	if (after.state == before.state && after.paused == before.paused)
		return;
	(void)snprintf(group->status.reason, sizeof(group->status.reason), "%s", reason);
	group->status.since = now;
	group->contested = false;
	if (after.state == ROLE_ACTIVE || after.state == ROLE_STANDBY)
		group->status.rival = mac_zero;
	if (after.state != ROLE_YIELDED)
		group->yielded_to[0] = '\0';
	group->outlives[0] = '\0';
	roles->statuses[index] = group->status;
	group_start_timer(roles, group, now);
	if (duties != later)
		group_turn(roles, index, duties, later, now);
	group_log(group, before.state);
}

/* --- sources --- */

static void
group_read(struct roles *roles, size_t index, uint64_t now)
{
	struct group *group = &roles->groups[index];
	const enum role_event said = role_source_read(&group->settings);
	char source[ROLE_SOURCE_TEXT], reason[ROLE_REASON];

	if (said == ROLE_EVENT_COUNT || said == group->said)
		return;
	group->said = said;
	(void)snprintf(reason, sizeof(reason), "role = %.150s", role_source_text(&group->settings, source));
	roles_take(roles, index, said, reason, now);
}

/* At the start, and with another source: one that says nothing orders a standby. */
static void
group_begin(struct roles *roles, size_t index, uint64_t now)
{
	struct group *group = &roles->groups[index];

	group->said = ROLE_EVENT_COUNT;
	if (!group->settings.given) {
		/* Alone, nothing has to be waited for, nor said. */
		group->status.role = (struct role) { ROLE_ACTIVE, true, false };
		(void)snprintf(group->status.reason, sizeof(group->status.reason), "there is no other director");
		group->status.since = now;
		group->due = 0;
		return;
	}
	group_read(roles, index, now);
	if (group->said == ROLE_EVENT_COUNT)
		roles_take(roles, index, ROLE_ORDER_STANDBY, "its source says nothing yet", now);
}

static bool
same_source(const struct role_settings *a, const struct role_settings *b)
{
	char mine[ROLE_SOURCE_TEXT], other[ROLE_SOURCE_TEXT];

	return a->given == b->given && strcmp(role_source_text(a, mine), role_source_text(b, other)) == 0;
}

/* Groups stay what they are by name; their numbers may change. */
void
roles_apply(struct roles *roles, uint64_t now)
{
	const struct role_config *config = &roles->director->model->roles;
	struct group before[ROLE_GROUPS];
	const size_t count = roles->count;
	bool was_silent[ROLE_GROUPS] = { false };
	char text[ROLE_SOURCE_TEXT];

	memcpy(before, roles->groups, sizeof(before));
	memset(roles->groups, 0, sizeof(roles->groups));
	memset(roles->director->forwarder.peers, 0, sizeof(roles->director->forwarder.peers));
	memset(roles->director->forwarder.others, 0, sizeof(roles->director->forwarder.others));
	roles->count = config->group_count;
	roles->given = config->group_count > 1;
	for (size_t i = 0; i < config->group_count; i++) {
		struct group *group = &roles->groups[i];

		for (size_t j = 0; j < count; j++)
			if (strcmp(before[j].settings.name, config->groups[i].name) == 0)
				*group = before[j];
		roles->given |= config->groups[i].given;
		if (roles->looked != 0 && group->settings.name[0] != '\0' &&
		    same_source(&group->settings, &config->groups[i]))
			continue;
		group->settings = config->groups[i];
		(void)snprintf(group->status.name, sizeof(group->status.name), "%s", group->settings.name);
		(void)snprintf(group->status.source, sizeof(group->status.source), "%s",
		    role_source_text(&group->settings, text));
		group->status.given = group->settings.given;
		was_silent[i] = roles->looked != 0 && (role_duties(&group->status.role) & ROLE_ANSWERS) == 0;
		group_begin(roles, i, now);
	}
	roles_set_duties(roles);
	for (size_t i = 0; i < roles->count; i++)
		if (was_silent[i] && !roles->groups[i].settings.given)
			roles_announce(roles, i, ANNOUNCE_TAKEOVER, now);
	if (roles->looked != 0)
		interfaces_rejoin(roles->interfaces);
	roles->looked = roles->next = now;
}

/* --- orders --- */

int
roles_order(struct roles *roles, size_t index, enum role_event order, const char *by, uint64_t now)
{
	struct group *group = &roles->groups[index];
	int result = 0, saved;

	roles_look(roles, now);
	if (group->settings.source == ROLE_FILE)
		result = role_source_write(&group->settings, order);
	saved = errno;
	if (result == 0 && group->settings.source == ROLE_FILE)
		group->said = order;
	roles_take(roles, index, order, by, now);
	roles_tick(roles, now);
	errno = saved;
	return result;
}

bool
roles_is_active(const struct roles *roles, size_t index)
{
	return roles->groups[index].status.role.state == ROLE_ACTIVE;
}

void
roles_set_table(struct roles *roles, bool present, const char *why)
{
	(void)snprintf(roles->no_table, sizeof(roles->no_table), "%s", present ? "" : why);
}

/* --- time --- */

void
roles_look(struct roles *roles, uint64_t now)
{
	const uint64_t silent = now - roles->looked;
	char reason[ROLE_REASON];

	roles->looked = now;
	if (!roles->given || silent < HEARTBEAT + PAUSE)
		return;
	(void)snprintf(reason, sizeof(reason), "this director did not run for %" PRIu64 " ms",
	    silent / MILLISECONDS(1));
	for (size_t i = 0; i < roles->count; i++) {
		if (!roles->groups[i].settings.given)
			continue;
		roles_take(roles, i, ROLE_PAUSED, reason, now);
		group_read(roles, i, now);
	}
	roles->next = now;
}

static void
group_measure_readiness(struct roles *roles, size_t index)
{
	struct role_status *status = &roles->groups[index].status;
	const struct director *director = roles->director;
	const enum role_state state = status->role.state;
	char why[ROLE_REASON] = "";
	const bool complete = readiness_of(director->model, director->ifaces, index, status->warm, why);

	if (complete && roles->no_table[0] != '\0')
		(void)snprintf(why, sizeof(why), "%s", roles->no_table);
	status->warm |= why[0] == '\0';
	if (why[0] == '\0' && (state == ROLE_OBSERVE || state == ROLE_YIELDED || state == ROLE_STARTING))
		(void)snprintf(why, sizeof(why), "its role is %s", role_name(state));
	status->ready = why[0] == '\0';
	memcpy(status->unready, why, sizeof(status->unready));
}

static const char *
timer_reason(enum role_event event)
{
	switch (event) {
	case ROLE_WARM:
		return "not everything is present, but an order waits no longer";
	case ROLE_SETTLED:
		return "no other director has taken over";
	case ROLE_LINGERED:
		return "clients have had time to learn the other director's MAC address";
	case ROLE_RIVAL_GONE:
		return "no other director answers for the VIPs any more";
	case ROLE_ORDER_ACTIVE:
	case ROLE_ORDER_STANDBY:
	case ROLE_ORDER_OBSERVE:
	case ROLE_RIVAL:
	case ROLE_PAUSED:
	case ROLE_EVENT_COUNT:
		break;
	}
	return "?";
}

static void
group_tick(struct roles *roles, size_t index, uint64_t now)
{
	struct group *group = &roles->groups[index];

	if (!group->settings.given) {
		group_measure_readiness(roles, index);
		return;
	}
	group_read(roles, index, now);
	if (group->status.role.state == ROLE_WARMING)
		group_measure_readiness(roles, index);
	if (group->status.role.state == ROLE_WARMING && group->status.warm)
		roles_take(roles, index, ROLE_WARM, "checks, MAC addresses and flows are complete", now);
	roles_hear_claims(roles, index, now);
	if (group->due != 0 && now >= group->due)
		roles_take(roles, index, group->due_event, timer_reason(group->due_event), now);
	if (group->status.role.state == ROLE_ACTIVE && now - group->reminded >= REMINDER &&
	    announcer_due(roles->director->forwarder.announcer) == UINT64_MAX)
		roles_announce(roles, index, ANNOUNCE_ONCE, now);
	if (group->status.rival_seen != 0 && now - group->status.rival_seen >= RIVAL_LASTS &&
	    group->status.role.state != ROLE_YIELDED)
		group->status.rival = mac_zero;
	group_measure_readiness(roles, index);
}

static bool
group_is_used(const struct model *model, size_t index)
{
	for (size_t i = 0; i < model->vip_count; i++)
		if (model->vips[i].group == index)
			return true;
	return false;
}

void
roles_on_tick(struct roles *roles, void (*ticked)(void *context), void *context)
{
	roles->ticked = ticked;
	roles->context = context;
}

void
roles_tick(struct roles *roles, uint64_t now)
{
	bool ready = true;

	for (size_t i = 0; i < roles->count; i++) {
		group_tick(roles, i, now);
		roles->groups[i].status.used = group_is_used(roles->director->model, i);
		ready = ready && (roles->groups[i].status.ready || !roles->groups[i].status.used);
		roles->statuses[i] = roles->groups[i].status;
	}
	roles_write_ready(roles, ready);
	roles->next = now + HEARTBEAT;
	for (size_t i = 0; i < roles->count; i++)
		if (roles->groups[i].due != 0 && roles->groups[i].due < roles->next)
			roles->next = roles->groups[i].due;
	if (roles->ticked != NULL)
		roles->ticked(roles->context);
}

uint64_t
roles_due(const struct roles *roles)
{
	return roles->given ? roles->next : UINT64_MAX;
}

size_t
roles_count(const struct roles *roles)
{
	return roles == NULL ? 0 : roles->count;
}

const struct role_status *
roles_status(const struct roles *roles)
{
	return roles == NULL ? NULL : roles->statuses;
}
