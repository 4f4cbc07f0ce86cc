/* SPDX-License-Identifier: ISC */
/* The flow table's index while it grows and shrinks: each flow is found at every size, whichever way it came there. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/duration.h"
#include "base/keyhash.h"
#include "conn_keys.h"
#include "suites.h"

#define NOW SECONDS(100)
#define LIFE MINUTES(15)

static void
insert(struct conn_table *table, uint32_t number)
{
	const struct conn_key key = key_of(number);
	const struct conn *conn = conn_insert(table, &key, (struct server_ref) { 1, 1 }, CONN_ESTABLISHED, LIFE, NOW);

	must(conn != NULL, "flow %u finds no room", number);
	must(number_of(conn) == number, "flow %u came as %u", number, number_of(conn));
}

static void
delete(struct conn_table *table, uint32_t number)
{
	const struct conn_key key = key_of(number);
	struct conn *conn = conn_find(table, &key, NOW);

	must(conn != NULL, "flow %u is not there", number);
	conn_remove(table, conn);
}

/* In both ways to look. */
static void
expect(struct conn_table *table, uint32_t number, bool there)
{
	const struct conn_key key = key_of(number);
	const struct conn *conn = conn_find(table, &key, NOW);

	must((conn != NULL) == there, "flow %u is %s of %u", number, there ? "lost" : "back", conn_table_count(table));
	must(conn == NULL || number_of(conn) == number, "for flow %u came %u", number, number_of(conn));
	must(conn_peek(table, &key) == conn, "flow %u is not seen by who only looks", number);
}

/* Full at a power of two and at numbers around it, where the index doubles in mid-course or not. */
static const uint32_t capacities[] = { 16, 17, 500, 1023, 1024, 1025, 1600 };

START_TEST(test_every_flow_is_found_at_every_size)
{
	const uint32_t flows = capacities[_i];
	struct conn_table *table = new_table(flows);

	for (uint32_t count = 0; count < flows; count++) {
		insert(table, count);
		for (uint32_t i = 0; i <= count + 1; i++)
			expect(table, i, i <= count);
	}
	for (uint32_t gone = 0; gone < flows; gone++) {
		delete(table, gone);
		for (uint32_t i = 0; i < flows; i++)
			expect(table, i, i > gone);
	}
	ck_assert_uint_eq(conn_table_count(table), 0);
	conn_table_free(table);
}
END_TEST

/* Whoever knows the key has all his flows in one bucket of 1024, which is split only when there are more. */
START_TEST(test_a_long_chain_is_split_and_joined)
{
	const struct keyhash_key key = keyhash_key(&hash_key);
	struct conn_table *table = new_table(4096);
	uint32_t numbers[600], found = 0;

	for (uint32_t i = 0; found < ARRAY_LEN(numbers); i++) {
		const struct conn_key name = key_of(i);

		if ((keyhash_hash(&key, &name) & 1023) == 5)
			numbers[found++] = i;
	}
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < ARRAY_LEN(numbers); i++)
			insert(table, numbers[i]);
		for (uint32_t i = 0; i < ARRAY_LEN(numbers); i++)
			expect(table, numbers[i], true);
		/* From the chain's end, its head and its middle. */
		for (uint32_t i = 0; i < ARRAY_LEN(numbers); i++) {
			delete(table, numbers[i * 7 % ARRAY_LEN(numbers)]);
			expect(table, numbers[i * 7 % ARRAY_LEN(numbers)], false);
		}
		ck_assert_uint_eq(conn_table_count(table), 0);
	}
	conn_table_free(table);
}
END_TEST

#define FLOWS 3000
#define STEPS 200000

struct waves {
	struct conn_table *table;
	bool there[FLOWS];
	uint32_t count;
	uint64_t random;
};

static uint32_t
dice(struct waves *waves, uint32_t sides)
{
	/* xorshift64 (Marsaglia 2003), so that a failure can be repeated. */
	waves->random ^= waves->random << 13;
	waves->random ^= waves->random >> 7;
	waves->random ^= waves->random << 17;
	return (uint32_t)(waves->random >> 32) % sides;
}

static void
toggle(struct waves *waves, uint32_t flow)
{
	if (waves->there[flow])
		delete(waves->table, flow);
	else
		insert(waves->table, flow);
	waves->there[flow] = !waves->there[flow];
	waves->count += waves->there[flow];
	waves->count -= !waves->there[flow];
}

/* Flows come and go at random, in waves between none and all, so that the index goes up and down by all its sizes. */
START_TEST(test_waves_against_a_model)
{
	static struct waves waves;
	bool rising = true;

	memset(&waves, 0, sizeof(waves));
	waves.table = new_table(_i == 0 ? FLOWS : 4 * FLOWS);
	waves.random = 88172645463325252u + (uint64_t)_i;
	for (unsigned step = 0; step < STEPS; step++) {
		const uint32_t flow = dice(&waves, FLOWS);

		expect(waves.table, flow, waves.there[flow]);
		if (waves.there[flow] != rising || dice(&waves, 4) == 0)
			toggle(&waves, flow);
		if (waves.count < 20 || waves.count > FLOWS * 7 / 10)
			rising = waves.count < 20;
		if (step % 1000 == 0)
			for (uint32_t i = 0; i < FLOWS; i++)
				expect(waves.table, i, waves.there[i]);
		must(conn_table_count(waves.table) == waves.count, "the count is wrong");
	}
	conn_table_free(waves.table);
}
END_TEST

static void
count_each(void *context, const struct conn *conn)
{
	unsigned *seen = context;

	seen[number_of(conn)]++;
}

/* A walk in parts sees each flow once that is there all the while, however the index changes under it. */
START_TEST(test_a_walk_goes_on_while_the_index_changes)
{
	struct conn_table *table = new_table(8192);
	unsigned seen[6000] = { 0 };
	uint32_t from = 0, next = 2000;

	for (uint32_t i = 0; i < 2000; i++)
		insert(table, i);
	do {
		from = conn_walk(table, from, 64, count_each, seen);
		for (uint32_t i = 0; i < 100 && next < 6000; i++)
			insert(table, next++);
	} while (from != 0);
	for (uint32_t i = 0; i < 2000; i++)
		must(seen[i] == 1, "flow %u was seen %u times", i, seen[i]);
	for (uint32_t i = 2000; i < 6000; i++)
		must(seen[i] <= 1, "flow %u was seen %u times", i, seen[i]);
	do {
		from = conn_walk(table, from, 500, count_each, seen);
		for (uint32_t i = 0; i < 400 && next > 2000; i++)
			delete(table, --next);
	} while (from != 0);
	for (uint32_t i = 0; i < 2000; i++)
		must(seen[i] == 2, "flow %u was seen %u times", i, seen[i]);
	conn_table_free(table);
}
END_TEST

/* The timer's lists are none of the index's: all expire, and the index is fit for the next ones. */
START_TEST(test_all_expire_and_others_come)
{
	struct conn_table *table = new_table(10000);

	for (uint32_t i = 0; i < 5000; i++)
		insert(table, i);
	conn_expire(table, NOW + LIFE - SECONDS(2), UINT32_MAX);
	ck_assert_uint_eq(conn_table_count(table), 5000);
	conn_expire(table, NOW + LIFE + SECONDS(2), UINT32_MAX);
	ck_assert_uint_eq(conn_table_count(table), 0);
	for (uint32_t i = 0; i < 5000; i++)
		expect(table, i, false);
	for (uint32_t i = 5000; i < 10000; i++)
		insert(table, i);
	for (uint32_t i = 0; i < 10000; i++)
		expect(table, i, i >= 5000);
	conn_table_free(table);
}
END_TEST

Suite *
conn_grow_suite(void)
{
	Suite *suite = suite_create("conn_grow");
	TCase *tcase = tcase_create("index");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_every_flow_is_found_at_every_size, 0, ARRAY_LEN(capacities));
	tcase_add_test(tcase, test_a_long_chain_is_split_and_joined);
	tcase_add_loop_test(tcase, test_waves_against_a_model, 0, 2);
	tcase_add_test(tcase, test_a_walk_goes_on_while_the_index_changes);
	tcase_add_test(tcase, test_all_expire_and_others_come);
	suite_add_tcase(suite, tcase);
	return suite;
}
