/* SPDX-License-Identifier: ISC */
/*
 * This host is one of the servers. The frame goes to its own stack, as if it had arrived by the loopback interface: the
 * copy that arrived by the network was withheld from the stack, like all frames for VIPs. It has no Ethernet addresses
 * there, and no VLAN tag.
 */
#include "config.h"

#include "forward/frame_ctx.h"

#include <string.h>

#include "base/bytes.h"
#include "proto/checksum.h"

/* The stack trusts the loopback addresses of what comes by that interface, and its own. */
static bool
local_is_forged(const struct frame_ctx *ctx)
{
	const struct addr *source = &ctx->packet.source;

	if (addr_is_loopback(source))
		return true;
	for (size_t i = 0; i < ctx->forwarder->iface_count; i++)
		if (iface_has_address(&ctx->forwarder->ifaces[i], source))
			return true;
	return fwdtab_vip(ctx->forwarder->table, ctx->vip->iface, source) != NULL;
}

enum stage
stage_local(struct frame_ctx *ctx)
{
	const struct packet *packet = &ctx->packet;
	struct fwd_server *server = ctx->server;
	struct frame out;

	if (local_is_forged(ctx))
		return drop(ctx, DROP_FORGED);
	if (checksum_complete(ctx->frame, packet))
		ctx->forwarder->stats.checksums_finished++;
	out = frame_of(ctx->frame->bytes + packet->l3 - ETHER_HEADER, ETHER_HEADER + packet->end - packet->l3,
	    server->iface);
	memset(out.bytes, 0, 2 * MAC_BYTES);
	store16(out.bytes + ETHER_TYPE, packet->ethertype);
	out.local = true;
	ctx->forwarder->tx.emit(ctx->forwarder->tx.context, &out);
	server->run->packets++;
	server->run->bytes += ctx->frame->length;
	ctx->decision.verdict = VERDICT_FORWARD;
	return IS_DECIDED;
}
