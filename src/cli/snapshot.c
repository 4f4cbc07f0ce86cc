/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "cli/snapshot.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "cli/json_read.h"

/* A member of a row, and where it goes. */
struct member {
	const char *table;
	const char *name;
	size_t offset;
	size_t size; /* of a text; 0: a number */
};

#define TEXT(table, name, field) { table, name, offsetof(struct top_line, field), sizeof(((struct top_line *)NULL)->field) }
#define NUMBER(table, name, field) { table, name, offsetof(struct top_line, field), 0 }
#define RATES(table) \
	NUMBER(table, "connections_per_second", connections), NUMBER(table, "packets_per_second", packets), \
	NUMBER(table, "in_bytes_per_second", in), NUMBER(table, "out_bytes_per_second", out)

static const struct member members[] = {
	TEXT("services", "service", name), TEXT("services", "state", state), TEXT("services", "scheduler", scheduler),
	NUMBER("services", "servers_up", servers_up), NUMBER("services", "servers", servers), RATES("services"),
	TEXT("servers", "server", name), TEXT("servers", "state", state), TEXT("servers", "why", why),
	NUMBER("servers", "weight", weight), NUMBER("servers", "active", active), NUMBER("servers", "inactive", inactive),
	NUMBER("traffic", "handshake_microseconds", handshake), RATES("traffic"),
};

static uint64_t
number_of(const char *value)
{
	uint64_t number = 0;

	return value == NULL || text_number(value, 0, UINT64_MAX, &number) == -1 ? 0 : number;
}

/* The row with that number, made when it is the next one. */
static struct top_line *
row_at(struct snapshot *snapshot, struct top_lines *lines, size_t row)
{
	if (row > lines->count)
		return NULL;
	if (row == lines->room) {
		const size_t room = lines->room == 0 ? 16 : lines->room * 2;
		struct top_line *rows = realloc(lines->rows, room * sizeof(*rows));

		if (rows == NULL) {
			snapshot->failed = true;
			return NULL;
		}
		lines->rows = rows;
		lines->room = room;
	}
	if (row == lines->count)
		memset(&lines->rows[lines->count++], 0, sizeof(*lines->rows));
	return &lines->rows[row];
}

static void
take_member(struct snapshot *snapshot, const struct member *member, size_t row, const char *value)
{
	struct top_lines *lines = strcmp(member->table, "services") == 0 ? &snapshot->services : &snapshot->servers;
	struct top_line *line = row_at(snapshot, lines, row);
	char *field;

	if (line == NULL)
		return;
	field = (char *)line + member->offset;
	if (member->size != 0) {
		snprintf(field, member->size, "%s", value == NULL ? "" : value);
	} else {
		const uint64_t number = number_of(value);

		memcpy(field, &number, sizeof(number));
	}
}

static void
take_fact(struct snapshot *snapshot, const char *name, const char *value)
{
	if (strcmp(name, "version") == 0)
		snprintf(snapshot->version, sizeof(snapshot->version), "%s", value == NULL ? "" : value);
	else if (strcmp(name, "uptime_seconds") == 0)
		snapshot->uptime = number_of(value);
	else if (strcmp(name, "flows") == 0)
		snapshot->flows = number_of(value);
	else if (strcmp(name, "flow_capacity") == 0)
		snapshot->flow_capacity = number_of(value);
	else if (strcmp(name, "observe") == 0)
		snapshot->observe = value != NULL && strcmp(value, "true") == 0;
}

static void
take_value(void *context, const char *table, size_t row, const char *name, const char *value)
{
	struct snapshot *snapshot = context;

	if (*table == '\0')
		take_fact(snapshot, name, value);
	if (strcmp(table, "drops") == 0 && strcmp(name, "frames") == 0)
		snapshot->dropped += number_of(value);
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (strcmp(members[i].table, table) == 0 && strcmp(members[i].name, name) == 0)
			take_member(snapshot, &members[i], row, value);
}

int
snapshot_read(struct snapshot *snapshot, const char *json, size_t length)
{
	memset(snapshot, 0, sizeof(*snapshot));
	return json_read(json, length, take_value, snapshot) == 0 && !snapshot->failed ? 0 : -1;
}

void
snapshot_clear(struct snapshot *snapshot)
{
	free(snapshot->services.rows);
	free(snapshot->servers.rows);
	memset(snapshot, 0, sizeof(*snapshot));
}

/* What there is most of stands first. */
static uint64_t
rank_of(const struct top_line *line, enum snapshot_order order)
{
	switch (order) {
	case ORDER_OUT:
		return line->out;
	case ORDER_CONNECTIONS:
		return line->connections;
	case ORDER_ACTIVE:
		return line->active;
	case ORDER_HANDSHAKE:
		return line->handshake;
	case ORDER_STATE:
		return strcmp(line->state, "up") != 0;
	case ORDER_FILE:
	case ORDER_COUNT:
		break;
	}
	return 0;
}

/* By insertion: a screenful or some hundred, once a second, which are in order already but for a few. */
void
snapshot_sort(struct snapshot *snapshot, enum snapshot_order order)
{
	struct top_lines *lines = &snapshot->servers;

	for (size_t i = 1; i < lines->count; i++) {
		const struct top_line line = lines->rows[i];
		size_t at = i;

		for (; at > 0 && rank_of(&lines->rows[at - 1], order) < rank_of(&line, order); at--)
			lines->rows[at] = lines->rows[at - 1];
		lines->rows[at] = line;
	}
}

const char *
snapshot_order_name(enum snapshot_order order)
{
	static const char *const names[ORDER_COUNT] = { "as configured", "out", "connections a second", "active",
		"handshake", "state" };

	return order < ORDER_COUNT ? names[order] : "?";
}
