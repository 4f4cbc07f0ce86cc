/* SPDX-License-Identifier: ISC */
/* One round of probes: the source address, the probes, the end. */
#include "config.h"

#include <string.h>

#include "base/duration.h"
#include "vipcheck/table.h"

/* Timers are no finer than this, so that many checks are handled in one pass. */
#define GRAIN MILLISECONDS(10)
/* How soon to look again for a source that is about to be there. */
#define WAIT_FOR_SOURCE MILLISECONDS(100)

#define ICMP_HOLDS SECONDS(10)

#define WINDOW 64240 /* a client's usual window in a SYN on Ethernet; nothing is ever received */
#define PING_BYTES 24

/* tcpmux and the port after it (RFC 1078), which are not in use. */
#define CLOSED_PORT 1
#define CLOSED_PORT_ELSE 2

static bool
is_own(enum question question)
{
	return question == ASK_OWN || question == ASK_OWN_ECHO;
}

static bool
has_payload(const struct vipcheck *path)
{
	return path->protocol == PROTOCOL_UDP && path->port != 0 && path->server->service->settings.vip_payload.given;
}

uint16_t
vipcheck_question_port(const struct vipcheck *path, enum question question)
{
	if (question != ASK_VIP_CLOSED)
		return path->port;
	return path->port != CLOSED_PORT ? CLOSED_PORT : CLOSED_PORT_ELSE;
}

/* A free port, or identifier, for answers to come to; 0: all are in use. */
static uint16_t
take_tag(struct vipcheck_table *table, struct vipcheck *path)
{
	for (unsigned tries = 0; tries < VIPCHECK_TAGS; tries++) {
		const uint16_t tag = table->next_tag;

		table->next_tag = (uint16_t)((tag + 1) % VIPCHECK_TAGS);
		if (table->by_tag[tag] != NULL)
			continue;
		table->by_tag[tag] = path;
		return (uint16_t)(VIPCHECK_TAG_FIRST + tag);
	}
	return 0;
}

static struct craft_ends
ends_of(const struct vipcheck *path, enum question question, const struct vipcheck_tx *means)
{
	struct craft_ends ends = {
		.ether_source = means->ifaces[path->round.iface].mac,
		.ether_destination = path->round.server_mac,
		.source = is_own(question) ? path->round.own_source : path->round.source,
		.destination = is_own(question) ? path->server->settings.addr : path->vip,
	};

	return ends;
}

static const struct frame *
make_syn(const struct vipcheck *path, enum question question, const struct craft_ends *ends, const struct vipcheck_tx *means)
{
	const uint32_t headers = ends->source.family == ADDR_IPV4 ? 40 : 60; /* IP and TCP without options: RFC 9293 3.7.1 */
	const struct craft_tcp tcp = {
		.ends = *ends,
		.source_port = path->tags[question],
		.destination_port = vipcheck_question_port(path, question),
		.sequence = path->sequences[question],
		.flags = TCP_SYN,
		.window = WINDOW,
		.mss = (uint16_t)(means->ifaces[path->round.iface].mtu - headers),
	};

	return craft_tcp(means->craft, &tcp);
}

static const struct frame *
make_datagram(const struct vipcheck *path, enum question question, const struct craft_ends *ends,
    const struct vipcheck_tx *means)
{
	const struct check_bytes *payload = &path->server->service->settings.vip_payload;
	const bool says = question != ASK_VIP_CLOSED;
	const struct craft_udp udp = {
		.ends = *ends,
		.source_port = path->tags[question],
		.destination_port = vipcheck_question_port(path, question),
		.data = says ? payload->bytes : NULL,
		.length = says ? payload->length : 0,
	};

	return craft_udp(means->craft, &udp);
}

static const struct frame *
make_ping(const struct vipcheck *path, enum question question, const struct craft_ends *ends, const struct vipcheck_tx *means)
{
	static const uint8_t data[PING_BYTES] = "dsrd asks for the VIP";
	const struct craft_echo echo = {
		.ends = *ends,
		.identifier = path->tags[question],
		.sequence = (uint16_t)path->sequences[question],
		.data = data,
		.length = sizeof(data),
	};

	return craft_echo(means->craft, &echo);
}

static void
round_send(struct vipcheck_table *table, struct vipcheck *path, enum question question,
    const struct vipcheck_tx *means, uint64_t now)
{
	const struct craft_ends ends = ends_of(path, question, means);
	const struct frame *made;

	if (!addr_is_set(&ends.source))
		return;
	path->tags[question] = take_tag(table, path);
	if (path->tags[question] == 0)
		return;
	path->sequences[question] = (uint32_t)vipcheck_random(table);
	if (question == ASK_VIP_ECHO || question == ASK_OWN_ECHO)
		made = make_ping(path, question, &ends, means);
	else if (path->protocol == PROTOCOL_TCP)
		made = make_syn(path, question, &ends, means);
	else
		made = make_datagram(path, question, &ends, means);
	if (made == NULL)
		return;
	path->round.replies[question] = (struct reply) { .answer = ANSWER_AWAITED, .asked = now };
	(void)frame_tx_send(means->tx, made, path->round.iface);
}

static void
ask_control(struct vipcheck_table *table, struct vipcheck *path, const struct vipcheck_tx *means, uint64_t now)
{
	path->control = true;
	path->due = now + path->server->service->settings.timeout;
	if (path->protocol == PROTOCOL_TCP || has_payload(path))
		round_send(table, path, ASK_OWN, means, now);
	round_send(table, path, ASK_VIP_CLOSED, means, now);
	round_send(table, path, ASK_VIP_ECHO, means, now);
	round_send(table, path, ASK_OWN_ECHO, means, now);
}

/* An address of ours that others can answer to: a link-local address is not a valid source for packets to a VIP. */
static struct addr
round_borrow(const struct iface *iface, enum addr_family family)
{
	for (size_t i = 0; i < iface->address_count; i++) {
		const struct addr *addr = &iface->addresses[i].addr;

		/* fe80::/10, RFC 4291 section 2.5.6 */
		if (addr->family == family && !(family == ADDR_IPV6 && addr->bytes[0] == 0xfe && (addr->bytes[1] & 0xc0) == 0x80))
			return *addr;
	}
	return (struct addr) { .family = ADDR_NONE };
}

static struct addr
source_for(const struct vipcheck *path, enum addr_family family, const struct vipcheck_tx *means)
{
	const struct addr *claimed = probe_addr_source(means->claims, path->server->iface, family);

	return claimed != NULL ? *claimed : round_borrow(&means->ifaces[path->server->iface], family);
}

static uint64_t
round_next(struct vipcheck_table *table, const struct vipcheck *path, uint64_t now)
{
	const uint64_t interval = path->server->service->settings.interval;
	/* Plus or minus a thirty-second, so that checks do not stay in step. */
	const uint64_t due = path->round.began + interval - interval / 32 + vipcheck_random(table) % (interval / 16 + 1);

	return due > now ? due : now + GRAIN;
}

/* The failure reason passed to health_report() does not matter: the verdict is more precise. */
static void
round_report(struct vipcheck *path, uint64_t now)
{
	const struct service_settings *service = &path->server->service->settings;

	switch (vipcheck_verdict_class(path->verdict)) {
	case VIPCHECK_UNSURE:
		break;
	case VIPCHECK_GOOD:
		(void)health_report(&path->health, HEALTH_REASON_NONE, service->rise, service->fall, now);
		break;
	case VIPCHECK_BAD:
		path->blame = path->verdict;
		(void)health_report(&path->health, HEALTH_REASON_UNREACHABLE, service->rise, service->fall, now);
		break;
	}
}

static bool
told_by_icmp(const struct vipcheck *path, enum vipcheck_verdict verdict)
{
	return vipcheck_verdict_class(verdict) == VIPCHECK_BAD &&
	    (path->last.redirected || path->last.replies[ASK_VIP].answer == ANSWER_UNREACHABLE);
}

static bool
rests_on_silence(enum vipcheck_verdict verdict)
{
	return verdict == VIPCHECK_IGNORED || verdict == VIPCHECK_FILTERED || verdict == VIPCHECK_LOST;
}

/*
 * Hosts limit ICMP errors and redirects, so that a round may meet silence where the one before met an answer: Linux
 * sends one error a second (net.ipv4.icmp_ratelimit), and soon no more redirects (net/ipv4/route.c). So the last one
 * stays valid for a while.
 */
static enum vipcheck_verdict
round_judge(struct vipcheck *path, uint64_t now)
{
	const enum vipcheck_verdict verdict = vipcheck_judge(&path->last, path->protocol, &path->vip, &path->server->settings.addr);

	/* In a flood the answer may have been lost in front of us. No flood takes a server down. */
	if (rests_on_silence(verdict) && path->lossy)
		return VIPCHECK_LOSSY;
	if (told_by_icmp(path, verdict)) {
		path->by_icmp = verdict;
		path->icmp_at = now;
		return verdict;
	}
	if ((verdict == VIPCHECK_IGNORED || verdict == VIPCHECK_FILTERED) && path->by_icmp != VIPCHECK_NOT_ASKED &&
	    now - path->icmp_at < ICMP_HOLDS)
		return path->by_icmp;
	if (vipcheck_verdict_class(verdict) == VIPCHECK_GOOD)
		path->by_icmp = VIPCHECK_NOT_ASKED;
	return verdict;
}

static void
round_end(struct vipcheck_table *table, struct vipcheck *path, uint64_t now)
{
	const enum vipcheck_verdict before = path->verdict;
	const enum health_state state = path->health.state;
	const bool settled = path->settled;

	vipcheck_release_tags(table, path);
	path->asking = false;
	path->settled = true;
	path->round.ended = now;
	path->last = path->round;
	path->due = round_next(table, path, now);
	path->verdict = round_judge(path, now);
	round_report(path, now);
	if (path->verdict == before && path->health.state == state && settled)
		return;
	vipcheck_combine(table, path->server);
	if (table->news != NULL)
		table->news(table->context, path, before);
}

static void
round_start(struct vipcheck_table *table, struct vipcheck *path, const struct vipcheck_tx *means, uint64_t now)
{
	const struct server *server = path->server;

	if (probe_addr_pending(means->claims, server->iface, path->vip.family)) {
		path->due = now + WAIT_FOR_SOURCE;
		return;
	}
	memset(&path->round, 0, sizeof(path->round));
	path->round.began = now;
	path->lost = means->lost;
	path->lossy = false;
	path->round.server_mac = server->mac;
	path->round.iface = server->iface;
	path->round.source = source_for(path, path->vip.family, means);
	path->round.own_source = source_for(path, server->settings.addr.family, means);
	path->round.borrowed = probe_addr_source(means->claims, server->iface, path->vip.family) == NULL;
	/* The server has resolved our address once, and will not again: true as long as the silence lasts. */
	if (path->verdict == VIPCHECK_LOST) {
		path->round.asked_for_us = path->last.asked_for_us;
		path->round.asked_as = path->last.asked_as;
	}
	path->asking = true;
	path->control = false;
	path->due = now + server->service->settings.timeout;
	if (!addr_is_set(&path->round.source))
		round_end(table, path, now);
	else if (path->protocol == PROTOCOL_TCP || has_payload(path))
		round_send(table, path, ASK_VIP, means, now);
	else
		ask_control(table, path, means, now);
}

static bool
round_awaits(const struct vipcheck *path)
{
	for (size_t i = 0; i < QUESTION_COUNT; i++)
		if (path->round.replies[i].answer == ANSWER_AWAITED)
			return true;
	return false;
}

/* Needs no control questions: it is clear. They would cost further ICMP errors, of which hosts are sparing. */
static bool
is_clear(enum answer answer)
{
	return answer == ANSWER_SYN_ACK || answer == ANSWER_DATA || answer == ANSWER_ECHO || answer == ANSWER_BOUNCED ||
	    answer == ANSWER_UNREACHABLE;
}

void
vipcheck_advance(struct vipcheck_table *table, struct vipcheck *path, const struct vipcheck_tx *means, uint64_t now)
{
	if (is_clear(path->round.replies[ASK_VIP].answer) ||
	    (path->round.replies[ASK_VIP].answer == ANSWER_NOT_ASKED &&
	    is_clear(path->round.replies[ASK_VIP_ECHO].answer)))
		round_end(table, path, now);
	else if (round_awaits(path))
		return;
	else if (!path->control)
		ask_control(table, path, means, now);
	else
		round_end(table, path, now);
}

static void
give_up_waiting(struct vipcheck_table *table, struct vipcheck *path, const struct vipcheck_tx *means, uint64_t now)
{
	for (size_t i = 0; i < QUESTION_COUNT; i++)
		if (path->round.replies[i].answer == ANSWER_AWAITED)
			path->round.replies[i].answer = ANSWER_SILENCE;
	path->lossy |= means->lost != path->lost;
	vipcheck_advance(table, path, means, now);
}

static bool
can_ask(const struct vipcheck *path)
{
	return path->server->iface != IFACE_NONE && !mac_is_zero(&path->server->mac);
}

void
vipcheck_tick(struct vipcheck_table *table, const struct vipcheck_tx *means, uint64_t now)
{
	uint64_t due = UINT64_MAX;

	if (now < table->due)
		return;
	for (size_t i = 0; i < table->count; i++) {
		struct vipcheck *path = table->paths[i];

		if (!path->asking && !can_ask(path))
			continue;
		if (now >= path->due && path->asking)
			give_up_waiting(table, path, means, now);
		else if (now >= path->due)
			round_start(table, path, means, now);
		if (path->due < due)
			due = path->due;
	}
	table->due = due == UINT64_MAX || due > now + GRAIN ? due : now + GRAIN;
}

/* A reset, so that the server drops the half-open connection immediately. */
void
vipcheck_send_reset(struct vipcheck *path, const struct frame *frame, const struct packet *packet,
    const struct vipcheck_tx *means)
{
	const struct craft_tcp tcp = {
		.ends = {
			.ether_source = means->ifaces[frame->iface].mac,
			.ether_destination = path != NULL ? path->round.server_mac : packet->ether_source,
			.source = packet->destination,
			.destination = packet->source,
		},
		.source_port = packet->destination_port,
		.destination_port = packet->source_port,
		.sequence = packet->tcp_acknowledgement,
		.flags = TCP_RST,
	};

	(void)frame_tx_send(means->tx, craft_tcp(means->craft, &tcp), frame->iface);
}
