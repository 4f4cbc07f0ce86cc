/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "sync/feed.h"

#include <stdlib.h>
#include <string.h>

#include "sync/feed_state.h"

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
	feed->fragment = share->fragment_count;
	feed->candidates = calloc(FEED_NUMBERS, sizeof(*feed->candidates));
	feed->named_candidates = calloc(FEED_NUMBERS, sizeof(*feed->named_candidates));
	feed->differs = calloc(FEED_NUMBERS, sizeof(*feed->differs));
	feed->health = calloc(FEED_NUMBERS, sizeof(*feed->health));
	feed->orders = calloc(FEED_NUMBERS, sizeof(*feed->orders));
	if (feed_entries_init(feed) == -1 || feed->candidates == NULL || feed->named_candidates == NULL ||
	    feed->differs == NULL || feed->health == NULL || feed->orders == NULL) {
		feed_free(feed);
		return NULL;
	}
	memset(feed->differs, true, FEED_NUMBERS * sizeof(*feed->differs));
	share_watch(share, feed_entry_changed, feed);
	return feed;
}

void
feed_free(struct feed *feed)
{
	if (feed == NULL)
		return;
	share_unwatch(feed->share, feed);
	feed_entries_clear(feed);
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

void
feed_set_forwards(struct feed *feed, bool forwards)
{
	feed->forwards = forwards;
}

static bool
feed_has_fragments(const struct feed *feed)
{
	return feed->forwards && feed->fragment != feed->share->fragment_count;
}

static bool
feed_is_shared(const struct feed *feed, struct server_ref ref)
{
	const struct fwd_server *server = fwdtab_server(feed->share->table, ref);

	return server != NULL && server->server->service->settings.sync != SYNC_OFF;
}

/* First fragments since the last call. Those that the ring no longer has are too old to be of use. */
static void
feed_put_fragments(struct feed *feed, struct wire_out *out)
{
	const struct share *share = feed->share;

	if (!feed->forwards || share->fragment_count - feed->fragment > SHARE_FRAGMENTS)
		feed->fragment = share->fragment_count - (feed->forwards ? SHARE_FRAGMENTS : 0);
	for (; feed->fragment != share->fragment_count; feed->fragment++) {
		const struct share_fragment *first = &share->fragments[feed->fragment % SHARE_FRAGMENTS];
		struct wire_fragment record = { first->key.vip, first->server.slot, first->key.protocol, { 0 }, first->key.id };

		if (!feed_is_shared(feed, first->server))
			continue;
		memcpy(record.client, first->key.client, sizeof(record.client));
		wire_put_fragment(out, &record);
		if (out->failed)
			return;
		feed->counts.fragments++;
	}
}

/* The kinds of records in the order of their importance: the first that has some fills the body. */
static bool
feed_fill(struct feed *feed, struct wire_out *out, enum wire_type *type)
{
	const size_t room = out->left;

	if (feed->naming != FEED_ALL_NAMED) {
		*type = feed_put_names(feed, out);
		return true;
	}
	feed_put_fragments(feed, out);
	if (out->left != room) {
		*type = WIRE_FRAGMENTS;
		return true;
	}
	if (feed->now >= feed->look_due) {
		*type = feed_put_changes(feed, out);
		if (out->left != room)
			return true;
		if (feed->slot >= feed->share->model->slot_count)
			feed->slot = 0;
		feed->look_due = feed->now + FEED_LOOK;
	}
	if (feed->ready) {
		*type = feed_put_entries(feed, out);
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

	if (feed->naming != FEED_ALL_NAMED || feed_has_fragments(feed) || (feed->ready && (feed_is_walking(feed) || !feed->bulk_ended)))
		return feed->now;
	if (!feed->ready)
		return due;
	if (feed->walk_wanted && feed->walk_from < due)
		due = feed->walk_from;
	return feed_entries_due(feed) < due ? feed_entries_due(feed) : due;
}

struct feed_counts
feed_counts(const struct feed *feed)
{
	struct feed_counts counts = feed->counts;

	counts.shared = feed->tables[SHARE_FLOWS].count;
	counts.waiting = feed->tables[SHARE_FLOWS].used + feed->tables[SHARE_CLIENTS].used;
	counts.bulk_done = feed->bulk_ended;
	return counts;
}
