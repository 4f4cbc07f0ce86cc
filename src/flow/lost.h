/* SPDX-License-Identifier: ISC */
/*
 * Detects servers whose answers do not reach clients. The director sees only the client's half, which is enough: a
 * client that gets no SYN-ACK sends the same SYN again, first after a second (RFC 6298 section 2.1); one that gets no
 * data sends its request, waits, and closes the connection without having acknowledged a byte.
 *
 * Forged evidence has little effect: - A SYN alone does not count, so floods and scans do not: it must be repeated,
 * with the same sequence number, at least
 *   LOST_REPEAT later.
 * - A client network (/24, or /64 of IPv6) counts LOST_PER_NETWORK times at most.
 * - Servers are compared with their peers: traffic sent to all of them alike makes none look worse.
 * Pure: time is an argument, in microseconds.
 */
#ifndef FLOW_LOST_H
#define FLOW_LOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/duration.h"

/* Between a SYN and its repetition; every system waits a second, and a copy made on the way comes at once. */
#define LOST_REPEAT MILLISECONDS(500)
/* Counts live for one to two halves: "the last minute". */
#define LOST_HALF SECONDS(30)
#define LOST_PER_NETWORK 4
#define LOST_SKETCH_WORDS 8 /* of 64 bits, one for each client network, by hash */

/* A set of client networks, about. */
struct lost_sketch {
	uint64_t words[LOST_SKETCH_WORDS];
};

struct lost_counts {
	uint32_t completed;  /* handshakes */
	uint32_t unanswered; /* handshakes whose SYN was repeated, ... */
	uint32_t late;       /* ... and those of them that completed later */
	uint32_t replied;    /* connections that ended after a request and an answer */
	uint32_t mute;       /* that ended after a request, and no answer */
	struct lost_sketch losers;  /* networks of `unanswered` and `mute` */
	struct lost_sketch winners; /* networks of `completed` */
};

/* Of one server. Zero is a good beginning. */
struct lost {
	struct lost_counts halves[2];
	uint8_t current;
	uint64_t rotated;
	uint8_t client[16]; /* the last one that got no answer, as in struct conn_key */
};

enum lost_event {
	LOST_COMPLETED,
	LOST_UNANSWERED,
	LOST_LATE,
	LOST_REPLIED,
	LOST_MUTE
};

void lost_count(struct lost *lost, enum lost_event event, const uint8_t client[16]);
/* Call it about once a second. */
void lost_tick(struct lost *lost, uint64_t now);
/* The last minute's. */
struct lost_counts lost_recent(const struct lost *lost);
/* Adds `more` to `sum`. */
void lost_add(struct lost_counts *sum, const struct lost_counts *more);

/* A server's counts compared with those of its peers, the other servers of the service. */
enum lost_verdict {
	LOST_NONE = 0,   /* nothing, or too little is known */
	LOST_HANDSHAKES, /* far more of its handshakes than of its peers' get no answer */
	LOST_ANSWERS,    /* far more of its connections end without an answer */
	LOST_ALL         /* no handshake with any server is completed */
};

/* Failures and successes, after each network's share was limited. */
struct lost_share {
	uint32_t failed;
	uint32_t fine;
};

struct lost_share lost_handshakes(const struct lost_counts *counts);
struct lost_share lost_answers(const struct lost_counts *counts);

/*
 * The rule. A server is worse than its peers when at least LOST_LEAST of its attempts failed, the failure rate is at
 * least a fifth and twice its peers' rate, LOST_LEAST of the peers' attempts succeeded, and the difference is
 * significant: in the two-proportion test 1.96 standard deviations (1 in 20) if clients of the same networks succeed
 * with its peers, else 3.3 (1 in 1000) and three networks, since a single client may be at fault itself.
 *
 * LOST_ALL: LOST_LEAST or more handshakes with the service's servers failed in total, and none was completed.
 */
#define LOST_LEAST 3
enum lost_verdict lost_judge(const struct lost_counts *server, const struct lost_counts *peers);
const char *lost_verdict_name(enum lost_verdict verdict); /* "handshakes", for programs */

#endif
