/* SPDX-License-Identifier: ISC */
/*
 * What directors that know each other say about their roles, and what that means to the receiver. Pure.
 *
 * Each time a director becomes active for a group it takes a number, the epoch, that is one above all it has received.
 * Of two active directors the one with the higher epoch was ordered later and goes on; the other yields. Two that
 * became active without a connection between them may have the same epoch: then the higher boot identity goes on.
 */
#ifndef ROLE_WORD_H
#define ROLE_WORD_H

#include <stdbool.h>
#include <stdint.h>

#include "role/role.h"

#define ROLE_WHY 96

struct role_word {
	char group[ROLE_GROUP];
	enum role_state state;
	bool ready;
	uint64_t epoch;     /* of an active director its own, else the highest that it knows */
	char why[ROLE_WHY]; /* it is not ready; printable ASCII, may be cut; empty: it is ready */
};

/*
 * What `word` of a peer means to a director in `role` with `epoch`: ROLE_RIVAL, ROLE_RIVAL_GONE or ROLE_EVENT_COUNT for
 * nothing. `wins_ties`: this director has the higher boot identity. `to_it`: it yielded to that peer.
 */
enum role_event role_hear(const struct role *role, uint64_t epoch, bool wins_ties, bool to_it,
    const struct role_word *word);
/* Does the word say that the peer answers for the group's VIPs? */
bool role_word_answers(const struct role_word *word);

#endif
