/* SPDX-License-Identifier: ISC */
/*
 * What another process needs to go on with a flow, in memory that outlives this one: a record for each flow of a table
 * (flow/conn.h), at the flow's number. It is written when the flow begins, changes its state or ends, and not for the
 * frames in between, so an established flow costs nothing. Its deadline is brought up to date in rounds of
 * CONN_RECORD_ROUND.
 *
 * A process may be killed between any two writes. A record that was being written then has a wrong checksum, and is no
 * record. Everything is in host byte order: the reader is a process on the same host.
 */
#ifndef FLOW_CONN_RECORD_H
#define FLOW_CONN_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/conn.h"

struct conn_record {
	struct conn_key key;      /* of `target` the highest byte is the flow's state; zero: no flow */
	struct server_ref server;
	uint32_t began;           /* seconds of the clock of frames */
	uint32_t deadline;        /* likewise, as of the last round */
	uint32_t check;           /* conn_record_check() */
};

/* A flow that carries data may live so many seconds longer than its record says: a round, and the second it began in. */
#define CONN_RECORD_ROUND 60
#define CONN_RECORD_SLACK (CONN_RECORD_ROUND + 1)

/*
 * Room for records. Zero at first. `reserve` is called when a flow's number is above `ready`, and makes `ready` as large
 * as it needs to be, or returns -1: the flow then has no record, and another process will not know it.
 */
struct conn_records {
	struct conn_record *first; /* of flow 1 */
	uint32_t ready;            /* flows that have room */
	int (*reserve)(void *context, uint32_t number);
	void *context;
};

/* What is read back. */
struct conn_saved {
	struct conn_key key;
	struct server_ref server;
	enum conn_state state;
	uint32_t began;
	uint32_t deadline;
};

#define CONN_RECORD_STATE_SHIFT 24

/* A word from all others: no defence against who can write there, but no half of a record has it but by chance. */
uint32_t conn_record_check(const struct conn_record *record);
void conn_record_write(struct conn_record *record, const struct conn *conn, uint32_t deadline);
void conn_record_clear(struct conn_record *record);
/* False when there is no flow, or what stands there cannot be one. */
bool conn_record_read(const struct conn_record *record, struct conn_saved *saved);

#endif
