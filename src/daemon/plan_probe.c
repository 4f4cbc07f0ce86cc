/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/plan_probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "check/runner.h"
#include "model/status.h"

#define PATIENCE SECONDS(1)
#define CLOSES SECONDS(2) /* a result may be on its way */
#define PLAN_TEXT 512

/* One port of one server. */
struct target {
	char service[NAME_MOST];
	char server[NAME_MOST];
	uint16_t port;
	struct check_target check;
	void *runner;              /* NULL: there is none, and `reason` or `known` says why */
	bool waits;
	enum health_reason reason; /* NONE: it answers */
	char known[STATUS_TEXT];   /* why the running server does not serve the port; empty: see above */
};

struct plan_probe {
	struct event_base *base;
	struct attempts *attempts;
	uint64_t began;
	size_t count;
	struct target targets[PLAN_TARGETS];
};

static void
plan_on_answer(void *job, const struct check_report *report)
{
	struct target *target = job;

	target->waits = false;
	target->reason = report == NULL ? HEALTH_REASON_LOCAL : report->reason;
}

static void
plan_connect(const struct plan_probe *probe, struct target *target, const struct addr *addr)
{
	const struct check_type *type = probe->attempts != NULL ? &check_remote : &check_tcp;

	target->check = (struct check_target) { .addr = *addr, .port = target->port, .timeout = timeval_of(PATIENCE),
		.check.kind = CHECK_TCP, .base = probe->base, .attempts = probe->attempts,
		.answer = plan_on_answer, .job = target };
	target->reason = HEALTH_REASON_LOCAL;
	target->runner = runner_new(type, &target->check);
	if (target->runner == NULL)
		return;
	target->waits = true;
	type->begin(target->runner);
}

/* The running server of that name and address, if its service has this port too. */
static const struct server *
plan_find_running(const struct model *running, const struct service_settings *service,
    const struct server_settings *server,
    uint16_t port, const struct listen_settings **at)
{
	char name[SERVER_NAME_TEXT];
	const struct server *found;

	(void)snprintf(name, sizeof(name), "%s/%s", service->name, server->name);
	found = model_find(running, name);
	if (found == NULL || !addr_equal(&found->settings.addr, &server->addr))
		return NULL;
	for (size_t i = 0; i < found->service->settings.listen_count; i++) {
		const struct listen_settings *listen = &found->service->settings.listens[i];

		if (listen->protocol != PROTOCOL_TCP || port < listen->first || port > listen->last)
			continue;
		*at = listen;
		return found;
	}
	return NULL;
}

static void
plan_read_status(const struct server *server, char text[STATUS_TEXT])
{
	struct server_status status;

	server_status(server, &status);
	memcpy(text, status.sentence, STATUS_TEXT);
}

static bool
plan_has_target(const struct plan_probe *probe, const struct service_settings *service,
    const struct server_settings *server, uint16_t port)
{
	for (size_t i = probe->count; i-- > 0 && strcmp(probe->targets[i].service, service->name) == 0;)
		if (probe->targets[i].port == port && strcmp(probe->targets[i].server, server->name) == 0)
			return true;
	return false;
}

static void
plan_add_target(struct plan_probe *probe, const struct model *running, const struct service_settings *service,
    const struct server_settings *server, uint16_t port)
{
	const struct listen_settings *listen = NULL;
	const struct server *found = plan_find_running(running, service, server, port, &listen);
	struct target *target = &probe->targets[probe->count];

	if (probe->count == PLAN_TARGETS || plan_has_target(probe, service, server, port))
		return;
	*target = (struct target) { .port = port };
	memcpy(target->service, service->name, NAME_MOST);
	memcpy(target->server, server->name, NAME_MOST);
	if (found == NULL)
		plan_connect(probe, target, &server->addr);
	else if (server_state(found) == SERVER_DOWN)
		plan_read_status(found, target->known);
	else
		server_listen_reason(found, listen, target->known);
	probe->count++;
}

static void
plan_add_service(struct plan_probe *probe, const struct model *running, const struct service_settings *service)
{
	for (size_t i = 0; i < service->listen_count; i++) {
		const struct listen_settings *listen = &service->listens[i];
		const size_t ports = (size_t)listen->last - listen->first + 1;

		/* All ports of an address: it is unknown which matter. */
		if (listen->protocol != PROTOCOL_TCP || (listen->first <= 1 && listen->last == UINT16_MAX))
			continue;
		for (size_t j = 0; j < (ports > PLAN_PORTS ? 1 : ports); j++)
			for (size_t k = 0; k < service->server_count; k++)
				plan_add_target(probe, running, service, &service->servers[k],
				    (uint16_t)(listen->first + j));
	}
}

struct plan_probe *
plan_probe_open(const struct settings *settings, const struct model *running, struct event_base *base,
    struct attempts *attempts, uint64_t now)
{
	struct plan_probe *probe = calloc(1, sizeof(*probe));

	if (probe == NULL)
		return NULL;
	probe->base = base;
	probe->attempts = attempts;
	probe->began = now;
	for (size_t i = 0; i < settings->service_count; i++)
		plan_add_service(probe, running, &settings->services[i]);
	return probe;
}

bool
plan_probe_step(const struct plan_probe *probe, uint64_t now)
{
	bool waits = false;

	for (size_t i = 0; i < probe->count; i++)
		waits |= probe->targets[i].waits;
	return !waits || now - probe->began >= CLOSES;
}

static const char *
plan_target_reason(const struct target *target)
{
	if (target->known[0] != '\0')
		return target->known;
	if (target->waits || target->reason == HEALTH_REASON_TIMEOUT)
		return "no answer within a second";
	if (target->reason == HEALTH_REASON_REFUSED)
		return "refused";
	if (target->reason == HEALTH_REASON_UNREACHABLE)
		return "not reachable";
	return health_reason_text(target->reason);
}

static bool
plan_target_fails(const struct target *target)
{
	return target->known[0] != '\0' || target->waits || target->reason != HEALTH_REASON_NONE;
}

/* For one port of one service, whose targets are these. */
static void
plan_report_port(const struct plan_probe *probe, const struct target *first, plan_warning *warning, void *context)
{
	size_t answers = 0, used = 0;
	char why[PLAN_TEXT / 2] = "", message[PLAN_TEXT];

	for (const struct target *at = first; at < &probe->targets[probe->count]; at++) {
		if (at->port != first->port || strcmp(at->service, first->service) != 0)
			continue;
		answers += !plan_target_fails(at);
		if (plan_target_fails(at) && used < sizeof(why))
			used += (size_t)snprintf(why + used, sizeof(why) - used, "%s%s: %s", used > 0 ? ", " : "",
			    at->server,
			    plan_target_reason(at));
	}
	if (answers == 0) {
		(void)snprintf(message, sizeof(message), "no server answers on tcp/%u yet (%s)", first->port, why);
		warning(context, first->service, NULL, message);
		return;
	}
	for (const struct target *at = first; at < &probe->targets[probe->count]; at++) {
		if (at->port != first->port || strcmp(at->service, first->service) != 0 || !plan_target_fails(at))
			continue;
		(void)snprintf(message, sizeof(message), "it does not serve tcp/%u: %s", at->port,
		    plan_target_reason(at));
		warning(context, at->service, at->server, message);
	}
}

void
plan_probe_report(const struct plan_probe *probe, plan_warning *warning, void *context)
{
	for (size_t i = 0; i < probe->count; i++) {
		bool before = false;

		for (size_t j = 0; j < i && !before; j++)
			before = probe->targets[j].port == probe->targets[i].port &&
			    strcmp(probe->targets[j].service, probe->targets[i].service) == 0;
		if (!before)
			plan_report_port(probe, &probe->targets[i], warning, context);
	}
}

void
plan_probe_close(struct plan_probe *probe)
{
	if (probe == NULL)
		return;
	for (size_t i = 0; i < probe->count; i++)
		if (probe->targets[i].runner != NULL)
			runner_free(probe->targets[i].runner);
	free(probe);
}
