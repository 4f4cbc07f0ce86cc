/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "flow/measure.h"

#include "flow/fit.h"

/* One part in eight of each new sample, as TCP itself smooths (RFC 6298 section 2.3). */
#define SMOOTHING 8
/* The measured latency of an unused server returns to the average within about a minute. */
#define FADING 16
/* Changes of less than an eighth are not published to schedulers. */
#define NOTICEABLE 8

/* A flow has room for four: those of a handshake and those of what follows share it. */
enum conn_flag {
	/* In CONN_SYN. */
	CONN_RESENT = 2,     /* the SYN was repeated: which of the two the answer is for cannot be known (Karn) */
	CONN_UNANSWERED = 4, /* counted as LOST_UNANSWERED, see flow/lost.h */
	/* In all other states. */
	CONN_RESUMED = 2,  /* taken over from another process: the next acknowledgement is as good as the first */
	CONN_ASKED = 4,    /* the client sent data */
	CONN_ANSWERED = 8  /* and acknowledged some */
};

#define X(bound) bound,
const uint32_t latency_bounds[LATENCY_BUCKETS] = { LATENCY_BOUNDS(X) };
#undef X

void
latency_add(struct latency *latency, uint64_t duration)
{
	size_t i = 0;

	while (i < LATENCY_BUCKETS && duration > latency_bounds[i])
		i++;
	latency->buckets[i]++;
	latency->sum += duration;
	latency->count++;
}

uint64_t
latency_percentile(const struct latency *latency, unsigned percent)
{
	const uint64_t rank = (latency->count * percent + 99) / 100;
	uint64_t below = 0;

	if (latency->count == 0)
		return 0;
	for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
		below += latency->buckets[i];
		if (below >= rank)
			return latency_bounds[i];
	}
	return latency_bounds[LATENCY_BUCKETS - 1];
}

static void
measure_smooth(struct measure *measure, uint64_t sample)
{
	const int64_t before = measure->smoothed;

	if (sample > UINT32_MAX)
		sample = UINT32_MAX;
	if (sample == 0)
		sample = 1;
	measure->smoothed = before == 0 ? (uint32_t)sample :
	    (uint32_t)(before + ((int64_t)sample - before) / SMOOTHING);
}

static void
take_base(struct conn *conn, const struct packet *segment)
{
	conn->acknowledged = segment->tcp_acknowledgement;
	conn->sent = segment->tcp_sequence + fit_length(segment);
	conn->trust = FIT_BASED | (conn->trust & FIT_GUESSED);
}

/* FINs are not bytes: what is owed for them is left out as soon as there is something to leave it out of. */
static inline void
add_response(struct measure *measure, uint64_t bytes)
{
	const uint64_t less = bytes < measure->owed ? bytes : measure->owed;

	measure->owed -= less;
	measure->response_bytes += bytes - less;
}

/* Acknowledgements that were overtaken, and repeated ones, move nothing. */
static inline void
take_acknowledgement(struct measure *measure, struct conn *conn, uint32_t acknowledgement)
{
	const int32_t distance = (int32_t)(acknowledgement - conn->acknowledged);

	if (distance <= 0)
		return;
	add_response(measure, (uint32_t)distance);
	conn->acknowledged = acknowledgement;
	conn->flags |= CONN_ANSWERED;
}

/* A keepalive sends one byte, or none, that was acknowledged before (RFC 9293 section 3.8.4): nothing was lost. */
static inline bool
is_keepalive(const struct conn *conn, const struct packet *segment, uint32_t end)
{
	return segment->end - segment->payload <= 1 && end == conn->sent && (segment->tcp_flags & TCP_FIN) == 0;
}

static inline void
take_sequence(struct measure *measure, struct conn *conn, const struct packet *segment)
{
	const uint32_t length = fit_length(segment), end = segment->tcp_sequence + length;

	if (length == 0)
		return;
	if (segment->end > segment->payload)
		conn->flags |= CONN_ASKED;
	if ((int32_t)(segment->tcp_sequence - conn->sent) < 0 && !is_keepalive(conn, segment, end))
		measure->retransmits++;
	if ((int32_t)(end - conn->sent) > 0)
		conn->sent = end;
}

void
measure_begin(struct measure *measure, struct conn *conn, const struct packet *segment, uint64_t now)
{
	conn->flags = 0;
	if (conn->state == CONN_SYN) {
		measure->handshakes++;
		conn->sent = (uint32_t)now;
		/* Until the handshake is complete this is the SYN's own number, by which a repetition is known. */
		conn->acknowledged = conn->aside = segment->tcp_sequence;
	} else if ((segment->tcp_flags & TCP_ACK) != 0) {
		measure->partial++;
		/* What it got before is not known: it counts as one that was answered. */
		conn->flags = CONN_ANSWERED;
		take_base(conn, segment);
	}
}

static inline bool
measure_acknowledges(const struct packet *segment)
{
	return (segment->tcp_flags & (TCP_ACK | TCP_SYN)) == TCP_ACK;
}

/*
 * When both sides have closed, the client has acknowledged the server's FIN too, before or after its own FIN: either
 * way one sequence number of this flow is not a byte.
 */
static inline void
take_end(struct measure *measure, const struct conn *conn, enum conn_state before, const struct packet *segment)
{
	if ((segment->tcp_flags & TCP_FIN) != 0 && before != conn->state)
		measure->owed++;
}

/* The first acknowledgement is of the server's SYN, so it gives the start of the server's bytes. */
static void
measure_complete(struct measure *measure, struct conn *conn, const struct packet *segment, bool resent, uint64_t now)
{
	const uint32_t duration = (uint32_t)now - conn->sent;

	measure->completed++;
	lost_count(&measure->lost, LOST_COMPLETED, conn->key.client);
	if (!resent) {
		latency_add(&measure->handshake, duration);
		measure_smooth(measure, duration);
	}
	take_base(conn, segment);
	if (segment->end > segment->payload)
		conn->flags |= CONN_ASKED;
}

/* The same SYN again, as a client sends it that got no answer. Once a flow. */
static void
take_repeated(struct measure *measure, struct conn *conn, const struct packet *segment, uint64_t now)
{
	conn->aside = segment->tcp_sequence;
	if ((conn->flags & CONN_UNANSWERED) != 0 || segment->tcp_sequence != conn->acknowledged ||
	    (uint32_t)now - conn->sent < LOST_REPEAT)
		return;
	conn->flags |= CONN_UNANSWERED;
	measure->unanswered++;
	lost_count(&measure->lost, LOST_UNANSWERED, conn->key.client);
}

/* A segment of a flow of which a SYN was all that had been seen. */
static NOINLINE void
take_handshake(struct measure *measure, struct conn *conn, const struct packet *segment, uint64_t now)
{
	if (conn->state != CONN_SYN) {
		const bool resent = (conn->flags & CONN_RESENT) != 0;

		if ((conn->flags & CONN_UNANSWERED) != 0)
			lost_count(&measure->lost, LOST_LATE, conn->key.client);
		conn->flags = 0;
		if (measure_acknowledges(segment)) {
			measure_complete(measure, conn, segment, resent, now);
			take_end(measure, conn, CONN_SYN, segment);
		}
	} else if ((segment->tcp_flags & TCP_SYN) != 0) {
		measure->retransmits++;
		conn->flags |= CONN_RESENT;
		take_repeated(measure, conn, segment, now);
	}
}

/*
 * A segment that does not fit counts as nothing, so a forgery costs nothing. Of two in succession, of which the
 * second begins where the first ended, more was missed than the windows allow: the count goes on from there.
 */
static NOINLINE void
take_astray(struct measure *measure, struct conn *conn, const struct packet *segment)
{
	measure->jumps++;
	if ((conn->trust & FIT_ASTRAY) != 0 && segment->tcp_sequence == conn->aside) {
		take_base(conn, segment);
		conn->trust |= FIT_GUESSED;
		return;
	}
	conn->trust |= FIT_ASTRAY;
	conn->aside = segment->tcp_sequence + fit_length(segment);
}

static inline void
take_segment(struct measure *measure, struct conn *conn, enum conn_state before, const struct packet *segment)
{
	if (!fit_is_based(conn)) {
		if ((conn->flags & CONN_RESUMED) != 0)
			take_base(conn, segment);
		return;
	}
	if (!fit_numbers(conn, segment)) {
		take_astray(measure, conn, segment);
		return;
	}
	conn->trust &= FIT_MASK & ~FIT_ASTRAY;
	take_acknowledgement(measure, conn, segment->tcp_acknowledgement);
	take_end(measure, conn, before, segment);
	if ((segment->tcp_flags & TCP_RST) == 0)
		take_sequence(measure, conn, segment);
	else if ((int32_t)(segment->tcp_sequence - conn->sent) > 0)
		conn->sent = segment->tcp_sequence; /* what it has overtaken is behind it */
}

/* The client ends it. Did it get an answer to what it sent? */
static NOINLINE void
take_conclusion(struct measure *measure, const struct conn *conn)
{
	if (fit_is_based(conn) && (conn->flags & CONN_ASKED) != 0)
		lost_count(&measure->lost, (conn->flags & CONN_ANSWERED) != 0 ? LOST_REPLIED : LOST_MUTE,
		    conn->key.client);
}

void
measure_segment(struct measure *measure, struct conn *conn, enum conn_state before, const struct packet *segment,
    uint64_t now)
{
	if (before == CONN_SYN) {
		take_handshake(measure, conn, segment, now);
		return;
	}
	if (measure_acknowledges(segment))
		take_segment(measure, conn, before, segment);
	if (before == CONN_ESTABLISHED && before != conn->state)
		take_conclusion(measure, conn);
}

/* The start of the handshake is unknown, or its SYN was repeated. */
void
measure_resume(struct measure *measure, struct conn *conn)
{
	if (conn->state == CONN_SYN) {
		conn->flags = CONN_RESENT;
		measure->handshakes++;
	} else {
		conn->flags = CONN_RESUMED | CONN_ANSWERED;
		measure->partial++;
	}
}

void
measure_offloaded(struct measure *measure, struct conn *conn, uint32_t acknowledged, uint32_t sent,
    uint64_t retransmits)
{
	if (sent != conn->sent)
		conn->flags |= CONN_ASKED;
	if (acknowledged != conn->acknowledged)
		conn->flags |= CONN_ANSWERED;
	/* The kernel lets it only grow, by less than a window each time. */
	add_response(measure, acknowledged - conn->acknowledged);
	conn->trust &= FIT_MASK & ~FIT_ASTRAY;
	conn->acknowledged = acknowledged;
	conn->sent = sent;
	measure->retransmits += retransmits;
}

void
measure_tick(struct measure *measure, uint32_t others)
{
	const bool asked = measure->handshake.count != measure->samples_before;
	uint32_t change;

	measure->samples_before = measure->handshake.count;
	if (!asked && others != 0 && measure->smoothed > others)
		measure->smoothed -= (measure->smoothed - others + FADING - 1) / FADING;
	change = measure->smoothed > measure->published ? measure->smoothed - measure->published :
	    measure->published - measure->smoothed;
	if (change > measure->published / NOTICEABLE)
		measure->published = measure->smoothed;
}
