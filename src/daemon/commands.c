/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/duration.h"
#include "base/log.h"
#include "ctl/report_events.h"
#include "daemon/commands_int.h"
#include "daemon/doctor_run.h"
#include "daemon/dsrd.h"
#include "daemon/facts.h"
#include "daemon/loop.h"
#include "daemon/offloading.h"
#include "daemon/trace.h"

/* One command looks at the facts more than once; to fetch up to 65 536 flows each time would take milliseconds. */
#define SYNC_EVERY MILLISECONDS(10)

struct report_facts
desk_facts(struct desk *desk)
{
	const uint64_t now = dsrd_clock();

	if (now - desk->synced >= SYNC_EVERY) {
		carrying_sync(desk->dsrd);
		desk->synced = now;
	}
	return facts_gather(desk->dsrd, desk->ifaces);
}

enum control_result
desk_out_of_memory(FILE *out)
{
	fputs("out of memory\n", out);
	return CONTROL_REFUSED;
}

/* Do its arguments say what is to be listed? */
static bool
desk_lists(enum command_id command)
{
	return command == COMMAND_SHOW || command == COMMAND_TOP || command == COMMAND_SHOW_HEALTH ||
	    command == COMMAND_SHOW_NEIGHBORS;
}

static enum control_result
run(struct desk *desk, const struct control_ask *ask, struct writer *writer, FILE *out)
{
	struct report_facts facts = desk_facts(desk);
	struct selection selection = { .count = 0 };

	if (commands[ask->request->command].changes && !desk_may_change(desk, ask, out))
		return CONTROL_FORBIDDEN;
	if (desk_lists(ask->request->command)) {
		const enum control_result selected = desk_select(desk, ask, COMMAND_NAMES, SELECTION_LIST, &selection, out);

		if (selected != CONTROL_DONE)
			return selected;
		facts.selection = &selection;
		facts.only_problems = desk_option(ask->request, OPTION_PROBLEMS) != NULL;
		facts.all = !ask->request->text || desk_option(ask->request, OPTION_ALL) != NULL;
	}
	desk->dsrd->director.now = facts.now;
	switch (ask->request->command) {
	case COMMAND_SHOW:
	case COMMAND_TOP:
		report_show(writer, &facts);
		return facts.only_problems && report_has_problems(&facts) ? CONTROL_WRONG : CONTROL_DONE;
	case COMMAND_SHOW_HEALTH:
		report_health(writer, &facts);
		break;
	case COMMAND_SHOW_DROPS:
		report_drops(writer, &facts);
		break;
	case COMMAND_SHOW_NEIGHBORS:
		report_neighbors(writer, &facts);
		break;
	case COMMAND_SHOW_NAMES:
		report_names(writer, &facts);
		break;
	case COMMAND_SHOW_RATES:
		report_rates(writer, &desk->dsrd->recording.history);
		break;
	case COMMAND_EVENTS:
		return desk_events(desk, ask, writer, out);
	case COMMAND_DOCTOR:
	case COMMAND_DOCTOR_ALL:
		return desk_examine(desk, ask, writer, out);
	case COMMAND_SHOW_CONNECTIONS:
	case COMMAND_SHOW_DRAIN:
	case COMMAND_DRAIN:
		return desk_walk(desk, ask, writer, out);
	case COMMAND_TRACE:
		return desk_trace(desk, ask, out);
	case COMMAND_WHY:
		return desk_why(desk, ask, writer, out);
	case COMMAND_SHOW_CONFIG:
		return desk_config(desk, writer, out);
	case COMMAND_RELOAD_PLAN:
		return desk_plan(desk, ask, writer, out);
	case COMMAND_ENABLE:
	case COMMAND_DISABLE:
	case COMMAND_WEIGHT:
		return desk_steer(desk, ask, writer, out);
	case COMMAND_RELOAD:
		return desk_reload(desk, ask, writer, out);
	case COMMAND_STOP:
		return desk_stop(desk, ask, writer);
	case COMMAND_VERSION:
		report_version(writer);
		break;
	case COMMAND_COUNT:
		return CONTROL_REFUSED;
	}
	return CONTROL_DONE;
}

/* A report goes to memory of its own first: a refusal, or nothing yet, must not begin as one. */
static enum control_result
answer(void *context, const struct control_ask *ask, FILE *out)
{
	struct desk *desk = context;
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
		return desk_out_of_memory(out);
	}
	result = run(desk, ask, writer, out);
	ended = writer_end(writer);
	if (fclose(page) != 0)
		ended = -1;
	if (result == CONTROL_DONE || result == CONTROL_WRONG) {
		if (ended == -1)
			result = desk_out_of_memory(out);
		else
			fwrite(text, 1, length, out);
	}
	free(text);
	return result;
}

static void
gone(void *context, const void *asker)
{
	struct desk *desk = context;

	if (desk->patient == asker)
		desk_end_examination(desk);
	if (desk->planner == asker)
		desk_end_plan(desk);
	desk_end_walk(desk, asker);
	trace_leave(&desk->dsrd->trace, asker);
}

enum exit_status
desk_open(struct dsrd *dsrd, struct desk **desk)
{
	static const struct control_calls calls = { answer, gone };
	const char *path = dsrd->conf.control[0] != '\0' ? dsrd->conf.control : CONF_CONTROL;
	char error[CONTROL_ERROR];
	struct desk *fresh;
	int number;

	*desk = NULL;
	if (strcmp(path, "off") == 0)
		return EXIT_OK;
	fresh = calloc(1, sizeof(*fresh));
	if (fresh == NULL) {
		log_error("control result=failed reason=\"out of memory\"");
		return EXIT_SYSTEM;
	}
	fresh->dsrd = dsrd;
	fresh->starter = getuid();
	fresh->control = control_open(loop_base(dsrd->loop), path, dsrd->conf.control_group, CONTROL_PATIENCE, &calls,
	    fresh, error);
	if (fresh->control != NULL) {
		*desk = fresh;
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

void
desk_hear(struct desk *desk, const struct frame *frame)
{
	if (desk != NULL && desk->clinic != NULL)
		clinic_hear(desk->clinic, frame);
}

void
desk_tick(struct desk *desk)
{
	if (desk != NULL)
		trace_tick(desk->dsrd->trace, desk->control);
	/* By now the answer is out. */
	if (desk != NULL && desk->stops && --desk->stops == 0)
		loop_stop(desk->dsrd->loop);
}

void
desk_close(struct desk *desk)
{
	if (desk == NULL)
		return;
	control_close(desk->control);
	desk_end_examination(desk);
	desk_end_plan(desk);
	free(desk);
}
