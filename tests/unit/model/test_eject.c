/* SPDX-License-Identifier: ISC */
/* How many servers may be out, and for how long. */
#include "config.h"

#include "base/attr.h"
#include "model/eject.h"
#include "suites.h"

static const struct share {
	size_t servers, out;
	unsigned most;
	bool may;
} shares[] = {
	{ 1, 0, 100, false }, /* never the last */
	{ 2, 0, 10, true },   /* one always may */
	{ 2, 1, 100, false },
	{ 3, 1, 10, false },
	{ 3, 1, 67, true },
	{ 20, 1, 10, true },
	{ 20, 2, 10, false },
	{ 4, 3, 100, false },
	{ 0, 0, 10, false },
};

START_TEST(the_share_is_bounded)
{
	const struct share *row = &shares[_i];

	ck_assert_msg(eject_may(row->servers, row->out, row->most) == row->may, "%zu servers, %zu out, %u %%",
	    row->servers,
	    row->out, row->most);
}
END_TEST

START_TEST(each_ejection_lasts_longer)
{
	static const uint64_t durations[] = { SECONDS(30), SECONDS(60), SECONDS(90) };
	struct eject eject = { 0 };
	uint64_t now = SECONDS(1000);

	for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
		eject_begin(&eject, now);
		ck_assert(!eject_tick(&eject, false, now + durations[i] - 1));
		now += durations[i];
		ck_assert(eject_tick(&eject, false, now));
		ck_assert_uint_eq(eject.until, 0);
	}
	for (unsigned i = 0; i < 20; i++)
		eject_begin(&eject, now);
	ck_assert_uint_eq(eject_duration(&eject), EJECT_MOST);
	ck_assert_uint_gt(eject.total, EJECT_MOST / EJECT_BASE);
}
END_TEST

START_TEST(good_behavior_is_forgiven)
{
	struct eject eject = { 0 };
	uint64_t now = SECONDS(1000);

	eject_begin(&eject, now);
	now += SECONDS(30);
	ck_assert(eject_tick(&eject, true, now));
	ck_assert_uint_eq(eject.times, 1);
	/* A complaint begins the wait again. */
	now += SECONDS(29);
	ck_assert(!eject_tick(&eject, false, now));
	now += SECONDS(29);
	ck_assert(!eject_tick(&eject, true, now));
	ck_assert_uint_eq(eject.times, 1);
	now += SECONDS(1);
	ck_assert(!eject_tick(&eject, true, now));
	ck_assert_uint_eq(eject.times, 0);
}
END_TEST

Suite *
eject_suite(void)
{
	Suite *suite = suite_create("eject");
	TCase *tcase = tcase_create("eject");

	tcase_add_loop_test(tcase, the_share_is_bounded, 0, (int)ARRAY_LEN(shares));
	tcase_add_test(tcase, each_ejection_lasts_longer);
	tcase_add_test(tcase, good_behavior_is_forgiven);
	suite_add_tcase(suite, tcase);
	return suite;
}
