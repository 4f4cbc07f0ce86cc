/* SPDX-License-Identifier: ISC */
/* Frames that a real server sent back. What proves it: forward/frame_ctx.h. */
#include "config.h"

#include "forward/frame_ctx.h"

enum stage
stage_bounce(struct passage *passage, const struct conn *conn)
{
	const struct packet *packet = &passage->packet;

	if (conn != NULL && packet->hop_limit + 1 != conn->hop_limit)
		return GOES_ON;
	watch_hear_bounce(&passage->forwarder->watch, passage->frame->iface, &packet->destination, &packet->ether_source,
	    passage->now);
	return drop(passage, DROP_BOUNCE);
}
