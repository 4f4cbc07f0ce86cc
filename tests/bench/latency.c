/* SPDX-License-Identifier: ISC */
/*
 * How long clients wait when one of the servers has become slow: the scheduler least-latency beside wrr, wlc and twos.
 *
 * A simulation around the real schedulers and the real measurement, in the simulation's own time, so every run prints
 * the same. Connections arrive at random (Poisson). A server has WORKERS workers and a queue in front of them; a
 * request takes a random (exponential) time. From SYN to the first acknowledgement it takes the way to the client and
 * back and what the server's machine needs. In the second half one server is SLOWER times slower, in its requests and
 * its handshakes alike: a machine that is overloaded by something else. What a client waits for is the time from its
 * SYN to its answer's end.
 */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/duration.h"
#include "flow/measure.h"
#include "model/model.h"
#include "proto/packet.h"
#include "sched/fwdtab.h"
#include "sched/scheduler.h"

#define SERVERS 4
#define WORKERS 8
#define SLOWER 10
#define LENGTH SECONDS(240)    /* of a run; what comes in the first quarter of a half is not counted */
#define ARRIVAL 800            /* microseconds between two connections, on average */
#define REQUEST 4000           /* of work, on average */
#define WAY 150                /* to the client and back */
#define HANDSHAKE 50           /* of the server's machine, on average */
#define FLOWS (1U << 20)

enum kind {
	ARRIVE,
	ACKNOWLEDGE,
	FINISH
};

struct event {
	uint64_t when;
	enum kind kind;
	uint32_t flow;
};

struct flow {
	uint64_t began;
	struct fwd_server *server;
	struct conn conn;
};

struct machine {
	uint32_t busy;
	uint32_t waiting[FLOWS / 64]; /* a ring */
	uint32_t head;
	uint32_t count;
};

struct simulation {
	struct model *model;
	struct fwdtab *table;
	const struct fwd_vip *vip;
	const struct fwd_service *service;
	struct event *heap;
	size_t heap_count;
	struct flow *flows;
	uint32_t next_flow;
	uint64_t now;
	uint64_t next_tick;
	uint64_t random;
	struct machine machines[SERVERS];
	uint32_t *waits[2]; /* of clients, microseconds, in each half */
	size_t wait_count[2];
	uint64_t slow_share[2]; /* connections of the first server */
};

static void
die(const char *what)
{
	(void)fprintf(stderr, "latency: %s\n", what);
	exit(EXIT_FAILURE);
}

static void *
need(void *memory)
{
	if (memory == NULL)
		die("out of memory");
	return memory;
}

/* xorshift64* (Vigna 2016): the same numbers in every run. */
static double
unit(struct simulation *sim)
{
	sim->random ^= sim->random >> 12;
	sim->random ^= sim->random << 25;
	sim->random ^= sim->random >> 27;
	return ((double)((sim->random * UINT64_C(2685821657736338717)) >> 11) + 0.5) / 9007199254740992.0;
}

static uint64_t
exponential(struct simulation *sim, double mean)
{
	return (uint64_t)(-log(unit(sim)) * mean) + 1;
}

static void
push(struct simulation *sim, uint64_t when, enum kind kind, uint32_t flow)
{
	size_t at = sim->heap_count++;

	if (at == FLOWS)
		die("too many events");
	for (; at > 0 && sim->heap[(at - 1) / 2].when > when; at = (at - 1) / 2)
		sim->heap[at] = sim->heap[(at - 1) / 2];
	sim->heap[at] = (struct event) { when, kind, flow };
}

static struct event
pop(struct simulation *sim)
{
	const struct event first = sim->heap[0], last = sim->heap[--sim->heap_count];
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= sim->heap_count)
			break;
		if (child + 1 < sim->heap_count && sim->heap[child + 1].when < sim->heap[child].when)
			child++;
		if (sim->heap[child].when >= last.when)
			break;
		sim->heap[at] = sim->heap[child];
		at = child;
	}
	sim->heap[at] = last;
	return first;
}

static size_t
half_of(const struct simulation *sim)
{
	return sim->now >= LENGTH / 2;
}

static double
slowness(const struct simulation *sim, size_t machine)
{
	return machine == 0 && half_of(sim) == 1 ? SLOWER : 1;
}

static size_t
machine_of(const struct flow *flow)
{
	return flow->server->ref.slot;
}

static void
start_request(struct simulation *sim, uint32_t number)
{
	const size_t machine = machine_of(&sim->flows[number]);

	sim->machines[machine].busy++;
	push(sim, sim->now + exponential(sim, REQUEST * slowness(sim, machine)), FINISH, number);
}

static void
arrive(struct simulation *sim)
{
	const uint32_t number = sim->next_flow++ % FLOWS;
	struct flow *flow = &sim->flows[number];
	struct conn_key key = { .client_port = (uint16_t)number, .target = conn_target(0, PROTOCOL_TCP) };
	const struct packet syn = { .tcp_flags = TCP_SYN, .tcp_sequence = number };

	memset(flow, 0, sizeof(*flow));
	flow->began = sim->now;
	flow->server = sim->service->scheduler->pick(sim->service, sim->vip, &key);
	flow->server->run->inactive++;
	flow->server->run->connections++;
	flow->conn.state = CONN_SYN;
	measure_begin(&flow->server->run->measure, &flow->conn, &syn, sim->now);
	sim->slow_share[half_of(sim)] += machine_of(flow) == 0;
	push(sim, sim->now + WAY + exponential(sim, HANDSHAKE * slowness(sim, machine_of(flow))), ACKNOWLEDGE, number);
	push(sim, sim->now + exponential(sim, ARRIVAL), ARRIVE, 0);
}

static void
acknowledge(struct simulation *sim, uint32_t number)
{
	struct flow *flow = &sim->flows[number];
	struct machine *machine = &sim->machines[machine_of(flow)];
	const struct packet ack = { .tcp_flags = TCP_ACK, .tcp_sequence = number + 1, .tcp_acknowledgement = 1 };

	flow->conn.state = CONN_ESTABLISHED;
	flow->server->run->inactive--;
	flow->server->run->active++;
	measure_segment(&flow->server->run->measure, &flow->conn, CONN_SYN, &ack, sim->now);
	if (machine->busy < WORKERS) {
		start_request(sim, number);
		return;
	}
	if (machine->count == ARRAY_LEN(machine->waiting))
		die("a queue is full: the servers cannot keep up");
	machine->waiting[(machine->head + machine->count++) % ARRAY_LEN(machine->waiting)] = number;
}

static void
finish(struct simulation *sim, uint32_t number)
{
	struct flow *flow = &sim->flows[number];
	struct machine *machine = &sim->machines[machine_of(flow)];
	const size_t half = half_of(sim);

	flow->server->run->active--;
	machine->busy--;
	if (flow->began >= half * (LENGTH / 2) + LENGTH / 8)
		sim->waits[half][sim->wait_count[half]++] = (uint32_t)(sim->now - flow->began);
	if (machine->count > 0) {
		const uint32_t next = machine->waiting[machine->head];

		machine->head = (machine->head + 1) % ARRAY_LEN(machine->waiting);
		machine->count--;
		start_request(sim, next);
	}
}

static void
run(struct simulation *sim)
{
	push(sim, 1, ARRIVE, 0);
	while (sim->now < LENGTH) {
		const struct event event = pop(sim);

		sim->now = event.when;
		for (; sim->next_tick <= sim->now; sim->next_tick += SECONDS(1))
			model_tick(sim->model, sim->next_tick);
		switch (event.kind) {
		case ARRIVE:
			arrive(sim);
			break;
		case ACKNOWLEDGE:
			acknowledge(sim, event.flow);
			break;
		case FINISH:
			finish(sim, event.flow);
			break;
		}
	}
}

static void
make_model(struct simulation *sim, const char *scheduler)
{
	static const uint8_t vip[4] = { 192, 0, 2, 10 };
	struct service_settings *service = need(calloc(1, sizeof(*service)));
	struct settings settings = { .services = service, .service_count = 1 };

	*service = (struct service_settings) { .name = "web", .iface = "eth0", .scheduler = scheduler_find(scheduler),
		.rise = 1, .fall = 1, .timeouts = conn_timeouts_default() };
	service->listens = need(calloc(1, sizeof(*service->listens)));
	service->listens[0] = (struct listen_settings) { addr_from_ipv4(vip), PROTOCOL_TCP, 80, 80, 0 };
	service->listen_count = 1;
	service->servers = need(calloc(SERVERS, sizeof(*service->servers)));
	service->server_count = SERVERS;
	for (size_t i = 0; i < SERVERS; i++) {
		struct server_settings *server = &service->servers[i];

		*server = (struct server_settings) { .weight = 1, .mac = { { 2, 0, 0, 0, 0, (uint8_t)(i + 1) } },
			.addr = addr_from_ipv4((uint8_t[4]) { 192, 0, 2, (uint8_t)(11 + i) }) };
		(void)snprintf(server->name, sizeof(server->name), "web%zu", i + 1);
	}
	sim->model = need(model_new());
	if (model_apply(sim->model, &settings, 0) == -1)
		die("out of memory");
	sim->model->vips[0].iface = 0;
	for (size_t i = 0; i < SERVERS; i++)
		sim->model->services[0]->servers[i]->iface = 0;
	sim->table = need(fwdtab_compile(sim->model, NULL, 0, 0));
	sim->vip = fwdtab_vip(sim->table, 0, &(struct addr) { ADDR_IPV4, { 192, 0, 2, 10 } });
	sim->service = sim->vip == NULL ? NULL : fwd_vip_service(sim->vip, PROTOCOL_TCP, 80);
	if (sim->service == NULL || sim->service->candidate_count != SERVERS)
		die("the model is not what it should be");
}

static int
order(const void *a, const void *b)
{
	const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

static void
print_half(const char *scheduler, struct simulation *sim, size_t half)
{
	static const double parts[] = { 0.5, 0.9, 0.99, 0.999 };
	const size_t count = sim->wait_count[half];
	uint64_t all = LENGTH / 2 / ARRIVAL;

	if (count == 0)
		die("nothing was counted");
	qsort(sim->waits[half], count, sizeof(uint32_t), order);
	printf("%-14s %-9s", scheduler, half == 0 ? "all well" : "one slow");
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		printf(" %9.2f", sim->waits[half][(size_t)((double)count * parts[i])] / 1000.0);
	printf(" %12.1f%%\n", 100.0 * (double)sim->slow_share[half] / (double)all);
}

static void
compare(const char *scheduler)
{
	struct simulation *sim = need(calloc(1, sizeof(*sim)));

	sim->heap = need(calloc(FLOWS, sizeof(*sim->heap)));
	sim->flows = need(calloc(FLOWS, sizeof(*sim->flows)));
	sim->waits[0] = need(calloc(FLOWS, sizeof(uint32_t)));
	sim->waits[1] = need(calloc(FLOWS, sizeof(uint32_t)));
	sim->random = 88172645463325252U;
	sim->next_tick = SECONDS(1);
	make_model(sim, scheduler);
	run(sim);
	print_half(scheduler, sim, 0);
	print_half(scheduler, sim, 1);
	fwdtab_free(sim->table);
	model_free(sim->model);
	free(sim->heap);
	free(sim->flows);
	free(sim->waits[0]);
	free(sim->waits[1]);
	free(sim);
}

int
main(void)
{
	static const char *const schedulers[] = { "wrr", "wlc", "twos", "least-latency" };

	printf("%d servers of %d workers, %.0f connections a second of %.1f ms work each; then one server is %d times "
	    "slower.\n"
	    "What clients wait, in milliseconds, and how many of the connections the slow server gets:\n\n"
	    "%-14s %-9s %9s %9s %9s %9s %13s\n", SERVERS, WORKERS, 1e6 / ARRIVAL, REQUEST / 1e3, SLOWER,
	    "scheduler", "", "50%", "90%", "99%", "99.9%", "slow one gets");
	for (size_t i = 0; i < ARRAY_LEN(schedulers); i++)
		compare(schedulers[i]);
	return EXIT_SUCCESS;
}
