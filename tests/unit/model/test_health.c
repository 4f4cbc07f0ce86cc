/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "model/health.h"

#include "base/duration.h"
#include "flow/stats.h"
#include "suites.h"

#define RISE 2
#define FALL 3

static bool
report_success(struct health *health, uint64_t now)
{
	return health_report(health, HEALTH_REASON_NONE, RISE, FALL, now);
}

static bool
report_failure(struct health *health, uint64_t now)
{
	return health_report(health, HEALTH_REASON_REFUSED, RISE, FALL, now);
}

START_TEST(test_first_result_decides)
{
	struct health good = { 0 }, bad = { 0 };

	ck_assert_int_eq(good.state, HEALTH_UNKNOWN);
	ck_assert(report_success(&good, SECONDS(5)));
	ck_assert_int_eq(good.state, HEALTH_UP);
	ck_assert_uint_eq(good.since, SECONDS(5));
	ck_assert(report_failure(&bad, SECONDS(6)));
	ck_assert_int_eq(bad.state, HEALTH_DOWN);
	ck_assert_int_eq(bad.reason, HEALTH_REASON_REFUSED);
	ck_assert_uint_eq(bad.since, SECONDS(6));
}
END_TEST

START_TEST(test_fall_and_rise)
{
	struct health health = { .state = HEALTH_UP };

	ck_assert(!report_failure(&health, 1));
	ck_assert(!report_failure(&health, 2));
	ck_assert_int_eq(health.state, HEALTH_UP);
	ck_assert_uint_eq(health.streak, 2);
	ck_assert(report_failure(&health, 3));
	ck_assert_int_eq(health.state, HEALTH_DOWN);
	ck_assert_uint_eq(health.since, 3);
	ck_assert(!report_failure(&health, 4));
	ck_assert(!report_success(&health, 5));
	ck_assert(report_success(&health, 6));
	ck_assert_int_eq(health.state, HEALTH_UP);
	ck_assert_uint_eq(health.since, 6);
	ck_assert_uint_eq(health.failures, 4);
	ck_assert_uint_eq(health.successes, 2);
}
END_TEST

START_TEST(test_a_success_between_breaks_the_streak)
{
	struct health health = { .state = HEALTH_UP };

	for (unsigned i = 0; i < 20; i++) {
		ck_assert(!report_failure(&health, i));
		ck_assert(!report_failure(&health, i));
		ck_assert(!report_success(&health, i));
	}
	ck_assert_int_eq(health.state, HEALTH_UP);

	health.state = HEALTH_DOWN;
	for (unsigned i = 0; i < 20; i++) {
		ck_assert(!report_success(&health, i));
		ck_assert(!report_failure(&health, i));
	}
	ck_assert_int_eq(health.state, HEALTH_DOWN);
}
END_TEST

START_TEST(test_reason_is_the_last_one)
{
	struct health health = { .state = HEALTH_UP };

	(void)health_report(&health, HEALTH_REASON_TIMEOUT, RISE, FALL, 1);
	(void)health_report(&health, HEALTH_REASON_TIMEOUT, RISE, FALL, 2);
	ck_assert(health_report(&health, HEALTH_REASON_UNREACHABLE, RISE, FALL, 3));
	ck_assert_int_eq(health.reason, HEALTH_REASON_UNREACHABLE);
}
END_TEST

/* The director out of descriptors must not empty its services, nor call a server well that it cannot ask. */
START_TEST(test_local_trouble_changes_nothing)
{
	static const enum health_state states[] = { HEALTH_UNKNOWN, HEALTH_UP, HEALTH_DOWN };
	struct health health = { .state = states[_i], .streak = 1, .reason = HEALTH_REASON_TIMEOUT };

	for (unsigned i = 0; i < 100; i++)
		ck_assert(!health_report(&health, HEALTH_REASON_LOCAL, 1, 1, i));
	ck_assert_int_eq(health.state, states[_i]);
	ck_assert_uint_eq(health.streak, 1);
	ck_assert_int_eq(health.reason, HEALTH_REASON_TIMEOUT);
	ck_assert_uint_eq(health.failures + health.successes, 0);
}
END_TEST

START_TEST(test_zero_counts_as_one)
{
	struct health health = { .state = HEALTH_UP };

	ck_assert(health_report(&health, HEALTH_REASON_RESET, 0, 0, 1));
	ck_assert(health_report(&health, HEALTH_REASON_NONE, 0, 0, 2));
}
END_TEST

START_TEST(test_trust)
{
	struct health health = { .state = HEALTH_DOWN, .streak = 1 };

	ck_assert(health_trust(&health, 9));
	ck_assert_int_eq(health.state, HEALTH_UP);
	ck_assert_uint_eq(health.since, 9);
	ck_assert_uint_eq(health.streak, 0);
	ck_assert(!health_trust(&health, 10));
	ck_assert_uint_eq(health.since, 9);
}
END_TEST

START_TEST(test_names)
{
	ck_assert_str_eq(health_state_name(HEALTH_UNKNOWN), "unknown");
	ck_assert_str_eq(health_state_name(HEALTH_UP), "up");
	ck_assert_str_eq(health_state_name(HEALTH_DOWN), "down");
	ck_assert_str_eq(health_reason_text(HEALTH_REASON_REFUSED), "connection refused");
	ck_assert_str_eq(health_reason_text(HEALTH_REASON_TIMEOUT), "timeout");
	ck_assert_str_eq(drop_reason_name(DROP_NO_SERVER), "no-server");
	ck_assert_str_eq(drop_reason_name(DROP_TOO_BIG), "too-big");
	ck_assert_str_eq(drop_reason_sentence(DROP_TRUNCATED),
	    "the frame is shorter than its headers say, or the capture cut it");
	/* The list may grow, but never has holes or the same name twice. */
	for (int i = 0; i < DROP_REASON_COUNT; i++) {
		ck_assert_ptr_nonnull(drop_reason_sentence((enum drop_reason)i));
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(drop_reason_name((enum drop_reason)i), drop_reason_name((enum drop_reason)j));
	}
}
END_TEST

START_TEST(test_combine)
{
	struct server_check checks[] = { { .percent = 100 }, { .percent = 100 } };
	struct health whole = { .state = HEALTH_UNKNOWN };

	ck_assert(!health_combine(&whole, checks, 2, 1));
	checks[0].health.state = HEALTH_UP;
	ck_assert(!health_combine(&whole, checks, 2, 2));
	/* One that is DOWN decides, although the other is not known yet. */
	checks[0].health = (struct health) { .state = HEALTH_DOWN, .reason = HEALTH_REASON_STATUS };
	ck_assert(health_combine(&whole, checks, 2, 3));
	ck_assert_int_eq(whole.state, HEALTH_DOWN);
	ck_assert_int_eq(whole.reason, HEALTH_REASON_STATUS);
	ck_assert_uint_eq(whole.since, 3);
	ck_assert_uint_eq(health_blame(checks, 2), 0);
	/* The next one takes the blame over. */
	checks[0].health.state = HEALTH_UP;
	checks[1].health = (struct health) { .state = HEALTH_DOWN, .reason = HEALTH_REASON_TIMEOUT };
	ck_assert(!health_combine(&whole, checks, 2, 4));
	ck_assert_int_eq(whole.reason, HEALTH_REASON_TIMEOUT);
	ck_assert_uint_eq(whole.since, 3);
	ck_assert_uint_eq(health_blame(checks, 2), 1);
	checks[1].health.state = HEALTH_UP;
	ck_assert(health_combine(&whole, checks, 2, 5));
	ck_assert_int_eq(whole.state, HEALTH_UP);
	ck_assert_uint_eq(health_blame(checks, 2), 2);
	checks[1].health.state = HEALTH_UNKNOWN;
	ck_assert(health_combine(&whole, checks, 2, 6));
	ck_assert_int_eq(whole.state, HEALTH_UNKNOWN);
}
END_TEST

START_TEST(test_percent)
{
	struct server_check checks[] = { { .percent = 100 }, { .percent = 30 }, { .percent = 60 } };

	ck_assert_uint_eq(health_percent(checks, 0), 100);
	ck_assert_uint_eq(health_percent(checks, 1), 100);
	ck_assert_uint_eq(health_percent(checks, 3), 30);
}
END_TEST

Suite *
health_suite(void)
{
	Suite *suite = suite_create("health");
	TCase *tcase = tcase_create("health");

	tcase_add_test(tcase, test_first_result_decides);
	tcase_add_test(tcase, test_fall_and_rise);
	tcase_add_test(tcase, test_a_success_between_breaks_the_streak);
	tcase_add_test(tcase, test_reason_is_the_last_one);
	tcase_add_loop_test(tcase, test_local_trouble_changes_nothing, 0, 3);
	tcase_add_test(tcase, test_zero_counts_as_one);
	tcase_add_test(tcase, test_trust);
	tcase_add_test(tcase, test_names);
	tcase_add_test(tcase, test_combine);
	tcase_add_test(tcase, test_percent);
	suite_add_tcase(suite, tcase);
	return suite;
}
