/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/report_peers.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/duration.h"
#include "base/text.h"
#include "sync/facts.h"

#define HASH_TEXT 20
#define CLOCK_AGREES 2 /* seconds */

static const char *
report_peers_hash(uint64_t hash, char text[HASH_TEXT])
{
	(void)snprintf(text, HASH_TEXT, "%016" PRIx64, hash);
	return text;
}

/* "same", or that it is not; NULL: not known. */
static const char *
report_peers_configuration(const struct peer_facts *peer)
{
	if (!peer->up || peer->configuration == 0)
		return NULL;
	return peer->configuration == peer->own_configuration ? "same" : "different";
}

static void
report_peers_traffic(struct writer *writer, const struct peer_facts *peer)
{
	const uint64_t numbers[] = { peer->shared, peer->shared_here, peer->held, peer->sent.waiting, peer->sent.flows,
		peer->received.flows, peer->sent.clients, peer->received.clients, peer->sent.orders,
		peer->received.orders, peer->sent.fragments, peer->received.fragments,
		peer->received.unknown, peer->received.refused, peer->received.conflicts, peer->sent.overflows,
		peer->bytes_sent, peer->bytes_received, peer->sessions, peer->table, peer->difference_count };

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		writer_cell_number(writer, numbers[i]);
}

static void
report_peers_row(struct writer *writer, const struct report_facts *facts, const struct peer_facts *peer)
{
	const char *configuration = report_peers_configuration(peer);
	char text[HASH_TEXT], where[ADDR_PORT_TEXT], lasts[DURATION_TEXT], lag[DURATION_TEXT];

	writer_row(writer);
	writer_cell(writer, peer->name);
	writer_cell(writer, addr_format_port(&peer->addr, peer->port, where));
	writer_cell_mood(writer, !peer->up ? "down" : peer->complete ? "up" : "bulk", peer->complete ? MOOD_GOOD :
	    MOOD_BAD);
	writer_cell(writer, peer->since == 0 ? NULL : text_format_duration((facts->now - peer->since) / SECONDS(1) *
	    SECONDS(1),
	    lasts));
	writer_cell(writer, peer->version[0] == '\0' ? NULL : peer->version);
	writer_cell_mood(writer, configuration, configuration != NULL && *configuration == 's' ? MOOD_GOOD : MOOD_BAD);
	writer_cell(writer, peer->up ? report_peers_hash(peer->configuration, text) : NULL);
	writer_cell(writer, peer->up ? text_format_duration(peer->lag / MILLISECONDS(1) * MILLISECONDS(1), lag) : NULL);
	writer_cell_number(writer, peer->lag / MILLISECONDS(1));
	writer_cell_flag(writer, peer->up);
	writer_cell_flag(writer, peer->complete);
	report_peers_traffic(writer, peer);
	writer_cell_mood(writer, peer->fault[0] == '\0' ? NULL : peer->fault, MOOD_BAD);
}

static void
report_peers_table(struct writer *writer, const struct report_facts *facts)
{
	static const struct column columns[] = { { "name", "PEER", false }, { "address", "ADDRESS", false },
		{ "state", "STATE", false }, { "for", "FOR", true }, { "version", "VERSION", false },
		{ "configuration", "CONFIGURATION", false }, { "configuration_hash", NULL, false },
		    { "lag", "LAG", true },
		{ "lag_milliseconds", NULL, true }, { "up", NULL, false }, { "complete", NULL, false },
		{ "flows_there", "THERE", true }, { "flows_here_by_peer", NULL, true }, { "flows_here", "HERE", true },
		{ "waiting", "WAITING", true }, { "flows_sent", "SENT", true }, { "flows_received", "RECEIVED", true },
		{ "clients_sent", NULL, true }, { "clients_received", NULL, true }, { "orders_sent", NULL, true },
		{ "orders_received", NULL, true }, { "fragments_sent", NULL, true },
		{ "fragments_received", NULL, true }, { "unknown", NULL, true }, { "refused", NULL, true },
		{ "conflicts", "CONFLICTS", true }, { "overflows", NULL, true }, { "bytes_sent", NULL, true },
		{ "bytes_received", NULL, true }, { "sessions", NULL, true }, { "table", NULL, true },
		{ "differences", "DIFFER", true }, { "fault", "WHY", false } };

	static_assert(ARRAY_LEN(columns) <= COLUMNS_MOST, "a table has no more columns");
	writer_table(writer, "peers", NULL, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < facts->peer_count; i++)
		report_peers_row(writer, facts, &facts->peers[i]);
	writer_table_end(writer);
}

static void
report_peers_roles(struct writer *writer, const struct report_facts *facts)
{
	static const struct column columns[] = { { "peer", "PEER", false }, { "group", "GROUP", false },
		{ "role", "ROLE", false }, { "ready", "READY", false }, { "epoch", NULL, true }, { "why", "WHY NOT", false } };

	writer_table(writer, "roles", "Roles", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < facts->peer_count; i++) {
		const struct peer_facts *peer = &facts->peers[i];

		for (size_t j = 0; peer->self != NULL && j < peer->self->role_count; j++) {
			const struct role_word *word = &peer->self->roles[j];

			writer_row(writer);
			writer_cell(writer, peer->name);
			writer_cell(writer, word->group);
			writer_cell(writer, role_name(word->state));
			writer_cell_flag(writer, word->ready);
			writer_cell_number(writer, word->epoch);
			writer_cell(writer, word->why[0] == '\0' ? NULL : word->why);
		}
	}
	writer_table_end(writer);
}

/* Clocks that disagree: orders of operators are compared by date. */
static void
report_peers_clock(struct writer *writer, const struct peer_facts *peer)
{
	const uint64_t apart = (uint64_t)(peer->clock_ahead < 0 ? -peer->clock_ahead : peer->clock_ahead);
	char text[DIFFERENCE_TEXT], lasts[DURATION_TEXT];

	if (!peer->up || apart <= CLOCK_AGREES)
		return;
	(void)snprintf(text, sizeof(text), "the peer's clock is %s %s", text_format_duration(SECONDS(apart), lasts),
	    peer->clock_ahead < 0 ? "behind" : "ahead");
	writer_row(writer);
	writer_cell(writer, peer->name);
	writer_cell_mood(writer, "clock", MOOD_WARN);
	writer_cell(writer, "director");
	writer_cell(writer, text);
}

static void
report_peers_differences(struct writer *writer, const struct report_facts *facts)
{
	static const struct column columns[] = { { "peer", "PEER", false }, { "kind", "KIND", false },
		{ "subject", "SUBJECT", false }, { "text", "DIFFERENCE", false } };
	static const char *const kinds[] = { [DIFFERENCE_CONFIGURATION] = "configuration", [DIFFERENCE_HEALTH] = "health",
		[DIFFERENCE_WEIGHT] = "weight", [DIFFERENCE_TABLE] = "table" };

	writer_table(writer, "differences", "Differences", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < facts->peer_count; i++) {
		const struct peer_facts *peer = &facts->peers[i];

		report_peers_clock(writer, peer);
		for (size_t j = 0; j < peer->difference_count && j < PEER_DIFFERENCES; j++) {
			const struct difference *difference = &peer->differences[j];

			writer_row(writer);
			writer_cell(writer, peer->name);
			writer_cell_mood(writer, kinds[difference->kind], MOOD_WARN);
			writer_cell(writer, difference->subject);
			writer_cell(writer, difference->text);
		}
	}
	writer_table_end(writer);
}

void
report_peers(struct writer *writer, const struct report_facts *facts)
{
	char text[HASH_TEXT];

	if (facts->peer_count == 0) {
		writer_block(writer, "note", "", "no peers: the configuration has no `peer` line\n");
		return;
	}
	writer_fact(writer, "name", "this director", facts->peer_name);
	writer_fact(writer, "configuration_hash", "configuration",
	    report_peers_hash(facts->peers[0].own_configuration, text));
	writer_number(writer, "refused_connections", "refused connections", facts->peers_refused);
	writer_gap(writer);
	report_peers_table(writer, facts);
	report_peers_roles(writer, facts);
	report_peers_differences(writer, facts);
}
