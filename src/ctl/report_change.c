/* SPDX-License-Identifier: ISC */
#include "config.h"


#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/duration.h"
#include "base/text.h"
#include "conf/conf.h"
#include "ctl/report.h"

const char *
report_difference(const struct server *server, char text[DIFFERENCE_TEXT])
{
	const struct admin *admin = &server->admin;
	char weight[DIFFERENCE_TEXT / 2] = "", author[AUTHOR_TEXT];

	if (!admin_differs(server))
		return NULL;
	if (admin->weighted)
		snprintf(weight, sizeof(weight), "weight %" PRIu32 " %s, the file says %" PRIu32, admin->weight,
		    admin_author_text(&admin->weight_by, author), server->settings.weight);
	if (admin->admin == ADMIN_ENABLED)
		snprintf(text, DIFFERENCE_TEXT, "%s", weight);
	else
		snprintf(text, DIFFERENCE_TEXT, "%s %s%s%s", admin_state_name(admin->admin),
		    admin_author_text(&admin->admin_by, author), admin->weighted ? "; " : "", weight);
	return text;
}

static void
report_admin_row(struct writer *writer, const struct server *server, bool changed)
{
	char name[SERVER_NAME_TEXT], difference[DIFFERENCE_TEXT];

	writer_row(writer);
	writer_cell(writer, server_name(server, name));
	writer_cell(writer, server_state_name(server_state(server)));
	writer_cell_flag(writer, changed);
	writer_cell_number(writer, admin_given_weight(server));
	writer_cell_number(writer, server->run->active);
	writer_cell_number(writer, admin_flows(server));
	writer_cell(writer, report_difference(server, difference));
}

void
report_admin(struct writer *writer, const struct report_facts *facts, const bool *changed)
{
	static const struct column columns[] = { { "server", "SERVER", false }, { "state", "STATE", false },
		{ "changed", "CHANGED", false }, { "weight", "WEIGHT", true }, { "active", "ACTIVE", true },
		{ "flows", "FLOWS", true }, { "by_operator", "BY OPERATOR", false } };
	const struct model *model = facts->model;
	bool any = false;

	for (size_t i = 0; i < model->slot_count; i++)
		any |= changed[i];
	writer_flag(writer, "changed", any);
	if (!any)
		writer_fact(writer, "note", "note", "already so; nothing changed");
	writer_table(writer, "servers", NULL, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < model->service_count; i++) {
		for (size_t j = 0; j < model->services[i]->server_count; j++) {
			const struct server *server = model->services[i]->servers[j];

			if (selection_has(facts->selection, server))
				report_admin_row(writer, server, changed[server->ref.slot]);
		}
	}
	writer_table_end(writer);
}

/* --- reload --plan --- */

struct plan_report {
	struct writer *writer;
	const struct report_facts *facts;
	uint64_t changes;
	uint64_t touched;
};

static const struct service *
report_change_find_service(const struct model *model, const char *name)
{
	for (size_t i = 0; i < model->service_count; i++)
		if (strcmp(model->services[i]->settings.name, name) == 0)
			return model->services[i];
	return NULL;
}

static uint64_t
flows_of_service(const struct service *service)
{
	uint64_t flows = 0;

	for (size_t i = 0; i < service->server_count; i++)
		flows += service->servers[i]->run->active;
	return flows;
}

/* The value of `server` starts with its name. */
static uint64_t
flows_of_server(const struct service *service, const char *value)
{
	const size_t length = strcspn(value, " ");

	for (size_t i = 0; i < service->server_count; i++) {
		const char *name = service->servers[i]->settings.name;

		if (strlen(name) == length && strncmp(name, value, length) == 0)
			return service->servers[i]->run->active;
	}
	return 0;
}

/* How many flows that carry data cannot go on as they are, and why. */
static uint64_t
report_change_consequence(const struct plan_report *report, const struct conf_change *change, const char **what)
{
	const struct service *service = change->service == NULL ? NULL :
	    report_change_find_service(report->facts->model, change->service);

	*what = change->at_start ? "requires a restart" : "at once";
	if (service == NULL || change->kind != CONF_REMOVED)
		return 0;
	if (change->key == NULL) {
		*what = "the service ends, and its connections with it";
		return flows_of_service(service);
	}
	if (strcmp(change->key, "server") == 0) {
		*what = "its connections go to other servers, which reset them: drain it first";
		return flows_of_server(service, change->before);
	}
	if (strcmp(change->key, "listen") == 0) {
		*what = "connections to it end; the number is that of the whole service";
		return flows_of_service(service);
	}
	return 0;
}

static void
plan_row(void *context, const struct conf_change *change)
{
	struct plan_report *report = context;
	const char *what;
	const uint64_t touched = report_change_consequence(report, change, &what);

	report->changes++;
	report->touched += touched;
	writer_row(report->writer);
	writer_cell_mood(report->writer, conf_change_name(change->kind), change->kind == CONF_REMOVED ? MOOD_WARN :
	    MOOD_PLAIN);
	writer_cell(report->writer, change->service == NULL ? "[dsrd]" : change->service);
	writer_cell(report->writer, change->key == NULL ? "the whole service" : change->key);
	writer_cell(report->writer, change->before);
	writer_cell(report->writer, change->after);
	writer_cell_number(report->writer, touched);
	writer_cell_mood(report->writer, what, touched > 0 ? MOOD_WARN : MOOD_PLAIN);
}

int
report_plan(struct writer *writer, const struct report_facts *facts, const struct conf *before,
    const struct conf *after)
{
	static const struct column columns[] = { { "change", "CHANGE", false }, { "section", "SERVICE", false },
		{ "key", "WHAT", false }, { "before", "BEFORE", false }, { "after", "AFTER", false },
		{ "connections", "CONNECTIONS", true }, { "effect", "EFFECT", false } };
	struct plan_report report = { writer, facts, 0, 0 };
	int result;

	writer_table(writer, "changes", NULL, columns, ARRAY_LEN(columns));
	result = conf_compare(before, after, plan_row, &report);
	writer_table_end(writer);
	writer_number(writer, "change_count", "changes", report.changes);
	writer_number(writer, "connections_touched", "live connections that will break",
	    report.touched);
	return result;
}

/* --- show config --- */

/* Comments, so that the text still is a configuration. */
static void
report_change_differences(struct writer *writer, const struct model *model, FILE *out)
{
	static const struct column columns[] = { { "server", NULL, false }, { "by_operator", NULL, false } };
	char name[SERVER_NAME_TEXT], difference[DIFFERENCE_TEXT];

	writer_table(writer, "differences", NULL, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < model->service_count; i++) {
		for (size_t j = 0; j < model->services[i]->server_count; j++) {
			const struct server *server = model->services[i]->servers[j];

			if (report_difference(server, difference) == NULL)
				continue;
			fprintf(out, "\n; Changed by dsrctl: %s is %s\n", server_name(server, name), difference);
			writer_row(writer);
			writer_cell(writer, name);
			writer_cell(writer, difference);
		}
	}
	writer_table_end(writer);
}

int
report_config(struct writer *writer, const struct report_facts *facts, const struct conf *conf)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL)
		return -1;
	conf_dump(conf, out);
	report_change_differences(writer, facts->model, out);
	if (fclose(out) != 0) {
		free(text);
		return -1;
	}
	writer_block(writer, "config", "", text);
	free(text);
	return 0;
}
