/* SPDX-License-Identifier: ISC */
/*
 * Connections to the director's peers, with libevent: a listening socket, a connection to each peer, all nonblocking.
 *
 * Of two directors the one whose name sorts first opens the connection. It tries again with growing pauses and jitter.
 * A stranger gets no further than a HELLO that it cannot sign; one that is not at a peer's address is closed at once. A
 * new connection takes an old one's place only when it has proven that it is not a recorded one.
 *
 * A turn of the event loop handles one frame of each peer and writes two; buffers have a fixed size. What a peer does
 * not read stays in the flow table, and a peer that reads nothing for LINK_SILENCE is dropped.
 */
#ifndef PEER_PEERS_H
#define PEER_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "sync/facts.h"
#include "sync/link.h"
#include "sync/share.h"

struct event_base;
struct peers;

struct peer_settings {
	char name[NAME_MOST];
	struct addr addr;
	uint16_t port;
};

struct peers_settings {
	char name[NAME_MOST]; /* this director's */
	struct addr listen;   /* connections to peers leave from there */
	uint16_t port;
	struct session_secret secret;
	struct peer_settings peers[SHARE_PEERS];
	size_t count;
};

struct peers_calls {
	/* Before anything is read from the tables or written to them: share_update() when another table is in force. */
	void (*prepare)(void *context);
	/* After some were changed. */
	void (*changed)(void *context);
	intake_order *order;
	/* Peer `index` has said what it is: peers_self(). */
	void (*heard)(void *context, size_t index);
};

#define PEERS_ERROR 256

/* `listener`, of peer_socket_listen(), stays the caller's; it, `share` and `calls` must outlive it. NULL, with a reason. */
NODISCARD struct peers *peers_open(struct event_base *base, const struct peers_settings *settings, int listener,
    struct share *share, const struct peers_calls *calls, void *context, char error[PEERS_ERROR]);
/* NULL is fine. */
void peers_close(struct peers *peers);
/* Once a second. */
void peers_tick(struct peers *peers, uint64_t now);
/*
 * Is all here that the peers have? Each has sent its bulk, or cannot be reached. Before, a director that becomes active
 * may lack flows.
 */
bool peers_have_told(const struct peers *peers);
/* What is to be sent does not wait for the next turn. */
void peers_wake(struct peers *peers);
/* What the peer says about itself; NULL: it is not connected. `wins_ties`: this director has the higher boot identity. */
const struct wire_self *peers_self(const struct peers *peers, size_t index, bool *wins_ties);
size_t peers_count(const struct peers *peers);
void peers_facts(const struct peers *peers, size_t index, struct peer_facts *facts);
/* Connections that were closed because they came from no peer's address, or failed to prove who they are. */
uint64_t peers_refused(const struct peers *peers);

#endif
