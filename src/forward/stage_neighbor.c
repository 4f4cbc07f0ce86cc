/* SPDX-License-Identifier: ISC */
/*
 * ARP and neighbor discovery: learns from senders, answers requests for VIPs. The director's own host never gets an
 * answer: it must not learn of another owner of the VIP.
 */
#include "config.h"

#include "forward/frame_ctx.h"

#include <string.h>

#include "proto/arp.h"
#include "proto/ndp.h"

static bool
may_concern_us(const struct frame_ctx *ctx)
{
	if (frame_ctx_is_own_mac(ctx->forwarder, &ctx->packet.ether_source))
		return false;
	return frame_ctx_is_for_us(ctx) || mac_is_group(&ctx->packet.ether_destination);
}

static const struct fwd_vip *
stage_neighbor_vip(const struct frame_ctx *ctx, const struct addr *addr)
{
	return fwdtab_vip(ctx->forwarder->table, ctx->frame->iface, addr);
}

/* Does this director answer for it, and no other? */
static bool
stage_neighbor_serves(const struct frame_ctx *ctx, const struct fwd_vip *vip)
{
	return vip != NULL && !vip->routed && (ctx->forwarder->duties[vip->group] & ROLE_ANSWERS) != 0;
}

/* Another director: one of `peer-mac`, or one that said so over its authenticated connection. */
static bool
stage_neighbor_is_peer(const struct forwarder *forwarder, const struct fwd_vip *vip, const struct mac *mac)
{
	if (forwarder->roles == NULL)
		return false;
	if (role_is_peer(forwarder->roles, mac))
		return true;
	/* Without a role both are active, for good, and that is a conflict. */
	for (size_t i = 0; i < forwarder->peer_mac_count && forwarder->roles->groups[vip->group].given; i++)
		if (mac_equal(&forwarder->peer_macs[i], mac))
			return true;
	return false;
}

/*
 * A VIP is claimed by another host. Another director may: of two that are active one yields. Other claims are conflicts
 * while this director is the one that answers; else they may be those of the director that does.
 */
static bool
stage_neighbor_conflicts(struct frame_ctx *ctx, const struct addr *addr, const struct mac *mac, bool announces)
{
	struct forwarder *forwarder = ctx->forwarder;
	const struct fwd_vip *vip = stage_neighbor_vip(ctx, addr);
	struct role_claim *claim;

	/* No one asks for a routed VIP, so no frame follows the claim. */
	if (vip == NULL || vip->routed)
		return false;
	if (stage_neighbor_is_peer(forwarder, vip, mac))
		claim = &forwarder->peers[vip->group];
	else if (stage_neighbor_serves(ctx, vip))
		return true;
	else
		claim = &forwarder->others[vip->group];
	role_claim_note(claim, ctx->frame->iface, mac, addr, announces, ctx->now);
	return false;
}

/* A probe address is answered for as VIPs are. */
static bool
stage_neighbor_is_ours(const struct frame_ctx *ctx, const struct addr *addr)
{
	return stage_neighbor_serves(ctx, stage_neighbor_vip(ctx, addr)) ||
	    probe_addr_answers(&ctx->forwarder->probe_addrs, ctx->frame->iface, addr);
}

/* Claims by others to our addresses, and requests for them. */
static void
conflict_arp(struct frame_ctx *ctx, const struct arp *arp)
{
	struct forwarder *forwarder = ctx->forwarder;
	const uint16_t iface = ctx->frame->iface;
	const bool to_all = mac_is_group(&ctx->packet.ether_destination);

	if (stage_neighbor_conflicts(ctx, &arp->sender, &arp->sender_mac, to_all &&
	    addr_equal(&arp->sender, &arp->target)))
		conflict_receive_arp(&forwarder->conflicts, iface, arp, to_all, ctx->now);
	probe_addr_receive_arp(&forwarder->probe_addrs, iface, arp, ctx->now);
	if (arp->operation == ARP_REQUEST && to_all)
		vipcheck_receive_request(forwarder->vipchecks, &arp->sender_mac, &arp->target, &arp->sender);
}

static void
conflict_ndp(struct frame_ctx *ctx, const struct ndp *ndp)
{
	struct forwarder *forwarder = ctx->forwarder;
	const struct mac *mac = &ctx->packet.ether_source;
	const uint16_t iface = ctx->frame->iface;
	const bool about_target = ndp->kind == NDP_ADVERTISEMENT || ndp->dad;

	if (stage_neighbor_conflicts(ctx, about_target ? &ndp->target : &ndp->source, mac,
	    ndp->kind == NDP_ADVERTISEMENT && !ndp->solicited))
		conflict_receive_ndp(&forwarder->conflicts, iface, ndp, mac, ctx->now);
	probe_addr_receive_ndp(&forwarder->probe_addrs, iface, ndp, mac, ctx->now);
	if (ndp->kind == NDP_SOLICITATION && mac_is_group(&ctx->packet.ether_destination))
		vipcheck_receive_request(forwarder->vipchecks, mac, &ndp->target, &ndp->source);
}

static void
stage_neighbor_count(struct forwarder *forwarder)
{
	const struct neigh_counts counts = neigh_counts(forwarder->neighbors);

	forwarder->stats.neighbor_changes = counts.changes;
	forwarder->stats.neighbor_refused = counts.refused;
}

/* Is it the address of a gateway to servers, which is a router and may well be the clients' too? */
static bool
stage_neighbor_is_gateway(const struct frame_ctx *ctx, const struct addr *addr)
{
	const struct neigh *neigh = neigh_get(ctx->forwarder->neighbors, ctx->frame->iface, addr);

	return neigh != NULL && neigh->servers != NULL && server_is_routed(neigh->servers);
}

/* No server has a MAC address of the director's, or of a router. */
static enum neigh_reason
stage_neighbor_refuse(const struct frame_ctx *ctx, const struct addr *addr, const struct mac *mac)
{
	if (frame_ctx_is_own_mac(ctx->forwarder, mac))
		return NEIGH_DIRECTOR;
	if (stage_neighbor_is_gateway(ctx, addr))
		return NEIGH_REASON_NONE;
	return next_hop_has(&ctx->forwarder->next_hops, ctx->frame->iface, mac, ctx->now) ? NEIGH_NEXT_HOP :
	    NEIGH_REASON_NONE;
}

static void
stage_neighbor_learn(struct frame_ctx *ctx, struct neigh_claim *claim)
{
	const struct packet *packet = &ctx->packet;

	claim->iface = ctx->frame->iface;
	claim->vlan = packet->tagged ? packet->vlan_tci & VLAN_NUMBER : 0;
	claim->sender = packet->ether_source;
	claim->refuse = stage_neighbor_refuse(ctx, &claim->addr, &claim->mac);
	neigh_learn(ctx->forwarder->neighbors, claim, ctx->now);
	stage_neighbor_count(ctx->forwarder);
}

/* A probe (RFC 5227 section 2.1.1) has no sender: it is about the target. */
static void
learn_from_arp(struct frame_ctx *ctx, const struct arp *arp)
{
	const bool probe = arp->operation == ARP_REQUEST && addr_is_no_host(&arp->sender);
	struct neigh_claim claim = { .addr = probe ? arp->target : arp->sender, .mac = arp->sender_mac,
	    .tentative = probe };

	stage_neighbor_learn(ctx, &claim);
}

/* A host that asks for a VIP sends clients' frames there. */
static void
stage_neighbor_asker(struct frame_ctx *ctx, const struct addr *target, const struct addr *sender, const struct mac *mac)
{
	if (!addr_equal(target, sender) && stage_neighbor_vip(ctx, target) != NULL &&
	    stage_neighbor_vip(ctx, sender) == NULL)
		routers_note(&ctx->forwarder->routers, ctx->frame->iface, mac);
}

static enum stage
handle_arp(struct frame_ctx *ctx)
{
	struct forwarder *forwarder = ctx->forwarder;
	const uint16_t iface = ctx->frame->iface;
	const struct frame *answer;
	struct arp arp;

	if (!may_concern_us(ctx) || arp_parse(ctx->frame, &arp) == -1)
		return pass(ctx);
	conflict_arp(ctx, &arp);
	learn_from_arp(ctx, &arp);
	stage_neighbor_asker(ctx, arp.operation == ARP_REQUEST ? &arp.target : &arp.sender, &arp.sender,
	    &arp.sender_mac);
	/* A gratuitous ARP is not a question. */
	if (arp.operation != ARP_REQUEST || !stage_neighbor_is_ours(ctx, &arp.target) || addr_equal(&arp.sender,
	    &arp.target))
		return consume(ctx);
	answer = vip_answer_arp(forwarder->craft, &arp, &forwarder->ifaces[iface]);
	if (answer != NULL) {
		frame_ctx_reply(ctx, answer);
		forwarder->stats.arp_answers++;
	}
	return consume(ctx);
}

static void
learn_from_ndp(struct frame_ctx *ctx, const struct ndp *ndp)
{
	struct neigh_claim claim = {
		.addr = ndp->kind == NDP_ADVERTISEMENT || ndp->dad ? ndp->target : ndp->source,
		.mac = ndp->has_mac ? ndp->mac : ctx->packet.ether_source,
		.weak = ndp->kind == NDP_ADVERTISEMENT && !ndp->override,
		.tentative = ndp->dad,
	};

	/* An answer to a unicast question may leave the MAC out; a question without one teaches nothing. */
	if (ndp->kind == NDP_SOLICITATION && !ndp->has_mac && !ndp->dad)
		return;
	stage_neighbor_learn(ctx, &claim);
}

static enum stage
handle_ndp(struct frame_ctx *ctx)
{
	struct forwarder *forwarder = ctx->forwarder;
	const uint16_t iface = ctx->frame->iface;
	const struct frame *answer;
	struct ndp ndp;

	if (!may_concern_us(ctx) || ndp_parse(ctx->frame, &ctx->packet, &ndp) == -1)
		return pass(ctx);
	conflict_ndp(ctx, &ndp);
	learn_from_ndp(ctx, &ndp);
	if (ndp.kind == NDP_SOLICITATION)
		stage_neighbor_asker(ctx, &ndp.target, &ndp.source, &ctx->packet.ether_source);
	if (ndp.kind != NDP_SOLICITATION || !stage_neighbor_is_ours(ctx, &ndp.target))
		return consume(ctx);
	answer = vip_answer_ndp(forwarder->craft, &ndp, &ctx->packet.ether_source, &forwarder->ifaces[iface]);
	if (answer != NULL) {
		frame_ctx_reply(ctx, answer);
		forwarder->stats.ndp_answers++;
	}
	return consume(ctx);
}

enum stage
stage_neighbor(struct frame_ctx *ctx)
{
	if (ctx->status != PACKET_OK)
		return GOES_ON;
	if (ctx->packet.ethertype == ETHERTYPE_ARP)
		return handle_arp(ctx);
	if (ndp_is_neighbor(&ctx->packet))
		return handle_ndp(ctx);
	return GOES_ON;
}

/*
 * The director's own address where it has one; else the sender 0.0.0.0 of a probe, which hosts answer too (RFC 5227).
 */
static const struct frame *
stage_neighbor_make_arp_question(struct forwarder *forwarder, const struct neigh *neigh, const struct mac *destination)
{
	const struct iface *iface = &forwarder->ifaces[neigh->iface];
	const struct addr *own = iface_address(iface, ADDR_IPV4);
	const struct arp request = {
		.operation = ARP_REQUEST,
		.sender_mac = iface->mac,
		.sender = own != NULL ? *own : (struct addr) { .family = ADDR_IPV4 },
		.target = neigh->addr,
	};

	return craft_arp(forwarder->craft, destination, &request);
}

/*
 * fe80:: and the MAC as EUI-64 (RFC 4291 appendix A): answers come to our MAC, whether the host has that address or
 * not.
 */
static struct addr
link_local_of(const struct mac *mac)
{
	uint8_t bytes[16] = { 0xfe, 0x80, [8] = mac->bytes[0] ^ 0x02, mac->bytes[1], mac->bytes[2], 0xff, 0xfe,
		mac->bytes[3], mac->bytes[4], mac->bytes[5] };

	return addr_from_ipv6(bytes);
}

static const struct frame *
stage_neighbor_make_ndp_question(struct forwarder *forwarder, const struct neigh *neigh, const struct mac *destination)
{
	const struct iface *iface = &forwarder->ifaces[neigh->iface];
	const struct addr *own = iface_address(iface, ADDR_IPV6);
	struct craft_neighbor question = {
		.ends.ether_source = iface->mac,
		.ends.ether_destination = *destination,
		.ends.source = own != NULL ? *own : link_local_of(&iface->mac),
		.ends.destination = neigh->addr,
		.target = neigh->addr,
		.mac = iface->mac,
	};

	if (mac_is_group(destination)) {
		question.ends.destination = ndp_solicited_node(&neigh->addr);
		question.ends.ether_destination = ndp_multicast_mac(&question.ends.destination);
	}
	return craft_neighbor_solicitation(forwarder->craft, &question);
}

void
ask_neighbor(void *context, const struct neigh *neigh, const struct mac *destination)
{
	struct forwarder *forwarder = context;
	const struct frame *made = neigh->addr.family == ADDR_IPV4 ? stage_neighbor_make_arp_question(forwarder, neigh,
	    destination) :
	    stage_neighbor_make_ndp_question(forwarder, neigh, destination);

	stage_neighbor_count(forwarder);
	forwarder->stats.neighbor_requests += frame_tx_send(&forwarder->tx, made, neigh->iface);
}
