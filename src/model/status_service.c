/* SPDX-License-Identifier: ISC */
/* The state of a service: what its servers and its quorum make of it. */
#include "config.h"

#include "model/status.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"

const char *
service_state_name(enum service_state state)
{
	static const char *const names[] = {
		[SERVICE_UNKNOWN] = "unknown",
		[SERVICE_UP] = "up",
		[SERVICE_DEGRADED] = "degraded",
		[SERVICE_DOWN] = "down",
	};

	return (unsigned)state < ARRAY_LEN(names) ? names[state] : "?";
}

/* The first listen that a server does not serve, or that no server serves; NULL: there is none. */
static const struct server *
service_partly_out(const struct service *service)
{
	for (size_t i = 0; i < service->server_count; i++)
		if (service->servers[i]->ports == PORTS_PARTLY && server_state(service->servers[i]) == SERVER_UP)
			return service->servers[i];
	return NULL;
}

static void
service_set(struct service_status *status, enum service_state state, const char *name)
{
	status->state = state;
	(void)snprintf(status->name, sizeof(status->name), "%s", name);
}

static void
service_down(struct service_status *status, const struct service *service)
{
	struct server_status server;

	service_set(status, SERVICE_DOWN, "no-server");
	(void)snprintf(status->sentence, sizeof(status->sentence), "no server is up");
	if (service->server_count == 0)
		return;
	server_status(service->servers[0], &server);
	(void)snprintf(status->sentence, sizeof(status->sentence), "no server is up: %s: %.400s",
	    service->servers[0]->settings.name, server.sentence);
}

static void
service_degraded(struct service_status *status, const struct service *service, size_t down)
{
	const struct server *partly = service_partly_out(service);
	struct server_status server;

	if (down > 0) {
		service_set(status, SERVICE_DEGRADED, "server-down");
		(void)snprintf(status->sentence, sizeof(status->sentence), "%zu of %zu servers %s down", down,
		    service->server_count, down == 1 ? "is" : "are");
	} else if (partly != NULL) {
		server_status(partly, &server);
		service_set(status, SERVICE_DEGRADED, "port-down");
		(void)snprintf(status->sentence, sizeof(status->sentence), "%s: %.400s", partly->settings.name,
		    server.sentence);
	}
}

void
service_status(const struct service *service, struct service_status *status)
{
	const enum health_state state = service_state(service);
	size_t down = 0;

	*status = (struct service_status) { .servers = service->server_count, .quorum = service_quorum(service),
		.quorum_lost = service_is_below_quorum(service) };
	for (size_t i = 0; i < service->server_count; i++) {
		status->up += server_state(service->servers[i]) == SERVER_UP;
		down += server_state(service->servers[i]) == SERVER_DOWN;
	}
	service_set(status, state == HEALTH_UP ? SERVICE_UP : SERVICE_UNKNOWN, state == HEALTH_UP ? "ok" : "unknown");
	(void)snprintf(status->sentence, sizeof(status->sentence), "%s",
	    state == HEALTH_UP ? "a server is up" : "no server has been checked yet");
	if (status->quorum_lost && state != HEALTH_UNKNOWN) {
		service_set(status, state == HEALTH_UP ? SERVICE_DEGRADED : SERVICE_DOWN, "quorum-lost");
		(void)snprintf(status->sentence, sizeof(status->sentence), "quorum lost: %zu of %zu required servers "
		    "up%s",
		    service_quorum_up(service), service_quorum_to_reach(service),
		    state == HEALTH_UP ? "; the backup servers take the traffic" : "");
	} else if (state == HEALTH_DOWN) {
		service_down(status, service);
	} else if (state == HEALTH_UP) {
		service_degraded(status, service, down);
	}
}
