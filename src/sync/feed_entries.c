/* SPDX-License-Identifier: ISC */
/* Flows and clients: which ones a peer needs, and when it is sent them. */
#include "config.h"

#include "sync/feed_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/large.h"

uint32_t
feed_milliseconds(uint64_t now)
{
	return (uint32_t)(now / MILLISECONDS(1));
}

uint32_t
feed_seconds(uint64_t now)
{
	return (uint32_t)(now / SECONDS(1));
}

static void
feed_table_clear(struct feed_table *table)
{
	free(table->known_memory);
	free(table->ring_memory);
}

static int
feed_table_init(struct feed_table *table, const struct conn_table *conns, uint64_t now)
{
	const uint32_t capacity = conn_table_capacity(conns);

	table->size = FEED_RING_LEAST;
	while (table->size < capacity && table->size < FEED_WAIT_MOST)
		table->size *= 2;
	table->known = large_calloc((size_t)capacity + 1, sizeof(*table->known), &table->known_memory);
	table->ring = large_calloc(table->size, sizeof(*table->ring), &table->ring_memory);
	table->walking = true;
	table->round_due = now + FEED_ROUND;
	return table->known == NULL || table->ring == NULL ? -1 : 0;
}

int
feed_entries_init(struct feed *feed)
{
	for (size_t i = 0; i < SHARE_TABLES; i++)
		if (feed_table_init(&feed->tables[i], feed->share->tables[i], feed->now) == -1)
			return -1;
	return 0;
}

void
feed_entries_clear(struct feed *feed)
{
	for (size_t i = 0; i < SHARE_TABLES; i++)
		feed_table_clear(&feed->tables[i]);
}

/* The peer no longer has, or needs, the entry. */
static void
feed_forget(struct feed_table *table, uint32_t number)
{
	if ((table->known[number] & ~FEED_QUEUED) != 0)
		table->count--;
	table->known[number] &= FEED_QUEUED;
}

/* The entry is looked at again when it is old enough. Without room the whole table is. */
static void
feed_queue(struct feed *feed, enum share_table which, uint32_t number)
{
	struct feed_table *table = &feed->tables[which];

	if ((table->known[number] & FEED_QUEUED) != 0)
		return;
	if (table->used == table->size) {
		table->walk_again = true;
		feed->counts.overflows++;
		return;
	}
	table->ring[(table->first + table->used) & (table->size - 1)] = (struct feed_wait) { number,
		feed_milliseconds(conn_table_time(feed->share->tables[which]) + FEED_AGE) };
	table->used++;
	table->known[number] |= FEED_QUEUED;
}

void
feed_entry_changed(void *context, enum share_table which, uint32_t number, bool removed)
{
	struct feed *feed = context;

	if (!removed) {
		feed_queue(feed, which, number);
		return;
	}
	feed_forget(&feed->tables[which], number);
	feed->tables[which].known[number] = 0;
}

/* Seconds until the entry expires, at least 1. */
static uint32_t
feed_left(const struct feed *feed, enum share_table which, const struct conn *conn)
{
	return (uint32_t)(conn_left_at(feed->share->tables[which], conn, feed->now) / SECONDS(1)) + 1;
}

static bool
feed_needs_flow(const struct feed *feed, const struct conn *conn, bool known)
{
	const struct share *share = feed->share;
	const struct fwd_vip *vip = share->vips[conn_key_vip(&conn->key)];
	const struct fwd_service *service;

	/* The end of a flow is for a peer that has the flow. */
	if (!known && (conn->state == CONN_TIME_WAIT || conn->state == CONN_CLOSED))
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
feed_needs(const struct feed *feed, enum share_table which, const struct conn *conn, bool known)
{
	if (conn->state == CONN_NONE || !conn_is_proven((enum conn_state)conn->state) ||
	    share_is_theirs(feed->share, which, conn))
		return false;
	return which == SHARE_FLOWS ? feed_needs_flow(feed, conn, known) : feed_needs_client(feed, conn);
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
	table->count += (table->known[number] & ~FEED_QUEUED) == 0;
	table->known[number] = (feed_seconds(feed->now) + feed_left(feed, which, conn)) & ~FEED_QUEUED;
	return true;
}

/* Entries that have waited long enough. */
static void
feed_put_waiting(struct feed *feed, enum share_table which, struct wire_out *out)
{
	struct feed_table *table = &feed->tables[which];

	for (uint32_t budget = FEED_STEP; budget > 0 && table->used > 0; budget--) {
		const struct feed_wait *wait = &table->ring[table->first];
		const uint32_t known = table->known[wait->number];
		const struct conn *conn = conn_at(feed->share->tables[which], wait->number);

		if ((int32_t)(feed_milliseconds(feed->now) - wait->due) < 0)
			return;
		/* Else it was removed meanwhile. */
		if ((known & FEED_QUEUED) != 0) {
			if (!feed_needs(feed, which, conn, (known & ~FEED_QUEUED) != 0))
				table->known[wait->number] = known & ~FEED_QUEUED;
			else if (!feed_tell(feed, which, wait->number, out))
				return;
		}
		table->first = (table->first + 1) & (table->size - 1);
		table->used--;
	}
}

/* Has the entry's deadline moved so far that the peer would end it too early, or, at its end, far too late? */
static bool
feed_is_stale(const struct feed *feed, uint32_t known, uint32_t left)
{
	const uint32_t now = feed_seconds(feed->now), round = FEED_ROUND / SECONDS(1);
	const int32_t more = (int32_t)(now + left - known), known_left = (int32_t)(known - now);

	if (known == 0)
		return true;
	if (more <= 1)
		return more < -(int32_t)(2 * round);
	return known_left < (int32_t)(2 * round) || (uint32_t)more >= left / 3;
}

/* Looks at one entry. False: there was no room for it. */
static bool
feed_review(struct feed *feed, enum share_table which, uint32_t number, struct wire_out *out)
{
	struct feed_table *table = &feed->tables[which];
	const struct conn *conn = conn_at(feed->share->tables[which], number);
	const uint32_t known = table->known[number] & ~FEED_QUEUED;

	if (conn->state == CONN_NONE || (table->known[number] & FEED_QUEUED) != 0)
		return true;
	if (!feed_needs(feed, which, conn, known != 0)) {
		feed_forget(table, number);
		return true;
	}
	if (known == 0 && feed_seconds(feed->now) - conn->began <= FEED_AGE / SECONDS(1)) {
		feed_queue(feed, which, number);
		return true;
	}
	return !feed_is_stale(feed, known, feed_left(feed, which, conn)) || feed_tell(feed, which, number, out);
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

bool
feed_is_walking(const struct feed *feed)
{
	for (size_t i = 0; i < SHARE_TABLES; i++)
		if (feed->tables[i].walking || feed->tables[i].walk_again)
			return true;
	return false;
}

enum wire_type
feed_put_entries(struct feed *feed, struct wire_out *out)
{
	const size_t room = out->left;

	for (enum share_table which = 0; which < SHARE_TABLES; which++) {
		feed_put_waiting(feed, which, out);
		if (!out->failed)
			feed_put_walk(feed, which, out);
		if (!out->failed)
			feed_put_round(feed, which, out);
		if (out->left != room)
			return which == SHARE_FLOWS ? WIRE_FLOWS : WIRE_CLIENTS;
	}
	return WIRE_FLOWS;
}

uint64_t
feed_entries_due(const struct feed *feed)
{
	uint64_t due = UINT64_MAX;

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
