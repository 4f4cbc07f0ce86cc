/* SPDX-License-Identifier: ISC */
/* What is said of servers and services: their states, and what these are made of. */
#include "config.h"

#include "model/model.h"

#include <stdio.h>

#include "base/attr.h"

enum health_state
server_health(const struct server *server)
{
	if (server->health.state == HEALTH_DOWN || server->vip_state == VIP_REFUSED || server->conflicts)
		return HEALTH_DOWN;
	return server->vip_state == VIP_UNKNOWN ? HEALTH_UNKNOWN : server->health.state;
}

const char *
server_reason(const struct server *server)
{
	if (server->health.state == HEALTH_DOWN)
		return health_reason_text(server->health.reason);
	if (server->vip_state == VIP_REFUSED && server->vip_reason != NULL)
		return server->vip_reason;
	if (server->conflicts)
		return "it tells the network that the VIP is its own";
	return health_reason_text(HEALTH_REASON_NONE);
}

enum server_state
server_state(const struct server *server)
{
	if (server->steering.admin == ADMIN_DISABLED)
		return SERVER_DISABLED;
	switch (server_health(server)) {
	case HEALTH_UNKNOWN:
		break;
	case HEALTH_UP:
		return server_weight(server) == 0 ? SERVER_DRAINING : SERVER_UP;
	case HEALTH_DOWN:
		return SERVER_DOWN;
	}
	return SERVER_UNKNOWN;
}

bool
server_report(struct server *server, size_t index, enum health_reason result, uint64_t now)
{
	const struct service_settings *settings = &server->service->settings;
	struct health *health = &server->checks[index].health;
	const uint64_t successes = health->successes, failures = health->failures;

	(void)health_report(health, result, settings->rise, settings->fall, now);
	server->health.successes += health->successes - successes;
	server->health.failures += health->failures - failures;
	return health_combine(&server->health, server->checks, server->check_count, now);
}

enum health_state
service_state(const struct service *service)
{
	enum health_state state = HEALTH_DOWN;

	for (size_t i = 0; i < service->server_count; i++) {
		const enum server_state server = server_state(service->servers[i]);

		if (server == SERVER_UP)
			return HEALTH_UP;
		if (server == SERVER_UNKNOWN)
			state = HEALTH_UNKNOWN;
	}
	return state;
}

uint32_t
server_weight(const struct server *server)
{
	const uint32_t percent = health_percent(server->checks, server->check_count);

	if (server->steering.admin == ADMIN_DRAINED)
		return 0;
	return (steer_given_weight(server) * percent + 99) / 100;
}

void
model_settle(struct model *model, uint64_t now)
{
	for (size_t i = 0; i < model->slot_count; i++) {
		struct server *server = model->slots[i];

		if (server == NULL || server->settled == server_state(server))
			continue;
		server->settled = server_state(server);
		server->since = now;
	}
}

const char *
server_state_name(enum server_state state)
{
	static const char *const names[] = {
		[SERVER_UNKNOWN] = "unknown",
		[SERVER_UP] = "up",
		[SERVER_DOWN] = "down",
		[SERVER_DRAINING] = "draining",
		[SERVER_DISABLED] = "disabled",
	};

	return (unsigned)state < ARRAY_LEN(names) ? names[state] : "?";
}

const char *
server_name(const struct server *server, char text[SERVER_NAME_TEXT])
{
	(void)snprintf(text, SERVER_NAME_TEXT, "%s/%s", server->service->settings.name, server->settings.name);
	return text;
}
