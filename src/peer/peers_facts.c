/* SPDX-License-Identifier: ISC */
/* Peers as reports read them. */
#include "config.h"

#include "peer/peers_state.h"

void
peer_add_feed(struct feed_counts *sum, const struct feed_counts *more)
{
	sum->flows += more->flows;
	sum->clients += more->clients;
	sum->orders += more->orders;
	sum->fragments += more->fragments;
	sum->overflows += more->overflows;
	sum->walks += more->walks;
}

void
peer_add_intake(struct intake_counts *sum, const struct intake_counts *more)
{
	sum->flows += more->flows;
	sum->clients += more->clients;
	sum->orders += more->orders;
	sum->fragments += more->fragments;
	sum->unknown += more->unknown;
	sum->refused += more->refused;
	sum->conflicts += more->conflicts;
}

static void
peer_note(void *context, const struct difference *difference)
{
	struct peer *peer = context;

	peer->differences[peer->difference_count++] = *difference;
}

/* Only when either side has changed: it walks all servers. */
void
peer_compare(struct peer *peer)
{
	struct picture *picture = peer->end->link.intake.picture;
	const struct share *share = peer->peers->share;
	size_t count;

	if (peer->compared[0] == picture_serial(picture) && peer->compared[1] == share->serial)
		return;
	peer->compared[0] = picture_serial(picture);
	peer->compared[1] = share->serial;
	peer->difference_count = 0;
	count = picture_compare(picture, share, PEER_DIFFERENCES, peer_note, peer);
	peer->difference_count = count;
}

size_t
peers_count(const struct peers *peers)
{
	return peers->settings.count;
}

static void
peer_add_link(const struct peers *peers, const struct peer *peer, struct peer_facts *facts)
{
	const struct link *link = &peer->end->link;
	const struct feed_counts sent = feed_counts(link->feed);

	peer_add_feed(&facts->sent, &sent);
	peer_add_intake(&facts->received, &link->intake.counts);
	facts->sent.waiting = sent.waiting;
	facts->shared = facts->sent.shared = sent.shared;
	facts->complete = sent.bulk_done && link->intake.bulk_done;
	facts->version = link->peer.version;
	facts->configuration = link->peer.configuration;
	facts->named = picture_is_complete(link->intake.picture);
	facts->lag = link->lag;
	facts->self = &link->peer.self;
	facts->clock_ahead = link->clock_ahead;
	facts->table = link->peer.flows;
	facts->shared_here = link->peer.shared;
	facts->held = peers->share->held[peer->source];
	facts->bytes_sent += peer_socket_bytes_sent(peer->end->socket);
	facts->bytes_received += peer_socket_bytes_received(peer->end->socket);
}

void
peers_facts(const struct peers *peers, size_t index, struct peer_facts *facts)
{
	const struct peer *peer = &peers->list[index];

	*facts = (struct peer_facts) { .name = peer->settings.name, .addr = peer->settings.addr, .port = peer->settings.port,
		.up = peer->up, .since = peer->since, .fault = peer->fault, .version = "", .sent = peer->sent,
		.received = peer->received, .own_configuration = peers->share->configuration,
		    .bytes_sent = peer->bytes[0],
		.bytes_received = peer->bytes[1], .sessions = peer->sessions,
		    .difference_count = peer->difference_count,
		.differences = peer->differences };
	if (peer->up)
		peer_add_link(peers, peer, facts);
}

uint64_t
peers_refused(const struct peers *peers)
{
	return peers->refused;
}
