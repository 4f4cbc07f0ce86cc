/* SPDX-License-Identifier: ISC */
/*
 * ICMP to a VIP. The network reports trouble with a server's answers to the address they came from, the VIP: without
 * being handed on, such a report (a smaller MTU on the way, above all) would never reach the server, and large answers
 * would vanish. Pings are the director's to answer, for as long as there is a service behind the VIP.
 */
#include "config.h"

#include "forward/frame_ctx.h"

#include <string.h>

#include "forward/policy.h"
#include "proto/icmp.h"

/* Can a flow exist that this director does not know: one of another director's, or one that is older than this one? */
static bool
may_be_elsewhere(const struct frame_ctx *ctx, const struct fwd_service *service)
{
	const struct forwarder *forwarder = ctx->forwarder;
	const uint64_t began = forwarder->began;

	return forwarder->shared || ctx->vip->routed ||
	    (forwarder->roles != NULL && forwarder->roles->groups[ctx->vip->group].given) ||
	    (began != 0 && ctx->now - began < service->timeouts->state[CONN_ESTABLISHED]);
}

/*
 * Routers that choose among directors by hash send an error to the director that its own addresses select, rarely that
 * of the flow (RFC 7690). It goes where the flow's own packets would go here: to the right server, unless the flow's
 * server deviates from the hash and its director has not shared it. Any host can forge an error, so they are few.
 */
static enum stage
follow_by_hash(struct frame_ctx *ctx)
{
	const struct fwd_service *service = fwd_vip_service(ctx->vip, conn_key_protocol(&ctx->key), ctx->key.vip_port);
	struct forwarder *forwarder = ctx->forwarder;
	enum flow_way way;
	uint8_t vip[16];

	if (service == NULL || service->candidate_count == 0 || !may_be_elsewhere(ctx, service))
		return drop(ctx, DROP_ICMP_UNKNOWN);
	addr_mapped(&ctx->vip->addr, vip);
	if (!ping_limit_take_whole(&forwarder->icmp_by_hash, vip, ctx->now))
		return drop(ctx, DROP_ICMP_RATE);
	ctx->server = flow_from_elsewhere(ctx, forwarder->conns, service, &way);
	forwarder->stats.icmp_errors++;
	forwarder->stats.icmp_by_hash++;
	return GOES_ON;
}

/* The quoted datagram went from the VIP to the client: turned round, it names the flow. */
static enum stage
follow_error(struct frame_ctx *ctx)
{
	struct forwarder *forwarder = ctx->forwarder;
	struct conn_key *key = &ctx->key;
	struct icmp_inner inner;
	const struct conn *conn;

	if (icmp_inner(ctx->frame, &ctx->packet, &inner) == -1 || !inner.has_ports)
		return drop(ctx, DROP_ICMP_UNKNOWN);
	addr_mapped(&inner.destination, key->client);
	key->client_port = inner.destination_port;
	key->vip_port = inner.source_port;
	key->target = conn_target(ctx->vip->number, inner.protocol);
	conn = conn_find(forwarder->conns, key, ctx->now);
	if (conn == NULL)
		return follow_by_hash(ctx);
	ctx->server = fwdtab_server(forwarder->table, conn->server);
	if (ctx->server == NULL)
		return drop(ctx, DROP_ICMP_UNKNOWN);
	ctx->decision.state = conn->state;
	forwarder->stats.icmp_errors++;
	return GOES_ON;
}

static bool
is_served(const struct fwd_vip *vip)
{
	for (size_t i = 0; i < vip->port_count; i++)
		if (vip->ports[i].service->candidate_count > 0)
			return true;
	return false;
}

static enum stage
answer_ping(struct frame_ctx *ctx)
{
	const struct packet *packet = &ctx->packet;
	struct forwarder *forwarder = ctx->forwarder;
	const struct frame *answer;
	uint8_t client[16];
	struct icmp_echo asked;
	struct craft_echo echo = {
		.ends = { packet->ether_destination, packet->ether_source, packet->destination, packet->source, 0 },
		.reply = true,
	};

	if (icmp_echo(ctx->frame, packet, &asked) == -1)
		return drop(ctx, DROP_MALFORMED);
	if (!is_served(ctx->vip))
		return drop(ctx, DROP_NO_SERVER);
	addr_mapped(&packet->source, client);
	if (!ping_limit_take(&forwarder->pings, client, ctx->now))
		return drop(ctx, DROP_PING_RATE);
	echo.identifier = asked.identifier;
	echo.sequence = asked.sequence;
	echo.data = ctx->frame->bytes + asked.data;
	echo.length = packet->end - asked.data;
	answer = craft_echo(forwarder->craft, &echo);
	if (answer == NULL)
		return drop(ctx, DROP_TOO_BIG);
	frame_ctx_reply(ctx, answer);
	forwarder->stats.echo_answers++;
	return consume(ctx);
}

enum stage
stage_icmp(struct frame_ctx *ctx)
{
	const struct packet *packet = &ctx->packet;

	if (icmp_is_error(packet))
		return follow_error(ctx);
	if (icmp_is_echo_request(packet))
		return answer_ping(ctx);
	return drop(ctx, DROP_UNSUPPORTED);
}
