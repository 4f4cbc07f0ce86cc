/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "cli/snapshot.h"

#include <fnmatch.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
	NUMBER("servers", "weight", weight), NUMBER("servers", "active", active),
	    NUMBER("servers", "inactive", inactive),
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
	if (row == lines->count) {
		memset(&lines->rows[row], 0, sizeof(*lines->rows));
		lines->rows[row].position = row;
		lines->count++;
	}
	return &lines->rows[row];
}

static void
snapshot_take_member(struct snapshot *snapshot, const struct member *member, size_t row, const char *value)
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
			snapshot_take_member(snapshot, &members[i], row, value);
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

/* Is `part` in the text, whatever the case? */
static bool
snapshot_contains(const char *text, const char *part)
{
	const size_t length = strlen(part);

	for (; *text != '\0'; text++)
		if (strncasecmp(text, part, length) == 0)
			return true;
	return length == 0;
}

static void
filter_lines(struct top_lines *lines, const char *filter)
{
	const bool is_pattern = strpbrk(filter, "*?") != NULL;

	lines->shown = 0;
	for (size_t i = 0; i < lines->count; i++) {
		struct top_line *line = &lines->rows[i];

		line->hidden = is_pattern ? fnmatch(filter, line->name, 0) != 0 :
		    !snapshot_contains(line->name, filter) && !snapshot_contains(line->state, filter) &&
		    !snapshot_contains(line->why, filter);
		lines->shown += !line->hidden;
	}
}

static int
compare_lines(const struct top_line *a, const struct top_line *b, enum snapshot_order order)
{
	const uint64_t rank_a = rank_of(a, order), rank_b = rank_of(b, order);

	if (a->hidden != b->hidden)
		return a->hidden ? 1 : -1;
	return rank_a != rank_b ? (rank_a > rank_b ? -1 : 1) :
	    a->position < b->position ? -1 : a->position > b->position;
}

#define COMPARE(name, order) \
	static int \
	compare_by_ ## name(const void *a, const void *b) \
	{ \
		return compare_lines(a, b, order); \
	}

COMPARE(file, ORDER_FILE)
COMPARE(out, ORDER_OUT)
COMPARE(connections, ORDER_CONNECTIONS)
COMPARE(active, ORDER_ACTIVE)
COMPARE(handshake, ORDER_HANDSHAKE)
COMPARE(state, ORDER_STATE)

void
snapshot_arrange(struct snapshot *snapshot, const struct snapshot_arrangement *arrangement)
{
	static int (*const compare[ORDER_COUNT])(const void *, const void *) = { compare_by_file, compare_by_out,
		compare_by_connections, compare_by_active, compare_by_handshake, compare_by_state };
	struct top_lines *servers = &snapshot->servers, *services = &snapshot->services;

	filter_lines(servers, arrangement->filter);
	filter_lines(services, arrangement->filter);
	if (services->count > 0)
		qsort(services->rows, services->count, sizeof(*services->rows), compare_by_state);
	if (servers->count > 0)
		qsort(servers->rows, servers->count, sizeof(*servers->rows), compare[arrangement->order]);
	for (size_t i = 0; arrangement->reversed && i < servers->shown / 2; i++) {
		const struct top_line line = servers->rows[i];

		servers->rows[i] = servers->rows[servers->shown - 1 - i];
		servers->rows[servers->shown - 1 - i] = line;
	}
}

const char *
snapshot_order_name(enum snapshot_order order)
{
	static const char *const names[ORDER_COUNT] = { "as configured", "out", "connections", "active",
		"handshake", "state" };

	return order < ORDER_COUNT ? names[order] : "?";
}
