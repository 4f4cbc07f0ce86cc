/* SPDX-License-Identifier: ISC */
/* Fragments: the first one finds the flow, the others go where it went. See flow/fragment.h. */
#include "config.h"

#include "forward/frame_ctx.h"

#include <string.h>

#include "flow/fragment.h"
#include "forward/forward.h"

static struct fragment_key
make_key(const struct frame_ctx *ctx)
{
	const struct packet *packet = &ctx->packet;
	struct fragment_key key;

	memset(&key, 0, sizeof(key));
	addr_mapped(&packet->source, key.client);
	key.id = packet->fragment_id;
	key.vip = ctx->vip->number;
	/* In IPv6 a later fragment does not have it (RFC 8200 section 4.5). */
	key.protocol = packet->source.family == ADDR_IPV4 ? packet->protocol : 0;
	return key;
}

static enum stage
follow_first(struct frame_ctx *ctx)
{
	struct forwarder *forwarder = ctx->forwarder;
	const struct fragment_key key = make_key(ctx);
	const bool last = !ctx->packet.more_fragments;
	struct server_ref ref;

	if (packet_is_icmp(&ctx->packet))
		return drop(ctx, DROP_ICMP_FRAGMENT);
	/* A first fragment that cuts its own transport header is an attack (RFC 1858, RFC 7112). */
	if (ctx->packet.fragment_offset == 0)
		return drop(ctx, DROP_FRAGMENT);
	if (fragment_find(forwarder->fragments, &key, last, &ref, ctx->now)) {
		ctx->server = fwdtab_server(forwarder->table, ref);
		return ctx->server != NULL ? GOES_ON : drop(ctx, DROP_NO_SERVER);
	}
	if (!fragment_hold(forwarder->fragments, &key, ctx->frame, last, ctx->now))
		return drop(ctx, DROP_FRAGMENT);
	ctx->decision.verdict = VERDICT_HOLD;
	return IS_DECIDED;
}

enum stage
stage_fragment(struct frame_ctx *ctx)
{
	return ctx->packet.has_ports ? GOES_ON : follow_first(ctx);
}

/* Where held frames go. */
struct stage_fragment_way {
	struct forwarder *forwarder;
	struct fwd_server *server;
	uint64_t now;
};

/*
 * A held frame follows: the same delivery as that of the first one, without another decision. It was counted as held;
 * what cannot be delivered now has its reason too.
 */
static void
stage_fragment_release(void *context, struct frame *frame)
{
	const struct stage_fragment_way *way = context;
	struct frame_ctx ctx;

	frame_ctx_begin(&ctx, way->forwarder, frame, way->now);
	ctx.server = way->server;
	(void)stage_deliver(&ctx);
	if (ctx.decision.verdict == VERDICT_FORWARD)
		way->forwarder->stats.fragments_released++;
	else
		way->forwarder->stats.dropped[ctx.decision.reason]++;
}

void
stage_fragment_settle(struct frame_ctx *ctx)
{
	const struct packet *packet = &ctx->packet;
	struct stage_fragment_way way = { ctx->forwarder, ctx->server, ctx->now };
	struct fragment_key key;

	if (!packet->has_ports || ctx->decision.verdict != VERDICT_FORWARD)
		return;
	key = make_key(ctx);
	fragment_settle(ctx->forwarder->fragments, &key, ctx->server->ref, stage_fragment_release, &way, ctx->now);
}

void
forward_fragment(struct forwarder *forwarder, const struct fragment_key *key, struct server_ref server, uint64_t now)
{
	struct stage_fragment_way way = { forwarder, fwdtab_server(forwarder->table, server), now };

	if (way.server != NULL)
		fragment_settle(forwarder->fragments, key, server, stage_fragment_release, &way, now);
}
