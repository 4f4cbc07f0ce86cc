/* SPDX-License-Identifier: ISC */
/* Commands that look through the flow table: a slice of it, then frames have their turn, then the next slice. */
#include "config.h"

#include "daemon/commands_int.h"

#include <string.h>

#include "base/attr.h"
#include "daemon/dsrd.h"

static struct desk_walk *
find_walk(struct desk *desk, const void *asker)
{
	for (size_t i = 0; i < CONTROL_CONNECTIONS; i++)
		if (desk->walks[i].asker == asker)
			return &desk->walks[i];
	return NULL;
}

void
desk_end_walk(struct desk *desk, const void *asker)
{
	struct desk_walk *walk = find_walk(desk, asker);

	if (walk == NULL)
		return;
	flow_walk_free(walk->walk);
	memset(walk, 0, sizeof(*walk));
}

/* What is looked for; the drain commands count themselves. */
static int
make_filter(const struct control_ask *ask, struct filter *filter, FILE *out)
{
	const struct http_request *request = ask->request;
	const char *words[COMMAND_ARGUMENTS] = { NULL };
	const size_t count = request->command == COMMAND_SHOW_CONNECTIONS ? request->argument_count : 0;
	char error[FILTER_ERROR];

	for (size_t i = 0; i < count; i++)
		words[i] = request->arguments[i];
	if (filter_parse(words, count, FILTER_FLOWS, filter, error) == 0)
		return 0;
	fprintf(out, "%s\n", error);
	return -1;
}

static enum control_result
begin(struct desk *desk, const struct control_ask *ask, FILE *out)
{
	struct desk_walk *place = find_walk(desk, NULL);
	enum control_result result;
	struct filter filter;

	if (ask->request->command == COMMAND_DRAIN) {
		result = desk_drain(desk, ask, out);
		if (result != CONTROL_DONE)
			return result;
	} else if (ask->request->command == COMMAND_SHOW_DRAIN && ask->request->argument_count > 0 &&
	    desk_server(desk, ask, out) == NULL) {
		return CONTROL_REFUSED;
	}
	if (make_filter(ask, &filter, out) == -1)
		return CONTROL_REFUSED;
	/* As many places as there are connections: one is free. */
	if (place == NULL)
		return CONTROL_BUSY;
	place->walk = flow_walk_new(&filter, desk->dsrd->director.model);
	if (place->walk == NULL)
		return desk_out_of_memory(out);
	place->asker = ask->asker;
	return CONTROL_MORE;
}

static enum control_result
report(struct desk *desk, const struct control_ask *ask, const struct flow_walk *walk, struct writer *writer, FILE *out)
{
	const struct report_facts facts = desk_facts(desk);
	const struct server *server = NULL;
	bool empty;

	if (ask->request->command == COMMAND_SHOW_CONNECTIONS) {
		report_connections(writer, &facts, walk);
		return CONTROL_DONE;
	}
	if (ask->request->argument_count > 0) {
		server = desk_server(desk, ask, out);
		if (server == NULL)
			return CONTROL_REFUSED;
	}
	empty = report_drain(writer, &facts, walk, server);
	return empty || ask->request->command == COMMAND_DRAIN ? CONTROL_DONE : CONTROL_WRONG;
}

enum control_result
desk_walk(struct desk *desk, const struct control_ask *ask, struct writer *writer, FILE *out)
{
	struct report_facts facts;
	struct desk_walk *walk;
	enum control_result result;

	if (ask->first)
		return begin(desk, ask, out);
	walk = find_walk(desk, ask->asker);
	if (walk == NULL)
		return desk_out_of_memory(out);
	facts = desk_facts(desk);
	if (!flow_walk_step(walk->walk, &facts))
		return CONTROL_MORE;
	result = report(desk, ask, walk->walk, writer, out);
	desk_end_walk(desk, ask->asker);
	return result;
}
