/* SPDX-License-Identifier: ISC */
/* Records of flows: what a process that is killed at any moment leaves, another one reads right, or not at all. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/duration.h"
#include "conn_keys.h"
#include "flow/conn_record.h"
#include "suites.h"

#define NOW SECONDS(5000)
#define LIFE MINUTES(15)
#define ROOM 64

static const struct server_ref server = { 7, 3 };

struct memory {
	struct conn_record first[ROOM];
	struct conn_records records;
	unsigned asked;
	uint32_t most; /* the room there is */
};

static int
reserve(void *context, uint32_t number)
{
	struct memory *memory = context;

	memory->asked++;
	if (number > memory->most)
		return -1;
	memory->records.ready = number + 3 < memory->most ? number + 3 : memory->most;
	return 0;
}

static void
memory_open(struct memory *memory, uint32_t most)
{
	memset(memory, 0, sizeof(*memory));
	memory->most = most;
	memory->records = (struct conn_records) { .first = memory->first, .reserve = reserve, .context = memory };
}

static struct conn *
insert(struct conn_table *table, uint32_t number, enum conn_state state)
{
	const struct conn_key key = key_of(number);
	struct conn *conn = conn_insert(table, &key, server, state, LIFE, NOW);

	ck_assert_ptr_nonnull(conn);
	return conn;
}

static const struct conn_record *
record_of(const struct memory *memory, const struct conn_table *table, const struct conn *conn)
{
	return &memory->first[conn_number(table, conn) - 1];
}

START_TEST(test_a_record_is_what_the_flow_is)
{
	struct conn_table *table = new_table(ROOM);
	struct conn_record before;
	struct memory memory;
	struct conn_saved saved;
	const struct conn_record *record;
	struct conn *conn;

	memory_open(&memory, ROOM);
	conn_table_record(table, &memory.records);
	conn = insert(table, 1, CONN_SYN);
	record = record_of(&memory, table, conn);
	ck_assert(conn_record_read(record, &saved));
	ck_assert_mem_eq(&saved.key, &conn->key, sizeof(saved.key));
	ck_assert(server_ref_equal(saved.server, server));
	ck_assert_int_eq(saved.state, CONN_SYN);
	ck_assert_uint_eq(saved.began, NOW / SECONDS(1));
	ck_assert_uint_eq(saved.deadline, (NOW + LIFE) / SECONDS(1));
	conn_touch(table, conn, CONN_ESTABLISHED, LIFE);
	ck_assert(conn_record_read(record, &saved));
	ck_assert_int_eq(saved.state, CONN_ESTABLISHED);
	/* Established flows cost nothing until the next round. */
	before = *record;
	conn_tell(table, NOW + SECONDS(50));
	conn_touch(table, conn, CONN_ESTABLISHED, LIFE);
	ck_assert_mem_eq(record, &before, sizeof(before));
	conn_table_sweep(table, 1);
	ck_assert(conn_record_read(record, &saved));
	ck_assert_uint_eq(saved.deadline, (NOW + SECONDS(50) + LIFE) / SECONDS(1));
	conn_remove(table, conn);
	ck_assert(!conn_record_read(record, &saved));
	conn_table_free(table);
}
END_TEST

START_TEST(test_flows_that_were_there_before)
{
	struct conn_table *table = new_table(ROOM);
	struct memory memory;
	struct conn_saved saved;
	unsigned found = 0;

	for (uint32_t i = 1; i <= 20; i++)
		(void)insert(table, i, CONN_ESTABLISHED);
	memory_open(&memory, ROOM);
	conn_table_record(table, &memory.records);
	for (size_t i = 0; i < ROOM; i++)
		found += conn_record_read(&memory.first[i], &saved);
	ck_assert_uint_eq(found, 20);
	/* No more is written to memory that is no longer theirs. */
	conn_table_record(table, NULL);
	(void)insert(table, 99, CONN_ESTABLISHED);
	for (size_t i = 0; i < ROOM; i++)
		found -= conn_record_read(&memory.first[i], &saved);
	ck_assert_uint_eq(found, 0);
	conn_table_free(table);
}
END_TEST

START_TEST(test_without_room_flows_go_on)
{
	struct conn_table *table = new_table(ROOM);
	struct memory memory;
	struct conn_saved saved;
	unsigned found = 0;

	memory_open(&memory, 10);
	conn_table_record(table, &memory.records);
	for (uint32_t i = 1; i <= 30; i++)
		conn_touch(table, insert(table, i, CONN_UDP), CONN_UDP, LIFE);
	for (size_t i = 0; i < ROOM; i++)
		found += conn_record_read(&memory.first[i], &saved);
	ck_assert_uint_eq(found, 10);
	ck_assert_uint_eq(conn_table_count(table), 30);
	/* There is room again: a round finds them. */
	memory.most = ROOM;
	conn_table_sweep(table, ROOM);
	for (size_t i = 0; i < ROOM; i++)
		found += conn_record_read(&memory.first[i], &saved);
	ck_assert_uint_eq(found, 10 + 30);
	conn_table_free(table);
}
END_TEST

START_TEST(test_a_sweep_sees_each_flow_once_a_round)
{
	struct conn_table *table = new_table(ROOM * 2);
	struct memory memory;
	struct conn_saved saved;

	memory_open(&memory, ROOM);
	conn_table_record(table, &memory.records);
	for (uint32_t i = 1; i <= 50; i++)
		(void)insert(table, i, CONN_ESTABLISHED);
	conn_tell(table, NOW + SECONDS(10));
	for (uint32_t i = 1; i <= 50; i++)
		conn_touch(table, conn_at(table, i), CONN_ESTABLISHED, LIFE);
	for (unsigned i = 0; i < 5; i++)
		conn_table_sweep(table, 10);
	for (uint32_t i = 1; i <= 50; i++) {
		ck_assert(conn_record_read(record_of(&memory, table, conn_at(table, i)), &saved));
		ck_assert_uint_eq(saved.deadline, (NOW + SECONDS(10) + LIFE) / SECONDS(1));
	}
	conn_table_free(table);
}
END_TEST

/* Of every moment at which the process may have been killed: `done` bytes of the new record stand there. */
START_TEST(test_a_torn_record_is_none)
{
	const struct conn_key keys[] = { key_of(1), key_of(2) };
	struct conn conns[2] = { { .key = keys[0], .server = server, .state = CONN_ESTABLISHED, .began = 5 },
		{ .key = keys[1], .server = { 1, 1 }, .state = CONN_FIN_WAIT, .began = 6 } };
	struct conn_record records[2], torn;
	struct conn_saved saved;

	conn_record_write(&records[0], &conns[0], 1000);
	conn_record_write(&records[1], &conns[1], 1010);
	for (size_t done = 0; done <= sizeof(torn); done++) {
		torn = records[0];
		memcpy(&torn, &records[1], done);
		if (!conn_record_read(&torn, &saved))
			continue;
		ck_assert_msg(memcmp(&torn, &records[0], sizeof(torn)) == 0 ||
		    memcmp(&torn, &records[1], sizeof(torn)) == 0,
		    "a record with %zu bytes of another one is believed", done);
	}
	for (size_t bit = 0; bit < sizeof(torn) * 8; bit++) {
		torn = records[0];
		((uint8_t *)&torn)[bit / 8] ^= (uint8_t)(1U << bit % 8);
		ck_assert_msg(!conn_record_read(&torn, &saved), "a record with bit %zu turned is believed", bit);
	}
	memset(&torn, 0, sizeof(torn));
	ck_assert(!conn_record_read(&torn, &saved));
	memset(&torn, 0xff, sizeof(torn));
	ck_assert(!conn_record_read(&torn, &saved));
}
END_TEST

Suite *
conn_record_suite(void)
{
	Suite *suite = suite_create("conn_record");
	TCase *tcase = tcase_create("conn_record");

	tcase_add_test(tcase, test_a_record_is_what_the_flow_is);
	tcase_add_test(tcase, test_flows_that_were_there_before);
	tcase_add_test(tcase, test_without_room_flows_go_on);
	tcase_add_test(tcase, test_a_sweep_sees_each_flow_once_a_round);
	tcase_add_test(tcase, test_a_torn_record_is_none);
	suite_add_tcase(suite, tcase);
	return suite;
}
