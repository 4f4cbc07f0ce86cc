/* SPDX-License-Identifier: ISC */
/*
 * A connection to a peer without the socket: session, feed and intake together, and signs of life.
 *
 *	link_begin(); then as the socket allows: link_receive() what came, link_send() what is to leave; link_due() says when
 *	to call link_send() again at the latest.
 *
 * Pure: bytes in, bytes out. One call handles one frame.
 */
#ifndef SYNC_LINK_H
#define SYNC_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/duration.h"
#include "sync/feed.h"
#include "sync/intake.h"
#include "sync/session.h"
#include "sync/share.h"

/* A STATE leaves at least this often ... */
#define LINK_BEAT MILLISECONDS(500)
/* ... and a peer that was silent for so long is gone. So is one that does not finish its greeting. */
#define LINK_SILENCE SECONDS(3)

enum link_event {
	LINK_NOTHING = 0, /* more bytes are needed */
	LINK_GREETED,     /* session.peer.name is known: link_accept() or session_refuse() */
	LINK_TOOK,        /* a frame; there may be more */
	LINK_CAME_UP,     /* the first one */
	LINK_ENDED        /* session.fault says why */
};

struct link {
	struct session session;
	struct share *share;
	struct feed *feed;     /* while the session is up */
	struct intake intake;  /* since link_accept() */
	bool accepted;
	bool greeted;          /* our HELLO has left */
	uint64_t began;
	uint64_t heard;        /* the last frame */
	uint64_t state_due;
	uint64_t self_serial;  /* of the share, when the last STATE left */
	uint64_t came_up;      /* 0: it has not */
	struct wire_state peer; /* its last STATE; zero before */
	uint64_t peer_at;      /* when that came; 0: never */
	uint64_t lag;          /* the peer has what was sent so long ago, microseconds: a round trip, both queues included */
	int64_t clock_ahead;   /* seconds that the peer's clock is ahead of ours */
	uint64_t frames_sent;
	uint64_t frames_received;
};

/* What an own STATE has that the link does not know. */
struct link_facts {
	uint64_t now;
	uint64_t wall; /* seconds since 1970 */
	const char *version;
};

/* `secret` must outlive the link. `own` is as for session_begin(). */
void link_begin(struct link *link, struct share *share, bool begins, const struct session_secret *secret,
    const struct wire_hello *own, uint64_t now);
/* The peer is one that was expected. `source` is share_source()'s for its boot. -1: memory is out. */
NODISCARD int link_accept(struct link *link, uint8_t source, intake_order *order, void *context);
void link_clear(struct link *link);
/* Handles one frame of what was received; `used` bytes are done with. */
enum link_event link_receive(struct link *link, const uint8_t *bytes, size_t length, size_t *used,
    const struct link_facts *facts);
/* The next frame, into `bytes`; 0: none now. `again`: there may be more to send, or work to go on with, at once. */
size_t link_send(struct link *link, uint8_t bytes[WIRE_FRAME], const struct link_facts *facts, bool *again);
uint64_t link_due(const struct link *link);
/* It was silent for too long. */
bool link_is_dead(const struct link *link, uint64_t now);

#endif
