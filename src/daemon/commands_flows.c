/* SPDX-License-Identifier: ISC */
/* Commands that look through the flow table: a slice of it, then frames have their turn, then the next slice. */
#include "config.h"

#include "daemon/commands_int.h"

#include <string.h>

#include "base/attr.h"
#include "daemon/stats.h"

static struct commands_walk *
commands_find_walk(struct command_server *cmds, const void *client)
{
	for (size_t i = 0; i < CONTROL_CONNECTIONS; i++)
		if (cmds->walks[i].client == client)
			return &cmds->walks[i];
	return NULL;
}

void
commands_end_walk(struct command_server *cmds, const void *client)
{
	struct commands_walk *walk = commands_find_walk(cmds, client);

	if (walk == NULL)
		return;
	flow_walk_free(walk->walk);
	memset(walk, 0, sizeof(*walk));
}

static enum control_result
commands_begin_walk(struct command_server *cmds, const struct control_ask *ask, FILE *out)
{
	struct commands_walk *place = commands_find_walk(cmds, NULL);
	struct selection selection;
	enum control_result result;
	struct filter filter;

	if (ask->request->command == COMMAND_DRAIN) {
		result = commands_drain(cmds, ask, out);
		if (result != CONTROL_DONE)
			return result;
	} else if (ask->request->command == COMMAND_SHOW_DRAIN) {
		result = commands_select(cmds, ask, COMMAND_ARGUMENTS, SELECTION_LIST, &selection, out);
		if (result != CONTROL_DONE)
			return result;
	}
	/* The drain commands count themselves. */
	result = commands_filter(cmds, ask, ask->request->command == COMMAND_SHOW_CONNECTIONS ? 0 : COMMAND_ARGUMENTS,
	    FILTER_FLOWS,
	    &filter, out);
	if (result != CONTROL_DONE)
		return result;
	/* There are as many entries as connections: one is free. */
	if (place == NULL)
		return CONTROL_BUSY;
	place->walk = flow_walk_new(&filter, cmds->parts.sources->director->model);
	if (place->walk == NULL)
		return commands_out_of_memory(out);
	place->client = ask->client;
	return CONTROL_MORE;
}

static enum control_result
commands_report_walk(struct command_server *cmds, const struct control_ask *ask, const struct flow_walk *walk,
    struct writer *writer, FILE *out)
{
	struct report_facts facts = commands_facts(cmds);
	const bool drains = ask->request->command == COMMAND_DRAIN;
	struct selection selection;
	enum control_result result;

	if (ask->request->command == COMMAND_SHOW_CONNECTIONS) {
		report_connections(writer, &facts, walk);
		return CONTROL_DONE;
	}
	result = commands_select(cmds, ask, COMMAND_ARGUMENTS, drains ? SELECTION_CHANGE : SELECTION_LIST, &selection,
	    out);
	if (result != CONTROL_DONE)
		return result;
	facts.selection = &selection;
	facts.all = commands_option(ask->request, OPTION_EMPTY) != NULL;
	return report_drain(writer, &facts, walk) || drains ? CONTROL_DONE : CONTROL_WRONG;
}

enum control_result
commands_walk(struct command_server *cmds, const struct control_ask *ask, struct writer *writer, FILE *out)
{
	struct report_facts facts;
	struct commands_walk *walk;
	enum control_result result;

	if (ask->first)
		return commands_begin_walk(cmds, ask, out);
	walk = commands_find_walk(cmds, ask->client);
	if (walk == NULL)
		return commands_out_of_memory(out);
	facts = commands_facts(cmds);
	if (!flow_walk_step(walk->walk, &facts))
		return CONTROL_MORE;
	result = commands_report_walk(cmds, ask, walk->walk, writer, out);
	commands_end_walk(cmds, ask->client);
	return result;
}
