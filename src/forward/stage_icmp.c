/* SPDX-License-Identifier: ISC */
/*
 * ICMP to a VIP. The network reports trouble with a server's answers to the address they came from, the VIP: without
 * being handed on, such a report (a smaller MTU on the way, above all) would never reach the server, and large answers
 * would vanish. Pings are the director's to answer, for as long as there is a service behind the VIP.
 */
#include "config.h"

#include "forward/frame_ctx.h"

#include <string.h>

#include "proto/icmp.h"

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
	if (conn != NULL)
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
