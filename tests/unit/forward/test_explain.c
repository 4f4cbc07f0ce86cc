/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../scene/scene.h"
#include "forward/explain.h"
#include "sched/scheduler.h"
#include "suites.h"

/* All that a question could change, byte for byte. */
struct state {
	struct forward_stats stats;
	struct server_run runs[8];
	struct service_run service;
	uint32_t counts[4];
	uint64_t flows;
	uint64_t clients;
};

struct sum {
	uint64_t value;
};

static void
add_conn(void *context, const struct conn *conn)
{
	const struct siphash_key key = { { 0 } };
	struct sum *sum = context;

	sum->value += siphash13(&key, conn, sizeof(*conn));
}

static struct state
take_state(const struct scene *scene)
{
	const struct forwarder *forwarder = &scene->forwarder;
	struct sum flows = { 0 }, clients = { 0 };
	struct state state;

	memset(&state, 0, sizeof(state));
	memcpy(&state.stats, &forwarder->stats, sizeof(state.stats));
	for (size_t i = 0; i < scene->model->slot_count && i < 8; i++)
		if (scene->model->slots[i] != NULL)
			memcpy(&state.runs[i], scene->model->slots[i]->run, sizeof(state.runs[i]));
	memcpy(&state.service, scene->model->services[0]->run, sizeof(state.service));
	state.counts[0] = conn_table_count(forwarder->conns);
	state.counts[1] = conn_table_unproven(forwarder->conns);
	state.counts[2] = conn_table_count(forwarder->persist);
	conn_each(forwarder->conns, add_conn, &flows);
	conn_each(forwarder->persist, add_conn, &clients);
	state.flows = flows.value;
	state.clients = clients.value;
	return state;
}

static uint32_t
next_random(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525U + 1013904223U; /* Numerical Recipes' generator: repeatable */
	return (*seed >> 16) % below;
}

/* A client's packet: asks first, then sends it; both must say the same. */
static void
ask_and_send(struct scene *scene, const char *from, uint16_t port, uint8_t flags)
{
	const struct flow_question question = { .protocol = PROTOCOL_TCP, .client = scene_addr(from),
		.vip = scene_addr(VIP), .client_port = port, .vip_port = 80, .flags = flags };
	struct shape shape = { .from = from, .from_port = port, .flags = flags };
	const struct state before = take_state(scene);
	struct explanation explanation;
	struct decision decision;
	struct state after;

	must(explain(&scene->forwarder, &question, scene->now, &explanation) == 0, "port %u has no explanation", port);
	after = take_state(scene);
	must(memcmp(&before, &after, sizeof(before)) == 0, "to explain port %u has changed the state", port);
	/* All end at 999, and an ACK behind the end of a connection was overtaken. */
	shape.sequence = flags == TCP_SYN ? 1 : 999;
	if (flags == (TCP_FIN | TCP_ACK) || (flags == TCP_ACK && explanation.flow.state == CONN_CLOSED &&
	    explanation.stays))
		shape.sequence = 998;
	decision = scene_send(scene, &shape);
	scene_forget(scene);
	ck_assert_str_eq(verdict_name(explanation.verdict), verdict_name(decision.verdict));
	if (decision.verdict == VERDICT_DROP)
		ck_assert_str_eq(drop_reason_name(explanation.reason), drop_reason_name(decision.reason));
	else
		ck_assert_str_eq(explanation.server->server->settings.name, decision.server->server->settings.name);
	ck_assert_int_eq(explanation.state, decision.state);
	ck_assert_int_eq(decision.verdict == VERDICT_FORWARD && explanation.way != FLOW_WAY_KNOWN,
	    decision.verdict == VERDICT_FORWARD && decision.new_flow);
}

static void
set_up(struct scene *scene, const char *scheduler, bool persist, bool moves)
{
	struct service_settings *service;

	scene_open(scene);
	service = scene_add_service(scene, "web", PROTOCOL_TCP, 80, scheduler);
	for (unsigned i = 1; i <= 4; i++)
		scene_add_server(service, i, i * 2, false);
	service->servers[2].max_connections = 6;
	service->servers[3].backup = true;
	service->persist = persist ? SECONDS(30) : 0;
	service->on_down = moves ? ON_DOWN_MOVE : ON_DOWN_KEEP;
	service->persist_prefix4 = 31;
	service->warmup = SECONDS(20);
	scene_apply(scene);
}

/* Servers go, come, are disabled; time passes. */
static void
disturb(struct scene *scene, uint32_t *seed)
{
	struct server *server = scene->model->services[0]->servers[next_random(seed, 4)];

	scene->now += SECONDS(next_random(seed, 40));
	if (next_random(seed, 3) == 0)
		server->health.state = server->health.state == HEALTH_UP ? HEALTH_DOWN : HEALTH_UP;
	if (next_random(seed, 8) == 0)
		server->settings.weight = server->settings.weight == 0 ? 3 : 0;
	if (next_random(seed, 3) == 0)
		server->since = scene->now;
	scene_compile(scene);
	if (next_random(seed, 2) == 0)
		forward_tick(&scene->forwarder, scene->now);
}

/* For every scheduler, through a thousand packets of few clients, what is predicted happens. */
START_TEST(what_is_predicted_happens)
{
	static const uint8_t flags[] = { TCP_SYN, TCP_SYN, TCP_SYN, TCP_ACK, TCP_ACK, TCP_FIN | TCP_ACK, TCP_RST };
	static const char *const clients[] = { "203.0.113.6", "203.0.113.7", "203.0.113.8", "198.51.100.9" };
	const char *scheduler = scheduler_names()[_i / 4];
	struct scene scene;
	uint32_t seed = (uint32_t)_i;

	set_up(&scene, scheduler, _i % 2 == 1, _i % 4 >= 2);
	for (unsigned i = 0; i < 1000; i++) {
		ask_and_send(&scene, clients[next_random(&seed, 4)], (uint16_t)(1000 + next_random(&seed, 12)),
		    flags[next_random(&seed, ARRAY_LEN(flags))]);
		if (i % 16 == 15)
			disturb(&scene, &seed);
	}
	scene_close(&scene);
}
END_TEST

/* Half-open flows fill their share: what comes then goes by hash, and what has expired makes room again. */
START_TEST(a_full_table_is_foreseen)
{
	struct flow_question question = { .protocol = PROTOCOL_TCP, .client = scene_addr("203.0.113.7"),
		.vip = scene_addr(VIP), .client_port = 9, .vip_port = 80 };
	struct explanation explanation;
	struct scene scene;

	set_up(&scene, "rr", false, false);
	for (unsigned i = 0; i < SCENE_FLOWS / 8; i++)
		scene_tcp(&scene, (uint16_t)(1000 + i), TCP_SYN);
	ck_assert_int_eq(explain(&scene.forwarder, &question, scene.now, &explanation), 0);
	ck_assert(explanation.full);
	ck_assert_int_eq(explanation.way, FLOW_WAY_HASHED);
	for (uint16_t port = 20; port < 40; port++)
		ask_and_send(&scene, "203.0.113.7", port, TCP_SYN);
	ck_assert_uint_eq(scene.forwarder.stats.by_hash, 20);
	scene.now += SECONDS(70);
	ck_assert_int_eq(explain(&scene.forwarder, &question, scene.now, &explanation), 0);
	ck_assert(!explanation.full);
	for (uint16_t port = 20; port < 40; port++)
		ask_and_send(&scene, "203.0.113.7", port, TCP_SYN);
	ck_assert_uint_eq(scene.forwarder.stats.by_hash, 20);
	scene_close(&scene);
}
END_TEST

/* Without flags the next packet is meant that can come: of a flow that is there, or a SYN. */
START_TEST(the_next_packet_is_meant)
{
	struct flow_question question = { .protocol = PROTOCOL_TCP, .client = scene_addr("203.0.113.7"),
		.vip = scene_addr(VIP), .client_port = 40000, .vip_port = 80 };
	struct explanation explanation;
	struct scene scene;

	set_up(&scene, "rr", true, false);
	ck_assert_int_eq(explain(&scene.forwarder, &question, scene.now, &explanation), 0);
	ck_assert(!explanation.flow.found && !explanation.client.found);
	ck_assert_int_eq(explanation.flags, TCP_SYN);
	ck_assert_int_eq(explanation.way, FLOW_WAY_SCHEDULED);
	ck_assert_str_eq(scene_tcp(&scene, 40000, TCP_SYN), "s1");
	scene.now += SECONDS(3);
	ck_assert_int_eq(explain(&scene.forwarder, &question, scene.now, &explanation), 0);
	ck_assert(explanation.flow.found && explanation.stays);
	ck_assert_int_eq(explanation.flags, TCP_ACK);
	ck_assert_int_eq(explanation.way, FLOW_WAY_KNOWN);
	ck_assert_int_eq(explanation.flow.state, CONN_SYN);
	ck_assert_uint_eq(explanation.flow.left, SECONDS(57));
	ck_assert_uint_eq(explanation.flow.age, SECONDS(3));
	question.client_port++;
	ck_assert_int_eq(explain(&scene.forwarder, &question, scene.now, &explanation), 0);
	ck_assert_int_eq(explanation.way, FLOW_WAY_PERSISTENT);
	ck_assert_uint_eq(explanation.client.left, SECONDS(27));
	ck_assert_str_eq(explanation.server->server->settings.name, "s1");
	question.vip_port = 81;
	ck_assert_int_eq(explain(&scene.forwarder, &question, scene.now, &explanation), 0);
	ck_assert_ptr_null(explanation.service);
	ck_assert_int_eq(explanation.reason, DROP_NO_SERVICE);
	question.vip = scene_addr("192.0.2.11");
	ck_assert_int_eq(explain(&scene.forwarder, &question, scene.now, &explanation), 0);
	ck_assert_int_eq(explanation.verdict, VERDICT_PASS);
	scene_close(&scene);
}
END_TEST

/* After the test changed the model. */
static enum candidacy
candidacy(struct scene *scene, const char *name)
{
	const struct addr vip = scene_addr(VIP);
	const struct fwd_service *service;

	scene_compile(scene);
	service = fwd_vip_service(fwdtab_vip(scene->table, 0, &vip), PROTOCOL_TCP, 80);
	return explain_candidacy(service, fwdtab_server(scene->table, scene_server(scene, "web", name)->ref));
}

START_TEST(why_a_server_is_not_taken)
{
	struct vip_fault fault = { .scope = FAULT_VIP, .name = "ignored", .sentence = "the VIP is not accepted" };
	struct scene scene;
	struct server *server;

	set_up(&scene, "rr", false, false);
	server = scene_server(&scene, "web", "s1");
	ck_assert_int_eq(candidacy(&scene, "s1"), CANDIDACY_WARMING);
	scene.now += SECONDS(20);
	ck_assert_int_eq(candidacy(&scene, "s1"), CANDIDACY_CANDIDATE);
	ck_assert_int_eq(candidacy(&scene, "s4"), CANDIDACY_BACKUP);
	scene_server(&scene, "web", "s3")->run->active = 6;
	ck_assert_int_eq(candidacy(&scene, "s3"), CANDIDACY_FULL);
	server->settings.weight = 0;
	ck_assert_int_eq(candidacy(&scene, "s1"), CANDIDACY_DRAINING);
	fault.vip = scene_addr(VIP);
	server->vip_faults = &fault;
	server_update_ports(server);
	ck_assert_int_eq(candidacy(&scene, "s1"), CANDIDACY_VIP_REFUSED);
	server->vip_faults = NULL;
	server_update_ports(server);
	server->vip_state = VIP_UNKNOWN;
	ck_assert_int_eq(candidacy(&scene, "s1"), CANDIDACY_VIP_UNKNOWN);
	server->conflicts = true;
	ck_assert_int_eq(candidacy(&scene, "s1"), CANDIDACY_CONFLICT);
	server->health.state = HEALTH_DOWN;
	ck_assert_int_eq(candidacy(&scene, "s1"), CANDIDACY_DOWN);
	server = scene_server(&scene, "web", "s2");
	server->mac = mac_zero;
	ck_assert_int_eq(candidacy(&scene, "s2"), CANDIDACY_NO_NEIGHBOR);
	server->iface = IFACE_NONE;
	ck_assert_int_eq(candidacy(&scene, "s2"), CANDIDACY_NO_INTERFACE);
	scene_close(&scene);
}
END_TEST

Suite *
explain_suite(void)
{
	Suite *suite = suite_create("explain");
	TCase *tcase = tcase_create("explain");
	int schedulers = 0;

	while (scheduler_names()[schedulers] != NULL)
		schedulers++;
	tcase_add_loop_test(tcase, what_is_predicted_happens, 0, 4 * schedulers);
	tcase_add_test(tcase, a_full_table_is_foreseen);
	tcase_add_test(tcase, the_next_packet_is_meant);
	tcase_add_test(tcase, why_a_server_is_not_taken);
	suite_add_tcase(suite, tcase);
	return suite;
}
