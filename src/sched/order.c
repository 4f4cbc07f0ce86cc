/* SPDX-License-Identifier: ISC */
/* By order of weights: one server until it fails, or until it is full; and, by contrast, by no order at all. */
#include "config.h"

#include "sched/fwdtab.h"
#include "sched/scheduler.h"

#include "base/attr.h"

static struct fwd_server *
pick_heaviest(const struct fwd_service *service, const struct fwd_vip *vip UNUSED, const struct conn_key *key UNUSED)
{
	struct fwd_server *best = service->candidates[0];

	for (size_t i = 1; i < service->candidate_count; i++)
		if (service->candidates[i]->weight > best->weight)
			best = service->candidates[i];
	return best;
}

/* The weight is also the number of connections that a server takes before the next one is used. */
static struct fwd_server *
pick_overflow(const struct fwd_service *service, const struct fwd_vip *vip, const struct conn_key *key)
{
	struct fwd_server *best = NULL;

	for (size_t i = 0; i < service->candidate_count; i++) {
		struct fwd_server *server = service->candidates[i];

		if (proven_flows(server->run) < server->capacity &&
		    (best == NULL || server->capacity > best->capacity))
			best = server;
	}
	return best != NULL ? best : pick_wlc.pick(service, vip, key);
}

static struct fwd_server *
pick_any(const struct fwd_service *service, const struct fwd_vip *vip UNUSED, const struct conn_key *key UNUSED)
{
	uint64_t total = 0, at;
	size_t i;

	for (i = 0; i < service->candidate_count; i++)
		total += service->candidates[i]->weight;
	at = service_random(service->run, total);
	for (i = 0; at >= service->candidates[i]->weight; i++)
		at -= service->candidates[i]->weight;
	return service->candidates[i];
}

const struct scheduler pick_fo = {
	.name = "fo",
	.use_when = "One server does the work and the others wait: the heaviest that is up gets everything.",
	.pick = pick_heaviest,
};

const struct scheduler pick_ovf = {
	.name = "ovf",
	.use_when = "Keep as few servers busy as possible: the heaviest takes as many connections as its "
	    "weight, then the next.",
	.pick = pick_overflow,
};

const struct scheduler pick_random = {
	.name = "random",
	.use_when = "Very many short connections from several directors: by chance, in proportion to the weights.",
	.pick = pick_any,
};
