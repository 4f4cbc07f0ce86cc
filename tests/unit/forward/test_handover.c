/* SPDX-License-Identifier: ISC */
/* What one director leaves to the next: the same flows on the same servers, whatever numbers these have now. */
#include "config.h"

#include "forward/handover.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../scene/scene.h"
#include "base/duration.h"
#include "proto/packet.h"
#include "suites.h"

#define CLIENTS 60
#define FIRST_PORT 40000
#define MUTATIONS 5000 /* seconds under the sanitizers; tests/fuzz/fuzz_handover goes on from there */

/* What outlives a director. */
struct legacy {
	char *text;
	size_t length;
	struct conn_record flows[SCENE_FLOWS];
	struct conn_record clients[SCENE_FLOWS];
	struct conn_records records[2];
};

static int
reserve(void *context, uint32_t number)
{
	struct conn_records *records = context;

	if (number > SCENE_FLOWS)
		return -1;
	records->ready = SCENE_FLOWS;
	return 0;
}

static struct service_settings *
add_web(struct scene *scene, const char *scheduler)
{
	struct service_settings *web = scene_add_service(scene, "web", PROTOCOL_TCP, 80, scheduler);

	web->persist = MINUTES(30);
	web->checks = calloc(1, sizeof(*web->checks));
	ck_assert_ptr_nonnull(web->checks);
	web->checks[0].kind = CHECK_TCP;
	web->check_count = 1;
	return web;
}

static void
open_old(struct scene *scene, struct legacy *legacy)
{
	struct service_settings *web;

	memset(legacy, 0, sizeof(*legacy));
	scene_open(scene);
	web = add_web(scene, "rr");
	scene_add_server(web, 1, 1, true);
	scene_add_server(web, 2, 1, true);
	scene_add_server(web, 3, 1, true);
	scene_apply(scene);
	for (unsigned i = 1; i <= 3; i++) {
		char name[8], addr[32], mac[32];
		struct server *server;
		struct mac parsed;

		snprintf(name, sizeof(name), "s%u", i);
		snprintf(addr, sizeof(addr), "192.0.2.%u", 100 + i);
		snprintf(mac, sizeof(mac), "02:00:00:00:00:%02x", 0x10 + i);
		server = scene_server(scene, "web", name);
		parsed = scene_mac(mac);
		neigh_learn(scene->forwarder.neighbors, &(struct neigh_claim) { .addr = server->settings.addr,
		    .mac = parsed,
		    .sender = parsed }, scene->now);
		server->since = scene->now - SECONDS(100);
	}
	scene_compile(scene);
	legacy->records[0] = (struct conn_records) { legacy->flows, 0, reserve, &legacy->records[0] };
	legacy->records[1] = (struct conn_records) { legacy->clients, 0, reserve, &legacy->records[1] };
	conn_table_record(scene->forwarder.conns, &legacy->records[0]);
	conn_table_record(scene->forwarder.persist, &legacy->records[1]);
}

static void
write_text(const struct scene *scene, struct legacy *legacy)
{
	FILE *out;

	free(legacy->text);
	out = open_memstream(&legacy->text, &legacy->length);
	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(handover_write(out, scene->model, scene->ifaces, 2), 0);
	ck_assert_int_eq(fclose(out), 0);
}

/* Another order, another server in between: each number is another one. */
static void
open_new(struct scene *scene)
{
	struct service_settings *service;

	scene_open(scene);
	service = scene_add_service(scene, "dns", PROTOCOL_UDP, 53, "rr");
	scene_listen(service, "192.0.2.77", PROTOCOL_UDP, 53, 53);
	scene_add_server(service, 9, 1, false);
	service = add_web(scene, "rr");
	scene_add_server(service, 4, 1, true);
	scene_add_server(service, 3, 1, true);
	scene_add_server(service, 2, 1, true);
	scene_add_server(service, 1, 1, true);
	scene_apply(scene);
	/* What a director knows that has just been started. */
	for (size_t i = 0; i < scene->model->slot_count; i++)
		if (scene->model->slots[i]->check_count > 0)
			scene->model->slots[i]->health.state = HEALTH_UNKNOWN;
	scene_compile(scene);
}

static struct handover *
take_over(struct scene *scene, const struct legacy *legacy, bool recent)
{
	char *text = malloc(legacy->length + 1);
	struct handover *handover;
	struct conn_saved saved;

	ck_assert_ptr_nonnull(text);
	memcpy(text, legacy->text, legacy->length);
	text[legacy->length] = '\0';
	handover = handover_read(text, legacy->length, scene->model, &scene->forwarder, recent, scene->now);
	free(text);
	ck_assert_ptr_nonnull(handover);
	scene_compile(scene);
	handover_begin(handover);
	for (size_t i = 0; i < SCENE_FLOWS; i++) {
		if (conn_record_read(&legacy->flows[i], &saved))
			handover_flow(handover, &saved, scene->now);
		if (conn_record_read(&legacy->clients[i], &saved))
			handover_client(handover, &saved, scene->now);
	}
	return handover;
}

/* A client of its own for each connection; the name of the server it goes to. */
static const char *
send_from(struct scene *scene, unsigned client, uint16_t port, uint8_t flags)
{
	char from[32];
	const struct shape shape = { .from = from, .from_port = port, .flags = flags };
	struct decision decision;

	snprintf(from, sizeof(from), "203.0.113.%u", client);
	scene_forget(scene);
	decision = scene_send(scene, &shape);
	return scene_went(&decision);
}

START_TEST(test_flows_stay_where_they_were)
{
	static struct legacy legacy;
	static struct scene old, new;
	const char *went[CLIENTS];
	struct handover *handover;

	open_old(&old, &legacy);
	for (unsigned i = 0; i < CLIENTS; i++) {
		went[i] = send_from(&old, i, FIRST_PORT, TCP_SYN);
		if (i % 4 != 0)
			ck_assert_str_eq(send_from(&old, i, FIRST_PORT, TCP_ACK), went[i]);
	}
	write_text(&old, &legacy);
	open_new(&new);
	new.now += SECONDS(2);
	handover = take_over(&new, &legacy, true);
	ck_assert_uint_eq(handover_counts(handover)->flows, CLIENTS);
	ck_assert_uint_eq(handover_counts(handover)->clients, CLIENTS);
	ck_assert_uint_eq(handover_counts(handover)->servers, 3);
	ck_assert_uint_eq(handover_counts(handover)->up, 3);
	ck_assert_uint_eq(handover_counts(handover)->unreadable, 0);
	ck_assert_uint_eq(conn_table_unproven(new.forwarder.conns), CLIENTS / 4);
	ck_assert_uint_eq(scene_server(&new, "web", "s1")->run->active, CLIENTS / 4);
	for (unsigned i = 0; i < CLIENTS; i++) {
		ck_assert_str_eq(send_from(&new, i, FIRST_PORT, TCP_ACK), went[i]);
		/* Persistence too: a new connection of the client. */
		ck_assert_str_eq(send_from(&new, i, FIRST_PORT + 1, TCP_SYN), went[i]);
	}
	handover_free(handover);
	scene_close(&new);
	scene_close(&old);
	free(legacy.text);
}
END_TEST

/* A segment of the client's only connection; the state of its flow afterwards. */
static enum conn_state
segment_from(struct scene *scene, unsigned client, uint8_t flags, uint32_t sequence, uint32_t acknowledgement,
    const char *server)
{
	char from[32];
	const struct shape shape = { .from = from, .from_port = FIRST_PORT, .flags = flags, .sequence = sequence,
		.acknowledgement = acknowledgement };
	struct decision decision;

	snprintf(from, sizeof(from), "203.0.113.%u", client);
	scene_forget(scene);
	decision = scene_send(scene, &shape);
	ck_assert_str_eq(scene_went(&decision), server);
	return decision.state;
}

/*
 * What anyone can send ends no flow and moves none, in the next process either: neither where that knows the client's
 * numbers, and so believes the client's own end, nor where it does not, since the last one was killed: those end by
 * silence.
 */
START_TEST(test_forged_ends_after_a_restart)
{
	static const uint8_t ends[] = { TCP_RST, TCP_RST | TCP_ACK, TCP_FIN | TCP_ACK };
	static struct legacy legacy;
	static struct scene old, new;
	const char *went[CLIENTS];
	const bool killed = _i == 1;

	open_old(&old, &legacy);
	for (unsigned i = 0; i < CLIENTS; i++) {
		went[i] = send_from(&old, i, FIRST_PORT, TCP_SYN);
		ck_assert_int_eq(segment_from(&old, i, TCP_ACK, 1000, 5000, went[i]), CONN_ESTABLISHED);
	}
	if (!killed)
		conn_table_sweep(old.forwarder.conns, CLIENTS);
	write_text(&old, &legacy);
	open_new(&new);
	handover_free(take_over(&new, &legacy, true));
	for (unsigned i = 0; i < CLIENTS; i++) {
		/* Numbers of its own, and an end that fits them. */
		ck_assert_int_eq(segment_from(&new, i, TCP_ACK, 0x77770000, 0x33330000, went[i]), CONN_ESTABLISHED);
		ck_assert_int_eq(segment_from(&new, i, TCP_ACK, 0x77770000, 0x33330000, went[i]), CONN_ESTABLISHED);
		ck_assert_int_eq(segment_from(&new, i, ends[i % 3], 0x77770000, 0x33330000, went[i]),
		    CONN_ESTABLISHED);
		ck_assert_int_eq(segment_from(&new, i, TCP_SYN, 0x77790000, 0, went[i]), CONN_ESTABLISHED);
	}
	new.now += SECONDS(1);
	for (unsigned i = CLIENTS / 2; i < CLIENTS; i++) {
		ck_assert_int_eq(segment_from(&new, i, TCP_ACK, 1000, 5000, went[i]), CONN_ESTABLISHED);
		ck_assert_int_eq(segment_from(&new, i, TCP_RST, 1000, 0, went[i]), CONN_ESTABLISHED);
	}
	scene_close(&new);
	/* Without a forger, the client's own end is believed as soon as it can be. */
	open_new(&new);
	handover_free(take_over(&new, &legacy, true));
	for (unsigned i = 0; i < CLIENTS; i++) {
		ck_assert_int_eq(segment_from(&new, i, TCP_ACK, 1000, 6000, went[i]), CONN_ESTABLISHED);
		ck_assert_int_eq(segment_from(&new, i, ends[i % 3], 1000, 6000, went[i]),
		    killed ? CONN_ESTABLISHED : i % 3 == 2 ? CONN_FIN_WAIT : CONN_CLOSED);
	}
	new.now += MINUTES(15) + SECONDS(1);
	forward_tick(&new.forwarder, new.now);
	ck_assert_uint_eq(conn_table_count(new.forwarder.conns), 0);
	scene_close(&new);
	scene_close(&old);
	free(legacy.text);
}
END_TEST

START_TEST(test_time_goes_on)
{
	static struct legacy legacy;
	static struct scene old, new;
	struct handover *handover;
	const struct conn *conn;
	struct conn_key key;

	open_old(&old, &legacy);
	(void)send_from(&old, 1, FIRST_PORT, TCP_SYN);
	(void)send_from(&old, 1, FIRST_PORT, TCP_ACK);
	(void)send_from(&old, 2, FIRST_PORT, TCP_SYN);
	conn = conn_at(old.forwarder.conns, 1);
	key = conn->key;
	write_text(&old, &legacy);
	open_new(&new);
	new.now += MINUTES(10);
	handover = take_over(&new, &legacy, true);
	/* The half-open one had a minute, the established one a quarter of an hour. */
	ck_assert_uint_eq(handover_counts(handover)->flows, 1);
	ck_assert_uint_eq(handover_counts(handover)->expired, 2); /* with its client */
	conn = NULL;
	for (uint16_t vip = 0; vip < 4 && conn == NULL; vip++) {
		key.target = conn_target(vip, PROTOCOL_TCP);
		conn = conn_find(new.forwarder.conns, &key, new.now);
	}
	ck_assert_ptr_nonnull(conn);
	ck_assert_uint_eq(conn_age(new.forwarder.conns, conn), MINUTES(10));
	ck_assert_uint_le(conn_left(new.forwarder.conns, conn), MINUTES(5) + SECONDS(CONN_RECORD_SLACK));
	ck_assert_uint_ge(conn_left(new.forwarder.conns, conn), MINUTES(5));
	handover_free(handover);
	scene_close(&new);
	scene_close(&old);
	free(legacy.text);
}
END_TEST

START_TEST(test_servers_are_up_at_once)
{
	static struct legacy legacy;
	static struct scene old, new;
	struct server *server;

	open_old(&old, &legacy);
	scene_server(&old, "web", "s2")->health.state = HEALTH_DOWN;
	write_text(&old, &legacy);
	open_new(&new);
	new.now += SECONDS(1);
	handover_free(take_over(&new, &legacy, true));
	server = scene_server(&new, "web", "s1");
	ck_assert_int_eq(server_state(server), SERVER_UP);
	ck_assert(!mac_is_zero(&server->mac));
	ck_assert_uint_eq(server->since, SCENE_START - SECONDS(100));
	ck_assert_int_eq(server_state(scene_server(&new, "web", "s2")), SERVER_UNKNOWN);
	ck_assert_int_eq(server_state(scene_server(&new, "web", "s4")), SERVER_UNKNOWN);
	/* One bad check is not enough, `fall` are. */
	ck_assert(!server_report(server, 0, HEALTH_REASON_TIMEOUT, NULL, new.now));
	ck_assert(!server_report(server, 0, HEALTH_REASON_TIMEOUT, NULL, new.now));
	ck_assert(server_report(server, 0, HEALTH_REASON_TIMEOUT, NULL, new.now));
	scene_close(&new);
	/* What is old is not believed of health, but of flows. */
	open_new(&new);
	handover_free(take_over(&new, &legacy, false));
	ck_assert_int_eq(server_state(scene_server(&new, "web", "s1")), SERVER_UNKNOWN);
	ck_assert(mac_is_zero(&scene_server(&new, "web", "s1")->mac));
	scene_close(&new);
	scene_close(&old);
	free(legacy.text);
}
END_TEST

START_TEST(test_what_operators_changed)
{
	static struct legacy legacy;
	static struct scene old, new;
	struct server *server;

	open_old(&old, &legacy);
	server = scene_server(&old, "web", "s1");
	ck_assert(admin_admin(server, ADMIN_DRAINED, old.now));
	server->admin.drain_until = old.now + MINUTES(5);
	server->admin.admin_by = (struct admin_author) { .user = 0, .name = "root", .when = 1790000000 };
	ck_assert(admin_admin(scene_server(&old, "web", "s2"), ADMIN_DISABLED, old.now));
	server = scene_server(&old, "web", "s3");
	ck_assert(admin_weight(server, 7));
	server->admin.weight_by = (struct admin_author) { .user = -1, .when = 1790000001 };
	write_text(&old, &legacy);
	open_new(&new);
	handover_free(take_over(&new, &legacy, true));
	server = scene_server(&new, "web", "s1");
	ck_assert_int_eq(server_state(server), SERVER_DRAINING);
	ck_assert_int_eq(server->admin.admin_by.user, 0);
	ck_assert_str_eq(server->admin.admin_by.name, "root");
	ck_assert_uint_eq(server->admin.admin_by.when, 1790000000);
	ck_assert_uint_eq(server->admin.drain_began, SCENE_START);
	ck_assert_uint_eq(server->admin.drain_until, SCENE_START + MINUTES(5));
	ck_assert_int_eq(scene_server(&new, "web", "s2")->admin.admin, ADMIN_DISABLED);
	server = scene_server(&new, "web", "s3");
	ck_assert_uint_eq(server_weight(server), 7);
	ck_assert_int_eq(server->admin.weight_by.user, -1);
	ck_assert(!admin_differs(scene_server(&new, "web", "s4")));
	scene_close(&new);
	/* The file has another weight since: it is the newer one. */
	open_new(&new);
	scene_server(&new, "web", "s3")->settings.weight = 2;
	handover_free(take_over(&new, &legacy, true));
	ck_assert_uint_eq(server_weight(scene_server(&new, "web", "s3")), 2);
	ck_assert(scene_server(&new, "web", "s3")->admin.overruled);
	scene_close(&new);
	scene_close(&old);
	free(legacy.text);
}
END_TEST

START_TEST(test_what_is_gone_is_left_out)
{
	static struct legacy legacy;
	static struct scene old, new;
	struct service_settings *web;
	struct handover *handover;

	open_old(&old, &legacy);
	for (unsigned i = 0; i < CLIENTS; i++) {
		(void)send_from(&old, i, FIRST_PORT, TCP_SYN);
		(void)send_from(&old, i, FIRST_PORT, TCP_ACK);
	}
	write_text(&old, &legacy);
	/* s1 has another address, s2 is gone, s3 stays. */
	scene_open(&new);
	web = add_web(&new, "rr");
	scene_add_server(web, 1, 1, true)->addr = scene_addr("192.0.2.200");
	scene_add_server(web, 3, 1, true);
	scene_apply(&new);
	handover = take_over(&new, &legacy, true);
	ck_assert_uint_eq(handover_counts(handover)->flows, CLIENTS / 3);
	ck_assert_uint_eq(handover_counts(handover)->unknown, 2 * 2 * CLIENTS / 3);
	handover_free(handover);
	scene_close(&new);
	/* The port is another one. */
	scene_open(&new);
	web = scene_add_service(&new, "web", PROTOCOL_TCP, 8080, "rr");
	scene_add_server(web, 3, 1, true);
	scene_apply(&new);
	handover = take_over(&new, &legacy, true);
	ck_assert_uint_eq(handover_counts(handover)->flows, 0);
	ck_assert_uint_eq(conn_table_count(new.forwarder.conns), 0);
	handover_free(handover);
	scene_close(&new);
	scene_close(&old);
	free(legacy.text);
}
END_TEST

START_TEST(test_lblc_stays_with_its_server)
{
	static struct legacy legacy;
	static struct scene old, new;
	struct service_run *run;
	struct server_ref ref;

	open_old(&old, &legacy);
	run = old.model->services[0]->run;
	ref = scene_server(&old, "web", "s2")->ref;
	run->local[old.model->vips[0].number % SERVICE_LOCALS] =
	    (struct service_local) { old.model->vips[0].number, ref };
	write_text(&old, &legacy);
	open_new(&new);
	handover_free(take_over(&new, &legacy, true));
	ref = scene_server(&new, "web", "s2")->ref;
	for (size_t i = 0; i < new.model->vip_count; i++) {
		const struct vip *vip = &new.model->vips[i];
		const struct service_local *local = &new.model->services[1]->run->local[vip->number % SERVICE_LOCALS];

		if (addr_equal(&vip->addr, &old.model->vips[0].addr)) {
			ck_assert_uint_eq(local->vip, vip->number);
			ck_assert(server_ref_equal(local->server, ref));
		}
	}
	scene_close(&new);
	scene_close(&old);
	free(legacy.text);
}
END_TEST

/* A text that anyone may have written: bytes, words and lines change places. */
static void
mutate(struct legacy *legacy, const struct legacy *whole, uint64_t *random)
{
	static const char *const words[] = { "slot=0 ", "slot=65535 ", "generation=0 ", "generation=65535 ",
	    "number=65535 ",
		"=", "==", "mac=ff:ff:ff:ff:ff:ff ", "percent=255 ", "since=18446744073709551615 ",
		    "weight=4294967296 ", "\n", "\r",
		"server ", "local service=1 vip=0 slot=0 generation=1\n", "admin=drained ",
		    "drain-began=18446744073709551615 ", "\x01" };
	unsigned changes;

	memcpy(legacy->text, whole->text, whole->length);
	legacy->length = whole->length;
	*random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
	for (changes = 1 + (unsigned)(*random >> 60); changes > 0; changes--) {
		size_t at, length;

		*random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
		at = (size_t)(*random >> 33) % legacy->length;
		switch (*random >> 30 & 3) {
		case 0:
			legacy->text[at] = (char)(*random >> 50);
			break;
		case 1:
			length = strlen(words[(*random >> 40) % ARRAY_LEN(words)]);
			if (at + length <= legacy->length)
				memcpy(legacy->text + at, words[(*random >> 40) % ARRAY_LEN(words)], length);
			break;
		case 2:
			length = (size_t)(*random >> 45) % (legacy->length - at);
			memmove(legacy->text, legacy->text + at, length);
			break;
		default:
			legacy->length = at > 0 ? at : 1;
		}
	}
}

START_TEST(test_no_text_does_harm)
{
	static struct legacy legacy, whole;
	static struct scene old, new;
	uint64_t random = 1;

	open_old(&old, &whole);
	for (unsigned i = 0; i < 8; i++)
		(void)send_from(&old, i, FIRST_PORT, TCP_SYN);
	ck_assert(admin_admin(scene_server(&old, "web", "s1"), ADMIN_DRAINED, old.now));
	write_text(&old, &whole);
	open_new(&new);
	legacy.text = malloc(whole.length + 1);
	ck_assert_ptr_nonnull(legacy.text);
	memcpy(legacy.flows, whole.flows, sizeof(legacy.flows[0]) * 8);
	for (unsigned i = 0; i < MUTATIONS; i++) {
		struct handover *handover;
		struct conn_saved saved;

		mutate(&legacy, &whole, &random);
		legacy.text[legacy.length] = '\0';
		handover = handover_read(legacy.text, legacy.length, new.model, &new.forwarder, true, new.now);
		must(handover != NULL, "out of memory");
		if (i % 64 == 0)
			scene_compile(&new);
		handover_begin(handover);
		for (size_t j = 0; j < 8; j++)
			if (conn_record_read(&legacy.flows[j], &saved))
				handover_flow(handover, &saved, new.now);
		must(handover_counts(handover)->servers <= 4 && conn_table_count(new.forwarder.conns) <= 8,
		    "mutation %u makes servers or flows", i);
		handover_free(handover);
	}
	(void)send_from(&new, 1, FIRST_PORT, TCP_ACK);
	free(legacy.text);
	scene_close(&new);
	scene_close(&old);
	free(whole.text);
}
END_TEST

Suite *
handover_suite(void)
{
	Suite *suite = suite_create("handover");
	TCase *tcase = tcase_create("handover");

	tcase_add_test(tcase, test_flows_stay_where_they_were);
	tcase_add_loop_test(tcase, test_forged_ends_after_a_restart, 0, 2);
	tcase_add_test(tcase, test_time_goes_on);
	tcase_add_test(tcase, test_servers_are_up_at_once);
	tcase_add_test(tcase, test_what_operators_changed);
	tcase_add_test(tcase, test_what_is_gone_is_left_out);
	tcase_add_test(tcase, test_lblc_stays_with_its_server);
	tcase_add_test(tcase, test_no_text_does_harm);
	tcase_set_timeout(tcase, 180);
	suite_add_tcase(suite, tcase);
	return suite;
}
