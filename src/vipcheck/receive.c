/* SPDX-License-Identifier: ISC */
/* Matches frames to probes. An answer is accepted only if it repeats what only the probe contained. */
#include "config.h"

#include <string.h>

#include "base/bytes.h"
#include "proto/icmp.h"
#include "vipcheck/vipcheck_int.h"

#define TCP_HEADER 20
#define TCP_WINDOW 14     /* offsets and options: RFC 9293 section 3.1 and 3.2 */
#define OPTION_END 0
#define OPTION_NOTHING 1
#define OPTION_MSS 2
#define OPTION_MSS_LENGTH 4

#define IDENTIFICATION 4  /* RFC 791 section 3.1: an offset */
#define IDENT4 0xffff     /* the bits of probe_secret.ident that there is room for: RFC 791, RFC 8200 section 3 */
#define IDENT6 0xfffff

struct open_probe {
	struct vipcheck *check;
	enum probe probe;
};

/* False when no probe was sent from there. */
static bool
receive_find_probe(const struct vipcheck_table *table, uint16_t tag, struct open_probe *open)
{
	if (tag < VIPCHECK_TAG_FIRST || tag > VIPCHECK_TAG_LAST)
		return false;
	open->check = table->by_tag[tag - VIPCHECK_TAG_FIRST];
	if (open->check == NULL || !open->check->asking)
		return false;
	for (open->probe = 0; open->probe < PROBE_COUNT; open->probe++)
		if (open->check->secrets[open->probe].tag == tag)
			return open->check->round.replies[open->probe].answer == ANSWER_AWAITED;
	return false;
}

static bool
receive_is_own(const struct open_probe *open)
{
	return open->probe == PROBE_OWN || open->probe == PROBE_OWN_ECHO || open->probe == PROBE_TUNNEL_ECHO;
}

static const struct addr *
receive_probe_source(const struct open_probe *open)
{
	const struct evidence *round = &open->check->round;

	return receive_is_own(open) ? &round->own_source : &round->source;
}

static const struct addr *
receive_probe_target(const struct open_probe *open)
{
	return receive_is_own(open) ? &open->check->server->settings.addr : &open->check->vip;
}

static bool
receive_is_ping(const struct open_probe *open)
{
	return open->probe == PROBE_VIP_ECHO || open->probe == PROBE_OWN_ECHO || open->probe == PROBE_TUNNEL_ECHO;
}

static const struct probe_secret *
receive_secret(const struct open_probe *open)
{
	return &open->check->secrets[open->probe];
}

static enum vipcheck_heard
receive_note(struct vipcheck_table *table, const struct open_probe *open, enum answer answer, enum proof proof,
    const struct packet *packet, const struct vipcheck_tx *means, uint64_t now)
{
	struct reply *reply = &open->check->round.replies[open->probe];

	reply->answer = answer;
	reply->answered = now;
	reply->proof = proof;
	reply->mac = packet->ether_source;
	reply->from = packet->source;
	reply->hop_limit = packet->hop_limit;
	reply->dont_fragment = packet->dont_fragment;
	reply->icmp_type = packet->icmp_type;
	reply->icmp_code = packet->icmp_code;
	vipcheck_advance(table, open->check, means, now);
	return answer == ANSWER_BOUNCED ? VIPCHECK_CAME_BACK : VIPCHECK_ANSWERED;
}

/* It came to the probe's tag and proves nothing: forged, or late. The true answer is still awaited. */
static enum vipcheck_heard
receive_refuse(const struct open_probe *open, const struct packet *packet)
{
	struct evidence *round = &open->check->round;

	round->refused++;
	round->refused_probe = open->probe;
	round->refused_mac = packet->ether_source;
	round->refused_from = packet->source;
	return VIPCHECK_NOT_OURS;
}

/* The maximum segment size option, or 0. */
static uint16_t
receive_read_mss(const struct frame *frame, const struct packet *packet)
{
	uint32_t at = (uint32_t)packet->l4 + TCP_HEADER;

	while (at + 1 < packet->payload && frame->bytes[at] != OPTION_END) {
		const uint8_t length = frame->bytes[at] == OPTION_NOTHING ? 1 : frame->bytes[at + 1];

		if (length == 0 || at + length > packet->payload)
			break;
		if (frame->bytes[at] == OPTION_MSS && length == OPTION_MSS_LENGTH)
			return load16(frame->bytes + at + 2);
		at += length;
	}
	return 0;
}

static enum vipcheck_heard
receive_tcp(struct vipcheck_table *table, const struct open_probe *open, const struct frame *frame,
    const struct packet *packet, const struct vipcheck_tx *means, uint64_t now)
{
	struct reply *reply = &open->check->round.replies[open->probe];

	if ((packet->tcp_flags & TCP_ACK) == 0 || packet->tcp_acknowledgement != receive_secret(open)->sequence + 1)
		return receive_refuse(open, packet);
	if ((packet->tcp_flags & TCP_RST) != 0)
		return receive_note(table, open, ANSWER_RESET, PROOF_NUMBER, packet, means, now);
	if ((packet->tcp_flags & TCP_SYN) == 0)
		return VIPCHECK_NOT_OURS;
	reply->mss = receive_read_mss(frame, packet);
	reply->window = load16(frame->bytes + packet->l4 + TCP_WINDOW);
	vipcheck_send_reset(open->check, frame, packet, means);
	return receive_note(table, open, ANSWER_SYN_ACK, PROOF_NUMBER, packet, means, now);
}

/* Any host can send a datagram to the port, so it must come from the server's MAC. */
static enum vipcheck_heard
receive_udp(struct vipcheck_table *table, const struct open_probe *open, const struct packet *packet,
    const struct vipcheck_tx *means, uint64_t now)
{
	if (!mac_equal(&packet->ether_source, &open->check->round.server_mac))
		return receive_refuse(open, packet);
	return receive_note(table, open, ANSWER_DATA, PROOF_SENDER, packet, means, now);
}

/* Do these, of a probe that was quoted or came back, have the random part of the one that was sent? */
static bool
receive_is_probe(const struct open_probe *open, uint32_t second, uint32_t ident)
{
	const struct probe_secret *secret = receive_secret(open);
	const uint32_t bits = receive_probe_target(open)->family == ADDR_IPV4 ? IDENT4 : IDENT6;

	/* TCP's sequence number will do. */
	return second == secret->second && (open->check->protocol == PROTOCOL_TCP || ident == (secret->ident & bits));
}

/* The probe itself, from the network: one hop further at least, as routers count (RFC 1812 section 5.3.1). */
static enum vipcheck_heard
receive_back(struct vipcheck_table *table, const struct open_probe *open, const struct frame *frame,
    const struct packet *packet, const struct vipcheck_tx *means, uint64_t now)
{
	const uint8_t *ip = frame->bytes + packet->l3;
	const uint32_t ident = packet->source.family == ADDR_IPV4 ? load16(ip + IDENTIFICATION) : load32(ip) & IDENT6;

	if (packet->protocol != open->check->protocol || packet->hop_limit >= CRAFT_HOP_LIMIT ||
	    !receive_is_probe(open, load32(frame->bytes + packet->l4 + 4), ident))
		return receive_refuse(open, packet);
	return receive_note(table, open, ANSWER_BOUNCED, PROOF_QUOTED, packet, means, now);
}

/* TCP and UDP: back from the network, or an answer. */
static enum vipcheck_heard
receive_transport(struct vipcheck_table *table, const struct frame *frame, const struct packet *packet,
    const struct vipcheck_tx *means, uint64_t now)
{
	struct open_probe open;

	if (!packet->has_ports)
		return VIPCHECK_NOT_OURS;
	if (receive_find_probe(table, packet->source_port, &open) && !receive_is_ping(&open) &&
	    addr_equal(&packet->source, receive_probe_source(&open)) &&
	    addr_equal(&packet->destination, receive_probe_target(&open)))
		return receive_back(table, &open, frame, packet, means, now);
	if (receive_find_probe(table, packet->destination_port, &open) && !receive_is_ping(&open) &&
	    addr_equal(&packet->destination, receive_probe_source(&open))) {
		if (packet->protocol != open.check->protocol ||
		    packet->source_port != vipcheck_probe_port(open.check, open.probe))
			return receive_refuse(&open, packet);
		return packet->protocol == PROTOCOL_TCP ? receive_tcp(table, &open, frame, packet, means, now) :
		    receive_udp(table, &open, packet, means, now);
	}
	/* Too late for its round: the server still waits for a reset. Our own host's kernel handles its own address. */
	if (packet->protocol == PROTOCOL_TCP && (packet->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) &&
	    probe_addr_answers(means->probe_addrs, frame->iface, &packet->destination)) {
		vipcheck_send_reset(NULL, frame, packet, means);
		return VIPCHECK_ANSWERED;
	}
	return VIPCHECK_NOT_OURS;
}

/* Which probe is quoted? False: none that is open. */
static bool
receive_find_quoted(const struct vipcheck_table *table, const struct icmp_inner *inner, struct open_probe *open)
{
	return inner->has_ports && receive_find_probe(table, inner->source_port, open) && !receive_is_ping(open) &&
	    inner->protocol == open->check->protocol && addr_equal(&inner->source, receive_probe_source(open)) &&
	    addr_equal(&inner->destination, receive_probe_target(open)) &&
	    inner->destination_port == vipcheck_probe_port(open->check, open->probe);
}

/* An error about the packet that took the probe to the server, as the probe in it proves. */
static enum vipcheck_heard
receive_tunnel_error(struct vipcheck_table *table, const struct frame *frame, const struct packet *packet,
    const struct vipcheck_tx *means, uint64_t now)
{
	struct icmp_tunnel tunnel;
	struct open_probe open;

	if (icmp_tunnel(frame, packet, &tunnel) == -1 || !receive_find_quoted(table, &tunnel.inner, &open) ||
	    !addr_equal(&tunnel.outer.destination, &open.check->server->settings.addr))
		return VIPCHECK_NOT_OURS;
	if (tunnel.cause == ICMP_CAUSE_TOO_BIG || !receive_is_probe(&open, tunnel.inner.second, tunnel.inner.ident))
		return receive_refuse(&open, packet);
	open.check->round.replies[open.probe].cause = tunnel.cause;
	return receive_note(table, &open, ANSWER_UNREACHABLE, PROOF_QUOTED, packet, means, now);
}

static enum vipcheck_heard
receive_error(struct vipcheck_table *table, const struct frame *frame, const struct packet *packet,
    const struct vipcheck_tx *means, uint64_t now)
{
	struct icmp_inner inner;
	struct open_probe open;

	if (icmp_inner(frame, packet, &inner) == -1 || !receive_find_quoted(table, &inner, &open))
		return receive_tunnel_error(table, frame, packet, means, now);
	if (!receive_is_probe(&open, inner.second, inner.ident))
		return receive_refuse(&open, packet);
	return receive_note(table, &open, ANSWER_UNREACHABLE, PROOF_QUOTED, packet, means, now);
}

static bool
receive_has_nonce(const struct open_probe *open, const struct frame *frame, const struct packet *packet,
    const struct icmp_echo *echo)
{
	const struct probe_secret *secret = receive_secret(open);

	return echo->sequence == (uint16_t)secret->sequence && packet->end - echo->data == VIPCHECK_PING &&
	    memcmp(frame->bytes + packet->end - VIPCHECK_NONCE, secret->nonce, VIPCHECK_NONCE) == 0;
}

static enum vipcheck_heard
receive_echo(struct vipcheck_table *table, const struct frame *frame, const struct packet *packet,
    const struct vipcheck_tx *means, uint64_t now)
{
	const bool request = icmp_is_echo_request(packet);
	struct icmp_echo echo;
	struct open_probe open;

	if (icmp_echo(frame, packet, &echo) == -1 || !receive_find_probe(table, echo.identifier, &open) ||
	    !receive_is_ping(&open) || !addr_equal(request ? &packet->source : &packet->destination,
	    receive_probe_source(&open)) || (request && !addr_equal(&packet->destination, receive_probe_target(&open))))
		return VIPCHECK_NOT_OURS;
	if (!receive_has_nonce(&open, frame, packet, &echo) || (request && packet->hop_limit >= CRAFT_HOP_LIMIT))
		return receive_refuse(&open, packet);
	return receive_note(table, &open, request ? ANSWER_BOUNCED : ANSWER_ECHO, PROOF_NONCE, packet, means, now);
}

/*
 * An ICMP redirect shows that the server forwards; whether it forwarded our probe, the probe's return shows. It must
 * quote a probe that the server got. Hosts limit redirects, so one is about all checks of that server.
 */
static enum vipcheck_heard
receive_redirect(struct vipcheck_table *table, const struct frame *frame, const struct packet *packet)
{
	struct icmp_inner inner;
	struct open_probe open;

	if (icmp_redirected(frame, packet, &inner) == -1 || !receive_find_quoted(table, &inner, &open))
		return VIPCHECK_NOT_OURS;
	if (!receive_is_probe(&open, inner.second, inner.ident) || server_is_routed(open.check->server) ||
	    !mac_equal(&open.check->round.server_mac, &packet->ether_source))
		return receive_refuse(&open, packet);
	for (size_t i = 0; i < table->count; i++) {
		struct vipcheck *check = table->checks[i];

		if (check->asking && !check->control && mac_equal(&check->round.server_mac, &packet->ether_source) &&
		    addr_equal(&packet->destination, &check->round.source))
			check->round.redirected = true;
	}
	return VIPCHECK_ANSWERED;
}

enum vipcheck_heard
vipcheck_receive(struct vipcheck_table *table, const struct frame *frame, const struct packet *packet,
    const struct vipcheck_tx *means, uint64_t now)
{
	if (table->count == 0 || packet->fragment)
		return VIPCHECK_NOT_OURS;
	switch (packet->protocol) {
	case PROTOCOL_TCP:
	case PROTOCOL_UDP:
		return receive_transport(table, frame, packet, means, now);
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		break;
	default:
		return VIPCHECK_NOT_OURS;
	}
	if (icmp_is_redirect(packet))
		return receive_redirect(table, frame, packet);
	if (icmp_is_error(packet))
		return receive_error(table, frame, packet, means, now);
	return receive_echo(table, frame, packet, means, now);
}

/*
 * Only while nothing but the VIP was probed, and only for a server with a single open probe: otherwise the request
 * could be due to another answer.
 */
void
vipcheck_receive_request(struct vipcheck_table *table, const struct mac *mac, const struct addr *target,
    const struct addr *sender)
{
	struct vipcheck *probed = NULL;

	for (size_t i = 0; i < table->count; i++) {
		struct vipcheck *check = table->checks[i];

		/* Behind a router it is the router that resolves addresses, for whom one cannot know. */
		if (!check->asking || server_is_routed(check->server) || !mac_equal(&check->round.server_mac, mac))
			continue;
		if (probed != NULL || check->control)
			return;
		probed = check;
	}
	if (probed == NULL || probed->round.borrowed || !addr_equal(&probed->round.source, target))
		return;
	probed->round.resolved_source = true;
	probed->round.resolved_as = *sender;
}
