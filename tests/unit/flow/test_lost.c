/* SPDX-License-Identifier: ISC */
/* Whose answers get lost: the rule, and what forged or hasty clients cannot make of it. */
#include "config.h"

#include <string.h>

#include "base/attr.h"
#include "flow/measure.h"
#include "proto/packet.h"
#include "suites.h"

/* Clients of `networks` networks, from the `first` on; evenly. */
static void
count(struct lost *lost, enum lost_event event, unsigned times, unsigned first, unsigned networks)
{
	for (unsigned i = 0; i < times; i++) {
		const uint8_t network = (uint8_t)(first + i % networks);
		const uint8_t client[16] = { [10] = 0xff, 0xff, 203, 0, network, (uint8_t)i };

		lost_count(lost, event, client);
	}
}

/* What happened at a server and at its peers together. */
struct attempts {
	unsigned completed;
	unsigned unanswered;
	unsigned networks; /* of those without an answer; from number 0 on */
};

static const struct row {
	const char *name;
	struct attempts server;
	struct attempts peers;
	bool known; /* clients of the same networks succeed with the peers */
	enum lost_verdict verdict;
} rows[] = {
	{ "all is well", { 100, 0, 1 }, { 100, 0, 1 }, true, LOST_NONE },
	{ "clients beyond a router, strict rp_filter", { 2, 3, 1 }, { 5, 0, 1 }, true, LOST_HANDSHAKES },
	{ "two failures are no sample", { 0, 2, 1 }, { 50, 0, 1 }, true, LOST_NONE },
	{ "one client with a fault of its own, by persistence on this server", { 0, 4, 1 }, { 50, 0, 1 }, false,
	    LOST_NONE },
	{ "the same client a thousand times", { 200, 1000, 1 }, { 1000, 0, 1 }, false, LOST_NONE },
	{ "a firewall drops all clients", { 0, 40, 10 }, { 80, 0, 1 }, false, LOST_HANDSHAKES },
	{ "a lossy path hits all alike", { 50, 20, 10 }, { 100, 40, 10 }, true, LOST_NONE },
	{ "one in ten", { 90, 10, 10 }, { 200, 0, 1 }, true, LOST_NONE },
	{ "a flood of repeated SYNs from forged networks hits all alike", { 100, 200, 200 }, { 200, 400, 200 }, true,
	    LOST_NONE },
	{ "no client completes a handshake with any server", { 0, 2, 1 }, { 0, 2, 1 }, false, LOST_ALL },
	{ "too few to say so", { 0, 1, 1 }, { 0, 1, 1 }, false, LOST_NONE },
	{ "no peer to compare with", { 10, 30, 10 }, { 0, 0, 1 }, false, LOST_NONE },
	{ "no traffic", { 0, 0, 1 }, { 0, 0, 1 }, false, LOST_NONE },
};

static void
attempt(struct lost *lost, const struct attempts *attempts, unsigned first)
{
	count(lost, LOST_COMPLETED, attempts->completed, first, 1);
	count(lost, LOST_UNANSWERED, attempts->unanswered, 0, attempts->networks);
}

START_TEST(each_row_has_its_verdict)
{
	const struct row *row = &rows[_i];
	struct lost server = { 0 }, peers = { 0 };
	struct lost_counts own, others;

	attempt(&server, &row->server, 240);
	/* Networks 0 and above lose; from 241 on the peers' clients are others. */
	attempt(&peers, &row->peers, row->known ? 0 : 241);
	own = lost_recent(&server);
	others = lost_recent(&peers);
	ck_assert_msg(lost_judge(&own, &others) == row->verdict, "%s: expected %s, got %s", row->name,
	    lost_verdict_name(row->verdict), lost_verdict_name(lost_judge(&own, &others)));
}
END_TEST

START_TEST(connections_without_an_answer)
{
	struct lost server = { 0 }, peers = { 0 };
	struct lost_counts own, others;

	count(&server, LOST_COMPLETED, 20, 0, 5);
	count(&server, LOST_MUTE, 10, 0, 5);
	count(&server, LOST_REPLIED, 10, 0, 5);
	count(&peers, LOST_COMPLETED, 20, 0, 5);
	count(&peers, LOST_REPLIED, 20, 0, 5);
	own = lost_recent(&server);
	others = lost_recent(&peers);
	ck_assert_int_eq(lost_judge(&own, &others), LOST_ANSWERS);
	ck_assert_int_eq(lost_judge(&others, &own), LOST_NONE);
}
END_TEST

START_TEST(what_is_old_is_forgotten)
{
	struct lost lost = { .rotated = SECONDS(100) };

	count(&lost, LOST_UNANSWERED, 3, 0, 1);
	lost_tick(&lost, SECONDS(129));
	lost_tick(&lost, SECONDS(130));
	ck_assert_uint_eq(lost_recent(&lost).unanswered, 3);
	lost_tick(&lost, SECONDS(160));
	ck_assert_uint_eq(lost_recent(&lost).unanswered, 0);
	/* An answer after all may come when the repetition is forgotten. */
	count(&lost, LOST_LATE, 2, 0, 1);
	const struct lost_counts counts = lost_recent(&lost);
	ck_assert_uint_eq(lost_handshakes(&counts).failed, 0);
}
END_TEST

/* --- from segments to counts --- */

static struct measure measure;
static struct conn conn;
static uint64_t now;

static void
segment(uint8_t flags, uint32_t sequence, uint32_t acknowledgement, uint32_t length)
{
	const struct packet packet = { .tcp_flags = flags, .tcp_sequence = sequence,
		.tcp_acknowledgement = acknowledgement, .payload = 54, .end = 54 + length };
	const enum conn_state before = (enum conn_state)conn.state;

	conn.state = conn_tcp_next(before, flags) & CONN_STATE_MASK;
	if (before == CONN_NONE)
		measure_begin(&measure, &conn, &packet, now);
	else
		measure_segment(&measure, &conn, before, &packet, now);
}

static void
setup(void)
{
	memset(&measure, 0, sizeof(measure));
	memset(&conn, 0, sizeof(conn));
	now = SECONDS(1000);
	segment(TCP_SYN, 77, 0, 0);
}

START_TEST(a_repeated_syn_is_counted_once)
{
	now += SECONDS(1);
	segment(TCP_SYN, 77, 0, 0);
	now += SECONDS(2);
	segment(TCP_SYN, 77, 0, 0);
	ck_assert_uint_eq(measure.unanswered, 1);
	ck_assert_uint_eq(lost_recent(&measure.lost).unanswered, 1);
	/* It was slow, no more. */
	segment(TCP_ACK, 78, 1000, 0);
	ck_assert_uint_eq(lost_recent(&measure.lost).late, 1);
	ck_assert_uint_eq(lost_recent(&measure.lost).completed, 1);
}
END_TEST

START_TEST(what_is_no_repetition)
{
	/* A copy made on the way. */
	segment(TCP_SYN, 77, 0, 0);
	/* Another connection from the same port, as scanners and floods make. */
	now += SECONDS(1);
	segment(TCP_SYN, 99, 0, 0);
	ck_assert_uint_eq(measure.unanswered, 0);
}
END_TEST

START_TEST(an_answer_makes_the_difference)
{
	segment(TCP_ACK, 78, 1000, 0);
	segment(TCP_ACK | TCP_PSH, 78, 1000, 40);
	segment(TCP_ACK | TCP_FIN, 118, 1000, 0);
	ck_assert_uint_eq(lost_recent(&measure.lost).mute, 1);
	setup();
	segment(TCP_ACK, 78, 1000, 0);
	segment(TCP_ACK | TCP_PSH, 78, 1000, 40);
	segment(TCP_ACK, 118, 1300, 0);
	segment(TCP_ACK | TCP_FIN, 118, 1300, 0);
	ck_assert_uint_eq(lost_recent(&measure.lost).replied, 1);
	ck_assert_uint_eq(lost_recent(&measure.lost).mute, 0);
	/* A client that asked for nothing, as checks do. */
	setup();
	segment(TCP_ACK, 78, 1000, 0);
	segment(TCP_ACK | TCP_FIN, 78, 1000, 0);
	ck_assert_uint_eq(lost_recent(&measure.lost).mute, 0);
	/* What the kernel forwarded counts as well; a reset ends it, too. */
	setup();
	segment(TCP_ACK, 78, 1000, 0);
	measure_offloaded(&measure, &conn, 5000, 118, 0);
	segment(TCP_RST, 118, 0, 0);
	ck_assert_uint_eq(lost_recent(&measure.lost).replied, 1);
}
END_TEST

Suite *
lost_suite(void)
{
	Suite *suite = suite_create("lost");
	TCase *tcase = tcase_create("lost");

	tcase_add_loop_test(tcase, each_row_has_its_verdict, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tcase, connections_without_an_answer);
	tcase_add_test(tcase, what_is_old_is_forgotten);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("segments");
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, a_repeated_syn_is_counted_once);
	tcase_add_test(tcase, what_is_no_repetition);
	tcase_add_test(tcase, an_answer_makes_the_difference);
	suite_add_tcase(suite, tcase);
	return suite;
}
