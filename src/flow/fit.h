/* SPDX-License-Identifier: ISC */
/*
 * Does a segment fit its flow? Anyone can send a FIN, RST or SYN in a client's name, so it counts only if its sequence
 * numbers fit what the client has shown before (RFC 9293 section 3.10.7.4, RFC 5961 sections 3 and 4); of SCTP, if it
 * has the association's verification tag (RFC 9260 section 8.5). What does not fit is forwarded, and changes nothing:
 * the server knows better, and if it answers, the client's answer to that fits.
 *
 * - RST: with ACK, both numbers near the latest ones; without, exactly the end of what the client sent.
 * - FIN: both numbers near, and nothing was sent beyond it. In CONN_SYN, just behind the SYN.
 * - ACK in CONN_SYN: just behind the SYN, or behind the last repetition's, which may have another number.
 * - SYN: a beginning of a new connection after a reset; or after a silence of FIT_SILENCE; or after one of
 *   FIT_SILENCE_SHORT if its number is beyond all that was sent (RFC 6191 section 2).
 * - After an end, a fitting ACK that says more than the end did: the end was false, and the connection lives.
 * - A flow whose numbers are not known to be its client's cannot be ended, because others could have sent them: it ends
 *   by silence. Such is one that was taken over from another process without its numbers, which takes those of its next
 *   ACK; and one whose numbers were lost, because more was missed than flow/fit_window.h allows, which takes those of
 *   two segments in succession.
 * Pure.
 */
#ifndef FLOW_FIT_H
#define FLOW_FIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/duration.h"
#include "flow/conn.h"
#include "flow/fit_window.h"
#include "proto/packet.h"

#define FIT_SILENCE SECONDS(10)
#define FIT_SILENCE_SHORT SECONDS(1)

#define FIT_MASK 0x3f /* what `trust` has room for */

/* SCTP's of a packet. */
struct fit_sctp {
	uint32_t tag;
	uint32_t initiate; /* of an INIT: the tag that the client wants to see */
	uint8_t flags;     /* the chunk's as TCP's: flow_sctp_flags() */
	bool reflected;    /* its tag is the client's own (the T bit) */
};

static inline bool
fit_is_based(const struct conn *conn)
{
	return (conn->trust & FIT_BASED) != 0;
}

/* What the segment takes of the client's sequence numbers, SYNs excepted. */
static inline uint32_t
fit_length(const struct packet *segment)
{
	return segment->end - segment->payload + ((segment->tcp_flags & TCP_FIN) != 0);
}

/* Are both numbers of an ACK near those of the flow, which has some? */
static inline bool
fit_numbers(const struct conn *conn, const struct packet *segment)
{
	const int32_t ahead = (int32_t)(segment->tcp_sequence - conn->sent);
	const int32_t acked = (int32_t)(segment->tcp_acknowledgement - conn->acknowledged);

	return ahead <= FIT_SEQUENCE && ahead >= -FIT_SEQUENCE && acked <= FIT_ACK_AHEAD && acked >= -FIT_ACK_BEHIND;
}

/* Is it one of the segments, in `state`, that must fit? All others are ordinary ones of an open connection. */
static inline bool
fit_is_asked(enum conn_state state, uint8_t flags)
{
	return state != CONN_ESTABLISHED || (flags & (TCP_FIN | TCP_SYN | TCP_RST)) != 0;
}

/*
 * A flow, just inserted, that another process or director has handed over, is known as far as they knew it. `numbered`:
 * the two numbers, or of SCTP the two tags, are the client's own.
 */
void fit_resume(struct conn *conn, bool numbered, uint32_t acknowledged, uint32_t sent);
/* Is any SYN a beginning, whatever its number? */
bool fit_begins_anyway(enum conn_state state, uint64_t silence);
/* May it do what its flags say? `silence`: how long the flow has been silent, in microseconds. */
bool fit_segment(const struct conn *conn, const struct packet *segment, uint64_t silence);
/*
 * Is the flow in CONN_NEW, which fit_segment() or fit_sctp() has passed the packet for, proven by it
 * (flow/unproven.h)? `aside` is the time of its first packet, in microseconds; wraps. `segment` is NULL of all but
 * TCP.
 */
bool fit_proves(const struct conn *conn, const struct packet *segment, uint64_t now);
/* Does an ACK, which fits, show that the end that was believed was none? */
bool fit_revives(const struct conn *conn, const struct packet *segment);

/* The same of SCTP; and what the flow learns of a packet, after it was believed. */
bool fit_sctp(const struct conn *conn, const struct fit_sctp *packet, uint64_t silence);
void fit_sctp_learn(struct conn *conn, const struct fit_sctp *packet);

#endif
