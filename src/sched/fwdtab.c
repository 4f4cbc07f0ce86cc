/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "sched/fwdtab.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

/* A weight of 1 in the settings is this much here; a server that has just come UP gets WEIGHT_COLD of it. */
#define WEIGHT_WHOLE 100
#define WEIGHT_COLD 10

#define LOCAL_MTU 65535 /* the largest packet: the loopback interface takes it */

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

/*
 * The share of its weight, in hundredths, that a server gets which came UP a while ago: from a tenth on, since a server
 * that gets nothing does not warm up either.
 */
static uint32_t
fwdtab_warmth(const struct server *server, uint64_t now)
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
	const bool serving = server->admin.admin != ADMIN_DISABLED;

	out->ref = server->ref;
	out->mac = server->mac;
	out->iface = server->iface;
	out->capacity = server_weight(server);
	out->weight = out->capacity * fwdtab_warmth(server, now);
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

/* Other methods than mac: the headers before packets of both families. */
static void
fill_encap(struct fwd_server *out, struct encap *encaps, const struct server *server)
{
	const struct server_settings *settings = &server->settings;
	const uint32_t overhead = encap_overhead(settings->method, (enum addr_family)settings->addr.family);

	encap_prepare(&encaps[0], settings->method, &server->source, &settings->addr, ADDR_IPV4);
	encap_prepare(&encaps[1], settings->method, &server->source, &settings->addr, ADDR_IPV6);
	out->encap = encaps;
	if (server->run->path.mtu != 0 && server->run->path.mtu < out->mtu)
		out->mtu = server->run->path.mtu;
	out->mtu = out->mtu > overhead ? out->mtu - overhead : 0;
}

static bool
has_encaps(const struct model *model)
{
	for (size_t slot = 0; slot < model->slot_count; slot++)
		if (model->slots[slot] != NULL && model->slots[slot]->settings.method != ENCAP_MAC &&
		    model->slots[slot]->settings.method != ENCAP_LOCAL)
			return true;
	return false;
}

static int
fill_servers(struct fwdtab *table, const struct model *model, const struct iface *ifaces, size_t iface_count,
    uint64_t now)
{
	table->server_count = model->slot_count;
	table->servers = calloc(model->slot_count + 1, sizeof(*table->servers));
	if (table->servers == NULL)
		return -1;
	if (has_encaps(model)) {
		table->encaps = calloc(model->slot_count * 2, sizeof(*table->encaps));
		if (table->encaps == NULL)
			return -1;
	}
	for (size_t slot = 0; slot < model->slot_count; slot++) {
		struct fwd_server *server = &table->servers[slot];

		server->ref.slot = (uint16_t)~slot;
		if (model->slots[slot] == NULL)
			continue;
		fill_server(server, model->slots[slot], now);
		server->local = model->slots[slot]->settings.method == ENCAP_LOCAL;
		if (!server->local && is_own_mac(&server->mac, ifaces, iface_count))
			server->reachable = server->takes_flows = false;
		if (server->iface < iface_count) {
			server->own_mac = ifaces[server->iface].mac;
			server->mtu = server->iface_mtu = ifaces[server->iface].mtu;
		}
		if (server->local)
			server->mtu = LOCAL_MTU;
		else if (model->slots[slot]->settings.method != ENCAP_MAC)
			fill_encap(server, &table->encaps[slot * 2], model->slots[slot]);
		table->warming |= server->takes_flows && !fwd_server_is_warm(server);
	}
	return 0;
}

/* How good a reason a server needs to be a candidate for a listen. */
enum fwd_demand {
	FWD_SERVING = 0, /* no reason against it */
	FWD_REFUSING     /* or no more than that the server has no program there */
};

static bool
fwd_may_serve(const struct server *server, const struct listen_settings *listen, enum fwd_demand demand)
{
	const enum listen_state state = server->ports == PORTS_ALL ? LISTEN_SERVED :
	    server_listen_state(server, listen);

	return state <= (demand == FWD_SERVING ? LISTEN_NOTED : LISTEN_REFUSED);
}

/* Sets the service's servers that take flows of the listen, backups or primaries; returns their number. */
static size_t
fwd_list_candidates(struct fwdtab *table, const struct service *service, const struct listen_settings *listen,
    bool backup,
    enum fwd_demand demand, struct fwd_server **list)
{
	size_t count = 0;

	for (size_t i = 0; i < service->server_count; i++) {
		const struct server *server = service->servers[i];
		struct fwd_server *fwd = &table->servers[server->ref.slot];

		if (fwd->takes_flows && server->settings.backup == backup && fwd_may_serve(server, listen, demand))
			list[count++] = fwd;
	}
	return count;
}

/*
 * Where every server refuses a port, all of them are candidates: the client is refused without delay, and a port that
 * is open only while a client uses it works (tcp/20 of FTP).
 */
static size_t
fwd_choose_candidates(struct fwdtab *table, const struct service *service, const struct listen_settings *listen,
    struct fwd_server **list)
{
	const bool regular = !service_is_below_quorum(service);
	size_t count = 0;

	for (enum fwd_demand demand = FWD_SERVING; demand <= FWD_REFUSING && count == 0; demand++) {
		if (regular)
			count = fwd_list_candidates(table, service, listen, false, demand, list);
		if (count == 0)
			count = fwd_list_candidates(table, service, listen, true, demand, list);
	}
	return count;
}

static bool
waits_for_mac(const struct fwdtab *table, const struct service *service)
{
	for (size_t i = 0; i < service->server_count; i++) {
		const struct fwd_server *fwd = &table->servers[service->servers[i]->ref.slot];

		if (!fwd->reachable && fwd->weight > 0 && server_health(service->servers[i]) == HEALTH_UP &&
		    service->servers[i]->admin.admin != ADMIN_DISABLED)
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
		weights[i] = admin_given_weight(service->servers[i]);
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

static void
fwd_service_free(struct fwd_service *service)
{
	if (service == NULL)
		return;
	fwd_service_free(service->past);
	free(service->quic);
	maglev_clear(&service->hash);
	free(service->candidates);
	free(service);
}

static struct fwd_service *
fwd_service_new(struct fwdtab *table, const struct model *model, const struct service *service,
    const struct listen_settings *listen)
{
	struct fwd_service *fwd = calloc(1, sizeof(*fwd));

	if (fwd == NULL)
		return NULL;
	fwd->candidates = calloc(service->server_count + 1, sizeof(struct fwd_server *));
	if (fwd->candidates == NULL || fwd_quic_new(table, service, &fwd->quic) == -1) {
		fwd_service_free(fwd);
		return NULL;
	}
	fwd->scheduler = service->settings.scheduler;
	fwd->run = service->run;
	fwd->number = service->run->number;
	fwd->turn = &service->run->rr_next;
	fwd->service = service;
	fwd->listen = listen;
	fwd->quorum_lost = fwd->selective = service_is_below_quorum(service);
	fwd->hash_key = model->hash_key;
	memcpy(&fwd->select_key, model->hash_key.bytes, sizeof(fwd->select_key));
	fwd->select_key = (struct select_key) { select_word(fwd->select_key.k0), select_word(fwd->select_key.k1) };
	fwd->timeouts = &service->settings.timeouts;
	fwd->candidate_count = fwd_choose_candidates(table, service, listen, fwd->candidates);
	fwd->unresolved = fwd->candidate_count == 0 && !fwd->quorum_lost && waits_for_mac(table, service);
	return fwd;
}

/*
 * Appends it to the table, or frees it when one of the service's that begin at `first` is the same. Its index, or -1.
 */
static ptrdiff_t
fwd_add_service(struct fwdtab *table, size_t first, struct fwd_service *fwd)
{
	struct fwd_service **grown;

	for (size_t i = first; i < table->service_count; i++) {
		if (table->services[i]->candidate_count == fwd->candidate_count &&
		    memcmp(table->services[i]->candidates, fwd->candidates,
		    fwd->candidate_count * sizeof(struct fwd_server *)) == 0) {
			fwd_service_free(fwd);
			return (ptrdiff_t)i;
		}
	}
	grown = realloc(table->services, (table->service_count + 1) * sizeof(*grown));
	if (grown != NULL)
		table->services = grown;
	if (grown == NULL || build_hash(fwd) == -1) {
		fwd_service_free(fwd);
		return -1;
	}
	table->services[table->service_count] = fwd;
	return (ptrdiff_t)table->service_count++;
}

/* Different candidate lists rotate separately, or one of them would see only every other number. */
static void
fwd_separate_turns(struct fwdtab *table, size_t first)
{
	for (size_t i = first; i < table->service_count && table->service_count - first > 1; i++) {
		struct fwd_service *fwd = table->services[i];

		fwd->own_turn = fwd->run->rr_next;
		fwd->turn = &fwd->own_turn;
		fwd->selective = true;
	}
}

static bool
fwd_is_split(const struct service *service)
{
	for (size_t i = 0; i < service->server_count; i++)
		if (service->servers[i]->ports == PORTS_PARTLY)
			return true;
	return false;
}

static int
fill_service(struct fwdtab *table, const struct model *model, const struct service *service, uint32_t *by_listen)
{
	const struct service_settings *settings = &service->settings;
	const bool split = fwd_is_split(service);
	const size_t first = table->service_count;

	for (size_t i = 0; i < settings->listen_count; i++) {
		struct fwd_service *fwd;
		ptrdiff_t index;

		by_listen[i] = (uint32_t)first;
		if (i > 0 && !split)
			continue;
		fwd = fwd_service_new(table, model, service, &settings->listens[i]);
		if (fwd == NULL)
			return -1;
		index = fwd_add_service(table, first, fwd);
		if (index == -1)
			return -1;
		by_listen[i] = (uint32_t)index;
	}
	fwd_separate_turns(table, first);
	return 0;
}

static size_t
count_listens(const struct model *model)
{
	size_t count = 0;

	for (size_t i = 0; i < model->service_count; i++)
		count += model->services[i]->settings.listen_count;
	return count;
}

static int
fill_services(struct fwdtab *table, const struct model *model)
{
	uint32_t *next;

	table->services = calloc(model->service_count + 1, sizeof(struct fwd_service *));
	table->by_listen = next = calloc(count_listens(model) + 1, sizeof(*table->by_listen));
	if (table->services == NULL || table->by_listen == NULL)
		return -1;
	for (size_t i = 0; i < model->service_count; i++) {
		if (fill_service(table, model, model->services[i], next) == -1)
			return -1;
		next += model->services[i]->settings.listen_count;
	}
	return 0;
}

static int
by_first(const void *a, const void *b)
{
	const struct fwd_port *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* The VIP of a listen: every one is in the model. */
static struct fwd_vip *
vip_of(const struct fwdtab *table, const struct addr *addr)
{
	const struct fwd_index *index = &table->vip_index;
	uint32_t at = fwdtab_addr_begin(table, addr);

	while (!addr_equal(&table->vips[index->slots[at]].addr, addr))
		at = (at + 1) & index->mask;
	return &table->vips[index->slots[at]];
}

static void
count_ports(struct fwdtab *table, const struct model *model)
{
	for (size_t i = 0; i < model->service_count; i++) {
		const struct service_settings *settings = &model->services[i]->settings;

		for (size_t j = 0; j < settings->listen_count; j++)
			vip_of(table, &settings->listens[j].vip)->port_count++;
	}
}

/* The service's server that is this host, or NULL. */
static struct fwd_server *
fwd_find_local(const struct fwdtab *table, const struct service *service)
{
	for (size_t i = 0; i < service->server_count; i++)
		if (service->servers[i]->settings.method == ENCAP_LOCAL)
			return &table->servers[service->servers[i]->ref.slot];
	return NULL;
}

/* Each VIP has its room; `port_count` counts again. */
static void
put_ports(struct fwdtab *table, const struct model *model)
{
	const uint32_t *service = table->by_listen;

	for (size_t i = 0; i < model->service_count; i++) {
		const struct service_settings *settings = &model->services[i]->settings;

		for (size_t j = 0; j < settings->listen_count; j++) {
			const struct listen_settings *listen = &settings->listens[j];
			struct fwd_vip *vip = vip_of(table, &listen->vip);

			vip->local = vip->local != NULL ? vip->local : fwd_find_local(table, model->services[i]);
			vip->ports[vip->port_count++] = (struct fwd_port) { fwd_port_key(listen->protocol,
			    listen->first),
				fwd_port_key(listen->protocol, listen->last), table->services[*service++] };
		}
	}
}

/* Behind the ports of each VIP stands what ends them. */
static void
fill_ports(struct fwdtab *table, const struct model *model)
{
	struct fwd_port *next = table->ports;

	count_ports(table, model);
	for (size_t i = 0; i < table->vip_count; i++) {
		table->vips[i].ports = next;
		next += table->vips[i].port_count + 1;
		table->vips[i].port_count = 0;
	}
	put_ports(table, model);
	for (size_t i = 0; i < table->vip_count; i++) {
		struct fwd_vip *vip = &table->vips[i];

		qsort(vip->ports, vip->port_count, sizeof(*vip->ports), by_first);
		vip->ports[vip->port_count] = (struct fwd_port) { UINT32_MAX, UINT32_MAX, NULL };
	}
}

static int
fill_vips(struct fwdtab *table, const struct model *model)
{
	const size_t ports = count_listens(model);

	table->vip_count = model->vip_count;
	table->vips = calloc(model->vip_count + 1, sizeof(*table->vips));
	table->ports = calloc(ports + model->vip_count + 1, sizeof(*table->ports));
	if (table->vips == NULL || table->ports == NULL || index_init(&table->vip_index, model->vip_count) == -1)
		return -1;
	for (size_t i = 0; i < model->vip_count; i++) {
		struct fwd_vip *vip = &table->vips[i];
		uint32_t at;

		vip->addr = model->vips[i].addr;
		vip->number = model->vips[i].number;
		vip->iface = model->vips[i].iface;
		vip->group = model->vips[i].group;
		vip->routed = model->vips[i].routed;
		vip->dscp = model->vips[i].dscp;
		at = fwdtab_addr_begin(table, &vip->addr);
		while (table->vip_index.slots[at] != FWD_EMPTY)
			at = (at + 1) & table->vip_index.mask;
		table->vip_index.slots[at] = (uint32_t)i;
	}
	fill_ports(table, model);
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
	for (size_t i = 0; i < table->service_count; i++)
		table->services[i]->since = now;
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
	for (size_t i = 0; table->services != NULL && i < table->service_count; i++)
		fwd_service_free(table->services[i]);
	free(table->services);
	free(table->by_listen);
	free(table->servers);
	free(table->encaps);
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
fwdtab_services(const struct fwdtab *table)
{
	return table->service_count;
}

const struct fwd_service *
fwdtab_service_at(const struct fwdtab *table, size_t index)
{
	return table->services[index];
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
fwd_service_select(const struct fwd_service *service, enum select_by by, const struct fwd_vip *vip,
    const struct conn_key *key)
{
	struct select_name name = { .client_port = key->client_port, .vip_port = key->vip_port,
		.protocol = conn_key_protocol(key) };

	memcpy(name.client, key->client, sizeof(name.client));
	if (vip != NULL)
		memcpy(name.vip, vip->addr.bytes, sizeof(name.vip));
	return service->candidates[maglev_find(&service->hash, select_hash(&service->select_key, by, &name))];
}

struct fwd_server *
fwd_service_hash(const struct fwd_service *service, const struct conn_key *key)
{
	return fwd_service_select(service, SELECT_FLOW, NULL, key);
}

struct fwd_server *
fwd_service_by_hash(const struct fwd_service *service, const struct fwd_vip *vip, const struct conn_key *key)
{
	return service->scheduler->by_hash ? service->scheduler->pick(service, vip, key) :
	    fwd_service_hash(service, key);
}
