/* SPDX-License-Identifier: ISC */
/* The VIP probe on the bench: questions are read off the wire byte by byte, answers are put together by hand. */
#include "config.h"

#include "lb/path.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "scene.h"
#include "suites.h"

#define OWN "192.0.2.1"
#define PROBE "192.0.2.250"
#define SERVER "192.0.2.101"
#define SERVER_MAC "02:00:00:00:00:11"
#define DIRECTOR_MAC "02:00:00:00:00:01"

static struct scene scene;
static unsigned news;

static void
count_news(void *context, const struct path *path, enum path_verdict before)
{
	(void)context;
	(void)path;
	(void)before;
	news++;
}

static void
sync_paths(void)
{
	ck_assert_int_eq(path_sync(scene.forwarder.paths, scene.model, true, scene.now), 0);
}

/* One server of a service on port 80, asked every two seconds with a timeout of one, rise 2, fall 3. */
static struct service_settings *
open_with(uint8_t protocol)
{
	struct service_settings *service;

	scene_open(&scene);
	news = 0;
	path_table_on_news(scene.forwarder.paths, count_news, NULL);
	service = scene_add_service(&scene, "web", protocol, 80, "rr");
	service->interval = SECONDS(2);
	service->timeout = SECONDS(1);
	scene_add_server(service, 1, 1, false);
	return service;
}

static void
open_scene(void)
{
	open_with(PROTOCOL_TCP);
	scene_apply(&scene);
	sync_paths();
}

static void
close_scene(void)
{
	scene_close(&scene);
}

static const struct path *
only_path(void)
{
	ck_assert_uint_eq(path_count(scene.forwarder.paths), 1);
	return path_at(scene.forwarder.paths, 0);
}

static struct server *
server(void)
{
	return scene_server(&scene, "web", "s1");
}

/* Lets time pass until the probe has sent something, or `limit` is over. */
static void
probe_for(uint64_t limit)
{
	const uint64_t end = scene.now + limit;

	scene_forget(&scene);
	while (scene.sent_count == 0 && scene.now < end) {
		scene.now += MILLISECONDS(10);
		forward_probe(&scene.forwarder, scene.now);
	}
}

/* The frame that went to `to`, of that protocol and destination port (TCP, UDP) or type (ICMP). */
static const uint8_t *
sent_to(const char *to, uint8_t protocol, uint16_t what)
{
	const struct addr addr = scene_addr(to);

	for (size_t i = 0; i < scene.sent_count; i++) {
		const uint8_t *bytes = scene.sent[i].bytes;
		const uint16_t port = protocol == PROTOCOL_ICMP ? bytes[34] : load16(bytes + 36);

		if (load16(bytes + 12) == ETHERTYPE_IPV4 && bytes[23] == protocol && memcmp(bytes + 30, addr.bytes, 4) == 0 &&
		    port == what)
			return bytes;
	}
	return NULL;
}

static struct decision
answer_from(const uint8_t *question, const char *from, const char *mac, uint8_t flags)
{
	char to[ADDR_TEXT];
	const struct addr source = addr_from_ipv4(question + 26);
	const struct shape shape = { .from_mac = mac, .from = from, .to = addr_format(&source, to),
		.from_port = load16(question + 36), .to_port = load16(question + 34), .flags = flags };
	struct frame frame = scene_frame(&scene, &shape);

	store32(scene.bytes + 42, load32(question + 38) + 1);
	return forward_frame(&scene.forwarder, &frame, scene.now);
}

/* An ICMP error about `question`, quoting it as RFC 792 wants: the IP header and 8 bytes. */
static void
answer_error(const uint8_t *question, const char *from, uint8_t code)
{
	char to[ADDR_TEXT];
	const struct addr source = addr_from_ipv4(question + 26);
	const struct shape shape = { .from_mac = SERVER_MAC, .from = from, .to = addr_format(&source, to),
		.protocol = PROTOCOL_ICMP, .payload = 28 };
	struct frame frame = scene_frame(&scene, &shape);

	memset(scene.bytes + 34, 0, 8);
	scene.bytes[34] = 3;
	scene.bytes[35] = code;
	memcpy(scene.bytes + 42, question + 14, 28);
	forward_frame(&scene.forwarder, &frame, scene.now);
}

static void
answer_ping(const uint8_t *question, const char *from)
{
	char to[ADDR_TEXT];
	const struct addr source = addr_from_ipv4(question + 26);
	const struct shape shape = { .from_mac = SERVER_MAC, .from = from, .to = addr_format(&source, to),
		.protocol = PROTOCOL_ICMP, .payload = 24 };
	struct frame frame = scene_frame(&scene, &shape);

	memset(scene.bytes + 34, 0, 4);
	memcpy(scene.bytes + 38, question + 38, 4);
	forward_frame(&scene.forwarder, &frame, scene.now);
}

static uint8_t question[2048]; /* a copy, since answers make frames be sent */

static const uint8_t *
keep(const uint8_t *bytes)
{
	ck_assert_ptr_nonnull(bytes);
	memcpy(question, bytes, sizeof(question));
	return question;
}

/* Waits for the next SYN to the VIP's port. */
static const uint8_t *
await_syn(void)
{
	for (unsigned tries = 0; tries < 4; tries++) {
		probe_for(SECONDS(4));
		if (sent_to(VIP, PROTOCOL_TCP, 80) != NULL)
			return keep(sent_to(VIP, PROTOCOL_TCP, 80));
	}
	ck_abort_msg("no SYN was sent");
	return NULL;
}

START_TEST(test_question)
{
	const struct mac to = scene_mac(SERVER_MAC), from = scene_mac(DIRECTOR_MAC);
	const uint8_t *syn = await_syn();

	ck_assert_mem_eq(syn, to.bytes, 6);
	ck_assert_mem_eq(syn + 6, from.bytes, 6);
	assert_ipv4(syn + 26, OWN);
	ck_assert_uint_ge(load16(syn + 34), PATH_TAG_FIRST);
	ck_assert_uint_le(load16(syn + 34), PATH_TAG_LAST);
	ck_assert_uint_eq(syn[47], TCP_SYN);
	/* One option: MSS, what an MTU of 1500 leaves. */
	ck_assert_uint_eq(load32(syn + 54), 0x02040000 + 1460);
	ck_assert_uint_eq(scene.sent_count, 1);
}
END_TEST

START_TEST(test_accepted)
{
	const uint8_t *syn, *reset;

	ck_assert_int_eq(server_health(server()), HEALTH_UNKNOWN);
	syn = await_syn();
	scene_forget(&scene);
	/* The director's own address: the host gets it too. */
	ck_assert_int_eq(answer_from(syn, VIP, SERVER_MAC, TCP_SYN | TCP_ACK).verdict, VERDICT_PASS);
	ck_assert_int_eq(only_path()->verdict, PATH_ACCEPTED);
	ck_assert_int_eq(server()->vip_state, VIP_ACCEPTED);
	ck_assert_int_eq(server_health(server()), HEALTH_UP);
	ck_assert_uint_eq(news, 1);
	ck_assert_uint_eq(scene.sent_count, 1);
	reset = sent_to(VIP, PROTOCOL_TCP, 80);
	ck_assert_ptr_nonnull(reset);
	ck_assert_uint_eq(reset[47], TCP_RST);
	ck_assert_uint_eq(load16(reset + 34), load16(syn + 34));
	ck_assert_uint_eq(load32(reset + 38), load32(syn + 38) + 1);
	/* Nothing new, nothing said. */
	answer_from(await_syn(), VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
	ck_assert_uint_eq(news, 1);
	ck_assert_uint_eq(only_path()->health.successes, 2);
}
END_TEST

START_TEST(test_forged_answers)
{
	const uint8_t *syn = await_syn();
	struct shape shape = { .from_mac = SERVER_MAC, .from = VIP, .to = OWN, .from_port = 80,
		.to_port = load16(syn + 34), .flags = TCP_SYN | TCP_ACK };
	struct frame frame = scene_frame(&scene, &shape);

	/* Acknowledges something else. */
	store32(scene.bytes + 42, load32(syn + 38));
	forward_frame(&scene.forwarder, &frame, scene.now);
	ck_assert_int_eq(only_path()->verdict, PATH_NOT_ASKED);
	/* From another port. */
	shape.from_port = 81;
	frame = scene_frame(&scene, &shape);
	store32(scene.bytes + 42, load32(syn + 38) + 1);
	forward_frame(&scene.forwarder, &frame, scene.now);
	ck_assert_int_eq(only_path()->verdict, PATH_NOT_ASKED);
	/* The right one still counts; a second time it is nobody's. */
	answer_from(syn, VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
	ck_assert_int_eq(only_path()->verdict, PATH_ACCEPTED);
	ck_assert_int_eq(answer_from(syn, VIP, SERVER_MAC, TCP_SYN | TCP_ACK).verdict, VERDICT_PASS);
	ck_assert_uint_eq(only_path()->health.successes, 1);
}
END_TEST

START_TEST(test_evidence)
{
	const struct reply *reply;

	answer_from(await_syn(), VIP, "02:00:00:00:00:77", TCP_SYN | TCP_ACK);
	ck_assert_int_eq(only_path()->verdict, PATH_OTHER_MAC);
	ck_assert_int_eq(server()->vip_state, VIP_ACCEPTED);
	reply = &only_path()->last.replies[ASK_VIP];
	ck_assert_int_eq(reply->answer, ANSWER_SYN_ACK);
	ck_assert(mac_equal(&reply->mac, &(struct mac) { { 2, 0, 0, 0, 0, 0x77 } }));
	ck_assert_uint_eq(reply->hop_limit, 64);
	ck_assert_uint_eq(reply->mss, 0);
	ck_assert(addr_equal(&reply->from, &(struct addr) { ADDR_IPV4, { 192, 0, 2, 10 } }));
	ck_assert(only_path()->last.borrowed);
	ck_assert_uint_ne(only_path()->last.ended, 0);
}
END_TEST

/* Silence for the VIP, and what the server's own address says. */
static void
round_of_silence(bool own_answers)
{
	await_syn();
	probe_for(SECONDS(3));
	ck_assert_ptr_nonnull(sent_to(SERVER, PROTOCOL_TCP, 80));
	ck_assert_ptr_nonnull(sent_to(VIP, PROTOCOL_TCP, 1));
	ck_assert_ptr_nonnull(sent_to(VIP, PROTOCOL_ICMP, 8));
	ck_assert_ptr_nonnull(sent_to(SERVER, PROTOCOL_ICMP, 8));
	if (own_answers)
		answer_from(keep(sent_to(SERVER, PROTOCOL_TCP, 80)), SERVER, SERVER_MAC, TCP_SYN | TCP_ACK);
}

START_TEST(test_ignored)
{
	round_of_silence(true);
	await_syn();
	ck_assert_int_eq(only_path()->verdict, PATH_IGNORED);
	ck_assert_int_eq(server_health(server()), HEALTH_DOWN);
	ck_assert_str_eq(server_reason(server()), path_verdict_sentence(PATH_IGNORED));
	ck_assert_ptr_nonnull(strstr(server_reason(server()), "the VIP is not accepted"));
	ck_assert_int_eq(only_path()->last.replies[ASK_VIP].answer, ANSWER_SILENCE);
	ck_assert_int_eq(only_path()->last.replies[ASK_OWN].answer, ANSWER_SYN_ACK);
	/* Two good rounds bring it back. */
	answer_from(question, VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
	ck_assert_int_eq(server_health(server()), HEALTH_DOWN);
	answer_from(await_syn(), VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
	ck_assert_int_eq(server_health(server()), HEALTH_UP);
	/* And three bad ones take it down again. */
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(server_health(server()), HEALTH_UP);
		round_of_silence(true);
		await_syn();
		answer_from(question, VIP, SERVER_MAC, 0); /* no answer at all: neither flag */
		scene.now -= MILLISECONDS(10);
		if (i < 2)
			continue;
		ck_assert_int_eq(server_health(server()), HEALTH_DOWN);
	}
}
END_TEST

/* In a flood answers are lost on the way in: nobody goes down for that. */
START_TEST(test_losses_prove_nothing)
{
	answer_from(await_syn(), VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
	for (unsigned i = 0; i < 5; i++) {
		await_syn();
		scene.forwarder.lost++;
		probe_for(SECONDS(3));
		answer_from(keep(sent_to(SERVER, PROTOCOL_TCP, 80)), SERVER, SERVER_MAC, TCP_SYN | TCP_ACK);
		await_syn();
		ck_assert_int_eq(only_path()->verdict, PATH_LOSSY);
		ck_assert_int_eq(server_health(server()), HEALTH_UP);
		answer_from(question, VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
		ck_assert_int_eq(only_path()->verdict, PATH_ACCEPTED);
	}
}
END_TEST

START_TEST(test_dead_server)
{
	round_of_silence(false);
	await_syn();
	ck_assert_int_eq(only_path()->verdict, PATH_NO_CONTROL);
	/* Nothing is known, so the checks decide. */
	ck_assert_int_eq(server()->vip_state, VIP_ACCEPTED);
	ck_assert_int_eq(server_health(server()), HEALTH_UP);
	ck_assert_int_eq(only_path()->health.state, HEALTH_UNKNOWN);
}
END_TEST

/* A reset from the VIP, then the own address says `flags`. */
static enum path_verdict
reset_and(uint8_t flags)
{
	const uint8_t *syn = await_syn();

	scene_forget(&scene);
	answer_from(syn, VIP, SERVER_MAC, TCP_RST | TCP_ACK);
	answer_from(keep(sent_to(SERVER, PROTOCOL_TCP, 80)), SERVER, SERVER_MAC, flags);
	await_syn();
	return only_path()->verdict;
}

START_TEST(test_own_only)
{
	ck_assert_int_eq(reset_and(TCP_SYN | TCP_ACK), PATH_OWN_ONLY);
	ck_assert_int_eq(server_health(server()), HEALTH_DOWN);
}
END_TEST

START_TEST(test_not_listening)
{
	ck_assert_int_eq(reset_and(TCP_RST | TCP_ACK), PATH_NOT_LISTENING);
	ck_assert_str_eq(server_reason(server()), "connection refused");
}
END_TEST

START_TEST(test_errors)
{
	static const struct {
		const char *from;
		uint8_t code;
		enum path_verdict verdict;
	} cases[] = {
		{ VIP, 3, PATH_REJECTED },
		{ VIP, 13, PATH_REJECTED },
		{ SERVER, 1, PATH_NO_ROUTE },
		{ SERVER, 13, PATH_FORWARD_REJECTED },
		{ "192.0.2.254", 1, PATH_ELSEWHERE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		answer_error(await_syn(), cases[i].from, cases[i].code);
		await_syn();
		ck_assert_int_eq(only_path()->verdict, cases[i].verdict);
		ck_assert_uint_eq(only_path()->last.replies[ASK_VIP].icmp_code, cases[i].code);
		answer_from(question, VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
	}
}
END_TEST

START_TEST(test_bounced)
{
	const struct mac us = scene_mac(DIRECTOR_MAC), server_mac = scene_mac(SERVER_MAC);
	const uint8_t *syn = await_syn();
	struct frame frame = frame_of(scene.bytes, 58, 0);
	struct decision decision;

	memcpy(scene.bytes, syn, 58);
	memcpy(scene.bytes, us.bytes, 6);
	memcpy(scene.bytes + 6, server_mac.bytes, 6);
	scene.bytes[22]--; /* time to live */
	decision = forward_frame(&scene.forwarder, &frame, scene.now);
	ck_assert_int_eq(decision.verdict, VERDICT_DROP);
	ck_assert_int_eq(decision.reason, DROP_BOUNCE);
	ck_assert_int_eq(only_path()->verdict, PATH_BOUNCED);
	ck_assert_int_eq(server_health(server()), HEALTH_DOWN);
	ck_assert_uint_eq(scene.forwarder.watch.count, 1);
	ck_assert_int_eq(scene.forwarder.watch.findings[0].kind, WATCH_SENDS_BACK);
	ck_assert(mac_equal(&scene.forwarder.watch.findings[0].mac, &server_mac));
	/* By a router's MAC, and late: still no client's. */
	scene.bytes[11] = 0x77;
	ck_assert_int_eq(forward_frame(&scene.forwarder, &frame, scene.now).reason, DROP_BOUNCE);
}
END_TEST

START_TEST(test_udp)
{
	struct service_settings *service = open_with(PROTOCOL_UDP);

	(void)service;
	scene_apply(&scene);
	sync_paths();
	probe_for(SECONDS(1));
	ck_assert_ptr_nonnull(sent_to(VIP, PROTOCOL_ICMP, 8));
	ck_assert_ptr_nonnull(sent_to(SERVER, PROTOCOL_ICMP, 8));
	ck_assert_ptr_nonnull(sent_to(VIP, PROTOCOL_UDP, 1));
	answer_ping(keep(sent_to(VIP, PROTOCOL_ICMP, 8)), VIP);
	ck_assert_int_eq(only_path()->verdict, PATH_ACCEPTED);
	/* No ping, but the closed port's error. */
	probe_for(SECONDS(3));
	answer_error(keep(sent_to(VIP, PROTOCOL_UDP, 1)), VIP, 3);
	probe_for(SECONDS(3));
	ck_assert_int_eq(only_path()->verdict, PATH_ACCEPTED);
	/* The own address alone. */
	answer_ping(keep(sent_to(SERVER, PROTOCOL_ICMP, 8)), SERVER);
	probe_for(SECONDS(3));
	ck_assert_int_eq(only_path()->verdict, PATH_IGNORED);
	/* Nobody. */
	probe_for(SECONDS(3));
	ck_assert_int_eq(only_path()->verdict, PATH_NO_CONTROL);
	scene_close(&scene);
}
END_TEST

START_TEST(test_payload)
{
	struct service_settings *service = open_with(PROTOCOL_UDP);
	const uint8_t *asked;
	struct shape shape = { .from_mac = SERVER_MAC, .from = VIP, .to = OWN, .protocol = PROTOCOL_UDP, .from_port = 80,
		.payload = 4 };
	struct frame frame;

	service->vip_payload = (struct check_bytes) { true, 4, "ping" };
	scene_apply(&scene);
	sync_paths();
	probe_for(SECONDS(1));
	asked = keep(sent_to(VIP, PROTOCOL_UDP, 80));
	ck_assert_uint_eq(scene.sent_count, 1);
	ck_assert_mem_eq(asked + 42, "ping", 4);
	shape.to_port = load16(asked + 34);
	frame = scene_frame(&scene, &shape);
	forward_frame(&scene.forwarder, &frame, scene.now);
	ck_assert_int_eq(only_path()->verdict, PATH_ACCEPTED);
	/* The program answers from the server's own address. */
	probe_for(SECONDS(3));
	asked = keep(sent_to(VIP, PROTOCOL_UDP, 80));
	shape.from = SERVER;
	shape.to_port = load16(asked + 34);
	frame = scene_frame(&scene, &shape);
	forward_frame(&scene.forwarder, &frame, scene.now);
	ck_assert_int_eq(only_path()->verdict, PATH_WRONG_SOURCE);
	/* The host says that the port is closed. */
	probe_for(SECONDS(3));
	answer_error(keep(sent_to(VIP, PROTOCOL_UDP, 80)), VIP, 3);
	probe_for(SECONDS(3));
	ck_assert_int_eq(only_path()->verdict, PATH_NOT_LISTENING);
	scene_close(&scene);
}
END_TEST

START_TEST(test_warn_and_off)
{
	struct service_settings *service = open_with(PROTOCOL_TCP);

	service->vip_check = VIP_CHECK_WARN;
	scene_apply(&scene);
	sync_paths();
	ck_assert_int_eq(server_health(server()), HEALTH_UP);
	ck_assert_int_eq(reset_and(TCP_SYN | TCP_ACK), PATH_OWN_ONLY);
	ck_assert_int_eq(server_health(server()), HEALTH_UP);
	ck_assert_uint_eq(news, 1);
	server()->service->settings.vip_check = VIP_CHECK_OFF;
	sync_paths();
	ck_assert_uint_eq(path_count(scene.forwarder.paths), 0);
	ck_assert_uint_eq(path_due(scene.forwarder.paths), UINT64_MAX);
	ck_assert_int_eq(server()->vip_state, VIP_TRUSTED);
	scene_close(&scene);
}
END_TEST

START_TEST(test_targets)
{
	struct service_settings *service = open_with(PROTOCOL_TCP);
	const struct listen_settings listens[] = {
		{ scene_addr(VIP), PROTOCOL_TCP, 80, 80 },
		{ scene_addr(VIP), PROTOCOL_TCP, 443, 443 },
		{ scene_addr(VIP), PROTOCOL_UDP, 443, 443 },
		{ scene_addr(VIP), PROTOCOL_TCP, 8000, 9000 },
		{ scene_addr("192.0.2.20"), PROTOCOL_TCP, 1, 65535 },
		{ scene_addr("192.0.2.30"), PROTOCOL_UDP, 53, 53 },
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
	scene_apply(&scene);
	sync_paths();
	ck_assert_uint_eq(path_count(scene.forwarder.paths), 5);
	for (size_t i = 0; i < 5; i++) {
		const struct path *path = path_at(scene.forwarder.paths, i);

		ck_assert(addr_equal(&path->vip, &(struct addr) { ADDR_IPV4, { 192, 0, 2, scene_addr(expected[i].vip).bytes[3] } }));
		ck_assert_uint_eq(path->protocol, expected[i].protocol);
		ck_assert_uint_eq(path->port, expected[i].port);
	}
	scene_close(&scene);
}
END_TEST

/* A reload brings another port: until that is proved, the server stays what it was. */
START_TEST(test_reload)
{
	struct service_settings *service;

	answer_from(await_syn(), VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
	ck_assert_int_eq(server_health(server()), HEALTH_UP);
	service = scene_add_service(&scene, "web", PROTOCOL_TCP, 81, "rr");
	service->interval = SECONDS(2);
	service->timeout = SECONDS(1);
	scene_add_server(service, 1, 1, false);
	scene_add_server(service, 2, 1, false);
	scene_apply(&scene);
	sync_paths();
	ck_assert_uint_eq(path_count(scene.forwarder.paths), 2);
	ck_assert_int_eq(server_health(server()), HEALTH_UP);
	ck_assert_int_eq(server_health(scene_server(&scene, "web", "s2")), HEALTH_UNKNOWN);
}
END_TEST

START_TEST(test_no_source)
{
	scene.ifaces[0].address_count = 0;
	scene.now += SECONDS(1);
	scene_forget(&scene);
	forward_probe(&scene.forwarder, scene.now);
	ck_assert_uint_eq(scene.sent_count, 0);
	ck_assert_int_eq(only_path()->verdict, PATH_NO_SOURCE);
	ck_assert_int_eq(server_health(server()), HEALTH_UP);
}
END_TEST

START_TEST(test_unknown_mac)
{
	server()->mac = mac_zero;
	scene.now += SECONDS(1);
	forward_probe(&scene.forwarder, scene.now);
	ck_assert_uint_eq(scene.sent_count, 0);
	ck_assert_uint_eq(forward_probe_due(&scene.forwarder), UINT64_MAX);
	ck_assert_int_eq(server_health(server()), HEALTH_UNKNOWN);
	server()->mac = scene_mac(SERVER_MAC);
	sync_paths();
	await_syn();
}
END_TEST

static void
claim_probe_address(void)
{
	const struct addr addrs[PROBE_ADDRESSES] = { scene_addr(PROBE) };

	claims_set(&scene.forwarder.claims, addrs, scene.ifaces, 2, scene.now);
}

static void
pass_time(uint64_t time)
{
	for (uint64_t end = scene.now + time; scene.now < end; scene.now += MILLISECONDS(50)) {
		scene_forget(&scene);
		forward_probe(&scene.forwarder, scene.now);
	}
}

START_TEST(test_probe_address)
{
	const uint8_t *syn;
	unsigned asked = 0;

	claim_probe_address();
	/* Asked for by a probe without a sender, and no server is asked before that is over. */
	for (unsigned i = 0; i < 70 && claims_source(&scene.forwarder.claims, 0, ADDR_IPV4) == NULL; i++) {
		scene_forget(&scene);
		scene.now += MILLISECONDS(10);
		forward_probe(&scene.forwarder, scene.now);
		for (size_t j = 0; j < scene.sent_count; j++) {
			ck_assert_uint_eq(load16(scene.sent[j].bytes + 12), ETHERTYPE_ARP);
			ck_assert_uint_eq(load32(scene.sent[j].bytes + 28), 0);
			assert_ipv4(scene.sent[j].bytes + 38, PROBE);
			asked++;
		}
	}
	ck_assert_uint_eq(asked, 3);
	/* Nobody is answered while it is not ours. */
	scene_forget(&scene);
	scene_arp(&scene, CLIENT_MAC, "ff:ff:ff:ff:ff:ff", 1, CLIENT_MAC, "192.0.2.7", PROBE);
	ck_assert_uint_eq(scene.sent_count, 0);
	pass_time(MILLISECONDS(300));
	scene_forget(&scene);
	scene_arp(&scene, CLIENT_MAC, "ff:ff:ff:ff:ff:ff", 1, CLIENT_MAC, "192.0.2.7", PROBE);
	ck_assert_uint_eq(scene.sent_count, 1);
	syn = await_syn();
	assert_ipv4(syn + 26, PROBE);
	/* Its answers are for nobody else. */
	ck_assert_int_eq(answer_from(syn, VIP, SERVER_MAC, TCP_SYN | TCP_ACK).verdict, VERDICT_CONSUMED);
	ck_assert_int_eq(only_path()->verdict, PATH_ACCEPTED);
	ck_assert(!only_path()->last.borrowed);
	/* One that is too late is reset all the same. */
	scene_forget(&scene);
	ck_assert_int_eq(answer_from(syn, VIP, SERVER_MAC, TCP_SYN | TCP_ACK).verdict, VERDICT_CONSUMED);
	ck_assert_ptr_nonnull(sent_to(VIP, PROTOCOL_TCP, 80));
}
END_TEST

START_TEST(test_probe_address_taken)
{
	const struct claim *claim;

	claim_probe_address();
	forward_probe(&scene.forwarder, scene.now);
	scene_arp(&scene, CLIENT_MAC, DIRECTOR_MAC, 2, CLIENT_MAC, PROBE, "192.0.2.1");
	claim = claims_news(&scene.forwarder.claims);
	ck_assert_ptr_nonnull(claim);
	ck_assert_int_eq(claim->state, CLAIM_TAKEN);
	ck_assert_ptr_null(claims_news(&scene.forwarder.claims));
	/* The director's own address must do. */
	assert_ipv4(await_syn() + 26, OWN);
	/* A minute later it is asked for again, and free. */
	pass_time(SECONDS(62));
	ck_assert_ptr_nonnull(claims_source(&scene.forwarder.claims, 0, ADDR_IPV4));
	claim = claims_news(&scene.forwarder.claims);
	ck_assert_ptr_nonnull(claim);
	ck_assert_int_eq(claim->state, CLAIM_OURS);
}
END_TEST

/* It asked who we are, so it had something to say, but it never came. */
START_TEST(test_lost)
{
	claim_probe_address();
	pass_time(SECONDS(1));
	sync_paths();
	await_syn();
	scene_arp(&scene, SERVER_MAC, "ff:ff:ff:ff:ff:ff", 1, SERVER_MAC, VIP, PROBE);
	probe_for(SECONDS(2));
	answer_from(keep(sent_to(SERVER, PROTOCOL_TCP, 80)), SERVER, SERVER_MAC, TCP_SYN | TCP_ACK);
	await_syn();
	ck_assert_int_eq(only_path()->verdict, PATH_LOST);
	ck_assert(addr_equal(&only_path()->last.asked_as, &(struct addr) { ADDR_IPV4, { 192, 0, 2, 10 } }));
	/* That it asked in the VIP's name is a finding of its own. */
	ck_assert_uint_eq(scene.forwarder.watch.count, 1);
	ck_assert_int_eq(scene.forwarder.watch.findings[0].kind, WATCH_ASKS_AS);
	/* Its kernel knows us now, and does not ask again. */
	probe_for(SECONDS(2));
	answer_from(keep(sent_to(SERVER, PROTOCOL_TCP, 80)), SERVER, SERVER_MAC, TCP_SYN | TCP_ACK);
	await_syn();
	ck_assert_int_eq(only_path()->verdict, PATH_LOST);
}
END_TEST

static struct reply
reply_of(enum answer answer, const char *from)
{
	return (struct reply) { .answer = answer, .from = scene_addr(from), .mac = scene_mac(SERVER_MAC) };
}

/* The rows that need a firewall or an odd host. */
START_TEST(test_truth_table)
{
	const struct addr vip = scene_addr(VIP), own = scene_addr(SERVER);
	struct evidence evidence = { .source = own, .server_mac = scene_mac(SERVER_MAC),
		.replies = { [ASK_VIP] = { .answer = ANSWER_SILENCE }, [ASK_OWN] = reply_of(ANSWER_SYN_ACK, SERVER) } };

	ck_assert_int_eq(path_judge(&evidence, PROTOCOL_TCP, &vip, &own), PATH_IGNORED);
	evidence.redirected = true;
	ck_assert_int_eq(path_judge(&evidence, PROTOCOL_TCP, &vip, &own), PATH_BOUNCED);
	evidence.redirected = false;
	evidence.replies[ASK_VIP_CLOSED] = reply_of(ANSWER_RESET, VIP);
	ck_assert_int_eq(path_judge(&evidence, PROTOCOL_TCP, &vip, &own), PATH_FILTERED);
	evidence.replies[ASK_VIP_CLOSED] = (struct reply) { .answer = ANSWER_SILENCE };
	evidence.replies[ASK_VIP_ECHO] = reply_of(ANSWER_ECHO, VIP);
	ck_assert_int_eq(path_judge(&evidence, PROTOCOL_TCP, &vip, &own), PATH_FILTERED);
	evidence.replies[ASK_VIP] = reply_of(ANSWER_SYN_ACK, SERVER);
	ck_assert_int_eq(path_judge(&evidence, PROTOCOL_TCP, &vip, &own), PATH_WRONG_SOURCE);
	evidence.replies[ASK_VIP] = reply_of(ANSWER_SYN_ACK, VIP);
	ck_assert_int_eq(path_judge(&evidence, PROTOCOL_TCP, &vip, &own), PATH_ACCEPTED);
	for (enum path_verdict verdict = 0; verdict < PATH_VERDICT_COUNT; verdict++) {
		ck_assert_str_ne(path_verdict_name(verdict), "?");
		ck_assert_str_ne(path_verdict_sentence(verdict), "?");
	}
}
END_TEST

Suite *
path_suite(void)
{
	Suite *suite = suite_create("path");
	TCase *tcase = tcase_create("one server"), *own = tcase_create("own scene");

	tcase_add_checked_fixture(tcase, open_scene, close_scene);
	tcase_add_test(tcase, test_question);
	tcase_add_test(tcase, test_accepted);
	tcase_add_test(tcase, test_forged_answers);
	tcase_add_test(tcase, test_evidence);
	tcase_add_test(tcase, test_ignored);
	tcase_add_test(tcase, test_losses_prove_nothing);
	tcase_add_test(tcase, test_dead_server);
	tcase_add_test(tcase, test_own_only);
	tcase_add_test(tcase, test_not_listening);
	tcase_add_test(tcase, test_errors);
	tcase_add_test(tcase, test_bounced);
	tcase_add_test(tcase, test_reload);
	tcase_add_test(tcase, test_no_source);
	tcase_add_test(tcase, test_unknown_mac);
	tcase_add_test(tcase, test_probe_address);
	tcase_add_test(tcase, test_probe_address_taken);
	tcase_add_test(tcase, test_lost);
	suite_add_tcase(suite, tcase);
	tcase_add_test(own, test_udp);
	tcase_add_test(own, test_payload);
	tcase_add_test(own, test_warn_and_off);
	tcase_add_test(own, test_targets);
	tcase_add_test(own, test_truth_table);
	suite_add_tcase(suite, own);
	return suite;
}
