/* SPDX-License-Identifier: ISC */
/*
 * Decisions about a flow, separate from acting on them: stage_flow.c acts on them, explain.c reports them, so that an
 * explanation cannot differ from what happens. Nothing here changes state except the scheduler's own rotation: a caller
 * that only explains passes a copy of the service (explain.c). Private to these files.
 *
 * Reads of the ctx: `packet` (protocol and addresses), `flags`, `vip` and `key`.
 */
#ifndef FORWARD_POLICY_H
#define FORWARD_POLICY_H

#include "forward/flow_way.h"
#include "forward/frame_ctx.h"

/* How an unknown flow gets its server. */
struct flow_plan {
	struct fwd_server *server;    /* NULL: none, because of `reason` */
	struct fwd_server *scheduled; /* the scheduler's choice, though it is full and another one serves; else NULL */
	enum flow_way way;
	enum drop_reason reason;
	enum conn_state state;        /* the flow's first */
	bool remembered;              /* it is worth a place in the flow table */
};

/* SCTP's chunk as the TCP flags that do the same to a connection. */
uint8_t flow_sctp_flags(const struct frame_ctx *ctx);
/*
 * The state after the frame, where that is not plain. A segment that does not fit the flow (flow/fit.h) does nothing:
 * its flags are cleared in the ctx. `silence`: since the flow was last seen, in microseconds.
 */
enum conn_state flow_judge(struct frame_ctx *ctx, struct conn *conn, uint64_t silence);
/* What a new flow learns of its first SCTP packet. */
void flow_learn(const struct frame_ctx *ctx, struct conn *conn);
/* flow_stays(), where that is not plain. */
bool flow_stays_in_doubt(const struct frame_ctx *ctx, enum conn_state state, const struct fwd_server *server);
/* True if persistence applies: the client's last server is tried. */
bool flow_may_persist(const struct frame_ctx *ctx, const struct fwd_service *service);
/* A client as persistence sees it: its network, on any port of the service. */
void flow_persist_key(const struct frame_ctx *ctx, const struct fwd_service *service, struct conn_key *key);
/* `last`: the server that persistence remembers, or NULL. */
struct flow_plan flow_plan(const struct frame_ctx *ctx, const struct conn_table *conns,
    const struct fwd_service *service,
    struct fwd_server *last);
/* The same, when the flow cannot be remembered: by consistent hash. */
struct fwd_server *flow_by_hash(const struct frame_ctx *ctx, const struct fwd_service *service);
/* By consistent hash, as it was before a change a moment ago: FLOW_WAY_PREVIOUS, if that makes a difference. */
struct fwd_server *flow_from_elsewhere(const struct frame_ctx *ctx, const struct conn_table *conns,
    const struct fwd_service *service, enum flow_way *way);
/* Does the frame of an unknown flow count for the service's `limit-new`? */
bool flow_is_limited(const struct frame_ctx *ctx, const struct fwd_service *service);
/* Who begins it, for limit_take(). */
struct limit_asker flow_limit_asker(const struct frame_ctx *ctx, const struct fwd_service *service);
bool flow_has_room(const struct fwd_server *server);

/* For every frame, so inline. */

/* Sets `key` from packet and VIP. */
static inline void
flow_name(struct frame_ctx *ctx)
{
	const struct packet *packet = &ctx->packet;
	struct conn_key *key = &ctx->key;

	addr_mapped(&packet->source, key->client);
	key->client_port = packet->source_port;
	key->vip_port = packet->destination_port;
	key->target = conn_target(ctx->vip->number, packet->protocol);
}

static inline bool
flow_is_connection(const struct frame_ctx *ctx)
{
	return ctx->packet.protocol != PROTOCOL_UDP;
}

/* TCP's flags, SCTP's equivalents; 0 for UDP. */
static inline uint8_t
flow_flags(const struct frame_ctx *ctx)
{
	if (ctx->packet.protocol == PROTOCOL_TCP)
		return ctx->packet.tcp_flags;
	return ctx->packet.protocol == PROTOCOL_SCTP ? flow_sctp_flags(ctx) : 0;
}

static inline enum conn_state
flow_next_state(const struct frame_ctx *ctx, enum conn_state state)
{
	if (flow_is_connection(ctx))
		return conn_tcp_next(state, ctx->flags);
	return state == CONN_NONE ? CONN_NEW : state;
}

/* True if the client opens a new connection. */
static inline bool
flow_begins(const struct frame_ctx *ctx)
{
	return flow_is_connection(ctx) && (ctx->flags & TCP_SYN) != 0;
}

/* May this flow, whose server is `server` (NULL: removed), stay where it is? */
static inline bool
flow_stays(const struct frame_ctx *ctx, enum conn_state state, const struct fwd_server *server)
{
	if (server != NULL && server->healthy && !flow_begins(ctx))
		return true;
	return flow_stays_in_doubt(ctx, state, server);
}

#endif
