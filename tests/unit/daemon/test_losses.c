/* SPDX-License-Identifier: ISC */
/* What is lost is told at once, and then no more than once a minute, without losing count. */
#include "config.h"

#include <check.h>

#include "daemon/drop_log.h"

Suite *losses_suite(void);

START_TEST(is_told_at_once_then_each_minute)
{
	struct loss loss = { 0 };
	uint64_t now = SECONDS(5), fresh = 0;

	ck_assert(!loss_is_due(&loss, 0, now, &fresh));
	ck_assert(loss_is_due(&loss, 3, now, &fresh));
	ck_assert_uint_eq(fresh, 3);
	for (unsigned i = 1; i < 60; i++)
		ck_assert(!loss_is_due(&loss, 3 + i, now + SECONDS(i), &fresh));
	ck_assert(loss_is_due(&loss, 100, now + SECONDS(60), &fresh));
	ck_assert_uint_eq(fresh, 97);
	/* Nothing new is no news. */
	ck_assert(!loss_is_due(&loss, 100, now + SECONDS(600), &fresh));
	/* After a quiet time it begins again. */
	ck_assert(loss_is_due(&loss, 101, now + SECONDS(700), &fresh));
	ck_assert_uint_eq(fresh, 1);
}
END_TEST

START_TEST(a_counter_may_begin_anew)
{
	struct loss loss = { 0 };
	uint64_t fresh = 0;

	ck_assert(loss_is_due(&loss, 50, SECONDS(1), &fresh));
	ck_assert(loss_is_due(&loss, 2, SECONDS(100), &fresh));
	ck_assert_uint_eq(fresh, 2);
}
END_TEST

Suite *
losses_suite(void)
{
	Suite *suite = suite_create("losses");
	TCase *tcase = tcase_create("losses");

	tcase_add_test(tcase, is_told_at_once_then_each_minute);
	tcase_add_test(tcase, a_counter_may_begin_anew);
	suite_add_tcase(suite, tcase);
	return suite;
}
