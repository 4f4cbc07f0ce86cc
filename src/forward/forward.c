/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "forward/forward.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward/frame_ctx.h"
#include "offload/publish.h"

/*
 * Flows looked at in one tick and in one burst: bounds the time that expiry may take from forwarding, some milliseconds
 * at worst. Under load it is the bursts that keep up.
 */
#define EXPIRE_TICK 8192
#define EXPIRE_BURST 512

/* Clients remembered for persistence, as a share of the flows, and at least. */
#define PERSIST_SHARE 4
#define PERSIST_LEAST 1024

static NOINLINE enum drop_reason
why_unreadable(enum packet_status status)
{
	switch (status) {
	case PACKET_OK:
		break;
	case PACKET_TRUNCATED:
		return DROP_TRUNCATED;
	case PACKET_MALFORMED:
		return DROP_MALFORMED;
	case PACKET_UNSUPPORTED:
		break;
	}
	return DROP_UNSUPPORTED;
}

/*
 * This host is one of the VIP's servers. What another director sends is for it, whatever the roles: were it scheduled
 * again, two directors that are each other's servers could pass a frame back and forth without end.
 */
static NOINLINE enum stage
forward_to_local(struct frame_ctx *ctx, bool serves)
{
	const struct role_config *roles = ctx->forwarder->roles;

	if (serves && (roles == NULL || !role_is_peer(roles, &ctx->packet.ether_source)))
		return GOES_ON;
	ctx->server = ctx->vip->local;
	ctx->decision.server = ctx->server;
	return stage_local(ctx);
}

/* Only frames to our MAC and a VIP go on, and of those none that was ours already. */
static inline enum stage
forward_guard(struct frame_ctx *ctx, const struct fwdtab *table)
{
	const struct packet *packet = &ctx->packet;
	bool serves;

	if (!frame_ctx_is_for_us(ctx))
		return pass(ctx);
	/* A frame that is not IP has no destination, so it is not for a VIP. */
	ctx->vip = fwdtab_vip(table, ctx->frame->iface, &packet->destination);
	if (ctx->vip == NULL)
		return pass(ctx);
	if (frame_ctx_is_own_mac(ctx->forwarder, &packet->ether_source))
		return drop(ctx, DROP_LOOP);
	if (ctx->status != PACKET_OK)
		return drop(ctx, why_unreadable(ctx->status));
	serves = (ctx->forwarder->duties[ctx->vip->group] & ROLE_FORWARDS) != 0;
	/* Of what the kernel has sent only headers are here. */
	if (ctx->vip->local != NULL && ctx->sent_to == NULL)
		return forward_to_local(ctx, serves);
	return serves ? GOES_ON : drop(ctx, DROP_STANDBY);
}

/* A fragment goes where its first one went, an ICMP error where the flow goes that it is about. */
static NOINLINE enum stage
choose_otherwise(struct frame_ctx *ctx)
{
	const struct packet *packet = &ctx->packet;

	if (packet->fragment && stage_fragment(ctx) == IS_DECIDED)
		return IS_DECIDED;
	if (ctx->server == NULL && packet_is_icmp(packet) && stage_icmp(ctx) == IS_DECIDED)
		return IS_DECIDED;
	if (ctx->server == NULL)
		return stage_flow(ctx);
	return frame_ctx_goes_back(ctx, ctx->server) ? stage_bounce(ctx, NULL) : GOES_ON;
}

/* For plain frames only the flow is looked up. */
static inline enum stage
choose_server(struct frame_ctx *ctx)
{
	const struct packet *packet = &ctx->packet;

	return packet->has_ports && !packet->fragment ? stage_flow(ctx) : choose_otherwise(ctx);
}

static NOINLINE void
count_other(struct forward_stats *stats, const struct decision *decision)
{
	switch (decision->verdict) {
	case VERDICT_PASS:
		stats->passed++;
		break;
	case VERDICT_CONSUMED:
		stats->consumed++;
		break;
	case VERDICT_FORWARD: /* forward_count() has */
		break;
	case VERDICT_HOLD:
		stats->held++;
		break;
	case VERDICT_DROP:
		stats->dropped[decision->reason]++;
		break;
	}
}

static inline void
forward_count(struct forward_stats *stats, const struct decision *decision)
{
	stats->frames++;
	if (decision->verdict == VERDICT_FORWARD)
		stats->forwarded++;
	else
		count_other(stats, decision);
}

/* The stages in order; most frames skip most of them. */
static inline void
forward_decide(struct frame_ctx *ctx, struct forwarder *forwarder)
{
	const struct packet *packet = &ctx->packet;

	if ((packet_is_arp(packet) || packet_is_icmp(packet)) && stage_neighbor(ctx) == IS_DECIDED)
		return;
	if (vipcheck_count(forwarder->vipchecks) > 0 && stage_vipcheck(ctx) == IS_DECIDED)
		return;
	if (packet_is_icmp(packet) && forwarder->table->encaps != NULL && stage_outer(ctx) == IS_DECIDED)
		return;
	if (forward_guard(ctx, forwarder->table) == IS_DECIDED)
		return;
	if (choose_server(ctx) == IS_DECIDED)
		return;
	stage_deliver(ctx);
	/* Many flows have only one frame, so a flow is offloaded at its second; of QUIC each frame names its server. */
	if (forwarder->offload != NULL && ctx->conn != NULL && !ctx->decision.new_flow &&
	    ctx->decision.service->quic == NULL)
		offload_offer(forwarder->offload, ctx->conn, ctx->vip, packet,
		    ctx->decision.verdict == VERDICT_FORWARD, ctx->now);
	if (packet->fragment)
		stage_fragment_settle(ctx);
}

struct decision
forward_frame(struct forwarder *forwarder, struct frame *frame, uint64_t now)
{
	struct frame_ctx ctx;

	frame_ctx_begin(&ctx, forwarder, frame, now);
	forward_decide(&ctx, forwarder);
	forward_count(&forwarder->stats, &ctx.decision);
	return ctx.decision;
}

static void
forward_tick_neighbors(struct forwarder *forwarder, uint64_t now)
{
	neigh_losses(forwarder->neighbors, forwarder->lost, forwarder->unread_since != 0);
	neigh_tick(forwarder->neighbors, now, ask_neighbor, forwarder);
}

void
forward_learn(struct forwarder *forwarder, const struct select_record *record)
{
	uint8_t bytes[sizeof(record->head)];
	struct frame frame = frame_of(bytes, record->length, 0);
	struct fwd_server *server = offload_recorded(forwarder->offload, record, &frame.iface);
	struct frame_ctx ctx;

	if (server == NULL)
		return;
	/* The headers alone: of a frame that is not sent again nothing else is read. */
	memcpy(bytes, record->head, sizeof(bytes));
	frame_ctx_begin(&ctx, forwarder, &frame, record->now / 1000);
	ctx.sent_to = server;
	if (forward_guard(&ctx, forwarder->table) == IS_DECIDED || !ctx.packet.has_ports ||
	    stage_flow(&ctx) == IS_DECIDED || ctx.conn == NULL || ctx.decision.new_flow)
		return;
	offload_offer(forwarder->offload, ctx.conn, ctx.vip, &ctx.packet, true, ctx.now);
}

void
forward_tick(struct forwarder *forwarder, uint64_t now)
{
	conn_expire(forwarder->conns, now, EXPIRE_TICK);
	conn_expire(forwarder->persist, now, EXPIRE_TICK);
	forwarder->stats.fragments_expired += fragment_expire(forwarder->fragments, now);
	forward_tick_neighbors(forwarder, now);
	forward_announce(forwarder, now);
}

void
forward_announce(struct forwarder *forwarder, uint64_t now)
{
	forwarder->stats.announcements += announcer_tick(forwarder->announcer, forwarder->craft, forwarder->ifaces,
	    &forwarder->routers, &forwarder->tx, now);
}

void
forward_vipcheck(struct forwarder *forwarder, uint64_t now)
{
	const struct vipcheck_tx means = forwarder_means(forwarder);

	probe_addr_tick(&forwarder->probe_addrs, forwarder->craft, forwarder->ifaces, &forwarder->tx, now);
	vipcheck_tick(forwarder->vipchecks, &means, now);
}

void
forward_neighbors(struct forwarder *forwarder, uint64_t now)
{
	if (now >= neigh_due(forwarder->neighbors))
		forward_tick_neighbors(forwarder, now);
}

uint64_t
forward_neighbors_due(const struct forwarder *forwarder)
{
	return neigh_due(forwarder->neighbors);
}

uint64_t
forward_vipcheck_due(const struct forwarder *forwarder)
{
	const uint64_t probe_addrs = probe_addr_due(&forwarder->probe_addrs),
	    checks = vipcheck_due(forwarder->vipchecks);

	return probe_addrs < checks ? probe_addrs : checks;
}

void
forward_burst_end(struct forwarder *forwarder, uint64_t now)
{
	conn_expire(forwarder->conns, now, EXPIRE_BURST);
	conn_expire(forwarder->persist, now, EXPIRE_BURST);
}

int
forwarder_init(struct forwarder *forwarder, uint32_t connections, const struct siphash_key *key, neigh_watch *watch,
    void *context, char *error, size_t size)
{
	const uint32_t persist = connections / PERSIST_SHARE;

	memset(forwarder, 0, sizeof(*forwarder));
	forwarder->craft = craft_new(error, size);
	if (forwarder->craft == NULL)
		return -1;
	forwarder->conns = conn_table_new(connections, key);
	forwarder->persist = conn_table_new(persist > PERSIST_LEAST ? persist : PERSIST_LEAST, key);
	forwarder->fragments = fragment_table_new(key);
	forwarder->limits = limit_table_new(key);
	forwarder->neighbors = neigh_table_new(watch, context);
	forwarder->announcer = announcer_new();
	forwarder->vipchecks = vipcheck_table_new(key);
	forwarder->scratch = malloc(FRAME_MOST);
	forwarder->wrapped = malloc(FRAME_MOST + ENCAP_HEADER_MOST);
	if (forwarder->conns == NULL || forwarder->persist == NULL || forwarder->fragments == NULL ||
	    forwarder->limits == NULL || forwarder->neighbors == NULL || forwarder->announcer == NULL ||
	    forwarder->vipchecks == NULL || forwarder->scratch == NULL || forwarder->wrapped == NULL) {
		snprintf(error, size, "not enough memory for %u connections", connections);
		forwarder_clear(forwarder);
		return -1;
	}
	ping_limit_init(&forwarder->pings, key);
	memset(forwarder->duties, ROLE_ANSWERS | ROLE_FORWARDS, sizeof(forwarder->duties));
	ping_limit_init(&forwarder->too_bigs, key);
	ping_limit_init(&forwarder->tunnel_errors, key);
	ping_limit_init(&forwarder->icmp_by_hash, key);
	conn_table_on_gone(forwarder->conns, account_gone, forwarder);
	conn_table_on_over(forwarder->conns, account_over, forwarder);
	return 0;
}

void
forwarder_clear(struct forwarder *forwarder)
{
	if (forwarder->conns != NULL)
		conn_table_on_gone(forwarder->conns, NULL, NULL);
	conn_table_free(forwarder->conns);
	conn_table_free(forwarder->persist);
	fragment_table_free(forwarder->fragments);
	limit_table_free(forwarder->limits);
	neigh_table_free(forwarder->neighbors);
	announcer_free(forwarder->announcer);
	vipcheck_table_free(forwarder->vipchecks);
	craft_free(forwarder->craft);
	free(forwarder->scratch);
	free(forwarder->wrapped);
	memset(forwarder, 0, sizeof(*forwarder));
}

const char *
verdict_name(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_PASS:
		return "pass";
	case VERDICT_CONSUMED:
		return "consumed";
	case VERDICT_FORWARD:
		return "forward";
	case VERDICT_HOLD:
		return "hold";
	case VERDICT_DROP:
		return "drop";
	}
	return "?";
}
