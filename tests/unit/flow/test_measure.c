/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "flow/fit.h"
#include "flow/measure.h"

#include <check.h>

#include "base/duration.h"
#include "flow/stats.h"
#include "proto/packet.h"
#include "suites.h"

#define CLIENT_ISN 4000000000U

/* A flow as the flow table would hold it, and what was measured of its server. */
struct talk {
	struct conn conn;
	struct measure measure;
	uint64_t now;
};

static struct packet
segment_of(uint8_t flags, uint32_t sequence, uint32_t acknowledgement, uint32_t length)
{
	return (struct packet) { .tcp_flags = flags, .tcp_sequence = sequence, .tcp_acknowledgement = acknowledgement,
		.payload = 54, .end = 54 + length };
}

static void
begin(struct talk *talk, uint8_t flags, uint32_t sequence, uint32_t acknowledgement)
{
	const struct packet segment = segment_of(flags, sequence, acknowledgement, 0);

	*talk = (struct talk) { .now = SECONDS(100) };
	talk->conn.state = conn_tcp_next(CONN_NONE, flags) & CONN_STATE_MASK;
	measure_begin(&talk->measure, &talk->conn, &segment, talk->now);
}

static void
say(struct talk *talk, uint8_t flags, uint32_t sequence, uint32_t acknowledgement, uint32_t length)
{
	const struct packet segment = segment_of(flags, sequence, acknowledgement, length);
	const enum conn_state before = (enum conn_state)talk->conn.state;

	talk->conn.state = conn_tcp_next(before, flags) & CONN_STATE_MASK;
	measure_segment(&talk->measure, &talk->conn, before, &segment, talk->now);
}

/* SYN and first acknowledgement; the server's first byte has the number `first`. */
static void
open_talk(struct talk *talk, uint32_t first)
{
	begin(talk, TCP_SYN, CLIENT_ISN, 0);
	talk->now += 1200;
	say(talk, TCP_ACK, CLIENT_ISN + 1, first, 0);
}

START_TEST(test_response_bytes)
{
	struct talk talk;

	open_talk(&talk, 1000);
	say(&talk, TCP_ACK | TCP_PSH, CLIENT_ISN + 1, 1000, 100);
	ck_assert_uint_eq(talk.measure.response_bytes, 0);
	say(&talk, TCP_ACK, CLIENT_ISN + 101, 2460, 0);
	say(&talk, TCP_ACK, CLIENT_ISN + 101, 5380, 0);
	ck_assert_uint_eq(talk.measure.response_bytes, 4380);
	say(&talk, TCP_ACK, CLIENT_ISN + 101, 5380, 0); /* repeated */
	say(&talk, TCP_ACK, CLIENT_ISN + 101, 3920, 0); /* overtaken */
	ck_assert_uint_eq(talk.measure.response_bytes, 4380);
	ck_assert_uint_eq(talk.measure.retransmits, 0);
	ck_assert_uint_eq(talk.measure.partial, 0);
	ck_assert_uint_eq(talk.measure.handshakes, 1);
	ck_assert_uint_eq(talk.measure.completed, 1);
}
END_TEST

START_TEST(test_wrap)
{
	struct talk talk;

	open_talk(&talk, UINT32_MAX - 99);
	say(&talk, TCP_ACK, CLIENT_ISN + 1, 900, 0);
	ck_assert_uint_eq(talk.measure.response_bytes, 1000);
	/* Five times around, in steps that are allowed. */
	for (uint32_t i = 0, at = 900; i < 10 * 32; i++)
		say(&talk, TCP_ACK, CLIENT_ISN + 1, at += UINT32_C(1) << 24, 0);
	ck_assert_uint_eq(talk.measure.response_bytes, 1000 + 10 * (UINT64_C(1) << 29));
	ck_assert_uint_eq(talk.measure.jumps, 0);
}
END_TEST

/* More than a window is a forgery, or more was missed: two segments that agree show which. */
START_TEST(test_jump)
{
	struct talk talk;

	open_talk(&talk, 1000);
	say(&talk, TCP_ACK, CLIENT_ISN + 1, 2000, 0);
	say(&talk, TCP_ACK, CLIENT_ISN + 1, 2000 + FIT_ACK_AHEAD + 1, 0);
	ck_assert_uint_eq(talk.measure.response_bytes, 1000);
	ck_assert_uint_eq(talk.measure.jumps, 1);
	/* The client itself, from where it was. */
	say(&talk, TCP_ACK, CLIENT_ISN + 1, 3000, 0);
	say(&talk, TCP_ACK, CLIENT_ISN + 1, 4000, 0);
	ck_assert_uint_eq(talk.measure.response_bytes, 3000);
	ck_assert_uint_eq(talk.measure.jumps, 1);
	say(&talk, TCP_ACK, CLIENT_ISN + 1, 4000 + FIT_ACK_AHEAD, 0);
	ck_assert_uint_eq(talk.measure.response_bytes, 3000 + FIT_ACK_AHEAD);
	/* A forged one moves nothing; neither do two that do not agree. */
	say(&talk, TCP_ACK, 77, 88, 0);
	say(&talk, TCP_ACK, 78, 88, 0);
	ck_assert_uint_eq(talk.measure.jumps, 3);
	say(&talk, TCP_ACK, CLIENT_ISN + 1, 5000 + FIT_ACK_AHEAD, 0);
	ck_assert_uint_eq(talk.measure.response_bytes, 4000 + FIT_ACK_AHEAD);
	/* Two that do are the client's after a gap, or a forger's: the count goes on from there. */
	say(&talk, TCP_ACK, 77, 88, 0);
	say(&talk, TCP_ACK, 77, 188, 0);
	say(&talk, TCP_ACK, 77, 288, 0);
	ck_assert_uint_eq(talk.measure.response_bytes, 4100 + FIT_ACK_AHEAD);
}
END_TEST

/* The server's FIN has a sequence number and is no byte, whoever finishes first. */
START_TEST(test_client_finishes_first)
{
	struct talk talk;

	open_talk(&talk, 1000);
	say(&talk, TCP_ACK, CLIENT_ISN + 1, 1500, 0);
	say(&talk, TCP_ACK | TCP_FIN, CLIENT_ISN + 1, 1500, 0);
	say(&talk, TCP_ACK, CLIENT_ISN + 2, 1700, 0);
	say(&talk, TCP_ACK, CLIENT_ISN + 2, 1801, 0); /* 100 bytes and the FIN */
	ck_assert_uint_eq(talk.measure.response_bytes, 800);
	ck_assert_uint_eq(talk.measure.owed, 0);
	ck_assert_uint_eq(talk.measure.retransmits, 0);
}
END_TEST

START_TEST(test_server_finishes_first)
{
	struct talk talk;

	open_talk(&talk, 1000);
	say(&talk, TCP_ACK, CLIENT_ISN + 1, 1801, 0);
	say(&talk, TCP_ACK | TCP_FIN, CLIENT_ISN + 1, 1801, 0);
	say(&talk, TCP_ACK | TCP_FIN, CLIENT_ISN + 1, 1801, 0);
	/* One too many, which the server's next flow puts right: counters only grow. */
	ck_assert_uint_eq(talk.measure.response_bytes, 801);
	ck_assert_uint_eq(talk.measure.owed, 1);
	ck_assert_uint_eq(talk.measure.retransmits, 1);
	measure_offloaded(&talk.measure, &talk.conn, talk.conn.acknowledged + 100, talk.conn.sent, 0);
	ck_assert_uint_eq(talk.measure.response_bytes, 900);
}
END_TEST

/* A handshake whose acknowledgement was lost on the way to the director, and no data. */
START_TEST(test_fin_at_once)
{
	struct talk talk;

	begin(&talk, TCP_SYN, CLIENT_ISN, 0);
	say(&talk, TCP_ACK | TCP_FIN, CLIENT_ISN + 1, 1000, 0);
	say(&talk, TCP_ACK, CLIENT_ISN + 2, 1001, 0);
	ck_assert_uint_eq(talk.measure.completed, 1);
	ck_assert_uint_eq(talk.measure.response_bytes, 0);
	ck_assert_uint_eq(talk.measure.owed, 0);
}
END_TEST

START_TEST(test_reset)
{
	struct talk talk;

	open_talk(&talk, 1000);
	say(&talk, TCP_ACK | TCP_RST, CLIENT_ISN + 1, 1500, 0);
	ck_assert_uint_eq(talk.measure.response_bytes, 500);
	open_talk(&talk, 1000);
	say(&talk, TCP_RST, CLIENT_ISN + 1, 0, 0);
	ck_assert_uint_eq(talk.measure.response_bytes, 0);
	ck_assert_uint_eq(talk.measure.jumps, 0);
}
END_TEST

START_TEST(test_partial)
{
	struct talk talk;

	begin(&talk, TCP_ACK, CLIENT_ISN, 70000);
	ck_assert_uint_eq(talk.measure.partial, 1);
	ck_assert_uint_eq(talk.measure.handshakes, 0);
	say(&talk, TCP_ACK, CLIENT_ISN, 70500, 0);
	ck_assert_uint_eq(talk.measure.response_bytes, 500);
	ck_assert_uint_eq(talk.measure.handshake.count, 0);
}
END_TEST

START_TEST(test_handshake)
{
	struct talk talk;

	begin(&talk, TCP_SYN, CLIENT_ISN, 0);
	ck_assert_uint_eq(talk.measure.handshakes, 1);
	ck_assert_uint_eq(talk.measure.completed, 0);
	talk.now += 700;
	say(&talk, TCP_ACK, CLIENT_ISN + 1, 1000, 0);
	ck_assert_uint_eq(talk.measure.handshake.count, 1);
	ck_assert_uint_eq(talk.measure.handshake.sum, 700);
	ck_assert_uint_eq(talk.measure.handshake.buckets[3], 1); /* above 500, up to 1000 */
	ck_assert_uint_eq(talk.measure.smoothed, 700);
	talk.now += SECONDS(1);
	say(&talk, TCP_ACK, CLIENT_ISN + 1, 1001, 0);
	ck_assert_uint_eq(talk.measure.handshake.count, 1);
}
END_TEST

/* Which of two SYNs was answered cannot be told, so the time is no sample; the repetition counts. */
START_TEST(test_repeated_syn)
{
	struct talk talk;

	begin(&talk, TCP_SYN, CLIENT_ISN, 0);
	talk.now += SECONDS(1);
	say(&talk, TCP_SYN, CLIENT_ISN, 0, 0);
	say(&talk, TCP_ACK, CLIENT_ISN + 1, 1000, 0);
	ck_assert_uint_eq(talk.measure.retransmits, 1);
	ck_assert_uint_eq(talk.measure.completed, 1);
	ck_assert_uint_eq(talk.measure.handshake.count, 0);
}
END_TEST

START_TEST(test_retransmits)
{
	struct talk talk;

	open_talk(&talk, 1000);
	say(&talk, TCP_ACK, CLIENT_ISN + 1, 1000, 1460);
	say(&talk, TCP_ACK, CLIENT_ISN + 1461, 1000, 1460);
	ck_assert_uint_eq(talk.measure.retransmits, 0);
	say(&talk, TCP_ACK, CLIENT_ISN + 1461, 1000, 1460);
	ck_assert_uint_eq(talk.measure.retransmits, 1);
	/* Keepalives, with a byte of nothing and without. */
	say(&talk, TCP_ACK, CLIENT_ISN + 2920, 1000, 1);
	say(&talk, TCP_ACK, CLIENT_ISN + 2920, 1000, 0);
	ck_assert_uint_eq(talk.measure.retransmits, 1);
	/* Partly new. */
	say(&talk, TCP_ACK, CLIENT_ISN + 2821, 1000, 1000);
	ck_assert_uint_eq(talk.measure.retransmits, 2);
	say(&talk, TCP_ACK, CLIENT_ISN + 3821, 1000, 100);
	ck_assert_uint_eq(talk.measure.retransmits, 2);
}
END_TEST

START_TEST(test_percentiles)
{
	struct latency latency = { { 0 }, 0, 0 };

	ck_assert_uint_eq(latency_percentile(&latency, 50), 0);
	for (unsigned i = 0; i < 98; i++)
		latency_add(&latency, 90);
	latency_add(&latency, 40000);
	latency_add(&latency, SECONDS(60));
	ck_assert_uint_eq(latency_percentile(&latency, 50), 100);
	ck_assert_uint_eq(latency_percentile(&latency, 99), 50000);
	ck_assert_uint_eq(latency_percentile(&latency, 100), 2500000);
	ck_assert_uint_eq(latency.buckets[LATENCY_BUCKETS], 1);
	ck_assert_uint_eq(latency.count, 100);
}
END_TEST

/* Schedulers hear of what is noticeable; what nobody refreshes fades towards the others. */
START_TEST(test_tick)
{
	struct measure measure = { .smoothed = 8000 };

	measure_tick(&measure, 0);
	ck_assert_uint_eq(measure.published, 8000);
	measure.smoothed = 8999;
	measure.handshake.count++;
	measure_tick(&measure, 1000);
	ck_assert_uint_eq(measure.published, 8000);
	measure.smoothed = 9001;
	measure.handshake.count++;
	measure_tick(&measure, 1000);
	ck_assert_uint_eq(measure.published, 9001);
	for (unsigned i = 0; i < 60; i++)
		measure_tick(&measure, 1000);
	ck_assert_uint_lt(measure.smoothed, 1300);
	ck_assert_uint_ge(measure.smoothed, 1000);
	/* Faster than the others is nothing to forget. */
	measure.smoothed = 500;
	measure_tick(&measure, 1000);
	measure_tick(&measure, 1000);
	ck_assert_uint_eq(measure.smoothed, 500);
}
END_TEST

START_TEST(test_rate)
{
	struct rate rate = { 0 };
	uint64_t now = SECONDS(5), total = 1000000;

	rate_tick(&rate, total, now);
	ck_assert_uint_eq(rate.current, 0);
	ck_assert_uint_eq(rate_value(&rate), 0);
	for (unsigned i = 0; i < 100; i++)
		rate_tick(&rate, total += 5000, now += SECONDS(1));
	ck_assert_uint_eq(rate.current, 5000);
	ck_assert_uint_ge(rate_value(&rate), 4990);
	ck_assert_uint_le(rate_value(&rate), 5000);
	/* Half a second is half as much. */
	rate_tick(&rate, total += 2500, now += MILLISECONDS(500));
	ck_assert_uint_eq(rate.current, 5000);
	/* Ten seconds of silence leave half. */
	rate_tick(&rate, total, now += SECONDS(10));
	ck_assert_uint_eq(rate.current, 0);
	ck_assert_uint_le(rate_value(&rate), 2510);
	ck_assert_uint_ge(rate_value(&rate), 2400);
	/* The same instant, and an older one, tell nothing. */
	rate_tick(&rate, total + 10, now);
	ck_assert_uint_eq(rate.total, total);
	rate_tick(&rate, 7, now + SECONDS(1));
	ck_assert_uint_eq(rate_value(&rate), 0);
}
END_TEST

Suite *
measure_suite(void)
{
	Suite *suite = suite_create("measure");
	TCase *tcase = tcase_create("measure");

	tcase_add_test(tcase, test_response_bytes);
	tcase_add_test(tcase, test_wrap);
	tcase_add_test(tcase, test_jump);
	tcase_add_test(tcase, test_client_finishes_first);
	tcase_add_test(tcase, test_server_finishes_first);
	tcase_add_test(tcase, test_fin_at_once);
	tcase_add_test(tcase, test_reset);
	tcase_add_test(tcase, test_partial);
	tcase_add_test(tcase, test_handshake);
	tcase_add_test(tcase, test_repeated_syn);
	tcase_add_test(tcase, test_retransmits);
	tcase_add_test(tcase, test_percentiles);
	tcase_add_test(tcase, test_tick);
	tcase_add_test(tcase, test_rate);
	suite_add_tcase(suite, tcase);
	return suite;
}
