/* SPDX-License-Identifier: ISC */
/*
 * What a restart must not lose is kept in a file (daemon/state_file.h) from the start on, so that it does not matter
 * how the process ends: flows, clients of persistence, and the text of forward/handover.h.
 */
#ifndef DAEMON_STATE_H
#define DAEMON_STATE_H

#include <stdint.h>

#include "base/attr.h"

struct conf;
struct director;
struct state;

/* NULL when memory is out. Until state_open() there is nothing to keep, and the others do nothing. */
NODISCARD struct state *state_new(struct director *director);
/*
 * When the director has its settings: takes over what the last process left, then keeps its own. Before root is given
 * up. Without a file dsrd works, too, and state_error() says why there is none.
 */
void state_open(struct state *state, const struct conf *conf, uint64_t now);
/* The text as of now: after a reload, and after an operator's command, which was acknowledged. */
void state_save(struct state *state);
/* Once a second. */
void state_tick(struct state *state, uint64_t now);
/* Why a restart would lose something; NULL when it would not, and when nothing is to be kept. */
const char *state_error(const struct state *state);
/* Before flows are freed. The file stays. NULL is fine. */
void state_close(struct state *state, uint64_t now);

#endif
