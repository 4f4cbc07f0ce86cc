/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "pair.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../scene/must.h"
#include "proto/packet.h"

#define STEP MILLISECONDS(10)
#define FRAMES_A_STEP 64

static void
order_here(void *context, struct server *server, const struct wire_order *order)
{
	struct side *side = context;

	side->orders++;
	if (order->weight) {
		(void)admin_weight(server, order->value);
		server->admin.weight_by = order->author;
	} else {
		(void)admin_admin(server, (enum admin_state)order->value, side->scene.now);
		server->admin.admin_by = order->author;
		server->admin.drain_until = order->drain_left == 0 ? 0 : side->scene.now + SECONDS(order->drain_left);
	}
}

void
pair_update(struct side *side)
{
	scene_compile(&side->scene);
	share_update(side->share, side->scene.table, ++side->serial, 2);
}

static void
side_open(struct side *side, unsigned index, const char *scheduler)
{
	struct service_settings *service;

	memset(side, 0, sizeof(*side));
	scene_open(&side->scene);
	service = scene_add_service(&side->scene, "web", PROTOCOL_TCP, 80, scheduler);
	scene_listen(service, "2001:db8::10", PROTOCOL_TCP, 80, 80);
	scene_listen(service, VIP, PROTOCOL_SCTP, 80, 80);
	for (unsigned i = 1; i <= 4; i++)
		scene_add_server(service, i, 1, false);
	service = scene_add_service(&side->scene, "dns", PROTOCOL_UDP, 53, scheduler);
	service->persist = MINUTES(5);
	for (unsigned i = 1; i <= 2; i++)
		scene_add_server(service, i, 1, false);
	scene_apply(&side->scene);
	side->scene.discards = true;
	side->share = share_new(side->scene.model, side->scene.forwarder.conns, side->scene.forwarder.persist);
	ck_assert_ptr_nonnull(side->share);
	pair_update(side);
	(void)snprintf(side->own.name, sizeof(side->own.name), "lb%u", index + 1);
	side->own.boot[0] = (uint8_t)(index + 1);
	side->wall = 1000000;
	side->reads = true;
	side->pipe = malloc(PAIR_PIPE);
	ck_assert_ptr_nonnull(side->pipe);
}

static void
side_close(struct side *side)
{
	if (side->up)
		link_clear(&side->link);
	share_free(side->share);
	scene_close(&side->scene);
	free(side->pipe);
}

void
pair_open(struct pair *pair, const char *scheduler)
{
	memset(pair, 0, sizeof(*pair));
	for (unsigned i = 0; i < 2; i++) {
		side_open(&pair->sides[i], i, scheduler);
		pair->secrets[i].length = SESSION_SECRET_LEAST;
		memcpy(pair->secrets[i].bytes, "0123456789abcdef", SESSION_SECRET_LEAST);
	}
}

void
pair_close(struct pair *pair)
{
	for (unsigned i = 0; i < 2; i++)
		side_close(&pair->sides[i]);
}

void
pair_connect(struct pair *pair)
{
	pair->connections++;
	for (unsigned i = 0; i < 2; i++) {
		struct side *side = &pair->sides[i];

		memset(side->own.nonce, (int)(pair->connections * 2 + i), sizeof(side->own.nonce));
		link_begin(&side->link, side->share, i == 0, &pair->secrets[i], &side->own, side->scene.now);
		side->up = true;
		side->last = LINK_NOTHING;
		side->waiting = 0;
	}
}

void
pair_disconnect(struct pair *pair)
{
	for (unsigned i = 0; i < 2; i++) {
		if (pair->sides[i].up)
			link_clear(&pair->sides[i].link);
		pair->sides[i].up = false;
	}
}

void
pair_restart(struct pair *pair, unsigned index, const char *scheduler)
{
	const uint64_t now = pair->sides[index].scene.now;
	const uint8_t boot = pair->sides[index].own.boot[0];

	pair_disconnect(pair);
	side_close(&pair->sides[index]);
	side_open(&pair->sides[index], index, scheduler);
	pair->sides[index].scene.now = now;
	pair->sides[index].own.boot[0] = (uint8_t)(boot + 10);
}

static struct link_facts
facts_of(const struct side *side)
{
	return (struct link_facts) { side->scene.now, side->wall, "1.0" };
}

static void
side_receive(struct side *side)
{
	const struct link_facts facts = facts_of(side);
	size_t used = 1;

	while (side->reads && side->up && used > 0) {
		const enum link_event event = link_receive(&side->link, side->pipe, side->waiting, &used, &facts);

		memmove(side->pipe, side->pipe + used, side->waiting - used);
		side->waiting -= used;
		if (event != LINK_NOTHING)
			side->last = event;
		if (event == LINK_GREETED)
			ck_assert_int_eq(link_accept(&side->link, share_source(side->share), order_here, side), 0);
		if (event == LINK_ENDED) {
			link_clear(&side->link);
			side->up = false;
		}
	}
}

static void
side_send(struct side *side, struct side *other)
{
	const struct link_facts facts = facts_of(side);
	bool again = true;

	for (unsigned i = 0; again && i < FRAMES_A_STEP && side->up && other->waiting + WIRE_FRAME <= PAIR_PIPE; i++) {
		const size_t length = link_send(&side->link, other->pipe + other->waiting, &facts, &again);

		if (length > 0)
			side->types[other->pipe[other->waiting + 4]]++;
		other->waiting += length;
		other->frames += length > 0;
		other->bytes += length;
	}
}

void
pair_run(struct pair *pair, uint64_t time)
{
	for (uint64_t passed = 0; passed < time; passed += STEP) {
		for (unsigned i = 0; i < 2; i++) {
			struct side *side = &pair->sides[i];

			side->scene.now += STEP;
			if (side->scene.now % SECONDS(1) == 0) {
				side->wall++;
				forward_tick(&side->scene.forwarder, side->scene.now);
			}
			side_send(side, &pair->sides[1 - i]);
		}
		for (unsigned i = 0; i < 2; i++)
			side_receive(&pair->sides[i]);
	}
}

void
pair_settle(struct pair *pair)
{
	for (unsigned i = 0; i < 500; i++) {
		if (pair->sides[0].up && pair->sides[1].up && pair->sides[0].link.intake.bulk_done &&
		    pair->sides[1].link.intake.bulk_done)
			return;
		pair_run(pair, STEP);
	}
	ck_abort_msg("no bulk: %s, %s", session_fault_text(pair->sides[0].link.session.fault),
	    session_fault_text(pair->sides[1].link.session.fault));
}

void
pair_begin_flows(struct side *side, uint16_t first, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		(void)scene_send(&side->scene, &(struct shape) { .from_port = (uint16_t)(first + i), .flags = TCP_SYN,
		    .sequence = 1000 });
		(void)scene_send(&side->scene, &(struct shape) { .from_port = (uint16_t)(first + i), .flags = TCP_ACK,
		    .sequence = 1000, .acknowledgement = 5000 });
	}
}

void
pair_use_flows(struct side *side, uint16_t first, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		(void)scene_send(&side->scene, &(struct shape) { .from_port = (uint16_t)(first + i), .flags = TCP_ACK,
		    .sequence = 1000, .acknowledgement = 5000, .payload = 10 });
}

static struct conn_key
key_of(const struct side *side, uint16_t port)
{
	const struct addr client = scene_addr("203.0.113.7"), vip = scene_addr(VIP);
	struct conn_key key = { .client_port = port, .vip_port = 80 };

	addr_mapped(&client, key.client);
	key.target = conn_target(fwdtab_vip(side->scene.table, 0, &vip)->number, PROTOCOL_TCP);
	return key;
}

const char *
pair_server_of(struct side *side, uint16_t port)
{
	const struct conn_key key = key_of(side, port);
	const struct conn *conn = conn_peek(side->scene.forwarder.conns, &key);
	const struct server *server = conn == NULL ? NULL : model_server(side->scene.model, conn->server);

	return server == NULL ? NULL : server->settings.name;
}

const char *
pair_would_reach(struct side *side, uint16_t port)
{
	const struct conn_key key = key_of(side, port);
	const struct addr vip = scene_addr(VIP);
	const struct fwd_vip *fwd = fwdtab_vip(side->scene.table, 0, &vip);
	const struct fwd_service *service = fwd_vip_service(fwd, PROTOCOL_TCP, 80);

	if (pair_server_of(side, port) != NULL)
		return pair_server_of(side, port);
	return (service->scheduler->by_hash ? service->scheduler->pick(service, fwd, &key) :
	    fwd_service_hash(service, &key))->server->settings.name;
}

unsigned
pair_count_broken(struct pair *pair, uint16_t first, unsigned count)
{
	unsigned broken = 0;

	for (unsigned i = 0; i < count; i++) {
		const uint16_t port = (uint16_t)(first + i);
		const char *ours = pair_server_of(&pair->sides[0], port);

		must(ours != NULL, "port %u is not known", port);
		broken += strcmp(ours, pair_would_reach(&pair->sides[1], port)) != 0;
	}
	return broken;
}
