/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/burst.h"

#include "base/clock.h"
#include "base/duration.h"
#include "daemon/director.h"
#include "daemon/loop.h"
#include "daemon/port.h"
#include "offload/cache.h"

#define REFRESH_QUICK MILLISECONDS(2)

void
burst_init(struct burst *burst, struct director *director, const struct nic *nics, struct loop *loop)
{
	*burst = (struct burst) { .director = director, .nics = nics, .loop = loop, .next_wake = UINT64_MAX };
}

void
burst_begin(struct burst *burst)
{
	for (size_t i = 0; i < burst->director->iface_count; i++)
		if (burst->nics[i].sender != NULL)
			burst->nics[i].sender->burst = true;
}

void
burst_flush(struct burst *burst)
{
	for (size_t i = 0; i < burst->director->iface_count; i++) {
		struct sender *sender = burst->nics[i].sender;

		if (sender == NULL)
			continue;
		sender->ops->flush(sender);
		sender->burst = false;
	}
	burst_settle(burst);
}

void
burst_wake_at(struct burst *burst, uint64_t due)
{
	uint64_t now;

	if (due >= burst->next_wake)
		return;
	now = clock_us();
	loop_wake(burst->loop, due > now ? due - now : 0);
	burst->next_wake = due;
}

void
burst_woken(struct burst *burst)
{
	burst->next_wake = UINT64_MAX;
}

/*
 * The table of hundreds of services takes tens of milliseconds to compile, and when a director starts each of their
 * servers changes. So changes are gathered for as long as the last compilation took, when that was long.
 */
static void
burst_refresh(struct burst *burst)
{
	uint64_t begin, took;

	if (!director_is_stale(burst->director))
		return;
	begin = clock_us();
	if (begin < burst->next_refresh) {
		burst_wake_at(burst, burst->next_refresh);
		return;
	}
	director_refresh(burst->director);
	took = clock_us() - begin;
	burst->next_refresh = took < REFRESH_QUICK ? 0 : begin + 2 * took;
}

void
burst_settle(struct burst *burst)
{
	const struct forwarder *forwarder = &burst->director->forwarder;
	uint64_t due;

	burst_refresh(burst);
	due = burst->director->vipchecking.probes ? forward_vipcheck_due(forwarder) : UINT64_MAX;
	if (forward_neighbors_due(forwarder) < due)
		due = forward_neighbors_due(forwarder);
	if (announcer_due(forwarder->announcer) < due)
		due = announcer_due(forwarder->announcer);
	if (forwarder->offload != NULL && offload_due(forwarder->offload) < due)
		due = offload_due(forwarder->offload);
	burst_wake_at(burst, due);
}
