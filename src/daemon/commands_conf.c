/* SPDX-License-Identifier: ISC */
/*
 * The configuration: what is in force, a reload, and what one would do. Another process reads the file
 * (daemon/reading.h), so a reload takes several calls.
 */
#include "config.h"

#include "daemon/commands_int.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/errlist.h"
#include "base/log.h"
#include "ctl/report.h"
#include "daemon/host_facts.h"
#include "daemon/checking.h"
#include "daemon/loop.h"
#include "daemon/plan_probe.h"
#include "daemon/processes.h"
#include "daemon/reading.h"
#include "daemon/reload.h"
#include "daemon/stats.h"

/* A client's reload, from its request to the answer. */
struct commands_reload {
	const void *client;
	struct reading *reading; /* NULL: it has ended, and the rest is valid */
	bool good;
	struct conf fresh;       /* if `good` */
	struct errlist *errors;  /* NULL: memory is out */
};

/* The configuration in force: conf_clear() is not for this one, model_settings_done() is. */
static int
commands_running_conf(const struct command_server *cmds, struct conf *conf)
{
	const struct director *director = cmds->parts.sources->director;

	*conf = *cmds->parts.conf;
	if (model_settings(director->model, &conf->settings) == -1)
		return -1;
	conf->settings.connections = conn_table_capacity(director->forwarder.conns);
	return 0;
}

static void
commands_warn(void *context, const char *service, const char *server, const char *message)
{
	struct writer *writer = context;

	writer_row(writer);
	writer_cell(writer, service);
	writer_cell(writer, server);
	writer_cell_mood(writer, message, MOOD_WARN);
}

static void
commands_warn_of_host(void *context, enum fit_kind kind UNUSED, const char *service, const char *server,
    const char *message)
{
	commands_warn(context, service, server, message);
}

/* A server that is reached in another way keeps its flows, so it must take both ways while the file is reloaded. */
static void
commands_warn_of_method(const struct model *model, const struct service_settings *service,
    const struct server_settings *server, struct writer *writer)
{
	char name[SERVER_NAME_TEXT], text[256];
	const struct server *running;

	(void)snprintf(name, sizeof(name), "%s/%s", service->name, server->name);
	running = model_find(model, name);
	if (running == NULL || running->settings.method == server->method ||
	    !addr_equal(&running->settings.addr, &server->addr))
		return;
	(void)snprintf(text, sizeof(text), "the method changes from %s to %s: its %lu connections stay with it, and their "
	    "packets go by %s at once; prepare the server for both before the reload",
	    encap_method_name(running->settings.method), encap_method_name(server->method),
	    (unsigned long)running->run->active + running->run->inactive, encap_method_name(server->method));
	commands_warn(writer, service->name, server->name, text);
}

static void
commands_warn_of_methods(const struct model *model, const struct settings *fresh, struct writer *writer)
{
	for (size_t i = 0; i < fresh->service_count; i++)
		for (size_t j = 0; j < fresh->services[i].server_count; j++)
			commands_warn_of_method(model, &fresh->services[i], &fresh->services[i].servers[j], writer);
}

/* What would go wrong: with this host, and with servers that do not answer. */
static int
commands_report_plan_warnings(const struct command_server *cmds, const struct conf *fresh, struct writer *writer)
{
	static const struct column columns[] = { { "service", "SERVICE", false }, { "server", "SERVER", false },
		{ "what", "WARNING", false } };
	int result;

	writer_table(writer, "warnings", NULL, columns, ARRAY_LEN(columns));
	result = host_fit(&fresh->settings, commands_warn_of_host, writer);
	commands_warn_of_methods(cmds->parts.sources->director->model, &fresh->settings, writer);
	if (cmds->plan != NULL)
		plan_probe_report(cmds->plan, commands_warn, writer);
	writer_table_end(writer);
	return result;
}

/* The differences in the file, for the report. */
static enum control_result
commands_report_plan(struct command_server *cmds, const struct conf *fresh, struct writer *writer, FILE *out)
{
	const struct report_facts facts = commands_facts(cmds);
	struct conf running;
	int result;

	if (commands_running_conf(cmds, &running) == -1)
		return commands_out_of_memory(out);
	result = report_plan(writer, &facts, &running, fresh);
	if (result == 0)
		result = commands_report_plan_warnings(cmds, fresh, writer);
	model_settings_done(&running.settings);
	return result == -1 ? commands_out_of_memory(out) : CONTROL_DONE;
}

enum control_result
commands_config(struct command_server *cmds, struct writer *writer, FILE *out)
{
	const struct report_facts facts = commands_facts(cmds);
	struct conf running;
	int result;

	if (commands_running_conf(cmds, &running) == -1)
		return commands_out_of_memory(out);
	result = report_config(writer, &facts, &running);
	model_settings_done(&running.settings);
	return result == -1 ? commands_out_of_memory(out) : CONTROL_DONE;
}

/* The entry of the client's reload; for NULL, a free one. */
static struct commands_reload **
commands_find_reload(struct command_server *cmds, const void *client)
{
	for (size_t i = 0; i < ARRAY_LEN(cmds->reloads); i++)
		if ((cmds->reloads[i] != NULL ? cmds->reloads[i]->client : NULL) == client)
			return &cmds->reloads[i];
	return NULL;
}

static void
commands_on_read(void *context, struct conf *fresh, struct errlist *errors)
{
	struct commands_reload *reload = context;

	reload->reading = NULL;
	reload->good = fresh != NULL;
	if (fresh != NULL)
		reload->fresh = *fresh;
	reload->errors = errors;
}

static void
commands_free_reload(struct commands_reload *reload)
{
	if (reload == NULL)
		return;
	reading_forget(reload->reading);
	if (reload->good)
		conf_clear(&reload->fresh);
	errlist_free(reload->errors);
	free(reload);
}

void
commands_end_reload(struct command_server *cmds, const void *client)
{
	struct commands_reload **place = commands_find_reload(cmds, client);

	if (place == NULL)
		return;
	commands_free_reload(*place);
	*place = NULL;
}

void
commands_end_reloads(struct command_server *cmds)
{
	for (size_t i = 0; i < ARRAY_LEN(cmds->reloads); i++) {
		commands_free_reload(cmds->reloads[i]);
		cmds->reloads[i] = NULL;
	}
}

/* CONTROL_WAIT, or a refusal that was written. */
static enum control_result
commands_begin_reload(struct command_server *cmds, const struct control_ask *ask, FILE *out)
{
	struct commands_reload **place = commands_find_reload(cmds, NULL), *reload = calloc(1, sizeof(*reload));

	if (place == NULL || reload == NULL) {
		free(reload);
		return commands_out_of_memory(out);
	}
	reload->client = ask->client;
	reload->reading = reload_read(cmds->parts.reload, commands_on_read, reload);
	if (reload->reading != NULL) {
		*place = reload;
		return CONTROL_WAIT;
	}
	fprintf(out, "no process can be started to read the configuration: %s. Nothing was changed\n", strerror(errno));
	free(reload);
	return CONTROL_REFUSED;
}

/* CONTROL_DONE: `*reload` has the file's contents; or CONTROL_WAIT, or a refusal that was written. */
static enum control_result
commands_await_reload(struct command_server *cmds, const struct control_ask *ask, struct commands_reload **reload,
    FILE *out)
{
	struct commands_reload **place = commands_find_reload(cmds, ask->client);

	if (place == NULL)
		return CONTROL_REFUSED;
	*reload = *place;
	if ((*reload)->reading != NULL && !ask->last)
		return CONTROL_WAIT;
	if ((*reload)->good)
		return CONTROL_DONE;
	if ((*reload)->errors != NULL)
		errlist_print((*reload)->errors, out);
	fprintf(out, "nothing was changed\n");
	return CONTROL_REFUSED;
}

static enum control_result
commands_apply(struct command_server *cmds, struct commands_reload *reload, struct writer *writer, FILE *out)
{
	const enum control_result result = commands_report_plan(cmds, &reload->fresh, writer, out);

	if (result != CONTROL_DONE)
		return result;
	reload->good = false; /* its contents are taken */
	if (reload_apply(cmds->parts.reload, &reload->fresh) == 0)
		return CONTROL_DONE;
	fprintf(out, "the new configuration cannot be applied: see the director's log. Nothing was changed\n");
	return CONTROL_REFUSED;
}

enum control_result
commands_reload(struct command_server *cmds, const struct control_ask *ask, struct writer *writer, FILE *out)
{
	struct commands_reload *reload = NULL;
	enum control_result result;

	if (ask->first) {
		const struct admin_author author = commands_author(ask);

		log_notice("reload by=uid:%" PRId64 " user=%s", author.user, admin_author_name(&author));
		return commands_begin_reload(cmds, ask, out);
	}
	result = commands_await_reload(cmds, ask, &reload, out);
	if (result == CONTROL_WAIT)
		return result;
	if (result == CONTROL_DONE)
		result = commands_apply(cmds, reload, writer, out);
	else if (reload != NULL && reload->errors != NULL)
		reload_refuse(cmds->parts.reload, reload->errors);
	commands_end_reload(cmds, ask->client);
	return result;
}

/* --- reload --plan ------------------------------------------------------------------------------------------------ */

void
commands_end_plan(struct command_server *cmds)
{
	plan_probe_close(cmds->plan);
	cmds->plan = NULL;
	cmds->planner = NULL;
}

/* The servers of the file are checked, once it has been read. CONTROL_DONE: they have been. */
static enum control_result
commands_probe_plan(struct command_server *cmds, const struct control_ask *ask, FILE *out)
{
	struct commands_reload *reload = NULL;
	const enum control_result result = commands_await_reload(cmds, ask, &reload, out);

	if (result != CONTROL_DONE)
		return result;
	if (cmds->plan == NULL) {
		cmds->plan = plan_probe_open(&reload->fresh.settings, cmds->parts.sources->director->model,
		    loop_base(cmds->parts.loop), checking_attempts(cmds->parts.processes->checking), clock_us());
		if (cmds->plan == NULL)
			return commands_out_of_memory(out);
	}
	return plan_probe_step(cmds->plan, clock_us()) || ask->last ? CONTROL_DONE : CONTROL_WAIT;
}

enum control_result
commands_plan(struct command_server *cmds, const struct control_ask *ask, struct writer *writer, FILE *out)
{
	enum control_result result;

	if (ask->first) {
		if (cmds->planner != NULL) {
			fputs("another reload is being planned: try again in a second\n", out);
			return CONTROL_BUSY;
		}
		result = commands_begin_reload(cmds, ask, out);
		if (result == CONTROL_WAIT)
			cmds->planner = ask->client;
		return result;
	}
	if (cmds->planner != ask->client)
		return CONTROL_REFUSED;
	result = commands_probe_plan(cmds, ask, out);
	if (result == CONTROL_WAIT)
		return result;
	if (result == CONTROL_DONE)
		result = commands_report_plan(cmds, &(*commands_find_reload(cmds, ask->client))->fresh, writer, out);
	commands_end_plan(cmds);
	commands_end_reload(cmds, ask->client);
	return result;
}
