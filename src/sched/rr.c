/* SPDX-License-Identifier: ISC */
/* Round robin: each candidate in turn. */
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
