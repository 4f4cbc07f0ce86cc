/* SPDX-License-Identifier: ISC */
/* Fragments: the first one finds the flow, the others go where it went. See flow/fragment.h. */
#include "config.h"

#include "forward/frame_ctx.h"

#include <string.h>

#include "flow/fragment.h"

static struct fragment_key
make_key(const struct passage *passage)
{
	const struct packet *packet = &passage->packet;
	struct fragment_key key;

	memset(&key, 0, sizeof(key));
	addr_mapped(&packet->source, key.client);
	key.id = packet->fragment_id;
	key.vip = passage->vip->number;
	/* In IPv6 a later fragment does not know (RFC 8200 section 4.5). */
	key.protocol = packet->source.family == ADDR_IPV4 ? packet->protocol : 0;
	return key;
}

static enum stage
follow_first(struct passage *passage)
{
	struct forwarder *forwarder = passage->forwarder;
	const struct fragment_key key = make_key(passage);
	const bool last = !passage->packet.more_fragments;
	struct server_ref ref;

	if (packet_is_icmp(&passage->packet))
		return drop(passage, DROP_ICMP_FRAGMENT);
	/* A first fragment that cuts its own transport header is an attack (RFC 1858, RFC 7112). */
	if (passage->packet.fragment_offset == 0)
		return drop(passage, DROP_FRAGMENT);
	if (fragment_find(forwarder->fragments, &key, last, &ref, passage->now)) {
		passage->server = fwdtab_server(forwarder->table, ref);
		return passage->server != NULL ? GOES_ON : drop(passage, DROP_NO_SERVER);
	}
	if (!fragment_hold(forwarder->fragments, &key, passage->frame, last, passage->now))
		return drop(passage, DROP_FRAGMENT);
	passage->decision.verdict = VERDICT_HOLD;
	return IS_DECIDED;
}

enum stage
stage_fragment(struct passage *passage)
{
	return passage->packet.has_ports ? GOES_ON : follow_first(passage);
}

/*
 * A held frame follows: the same delivery as that of the first one, without another decision. It was counted as held; what
 * cannot be delivered now has its reason too.
 */
static void
release(void *context, struct frame *frame)
{
	const struct passage *first = context;
	struct passage passage;

	passage_begin(&passage, first->forwarder, frame, first->now);
	passage.server = first->server;
	(void)stage_deliver(&passage);
	if (passage.decision.verdict == VERDICT_FORWARD)
		first->forwarder->stats.fragments_released++;
	else
		first->forwarder->stats.dropped[passage.decision.reason]++;
}

void
stage_fragment_settle(struct passage *passage)
{
	const struct packet *packet = &passage->packet;
	struct fragment_key key;

	if (!packet->has_ports || passage->decision.verdict != VERDICT_FORWARD)
		return;
	key = make_key(passage);
	fragment_settle(passage->forwarder->fragments, &key, passage->server->ref, release, passage, passage->now);
}
