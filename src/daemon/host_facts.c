/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/host_facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/log.h"
#include "os/os.h"

#define NAMES_MOST 256 /* interfaces of the host that are looked at */

struct host_facts {
	struct iface *ifaces;
	size_t iface_count;
	size_t iface_room;
	struct addr *addrs; /* sorted */
	char (*holders)[IFACE_NAME];
	size_t addr_count;
};

/* Unless it is known, or the host does not have it. */
static void
host_facts_iface(struct host_facts *facts, const char *name)
{
	char error[OS_ERROR];

	for (size_t i = 0; i < facts->iface_count; i++)
		if (strcmp(facts->ifaces[i].name, name) == 0)
			return;
	if (facts->iface_count < facts->iface_room && os_iface_read(name, &facts->ifaces[facts->iface_count], error) ==
	    0)
		facts->iface_count++;
}

static int
host_compare_addrs(const void *a, const void *b)
{
	return compare_addrs(a, b);
}

static size_t
host_count_addrs(const struct settings *settings)
{
	size_t count = PROBE_ADDRESSES;

	for (size_t i = 0; i < settings->service_count; i++)
		count += settings->services[i].listen_count + settings->services[i].server_count;
	return count;
}

static void
host_facts_addresses(struct host_facts *facts, const struct settings *settings)
{
	size_t kept = 0;

	for (size_t i = 0; i < PROBE_ADDRESSES; i++)
		if (addr_is_set(&settings->probe_addresses[i]))
			facts->addrs[facts->addr_count++] = settings->probe_addresses[i];
	for (size_t i = 0; i < settings->service_count; i++) {
		const struct service_settings *service = &settings->services[i];

		for (size_t j = 0; j < service->listen_count; j++)
			facts->addrs[facts->addr_count++] = service->listens[j].vip;
		for (size_t j = 0; j < service->server_count; j++)
			facts->addrs[facts->addr_count++] = service->servers[j].addr;
	}
	qsort(facts->addrs, facts->addr_count, sizeof(*facts->addrs), host_compare_addrs);
	/* A VIP with thousands of ports is one address. */
	for (size_t i = 0; i < facts->addr_count; i++)
		if (kept == 0 || !addr_equal(&facts->addrs[i], &facts->addrs[kept - 1]))
			facts->addrs[kept++] = facts->addrs[i];
	facts->addr_count = kept;
	os_hold_addresses(facts->addrs, facts->addr_count, facts->holders);
}

static void
host_facts_ifaces(struct host_facts *facts, const struct settings *settings)
{
	char names[NAMES_MOST][IFACE_NAME];
	const size_t count = os_iface_list(names, NAMES_MOST);

	for (size_t i = 0; i < settings->service_count; i++) {
		const struct service_settings *service = &settings->services[i];

		host_facts_iface(facts, service->iface);
		for (size_t j = 0; j < service->server_count; j++)
			if (service->servers[j].iface[0] != '\0')
				host_facts_iface(facts, service->servers[j].iface);
	}
	for (size_t i = 0; i < count; i++)
		host_facts_iface(facts, names[i]);
}

static const char *
host_find_holder(void *context, const struct addr *addr)
{
	const struct host_facts *facts = context;
	const struct addr *found = bsearch(addr, facts->addrs, facts->addr_count, sizeof(*addr), host_compare_addrs);
	const char *holder = found == NULL ? "" : facts->holders[found - facts->addrs];

	return holder[0] != '\0' ? holder : NULL;
}

int
host_fit(const struct settings *settings, fit_warning *warning, void *context)
{
	const size_t addresses = host_count_addrs(settings);
	struct host_facts facts = { .iface_room = 2 * NAMES_MOST };
	int result = -1;

	facts.ifaces = calloc(facts.iface_room, sizeof(*facts.ifaces));
	facts.addrs = calloc(addresses, sizeof(*facts.addrs));
	facts.holders = calloc(addresses, sizeof(*facts.holders));
	if (facts.ifaces != NULL && facts.addrs != NULL && facts.holders != NULL) {
		host_facts_addresses(&facts, settings);
		host_facts_ifaces(&facts, settings);
		fit_check(settings, &(const struct fit_host) { facts.ifaces, facts.iface_count, host_find_holder,
		    &facts }, warning,
		    context);
		result = 0;
	}
	free(facts.ifaces);
	free(facts.addrs);
	free(facts.holders);
	return result;
}

/* What is refused has a log line of its own; the rest is a problem of the director. */
static void
host_log_misfit(void *context UNUSED, enum fit_kind kind, const char *service, const char *server, const char *message)
{
	char text[LOG_TEXT];

	if (kind == FIT_SERVER_FAR)
		log_warning("server-address server=%s/%s reason=\"%s\"", service, server, log_escape(message, text));
}

void
host_fit_log(const struct settings *settings)
{
	if (host_fit(settings, host_log_misfit, NULL) == -1)
		log_warning("server-address result=failed reason=\"out of memory\"");
}
