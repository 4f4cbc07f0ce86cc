/* SPDX-License-Identifier: ISC */
/*
 * Least connections and variants. Established connections count; opening and closing ones only break ties, so that a
 * flood of half-open connections does not influence the choice.
 */
#include "config.h"

#include "sched/fwdtab.h"
#include "sched/scheduler.h"

#include "base/attr.h"

/* Is `a` less loaded than `b`? */
typedef bool is_less(const struct fwd_server *a, const struct fwd_server *b);

/* Per weight, with `extra` connections more. Weights are above zero: division by cross-multiplication. */
static bool
is_lighter(const struct fwd_server *a, uint32_t weight_a, const struct fwd_server *b, uint32_t weight_b, unsigned extra)
{
	const uint64_t active_a = ((uint64_t)a->run->active + extra) * weight_b;
	const uint64_t active_b = ((uint64_t)b->run->active + extra) * weight_a;

	if (active_a != active_b)
		return active_a < active_b;
	return ((uint64_t)a->run->inactive + 1) * weight_b < ((uint64_t)b->run->inactive + 1) * weight_a;
}

static bool
lighter_plain(const struct fwd_server *a, const struct fwd_server *b)
{
	return is_lighter(a, 1, b, 1, 0);
}

static bool
lighter_weighted(const struct fwd_server *a, const struct fwd_server *b)
{
	return is_lighter(a, a->weight, b, b->weight, 0);
}

/* What the load would be with the new one: a heavy server is preferred while both are idle. */
static bool
lighter_expected(const struct fwd_server *a, const struct fwd_server *b)
{
	return is_lighter(a, a->weight, b, b->weight, 1);
}

/* An idle server first, whatever its weight: no connection waits while a server is idle. */
static bool
lighter_never_queue(const struct fwd_server *a, const struct fwd_server *b)
{
	const bool idle_a = a->run->active == 0, idle_b = b->run->active == 0;

	if (idle_a && idle_b)
		return a->run->inactive < b->run->inactive;
	if (idle_a != idle_b)
		return idle_a;
	return lighter_expected(a, b);
}

/* Ties rotate: the search starts behind the position where the last one started. */
static struct fwd_server *
pick_least(const struct fwd_service *service, is_less *lighter)
{
	const size_t first = (*service->turn)++ % service->candidate_count;
	struct fwd_server *best = service->candidates[first];

	for (size_t i = 1; i < service->candidate_count; i++) {
		struct fwd_server *server = service->candidates[(first + i) % service->candidate_count];

		if (lighter(server, best))
			best = server;
	}
	return best;
}

static struct fwd_server *
pick_plain(const struct fwd_service *service, const struct fwd_vip *vip UNUSED, const struct conn_key *key UNUSED)
{
	return pick_least(service, lighter_plain);
}

static struct fwd_server *
pick_weighted(const struct fwd_service *service, const struct fwd_vip *vip UNUSED, const struct conn_key *key UNUSED)
{
	return pick_least(service, lighter_weighted);
}

static struct fwd_server *
pick_expected(const struct fwd_service *service, const struct fwd_vip *vip UNUSED, const struct conn_key *key UNUSED)
{
	return pick_least(service, lighter_expected);
}

static struct fwd_server *
pick_never_queue(const struct fwd_service *service, const struct fwd_vip *vip UNUSED,
    const struct conn_key *key UNUSED)
{
	return pick_least(service, lighter_never_queue);
}

/* Of two random servers the less loaded one (Mitzenmacher 2001), so that they do not all pick one that looked idle. */
static struct fwd_server *
pick_of_two(const struct fwd_service *service, const struct fwd_vip *vip UNUSED, const struct conn_key *key UNUSED)
{
	struct fwd_server *a = service->candidates[service_random(service->run, service->candidate_count)];
	struct fwd_server *b = service->candidates[service_random(service->run, service->candidate_count)];

	return lighter_weighted(b, a) ? b : a;
}

/*
 * Locality-based: a VIP stays on one server, so that a cache gets each address's requests, until that server has more
 * connections than its weight while another has fewer than half of its own (IPVS, net/netfilter/ipvs/ip_vs_lblc.c).
 */
static bool
is_overloaded(const struct fwd_service *service, const struct fwd_server *server)
{
	if (server->run->active <= server->capacity)
		return false;
	for (size_t i = 0; i < service->candidate_count; i++)
		if ((uint64_t)service->candidates[i]->run->active * 2 < service->candidates[i]->capacity)
			return true;
	return false;
}

static struct fwd_server *
pick_local(const struct fwd_service *service, const struct fwd_vip *vip, const struct conn_key *key UNUSED)
{
	struct service_local *local = &service->run->local[vip->number % SERVICE_LOCALS];
	struct fwd_server *server = NULL;

	for (size_t i = 0; local->vip == vip->number && i < service->candidate_count; i++)
		if (server_ref_equal(service->candidates[i]->ref, local->server))
			server = service->candidates[i];
	if (server != NULL && !is_overloaded(service, server))
		return server;
	server = pick_least(service, lighter_weighted);
	local->vip = vip->number;
	local->server = server->ref;
	return server;
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

const struct scheduler pick_sed = {
	.name = "sed",
	.use_when = "Servers differ much and connections are few: counts the new connection too, so the fast ones "
	    "start first.",
	.pick = pick_expected,
};

const struct scheduler pick_nq = {
	.name = "nq",
	.use_when = "Each connection is heavy work: an idle server is used before any other gets a second one.",
	.pick = pick_never_queue,
};

const struct scheduler pick_twos = {
	.name = "twos",
	.use_when = "Many servers, or several directors: two are drawn at random, and the less loaded one is taken.",
	.pick = pick_of_two,
};

const struct scheduler pick_lblc = {
	.name = "lblc",
	.use_when = "Caches behind many VIPs: each VIP stays on one server until that is overloaded.",
	.pick = pick_local,
};
