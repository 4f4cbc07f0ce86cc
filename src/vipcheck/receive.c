/* SPDX-License-Identifier: ISC */
/* Matches frames to probes. An answer is accepted only if it repeats what only the probe contained. */
#include "config.h"

#include "base/bytes.h"
#include "proto/icmp.h"
#include "vipcheck/vipcheck_int.h"

#define TCP_HEADER 20
#define TCP_WINDOW 14     /* offsets and options: RFC 9293 section 3.1 and 3.2 */
#define OPTION_END 0
#define OPTION_NOTHING 1
#define OPTION_MSS 2
#define OPTION_MSS_LENGTH 4

#define V4_REDIRECT 5     /* RFC 792 */
#define V6_REDIRECT 137   /* RFC 4861 section 4.5 */

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
		if (open->check->tags[open->probe] == tag)
			return open->check->round.replies[open->probe].answer == ANSWER_AWAITED;
	return false;
}

static const struct addr *
receive_probe_source(const struct open_probe *open)
{
	const struct evidence *round = &open->check->round;

	return open->probe == PROBE_OWN || open->probe == PROBE_OWN_ECHO ? &round->own_source : &round->source;
}

static const struct addr *
receive_probe_target(const struct open_probe *open)
{
	return open->probe == PROBE_OWN || open->probe == PROBE_OWN_ECHO ? &open->check->server->settings.addr :
	    &open->check->vip;
}

static bool
receive_is_ping(const struct open_probe *open)
{
	return open->probe == PROBE_VIP_ECHO || open->probe == PROBE_OWN_ECHO;
}

static enum vipcheck_heard
receive_note(struct vipcheck_table *table, const struct open_probe *open, enum answer answer,
    const struct packet *packet,
    const struct vipcheck_tx *means, uint64_t now)
{
	struct reply *reply = &open->check->round.replies[open->probe];

	reply->answer = answer;
	reply->answered = now;
	reply->mac = packet->ether_source;
	reply->from = packet->source;
	reply->hop_limit = packet->hop_limit;
	reply->dont_fragment = packet->dont_fragment;
	reply->icmp_type = packet->icmp_type;
	reply->icmp_code = packet->icmp_code;
	vipcheck_advance(table, open->check, means, now);
	return answer == ANSWER_BOUNCED ? VIPCHECK_CAME_BACK : VIPCHECK_ANSWERED;
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

	if (open->check->protocol != PROTOCOL_TCP ||
	    packet->source_port != vipcheck_probe_port(open->check, open->probe) ||
	    (packet->tcp_flags & TCP_ACK) == 0 || packet->tcp_acknowledgement != open->check->sequences[open->probe] + 1)
		return VIPCHECK_NOT_OURS;
	if ((packet->tcp_flags & TCP_RST) != 0)
		return receive_note(table, open, ANSWER_RESET, packet, means, now);
	if ((packet->tcp_flags & TCP_SYN) == 0)
		return VIPCHECK_NOT_OURS;
	reply->mss = receive_read_mss(frame, packet);
	reply->window = load16(frame->bytes + packet->l4 + TCP_WINDOW);
	vipcheck_send_reset(open->check, frame, packet, means);
	return receive_note(table, open, ANSWER_SYN_ACK, packet, means, now);
}

/* TCP and UDP: back from the network, or an answer. */
static enum vipcheck_heard
receive_transport(struct vipcheck_table *table, const struct frame *frame, const struct packet *packet,
    const struct vipcheck_tx *means, uint64_t now)
{
	struct open_probe open;

	if (!packet->has_ports)
		return VIPCHECK_NOT_OURS;
	if (receive_find_probe(table, packet->source_port, &open) && addr_equal(&packet->source, receive_probe_source(&open)) &&
	    addr_equal(&packet->destination, receive_probe_target(&open)))
		return receive_note(table, &open, ANSWER_BOUNCED, packet, means, now);
	if (receive_find_probe(table, packet->destination_port, &open) && !receive_is_ping(&open) &&
	    addr_equal(&packet->destination, receive_probe_source(&open))) {
		if (packet->protocol == PROTOCOL_TCP)
			return receive_tcp(table, &open, frame, packet, means, now);
		if (packet->protocol == PROTOCOL_UDP && open.check->protocol == PROTOCOL_UDP &&
		    packet->source_port == vipcheck_probe_port(open.check, open.probe))
			return receive_note(table, &open, ANSWER_DATA, packet, means, now);
		return VIPCHECK_NOT_OURS;
	}
	/* Too late for its round: the server still waits for a reset. Our own host's kernel handles its own address. */
	if (packet->protocol == PROTOCOL_TCP && (packet->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) &&
	    probe_addr_answers(means->probe_addrs, frame->iface, &packet->destination)) {
		vipcheck_send_reset(NULL, frame, packet, means);
		return VIPCHECK_ANSWERED;
	}
	return VIPCHECK_NOT_OURS;
}

static enum vipcheck_heard
receive_error(struct vipcheck_table *table, const struct frame *frame, const struct packet *packet,
    const struct vipcheck_tx *means, uint64_t now)
{
	struct icmp_inner inner;
	struct open_probe open;

	if (icmp_inner(frame, packet, &inner) == -1 || !inner.has_ports ||
	    !receive_find_probe(table, inner.source_port, &open) || receive_is_ping(&open) ||
	    inner.protocol != open.check->protocol || !addr_equal(&inner.source, receive_probe_source(&open)) ||
	    !addr_equal(&inner.destination, receive_probe_target(&open)) ||
	    inner.destination_port != vipcheck_probe_port(open.check, open.probe))
		return VIPCHECK_NOT_OURS;
	return receive_note(table, &open, ANSWER_UNREACHABLE, packet, means, now);
}

static enum vipcheck_heard
receive_echo(struct vipcheck_table *table, const struct frame *frame, const struct packet *packet,
    const struct vipcheck_tx *means, uint64_t now)
{
	const bool request = icmp_is_echo_request(packet);
	struct icmp_echo echo;
	struct open_probe open;

	if (icmp_echo(frame, packet, &echo) == -1 || !receive_find_probe(table, echo.identifier, &open) || !receive_is_ping(&open) ||
	    echo.sequence != (uint16_t)open.check->sequences[open.probe])
		return VIPCHECK_NOT_OURS;
	if (request && addr_equal(&packet->source, receive_probe_source(&open)) && addr_equal(&packet->destination, receive_probe_target(&open)))
		return receive_note(table, &open, ANSWER_BOUNCED, packet, means, now);
	if (!request && addr_equal(&packet->destination, receive_probe_source(&open)))
		return receive_note(table, &open, ANSWER_ECHO, packet, means, now);
	return VIPCHECK_NOT_OURS;
}

/* An ICMP redirect shows that the server forwards; whether it forwarded our probe, the probe's return shows. */
static enum vipcheck_heard
receive_redirect(struct vipcheck_table *table, const struct packet *packet)
{
	enum vipcheck_heard heard = VIPCHECK_NOT_OURS;

	for (size_t i = 0; i < table->count; i++) {
		struct vipcheck *check = table->checks[i];

		if (!check->asking || check->control || !mac_equal(&check->round.server_mac, &packet->ether_source) ||
		    !addr_equal(&packet->destination, &check->round.source))
			continue;
		check->round.redirected = true;
		heard = VIPCHECK_ANSWERED;
	}
	return heard;
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
		if (packet->icmp_type == V4_REDIRECT)
			return receive_redirect(table, packet);
		break;
	case PROTOCOL_ICMPV6:
		if (packet->icmp_type == V6_REDIRECT)
			return receive_redirect(table, packet);
		break;
	default:
		return VIPCHECK_NOT_OURS;
	}
	if (icmp_is_error(packet))
		return receive_error(table, frame, packet, means, now);
	return receive_echo(table, frame, packet, means, now);
}

/*
 * Only while nothing but the VIP was probed, and only for a server with a single open probe: otherwise the request
 * could be due to another answer.
 */
void
vipcheck_receive_request(struct vipcheck_table *table, const struct mac *mac, const struct addr *target, const struct addr *sender)
{
	struct vipcheck *probed = NULL;

	for (size_t i = 0; i < table->count; i++) {
		struct vipcheck *check = table->checks[i];

		if (!check->asking || !mac_equal(&check->round.server_mac, mac))
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
