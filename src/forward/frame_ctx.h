/* SPDX-License-Identifier: ISC */
/*
 * One frame's way through the stages of forward_frame(), each of which either decides it or leaves it to the next.
 * Private to the stage_*.c files and forward.c.
 */
#ifndef FORWARD_FRAME_CTX_H
#define FORWARD_FRAME_CTX_H

#include "forward/forwarder.h"
#include "proto/packet.h"

struct frame_ctx {
	struct forwarder *forwarder;
	struct frame *frame;
	uint64_t now;
	enum packet_status status;
	struct packet packet;
	const struct fwd_vip *vip;
	struct conn_key key;
	uint8_t flags; /* flow_flags() */
	struct fwd_server *server;
	struct fwd_server *sent_to; /* the kernel has forwarded the frame there; else NULL */
	bool moved; /* the flow is known, and leaves its server: no new connection, unless the frame is a SYN */
	struct conn *conn; /* the flow, if it is remembered; good until another is looked for */
	struct decision decision;
};

/* `packet` and `key` are not initialised: packet_parse() and flow_name() write all of them. */
static inline void
frame_ctx_begin(struct frame_ctx *ctx, struct forwarder *forwarder, struct frame *frame, uint64_t now)
{
	ctx->forwarder = forwarder;
	ctx->frame = frame;
	ctx->now = now;
	ctx->vip = NULL;
	ctx->flags = 0;
	ctx->server = NULL;
	ctx->sent_to = NULL;
	ctx->moved = false;
	ctx->conn = NULL;
	ctx->decision = (struct decision) { .verdict = VERDICT_PASS };
	ctx->status = packet_parse(frame, &ctx->packet);
}

enum stage {
	GOES_ON,
	IS_DECIDED
};

static inline enum stage
pass(struct frame_ctx *ctx)
{
	ctx->decision.verdict = VERDICT_PASS;
	return IS_DECIDED;
}

static inline enum stage
consume(struct frame_ctx *ctx)
{
	ctx->decision.verdict = VERDICT_CONSUMED;
	return IS_DECIDED;
}

static inline enum stage
drop(struct frame_ctx *ctx, enum drop_reason reason)
{
	ctx->decision.verdict = VERDICT_DROP;
	ctx->decision.reason = reason;
	return IS_DECIDED;
}

/* Was the frame sent to this interface's own MAC? Others are seen when a switch floods. */
static inline bool
frame_ctx_is_for_us(const struct frame_ctx *ctx)
{
	return mac_equal(&ctx->forwarder->ifaces[ctx->frame->iface].mac, &ctx->packet.ether_destination);
}

/* Is it the MAC of any of the director's interfaces? */
static inline bool
frame_ctx_is_own_mac(const struct forwarder *forwarder, const struct mac *mac)
{
	for (size_t i = 0; i < forwarder->iface_count; i++)
		if (mac_equal(&forwarder->ifaces[i].mac, mac))
			return true;
	return false;
}

/* Sends a frame of our own making back where the ctx's frame came from, in the same VLAN. */
void frame_ctx_reply(struct frame_ctx *ctx, const struct frame *made);

/*
 * Bounces. A server that lacks the VIP, and forwards, routes the frame back to the director. Proof requires both:
 *
 * - It came from the MAC address to which its own flow is forwarded. A frame from a server's MAC address alone proves
 * nothing: servers are clients too, from any of their addresses (RFC 8981), they route for containers, and one of
 * them
 * may be the gateway. All of these reach flows of other servers; and a host that has the VIP sends no frame to a flow
 * of
 *   its own, since its kernel delivers it locally.
 * - Its time to live is that of the flow's last frame minus one, as after a router (RFC 1812 section 5.3.1, RFC 8200
 * section 3). This excludes hosts that share a MAC address with the server (ipvlan; a router that a forged ARP
 * message
 *   has put in the server's place): the frames of one flow start with the same time to live and take the same path.
 *
 * Servers behind a router do not send frames back: their packets come by a router that clients use too.
 *
 * Where no flow is remembered, as for fragments, ICMP errors and `one-packet`, the first condition is enough.
 */
static inline bool
frame_ctx_goes_back(const struct frame_ctx *ctx, const struct fwd_server *server)
{
	return mac_equal(&ctx->packet.ether_source, &server->mac) && server->encap == NULL && !server->local;
}

/* The stages, in the order of forward_frame(), which first checks whether a frame concerns them. */

/* ARP and neighbor discovery: learn, and answer for VIPs. */
enum stage stage_neighbor(struct frame_ctx *ctx);
/* Answers to the VIP probe; only while there is something to probe. */
enum stage stage_vipcheck(struct frame_ctx *ctx);
/* ICMP to a VIP: errors go where their flow goes, pings are answered. */
enum stage stage_icmp(struct frame_ctx *ctx);
/* A fragment: without ports, it follows its first one, or waits for it. */
enum stage stage_fragment(struct frame_ctx *ctx);
/* A fragment was delivered: if it was the first one, the others follow. */
void stage_fragment_settle(struct frame_ctx *ctx);
/* The flow's server, or a new flow's. */
enum stage stage_flow(struct frame_ctx *ctx);
/*
 * The frame would go back to where it came from, by the flow `conn` or, when that is NULL, without one: is it a bounce?
 */
enum stage stage_bounce(struct frame_ctx *ctx, const struct conn *conn);
/* ICMP errors about packets that the director put into tunnels. */
enum stage stage_outer(struct frame_ctx *ctx);
/* To this host's own stack, which is one of the servers. */
enum stage stage_local(struct frame_ctx *ctx);
/* Out by another method than mac; goes on when that left a packet for stage_deliver() to send. */
enum stage stage_encap(struct frame_ctx *ctx);
/* Out, re-addressed. */
enum stage stage_deliver(struct frame_ctx *ctx);

struct vipcheck_tx forwarder_means(struct forwarder *forwarder);

/* forward_tick()'s questions to neighbors; the context is the forwarder. */
void ask_neighbor(void *context, const struct neigh *neigh, const struct mac *destination);
/* For conn_table_on_gone(); the context is the forwarder. */
void account_gone(void *context, const struct conn *conn);
/* For conn_table_on_over(). */
void account_over(void *context, struct conn *conn, uint64_t now);

#endif
