/* SPDX-License-Identifier: ISC */
/*
 * By the time servers take to accept connections, as seen in the client's half of the traffic: from the SYN to the
 * first acknowledgement. It includes the way to the client and back, which is the same for all servers, so the
 * difference is due to the servers.
 *
 * Of two random servers the one with the shorter expected wait is chosen: latency times connections, per weight. Two at
 * random, so that the connections of one second do not all go to the server that was fastest in the last (Mitzenmacher
 * 2001). Hysteresis, decay of old samples and slow start are in flow/measure.c and in the weight (`warmup`).
 */
#include "config.h"

#include "sched/fwdtab.h"
#include "sched/scheduler.h"

#include "base/attr.h"

/* A server that nothing is known of counts as the fastest, so it is soon known. */
static uint64_t
waiting_at(const struct fwd_server *server)
{
	const uint64_t latency = server->run->measure.published;

	return (latency + 1) * ((uint64_t)server->run->active + 1);
}

static struct fwd_server *
pick_fast(const struct fwd_service *service, const struct fwd_vip *vip UNUSED, const struct conn_key *key UNUSED)
{
	const size_t count = service->candidate_count;
	const size_t first = (size_t)service_random(service->run, count);
	struct fwd_server *a = service->candidates[first], *b;

	if (count == 1)
		return a;
	b = service->candidates[(first + 1 + (size_t)service_random(service->run, count - 1)) % count];
	/* Latencies are below 2^32, connections below 2^30, weights below 2^23: as floating point nothing overflows. */
	return (double)waiting_at(b) * a->weight < (double)waiting_at(a) * b->weight ? b : a;
}

const struct scheduler pick_least_latency = {
	.name = "least-latency",
	.use_when = "Servers differ in speed from hour to hour: fewer connections for those that take long to accept them.",
	.pick = pick_fast,
};
