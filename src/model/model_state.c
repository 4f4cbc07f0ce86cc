/* SPDX-License-Identifier: ISC */
/* Derived values of the model: states of servers and services, rates, settings as they were given. */
#include "config.h"

#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

enum health_state
server_health(const struct server *server)
{
	if (server->no_link)
		return HEALTH_UNKNOWN;
	if (server->place == PLACE_SELF || server->place == PLACE_NO_ROUTE || server->place == PLACE_NO_SOURCE ||
	    (server->place == PLACE_FAR && mac_is_zero(&server->mac)))
		return HEALTH_DOWN;
	if (server->settings.method == ENCAP_LOCAL && server->local != LOCAL_READY)
		return HEALTH_DOWN;
	if (server->health.state == HEALTH_DOWN || server->ports == PORTS_NONE || server->conflicts)
		return HEALTH_DOWN;
	return server->vip_state == VIP_UNKNOWN ? HEALTH_UNKNOWN : server->health.state;
}

const struct check_settings *
server_check_settings(const struct server *server, size_t index)
{
	return &server->service->settings.checks[index];
}

enum server_state
server_state(const struct server *server)
{
	if (server->admin.admin == ADMIN_DISABLED)
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

/* Printable, whatever a script or a server sent. */
static void
state_keep_came(struct server_check *check, const char *detail)
{
	size_t i = 0;

	for (; detail != NULL && detail[i] != '\0' && i + 1 < sizeof(check->got); i++) {
		check->got[i] = detail[i] >= ' ' && detail[i] < 0x7f ? detail[i] : '?';
		if (detail[i] == '"')
			check->got[i] = '\'';
	}
	check->got[i] = '\0';
}

bool
server_report(struct server *server, size_t index, enum health_reason result, const char *detail, uint64_t now)
{
	const struct service_settings *settings = &server->service->settings;
	struct server_check *check = &server->checks[index];
	struct health *health = &check->health;
	const uint64_t successes = health->successes, failures = health->failures;
	bool changed;

	changed = health_report(health, result, settings->rise, settings->fall, now) && check->one_port;
	if (health->failures != failures)
		state_keep_came(check, detail);
	if (changed)
		server_update_ports(server);
	server->health.successes += health->successes - successes;
	server->health.failures += health->failures - failures;
	return health_combine(&server->health, server->checks, server->check_count, now) || changed;
}

/* --- services --- */

static size_t
quorum_of(const struct service *service, const struct quorum *quorum)
{
	size_t regular = 0, needed = quorum->number;

	for (size_t i = 0; i < service->server_count; i++)
		regular += !service->servers[i]->settings.backup;
	if (quorum->percent)
		needed = (regular * quorum->number + 99) / 100;
	return needed > 0 ? needed : 1;
}

size_t
service_quorum(const struct service *service)
{
	return quorum_of(service, &service->settings.quorum);
}

size_t
service_quorum_to_reach(const struct service *service)
{
	const size_t recover = quorum_of(service, &service->settings.recover), quorum = service_quorum(service);

	return service->quorum_lost && service->quorum_met && recover > quorum ? recover : quorum;
}

size_t
service_quorum_up(const struct service *service)
{
	size_t up = 0;

	for (size_t i = 0; i < service->server_count; i++) {
		const struct server *server = service->servers[i];

		up += !server->settings.backup && server_state(server) == SERVER_UP && !mac_is_zero(&server->mac);
	}
	return up;
}

/* A quorum of one server is the same as service_state(). */
bool
service_is_below_quorum(const struct service *service)
{
	return service->quorum_lost && service_quorum_to_reach(service) > 1;
}

enum health_state
service_state(const struct service *service)
{
	const bool backups_only = service_is_below_quorum(service);
	enum health_state state = HEALTH_DOWN;

	for (size_t i = 0; i < service->server_count; i++) {
		const enum server_state server = server_state(service->servers[i]);

		if (server == SERVER_UNKNOWN)
			state = HEALTH_UNKNOWN;
		if (server == SERVER_UP && (!backups_only || service->servers[i]->settings.backup))
			return HEALTH_UP;
	}
	return state;
}

uint32_t
server_weight(const struct server *server)
{
	const uint32_t percent = health_percent(server->checks, server->check_count);

	if (server->admin.admin == ADMIN_DRAINED || server->eject.until != 0)
		return 0;
	return (admin_given_weight(server) * percent + 99) / 100;
}

void
model_settle(struct model *model)
{
	for (size_t i = 0; i < model->service_count; i++) {
		struct service *service = model->services[i];

		service->quorum_lost = service_quorum_up(service) < service_quorum_to_reach(service);
		service->quorum_met |= !service->quorum_lost;
	}
}

bool
server_note_state(struct server *server, uint64_t now, enum server_state *before)
{
	*before = server->state;
	if (server->state == server_state(server))
		return false;
	server->state = server_state(server);
	server->since = now;
	return true;
}

bool
server_note_ports(struct server *server)
{
	const struct service_settings *service = &server->service->settings;
	const bool partly = server_health(server) == HEALTH_UP && server->ports != PORTS_ALL;
	uint32_t set = 0;

	for (size_t i = 0; partly && i < service->listen_count; i++)
		if (server_listen_state(server, &service->listens[i]) >= LISTEN_REFUSED)
			set = (set ^ (uint32_t)(i + 1)) * 0x9e3779b1;
	if (set == server->ports_out)
		return false;
	server->ports_out = set;
	return true;
}

bool
service_note_quorum(struct service *service)
{
	const bool lost = service_is_below_quorum(service) && service_state(service) != HEALTH_UNKNOWN;

	if (lost == service->quorum_published)
		return false;
	service->quorum_published = lost;
	return true;
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

const struct server *
model_server_by_mac(const struct model *model, uint16_t iface, const struct mac *mac)
{
	const struct server *elsewhere = NULL;

	for (size_t i = 0; i < model->slot_count; i++) {
		const struct server *server = model->slots[i];

		if (server == NULL || server->settings.method == ENCAP_LOCAL || server_is_routed(server) ||
		    !mac_equal(&server->mac, mac))
			continue;
		if (server->iface == iface)
			return server;
		if (elsewhere == NULL)
			elsewhere = server;
	}
	return elsewhere;
}

bool
service_listens_on(const struct service *service, const struct addr *vip)
{
	for (size_t i = 0; i < service->settings.listen_count; i++)
		if (addr_equal(&service->settings.listens[i].vip, vip))
			return true;
	return false;
}

/* --- once a second --- */

static void
tick_rates(struct server_rates *rates, const struct server_run *total, uint64_t now)
{
	rate_tick(&rates->connections, total->connections, now);
	rate_tick(&rates->packets, total->packets, now);
	rate_tick(&rates->bytes, total->bytes, now);
	rate_tick(&rates->responses, total->measure.response_bytes, now);
}

struct usual {
	uint64_t sum;
	uint64_t count; /* of the servers that something is known of */
};

static struct usual
usual_latency(const struct service *service)
{
	struct usual usual = { 0, 0 };

	for (size_t i = 0; i < service->server_count; i++) {
		usual.sum += service->servers[i]->run->measure.smoothed;
		usual.count += service->servers[i]->run->measure.smoothed != 0;
	}
	return usual;
}

/* The mean of the others; 0: unknown. */
static uint32_t
latency_of_others(struct usual usual, const struct measure *measure)
{
	const uint64_t others = usual.count - (measure->smoothed != 0);

	return others > 0 ? (uint32_t)((usual.sum - measure->smoothed) / others) : 0;
}

static bool
tick_service(struct service *service, uint64_t now)
{
	const struct usual usual = usual_latency(service);
	struct server_run total = { 0 };

	for (size_t i = 0; i < service->server_count; i++) {
		struct server *server = service->servers[i];

		measure_tick(&server->run->measure, latency_of_others(usual, &server->run->measure));
		tick_rates(&server->rates, server->run, now);
		total.connections += server->run->connections;
		total.packets += server->run->packets;
		total.bytes += server->run->bytes;
		total.measure.response_bytes += server->run->measure.response_bytes;
	}
	tick_rates(&service->rates, &total, now);
	return model_judge_lost(service, now);
}

/* A route may have changed for the better: a path's MTU is forgotten after a time. */
static bool
tick_path(struct server_path *path, uint64_t now)
{
	if (path->mtu == 0 || now < path->mtu_until)
		return false;
	path->mtu = 0;
	return true;
}

bool
model_tick(struct model *model, uint64_t now)
{
	bool changed = false;

	for (size_t i = 0; i < model->service_count; i++)
		changed |= tick_service(model->services[i], now);
	for (size_t i = 0; i < model->slot_count; i++)
		changed |= model->slots[i] != NULL && tick_path(&model->slots[i]->run->path, now);
	return changed;
}

/* --- views: names, settings --- */

struct server *
model_find(const struct model *model, const char *name)
{
	const char *slash = strchr(name, '/');

	for (size_t i = 0; slash != NULL && i < model->service_count; i++) {
		const struct service *service = model->services[i];

		if (strlen(service->settings.name) != (size_t)(slash - name) ||
		    strncmp(service->settings.name, name, (size_t)(slash - name)) != 0)
			continue;
		for (size_t j = 0; j < service->server_count; j++)
			if (strcmp(service->servers[j]->settings.name, slash + 1) == 0)
				return service->servers[j];
	}
	return NULL;
}

static int
view_service(const struct service *service, struct service_settings *settings)
{
	*settings = service->settings;
	settings->servers = calloc(service->server_count + 1, sizeof(*settings->servers));
	if (settings->servers == NULL)
		return -1;
	settings->server_count = service->server_count;
	for (size_t i = 0; i < service->server_count; i++)
		settings->servers[i] = service->servers[i]->settings;
	return 0;
}

int
model_settings(const struct model *model, struct settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	settings->hash_key = model->hash_key;
	memcpy(settings->probe_addresses, model->probe_addresses, sizeof(settings->probe_addresses));
	settings->roles = model->roles;
	settings->services = calloc(model->service_count + 1, sizeof(*settings->services));
	if (settings->services == NULL)
		return -1;
	for (size_t i = 0; i < model->service_count; i++) {
		if (view_service(model->services[i], &settings->services[i]) == -1) {
			model_settings_done(settings);
			return -1;
		}
		settings->service_count++;
	}
	return 0;
}

void
model_settings_done(struct settings *settings)
{
	for (size_t i = 0; i < settings->service_count; i++)
		free(settings->services[i].servers);
	free(settings->services);
	memset(settings, 0, sizeof(*settings));
}
