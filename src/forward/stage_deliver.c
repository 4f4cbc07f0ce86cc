/* SPDX-License-Identifier: ISC */
/* The way out: only the Ethernet addresses change, unless the frame came from a virtual neighbor unfinished. */
#include "config.h"

#include "forward/frame_ctx.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/checksum.h"
#include "proto/segment.h"

#define UDP_LENGTH 4 /* its offset: RFC 768 */

/* Both addresses at once. */
static inline void
stage_deliver_readdress(struct frame *frame, const struct fwd_server *server)
{
	const size_t macs = offsetof(struct fwd_server, mac);

	static_assert(ETHER_DESTINATION == 0 && ETHER_SOURCE == MAC_BYTES && ETHER_TYPE == 2 * MAC_BYTES &&
	    offsetof(struct fwd_server, own_mac) == offsetof(struct fwd_server, mac) + MAC_BYTES,
	    "in the order of a frame");
	memcpy(frame->bytes, (const uint8_t *)server + macs, ETHER_TYPE);
	frame->iface = server->iface;
}

/* Bytes of an UDP datagram may follow that its checksum does not cover, and SCTP's no card computes by this rule. */
static bool
may_leave_checksum(const struct frame *frame, const struct packet *packet)
{
	if (packet->protocol == PROTOCOL_TCP)
		return frame->length == packet->end;
	return packet->protocol == PROTOCOL_UDP && frame->length == packet->end &&
	    load16(frame->bytes + packet->l4 + UDP_LENGTH) == packet->end - packet->l4;
}

static NOINLINE void
finish_checksum(struct frame_ctx *ctx)
{
	struct forwarder *forwarder = ctx->forwarder;
	struct frame *frame = ctx->frame;
	const struct packet *packet = &ctx->packet;

	if ((frame_tx_features(&forwarder->tx, frame->iface) & TX_CHECKSUM) != 0 && may_leave_checksum(frame, packet)) {
		checksum_leave(frame, packet);
		forwarder->stats.checksums_left++;
	} else if (checksum_complete(frame, packet)) {
		forwarder->stats.checksums_finished++;
	}
}

/* The segments' size is a guess: as large as the wire allows. False when the way out takes no super-frame. */
static bool
send_whole(struct frame_ctx *ctx, uint32_t mtu)
{
	struct forwarder *forwarder = ctx->forwarder;
	struct frame *frame = ctx->frame;
	const struct packet *packet = &ctx->packet;

	if ((frame_tx_features(&forwarder->tx, frame->iface) & TX_SEGMENTS) == 0 || packet->tagged ||
	    frame->length != packet->end || !segment_possible(packet, mtu))
		return false;
	checksum_leave(frame, packet);
	frame->headers = packet->payload;
	frame->segment = (uint16_t)(mtu - ((uint32_t)packet->payload - packet->l3));
	forwarder->stats.frames_whole++;
	forwarder->tx.emit(forwarder->tx.context, frame);
	return true;
}

/* False when the frame is too big for the wire and cannot be split. */
static bool
send_split(struct frame_ctx *ctx, uint32_t mtu)
{
	struct forwarder *forwarder = ctx->forwarder;
	const int segments = segment_tcp(ctx->frame, &ctx->packet, mtu, forwarder->scratch, &forwarder->tx);

	if (segments == -1)
		return false;
	forwarder->stats.frames_split++;
	forwarder->stats.segments += (uint64_t)segments;
	return true;
}

/* The same of a frame that is larger than the wire allows. */
static NOINLINE bool
send_large(struct frame_ctx *ctx, uint32_t mtu)
{
	return send_whole(ctx, mtu) || send_split(ctx, mtu);
}

enum stage
stage_deliver(struct frame_ctx *ctx)
{
	struct forwarder *forwarder = ctx->forwarder;
	struct frame *frame = ctx->frame;
	const struct packet *packet = &ctx->packet;
	const struct fwd_server *server = ctx->server;

	ctx->decision.server = server;
	if (!server->reachable)
		return drop(ctx, DROP_NO_NEIGHBOR);
	if (server->local)
		return stage_local(ctx);
	stage_deliver_readdress(frame, server);
	if (server->encap != NULL && stage_encap(ctx) == IS_DECIDED)
		return IS_DECIDED;
	if (packet->end - packet->l3 > server->mtu) {
		if (!send_large(ctx, server->mtu))
			return drop(ctx, DROP_TOO_BIG);
	} else {
		if (checksum_is_unfinished(frame, packet))
			finish_checksum(ctx);
		forwarder->tx.emit(forwarder->tx.context, frame);
	}
	server->run->packets++;
	server->run->bytes += frame->length;
	ctx->decision.verdict = VERDICT_FORWARD;
	return IS_DECIDED;
}
