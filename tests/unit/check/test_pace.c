/* SPDX-License-Identifier: ISC */
/* How checks are spread in time: the distribution, for the shortest intervals and for long ones. */
#include "config.h"

#include "check/check.h"

#include "base/attr.h"
#include "base/duration.h"
#include "suites.h"

#define DRAWS 40000
#define PARTS 8

static const uint64_t intervals[] = { MILLISECONDS(10), MILLISECONDS(100), MILLISECONDS(500), SECONDS(1), SECONDS(2),
	MINUTES(1), MINUTES(60) };

/*
 * Draws, and asserts that they lie in [least, most], that their mean is the middle, and that no part of it is
 * preferred.
 */
static void
check_spread(uint64_t interval, bool first, uint64_t least, uint64_t most)
{
	const uint64_t width = most - least + 1, middle = least + width / 2;
	unsigned parts[PARTS] = { 0 };
	uint32_t noise = 12345;
	uint64_t sum = 0;

	for (unsigned i = 0; i < DRAWS; i++) {
		const uint64_t delay = pace_next(&noise, interval, first);

		ck_assert_uint_ge(delay, least);
		ck_assert_uint_le(delay, most);
		parts[(delay - least) * PARTS / width]++;
		sum += delay;
	}
	/*
	 * Of 40000 draws the mean has a standard error of 0.0015 of the width, and a part one of 1.3 percent of
	 * itself.
	 */
	ck_assert_uint_ge(sum / DRAWS, middle - width / 100 - 1);
	ck_assert_uint_le(sum / DRAWS, middle + width / 100 + 1);
	for (unsigned i = 0; i < PARTS; i++) {
		ck_assert_uint_ge(parts[i], DRAWS / PARTS * 9 / 10);
		ck_assert_uint_le(parts[i], DRAWS / PARTS * 11 / 10);
	}
}

START_TEST(later_checks_have_the_interval_on_average)
{
	const uint64_t interval = intervals[_i];

	check_spread(interval, false, interval - interval / 32, interval + interval / 32);
}
END_TEST

START_TEST(the_second_check_comes_after_half_an_interval_or_more)
{
	const uint64_t interval = intervals[_i];

	check_spread(interval, true, interval / 2, interval);
}
END_TEST

Suite *
pace_suite(void)
{
	Suite *suite = suite_create("pace");
	TCase *tcase = tcase_create("spread");

	tcase_add_loop_test(tcase, later_checks_have_the_interval_on_average, 0, ARRAY_LEN(intervals));
	tcase_add_loop_test(tcase, the_second_check_comes_after_half_an_interval_or_more, 0, ARRAY_LEN(intervals));
	suite_add_tcase(suite, tcase);
	return suite;
}
