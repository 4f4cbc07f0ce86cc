/* SPDX-License-Identifier: ISC */
/*
 * What another process needs to continue a flow, in memory that outlives this one: a record for each flow of a table
 * (flow/conn.h), at the flow's number. It is written when the flow begins, changes its state or ends, not for the
 * frames in between, so an established flow costs nothing. Deadlines and sequence numbers are updated in rounds of
 * CONN_RECORD_ROUND, and when the process ends.
 *
 * A process may be killed between any two writes. A record that was being written then has a wrong checksum and is
 * ignored. Everything is in host byte order: the reader is a process on the same host.
 */
#ifndef FLOW_CONN_RECORD_H
#define FLOW_CONN_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/conn.h"

struct conn_record {
	struct conn_key key;      /* of `target` the highest byte is the flow's state and a flag; zero: no flow */
	struct server_ref server;
	uint32_t began;           /* seconds of the clock of frames */
	uint32_t deadline;        /* seconds too, as of the last round */
	uint32_t acknowledged;    /* the flow's numbers (flow/fit.h), as of the last round, where `target` has ... */
	uint32_t sent;            /* ... CONN_RECORD_NUMBERS */
	uint32_t check;           /* conn_record_check() */
};

/* A flow with traffic may live this many seconds longer than its record: a round, and the second it began in. */
#define CONN_RECORD_ROUND 60
#define CONN_RECORD_SLACK (CONN_RECORD_ROUND + 1)

/*
 * Memory for records. Zero at first. `reserve` is called when a flow's number is above `ready`, and makes `ready` as
 * large as needed, or returns -1: the flow then has no record, and another process will not know it.
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
	bool numbered; /* the next two are the client's own */
	uint32_t acknowledged;
	uint32_t sent;
};

#define CONN_RECORD_STATE_SHIFT 24
#define CONN_RECORD_NUMBERS UINT32_C(0x80000000)

/*
 * Computed from all other words: no protection against an attacker with write access, but it detects a partial write.
 */
uint32_t conn_record_check(const struct conn_record *record);
void conn_record_write(struct conn_record *record, const struct conn *conn, uint32_t deadline);
void conn_record_clear(struct conn_record *record);
/* False when there is no flow, or the record cannot be valid. */
bool conn_record_read(const struct conn_record *record, struct conn_saved *saved);

#endif
