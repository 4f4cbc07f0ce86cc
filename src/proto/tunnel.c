/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "proto/tunnel.h"

#include "base/bytes.h"
#include "proto/packet.h"

#define PROTOCOL_IPV4 4 /* Protocol Numbers, IANA */
#define PROTOCOL_IPV6 41
#define PROTOCOL_GRE 47
#define GRE_HEADER 4 /* RFC 2784 section 2.1 */
#define GUE_HEADER 4 /* draft-ietf-intarea-gue-09 section 3: variant and length, then the protocol */
#define GUE_UDP_PORT 6080
#define UDP_HEADER 8

const char *
tunnel_kind_name(enum tunnel_kind kind)
{
	switch (kind) {
	case TUNNEL_NONE:
		break;
	case TUNNEL_IPIP:
		return "ipip";
	case TUNNEL_GRE:
		return "gre";
	case TUNNEL_GUE:
		return "gue";
	case TUNNEL_GUE1:
		return "gue1";
	}
	return "none";
}

/* The variant is in the first two bits; variant 1 is the inner packet's version (sections 3 and 4 of the draft). */
static uint32_t
tunnel_gue(const uint8_t *bytes, uint32_t at, enum tunnel_kind *kind)
{
	if (bytes[at] == 0) {
		*kind = TUNNEL_GUE;
		return at + GUE_HEADER;
	}
	if (bytes[at] >> 6 != 1)
		return 0;
	*kind = TUNNEL_GUE1;
	return at;
}

uint32_t
tunnel_payload(const uint8_t *bytes, uint8_t protocol, uint32_t at, uint32_t end, enum tunnel_kind *kind)
{
	*kind = TUNNEL_NONE;
	switch (protocol) {
	case PROTOCOL_IPV4:
	case PROTOCOL_IPV6:
		*kind = TUNNEL_IPIP;
		return at;
	case PROTOCOL_GRE:
		if (at + GRE_HEADER >= end || load16(bytes + at) != 0)
			return 0;
		*kind = TUNNEL_GRE;
		return at + GRE_HEADER;
	case PROTOCOL_UDP:
		if (at + UDP_HEADER + GUE_HEADER >= end || load16(bytes + at + 2) != GUE_UDP_PORT)
			return 0;
		return tunnel_gue(bytes, at + UDP_HEADER, kind);
	default:
		return 0;
	}
}
