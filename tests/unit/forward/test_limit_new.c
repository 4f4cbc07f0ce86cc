/* SPDX-License-Identifier: ISC */
/* `limit-new`: which frames count, what is dropped, and that an explanation says the same. */
#include "config.h"

#include <string.h>

#include "../scene/scene.h"
#include "flow/unproven.h"
#include "forward/explain.h"
#include "suites.h"

static struct scene scene;

/* Services web (TCP 80, `limit`), dns (UDP 53, 2 a second) and free (TCP 81). */
static void
configure(uint32_t limit, uint32_t client)
{
	static const struct {
		const char *name;
		uint8_t protocol;
		uint16_t port;
	} services[] = { { "web", PROTOCOL_TCP, 80 }, { "dns", PROTOCOL_UDP, 53 }, { "free", PROTOCOL_TCP, 81 },
		{ "sig", PROTOCOL_SCTP, 80 } };

	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		struct service_settings *service = scene_add_service(&scene, services[i].name, services[i].protocol,
		    services[i].port, "rr");

		scene_add_server(service, 1, 1, false);
		scene_add_server(service, 2, 1, false);
		service->limit_new = (struct limit) { .service = i == 0 ? limit : i == 2 ? 0 : 2,
			.client = i == 0 ? client : 0, .prefix4 = LIMIT_PREFIX4, .prefix6 = LIMIT_PREFIX6 };
	}
	scene_apply(&scene);
}

static void
open_scene(void)
{
	scene_open(&scene);
	configure(3, 0);
}

static void
close_scene(void)
{
	scene_close(&scene);
}

/* The verdict on the frame, which its explanation must have said before, without any effect. */
static bool
passes(const struct shape *shape)
{
	const uint8_t protocol = shape->protocol == 0 ? PROTOCOL_TCP : shape->protocol;
	const struct flow_question question = { .protocol = protocol,
		.client = scene_addr(shape->from == NULL ? "203.0.113.7" : shape->from), .vip = scene_addr(VIP),
		.client_port = shape->from_port, .vip_port = shape->to_port == 0 ? 80 : shape->to_port,
		.flags = shape->flags };
	struct explanation explanation;
	struct decision decision;

	ck_assert_int_eq(explain(&scene.forwarder, &question, scene.now, &explanation), 0);
	decision = scene_send(&scene, shape);
	scene_forget(&scene);
	if (protocol != PROTOCOL_SCTP) { /* of which a question has no chunk */
		ck_assert_int_eq(explanation.verdict, decision.verdict);
		must(decision.verdict != VERDICT_DROP || explanation.reason == decision.reason, "explained by %s",
		    drop_reason_name(explanation.reason));
	}
	if (decision.verdict == VERDICT_FORWARD)
		return true;
	ck_assert_int_eq(decision.verdict, VERDICT_DROP);
	ck_assert_int_eq(decision.reason, DROP_LIMIT_NEW);
	ck_assert(!decision.new_flow);
	return false;
}

static bool
tcp(const char *from, uint16_t port, uint8_t flags)
{
	return passes(&(struct shape) { .from = from, .from_port = port, .flags = flags });
}

static bool
udp(uint16_t port)
{
	return passes(&(struct shape) { .from_port = port, .to_port = 53, .protocol = PROTOCOL_UDP });
}

static const struct service_run *
run_of(const char *service)
{
	return scene_server(&scene, service, "s1")->service->run;
}

START_TEST(test_new_connections_are_dropped_and_counted)
{
	for (uint16_t port = 1; port <= 3; port++)
		ck_assert(tcp(NULL, port, TCP_SYN));
	for (uint16_t port = 4; port <= 8; port++)
		ck_assert(!tcp(NULL, port, TCP_SYN));
	ck_assert_uint_eq(run_of("web")->limited, 5);
	ck_assert_uint_eq(run_of("web")->limited_at, scene.now);
	ck_assert_uint_eq(scene.forwarder.stats.dropped[DROP_LIMIT_NEW], 5);
	ck_assert_uint_eq(conn_table_count(scene.forwarder.conns), 3);
	/* No other service. */
	ck_assert(passes(&(struct shape) { .from_port = 1, .to_port = 81, .flags = TCP_SYN }));
	ck_assert(udp(1));
	ck_assert_uint_eq(run_of("free")->limited + run_of("dns")->limited, 0);
	scene.now += SECONDS(1);
	ck_assert(tcp(NULL, 4, TCP_SYN));
}
END_TEST

START_TEST(test_known_connections_never_are)
{
	for (uint16_t port = 1; port <= 3; port++)
		ck_assert(tcp(NULL, port, TCP_SYN));
	ck_assert(!tcp(NULL, 4, TCP_SYN));
	for (uint16_t port = 1; port <= 3; port++) {
		ck_assert(tcp(NULL, port, TCP_SYN)); /* the client sends it again */
		ck_assert(tcp(NULL, port, TCP_ACK));
		ck_assert(tcp(NULL, port, TCP_ACK | TCP_FIN));
	}
	ck_assert_uint_eq(run_of("web")->limited, 1);
}
END_TEST

/* After a restart, or when another director has failed, connections arrive in the middle. */
START_TEST(test_the_middle_of_a_connection_does_not_count)
{
	for (uint16_t port = 1; port <= 3; port++)
		ck_assert(tcp(NULL, port, TCP_SYN));
	for (uint16_t port = 100; port < 200; port++) {
		ck_assert(tcp(NULL, port, TCP_ACK));
		ck_assert(tcp(NULL, (uint16_t)(port + 100), TCP_ACK | TCP_FIN));
		ck_assert(tcp(NULL, (uint16_t)(port + 200), TCP_RST));
	}
	ck_assert_uint_eq(run_of("web")->limited, 0);
	ck_assert(!tcp(NULL, 4, TCP_SYN));
}
END_TEST

START_TEST(test_a_reused_port_counts)
{
	ck_assert(tcp(NULL, 1, TCP_SYN));
	ck_assert(tcp(NULL, 1, TCP_ACK));
	ck_assert(tcp(NULL, 1, TCP_FIN | TCP_ACK));
	scene.now += SECONDS(11);
	for (uint16_t port = 1; port <= 4; port++)
		ck_assert_int_eq(tcp(NULL, port, TCP_SYN), port <= 3);
}
END_TEST

START_TEST(test_datagrams)
{
	ck_assert(udp(1));
	ck_assert(udp(2));
	ck_assert(!udp(3));
	scene.now += UNPROVEN_REST;
	for (unsigned i = 0; i < 10; i++) {
		ck_assert(udp(1));
		ck_assert(udp(2));
	}
	/* Their server fails: they move, and are not new. */
	ck_assert(!udp(3));
	scene_server(&scene, "dns", "s1")->health.state = HEALTH_DOWN;
	scene_compile(&scene);
	ck_assert(udp(1));
	ck_assert(udp(2));
	ck_assert(!udp(3));
	ck_assert_uint_eq(run_of("dns")->limited, 3);
}
END_TEST

START_TEST(test_every_datagram_of_one_packet_counts)
{
	scene_server(&scene, "dns", "s1")->service->settings.one_packet = true;
	scene_compile(&scene);
	ck_assert(udp(1));
	ck_assert(udp(1));
	ck_assert(!udp(1));
}
END_TEST

START_TEST(test_associations)
{
	/* Ports, verification tag and checksum, then a chunk: INIT, or DATA. */
	uint8_t init[32] = { 0, 1, 0, 80, [12] = 1, [15] = 20, [19] = 9 };
	uint8_t data[32] = { 0, 9, 0, 80, [7] = 5, [15] = 20 };

	for (uint8_t port = 1; port <= 4; port++) {
		init[1] = port;
		ck_assert_int_eq(passes(&(struct shape) { .from_port = port, .protocol = PROTOCOL_SCTP, .raw = init,
		    .payload = sizeof(init) }), port <= 2);
	}
	ck_assert(passes(&(struct shape) { .from_port = 9, .protocol = PROTOCOL_SCTP, .raw = data,
	    .payload = sizeof(data) }));
}
END_TEST

START_TEST(test_each_client_has_a_share)
{
	configure(5, 2);
	for (uint16_t port = 1; port <= 10; port++)
		ck_assert_int_eq(tcp("203.0.113.8", port, TCP_SYN), port <= 2);
	for (uint16_t port = 1; port <= 10; port++)
		ck_assert_int_eq(tcp("203.0.113.9", port, TCP_SYN), port <= 2);
	for (uint16_t port = 1; port <= 10; port++)
		ck_assert_int_eq(tcp("203.0.113.10", port, TCP_SYN), port <= 1); /* the service's last */
}
END_TEST

START_TEST(test_a_reload_changes_the_limit_and_keeps_flows)
{
	for (uint16_t port = 1; port <= 4; port++)
		ck_assert_int_eq(tcp(NULL, port, TCP_SYN), port <= 3);
	ck_assert(tcp(NULL, 1, TCP_ACK));
	configure(5, 0);
	ck_assert_uint_eq(run_of("web")->limited, 1);
	ck_assert_uint_eq(conn_table_count(scene.forwarder.conns), 3);
	ck_assert(tcp(NULL, 1, TCP_ACK));
	/* Three of the five are spent. */
	for (uint16_t port = 4; port <= 8; port++)
		ck_assert_int_eq(tcp(NULL, port, TCP_SYN), port <= 5);
	configure(0, 0);
	for (uint16_t port = 10; port <= 50; port++)
		ck_assert(tcp(NULL, port, TCP_SYN));
	ck_assert(tcp(NULL, 1, TCP_ACK));
}
END_TEST

/* What no server could take is dropped for that reason, and takes nothing. */
START_TEST(test_no_server_is_the_first_reason)
{
	const struct shape syn = { .from_port = 1, .flags = TCP_SYN };

	scene_server(&scene, "web", "s1")->health.state = HEALTH_DOWN;
	scene_server(&scene, "web", "s2")->health.state = HEALTH_DOWN;
	scene_compile(&scene);
	for (unsigned i = 0; i < 10; i++)
		ck_assert_int_eq(scene_send(&scene, &syn).reason, DROP_NO_SERVER);
	ck_assert_uint_eq(run_of("web")->limited, 0);
	scene_server(&scene, "web", "s1")->health.state = HEALTH_UP;
	scene_compile(&scene);
	for (uint16_t port = 1; port <= 4; port++)
		ck_assert_int_eq(tcp(NULL, port, TCP_SYN), port <= 3);
}
END_TEST

Suite *
limit_new_suite(void)
{
	Suite *suite = suite_create("limit-new");
	TCase *tcase = tcase_create("limit-new");

	tcase_add_checked_fixture(tcase, open_scene, close_scene);
	tcase_add_test(tcase, test_new_connections_are_dropped_and_counted);
	tcase_add_test(tcase, test_known_connections_never_are);
	tcase_add_test(tcase, test_the_middle_of_a_connection_does_not_count);
	tcase_add_test(tcase, test_a_reused_port_counts);
	tcase_add_test(tcase, test_datagrams);
	tcase_add_test(tcase, test_every_datagram_of_one_packet_counts);
	tcase_add_test(tcase, test_associations);
	tcase_add_test(tcase, test_each_client_has_a_share);
	tcase_add_test(tcase, test_a_reload_changes_the_limit_and_keeps_flows);
	tcase_add_test(tcase, test_no_server_is_the_first_reason);
	suite_add_tcase(suite, tcase);
	return suite;
}
