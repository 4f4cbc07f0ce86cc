/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "director.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "oracle.h"
#include "proto/packet.h"

#define FLOWS 1024

struct fuzz_director {
	struct forwarder forwarder;
	struct model *model;
	struct fwdtab *table;
	struct iface iface;
	struct oracle *oracle;
	uint64_t ticked;
};

static void
ignore_neighbor(void *context, enum neigh_event event, enum neigh_reason reason, const struct neigh *neigh,
    const struct mac *other)
{
	(void)context;
	(void)event;
	(void)neigh;
	(void)reason;
	(void)other;
}

static struct addr
address(const char *text)
{
	struct addr addr;

	oracle_require(addr_parse(text, &addr) == 0, "an address");
	return addr;
}

static void
listen_on(struct service_settings *service, const char *vip)
{
	static const uint8_t protocols[] = { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP };

	for (size_t i = 0; i < sizeof(protocols); i++) {
		struct listen_settings *listen = &service->listens[service->listen_count];

		listen[0] = (struct listen_settings) { address(vip), protocols[i], 80, 80, 0 };
		listen[1] = (struct listen_settings) { address(vip), protocols[i], 1000, 5060, 0 };
		listen[2] = (struct listen_settings) { address(vip), protocols[i], 53, 53, 0 };
		service->listen_count += 3;
	}
}

static void
configure(struct settings *settings)
{
	struct service_settings *service = calloc(1, sizeof(*service));

	oracle_require(service != NULL, "memory");
	settings->services = service;
	settings->service_count = 1;
	snprintf(service->name, sizeof(service->name), "web");
	snprintf(service->iface, sizeof(service->iface), "eth0");
	service->scheduler = scheduler_find("wlc");
	service->timeouts = conn_timeouts_default();
	service->listens = calloc(18, sizeof(*service->listens));
	service->servers = calloc(3, sizeof(*service->servers));
	oracle_require(service->listens != NULL && service->servers != NULL, "memory");
	listen_on(service, "192.0.2.10");
	listen_on(service, "2001:db8::10");
	for (unsigned i = 0; i < 3; i++) {
		struct server_settings *server = &service->servers[i];

		snprintf(server->name, sizeof(server->name), "s%u", i);
		server->addr = address(i == 0 ? "192.0.2.11" : i == 1 ? "192.0.2.12" : "2001:db8::13");
		server->mac = (struct mac) { { 2, 0, 0, 0, 0, (uint8_t)(0x11 + i) } };
		server->weight = i + 1;
	}
	service->server_count = 3;
}

struct fuzz_director *
director_open(void)
{
	static const struct siphash_key key = { { 0 } };
	struct fuzz_director *director = calloc(1, sizeof(*director));
	struct settings settings = { .connections = FLOWS };
	char error[256];

	oracle_require(director != NULL, "memory");
	oracle_require(forwarder_init(&director->forwarder, FLOWS, &key, ignore_neighbor, director, error,
	    sizeof(error)) == 0,
	    "a forwarder");
	snprintf(director->iface.name, sizeof(director->iface.name), "eth0");
	director->iface.mac = (struct mac) { { 2, 0, 0, 0, 0, 1 } };
	director->iface.mtu = 1500;
	director->oracle = oracle_open(&director->iface);
	director->model = model_new();
	configure(&settings);
	oracle_require(director->model != NULL && model_apply(director->model, &settings, 0) == 0, "a model");
	settings_clear(&settings);
	model_place(director->model, &director->iface, 1);
	for (size_t i = 0; i < director->model->slot_count; i++)
		director->model->slots[i]->health.state = HEALTH_UP;
	director->table = fwdtab_compile(director->model, &director->iface, 1, 0);
	oracle_require(director->table != NULL, "a table");
	director->forwarder.table = director->table;
	director->forwarder.ifaces = &director->iface;
	director->forwarder.iface_count = 1;
	director->forwarder.tx = (struct frame_tx) { oracle_hear, director->oracle, NULL };
	return director;
}

void
director_shut(struct fuzz_director *director)
{
	forwarder_clear(&director->forwarder);
	oracle_shut(director->oracle);
	fwdtab_free(director->table);
	model_free(director->model);
	free(director);
}

static uint64_t
verdicts(const struct forward_stats *stats)
{
	return stats->passed + stats->consumed + stats->forwarded + stats->held + forward_stats_dropped(stats);
}

static void
check_verdict(const struct fuzz_director *director, const struct forward_stats *before, const struct decision *decision)
{
	const struct forward_stats *after = &director->forwarder.stats;
	const uint64_t given = verdicts(after) - verdicts(before);
	/* A first fragment takes along those that were held for it: each that cannot be delivered is a drop, too. */
	const uint64_t released = decision->verdict == VERDICT_FORWARD ? before->held - before->fragments_released : 0;

	oracle_require(after->frames == before->frames + 1 && given >= 1 && given <= 1 + released,
	    "one verdict a frame");
	oracle_judge(director->oracle, decision, before, after);
	oracle_require(conn_table_count(director->forwarder.conns) <= FLOWS, "flows are bounded");
	oracle_require(conn_table_unproven(director->forwarder.conns) <= FLOWS / 8 * 2, "unproven flows are bounded");
}

enum verdict
director_take(struct fuzz_director *director, const uint8_t *bytes, size_t length, uint32_t wire_length, uint64_t now)
{
	const struct forward_stats before = director->forwarder.stats;
	struct frame frame = { .length = (uint32_t)length, .wire_length = wire_length };
	struct decision decision;

	/* With no byte to spare, for a sanitizer to see the first byte beyond. */
	frame.bytes = malloc(length > 0 ? length : 1);
	oracle_require(frame.bytes != NULL, "memory");
	memcpy(frame.bytes, bytes, length);
	oracle_expect(director->oracle, bytes, (uint32_t)length, wire_length);
	decision = forward_frame(&director->forwarder, &frame, now);
	check_verdict(director, &before, &decision);
	free(frame.bytes);
	if (now >= director->ticked + SECONDS(1)) {
		/* Announcements and probes are not this frame's. */
		oracle_expect(director->oracle, bytes, 0, 0);
		forward_tick(&director->forwarder, now);
		director->ticked = now;
	}
	return decision.verdict;
}

const struct forward_stats *
director_stats(const struct fuzz_director *director)
{
	return &director->forwarder.stats;
}
