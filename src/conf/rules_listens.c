/* SPDX-License-Identifier: ISC */
/* What VIPs and ports contradict: each other, and the addresses of servers and of the director. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/text.h"
#include "conf/keys.h"
#include "conf/source.h"
#include "proto/packet.h"

/* One listen, where it stood, and how it stands in the order of the file. */
struct item {
	const struct draft *draft;
	const struct place *place;
	const struct listen_settings *listen;
	size_t order;
};

struct items {
	struct item *items;
	size_t count;
};

/* VIP, protocol, first port, order. */
static int
compare_listens(const void *left, const void *right)
{
	const struct item *a = left, *b = right;
	int result = compare_addrs(&a->listen->vip, &b->listen->vip);

	if (result == 0)
		result = compare_numbers(a->listen->protocol, b->listen->protocol);
	if (result == 0)
		result = compare_numbers(a->listen->first, b->listen->first);
	return result != 0 ? result : compare_numbers(a->order, b->order);
}

/* For bsearch(): an address among items that compare_listens() sorted. */
static int
compare_vip(const void *addr, const void *item)
{
	return compare_addrs(addr, &((const struct item *)item)->listen->vip);
}

/* All listens of the services that are kept, sorted. False when memory is out. */
static bool
collect_listens(struct parse *parse, struct items *all)
{
	size_t count = 0;

	for (size_t i = 0; i < parse->service_count; i++)
		count += parse->services[i]->service.listen_count;
	all->count = 0;
	all->items = calloc(count + 1, sizeof(*all->items));
	if (all->items == NULL) {
		parse_out_of_memory(parse);
		return false;
	}
	for (size_t i = 0; i < parse->service_count; i++) {
		const struct draft *draft = parse->services[i];

		for (size_t j = 0; j < draft->service.listen_count && !draft->discard; j++, all->count++)
			all->items[all->count] = (struct item){ .draft = draft, .place = &draft->listen_places[j],
			    .listen = &draft->service.listens[j], .order = all->count };
	}
	qsort(all->items, all->count, sizeof(*all->items), compare_listens);
	return true;
}

/* `later` has a port that `earlier` had first. */
static void
tell_clash(struct parse *parse, const struct item *earlier, const struct item *later, unsigned port)
{
	const char *protocol = protocol_name(later->listen->protocol);
	char vip[ADDR_TEXT], where[PLACE_TEXT];

	addr_format(&later->listen->vip, vip);
	place_text(earlier->place, later->place, where);
	if (earlier->draft == later->draft)
		parse_error_at(parse, later->place, "%s %s/%u was given %s already", vip, protocol, port, where);
	else
		parse_error_at(parse, later->place,
		    "%s %s/%u belongs to service `%s` already (%s): "
		    "a port of a VIP can lead to one service only",
		    vip, protocol, port, earlier->draft->service.name, where);
}

/* Who had each port of a VIP and protocol first, and the next port from there on that is free. */
struct ports {
	const struct item *owner[PORT_MOST + 1];
	uint32_t next[PORT_MOST + 2];
};

static uint32_t
ports_find_free(struct ports *ports, uint32_t port)
{
	while (ports->next[port] != port) {
		ports->next[port] = ports->next[ports->next[port]];
		port = ports->next[port];
	}
	return port;
}

/* Gives `item` the ports that are free. The first that is not, or 0. */
static unsigned
ports_take(struct ports *ports, const struct item *item)
{
	const uint32_t first = item->listen->first, last = item->listen->last;
	uint32_t expected = first;
	unsigned clash = 0;

	for (uint32_t port = ports_find_free(ports, first); port <= last; port = ports_find_free(ports, port + 1)) {
		if (port != expected && clash == 0)
			clash = expected;
		ports->owner[port] = item;
		ports->next[port] = port + 1;
		expected = port + 1;
	}
	return clash == 0 && expected <= last ? expected : clash;
}

static int
compare_orders(const void *left, const void *right)
{
	const struct item *a = left, *b = right;

	return compare_numbers(a->order, b->order);
}

/*
 * Listens of one VIP and protocol, of which some overlap: an error for each line that has a port which it cannot
 * have.
 */
static void
tell_clashes(struct parse *parse, const struct item *items, size_t count)
{
	struct item *sorted = calloc(count, sizeof(*sorted));
	struct ports *ports = calloc(1, sizeof(*ports));
	const struct place *reported = NULL;

	if (sorted == NULL || ports == NULL) {
		parse_out_of_memory(parse);
		goto out;
	}
	memcpy(sorted, items, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare_orders);
	for (uint32_t port = 0; port < ARRAY_LEN(ports->next); port++)
		ports->next[port] = port;
	for (size_t i = 0; i < count; i++) {
		const unsigned port = ports_take(ports, &sorted[i]);

		if (port == 0 || (reported != NULL && reported->file == sorted[i].place->file &&
		    reported->line == sorted[i].place->line))
			continue;
		reported = sorted[i].place;
		tell_clash(parse, ports->owner[port], &sorted[i], port);
	}
out:
	free(sorted);
	free(ports);
}

/* The same VIP, protocol and port may stand once. */
static void
check_overlaps(struct parse *parse, const struct items *all)
{
	const struct item *items = all->items;

	for (size_t first = 0, end; first < all->count; first = end) {
		unsigned last = items[first].listen->last;
		bool clash = false;

		for (end = first + 1; end < all->count && addr_equal(&items[first].listen->vip,
		    &items[end].listen->vip) &&
		    items[first].listen->protocol == items[end].listen->protocol; end++) {
			clash |= items[end].listen->first <= last;
			last = items[end].listen->last > last ? items[end].listen->last : last;
		}
		if (clash)
			tell_clashes(parse, &items[first], end - first);
	}
}

/* Of the VIPs, which the sorting has brought together. */
static void
check_vip_count(struct parse *parse, const struct items *all)
{
	/* the first line of the file's first VIP that is too many, among those sorted last */
	const struct item *excess = NULL;
	size_t count = 0;

	for (size_t i = 0; i < all->count; i++) {
		if (i > 0 && addr_equal(&all->items[i - 1].listen->vip, &all->items[i].listen->vip))
			continue;
		if (++count > VIPS_MOST && (excess == NULL || all->items[i].order < excess->order))
			excess = &all->items[i];
	}
	if (excess != NULL)
		parse_error_at(parse, excess->place, "too many VIPs in all services together: %zu, at most %d", count,
		    VIPS_MOST);
}

static void
tell_vip_interface(struct parse *parse, const struct item *earlier, const struct item *later)
{
	char vip[ADDR_TEXT], where[PLACE_TEXT];

	parse_error_at(parse, later->place,
	    "the VIP %s is on interface `%s` here, but on `%s` in service `%s` (%s): "
	    "a VIP lives on one interface",
	    addr_format(&later->listen->vip, vip), later->draft->service.iface, earlier->draft->service.iface,
	    earlier->draft->service.name, place_text(earlier->place, later->place, where));
}

static void
tell_vip_group(struct parse *parse, const struct item *earlier, const struct item *later)
{
	char vip[ADDR_TEXT], where[PLACE_TEXT];

	parse_error_at(parse, later->place,
	    "the VIP %s is in group `%s` here, but in `%s` in service `%s` (%s): a VIP has one role, so it is in one "
	    "group",
	    addr_format(&later->listen->vip, vip), later->draft->service.group_name, earlier->draft->service.group_name,
	    earlier->draft->service.name, place_text(earlier->place, later->place, where));
}

static void
tell_vip_arp(struct parse *parse, const struct item *earlier, const struct item *later)
{
	char vip[ADDR_TEXT], where[PLACE_TEXT];

	parse_error_at(parse, later->place, "the VIP %s has `arp = %s` here, but `arp = %s` in service `%s` (%s): give "
	    "both services the same", addr_format(&later->listen->vip, vip),
	    later->draft->service.routed ? "off" : "on", earlier->draft->service.routed ? "off" : "on",
	    earlier->draft->service.name, place_text(earlier->place, later->place, where));
}

/* A VIP is answered for on one interface, and in one role. */
static void
check_vip_homes(struct parse *parse, const struct items *all)
{
	for (size_t i = 1; i < all->count; i++) {
		const struct item *a = &all->items[i - 1], *b = &all->items[i];
		const struct item *later = a->order > b->order ? a : b;
		const struct item *earlier = later == a ? b : a;

		if (!addr_equal(&a->listen->vip, &b->listen->vip))
			continue;
		if (strcmp(a->draft->service.iface, b->draft->service.iface) != 0)
			tell_vip_interface(parse, earlier, later);
		if (a->draft->service.group != b->draft->service.group)
			tell_vip_group(parse, earlier, later);
		if (a->draft->service.routed != b->draft->service.routed)
			tell_vip_arp(parse, earlier, later);
	}
}

/* The first listen of that VIP in the file, or NULL. */
static const struct item *
rules_find_vip(const struct items *all, const struct addr *addr)
{
	const struct item *found = bsearch(addr, all->items, all->count, sizeof(*all->items), compare_vip);
	const struct item *first = found, *item = found;

	if (found == NULL)
		return NULL;
	while (item > all->items && addr_equal(&item[-1].listen->vip, addr))
		item--;
	for (; item < all->items + all->count && addr_equal(&item->listen->vip, addr); item++) {
		if (item->order < first->order)
			first = item;
	}
	return first;
}

/* Servers and the director have addresses of their own. */
static void
check_server_address(struct parse *parse, const struct items *listens, const struct draft *draft, size_t index)
{
	const struct server_settings *server = &draft->service.servers[index];
	const struct place *place = &draft->server_places[index];
	const struct item *vip = rules_find_vip(listens, &server->addr);
	char addr[ADDR_TEXT], where[PLACE_TEXT];

	addr_format(&server->addr, addr);
	if (vip != NULL)
		parse_error_at(parse, place,
		    "server `%s` cannot have the address %s, which is a VIP (%s): name the server's "
		    "own address; the VIP stands on its loopback besides",
		    server->name, addr, place_text(vip->place, place, where));
	if (addr_equal(&server->addr, &parse->conf->address4.addr) ||
	    addr_equal(&server->addr, &parse->conf->address6.addr))
		parse_error_at(parse, place, "server `%s` cannot have the address %s, which is the director's own: "
		    "the director cannot be a real server too", server->name, addr);
}

static void
check_own_address(struct parse *parse, const struct items *listens, const struct addr *own)
{
	char addr[ADDR_TEXT];

	if (addr_is_set(own) && rules_find_vip(listens, own) != NULL)
		parse_error_at(parse, &parse->dsrd.given[KEY_ADDRESS], "%s is a VIP: `address` is the director's own, "
		    "another one", addr_format(own, addr));
}

/* A probe address must not be used by anything else. */
static void
rules_check_probe_address(struct parse *parse, const struct items *listens, const struct addr *probe)
{
	const struct place *place = &parse->dsrd.given[KEY_PROBE_ADDRESS];
	char addr[ADDR_TEXT];

	if (!addr_is_set(probe))
		return;
	addr_format(probe, addr);
	if (rules_find_vip(listens, probe) != NULL)
		parse_error_at(parse, place, "%s is a VIP: `probe-address` is an address that nothing else uses", addr);
	for (size_t i = 0; i < parse->service_count; i++) {
		const struct service_settings *service = &parse->services[i]->service;

		for (size_t j = 0; j < service->server_count; j++) {
			if (!addr_equal(&service->servers[j].addr, probe))
				continue;
			parse_error_at(parse, place, "%s is server `%s`: `probe-address` is an address that nothing "
			    "else uses", addr,
			    service->servers[j].name);
			return;
		}
	}
}

static void
check_http(struct parse *parse, const struct items *listens)
{
	const struct addr *http = &parse->conf->http_address;
	char addr[ADDR_TEXT];

	if (addr_is_set(http) && rules_find_vip(listens, http) != NULL)
		parse_error_at(parse, &parse->dsrd.given[KEY_HTTP], "%s is a VIP: `http` is for an address of the "
		    "director's "
		    "own, or 127.0.0.1", addr_format(http, addr));
}

static void
check_addresses(struct parse *parse, const struct items *listens)
{
	check_http(parse, listens);
	check_own_address(parse, listens, &parse->conf->address4.addr);
	check_own_address(parse, listens, &parse->conf->address6.addr);
	for (size_t i = 0; i < PROBE_ADDRESSES; i++)
		rules_check_probe_address(parse, listens, &parse->conf->settings.probe_addresses[i]);
	for (size_t i = 0; i < parse->service_count; i++) {
		const struct draft *draft = parse->services[i];

		for (size_t j = 0; j < draft->service.server_count && !draft->discard; j++)
			check_server_address(parse, listens, draft, j);
	}
}

void
parse_check_listens(struct parse *parse)
{
	struct items listens;

	if (!collect_listens(parse, &listens))
		return;
	check_overlaps(parse, &listens);
	check_vip_count(parse, &listens);
	check_vip_homes(parse, &listens);
	check_addresses(parse, &listens);
	free(listens.items);
}
