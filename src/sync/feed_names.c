/* SPDX-License-Identifier: ISC */
/* Names, health and operators' orders, as a peer is sent them. */
#include "config.h"

#include "sync/feed_state.h"

#include <string.h>

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

/* Services whose candidates are others than the peer knows. */
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

enum wire_type
feed_put_names(struct feed *feed, struct wire_out *out)
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
enum wire_type
feed_put_changes(struct feed *feed, struct wire_out *out)
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
