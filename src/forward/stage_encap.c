/* SPDX-License-Identifier: ISC */
/*
 * The way out to servers with another method than mac. With dscp the packet is addressed to the server, and the rest is
 * as for the others; into a tunnel it goes here, in as many pieces as fit.
 */
#include "config.h"

#include "forward/frame_ctx.h"

#include "proto/checksum.h"
#include "proto/refragment.h"
#include "proto/segment.h"
#include "proto/too_big.h"

/* Wraps what a splitter makes of one packet, piece by piece. */
struct encap_pieces {
	struct frame_ctx *ctx;
	const struct encap *encap;
	uint32_t hash;
};

static void
encap_emit(void *context, const struct frame *piece)
{
	const struct encap_pieces *pieces = context;
	struct forwarder *forwarder = pieces->ctx->forwarder;
	struct packet packet;
	struct frame wrapped;

	if (packet_parse(piece, &packet) != PACKET_OK ||
	    !encap_wrap(pieces->encap, piece, &packet, pieces->hash, forwarder->wrapped, &wrapped))
		return;
	forwarder->tx.emit(forwarder->tx.context, &wrapped);
}

/* The client learns the tunnel's MTU, as often as one source gets pings answered. */
static enum stage
encap_answer(struct frame_ctx *ctx, uint32_t mtu)
{
	struct forwarder *forwarder = ctx->forwarder;
	uint8_t answer[TOO_BIG_MOST];
	struct frame frame;

	if (ping_limit_take(&forwarder->too_bigs, ctx->packet.source.bytes, ctx->now)) {
		frame = too_big_answer(ctx->frame, &ctx->packet, mtu, answer);
		frame.iface = ctx->vip->iface;
		forwarder->stats.path_mtu_answers++;
		forwarder->tx.emit(forwarder->tx.context, &frame);
	}
	return drop(ctx, DROP_TOO_BIG);
}

/* Larger than the tunnel takes: a super-frame is split, a datagram that may be fragmented is, others are answered. */
static enum stage
encap_send_large(struct frame_ctx *ctx, struct encap_pieces *pieces, uint32_t mtu)
{
	struct forwarder *forwarder = ctx->forwarder;
	const struct frame_tx tx = { .emit = encap_emit, .context = pieces };
	int count = ctx->packet.end - ctx->packet.l3 <= ctx->server->iface_mtu ? -1 :
	    segment_tcp(ctx->frame, &ctx->packet, mtu, forwarder->scratch, &tx);

	if (count != -1) {
		forwarder->stats.frames_split++;
		forwarder->stats.segments += (uint64_t)count;
		return GOES_ON;
	}
	if (refragment(ctx->frame, &ctx->packet, mtu, forwarder->scratch, &tx) != -1)
		return GOES_ON;
	return encap_answer(ctx, mtu);
}

enum stage
stage_encap(struct frame_ctx *ctx)
{
	const struct packet *packet = &ctx->packet;
	const struct fwd_server *server = ctx->server;
	struct encap_pieces pieces = { ctx, &server->encap[packet->source.family == ADDR_IPV6], 0 };

	if (pieces.encap->length == 0)
		return encap_readdress(ctx->frame, &ctx->packet, &server->addr, ctx->vip->dscp) ? GOES_ON :
		    drop(ctx, DROP_UNCHANGEABLE);
	if (packet->hop_limit <= 1)
		return drop(ctx, DROP_HOPS);
	pieces.hash = encap_flow_hash(packet);
	if (checksum_complete(ctx->frame, packet))
		ctx->forwarder->stats.checksums_finished++;
	if (packet->end - packet->l3 <= server->mtu)
		encap_emit(&pieces, ctx->frame);
	else if (encap_send_large(ctx, &pieces, server->mtu) == IS_DECIDED)
		return IS_DECIDED;
	server->run->packets++;
	server->run->bytes += ctx->frame->length;
	ctx->decision.verdict = VERDICT_FORWARD;
	return IS_DECIDED;
}
