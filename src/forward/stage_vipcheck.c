/* SPDX-License-Identifier: ISC */
/*
 * Answers to VIP checks. Those to a probe address are for dsrd alone; those to the director's own address also reach
 * the host, which resets connections that it does not know.
 */
#include "config.h"

#include "forward/frame_ctx.h"

struct vipcheck_tx
forwarder_means(struct forwarder *forwarder)
{
	return (struct vipcheck_tx) {
		.craft = forwarder->craft,
		.tx = &forwarder->tx,
		.ifaces = forwarder->ifaces,
		.iface_count = forwarder->iface_count,
		.probe_addrs = &forwarder->probe_addrs,
		.lost = forwarder->lost,
		.unread_since = forwarder->unread_since,
	};
}

/* From an address that only the director has, to a VIP, and not from the director: a server or router sent it back. */
static bool
came_back(const struct frame_ctx *ctx)
{
	const struct packet *packet = &ctx->packet;
	const uint16_t iface = ctx->frame->iface;

	return probe_addr_answers(&ctx->forwarder->probe_addrs, iface, &packet->source) ||
	    iface_has_address(&ctx->forwarder->ifaces[iface], &packet->source);
}

enum stage
stage_vipcheck(struct frame_ctx *ctx)
{
	struct forwarder *forwarder = ctx->forwarder;
	const struct packet *packet = &ctx->packet;
	const uint16_t iface = ctx->frame->iface;
	const struct vipcheck_tx means = forwarder_means(forwarder);
	const struct fwd_vip *vip;
	enum vipcheck_heard heard;

	if (ctx->status != PACKET_OK || !frame_ctx_is_for_us(ctx))
		return GOES_ON;
	heard = vipcheck_receive(forwarder->vipchecks, ctx->frame, packet, &means, ctx->now);
	if (heard != VIPCHECK_NOT_OURS)
		forwarder->stats.vip_check_answers++;
	if (probe_addr_answers(&forwarder->probe_addrs, iface, &packet->destination))
		return consume(ctx);
	/* The table is searched for few frames only: most are from clients. */
	vip = heard == VIPCHECK_CAME_BACK || came_back(ctx) ?
	    fwdtab_vip(forwarder->table, iface, &packet->destination) : NULL;
	if (vip != NULL) {
		conflict_receive_bounce(&forwarder->conflicts, iface, &vip->addr, &packet->ether_source, ctx->now);
		return drop(ctx, DROP_BOUNCE);
	}
	return heard == VIPCHECK_ANSWERED ? pass(ctx) : GOES_ON;
}
