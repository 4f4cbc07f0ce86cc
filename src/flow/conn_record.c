/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "flow/conn_record.h"

#include <assert.h>
#include <string.h>

#include "base/attr.h"
#include "flow/conn_table.h"

/* Any odd number with bits all over; this one is 2^64 divided by the golden ratio (Knuth, TAOCP 6.4). */
#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

static_assert(sizeof(struct conn_record) == 48, "a record has no padding, and a million of them take 48 MB");

uint32_t
conn_record_check(const struct conn_record *record)
{
	uint64_t words[sizeof(*record) / sizeof(uint64_t)], sum = 0;
	struct conn_record copy = *record;

	copy.check = 0;
	memcpy(words, &copy, sizeof(words));
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		sum = (sum ^ words[i]) * MULTIPLIER;
		sum ^= sum >> 32;
	}
	return (uint32_t)sum;
}

void
conn_record_write(struct conn_record *record, const struct conn *conn, uint32_t deadline)
{
	struct conn_record fresh = { .key = conn->key, .server = conn->server, .began = conn->began,
	    .deadline = deadline };

	fresh.key.target |= (uint32_t)conn->state << CONN_RECORD_STATE_SHIFT;
	/* In the states before it, the numbers are others. */
	if (conn_is_numbered(conn) && conn_is_proven((enum conn_state)conn->state)) {
		fresh.key.target |= CONN_RECORD_NUMBERS;
		fresh.acknowledged = conn->acknowledged;
		fresh.sent = conn->sent;
	}
	fresh.check = conn_record_check(&fresh);
	*record = fresh;
}

void
conn_record_clear(struct conn_record *record)
{
	record->key.target = 0;
}

bool
conn_record_read(const struct conn_record *record, struct conn_saved *saved)
{
	const uint32_t state = (record->key.target & ~CONN_RECORD_NUMBERS) >> CONN_RECORD_STATE_SHIFT;

	if (state == CONN_NONE || state >= CONN_STATE_COUNT || conn_record_check(record) != record->check)
		return false;
	*saved = (struct conn_saved) { .key = record->key, .server = record->server, .state = (enum conn_state)state,
		.began = record->began, .deadline = record->deadline,
		.numbered = (record->key.target & CONN_RECORD_NUMBERS) != 0, .acknowledged = record->acknowledged,
		.sent = record->sent };
	saved->key.target &= (UINT32_C(1) << CONN_RECORD_STATE_SHIFT) - 1;
	return true;
}

void
conn_record_flow(struct conn_table *table, const struct conn *conn)
{
	const uint32_t index = conn_number(table, conn);

	if (index <= table->records->ready || table->records->reserve(table->records->context, index) == 0)
		conn_record_write(&table->records->first[index - 1], conn, (uint32_t)conn_deadline_second(table, conn));
}

void
conn_table_record(struct conn_table *table, struct conn_records *records)
{
	table->records = records;
	for (uint32_t i = 1; records != NULL && i <= table->used; i++)
		if (table->conns[i].state != CONN_NONE && !conn_has_expired(table, &table->conns[i]))
			conn_record_flow(table, &table->conns[i]);
}

void
conn_table_sweep(struct conn_table *table, uint32_t budget)
{
	if (table->records == NULL)
		return;
	for (; budget > 0 && table->used > 0; budget--) {
		const struct conn *conn;

		table->swept = table->swept < table->used ? table->swept + 1 : 1;
		conn = &table->conns[table->swept];
		if (conn->state != CONN_NONE && !conn_has_expired(table, conn))
			conn_record_flow(table, conn);
		if (table->swept == table->used)
			break;
	}
}
