/* SPDX-License-Identifier: ISC */
/* Token buckets of services and clients: how many pass, how they refill, and who loses a bucket. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "flow/limit.h"
#include "suites.h"

static const struct siphash_key key = { { 1, 2, 3, 4, 5, 6, 7, 8, 9 } };
static struct limit_table *table;
static struct limit_bucket service;
static struct limit limit;
static uint64_t now;

static void
setup(void)
{
	table = limit_table_new(&key);
	ck_assert_ptr_nonnull(table);
	service = (struct limit_bucket) { .spent = 0 };
	limit = (struct limit) { .service = LIMIT_MOST, .client = 3, .prefix4 = LIMIT_PREFIX4,
		.prefix6 = LIMIT_PREFIX6 };
	now = SECONDS(1000);
}

static void
teardown(void)
{
	limit_table_free(table);
}

/* An attempt of a client of service `number`, whose outcome limit_has() must know before. */
static bool
attempt_at(uint16_t number, const uint8_t client[16])
{
	const struct limit_asker asker = { .limit = &limit, .bucket = &service, .service = number, .client = client };
	const bool expected = limit_has(table, &asker, now), taken = limit_take(table, &asker, now);

	ck_assert_int_eq(taken, expected);
	return taken;
}

/* The same by an IPv4 address. */
static bool
attempt(uint32_t address)
{
	const uint8_t client[16] = { [10] = 0xff, [11] = 0xff, [12] = (uint8_t)(address >> 24),
		[13] = (uint8_t)(address >> 16), [14] = (uint8_t)(address >> 8), [15] = (uint8_t)address };

	return attempt_at(1, client);
}

/* How many of `attempts` pass, spread evenly over `time`. */
static unsigned
passing(struct limit_bucket *bucket, uint32_t rate, unsigned attempts, uint64_t time)
{
	unsigned passed = 0;

	for (unsigned i = 0; i < attempts; i++)
		passed += limit_bucket_take(bucket, rate, now + time * i / attempts);
	now += time;
	return passed;
}

START_TEST(test_a_bucket_has_the_burst_of_a_second_and_then_its_rate)
{
	static const uint32_t rates[] = { 1, 7, 1000, 333333 };

	for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
		struct limit_bucket bucket = { .spent = 0 };

		ck_assert_uint_eq(passing(&bucket, rates[i], rates[i] + 10, 0), rates[i]);
		/* Twice as many as may begin, for three seconds. */
		const unsigned passed = passing(&bucket, rates[i], 6 * rates[i], SECONDS(3));

		must(passed >= 3 * rates[i] - 1 && passed <= 3 * rates[i], "%u of %u a second", passed, rates[i]);
		/* Silence, however long, saves no more than a second's. */
		now += SECONDS(86400);
		ck_assert_uint_eq(passing(&bucket, rates[i], 3 * rates[i], 0), rates[i]);
	}
}
END_TEST

START_TEST(test_a_bucket_refills_to_the_microsecond)
{
	struct limit_bucket bucket = { .spent = 0 };

	ck_assert_uint_eq(passing(&bucket, 4, 5, 0), 4);
	now += 249999;
	ck_assert(!limit_bucket_take(&bucket, 4, now)); /* a refusal costs nothing */
	ck_assert(!limit_bucket_take(&bucket, 4, now));
	now += 1;
	ck_assert(limit_bucket_has(&bucket, 4, now));
	ck_assert(limit_bucket_take(&bucket, 4, now));
	ck_assert(!limit_bucket_has(&bucket, 4, now));
}
END_TEST

START_TEST(test_the_highest_rate_does_not_overflow)
{
	struct limit_bucket bucket = { .spent = 0 };

	ck_assert_uint_eq(passing(&bucket, LIMIT_MOST, LIMIT_MOST + 5, 0), LIMIT_MOST);
	now += SECONDS(1) - 1;
	ck_assert_uint_eq(passing(&bucket, LIMIT_MOST, LIMIT_MOST + 5, 0), LIMIT_MOST - LIMIT_MOST / 1000000);
	now = UINT64_MAX;
	ck_assert(limit_bucket_take(&bucket, LIMIT_MOST, now));
}
END_TEST

START_TEST(test_a_clock_that_steps_back_gives_and_takes_nothing)
{
	struct limit_bucket bucket = { .spent = 0 };

	ck_assert_uint_eq(passing(&bucket, 10, 4, 0), 4);
	now -= SECONDS(500);
	ck_assert_uint_eq(passing(&bucket, 10, 20, 0), 6);
	/* It refills from the new time on, not only when the old one is reached. */
	now += MILLISECONDS(300);
	ck_assert_uint_eq(passing(&bucket, 10, 20, 0), 3);
}
END_TEST

START_TEST(test_a_new_rate_keeps_what_is_spent)
{
	struct limit_bucket bucket = { .spent = 0 };

	ck_assert_uint_eq(passing(&bucket, 100, 100, 0), 100);
	ck_assert_uint_eq(passing(&bucket, 150, 100, 0), 50);
	/* A lower one is not paid for by the time that the higher one would take. */
	ck_assert(!limit_bucket_take(&bucket, 2, now));
	now += MILLISECONDS(500);
	ck_assert_uint_eq(passing(&bucket, 2, 5, 0), 1);
}
END_TEST

START_TEST(test_each_client_has_its_own)
{
	for (unsigned i = 0; i < 5; i++)
		ck_assert_int_eq(attempt(0xcb007101), i < 3);
	for (unsigned i = 0; i < 5; i++)
		ck_assert_int_eq(attempt(0xcb007102), i < 3);
	now += SECONDS(1) / 3 + 1;
	ck_assert(attempt(0xcb007101));
	ck_assert(!attempt(0xcb007101));
}
END_TEST

START_TEST(test_a_client_is_a_network_and_a_service)
{
	uint8_t six[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 7, 1 };

	limit.prefix4 = 24;
	for (unsigned i = 0; i < 10; i++)
		ck_assert_int_eq(attempt(0xcb007100 + i), i < 3);
	ck_assert(attempt(0xcb007200));
	for (uint8_t i = 0; i < 10; i++) {
		six[8] = six[15] = i;
		ck_assert_int_eq(attempt_at(1, six), i < 3);
	}
	ck_assert(attempt_at(2, six));
	six[7] = 8;
	ck_assert(attempt_at(1, six));
	/* No byte boundary. */
	limit.prefix6 = 61;
	six[7] = 0x10;
	for (unsigned i = 0; i < 8; i++, six[7]++)
		ck_assert_int_eq(attempt_at(1, six), i < 3);
	ck_assert(attempt_at(1, six)); /* ...18::/61 */
}
END_TEST

START_TEST(test_who_is_refused_takes_nothing_from_the_other_bucket)
{
	limit.service = 5;
	/* One client alone does not use the service's up, however often it tries. */
	for (unsigned i = 0; i < 100; i++)
		ck_assert_int_eq(attempt(1), i < 3);
	ck_assert(attempt(2));
	ck_assert(attempt(2));
	/* The service is at its limit; what client 2 has left stays. */
	for (unsigned i = 0; i < 100; i++)
		ck_assert(!attempt(2));
	service.spent = 0;
	ck_assert(attempt(2));
	ck_assert(!attempt(2));
}
END_TEST

START_TEST(test_without_clients_the_service_alone_counts)
{
	limit = (struct limit) { .service = 4 };
	for (unsigned i = 0; i < 10; i++)
		ck_assert_int_eq(attempt(1), i < 4);
}
END_TEST

/* Of more networks than the table has room for, one that goes on keeps its bucket, and one that is silent loses it. */
START_TEST(test_the_least_recent_client_makes_room)
{
	unsigned passed = 0;

	limit.client = 1;
	ck_assert(attempt(1));
	for (uint32_t i = 0; i < 4 * LIMIT_SETS * LIMIT_WAYS; i++, now++) {
		if (i % 1000 == 0)
			passed += attempt(1);
		ck_assert(attempt(0x0a000000 + i)); /* each its first */
	}
	ck_assert_uint_eq(passed, 0);
	ck_assert(!attempt(0x0a000000 + 4 * LIMIT_SETS * LIMIT_WAYS - 1));
	ck_assert(attempt(0x0a000000));
}
END_TEST

START_TEST(test_buckets_of_a_time_to_come_make_room_first)
{
	unsigned kept = 0;

	limit.client = 1;
	for (uint32_t i = 0; i < 4 * LIMIT_SETS * LIMIT_WAYS; i++)
		ck_assert(attempt(0x0a000000 + i));
	now -= SECONDS(900);
	for (uint32_t i = 0; i < LIMIT_SETS; i++)
		ck_assert(attempt(0x0b000000 + i));
	for (uint32_t i = 0; i < LIMIT_SETS; i++)
		kept += !attempt(0x0b000000 + i);
	/* More than four of them may have one set. */
	must(kept > LIMIT_SETS * 98 / 100, "%u", kept);
}
END_TEST

Suite *
limit_suite(void)
{
	Suite *suite = suite_create("limit");
	TCase *cases = tcase_create("limit");

	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, test_a_bucket_has_the_burst_of_a_second_and_then_its_rate);
	tcase_add_test(cases, test_a_bucket_refills_to_the_microsecond);
	tcase_add_test(cases, test_the_highest_rate_does_not_overflow);
	tcase_add_test(cases, test_a_clock_that_steps_back_gives_and_takes_nothing);
	tcase_add_test(cases, test_a_new_rate_keeps_what_is_spent);
	tcase_add_test(cases, test_each_client_has_its_own);
	tcase_add_test(cases, test_a_client_is_a_network_and_a_service);
	tcase_add_test(cases, test_who_is_refused_takes_nothing_from_the_other_bucket);
	tcase_add_test(cases, test_without_clients_the_service_alone_counts);
	tcase_add_test(cases, test_the_least_recent_client_makes_room);
	tcase_add_test(cases, test_buckets_of_a_time_to_come_make_room_first);
	suite_add_tcase(suite, cases);
	return suite;
}
