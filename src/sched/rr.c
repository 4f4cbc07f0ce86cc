/* SPDX-License-Identifier: ISC */
/* Round robin, plain and weighted. */
#include "config.h"

#include "sched/fwdtab.h"
#include "sched/scheduler.h"

#include "base/attr.h"

static struct fwd_server *
rr_pick(const struct fwd_service *service, const struct fwd_vip *vip UNUSED, const struct conn_key *key UNUSED)
{
	return service->candidates[(*service->turn)++ % service->candidate_count];
}

const struct scheduler pick_rr = {
	.name = "rr",
	.use_when = "Servers are equal and connections are short: each gets the same number, weights are ignored.",
	.pick = rr_pick,
};

/*
 * Smooth weighted round robin: in every round each candidate earns its weight, the richest is taken and pays what all
 * earned together. Weights 5, 1, 1 give a a b a c a a: exact shares, and no bursts onto the heavy server.
 */
static struct fwd_server *
wrr_pick(const struct fwd_service *service, const struct fwd_vip *vip UNUSED, const struct conn_key *key UNUSED)
{
	struct fwd_server *best = NULL;
	int64_t total = 0;

	for (size_t i = 0; i < service->candidate_count; i++) {
		struct fwd_server *server = service->candidates[i];

		server->run->wrr_credit += server->weight;
		total += server->weight;
		if (best == NULL || server->run->wrr_credit > best->run->wrr_credit)
			best = server;
	}
	best->run->wrr_credit -= total;
	return best;
}

const struct scheduler pick_wrr = {
	.name = "wrr",
	.use_when = "Connections cost about the same and servers differ: shares follow the weights exactly.",
	.pick = wrr_pick,
};
