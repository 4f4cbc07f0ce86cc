/* SPDX-License-Identifier: ISC */
/*
 * Answers to the VIP probe. Those to a probe address are ours alone; those to the director's own address are the host's
 * too, which resets connections that it knows nothing of.
 */
#include "config.h"

#include "forward/frame_ctx.h"

struct path_means
forwarder_means(struct forwarder *forwarder)
{
	return (struct path_means) {
		.craft = forwarder->craft,
		.emitter = &forwarder->emitter,
		.ifaces = forwarder->ifaces,
		.iface_count = forwarder->iface_count,
		.claims = &forwarder->claims,
		.lost = forwarder->lost,
	};
}

/* From an address that only the director has, to a VIP, and not from the director: a server or router sent it back. */
static bool
came_back(const struct passage *passage)
{
	const struct packet *packet = &passage->packet;
	const uint16_t iface = passage->frame->iface;

	return claims_answers(&passage->forwarder->claims, iface, &packet->source) ||
	    iface_has_address(&passage->forwarder->ifaces[iface], &packet->source);
}

enum stage
stage_path(struct passage *passage)
{
	struct forwarder *forwarder = passage->forwarder;
	const struct packet *packet = &passage->packet;
	const uint16_t iface = passage->frame->iface;
	const struct path_means means = forwarder_means(forwarder);
	const struct fwd_vip *vip;
	enum path_heard heard;

	if (passage->status != PACKET_OK || !passage_is_for_us(passage))
		return GOES_ON;
	heard = path_hear(forwarder->paths, passage->frame, packet, &means, passage->now);
	if (heard != PATH_NOT_OURS)
		forwarder->stats.path_answers++;
	if (claims_answers(&forwarder->claims, iface, &packet->destination))
		return consume(passage);
	/* The table is asked for few frames only: most are clients'. */
	vip = heard == PATH_CAME_BACK || came_back(passage) ?
	    fwdtab_vip(forwarder->table, iface, &packet->destination) : NULL;
	if (vip != NULL) {
		watch_hear_bounce(&forwarder->watch, iface, &vip->addr, &packet->ether_source, passage->now);
		return drop(passage, DROP_BOUNCE);
	}
	return heard == PATH_ANSWERED ? pass(passage) : GOES_ON;
}
