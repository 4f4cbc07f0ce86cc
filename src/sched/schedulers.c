/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "sched/scheduler.h"

#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "sched/fwdtab.h"

/* Round robin, plain and weighted. */
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

/*
 * Least connections and variants. Established connections count; opening and closing ones only break ties, so that a
 * flood of half-open connections does not influence the choice.
 */

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

#define PICK_LEAST(name, lighter) \
	static struct fwd_server * \
	name(const struct fwd_service *service, const struct fwd_vip *vip UNUSED, const struct conn_key *key UNUSED) \
	{ \
		return pick_least(service, lighter); \
	}

PICK_LEAST(pick_plain, lighter_plain)
PICK_LEAST(pick_weighted, lighter_weighted)
PICK_LEAST(pick_expected, lighter_expected)
PICK_LEAST(pick_never_queue, lighter_never_queue)

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

/* By consistent hash: no state, and the same choice on every director that has the same `hash-key`. */
#define PICK_HASH(name, by) \
	static struct fwd_server * \
	name(const struct fwd_service *service, const struct fwd_vip *vip, const struct conn_key *key) \
	{ \
		return fwd_service_select(service, by, vip, key); \
	}

PICK_HASH(pick_flow, SELECT_FLOW)
PICK_HASH(pick_source, SELECT_SOURCE)
PICK_HASH(pick_destination, SELECT_DESTINATION)

const struct scheduler pick_maglev = {
	.name = "maglev",
	.use_when = "Connections must survive a second director: by hash of the flow, changed for few "
	    "when servers come and go.",
	.by_hash = SELECT_FLOW,
	.pick = pick_flow,
};

const struct scheduler pick_sh = {
	.name = "sh",
	.use_when = "A client must always reach the same server, without a table: by hash of the client's address.",
	.by_hash = SELECT_SOURCE,
	.pick = pick_source,
};

const struct scheduler pick_dh = {
	.name = "dh",
	.use_when = "Each VIP and port must stay on one server, as with caches: by hash of the destination.",
	.by_hash = SELECT_DESTINATION,
	.pick = pick_destination,
};

/* By order of weights: one server until it fails, or until it is full; and, by contrast, by no order at all. */
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

/*
 * By the time servers take to accept connections, as seen in the client's half of the traffic: from the SYN to the
 * first acknowledgement. It includes the way to the client and back, which is the same for all servers, so the
 * difference is due to the servers.
 *
 * Of two random servers the one with the shorter expected wait is chosen: latency times connections, per weight. Two at
 * random, so that the connections of one second do not all go to the server that was fastest in the last (Mitzenmacher
 * 2001). Hysteresis, decay of old samples and slow start are in flow/measure.c and in the weight (`warmup`).
 */

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
	.use_when = "Servers differ in speed from hour to hour: fewer connections for those that take long to accept "
	    "them.",
	.pick = pick_fast,
};

#define X(name, text) &pick_##name,
static const struct scheduler *const schedulers[] = { SCHEDULERS(X) };
#undef X

const struct scheduler *
scheduler_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(schedulers); i++)
		if (strcmp(schedulers[i]->name, name) == 0)
			return schedulers[i];
	return NULL;
}

const char *const *
scheduler_names(void)
{
#define X(name, text) text,
	static const char *const names[] = { SCHEDULERS(X) NULL };
#undef X

	return names;
}
