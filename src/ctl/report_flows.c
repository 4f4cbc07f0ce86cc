/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/duration.h"
#include "base/text.h"

/* Flows a step looks at: a quarter of a millisecond or so, the time of some dozen frames. */
#define STEP 16384

struct flow_walk *
flow_walk_new(const struct filter *filter, const struct model *model)
{
	struct flow_walk *walk = calloc(1, sizeof(*walk));

	if (walk == NULL)
		return NULL;
	walk->filter = *filter;
	walk->slot_count = model->slot_count;
	walk->kept = calloc(filter->limit + 1, sizeof(*walk->kept));
	walk->spans = calloc(model->slot_count + 1, sizeof(*walk->spans));
	if (walk->kept == NULL || walk->spans == NULL) {
		flow_walk_free(walk);
		return NULL;
	}
	return walk;
}

void
flow_walk_free(struct flow_walk *walk)
{
	if (walk == NULL)
		return;
	free(walk->kept);
	free(walk->spans);
	free(walk);
}

static struct flow_facts
report_flows_facts_of(const struct report_facts *facts, const struct conn *conn)
{
	const struct server *server = model_server(facts->model, conn->server);
	struct flow_facts flow = { .client = conn_key_client(&conn->key), .client_port = conn->key.client_port,
		.port = conn->key.vip_port, .protocol = conn_key_protocol(&conn->key),
		    .state = (enum conn_state)conn->state };

	if (server != NULL) {
		flow.service = server->service->settings.name;
		flow.server = server->settings.name;
		flow.server_addr = &server->settings.addr;
	}
	for (size_t i = 0; i < facts->model->vip_count; i++)
		if (facts->model->vips[i].number == conn_key_vip(&conn->key))
			flow.vip = facts->model->vips[i].addr;
	return flow;
}

struct step {
	struct flow_walk *walk;
	const struct report_facts *facts;
};

static void
report_flows_widen(struct flow_span *span, const struct conn_table *table, const struct conn *conn)
{
	const uint64_t age = conn_age(table, conn), left = conn_left(table, conn);

	if (span->oldest < age)
		span->oldest = age;
	if (span->left < left)
		span->left = left;
}

static void
see_flow(void *context, const struct conn *conn)
{
	const struct step *step = context;
	struct flow_walk *walk = step->walk;
	const struct flow_facts flow = report_flows_facts_of(step->facts, conn);

	if (flow.server != NULL && conn->server.slot < walk->slot_count)
		report_flows_widen(&walk->spans[conn->server.slot], step->facts->forwarder->conns, conn);
	if (!filter_matches(&walk->filter, &flow))
		return;
	walk->matched++;
	walk->active += conn_is_active(flow.state);
	if (walk->kept_count < walk->filter.limit)
		walk->kept[walk->kept_count++] = *conn;
}

bool
flow_walk_step(struct flow_walk *walk, const struct report_facts *facts)
{
	struct step step = { walk, facts };

	walk->at = conn_walk(facts->forwarder->conns, walk->at, STEP, see_flow, &step);
	return walk->at == 0;
}

/* "203.0.113.7:40000", "[2001:db8::7]:40000" */
static void
flow_row(struct writer *writer, const struct report_facts *facts, const struct conn *conn)
{
	const struct conn_table *table = facts->forwarder->conns;
	const struct flow_facts flow = report_flows_facts_of(facts, conn);
	const uint64_t age = conn_age(table, conn), left = conn_left(table, conn);
	char from[ADDR_PORT_TEXT], to[ADDR_PORT_TEXT], name[SERVER_NAME_TEXT], ago[DURATION_TEXT], ends[DURATION_TEXT];

	snprintf(name, sizeof(name), "%s/%s", flow.service, flow.server);
	writer_row(writer);
	writer_cell(writer, protocol_name(flow.protocol));
	writer_cell(writer, addr_format_port(&flow.client, flow.client_port, from));
	writer_cell(writer, addr_is_set(&flow.vip) ? addr_format_port(&flow.vip, flow.port, to) : NULL);
	writer_cell(writer, flow.server == NULL ? NULL : name);
	writer_cell(writer, conn_state_name(flow.state));
	writer_cell(writer, text_format_seconds(age, ago));
	writer_cell_number(writer, age / SECONDS(1));
	writer_cell(writer, text_format_seconds(left, ends));
	writer_cell_number(writer, left / SECONDS(1));
}

void
report_connections(struct writer *writer, const struct report_facts *facts, const struct flow_walk *walk)
{
	static const struct column columns[] = { { "protocol", "PROTO", false }, { "client", "CLIENT", false },
		{ "vip", "VIP", false }, { "server", "SERVER", false }, { "state", "STATE", false },
		{ "age", "AGE", true }, { "age_seconds", NULL, true }, { "left", "EXPIRES IN", true },
		{ "left_seconds", NULL, true } };

	writer_number(writer, "matched", "flows", walk->matched);
	writer_number(writer, "active", "active", walk->active);
	writer_number(writer, "listed", walk->kept_count < walk->matched ? "listed (limit=N for more)" : NULL,
	    walk->kept_count);
	writer_table(writer, "connections", NULL, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < walk->kept_count; i++)
		flow_row(writer, facts, &walk->kept[i]);
	writer_table_end(writer);
}

/* When `drain --timeout` disables the server. */
static void
drain_end_cells(struct writer *writer, const struct admin *admin, uint64_t now)
{
	const bool ends = admin->admin == ADMIN_DRAINED && admin->drain_until > now;
	char text[DURATION_TEXT];

	if (!ends) {
		writer_cell(writer, NULL);
		writer_cell(writer, NULL);
		return;
	}
	writer_cell(writer, text_format_seconds(admin->drain_until - now, text));
	writer_cell_number(writer, (admin->drain_until - now) / SECONDS(1));
}

static void
drain_row(struct writer *writer, const struct report_facts *facts, const struct flow_walk *walk,
    const struct server *server)
{
	const uint32_t left = admin_flows(server);
	const uint64_t estimate = admin_drain_estimate(server, facts->now);
	/* What the walk saw first and what has gone since: no flow, no span. */
	const struct flow_span span = left > 0 && server->ref.slot < walk->slot_count ? walk->spans[server->ref.slot] :
	    (struct flow_span){ 0, 0 };
	char name[SERVER_NAME_TEXT], old[DURATION_TEXT], number[DURATION_TEXT], done[DURATION_TEXT + 8],
	    silent[DURATION_TEXT];

	writer_row(writer);
	writer_cell(writer, server_name(server, name));
	writer_cell(writer, server_state_name(server_state(server)));
	writer_cell_number(writer, left);
	writer_cell_number(writer, server->run->active);
	writer_cell(writer, left > 0 ? text_format_seconds(span.oldest, old) : NULL);
	writer_cell_number(writer, span.oldest / SECONDS(1));
	snprintf(done, sizeof(done), "about %s", text_format_seconds(estimate == UINT64_MAX ? 0 : estimate, number));
	writer_cell_mood(writer, left == 0 ? "now" : estimate == UINT64_MAX ? NULL : done, left == 0 ? MOOD_GOOD :
	    MOOD_PLAIN);
	if (estimate == UINT64_MAX)
		writer_cell(writer, NULL);
	else
		writer_cell_number(writer, (estimate + SECONDS(1) - 1) / SECONDS(1));
	writer_cell(writer, left > 0 ? text_format_seconds(span.left, silent) : NULL);
	writer_cell_number(writer, span.left / SECONDS(1));
	drain_end_cells(writer, &server->admin, facts->now);
}

bool
report_drain(struct writer *writer, const struct report_facts *facts, const struct flow_walk *walk)
{
	static const struct column columns[] = { { "server", "SERVER", false }, { "state", "STATE", false },
		{ "left", "LEFT", true }, { "active", "ACTIVE", true }, { "oldest", "OLDEST", true },
		{ "oldest_seconds", NULL, true }, { "empty", "EMPTY IN", false }, { "empty_in_seconds", NULL, true },
		{ "if_silent", "IF IDLE", true }, { "if_silent_seconds", NULL, true },
		{ "disabled_in", "DISABLED IN", false }, { "disabled_in_seconds", NULL, true } };
	const bool by_name = facts->selection != NULL && facts->selection->count > 0;
	bool done = true;

	writer_table(writer, "drain", NULL, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < facts->model->slot_count; i++) {
		const struct server *server = facts->model->slots[i];

		if (server == NULL || (by_name ? !selection_has(facts->selection, server) :
		    server->admin.admin != ADMIN_DRAINED))
			continue;
		drain_row(writer, facts, walk, server);
		done &= facts->all ? admin_flows(server) == 0 : server->run->active == 0;
	}
	writer_table_end(writer);
	return done;
}
