/* SPDX-License-Identifier: ISC */
/* The way out: only the Ethernet addresses change, unless the frame came from a virtual neighbour unfinished. */
#include "config.h"

#include "lb/passage.h"

#include <string.h>

#include "proto/checksum.h"
#include "proto/segment.h"

static void
readdress(struct passage *passage, const struct iface *out)
{
	memcpy(passage->frame->bytes + ETHER_DESTINATION, passage->server->mac.bytes, MAC_BYTES);
	memcpy(passage->frame->bytes + ETHER_SOURCE, out->mac.bytes, MAC_BYTES);
	passage->frame->iface = passage->server->iface;
}

/* False when the frame is too big for the wire and cannot be split. */
static bool
send_split(struct passage *passage, uint32_t mtu)
{
	struct forwarder *forwarder = passage->forwarder;
	const int segments = segment_tcp(passage->frame, &passage->packet, mtu, forwarder->scratch, &forwarder->emitter);

	if (segments == -1)
		return false;
	forwarder->stats.frames_split++;
	forwarder->stats.segments += (uint64_t)segments;
	return true;
}

enum stage
stage_deliver(struct passage *passage)
{
	struct forwarder *forwarder = passage->forwarder;
	const struct packet *packet = &passage->packet;
	const struct iface *out;

	passage->decision.server = passage->server;
	if (!passage->server->reachable)
		return drop(passage, DROP_NO_NEIGHBOUR);
	out = &forwarder->ifaces[passage->server->iface];
	readdress(passage, out);
	if (packet->end - packet->l3 > out->mtu) {
		if (!send_split(passage, out->mtu))
			return drop(passage, DROP_TOO_BIG);
	} else {
		if (checksum_complete(passage->frame, packet))
			forwarder->stats.checksums_finished++;
		forwarder->emitter.emit(forwarder->emitter.context, passage->frame);
	}
	passage->server->run->packets++;
	passage->server->run->bytes += passage->frame->length;
	passage->decision.verdict = VERDICT_FORWARD;
	return IS_DECIDED;
}
