/* SPDX-License-Identifier: ISC */
/* The interface of each service and server. */
#include "config.h"

#include "model/model.h"

#include <stdlib.h>
#include <string.h>

static uint16_t
by_name(const struct iface *ifaces, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(ifaces[i].name, name) == 0)
			return (uint16_t)i;
	return IFACE_NONE;
}

/* The length of the interface's longest prefix that holds `addr`, or -1. */
static int
match_length(const struct iface *iface, const struct addr *addr)
{
	int longest = -1;

	for (size_t i = 0; i < iface->address_count; i++)
		if (prefix_contains(&iface->addresses[i], addr) && iface->addresses[i].length > longest)
			longest = iface->addresses[i].length;
	return longest;
}

/* `preferred` wins a tie: two legs in one network are one network. */
static uint16_t
by_address(const struct iface *ifaces, size_t count, const struct addr *addr, uint16_t preferred)
{
	uint16_t best = IFACE_NONE;
	int longest = -1;

	for (size_t i = 0; i < count; i++) {
		const int length = match_length(&ifaces[i], addr);

		if (length > longest || (length >= 0 && length == longest && i == preferred)) {
			longest = length;
			best = (uint16_t)i;
		}
	}
	return best;
}

/* Of an interface without an address of that family nothing can be said. */
static enum server_place
place_judge(const struct server *server, const struct iface *ifaces, size_t count)
{
	const struct addr *addr = &server->settings.addr;
	const struct iface *iface = server->iface < count ? &ifaces[server->iface] : NULL;

	for (size_t i = 0; i < count; i++)
		if (iface_has_address(&ifaces[i], addr))
			return PLACE_SELF;
	if (iface == NULL || !mac_is_zero(&server->settings.mac) ||
	    iface_address(iface, (enum addr_family)addr->family) == NULL || iface_is_on_link(iface, addr))
		return PLACE_ON_LINK;
	return PLACE_FAR;
}

/* The route with the longest prefix that holds `addr` and leaves by one of the director's interfaces, or NULL. */
static const struct ip_route *
place_find_route(const struct model *model, const struct addr *addr, const char *iface)
{
	const struct ip_route *best = NULL;

	for (size_t i = 0; i < model->route_count; i++) {
		const struct ip_route *route = &model->routes[i];

		if (!prefix_contains(&route->destination, addr) ||
		    (iface[0] != '\0' && strcmp(iface, route->iface) != 0))
			continue;
		if (best == NULL || route->destination.length > best->destination.length ||
		    (route->destination.length == best->destination.length && route->metric < best->metric))
			best = route;
	}
	return best;
}

/* How the packets of another method than mac leave: to the server itself if it is on a segment, else to a router. */
static void
place_routed(const struct model *model, struct server *server, const struct iface *ifaces, size_t count)
{
	const struct server_settings *settings = &server->settings;
	const uint16_t preferred = server->iface;
	const struct ip_route *route = NULL;

	server->iface = by_address(ifaces, count, &settings->addr, server->service->iface);
	if (addr_is_set(&settings->gateway)) {
		server->hop = settings->gateway;
		server->iface = by_address(ifaces, count, &settings->gateway, server->service->iface);
	} else if (server->iface == IFACE_NONE) {
		route = place_find_route(model, &settings->addr, settings->iface);
		server->iface = route == NULL ? IFACE_NONE : by_name(ifaces, count, route->iface);
		if (server->iface != IFACE_NONE && addr_is_set(&route->gateway))
			server->hop = route->gateway;
	}
	if (settings->iface[0] != '\0' || (server->iface == IFACE_NONE && addr_is_set(&settings->gateway)))
		server->iface = preferred;
	if (server->place == PLACE_SELF)
		return;
	server->place = server->iface >= count ? PLACE_NO_ROUTE : PLACE_ON_LINK;
}

static void
place_set_source(struct server *server, const struct iface *ifaces, size_t count)
{
	const struct addr *source = server->iface >= count ? NULL :
	    iface_address(&ifaces[server->iface], (enum addr_family)server->settings.addr.family);

	server->source = source != NULL ? *source : (struct addr) { .family = ADDR_NONE };
	if (source == NULL && server->place == PLACE_ON_LINK && encap_is_tunnel(server->settings.method))
		server->place = PLACE_NO_SOURCE;
}

static void
place_server(const struct model *model, struct server *server, const struct iface *ifaces, size_t count)
{
	const struct service *service = server->service;

	server->hop = server->settings.addr;
	server->source = (struct addr) { .family = ADDR_NONE };
	if (server->settings.method == ENCAP_LOCAL) {
		server->iface = service->iface;
		server->place = PLACE_ON_LINK;
		server->mac = server->iface < count ? ifaces[server->iface].mac : mac_zero;
		return;
	}
	if (server->settings.iface[0] != '\0') {
		server->iface = by_name(ifaces, count, server->settings.iface);
	} else {
		server->iface = by_address(ifaces, count, &server->settings.addr, service->iface);
		if (server->iface == IFACE_NONE)
			server->iface = service->iface;
	}
	server->place = place_judge(server, ifaces, count);
	if (server->settings.method != ENCAP_MAC)
		place_routed(model, server, ifaces, count);
	place_set_source(server, ifaces, count);
}

bool
server_is_routed(const struct server *server)
{
	return !addr_equal(&server->hop, &server->settings.addr);
}

bool
model_needs_routes(const struct model *model)
{
	for (size_t i = 0; i < model->slot_count; i++)
		if (model->slots[i] != NULL && model->slots[i]->settings.method != ENCAP_MAC &&
		    model->slots[i]->settings.method != ENCAP_LOCAL &&
		    !addr_is_set(&model->slots[i]->settings.gateway))
			return true;
	return false;
}

bool
model_has_local(const struct model *model)
{
	for (size_t i = 0; i < model->slot_count; i++)
		if (model->slots[i] != NULL && model->slots[i]->settings.method == ENCAP_LOCAL)
			return true;
	return false;
}

int
model_set_routes(struct model *model, const struct ip_route *routes, size_t count)
{
	struct ip_route *copy = malloc((count + 1) * sizeof(*copy));

	if (copy == NULL)
		return -1;
	memcpy(copy, routes, count * sizeof(*copy));
	free(model->routes);
	model->routes = copy;
	model->route_count = count;
	return 0;
}

static void
place_service(struct service *service, const struct iface *ifaces, size_t count)
{
	if (service->settings.iface[0] != '\0') {
		service->iface = by_name(ifaces, count, service->settings.iface);
		return;
	}
	service->iface = IFACE_NONE;
	for (size_t i = 0; i < service->settings.listen_count && service->iface == IFACE_NONE; i++)
		service->iface = by_address(ifaces, count, &service->settings.listens[i].vip, IFACE_NONE);
}

/* A VIP of several services uses the interface of the first of them that has one. */
static uint16_t
vip_iface(const struct model *model, const struct addr *vip)
{
	for (size_t i = 0; i < model->service_count; i++) {
		const struct service *service = model->services[i];

		for (size_t j = 0; j < service->settings.listen_count; j++)
			if (service->iface != IFACE_NONE && addr_equal(&service->settings.listens[j].vip, vip))
				return service->iface;
	}
	return IFACE_NONE;
}

void
model_place(struct model *model, const struct iface *ifaces, size_t count)
{
	if (count > IFACE_NONE)
		count = IFACE_NONE;
	for (size_t i = 0; i < model->service_count; i++) {
		struct service *service = model->services[i];

		place_service(service, ifaces, count);
		for (size_t j = 0; j < service->server_count; j++)
			place_server(model, service->servers[j], ifaces, count);
	}
	for (size_t i = 0; i < model->vip_count; i++)
		model->vips[i].iface = vip_iface(model, &model->vips[i].addr);
}

size_t
model_vips_at(const struct model *model, size_t iface, enum addr_family family)
{
	size_t count = 0;

	for (size_t i = 0; i < model->vip_count; i++)
		count += model->vips[i].iface == iface &&
		    (family == ADDR_NONE || model->vips[i].addr.family == family);
	return count;
}

bool
model_uses(const struct model *model, size_t iface)
{
	if (model_vips_at(model, iface, ADDR_NONE) > 0)
		return true;
	for (size_t i = 0; i < model->slot_count; i++)
		if (model->slots[i] != NULL && model->slots[i]->iface == iface)
			return true;
	return false;
}
