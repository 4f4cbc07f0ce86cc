/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <string.h>

#include "../scene/scene.h"
#include "base/duration.h"
#include "forward/neigh.h"
#include "suites.h"

#define NOW SECONDS(100)

struct record {
	unsigned asked;
	unsigned broadcasts;
	struct mac last_destination;
	unsigned events[3];
	struct mac before;
};

static void
watch(void *context, enum neigh_event event, const struct neigh *neigh, const struct mac *before)
{
	struct record *record = context;

	ck_assert_ptr_nonnull(neigh);
	record->events[event]++;
	record->before = *before;
}

static void
ask(void *context, const struct neigh *neigh, const struct mac *destination)
{
	struct record *record = context;

	ck_assert_ptr_nonnull(neigh);
	record->asked++;
	record->broadcasts += mac_equal(destination, &mac_broadcast);
	record->last_destination = *destination;
}

static struct neigh_table *
table_wanting(struct record *record, const char *addr)
{
	struct neigh_table *table = neigh_table_new(watch, record);
	const struct addr wanted = scene_addr(addr);

	memset(record, 0, sizeof(*record));
	ck_assert_ptr_nonnull(table);
	neigh_begin(table);
	ck_assert_int_eq(neigh_want(table, 0, &wanted, NOW), 0);
	neigh_end(table);
	return table;
}

static void
learn(struct neigh_table *table, uint16_t iface, const char *addr, const char *mac, uint64_t now)
{
	const struct addr who = scene_addr(addr);
	const struct mac where = scene_mac(mac);

	neigh_learn(table, iface, &who, &where, now);
}

/* As many servers as there may be: a reload, and an answer of each, look at some entries for each, not at all of them. */
START_TEST(test_work_is_bounded)
{
	enum { SERVERS = 32000, EACH = 4 };
	struct record record = { .asked = 0 };
	struct neigh_table *table = neigh_table_new(watch, &record);

	ck_assert_ptr_nonnull(table);
	for (unsigned reload = 0; reload < 2; reload++) {
		neigh_begin(table);
		for (unsigned i = 0; i < SERVERS; i++) {
			const uint16_t iface = (uint16_t)(i % 3);
			struct addr addr = scene_addr(i % 2 == 0 ? "10.0.0.0" : "2001:db8::");

			addr.bytes[i % 2 == 0 ? 2 : 14] = (uint8_t)(i >> 8);
			addr.bytes[i % 2 == 0 ? 3 : 15] = (uint8_t)i;
			must(neigh_want(table, iface, &addr, NOW) == 0, "server %u", i);
			neigh_learn(table, iface, &addr, &(struct mac) { { 2, 0, 0, 1, (uint8_t)(i >> 8), (uint8_t)i } }, NOW);
			must(neigh_mac(table, iface, &addr)->bytes[5] == (uint8_t)i, "the MAC of server %u", i);
		}
		neigh_end(table);
	}
	ck_assert_uint_eq(neigh_count(table), SERVERS);
	ck_assert_uint_eq(record.events[NEIGH_FOUND], SERVERS);
	ck_assert_uint_lt(neigh_compared(table), UINT64_C(2) * 3 * SERVERS * EACH);
	neigh_table_free(table);
}
END_TEST

START_TEST(test_asks_until_answered)
{
	const struct addr addr = scene_addr("192.0.2.11");
	struct record record;
	struct neigh_table *table = table_wanting(&record, "192.0.2.11");

	neigh_tick(table, NOW, ask, &record);
	ck_assert_uint_eq(record.asked, 1);
	ck_assert_uint_eq(record.broadcasts, 1);
	neigh_tick(table, NOW + MILLISECONDS(500), ask, &record);
	ck_assert_uint_eq(record.asked, 1);
	neigh_tick(table, NOW + SECONDS(1), ask, &record);
	ck_assert_uint_eq(record.asked, 2);
	ck_assert_ptr_null(neigh_mac(table, 0, &addr));
	learn(table, 0, "192.0.2.11", "02:00:00:00:00:11", NOW + SECONDS(1));
	ck_assert_uint_eq(record.events[NEIGH_FOUND], 1);
	ck_assert_ptr_nonnull(neigh_mac(table, 0, &addr));
	neigh_tick(table, NOW + SECONDS(2), ask, &record);
	ck_assert_uint_eq(record.asked, 2);
	neigh_table_free(table);
}
END_TEST

START_TEST(test_says_once_that_nobody_answers)
{
	struct record record;
	struct neigh_table *table = table_wanting(&record, "192.0.2.11");

	for (unsigned second = 0; second < 60; second++)
		neigh_tick(table, NOW + SECONDS(second), ask, &record);
	ck_assert_uint_eq(record.events[NEIGH_GONE], 1);
	ck_assert(mac_is_zero(&record.before));
	ck_assert_uint_gt(record.asked, 10); /* it goes on asking */
	ck_assert_uint_lt(record.asked, 20); /* but less often */
	learn(table, 0, "192.0.2.11", "02:00:00:00:00:11", NOW + SECONDS(60));
	ck_assert_uint_eq(record.events[NEIGH_FOUND], 1);
	neigh_table_free(table);
}
END_TEST

START_TEST(test_refreshes_by_unicast_then_broadcast_then_gives_up)
{
	const struct addr addr = scene_addr("192.0.2.11");
	const struct mac mac = scene_mac("02:00:00:00:00:11");
	struct record record;
	struct neigh_table *table = table_wanting(&record, "192.0.2.11");

	learn(table, 0, "192.0.2.11", "02:00:00:00:00:11", NOW);
	neigh_tick(table, NOW + SECONDS(29), ask, &record);
	ck_assert_uint_eq(record.asked, 0);
	for (unsigned i = 0; i < 3; i++)
		neigh_tick(table, NOW + SECONDS(30 + i), ask, &record);
	ck_assert_uint_eq(record.asked, 3);
	ck_assert_uint_eq(record.broadcasts, 0);
	ck_assert(mac_equal(&record.last_destination, &mac));
	for (unsigned i = 3; i < 6; i++)
		neigh_tick(table, NOW + SECONDS(30 + i), ask, &record);
	ck_assert_uint_eq(record.broadcasts, 3);
	ck_assert_ptr_nonnull(neigh_mac(table, 0, &addr));
	neigh_tick(table, NOW + SECONDS(36), ask, &record);
	ck_assert_ptr_null(neigh_mac(table, 0, &addr));
	ck_assert_uint_eq(record.events[NEIGH_GONE], 1);
	ck_assert(mac_equal(&record.before, &mac));
	neigh_table_free(table);
}
END_TEST

START_TEST(test_follows_a_new_mac_but_not_a_quarrel)
{
	const struct addr addr = scene_addr("192.0.2.11");
	const struct mac newer = scene_mac("02:00:00:00:00:22");
	struct record record;
	struct neigh_table *table = table_wanting(&record, "192.0.2.11");

	learn(table, 0, "192.0.2.11", "02:00:00:00:00:11", NOW);
	learn(table, 0, "192.0.2.11", "02:00:00:00:00:22", NOW + SECONDS(5));
	ck_assert_uint_eq(record.events[NEIGH_CHANGED], 1);
	ck_assert(mac_equal(neigh_mac(table, 0, &addr), &newer));
	for (unsigned i = 0; i < 100; i++)
		learn(table, 0, "192.0.2.11", i % 2 == 0 ? "02:00:00:00:00:11" : "02:00:00:00:00:22",
		    NOW + SECONDS(5) + MILLISECONDS(i));
	ck_assert_uint_eq(record.events[NEIGH_CHANGED], 1);
	ck_assert(mac_equal(neigh_mac(table, 0, &addr), &newer));
	neigh_table_free(table);
}
END_TEST

START_TEST(test_learns_only_what_it_wants_where_it_wants_it)
{
	const struct addr addr = scene_addr("192.0.2.11");
	struct record record;
	struct neigh_table *table = table_wanting(&record, "192.0.2.11");

	learn(table, 0, "192.0.2.12", "02:00:00:00:00:12", NOW);
	learn(table, 1, "192.0.2.11", "02:00:00:00:00:11", NOW);
	ck_assert_uint_eq(neigh_count(table), 1);
	ck_assert_ptr_null(neigh_mac(table, 0, &addr));
	neigh_table_free(table);
}
END_TEST

START_TEST(test_wanting_anew_keeps_what_is_known)
{
	const struct addr kept = scene_addr("192.0.2.11"), added = scene_addr("192.0.2.12");
	struct record record;
	struct neigh_table *table = table_wanting(&record, "192.0.2.11");

	learn(table, 0, "192.0.2.11", "02:00:00:00:00:11", NOW);
	neigh_begin(table);
	ck_assert_int_eq(neigh_want(table, 0, &added, NOW), 0);
	ck_assert_int_eq(neigh_want(table, 0, &kept, NOW), 0);
	ck_assert_int_eq(neigh_want(table, 0, &kept, NOW), 0);
	neigh_end(table);
	ck_assert_uint_eq(neigh_count(table), 2);
	ck_assert_ptr_nonnull(neigh_mac(table, 0, &kept));
	neigh_begin(table);
	neigh_end(table);
	ck_assert_uint_eq(neigh_count(table), 0);
	neigh_table_free(table);
}
END_TEST

Suite *
neigh_suite(void)
{
	Suite *suite = suite_create("neigh");
	TCase *tcase = tcase_create("neigh");

	tcase_add_test(tcase, test_work_is_bounded);
	tcase_add_test(tcase, test_asks_until_answered);
	tcase_add_test(tcase, test_says_once_that_nobody_answers);
	tcase_add_test(tcase, test_refreshes_by_unicast_then_broadcast_then_gives_up);
	tcase_add_test(tcase, test_follows_a_new_mac_but_not_a_quarrel);
	tcase_add_test(tcase, test_learns_only_what_it_wants_where_it_wants_it);
	tcase_add_test(tcase, test_wanting_anew_keeps_what_is_known);
	suite_add_tcase(suite, tcase);
	return suite;
}
