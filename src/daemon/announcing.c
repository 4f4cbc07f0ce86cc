/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/announcing_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/log.h"
#include "daemon/director.h"
#include "daemon/loop.h"
#include "daemon/port.h"
#include "daemon/roles.h"
#include "daemon/route_holder.h"

#define STOP_MOST SECONDS(5) /* programs that are to withdraw VIPs keep dsrd from ending for so long */
#define LINES_MOST 16        /* log lines about VIPs that change at the same time */

struct announcing *
announcing_new(const struct announcing_parts *parts)
{
	struct announcing *announcing = calloc(1, sizeof(*announcing));

	if (announcing == NULL)
		return NULL;
	announcing->parts = *parts;
	announcing->holder = -1;
	announcing->due = UINT64_MAX;
	for (size_t i = 0; i < ROLE_GROUPS; i++)
		announcing->fault_list[i] = announcing->faults[i];
	announcing->program = announce_program_new(parts->children, announcing_on_program, announcing);
	if (announcing->program != NULL)
		return announcing;
	free(announcing);
	return NULL;
}

void
announcing_free(struct announcing *announcing)
{
	struct leftover *leftover;

	if (announcing == NULL)
		return;
	announcing_close_holder(announcing);
	announce_program_free(announcing->program);
	while ((leftover = announcing->leftovers) != NULL) {
		announcing->leftovers = leftover->next;
		free(leftover);
	}
	free(announcing->entries);
	free(announcing->sorted);
	free(announcing->pairs);
	free(announcing->report);
	free(announcing);
}

bool
way_has_routes(enum announce_way way)
{
	return way == ANNOUNCE_DEVICE || way == ANNOUNCE_ROUTE;
}

bool
announcing_is_wanted(const struct announcing *announcing)
{
	for (size_t i = 0; i < ROLE_GROUPS; i++)
		if (announcing->settings[i].way != ANNOUNCE_OFF || announce_streams_any(&announcing->streams, i))
			return true;
	return announcing->leftovers != NULL;
}

/* --- the decision -------------------------------------------------------------------------------------------------- */

void
announcing_set_others(struct announcing *announcing, bool (*serve)(void *context, const char *group),
    void *context)
{
	if (announcing == NULL)
		return;
	announcing->others = serve;
	announcing->others_context = context;
}

static void
announcing_count_services(struct announcing *announcing)
{
	const struct model *model = announcing->parts.director->model;
	uint32_t last = UINT32_MAX;
	bool serves = false;

	for (size_t i = 0; i < announcing->count; i++)
		announcing->entries[i].status.services = announcing->entries[i].status.serving = 0;
	for (size_t i = 0; i < announcing->pair_count; i++) {
		const struct pair *pair = &announcing->pairs[i];

		if (pair->service != last)
			serves = service_state(model->services[pair->service]) == HEALTH_UP;
		last = pair->service;
		announcing->entries[pair->entry].status.services++;
		announcing->entries[pair->entry].status.serving += serves;
	}
}

static struct announce_facts
announcing_facts(const struct announcing *announcing, const struct entry *entry)
{
	const struct director *director = announcing->parts.director;
	const size_t index = (size_t)(entry - announcing->entries), group = entry->status.group;
	const uint16_t iface = director->model->vips[index].iface;
	const struct role_status *role = &roles_status(announcing->parts.roles)[group];

	return (struct announce_facts) { .active = role->role.state == ROLE_ACTIVE && announcing->stop == NULL,
		.warm = role->warm,
		.open = iface != IFACE_NONE && director->ifaces[iface].up && nic_is_open(&announcing->parts.nics[iface]),
		.services = entry->status.services, .serving = entry->status.serving,
		.peer_serves = announcing->others_serve[group],
		.drain = announcing->drain, .drain_since = announcing->drain_since };
}

static void
announcing_log(const struct announcing *announcing, const struct entry *entry)
{
	const struct announce_vip *vip = &entry->status.vip;
	const char *reason = announce_reason_text(vip->reason);
	char addr[ADDR_TEXT];

	log_notice("announce vip=%s group=%s to=%s metric=%" PRIu32 "%s%s%s", addr_format(&entry->status.addr, addr),
	    announcing->groups[entry->status.group], announce_state_name(vip->state), vip->metric,
	    reason[0] != '\0' ? " reason=\"" : "", reason, reason[0] != '\0' ? "\"" : "");
}

static void
announcing_decide(struct announcing *announcing, uint64_t now)
{
	size_t changed = 0;

	announcing_count_services(announcing);
	for (size_t i = 0; i < ROLE_GROUPS; i++)
		announcing->others_serve[i] = announcing->settings[i].keep && announcing->others != NULL &&
		    announcing->others(announcing->others_context, announcing->groups[i]);
	for (size_t i = 0; i < announcing->count; i++) {
		struct entry *entry = &announcing->entries[i];
		const size_t group = entry->status.group;
		const struct announce_facts facts = announcing_facts(announcing, entry);

		entry->status.listened = announce_streams_any(&announcing->streams, group);
		/* No one is told. */
		if (entry->status.way == ANNOUNCE_OFF && !entry->status.listened) {
			entry->status.vip = (struct announce_vip) { .state = ANNOUNCE_WITHDRAWN };
			continue;
		}
		if (!announce_decide(&entry->status.vip, &announcing->settings[group], &facts, now))
			continue;
		if (changed++ < LINES_MOST)
			announcing_log(announcing, entry);
		entry->retry = 0;
		announce_streams_tell(&announcing->streams, &entry->status);
	}
	if (changed > LINES_MOST)
		log_notice("announce vips=%zu meaning=\"so many more have changed\"", changed - LINES_MOST);
}

/* --- time ---------------------------------------------------------------------------------------------------------- */

void
announcing_run(struct announcing *announcing, uint64_t now)
{
	if (announcing == NULL || !announcing_is_wanted(announcing))
		return;
	announcing_hear_holder(announcing, now);
	announcing_open_holder(announcing, now);
	announcing_decide(announcing, now);
	announcing_tell(announcing, now);
	announce_streams_beat(&announcing->streams, announcing->entries, announcing->count,
	    sizeof(*announcing->entries));
	announcing->due = now + ROUTE_HOLDER_BEATS;
	if (announcing->stop != NULL && (!announcing_waits_for_programs(announcing) || now >= announcing->stop_until))
		loop_stop(announcing->stop);
}

uint64_t
announcing_due(const struct announcing *announcing)
{
	return announcing == NULL ? UINT64_MAX : announcing->due;
}

void
announcing_change(void *context, const struct state_change *change UNUSED)
{
	struct announcing *announcing = context;

	if (announcing->due != UINT64_MAX)
		announcing->due = 0;
}

void
announcing_stop(struct announcing *announcing, struct loop *loop, uint64_t now)
{
	if (announcing == NULL || !announcing_is_wanted(announcing)) {
		loop_stop(loop);
		return;
	}
	if (announcing->stop == NULL)
		announcing->stop_until = now + STOP_MOST;
	announcing->stop = loop;
	announcing_run(announcing, now);
}

/* --- the end of a director's service ------------------------------------------------------------------------------- */

void
announcing_tick(struct announcing *announcing, uint64_t now)
{
	const struct model *model;
	uint64_t total = 0;

	if (announcing == NULL)
		return;
	model = announcing->parts.director->model;
	announcing->connections = 0;
	for (size_t i = 0; i < model->slot_count; i++) {
		if (model->slots[i] == NULL)
			continue;
		total += model->slots[i]->run->packets;
		announcing->connections += model->slots[i]->run->active;
	}
	/* A server that a reload removed takes its count along. */
	announcing->frames = total > announcing->frames_total ? total - announcing->frames_total : 0;
	announcing->frames_total = total;
	if (announcing->frames > 0)
		announcing->frame_seen = now;
}

bool
announcing_drain(struct announcing *announcing, enum announce_drain drain, uint64_t now)
{
	if (announcing == NULL || !announcing_is_wanted(announcing))
		return false;
	if (announcing->drain != drain) {
		announcing->drain = drain;
		announcing->drain_since = now;
	}
	announcing_run(announcing, now);
	return true;
}

static bool
announcing_is_quiet(const struct announcing *announcing)
{
	const uint64_t now = announcing->parts.director->now;
	const uint64_t since = announcing->frame_seen > announcing->drain_since ? announcing->frame_seen :
	    announcing->drain_since;

	for (size_t i = 0; i < announcing->count; i++)
		if (announce_is_announced(&announcing->entries[i].status.vip))
			return false;
	return announcing->drain == ANNOUNCE_DRAINING && now > since && now - since >= ANNOUNCE_QUIET;
}

/* --- others -------------------------------------------------------------------------------------------------------- */

bool
announcing_listen(struct announcing *announcing, struct control *control, const void *client, size_t group, FILE *out)
{
	if (announcing == NULL) {
		fputs("dsrd only observes (--observe): it announces nothing\n", out);
		return false;
	}
	if (!announce_streams_add(&announcing->streams, control, client, group, out))
		return false;
	announcing->due = 0;
	return true;
}

void
announcing_leave(struct announcing *announcing, const void *client)
{
	if (announcing == NULL)
		return;
	announce_streams_leave(&announcing->streams, client);
	if (!announcing_is_wanted(announcing))
		announcing->due = UINT64_MAX;
}

struct announce_report
announcing_report(struct announcing *announcing)
{
	if (announcing == NULL || announcing->report == NULL)
		return (struct announce_report) { .count = 0 };
	for (size_t i = 0; i < announcing->count; i++)
		announcing->report[i] = announcing->entries[i].status;
	return (struct announce_report) { .list = announcing->report, .count = announcing->count,
		.faults = announcing->fault_list, .settings = announcing->settings, .drain = announcing->drain,
		.drain_since = announcing->drain_since, .frames = announcing->frames,
		.connections = announcing->connections, .quiet = announcing_is_quiet(announcing) };
}

bool
announcing_process(const struct announcing *announcing, pid_t *pid, const struct os_sandbox **sandbox)
{
	if (announcing == NULL || announcing->holder == -1 || !announcing->holder_ready)
		return false;
	*pid = announcing->holder_pid;
	*sandbox = &announcing->holder_sandbox;
	return true;
}
