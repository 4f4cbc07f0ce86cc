/* SPDX-License-Identifier: ISC */
/* What is promised of the consistent hash: exact shares, few moves, no matter of order. */
#include "config.h"

#include "sched/maglev.h"

#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/keyhash.h"
#include "suites.h"

#define MOST 1000

static struct maglev_member
member(size_t number, uint32_t weight)
{
	static const struct siphash_key key = { { 0 } };
	char name[32];

	(void)snprintf(name, sizeof(name), "web/web%zu", number);
	return (struct maglev_member){ .identity = siphash24(&key, name, strlen(name)), .weight = weight };
}

static struct maglev
build(const struct maglev_member *members, size_t count, size_t room)
{
	struct maglev maglev;

	ck_assert_int_eq(maglev_build(&maglev, members, count, room), 0);
	return maglev;
}

static size_t
room_of(const struct maglev_member *members, size_t count)
{
	uint32_t weights[MOST];

	for (size_t i = 0; i < count; i++)
		weights[i] = members[i].weight;
	return maglev_room(weights, count);
}

static void
check_shares(const struct maglev_member *members, size_t count)
{
	struct maglev maglev = build(members, count, room_of(members, count));
	uint32_t *slots = calloc(count, sizeof(*slots));
	double total = 0;

	ck_assert_ptr_nonnull(slots);
	for (uint32_t i = 0; i < maglev.size; i++) {
		ck_assert_uint_lt(maglev.slots[i], count);
		slots[maglev.slots[i]]++;
	}
	for (size_t i = 0; i < count; i++)
		total += members[i].weight;
	for (size_t i = 0; i < count; i++) {
		const double expected = maglev.size * members[i].weight / total;

		ck_assert_msg(fabs(slots[i] - expected) <= expected / 100, "%zu of %zu has %u slots, not %.1f", i,
		    count, slots[i], expected);
	}
	free(slots);
	maglev_clear(&maglev);
}

static const size_t counts[] = { 1, 2, 3, 10, 40, 41, 100, 160, 1000 };

START_TEST(test_shares_of_equals)
{
	static struct maglev_member members[MOST];
	const size_t count = counts[_i];

	for (size_t i = 0; i < count; i++)
		members[i] = member(i, 100);
	check_shares(members, count);
}
END_TEST

START_TEST(test_shares_follow_weights)
{
	static struct maglev_member members[MOST];
	const size_t count = counts[_i];

	for (size_t i = 0; i < count; i++)
		members[i] = member(i, 100 * (uint32_t)(i % 5 + 1));
	check_shares(members, count);
}
END_TEST

START_TEST(test_heavy_beside_light)
{
	struct maglev_member members[3] = { member(0, 1), member(1, 500), member(2, 139) };

	check_shares(members, ARRAY_LEN(members));
}
END_TEST

START_TEST(test_size)
{
	struct maglev_member members[MOST];

	for (size_t i = 0; i < MOST; i++)
		members[i] = member(i, 1);
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		struct maglev maglev = build(members, counts[i], 0);

		ck_assert_uint_gt(maglev.size, 100 * counts[i]);
		for (uint32_t divisor = 2; divisor * divisor <= maglev.size; divisor++)
			ck_assert_uint_ne(maglev.size % divisor, 0);
		maglev_clear(&maglev);
	}
}
END_TEST

/* In per cent of the slots whose member is in both tables; `odd` is in one of them only. */
static double
moved(const struct maglev *before, const struct maglev *after, size_t odd)
{
	uint32_t same = 0, other = 0;

	ck_assert_uint_eq(before->size, after->size);
	for (uint32_t i = 0; i < before->size; i++) {
		if (before->slots[i] == odd || after->slots[i] == odd)
			continue;
		same += before->slots[i] == after->slots[i];
		other += before->slots[i] != after->slots[i];
	}
	return 100.0 * other / (same + other);
}

/* Each of them in turn: 100 servers, one of which is gone. Its number names the table's members behind it too. */
START_TEST(test_one_of_a_hundred_goes)
{
	struct maglev_member members[100], left[99];
	struct maglev before, after;

	for (size_t i = 0; i < 100; i++)
		members[i] = member(i, 100);
	before = build(members, 100, 100);
	for (size_t gone = 0; gone < 100; gone++) {
		memcpy(left, members, gone * sizeof(left[0]));
		memcpy(left + gone, members + gone + 1, (99 - gone) * sizeof(left[0]));
		after = build(left, 99, 100);
		for (uint32_t i = 0; i < after.size; i++)
			after.slots[i] = (uint16_t)(after.slots[i] + (after.slots[i] >= gone));
		ck_assert_double_le(moved(&before, &after, gone), 2.0);
		maglev_clear(&after);
	}
	maglev_clear(&before);
}
END_TEST

/* A server that drains or warms up leaves the others' flows alone as one that goes does. */
START_TEST(test_one_of_a_hundred_becomes_light)
{
	struct maglev_member members[100];
	struct maglev before, after;
	const size_t room = 100;

	for (size_t i = 0; i < 100; i++)
		members[i] = member(i, 100);
	before = build(members, 100, room);
	members[42].weight = 10;
	after = build(members, 100, room);
	ck_assert_double_le(moved(&before, &after, 42), 2.0);
	maglev_clear(&before);
	maglev_clear(&after);
}
END_TEST

START_TEST(test_order_does_not_matter)
{
	struct maglev_member members[50], turned[50];
	struct maglev a, b;

	for (size_t i = 0; i < 50; i++)
		members[i] = member(i, (uint32_t)i + 1);
	for (size_t i = 0; i < 50; i++)
		turned[i] = members[(i * 7 + 3) % 50];
	a = build(members, 50, room_of(members, 50));
	b = build(turned, 50, room_of(turned, 50));
	ck_assert_uint_eq(a.size, b.size);
	for (uint32_t i = 0; i < a.size; i++)
		ck_assert_uint_eq(members[a.slots[i]].identity, turned[b.slots[i]].identity);
	maglev_clear(&a);
	maglev_clear(&b);
}
END_TEST

START_TEST(test_room)
{
	static const uint32_t equal[] = { 7, 7, 7 }, drained[] = { 7, 0, 7 }, unequal[] = { 1, 3, 0, 5 };
	static const uint32_t wide[] = { 1, 65535 }, nobody[] = { 0, 0 };

	ck_assert_uint_eq(maglev_room(equal, 3), 3);
	ck_assert_uint_eq(maglev_room(drained, 3), 3);
	ck_assert_uint_eq(maglev_room(unequal, 4), 10);
	ck_assert_uint_eq(maglev_room(wide, 2), ROOM_FOR_WEIGHTS);
	ck_assert_uint_eq(maglev_room(nobody, 2), 2);
	ck_assert_uint_eq(maglev_room(NULL, 0), 0);
}
END_TEST

START_TEST(test_nobody_and_hashes)
{
	struct maglev_member one = member(0, 1);
	struct maglev maglev = build(NULL, 0, 10);

	ck_assert_uint_eq(maglev.size, 0);
	ck_assert_ptr_null(maglev.slots);
	maglev = build(&one, 1, 1);
	ck_assert_uint_eq(maglev_find(&maglev, 0), 0);
	ck_assert_uint_eq(maglev_find(&maglev, UINT64_MAX), 0);
	maglev_clear(&maglev);
}
END_TEST

Suite *
maglev_suite(void)
{
	Suite *suite = suite_create("maglev");
	TCase *tcase = tcase_create("maglev");

	tcase_add_loop_test(tcase, test_shares_of_equals, 0, (int)ARRAY_LEN(counts));
	tcase_add_loop_test(tcase, test_shares_follow_weights, 0, (int)ARRAY_LEN(counts));
	tcase_add_test(tcase, test_heavy_beside_light);
	tcase_add_test(tcase, test_size);
	tcase_add_test(tcase, test_one_of_a_hundred_goes);
	tcase_add_test(tcase, test_one_of_a_hundred_becomes_light);
	tcase_add_test(tcase, test_order_does_not_matter);
	tcase_add_test(tcase, test_room);
	tcase_add_test(tcase, test_nobody_and_hashes);
	suite_add_tcase(suite, tcase);
	return suite;
}
