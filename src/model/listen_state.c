/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "model/listen_state.h"

#include "model/model.h"

bool
check_is_of_port(const struct service_settings *service, const struct check_settings *check)
{
	if (check->port == 0)
		return false;
	for (size_t i = 0; i < service->listen_count; i++)
		if (listen_has_port(&service->listens[i], check_protocol(check), check->port))
			return true;
	return false;
}

enum listen_state
listen_state_by_fault(const struct vip_fault *fault, const struct listen_settings *listen)
{
	if (!addr_equal(&fault->vip, &listen->vip))
		return LISTEN_SERVED;
	if (fault->scope == FAULT_VIP)
		return LISTEN_OUT;
	if (fault->scope == FAULT_PROTOCOL ? fault->protocol != listen->protocol :
	    !listen_has_port(listen, fault->protocol, fault->port))
		return LISTEN_SERVED;
	if (fault->note)
		return LISTEN_NOTED;
	return fault->refused ? LISTEN_REFUSED : LISTEN_OUT;
}

enum listen_state
listen_state_by_check(const struct server *server, size_t index, const struct listen_settings *listen)
{
	const struct check_settings *check = server_check_settings(server, index);
	const struct server_check *known = &server->checks[index];

	if (!known->one_port || known->health.state != HEALTH_DOWN ||
	    !listen_has_port(listen, check_protocol(check), check->port))
		return LISTEN_SERVED;
	return known->health.reason == HEALTH_REASON_REFUSED ? LISTEN_REFUSED : LISTEN_OUT;
}

enum listen_state
server_listen_state(const struct server *server, const struct listen_settings *listen)
{
	enum listen_state worst = LISTEN_SERVED;

	for (const struct vip_fault *fault = server->vip_faults; fault != NULL; fault = fault->next) {
		const enum listen_state state = listen_state_by_fault(fault, listen);

		worst = state > worst ? state : worst;
	}
	for (size_t i = 0; i < server->check_count; i++) {
		const enum listen_state state = listen_state_by_check(server, i, listen);

		worst = state > worst ? state : worst;
	}
	return worst;
}

static bool
has_fault(const struct server *server)
{
	for (size_t i = 0; i < server->check_count; i++)
		if (server->checks[i].one_port && server->checks[i].health.state == HEALTH_DOWN)
			return true;
	return server->vip_faults != NULL;
}

/* A range whose one known port is closed is no evidence that the server serves anything. */
void
server_update_ports(struct server *server)
{
	const struct service_settings *service = &server->service->settings;
	bool served = false, out = false;

	server->ports = PORTS_ALL;
	if (!has_fault(server))
		return;
	for (size_t i = 0; i < service->listen_count && !(served && out); i++) {
		const enum listen_state state = server_listen_state(server, &service->listens[i]);

		served |= state == LISTEN_SERVED;
		out |= state >= LISTEN_REFUSED;
	}
	if (out)
		server->ports = served ? PORTS_PARTLY : PORTS_NONE;
}
