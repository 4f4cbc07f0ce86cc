/* SPDX-License-Identifier: ISC */
/* Room for new flows: when a share or the table is full, which flow makes room for another. */
#include "config.h"

#include <stdlib.h>

#include "flow/conn_table.h"

/* Entries for each flow of the share: some are of flows that were proven. */
#define ENTRIES_EACH 2

/* How many flows a full table looks at, in search of an expired one, before it refuses a new flow. */
#define FULL_BUDGET 64

int
unproven_init(struct unproven_queue *queue, uint32_t capacity)
{
	*queue = (struct unproven_queue) { .share = capacity / UNPROVEN_SHARE };
	queue->size = queue->share * ENTRIES_EACH;
	queue->flows = calloc(queue->size, sizeof(*queue->flows));
	return queue->flows != NULL ? 0 : -1;
}

void
unproven_clear(struct unproven_queue *queue)
{
	free(queue->flows);
}

void
unproven_push(struct unproven_queue *queue, uint32_t number, uint32_t second)
{
	uint32_t at;

	if (queue->used == queue->size)
		unproven_pop(queue);
	at = queue->first + queue->used++;
	queue->flows[at < queue->size ? at : at - queue->size] = (struct unproven) { number, second };
}

const struct unproven *
unproven_first(const struct unproven_queue *queue)
{
	return queue->used > 0 ? &queue->flows[queue->first] : NULL;
}

void
unproven_pop(struct unproven_queue *queue)
{
	queue->first = queue->first + 1 < queue->size ? queue->first + 1 : 0;
	queue->used--;
}

struct unproven_queue *
conn_queue_of(struct conn_table *table, enum conn_state state)
{
	if (state == CONN_SYN)
		return &table->opening;
	return state == CONN_NEW ? &table->fresh : NULL;
}

bool
conn_is_full(const struct conn_table *table, enum conn_state state)
{
	if (!conn_has_entry(table))
		return true;
	return (state == CONN_SYN && unproven_is_full(&table->opening)) ||
	    (state == CONN_NEW && unproven_is_full(&table->fresh));
}

static bool
conn_is_unproven_since(const struct conn_table *table, const struct unproven *entry)
{
	const struct conn *conn = &table->conns[entry->number];

	return conn->state != CONN_NONE && !conn_is_proven((enum conn_state)conn->state) && conn->began == entry->began;
}

static bool
conn_had_grace(const struct unproven *entry, uint64_t now)
{
	return (uint32_t)(now / SECONDS(1)) - entry->began >= UNPROVEN_GRACE;
}

/* Forgets the oldest flow of the queue, if it had its time. */
static bool
conn_evict(struct conn_table *table, struct unproven_queue *queue)
{
	const struct unproven *entry;

	for (uint32_t budget = FULL_BUDGET; budget > 0 && (entry = unproven_first(queue)) != NULL; budget--) {
		const uint32_t number = entry->number;
		const bool meant = conn_is_unproven_since(table, entry);

		if (meant && !conn_had_grace(entry, table->now))
			return false;
		unproven_pop(queue);
		if (meant) {
			conn_remove(table, &table->conns[number]);
			table->evicted++;
			return true;
		}
	}
	return false;
}

void
conn_make_room(struct conn_table *table, enum conn_state state)
{
	struct unproven_queue *queue = conn_queue_of(table, state);

	conn_expire(table, table->now, FULL_BUDGET);
	if (queue != NULL && unproven_is_full(queue) && !conn_evict(table, queue))
		return;
	if (!conn_has_entry(table) && !conn_evict(table, &table->opening))
		(void)conn_evict(table, &table->fresh);
}

void
conn_refuse(struct conn_table *table, enum conn_state state)
{
	struct unproven_queue *queue = conn_queue_of(table, state);

	if (queue != NULL)
		queue->refused = table->now;
}

void
conn_set_flood(struct conn_table *table, uint64_t until)
{
	table->flood_until = until;
}

bool
conn_is_flooded(const struct conn_table *table, enum conn_state state, uint64_t now)
{
	const uint64_t refused = state == CONN_SYN ? table->opening.refused : state == CONN_NEW ? table->fresh.refused :
	    0;

	return (refused != 0 && now < refused + UNPROVEN_CALM) || (!conn_is_proven(state) && now < table->flood_until);
}

/* Would conn_evict() find one? */
static bool
conn_can_evict(const struct conn_table *table, const struct unproven_queue *queue, uint64_t now)
{
	for (uint32_t i = 0; i < queue->used && i < FULL_BUDGET; i++) {
		const uint32_t at = queue->first + i;
		const struct unproven *entry = &queue->flows[at < queue->size ? at : at - queue->size];

		if (conn_is_unproven_since(table, entry))
			return conn_had_grace(entry, now);
	}
	return false;
}

/* For conn_make_room(): an expired flow among a bounded number that it examines, or one that can be evicted. */
bool
conn_fits(const struct conn_table *table, enum conn_state state, uint64_t now)
{
	const uint64_t latest = now > table->now ? now : table->now, second = latest / SECONDS(1);
	const struct unproven_queue *queue = state == CONN_SYN ? &table->opening : state == CONN_NEW ? &table->fresh :
	    NULL;
	uint64_t cursor = second > table->cursor + WHEEL_SLOTS ? second - WHEEL_SLOTS : table->cursor;
	uint32_t budget = FULL_BUDGET, count = queue != NULL ? queue->count : 0, gone = 0;

	if (!conn_is_full(table, state))
		return true;
	for (; cursor < second && budget > 0; cursor++) {
		for (uint32_t i = table->wheel[cursor & WHEEL_MASK]; i != NIL &&
		    budget > 0; i = table->conns[i].wheel_next) {
			const bool over = conn_left_at(table, &table->conns[i], now) == 0;

			gone += over;
			count -= over && table->conns[i].state == state;
			budget--;
		}
	}
	if (queue != NULL && count >= queue->share)
		return conn_can_evict(table, queue, latest);
	return conn_has_entry(table) || gone > 0 || conn_can_evict(table, &table->opening, latest) ||
	    conn_can_evict(table, &table->fresh, latest);
}
