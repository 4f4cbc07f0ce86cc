/* SPDX-License-Identifier: ISC */
/* What this director announces to routers, as people and programs read it. */
#include "config.h"

#include "ctl/report.h"

#include <stdio.h>

#include "base/attr.h"
#include "base/duration.h"
#include "base/text.h"

static enum mood
announce_mood(const struct announce_status *status)
{
	if (status->failed)
		return MOOD_BAD;
	switch (status->vip.state) {
	case ANNOUNCE_ANNOUNCED:
		return MOOD_GOOD;
	case ANNOUNCE_WAITING:
	case ANNOUNCE_LAST:
		return MOOD_WARN;
	case ANNOUNCE_WITHDRAWN:
		break;
	}
	return MOOD_BAD;
}

/* Why it is as it is; NULL: there is nothing to mention. */
static const char *
announce_why(const struct report_facts *facts, const struct announce_status *status)
{
	const char *reason = announce_reason_text(status->vip.reason);

	if (status->failed)
		return facts->announce.faults[status->group];
	if (status->way == ANNOUNCE_OFF && !status->listened)
		return "announce = off, and no `dsrctl announce` runs";
	return reason[0] != '\0' ? reason : NULL;
}

static void
report_announce_row(struct writer *writer, const struct report_facts *facts, const struct announce_status *status)
{
	const uint64_t changed = status->vip.changed;
	const uint64_t age = changed != 0 && facts->now > changed ? (facts->now - changed) / SECONDS(1) : 0;
	char addr[ADDR_TEXT], since[DURATION_TEXT], services[48];

	(void)snprintf(services, sizeof(services), "%zu of %zu", status->serving, status->services);
	writer_row(writer);
	writer_cell(writer, addr_format(&status->addr, addr));
	writer_cell(writer, facts->model->roles.groups[status->group].name);
	writer_cell(writer, announce_way_name(status->way));
	writer_cell_mood(writer, announce_state_name(status->vip.state), announce_mood(status));
	writer_cell_flag(writer, announce_is_announced(&status->vip) && !status->failed);
	writer_cell(writer, changed != 0 ? text_format_duration(SECONDS(age), since) : NULL);
	if (changed != 0)
		writer_cell_number(writer, age);
	else
		writer_cell(writer, NULL);
	if (status->vip.metric != 0)
		writer_cell_number(writer, status->vip.metric);
	else
		writer_cell(writer, NULL);
	writer_cell(writer, services);
	writer_cell_number(writer, status->services);
	writer_cell_number(writer, status->serving);
	writer_cell_mood(writer, announce_why(facts, status), status->failed ? MOOD_BAD : MOOD_PLAIN);
}

static void
report_announce_drain(struct writer *writer, const struct report_facts *facts)
{
	const struct announce_report *announce = &facts->announce;
	char text[160];

	writer_flag(writer, "draining", announce->drain == ANNOUNCE_DRAINING);
	writer_flag(writer, "quiet", announce->quiet);
	writer_number(writer, "frames_per_second", NULL, announce->frames);
	writer_number(writer, "active_connections", NULL, announce->connections);
	if (announce->drain != ANNOUNCE_DRAINING)
		return;
	(void)snprintf(text, sizeof(text), "%s: %llu frames/s, %llu active connections",
	    announce->quiet ? "no frames arrive any more" : "frames that still arrive are forwarded",
	    (unsigned long long)announce->frames, (unsigned long long)announce->connections);
	writer_fact(writer, "drain_text", "drain", text);
	writer_gap(writer);
}

void
report_announce(struct writer *writer, const struct report_facts *facts)
{
	static const struct column columns[] = { { "vip", "VIP", false }, { "group", "GROUP", false },
		{ "way", "BY", false }, { "state", "STATE", false }, { "announced", NULL, false },
		{ "since", "SINCE", true }, { "since_seconds", NULL, true }, { "metric", "METRIC", true },
		{ "services_text", "SERVICES UP", false }, { "services", NULL, true }, { "services_up", NULL, true },
		{ "reason", "BECAUSE", false } };

	report_announce_drain(writer, facts);
	writer_table(writer, "announcements", NULL, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < facts->announce.count; i++)
		report_announce_row(writer, facts, &facts->announce.list[i]);
	writer_table_end(writer);
}
