/* SPDX-License-Identifier: ISC */
/* The inside of peers.c, end.c and peers_facts.c. */
#ifndef PEER_PEERS_STATE_H
#define PEER_PEERS_STATE_H

#include "peer/peers.h"
#include "peer/socket.h"

#define GREETERS 8 /* connections that have not said who they are, at a time */
#define RETRY_FIRST MILLISECONDS(200)

struct event;

/* A connection and the director it leads to. */
struct peer_end {
	struct peers *peers;
	struct peer *peer;    /* NULL: not known yet */
	struct peer_socket *socket;
	uint64_t heard;       /* peers_calls.heard() was called for the STATE of that time */
	struct link link;
};

struct peer {
	struct peers *peers;
	struct peer_settings settings;
	bool begins;          /* we open the connection */
	struct peer_end *end; /* NULL: none that has come up, or that we are opening */
	struct event *retry;
	uint64_t pause;       /* before the next try */
	bool up;
	bool tried;           /* it could not be reached, or was up once */
	uint64_t since;
	char fault[PEER_FAULT];
	uint8_t boot[16];     /* of the process that `source` is about */
	uint8_t source;       /* 0: none yet */
	uint64_t sessions;
	uint64_t bytes[2];    /* of connections that have ended: sent, received */
	struct feed_counts sent;         /* the same */
	struct intake_counts received;
	/* The comparison, and what it is of. */
	uint64_t compared[2];
	size_t difference_count;
	struct difference differences[PEER_DIFFERENCES];
};

struct peers {
	struct event_base *base;
	struct peers_settings settings;
	struct share *share;
	const struct peers_calls *calls;
	void *context;
	struct wire_hello own;
	uint64_t started;
	uint64_t random;
	struct event *accepting;
	struct peer_end *greeters[GREETERS];
	uint64_t refused;
	bool refusal_logged;
	struct peer list[SHARE_PEERS];
};

/* end.c: a connection. Takes the descriptor when it succeeds. NULL: memory or random numbers are out. */
struct peer_end *end_new(struct peers *peers, struct peer *peer, int fd, const struct addr *addr, bool begins);
void end_free(struct peer_end *end);
/* peers.c: tries to connect again, after a pause. */
void peers_retry(struct peer *peer);
/* peers_facts.c: what is known of one that is up. */
void peer_compare(struct peer *peer);
void peer_add_feed(struct feed_counts *sum, const struct feed_counts *more);
void peer_add_intake(struct intake_counts *sum, const struct intake_counts *more);

#endif
