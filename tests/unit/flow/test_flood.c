/* SPDX-License-Identifier: ISC */
/* When a flood begins, and when it has ended. */
#include "config.h"

#include "flow/flood.h"
#include "suites.h"

static struct flood flood;
static struct flood_counts counts;

static void
setup(void)
{
	flood = (struct flood) { .on = false };
	counts = (struct flood_counts) { .frames = 0 };
	ck_assert(!flood_tick(&flood, &counts));
}

/* One second. */
static bool
pass(uint64_t frames, uint64_t begun, uint64_t selected, uint64_t lost)
{
	counts.frames += frames;
	counts.begun += begun;
	counts.selected += selected;
	counts.lost += lost;
	return flood_tick(&flood, &counts);
}

START_TEST(test_what_is_no_flood)
{
	ck_assert(!pass(200000, 190000, 0, 0)); /* many, and the director keeps up */
	ck_assert(!pass(200000, 20000, 0, 5000)); /* a burst of known flows */
	ck_assert(!pass(100, 90, 0, 5));          /* a few */
	ck_assert(!flood.on);
}
END_TEST

START_TEST(test_it_ends_when_it_was_calm_for_long_enough)
{
	ck_assert(pass(100000, 90000, 0, 1));
	ck_assert(flood.on);
	/* The kernel takes it: nothing is lost, and little begins here. */
	for (unsigned i = 0; i < 60; i++)
		ck_assert(!pass(1000, 100, 180000, 0));
	for (unsigned i = 1; i < FLOOD_CALM; i++)
		ck_assert(!pass(1000, 100, 44000, 0));
	/* It was no end. */
	ck_assert(!pass(1000, 100, 46000, 0));
	for (unsigned i = 1; i < FLOOD_CALM; i++)
		ck_assert(!pass(1000, 100, 0, 0));
	ck_assert(flood.on);
	ck_assert(pass(1000, 100, 0, 0));
	ck_assert(!flood.on);
}
END_TEST

Suite *
flood_suite(void)
{
	Suite *suite = suite_create("flood");
	TCase *cases = tcase_create("flood");

	tcase_add_checked_fixture(cases, setup, NULL);
	tcase_add_test(cases, test_what_is_no_flood);
	tcase_add_test(cases, test_it_ends_when_it_was_calm_for_long_enough);
	suite_add_tcase(suite, cases);
	return suite;
}
