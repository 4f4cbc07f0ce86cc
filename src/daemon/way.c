/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/way.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "encap/encap.h"
#include "proto/decap.h"

void
way_name_protocol(uint8_t protocol, char text[TRACE_TEXT])
{
	const char *name = protocol_name(protocol);

	if (protocol == PROTOCOL_ICMP)
		name = "icmp";
	else if (protocol == PROTOCOL_ICMPV6)
		name = "icmpv6";
	if (name != NULL)
		snprintf(text, TRACE_TEXT, "%s", name);
	else
		snprintf(text, TRACE_TEXT, "%u", protocol);
}

/* What is in the tunnel, if the packet is in one. */
static enum tunnel_kind
way_read_inner(struct trace_way *way, const struct frame *frame, const struct packet *packet)
{
	struct icmp_inner inner;
	const enum tunnel_kind kind = decap_read(frame, packet, &inner);

	if (kind == TUNNEL_NONE)
		return kind;
	way_name_protocol(inner.protocol, way->inner_protocol);
	way->inner = (struct trace_ends){ inner.source, inner.destination, inner.source_port, inner.destination_port,
		inner.has_ports };
	return kind;
}

void
way_begin(struct way *way, const struct frame *frame, const struct packet *packet)
{
	enum tunnel_kind kind;

	memset(way, 0, sizeof(*way));
	kind = way_read_inner(&way->came, frame, packet);
	if (kind != TUNNEL_NONE)
		snprintf(way->came.tunnel, TRACE_TEXT, "%s", tunnel_kind_name(kind));
}

static uint8_t
way_dscp(const uint8_t *ip)
{
	return ip[0] >> 4 == 6 ? load16(ip) >> 6 & ENCAP_DSCP_MOST : ip[ENCAP_IPV4_TOS] >> 2;
}

void
way_sent(struct way *way, const struct frame *frame)
{
	struct packet packet;
	enum tunnel_kind kind;

	if (way->sent)
		return;
	way->sent = true;
	(void)packet_parse(frame, &packet);
	kind = way_read_inner(&way->left, frame, &packet);
	way->left.outer = (struct trace_ends){ packet.source, packet.destination, packet.source_port,
		packet.destination_port, packet.has_ports };
	if (kind != TUNNEL_NONE)
		snprintf(way->left.method, TRACE_TEXT, "%s", tunnel_kind_name(kind));
	else if (packet.l3 != 0)
		way->left.dscp = way_dscp(frame->bytes + packet.l3);
}

const struct trace_way *
way_decided(struct way *way, const struct decision *decision)
{
	const struct fwd_server *server = decision->server;

	if (decision->verdict != VERDICT_FORWARD || server == NULL || server->encap == NULL || !way->sent)
		return &way->came;
	if (server->encap->length == 0)
		snprintf(way->left.method, TRACE_TEXT, "%s", encap_method_name(ENCAP_DSCP));
	if (server_is_routed(server->server))
		way->left.gateway = server->server->hop;
	return &way->left;
}
