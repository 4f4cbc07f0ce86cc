/* SPDX-License-Identifier: ISC */
/* Frames that a real server sent back. What proves it: forward/frame_ctx.h. */
#include "config.h"

#include "forward/frame_ctx.h"

enum stage
stage_bounce(struct frame_ctx *ctx, const struct conn *conn)
{
	const struct packet *packet = &ctx->packet;

	if (conn != NULL && packet->hop_limit + 1 != conn->hop_limit)
		return GOES_ON;
	conflict_receive_bounce(&ctx->forwarder->conflicts, ctx->frame->iface, &packet->destination,
	    &packet->ether_source,
	    ctx->now);
	return drop(ctx, DROP_BOUNCE);
}
