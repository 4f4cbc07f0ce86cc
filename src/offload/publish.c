/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "offload/publish.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "flow/unproven.h"
#include "offload/cache_state.h"

static_assert(sizeof(struct select_front) == 32 && sizeof(struct select_range) == 16 &&
    sizeof(struct select_service) == 16 && sizeof(struct select_bank) % 8 == 0 && sizeof(struct select_control) % 8 == 0,
    "shared with the kernel's program");
static_assert(sizeof(struct select_counts) % 64 == 0, "each processor's in cache lines of its own");

#define REST MILLISECONDS(16) /* as in slots.c: longer than any reader reads a bank */
#define SETTLE_EACH SECONDS(1)
#define PIN_EACH 262144 /* flows looked at each time: some milliseconds */

/* A service as it was published last. */
struct published {
	uint16_t number;   /* struct service_run's, */
	uint16_t ordinal;  /* and which one of those that stand for the same service */
	enum select_by by;
	bool fallback;
	uint32_t slots;    /* where in the bank */
	uint32_t size;
	uint32_t window;   /* seconds until a slot is settled */
	uint32_t *servers; /* of each slot: the server's slot, and above its generation */
	uint32_t *since;   /* and the second in which it got that one; 0: it is settled */
};

struct publisher {
	uint32_t groups;
	uint32_t bank;     /* the one in use or used last */
	uint64_t swapped;  /* when it was put to use; UINT64_MAX: never */
	bool waits;        /* a table is to be published as soon as the other bank has rested */
	bool settling;     /* there are slots that are not settled */
	uint64_t settle_due;
	uint32_t walked;   /* how far conn_walk() has come */
	struct published *services;
	uint32_t service_count;
	uint64_t unrecorded;
	struct select_count counted[SELECT_SERVERS];
	uint16_t places[OFFLOAD_VIPS]; /* by number: where the VIP was in the table */
};

/* A table on its way into a bank. */
struct edition {
	struct offload_cache *offload;
	struct select_bank *bank;
	struct published *services;
	uint32_t service_count;
	uint32_t slots;
	uint32_t ranges;
	size_t hint; /* for publisher_index() */
	bool settling;
};

struct publisher *
publisher_new(void)
{
	struct publisher *publisher = calloc(1, sizeof(*publisher));

	if (publisher == NULL)
		return NULL;
	publisher->groups = UINT32_MAX;
	publisher->swapped = UINT64_MAX;
	return publisher;
}

static void
publisher_forget(struct published *services, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		free(services[i].servers);
		free(services[i].since);
	}
	free(services);
}

void
publisher_free(struct publisher *publisher)
{
	if (publisher == NULL)
		return;
	publisher_forget(publisher->services, publisher->service_count);
	free(publisher);
}

void
offload_serve_groups(struct offload_cache *offload, uint32_t groups)
{
	if (offload->publisher != NULL)
		offload->publisher->groups = groups;
}

static uint32_t
publisher_second(const struct offload_cache *offload)
{
	return (uint32_t)(offload->clock / SECONDS(1)) + 1;
}

/*
 * --- which services --------------------------------------------------------------------------------------------------
 */

/* Is it the flow alone that decides, and no count of the daemon? Otherwise it does in a flood only. */
static bool
publisher_is_by_hash(const struct fwd_service *service)
{
	if (service->scheduler->by_hash == SELECT_NOT)
		return false;
	for (size_t i = 0; i < service->candidate_count; i++)
		if (service->candidates[i]->max_connections != 0)
			return false;
	return true;
}

/* As flow_by_hash() of forward/policy.c. */
static enum select_by
publisher_by(const struct fwd_service *service)
{
	return service->scheduler->by_hash != SELECT_NOT ? service->scheduler->by_hash : SELECT_FLOW;
}

/* Persistence goes by what the daemon remembers, even in a flood, and `limit-new` by what it counts. */
static bool
publisher_may_select(const struct fwd_service *service)
{
	if (service->candidate_count == 0 || service->service->settings.persist != 0 ||
	    service->service->settings.limit_new.service != 0 || service->quic != NULL)
		return false;
	for (size_t i = 0; i < service->candidate_count; i++)
		if (service->candidates[i]->ref.slot >= SELECT_SERVERS)
			return false;
	return true;
}

/* How long the daemon may know an unproven flow, which the kernel's table does not have. */
static uint32_t
publisher_window(const struct fwd_service *service)
{
	const uint64_t syn = service->timeouts->state[CONN_SYN];

	return (uint32_t)((syn > UNPROVEN_LIFETIME ? syn : UNPROVEN_LIFETIME) / SECONDS(1)) + 2;
}

/* The service as it was published last, most often at `hint`, if its slots can be compared. */
static const struct published *
publisher_find_last(const struct publisher *publisher, const struct published *fresh, uint32_t hint)
{
	for (uint32_t i = 0; i < publisher->service_count; i++) {
		const struct published *last = &publisher->services[(hint + i) % publisher->service_count];

		if (last->number == fresh->number && last->ordinal == fresh->ordinal && last->by == fresh->by &&
		    last->fallback == fresh->fallback &&
		    last->size == fresh->size)
			return last;
	}
	return NULL;
}

static uint32_t
publisher_word(const struct offload_cache *offload, const struct published *service, uint32_t slot)
{
	const uint32_t server = service->servers[slot] & SELECT_SERVER;

	return server | (uint32_t)offload->stamps[server] << SELECT_STAMP_SHIFT |
	    (service->since[slot] == 0 ? SELECT_SETTLED : 0);
}

/* Where no flow is known, none can be with another server. */
static void
publisher_fill(struct edition *edition, struct published *fresh, const struct fwd_service *service)
{
	struct offload_cache *offload = edition->offload;
	const struct published *last = publisher_find_last(offload->publisher, fresh,
	    edition->service_count);
	const uint32_t now = conn_table_count(offload->conns) == 0 ? 0 : publisher_second(offload);

	for (uint32_t i = 0; i < fresh->size; i++) {
		const struct server_ref ref = service->candidates[service->hash.slots[i]]->ref;

		fresh->servers[i] = ref.slot | (uint32_t)ref.generation << 16;
		fresh->since[i] = last != NULL && last->servers[i] == fresh->servers[i] ? last->since[i] : now;
		edition->bank->slots[fresh->slots + i] = publisher_word(offload, fresh, i);
		edition->settling |= fresh->since[i] != 0;
	}
}

/* The service's number in the bank, or SELECT_SERVICES: it has none. */
static uint32_t
publisher_add(struct edition *edition, const struct fwd_service *service, uint16_t ordinal)
{
	struct published *fresh = &edition->services[edition->service_count];
	const uint32_t size = service->hash.size;

	if (!publisher_may_select(service) || edition->service_count == SELECT_SERVICES ||
	    size > SELECT_SLOTS - edition->slots)
		return SELECT_SERVICES;
	*fresh = (struct published) { .number = service->run->number, .ordinal = ordinal,
		.by = publisher_by(service), .fallback = !publisher_is_by_hash(service), .slots = edition->slots, .size = size,
		.window = publisher_window(service), .servers = malloc(size * sizeof(*fresh->servers)),
		.since = malloc(size * sizeof(*fresh->since)) };
	if (fresh->servers == NULL || fresh->since == NULL) {
		free(fresh->servers);
		free(fresh->since);
		return SELECT_SERVICES;
	}
	publisher_fill(edition, fresh, service);
	edition->bank->services[edition->service_count] = (struct select_service) { .slots = fresh->slots,
		.size = fresh->size, .by = fresh->by, .fallback = fresh->fallback };
	edition->slots += size;
	return edition->service_count++;
}

/*
 * --- VIPs and ports --------------------------------------------------------------------------------------------------
 */

/* The number of a service of the table. `hint`: where to begin, as VIPs and services mostly have the same order. */
static size_t
publisher_index(const struct fwdtab *table, const struct fwd_service *service, size_t hint)
{
	for (size_t i = 0; i < fwdtab_services(table); i++) {
		const size_t at = (hint + i) % fwdtab_services(table);

		if (fwdtab_service_at(table, at) == service)
			return at;
	}
	return 0;
}

static struct select_front *
publisher_free_front(const struct edition *edition, const union offload_addr *addr)
{
	const uint32_t begin = offload_address_hash(&edition->offload->memory.control->key, addr->words);

	for (uint32_t i = 0; i < SELECT_PROBES; i++) {
		struct select_front *front = &edition->bank->fronts[(begin + i) & (SELECT_FRONTS - 1)];

		if (front->vip == 0)
			return front;
	}
	return NULL;
}

/* Its ports, as far as their services were published; returns their number. */
static uint32_t
publisher_add_ranges(struct edition *edition, const struct fwd_vip *vip, const uint32_t *numbers)
{
	const struct fwdtab *table = edition->offload->table;
	uint32_t count = 0;

	for (size_t i = 0; i < vip->port_count; i++) {
		const struct fwd_port *port = &vip->ports[i];

		edition->hint = publisher_index(table, port->service, edition->hint);
		if (numbers[edition->hint] == SELECT_SERVICES)
			continue;
		if (count == SELECT_RANGES_EACH || edition->ranges + count == SELECT_RANGES)
			return 0;
		edition->bank->ranges[edition->ranges + count++] = (struct select_range) { .first = port->first,
			.last = port->last, .service = numbers[edition->hint] };
	}
	return count;
}

static void
publisher_add_vip(struct edition *edition, const struct fwd_vip *vip, const uint32_t *numbers)
{
	const struct offload_cache *offload = edition->offload;
	union offload_addr addr;
	struct select_front *front;
	uint32_t count;

	/* What another director sends to a VIP that has a server here is for that server, whatever the hash chooses. */
	if (vip->iface == IFACE_NONE || !offload->carries[vip->iface] || vip->local != NULL ||
	    (offload->publisher->groups >> vip->group & 1) == 0)
		return;
	addr_mapped(&vip->addr, addr.bytes);
	front = publisher_free_front(edition, &addr);
	count = front != NULL ? publisher_add_ranges(edition, vip, numbers) : 0;
	if (count == 0)
		return;
	*front = (struct select_front) { .addr = { addr.longs[0], addr.longs[1] }, .vip = vip->number + 1U,
		.ranges = (uint16_t)edition->ranges, .count = (uint16_t)count };
	edition->ranges += count;
}

/*
 * --- publishing ------------------------------------------------------------------------------------------------------
 */

static void
publisher_set_bank(const struct offload_cache *offload, uint32_t bank)
{
	__atomic_store_n(&offload->memory.selection->bank, bank, __ATOMIC_SEQ_CST);
}

/* The whole table; returns whether anything of it is there. */
static bool
publisher_write(struct edition *edition, uint32_t *numbers)
{
	const struct fwdtab *table = edition->offload->table;
	uint16_t ordinal = 0;

	memset(edition->bank->fronts, 0, sizeof(edition->bank->fronts));
	for (size_t i = 0; i < fwdtab_services(table); i++) {
		const struct fwd_service *service = fwdtab_service_at(table, i);

		ordinal = i > 0 && fwdtab_service_at(table, i - 1)->run == service->run ? (uint16_t)(ordinal + 1) : 0;
		numbers[i] = publisher_add(edition, service, ordinal);
	}
	for (size_t i = 0; edition->service_count > 0 && i < fwdtab_vips(table); i++)
		publisher_add_vip(edition, fwdtab_vip_at(table, i), numbers);
	return edition->ranges > 0;
}

/* The director's own addresses, and its interfaces' MAC addresses. Bits are set first, and cleared then. */
static void
publisher_write_sources(const struct offload_cache *offload)
{
	struct select_control *selection = offload->memory.selection;
	uint8_t addresses[SELECT_SOURCES / 8] = { 0 }, macs[SELECT_SOURCES / 8] = { 0 };
	union offload_addr addr;
	uint32_t bit;

	for (size_t i = 0; i < OFFLOAD_IFACES && offload->ifindex[i] != 0; i++) {
		const struct iface *iface = &offload->ifaces[i];

		bit = select_mac_bit(iface->mac.bytes);
		macs[bit / 8] |= (uint8_t)(1U << bit % 8);
		for (size_t j = 0; j < iface->address_count; j++) {
			addr_mapped(&iface->addresses[j].addr, addr.bytes);
			bit = select_source_bit(&offload->memory.control->key, &addr);
			addresses[bit / 8] |= (uint8_t)(1U << bit % 8);
		}
	}
	for (size_t i = 0; i < offload->probe_count; i++) {
		if (!addr_is_set(&offload->probes[i]))
			continue;
		addr_mapped(&offload->probes[i], addr.bytes);
		bit = select_source_bit(&offload->memory.control->key, &addr);
		addresses[bit / 8] |= (uint8_t)(1U << bit % 8);
	}
	for (size_t i = 0; i < SELECT_SOURCES / 8; i++) {
		__atomic_store_n(&selection->addresses[i], addresses[i], __ATOMIC_RELAXED);
		__atomic_store_n(&selection->macs[i], macs[i], __ATOMIC_RELAXED);
	}
}

static void
publisher_publish(struct offload_cache *offload)
{
	struct publisher *publisher = offload->publisher;
	const uint32_t number = (publisher->bank + 1) % SELECT_BANKS;
	struct edition edition = { .offload = offload, .bank = &offload->memory.banks[number] };
	uint32_t *numbers = calloc(fwdtab_services(offload->table) + 1, sizeof(*numbers));
	bool any = false;

	edition.services = calloc(fwdtab_services(offload->table) + 1, sizeof(*edition.services));
	if (numbers != NULL && edition.services != NULL)
		any = publisher_write(&edition, numbers);
	free(numbers);
	publisher_forget(publisher->services, publisher->service_count);
	publisher->services = edition.services;
	publisher->service_count = edition.service_count;
	publisher->settling = edition.settling;
	publisher->settle_due = offload->clock + SETTLE_EACH;
	publisher->bank = number;
	publisher->swapped = offload->clock;
	publisher->waits = false;
	publisher_set_bank(offload, any ? number + 1 : 0);
}

/* All services have the same one. While it changes nothing is selected. */
static void
publisher_set_key(const struct offload_cache *offload)
{
	struct select_control *selection = offload->memory.selection;
	const struct select_key *key;

	if (fwdtab_services(offload->table) == 0)
		return;
	key = &fwdtab_service_at(offload->table, 0)->select_key;
	if (memcmp(&selection->key, key, sizeof(*key)) == 0)
		return;
	publisher_set_bank(offload, 0);
	selection->key = *key;
	/* A slot has other flows now. */
	publisher_forget(offload->publisher->services, offload->publisher->service_count);
	offload->publisher->services = NULL;
	offload->publisher->service_count = 0;
}

void
publisher_update(struct offload_cache *offload)
{
	struct publisher *publisher = offload->publisher;

	if (publisher == NULL)
		return;
	publisher_set_key(offload);
	publisher_write_sources(offload);
	if (publisher->swapped != UINT64_MAX && offload->clock < publisher->swapped + REST) {
		/* Until then the daemon decides, by the new table. */
		publisher_set_bank(offload, 0);
		publisher->waits = true;
		return;
	}
	publisher_publish(offload);
}

void
offload_set_flood(struct offload_cache *offload, bool on)
{
	if (offload->publisher != NULL)
		__atomic_store_n(&offload->memory.selection->flood, on, __ATOMIC_RELEASE);
}

bool
offload_selects(const struct offload_cache *offload)
{
	return offload->publisher != NULL && offload->memory.selection->bank != 0;
}

/*
 * --- with time -------------------------------------------------------------------------------------------------------
 */

/* Slots that have had their server for long enough. */
static void
publisher_settle(struct offload_cache *offload)
{
	struct publisher *publisher = offload->publisher;
	struct select_bank *bank = &offload->memory.banks[publisher->bank];
	const uint32_t now = publisher_second(offload);

	publisher->settling = false;
	for (uint32_t i = 0; i < publisher->service_count; i++) {
		const struct published *service = &publisher->services[i];

		for (uint32_t j = 0; j < service->size; j++) {
			if (service->since[j] == 0)
				continue;
			if (now - service->since[j] < service->window) {
				publisher->settling = true;
				continue;
			}
			service->since[j] = 0;
			__atomic_store_n(&bank->slots[service->slots + j], publisher_word(offload, service, j),
			    __ATOMIC_RELEASE);
		}
	}
	publisher->settle_due = offload->clock + SETTLE_EACH;
}

/* Its place is remembered: the search is long only once for each VIP of a table. */
static const struct fwd_vip *
publisher_find_vip(const struct offload_cache *offload, uint16_t number)
{
	const struct fwdtab *table = offload->table;
	uint16_t *place = &offload->publisher->places[number];

	for (size_t i = 0; i < fwdtab_vips(table); i++) {
		const size_t at = (*place + i) % fwdtab_vips(table);

		if (fwdtab_vip_at(table, at)->number != number)
			continue;
		*place = (uint16_t)at;
		return fwdtab_vip_at(table, at);
	}
	return NULL;
}

/*
 * A proven UDP flow that came from another process or director may have a server that the hash does not choose, and no
 * frame has brought it into the kernel's table yet.
 */
static void
publisher_pin(void *context, const struct conn *conn)
{
	struct offload_cache *offload = context;
	const struct fwd_service *service;
	const struct fwd_vip *vip;

	if (conn->state != CONN_UDP || conn_key_protocol(&conn->key) != PROTOCOL_UDP ||
	    offload->places[conn_number(offload->conns, conn)] != 0)
		return;
	vip = publisher_find_vip(offload, conn_key_vip(&conn->key));
	service = vip == NULL ? NULL : fwd_vip_service(vip, PROTOCOL_UDP, conn->key.vip_port);
	if (service == NULL || !publisher_may_select(service) ||
	    server_ref_equal(fwd_service_select(service, publisher_by(service), vip, &conn->key)->ref,
	    conn->server))
		return;
	offload_pin(offload, conn, vip);
}

void
publisher_tick(struct offload_cache *offload, uint64_t now)
{
	struct publisher *publisher = offload->publisher;

	if (publisher == NULL || now < publisher_due(offload))
		return;
	offload->clock = now;
	if (publisher->waits) {
		publisher_publish(offload);
		return;
	}
	/* All of them before anything is settled: a window has time for the largest table. */
	publisher->walked = conn_walk(offload->conns, publisher->walked, PIN_EACH, publisher_pin, offload);
	publisher_settle(offload);
}

uint64_t
publisher_due(const struct offload_cache *offload)
{
	const struct publisher *publisher = offload->publisher;

	if (publisher == NULL)
		return UINT64_MAX;
	if (publisher->waits)
		return publisher->swapped + REST;
	return publisher->settling ? publisher->settle_due : UINT64_MAX;
}

/*
 * --- what the kernel did ---------------------------------------------------------------------------------------------
 */

static struct select_count
publisher_sum(const struct offload_memory *memory, uint32_t slot)
{
	struct select_count sum = { .packets = 0 };

	for (uint32_t i = 0; i < memory->cpus; i++) {
		sum.packets += __atomic_load_n(&memory->counts[i].servers[slot].packets, __ATOMIC_RELAXED);
		sum.bytes += __atomic_load_n(&memory->counts[i].servers[slot].bytes, __ATOMIC_RELAXED);
	}
	return sum;
}

static void
publisher_collect_server(struct offload_cache *offload, uint32_t slot)
{
	const struct select_count sum = publisher_sum(&offload->memory, slot);
	struct select_count *before = &offload->publisher->counted[slot];
	const struct fwd_server *server = fwdtab_slot(offload->table, slot);
	const uint64_t packets = sum.packets - before->packets;

	if (packets == 0)
		return;
	offload->stats->frames += packets;
	offload->stats->forwarded += packets;
	offload->stats->offloaded += packets;
	offload->stats->selected += packets;
	if (server != NULL) {
		server->run->packets += packets;
		server->run->bytes += sum.bytes - before->bytes;
	}
	*before = sum;
}

void
publisher_collect(struct offload_cache *offload)
{
	struct publisher *publisher = offload->publisher;
	uint64_t unrecorded = 0;

	if (publisher == NULL || offload->table == NULL)
		return;
	for (uint32_t slot = 0; slot < offload->slots && slot < SELECT_SERVERS; slot++)
		publisher_collect_server(offload, slot);
	for (uint32_t i = 0; i < offload->memory.cpus; i++)
		unrecorded += __atomic_load_n(&offload->memory.counts[i].unrecorded, __ATOMIC_RELAXED);
	offload->stats->unrecorded += unrecorded - publisher->unrecorded;
	publisher->unrecorded = unrecorded;
}

struct fwd_server *
offload_recorded(const struct offload_cache *offload, const struct select_record *record, uint16_t *iface)
{
	const uint16_t slot = (uint16_t)(record->slot & SELECT_SERVER);
	size_t i = 0;

	while (i < OFFLOAD_IFACES && (offload->ifindex[i] != record->ifindex || !offload->carries[i]))
		i++;
	*iface = (uint16_t)i;
	if (i == OFFLOAD_IFACES || (record->slot >> SELECT_STAMP_SHIFT & OFFLOAD_STAMP_MASK) != offload->stamps[slot])
		return NULL;
	return fwdtab_server(offload->table, (struct server_ref) { slot, offload->generations[slot] });
}
