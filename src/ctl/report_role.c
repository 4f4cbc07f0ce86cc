/* SPDX-License-Identifier: ISC */
/* The director's roles, as people and programs read them. */
#include "config.h"

#include "ctl/report.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/duration.h"
#include "base/text.h"

static bool
report_has_roles(const struct report_facts *facts)
{
	for (size_t i = 0; i < facts->role_count; i++)
		if (facts->roles[i].given)
			return true;
	return false;
}

static enum mood
role_mood(const struct role_status *status)
{
	switch (status->role.state) {
	case ROLE_ACTIVE:
		return MOOD_GOOD;
	case ROLE_STANDBY:
	case ROLE_LINGERING:
		return status->ready ? MOOD_PLAIN : MOOD_WARN;
	case ROLE_STARTING:
	case ROLE_WARMING:
	case ROLE_YIELDED:
	case ROLE_OBSERVE:
	case ROLE_STATE_COUNT:
		break;
	}
	return MOOD_WARN;
}

static void
report_role_row(struct writer *writer, const struct report_facts *facts, const struct role_status *status)
{
	const uint64_t age = facts->now > status->since ? (facts->now - status->since) / SECONDS(1) : 0;
	char since[DURATION_TEXT], mac[MAC_TEXT];

	writer_row(writer);
	writer_cell(writer, status->name);
	writer_cell_mood(writer, role_name(status->role.state), role_mood(status));
	writer_cell(writer, text_format_duration(SECONDS(age), since));
	writer_cell_number(writer, age);
	writer_cell_flag(writer, status->ready);
	writer_cell_mood(writer, status->ready ? "yes" : status->unready, status->ready ? MOOD_GOOD : MOOD_WARN);
	writer_cell(writer, status->source);
	writer_cell(writer, status->reason);
	writer_cell(writer, role_meaning(status->role.state));
	writer_cell_mood(writer, mac_is_zero(&status->rival) ? NULL : mac_format(&status->rival, mac), MOOD_WARN);
}

void
report_roles(struct writer *writer, const struct report_facts *facts)
{
	static const struct column columns[] = { { "group", "GROUP", false }, { "role", "ROLE", false },
		{ "since", "SINCE", true }, { "since_seconds", NULL, true }, { "ready", NULL, false },
		{ "ready_text", "READY", false }, { "source", "SOURCE", false }, { "reason", "BECAUSE", false },
		{ "meaning", NULL, false }, { "rival", "ALSO ACTIVE", false } };

	writer_table(writer, "roles", NULL, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < facts->role_count && report_has_roles(facts); i++)
		if (facts->roles[i].used)
			report_role_row(writer, facts, &facts->roles[i]);
	writer_table_end(writer);
}

bool
report_ready(struct writer *writer, const struct report_facts *facts, const char *group)
{
	char text[ROLE_GROUPS * ROLE_GROUP + ROLE_REASON] = "";
	bool ready = true;
	size_t used = 0;

	for (size_t i = 0; i < facts->role_count && ready; i++) {
		const struct role_status *status = &facts->roles[i];

		if (group == NULL ? !status->used : strcmp(status->name, group) != 0)
			continue;
		ready = status->ready;
		if (!ready)
			used = 0;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s%s%s", used == 0 ? "" : " ",
		    status->name,
		    ready ? "" : ": ", status->unready);
	}
	writer_flag(writer, "ready", ready);
	writer_fact(writer, "ready_text", ready ? "ready" : "not ready", text);
	return ready;
}

void
report_roles_alive(FILE *out, const struct report_facts *facts)
{
	for (size_t i = 0; i < facts->role_count && report_has_roles(facts); i++)
		if (facts->roles[i].used)
			fprintf(out, "group %s: %s\n", facts->roles[i].name, role_name(facts->roles[i].role.state));
}
