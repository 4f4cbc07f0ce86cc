/* SPDX-License-Identifier: ISC */
/*
 * Frames arrive in bursts. During a burst, outgoing frames are collected; at its end they are sent, changes take
 * effect, and the event loop gets the time of the next timer.
 */
#ifndef DAEMON_BURST_H
#define DAEMON_BURST_H

#include <stdint.h>

struct director;
struct loop;
struct nic;

struct burst {
	struct director *director;
	const struct nic *nics; /* by the director's interface numbers */
	struct loop *loop;
	uint64_t next_wake;    /* UINT64_MAX: none is scheduled */
	uint64_t next_refresh; /* not before, when compiling the table takes long */
};

void burst_init(struct burst *burst, struct director *director, const struct nic *nics, struct loop *loop);
void burst_begin(struct burst *burst);
/* Sends the collected frames, then calls burst_settle(). */
void burst_flush(struct burst *burst);
/* Applies changes, and schedules a wake-up for the VIP check and the offload. */
void burst_settle(struct burst *burst);
/* Wakes the loop at `due`, unless an earlier wake-up is scheduled. */
void burst_wake_at(struct burst *burst, uint64_t due);
/* Call it when the loop was woken. */
void burst_woken(struct burst *burst);

#endif
