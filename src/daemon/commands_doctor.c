/* SPDX-License-Identifier: ISC */
/* `dsrctl doctor`: one examination at a time. */
#include "config.h"

#include "daemon/commands_int.h"

#include <string.h>

#include "daemon/doctor_run.h"
#include "daemon/dsrd.h"

void
desk_end_examination(struct desk *desk)
{
	clinic_close(desk->clinic);
	desk->clinic = NULL;
	desk->patient = NULL;
}

/* "web" or "web/web1": is there such? */
static bool
find_patient(const struct model *model, const char *argument, char service[COMMAND_ARGUMENT],
    char server[COMMAND_ARGUMENT])
{
	const size_t length = strcspn(argument, "/");

	snprintf(service, COMMAND_ARGUMENT, "%.*s", (int)length, argument);
	snprintf(server, COMMAND_ARGUMENT, "%s", argument[length] == '/' ? argument + length + 1 : "");
	for (size_t i = 0; i < model->service_count; i++) {
		if (strcmp(model->services[i]->settings.name, service) != 0)
			continue;
		for (size_t j = 0; j < model->services[i]->server_count; j++)
			if (strcmp(model->services[i]->servers[j]->settings.name, server) == 0)
				return true;
		return argument[length] == '\0';
	}
	return false;
}

static enum control_result
begin_examination(struct desk *desk, const struct control_ask *ask, FILE *out)
{
	char service[COMMAND_ARGUMENT] = "", server[COMMAND_ARGUMENT] = "";

	if (desk->clinic != NULL) {
		fputs("another examination is running: try again in a few seconds\n", out);
		return CONTROL_BUSY;
	}
	if (ask->request->argument_count > 0 &&
	    !find_patient(desk->dsrd->director.model, ask->request->arguments[0], service, server)) {
		fprintf(out, "there is no service or server `%s`: dsrctl show lists them, as SERVICE/SERVER\n",
		    ask->request->arguments[0]);
		return CONTROL_UNKNOWN;
	}
	desk->clinic = clinic_open(desk->dsrd, service, server,
	    ask->request->command == COMMAND_DOCTOR_ALL);
	if (desk->clinic == NULL)
		return desk_out_of_memory(out);
	desk->patient = ask->asker;
	return CONTROL_WAIT;
}

enum control_result
desk_examine(struct desk *desk, const struct control_ask *ask, struct writer *writer, FILE *out)
{
	struct report_facts facts;
	bool well = false;

	if (ask->first)
		return begin_examination(desk, ask, out);
	if (desk->clinic == NULL || desk->patient != ask->asker) {
		fputs("the examination was broken off\n", out);
		return CONTROL_REFUSED;
	}
	if (!clinic_step(desk->clinic) && !ask->last)
		return CONTROL_WAIT;
	facts = desk_facts(desk);
	if (clinic_report(desk->clinic, writer, &facts, &well) == -1) {
		desk_end_examination(desk);
		return desk_out_of_memory(out);
	}
	desk_end_examination(desk);
	return well ? CONTROL_DONE : CONTROL_WRONG;
}
