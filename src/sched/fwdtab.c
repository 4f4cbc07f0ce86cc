/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "sched/fwdtab.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"

/* A weight of 1 in the settings is this much here; a server that has just come UP gets WEIGHT_COLD of it. */
#define WEIGHT_WHOLE 100
#define WEIGHT_COLD 10

static int
index_init(struct fwd_index *index, size_t entries)
{
	uint32_t size = 4;
	unsigned bits = 2;

	for (; size < 2 * entries; size *= 2)
		bits++;
	index->slots = malloc(size * sizeof(*index->slots));
	if (index->slots == NULL)
		return -1;
	memset(index->slots, 0xff, size * sizeof(*index->slots));
	index->mask = size - 1;
	index->shift = 64 - bits;
	return 0;
}

static void
index_add(struct fwd_index *index, uint32_t at, uint32_t value)
{
	while (index->slots[at] != FWD_EMPTY)
		at = (at + 1) & index->mask;
	index->slots[at] = value;
}

/*
 * The share of its weight, in hundredths, that a server gets which came UP a while ago: from a tenth on, since a server
 * that gets nothing does not warm up either.
 */
static uint32_t
warmth(const struct server *server, uint64_t now)
{
	const uint64_t warmup = server->service->settings.warmup;
	const uint64_t age = now > server->since ? now - server->since : 0;

	if (age >= warmup)
		return WEIGHT_WHOLE;
	return age * WEIGHT_WHOLE / warmup > WEIGHT_COLD ? (uint32_t)(age * WEIGHT_WHOLE / warmup) : WEIGHT_COLD;
}

static void
fill_server(struct fwd_server *out, const struct server *server, uint64_t now)
{
	const bool serving = server->steering.admin != ADMIN_DISABLED;

	out->ref = server->ref;
	out->mac = server->mac;
	out->iface = server->iface;
	out->capacity = server_weight(server);
	out->weight = out->capacity * warmth(server, now);
	out->max_connections = server->settings.max_connections;
	out->addr = server->settings.addr;
	out->run = server->run;
	out->service = server->service;
	out->server = server;
	out->reachable = !mac_is_zero(&server->mac) && server->iface != IFACE_NONE;
	out->healthy = serving && server_health(server) != HEALTH_DOWN;
	out->takes_flows = serving && server_health(server) == HEALTH_UP && out->weight > 0 && out->reachable;
}

/* Then its frames would come back at once, without end. */
static bool
is_own_mac(const struct mac *mac, const struct iface *ifaces, size_t iface_count)
{
	for (size_t i = 0; i < iface_count; i++)
		if (mac_equal(&ifaces[i].mac, mac))
			return true;
	return false;
}

static void
fill_way(struct fwd_server *out, const struct iface *iface)
{
	out->own_mac = iface->mac;
	out->mtu = iface->mtu;
}

static int
fill_servers(struct fwdtab *table, const struct model *model, const struct iface *ifaces, size_t iface_count, uint64_t now)
{
	table->server_count = model->slot_count;
	table->servers = calloc(model->slot_count + 1, sizeof(*table->servers));
	if (table->servers == NULL)
		return -1;
	for (size_t slot = 0; slot < model->slot_count; slot++) {
		struct fwd_server *server = &table->servers[slot];

		server->ref.slot = (uint16_t)~slot;
		if (model->slots[slot] == NULL)
			continue;
		fill_server(server, model->slots[slot], now);
		if (is_own_mac(&server->mac, ifaces, iface_count))
			server->reachable = server->takes_flows = false;
		if (server->iface < iface_count)
			fill_way(server, &ifaces[server->iface]);
		table->warming |= server->takes_flows && !fwd_server_is_warm(server);
	}
	return 0;
}

/* Appends the service's servers that take flows and are backups or not; the number of them. */
static size_t
append_candidates(struct fwdtab *table, const struct service *service, bool backup, struct fwd_server **list)
{
	size_t count = 0;

	for (size_t i = 0; i < service->server_count; i++) {
		const struct server *server = service->servers[i];
		struct fwd_server *fwd = &table->servers[server->ref.slot];

		if (fwd->takes_flows && server->settings.backup == backup)
			list[count++] = fwd;
	}
	return count;
}

static bool
waits_for_mac(const struct fwdtab *table, const struct service *service)
{
	for (size_t i = 0; i < service->server_count; i++) {
		const struct fwd_server *fwd = &table->servers[service->servers[i]->ref.slot];

		if (!fwd->reachable && fwd->weight > 0 && server_health(service->servers[i]) == HEALTH_UP &&
		    service->servers[i]->steering.admin != ADMIN_DISABLED)
			return true;
	}
	return false;
}

/* By all servers as they are meant to be: health, warmth and drains must not change the table's size. */
static int
hash_room(const struct service *service, size_t *room)
{
	uint32_t *weights = calloc(service->server_count + 1, sizeof(*weights));

	if (weights == NULL)
		return -1;
	for (size_t i = 0; i < service->server_count; i++)
		weights[i] = steer_given_weight(service->servers[i]);
	*room = maglev_room(weights, service->server_count);
	free(weights);
	return 0;
}

static int
build_hash(struct fwd_service *service)
{
	struct maglev_member *members;
	char name[SERVER_NAME_TEXT];
	size_t room;
	int result;

	if (hash_room(service->service, &room) == -1)
		return -1;
	members = calloc(service->candidate_count + 1, sizeof(*members));
	if (members == NULL)
		return -1;
	for (size_t i = 0; i < service->candidate_count; i++) {
		server_name(service->candidates[i]->server, name);
		members[i].identity = siphash24(&service->hash_key, name, strlen(name));
		members[i].weight = service->candidates[i]->weight;
	}
	result = maglev_build(&service->hash, members, service->candidate_count, room);
	free(members);
	return result;
}

static int
fill_services(struct fwdtab *table, const struct model *model)
{
	struct fwd_server **next;

	table->service_count = model->service_count;
	table->services = calloc(model->service_count + 1, sizeof(*table->services));
	table->candidates = calloc(model->slot_count + 1, sizeof(struct fwd_server *));
	if (table->services == NULL || table->candidates == NULL)
		return -1;
	next = table->candidates;
	for (size_t i = 0; i < model->service_count; i++) {
		const struct service *service = model->services[i];
		struct fwd_service *fwd = &table->services[i];

		fwd->scheduler = service->settings.scheduler;
		fwd->run = service->run;
		fwd->service = service;
		fwd->candidates = next;
		fwd->candidate_count = append_candidates(table, service, false, next);
		if (fwd->candidate_count == 0)
			fwd->candidate_count = append_candidates(table, service, true, next);
		fwd->unresolved = fwd->candidate_count == 0 && waits_for_mac(table, service);
		fwd->hash_key = model->hash_key;
		fwd->timeouts = &service->settings.timeouts;
		next += fwd->candidate_count;
		if (build_hash(fwd) == -1)
			return -1;
	}
	return 0;
}

static int
by_first(const void *a, const void *b)
{
	const struct fwd_port *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* Appends the ports of all services on `addr`, and what ends them; the number of them without that. */
static size_t
append_ports(struct fwdtab *table, const struct model *model, const struct addr *addr, struct fwd_port *list)
{
	size_t count = 0;

	for (size_t i = 0; i < model->service_count; i++) {
		const struct service_settings *settings = &model->services[i]->settings;

		for (size_t j = 0; j < settings->listen_count; j++) {
			const struct listen_settings *listen = &settings->listens[j];

			if (addr_equal(&listen->vip, addr))
				list[count++] = (struct fwd_port) { fwd_port_key(listen->protocol, listen->first),
					fwd_port_key(listen->protocol, listen->last), &table->services[i] };
		}
	}
	qsort(list, count, sizeof(*list), by_first);
	list[count] = (struct fwd_port) { UINT32_MAX, UINT32_MAX, NULL };
	return count;
}

static int
fill_vips(struct fwdtab *table, const struct model *model)
{
	size_t ports = 0;
	struct fwd_port *next;

	for (size_t i = 0; i < model->service_count; i++)
		ports += model->services[i]->settings.listen_count;
	table->vip_count = model->vip_count;
	table->vips = calloc(model->vip_count + 1, sizeof(*table->vips));
	table->ports = calloc(ports + model->vip_count + 1, sizeof(*table->ports));
	if (table->vips == NULL || table->ports == NULL || index_init(&table->vip_index, model->vip_count) == -1)
		return -1;
	next = table->ports;
	for (size_t i = 0; i < model->vip_count; i++) {
		struct fwd_vip *vip = &table->vips[i];

		vip->addr = model->vips[i].addr;
		vip->number = model->vips[i].number;
		vip->iface = model->vips[i].iface;
		vip->ports = next;
		vip->port_count = append_ports(table, model, &vip->addr, next);
		next += vip->port_count + 1;
		index_add(&table->vip_index, fwdtab_addr_begin(table, &vip->addr), (uint32_t)i);
	}
	return 0;
}

struct fwdtab *
fwdtab_compile(const struct model *model, const struct iface *ifaces, size_t iface_count, uint64_t now)
{
	struct fwdtab *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return NULL;
	if (fill_servers(table, model, ifaces, iface_count, now) == -1 ||
	    fill_services(table, model) == -1 || fill_vips(table, model) == -1) {
		fwdtab_free(table);
		return NULL;
	}
	return table;
}

bool
fwdtab_is_warming(const struct fwdtab *table)
{
	return table->warming;
}

bool
fwd_server_is_warm(const struct fwd_server *server)
{
	return server->weight >= server->capacity * WEIGHT_WHOLE;
}

void
fwdtab_free(struct fwdtab *table)
{
	if (table == NULL)
		return;
	free(table->vip_index.slots);
	free(table->ports);
	free(table->vips);
	free(table->candidates);
	for (size_t i = 0; table->services != NULL && i < table->service_count; i++)
		maglev_clear(&table->services[i].hash);
	free(table->services);
	free(table->servers);
	free(table);
}

size_t
fwdtab_slots(const struct fwdtab *table)
{
	return table->server_count;
}

const struct fwd_server *
fwdtab_slot(const struct fwdtab *table, size_t slot)
{
	return slot < table->server_count && table->servers[slot].server != NULL ? &table->servers[slot] : NULL;
}

size_t
fwdtab_vips(const struct fwdtab *table)
{
	return table->vip_count;
}

const struct fwd_vip *
fwdtab_vip_at(const struct fwdtab *table, size_t index)
{
	return &table->vips[index];
}

struct fwd_server *
fwd_service_hash(const struct fwd_service *service, const struct conn_key *key)
{
	struct conn_key common = *key;

	/* The VIP's number is this director's own, and so is its byte order; all else is the same on another one. */
	store32((uint8_t *)&common.target, (uint32_t)conn_key_protocol(key) << 8);
	store16((uint8_t *)&common.client_port, key->client_port);
	store16((uint8_t *)&common.vip_port, key->vip_port);
	return service->candidates[maglev_find(&service->hash, siphash24(&service->hash_key, &common, sizeof(common)))];
}
