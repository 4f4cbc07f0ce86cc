/* SPDX-License-Identifier: ISC */
/*
 * A director joins another one that has a million flows: how long it takes, bytes for each flow, memory, and for how
 * long either event loop is held up. Two processes on the loopback addresses 127.0.0.1 and 127.0.0.2. Usage: join
 * [FLOWS [stuck]]; with `stuck` the one that joins reads nothing any more once it is connected, until it is dropped.
 *
 * A turn of the loop is measured between two calls of an event that is always due, in processor time of the process,
 * since other work on the machine is not its cost.
 */
#include "config.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/attr.h"
#include "base/duration.h"
#include "conf/conf.h"
#include "daemon/director.h"
#include "peer/peers.h"
#include "peer/socket.h"
#include "proto/packet.h"

#define FLOWS 1000000
#define SERVERS 20
#define PORT 19191
#define TURNS 4000000
#define LONG_TURN 1000000 /* nanoseconds */
/*
 * struct ip_vs_sync_v4 and ip_vs_sync_v6 (net/netfilter/ipvs/ip_vs_sync.c): bytes of a connection, without a
 * message's head.
 */
#define IPVS4 36
#define IPVS6 72

struct end {
	struct director director;
	struct share *share;
	struct peers *peers;
	struct event_base *base;
	struct event *turn;
	uint64_t last;
	uint32_t *turns; /* nanoseconds each */
	size_t count;
	bool stuck;
	bool joins;
	bool was_up;
};

static uint64_t
nanoseconds(clockid_t clock)
{
	struct timespec time;

	(void)clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static uint64_t
now(void)
{
	return nanoseconds(CLOCK_MONOTONIC) / 1000;
}

static void
give_up(const char *what)
{
	fprintf(stderr, "join: %s\n", what);
	exit(EXIT_FAILURE);
}

static void
ignore(void *context UNUSED, const struct frame *frame UNUSED)
{
}

static unsigned
take_nothing(void *context UNUSED, uint16_t iface UNUSED)
{
	return 0;
}

static void
open_director(struct director *director, uint32_t flows)
{
	static const struct siphash_key key = { { 4, 5, 6 } };
	const struct frame_tx tx = { ignore, NULL, take_nothing };
	struct errlist *errors = errlist_new();
	char text[4096], error[256];
	struct conf conf;
	size_t length;
	FILE *in;

	length = (size_t)snprintf(text, sizeof(text), "[dsrd]\ninterface = eth0\n[service web]\nlisten = 192.0.2.10 "
	    "tcp/80\n"
	    "check = none\nvip-check = off\nsync = all\n");
	for (unsigned i = 0; i < SERVERS; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "server = web%u 192.0.2.%u "
		    "mac=02:00:00:00:00:%02x\n",
		    i, 100 + i, 1 + i);
	in = fmemopen(text, length, "r");
	if (errors == NULL || in == NULL || conf_read(in, "bench", &conf, errors) == -1)
		give_up("the configuration is refused");
	(void)fclose(in);
	if (director_init(director, flows + flows / 4, &key, &tx, error, sizeof(error)) == -1)
		give_up(error);
	(void)director_iface(director, "eth0");
	if (director_apply(director, &conf.settings, now()) == -1)
		give_up("out of memory");
	conf_clear(&conf);
	errlist_free(errors);
}

static void
fill(struct director *director, uint32_t flows)
{
	const struct model *model = director->model;
	const uint64_t time = now();

	for (uint32_t i = 0; i < flows; i++) {
		const uint32_t spread = i * UINT32_C(2654435761);
		struct server *server = model->services[0]->servers[i % SERVERS];
		struct conn_key key = { .client_port = (uint16_t)(1024 + i % 50000), .vip_port = 80 };
		struct conn *conn;

		key.client[10] = key.client[11] = 0xff;
		memcpy(key.client + 12, &spread, sizeof(spread));
		key.target = conn_target(model->vips[0].number, PROTOCOL_TCP);
		conn = conn_insert(director->forwarder.conns, &key, server->ref, CONN_ESTABLISHED, MINUTES(15), time);
		if (conn == NULL)
			give_up("no room for a flow");
		conn->began -= 100;
		conn->hop_limit = 64;
		account_flow(server->run, CONN_ESTABLISHED, 1);
	}
}

static void
nothing(void *context UNUSED)
{
}

static void
no_order(void *context UNUSED, struct server *server UNUSED, const struct wire_order *order UNUSED)
{
}

static void
ignore_state(void *context UNUSED, size_t index UNUSED)
{
}

static void
open_peers(struct end *end, unsigned index)
{
	static const struct peers_calls calls = { nothing, nothing, no_order, ignore_state };
	struct peers_settings settings = { .port = PORT, .count = 1 };
	char address[ADDR_TEXT], error[PEERS_ERROR];

	settings.secret.length = SESSION_SECRET_LEAST;
	(void)snprintf(settings.name, sizeof(settings.name), "lb%u", index);
	(void)snprintf(settings.peers[0].name, sizeof(settings.peers[0].name), "lb%u", 3 - index);
	(void)snprintf(address, sizeof(address), "127.0.0.%u", index);
	if (addr_parse(address, &settings.listen) == -1)
		give_up("no address");
	(void)snprintf(address, sizeof(address), "127.0.0.%u", 3 - index);
	if (addr_parse(address, &settings.peers[0].addr) == -1)
		give_up("no address");
	settings.peers[0].port = PORT;
	end->share = share_new(end->director.model, end->director.forwarder.conns, end->director.forwarder.persist);
	end->base = event_base_new();
	if (end->share == NULL || end->base == NULL)
		give_up("out of memory");
	share_update(end->share, end->director.table, 1, end->director.iface_count);
	end->peers = peers_open(end->base, &settings, peer_socket_listen(&settings.listen, PORT), end->share, &calls, end, error);
	if (end->peers == NULL)
		give_up(error);
}

static void
on_turn(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	static const struct timeval at_once = { 0, 0 };
	struct end *end = context;
	const uint64_t time = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
	struct peer_facts facts;

	if (end->count < TURNS)
		end->turns[end->count++] = (uint32_t)(time - end->last);
	peers_facts(end->peers, 0, &facts);
	end->was_up |= facts.up;
	if (facts.complete || (end->stuck && end->was_up && (end->joins || !facts.up)))
		(void)event_base_loopbreak(end->base);
	else
		(void)evtimer_add(end->turn, &at_once);
	end->last = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
}

static int
compare(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static double
percentile(const struct end *end, double share)
{
	return end->turns[(size_t)((double)(end->count - 1) * share)] / 1e6;
}

static void
run(struct end *end)
{
	static const struct timeval at_once = { 0, 0 };

	end->turns = calloc(TURNS, sizeof(*end->turns));
	end->turn = evtimer_new(end->base, on_turn, end);
	if (end->turns == NULL || end->turn == NULL || evtimer_add(end->turn, &at_once) == -1)
		give_up("out of memory");
	end->last = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
	(void)event_base_dispatch(end->base);
	qsort(end->turns, end->count, sizeof(*end->turns), compare);
}

static long
resident(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static void
report(const char *who, const struct end *end)
{
	size_t above = end->count;

	while (above > 0 && end->turns[above - 1] > LONG_TURN)
		above--;
	printf("%s: turns of the event loop, ms of processor time: p50 %.3f, p99 %.3f, p99.9 %.3f, longest %.3f; %zu "
	    "of %zu turns "
	    "above 1 ms\n", who, percentile(end, 0.5), percentile(end, 0.99), percentile(end, 0.999),
	    percentile(end, 1),
	    end->count - above, end->count);
}

/* The active director, in a process of its own. Ends with the other one. */
static void
run_active(uint32_t flows, bool stuck)
{
	static struct end end;

	open_director(&end.director, flows);
	fill(&end.director, flows);
	open_peers(&end, 1);
	end.stuck = stuck;
	run(&end);
	report("active", &end);
	if (stuck) {
		struct peer_facts facts;

		peers_facts(end.peers, 0, &facts);
		printf("active: the peer is down: %s; %.1f MB resident\n", facts.fault, (double)resident() / 1024);
	}
	(void)fflush(stdout);
	if (stuck)
		exit(EXIT_SUCCESS);
	(void)event_base_dispatch(end.base);
	exit(EXIT_SUCCESS);
}

static void
run_standby(uint32_t flows, bool stuck)
{
	static struct end end;
	struct peer_facts facts;
	uint64_t began, processor;
	long before;

	open_director(&end.director, flows);
	before = resident();
	open_peers(&end, 2);
	began = nanoseconds(CLOCK_MONOTONIC);
	processor = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
	end.stuck = stuck;
	end.joins = true;
	run(&end);
	if (stuck)
		return;
	peers_facts(end.peers, 0, &facts);
	printf("standby: %u of %u flows in %.2f s (%.2f s of processor time here), %.1f bytes for each flow; IPVS: %u, "
	    "IPv6 %u\n",
	    (unsigned)facts.held, (unsigned)flows, (double)(nanoseconds(CLOCK_MONOTONIC) - began) / 1e9,
	    (double)(nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - processor) / 1e9, (double)facts.bytes_received / flows,
	    IPVS4, IPVS6);
	printf("standby: %.1f MB more memory, flow table included\n", (double)(resident() - before) / 1024);
	report("standby", &end);
	if (facts.held != flows)
		give_up("flows are missing");
}

int
main(int argc, char *argv[])
{
	const uint32_t flows = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : FLOWS;
	const bool stuck = argc > 2 && strcmp(argv[2], "stuck") == 0;
	pid_t active;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)fflush(stdout);
	active = fork();
	if (active == -1)
		give_up("no process");
	if (active == 0)
		run_active(flows, stuck);
	/* The active one is filled first. */
	(void)sleep(2);
	run_standby(flows, stuck);
	(void)sleep(1);
	if (!stuck)
		(void)kill(active, SIGTERM);
	(void)waitpid(active, NULL, 0);
	return EXIT_SUCCESS;
}
