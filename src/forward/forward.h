/* SPDX-License-Identifier: ISC */
/*
 * forward_frame(): the one function that determines the order of the stages. Pure: time, interfaces, tables and output
 * are arguments or members set by the owner, so that live forwarding, savefiles, tests and fuzzers run the same code.
 */
#ifndef FORWARD_FORWARD_H
#define FORWARD_FORWARD_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "flow/fragment.h"
#include "forward/forwarder.h"

struct select_record;

/* Returns 0, or -1 with a reason. Set the table and interfaces afterwards. `watch` is called for neighbor events. */
NODISCARD int forwarder_init(struct forwarder *forwarder, uint32_t connections, const struct siphash_key *key,
    neigh_watch *watch, void *context, char *error, size_t size);
void forwarder_clear(struct forwarder *forwarder);

/* Every frame gets exactly one verdict. What is to leave has left through the tx when this returns. */
struct decision forward_frame(struct forwarder *forwarder, struct frame *frame, uint64_t now);

/*
 * A frame that the kernel has forwarded: the server was selected by offload/select.h. Its flow is known from now on, as
 * if it had been forwarded here; frames and bytes are the kernel's to count. Needs `offload`.
 */
void forward_learn(struct forwarder *forwarder, const struct select_record *record);
/* Expires flows and fragments, resolves neighbors, announces. Call it about once a second. */
void forward_tick(struct forwarder *forwarder, uint64_t now);
/* A part of it that is due more often while VIPs are announced: announcer_due(). */
void forward_announce(struct forwarder *forwarder, uint64_t now);

/* The first fragment of a datagram reached another director, which sent it to `server`: the others follow. */
void forward_fragment(struct forwarder *forwarder, const struct fragment_key *key, struct server_ref server,
    uint64_t now);

/* After each burst of frames: gives a few expired flows back. */
void forward_burst_end(struct forwarder *forwarder, uint64_t now);

/*
 * The VIP check: sends what is due. Call it when forward_vipcheck_due() is reached, which is UINT64_MAX for never, and
 * may change after each of these functions and vipcheck_sync().
 */
void forward_vipcheck(struct forwarder *forwarder, uint64_t now);
uint64_t forward_vipcheck_due(const struct forwarder *forwarder);

/* Requests of neighbors that cannot wait for forward_tick(): call it when forward_neighbors_due() is reached. */
void forward_neighbors(struct forwarder *forwarder, uint64_t now);
uint64_t forward_neighbors_due(const struct forwarder *forwarder);

const char *verdict_name(enum verdict verdict);

#endif
