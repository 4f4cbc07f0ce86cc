/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "flow/conn.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/duration.h"
#include "conn_keys.h"
#include "proto/packet.h"
#include "suites.h"

#define DAYS(n) SECONDS((uint64_t)(n) * 24 * 60 * 60)
#define ALL UINT32_MAX

static const struct server_ref server_one = { 1, 1 };

static struct conn *
insert(struct conn_table *table, uint32_t number, uint64_t timeout, uint64_t now)
{
	const struct conn_key key = key_of(number);

	return conn_insert(table, &key, server_one, CONN_ESTABLISHED, timeout, now);
}

static struct conn *
find(struct conn_table *table, uint32_t number, uint64_t now)
{
	const struct conn_key key = key_of(number);

	return conn_find(table, &key, now);
}

START_TEST(test_finds_what_was_inserted)
{
	struct conn_table *table = new_table(100);
	struct conn_key key = key_of(7), other;
	struct conn *conn = conn_insert(table, &key, (struct server_ref) { 3, 9 }, CONN_SYN, SECONDS(60), SECONDS(5));

	ck_assert_ptr_nonnull(conn);
	ck_assert_ptr_eq(conn_find(table, &key, SECONDS(6)), conn);
	ck_assert_uint_eq(conn->server.slot, 3);
	ck_assert_uint_eq(conn->server.generation, 9);
	ck_assert_int_eq(conn->state, CONN_SYN);
	ck_assert_uint_eq(conn_table_count(table), 1);

	ck_assert_uint_eq(conn_key_vip(&conn->key), 0);
	ck_assert_uint_eq(conn_key_protocol(&conn->key), PROTOCOL_TCP);

	/* Each field is part of the name. */
	other = key, other.client_port++;
	ck_assert_ptr_null(conn_find(table, &other, SECONDS(6)));
	other = key, other.vip_port++;
	ck_assert_ptr_null(conn_find(table, &other, SECONDS(6)));
	other = key, other.target = conn_target(1, PROTOCOL_TCP);
	ck_assert_ptr_null(conn_find(table, &other, SECONDS(6)));
	other = key, other.target = conn_target(0, PROTOCOL_UDP);
	ck_assert_ptr_null(conn_find(table, &other, SECONDS(6)));

	conn_remove(table, conn);
	ck_assert_ptr_null(conn_find(table, &key, SECONDS(6)));
	ck_assert_uint_eq(conn_table_count(table), 0);
	conn_table_free(table);
}
END_TEST

START_TEST(test_small_capacity_is_raised)
{
	struct conn_table *table = new_table(0);

	ck_assert_uint_eq(conn_table_capacity(table), 16);
	conn_table_free(table);
}
END_TEST

START_TEST(test_not_found_from_the_deadline_on)
{
	struct conn_table *table = new_table(16);
	const uint64_t start = SECONDS(1000) + 400;

	ck_assert_ptr_nonnull(insert(table, 1, SECONDS(60), start));
	ck_assert_ptr_nonnull(find(table, 1, start + SECONDS(60) - MILLISECONDS(1)));
	ck_assert_ptr_null(find(table, 1, start + SECONDS(60)));
	/* The find gave it back. */
	ck_assert_uint_eq(conn_table_count(table), 0);
	conn_table_free(table);
}
END_TEST

/* Nobody asks for the flow again: the wheel must find it. */
START_TEST(test_expires_within_two_seconds)
{
	static const uint64_t timeouts[] = { MILLISECONDS(1), MILLISECONDS(999), SECONDS(1), SECONDS(10), SECONDS(900),
		SECONDS(1023), SECONDS(1024), SECONDS(1025), SECONDS(5000), DAYS(2) };
	const uint64_t timeout = timeouts[_i];
	const uint64_t start = SECONDS(77) + MILLISECONDS(730);
	struct conn_table *table = new_table(16);
	uint64_t now = start;

	ck_assert_ptr_nonnull(insert(table, 1, timeout, start));
	while (now < start + timeout) {
		must(conn_table_count(table) == 1, "gone early");
		conn_expire(table, now, ALL);
		now += SECONDS(1);
	}
	conn_expire(table, now, ALL);
	conn_expire(table, now + SECONDS(1), ALL);
	ck_assert_uint_eq(conn_table_count(table), 0);
	conn_table_free(table);
}
END_TEST

START_TEST(test_touched_flow_lives)
{
	struct conn_table *table = new_table(16);
	struct conn *conn = insert(table, 1, SECONDS(60), SECONDS(10));
	uint64_t now = SECONDS(10);

	ck_assert_ptr_nonnull(conn);
	for (; now < SECONDS(7200); now += SECONDS(30)) {
		conn_expire(table, now, ALL);
		ck_assert_ptr_eq(find(table, 1, now), conn);
		conn_touch(table, conn, CONN_FIN_WAIT, SECONDS(60));
		ck_assert_int_eq(conn->state, CONN_FIN_WAIT);
	}
	conn_expire(table, now + SECONDS(32), ALL);
	ck_assert_uint_eq(conn_table_count(table), 0);
	conn_table_free(table);
}
END_TEST

/* A reset shortens 15 minutes to 10 seconds, also for a flow that had been prolonged before. */
START_TEST(test_deadline_that_moves_earlier)
{
	struct conn_table *table = new_table(16);
	struct conn *conn = insert(table, 1, SECONDS(60), SECONDS(100));

	ck_assert_ptr_nonnull(conn);
	conn_tell(table, SECONDS(101));
	conn_touch(table, conn, CONN_ESTABLISHED, SECONDS(900));
	conn_expire(table, SECONDS(200), ALL);
	ck_assert_uint_eq(conn_table_count(table), 1);
	conn_tell(table, SECONDS(201));
	conn_touch(table, conn, CONN_CLOSED, SECONDS(10));
	conn_expire(table, SECONDS(210), ALL);
	ck_assert_uint_eq(conn_table_count(table), 1);
	conn_expire(table, SECONDS(212), ALL);
	ck_assert_uint_eq(conn_table_count(table), 0);
	conn_table_free(table);
}
END_TEST

START_TEST(test_full_table_refuses_then_reuses)
{
	struct conn_table *table = new_table(64);

	for (uint32_t i = 0; i < 64; i++)
		ck_assert_ptr_nonnull(insert(table, i, SECONDS(i < 32 ? 60 : 900), SECONDS(1)));
	ck_assert_ptr_null(insert(table, 1000, SECONDS(60), SECONDS(2)));
	ck_assert_uint_eq(conn_table_count(table), 64);
	for (uint32_t i = 0; i < 64; i++)
		ck_assert_ptr_nonnull(find(table, i, SECONDS(3)));

	/* 32 have expired. Nobody called conn_expire(): the insert itself looks. */
	for (uint32_t i = 0; i < 32; i++)
		ck_assert_ptr_nonnull(insert(table, 2000 + i, SECONDS(900), SECONDS(63)));
	ck_assert_ptr_null(insert(table, 3000, SECONDS(900), SECONDS(63)));
	for (uint32_t i = 0; i < 32; i++) {
		ck_assert_ptr_null(find(table, i, SECONDS(64)));
		ck_assert_ptr_nonnull(find(table, 32 + i, SECONDS(64)));
		ck_assert_ptr_nonnull(find(table, 2000 + i, SECONDS(64)));
	}
	conn_table_free(table);
}
END_TEST

static void
count_gone(void *context, const struct conn *conn)
{
	unsigned *gone = context;

	gone[number_of(conn)]++;
}

static void
count_each(void *context, const struct conn *conn)
{
	unsigned *seen = context;

	seen[number_of(conn)]++;
}

START_TEST(test_budget_is_kept_and_resumed)
{
	struct conn_table *table = new_table(1000);
	unsigned gone[1000] = { 0 };

	conn_table_on_gone(table, count_gone, gone);
	for (uint32_t i = 0; i < 1000; i++)
		ck_assert_ptr_nonnull(insert(table, i, SECONDS(1 + i % 50), SECONDS(1)));
	for (uint32_t left = 1000; left > 0; left -= 100) {
		ck_assert_uint_eq(conn_table_count(table), left);
		conn_expire(table, SECONDS(100), 100);
	}
	ck_assert_uint_eq(conn_table_count(table), 0);
	for (size_t i = 0; i < 1000; i++)
		ck_assert_uint_eq(gone[i], 1);
	conn_table_free(table);
}
END_TEST

START_TEST(test_each_visits_all_once)
{
	struct conn_table *table = new_table(100);
	unsigned seen[100] = { 0 };

	for (uint32_t i = 0; i < 100; i++)
		ck_assert_ptr_nonnull(insert(table, i, SECONDS(60), SECONDS(1)));
	for (uint32_t i = 0; i < 100; i += 3)
		conn_remove(table, find(table, i, SECONDS(1)));
	conn_each(table, count_each, seen);
	for (uint32_t i = 0; i < 100; i++)
		ck_assert_uint_eq(seen[i], i % 3 != 0);
	conn_table_free(table);
}
END_TEST

/* A savefile with a gap: what lives longer than the gap stays, the rest goes, within the budget of each call. */
START_TEST(test_gap_of_days)
{
	struct conn_table *table = new_table(1000);
	const uint64_t later = SECONDS(50) + DAYS(5);

	for (uint32_t i = 0; i < 1000; i++)
		ck_assert_ptr_nonnull(insert(table, i, i % 10 == 0 ? DAYS(20) : SECONDS(60 + i), SECONDS(50)));
	for (uint32_t i = 0; i < 1000; i++) {
		if (i % 10 == 0)
			ck_assert_ptr_nonnull(find(table, i, later));
		else if (i % 2 == 0)
			ck_assert_ptr_null(find(table, i, later));
	}
	for (unsigned i = 0; i < 11; i++) {
		const uint32_t before = conn_table_count(table);

		conn_expire(table, later, 100);
		ck_assert_uint_le(before - conn_table_count(table), 100);
	}
	ck_assert_uint_eq(conn_table_count(table), 100);
	conn_expire(table, SECONDS(50) + DAYS(20) + SECONDS(1025), ALL);
	conn_expire(table, SECONDS(50) + DAYS(20) + SECONDS(1026), ALL);
	ck_assert_uint_eq(conn_table_count(table), 0);
	conn_table_free(table);
}
END_TEST

/* 32-bit deadlines cannot be compared across such a gap: without care the dead would rise. */
START_TEST(test_gap_of_weeks)
{
	static const unsigned days[] = { 25, 30, 49, 50, 51, 75, 1000, 20000 };
	const uint64_t later = SECONDS(50) + DAYS(days[_i]);
	struct conn_table *table = new_table(100);
	unsigned gone[100] = { 0 };

	conn_table_on_gone(table, count_gone, gone);
	for (uint32_t i = 0; i < 100; i++)
		ck_assert_ptr_nonnull(insert(table, i, i % 2 == 0 ? DAYS(24) : SECONDS(60), SECONDS(50)));
	for (uint32_t i = 0; i < 100; i++)
		ck_assert_ptr_null(find(table, i, later));
	ck_assert_uint_eq(conn_table_count(table), 0);
	for (size_t i = 0; i < 100; i++)
		ck_assert_uint_eq(gone[i], 1);
	ck_assert_ptr_nonnull(insert(table, 5, SECONDS(60), later));
	ck_assert_ptr_nonnull(find(table, 5, later + SECONDS(59)));
	conn_expire(table, later + SECONDS(61), ALL);
	ck_assert_uint_eq(conn_table_count(table), 0);
	conn_table_free(table);
}
END_TEST

/* Longer than the cap counts as the cap; the sum must not overflow. */
START_TEST(test_endless_timeout_is_capped)
{
	struct conn_table *table = new_table(16);

	ck_assert_ptr_nonnull(insert(table, 1, UINT64_MAX, SECONDS(50)));
	ck_assert_ptr_nonnull(find(table, 1, SECONDS(49) + DAYS(24)));
	ck_assert_ptr_null(find(table, 1, SECONDS(50) + DAYS(24)));
	conn_table_free(table);
}
END_TEST

START_TEST(test_time_does_not_run_backwards)
{
	struct conn_table *table = new_table(16);

	ck_assert_ptr_nonnull(insert(table, 1, SECONDS(60), SECONDS(1000)));
	ck_assert_ptr_nonnull(find(table, 1, SECONDS(500)));
	ck_assert_ptr_nonnull(insert(table, 2, SECONDS(60), SECONDS(500)));
	conn_expire(table, SECONDS(500), ALL);
	ck_assert_uint_eq(conn_table_count(table), 2);
	conn_expire(table, SECONDS(1061), ALL);
	ck_assert_uint_eq(conn_table_count(table), 0);
	conn_table_free(table);
}
END_TEST

/*
 * Random operations beside a model so simple that it is right: an array by flow number.
 */
#define FLOWS 400
#define CAPACITY 300
#define STEPS 60000

struct twin {
	struct conn_table *table;
	bool there[FLOWS];
	uint64_t deadline[FLOWS]; /* milliseconds */
	uint64_t now;
	uint32_t count;
	uint32_t removing;        /* the flow that the test removes itself, or FLOWS */
	uint64_t random;
};

static uint32_t
dice(struct twin *twin, uint32_t sides)
{
	/* xorshift64 (Marsaglia 2003), so that a failure can be repeated. */
	twin->random ^= twin->random << 13;
	twin->random ^= twin->random >> 7;
	twin->random ^= twin->random << 17;
	return (uint32_t)(twin->random >> 32) % sides;
}

static uint64_t
random_timeout(struct twin *twin)
{
	static const uint64_t longest[] = { MILLISECONDS(2000), SECONDS(10), SECONDS(120), SECONDS(900), SECONDS(5000),
		DAYS(3) };
	const uint64_t most = longest[dice(twin, 6)];

	return MILLISECONDS(1) + most / 1000 * dice(twin, 1000);
}

static bool
is_alive(const struct twin *twin, uint32_t flow)
{
	return twin->there[flow] && twin->deadline[flow] > twin->now / 1000;
}

static void
twin_gone(void *context, const struct conn *conn)
{
	struct twin *twin = context;
	const uint32_t flow = number_of(conn);

	must(twin->there[flow], "flow %u is gone twice", flow);
	must(!is_alive(twin, flow) || twin->removing == flow, "flow %u is gone before its time", flow);
	twin->there[flow] = false;
	twin->count--;
}

static void
twin_set(struct twin *twin, uint32_t flow, const struct conn *conn, uint64_t timeout)
{
	const uint64_t left = conn_left(twin->table, conn);

	/* In a full table a third of the timeout. */
	must(left <= timeout && left + MILLISECONDS(2) >= timeout / 3, "flow %u has another lifetime", flow);
	must(twin->count > CAPACITY * 6 / 10 - 2 || left + MILLISECONDS(1) >= timeout, "flow %u has too short a life",
	    flow);
	twin->count += !twin->there[flow];
	twin->there[flow] = true;
	twin->deadline[flow] = (twin->now + left) / 1000;
}

static void
step_flow(struct twin *twin)
{
	const uint32_t flow = dice(twin, FLOWS);
	const bool alive = is_alive(twin, flow);
	const uint64_t timeout = random_timeout(twin);
	struct conn *conn = find(twin->table, flow, twin->now);

	must((conn != NULL) == alive, "flow %u", flow);
	if (conn == NULL) {
		const bool full = twin->count == CAPACITY;

		conn = insert(twin->table, flow, timeout, twin->now);
		must(conn != NULL || full, "refused with room for more");
		if (conn != NULL)
			twin_set(twin, flow, conn, timeout);
		return;
	}
	must(number_of(conn) == flow, "found flow %u, not %u", number_of(conn), flow);
	switch (dice(twin, 4)) {
	case 0:
		twin->removing = flow;
		conn_remove(twin->table, conn);
		twin->removing = FLOWS;
		break;
	case 1:
		conn_touch(twin->table, conn, CONN_ESTABLISHED, timeout);
		twin_set(twin, flow, conn, timeout);
		break;
	default:
		break;
	}
}

static void
step_time(struct twin *twin)
{
	static const uint64_t jumps[] = { MILLISECONDS(1), MILLISECONDS(300), SECONDS(1), SECONDS(30), SECONDS(300),
		SECONDS(2000), DAYS(1) };
	const uint32_t far = dice(twin, 200);

	/* Mostly small steps. */
	twin->now += jumps[far < 4 ? 3 + far : dice(twin, 3)] / 7 * dice(twin, 14);
	if (dice(twin, 3) != 0) {
		conn_expire(twin->table, twin->now, dice(twin, 20));
		return;
	}
	conn_expire(twin->table, twin->now, ALL);
	for (uint32_t flow = 0; flow < FLOWS; flow++)
		must(!twin->there[flow] || twin->deadline[flow] / 1000 >= twin->now / SECONDS(1), "overdue: %u", flow);
}

START_TEST(test_random_against_a_model)
{
	/* The daemon's clock after boot, one about to wrap in milliseconds, in half of that, and a savefile's. */
	static const uint64_t starts[] = { 0, (UINT64_C(1) << 32) * 1000 - SECONDS(600),
		(UINT64_C(1) << 31) * 1000 - SECONDS(600), SECONDS(1700000000) };
	struct twin twin = { .table = new_table(CAPACITY), .now = starts[_i], .removing = FLOWS,
		.random = 88172645463325252u + (uint64_t)_i };

	conn_table_on_gone(twin.table, twin_gone, &twin);
	for (unsigned step = 0; step < STEPS; step++) {
		if (dice(&twin, 8) == 0)
			step_time(&twin);
		else
			step_flow(&twin);
		must(conn_table_count(twin.table) == twin.count, "the count is wrong");
	}
	conn_table_free(twin.table);
}
END_TEST

static const struct {
	enum conn_state state;
	uint8_t flags;
	enum conn_state next;
} rows[] = {
	{ CONN_NONE, TCP_SYN, CONN_SYN },
	{ CONN_NONE, TCP_ACK, CONN_NEW },
	{ CONN_NEW, TCP_ACK, CONN_ESTABLISHED },
	{ CONN_NEW, TCP_FIN | TCP_ACK, CONN_CLOSED },
	{ CONN_NEW, TCP_RST, CONN_CLOSED },
	{ CONN_NEW, TCP_SYN, CONN_SYN },
	{ CONN_NONE, TCP_ACK | TCP_PSH, CONN_NEW },
	{ CONN_NONE, TCP_FIN | TCP_ACK, CONN_CLOSED },
	{ CONN_NONE, TCP_RST, CONN_CLOSED },
	{ CONN_NONE, 0, CONN_CLOSED },
	{ CONN_SYN, TCP_SYN, CONN_SYN },
	{ CONN_SYN, TCP_SYN | TCP_ECE | TCP_CWR, CONN_SYN },
	{ CONN_SYN, TCP_ACK, CONN_ESTABLISHED },
	{ CONN_SYN, TCP_ACK | TCP_PSH, CONN_ESTABLISHED },
	{ CONN_SYN, TCP_FIN | TCP_ACK, CONN_TIME_WAIT },
	{ CONN_SYN, TCP_RST, CONN_SYN },
	{ CONN_ESTABLISHED, TCP_SYN, CONN_ESTABLISHED },
	{ CONN_ESTABLISHED, TCP_ACK, CONN_ESTABLISHED },
	{ CONN_ESTABLISHED, TCP_ACK | TCP_PSH | TCP_URG, CONN_ESTABLISHED },
	{ CONN_ESTABLISHED, 0, CONN_ESTABLISHED },
	{ CONN_ESTABLISHED, TCP_FIN | TCP_ACK, CONN_FIN_WAIT },
	{ CONN_ESTABLISHED, TCP_FIN | TCP_ACK | TCP_PSH, CONN_FIN_WAIT },
	{ CONN_ESTABLISHED, TCP_RST, CONN_CLOSED },
	{ CONN_ESTABLISHED, TCP_RST | TCP_ACK, CONN_CLOSED },
	/* Half-closed: the client goes on acknowledging a long download. */
	{ CONN_FIN_WAIT, TCP_ACK, CONN_FIN_WAIT },
	{ CONN_FIN_WAIT, TCP_FIN | TCP_ACK, CONN_FIN_WAIT },
	{ CONN_FIN_WAIT, TCP_SYN, CONN_SYN },
	{ CONN_FIN_WAIT, TCP_RST, CONN_CLOSED },
	{ CONN_TIME_WAIT, TCP_ACK, CONN_TIME_WAIT },
	{ CONN_TIME_WAIT, TCP_FIN | TCP_ACK, CONN_TIME_WAIT },
	{ CONN_TIME_WAIT, TCP_SYN, CONN_SYN },
	{ CONN_TIME_WAIT, TCP_RST, CONN_CLOSED },
	{ CONN_CLOSED, TCP_ACK, CONN_CLOSED },
	{ CONN_CLOSED, TCP_FIN | TCP_ACK, CONN_CLOSED },
	{ CONN_CLOSED, TCP_SYN, CONN_SYN },
	{ CONN_CLOSED, TCP_RST, CONN_CLOSED },
};

START_TEST(test_tcp_state)
{
	const enum conn_state next = conn_tcp_next(rows[_i].state, rows[_i].flags);

	ck_assert_msg(next == rows[_i].next, "in %s flags 0x%02x give %s, not %s", conn_state_name(rows[_i].state),
	    rows[_i].flags, conn_state_name(next), conn_state_name(rows[_i].next));
}
END_TEST

START_TEST(test_default_timeouts)
{
	const struct conn_timeouts timeouts = conn_timeouts_default();

	ck_assert_uint_eq(timeouts.state[CONN_SYN], SECONDS(60));
	ck_assert_uint_eq(timeouts.state[CONN_ESTABLISHED], MINUTES(15));
	ck_assert_uint_eq(timeouts.state[CONN_FIN_WAIT], MINUTES(2));
	ck_assert_uint_eq(timeouts.state[CONN_TIME_WAIT], MINUTES(2));
	ck_assert_uint_eq(timeouts.state[CONN_CLOSED], SECONDS(10));
	ck_assert_uint_eq(timeouts.state[CONN_UDP], MINUTES(5));
}
END_TEST

START_TEST(test_only_carriers_of_data_are_active)
{
	for (int state = CONN_NONE; state < CONN_STATE_COUNT; state++) {
		const bool carries = state == CONN_ESTABLISHED || state == CONN_UDP;

		ck_assert_int_eq(conn_is_active((enum conn_state)state), carries);
	}
}
END_TEST

/*
 * Full length up to 60% of the table, then less with each flow, a third in a full table; what is there shrinks when
 * touched.
 */
START_TEST(test_timeouts_shrink_as_the_table_fills)
{
	struct conn_table *table = new_table(1000);
	uint64_t before = MINUTES(15);
	struct conn *conn;

	for (uint32_t i = 0; i < 1000; i++) {
		const uint64_t timeout = conn_timeout(table, MINUTES(15));

		if (i <= 600)
			ck_assert_uint_eq(timeout, MINUTES(15));
		else
			ck_assert_uint_lt(timeout, before);
		before = timeout;
		ck_assert_ptr_nonnull(insert(table, i, MINUTES(15), SECONDS(1)));
	}
	ck_assert_uint_eq(conn_timeout(table, MINUTES(15)), MINUTES(5));
	conn = find(table, 0, SECONDS(1));
	ck_assert_ptr_nonnull(conn);
	ck_assert_uint_eq(conn_left(table, conn), MINUTES(15));
	conn_touch(table, conn, CONN_ESTABLISHED, MINUTES(15));
	ck_assert_uint_eq(conn_left(table, conn), MINUTES(5));
	conn_table_free(table);
}
END_TEST

/* The promise is 64 bytes a flow, index and all; the worst case is just above four thirds of a power of two. */
START_TEST(test_memory_of_a_flow)
{
	static const struct siphash_key key = { { 0 } };
	static const uint32_t capacities[] = { 10000, 65536, 65537, 87384, 1000000 };

	for (size_t i = 0; i < ARRAY_LEN(capacities); i++) {
		struct conn_table *table = conn_table_new(capacities[i], &key);

		ck_assert_ptr_nonnull(table);
		ck_assert_uint_ge(conn_table_bytes(table), capacities[i] * sizeof(struct conn));
		ck_assert_uint_le(conn_table_bytes(table), (size_t)capacities[i] * 72);
		conn_table_free(table);
	}
}
END_TEST

Suite *
conn_suite(void)
{
	Suite *suite = suite_create("conn");
	TCase *tcase = tcase_create("table");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_finds_what_was_inserted);
	tcase_add_test(tcase, test_small_capacity_is_raised);
	tcase_add_test(tcase, test_not_found_from_the_deadline_on);
	tcase_add_loop_test(tcase, test_expires_within_two_seconds, 0, 10);
	tcase_add_test(tcase, test_touched_flow_lives);
	tcase_add_test(tcase, test_deadline_that_moves_earlier);
	tcase_add_test(tcase, test_full_table_refuses_then_reuses);
	tcase_add_test(tcase, test_budget_is_kept_and_resumed);
	tcase_add_test(tcase, test_each_visits_all_once);
	tcase_add_test(tcase, test_gap_of_days);
	tcase_add_loop_test(tcase, test_gap_of_weeks, 0, 8);
	tcase_add_test(tcase, test_endless_timeout_is_capped);
	tcase_add_test(tcase, test_timeouts_shrink_as_the_table_fills);
	tcase_add_test(tcase, test_time_does_not_run_backwards);
	tcase_add_loop_test(tcase, test_random_against_a_model, 0, 4);
	tcase_add_test(tcase, test_memory_of_a_flow);
	suite_add_tcase(suite, tcase);

	tcase = tcase_create("tcp");
	tcase_add_loop_test(tcase, test_tcp_state, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, test_default_timeouts);
	tcase_add_test(tcase, test_only_carriers_of_data_are_active);
	suite_add_tcase(suite, tcase);
	return suite;
}
