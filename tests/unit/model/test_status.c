/* SPDX-License-Identifier: ISC */
/*
 * The one model of health: states for each port, the sentence about a server and a service, the quorum; and who gets
 * flows.
 */
#include "config.h"

#include "model/status.h"

#include <stdlib.h>
#include <string.h>

#include "../scene/scene.h"
#include "base/attr.h"
#include "sched/fwdtab.h"
#include "suites.h"

#define OTHER_VIP "192.0.2.20"

static struct scene scene;
static struct service_settings *web;

static struct check_settings *
add_checks(struct service_settings *service, size_t count)
{
	service->checks = calloc(count, sizeof(*service->checks));
	ck_assert_ptr_nonnull(service->checks);
	service->check_count = count;
	return service->checks;
}

/* Service web of three servers, on TCP 80 and 443. */
static void
setup(void)
{
	scene_open(&scene);
	web = scene_add_service(&scene, "web", PROTOCOL_TCP, 80, "rr");
	scene_listen(web, VIP, PROTOCOL_TCP, 443, 443);
	for (unsigned i = 1; i <= 3; i++)
		(void)scene_add_server(web, i, 1, false);
}

static void
teardown(void)
{
	scene_close(&scene);
}

static struct server *
server_at(unsigned number)
{
	return scene.model->services[0]->servers[number - 1];
}

static const struct service *
service_web(void)
{
	return scene.model->services[0];
}

static void
set_fault(struct server *server, struct vip_fault *fault)
{
	server->vip_faults = fault;
	server_update_ports(server);
}

static const struct fwd_service *
fwd_at(const char *vip, uint16_t port)
{
	const struct addr addr = scene_addr(vip);
	const struct fwd_vip *found = fwdtab_vip(scene.table, 0, &addr);

	ck_assert_ptr_nonnull(found);
	return fwd_vip_service(found, PROTOCOL_TCP, port);
}

static size_t
candidates_at(const char *vip, uint16_t port)
{
	return fwd_at(vip, port)->candidate_count;
}

static struct vip_fault
port_fault(uint16_t port)
{
	return (struct vip_fault) { .scope = FAULT_PORT, .vip = scene_addr(VIP), .protocol = PROTOCOL_TCP, .port = port,
		.refused = true, .name = "not-listening", .sentence = "connection refused at the VIP, no program "
		    "listens there" };
}

START_TEST(ports_with_the_same_candidates_share_one_table)
{
	scene_apply(&scene);
	ck_assert_ptr_eq(fwd_at(VIP, 80), fwd_at(VIP, 443));
	ck_assert_uint_eq(candidates_at(VIP, 80), 3);
	ck_assert_uint_eq(scene.table->service_count, 1);
}
END_TEST

START_TEST(a_refused_port_takes_the_server_out_of_that_port_only)
{
	struct vip_fault fault = port_fault(443);
	struct server_status status;
	struct service_status service;

	scene_apply(&scene);
	set_fault(server_at(2), &fault);
	scene_compile(&scene);
	ck_assert_uint_eq(candidates_at(VIP, 80), 3);
	ck_assert_uint_eq(candidates_at(VIP, 443), 2);
	ck_assert_uint_eq(scene.table->service_count, 2);
	ck_assert_int_eq(server_at(2)->ports, PORTS_PARTLY);
	server_status(server_at(2), &status);
	ck_assert_int_eq(status.state, SERVER_UP);
	ck_assert_str_eq(status.name, "vip-not-listening");
	ck_assert_str_eq(status.sentence, "tcp/443: connection refused at the VIP, no program listens there; its other "
	    "ports get traffic");
	service_status(service_web(), &service);
	ck_assert_int_eq(service.state, SERVICE_DEGRADED);
	ck_assert_str_eq(service.name, "port-down");
	ck_assert_ptr_nonnull(strstr(service.sentence, "s2: tcp/443: connection refused"));
	/* Its other port goes too. */
	set_fault(server_at(2), NULL);
	fault = port_fault(80);
	fault.scope = FAULT_PROTOCOL;
	set_fault(server_at(2), &fault);
	ck_assert_int_eq(server_state(server_at(2)), SERVER_DOWN);
}
END_TEST

/* A port that no server has a program for, be it a new one or one that is opened on demand, is answered by a server. */
START_TEST(a_port_that_every_server_refuses_goes_to_all)
{
	struct vip_fault faults[3];

	scene_apply(&scene);
	for (unsigned i = 0; i < 3; i++) {
		faults[i] = port_fault(443);
		set_fault(server_at(i + 1), &faults[i]);
	}
	scene_compile(&scene);
	ck_assert_uint_eq(candidates_at(VIP, 80), 3);
	ck_assert_uint_eq(candidates_at(VIP, 443), 3);
	ck_assert_uint_eq(scene.table->service_count, 1);
	/* But not to one whose firewall drops the port. */
	faults[0].refused = false;
	scene_compile(&scene);
	ck_assert_uint_eq(candidates_at(VIP, 443), 2);
}
END_TEST

START_TEST(a_vip_that_is_refused_takes_its_ports_out_and_no_others)
{
	struct vip_fault fault = { .scope = FAULT_VIP, .vip = scene_addr(OTHER_VIP), .protocol = PROTOCOL_TCP,
	    .port = 80,
		.name = "ignored", .sentence = "the VIP is not accepted: no answer" };
	struct server_status status;

	scene_listen(web, OTHER_VIP, PROTOCOL_TCP, 80, 80);
	scene_listen(web, OTHER_VIP, PROTOCOL_UDP, 80, 80);
	scene_apply(&scene);
	set_fault(server_at(1), &fault);
	scene_compile(&scene);
	ck_assert_uint_eq(candidates_at(VIP, 80), 3);
	ck_assert_uint_eq(candidates_at(VIP, 443), 3);
	ck_assert_uint_eq(candidates_at(OTHER_VIP, 80), 2);
	server_status(server_at(1), &status);
	ck_assert_str_eq(status.name, "vip-ignored");
	ck_assert_ptr_nonnull(strstr(status.sentence, OTHER_VIP " tcp/80: the VIP is not accepted"));
	/* Every server: no reset can come from a host that lacks the VIP. */
	set_fault(server_at(2), &fault);
	set_fault(server_at(3), &fault);
	scene_compile(&scene);
	ck_assert_uint_eq(candidates_at(OTHER_VIP, 80), 0);
	ck_assert_uint_eq(candidates_at(VIP, 80), 3);
}
END_TEST

/* FTP: port 20 and the range are opened on demand, port 21 is the program's. */
START_TEST(ports_of_a_range_may_be_closed)
{
	struct vip_fault range = port_fault(30000), data = port_fault(20), control = port_fault(21);
	struct server_status status;

	web->listens[0].first = web->listens[0].last = 20;
	web->listens[1].first = web->listens[1].last = 21;
	scene_listen(web, VIP, PROTOCOL_TCP, 30000, 30100);
	scene_apply(&scene);
	range.note = true;
	set_fault(server_at(1), &range);
	ck_assert_int_eq(server_listen_state(server_at(1), &service_web()->settings.listens[2]), LISTEN_NOTED);
	server_status(server_at(1), &status);
	ck_assert_int_eq(status.state, SERVER_UP);
	ck_assert_str_eq(status.name, "port-idle");
	ck_assert_ptr_nonnull(strstr(status.sentence, "tcp/30000"));
	range.next = &data;
	for (unsigned i = 1; i <= 3; i++)
		set_fault(server_at(i), &range);
	scene_compile(&scene);
	ck_assert_uint_eq(candidates_at(VIP, 20), 3);
	ck_assert_uint_eq(candidates_at(VIP, 21), 3);
	ck_assert_uint_eq(candidates_at(VIP, 30050), 3);
	/* The program stops at one server. */
	control.next = &range;
	set_fault(server_at(1), &control);
	server_status(server_at(1), &status);
	ck_assert_int_eq(status.state, SERVER_DOWN);
	ck_assert_ptr_nonnull(strstr(status.sentence, "tcp/21: connection refused"));
}
END_TEST

START_TEST(a_check_that_names_a_port_speaks_for_that_port)
{
	struct check_settings *checks = add_checks(web, 2);
	struct server_status status;

	checks[0] = (struct check_settings) { .kind = CHECK_TCP, .port = 443 };
	checks[1] = (struct check_settings) { .kind = CHECK_HTTP, .path = "/healthz" };
	scene_apply(&scene);
	for (unsigned i = 1; i <= 3; i++)
		for (size_t check = 0; check < 2; check++)
			(void)server_report(server_at(i), check, HEALTH_REASON_NONE, NULL, scene.now);
	ck_assert(server_at(1)->checks[0].one_port);
	ck_assert(!server_at(1)->checks[1].one_port);
	server_at(1)->service->settings.fall = 1;
	ck_assert(server_report(server_at(1), 0, HEALTH_REASON_TIMEOUT, NULL, scene.now));
	scene_compile(&scene);
	ck_assert_uint_eq(candidates_at(VIP, 80), 3);
	ck_assert_uint_eq(candidates_at(VIP, 443), 2);
	server_status(server_at(1), &status);
	ck_assert_int_eq(status.state, SERVER_UP);
	ck_assert_str_eq(status.name, "check-timeout");
	ck_assert_str_eq(status.sentence, "tcp/443: timeout; its other ports get traffic");
	/* The other check names none, and so takes the server out of all. */
	ck_assert(server_report(server_at(1), 1, HEALTH_REASON_STATUS, "status 404\n", scene.now));
	server_status(server_at(1), &status);
	ck_assert_int_eq(status.state, SERVER_DOWN);
	ck_assert_str_eq(status.name, "check-status");
	ck_assert_str_eq(status.sentence, "http :80/healthz: status 404?, expected 200-399");
	ck_assert_int_eq(status.source, STATUS_BY_CHECK);
	ck_assert(server_report(server_at(1), 0, HEALTH_REASON_NONE, NULL, scene.now) ||
	    server_report(server_at(1), 0, HEALTH_REASON_NONE, NULL, scene.now));
	ck_assert_int_eq(server_at(1)->ports, PORTS_ALL);
}
END_TEST

/* Checks may be for some servers, in the place of those that name none. */
START_TEST(a_server_may_have_checks_of_its_own)
{
	struct check_settings *checks = add_checks(web, 3);

	checks[0] = (struct check_settings) { .kind = CHECK_TCP };
	checks[1] = (struct check_settings) { .kind = CHECK_HTTP, .path = "/", .servers = "s2,s3" };
	checks[2] = (struct check_settings) { .kind = CHECK_ICMP, .servers = "s3" };
	scene_apply(&scene);
	ck_assert(!server_at(1)->checks[0].unused && server_at(1)->checks[1].unused && server_at(1)->checks[2].unused);
	ck_assert(server_at(2)->checks[0].unused && !server_at(2)->checks[1].unused && server_at(2)->checks[2].unused);
	ck_assert(server_at(3)->checks[0].unused && !server_at(3)->checks[1].unused && !server_at(3)->checks[2].unused);
	server_at(1)->health.state = server_at(3)->health.state = HEALTH_UNKNOWN;
	(void)server_report(server_at(1), 0, HEALTH_REASON_NONE, NULL, scene.now);
	ck_assert_int_eq(server_state(server_at(1)), SERVER_UP);
	(void)server_report(server_at(3), 1, HEALTH_REASON_NONE, NULL, scene.now);
	ck_assert_int_eq(server_state(server_at(3)), SERVER_UNKNOWN);
	(void)server_report(server_at(3), 2, HEALTH_REASON_NONE, NULL, scene.now);
	ck_assert_int_eq(server_state(server_at(3)), SERVER_UP);
}
END_TEST

/* Each list of candidates takes turns by itself: interleaved ports must not leave a server of the shorter list out. */
START_TEST(turns_are_even_when_ports_differ)
{
	struct vip_fault fault = port_fault(443);
	unsigned taken[2][3] = { { 0 } };

	scene_apply(&scene);
	set_fault(server_at(3), &fault);
	scene_compile(&scene);
	for (unsigned i = 0; i < 600; i++) {
		const uint16_t ports[] = { 80, 443 };

		for (unsigned j = 0; j < 2; j++) {
			const struct fwd_service *service = fwd_at(VIP, ports[j]);
			const struct fwd_server *server = service->scheduler->pick(service, NULL, NULL);

			taken[j][server->server->settings.name[1] - '1']++;
		}
	}
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(taken[0][i], 200);
	ck_assert_uint_eq(taken[1][0], 300);
	ck_assert_uint_eq(taken[1][1], 300);
	ck_assert_uint_eq(taken[1][2], 0);
}
END_TEST

START_TEST(drained_and_down_says_both)
{
	struct check_settings *checks = add_checks(web, 1);
	struct server_status status;

	checks[0] = (struct check_settings) { .kind = CHECK_TCP };
	scene_apply(&scene);
	(void)server_report(server_at(1), 0, HEALTH_REASON_NONE, NULL, scene.now);
	server_at(1)->admin.admin = ADMIN_DRAINED;
	server_status(server_at(1), &status);
	ck_assert_int_eq(status.state, SERVER_DRAINING);
	ck_assert_str_eq(status.name, "drained");
	ck_assert_int_eq(status.source, STATUS_BY_OPERATOR);
	server_at(1)->service->settings.fall = 1;
	(void)server_report(server_at(1), 0, HEALTH_REASON_REFUSED, NULL, scene.now);
	server_status(server_at(1), &status);
	ck_assert_int_eq(status.state, SERVER_DOWN);
	ck_assert_str_eq(status.name, "check-refused");
	ck_assert_str_eq(status.sentence, "tcp/80: connection refused; drained by an operator: no new connections");
	server_at(1)->admin.admin = ADMIN_DISABLED;
	server_status(server_at(1), &status);
	ck_assert_int_eq(status.state, SERVER_DISABLED);
	ck_assert_str_eq(status.sentence, "disabled by an operator; tcp/80: connection refused");
}
END_TEST

static void
take_down(unsigned number, bool down)
{
	server_at(number)->health.state = down ? HEALTH_DOWN : HEALTH_UP;
	model_settle(scene.model);
	scene_compile(&scene);
}

/* The director's own link says nothing of a server, whatever the checks found before. */
START_TEST(without_a_link_nothing_is_known)
{
	struct check_settings *checks = add_checks(web, 1);
	struct server_status status;
	struct server *server;

	checks[0] = (struct check_settings) { .kind = CHECK_TCP };
	scene_apply(&scene);
	server = server_at(1);
	server->service->settings.fall = 1;
	(void)server_report(server, 0, HEALTH_REASON_REFUSED, NULL, scene.now);
	server->no_link = true;
	server_status(server, &status);
	ck_assert_int_eq(status.state, SERVER_UNKNOWN);
	ck_assert_str_eq(status.name, "no-link");
	ck_assert_ptr_nonnull(strstr(status.sentence, "has no link"));
	server->no_link = false;
	server_status(server, &status);
	ck_assert_int_eq(status.state, SERVER_DOWN);
}
END_TEST

START_TEST(below_its_quorum_a_service_is_down)
{
	struct service_status status;

	web->quorum = (struct quorum) { 2, false };
	web->recover = (struct quorum) { 100, true };
	scene_apply(&scene);
	model_settle(scene.model);
	service_status(service_web(), &status);
	ck_assert_int_eq(status.state, SERVICE_UP);
	take_down(1, true);
	service_status(service_web(), &status);
	ck_assert_int_eq(status.state, SERVICE_DEGRADED);
	ck_assert_str_eq(status.name, "server-down");
	ck_assert_str_eq(status.sentence, "1 of 3 servers is down");
	ck_assert_uint_eq(candidates_at(VIP, 80), 2);
	take_down(2, true);
	service_status(service_web(), &status);
	ck_assert_int_eq(status.state, SERVICE_DOWN);
	ck_assert_str_eq(status.name, "quorum-lost");
	ck_assert_str_eq(status.sentence, "quorum lost: 1 of 3 required servers up");
	ck_assert_int_eq(service_state(service_web()), HEALTH_DOWN);
	ck_assert_uint_eq(candidates_at(VIP, 80), 0);
	ck_assert(fwd_at(VIP, 80)->quorum_lost);
	/* Two are enough to stay up, but not to come back. */
	take_down(2, false);
	ck_assert_uint_eq(candidates_at(VIP, 80), 0);
	take_down(1, false);
	ck_assert_uint_eq(candidates_at(VIP, 80), 3);
	ck_assert_int_eq(service_state(service_web()), HEALTH_UP);
}
END_TEST

START_TEST(backups_take_over_when_the_quorum_is_lost)
{
	struct service_status status;

	web->quorum = (struct quorum) { 60, true };
	(void)scene_add_server(web, 4, 1, false);
	web->servers[3].backup = true;
	scene_apply(&scene);
	model_settle(scene.model);
	ck_assert_uint_eq(service_quorum(service_web()), 2);
	take_down(1, true);
	ck_assert_uint_eq(candidates_at(VIP, 80), 2);
	take_down(2, true);
	ck_assert_uint_eq(candidates_at(VIP, 80), 1);
	ck_assert_str_eq(fwd_at(VIP, 80)->candidates[0]->server->settings.name, "s4");
	service_status(service_web(), &status);
	ck_assert_int_eq(status.state, SERVICE_DEGRADED);
	ck_assert_str_eq(status.name, "quorum-lost");
	ck_assert_int_eq(service_state(service_web()), HEALTH_UP);
}
END_TEST

Suite *
status_suite(void)
{
	Suite *suite = suite_create("status");
	TCase *tcase = tcase_create("status");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, ports_with_the_same_candidates_share_one_table);
	tcase_add_test(tcase, a_refused_port_takes_the_server_out_of_that_port_only);
	tcase_add_test(tcase, a_port_that_every_server_refuses_goes_to_all);
	tcase_add_test(tcase, a_vip_that_is_refused_takes_its_ports_out_and_no_others);
	tcase_add_test(tcase, ports_of_a_range_may_be_closed);
	tcase_add_test(tcase, a_check_that_names_a_port_speaks_for_that_port);
	tcase_add_test(tcase, a_server_may_have_checks_of_its_own);
	tcase_add_test(tcase, turns_are_even_when_ports_differ);
	tcase_add_test(tcase, drained_and_down_says_both);
	tcase_add_test(tcase, without_a_link_nothing_is_known);
	tcase_add_test(tcase, below_its_quorum_a_service_is_down);
	tcase_add_test(tcase, backups_take_over_when_the_quorum_is_lost);
	suite_add_tcase(suite, tcase);
	return suite;
}
