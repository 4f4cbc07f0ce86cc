/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "forward/policy.h"

#include <string.h>

#include "flow/fit.h"
#include "flow/source.h"

/* SCTP chunk types (RFC 9260 section 3.2), by what they do to a connection. */
enum sctp_chunk {
	SCTP_INIT = 1,
	SCTP_ABORT = 6,
	SCTP_SHUTDOWN = 7,
	SCTP_SHUTDOWN_ACK = 8,
	SCTP_SHUTDOWN_COMPLETE = 14
};

#define SCTP_COMMON_HEADER 12

/* SCTP opens and closes as TCP does, so it runs on the same state machine. */
uint8_t
flow_sctp_flags(const struct frame_ctx *ctx)
{
	const struct packet *packet = &ctx->packet;
	const uint32_t chunk = packet->l4 + SCTP_COMMON_HEADER;

	if (chunk >= packet->end)
		return TCP_ACK;
	switch ((enum sctp_chunk)ctx->frame->bytes[chunk]) {
	case SCTP_INIT:
		return TCP_SYN;
	case SCTP_ABORT:
		return TCP_RST;
	case SCTP_SHUTDOWN:
	case SCTP_SHUTDOWN_ACK:
	case SCTP_SHUTDOWN_COMPLETE:
		return TCP_FIN;
	}
	return TCP_ACK;
}

/* RFC 9260 sections 3.1, 3.3.2 and 3.3.7. */
#define SCTP_T_BIT 1
#define SCTP_TAG 4
#define SCTP_INITIATE_TAG (SCTP_COMMON_HEADER + 4)

static uint32_t
load_tag(const struct frame_ctx *ctx, uint32_t offset)
{
	const uint8_t *bytes = ctx->frame->bytes + ctx->packet.l4 + offset;

	if (ctx->packet.l4 + offset + 4 > ctx->packet.end)
		return 0;
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void
read_sctp(const struct frame_ctx *ctx, struct fit_sctp *packet)
{
	const uint32_t chunk = ctx->packet.l4 + SCTP_COMMON_HEADER;

	packet->flags = ctx->flags;
	packet->tag = load_tag(ctx, SCTP_TAG);
	packet->initiate = (ctx->flags & TCP_SYN) != 0 ? load_tag(ctx, SCTP_INITIATE_TAG) : 0;
	packet->reflected = (ctx->flags & (TCP_RST | TCP_FIN)) != 0 && chunk + 1 < ctx->packet.end &&
	    (ctx->frame->bytes[chunk + 1] & SCTP_T_BIT) != 0;
}

static bool
policy_fits(struct frame_ctx *ctx, struct conn *conn, uint64_t silence)
{
	struct fit_sctp packet;
	bool believed;

	if (ctx->packet.protocol == PROTOCOL_TCP)
		return fit_segment(conn, &ctx->packet, silence);
	read_sctp(ctx, &packet);
	believed = fit_sctp(conn, &packet, silence);
	if (believed)
		fit_sctp_learn(conn, &packet);
	return believed;
}

void
flow_learn(const struct frame_ctx *ctx, struct conn *conn)
{
	struct fit_sctp packet;

	read_sctp(ctx, &packet);
	fit_sctp_learn(conn, &packet);
}

static bool
policy_is_ended(enum conn_state state)
{
	return state == CONN_FIN_WAIT || state == CONN_TIME_WAIT || state == CONN_CLOSED;
}

static bool
policy_is_proof(const struct frame_ctx *ctx, const struct conn *conn)
{
	return fit_proves(conn, ctx->packet.protocol == PROTOCOL_TCP ? &ctx->packet : NULL, ctx->now);
}

enum conn_state
flow_judge(struct frame_ctx *ctx, struct conn *conn, uint64_t silence)
{
	const enum conn_state state = (enum conn_state)conn->state;

	if (!flow_is_connection(ctx))
		return policy_is_proof(ctx, conn) ? CONN_UDP : state;
	if (!policy_fits(ctx, conn, silence)) {
		/* Packets that do not fit keep an open connection alive, but change nothing. */
		if (fit_is_asked(state, ctx->flags)) {
			ctx->flags = 0;
			ctx->forwarder->stats.unfit++;
		}
		return state;
	}
	if (fit_is_asked(CONN_ESTABLISHED, ctx->flags))
		return conn_tcp_next(state, ctx->flags);
	if (state == CONN_NEW && !policy_is_proof(ctx, conn))
		return state;
	if (policy_is_ended(state) && ctx->packet.protocol == PROTOCOL_TCP && fit_revives(conn, &ctx->packet))
		return CONN_ESTABLISHED;
	return conn_tcp_next(state, ctx->flags);
}

/*
 * Not when its server was removed from the configuration. Not when its server is down and nothing is lost by moving:
 * UDP has no connection, and a client may use the same port for ever; or the service moves such flows. Nor when the
 * client starts over: a SYN on a finished flow is a new connection from a reused port, and a SYN that gets no answer
 * from a server that is down is a client that tries again.
 */
bool
flow_stays_in_doubt(const struct frame_ctx *ctx, enum conn_state state, const struct fwd_server *server)
{
	if (server == NULL)
		return false;
	if (!server->healthy && (!flow_is_connection(ctx) || server->service->settings.on_down == ON_DOWN_MOVE))
		return false;
	if (!flow_begins(ctx))
		return true;
	switch (state) {
	case CONN_FIN_WAIT:
	case CONN_TIME_WAIT:
	case CONN_CLOSED:
	case CONN_NEW:
		return false;
	case CONN_NONE:
	case CONN_SYN:
	case CONN_ESTABLISHED:
	case CONN_UDP:
	case CONN_STATE_COUNT:
		return server->healthy;
	}
	return true;
}

/*
 * A segment or packet in the middle of a connection does not count: the connection is older than the director, or came
 * from another one. Nothing tells whether an unknown datagram is a first one, so it counts as such.
 */
bool
flow_is_limited(const struct frame_ctx *ctx, const struct fwd_service *service)
{
	if (service->service->settings.limit_new.service == 0 || service->candidate_count == 0)
		return false;
	return flow_begins(ctx) || (!flow_is_connection(ctx) && !ctx->moved);
}

struct limit_asker
flow_limit_asker(const struct frame_ctx *ctx, const struct fwd_service *service)
{
	return (struct limit_asker) { .limit = &service->service->settings.limit_new, .bucket = &service->run->limit,
		.service = service->run->number, .client = ctx->key.client };
}

bool
flow_has_room(const struct fwd_server *server)
{
	return server->max_connections == 0 ||
	    proven_flows(server->run) < server->max_connections;
}

/* The least loaded that is not full. */
static struct fwd_server *
find_room(const struct fwd_service *service)
{
	struct fwd_server *best = NULL;
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < service->candidate_count; i++) {
		struct fwd_server *server = service->candidates[i];
		const uint64_t load = (uint64_t)proven_flows(server->run) * WEIGHT_MOST / server->weight;

		if (flow_has_room(server) && load < least) {
			least = load;
			best = server;
		}
	}
	return best;
}

/* Schedulers ignore `max-connections`: if one chose a full server, the least loaded other one is used. */
static void
policy_choose(struct flow_plan *plan, const struct frame_ctx *ctx, const struct fwd_service *service)
{
	struct fwd_server *chosen = service->scheduler->pick(service, ctx->vip, &ctx->key);

	plan->way = FLOW_WAY_SCHEDULED;
	if (flow_has_room(chosen)) {
		plan->server = chosen;
		return;
	}
	plan->scheduled = chosen;
	plan->server = find_room(service);
	plan->reason = DROP_SERVERS_FULL;
}

void
flow_persist_key(const struct frame_ctx *ctx, const struct fwd_service *service, struct conn_key *key)
{
	const struct service_settings *settings = &service->service->settings;
	const unsigned bits = ctx->packet.source.family == ADDR_IPV4 ? 96U + settings->persist_prefix4 :
	    settings->persist_prefix6;

	memset(key, 0, sizeof(*key));
	addr_mapped(&ctx->packet.source, key->client);
	source_mask(key->client, bits);
	key->target = conn_target(service->run->number, 0);
}

/* Every datagram a flow of its own. */
static bool
is_one_packet(const struct frame_ctx *ctx, const struct fwd_service *service)
{
	return ctx->packet.protocol == PROTOCOL_UDP && service->service->settings.one_packet;
}

/* A connection that did not begin here, or its end. */
static bool
policy_is_middle(const struct frame_ctx *ctx, enum conn_state state)
{
	return state == CONN_CLOSED || (state == CONN_NEW && flow_is_connection(ctx));
}

bool
flow_may_persist(const struct frame_ctx *ctx, const struct fwd_service *service)
{
	const enum conn_state state = flow_next_state(ctx, CONN_NONE);

	return service->service->settings.persist != 0 && service->candidate_count > 0 &&
	    !policy_is_middle(ctx, state) &&
	    !is_one_packet(ctx, service);
}

/* May the client's last server, which persistence remembers, have the flow? */
static bool
may_stay(const struct fwd_service *service, const struct fwd_server *last)
{
	if (!last->takes_flows || !flow_has_room(last))
		return false;
	for (size_t i = 0; service->selective && i < service->candidate_count; i++)
		if (service->candidates[i] == last)
			return true;
	return !service->selective;
}

/* Without knowing what was before: the same server each time, as long as the candidates stay. */
struct fwd_server *
flow_by_hash(const struct frame_ctx *ctx, const struct fwd_service *service)
{
	return fwd_service_by_hash(service, ctx->vip, &ctx->key);
}

/*
 * The server of a flow that began elsewhere, perhaps before the last change. While flows that begin here are not all
 * remembered, such a flow may have begun here by the current table, and must stay with that.
 */
struct fwd_server *
flow_from_elsewhere(const struct frame_ctx *ctx, const struct conn_table *conns, const struct fwd_service *service,
    enum flow_way *way)
{
	struct fwd_server *now = flow_by_hash(ctx, service), *before = NULL;

	if (!conn_is_flooded(conns, CONN_SYN, ctx->now) && !conn_is_flooded(conns, CONN_NEW, ctx->now))
		before = fwd_service_before(service, ctx->vip, &ctx->key, ctx->now);
	/* By name: an explanation has copies of the candidates. */
	*way = before != NULL && !server_ref_equal(before->ref, now->ref) ? FLOW_WAY_PREVIOUS : FLOW_WAY_HASHED;
	return before != NULL ? before : now;
}

/*
 * A beginning is scheduled, unless others found no room a moment ago: then its repetition might, and so both go by
 * hash. The middle of a connection that is older than the director, or that began while half-open flows filled their
 * share, goes by hash, and so does its end, which is not worth remembering.
 */
struct flow_plan
flow_plan(const struct frame_ctx *ctx, const struct conn_table *conns, const struct fwd_service *service,
    struct fwd_server *last)
{
	struct flow_plan plan = { .state = flow_next_state(ctx, CONN_NONE) };

	if (service->candidate_count == 0) {
		plan.reason = service->quorum_lost ? DROP_QUORUM : service->unresolved ? DROP_NO_NEIGHBOR :
		    DROP_NO_SERVER;
		return plan;
	}
	plan.remembered = plan.state != CONN_CLOSED && !is_one_packet(ctx, service);
	if (policy_is_middle(ctx, plan.state)) {
		plan.server = flow_from_elsewhere(ctx, conns, service, &plan.way);
	} else if (plan.remembered && last == NULL && conn_is_flooded(conns, plan.state, ctx->now)) {
		plan.way = FLOW_WAY_HASHED;
		plan.server = flow_by_hash(ctx, service);
	} else if (last != NULL && may_stay(service, last)) {
		plan.way = FLOW_WAY_PERSISTENT;
		plan.server = last;
	} else {
		policy_choose(&plan, ctx, service);
	}
	return plan;
}
