/* SPDX-License-Identifier: ISC */
/* One round of probes: the source address, the probes, the end. */
#include "config.h"

#include <string.h>

#include "base/bytes.h"
#include "base/duration.h"
#include "vipcheck/vipcheck_int.h"

/* Timers are no finer than this, so that many checks are handled in one pass. */
#define GRAIN MILLISECONDS(10)
/* How soon to look again for a source that is about to be there. */
#define WAIT_FOR_SOURCE MILLISECONDS(100)

#define ICMP_HOLDS SECONDS(10)

#define WINDOW 64240 /* a client's usual window in a SYN on Ethernet; nothing is ever received */

/* tcpmux and the port after it (RFC 1078), which are not in use. */
#define CLOSED_PORT 1
#define CLOSED_PORT_ELSE 2

static bool
round_is_own(enum probe probe)
{
	return probe == PROBE_OWN || probe == PROBE_OWN_ECHO || probe == PROBE_TUNNEL_ECHO;
}

static bool
round_has_payload(const struct vipcheck *check)
{
	return check->protocol == PROTOCOL_UDP && check->port != 0 &&
	    check->server->service->settings.vip_payload.given;
}

uint16_t
vipcheck_probe_port(const struct vipcheck *check, enum probe probe)
{
	if (probe != PROBE_VIP_CLOSED)
		return check->port;
	return check->port != CLOSED_PORT ? CLOSED_PORT : CLOSED_PORT_ELSE;
}

/* A free port, or identifier, for answers to come to, which no host can foresee; 0: all are in use. */
static uint16_t
round_take_tag(struct vipcheck_table *table, struct vipcheck *check)
{
	const uint64_t first = vipcheck_random(table);

	for (unsigned tries = 0; tries < VIPCHECK_TAGS; tries++) {
		const uint16_t tag = (uint16_t)((first + tries) % VIPCHECK_TAGS);

		if (table->by_tag[tag] != NULL)
			continue;
		table->by_tag[tag] = check;
		return (uint16_t)(VIPCHECK_TAG_FIRST + tag);
	}
	return 0;
}

static struct craft_ends
round_ends(const struct vipcheck *check, enum probe probe, const struct vipcheck_tx *means)
{
	struct craft_ends ends = {
		.ether_source = means->ifaces[check->round.iface].mac,
		.ether_destination = check->round.server_mac,
		.source = round_is_own(probe) ? check->round.own_source : check->round.source,
		.destination = round_is_own(probe) ? check->server->settings.addr : check->vip,
	};

	return ends;
}

static const struct frame *
round_make_syn(const struct vipcheck *check, enum probe probe, const struct craft_ends *ends,
    const struct vipcheck_tx *means)
{
	/* IP and TCP without options: RFC 9293 3.7.1 */
	const uint32_t headers = ends->source.family == ADDR_IPV4 ? 40 : 60;
	const struct craft_tcp tcp = {
		.ends = *ends,
		.source_port = check->secrets[probe].tag,
		.destination_port = vipcheck_probe_port(check, probe),
		.sequence = check->secrets[probe].sequence,
		.flags = TCP_SYN,
		.window = WINDOW,
		.mss = (uint16_t)(means->ifaces[check->round.iface].mtu - headers),
	};

	return craft_tcp(means->craft, &tcp);
}

static const struct frame *
round_make_datagram(const struct vipcheck *check, enum probe probe, const struct craft_ends *ends,
    const struct vipcheck_tx *means)
{
	const struct check_bytes *payload = &check->server->service->settings.vip_payload;
	const bool says = probe != PROBE_VIP_CLOSED;
	const struct craft_udp udp = {
		.ends = *ends,
		.source_port = check->secrets[probe].tag,
		.destination_port = vipcheck_probe_port(check, probe),
		.data = says ? payload->bytes : check->secrets[probe].nonce,
		.length = says ? payload->length : VIPCHECK_NONCE,
	};

	return craft_udp(means->craft, &udp);
}

static const struct frame *
round_make_ping(const struct vipcheck *check, enum probe probe, const struct craft_ends *ends,
    const struct vipcheck_tx *means)
{
	uint8_t data[VIPCHECK_PING] = "dsrd VIP check";
	const struct craft_echo echo = {
		.ends = *ends,
		.identifier = check->secrets[probe].tag,
		.sequence = (uint16_t)check->secrets[probe].sequence,
		.data = data,
		.length = sizeof(data),
	};

	memcpy(data + VIPCHECK_PING - VIPCHECK_NONCE, check->secrets[probe].nonce, VIPCHECK_NONCE);
	return craft_echo(means->craft, &echo);
}

#define ROUND_IPV4_BYTES 20 /* of a header without options: what craft.h makes */
#define ROUND_IPV6_BYTES 40

/* False: no tag is free. */
static bool
round_draw_secret(struct vipcheck_table *table, struct vipcheck *check, enum probe probe)
{
	struct probe_secret *secret = &check->secrets[probe];
	const uint64_t numbers = vipcheck_random(table), nonce = vipcheck_random(table);

	secret->tag = round_take_tag(table, check);
	secret->sequence = (uint32_t)numbers;
	secret->ident = (uint32_t)(numbers >> 32);
	memcpy(secret->nonce, &nonce, VIPCHECK_NONCE);
	return secret->tag != 0;
}

/* What an error about the probe will quote. */
static uint32_t
round_second_word(const struct frame *made, const struct craft_ends *ends)
{
	return load32(made->bytes + ETHER_HEADER + (ends->source.family == ADDR_IPV4 ? ROUND_IPV4_BYTES :
	    ROUND_IPV6_BYTES) + 4);
}

/* What craft.h makes of a probe, with `vip-payload` and the headers of the largest tunnel. */
#define PROBE_BYTES 512

/* The VIP's, where a server with method dscp knows it by that. */
static uint8_t
round_dscp(const struct vipcheck *check)
{
	const struct service_settings *service = &check->server->service->settings;

	for (size_t i = 0; i < service->listen_count; i++)
		if (addr_equal(&service->listens[i].vip, &check->vip) && service->listens[i].dscp != 0)
			return service->listens[i].dscp;
	return 0;
}

/*
 * Sends a frame that is for the VIP as clients' packets are sent to this server: by its method. One that does not fit
 * is not sent, and its answer does not come.
 */
static void
round_emit(const struct vipcheck *check, const struct frame *made, uint16_t iface, const struct vipcheck_tx *means)
{
	const struct server *server = check->server;
	uint8_t bytes[PROBE_BYTES + ENCAP_HEADER_MOST];
	struct frame frame = frame_of(bytes, made == NULL ? 0 : made->length, iface);
	struct packet packet;
	struct encap encap;

	if (made == NULL || server->settings.method == ENCAP_MAC) {
		(void)frame_tx_send(means->tx, made, iface);
		return;
	}
	if (made->length > PROBE_BYTES || packet_parse(made, &packet) != PACKET_OK)
		return;
	if (server->settings.method == ENCAP_DSCP) {
		memcpy(bytes, made->bytes, made->length);
		if (encap_readdress(&frame, &packet, &server->settings.addr, round_dscp(check)))
			(void)frame_tx_send(means->tx, &frame, iface);
		return;
	}
	encap_prepare(&encap, server->settings.method, &server->source, &server->settings.addr,
	    (enum addr_family)packet.source.family);
	if (encap_wrap(&encap, made, &packet, (uint32_t)packet.source_port << 16, bytes, &frame))
		(void)frame_tx_send(means->tx, &frame, iface);
}

static void
round_send(struct vipcheck_table *table, struct vipcheck *check, enum probe probe,
    const struct vipcheck_tx *means, uint64_t now)
{
	struct craft_ends ends = round_ends(check, probe, means);
	const struct frame *made;

	/* A probe that is sent again is the same one: a late answer counts. */
	if (!addr_is_set(&ends.source) || (check->secrets[probe].tag == 0 && !round_draw_secret(table, check, probe)))
		return;
	ends.ident = check->secrets[probe].ident;
	if (probe == PROBE_VIP_ECHO || probe == PROBE_OWN_ECHO || probe == PROBE_TUNNEL_ECHO)
		made = round_make_ping(check, probe, &ends, means);
	else if (check->protocol == PROTOCOL_TCP)
		made = round_make_syn(check, probe, &ends, means);
	else
		made = round_make_datagram(check, probe, &ends, means);
	if (made == NULL)
		return;
	check->secrets[probe].second = round_second_word(made, &ends);
	check->round.replies[probe] = (struct reply) { .answer = ANSWER_AWAITED, .asked = now };
	if (round_is_own(probe) && probe != PROBE_TUNNEL_ECHO)
		(void)frame_tx_send(means->tx, made, check->round.iface);
	else
		round_emit(check, made, check->round.iface, means);
}

static void
round_send_controls(struct vipcheck_table *table, struct vipcheck *check, const struct vipcheck_tx *means, uint64_t now)
{
	check->control = true;
	check->due = now + check->server->service->settings.timeout;
	/* Once more beside its control: what both met is comparable, and a moment's loss met neither or both. */
	if (check->round.replies[PROBE_VIP].answer == ANSWER_SILENCE)
		round_send(table, check, PROBE_VIP, means, now);
	if (check->protocol == PROTOCOL_TCP || round_has_payload(check))
		round_send(table, check, PROBE_OWN, means, now);
	round_send(table, check, PROBE_VIP_CLOSED, means, now);
	round_send(table, check, PROBE_VIP_ECHO, means, now);
	round_send(table, check, PROBE_OWN_ECHO, means, now);
	if (encap_is_tunnel(check->server->settings.method))
		round_send(table, check, PROBE_TUNNEL_ECHO, means, now);
}

/* An address of ours that others can answer to: a link-local address is not a valid source for packets to a VIP. */
static struct addr
round_borrow(const struct iface *iface, enum addr_family family)
{
	for (size_t i = 0; i < iface->address_count; i++) {
		const struct addr *addr = &iface->addresses[i].addr;

		/* fe80::/10, RFC 4291 section 2.5.6 */
		if (addr->family == family && !(family == ADDR_IPV6 && addr->bytes[0] == 0xfe &&
		    (addr->bytes[1] & 0xc0) == 0x80))
			return *addr;
	}
	return (struct addr) { .family = ADDR_NONE };
}

static struct addr
round_source_for(const struct vipcheck *check, enum addr_family family, const struct vipcheck_tx *means)
{
	const struct addr *claimed = probe_addr_source(means->probe_addrs, check->server->iface, family);

	return claimed != NULL ? *claimed : round_borrow(&means->ifaces[check->server->iface], family);
}

static uint64_t
round_next(struct vipcheck_table *table, const struct vipcheck *check, uint64_t now)
{
	const uint64_t interval = check->server->service->settings.interval;
	/* Plus or minus a thirty-second, so that checks do not stay in step. */
	const uint64_t due = check->round.began + interval - interval / 32 +
	    vipcheck_random(table) % (interval / 16 + 1);

	return due > now ? due : now + GRAIN;
}

/* The failure reason passed to health_report() does not matter: the verdict is more precise. */
static void
round_report(struct vipcheck *check, uint64_t now)
{
	const struct service_settings *service = &check->server->service->settings;

	switch (vipcheck_verdict_class(check->verdict)) {
	case VIPCHECK_UNSURE:
		break;
	case VIPCHECK_GOOD:
		(void)health_report(&check->health, HEALTH_REASON_NONE, service->rise, service->fall, now);
		break;
	case VIPCHECK_BAD:
		check->blame = check->verdict;
		(void)health_report(&check->health, HEALTH_REASON_UNREACHABLE, service->rise, service->fall, now);
		break;
	}
}

static bool
round_set_by_icmp(const struct vipcheck *check, enum vipcheck_verdict verdict)
{
	return vipcheck_verdict_class(verdict) == VIPCHECK_BAD &&
	    (check->last.redirected || check->last.replies[PROBE_VIP].answer == ANSWER_UNREACHABLE);
}

static bool
round_rests_on_silence(enum vipcheck_verdict verdict)
{
	return verdict == VIPCHECK_IGNORED || verdict == VIPCHECK_FILTERED || verdict == VIPCHECK_LOST ||
	    verdict == VIPCHECK_TUNNEL_SILENT;
}

/*
 * Hosts limit ICMP errors and redirects, so that a round may meet silence where the one before met an answer: Linux
 * sends one error a second (net.ipv4.icmp_ratelimit), and soon no more redirects (net/ipv4/route.c). So the last one
 * stays valid for a while.
 */
static enum vipcheck_verdict
round_judge(struct vipcheck *check, uint64_t now)
{
	const enum vipcheck_verdict verdict = vipcheck_judge(&check->last, check->protocol, &check->vip,
	    &check->server->settings.addr);

	/* In a flood the answer may have been lost in front of us. No flood takes a server down. */
	if (check->lossy && round_rests_on_silence(verdict))
		return ++check->unjudged >= VIPCHECK_UNJUDGED ? VIPCHECK_UNVERIFIED : VIPCHECK_LOSSY;
	check->unjudged = 0;
	if (round_set_by_icmp(check, verdict)) {
		check->by_icmp = verdict;
		check->icmp_at = now;
		return verdict;
	}
	if ((verdict == VIPCHECK_IGNORED || verdict == VIPCHECK_FILTERED || verdict == VIPCHECK_TUNNEL_SILENT) &&
	    check->by_icmp != VIPCHECK_NOT_CHECKED &&
	    now - check->icmp_at < ICMP_HOLDS)
		return check->by_icmp;
	if (vipcheck_verdict_class(verdict) == VIPCHECK_GOOD)
		check->by_icmp = VIPCHECK_NOT_CHECKED;
	return verdict;
}

static void
round_end(struct vipcheck_table *table, struct vipcheck *check, uint64_t now)
{
	const enum vipcheck_verdict before = check->verdict;
	const enum health_state state = check->health.state;
	const bool settled = check->settled;

	vipcheck_release_tags(table, check);
	check->asking = false;
	check->settled = true;
	check->round.ended = now;
	check->last = check->round;
	check->verdict = round_judge(check, now);
	check->due = check->unjudged > 0 ? now + GRAIN : round_next(table, check, now);
	round_report(check, now);
	if (check->verdict == before && check->health.state == state && settled)
		return;
	vipcheck_combine(table, check->server);
	if (table->news != NULL)
		table->news(table->context, check, before);
}

static void
round_start(struct vipcheck_table *table, struct vipcheck *check, const struct vipcheck_tx *means, uint64_t now)
{
	const struct server *server = check->server;

	if (probe_addr_pending(means->probe_addrs, server->iface, check->vip.family)) {
		check->due = now + WAIT_FOR_SOURCE;
		return;
	}
	memset(&check->round, 0, sizeof(check->round));
	check->round.began = now;
	check->lost = means->lost;
	check->lossy = false;
	check->round.server_mac = server->mac;
	check->round.iface = server->iface;
	check->round.method = (uint8_t)server->settings.method;
	check->round.source = round_source_for(check, check->vip.family, means);
	check->round.own_source = round_source_for(check, server->settings.addr.family, means);
	check->round.borrowed = probe_addr_source(means->probe_addrs, server->iface, check->vip.family) == NULL;
	/* The server has resolved our address once, and will not again: true as long as the silence lasts. */
	if (check->verdict == VIPCHECK_LOST) {
		check->round.resolved_source = check->last.resolved_source;
		check->round.resolved_as = check->last.resolved_as;
	}
	check->asking = true;
	check->control = false;
	check->due = now + server->service->settings.timeout;
	if (!addr_is_set(&check->round.source))
		round_end(table, check, now);
	else if (check->protocol == PROTOCOL_TCP || round_has_payload(check))
		round_send(table, check, PROBE_VIP, means, now);
	else
		round_send_controls(table, check, means, now);
}

static bool
round_awaits(const struct vipcheck *check)
{
	for (size_t i = 0; i < PROBE_COUNT; i++)
		if (check->round.replies[i].answer == ANSWER_AWAITED)
			return true;
	return false;
}

/* Needs no control probes: it is clear. They would cost further ICMP errors, of which hosts are sparing. */
static bool
round_is_clear(enum answer answer)
{
	return answer == ANSWER_SYN_ACK || answer == ANSWER_DATA || answer == ANSWER_ECHO || answer == ANSWER_BOUNCED ||
	    answer == ANSWER_UNREACHABLE;
}

void
vipcheck_advance(struct vipcheck_table *table, struct vipcheck *check, const struct vipcheck_tx *means, uint64_t now)
{
	if (round_is_clear(check->round.replies[PROBE_VIP].answer) ||
	    (check->round.replies[PROBE_VIP].answer == ANSWER_NOT_PROBED &&
	    round_is_clear(check->round.replies[PROBE_VIP_ECHO].answer)))
		round_end(table, check, now);
	else if (round_awaits(check))
		return;
	else if (!check->control)
		round_send_controls(table, check, means, now);
	else
		round_end(table, check, now);
}

/*
 * What arrived in time may not have been read in time: no answer is missing before that has been done. A director that
 * does not get there within another timeout has lost it as well as frames that the capture dropped.
 */
static bool
round_may_be_unread(const struct vipcheck *check, const struct vipcheck_tx *means, uint64_t now)
{
	return means->unread_since != 0 && means->unread_since <= check->due &&
	    now < check->due + check->server->service->settings.timeout;
}

static void
round_give_up_waiting(struct vipcheck_table *table, struct vipcheck *check, const struct vipcheck_tx *means,
    uint64_t now)
{
	for (size_t i = 0; i < PROBE_COUNT; i++)
		if (check->round.replies[i].answer == ANSWER_AWAITED)
			check->round.replies[i].answer = ANSWER_SILENCE;
	check->lossy |= means->lost != check->lost ||
	    (means->unread_since != 0 && means->unread_since <= check->due);
	vipcheck_advance(table, check, means, now);
}

static bool
round_can_begin(const struct vipcheck *check)
{
	return check->server->iface != IFACE_NONE && !mac_is_zero(&check->server->mac);
}

void
vipcheck_tick(struct vipcheck_table *table, const struct vipcheck_tx *means, uint64_t now)
{
	uint64_t due = UINT64_MAX;

	if (now < table->due)
		return;
	for (size_t i = 0; i < table->count; i++) {
		struct vipcheck *check = table->checks[i];

		if (!check->asking && !round_can_begin(check))
			continue;
		if (now >= check->due && check->asking && round_may_be_unread(check, means, now)) {
			due = now;
			continue;
		}
		if (now >= check->due && check->asking)
			round_give_up_waiting(table, check, means, now);
		else if (now >= check->due)
			round_start(table, check, means, now);
		if (check->due < due)
			due = check->due;
	}
	table->due = due == UINT64_MAX || due > now + GRAIN ? due : now + GRAIN;
}

/* A reset, so that the server drops the half-open connection immediately. */
void
vipcheck_send_reset(struct vipcheck *check, const struct frame *frame, const struct packet *packet,
    const struct vipcheck_tx *means)
{
	const struct craft_tcp tcp = {
		.ends = {
			.ether_source = means->ifaces[frame->iface].mac,
			.ether_destination = check != NULL ? check->round.server_mac : packet->ether_source,
			.source = packet->destination,
			.destination = packet->source,
		},
		.source_port = packet->destination_port,
		.destination_port = packet->source_port,
		.sequence = packet->tcp_acknowledgement,
		.flags = TCP_RST,
	};

	if (check != NULL && addr_equal(&packet->source, &check->vip))
		round_emit(check, craft_tcp(means->craft, &tcp), check->round.iface, means);
	else
		(void)frame_tx_send(means->tx, craft_tcp(means->craft, &tcp), frame->iface);
}
