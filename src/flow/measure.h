/* SPDX-License-Identifier: ISC */
/*
 * What the client's half of a TCP connection reveals about the other half, which the director never sees: the bytes
 * that the server sent (the client acknowledges them), the time to accept the connection (from the SYN to the first
 * acknowledgement), the number of failed connections, and the client's retransmissions.
 *
 * The method is known from the literature; "Pirate: in-band performance measurement for DSR" (arXiv 2505.14358) infers
 * response times this way. Pure: time is an argument, in microseconds.
 */
#ifndef FLOW_MEASURE_H
#define FLOW_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/conn.h"
#include "flow/lost.h"
#include "proto/packet.h"

/*
 * Upper bounds of the histogram, in microseconds, each about twice the one before: from a server on the same switch to
 * one SYN repeated after a second (RFC 6298 section 2.1), and again.
 */
#define LATENCY_BOUNDS(X) \
	X(100) X(250) X(500) X(1000) X(2500) X(5000) X(10000) X(25000) X(50000) X(100000) X(250000) X(500000) X(1000000) \
	X(2500000)
#define X(bound) +1
enum { LATENCY_BUCKETS = 0 LATENCY_BOUNDS(X) };
#undef X

extern const uint32_t latency_bounds[LATENCY_BUCKETS];

struct latency {
	uint64_t buckets[LATENCY_BUCKETS + 1]; /* not cumulative; the last is what exceeds all bounds */
	uint64_t sum;                          /* microseconds */
	uint64_t count;
};

/* Of one server. */
struct measure {
	uint64_t response_bytes; /* of TCP payload, acknowledged by clients */
	uint64_t handshakes;     /* flows that began with a SYN */
	uint64_t completed;      /* those of them whose client acknowledged the server's SYN */
	uint64_t unanswered;     /* of `handshakes`, those whose client repeated its SYN: flow/lost.h */
	uint64_t retransmits;    /* segments and SYNs that clients sent again; reordering on the way looks the same */
	uint64_t partial;        /* flows that were picked up in the middle: what they had before is not counted */
	uint64_t jumps;          /* acknowledgements further away than can be: not counted */
	uint64_t owed;           /* sequence numbers of FINs, which response_bytes has still to leave out */
	struct latency handshake;
	uint32_t smoothed;       /* recent handshakes, microseconds; 0: unknown */
	/* the same for schedulers, which it does not keep changing their minds: measure_tick() */
	uint32_t published;
	uint64_t samples_before; /* handshake.count at the last measure_tick() */
	struct lost lost;        /* of the last minute */
};

/* `conn` started with this segment: TCP, with ports. */
void measure_begin(struct measure *measure, struct conn *conn, const struct packet *segment, uint64_t now);
/* A further one; the flow was in state `before` and is in conn->state now. */
void measure_segment(struct measure *measure, struct conn *conn, enum conn_state before, const struct packet *segment,
    uint64_t now);
/* `conn` was adopted from another process: its next acknowledgement starts the count. */
void measure_resume(struct measure *measure, struct conn *conn);
/*
 * The kernel forwarded segments of the flow: the furthest acknowledgement and the end of what the client sent are these
 * now, and `retransmits` more were seen.
 */
void measure_offloaded(struct measure *measure, struct conn *conn, uint32_t acknowledged, uint32_t sent,
    uint64_t retransmits);

void latency_add(struct latency *latency, uint64_t duration);
/* The duration that `percent` of all stay below, to the buckets' resolution; 0 without samples. */
uint64_t latency_percentile(const struct latency *latency, unsigned percent);

/*
 * About once a second: the measured latency of a server without connections since decays towards `others`, the usual
 * latency of the others (0: unknown), so that it is tried again; then publishes noticeable changes.
 */
void measure_tick(struct measure *measure, uint32_t others);

#endif
