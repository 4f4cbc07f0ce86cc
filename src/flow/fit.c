/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "flow/fit.h"

#include "flow/unproven.h"

static bool
fit_is_between(uint32_t number, uint32_t from, int32_t behind, int32_t ahead)
{
	const int32_t distance = (int32_t)(number - from);

	return distance >= -behind && distance <= ahead;
}

static bool
fit_acknowledges(const struct conn *conn, const struct packet *segment)
{
	return (segment->tcp_flags & TCP_ACK) != 0 &&
	    fit_is_between(segment->tcp_acknowledgement, conn->acknowledged, FIT_ACK_BEHIND, FIT_ACK_AHEAD);
}

static bool
fit_resets(const struct conn *conn, const struct packet *segment)
{
	if (!conn_is_numbered(conn))
		return false;
	if (segment->tcp_sequence == conn->sent)
		return true;
	return fit_acknowledges(conn, segment) &&
	    fit_is_between(segment->tcp_sequence, conn->sent, FIT_END_BEHIND, FIT_END_AHEAD);
}

/* Nothing comes behind a FIN. */
static bool
fit_finishes(const struct conn *conn, const struct packet *segment)
{
	return conn_is_numbered(conn) && fit_acknowledges(conn, segment) &&
	    fit_is_between(segment->tcp_sequence + fit_length(segment), conn->sent, 0, FIT_END_AHEAD);
}

void
fit_resume(struct conn *conn, bool numbered, uint32_t acknowledged, uint32_t sent)
{
	if (conn->state == CONN_SYN)
		conn->trust = FIT_GUESSED | FIT_NO_START;
	else if (!numbered)
		conn->trust = FIT_GUESSED;
	else {
		conn->trust = FIT_BASED;
		conn->acknowledged = acknowledged;
		conn->sent = sent;
	}
}

bool
fit_begins_anyway(enum conn_state state, uint64_t silence)
{
	return state == CONN_SYN || state == CONN_NEW || state == CONN_CLOSED || silence >= FIT_SILENCE;
}

/* Of a SYN, whether it is believed to begin another connection. */
static bool
fit_begins(const struct conn *conn, const struct packet *segment, uint64_t silence)
{
	if (fit_begins_anyway((enum conn_state)conn->state, silence))
		return true;
	return silence >= FIT_SILENCE_SHORT && fit_is_based(conn) &&
	    (int32_t)(segment->tcp_sequence - conn->sent) > 0;
}

/* In CONN_SYN `acknowledged` is the first SYN's number, and `aside` the last one's. */
static bool
fit_follows_syn(const struct conn *conn, const struct packet *segment)
{
	if ((conn->trust & FIT_NO_START) != 0)
		return (segment->tcp_flags & TCP_FIN) == 0;
	return fit_is_between(segment->tcp_sequence, conn->acknowledged + 1, 0, FIT_END_AHEAD) ||
	    fit_is_between(segment->tcp_sequence, conn->aside + 1, 0, FIT_END_AHEAD);
}

bool
fit_segment(const struct conn *conn, const struct packet *segment, uint64_t silence)
{
	/* In this order: RST before SYN and FIN, as in flow/conn_tcp.c. */
	if ((segment->tcp_flags & TCP_RST) != 0)
		return conn->state == CONN_SYN || fit_resets(conn, segment);
	if ((segment->tcp_flags & TCP_SYN) != 0)
		return fit_begins(conn, segment, silence);
	if (conn->state == CONN_SYN)
		return fit_follows_syn(conn, segment);
	if ((segment->tcp_flags & TCP_FIN) != 0)
		return fit_finishes(conn, segment);
	return conn->state != CONN_NEW || !fit_is_based(conn) || fit_numbers(conn, segment);
}

bool
fit_proves(const struct conn *conn, const struct packet *segment, uint64_t now)
{
	if ((uint32_t)now - conn->aside < UNPROVEN_REST)
		return false;
	return segment == NULL || (int32_t)(segment->tcp_sequence + fit_length(segment) - conn->sent) > 0 ||
	    (int32_t)(segment->tcp_acknowledgement - conn->acknowledged) > 0;
}

/* After a FIN, octets beyond it; after a RST, anything that it has not overtaken. */
bool
fit_revives(const struct conn *conn, const struct packet *segment)
{
	const int32_t ahead = (int32_t)(segment->tcp_sequence + fit_length(segment) - conn->sent);

	if ((segment->tcp_flags & TCP_ACK) == 0 || !fit_is_based(conn) || !fit_numbers(conn, segment))
		return false;
	return conn->state == CONN_CLOSED ? ahead >= 0 : ahead > 0 && fit_length(segment) > 0;
}

/* INIT's own tag is 0. `acknowledged` is the tag of the client's packets, `sent` the one of the server's. */
bool
fit_sctp(const struct conn *conn, const struct fit_sctp *packet, uint64_t silence)
{
	if ((packet->flags & (TCP_SYN | TCP_RST)) == TCP_SYN)
		return fit_begins_anyway((enum conn_state)conn->state, silence);
	if (packet->reflected)
		return conn->sent != 0 && packet->tag == conn->sent;
	if (conn_is_numbered(conn))
		return packet->tag == conn->acknowledged;
	return packet->flags == TCP_ACK && packet->tag != 0;
}

void
fit_sctp_learn(struct conn *conn, const struct fit_sctp *packet)
{
	if ((packet->flags & TCP_SYN) != 0) {
		conn->sent = packet->initiate;
		conn->trust = 0;
	} else if (packet->flags == TCP_ACK && !fit_is_based(conn)) {
		conn->acknowledged = packet->tag;
		conn->trust = FIT_BASED | (conn->trust & FIT_GUESSED);
	}
}
