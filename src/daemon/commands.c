/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/log.h"
#include "conf/conf.h"
#include "ctl/report.h"
#include "ctl/report_peers.h"
#include "daemon/announcing.h"
#include "daemon/commands_int.h"
#include "daemon/doctor_run.h"
#include "daemon/loop.h"
#include "daemon/processes.h"
#include "daemon/recording.h"
#include "daemon/stats.h"
#include "daemon/trace.h"
#include "os/os.h"

/* A command reads the facts several times; fetching up to 65 536 flows each time would take milliseconds. */
#define SYNC_EVERY MILLISECONDS(10)

struct report_facts
commands_facts(struct command_server *cmds)
{
	const uint64_t now = clock_us();

	if (now - cmds->synced >= SYNC_EVERY) {
		stats_sync(cmds->parts.sources);
		cmds->synced = now;
	}
	return stats_gather(cmds->parts.sources, cmds->ifaces);
}

enum control_result
commands_out_of_memory(FILE *out)
{
	fputs("out of memory\n", out);
	return CONTROL_REFUSED;
}

/* Do its arguments select what to list? */
static bool
commands_lists(enum command_id command)
{
	return command == COMMAND_SHOW || command == COMMAND_TOP || command == COMMAND_SHOW_HEALTH ||
	    command == COMMAND_SHOW_NEIGHBORS;
}

/* Reports on the state, as far as the arguments select it. */
static enum control_result
commands_report(struct command_server *cmds, const struct control_ask *ask, const struct report_facts *facts,
    struct writer *writer, FILE *out)
{
	static void (*const reports[COMMAND_COUNT])(struct writer *, const struct report_facts *) = {
		[COMMAND_SHOW] = report_show, [COMMAND_TOP] = report_show, [COMMAND_SHOW_HEALTH] = report_health,
		[COMMAND_SHOW_DROPS] = report_drops, [COMMAND_SHOW_NEIGHBORS] = report_neighbors,
		[COMMAND_SHOW_NAMES] = report_names, [COMMAND_SHOW_PEERS] = report_peers,
		[COMMAND_SHOW_ROLES] = report_roles, [COMMAND_SHOW_ANNOUNCE] = report_announce
	};
	const enum command_id command = ask->request->command;
	struct selection selection = { .count = 0 };
	struct report_facts asked = *facts;

	if (commands_lists(command)) {
		const enum control_result selected = commands_select(cmds, ask, COMMAND_NAMES, SELECTION_LIST,
		    &selection, out);

		if (selected != CONTROL_DONE)
			return selected;
		asked.selection = &selection;
		asked.only_problems = commands_option(ask->request, OPTION_PROBLEMS) != NULL;
		asked.all = !ask->request->text || commands_option(ask->request, OPTION_ALL) != NULL;
	}
	reports[command](writer, &asked);
	return asked.only_problems && report_has_problems(&asked) ? CONTROL_WRONG : CONTROL_DONE;
}

/* What no services, peers or interfaces are needed for. */
static enum control_result
commands_report_process(const struct command_server *cmds, enum command_id command, struct writer *writer)
{
	struct report_process list[PROCESSES_MOST];

	if (command == COMMAND_SHOW_RATES)
		report_rates(writer, &cmds->parts.recording->history);
	else if (command == COMMAND_SHOW_PROCESS)
		report_processes(writer, list, processes_gather(cmds->parts.processes, list));
	else
		report_version(writer);
	return CONTROL_DONE;
}

static enum control_result
commands_dispatch(struct command_server *cmds, const struct control_ask *ask, const struct report_facts *facts,
    struct writer *writer, FILE *out)
{
	switch (ask->request->command) {
	case COMMAND_SHOW:
	case COMMAND_TOP:
	case COMMAND_SHOW_HEALTH:
	case COMMAND_SHOW_DROPS:
	case COMMAND_SHOW_NEIGHBORS:
	case COMMAND_SHOW_PEERS:
	case COMMAND_SHOW_NAMES:
	case COMMAND_SHOW_ROLES:
	case COMMAND_SHOW_ANNOUNCE:
		return commands_report(cmds, ask, facts, writer, out);
	case COMMAND_SHOW_RATES:
	case COMMAND_SHOW_PROCESS:
	case COMMAND_VERSION:
		return commands_report_process(cmds, ask->request->command, writer);
	case COMMAND_EVENTS:
		return commands_events(cmds, ask, writer, out);
	case COMMAND_DOCTOR:
	case COMMAND_DOCTOR_ALL:
		return commands_examine(cmds, ask, writer, out);
	case COMMAND_SHOW_CONNECTIONS:
	case COMMAND_SHOW_DRAIN:
	case COMMAND_DRAIN:
		return commands_walk(cmds, ask, writer, out);
	case COMMAND_TRACE:
		return commands_trace(cmds, ask, out);
	case COMMAND_WHY:
		return commands_why(cmds, ask, writer, out);
	case COMMAND_SHOW_CONFIG:
		return commands_config(cmds, writer, out);
	case COMMAND_RELOAD_PLAN:
		return commands_plan(cmds, ask, writer, out);
	case COMMAND_ENABLE:
	case COMMAND_DISABLE:
	case COMMAND_WEIGHT:
	case COMMAND_NEIGHBOR:
		return commands_admin(cmds, ask, writer, out);
	case COMMAND_ROLE:
		return commands_role(cmds, ask, writer, out);
	case COMMAND_READY:
		return commands_ready(cmds, ask, writer, out);
	case COMMAND_DRAIN_DIRECTOR:
	case COMMAND_ENABLE_DIRECTOR:
		return commands_drain_director(cmds, ask, writer, out);
	case COMMAND_ANNOUNCE:
		return commands_announce(cmds, ask, out);
	case COMMAND_RELOAD:
		return commands_reload(cmds, ask, writer, out);
	case COMMAND_STOP:
		return commands_stop(cmds, ask, writer);
	case COMMAND_COUNT:
		break;
	}
	return CONTROL_REFUSED;
}

static enum control_result
commands_run(struct command_server *cmds, const struct control_ask *ask, struct writer *writer, FILE *out)
{
	const struct report_facts facts = commands_facts(cmds);

	if (commands[ask->request->command].changes && !commands_may_change(cmds, ask, out))
		return CONTROL_FORBIDDEN;
	cmds->parts.sources->director->now = facts.now;
	return commands_dispatch(cmds, ask, &facts, writer, out);
}

/* A report is written to memory first: a refusal must not begin with a part of it. */
static enum control_result
commands_answer(void *context, const struct control_ask *ask, FILE *out)
{
	struct command_server *cmds = context;
	char *text = NULL;
	size_t length = 0;
	FILE *page = open_memstream(&text, &length);
	struct writer *writer = NULL;
	enum control_result result;
	int ended = -1;

	if (page != NULL)
		writer = ask->request->text ? writer_text(page, ask->request->colour) : writer_json(page);
	if (writer == NULL) {
		if (page != NULL)
			fclose(page);
		free(text);
		return commands_out_of_memory(out);
	}
	result = commands_run(cmds, ask, writer, out);
	ended = writer_end(writer);
	if (fclose(page) != 0)
		ended = -1;
	if (result == CONTROL_DONE || result == CONTROL_WRONG) {
		if (ended == -1)
			result = commands_out_of_memory(out);
		else
			fwrite(text, 1, length, out);
	}
	free(text);
	return result;
}

static void
commands_gone(void *context, const void *client)
{
	struct command_server *cmds = context;

	if (cmds->requester == client)
		commands_end_examination(cmds);
	if (cmds->planner == client)
		commands_end_plan(cmds);
	commands_end_reload(cmds, client);
	commands_end_walk(cmds, client);
	trace_leave(&cmds->trace, client);
	announcing_leave(cmds->parts.announcing, client);
}

static bool
commands_peer(void *context, int fd, uint32_t *user)
{
	const struct command_server *cmds = context;
	uid_t uid;

	if (os_peer_user(fd, &uid) != 0)
		return false;
	*user = (uint32_t)uid;
	return uid == 0 || uid == cmds->starter;
}

enum exit_status
commands_open(const struct command_parts *parts, struct command_server **cmds)
{
	static const struct control_calls calls = { commands_answer, commands_gone, commands_peer };
	const char *path = parts->conf->control[0] != '\0' ? parts->conf->control : CONF_CONTROL;
	char error[CONTROL_ERROR];
	struct command_server *fresh;
	int number;

	*cmds = NULL;
	if (strcmp(path, "off") == 0)
		return EXIT_OK;
	fresh = calloc(1, sizeof(*fresh));
	if (fresh == NULL) {
		log_error("control result=failed reason=\"out of memory\"");
		return EXIT_SYSTEM;
	}
	fresh->parts = *parts;
	fresh->starter = getuid();
	fresh->control = control_open(loop_base(parts->loop), path, parts->conf->control_group, CONTROL_PATIENCE,
	    &calls,
	    fresh, error);
	if (fresh->control != NULL) {
		*cmds = fresh;
		return EXIT_OK;
	}
	number = errno;
	free(fresh);
	if (number == EADDRINUSE) {
		log_error("control result=failed reason=\"%s\"", error);
		return EXIT_SYSTEM;
	}
	log_warning("control result=failed reason=\"%s: dsrctl cannot reach this director\"", error);
	return EXIT_OK;
}

bool
commands_take_frame(struct command_server *cmds, struct frame *frame, uint64_t when)
{
	struct director *director;

	if (cmds == NULL)
		return false;
	if (cmds->doctor_run != NULL)
		doctor_run_hear(cmds->doctor_run, frame);
	if (cmds->trace == NULL)
		return false;
	director = cmds->parts.sources->director;
	trace_forward(cmds->trace, cmds->control, &director->forwarder, frame, director->now, when);
	return true;
}

void
commands_tick(struct command_server *cmds)
{
	if (cmds != NULL)
		trace_tick(cmds->trace, cmds->control);
	/* By now the answer has been sent. */
	if (cmds != NULL && cmds->stops && --cmds->stops == 0)
		announcing_stop(cmds->parts.announcing, cmds->parts.loop, clock_us());
}

void
commands_close(struct command_server *cmds)
{
	if (cmds == NULL)
		return;
	control_close(cmds->control);
	commands_end_examination(cmds);
	commands_end_plan(cmds);
	commands_end_reloads(cmds);
	free(cmds);
}
