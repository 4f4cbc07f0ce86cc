/* SPDX-License-Identifier: ISC */
/* `dsrctl doctor`: one examination at a time. */
#include "config.h"

#include "daemon/commands_int.h"

#include <string.h>

#include "daemon/doctor_run.h"
#include "daemon/loop.h"
#include "daemon/stats.h"

void
commands_end_examination(struct command_server *cmds)
{
	doctor_run_close(cmds->doctor_run);
	cmds->doctor_run = NULL;
	cmds->requester = NULL;
}

static enum control_result
commands_begin_examination(struct command_server *cmds, const struct control_ask *ask, FILE *out)
{
	const struct doctor_run_parts parts = { cmds->parts.sources, cmds->parts.interfaces, cmds->parts.burst,
		loop_base(cmds->parts.loop) };
	struct selection selection;
	enum control_result result;

	if (cmds->doctor_run != NULL) {
		fputs("another examination is running: try again in a few seconds\n", out);
		return CONTROL_BUSY;
	}
	result = commands_select(cmds, ask, COMMAND_NAMES, SELECTION_LIST, &selection, out);
	if (result != CONTROL_DONE)
		return result;
	cmds->doctor_run = doctor_run_open(&parts, &selection, ask->request->command == COMMAND_DOCTOR_ALL);
	if (cmds->doctor_run == NULL)
		return commands_out_of_memory(out);
	cmds->requester = ask->client;
	return CONTROL_WAIT;
}

enum control_result
commands_examine(struct command_server *cmds, const struct control_ask *ask, struct writer *writer, FILE *out)
{
	struct report_facts facts;
	bool well = false;

	if (ask->first)
		return commands_begin_examination(cmds, ask, out);
	if (cmds->doctor_run == NULL || cmds->requester != ask->client) {
		fputs("the examination was broken off\n", out);
		return CONTROL_REFUSED;
	}
	if (!doctor_run_step(cmds->doctor_run) && !ask->last)
		return CONTROL_WAIT;
	facts = commands_facts(cmds);
	if (doctor_run_report(cmds->doctor_run, writer, &facts, &well) == -1) {
		commands_end_examination(cmds);
		return commands_out_of_memory(out);
	}
	commands_end_examination(cmds);
	return well ? CONTROL_DONE : CONTROL_WRONG;
}
