/* SPDX-License-Identifier: ISC */
/*
 * Which server has this flow, and which gets a new one. What is in the flow table stays where it is; a client that
 * persists goes where it went; a flow that cannot be remembered, or that nobody remembers, goes by consistent hash, so
 * that all its packets choose alike.
 */
#include "config.h"

#include "lb/passage.h"

#include <string.h>

/* SCTP chunk types (RFC 9260 section 3.2), by what they do to a connection. */
enum sctp_chunk {
	SCTP_INIT = 1,
	SCTP_ABORT = 6,
	SCTP_SHUTDOWN = 7,
	SCTP_SHUTDOWN_ACK = 8,
	SCTP_SHUTDOWN_COMPLETE = 14
};

#define SCTP_COMMON_HEADER 12

/* SCTP opens and closes as TCP does, so it runs on the same state machine. */
static uint8_t
flags_of(const struct passage *passage)
{
	const struct packet *packet = &passage->packet;
	const uint32_t chunk = packet->l4 + SCTP_COMMON_HEADER;

	if (packet->protocol == PROTOCOL_TCP)
		return packet->tcp_flags;
	if (chunk >= packet->end)
		return TCP_ACK;
	switch ((enum sctp_chunk)passage->frame->bytes[chunk]) {
	case SCTP_INIT:
		return TCP_SYN;
	case SCTP_ABORT:
		return TCP_RST;
	case SCTP_SHUTDOWN:
	case SCTP_SHUTDOWN_ACK:
	case SCTP_SHUTDOWN_COMPLETE:
		return TCP_FIN;
	}
	return TCP_ACK;
}

static bool
is_connection(const struct passage *passage)
{
	return passage->packet.protocol != PROTOCOL_UDP;
}

/* Does the client begin anew? */
static bool
begins(const struct passage *passage)
{
	return is_connection(passage) && (flags_of(passage) & TCP_SYN) != 0;
}

static enum conn_state
next_state(const struct passage *passage, enum conn_state state)
{
	return is_connection(passage) ? conn_tcp_next(state, flags_of(passage)) : CONN_UDP;
}

static uint64_t
timeout_of(const struct passage *passage, enum conn_state state)
{
	return passage->decision.service->timeouts->state[state];
}

static void
make_key(struct passage *passage)
{
	const struct packet *packet = &passage->packet;
	struct conn_key *key = &passage->key;

	memset(key, 0, sizeof(*key));
	passage_client(&packet->source, key->client);
	key->client_port = packet->source_port;
	key->vip_port = packet->destination_port;
	key->vip = passage->vip->number;
	key->protocol = packet->protocol;
}

static struct segment_seen
seen_in(const struct packet *packet)
{
	return (struct segment_seen) { packet->tcp_flags, packet->tcp_sequence, packet->tcp_acknowledgement,
		packet->end - packet->payload };
}

static void
account(struct server_run *run, enum conn_state state, int change)
{
	if (conn_is_active(state))
		run->active += (uint32_t)change;
	else
		run->inactive += (uint32_t)change;
}

void
account_gone(void *context, const struct conn *conn)
{
	const struct forwarder *forwarder = context;
	const struct fwd_server *server = fwdtab_server(forwarder->table, conn->server);

	if (server != NULL)
		account(server->run, conn->state, -1);
}

/*
 * May this flow stay where it is? Not when its server is gone from the configuration. Not when its server is down and
 * nothing is lost by leaving: UDP has no connection, and a client may send from the same port for ever; or the service
 * moves such flows. Nor when the client begins anew: a SYN on a finished flow is a new connection from a reused port, and
 * a SYN that gets no answer from a server that is down is a client that tries again.
 */
static bool
stays(const struct passage *passage, const struct conn *conn, const struct fwd_server *server)
{
	if (server == NULL)
		return false;
	if (!server->healthy && (!is_connection(passage) || server->service->settings.on_down == ON_DOWN_MOVE))
		return false;
	if (!begins(passage))
		return true;
	switch ((enum conn_state)conn->state) {
	case CONN_FIN_WAIT:
	case CONN_TIME_WAIT:
	case CONN_CLOSED:
		return false;
	case CONN_NONE:
	case CONN_SYN:
	case CONN_ESTABLISHED:
	case CONN_UDP:
	case CONN_STATE_COUNT:
		return server->healthy;
	}
	return true;
}

static bool
has_room(const struct fwd_server *server)
{
	return server->max_connections == 0 ||
	    server->run->active + server->run->inactive < server->max_connections;
}

/* The scheduler does not know of `max-connections`: where it chose a full server, the least loaded other one serves. */
static struct fwd_server *
choose(const struct passage *passage, const struct fwd_service *service)
{
	struct fwd_server *chosen = service->scheduler->pick(service, passage->vip, &passage->key), *best = NULL;
	uint64_t least = UINT64_MAX;

	if (has_room(chosen))
		return chosen;
	for (size_t i = 0; i < service->candidate_count; i++) {
		struct fwd_server *server = service->candidates[i];
		const uint64_t load = ((uint64_t)server->run->active + server->run->inactive) * WEIGHT_MOST / server->weight;

		if (has_room(server) && load < least) {
			least = load;
			best = server;
		}
	}
	return best;
}

/* A client as persistence sees it: its network, on any port of the service. */
static void
make_persist_key(const struct passage *passage, const struct fwd_service *service, struct conn_key *key)
{
	const struct service_settings *settings = &service->service->settings;
	unsigned bits = passage->packet.source.family == ADDR_IPV4 ? 96U + settings->persist_prefix4 :
	    settings->persist_prefix6;

	memset(key, 0, sizeof(*key));
	passage_client(&passage->packet.source, key->client);
	for (unsigned i = 0; i < sizeof(key->client); i++, bits = bits > 8 ? bits - 8 : 0)
		if (bits < 8)
			key->client[i] &= (uint8_t)(0xff00 >> bits);
	key->vip = service->run->number;
}

/* The server this client had last, if it takes flows still. */
static struct fwd_server *
find_persistent(const struct passage *passage, const struct conn_key *key)
{
	struct forwarder *forwarder = passage->forwarder;
	struct conn *conn = conn_find(forwarder->persist, key, passage->now);
	struct fwd_server *server = conn != NULL ? fwdtab_server(forwarder->table, conn->server) : NULL;

	if (server != NULL && server->takes_flows && has_room(server))
		return server;
	if (conn != NULL)
		conn_remove(forwarder->persist, conn);
	return NULL;
}

static struct fwd_server *
choose_persistent(const struct passage *passage, const struct fwd_service *service)
{
	struct fwd_server *server = NULL;
	struct conn_key key;

	if (service->service->settings.persist != 0) {
		make_persist_key(passage, service, &key);
		server = find_persistent(passage, &key);
	}
	return server != NULL ? server : choose(passage, service);
}

/*
 * A new flow of the client is on `server`, so that is where the next one goes. Who has only sent a SYN may be forged:
 * the table gives such clients the share it gives half-open flows. A full table forgets nobody and remembers nobody
 * new: such a client is served, without persistence.
 */
static void
remember_client(const struct passage *passage, const struct fwd_server *server, enum conn_state state)
{
	struct forwarder *forwarder = passage->forwarder;
	const uint64_t persist = passage->decision.service->service->settings.persist;
	enum conn_state trust = state == CONN_SYN ? CONN_SYN : CONN_UDP; /* the latter is as good as any other */
	struct conn_key key;
	struct conn *client;

	if (persist == 0)
		return;
	make_persist_key(passage, passage->decision.service, &key);
	client = conn_find(forwarder->persist, &key, passage->now);
	if (client != NULL && client->state == CONN_UDP)
		trust = CONN_UDP;
	if (client != NULL)
		conn_touch(forwarder->persist, client, trust, persist, passage->now);
	else if (conn_insert(forwarder->persist, &key, server->ref, trust, persist, passage->now) == NULL)
		forwarder->stats.persist_full++;
}

/* What is known goes where it went. */
static void
find_flow(struct passage *passage)
{
	struct conn_table *conns = passage->forwarder->conns;
	struct conn *conn = conn_find(conns, &passage->key, passage->now);
	struct fwd_server *server;
	enum conn_state state, before;

	if (conn == NULL)
		return;
	server = fwdtab_server(passage->forwarder->table, conn->server);
	if (!stays(passage, conn, server)) {
		conn_remove(conns, conn);
		return;
	}
	before = (enum conn_state)conn->state;
	state = next_state(passage, before);
	if (state != before) {
		account(server->run, before, -1);
		account(server->run, state, 1);
		if (before == CONN_SYN && state == CONN_ESTABLISHED)
			remember_client(passage, server, state);
	}
	conn_touch(conns, conn, state, timeout_of(passage, state), passage->now);
	if (passage->packet.protocol == PROTOCOL_TCP) {
		const struct segment_seen seen = seen_in(&passage->packet);

		measure_segment(&server->run->measure, conn, before, &seen, passage->now);
	}
	passage->server = server;
	passage->decision.state = state;
}

/* Without knowing what was before: the same server each time, as long as the candidates stay. */
static struct fwd_server *
choose_by_hash(const struct passage *passage)
{
	const struct fwd_service *service = passage->decision.service;

	if (service->scheduler->by_hash)
		return service->scheduler->pick(service, passage->vip, &passage->key);
	return fwd_service_hash(service, &passage->key);
}

/* Nothing is remembered of this frame. */
static void
go_by_hash(struct passage *passage)
{
	passage->server = choose_by_hash(passage);
	passage->forwarder->stats.by_hash++;
}

/*
 * A flow that nobody knows. A beginning is scheduled. The middle of a connection that is older than the director, or that
 * began while half-open flows filled their share, goes by hash, and so does its end, which is not worth remembering.
 */
static enum stage
begin_flow(struct passage *passage)
{
	const struct fwd_service *service = passage->decision.service;
	const enum conn_state state = next_state(passage, CONN_NONE);
	struct fwd_server *server;
	struct conn *conn;

	if (service->candidate_count == 0)
		return drop(passage, service->unresolved ? DROP_NO_NEIGHBOUR : DROP_NO_SERVER);
	passage->decision.new_flow = true;
	passage->decision.state = state;
	if (state == CONN_CLOSED) {
		go_by_hash(passage);
		return GOES_ON;
	}
	if (state == CONN_ESTABLISHED)
		server = choose_by_hash(passage);
	else
		server = choose_persistent(passage, service);
	if (server == NULL)
		return drop(passage, DROP_SERVERS_FULL);
	conn = conn_insert(passage->forwarder->conns, &passage->key, server->ref, state, timeout_of(passage, state),
	    passage->now);
	if (conn == NULL) {
		go_by_hash(passage);
		return GOES_ON;
	}
	if (passage->packet.protocol == PROTOCOL_TCP) {
		const struct segment_seen seen = seen_in(&passage->packet);

		measure_begin(&server->run->measure, conn, &seen, passage->now);
	}
	account(server->run, state, 1);
	server->run->connections++;
	remember_client(passage, server, state);
	passage->server = server;
	return GOES_ON;
}

/* Every datagram a flow of its own. */
static enum stage
send_one_packet(struct passage *passage)
{
	const struct fwd_service *service = passage->decision.service;

	if (service->candidate_count == 0)
		return drop(passage, service->unresolved ? DROP_NO_NEIGHBOUR : DROP_NO_SERVER);
	passage->server = choose(passage, service);
	if (passage->server == NULL)
		return drop(passage, DROP_SERVERS_FULL);
	passage->server->run->connections++;
	passage->decision.new_flow = true;
	passage->decision.state = CONN_UDP;
	return GOES_ON;
}

enum stage
stage_flow(struct passage *passage)
{
	const struct packet *packet = &passage->packet;

	passage->decision.service = fwd_vip_service(passage->vip, packet->protocol, packet->destination_port);
	if (passage->decision.service == NULL)
		return drop(passage, DROP_NO_SERVICE);
	make_key(passage);
	if (packet->protocol == PROTOCOL_UDP && passage->decision.service->service->settings.one_packet)
		return send_one_packet(passage);
	find_flow(passage);
	return passage->server != NULL ? GOES_ON : begin_flow(passage);
}
