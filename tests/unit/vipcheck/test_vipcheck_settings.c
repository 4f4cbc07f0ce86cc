/* SPDX-License-Identifier: ISC */
/* What the VIP probe asks of whom: by protocol, by setting, after a reload, and from which address. */
#include "config.h"

#include "vipcheck/vipcheck.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "model/status.h"
#include "suites.h"
#include "vipcheck_bench.h"

START_TEST(test_udp)
{
	struct service_settings *service = bench_open(PROTOCOL_UDP);

	(void)service;
	scene_apply(&bench.scene);
	bench_sync();
	bench_probe_for(SECONDS(1));
	ck_assert_ptr_nonnull(bench_sent_to(VIP, PROTOCOL_ICMP, 8));
	ck_assert_ptr_nonnull(bench_sent_to(SERVER, PROTOCOL_ICMP, 8));
	ck_assert_ptr_nonnull(bench_sent_to(VIP, PROTOCOL_UDP, 1));
	bench_answer_ping(bench_keep(bench_sent_to(VIP, PROTOCOL_ICMP, 8)), VIP);
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_ACCEPTED);
	/* No ping, but the closed port's error. */
	bench_probe_for(SECONDS(3));
	bench_answer_error(bench_keep(bench_sent_to(VIP, PROTOCOL_UDP, 1)), VIP, 3);
	bench_probe_for(SECONDS(3));
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_ACCEPTED);
	/* The own address alone. */
	bench_answer_ping(bench_keep(bench_sent_to(SERVER, PROTOCOL_ICMP, 8)), SERVER);
	bench_probe_for(SECONDS(3));
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_IGNORED);
	/* Nobody. */
	bench_probe_for(SECONDS(3));
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_NO_CONTROL);
	scene_close(&bench.scene);
}
END_TEST

static void
begin_payload(void)
{
	struct service_settings *service = bench_open(PROTOCOL_UDP);

	service->vip_payload = (struct check_bytes) { true, 4, "ping" };
	scene_apply(&bench.scene);
	bench_sync();
	bench_probe_for(SECONDS(1));
	bench_keep(bench_sent_to(VIP, PROTOCOL_UDP, 80));
}

/* A datagram to the probe's port, from the VIP. */
static void
answer_data(const char *mac)
{
	const struct shape shape = { .from_mac = mac, .from = VIP, .to = OWN, .protocol = PROTOCOL_UDP, .from_port = 80,
		.to_port = load16(bench.probe + 34), .payload = 4 };
	struct frame frame = scene_frame(&bench.scene, &shape);

	forward_frame(&bench.scene.forwarder, &frame, bench.scene.now);
}

/* The echo of a probe that was sent, with what `mac` is the source of, and a change in a byte of its data. */
static void
answer_ping(const char *mac, const char *to, uint8_t change)
{
	uint8_t copy[128];
	const uint8_t *probe = bench_sent_to(to, PROTOCOL_ICMP, 8);
	const struct mac source = scene_mac(mac);
	struct frame frame;

	ck_assert_ptr_nonnull(probe);
	memcpy(copy, probe, 66);
	frame = frame_of(copy, 66, 0);
	memcpy(copy, probe + 6, 6);
	memcpy(copy + 6, source.bytes, 6);
	memcpy(copy + 26, probe + 30, 4);
	memcpy(copy + 30, probe + 26, 4);
	copy[34] = 0;
	copy[65] ^= change;
	forward_frame(&bench.scene.forwarder, &frame, bench.scene.now);
}

#define STRANGER "02:00:00:00:00:66"

/*
 * The server lacks the VIP; a stranger answers for it, to each port that the probe may have, and guesses at the ping.
 */
START_TEST(test_stranger_answers_for_a_black_hole)
{
	begin_payload();
	for (unsigned i = 0; i < 4; i++) {
		const uint32_t before = bench_check()->round.refused;

		answer_data(STRANGER);
		ck_assert(bench_check()->asking);
		ck_assert_uint_eq(bench_check()->round.refused, before + 1);
		ck_assert_int_ne(bench_check()->verdict, VIPCHECK_ACCEPTED);
		bench_probe_for(SECONDS(3));
		answer_ping(STRANGER, VIP, 1);
		answer_ping(SERVER_MAC, SERVER, 0);
		ck_assert_int_eq(bench_check()->round.replies[PROBE_VIP_ECHO].answer, ANSWER_AWAITED);
		bench_probe_for(SECONDS(3));
		ck_assert_int_eq(bench_check()->verdict, VIPCHECK_IGNORED);
		ck_assert(mac_equal(&bench_check()->last.refused_mac, &(struct mac) { { 2, 0, 0, 0, 0, 0x66 } }));
		bench_keep(bench_sent_to(VIP, PROTOCOL_UDP, 80));
	}
	ck_assert_int_eq(server_health(bench_server()), HEALTH_DOWN);
	/* Errors that quote another datagram's checksum prove nothing either. */
	bench.probe[40] ^= 1;
	bench_answer_error(bench.probe, VIP, 3);
	ck_assert(bench_check()->asking);
	bench.probe[40] ^= 1;
	bench.probe[18] ^= 1;
	bench_answer_error(bench.probe, VIP, 3);
	ck_assert(bench_check()->asking);
	bench.probe[18] ^= 1;
	bench_answer_error(bench.probe, VIP, 3);
	ck_assert(!bench_check()->asking);
	ck_assert_int_eq(bench_check()->last.replies[PROBE_VIP].proof, PROOF_QUOTED);
	scene_close(&bench.scene);
}
END_TEST

/* The server answers through another card: its ping, from the same MAC, proves it. */
START_TEST(test_answers_through_another_card)
{
	begin_payload();
	answer_data(STRANGER);
	bench_probe_for(SECONDS(3));
	answer_ping(STRANGER, VIP, 0);
	bench_probe_for(SECONDS(3));
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_OTHER_MAC);
	ck_assert_int_eq(bench_check()->last.replies[PROBE_VIP_ECHO].proof, PROOF_NONCE);
	/* From the server's own card it needs no further proof. */
	bench_keep(bench_sent_to(VIP, PROTOCOL_UDP, 80));
	answer_data(SERVER_MAC);
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_ACCEPTED);
	ck_assert_int_eq(bench_check()->last.replies[PROBE_VIP].proof, PROOF_SENDER);
	/* The stranger's data, but the ping of the server: its port is closed to us. */
	bench_probe_for(SECONDS(3));
	bench_keep(bench_sent_to(VIP, PROTOCOL_UDP, 80));
	answer_data(STRANGER);
	bench_probe_for(SECONDS(3));
	answer_ping(SERVER_MAC, VIP, 0);
	bench_probe_for(SECONDS(3));
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_FILTERED);
	scene_close(&bench.scene);
}
END_TEST

START_TEST(test_payload)
{
	struct service_settings *service = bench_open(PROTOCOL_UDP);
	const uint8_t *asked;
	struct shape shape = { .from_mac = SERVER_MAC, .from = VIP, .to = OWN, .protocol = PROTOCOL_UDP,
		.from_port = 80, .payload = 4 };
	struct frame frame;

	service->vip_payload = (struct check_bytes) { true, 4, "ping" };
	scene_apply(&bench.scene);
	bench_sync();
	bench_probe_for(SECONDS(1));
	asked = bench_keep(bench_sent_to(VIP, PROTOCOL_UDP, 80));
	ck_assert_uint_eq(bench.scene.sent_count, 1);
	ck_assert_mem_eq(asked + 42, "ping", 4);
	shape.to_port = load16(asked + 34);
	frame = scene_frame(&bench.scene, &shape);
	forward_frame(&bench.scene.forwarder, &frame, bench.scene.now);
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_ACCEPTED);
	/* The program answers from the server's own address. */
	bench_probe_for(SECONDS(3));
	asked = bench_keep(bench_sent_to(VIP, PROTOCOL_UDP, 80));
	shape.from = SERVER;
	shape.to_port = load16(asked + 34);
	frame = scene_frame(&bench.scene, &shape);
	forward_frame(&bench.scene.forwarder, &frame, bench.scene.now);
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_WRONG_SOURCE);
	/* The host says that the port is closed. */
	bench_probe_for(SECONDS(3));
	bench_answer_error(bench_keep(bench_sent_to(VIP, PROTOCOL_UDP, 80)), VIP, 3);
	bench_probe_for(SECONDS(3));
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_NOT_LISTENING);
	scene_close(&bench.scene);
}
END_TEST

START_TEST(test_warn_and_off)
{
	struct service_settings *service = bench_open(PROTOCOL_TCP);

	service->vip_check = VIP_CHECK_WARN;
	scene_apply(&bench.scene);
	bench_sync();
	ck_assert_int_eq(server_health(bench_server()), HEALTH_UP);
	ck_assert_int_eq(bench_reset_and(TCP_SYN | TCP_ACK), VIPCHECK_OWN_ONLY);
	ck_assert_int_eq(server_health(bench_server()), HEALTH_UP);
	ck_assert_uint_eq(bench.news, 1);
	bench_server()->service->settings.vip_check = VIP_CHECK_OFF;
	bench_sync();
	ck_assert_uint_eq(vipcheck_count(bench.scene.forwarder.vipchecks), 0);
	ck_assert_uint_eq(vipcheck_due(bench.scene.forwarder.vipchecks), UINT64_MAX);
	ck_assert_int_eq(bench_server()->vip_state, VIP_TRUSTED);
	scene_close(&bench.scene);
}
END_TEST

START_TEST(test_targets)
{
	struct service_settings *service = bench_open(PROTOCOL_TCP);
	const struct listen_settings listens[] = {
		{ scene_addr(VIP), PROTOCOL_TCP, 80, 80, 0 },
		{ scene_addr(VIP), PROTOCOL_TCP, 443, 443, 0 },
		{ scene_addr(VIP), PROTOCOL_UDP, 443, 443, 0 },
		{ scene_addr(VIP), PROTOCOL_TCP, 8000, 9000, 0 },
		{ scene_addr("192.0.2.20"), PROTOCOL_TCP, 1, 65535, 0 },
		{ scene_addr("192.0.2.30"), PROTOCOL_UDP, 53, 53, 0 },
	};
	static const struct {
		const char *vip;
		uint8_t protocol;
		uint16_t port;
	} expected[] = {
		{ VIP, PROTOCOL_TCP, 80 },
		{ "192.0.2.20", PROTOCOL_UDP, 0 }, /* any port: the host is asked */
		{ "192.0.2.30", PROTOCOL_UDP, 53 },
		{ VIP, PROTOCOL_TCP, 443 },
		{ VIP, PROTOCOL_TCP, 8000 },
	};

	free(service->listens);
	service->listens = calloc(6, sizeof(listens[0]));
	memcpy(service->listens, listens, sizeof(listens));
	service->listen_count = 6;
	free(service->checks);
	service->checks = NULL;
	service->check_count = 0;
	scene_apply(&bench.scene);
	bench_sync();
	ck_assert_uint_eq(vipcheck_count(bench.scene.forwarder.vipchecks), 5);
	for (size_t i = 0; i < 5; i++) {
		const struct vipcheck *check = vipcheck_at(bench.scene.forwarder.vipchecks, i);
		const struct addr vip = scene_addr(expected[i].vip);

		ck_assert(addr_equal(&check->vip, &vip));
		ck_assert_uint_eq(check->protocol, expected[i].protocol);
		ck_assert_uint_eq(check->port, expected[i].port);
	}
	scene_close(&bench.scene);
}
END_TEST

/* A reload brings another port: until that is proved, the server stays what it was. */
START_TEST(test_reload)
{
	struct service_settings *service;

	bench_answer(bench_await_syn(), VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
	ck_assert_int_eq(server_health(bench_server()), HEALTH_UP);
	service = scene_add_service(&bench.scene, "web", PROTOCOL_TCP, 81, "rr");
	service->interval = SECONDS(2);
	service->timeout = SECONDS(1);
	scene_add_server(service, 1, 1, false);
	scene_add_server(service, 2, 1, false);
	scene_apply(&bench.scene);
	bench_sync();
	ck_assert_uint_eq(vipcheck_count(bench.scene.forwarder.vipchecks), 2);
	ck_assert_int_eq(server_health(bench_server()), HEALTH_UP);
	ck_assert_int_eq(server_health(scene_server(&bench.scene, "web", "s2")), HEALTH_UNKNOWN);
}
END_TEST

START_TEST(test_no_source)
{
	bench.scene.ifaces[0].address_count = 0;
	bench.scene.now += SECONDS(1);
	scene_forget(&bench.scene);
	forward_vipcheck(&bench.scene.forwarder, bench.scene.now);
	ck_assert_uint_eq(bench.scene.sent_count, 0);
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_NO_SOURCE);
	ck_assert_int_eq(server_health(bench_server()), HEALTH_UP);
}
END_TEST

START_TEST(test_unknown_mac)
{
	bench_server()->mac = mac_zero;
	bench.scene.now += SECONDS(1);
	forward_vipcheck(&bench.scene.forwarder, bench.scene.now);
	ck_assert_uint_eq(bench.scene.sent_count, 0);
	ck_assert_uint_eq(forward_vipcheck_due(&bench.scene.forwarder), UINT64_MAX);
	ck_assert_int_eq(server_health(bench_server()), HEALTH_UNKNOWN);
	bench_server()->mac = scene_mac(SERVER_MAC);
	bench_sync();
	bench_await_syn();
}
END_TEST

START_TEST(test_probe_address)
{
	const uint8_t *syn;
	unsigned asked = 0;

	bench_probe_addr();
	/* Asked for by a probe without a sender, and no server is asked before that is over. */
	for (unsigned i = 0; i < 70 && probe_addr_source(&bench.scene.forwarder.probe_addrs, 0, ADDR_IPV4) ==
	    NULL; i++) {
		scene_forget(&bench.scene);
		bench.scene.now += MILLISECONDS(10);
		forward_vipcheck(&bench.scene.forwarder, bench.scene.now);
		for (size_t j = 0; j < bench.scene.sent_count; j++) {
			ck_assert_uint_eq(load16(bench.scene.sent[j].bytes + 12), ETHERTYPE_ARP);
			ck_assert_uint_eq(load32(bench.scene.sent[j].bytes + 28), 0);
			assert_ipv4(bench.scene.sent[j].bytes + 38, PROBE);
			asked++;
		}
	}
	ck_assert_uint_eq(asked, 3);
	/* Nobody is answered while it is not ours. */
	scene_forget(&bench.scene);
	scene_arp(&bench.scene, CLIENT_MAC, "ff:ff:ff:ff:ff:ff", 1, CLIENT_MAC, "192.0.2.7", PROBE);
	ck_assert_uint_eq(bench.scene.sent_count, 0);
	bench_pass(MILLISECONDS(300));
	scene_forget(&bench.scene);
	scene_arp(&bench.scene, CLIENT_MAC, "ff:ff:ff:ff:ff:ff", 1, CLIENT_MAC, "192.0.2.7", PROBE);
	ck_assert_uint_eq(bench.scene.sent_count, 1);
	syn = bench_await_syn();
	assert_ipv4(syn + 26, PROBE);
	/* Its answers are for nobody else. */
	ck_assert_int_eq(bench_answer(syn, VIP, SERVER_MAC, TCP_SYN | TCP_ACK).verdict, VERDICT_CONSUMED);
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_ACCEPTED);
	ck_assert(!bench_check()->last.borrowed);
	/* One that is too late is reset all the same. */
	scene_forget(&bench.scene);
	ck_assert_int_eq(bench_answer(syn, VIP, SERVER_MAC, TCP_SYN | TCP_ACK).verdict, VERDICT_CONSUMED);
	ck_assert_ptr_nonnull(bench_sent_to(VIP, PROTOCOL_TCP, 80));
}
END_TEST

START_TEST(test_probe_address_taken)
{
	const struct probe_addr *probe_addr;

	bench_probe_addr();
	forward_vipcheck(&bench.scene.forwarder, bench.scene.now);
	scene_arp(&bench.scene, CLIENT_MAC, DIRECTOR_MAC, 2, CLIENT_MAC, PROBE, "192.0.2.1");
	probe_addr = probe_addr_news(&bench.scene.forwarder.probe_addrs);
	ck_assert_ptr_nonnull(probe_addr);
	ck_assert_int_eq(probe_addr->state, PROBE_ADDR_TAKEN);
	ck_assert_ptr_null(probe_addr_news(&bench.scene.forwarder.probe_addrs));
	/* The director's own address must do. */
	assert_ipv4(bench_await_syn() + 26, OWN);
	/* A minute later it is asked for again, and free. */
	bench_pass(SECONDS(62));
	ck_assert_ptr_nonnull(probe_addr_source(&bench.scene.forwarder.probe_addrs, 0, ADDR_IPV4));
	probe_addr = probe_addr_news(&bench.scene.forwarder.probe_addrs);
	ck_assert_ptr_nonnull(probe_addr);
	ck_assert_int_eq(probe_addr->state, PROBE_ADDR_OURS);
}
END_TEST

/*
 * A reset from the VIP proves that the server accepts it; which ports of a range are open is a matter of the
 * programs.
 */
START_TEST(test_closed_port_of_a_range)
{
	struct service_settings *service = bench_open(PROTOCOL_TCP);
	struct server_status status;

	service->listens[0].first = 30000;
	service->listens[0].last = 30100;
	scene_apply(&bench.scene);
	bench_sync();
	bench_probe_for(SECONDS(1));
	bench_answer(bench_keep(bench_sent_to(VIP, PROTOCOL_TCP, 30000)), VIP, SERVER_MAC, TCP_RST | TCP_ACK);
	bench_probe_for(SECONDS(3));
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_NOT_LISTENING);
	ck_assert_int_eq(bench_server()->vip_state, VIP_ACCEPTED);
	server_status(bench_server(), &status);
	ck_assert_int_eq(status.state, SERVER_UP);
	ck_assert_str_eq(status.name, "port-idle");
	ck_assert_ptr_nonnull(strstr(status.sentence, "tcp/30000: connection refused at the VIP"));
	scene_close(&bench.scene);
}
END_TEST

Suite *
vipcheck_settings_suite(void)
{
	Suite *suite = suite_create("vipcheck settings");
	TCase *tcase = tcase_create("one server"), *own = tcase_create("own scene");

	tcase_add_checked_fixture(tcase, bench_begin, bench_end);
	tcase_add_test(tcase, test_reload);
	tcase_add_test(tcase, test_no_source);
	tcase_add_test(tcase, test_unknown_mac);
	tcase_add_test(tcase, test_probe_address);
	tcase_add_test(tcase, test_probe_address_taken);
	suite_add_tcase(suite, tcase);
	tcase_add_test(own, test_udp);
	tcase_add_test(own, test_closed_port_of_a_range);
	tcase_add_test(own, test_payload);
	tcase_add_test(own, test_stranger_answers_for_a_black_hole);
	tcase_add_test(own, test_answers_through_another_card);
	tcase_add_test(own, test_warn_and_off);
	tcase_add_test(own, test_targets);
	suite_add_tcase(suite, own);
	return suite;
}
