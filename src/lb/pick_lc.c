/* SPDX-License-Identifier: ISC */
/* Least connections, plain and weighted: the candidate with the least load. */
#include "config.h"

#include "lb/fwdtab.h"
#include "lb/pick.h"

#include "base/attr.h"

/* An active connection weighs as much as 256 that open or close (IPVS, include/net/ip_vs.h ip_vs_dest_conn_overhead()). */
#define ACTIVE_WEIGHS 256

/* Never zero, so that among idle servers the weights still decide. */
static uint64_t
load(const struct fwd_server *server)
{
	return (uint64_t)server->run->active * ACTIVE_WEIGHS + server->run->inactive + 1;
}

/* Is `a` less loaded than `b`, per weight? Both weights are above zero: division by cross-multiplication. */
static bool
lighter(const struct fwd_server *a, uint32_t weight_a, const struct fwd_server *b, uint32_t weight_b)
{
	return load(a) * weight_b < load(b) * weight_a;
}

/* Ties go around: the search begins behind the place where the last one began. */
static struct fwd_server *
pick_least(const struct fwd_service *service, bool weighted)
{
	size_t first = service->run->rr_next++ % service->candidate_count;
	struct fwd_server *best = service->candidates[first];

	for (size_t i = 1; i < service->candidate_count; i++) {
		struct fwd_server *server = service->candidates[(first + i) % service->candidate_count];

		if (lighter(server, weighted ? server->weight : 1, best, weighted ? best->weight : 1))
			best = server;
	}
	return best;
}

static struct fwd_server *
pick_plain(const struct fwd_service *service, const struct conn_key *key UNUSED)
{
	return pick_least(service, false);
}

static struct fwd_server *
pick_weighted(const struct fwd_service *service, const struct conn_key *key UNUSED)
{
	return pick_least(service, true);
}

const struct scheduler pick_lc = {
	.name = "lc",
	.use_when = "Servers are equal and connections differ in length: the one with the fewest gets the next.",
	.pick = pick_plain,
};

const struct scheduler pick_wlc = {
	.name = "wlc",
	.use_when = "Servers and connections both differ: fewest connections per weight. The right choice when unsure.",
	.pick = pick_weighted,
};
