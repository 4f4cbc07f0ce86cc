/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "doctor/fit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"

#define FIT_TEXT 512

struct fit {
	const struct settings *settings;
	const struct fit_host *host;
	fit_warning *warning;
	void *context;
};

static void fit_warn(const struct fit *fit, enum fit_kind kind, const char *service, const char *server,
    const char *format, ...) PRINTF_LIKE(5, 6);

static void
fit_warn(const struct fit *fit, enum fit_kind kind, const char *service, const char *server, const char *format, ...)
{
	char message[FIT_TEXT];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	fit->warning(fit->context, kind, service, server, message);
}

static const struct iface *
fit_iface(const struct fit *fit, const char *name)
{
	for (size_t i = 0; i < fit->host->iface_count; i++)
		if (strcmp(fit->host->ifaces[i].name, name) == 0)
			return &fit->host->ifaces[i];
	return NULL;
}

/* "eth0, eth1" */
static const char *
fit_names(const struct fit *fit, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < fit->host->iface_count && used < size; i++)
		if (!mac_is_zero(&fit->host->ifaces[i].mac))
			used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "",
			    fit->host->ifaces[i].name);
	return text[0] != '\0' ? text : "none";
}

static void
fit_check_iface(const struct fit *fit, const char *service, const char *server, const char *name)
{
	const struct iface *iface = fit_iface(fit, name);
	char names[FIT_TEXT / 2];

	if (iface == NULL)
		fit_warn(fit, FIT_NO_INTERFACE, service, server,
		    "this host has no interface %s, so dsrd does not start here: its "
		    "Ethernet interfaces are %s", name, fit_names(fit, names, sizeof(names)));
	else if (mac_is_zero(&iface->mac))
		fit_warn(fit, FIT_NOT_ETHERNET, service, server,
		    "the interface %s has no MAC address: dsrd needs an Ethernet "
		    "interface, as %s", name, fit_names(fit, names, sizeof(names)));
	else if (iface->ipvlan)
		fit_warn(fit, FIT_IPVLAN, service, server, "the interface %s is an ipvlan, which gets only packets for "
		    "the host's own "
		    "addresses and none for a VIP: use a macvlan, or the interface that it is on", name);
	else if (iface->master[0] != '\0')
		fit_warn(fit, FIT_PORT, service, server, "the interface %s is a port of %s, so what arrives by other "
		    "ports is not "
		    "received: write `interface = %s`", name, iface->master, iface->master);
	else if (!iface->up)
		fit_warn(fit, FIT_NO_LINK, service, server, "the interface %s %s: nothing is received or sent there",
		    name,
		    iface->disabled ? "is administratively down" : "has no link");
}

static bool
fit_named_before(const struct fit *fit, size_t service)
{
	for (size_t i = 0; i < service; i++)
		if (strcmp(fit->settings->services[i].iface, fit->settings->services[service].iface) == 0)
			return true;
	return false;
}

static void
fit_check_vips(const struct fit *fit, const struct service_settings *service)
{
	for (size_t i = 0; i < service->listen_count; i++) {
		const struct addr *vip = &service->listens[i].vip;
		const char *holder = fit->host->holder(fit->host->context, vip);
		bool before = false;
		char text[ADDR_TEXT];

		for (size_t j = 0; j < i && !before && holder != NULL; j++)
			before = addr_equal(vip, &service->listens[j].vip);
		if (holder != NULL && !before && !settings_serve_locally(fit->settings, vip))
			fit_warn(fit, FIT_VIP_HELD, service->name, NULL,
			    "the VIP %s is this host's own address, on %s: its kernel "
			    "would reset every connection, so dsrd does not start until it is removed",
			    addr_format(vip, text), holder);
	}
}

/* Routers of that network do not use a route to it. */
static void
fit_check_routed(const struct fit *fit, const struct service_settings *service)
{
	const struct iface *iface = fit_iface(fit, service->iface);

	for (size_t i = 0; i < service->listen_count && iface != NULL && service->routed; i++) {
		const struct addr *vip = &service->listens[i].vip;
		char text[ADDR_TEXT];

		if (!iface_is_on_link(iface, vip) || (i > 0 && addr_equal(vip, &service->listens[i - 1].vip)))
			continue;
		fit_warn(fit, FIT_VIP_ON_LINK, service->name, NULL, "the VIP %s has `arp = off`, and is in the "
		    "network of %s, where routers and hosts ask for its MAC address and get no answer: choose a VIP "
		    "outside, or remove `arp = off`", addr_format(vip, text), iface->name);
	}
}

/* Can frames be addressed to the server? Unknown if the director's interface has no address. */
static bool
fit_is_far(const struct fit *fit, const struct service_settings *service, const struct server_settings *server)
{
	const struct iface *own = fit_iface(fit, server->iface[0] != '\0' ? server->iface : service->iface);

	if (own == NULL || !mac_is_zero(&server->mac) || server->method != ENCAP_MAC ||
	    iface_address(own, (enum addr_family)server->addr.family) == NULL)
		return false;
	if (server->iface[0] != '\0')
		return !iface_is_on_link(own, &server->addr);
	for (size_t i = 0; i < fit->host->iface_count; i++)
		if (iface_is_on_link(&fit->host->ifaces[i], &server->addr))
			return false;
	return true;
}

static void
fit_check_server(const struct fit *fit, const struct service_settings *service, const struct server_settings *server)
{
	const char *holder = fit->host->holder(fit->host->context, &server->addr);
	char text[ADDR_TEXT];

	addr_format(&server->addr, text);
	if (server->iface[0] != '\0' && strcmp(server->iface, service->iface) != 0)
		fit_check_iface(fit, service->name, server->name, server->iface);
	if (server->method == ENCAP_LOCAL) {
		if (holder == NULL)
			fit_warn(fit, FIT_SERVER_IS_SELF, service->name, server->name,
			    "%s is none of this host's addresses, and a `local` server has one of them", text);
		return;
	}
	if (holder != NULL)
		fit_warn(fit, FIT_SERVER_IS_SELF, service->name, server->name,
		    "%s is this host's own address, on %s, so dsrd does not start: if this director is to be one of "
		    "the servers, write `server = %s %s local`", text, holder, server->name, text);
	else if (fit_is_far(fit, service, server))
		fit_warn(fit, FIT_SERVER_FAR, service->name, server->name,
		    "%s is in none of this host's networks%s%s: frames cannot be addressed through a router, so the "
		    "server stays "
		    "down; check the address, or the host's prefix lengths (`%s`), or choose another `method`",
		    text, server->iface[0] != '\0' ? " on " : "", server->iface, "ip address show");
}

void
fit_check(const struct settings *settings, const struct fit_host *host, fit_warning *warning, void *context)
{
	const struct fit fit = { settings, host, warning, context };

	for (size_t i = 0; i < PROBE_ADDRESSES; i++) {
		const struct addr *addr = &settings->probe_addresses[i];
		const char *holder = addr_is_set(addr) ? host->holder(host->context, addr) : NULL;
		char text[ADDR_TEXT];

		if (holder != NULL)
			fit_warn(&fit, FIT_PROBE_HELD, NULL, NULL,
			    "the probe-address %s is this host's own address, on %s, so dsrd does "
			    "not start: choose one that no host has", addr_format(addr, text), holder);
	}
	for (size_t i = 0; i < settings->service_count; i++) {
		const struct service_settings *service = &settings->services[i];

		if (!fit_named_before(&fit, i))
			fit_check_iface(&fit, service->name, NULL, service->iface);
		fit_check_vips(&fit, service);
		fit_check_routed(&fit, service);
		for (size_t j = 0; j < service->server_count; j++)
			fit_check_server(&fit, service, &service->servers[j]);
	}
}
