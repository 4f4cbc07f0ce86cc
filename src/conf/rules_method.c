/* SPDX-License-Identifier: ISC */
/* What is wrong about how packets reach servers: `method`, `gateway` and `dscp`. */
#include "config.h"

#include <string.h>

#include "conf/keys.h"
#include "conf/source.h"

/* A DSCP stands for one VIP of each family in the whole configuration: a server sees nothing else of the VIP. */
struct dscp_owner {
	const struct listen_settings *listen;
	const struct place *place;
};

struct dscp_owners {
	struct dscp_owner of[2][ENCAP_DSCP_MOST + 1]; /* IPv6 second */
	bool used;
};

/* What servers do not name, the service says. */
static void
method_inherit(const struct service_settings *service, struct server_settings *server)
{
	if (server->method == ENCAP_METHODS)
		server->method = service->method;
	if (!addr_is_set(&server->gateway) && server->method != ENCAP_MAC && server->method != ENCAP_LOCAL &&
	    service->gateway.family == server->addr.family)
		server->gateway = service->gateway;
}

/* Are there other directors? */
static bool
method_has_others(const struct role_config *roles)
{
	for (size_t i = 0; i < roles->group_count; i++)
		if (roles->groups[i].given)
			return true;
	return false;
}

/* A server that is the director itself has no way to it. */
static void
method_check_local(struct parse *parse, const struct place *place, const struct server_settings *server)
{
	const char *option = addr_is_set(&server->gateway) ? "gateway" : !mac_is_zero(&server->mac) ? "mac" :
	    server->iface[0] != '\0' ? "interface" : NULL;

	if (server->method == ENCAP_LOCAL && option != NULL)
		parse_error_at(parse, place, "server `%s` is this director (`local`), so it has no `%s`", server->name,
		    option);
	if (server->method == ENCAP_LOCAL && !parse->conf->withhold)
		parse_error_at(parse, place, "server `%s` is this director (`local`), whose kernel must not see the "
		    "frames for other servers: add `withhold = yes` to [dsrd]", server->name);
	if (server->method == ENCAP_LOCAL && method_has_others(&parse->conf->settings.roles) &&
	    parse->conf->settings.roles.peer_count == 0)
		parse_error_at(parse, place, "server `%s` is this director (`local`), and `role` says that there are "
		    "others: without their `peer-mac`, two directors that are each other's servers could pass a "
		    "packet back and forth without end; add `peer-mac` to [dsrd]", server->name);
}

static void
method_check_gateway(struct parse *parse, const struct place *place, const struct server_settings *server)
{
	char addr[ADDR_TEXT], gateway[ADDR_TEXT];

	if (!addr_is_set(&server->gateway) || server->method == ENCAP_LOCAL)
		return;
	addr_format(&server->addr, addr);
	addr_format(&server->gateway, gateway);
	if (server->method == ENCAP_MAC)
		parse_error_at(parse, place, "server `%s` has a gateway but method mac, which works only without a "
		    "router in "
		    "between: choose another `method`, such as ipip", server->name);
	else if (server->gateway.family != server->addr.family)
		parse_error_at(parse, place, "server `%s`: the gateway %s cannot lead to %s, which is of the other IP "
		    "version",
		    server->name, gateway, addr);
	else if (addr_equal(&server->gateway, &server->addr))
		parse_error_at(parse, place, "server `%s`: %s is the server's own address; `gateway` is the router "
		    "before it",
		    server->name, gateway);
}

/* The first VIP of the service that a server with method dscp cannot serve. */
static void
method_check_dscp(struct parse *parse, const struct draft *draft, size_t index)
{
	const struct service_settings *service = &draft->service;
	const struct server_settings *server = &service->servers[index];
	char vip[ADDR_TEXT], addr[ADDR_TEXT];

	for (size_t i = 0; i < service->listen_count; i++) {
		const struct listen_settings *listen = &service->listens[i];

		addr_format(&listen->vip, vip);
		if (listen->vip.family != server->addr.family) {
			parse_error_at(parse, &draft->server_places[index], "server `%s` has method dscp and cannot "
			    "serve the VIP %s: "
			    "%s is of the other IP version; use ipip, gre or gue, or a service for each version",
			    server->name,
			    vip, addr_format(&server->addr, addr));
			return;
		}
		if (listen->dscp == 0) {
			parse_error_at(parse, &draft->listen_places[i], "the VIP %s needs a DSCP, since server `%s` "
			    "has method dscp: "
			    "write `listen = %s %s/... dscp=N` with N from 1 to %d, a different one for each VIP", vip,
			    server->name,
			    vip, protocol_name(listen->protocol), ENCAP_DSCP_MOST);
			return;
		}
	}
}

static bool
method_uses_dscp(const struct service_settings *service)
{
	for (size_t i = 0; i < service->server_count; i++)
		if (service->servers[i].method == ENCAP_DSCP)
			return true;
	return false;
}

static void
method_own_dscp(struct parse *parse, struct dscp_owners *owners, const struct listen_settings *listen,
    const struct place *place)
{
	struct dscp_owner *owner = &owners->of[listen->vip.family == ADDR_IPV6][listen->dscp];
	char other[ADDR_TEXT], where[PLACE_TEXT];

	owners->used = true;
	if (owner->listen == NULL)
		*owner = (struct dscp_owner) { listen, place };
	else if (!addr_equal(&owner->listen->vip, &listen->vip))
		parse_error_at(parse, place, "dscp=%u belongs to the VIP %s (%s): servers tell VIPs apart by their "
		    "DSCP, so each "
		    "VIP needs its own", listen->dscp, addr_format(&owner->listen->vip, other),
		    place_text(owner->place, place, where));
}

static void
method_check_service(struct parse *parse, struct draft *draft, struct dscp_owners *owners)
{
	struct service_settings *service = &draft->service;

	for (size_t i = 0; i < service->server_count; i++) {
		method_inherit(service, &service->servers[i]);
		method_check_local(parse, &draft->server_places[i], &service->servers[i]);
		method_check_gateway(parse, &draft->server_places[i], &service->servers[i]);
		if (service->servers[i].method == ENCAP_DSCP && !draft->broken[KEY_LISTEN])
			method_check_dscp(parse, draft, i);
	}
	for (size_t i = 0; i < service->listen_count; i++) {
		if (service->listens[i].dscp == 0)
			continue;
		method_own_dscp(parse, owners, &service->listens[i], &draft->listen_places[i]);
		if (!method_uses_dscp(service) && !draft->broken[KEY_METHOD] && !draft->broken[KEY_SERVER])
			parse_error_at(parse, &draft->listen_places[i], "`dscp` has no effect: no server of service "
			    "`%s` has method "
			    "dscp", service->name);
	}
}

/* A VIP with another DSCP in another listen. */
static void
method_check_vip(struct parse *parse, const struct dscp_owners *owners, const struct listen_settings *listen,
    const struct place *place)
{
	char vip[ADDR_TEXT], where[PLACE_TEXT];

	for (unsigned dscp = 1; dscp <= ENCAP_DSCP_MOST; dscp++) {
		const struct dscp_owner *owner = &owners->of[listen->vip.family == ADDR_IPV6][dscp];

		if (owner->listen == NULL || dscp == listen->dscp || listen->dscp == 0 ||
		    !addr_equal(&owner->listen->vip, &listen->vip) || owner->place->line > place->line)
			continue;
		parse_error_at(parse, place, "the VIP %s has dscp=%u here and dscp=%u %s: a VIP has one DSCP",
		    addr_format(&listen->vip, vip), listen->dscp, dscp, place_text(owner->place, place, where));
		return;
	}
}

void
parse_check_methods(struct parse *parse)
{
	struct dscp_owners owners;

	memset(&owners, 0, sizeof(owners));
	for (size_t i = 0; i < parse->service_count; i++)
		method_check_service(parse, parse->services[i], &owners);
	for (size_t i = 0; i < parse->service_count && owners.used; i++) {
		const struct draft *draft = parse->services[i];

		for (size_t j = 0; j < draft->service.listen_count; j++)
			method_check_vip(parse, &owners, &draft->service.listens[j], &draft->listen_places[j]);
	}
}
