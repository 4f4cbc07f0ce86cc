/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/readiness.h"

#include <stdio.h>

/* Frames for the group's VIPs would not arrive. */
static bool
readiness_vips(const struct model *model, const struct iface *ifaces, size_t group, char why[ROLE_REASON])
{
	for (size_t i = 0; i < model->vip_count; i++) {
		const struct vip *vip = &model->vips[i];
		char addr[ADDR_TEXT];

		if (vip->group != group)
			continue;
		if (vip->iface == IFACE_NONE) {
			(void)snprintf(why, ROLE_REASON, "no interface for %s", addr_format(&vip->addr, addr));
			return false;
		}
		if (!ifaces[vip->iface].up) {
			(void)snprintf(why, ROLE_REASON, "interface %s: %s", ifaces[vip->iface].name,
			    iface_link_name(&ifaces[vip->iface]));
			return false;
		}
	}
	return true;
}

/* A server behind a router, or without any interface, never gets traffic: it is not waited for. */
static bool
readiness_server(const struct server *server, char why[ROLE_REASON])
{
	char name[SERVER_NAME_TEXT];

	if (server->iface == IFACE_NONE)
		return true;
	switch (server_state(server)) {
	case SERVER_UNKNOWN:
		(void)snprintf(why, ROLE_REASON, "%s has not been checked yet", server_name(server, name));
		return false;
	case SERVER_UP:
		if (!mac_is_zero(&server->mac))
			return true;
		(void)snprintf(why, ROLE_REASON, "the MAC address of %s is not known yet", server_name(server, name));
		return false;
	case SERVER_DRAINING:
	case SERVER_DOWN:
	case SERVER_DISABLED:
		break;
	}
	return true;
}

bool
readiness_of(const struct model *model, const struct iface *ifaces, size_t group, bool warm, char why[ROLE_REASON])
{
	size_t servers = 0, up = 0;

	if (!readiness_vips(model, ifaces, group, why))
		return false;
	for (size_t i = 0; i < model->service_count; i++) {
		const struct service *service = model->services[i];

		if (service->settings.group != group)
			continue;
		for (size_t j = 0; j < service->server_count; j++) {
			const struct server *server = service->servers[j];

			if (!warm && !readiness_server(server, why))
				return false;
			servers++;
			up += server_state(server) == SERVER_UP && !mac_is_zero(&server->mac);
		}
	}
	if (servers > 0 && up == 0) {
		(void)snprintf(why, ROLE_REASON, "no server is up");
		return false;
	}
	return true;
}
