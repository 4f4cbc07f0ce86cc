/* SPDX-License-Identifier: ISC */
/*
 * ICMP errors about packets that the director put into tunnels: routers and servers send them to the director's own
 * address. They lower the MTU of the path to a server (RFC 2003 section 5.1, RFC 1191), and say what is wrong at its
 * end. Anyone can forge one, so the packet in the tunnel must be one of a flow that is known and goes to that server by
 * that method; and they are few, since each source is limited.
 */
#include "config.h"

#include "forward/frame_ctx.h"

#include "base/duration.h"
#include "proto/icmp.h"
#include "proto/too_big.h"

#define PATH_MTU_LEAST 576           /* RFC 791 section 3.1: what every host takes; less makes packets of headers */
#define PATH_MTU_LASTS SECONDS(600)  /* RFC 1191 section 6.3: ten minutes */

/* The protocol of the outer packet, and whether the methods share it does not matter: the flow's server is one. */
static bool
outer_is_to(const struct icmp_inner *outer, const struct fwd_server *server)
{
	return server->encap != NULL && encap_is_tunnel((enum encap_method)server->server->settings.method) &&
	    addr_equal(&outer->destination, &server->addr) && addr_equal(&outer->source, &server->server->source);
}

/* The server to which the director has sent the packet that is quoted, or NULL. */
static struct fwd_server *
outer_find_server(const struct frame_ctx *ctx, const struct icmp_tunnel *tunnel)
{
	const struct forwarder *forwarder = ctx->forwarder;
	const struct fwd_vip *vip = fwdtab_vip_anywhere(forwarder->table, &tunnel->inner.destination);
	struct conn_key key;
	struct fwd_server *server;
	const struct conn *conn;

	if (vip == NULL)
		return NULL;
	addr_mapped(&tunnel->inner.source, key.client);
	key.client_port = tunnel->inner.source_port;
	key.vip_port = tunnel->inner.destination_port;
	key.target = conn_target(vip->number, tunnel->inner.protocol);
	conn = conn_find(forwarder->conns, &key, ctx->now);
	server = conn == NULL ? NULL : fwdtab_server(forwarder->table, conn->server);
	return server != NULL && outer_is_to(&tunnel->outer, server) ? server : NULL;
}

/* Only less than is known is news. An MTU of 0 is that of a router from before RFC 1191. */
static void
outer_learn_mtu(struct frame_ctx *ctx, const struct fwd_server *server, const struct icmp_inner *outer)
{
	const uint32_t least = outer->destination.family == ADDR_IPV4 ? PATH_MTU_LEAST : IPV6_MTU_LEAST;
	const uint32_t mtu = outer->mtu < least ? least : outer->mtu;
	struct server_path *path = &server->run->path;
	const uint32_t known = path->mtu != 0 ? path->mtu : server->iface_mtu;

	if (outer->mtu == 0 || mtu >= known)
		return;
	path->mtu = mtu;
	path->mtu_until = ctx->now + PATH_MTU_LASTS;
	ctx->forwarder->paths_changed = true;
}

enum stage
stage_outer(struct frame_ctx *ctx)
{
	struct forwarder *forwarder = ctx->forwarder;
	const struct packet *packet = &ctx->packet;
	struct icmp_tunnel tunnel;
	struct fwd_server *server;
	uint8_t source[16];

	if (ctx->status != PACKET_OK || !frame_ctx_is_for_us(ctx) || icmp_tunnel(ctx->frame, packet, &tunnel) == -1)
		return GOES_ON;
	addr_mapped(&packet->source, source);
	if (!ping_limit_take(&forwarder->tunnel_errors, source, ctx->now))
		return pass(ctx);
	server = outer_find_server(ctx, &tunnel);
	if (server == NULL) {
		forwarder->stats.tunnel_errors_refused++;
		return pass(ctx);
	}
	forwarder->stats.tunnel_errors++;
	if (tunnel.cause == ICMP_CAUSE_TOO_BIG)
		outer_learn_mtu(ctx, server, &tunnel.outer);
	server->run->path.cause = tunnel.cause;
	server->run->path.at = ctx->now;
	server->run->path.from = packet->source;
	server->run->path.errors++;
	return consume(ctx);
}
