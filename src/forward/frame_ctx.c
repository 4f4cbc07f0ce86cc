/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "forward/frame_ctx.h"

#include <string.h>

#include "base/bytes.h"

/* The tag goes between the Ethernet addresses and the type (IEEE 802.1Q). */
static struct frame
frame_ctx_with_tag(struct forwarder *forwarder, const struct frame *made, uint16_t tci)
{
	uint8_t *bytes = forwarder->scratch;

	memcpy(bytes, made->bytes, ETHER_TYPE);
	store16(bytes + ETHER_TYPE, ETHERTYPE_VLAN);
	store16(bytes + ETHER_TYPE + 2, tci);
	memcpy(bytes + ETHER_TYPE + VLAN_TAG, made->bytes + ETHER_TYPE, made->length - ETHER_TYPE);
	return frame_of(bytes, made->length + VLAN_TAG, 0);
}

void
frame_ctx_reply(struct frame_ctx *ctx, const struct frame *made)
{
	struct forwarder *forwarder = ctx->forwarder;
	const struct frame frame = ctx->packet.tagged ? frame_ctx_with_tag(forwarder, made, ctx->packet.vlan_tci) :
	    *made;

	(void)frame_tx_send(&forwarder->tx, &frame, ctx->frame->iface);
}
