/* SPDX-License-Identifier: ISC */
/*
 * The server of a known flow, and of a new one. A flow in the table stays where it is; a persistent client goes where
 * it went before; a flow that cannot be stored, or is unknown without being new, is placed by consistent hash, so that
 * all its packets go to the same server.
 */
#include "config.h"

#include "flow/fit.h"
#include "forward/frame_ctx.h"
#include "forward/policy.h"
#include "offload/cache.h"

static uint64_t
timeout_of(const struct frame_ctx *ctx, enum conn_state state)
{
	return conn_lifetime(ctx->decision.service->timeouts, state, ctx->packet.protocol);
}

void
account_gone(void *context, const struct conn *conn)
{
	struct forwarder *forwarder = context;
	const struct fwd_server *server = fwdtab_server(forwarder->table, conn->server);

	if (forwarder->offload != NULL)
		offload_remove(forwarder->offload, conn_at(forwarder->conns, conn_number(forwarder->conns, conn)));
	if (server != NULL)
		account_flow(server->run, conn->state, -1);
}

void
account_over(void *context, struct conn *conn, uint64_t now)
{
	struct forwarder *forwarder = context;

	if (forwarder->offload != NULL)
		offload_pull(forwarder->offload, conn, now);
}

/* The plan for an unknown flow. A client whose persistent server cannot be used is forgotten. */
static struct flow_plan
make_plan(const struct frame_ctx *ctx)
{
	const struct fwd_service *service = ctx->decision.service;
	struct forwarder *forwarder = ctx->forwarder;
	struct conn *client = NULL;
	struct flow_plan plan;
	struct conn_key key;

	if (flow_may_persist(ctx, service)) {
		flow_persist_key(ctx, service, &key);
		client = conn_find(forwarder->persist, &key, ctx->now);
	}
	plan = flow_plan(ctx, forwarder->conns, service,
	    client != NULL ? fwdtab_server(forwarder->table, client->server) : NULL);
	if (client != NULL && plan.way != FLOW_WAY_PERSISTENT)
		conn_remove(forwarder->persist, client);
	return plan;
}

/*
 * The client's next flow goes to `server`, too. While the flow is unproven, so is the client: it is remembered for as
 * long as the flow may be, so that connections it opens at once go together, in the share that the table gives
 * CONN_NEW. Only a proven flow proves its client: two datagrams of different flows may well be forged with one
 * address, or from one network (`persist` with a prefix length). A full table remembers no new client: it is served
 * without persistence.
 */
static void
remember_client(const struct frame_ctx *ctx, const struct fwd_server *server, enum conn_state state)
{
	struct conn_table *persist = ctx->forwarder->persist;
	const uint64_t lifetime = ctx->decision.service->service->settings.persist, brief = timeout_of(ctx, state);
	bool proven = conn_is_proven(state);
	struct conn_key key;
	struct conn *client;

	if (lifetime == 0)
		return;
	flow_persist_key(ctx, ctx->decision.service, &key);
	client = conn_find(persist, &key, ctx->now);
	proven |= client != NULL && client->state == CONN_UDP;
	if (client != NULL)
		conn_touch(persist, client, proven ? CONN_UDP : CONN_NEW, proven || lifetime < brief ? lifetime :
		    brief);
	else if (conn_insert(persist, &key, server->ref, proven ? CONN_UDP : CONN_NEW,
	    proven || lifetime < brief ? lifetime : brief, ctx->now) == NULL)
		ctx->forwarder->stats.persist_full++;
}

static NOINLINE void
stage_flow_change_state(struct frame_ctx *ctx, struct fwd_server *server, enum conn_state before, enum conn_state state)
{
	account_flow(server->run, before, -1);
	account_flow(server->run, state, 1);
	if (!conn_is_proven(before) && conn_is_active(state))
		remember_client(ctx, server, state);
}

/* The flow's state after the frame. */
static inline enum conn_state
next_state(struct frame_ctx *ctx, struct conn *conn)
{
	const enum conn_state state = (enum conn_state)conn->state;
	uint64_t lifetime, left;

	if (state == CONN_UDP || (ctx->packet.protocol == PROTOCOL_TCP && !fit_is_asked(state, ctx->flags)))
		return state;
	lifetime = conn_timeout(ctx->forwarder->conns, timeout_of(ctx, state));
	left = conn_left(ctx->forwarder->conns, conn);
	return flow_judge(ctx, conn, lifetime > left ? lifetime - left : 0);
}

/* An earlier frame of the flow may have been forwarded by the kernel, and not be known here yet. */
static NOINLINE struct conn *
stage_flow_learn(const struct frame_ctx *ctx)
{
	if (ctx->sent_to == NULL && ctx->forwarder->learn != NULL)
		(void)ctx->forwarder->learn(ctx->forwarder->learn_context);
	return conn_find(ctx->forwarder->conns, &ctx->key, ctx->now);
}

/* What is known goes where it went. */
static inline enum stage
find_flow(struct frame_ctx *ctx)
{
	struct conn_table *conns = ctx->forwarder->conns;
	struct conn *conn = conn_find(conns, &ctx->key, ctx->now);
	struct fwd_server *server;
	enum conn_state state, before;

	if (ctx->forwarder->learn != NULL &&
	    (conn == NULL || conn->state == CONN_TIME_WAIT || conn->state == CONN_CLOSED))
		conn = stage_flow_learn(ctx);
	if (conn == NULL)
		return GOES_ON;
	if (ctx->forwarder->offload != NULL)
		offload_pull(ctx->forwarder->offload, conn, ctx->now);
	server = fwdtab_server(ctx->forwarder->table, conn->server);
	if (server != NULL && frame_ctx_goes_back(ctx, server) && stage_bounce(ctx, conn) == IS_DECIDED)
		return IS_DECIDED;
	before = state = (enum conn_state)conn->state;
	/* The client tried again, and the kernel, which does not know its flow, chose another server. */
	if (ctx->sent_to != NULL && server != ctx->sent_to && !conn_is_proven(state)) {
		conn_remove(conns, conn);
		return GOES_ON;
	}
	if (server != NULL)
		state = next_state(ctx, conn);
	if (!flow_stays(ctx, before, server)) {
		ctx->flags = flow_flags(ctx);
		ctx->moved = true;
		conn_remove(conns, conn);
		return GOES_ON;
	}
	if (state != before)
		stage_flow_change_state(ctx, server, before, state);
	if (ctx->flags != 0 || !flow_is_connection(ctx))
		conn_touch(conns, conn, state, timeout_of(ctx, state));
	/* What does not fit makes no flow live longer, and moves no number, but is the first that some show. */
	if (ctx->packet.protocol == PROTOCOL_TCP && (ctx->flags != 0 || !fit_is_based(conn)))
		measure_segment(&server->run->measure, conn, before, &ctx->packet, ctx->now);
	conn->hop_limit = ctx->packet.hop_limit;
	ctx->conn = conn;
	ctx->server = server;
	ctx->decision.state = state;
	return GOES_ON;
}

/* Stores the new flow in the table. False: there is no room. */
static bool
remember_flow(struct frame_ctx *ctx, const struct flow_plan *plan)
{
	struct fwd_server *server = plan->server;
	struct conn *conn = conn_insert(ctx->forwarder->conns, &ctx->key, server->ref, plan->state,
	    timeout_of(ctx, plan->state), ctx->now);

	ctx->forwarder->stats.unproven_evicted = conn_table_evicted(ctx->forwarder->conns);
	if (conn == NULL)
		return false;
	if (ctx->packet.protocol == PROTOCOL_TCP)
		measure_begin(&server->run->measure, conn, &ctx->packet, ctx->now);
	else if (ctx->packet.protocol == PROTOCOL_SCTP)
		flow_learn(ctx, conn);
	conn->hop_limit = ctx->packet.hop_limit;
	routers_note(&ctx->forwarder->routers, ctx->frame->iface, &ctx->packet.ether_source);
	if (plan->state == CONN_NEW)
		conn->aside = (uint32_t)ctx->now;
	account_flow(server->run, plan->state, 1);
	server->run->connections++;
	if (plan->state == CONN_SYN || !flow_is_connection(ctx))
		remember_client(ctx, server, plan->state);
	ctx->conn = conn;
	ctx->server = server;
	return true;
}

/* Whose frames a new flow's MAC brings. */
static NOINLINE void
stage_flow_note_next_hop(const struct frame_ctx *ctx)
{
	struct forwarder *forwarder = ctx->forwarder;
	const struct packet *packet = &ctx->packet;
	const uint16_t number = ctx->frame->iface;
	const struct iface *iface = &forwarder->ifaces[number];
	const bool routed = iface_address(iface, (enum addr_family)packet->source.family) != NULL &&
	    !iface_is_on_link(iface, &packet->source) && !neigh_has_mac(forwarder->neighbors, number,
	    &packet->ether_source);

	next_hop_note(&forwarder->next_hops, number, &packet->ether_source, routed, ctx->now);
}

/* Do more connections begin than `limit-new` allows? A frame that the kernel has sent already cannot be dropped. */
static bool
stage_flow_exceeds(const struct frame_ctx *ctx)
{
	const struct fwd_service *service = ctx->decision.service;
	struct limit_asker asker;

	if (ctx->sent_to != NULL || !flow_is_limited(ctx, service))
		return false;
	asker = flow_limit_asker(ctx, service);
	if (limit_take(ctx->forwarder->limits, &asker, ctx->now))
		return false;
	service->run->limited++;
	service->run->limited_at = ctx->now;
	return true;
}

/* A new flow, a frame of an old one that the table does not have, or a datagram of a service that remembers none. */
static NOINLINE enum stage
begin_flow(struct frame_ctx *ctx)
{
	struct flow_plan plan;

	if (stage_flow_exceeds(ctx))
		return drop(ctx, DROP_LIMIT_NEW);
	plan = make_plan(ctx);
	ctx->decision.new_flow = plan.way != FLOW_WAY_NONE;
	ctx->decision.state = plan.way != FLOW_WAY_NONE ? plan.state : CONN_NONE;
	if (plan.server == NULL)
		return drop(ctx, plan.reason);
	if (ctx->sent_to != NULL)
		plan.server = ctx->sent_to;
	else
		ctx->forwarder->begun += plan.state == CONN_SYN || !flow_is_connection(ctx);
	if (!next_hop_is_latest(&ctx->forwarder->next_hops, ctx->frame->iface, &ctx->packet.ether_source, ctx->now))
		stage_flow_note_next_hop(ctx);
	ctx->forwarder->stats.previous_table += plan.way == FLOW_WAY_PREVIOUS;
	if (plan.remembered && remember_flow(ctx, &plan))
		return GOES_ON;
	ctx->server = plan.remembered ? flow_by_hash(ctx, ctx->decision.service) : plan.server;
	if (frame_ctx_goes_back(ctx, ctx->server))
		return stage_bounce(ctx, NULL);
	if (plan.remembered || plan.way == FLOW_WAY_HASHED || plan.way == FLOW_WAY_PREVIOUS)
		ctx->forwarder->stats.by_hash++;
	else
		plan.server->run->connections++;
	return GOES_ON;
}

/* The server that the datagram's QUIC connection ID names; NULL: its flow decides. */
static struct fwd_server *
flow_quic_server(const struct frame_ctx *ctx, const struct fwd_quic *quic)
{
	const struct packet *packet = &ctx->packet;
	struct fwd_server *server = NULL;
	struct quic_id id;

	switch (quic_route(ctx->frame->bytes + packet->payload, packet->end - packet->payload, quic->lengths, &id)) {
	case QUIC_BY_ADDRESS:
		return NULL;
	case QUIC_BY_ID:
		server = fwd_quic_server(quic, &id);
		break;
	case QUIC_INVALID:
		break;
	}
	ctx->forwarder->stats.quic_invalid += server == NULL;
	return server;
}

/*
 * QUIC clients change their addresses, and an address may be another connection's now: where the connection ID names a
 * server, that gets the packet. The flow of a new address belongs to that server; that of another connection stays as
 * it is, since one client may have connections to several servers from one port.
 */
static NOINLINE enum stage
stage_flow_quic(struct frame_ctx *ctx)
{
	struct forwarder *forwarder = ctx->forwarder;
	struct fwd_server *server = flow_quic_server(ctx, ctx->decision.service->quic);
	const struct conn *conn = NULL;
	const struct flow_plan plan = { .server = server, .way = FLOW_WAY_SCHEDULED, .state = CONN_NEW,
	    .remembered = true };

	if (server == NULL)
		return GOES_ON;
	if (!ctx->decision.service->service->settings.one_packet)
		conn = conn_find(forwarder->conns, &ctx->key, ctx->now);
	if (conn != NULL && server_ref_equal(conn->server, server->ref))
		return GOES_ON;
	ctx->server = server;
	if (frame_ctx_goes_back(ctx, server))
		return stage_bounce(ctx, NULL);
	forwarder->stats.quic_by_id++;
	ctx->decision.state = CONN_NEW;
	ctx->decision.new_flow = conn == NULL && !ctx->decision.service->service->settings.one_packet &&
	    remember_flow(ctx, &plan);
	return GOES_ON;
}

enum stage
stage_flow(struct frame_ctx *ctx)
{
	const struct packet *packet = &ctx->packet;
	const struct fwd_service *service = fwd_vip_service(ctx->vip, packet->protocol, packet->destination_port);

	ctx->decision.service = service;
	if (service == NULL)
		return drop(ctx, DROP_NO_SERVICE);
	flow_name(ctx);
	ctx->flags = flow_flags(ctx);
	if (service->quic != NULL && packet->protocol == PROTOCOL_UDP) {
		if (stage_flow_quic(ctx) == IS_DECIDED)
			return IS_DECIDED;
		if (ctx->server != NULL)
			return GOES_ON;
	}
	if ((packet->protocol != PROTOCOL_UDP || !service->service->settings.one_packet) &&
	    find_flow(ctx) == IS_DECIDED)
		return IS_DECIDED;
	return ctx->server != NULL ? GOES_ON : begin_flow(ctx);
}
