/* SPDX-License-Identifier: ISC */
/*
 * Many directors behind a router that chooses among them by hash: how evenly servers are loaded, and which flows change
 * their server when directors and servers come and go. By the tables and the hash of the data plane; flows are made one
 * by one and not kept.
 */
#include "config.h"

#include "cluster.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/keyhash.h"
#include "sched/maglev.h"

/* Servers that fail at once, in thousandths of all. */
static const unsigned cluster_failures[] = { 1, 10, 50, 100, 200 };
#define CLUSTER_FAILURES ARRAY_LEN(cluster_failures)
#define CLUSTER_CHANGE 1 /* the one that happens together with the loss of a director */

/* A director's table, of the servers in an order of its own: from number `first` on, then those before. */
struct cluster_director {
	struct maglev table;
	uint32_t first;
};

struct cluster {
	const struct cluster_size *size;
	struct maglev_member *members; /* of the servers, by number; as many again behind them, for `first` */
	struct cluster_director *directors;
	struct maglev disputed;               /* of a director that thinks that the last server is down */
	struct maglev failed[CLUSTER_FAILURES]; /* of all directors: the last servers are down */
	uint32_t left[CLUSTER_FAILURES];
	uint64_t *loads;                      /* flows of each server */
	uint64_t stays[CLUSTER_FAILURES];     /* flows whose server stays */
	uint64_t moved[CLUSTER_FAILURES];     /* and that the table sends to another one */
	uint64_t rerouted;                    /* flows that reach another director when one is gone */
	uint64_t broken;                      /* of these, those that go to another server */
	uint64_t broken_disputed;             /* when one director has the disputed table */
	uint64_t changed;                     /* flows rerouted while servers fail, whose server stays */
	uint64_t broken_changed;              /* of these, those that go to another server by the new table */
	uint64_t broken_previous;             /* and by the table before, which is asked for three seconds */
};

static double
cluster_clock(clockid_t clock)
{
	struct timespec time;

	(void)clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static uint32_t
cluster_servers(const struct cluster *cluster)
{
	return (uint32_t)cluster->size->servers;
}

static int
cluster_make_members(struct cluster *cluster)
{
	static const struct siphash_key key = { { 0 } };
	const uint32_t servers = cluster_servers(cluster);

	cluster->members = calloc(2 * (size_t)servers, sizeof(*cluster->members));
	cluster->loads = calloc(servers, sizeof(*cluster->loads));
	cluster->directors = calloc((size_t)cluster->size->directors, sizeof(*cluster->directors));
	if (cluster->members == NULL || cluster->loads == NULL || cluster->directors == NULL)
		return -1;
	for (uint32_t i = 0; i < servers; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "web/server%" PRIu32, i);
		cluster->members[i] = cluster->members[i + servers] =
		    (struct maglev_member) { siphash24(&key, name, strlen(name)), 1 };
	}
	return 0;
}

static int
cluster_build(struct cluster *cluster)
{
	const uint32_t servers = cluster_servers(cluster);

	for (uint64_t i = 0; i < cluster->size->directors; i++) {
		struct cluster_director *director = &cluster->directors[i];

		director->first = (uint32_t)(i * servers / cluster->size->directors);
		if (maglev_build(&director->table, cluster->members + director->first, servers, servers) == -1)
			return -1;
	}
	/* The last servers fail, so that the others keep their numbers; numbers say nothing about tables. */
	for (size_t i = 0; i < CLUSTER_FAILURES; i++) {
		cluster->left[i] = servers - (uint32_t)((uint64_t)servers * cluster_failures[i] / 1000);
		if (maglev_build(&cluster->failed[i], cluster->members, cluster->left[i], servers) == -1)
			return -1;
	}
	return maglev_build(&cluster->disputed, cluster->members, servers - 1, servers);
}

/* What fwd_service_hash() hashes: the client's address and port, the service's port, the protocol. */
static uint64_t
cluster_hash(const struct siphash_key *key, uint64_t flow)
{
	uint8_t name[KEYHASH_BYTES] = { [10] = 0xff, [11] = 0xff };

	store32(name + 12, (uint32_t)(flow / 16));
	store16(name + 16, (uint16_t)(32768 + flow % 16 * 1009));
	store16(name + 18, 443);
	name[22] = 6;
	return siphash24(key, name, sizeof(name));
}

static uint32_t
cluster_find(const struct cluster *cluster, uint32_t director, uint64_t hash)
{
	const struct cluster_director *from = &cluster->directors[director];

	return ((uint32_t)maglev_find(&from->table, hash) + from->first) % cluster_servers(cluster);
}

/* The last director is gone, and the router chooses again for every flow, as a plain multipath route does. */
static void
cluster_reroute(struct cluster *cluster, uint32_t before, uint32_t director, uint64_t hash, uint32_t server)
{
	if (director == before)
		return;
	cluster->rerouted++;
	cluster->broken += cluster_find(cluster, director, hash) != server;
	cluster->broken_disputed += director == cluster->size->directors / 2 - 1 && maglev_find(&cluster->disputed, hash) != server;
	if (server >= cluster->left[CLUSTER_CHANGE])
		return;
	cluster->changed++;
	cluster->broken_changed += maglev_find(&cluster->failed[CLUSTER_CHANGE], hash) != server;
	cluster->broken_previous += cluster_find(cluster, director, hash) != server;
}

static void
cluster_flow(struct cluster *cluster, uint64_t flow)
{
	static const struct siphash_key key = { { 1 } }, router = { { 2 } };
	const uint64_t hash = cluster_hash(&key, flow), route = cluster_hash(&router, flow) >> 32;
	const uint32_t director = (uint32_t)(route * cluster->size->directors >> 32);
	const uint32_t server = cluster_find(cluster, director, hash);

	cluster->loads[server]++;
	for (size_t i = 0; i < CLUSTER_FAILURES; i++) {
		if (server >= cluster->left[i])
			continue;
		cluster->stays[i]++;
		cluster->moved[i] += maglev_find(&cluster->failed[i], hash) != server;
	}
	cluster_reroute(cluster, director, (uint32_t)(route * (cluster->size->directors - 1) >> 32), hash, server);
}

static double
cluster_percent(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}

/* The share of slots that no server's failure explains, for the whole table: what the paper's figure 12 shows. */
static double
cluster_slots_changed(const struct cluster *cluster, size_t failure)
{
	const struct maglev *table = &cluster->directors[0].table, *failed = &cluster->failed[failure];
	uint32_t changed = 0;

	for (uint32_t slot = 0; slot < table->size; slot++)
		changed += table->slots[slot] < cluster->left[failure] && table->slots[slot] != failed->slots[slot];
	return cluster_percent(changed, table->size);
}

static void
cluster_print_loads(const struct cluster *cluster)
{
	const double mean = (double)cluster->size->flows / (double)cluster->size->servers;
	uint64_t least = UINT64_MAX, most = 0;
	double squares = 0;

	for (uint64_t i = 0; i < cluster->size->servers; i++) {
		const uint64_t load = cluster->loads[i];

		least = load < least ? load : least;
		most = load > most ? load : most;
		squares += ((double)load - mean) * ((double)load - mean);
	}
	(void)printf("\nflows of a server: mean %.1f, least %.2f%% below, most %.2f%% above; standard deviation %.2f%%\n"
	    "  by chance alone, with a perfect table, the standard deviation would be %.2f%%\n", mean,
	    100 * (mean - (double)least) / mean, 100 * ((double)most - mean) / mean,
	    100 * sqrt(squares / (double)cluster->size->servers) / mean, 100 / sqrt(mean));
}

static void
cluster_print(const struct cluster *cluster)
{
	(void)printf("\nservers fail: flows of the others that change their server\n");
	for (size_t i = 0; i < CLUSTER_FAILURES; i++)
		(void)printf("  %4.1f%% of the servers: %.3f%% of the flows (%.3f%% of all slots)\n",
		    cluster_failures[i] / 10.0, cluster_percent(cluster->moved[i], cluster->stays[i]),
		    cluster_slots_changed(cluster, i));
	(void)printf("\na director goes, and the router chooses again for each flow: %.1f%% reach another director\n"
	    "  of these go to another server: %.4f%%; if one director thinks that a server is down: %.4f%%\n"
	    "  if %.1f%% of the servers fail at the same time, of the others' flows: %.4f%%, and %.4f%% while the table\n"
	    "  before the change is asked; with shared flows 0, since these are the flows that directors share\n",
	    cluster_percent(cluster->rerouted, cluster->size->flows), cluster_percent(cluster->broken, cluster->rerouted),
	    cluster_percent(cluster->broken_disputed, cluster->rerouted), cluster_failures[CLUSTER_CHANGE] / 10.0,
	    cluster_percent(cluster->broken_changed, cluster->changed),
	    cluster_percent(cluster->broken_previous, cluster->changed));
}

static void
cluster_clear(struct cluster *cluster)
{
	for (uint64_t i = 0; cluster->directors != NULL && i < cluster->size->directors; i++)
		maglev_clear(&cluster->directors[i].table);
	for (size_t i = 0; i < CLUSTER_FAILURES; i++)
		maglev_clear(&cluster->failed[i]);
	maglev_clear(&cluster->disputed);
	free(cluster->directors);
	free(cluster->members);
	free(cluster->loads);
}

int
cluster_simulate(const struct cluster_size *size)
{
	struct cluster cluster = { .size = size };
	double began = cluster_clock(CLOCK_PROCESS_CPUTIME_ID);
	int result = -1;

	if (cluster_make_members(&cluster) == 0 && cluster_build(&cluster) == 0) {
		(void)printf("\n%" PRIu64 " directors, %" PRIu64 " servers, %" PRIu64 " flows: tables of %" PRIu32
		    " slots, built in %.0f ms each\n", size->directors, size->servers, size->flows,
		    cluster.directors[0].table.size, (cluster_clock(CLOCK_PROCESS_CPUTIME_ID) - began) * 1e3 /
		    ((double)size->directors + CLUSTER_FAILURES + 1));
		for (uint64_t flow = 0; flow < size->flows; flow++)
			cluster_flow(&cluster, flow);
		cluster_print_loads(&cluster);
		cluster_print(&cluster);
		(void)printf("\n%.1f s of processor time\n", cluster_clock(CLOCK_PROCESS_CPUTIME_ID) - began);
		/* All directors have the same servers: every flow must have the same one at each. */
		result = cluster.broken == 0 && cluster.broken_previous == 0 ? 0 : -1;
	}
	cluster_clear(&cluster);
	return result;
}
