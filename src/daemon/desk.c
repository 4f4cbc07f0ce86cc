/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/desk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ctl/control.h"
#include "ctl/report.h"
#include "daemon/clinic.h"
#include "daemon/dsrd.h"
#include "daemon/loop.h"

#define DEFAULT_SOCKET RUNSTATEDIR "/dsrd.sock"

struct desk {
	struct dsrd *dsrd;
	struct control *control;
	uint64_t started;
	struct clinic *clinic;  /* while the doctor is at work */
	const void *patient;    /* who asked for that */
	struct report_iface ifaces[IFACES_MOST];
};

static struct report_facts
gather(struct desk *desk)
{
	const struct dsrd *dsrd = desk->dsrd;
	const struct director *director = &dsrd->director;

	for (size_t i = 0; i < director->iface_count; i++) {
		struct receiver_stats received;
		struct sender_stats sent;

		attachment_stats(&dsrd->attachments[i], &received, &sent);
		desk->ifaces[i] = (struct report_iface){ &director->ifaces[i],
		    attachment_is_open(&dsrd->attachments[i]),
			received.received, received.dropped, sent.sent, sent.failed };
	}
	return (struct report_facts){ .now = dsrd_clock(), .started = desk->started, .reloads = dsrd->reloads,
		.observe = dsrd->options->observe, .model = director->model, .forwarder = &director->forwarder,
		.ifaces = desk->ifaces, .iface_count = director->iface_count };
}

static enum control_result
out_of_memory(FILE *out)
{
	fputs("out of memory\n", out);
	return CONTROL_REFUSED;
}

static void
end_examination(struct desk *desk)
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
		fputs("the doctor is at work for somebody else: try again in some seconds\n", out);
		return CONTROL_BUSY;
	}
	if (ask->request->argument_count > 0 &&
	    !find_patient(desk->dsrd->director.model, ask->request->arguments[0], service, server)) {
		fprintf(out, "there is no service or server `%s`: dsrctl show lists them, as SERVICE/SERVER\n",
		    ask->request->arguments[0]);
		return CONTROL_REFUSED;
	}
	desk->clinic = clinic_open(desk->dsrd, service, server);
	if (desk->clinic == NULL)
		return out_of_memory(out);
	desk->patient = ask->asker;
	return CONTROL_WAIT;
}

static enum control_result
examine(struct desk *desk, const struct control_ask *ask, struct writer *writer, FILE *out)
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
	facts = gather(desk);
	if (clinic_report(desk->clinic, writer, &facts, &well) == -1) {
		end_examination(desk);
		return out_of_memory(out);
	}
	end_examination(desk);
	return well ? CONTROL_DONE : CONTROL_WRONG;
}

static enum control_result
run(struct desk *desk, const struct control_ask *ask, struct writer *writer, FILE *out)
{
	const struct report_facts facts = gather(desk);

	switch (ask->request->command) {
	case COMMAND_SHOW:
		report_show(writer, &facts);
		break;
	case COMMAND_SHOW_HEALTH:
		report_health(writer, &facts);
		break;
	case COMMAND_SHOW_DROPS:
		report_drops(writer, &facts);
		break;
	case COMMAND_SHOW_NEIGHBORS:
		report_neighbors(writer, &facts);
		break;
	case COMMAND_DOCTOR:
		return examine(desk, ask, writer, out);
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
		return out_of_memory(out);
	}
	result = run(desk, ask, writer, out);
	ended = writer_end(writer);
	if (fclose(page) != 0)
		ended = -1;
	if (result == CONTROL_DONE || result == CONTROL_WRONG) {
		if (ended == -1)
			result = out_of_memory(out);
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
		end_examination(desk);
}

enum exit_status
desk_open(struct dsrd *dsrd, struct desk **desk)
{
	static const struct control_calls calls = { answer, gone };
	const char *path = dsrd->conf.control[0] != '\0' ? dsrd->conf.control : DEFAULT_SOCKET;
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
	fresh->started = dsrd_clock();
	fresh->control = control_open(loop_base(dsrd->loop), path, dsrd->conf.control_group, &calls, fresh, error);
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
desk_close(struct desk *desk)
{
	if (desk == NULL)
		return;
	control_close(desk->control);
	end_examination(desk);
	free(desk);
}
