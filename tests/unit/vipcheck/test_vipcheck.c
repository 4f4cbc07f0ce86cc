/* SPDX-License-Identifier: ISC */
/* The probe of the VIP check, and what each answer to it proves. */
#include "config.h"

#include "vipcheck/vipcheck.h"

#include <check.h>
#include <string.h>

#include "base/bytes.h"
#include "model/status.h"
#include "suites.h"
#include "vipcheck_bench.h"

START_TEST(test_probe)
{
	const struct mac to = scene_mac(SERVER_MAC), from = scene_mac(DIRECTOR_MAC);
	const uint8_t *syn = bench_await_syn();

	ck_assert_mem_eq(syn, to.bytes, 6);
	ck_assert_mem_eq(syn + 6, from.bytes, 6);
	assert_ipv4(syn + 26, OWN);
	ck_assert_uint_ge(load16(syn + 34), VIPCHECK_TAG_FIRST);
	ck_assert_uint_le(load16(syn + 34), VIPCHECK_TAG_LAST);
	ck_assert_uint_eq(syn[47], TCP_SYN);
	/* One option: MSS, what an MTU of 1500 leaves. */
	ck_assert_uint_eq(load32(syn + 54), 0x02040000 + 1460);
	ck_assert_uint_eq(bench.scene.sent_count, 1);
}
END_TEST

START_TEST(test_accepted)
{
	const uint8_t *syn, *reset;

	ck_assert_int_eq(server_health(bench_server()), HEALTH_UNKNOWN);
	syn = bench_await_syn();
	scene_forget(&bench.scene);
	/* The director's own address: the host gets it too. */
	ck_assert_int_eq(bench_answer(syn, VIP, SERVER_MAC, TCP_SYN | TCP_ACK).verdict, VERDICT_PASS);
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_ACCEPTED);
	ck_assert_int_eq(bench_server()->vip_state, VIP_ACCEPTED);
	ck_assert_int_eq(server_health(bench_server()), HEALTH_UP);
	ck_assert_uint_eq(bench.news, 1);
	ck_assert_uint_eq(bench.scene.sent_count, 1);
	reset = bench_sent_to(VIP, PROTOCOL_TCP, 80);
	ck_assert_ptr_nonnull(reset);
	ck_assert_uint_eq(reset[47], TCP_RST);
	ck_assert_uint_eq(load16(reset + 34), load16(syn + 34));
	ck_assert_uint_eq(load32(reset + 38), load32(syn + 38) + 1);
	/* Nothing new, nothing said. */
	bench_answer(bench_await_syn(), VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
	ck_assert_uint_eq(bench.news, 1);
	ck_assert_uint_eq(bench_check()->health.successes, 2);
}
END_TEST

START_TEST(test_forged_answers)
{
	const uint8_t *syn = bench_await_syn();
	struct shape shape = { .from_mac = SERVER_MAC, .from = VIP, .to = OWN, .from_port = 80,
		.to_port = load16(syn + 34), .flags = TCP_SYN | TCP_ACK };
	struct frame frame = scene_frame(&bench.scene, &shape);

	/* Acknowledges something else. */
	store32(bench.scene.bytes + 42, load32(syn + 38));
	forward_frame(&bench.scene.forwarder, &frame, bench.scene.now);
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_NOT_CHECKED);
	/* From another port. */
	shape.from_port = 81;
	frame = scene_frame(&bench.scene, &shape);
	store32(bench.scene.bytes + 42, load32(syn + 38) + 1);
	forward_frame(&bench.scene.forwarder, &frame, bench.scene.now);
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_NOT_CHECKED);
	/* The right one still counts; a second time it is nobody's. */
	bench_answer(syn, VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_ACCEPTED);
	ck_assert_int_eq(bench_answer(syn, VIP, SERVER_MAC, TCP_SYN | TCP_ACK).verdict, VERDICT_PASS);
	ck_assert_uint_eq(bench_check()->health.successes, 1);
}
END_TEST

/* No two rounds in a row let foresee the third: neither port, nor sequence number, nor identification. */
START_TEST(test_nothing_is_foreseen)
{
	enum { ROUNDS = 64 };
	uint16_t ports[ROUNDS], idents[ROUNDS];
	unsigned ascending = 0, same = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		const uint8_t *syn = bench_await_syn();

		ports[i] = load16(syn + 34);
		idents[i] = load16(syn + 18);
		bench_answer(syn, VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
		for (unsigned j = 0; j < i; j++) {
			ascending += j + 1 == i && ports[i] == ports[j] + 1;
			same += ports[i] == ports[j] && idents[i] == idents[j];
		}
	}
	ck_assert_uint_le(ascending, 1);
	ck_assert_uint_eq(same, 0);
}
END_TEST

/* The probe, changed: as a router or the server would send it back, or quoted in an error. */
enum forgery {
	FORGED_BACK,         /* with another sequence number */
	FORGED_BACK_AT_ONCE, /* the right one, and a time to live that no router has decremented */
	FORGED_BY_SERVER,    /* errors that quote another sequence number: from the server, ... */
	FORGED_BY_VIP,
	FORGED_BY_THIRD,
	FORGED_REDIRECT,
	FORGED_RESET,
	FORGERIES
};

static void
forge(const uint8_t *syn, int kind)
{
	static const char *const sources[FORGERIES] = { [FORGED_BY_SERVER] = SERVER, [FORGED_BY_VIP] = VIP,
		[FORGED_BY_THIRD] = "192.0.2.66" };
	const struct mac us = scene_mac(DIRECTOR_MAC), server_mac = scene_mac(SERVER_MAC);
	struct frame frame = frame_of(bench.scene.bytes, 58, 0);
	uint8_t changed[64];

	memcpy(changed, syn, 58);
	store32(changed + 38, load32(syn + 38) + (kind != FORGED_BACK_AT_ONCE));
	switch (kind) {
	case FORGED_BACK:
	case FORGED_BACK_AT_ONCE:
		memcpy(bench.scene.bytes, changed, 58);
		memcpy(bench.scene.bytes, us.bytes, 6);
		memcpy(bench.scene.bytes + 6, server_mac.bytes, 6);
		bench.scene.bytes[22] = kind == FORGED_BACK ? 63 : 64;
		ck_assert_int_eq(forward_frame(&bench.scene.forwarder, &frame, bench.scene.now).reason, DROP_BOUNCE);
		break;
	case FORGED_REDIRECT:
		bench_redirect(changed, "192.0.2.66");
		break;
	case FORGED_RESET:
		store32(changed + 38, load32(syn + 38) + 1);
		bench_answer(changed, VIP, SERVER_MAC, TCP_RST | TCP_ACK);
		break;
	default:
		bench_answer_error(changed, sources[kind], 1);
		break;
	}
}

/* Whoever knows or guesses the probe's port, but has not seen the probe, changes nothing; the answer counts. */
START_TEST(test_forged_without_the_probe)
{
	for (unsigned i = 0; i < 3; i++) {
		const uint8_t *syn = bench_await_syn();

		for (unsigned j = 0; j < 5; j++)
			forge(syn, _i);
		ck_assert(bench_check()->asking);
		ck_assert_uint_eq(bench_check()->round.refused, 5);
		ck_assert(!bench_check()->round.redirected);
		ck_assert_int_eq(bench_check()->round.refused_probe, PROBE_VIP);
		bench_answer(syn, VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
		ck_assert_int_eq(bench_check()->verdict, VIPCHECK_ACCEPTED);
		ck_assert_int_eq(bench_check()->last.replies[PROBE_VIP].proof, PROOF_NUMBER);
		ck_assert_int_eq(server_health(bench_server()), HEALTH_UP);
	}
}
END_TEST

/* A redirect that quotes the probe, and comes from the server, is believed. */
START_TEST(test_redirect)
{
	const uint8_t *syn = bench_await_syn();

	bench_redirect(syn, SERVER);
	ck_assert(bench_check()->round.redirected);
	ck_assert_uint_eq(bench_check()->round.refused, 0);
}
END_TEST

START_TEST(test_evidence)
{
	const struct reply *reply;

	bench_answer(bench_await_syn(), VIP, "02:00:00:00:00:77", TCP_SYN | TCP_ACK);
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_OTHER_MAC);
	ck_assert_int_eq(bench_server()->vip_state, VIP_ACCEPTED);
	reply = &bench_check()->last.replies[PROBE_VIP];
	ck_assert_int_eq(reply->answer, ANSWER_SYN_ACK);
	ck_assert(mac_equal(&reply->mac, &(struct mac) { { 2, 0, 0, 0, 0, 0x77 } }));
	ck_assert_int_eq(reply->proof, PROOF_NUMBER);
	ck_assert_uint_eq(reply->hop_limit, 64);
	ck_assert_uint_eq(reply->mss, 0);
	ck_assert(addr_equal(&reply->from, &(struct addr) { ADDR_IPV4, { 192, 0, 2, 10 } }));
	ck_assert(bench_check()->last.borrowed);
	ck_assert_uint_ne(bench_check()->last.ended, 0);
}
END_TEST

/* Silence for the VIP, and what the server's own address says. */
static void
round_of_silence(bool own_answers)
{
	bench_await_syn();
	bench_probe_for(SECONDS(3));
	ck_assert_ptr_nonnull(bench_sent_to(SERVER, PROTOCOL_TCP, 80));
	ck_assert_ptr_nonnull(bench_sent_to(VIP, PROTOCOL_TCP, 1));
	ck_assert_ptr_nonnull(bench_sent_to(VIP, PROTOCOL_ICMP, 8));
	ck_assert_ptr_nonnull(bench_sent_to(SERVER, PROTOCOL_ICMP, 8));
	if (own_answers)
		bench_answer_own(TCP_SYN | TCP_ACK);
}

START_TEST(test_ignored)
{
	struct server_status status;

	round_of_silence(true);
	bench_await_syn();
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_IGNORED);
	ck_assert_int_eq(server_health(bench_server()), HEALTH_DOWN);
	server_status(bench_server(), &status);
	ck_assert_str_eq(status.name, "vip-ignored");
	ck_assert_ptr_nonnull(strstr(status.sentence, "tcp/80: the VIP is not accepted"));
	ck_assert_int_eq(bench_check()->last.replies[PROBE_VIP].answer, ANSWER_SILENCE);
	ck_assert_int_eq(bench_check()->last.replies[PROBE_OWN].answer, ANSWER_SYN_ACK);
	/* Two good rounds bring it back. */
	bench_answer(bench.probe, VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
	ck_assert_int_eq(server_health(bench_server()), HEALTH_DOWN);
	bench_answer(bench_await_syn(), VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
	ck_assert_int_eq(server_health(bench_server()), HEALTH_UP);
	/* And three bad ones take it down again. */
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(server_health(bench_server()), HEALTH_UP);
		round_of_silence(true);
		bench_await_syn();
		bench_answer(bench.probe, VIP, SERVER_MAC, 0); /* no answer at all: neither flag */
		bench.scene.now -= MILLISECONDS(10);
		if (i < 2)
			continue;
		ck_assert_int_eq(server_health(bench_server()), HEALTH_DOWN);
	}
}
END_TEST

/* In a flood answers are lost on the way in: no server goes down for that. */
START_TEST(test_losses_prove_nothing)
{
	bench_answer(bench_await_syn(), VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
	for (unsigned i = 0; i < 5; i++) {
		bench_await_syn();
		bench.scene.forwarder.lost++;
		bench_probe_for(SECONDS(3));
		bench_answer_own(TCP_SYN | TCP_ACK);
		bench_await_syn();
		ck_assert_int_eq(bench_check()->verdict, VIPCHECK_LOSSY);
		ck_assert_int_eq(server_health(bench_server()), HEALTH_UP);
		bench_answer(bench.probe, VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
		ck_assert_int_eq(bench_check()->verdict, VIPCHECK_ACCEPTED);
	}
}
END_TEST

/* A round with losses is repeated at once; a server that stays silent is unverified, and down as soon as none is lost. */
START_TEST(test_losses_do_not_hide_for_ever)
{
	uint64_t began;

	bench_answer(bench_await_syn(), VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
	bench_await_syn();
	began = bench.scene.now;
	for (unsigned i = 1; i <= VIPCHECK_UNJUDGED + 2; i++) {
		bench.scene.forwarder.lost++;
		bench_probe_for(SECONDS(3));
		bench_answer_own(TCP_SYN | TCP_ACK);
		bench_await_syn();
		ck_assert_int_eq(bench_check()->verdict,
		    i < VIPCHECK_UNJUDGED ? VIPCHECK_LOSSY : VIPCHECK_UNVERIFIED);
		ck_assert_int_eq(server_health(bench_server()), HEALTH_UP);
	}
	/* A round is two timeouts of a second, not an interval of two seconds more. */
	ck_assert_uint_le(bench.scene.now - began, (VIPCHECK_UNJUDGED + 2) * MILLISECONDS(2100));
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(server_health(bench_server()), HEALTH_UP);
		bench_probe_for(SECONDS(3));
		bench_answer_own(TCP_SYN | TCP_ACK);
		bench_await_syn();
		ck_assert_int_eq(bench_check()->verdict, VIPCHECK_IGNORED);
	}
	ck_assert_int_eq(server_health(bench_server()), HEALTH_DOWN);
}
END_TEST

/* The answer came in time, but the director was busy with the frames before it. */
START_TEST(test_unread_frames_are_not_silence)
{
	const uint8_t *syn;

	bench_answer(bench_await_syn(), VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
	syn = bench_await_syn();
	bench.scene.forwarder.unread_since = bench.scene.now;
	/* The timeout is a second: that the director reads no further for almost another is not the server's fault. */
	bench_probe_for(MILLISECONDS(1900));
	ck_assert_uint_eq(bench.scene.sent_count, 0);
	bench.scene.forwarder.unread_since = 0;
	bench_answer(syn, VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_ACCEPTED);
	/* Longer than that: the round goes on, and its silence proves nothing. */
	bench_await_syn();
	bench.scene.forwarder.unread_since = bench.scene.now;
	bench_probe_for(MILLISECONDS(2100));
	ck_assert_ptr_nonnull(bench_sent_to(SERVER, PROTOCOL_TCP, 80));
	bench.scene.forwarder.unread_since = 0;
	bench_answer_own(TCP_SYN | TCP_ACK);
	bench_await_syn();
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_LOSSY);
}
END_TEST

/* What a moment's loss took is asked once more, beside the controls: the same SYN, so that either answer counts. */
START_TEST(test_the_vip_is_asked_twice)
{
	uint8_t first[58];

	for (unsigned which = 0; which < 2; which++) {
		memcpy(first, bench_await_syn(), sizeof(first));
		bench_probe_for(SECONDS(3));
		ck_assert_mem_eq(bench_sent_to(VIP, PROTOCOL_TCP, 80), first, sizeof(first));
		ck_assert_ptr_nonnull(bench_sent_to(SERVER, PROTOCOL_TCP, 80));
		bench_answer_own(TCP_SYN | TCP_ACK);
		bench_answer(bench_keep(first), VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
		ck_assert_int_eq(bench_check()->verdict, VIPCHECK_ACCEPTED);
		ck_assert_int_eq(bench_check()->last.replies[PROBE_OWN].answer, ANSWER_SYN_ACK);
	}
}
END_TEST

START_TEST(test_dead_server)
{
	round_of_silence(false);
	bench_await_syn();
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_NO_CONTROL);
	/* Nothing is known, so the checks decide. */
	ck_assert_int_eq(bench_server()->vip_state, VIP_ACCEPTED);
	ck_assert_int_eq(server_health(bench_server()), HEALTH_UP);
	ck_assert_int_eq(bench_check()->health.state, HEALTH_UNKNOWN);
}
END_TEST

START_TEST(test_own_only)
{
	ck_assert_int_eq(bench_reset_and(TCP_SYN | TCP_ACK), VIPCHECK_OWN_ONLY);
	ck_assert_int_eq(server_health(bench_server()), HEALTH_DOWN);
}
END_TEST

START_TEST(test_not_listening)
{
	struct server_status status;

	ck_assert_int_eq(bench_reset_and(TCP_RST | TCP_ACK), VIPCHECK_NOT_LISTENING);
	server_status(bench_server(), &status);
	ck_assert_int_eq(status.state, SERVER_DOWN);
	ck_assert_str_eq(status.name, "vip-not-listening");
	ck_assert_str_eq(status.sentence, "tcp/80: connection refused at the VIP, no program listens there");
}
END_TEST

START_TEST(test_errors)
{
	static const struct {
		const char *from;
		uint8_t code;
		enum vipcheck_verdict verdict;
	} cases[] = {
		{ VIP, 3, VIPCHECK_REJECTED },
		{ VIP, 13, VIPCHECK_REJECTED },
		{ SERVER, 1, VIPCHECK_NO_ROUTE },
		{ SERVER, 13, VIPCHECK_FORWARD_REJECTED },
		{ "192.0.2.254", 1, VIPCHECK_ELSEWHERE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bench_answer_error(bench_await_syn(), cases[i].from, cases[i].code);
		bench_await_syn();
		ck_assert_int_eq(bench_check()->verdict, cases[i].verdict);
		ck_assert_uint_eq(bench_check()->last.replies[PROBE_VIP].icmp_code, cases[i].code);
		bench_answer(bench.probe, VIP, SERVER_MAC, TCP_SYN | TCP_ACK);
	}
}
END_TEST

START_TEST(test_bounced)
{
	const struct mac us = scene_mac(DIRECTOR_MAC), server_mac = scene_mac(SERVER_MAC);
	const uint8_t *syn = bench_await_syn();
	struct frame frame = frame_of(bench.scene.bytes, 58, 0);
	struct decision decision;

	memcpy(bench.scene.bytes, syn, 58);
	memcpy(bench.scene.bytes, us.bytes, 6);
	memcpy(bench.scene.bytes + 6, server_mac.bytes, 6);
	bench.scene.bytes[22]--; /* time to live */
	decision = forward_frame(&bench.scene.forwarder, &frame, bench.scene.now);
	ck_assert_int_eq(decision.verdict, VERDICT_DROP);
	ck_assert_int_eq(decision.reason, DROP_BOUNCE);
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_BOUNCED);
	ck_assert_int_eq(bench_check()->last.replies[PROBE_VIP].proof, PROOF_QUOTED);
	ck_assert_int_eq(server_health(bench_server()), HEALTH_DOWN);
	ck_assert_uint_eq(bench.scene.forwarder.conflicts.count, 1);
	ck_assert_int_eq(bench.scene.forwarder.conflicts.list[0].kind, CONFLICT_SENDS_BACK);
	ck_assert(mac_equal(&bench.scene.forwarder.conflicts.list[0].mac, &server_mac));
	/* By a router's MAC, and late: still no client's. */
	bench.scene.bytes[11] = 0x77;
	ck_assert_int_eq(forward_frame(&bench.scene.forwarder, &frame, bench.scene.now).reason, DROP_BOUNCE);
}
END_TEST

/* It asked who we are, so it had something to say, but it never came. */
START_TEST(test_lost)
{
	bench_probe_addr();
	bench_pass(SECONDS(1));
	bench_sync();
	bench_await_syn();
	scene_arp(&bench.scene, SERVER_MAC, "ff:ff:ff:ff:ff:ff", 1, SERVER_MAC, VIP, PROBE);
	bench_probe_for(SECONDS(2));
	bench_answer_own(TCP_SYN | TCP_ACK);
	bench_await_syn();
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_LOST);
	ck_assert(addr_equal(&bench_check()->last.resolved_as, &(struct addr) { ADDR_IPV4, { 192, 0, 2, 10 } }));
	/* That it sent requests as the VIP is a finding of its own. */
	ck_assert_uint_eq(bench.scene.forwarder.conflicts.count, 1);
	ck_assert_int_eq(bench.scene.forwarder.conflicts.list[0].kind, CONFLICT_REQUESTS_AS);
	/* Its kernel knows us now, and does not ask again. */
	bench_probe_for(SECONDS(2));
	bench_answer_own(TCP_SYN | TCP_ACK);
	bench_await_syn();
	ck_assert_int_eq(bench_check()->verdict, VIPCHECK_LOST);
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
		.replies = { [PROBE_VIP] = { .answer = ANSWER_SILENCE },
		    [PROBE_OWN] = reply_of(ANSWER_SYN_ACK, SERVER) } };

	ck_assert_int_eq(vipcheck_judge(&evidence, PROTOCOL_TCP, &vip, &own), VIPCHECK_IGNORED);
	evidence.redirected = true;
	ck_assert_int_eq(vipcheck_judge(&evidence, PROTOCOL_TCP, &vip, &own), VIPCHECK_BOUNCED);
	evidence.redirected = false;
	evidence.replies[PROBE_VIP_CLOSED] = reply_of(ANSWER_RESET, VIP);
	ck_assert_int_eq(vipcheck_judge(&evidence, PROTOCOL_TCP, &vip, &own), VIPCHECK_FILTERED);
	evidence.replies[PROBE_VIP_CLOSED] = (struct reply) { .answer = ANSWER_SILENCE };
	evidence.replies[PROBE_VIP_ECHO] = reply_of(ANSWER_ECHO, VIP);
	ck_assert_int_eq(vipcheck_judge(&evidence, PROTOCOL_TCP, &vip, &own), VIPCHECK_FILTERED);
	evidence.replies[PROBE_VIP] = reply_of(ANSWER_SYN_ACK, SERVER);
	ck_assert_int_eq(vipcheck_judge(&evidence, PROTOCOL_TCP, &vip, &own), VIPCHECK_WRONG_SOURCE);
	evidence.replies[PROBE_VIP] = reply_of(ANSWER_SYN_ACK, VIP);
	ck_assert_int_eq(vipcheck_judge(&evidence, PROTOCOL_TCP, &vip, &own), VIPCHECK_ACCEPTED);
	for (enum vipcheck_verdict verdict = 0; verdict < VIPCHECK_VERDICT_COUNT; verdict++) {
		ck_assert_str_ne(vipcheck_verdict_name(verdict), "?");
		ck_assert_str_ne(vipcheck_verdict_sentence(verdict), "?");
	}
}
END_TEST

/* A router reports that it cannot reach the server: the server has answered nothing. */
START_TEST(test_errors_of_routers)
{
	const struct addr vip = scene_addr(VIP), own = scene_addr(SERVER);
	struct evidence evidence = { .source = own, .server_mac = scene_mac(SERVER_MAC), .method = ENCAP_IPIP,
		.replies = { [PROBE_VIP] = { .answer = ANSWER_SILENCE },
		    [PROBE_OWN] = reply_of(ANSWER_UNREACHABLE, "192.0.2.254") } };

	ck_assert_int_eq(vipcheck_judge(&evidence, PROTOCOL_TCP, &vip, &own), VIPCHECK_NO_CONTROL);
	evidence.replies[PROBE_OWN] = reply_of(ANSWER_UNREACHABLE, SERVER);
	ck_assert_int_eq(vipcheck_judge(&evidence, PROTOCOL_TCP, &vip, &own), VIPCHECK_IGNORED);
	evidence.replies[PROBE_VIP] = reply_of(ANSWER_UNREACHABLE, "192.0.2.254");
	ck_assert_int_eq(vipcheck_judge(&evidence, PROTOCOL_TCP, &vip, &own), VIPCHECK_ELSEWHERE);
	evidence.method = ENCAP_DSCP;
	ck_assert_int_eq(vipcheck_judge(&evidence, PROTOCOL_TCP, &vip, &own), VIPCHECK_NO_CONTROL);
}
END_TEST

Suite *
vipcheck_suite(void)
{
	Suite *suite = suite_create("vipcheck");
	TCase *tcase = tcase_create("one server"), *own = tcase_create("own scene");

	tcase_add_checked_fixture(tcase, bench_begin, bench_end);
	tcase_add_test(tcase, test_probe);
	tcase_add_test(tcase, test_accepted);
	tcase_add_test(tcase, test_forged_answers);
	tcase_add_test(tcase, test_nothing_is_foreseen);
	tcase_add_loop_test(tcase, test_forged_without_the_probe, 0, FORGERIES);
	tcase_add_test(tcase, test_redirect);
	tcase_add_test(tcase, test_evidence);
	tcase_add_test(tcase, test_ignored);
	tcase_add_test(tcase, test_losses_prove_nothing);
	tcase_add_test(tcase, test_losses_do_not_hide_for_ever);
	tcase_add_test(tcase, test_unread_frames_are_not_silence);
	tcase_add_test(tcase, test_the_vip_is_asked_twice);
	tcase_add_test(tcase, test_dead_server);
	tcase_add_test(tcase, test_errors_of_routers);
	tcase_add_test(tcase, test_own_only);
	tcase_add_test(tcase, test_not_listening);
	tcase_add_test(tcase, test_errors);
	tcase_add_test(tcase, test_bounced);
	tcase_add_test(tcase, test_lost);
	suite_add_tcase(suite, tcase);
	tcase_add_test(own, test_truth_table);
	suite_add_tcase(suite, own);
	return suite;
}
