/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "lb/forward.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/arp.h"
#include "proto/checksum.h"
#include "proto/packet.h"
#include "proto/segment.h"

/* Flows looked at in one tick: bounds the time a tick may take from forwarding. */
#define EXPIRE_BUDGET 65536

/* One frame's way through the stages below, each of which either decides it or leaves it to the next. */
struct passage {
	struct forwarder *forwarder;
	struct frame *frame;
	uint64_t now;
	enum packet_status status;
	struct packet packet;
	const struct fwd_vip *vip;
	struct conn_key key;
	struct fwd_server *server;
	struct decision decision;
};

enum stage {
	GOES_ON,
	IS_DECIDED
};

static enum stage
pass(struct passage *passage)
{
	passage->decision.verdict = VERDICT_PASS;
	return IS_DECIDED;
}

static enum stage
consume(struct passage *passage)
{
	passage->decision.verdict = VERDICT_CONSUMED;
	return IS_DECIDED;
}

static enum stage
drop(struct passage *passage, enum drop_reason reason)
{
	passage->decision.verdict = VERDICT_DROP;
	passage->decision.reason = reason;
	return IS_DECIDED;
}

static void
emit(struct forwarder *forwarder, const struct frame *made, uint16_t iface)
{
	struct frame frame = *made;

	frame.iface = iface;
	forwarder->emitter.emit(forwarder->emitter.context, &frame);
}

static bool
is_own_mac(const struct forwarder *forwarder, const struct mac *mac)
{
	for (size_t i = 0; i < forwarder->iface_count; i++)
		if (mac_equal(&forwarder->ifaces[i].mac, mac))
			return true;
	return false;
}

/* Frames to other hosts are seen when the interface is promiscuous, or the switch floods. */
static bool
is_for_us(const struct passage *passage)
{
	const struct iface *iface = &passage->forwarder->ifaces[passage->frame->iface];

	return mac_equal(&iface->mac, &passage->packet.ether_destination);
}

/* Stage ARP. The director's own host never gets here: it must not learn that somebody owns the VIP. */
static enum stage
handle_arp(struct passage *passage)
{
	struct forwarder *forwarder = passage->forwarder;
	const uint16_t iface = passage->frame->iface;
	struct arp arp;
	const struct frame *answer;

	if (passage->packet.ethertype != ETHERTYPE_ARP)
		return GOES_ON;
	if (is_own_mac(forwarder, &passage->packet.ether_source))
		return pass(passage);
	if (!is_for_us(passage) && !mac_is_group(&passage->packet.ether_destination))
		return pass(passage);
	if (arp_parse(passage->frame, &arp) == -1)
		return pass(passage);
	neigh_learn(forwarder->neighbours, iface, &arp, passage->now);
	if (arp.operation == ARP_REQUEST && fwdtab_vip(forwarder->table, iface, &arp.target) != NULL &&
	    !addr_equal(&arp.sender, &arp.target)) {
		answer = vip_answer(forwarder->craft, &arp, &forwarder->ifaces[iface]);
		if (answer != NULL) {
			emit(forwarder, answer, iface);
			forwarder->stats.arp_answers++;
		}
	}
	return consume(passage);
}

/* Stage guard: only frames to our MAC and a VIP go on, and of those none that was ours, or a server's, already. */
static enum stage
guard(struct passage *passage)
{
	const struct packet *packet = &passage->packet;
	const struct forwarder *forwarder = passage->forwarder;

	if (!is_for_us(passage) || !addr_is_set(&packet->destination))
		return pass(passage);
	passage->vip = fwdtab_vip(forwarder->table, passage->frame->iface, &packet->destination);
	if (passage->vip == NULL)
		return pass(passage);
	if (is_own_mac(forwarder, &packet->ether_source))
		return drop(passage, DROP_LOOP);
	switch (passage->status) {
	case PACKET_OK:
		break;
	case PACKET_TRUNCATED:
		return drop(passage, DROP_TRUNCATED);
	case PACKET_MALFORMED:
		return drop(passage, DROP_MALFORMED);
	case PACKET_UNSUPPORTED:
		return drop(passage, DROP_UNSUPPORTED);
	}
	if (fwdtab_bouncer(forwarder->table, &packet->ether_source, &packet->source) != NULL)
		return drop(passage, DROP_BOUNCE);
	if (packet->fragment)
		return drop(passage, DROP_FRAGMENT);
	return GOES_ON;
}

static enum stage
find_service(struct passage *passage)
{
	const struct packet *packet = &passage->packet;

	passage->decision.service = fwd_vip_service(passage->vip, packet->protocol, packet->destination_port);
	if (passage->decision.service == NULL)
		return drop(passage, DROP_NO_SERVICE);
	return GOES_ON;
}

/* IPv4 addresses take the IPv4-mapped form, so that one key serves both families. */
static void
make_key(struct passage *passage)
{
	const struct packet *packet = &passage->packet;
	struct conn_key *key = &passage->key;

	memset(key, 0, sizeof(*key));
	if (packet->source.family == ADDR_IPV4) {
		memset(key->client + 10, 0xff, 2);
		memcpy(key->client + 12, packet->source.bytes, 4);
	} else {
		memcpy(key->client, packet->source.bytes, sizeof(key->client));
	}
	key->client_port = packet->source_port;
	key->vip_port = packet->destination_port;
	key->vip = passage->vip->number;
	key->protocol = packet->protocol;
}

static enum conn_state
next_state(const struct passage *passage, enum conn_state state)
{
	if (passage->packet.protocol != PROTOCOL_TCP)
		return CONN_UDP;
	return conn_tcp_next(state, passage->packet.tcp_flags);
}

static uint64_t
timeout_of(const struct passage *passage, enum conn_state state)
{
	return passage->decision.service->timeouts->state[state];
}

static void
account(struct server_run *run, enum conn_state state, int change)
{
	if (conn_is_active(state))
		run->active += (uint32_t)change;
	else
		run->inactive += (uint32_t)change;
}

static void
account_gone(void *context, const struct conn *conn)
{
	const struct forwarder *forwarder = context;
	const struct fwd_server *server = fwdtab_server(forwarder->table, conn->server);

	if (server != NULL)
		account(server->run, conn->state, -1);
}

/*
 * May this flow stay where it is? Not when its server is gone from the configuration, nor when the client begins anew: a
 * SYN on a finished flow is a new connection from a reused port, and a SYN that gets no answer from a server that is down
 * is a client that tries again.
 */
static bool
stays(const struct passage *passage, const struct conn *conn, const struct fwd_server *server)
{
	const bool begins = passage->packet.protocol == PROTOCOL_TCP &&
	    (passage->packet.tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;

	if (server == NULL)
		return false;
	if (!begins)
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

/* Stage flow: what is known goes where it went. */
static enum stage
find_flow(struct passage *passage)
{
	struct conn_table *conns = passage->forwarder->conns;
	struct conn *conn = conn_find(conns, &passage->key, passage->now);
	struct fwd_server *server;
	enum conn_state state;

	if (conn == NULL)
		return GOES_ON;
	server = fwdtab_server(passage->forwarder->table, conn->server);
	if (!stays(passage, conn, server)) {
		conn_remove(conns, conn);
		return GOES_ON;
	}
	state = next_state(passage, conn->state);
	if (state != conn->state) {
		account(server->run, conn->state, -1);
		account(server->run, state, 1);
	}
	conn_touch(conns, conn, state, timeout_of(passage, state), passage->now);
	passage->server = server;
	passage->decision.state = state;
	return GOES_ON;
}

/* Stage pick: a flow that has no server gets one, and keeps it. */
static enum stage
pick_server(struct passage *passage)
{
	const struct fwd_service *service = passage->decision.service;
	const enum conn_state state = next_state(passage, CONN_NONE);
	struct fwd_server *server;

	if (passage->server != NULL)
		return GOES_ON;
	if (service->candidate_count == 0)
		return drop(passage, service->unresolved ? DROP_NO_NEIGHBOUR : DROP_NO_SERVER);
	server = service->scheduler->pick(service, &passage->key);
	if (conn_insert(passage->forwarder->conns, &passage->key, server->ref, state, timeout_of(passage, state),
	    passage->now) == NULL)
		return drop(passage, DROP_TABLE_FULL);
	account(server->run, state, 1);
	server->run->connections++;
	passage->server = server;
	passage->decision.new_flow = true;
	passage->decision.state = state;
	return GOES_ON;
}

static void
readdress(struct passage *passage, const struct iface *out)
{
	memcpy(passage->frame->bytes + ETHER_DESTINATION, passage->server->mac.bytes, MAC_BYTES);
	memcpy(passage->frame->bytes + ETHER_SOURCE, out->mac.bytes, MAC_BYTES);
	passage->frame->iface = passage->server->iface;
}

/* Stage delivery: only the Ethernet addresses change, unless the frame came from a virtual neighbour unfinished. */
static enum stage
deliver(struct passage *passage)
{
	struct forwarder *forwarder = passage->forwarder;
	const struct packet *packet = &passage->packet;
	const struct iface *out;
	int segments;

	passage->decision.server = passage->server;
	if (!passage->server->reachable)
		return drop(passage, DROP_NO_NEIGHBOUR);
	out = &forwarder->ifaces[passage->server->iface];
	if (packet->end - packet->l3 <= out->mtu) {
		if (checksum_complete(passage->frame, packet))
			forwarder->stats.checksums_finished++;
		readdress(passage, out);
		forwarder->emitter.emit(forwarder->emitter.context, passage->frame);
	} else {
		readdress(passage, out);
		segments = segment_tcp(passage->frame, packet, out->mtu, forwarder->scratch, &forwarder->emitter);
		if (segments == -1)
			return drop(passage, DROP_TOO_BIG);
		forwarder->stats.frames_split++;
		forwarder->stats.segments += (uint64_t)segments;
	}
	passage->server->run->packets++;
	passage->server->run->bytes += passage->frame->length;
	passage->decision.verdict = VERDICT_FORWARD;
	return IS_DECIDED;
}

static void
count(struct forwarder *forwarder, const struct decision *decision)
{
	struct forward_stats *stats = &forwarder->stats;

	stats->frames++;
	switch (decision->verdict) {
	case VERDICT_PASS:
		stats->passed++;
		break;
	case VERDICT_CONSUMED:
		stats->consumed++;
		break;
	case VERDICT_FORWARD:
		stats->forwarded++;
		break;
	case VERDICT_DROP:
		stats->dropped[decision->reason]++;
		break;
	}
}

struct decision
forward_frame(struct forwarder *forwarder, struct frame *frame, uint64_t now)
{
	struct passage passage = { .forwarder = forwarder, .frame = frame, .now = now };

	passage.status = packet_parse(frame, &passage.packet);
	if (handle_arp(&passage) == IS_DECIDED || guard(&passage) == IS_DECIDED ||
	    find_service(&passage) == IS_DECIDED)
		goto decided;
	make_key(&passage);
	if (find_flow(&passage) == IS_DECIDED || pick_server(&passage) == IS_DECIDED)
		goto decided;
	deliver(&passage);
decided:
	count(forwarder, &passage.decision);
	return passage.decision;
}

/* The director's own address where it has one; else the sender 0.0.0.0 of a probe, which hosts answer too (RFC 5227). */
static void
ask_neighbour(void *context, const struct neigh *neigh, const struct mac *destination)
{
	struct forwarder *forwarder = context;
	const struct iface *iface = &forwarder->ifaces[neigh->iface];
	const struct addr *own = iface_address(iface, ADDR_IPV4);
	const struct arp request = {
		.operation = ARP_REQUEST,
		.sender_mac = iface->mac,
		.sender = own != NULL ? *own : (struct addr) { .family = ADDR_IPV4 },
		.target = neigh->addr,
	};
	const struct frame *frame = craft_arp(forwarder->craft, destination, &request);

	if (frame == NULL)
		return;
	emit(forwarder, frame, neigh->iface);
	forwarder->stats.neighbour_requests++;
}

void
forward_tick(struct forwarder *forwarder, uint64_t now)
{
	conn_expire(forwarder->conns, now, EXPIRE_BUDGET);
	neigh_tick(forwarder->neighbours, now, ask_neighbour, forwarder);
	forwarder->stats.announcements += announcer_tick(forwarder->announcer, forwarder->craft, forwarder->ifaces,
	    &forwarder->emitter, now);
}

int
forwarder_init(struct forwarder *forwarder, uint32_t connections, const struct siphash_key *key, neigh_watch *watch,
    void *context, char *error, size_t size)
{
	memset(forwarder, 0, sizeof(*forwarder));
	forwarder->craft = craft_new(error, size);
	if (forwarder->craft == NULL)
		return -1;
	forwarder->conns = conn_table_new(connections, key);
	forwarder->neighbours = neigh_table_new(watch, context);
	forwarder->announcer = announcer_new();
	forwarder->scratch = malloc(FRAME_MOST);
	if (forwarder->conns == NULL || forwarder->neighbours == NULL || forwarder->announcer == NULL ||
	    forwarder->scratch == NULL) {
		snprintf(error, size, "not enough memory for %u connections", connections);
		forwarder_clear(forwarder);
		return -1;
	}
	conn_table_on_gone(forwarder->conns, account_gone, forwarder);
	return 0;
}

void
forwarder_clear(struct forwarder *forwarder)
{
	if (forwarder->conns != NULL)
		conn_table_on_gone(forwarder->conns, NULL, NULL);
	conn_table_free(forwarder->conns);
	neigh_table_free(forwarder->neighbours);
	announcer_free(forwarder->announcer);
	craft_free(forwarder->craft);
	free(forwarder->scratch);
	memset(forwarder, 0, sizeof(*forwarder));
}

const char *
verdict_name(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_PASS:
		return "pass";
	case VERDICT_CONSUMED:
		return "consumed";
	case VERDICT_FORWARD:
		return "forward";
	case VERDICT_DROP:
		return "drop";
	}
	return "?";
}
