/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "sync/feed.h"

#include <stdlib.h>
#include <string.h>

#include "base/large.h"

#define FEED_NUMBERS (UINT16_MAX + 1)
#define FEED_STEP 2048   /* entries of a table that a call looks at */
#define FEED_SLICE 1024  /* entries that a step of the slow round looks at */
#define FEED_QUEUED UINT32_C(0x80000000) /* in `told`: the number waits in the ring */
#define FEED_RING_LEAST 1024

/* One that waits: its number, and from when on it may be sent, in milliseconds that wrap. */
struct feed_wait {
	uint32_t number;
	uint32_t due;
};

/* What the peer knows of one table. */
struct feed_table {
	uint32_t *told; /* by number: the deadline that the peer knows, in seconds; 0: it does not know the entry */
	void *told_memory;
	uint32_t count; /* of those that are not 0 */
	struct feed_wait *ring;
	void *ring_memory;
	uint32_t size;
	uint32_t first;
	uint32_t used;
	bool walking;   /* at full speed; from `walked` on */
	bool walk_again; /* from the beginning, when that has ended */
	uint32_t walked;
	uint32_t round; /* where the slow round is */
	uint64_t round_due;
};

/* The lists of names, in the order in which they are sent. */
enum feed_naming {
	FEED_RESET = 0,
	FEED_VIPS,
	FEED_SERVICES,
	FEED_SERVERS,
	FEED_NAMED,
	FEED_ALL_NAMED
};

struct feed {
	struct share *share;
	struct feed_table tables[SHARE_TABLES];
	uint64_t now;
	enum feed_naming naming;
	size_t named;          /* of the list */
	uint64_t configuration; /* that was named */
	uint64_t serial;       /* of the table that `needs` is about */
	bool ready;            /* the peer's candidates are known */
	bool bulk_ended;
	bool walk_wanted;      /* because of new candidates */
	uint64_t walk_from;    /* then */
	/* By service: the peer's candidates, and whether ours are others. */
	uint64_t *candidates;
	bool *differs;
	uint64_t *named_candidates; /* of ours, as the peer was told */
	size_t service;        /* where the look at services goes on; behind the last, until another table is in force */
	/* By slot: a sum of what the peer was sent of a server's health, and of orders about it. */
	uint32_t *health;
	uint32_t *orders;
	size_t slot;           /* where the look at servers goes on */
	uint64_t look_due;
	struct feed_counts counts;
};

static uint32_t
feed_milliseconds(uint64_t now)
{
	return (uint32_t)(now / MILLISECONDS(1));
}

static uint32_t
feed_seconds(uint64_t now)
{
	return (uint32_t)(now / SECONDS(1));
}

static void
feed_table_clear(struct feed_table *table)
{
	free(table->told_memory);
	free(table->ring_memory);
}

static int
feed_table_init(struct feed_table *table, const struct conn_table *conns, uint64_t now)
{
	const uint32_t capacity = conn_table_capacity(conns);

	table->size = FEED_RING_LEAST;
	while (table->size < capacity && table->size < FEED_WAIT_MOST)
		table->size *= 2;
	table->told = large_calloc((size_t)capacity + 1, sizeof(*table->told), &table->told_memory);
	table->ring = large_calloc(table->size, sizeof(*table->ring), &table->ring_memory);
	table->walking = true;
	table->round_due = now + FEED_ROUND;
	return table->told == NULL || table->ring == NULL ? -1 : 0;
}

/* The peer no longer has, or needs, the entry. */
static void
feed_forget(struct feed_table *table, uint32_t number)
{
	if ((table->told[number] & ~FEED_QUEUED) != 0)
		table->count--;
	table->told[number] &= FEED_QUEUED;
}

/* The entry is looked at again when it is old enough. Without room the whole table is. */
static void
feed_queue(struct feed *feed, enum share_table which, uint32_t number)
{
	struct feed_table *table = &feed->tables[which];

	if ((table->told[number] & FEED_QUEUED) != 0)
		return;
	if (table->used == table->size) {
		table->walk_again = true;
		feed->counts.overflows++;
		return;
	}
	table->ring[(table->first + table->used) & (table->size - 1)] = (struct feed_wait) { number,
		feed_milliseconds(conn_table_time(feed->share->tables[which]) + FEED_AGE) };
	table->used++;
	table->told[number] |= FEED_QUEUED;
}

/* For share_watch(). */
static void
feed_changed(void *context, enum share_table which, uint32_t number, bool removed)
{
	struct feed *feed = context;

	if (!removed) {
		feed_queue(feed, which, number);
		return;
	}
	feed_forget(&feed->tables[which], number);
	feed->tables[which].told[number] = 0;
}

struct feed *
feed_new(struct share *share, uint64_t now)
{
	struct feed *feed = calloc(1, sizeof(*feed));

	if (feed == NULL)
		return NULL;
	feed->share = share;
	feed->now = now;
	feed->serial = share->serial;
	feed->configuration = share->configuration;
	feed->candidates = calloc(FEED_NUMBERS, sizeof(*feed->candidates));
	feed->named_candidates = calloc(FEED_NUMBERS, sizeof(*feed->named_candidates));
	feed->differs = calloc(FEED_NUMBERS, sizeof(*feed->differs));
	feed->health = calloc(FEED_NUMBERS, sizeof(*feed->health));
	feed->orders = calloc(FEED_NUMBERS, sizeof(*feed->orders));
	if (feed_table_init(&feed->tables[SHARE_FLOWS], share->tables[SHARE_FLOWS], now) == -1 ||
	    feed_table_init(&feed->tables[SHARE_CLIENTS], share->tables[SHARE_CLIENTS], now) == -1 ||
	    feed->candidates == NULL || feed->named_candidates == NULL || feed->differs == NULL || feed->health == NULL || feed->orders == NULL) {
		feed_free(feed);
		return NULL;
	}
	memset(feed->differs, true, FEED_NUMBERS * sizeof(*feed->differs));
	share_watch(share, feed_changed, feed);
	return feed;
}

void
feed_free(struct feed *feed)
{
	if (feed == NULL)
		return;
	share_unwatch(feed->share, feed);
	for (size_t i = 0; i < SHARE_TABLES; i++)
		feed_table_clear(&feed->tables[i]);
	free(feed->candidates);
	free(feed->named_candidates);
	free(feed->differs);
	free(feed->health);
	free(feed->orders);
	free(feed);
}

static void
feed_want_walk(struct feed *feed)
{
	if (feed->walk_wanted)
		return;
	feed->walk_wanted = true;
	feed->walk_from = feed->now + FEED_WALK_REST;
}

static void
feed_compare(struct feed *feed, uint16_t service)
{
	const bool differs = feed->candidates[service] != feed->share->candidates[service];

	if (differs == feed->differs[service])
		return;
	feed->differs[service] = differs;
	if (differs && feed->ready)
		feed_want_walk(feed);
}

void
feed_set_candidates(struct feed *feed, uint16_t service, uint64_t candidates)
{
	feed->candidates[service] = candidates;
	feed_compare(feed, service);
}

void
feed_set_ready(struct feed *feed)
{
	feed->ready = true;
}

/* Another table is in force here: other flows go elsewhere by hash. */
static void
feed_notice_table(struct feed *feed)
{
	const struct share *share = feed->share;

	if (feed->serial == share->serial)
		return;
	feed->serial = share->serial;
	feed->service = 0;
	if (feed->configuration != share->configuration) {
		feed->configuration = share->configuration;
		feed->naming = FEED_RESET;
	}
	for (size_t i = 0; i < share->model->service_count; i++)
		feed_compare(feed, share->model->services[i]->run->number);
	feed_want_walk(feed);
}

static void
feed_begin_walk(struct feed *feed)
{
	if (!feed->walk_wanted || feed->now < feed->walk_from)
		return;
	feed->walk_wanted = false;
	for (size_t i = 0; i < SHARE_TABLES; i++)
		feed->tables[i].walk_again = true;
}

/* --- names --- */

static void
feed_begin_list(struct feed *feed, enum feed_naming list)
{
	feed->naming = list;
	feed->named = 0;
}

/* Record `feed->named` of the list. False: the list has ended. */
static bool
feed_put_name(struct feed *feed, struct wire_out *out)
{
	const struct model *model = feed->share->model;
	struct wire_service service;

	if (feed->naming == FEED_VIPS) {
		if (feed->named >= model->vip_count)
			return false;
		wire_put_vip(out, &(struct wire_vip) { model->vips[feed->named].number, model->vips[feed->named].addr });
		return true;
	}
	if (feed->named >= model->service_count)
		return false;
	share_service(feed->share, model->services[feed->named], &service);
	wire_put_service(out, &service);
	feed->named_candidates[service.number] = service.candidates;
	return true;
}

/* Services whose candidates are others than the peer was told. */
static void
feed_put_services(struct feed *feed, struct wire_out *out)
{
	const struct model *model = feed->share->model;

	for (; feed->service < model->service_count; feed->service++) {
		struct wire_service record;

		record.number = model->services[feed->service]->run->number;
		if (feed->named_candidates[record.number] == feed->share->candidates[record.number])
			continue;
		share_service(feed->share, model->services[feed->service], &record);
		wire_put_service(out, &record);
		if (out->failed)
			return;
		feed->named_candidates[record.number] = record.candidates;
	}
}

static uint32_t
feed_mix(uint32_t sum, uint64_t value)
{
	/* FNV-1a (RFC 9923): one value after the other, no one chooses them. */
	return (uint32_t)(((sum ^ value ^ value >> 32) & UINT32_MAX) * UINT64_C(16777619)) ^ (sum >> 15);
}

/* Of what a server's record has, so that a change is noticed; never 0. */
static uint32_t
feed_sum_health(const struct server *server)
{
	uint32_t sum = feed_mix(server->ref.generation, (uint64_t)server_state(server));

	sum = feed_mix(sum, server->since);
	sum = feed_mix(sum, server->settings.weight);
	sum = feed_mix(sum, (uint64_t)server->admin.admin << 32 | server_weight(server));
	return feed_mix(sum, (uint64_t)server->vip_state << 8 | server->ports) | 1;
}

/* 0: no operator has ever changed it. */
static uint32_t
feed_sum_orders(const struct server *server)
{
	const struct admin *admin = &server->admin;
	uint32_t sum = server->ref.generation;

	if (admin->admin_by.when == 0 && admin->weight_by.when == 0)
		return 0;
	sum = feed_mix(sum, admin->admin_by.when << 2 | admin->admin);
	return feed_mix(sum, admin->weight_by.when << 16 | admin_given_weight(server)) | 1;
}

/* Servers from feed->slot on whose record is another one than the peer has; at most `budget` slots. */
static void
feed_put_servers(struct feed *feed, struct wire_out *out, size_t budget)
{
	const struct model *model = feed->share->model;

	for (; budget > 0 && feed->slot < model->slot_count; budget--, feed->slot++) {
		const struct server *server = model->slots[feed->slot];
		struct wire_server record;

		if (server == NULL || feed->health[feed->slot] == feed_sum_health(server))
			continue;
		share_server(server, &record);
		wire_put_server(out, &record);
		if (out->failed)
			return;
		feed->health[feed->slot] = feed_sum_health(server);
	}
}

static enum wire_type
feed_fill_names(struct feed *feed, struct wire_out *out)
{
	static const enum wire_type types[] = { [FEED_RESET] = WIRE_RESET, [FEED_VIPS] = WIRE_VIPS,
		[FEED_SERVICES] = WIRE_SERVICES, [FEED_SERVERS] = WIRE_SERVERS, [FEED_NAMED] = WIRE_NAMED };
	const enum feed_naming list = feed->naming;

	switch (list) {
	case FEED_RESET:
		memset(feed->health, 0, FEED_NUMBERS * sizeof(*feed->health));
		memset(feed->orders, 0, FEED_NUMBERS * sizeof(*feed->orders));
		feed_begin_list(feed, FEED_VIPS);
		break;
	case FEED_VIPS:
	case FEED_SERVICES:
		while (!out->failed && feed_put_name(feed, out))
			feed->named += !out->failed;
		if (!out->failed)
			feed_begin_list(feed, list + 1);
		feed->slot = 0;
		break;
	case FEED_SERVERS:
		feed_put_servers(feed, out, FEED_SLOTS);
		if (feed->slot >= feed->share->model->slot_count)
			feed_begin_list(feed, FEED_NAMED);
		break;
	case FEED_NAMED:
		feed->slot = 0;
		feed->naming = FEED_ALL_NAMED;
		break;
	case FEED_ALL_NAMED:
		break;
	}
	return types[list];
}

/* --- orders --- */

static uint32_t
feed_drain_left(const struct feed *feed, const struct admin *admin)
{
	if (admin->admin != ADMIN_DRAINED || admin->drain_until == 0)
		return 0;
	return admin->drain_until > feed->now ? (uint32_t)((admin->drain_until - feed->now) / SECONDS(1)) + 1 : 1;
}

static void
feed_put_orders(struct feed *feed, const struct server *server, struct wire_out *out)
{
	const struct admin *admin = &server->admin;
	struct wire_order order = { .server = server->ref.slot, .file_weight = server->settings.weight };
	unsigned written = 0;

	if (admin->admin_by.when != 0) {
		order.value = admin->admin;
		order.drain_left = feed_drain_left(feed, admin);
		order.author = admin->admin_by;
		wire_put_order(out, &order);
		written++;
	}
	if (admin->weight_by.when != 0) {
		order.weight = true;
		order.value = admin_given_weight(server);
		order.drain_left = 0;
		order.author = admin->weight_by;
		wire_put_order(out, &order);
		written++;
	}
	feed->counts.orders += out->failed ? 0 : written;
}

/* Looks at services, then at servers for orders, then at their health. */
static enum wire_type
feed_look(struct feed *feed, struct wire_out *out)
{
	const struct model *model = feed->share->model;
	const size_t room = out->left, from = feed->slot;
	size_t at = from;

	feed_put_services(feed, out);
	if (out->left != room)
		return WIRE_SERVICES;
	for (; at < from + FEED_SLOTS && at < model->slot_count && !out->failed; at++) {
		const struct server *server = model->slots[at];
		const uint32_t sum = server == NULL ? 0 : feed_sum_orders(server);

		if (sum != 0 && sum != feed->orders[at])
			feed_put_orders(feed, server, out);
		if (!out->failed)
			feed->orders[at] = sum;
	}
	if (out->left != room)
		return WIRE_ORDERS;
	feed_put_servers(feed, out, FEED_SLOTS);
	return WIRE_SERVERS;
}

/* --- flows --- */

/* Seconds until the entry expires, at least 1. */
static uint32_t
feed_left(const struct feed *feed, enum share_table which, const struct conn *conn)
{
	return (uint32_t)(conn_left_at(feed->share->tables[which], conn, feed->now) / SECONDS(1)) + 1;
}

static bool
feed_needs_flow(const struct feed *feed, const struct conn *conn, bool told)
{
	const struct share *share = feed->share;
	const struct fwd_vip *vip = share->vips[conn_key_vip(&conn->key)];
	const struct fwd_service *service;

	/* The end of a flow is for a peer that has the flow. */
	if (!told && (conn->state == CONN_TIME_WAIT || conn->state == CONN_CLOSED))
		return false;
	service = vip == NULL ? NULL : fwd_vip_service(vip, conn_key_protocol(&conn->key), conn->key.vip_port);
	if (service == NULL || fwdtab_server(share->table, conn->server) == NULL)
		return false;
	switch (service->service->settings.sync) {
	case SYNC_OFF:
		return false;
	case SYNC_ALL:
		return true;
	case SYNC_AUTO:
		break;
	}
	return feed->differs[service->service->run->number] || share_deviates(vip, service, conn);
}

static bool
feed_needs_client(const struct feed *feed, const struct conn *conn)
{
	const struct service *service = feed->share->services[conn_key_vip(&conn->key)];

	return service != NULL && service->settings.persist != 0 && service->settings.sync != SYNC_OFF &&
	    fwdtab_server(feed->share->table, conn->server) != NULL;
}

static bool
feed_needs(const struct feed *feed, enum share_table which, const struct conn *conn, bool told)
{
	if (conn->state == CONN_NONE || !conn_is_proven((enum conn_state)conn->state) ||
	    share_is_theirs(feed->share, which, conn))
		return false;
	return which == SHARE_FLOWS ? feed_needs_flow(feed, conn, told) : feed_needs_client(feed, conn);
}

static void
feed_put_entry(struct feed *feed, enum share_table which, const struct conn *conn, struct wire_out *out)
{
	struct wire_flow flow = { .vip = conn_key_vip(&conn->key), .server = conn->server.slot,
		.protocol = conn_key_protocol(&conn->key), .state = (enum conn_state)conn->state,
		.client_port = conn->key.client_port, .vip_port = conn->key.vip_port,
		.age = feed_seconds(feed->now) - conn->began, .left = feed_left(feed, which, conn) };
	struct wire_client client = { .server = conn->server.slot, .left = flow.left };

	if (which == SHARE_FLOWS) {
		memcpy(flow.client, conn->key.client, sizeof(flow.client));
		wire_put_flow(out, &flow);
		feed->counts.flows += !out->failed;
	} else {
		memcpy(client.client, conn->key.client, sizeof(client.client));
		wire_put_client(out, &client);
		feed->counts.clients += !out->failed;
	}
}

/* Sends the entry, and notes the deadline that the peer then knows. False: there was no room. */
static bool
feed_tell(struct feed *feed, enum share_table which, uint32_t number, struct wire_out *out)
{
	struct feed_table *table = &feed->tables[which];
	const struct conn *conn = conn_at(feed->share->tables[which], number);

	feed_put_entry(feed, which, conn, out);
	if (out->failed)
		return false;
	table->count += (table->told[number] & ~FEED_QUEUED) == 0;
	table->told[number] = (feed_seconds(feed->now) + feed_left(feed, which, conn)) & ~FEED_QUEUED;
	return true;
}

/* Entries that have waited long enough. */
static void
feed_put_waiting(struct feed *feed, enum share_table which, struct wire_out *out)
{
	struct feed_table *table = &feed->tables[which];

	for (uint32_t budget = FEED_STEP; budget > 0 && table->used > 0; budget--) {
		const struct feed_wait *wait = &table->ring[table->first];
		const uint32_t told = table->told[wait->number];
		const struct conn *conn = conn_at(feed->share->tables[which], wait->number);

		if ((int32_t)(feed_milliseconds(feed->now) - wait->due) < 0)
			return;
		/* Else it was removed meanwhile. */
		if ((told & FEED_QUEUED) != 0) {
			if (!feed_needs(feed, which, conn, (told & ~FEED_QUEUED) != 0))
				table->told[wait->number] = told & ~FEED_QUEUED;
			else if (!feed_tell(feed, which, wait->number, out))
				return;
		}
		table->first = (table->first + 1) & (table->size - 1);
		table->used--;
	}
}

/* Has the entry's deadline moved so far that the peer would end it too early, or, at its end, far too late? */
static bool
feed_is_stale(const struct feed *feed, uint32_t told, uint32_t left)
{
	const uint32_t now = feed_seconds(feed->now), round = FEED_ROUND / SECONDS(1);
	const int32_t more = (int32_t)(now + left - told), told_left = (int32_t)(told - now);

	if (told == 0)
		return true;
	if (more <= 1)
		return more < -(int32_t)(2 * round);
	return told_left < (int32_t)(2 * round) || (uint32_t)more >= left / 3;
}

/* Looks at one entry. False: there was no room for it. */
static bool
feed_review(struct feed *feed, enum share_table which, uint32_t number, struct wire_out *out)
{
	struct feed_table *table = &feed->tables[which];
	const struct conn *conn = conn_at(feed->share->tables[which], number);
	const uint32_t told = table->told[number] & ~FEED_QUEUED;

	if (conn->state == CONN_NONE || (table->told[number] & FEED_QUEUED) != 0)
		return true;
	if (!feed_needs(feed, which, conn, told != 0)) {
		feed_forget(table, number);
		return true;
	}
	if (told == 0 && feed_seconds(feed->now) - conn->began <= FEED_AGE / SECONDS(1)) {
		feed_queue(feed, which, number);
		return true;
	}
	return !feed_is_stale(feed, told, feed_left(feed, which, conn)) || feed_tell(feed, which, number, out);
}

/* The entries behind *at, at most `budget`. True: the end was reached. */
static bool
feed_put_range(struct feed *feed, enum share_table which, uint32_t *at, uint32_t budget, struct wire_out *out)
{
	const uint32_t used = conn_table_used(feed->share->tables[which]);

	for (; budget > 0 && *at < used; budget--, (*at)++)
		if (!feed_review(feed, which, *at + 1, out))
			return false;
	return *at >= used;
}

static void
feed_put_walk(struct feed *feed, enum share_table which, struct wire_out *out)
{
	struct feed_table *table = &feed->tables[which];

	if (!table->walking && table->walk_again) {
		table->walking = true;
		table->walk_again = false;
		table->walked = 0;
	}
	if (!table->walking)
		return;
	if (feed_put_range(feed, which, &table->walked, FEED_STEP, out)) {
		table->walking = false;
		feed->counts.walks++;
	}
}

/* A slice of the slow round; slices are spread over FEED_ROUND. */
static void
feed_put_round(struct feed *feed, enum share_table which, struct wire_out *out)
{
	struct feed_table *table = &feed->tables[which];
	const uint32_t used = conn_table_used(feed->share->tables[which]);

	if (table->walking || feed->now < table->round_due)
		return;
	if (feed_put_range(feed, which, &table->round, FEED_SLICE, out))
		table->round = 0;
	if (!out->failed)
		table->round_due = feed->now + FEED_ROUND * FEED_SLICE / (used > FEED_SLICE ? used : FEED_SLICE);
}

/* --- together --- */

static bool
feed_is_walking(const struct feed *feed)
{
	for (size_t i = 0; i < SHARE_TABLES; i++)
		if (feed->tables[i].walking || feed->tables[i].walk_again)
			return true;
	return false;
}

/* The kinds of records in the order of their importance: the first that has some fills the body. */
static bool
feed_fill(struct feed *feed, struct wire_out *out, enum wire_type *type)
{
	const size_t room = out->left;

	if (feed->naming != FEED_ALL_NAMED) {
		*type = feed_fill_names(feed, out);
		return true;
	}
	if (feed->now >= feed->look_due) {
		*type = feed_look(feed, out);
		if (out->left != room)
			return true;
		if (feed->slot >= feed->share->model->slot_count)
			feed->slot = 0;
		feed->look_due = feed->now + FEED_LOOK;
	}
	for (enum share_table which = 0; feed->ready && which < SHARE_TABLES; which++) {
		*type = which == SHARE_FLOWS ? WIRE_FLOWS : WIRE_CLIENTS;
		feed_put_waiting(feed, which, out);
		if (!out->failed)
			feed_put_walk(feed, which, out);
		if (!out->failed)
			feed_put_round(feed, which, out);
		if (out->left != room)
			return true;
	}
	if (feed->ready && !feed->bulk_ended && !feed_is_walking(feed)) {
		feed->bulk_ended = true;
		*type = WIRE_BULK_END;
		return true;
	}
	return false;
}

enum feed_result
feed_next(struct feed *feed, uint64_t now, uint8_t bytes[WIRE_BODY], enum wire_type *type, size_t *length)
{
	struct wire_out out;

	feed->now = now;
	feed_notice_table(feed);
	feed_begin_walk(feed);
	wire_out_init(&out, bytes, WIRE_BODY);
	if (feed_fill(feed, &out, type)) {
		*length = WIRE_BODY - out.left;
		return FEED_FRAME;
	}
	return feed_due(feed) <= now ? FEED_AGAIN : FEED_IDLE;
}

uint64_t
feed_due(const struct feed *feed)
{
	uint64_t due = feed->look_due;

	if (feed->naming != FEED_ALL_NAMED || (feed->ready && (feed_is_walking(feed) || !feed->bulk_ended)))
		return feed->now;
	if (!feed->ready)
		return due;
	if (feed->walk_wanted && feed->walk_from < due)
		due = feed->walk_from;
	for (size_t i = 0; i < SHARE_TABLES; i++) {
		const struct feed_table *table = &feed->tables[i];
		const int32_t left = table->used == 0 ? INT32_MAX :
		    (int32_t)(table->ring[table->first].due - feed_milliseconds(feed->now));

		if (table->round_due < due)
			due = table->round_due;
		if (left <= 0)
			return feed->now;
		if (feed->now + MILLISECONDS(left) < due)
			due = feed->now + MILLISECONDS(left);
	}
	return due;
}

struct feed_counts
feed_counts(const struct feed *feed)
{
	struct feed_counts counts = feed->counts;

	counts.told = feed->tables[SHARE_FLOWS].count;
	counts.waiting = feed->tables[SHARE_FLOWS].used + feed->tables[SHARE_CLIENTS].used;
	counts.bulk_done = feed->bulk_ended;
	return counts;
}
