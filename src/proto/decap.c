/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "proto/decap.h"

#include "proto/icmp_quote.h"

enum tunnel_kind
decap_read(const struct frame *frame, const struct packet *packet, struct icmp_inner *inner)
{
	enum tunnel_kind kind;
	uint32_t at, transport;

	if (packet->l4 == 0 || packet->end > frame->length || packet->l4 >= packet->end || packet->fragment)
		return TUNNEL_NONE;
	at = tunnel_payload(frame->bytes, packet->protocol, packet->l4, packet->end, &kind);
	inner->mtu = 0;
	if (at == 0 || icmp_quote_read(frame->bytes, at, packet->end, inner, &transport) == -1)
		return TUNNEL_NONE;
	return kind;
}
